"""A part of a file, cut out so that it parses on its own, and the way back from its characters to the file's.

Claim: a `Cut` holds the logical lines that were asked for and nothing else (blank and comment lines between them are
left out: they cost the parser as much as code), and `span` gives every node the place it has in the *file*. Why that
suffices: lines are kept whole with their indentation, so columns hold; a table gives the file's line for each line
that was kept. An indented part is put under `if 1:`. What it gives up: a logical line that nests deeper than the
parser's stack can take is replaced by a name and lowered as an escape; if it is the head of a compound statement, the
whole part is refused.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.positions import Offsets, offsets
from allocsafe.source import Inserted, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    import libcst as cst

MOST_NESTED = 400
"""Levels that one logical line may nest; each operator counts as one. libcst's parser dies at about 2,000."""
MOST_ELIFS = 1000
"""`elif` branches of one part; each nests in the one before."""
_LONG = MOST_NESTED  # no shorter line nests that deep

_PIECE = re.compile(
    r"""[rbuRBU]*\"\"\".*?\"\"\"|[rbuRBU]*'''.*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*"""
    r"""|[(\[{]|[)\]}]|,|;|\*\*|//|<<|>>|[<>=!]=?|[-+*/%@&|^~.:]|\b(?:and|or|not|if|in|is|lambda|await)\b""",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d]\w*")
_HEADS = re.compile(
    r"[ \t\f]*(?:(?:if|elif|else|for|while|try|except|finally|with|def|class|async|match|case)\b(?!\s*[=.,)])|@)"
)
_DEEP = "__too_deep_{}__"


class Deep:
    """A simple statement that was left out of a cut: where it stands, what it mentions, and how it ends the path."""

    __slots__ = ("assigned", "has_yield", "leaves", "names", "span")

    def __init__(self, span: Span, text: str) -> None:
        self.span = span
        self.names = tuple(sorted(set(_WORD.findall(text))))
        self.has_yield = "yield" in self.names
        first = _WORD.search(text)
        self.leaves = first[0] if first and first[0] in ("return", "raise") else ""
        head = re.match(r"\s*([^\W\d]\w*)\s*(?::[^=\n]*)?=(?!=)", text)
        self.assigned = head[1] if head else ""


