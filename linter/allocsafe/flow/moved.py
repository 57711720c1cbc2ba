"""Allocations that moved to another file: where the old side had what the new side has here, and the other way round.

*Claim.* An allocation that one file of a patch lost and another one got is one allocation when both are bound to the
same last name, and either the statements are the same but for the maker or the functions around them have the same
name. *Why that suffices.* A hole that moved with its allocation is not the patch's doing. *What it gives up.* An
allocation that was renamed on its way, or that has several such partners, is a new one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from allocsafe.flow.program import Program
    from allocsafe.frontends.base import Definition

MOST_FILES = 40

_MAKER = re.compile(r"\b(?:new_)?(?:empty|zeros|ones|full)(_like)?\b")


class Place(NamedTuple):
    """A line of a file that binds a name to an allocation, and the definition around it (None: the module)."""

    path: str
    line: int
    definition: Definition | None


def last_name(symbol: str) -> str:
    """`buf` of `self.buf` and of `self.meta["buf"]`."""
    words = re.findall(r"[A-Za-z_]\w*", symbol)
    return words[-1] if words else ""


def plain(row: str, name: str) -> str:
    """The text of a binding without what may differ between two places: the maker, the object around the name."""
    row = re.sub(r"#.*", "", row)
    row = re.sub(rf"^.*?\b{re.escape(name)}\b[\"'\]]*\s*(?::[^=]+)?=", "=", row)
    return re.sub(r"\s+", "", _MAKER.sub(r"made\1", row)).rstrip(",")


def binds(name: str, allocates: re.Pattern[str]) -> re.Pattern[str]:
    """A line that binds the name to an allocation."""
    word = re.escape(name)
    bound = rf"\b{word}[ \t]*(?::[^=\n]+)?=(?!=)|[\"']{word}[\"']\]?[ \t]*[=:,]"
    return re.compile(rf"^[^\n#]*?(?:{bound})[^\n]*\n?[^\n]*?(?:{allocates.pattern})", re.M)


def row_at(text: str, at: int) -> str:
    """The line that begins at an offset."""
    end = text.find("\n", at)
    return text[at:end] if end >= 0 else text[at:]


def partner(
    here: Program, there: Program, path: str, symbol: str, row: str, owner: str, allocates: re.Pattern[str]
) -> Place | None:
    """Where the other side (`there`) has in another file what this side (`here`) has at `row` and not there; None
    where that is nowhere or in several places.
    """
    name = last_name(symbol)
    if len(name) < 2:
        return None
    pattern = binds(name, allocates)
    found: list[tuple[bool, Place]] = []
    for other in list(there.mentioning(name) or ())[:MOST_FILES]:
        text = there.text(other)
        if other == path or not pattern.search(text) or here.text(other) == text:
            continue
        left = [plain(row_at(here.text(other), m.start()), name) for m in pattern.finditer(here.text(other))]
        unit = there.unit(other)
        if unit is None:
            continue
        for m in pattern.finditer(text):
            mine = plain(row_at(text, m.start()), name)
            if mine in left:
                left.remove(mine)  # it is still there
                continue
            line = text.count("\n", 0, m.start()) + 1
            at = unit.at_line(line)
            same_text = mine == plain(row, name)
            same_owner = at is not None and bool(owner) and at.qualname.rsplit(".", 1)[-1] == owner.rsplit(".", 1)[-1]
            if same_text or same_owner:
                found.append((same_text, Place(other, line, at if at is not None and at.kind == "function" else None)))
    best = [place for same, place in found if same] or [place for _, place in found]
    return best[0] if len(best) == 1 else None


__all__ = ["Place", "last_name", "partner"]
