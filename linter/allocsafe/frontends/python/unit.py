"""One Python file: definitions from a scan of its text, bodies lowered one by one when somebody asks.

Claim: opening a file costs one pass of a regular expression (14 ms for 300 KB); libcst is imported and a part of the
text parsed at the first `load`, `toplevel` or class body, each part once. Why that suffices: a patch touches few
functions, and a function means the same whether it is parsed with its file or cut out of it. What it gives up: a
syntax error is found in the part that is read, not in the file.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from allocsafe.frontends.base import Definition, Unsupported
from allocsafe.frontends.python.scan import Entry, outline
from allocsafe.source import Source, Span

if TYPE_CHECKING:
    from allocsafe.frontends.base import Shelf
    from allocsafe.frontends.python.bodies import ClassBody
    from allocsafe.frontends.python.cut import Cut
    from allocsafe.ir.nodes import ClassDef, Function, FunctionStub

T = TypeVar("T")


class PythonUnit:
    """A file of Python; see `frontends.base.Unit`."""

    language = "python"

    def __init__(self, source: Source, shelf: Shelf | None = None) -> None:
        self.source = source
        self._shelf = None if source.inserted else shelf
        found = outline(source.text)
        self._entries = found.entries
        self._starts = found.starts
        self.starts = found.starts  # the first lines of all logical lines
        self._comments = found.comments
        self.definitions: tuple[Definition, ...] = tuple(
            Definition(e.qualname, e.kind, e.first_line, e.last_line, e.owner) for e in found.entries
        )
        self._by_name: dict[str, list[int]] = {}
        for number, entry in enumerate(found.entries):
            self._by_name.setdefault(_key(entry), []).append(number)
        self._stubs: dict[int, FunctionStub] = {}
        self._classes: dict[int, ClassDef] = {}
        self._bodies: dict[int, Callable[[], ClassBody]] = {}
        self._class_keys: dict[int, str] = {}
        whole = Span(source.path, 1, 1, 1, 1)
        self._toplevel = Once(lambda: self._toplevel_part(whole))

    # ------------------------------------------------------------ definitions

    def function(self, qualname: str) -> FunctionStub | None:
        """A module-level function or a method. Of several with one name, the last, which is the one that Python binds.

        A property's setter is "Cls.x.setter". `functions` gives all.
        """
        found = self.functions(qualname)
        return found[-1] if found else None

    def functions(self, qualname: str) -> tuple[FunctionStub, ...]:
        """All definitions of one name (in both arms of an `if`, say), in order; overload declarations left out."""
        numbers = [n for n in self._by_name.get(qualname, ()) if self._entries[n].kind == "function"]
        real = [n for n in numbers if not _is_overload(self._entries[n])]
        return tuple(self._stub(n) for n in real or numbers)

    def klass(self, qualname: str) -> ClassDef | None:
        """A module-level or nested class; of several with one name, the last."""
        numbers = [n for n in self._by_name.get(qualname, ()) if self._entries[n].kind == "class"]
        return self._class(numbers[-1]) if numbers else None

    def at_line(self, line: int) -> Definition | None:
        """The innermost definition that contains `line`, decorators included."""
        best = None
        for definition in self.definitions:
            if definition.first_line > line:
                break
            if definition.last_line >= line:
                best = definition
        return best

    def stub_at(self, line: int) -> FunctionStub | None:
        """The function or method that contains `line`: the very one, where several share a name."""
        best = None
        for number, entry in enumerate(self._entries):
            if entry.first_line <= line <= entry.last_line and entry.kind == "function":
                best = number
        return None if best is None else self._stub(best)

    def comments(self) -> Iterable[tuple[int, str]]:
        """(line, text) of every comment that mentions the tool's name."""
        return self._comments

    # ------------------------------------------------------------ lowering

    def toplevel(self) -> Function:
        """The module's own statements; definitions and their decorators are not among them."""
        return self._toplevel()

    def _toplevel_part(self, whole: Span) -> Function:
        last = len(self.source.lines)
        outer = [entry for entry in self._entries if not entry.nested]

        def lower() -> Function:
            from allocsafe.frontends.python import parts

            return parts.toplevel(self._cut(1, last, outer))

        return self._part(("toplevel",), 1, last, outer, whole, lower)

    def _stub(self, number: int) -> FunctionStub:
        stub = self._stubs.get(number)
        if stub is None:
            from allocsafe.ir.nodes import FunctionStub

            entry = self._entries[number]

            def lower() -> Function:
                from allocsafe.frontends.python import parts

                cut = self._cut(entry.first_line, entry.last_line)
                return parts.function(cut, entry.qualname, entry.owner, lambda: self._names_of(entry))

            def load() -> Function:
                words = ("function", entry.qualname, entry.owner, self._class_key(entry))
                return self._part(words, entry.first_line, entry.last_line, [], self._span(entry), lower)

            stub = self._stubs[number] = FunctionStub(
                name=entry.name,
                qualname=entry.qualname,
                span=self._span(entry),
                load=Once(load),
                decorator_names=entry.decorators,
                owner=entry.owner,
            )
        return stub

    def _names_of(self, method: Entry) -> frozenset[str]:
        """The names that the class around a method binds: its defaults see them."""
        around = self._around(method)
        return self._class_body(around)().names if around is not None else frozenset()

    def _around(self, method: Entry) -> int | None:
        """The class around a method."""
        around = [
            number
            for number in self._by_name.get(method.owner, ())
            if self._entries[number].first_line < method.first_line <= self._entries[number].last_line
        ]
        return around[-1] if around else None

    def _class(self, number: int) -> ClassDef:
        made = self._classes.get(number)
        if made is None:
            from allocsafe.frontends.python import headers
            from allocsafe.ir.nodes import ClassDef

            entry = self._entries[number]
            methods: dict[str, FunctionStub] = {}
            for inner in self._inside(number):
                found = self._entries[inner]
                key = _key(found)[len(entry.qualname) + 1 :]
                if found.kind == "function" and not (key in methods and _is_overload(found)):
                    methods[key] = self._stub(inner)
            body = self._class_body(number)
            made = self._classes[number] = ClassDef(
                name=entry.name,
                qualname=entry.qualname,
                span=self._span(entry),
                bases=headers.bases(self.source, entry.def_line, entry.last_line),
                methods=methods,
                load_body=lambda: body().function,
                decorator_names=entry.decorators,
            )
            rows, _ = self._rows(entry.def_line, entry.last_line, [self._entries[i] for i in self._inside(number)])
            lines = [self.source.line(first) for first, _ in rows]
            if any(map(headers.is_field, lines[1:])) or (len(lines) == 1 and lines[0].count(":") > 1):
                with suppress(Unsupported):  # `load_body` says it to whoever asks
                    made.fields = body().fields
        return made

    def _class_body(self, number: int) -> Callable[[], ClassBody]:
        body = self._bodies.get(number)
        if body is None:
            entry = self._entries[number]

            inside = [self._entries[i] for i in self._inside(number)]

            def lower() -> ClassBody:
                from allocsafe.frontends.python import parts

                cut = self._cut(entry.def_line, entry.last_line, inside)
                return parts.class_body(cut, entry.qualname, frozenset(e.name for e in inside))

            def load() -> ClassBody:
                words = ("class", entry.qualname, *(e.name for e in inside))
                return self._part(words, entry.def_line, entry.last_line, inside, self._span(entry), lower)

            body = self._bodies[number] = Once(load)
        return body

    # ------------------------------------------------------------ what is kept

    def _part(
        self, words: tuple[str, ...], first: int, last: int, leave_out: list[Entry], span: Span, lower: Callable[[], T]
    ) -> T:
        """What `lower` makes of these lines, or made of them in an earlier run."""
        if self._shelf is None:
            return _lowered(lower, span)
        from allocsafe.frontends.python import bodies

        rows, passes = self._rows(first, last, leave_out)
        base = rows[0][0] if rows else first
        key = bodies.key_of(words, self.source, rows, passes, base)
        kind = "ClassBody" if words[0] == "class" else "Function"
        return bodies.through(self._shelf, key, self.source.path, base, kind, lambda: _lowered(lower, span))

    def _class_key(self, method: Entry) -> str:
        """The text of the class around a method, without its methods: the names that it binds come from there."""
        number = self._around(method) if self._shelf is not None and method.owner else None
        if number is None:
            return ""
        if number not in self._class_keys:
            from allocsafe.frontends.python import bodies

            entry = self._entries[number]
            inside = [self._entries[i] for i in self._inside(number)]
            rows, passes = self._rows(entry.def_line, entry.last_line, inside)
            names = (e.name for e in inside)
            self._class_keys[number] = bodies.key_of(names, self.source, rows, passes, entry.def_line).hex()
        return self._class_keys[number]

    # ------------------------------------------------------------ text

    def _inside(self, number: int) -> list[int]:
        """The methods and classes directly in a class."""
        entry = self._entries[number]
        inner: list[int] = []
        for i in range(number + 1, len(self._entries)):
            found = self._entries[i]
            if found.first_line > entry.last_line:
                break
            if found.owner == entry.qualname:
                inner.append(i)
        return inner

    def _span(self, entry: Entry) -> Span:
        column = len(self.source.line(entry.first_line)) - len(self.source.line(entry.first_line).lstrip()) + 1
        end = len(self.source.line(entry.last_line)) + 1
        return Span(self.source.path, entry.first_line, column, entry.last_line, end)

    def _rows(
        self, first: int, last: int, leave_out: list[Entry]
    ) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
        """The logical lines from `first` to `last`, and the places of the definitions that are left out."""
        starts = self._starts
        rows: list[tuple[int, int]] = []
        passes: list[tuple[int, str]] = []
        gaps = iter(leave_out)
        gap = next(gaps, None)
        stop = bisect_right(starts, last)
        for i in range(bisect_left(starts, first), stop):
            start = starts[i]
            while gap is not None and start > gap.last_line:
                gap = next(gaps, None)
            if gap is not None and start >= gap.first_line:
                row = self.source.line(start)
                space = row[: len(row) - len(row.lstrip())]
                if start > gap.first_line or not space:
                    continue
                passes.append((start, space))  # the block around it may hold nothing else
            rows.append((start, starts[i + 1] - 1 if i + 1 < stop else last))
        return rows, passes

    def _cut(self, first: int, last: int, leave_out: list[Entry] | None = None) -> Cut:
        from allocsafe.frontends.python.cut import Cut

        rows, passes = self._rows(first, last, leave_out or [])
        return Cut(self.source, rows, passes)