class Cut:
    """The text of one part of `source`, its parsed tree, and spans."""

    def __init__(self, source: Source, rows: Iterable[tuple[int, int]], passes: Iterable[tuple[int, str]] = ()) -> None:
        """`rows` are logical lines, (first, last); `passes` those that read "pass" instead, (line, indentation)."""
        self.source = source
        self.path = source.path
        self.deep: dict[str, Deep] = {}
        self.wrapped = False  # the text stands under an `if 1:`
        self._lines: list[int] = []
        self._rows: list[str] = []
        dummies = dict(passes)
        rows = list(rows)
        waiting = [put for put in source.inserted if rows and put.within == rows[0][0]]
        elifs = 0
        for first, end in rows:
            while waiting and rows[0][0] < first and waiting[0].line <= first:
                self._insert(waiting.pop(0))
            if first in dummies:
                self._put(first, dummies[first] + "pass")
                continue
            text = source.lines[first - 1 : _trimmed(source, first, end)]
            if not self._lines and text[0][:1] in (" ", "\t", "\f"):
                self._put(first, "if 1:")
                self.wrapped = True
            if sum(map(len, text)) > _LONG and (reason := too_deep("\n".join(text))):
                self._leave_out(first, text, reason)
                continue
            if text[0].lstrip()[:5] == "elif ":
                elifs += 1
                if elifs > MOST_ELIFS:
                    raise Unsupported(self._whole(first, text), f"more than {MOST_ELIFS} `elif` branches")
            for number, row in enumerate(text, first):
                self._put(number, row)
        for put in waiting:
            self._insert(put)
        self.text = "\n".join(self._rows) + "\n"
        self._starts = [0, *accumulate(len(row) + 1 for row in self._rows)]
        self.module: cst.Module = self._parse()
        self.offsets: Offsets = offsets(self.module, self.text)

    def _put(self, line: int, row: str) -> None:
        self._lines.append(line)
        self._rows.append(row)

    def _insert(self, put: Inserted) -> None:
        for row in put.rows:
            self._put(put.line, row)

    def _leave_out(self, first: int, text: list[str], reason: str) -> None:
        span = self._whole(first, text)
        if _HEADS.match(text[0]) or ";" in _PIECE.findall("\n".join(text)):
            raise Unsupported(span, reason)
        name = _DEEP.format(len(self.deep))
        self.deep[name] = Deep(span, "\n".join(text))
        space = text[0][: len(text[0]) - len(text[0].lstrip())]
        self._put(first, space + name)

    def _whole(self, first: int, text: list[str]) -> Span:
        column = len(text[0]) - len(text[0].lstrip()) + 1
        return Span(self.path, first, column, first + len(text) - 1, len(text[-1]) + 1)

    def _parse(self) -> cst.Module:
        import libcst as cst

        try:
            return cst.parse_module(self.text)
        except cst.ParserSyntaxError as error:
            raise Unsupported(self._place(error.raw_line, error.raw_column + 1), "syntax error") from None
        except RecursionError:
            raise
        except Exception as error:  # the parser's native half raises what it likes
            raise Unsupported(self.span_of(0, 0), f"cannot be parsed ({type(error).__name__})") from None

    def _place(self, line: int, column: int) -> Span:
        """Where the parser stopped; its tokenizer does not say, so Python is asked."""
        if (line, column) == (1, 1):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    ast.parse(self.text)
            except SyntaxError as error:
                line, column = error.lineno or line, error.offset or column
            except (ValueError, MemoryError, RecursionError):
                pass
        if not self._lines:
            return Span(self.path, 1, 1, 1, 1)
        row = min(max(line, 1), len(self._lines)) - 1
        end = len(self._rows[row]) + 1
        return Span(self.path, self._lines[row], min(max(column, 1), end), self._lines[row], end)

    def span_of(self, start: int, end: int) -> Span:
        """The span of a range of characters of the cut text."""
        lines = self._lines
        if not lines:
            return Span(self.path, 1, 1, 1, 1)
        starts = self._starts
        first = bisect_right(starts, start) - 1
        last = first if end < starts[first + 1] else bisect_right(starts, end) - 1
        count = len(lines)
        if last >= count:  # the end of the text
            last = count - 1
            end = starts[last] + len(self._rows[last])
            if first > last:
                first, start = last, end
        return Span(self.path, lines[first], start - starts[first] + 1, lines[last], end - starts[last] + 1)

    def range(self, node: cst.CSTNode) -> tuple[int, int] | None:
        """Where the node stands in the cut text, if libcst says so."""
        return self.offsets.get(id(node))

    def text_of(self, node: cst.CSTNode) -> str:
        """The characters of a node, without surrounding parentheses."""
        place = self.offsets.get(id(node))
        return self.text[place[0] : place[1]] if place else ""


def _trimmed(source: Source, first: int, last: int) -> int:
    """`last` without the blank and comment lines after the code; what may be the end of a string stays."""
    lines = source.lines
    last = min(last, len(lines))
    while last > first:
        row = lines[last - 1].strip()
        if row and (row[0] != "#" or '"' in row or "'" in row):
            break
        last -= 1
    return last


def too_deep(text: str) -> str:
    """Why a logical line is too deep to be parsed, or "". It never counts fewer levels than the syntax tree has."""
    levels = [0]
    total = 0
    for m in _PIECE.finditer(text):
        token = m[0]
        if token == ",":
            total -= levels[-1]
            levels[-1] = 0
        elif token in "([{":
            levels.append(0)
            total += 2  # Python refuses 200 brackets in one another
        elif token in ")]}":
            if len(levels) > 1:
                total -= levels.pop() + 2
            total += 1  # a call or subscript may go on: f()()()
            levels[-1] += 1
        elif token[0] != "#":  # an operator, or a string that may be joined to the next
            total += 1
            levels[-1] += 1
        if total > MOST_NESTED:
            return "expression too deep"
    return ""
