"""Which lines differ between two texts, and where a line of one side stands on the other.

Line numbers must be those of `Source.lines`, where a lone carriage return ends a line and `\\r\\n` equals `\\n`; git
and patch files count otherwise. So the difference is always taken between the two decoded texts, never copied from a
hunk header: one truth for every way a patch comes in, and a change of line ends alone is no change.

The method is patience: cut off the common head and tail, match the lines that occur once on each side (longest
increasing run), go on in the gaps. A gap without such lines goes to Myers' greedy search up to `EFFORT` edits.

Gives up: a gap that needs more edits counts as replaced whole. Every difference found is a difference that turns one
text into the other, but not always the shortest; too many lines changed costs time downstream, never a verdict.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Block = tuple[int, int, int, int]
"""`old[a:b]` became `new[c:d]`, counted from 0, ends exclusive; one of the two ranges may be empty."""

EFFORT = 400  # edits in one gap: its memory is the square of this, and people's edits are a tenth of it


class LineMap:
    """Line numbers, from 1, of one side as those of the other, for every line that the blocks leave alone."""

    __slots__ = ("_new_lines", "_new_starts", "_old_starts", "blocks")

    def __init__(self, blocks: Sequence[Block], new_lines: int) -> None:
        self.blocks = tuple(blocks)
        self._new_lines = new_lines
        self._old_starts = [block[0] for block in self.blocks]
        self._new_starts = [block[2] for block in self.blocks]

    def to_new(self, old_line: int) -> int | None:
        """The same line on the new side; None if it was removed or changed."""
        at = bisect_right(self._old_starts, old_line - 1) - 1
        if at < 0:
            return old_line
        _, end, _, new_end = self.blocks[at]
        return None if old_line - 1 < end else old_line + new_end - end

    def to_old(self, new_line: int) -> int | None:
        """The same line on the old side; None if it was added or changed."""
        at = bisect_right(self._new_starts, new_line - 1) - 1
        if at < 0:
            return new_line
        _, old_end, _, end = self.blocks[at]
        return None if new_line - 1 < end else new_line + old_end - end

    def nearest_new(self, old_line: int) -> int:
        """The line on the new side; for a removed one, what replaced it, or the line that now stands in its place."""
        same = self.to_new(old_line)
        if same is None:
            start, _, new_start, new_end = self.blocks[bisect_right(self._old_starts, old_line - 1) - 1]
            same = max(new_start, min(new_start + old_line - 1 - start, new_end - 1)) + 1
        return max(1, min(same, self._new_lines))


def changed_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """What to replace in `old` to get `new`, in order and without neighbours that touch."""
    gone, fresh = bytearray(len(old)), bytearray(len(new))
    gaps = [(0, len(old), 0, len(new))]
    while gaps:
        a, b, c, d = gaps.pop()
        while a < b and c < d and old[a] == new[c]:
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
        if a < b and c < d:
            pairs = _once_on_each_side(old, new, a, b, c, d) or _shortest(old, new, a, b, c, d)
            if pairs:
                for i, j in [*pairs, (b, d)]:
                    gaps.append((a, i, c, j))
                    a, c = i + 1, j + 1
                continue
        gone[a:b] = b"\1" * (b - a)
        fresh[c:d] = b"\1" * (d - c)
    return _runs(gone, fresh)


def _once_on_each_side(old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
    """Pairs of equal lines that are unique in both ranges, increasing on both sides, as many as there can be."""
    where_old, where_new = _unique(old, a, b), _unique(new, c, d)
    best: list[int] = []  # best[k]: the smallest end of an increasing run of k + 1
    ends: list[tuple[int, int, int]] = []  # (old, new, link to the run's previous)
    links: list[int] = []
    for line, i in where_old.items():
        j = where_new.get(line, -1)
        if i < 0 or j < 0:
            continue
        k = bisect_left(best, j)
        ends.append((i, j, links[k - 1] if k else -1))
        best[k : k + 1] = [j]
        links[k : k + 1] = [len(ends) - 1]
    run: list[tuple[int, int]] = []
    link = links[-1] if links else -1
    while link >= 0:
        i, j, link = ends[link]
        run.append((i, j))
    return run[::-1]


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Where each line stands, in order of first appearance; -1 for one that repeats."""
    found: dict[str, int] = {}
    for at in range(start, end):
        line = lines[at]
        found[line] = -1 if line in found else at
    return found


def _shortest(old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
    """Myers' greedy search: the equal pairs of a shortest edit script, or none past `EFFORT` edits."""
    wide, high = b - a, d - c
    reach = {1: 0}
    past: list[dict[int, int]] = []
    for edits in range(min(wide + high, EFFORT) + 1):
        past.append(reach.copy())
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < wide and x - k < high and old[a + x] == new[c + x - k]:
                x += 1
            reach[k] = x
            if x >= wide and x - k >= high:
                return _walked_back(past, a, c, x, k)
    return []


def _walked_back(past: list[dict[int, int]], a: int, c: int, x: int, k: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for edits in range(len(past) - 1, -1, -1):
        reach = past[edits]
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        before = k + 1 if down else k - 1
        entered = reach[before] if down else reach[before] + 1
        pairs.extend((a + i, c + i - k) for i in range(x - 1, entered - 1, -1))
        x, k = reach[before], before
    return pairs[::-1]


def _runs(gone: bytearray, fresh: bytearray) -> list[Block]:
    """The marked runs of both sides as blocks: between marks the sides advance together."""
    blocks: list[Block] = []
    i = j = 0
    while True:
        at_old, at_new = gone.find(1, i), fresh.find(1, j)
        steps = [at - start for at, start in ((at_old, i), (at_new, j)) if at >= 0]
        if not steps:
            return blocks
        i, j = i + min(steps), j + min(steps)
        ends = gone.find(0, i), fresh.find(0, j)
        end_i = len(gone) if ends[0] < 0 else ends[0]
        end_j = len(fresh) if ends[1] < 0 else ends[1]
        blocks.append((i, end_i, j, end_j))
        i, j = end_i, end_j
