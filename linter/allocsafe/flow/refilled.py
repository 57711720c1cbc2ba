"""A fill whose memory moved: what `self.load.zero_()` filled is now `state.load`, filled in a loop over the states.

*Claim.* When an attribute left the class that held it (its new text names it no more) and the same fill of an
attribute of that name stands in the same function under the same conditions, inside a loop over the new holders, then
every such memory is filled where the old one was. *Why that suffices.* A read of the attribute must go through one of
the new holders, and none stands before the fill that did not stand before the old one. *What it gives up.* That the
loop reaches every holder is an assumption, and is listed as one; a loop that may leave before the fill is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from allocsafe.source import Span
from allocsafe.verdict import Event, Safe

if TYPE_CHECKING:
    from allocsafe.edits import DroppedFill
    from allocsafe.frontends.base import Definition, Unit
    from allocsafe.patch.pairs import FilePair

Headers = list[tuple[int, str]]


def refilled(
    pair: FilePair, fill: DroppedFill, before: Definition, headers: Headers, root: str, old: Unit, new: Unit
) -> Safe | None:
    """The verdict on a fill whose memory is held by other objects now; None where it is not that."""
    _, dot, attr = root.rpartition(".")
    if not dot:
        return None
    rest = fill.target[len(root) :]
    act = fill.text[fill.text.index(fill.target) + len(fill.target) :] if fill.target in fill.text else ""
    for line in sorted(pair.added):
        row = new.source.line(line).strip()
        found = re.match(rf"([A-Za-z_]\w*)\.{re.escape(attr)}(?!\w)", row)
        if found is None or " ".join(row[found.end() :].split()) != " ".join((rest + act).split()):
            continue
        at = next(
            (d for d in new.definitions if d.kind == "function" and d.first_line < line <= d.last_line),
            None,
        )
        if at is None or at.qualname.rsplit(".", 1)[-1] != before.qualname.rsplit(".", 1)[-1]:
            continue
        from allocsafe.flow.dropped import class_text, headers_of

        if re.search(rf"(?<![\w.]){re.escape(root)}\b", class_text(new, at)):
            continue
        around = headers_of(new, at, line)
        loops = [text for _, text in around if re.match(rf"for\b[^:]*\b{found[1]}\b[^:]*\sin\s", text)]
        rest_of = [_plain(text) for _, text in around if text not in loops]
        if len(loops) != 1 or rest_of != [_plain(text) for _, text in headers]:
            continue
        first = next(n for n in range(line, at.first_line, -1) if new.source.line(n).strip().startswith("for "))
        inside = "\n".join(new.source.line(n) for n in range(first + 1, line))
        if re.search(r"\b(?:break|continue|return|raise|yield)\b", inside):
            continue
        if _mentions(new, at, line, attr) > _mentions(old, before, fill.line, attr):
            continue  # something may read it before the fill now
        over = re.sub(r".*?\sin\s+(.*?):\s*$", r"\1", loops[0])
        span = Span(new.source.path, line, 1, line, 1 + len(new.source.line(line)))
        return Safe(
            f"what {root} held is {found[1]}.{attr} now, and the loop over {over} fills it at line {line}",
            (Event("written", span, "[:]", "in a loop over its holders"),),
            (f"the loop over {over} reaches every object that holds {attr}",),
        )
    return None


def _mentions(unit: Unit, at: Definition, line: int, attr: str) -> int:
    """How often the function names the attribute before a line."""
    rows = unit.source.lines[at.first_line - 1 : line - 1]
    return len(re.findall(rf"\.{re.escape(attr)}\b", "\n".join(rows)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"#.*", "", text).split())


__all__ = ["refilled"]
