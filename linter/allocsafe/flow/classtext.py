"""Classes and functions as text: where a body begins, and whether it only promises one.

*Claim.* Brackets, comments and quotes are enough to find the body behind a head. *Why that suffices.* The outline has
already said where the definition stands. *What it gives up.* Text that only looks like code, inside of quotes on one
line.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ABSTRACT_BODY = re.compile(r"(?:raise[ \t]+NotImplementedError\b[^\n]*(?:\n[ \t]+[^\n]*)*|\.\.\.)\s*\Z")
_DOC = re.compile(r"[rRuU]?(\"\"\"|''')(?:\\.|(?!\1).)*\1|[rRuU]?(\"|')(?:\\.|(?!\2)[^\n])*\2(?=\s*(?:\n|\Z))", re.S)


def lines_with(text: str, word: str) -> str:
    """The lines that have the word in them. What one line says is found in them as in the whole text, much sooner."""
    rows: list[str] = []
    at = text.find(word)
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        rows.append(text[text.rfind("\n", 0, at) + 1 : end])
        at = text.find(word, end)
    return "\n".join(rows)


@lru_cache(maxsize=4096)
def class_lines(text: str) -> tuple[int, ...]:
    """Where the lines start that a class may start on. A tree is searched for one class after the other."""
    return tuple(m.start() for m in re.finditer(r"^[ \t]*class[ \t]", text, re.M))


@lru_cache(maxsize=4096)
def calls_of_type(text: str) -> tuple[int, ...]:
    """Where `type` is called."""
    return tuple(m.start() for m in re.finditer(r"(?<!\w)type\(", text)) if "type(" in text else ()


def body_of(rows: list[str]) -> list[str]:
    """The lines of a class behind its head."""
    start = next((i for i, row in enumerate(rows) if re.match(r"\s*class\b", row)), 0)
    depth = 0
    for at in range(start, len(rows)):
        code = re.sub(r"#.*", "", rows[at])
        depth += sum(code.count(c) for c in "([{") - sum(code.count(c) for c in ")]}")
        if depth <= 0 and ":" in code:
            return rows[at + 1 :]
    return []


def promises(rows: list[str]) -> bool:
    """Whether the body of a function, docstring left out, is an error or an ellipsis."""
    text = "\n".join(rows)
    start = re.search(r"\bdef\b", text)
    if start is None:
        return False
    at, depth = start.end(), 0
    for at in range(start.end(), len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        elif text[at] == ":" and depth == 0:
            break
    body = re.sub(r"^\s*#[^\n]*$", "", text[at + 1 :], flags=re.M).strip()
    body = re.sub(r"\A[ \t]*#[^\n]*\n", "", body).strip()
    doc = _DOC.match(body)
    if doc is not None:
        body = body[doc.end() :].strip()
    return _ABSTRACT_BODY.fullmatch(body) is not None


def in_code(lines: list[str], line: int) -> bool:
    """Whether a class head stands in code (a function's body), and not in a text between triple quotes."""
    above = "\n".join(lines[: line - 1])
    return above.count('"""') % 2 == 0 and above.count("'''") % 2 == 0


__all__ = ["body_of", "calls_of_type", "class_lines", "in_code", "lines_with", "promises"]
