"""A patch without its sources: each side is what the hunks quote of it, at its own line numbers, the rest blank.

    @@ -3,2 +3,2 @@      old line 3: a     new line 3: a
     a                   old line 4: b     new line 4: c
    -b                   1, 2: blank       1, 2: blank
    +c

A new or deleted file is quoted whole, so its pair is complete. Of any other, what stands between the hunks is not
known: `complete` is False, and a verdict that would need it is `unknown (context)`.

Gives up: files that come up twice (a series of mails) stay separate pairs; nothing is known that would join them.
"""

from __future__ import annotations

from allocsafe.patch.contents import shown
from allocsafe.patch.hunks import Hunk
from allocsafe.patch.lines import Block, changed_blocks
from allocsafe.patch.pairs import Change, FilePair, PatchError
from allocsafe.patch.unified import FileDiff
from allocsafe.patch.walk import by_name, opened
from allocsafe.source import Source, decode

MOST_LINES = 2_000_000  # a header may claim any line number, and its blanks are real memory


def from_hunks(diffs: list[FileDiff], note: str = "") -> Change:
    """Judges nothing: hands over what the patch itself says."""
    errors: dict[str, str] = {}
    pairs = [_pair(diff, note) if opened(diff) else by_name(diff, errors) for diff in diffs]
    return Change(tuple(pairs), None, None, tuple(errors.items()))


def _pair(diff: FileDiff, note: str) -> FilePair:
    blocks: list[Block] = []
    for number, hunk in enumerate(diff.hunks, 1):
        if max(hunk.old_start + hunk.old_count, hunk.new_start + hunk.new_count) > MOST_LINES:
            raise PatchError(f"{shown(diff.path)}: hunk {number} ({hunk}) claims a line past {MOST_LINES:,}")
        blocks.extend(_blocks(hunk))
    whole = diff.status in ("added", "deleted") and (bool(diff.hunks) or diff.status == "added")
    old, new = _side(diff, new=False), _side(diff, new=True)
    return FilePair(diff.old_path, diff.new_path, old, new, diff.status, "" if whole else note, whole, blocks)


def _side(diff: FileDiff, new: bool) -> Source | None:
    path = diff.new_path if new else diff.old_path
    if path is None or (not diff.hunks and diff.status != "added"):
        return None
    rows: list[bytes] = []
    for hunk in diff.hunks:
        lines = hunk.side(new)
        start = (hunk.new_start if new else hunk.old_start) - (1 if lines else 0)
        rows.extend([b""] * (start - len(rows)))
        rows.extend(lines)
    text = decode(b"\n".join(row.replace(b"\r", b" ") for row in rows))  # one row stays one line
    return Source(path, text + "\n" if rows else "")


def _blocks(hunk: Hunk) -> list[Block]:
    """What the hunk changes, and before it an empty block that sets the distance of the sides from here on."""
    old, new = hunk.side(new=False), hunk.side(new=True)
    a = hunk.old_start - (1 if old else 0)
    c = hunk.new_start - (1 if new else 0)
    changed = changed_blocks([row.decode("latin-1") for row in old], [row.decode("latin-1") for row in new])
    return [(a, a, c, c), *((a + i, a + j, c + k, c + m) for i, j, k, m in changed)]
