"""Sites: the allocations of both sides, paired, and what the patch did to each.

*Claim.* Every allocation that the patch added, removed or changed, and every one whose fill, writes or reads it
changed, is a site; an allocation whose verdict the patch turned to `unsafe` is one even when no line of it changed.
*Why that suffices.* A site that the old side had in the same state is not the patch's fault. Pairs are found by place
first (the diff's line map), then by owner and name, then by name. A fill that was taken out is a site at the place
where it stood, with the verdict of what it filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from allocsafe.verdict import Unsafe, Verdict

FILL = re.compile(
    r"""^\s*(?:(?:return|\w[\w.\[\]]*\s*=)\s+)?(?P<target>[\w.\[\]:,\s"'()*+/-]+?)\s*(?:
        \.(?:zero_|fill_|normal_|uniform_|copy_)\s*\(|\[[^=]*\]\s*=\s*(?:0|0\.0|-1|1|False|None|float\(|PAD\w*|-?\w+)\s*(?:\#.*|;.*)?$)""",
    re.X,
)
DATA = frozenset({"torch.tensor"})
"""Makers of tensors from data: a site only where their device, dtype or the like changes, or where they take the
place of an allocation.
"""
C_FILL = re.compile(r"\b(?:zero_|fill_)\s*\(|\b(?:std::)?(?:mem(?:set)|fill(?:_n)?)\s*\(|\w*[mM]emset(?:Async)?\s*\(")


class Alloc(NamedTuple):
    """One allocation of one side, as the flow engine found it."""

    line: int
    column: int
    symbol: str
    what: str
    filled: bool
    verdict: Verdict | None
    attrs: dict[str, str]
    owner: str
    touched: frozenset[int]
    partial: Verdict | None = None
    reach: frozenset[tuple[str, int]] = frozenset()  # paths and lines of other files at which it is written or read


class Pairing(NamedTuple):
    """An allocation on both sides; None where a side has none."""

    old: Alloc | None
    new: Alloc | None


def pair(
    old: Sequence[Alloc],
    new: Sequence[Alloc],
    to_new: Callable[[int], int | None],
    nearest: Callable[[int], int] | None = None,
) -> list[Pairing]:
    """Allocations of both sides that are one: by place, by owner and name, by what replaced the line, by name."""
    left = list(old)
    taken: dict[int, Alloc] = {}

    def match(test: Callable[[Alloc, Alloc], bool]) -> None:
        for index, after in enumerate(new):
            if index in taken:
                continue
            for before in left:
                if test(before, after):
                    taken[index] = before
                    left.remove(before)
                    break

    match(lambda a, b: to_new(a.line) == b.line and a.column == b.column and a.symbol == b.symbol)
    match(lambda a, b: bool(a.symbol) and a.symbol == b.symbol and a.owner == b.owner)
    match(lambda a, b: to_new(a.line) == b.line)
    if nearest is not None:
        replaced = nearest
        match(lambda a, b: a.owner == b.owner and replaced(a.line) == b.line and a.column == b.column)
        match(lambda a, b: a.owner == b.owner and replaced(a.line) == b.line)
    match(lambda a, b: bool(a.symbol) and a.symbol == b.symbol)
    match(lambda a, b: a.owner == b.owner and not a.symbol and not b.symbol)
    out = [Pairing(taken.get(index), after) for index, after in enumerate(new)]
    out += [Pairing(before, None) for before in left]
    return out


Kind = Literal["unfilled", "filled", "added", "dropped-fill", "touched", "existing", "changed", "removed"]
"""What the patch did to an allocation, as `api.Site.kind` names it."""


class Edit(NamedTuple):
    """A site before a rule looks at it. `line` is on the new side, `old_line` on the old (0: none)."""

    kind: Kind
    line: int
    column: int
    old_line: int
    old: Alloc | None
    new: Alloc | None
    is_new: bool
    symbol: str = ""
    old_path: str = ""  # of another file, from which the allocation moved


def edits(
    pairings: Iterable[Pairing],
    added: frozenset[int],
    removed: frozenset[int],
    nearest: Callable[[int], int],
    *,
    everything: bool = False,
) -> list[Edit]:
    """What the patch did to each pair; pairs it left alone give nothing (unless `everything`)."""
    out: list[Edit] = []
    for old, new in pairings:
        if new is None:
            assert old is not None
            if old.line in removed and old.what not in DATA:
                out.append(Edit("removed", nearest(old.line), 1, old.line, old, None, True, old.symbol))
            continue
        if old is None:
            kind: Kind = "filled" if new.filled else "added"
            if new.what in DATA:
                continue
            if new.line in added or isinstance(new.verdict, Unsafe):
                out.append(
                    Edit(kind if new.line in added else "touched", new.line, new.column, 0, None, new, True, new.symbol)
                )
            continue
        place = new.line in added or old.line in removed
        worse = isinstance(new.verdict, Unsafe) and not isinstance(old.verdict, Unsafe)
        if old.filled and not new.filled:
            out.append(Edit("unfilled", new.line, new.column, old.line, old, new, True, new.symbol))
        elif new.filled and not old.filled:
            out.append(Edit("filled", new.line, new.column, old.line, old, new, True, new.symbol))
        elif new.filled:
            if place and (old.what not in DATA or new.what not in DATA or old.attrs != new.attrs):
                out.append(Edit("changed", new.line, new.column, old.line, old, new, True, new.symbol))
        elif place or worse or new.touched & added or old.touched & removed or everything:
            out.append(
                Edit(
                    "touched",
                    new.line,
                    new.column,
                    old.line,
                    old,
                    new,
                    worse or not isinstance(new.verdict, Unsafe),
                    new.symbol,
                )
            )
    return out


class DroppedFill(NamedTuple):
    """A fill statement of the old side that the new side has nowhere: its line, its target as written."""

    line: int
    target: str
    text: str


def fills(alloc: Alloc, fill: DroppedFill, owner: str) -> bool:
    """Whether the target of a fill, as written, is the allocation or a part of it."""
    rest = fill.target.removeprefix(alloc.symbol)
    return bool(alloc.symbol) and alloc.owner == owner and rest != fill.target and rest[:1] in ("", "[", ".")


def dropped_fills(
    old_lines: Sequence[str], removed: frozenset[int], new_lines: Sequence[str], added: frozenset[int], *, python: bool
) -> list[DroppedFill]:
    """Removed lines that fill something, unless the same statement was put elsewhere."""
    kept = [" ".join(new_lines[n - 1].split()) for n in added if n <= len(new_lines)]
    out: list[DroppedFill] = []
    for line in sorted(removed):
        if line > len(old_lines):
            continue
        text = old_lines[line - 1]
        found = FILL.match(text) if python else C_FILL.search(text)
        if found is None:
            continue
        plain = " ".join(text.split())
        if plain in kept:
            kept.remove(plain)
            continue
        if python:
            target = found["target"].strip()
            full = re.match(r"\s*(?:return\s+)?(.+?)\s*(?:\.(?:zero_|fill_|normal_|uniform_|copy_)\s*\(|=[^=])", text)
            target = full[1].strip() if full is not None else target
        else:
            before = text[: found.start()].rstrip(". ->")
            target = (
                re.split(r"[\s;({]", before)[-1] if before.strip() else text[found.end() :].split(",")[0].strip(" ();")
            )
        out.append(DroppedFill(line, target, plain))
    return out
