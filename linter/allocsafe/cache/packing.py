"""Values of known classes as bytes, and back.

Claim: what comes out of `unpacked` is built of the classes that the caller names, and of plain texts, numbers, tuples,
lists, dicts and sets; bytes that name anything else, or that are no packing at all, give None. Why pickle: it is the
fastest that Python has, it keeps shared objects shared, and a reader that looks every name up in a table of its own
cannot be made to call anything else.

A `Span` in the file that is packed is kept relative to a line, so that a function which moved, or stands in a file of
another name, is the same. What it gives up: what nests too deep for Python's stack is not packed.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allocsafe.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable


def table(classes: Iterable[type]) -> dict[tuple[str, str], Any]:
    """The names that a reader may look up."""
    return {(one.__module__, one.__qualname__): one for one in classes}


def packed(value: object, path: str = "", line: int = 0) -> bytes | None:
    """The bytes of a value, places in `path` relative to `line`; None if it cannot be written."""
    file = io.BytesIO()
    try:
        _writer(file, path, line).dump(value)
    except (pickle.PicklingError, RecursionError, TypeError, AttributeError, ValueError):
        return None
    return file.getvalue()


def unpacked(data: bytes, known: Mapping[tuple[str, str], Any], path: str = "", line: int = 0) -> Any:
    """The value of these bytes, with places in `path` from `line` on; None if they are no such thing."""
    try:
        return _Reader(io.BytesIO(data), known, path, line).load()
    except Exception:  # torn bytes can make the reader raise what it likes
        return None


def place(line: int, column: int, end_line: int, end_column: int) -> Span:
    """Stands for a span in the packed file; a reader puts its own in place of it."""
    raise NotImplementedError


_OWN: dict[tuple[str, str], Any] = {
    ("builtins", "complex"): complex,
    ("builtins", "Ellipsis"): ...,
}


def _writer(file: io.BytesIO, path: str, line: int) -> pickle.Pickler:
    """A pickler that makes places in `path` relative. What it writes of unknown classes no reader takes."""

    def span(obj: Span) -> tuple[Any, tuple[Any, ...]]:
        if path and obj.path == path:
            return place, (obj.line - line, obj.column, obj.end_line - line, obj.end_column)
        return Span, tuple(obj)

    writer = pickle.Pickler(file, 5)
    writer.dispatch_table = {Span: span}
    return writer


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: Mapping[tuple[str, str], Any], path: str, line: int) -> None:
        super().__init__(file)
        self._known, self._path, self._line = known, path, line

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (place.__module__, "place"):
            path, base = self._path, self._line

            def placed(line: int, column: int, end_line: int, end_column: int) -> Span:
                return Span(path, line + base, column, end_line + base, end_column)

            return placed
        key = (module, name)
        found = _OWN.get(key, self._known.get(key))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return found


__all__ = ["packed", "table", "unpacked"]
