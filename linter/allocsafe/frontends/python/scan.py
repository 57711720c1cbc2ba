"""The outline of a Python file: where its definitions stand, found by one pass over the text.

Claim: every `def` and `class` at module or class level is listed with its first line (decorators included) and its
last one, whatever stands in strings, comments, brackets or continued lines. Why one regular expression suffices: a
definition starts a logical line, and a logical line starts after a newline outside of strings and brackets; so it is
enough to hop from one string, bracket, comment or newline to the next. Indentation then says what holds what. What it
gives up: a file that is no Python gets an outline that is as good as its text; the parser says where it is wrong when
the part is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal, NamedTuple

# Every alternative starts with a literal character: the engine then looks for that set of characters only.
_TOKEN = re.compile(
    r"""
    \n([ \t\f]*)(?=[^\s\#])(?:(def|class|async[ \t]+def)[ \t]+(\w+)|@[ \t]*([\w.]*)|)
    |"(?:""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*\"\"\"|[^"\\\n]*(?:\\.[^"\\\n]*)*")
    |'(?:''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''|[^'\\\n]*(?:\\.[^'\\\n]*)*')
    |\#[^\n]*
    |\([^()\[\]{}"'\#\n\\]*\)
    |\[[^()\[\]{}"'\#\n\\]*\]
    |\(|\[|\{|\)|\]|\}
    |\\\n
    """,
    re.VERBOSE | re.DOTALL,
)
_TOOL = "allocsafe"


class Entry(NamedTuple):
    """One definition. Lines count from 1; `def_line` has `def` or `class`, `first_line` the first decorator."""

    qualname: str
    name: str
    kind: Literal["function", "class"]
    owner: str
    first_line: int
    def_line: int
    last_line: int
    indent: int
    decorators: tuple[str, ...]
    nested: bool  # inside another definition that is listed


class Outline(NamedTuple):
    """What one pass finds. `starts` are the first lines of all logical lines, in order."""

    entries: tuple[Entry, ...]
    comments: tuple[tuple[int, str], ...]
    starts: tuple[int, ...]


class _Open:
    __slots__ = ("decorators", "def_line", "first_line", "indent", "kind", "name", "order", "owner", "qualname")

    def __init__(
        self,
        order: int,
        kind: Literal["function", "class"],
        name: str,
        owner: str,
        lines: tuple[int, int],
        indent: int,
        decorators: tuple[str, ...],
    ) -> None:
        self.order = order
        self.kind: Literal["function", "class"] = kind
        self.name = name
        self.owner = owner
        self.qualname = f"{owner}.{name}" if owner else name
        self.first_line, self.def_line = lines
        self.indent = indent
        self.decorators = decorators


def outline(text: str) -> Outline:
    """Definitions, comments about this tool, and logical lines of a file."""
    text = "\n" + text  # so that the first line starts like every other
    newlines = [m.start() for m in re.finditer("\n", text)]
    mentions = _TOOL in text
    comments: list[tuple[int, str]] = []
    starts: list[int] = []
    done: list[tuple[int, Entry]] = []
    stack: list[_Open] = []
    innermost = -1  # indentation of the innermost open definition
    decorators: list[tuple[int, str]] = []
    depth = 0
    tail = 0  # where the last string or bracket ended
    order = 0
    at, size = 0, len(text)

    def line_of(position: int) -> int:
        return bisect_right(newlines, position)

    def close(upto: int, position: int) -> None:
        """Ends the definitions that are indented by `upto` or more: the code goes on, or ends, at `position`."""
        last = _last_line(text, newlines, line_of(position - 1), line_of(tail - 1) if tail else 1)
        while stack and stack[-1].indent >= upto:
            d = stack.pop()
            lines = (d.first_line, d.def_line, max(last, d.def_line))
            done.append(
                (d.order, Entry(d.qualname, d.name, d.kind, d.owner, *lines, d.indent, d.decorators, bool(stack)))
            )

    while at < size:
        for m in _TOKEN.finditer(text, at):
            start = m.start()
            char = text[start]
            if char == "\n":
                word = m[2]
                if depth:
                    if word is None:
                        continue
                    depth = 0  # a keyword within brackets: one of them was never closed
                starts.append(start)
                space = m[1]
                indent = len(space) if "\t" not in space and "\f" not in space else _width(space)
                if indent <= innermost:
                    close(indent, start)
                    innermost = stack[-1].indent if stack else -1
                if word is not None:
                    if not stack or stack[-1].kind == "class":
                        here = line_of(start)
                        lines = (decorators[0][0] if decorators else here, here)
                        owner = stack[-1].qualname if stack else ""
                        kind: Literal["function", "class"] = "class" if word == "class" else "function"
                        stack.append(_Open(order, kind, m[3], owner, lines, indent, tuple(d[1] for d in decorators)))
                        innermost = indent
                        order += 1
                    decorators = []
                elif m[4] is not None:
                    decorators.append((line_of(start), m[4]))
                elif decorators:
                    decorators = []
                continue
            if char == "#":
                if mentions and _TOOL in (comment := m[0]):
                    comments.append((line_of(start), comment))
                continue
            end = m.end()
            if char in "\"'":
                if end - start == 2 and text[end : end + 1] == char:  # three quotes that nothing closes
                    at = tail = size
                    break
                if _is_formatted(text, start):
                    body = m[0]
                    if body.count("{") != body.count("}"):
                        at = tail = _formatted_end(text, start)
                        break
            elif end - start == 1:
                if char in "([{":
                    depth += 1
                elif depth:
                    depth -= 1
            tail = end
        else:
            break
    close(0, size)
    done.sort()
    return Outline(tuple(entry for _, entry in done), tuple(comments), tuple(_lines_of(newlines, starts)))


def _lines_of(newlines: list[int], starts: list[int]) -> list[int]:
    """The line numbers of newline positions, both ascending."""
    index = {position: number for number, position in enumerate(newlines, 1)}
    return [index[start] for start in starts]


def _width(space: str) -> int:
    """How far a line is indented: tabs go to the next multiple of eight, a form feed starts again."""
    return len(space.rsplit("\f", 1)[-1].expandtabs(8))


def _last_line(text: str, newlines: list[int], line: int, floor: int) -> int:
    """The last line up to `line` with code on it, not before `floor`, where a string or bracket ended."""
    while line > floor:
        end = newlines[line] if line < len(newlines) else len(text)
        content = text[newlines[line - 1] : end].strip()
        if content and content[0] != "#":
            break
        line -= 1
    return line


def _is_formatted(text: str, quote: int) -> bool:
    """Whether the string whose quote stands at `quote` has replacement fields."""
    before = text[quote - 1]
    if before in "fFtT":
        first = text[quote - 2]
        if first in "rR":
            first = text[quote - 3]
    elif before in "rR" and text[quote - 2] in "fFtT":
        first = text[quote - 3]
    else:
        return False
    return not (first.isalnum() or first == "_")


_FIELD = re.compile(r"""\\.|\{\{|\}\}|[{}]|\#[^\n]*|\"\"\"|'''|["'\n]""", re.DOTALL)


def _formatted_end(text: str, quote: int) -> int:
    """Where an f-string ends whose replacement fields may hold the same quotes."""
    mark = text[quote]
    close = mark * 3 if text.startswith(mark * 3, quote) else mark
    at = quote + len(close)
    depth = 0
    while m := _FIELD.search(text, at):
        token = m[0]
        at = m.end()
        if depth == 0:
            if token == close or token.startswith(close):
                return m.start() + len(close)
            if token == "\n" and len(close) == 1:
                return m.start()
            if token == "{":
                depth = 1
        elif token[0] in "\"'":
            at = _inner_end(text, m.start())
        elif token in ("{", "{{"):
            depth += len(token)
        elif token in ("}", "}}"):
            depth = max(0, depth - len(token))
            at = m.start() + len(token)
    return len(text)


def _inner_end(text: str, quote: int) -> int:
    """Where a string within a replacement field ends."""
    if _is_formatted(text, quote):
        return _formatted_end(text, quote)
    m = _TOKEN.match(text, quote)
    return m.end() if m else quote + 1
