"""Files as their frontends read them, each opened once: both sides of a patch share what is the same on both.

Claim: a unit is a function of its path and text, so whoever asks for the same file again may have the same unit. Why
it pays: a patch changes one file of the sixty that are opened on each side for it, and lowering is most of the work.
What it gives up: past `MOST` files the one unused for longest is read anew.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocsafe.frontends.base import Shelf, Unit
    from allocsafe.source import Source

MOST = 200
PYTHON = (".py", ".pyi")


class Units:
    """Opened files by path and text. `shelf`: where parts that are lowered are kept for later runs."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._open: OrderedDict[tuple[str, str], Unit] = OrderedDict()

    def open(self, source: Source) -> Unit:
        """The unit of a text. Raises `Unsupported`."""
        key = (source.path, source.text)
        found = self._open.get(key)
        if found is not None and not source.inserted:
            self._open.move_to_end(key)
            return found
        made = self._made(source)
        if not source.inserted:
            self._open[key] = made
            if len(self._open) > MOST:
                self._open.popitem(last=False)
        return made

    def _made(self, source: Source) -> Unit:
        if source.path.endswith(PYTHON):
            from allocsafe.frontends.python.unit import open_unit

            return open_unit(source, self._shelf)
        from allocsafe.frontends.cpp.unit import open_unit as open_cpp

        return open_cpp(source)


__all__ = ["Units"]
