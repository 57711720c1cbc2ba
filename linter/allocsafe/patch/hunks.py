"""The hunks after a file header, with exactly the lines that they announce.

    @@ -7,3 +7,4 @@     3, 4: lines to come of the old side (blank and -) and of the new (blank and +)
     a                  2, 3
    +b                  2, 2
     c                  1, 1
     d                  0, 0: the hunk ends, and what follows must not look like more of it

Claims: a hunk that is cut off, too long, or holds a line of no kind is an error that names it; hunks of one file are
in order. Carriage returns at the ends of lines are dropped, and an empty line is an empty line of context (mailers
drop its blank).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from allocsafe.patch.contents import quoted, shown
from allocsafe.patch.pairs import PatchError

HUNK = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@")
MERGE = re.compile(rb"@@@+ -\d|diff --(cc|combined) ")


class Hunk:
    """One hunk. `rows` keep their first character; `old_ends`/`new_ends`: that side's last row has no line end."""

    __slots__ = ("end", "new_count", "new_ends", "new_start", "old_count", "old_ends", "old_start", "row", "rows")

    def __init__(self, row: int, old_start: int, old_count: int, new_start: int, new_count: int) -> None:
        self.row = row  # of the patch, counted from 1
        self.old_start, self.old_count = old_start, old_count
        self.new_start, self.new_count = new_start, new_count
        self.rows: list[bytes] = []
        self.old_ends = self.new_ends = False
        self.end = row  # the patch's row after it, counted from 0

    def side(self, new: bool) -> list[bytes]:
        """The lines that one side has here."""
        other = b"-" if new else b"+"
        return [row[1:] for row in self.rows if row[:1] != other]

    def __str__(self) -> str:
        return f"@@ -{self.old_start},{self.old_count} +{self.new_start},{self.new_count} @@"


def refuse_merge(at: int) -> NoReturn:
    """A merge diff compares with several old sides at once; to read on would find no hunks and call that clean."""
    raise PatchError(
        f"line {at + 1} of the patch: a combined diff of a merge has no single old side; "
        "give the difference to one parent (git diff PARENT MERGE)"
    )


def header_at(rows: Sequence[bytes], at: int) -> bool:
    """Whether a `---` and a `+++` line stand here."""
    return at + 1 < len(rows) and rows[at].startswith(b"--- ") and rows[at + 1].startswith(b"+++ ")


def read_hunks(rows: Sequence[bytes], at: int, name: str) -> tuple[list[Hunk], int]:
    """All hunks from row `at` on, at least one, and the row after them."""
    hunks: list[Hunk] = []
    ended, top = 0, at
    while at < len(rows) and rows[at].startswith(b"@@"):
        if MERGE.match(rows[at]):
            refuse_merge(at)
        hunk = _hunk(rows, at, f"{shown(name)}: hunk {len(hunks) + 1}")
        if hunk.old_start < ended:
            raise PatchError(f"{shown(name)}: hunk {len(hunks) + 1} ({hunk}) begins before the one above it ends")
        ended = hunk.old_start + hunk.old_count
        hunks.append(hunk)
        at = hunk.end
    if not hunks:
        raise PatchError(f"{shown(name)}: no hunk follows its header at line {top} of the patch; is it cut off?")
    row = rows[at] if at < len(rows) else b""
    signature = row.rstrip() == b"--"  # ends a mail
    if row[:1] in (b"+", b" ") or (row[:1] == b"-" and not signature and not header_at(rows, at)):
        raise PatchError(
            f"{shown(name)}: hunk {len(hunks)} ({hunks[-1]}) goes on past the lines that its header counts: "
            f"{quoted(row)} at line {at + 1} of the patch"
        )
    return hunks, at


def _hunk(rows: Sequence[bytes], at: int, label: str) -> Hunk:
    head = HUNK.match(rows[at])
    if not head:
        raise PatchError(f"{label}: not a hunk header at line {at + 1} of the patch: {quoted(rows[at])}")
    start, old, begin, new = (1 if number is None else int(number) for number in head.groups())
    hunk = Hunk(at + 1, start, old, begin, new)
    at += 1
    last = b" "
    while old > 0 or new > 0 or (at < len(rows) and rows[at][:1] == b"\\"):
        if at >= len(rows):
            raise PatchError(f"{label} ({hunk}) is cut off: the patch ends with at least {max(old, new)} lines to come")
        row = rows[at].rstrip(b"\r") or b" "
        first = row[:1]
        if first == b"\\":  # \ No newline at end of file
            hunk.old_ends |= last != b"+"
            hunk.new_ends |= last != b"-"
        elif first in (b" ", b"-", b"+"):
            old -= first != b"+"
            new -= first != b"-"
            hunk.rows.append(row)
            last = first
        else:
            raise PatchError(f"{label} ({hunk}) breaks off at line {at + 1} of the patch: {quoted(row)}")
        if old < 0 or new < 0:
            raise PatchError(
                f"{label} ({hunk}) does not have the lines that its header counts: one too many at line {at + 1}"
            )
        at += 1
    hunk.end = at
    return hunk