class Once(Generic[T]):
    """Work that is done at the first call; its answer, or its refusal, is kept."""

    __slots__ = ("_answer", "_refusal", "_work")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._answer: list[T] = []
        self._refusal: Unsupported | None = None

    def __call__(self) -> T:
        if self._work is not None:
            try:
                self._answer.append(self._work())
            except Unsupported as error:
                self._refusal = error
            self._work = None
        if self._refusal is not None:
            raise Unsupported(self._refusal.span, self._refusal.reason)
        return self._answer[0]


def _lowered(work: Callable[[], T], span: Span) -> T:
    """What `work` lowers, with room for deep trees."""
    from allocsafe.frontends.python.deep import deeply

    try:
        return deeply(work)
    except RecursionError:
        from allocsafe.frontends.python.bodies import TOO_DEEP

        raise Unsupported(span, TOO_DEEP) from None


def _key(entry: Entry) -> str:
    """The name an entry is found by: a property's setter and deleter do not replace its getter."""
    for text in entry.decorators:
        if text in (f"{entry.name}.setter", f"{entry.name}.deleter"):
            return f"{entry.owner}.{text}" if entry.owner else text
    return entry.qualname


def _is_overload(entry: Entry) -> bool:
    return any(text.rsplit(".", 1)[-1] == "overload" for text in entry.decorators)


def open_unit(source: Source, shelf: Shelf | None = None) -> PythonUnit:
    """A unit for `source`; nothing is parsed yet. `shelf`: where parts that are lowered are kept."""
    return PythonUnit(source, shelf)
