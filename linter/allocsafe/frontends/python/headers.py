"""What the first lines of a class say, read from the text without a parser.

Claim: `bases` gives the bases of a class as dotted names, in order, keywords such as `metaclass=` left out. Why a scan
suffices: the part between the brackets is cut at the commas outside of inner brackets. What it gives up: a base that
is a call keeps the name of the callee, a subscripted one loses its subscript, anything else stands there as its text.
"""

from __future__ import annotations

import re

from allocsafe.source import Source

_PIECE = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'|\#[^\n]*|[()\[\]{},:]""")
_HEAD = re.compile(r"[ \t\f]*class[ \t]+\w+[ \t]*")
_NAME = re.compile(r"\*?[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*(?=\s*(?:\[.*\]|\(.*\))?\s*$)", re.DOTALL)
_KEYWORD = re.compile(r"\w+\s*=(?!=)|\*\*")
_FIELD = re.compile(r"[ \t\f]*[^\W\d]\w*[ \t]*:(?!=)")
_NOT_FIELDS = re.compile(r"[ \t\f]*(?:else|try|finally)\b")


def is_field(line: str) -> bool:
    """Whether a class-level line may declare an annotated name."""
    return _FIELD.match(line) is not None and _NOT_FIELDS.match(line) is None


def bases(source: Source, def_line: int, last_line: int) -> tuple[str, ...]:
    """The bases of the class whose `class` stands in `def_line`."""
    text = "\n".join(source.lines[def_line - 1 : min(last_line, def_line + 60)])
    head = _HEAD.match(text)
    if head is None:
        return ()
    at = head.end()
    if text[at : at + 1] == "[":  # type parameters
        at = _closing(text, at)
    if text[at : at + 1] != "(":
        return ()
    return tuple(_name(part) for part in _split(text, at + 1) if part and not _KEYWORD.match(part))


def _name(text: str) -> str:
    found = _NAME.match(text)
    return re.sub(r"\s", "", found[0]) if found else text


def _closing(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`, and the blanks after it."""
    depth = 0
    for m in _PIECE.finditer(text, at):
        if m[0] in "([{":
            depth += 1
        elif m[0] in ")]}":
            depth -= 1
            if depth == 0:
                return m.end() + len(text[m.end() :]) - len(text[m.end() :].lstrip(" \t"))
    return len(text)


def _split(text: str, at: int) -> list[str]:
    """The parts between commas, up to the bracket that closes."""
    depth = 0
    parts: list[str] = []
    piece: list[str] = []
    for m in _PIECE.finditer(text, at):
        piece.append(text[at : m.start()])
        at = m.end()
        token = m[0]
        if token[0] == "#":
            continue
        if depth == 0 and token in ",)":
            parts.append("".join(piece).strip())
            piece = []
            if token == ")":
                break
            continue
        piece.append(token)
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
    return parts
