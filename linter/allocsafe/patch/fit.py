"""Where hunks fit a text, and the text with them applied. Nothing but lists of lines: no files, no git.

    patch hunk          text                    found at
    @@ -10,3 +10,4 @@   line 10..12 equal       10, moved by 0
     a                  not there, but at 12    12, moved by 2: lines were added above since the patch was made
    -b                  nowhere                 Misfit: hunk, line, what the patch has, what the text has
    +c

A hunk fits only where *all* its context and removed lines are equal (carriage returns aside) and after the hunk
before it; of several such places the nearest to its number counts. That is what `git apply` accepts, and no fuzz: a
hunk that lands on lines it does not quote would make up a text that nobody wrote.

Gives up: a hunk without context and removed lines has nothing to compare and goes where its number says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from allocsafe.patch.contents import quoted
from allocsafe.patch.hunks import Hunk


class Fit(NamedTuple):
    """The hunks' places, from 0, by how many lines they had to move in all, and how many lines they compared."""

    places: list[int]
    moved: int
    compared: int


class Misfit(NamedTuple):
    """The first hunk that fits nowhere and the first line in which it differs from the place where it should be."""

    number: int
    hunk: Hunk
    line: int
    wanted: bytes | None
    found: bytes | None

    def __str__(self) -> str:
        where = f"hunk {self.number} ({self.hunk}) does not fit at line {self.line}"
        if self.found is None:
            return f"{where}: the file ends before it"
        if self.wanted is None:
            return f"{where}: the patch ends the file here, the file goes on with {quoted(self.found)}"
        return f"{where}: the patch has {quoted(self.wanted)}, the file {quoted(self.found)}"


def split(data: bytes) -> list[bytes]:
    """A file's lines without their ends. The last entry is empty when the file ends with a line end."""
    rows = data.split(b"\n")
    if b"\r" in data:
        rows = [row[:-1] if row.endswith(b"\r") else row for row in rows]
    return rows


def fits(rows: Sequence[bytes], hunks: Sequence[Hunk], reverse: bool) -> Fit | Misfit:
    """Places for all hunks of one file. `reverse`: the text is the new side, and the hunks are to be taken back."""
    total = len(rows) - 1 if rows and rows[-1] == b"" else len(rows)
    places: list[int] = []
    floor = shift = moved = compared = 0
    for number, hunk in enumerate(hunks, 1):
        wanted = hunk.side(new=reverse)
        start = hunk.new_start if reverse else hunk.old_start
        ends = hunk.new_ends if reverse else hunk.old_ends
        expected = (start - 1 if wanted else start) + shift
        place = _nearest(rows, total, wanted, expected, floor, ends)
        if place is None:
            return _misfit(rows, total, wanted, expected, number, hunk)
        moved += abs(place - expected)
        compared += len(wanted)
        shift += place - expected
        places.append(place)
        floor = place + len(wanted)
    return Fit(places, moved, compared)


def _nearest(
    rows: Sequence[bytes], total: int, wanted: list[bytes], expected: int, floor: int, ends: bool
) -> int | None:
    size = len(wanted)
    if not wanted:
        return expected if floor <= expected <= total else None
    top = total - size
    if ends:  # the hunk says that this is the end of the file
        floor = max(floor, top)
    first = wanted[0]
    for away in range(max(top - expected, expected - floor, 0) + 1):
        for place in (expected - away, expected + away):
            if floor <= place <= top and rows[place] == first and list(rows[place : place + size]) == wanted:
                return place
    return None


def _misfit(rows: Sequence[bytes], total: int, wanted: list[bytes], expected: int, number: int, hunk: Hunk) -> Misfit:
    for step, row in enumerate(wanted):
        at = expected + step
        if at >= total:
            return Misfit(number, hunk, max(total, 1), row, None)
        if at < 0 or rows[at] != row:
            return Misfit(number, hunk, max(at, 0) + 1, row, rows[max(at, 0)])
    at = expected + len(wanted)  # equal, but not where the file ends, or inside the hunk before
    return Misfit(number, hunk, at + 1, None, rows[at] if at < total else None)


def applied(rows: Sequence[bytes], hunks: Sequence[Hunk], fit: Fit, reverse: bool) -> bytes:
    """The other side's text. Its last line ends as the hunk says that holds it, else as before."""
    out: list[bytes] = []
    at = 0
    closed = bool(rows) and rows[-1] == b""
    total = len(rows) - 1 if closed else len(rows)
    closed = closed or not rows
    for hunk, place in zip(hunks, fit.places, strict=True):
        out.extend(rows[at:place])
        out.extend(hunk.side(new=not reverse))
        at = place + len(hunk.side(new=reverse))
        if at >= total:
            closed = not (hunk.old_ends if reverse else hunk.new_ends)
    out.extend(rows[at:total])
    return b"\n".join(out) + (b"\n" if closed and out else b"")
