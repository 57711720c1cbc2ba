"""Text and places in it: the lowest floor, which every other room may use.

A `Span` is a place people can open: path, line and column, both counted from 1, columns in *characters*
(an editor's columns, not byte offsets). `end_line`/`end_column` point one character past the last.
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A range of characters in one file. Lines and columns count from 1; the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


NOWHERE = Span("", 0, 0, 0, 0)
"""For steps that no character of the source stands for (a default argument, a made-up loop bound)."""


class Inserted(NamedTuple):
    """Statements that a question puts before line `line` of the function that starts at line `within`.

    They are lowered with the function, at the place of that line; the text itself, its lines and its definitions stay.
    """

    line: int
    within: int
    rows: tuple[str, ...]


class Source:
    """One file's text on one side of a patch. `text` has `\\n` line ends whatever the file had."""

    __slots__ = ("_lines", "inserted", "path", "text")

    def __init__(self, path: str, text: str, inserted: tuple[Inserted, ...] = ()) -> None:
        self.path = path
        self.text = text
        self.inserted = inserted
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The lines without their ends; `lines[0]` is line 1."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, or an empty string past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def at(self, span: Span) -> str:
        """The characters that `span` covers."""
        rows = self.lines[span.line - 1 : span.end_line]
        if not rows:
            return ""
        rows = list(rows)
        rows[-1] = rows[-1][: span.end_column - 1]
        rows[0] = rows[0][span.column - 1 :]
        return "\n".join(rows)


def decode(data: bytes) -> str:
    """Source bytes as text, for people and parsers alike: UTF-8, else Latin-1 (never fails).

    A byte order mark goes, `\\r\\n` and `\\r` become `\\n`. A PEP 263 coding line is honoured where Python knows the
    codec.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(_declared(data) or "latin-1", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _declared(data: bytes) -> str | None:
    import codecs
    import re

    for row in data.split(b"\n", 2)[:2]:
        found = re.match(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", row)
        if found:
            try:
                return codecs.lookup(found[1].decode("ascii")).name
            except (LookupError, UnicodeDecodeError):
                return None
    return None
