"""Patch text to records: what git, `diff -u`, `format-patch` and `git show` write, checked line by line.

Read by hand, on bytes, and not with a library: a patch to a file that is not UTF-8 has no decoding, the error must
say which hunk of which file broke and where, a merge diff must be refused, names must be unquoted, and a hook pays
for each import. The tests hold this reader against `unidiff` on many patches.

Claims: every file header is followed by what it announces, and every hunk by its lines; whatever breaks that is a
`PatchError`, for a cut-off patch must not pass for a smaller one. Text between files (mail, commit messages,
statistics) is skipped.

Gives up: context diffs, ed scripts and combined diffs are refused. A commit message in a mail that quotes a file
header at the start of a line is taken for a patch, as git takes it.
"""

from __future__ import annotations

import re

from allocsafe.patch.contents import shown
from allocsafe.patch.hunks import HUNK, MERGE, Hunk, header_at, read_hunks, refuse_merge
from allocsafe.patch.names import NULL, git_names, header_name, plain_choices, unprefixed, unquote
from allocsafe.patch.pairs import PatchError, Status

_LONGEST_HEADER = 20_000  # two names, each octet as an escape; what is longer is no header, and not searched
_MAIL = re.compile(rb"From [0-9a-f]{40,64} ")
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)(?: (\d+))?")
_EMPTY_BLOBS = ("e69de29", "473a0f4")  # what git calls no content, with SHA-1 and with SHA-256
_EPOCH = ("1970-01-01", "1969-12-31")  # the date that diff -N gives to a file that is not there
LINK, MODULE = "120000", "160000"


class FileDiff:
    """What the patch says about one file. `batch` counts the mails: each is made on top of the one before."""

    __slots__ = ("batch", "binary", "blobs", "choices", "git", "hunks", "mode", "new_path", "old_path", "row", "status")

    def __init__(self, row: int, batch: int, git: bool) -> None:
        self.row, self.batch, self.git = row, batch, git
        self.old_path: str | None = None
        self.new_path: str | None = None
        self.status: Status = "modified"
        self.hunks: list[Hunk] = []
        self.binary = False
        self.mode = ""  # of the new side, else of the old one
        self.blobs = ("", "")
        self.choices: tuple[str, ...] = ()  # without git's header: what else the name may mean

    @property
    def path(self) -> str:
        return self.new_path or self.old_path or ""


def parse(patch: bytes) -> list[FileDiff]:
    """The files of a patch, in order. An empty patch has none; text that is no patch is an error."""
    if not patch.strip():
        return []
    if patch.startswith((b"\xff\xfe", b"\xfe\xff")):  # what some shells make of `git diff > file`
        patch = patch.decode("utf-16", "replace").encode("utf-8", "replace")
    patch = patch.removeprefix(b"\xef\xbb\xbf")
    reader = _Reader(patch)
    reader.read()
    if not reader.files and not reader.modules:
        if b"\x1b[" in patch[:4096]:
            raise PatchError("not a patch: it holds colour codes (git diff --no-color writes none)")
        raise PatchError("not a patch: no file header (diff --git, or --- and +++) in it")
    return reader.files


class _Reader:
    def __init__(self, patch: bytes) -> None:
        self.rows = patch.split(b"\n")
        if self.rows[-1] == b"":
            self.rows.pop()
        self.at = 0
        self.batch = 0
        self.mail = False  # in a mail's head and message, where anything may be quoted
        self.files: list[FileDiff] = []
        self.modules = 0

    def row(self, ahead: int = 0) -> bytes:
        at = self.at + ahead
        return self.rows[at].rstrip(b"\r") if at < len(self.rows) else b""

    def read(self) -> None:
        while self.at < len(self.rows):
            if len(self.rows[self.at]) > _LONGEST_HEADER:
                self.at += 1
                continue
            first = self.rows[self.at][:1]
            if first == b"d" and self.row().startswith(b"diff --git "):
                self._git_file()
            elif first == b"-" and header_at(self.rows, self.at):
                self._plain_file()
            elif first == b"B" and self.row().startswith((b"Binary files ", b"Binary file ")):
                self._plain_binary()
            else:
                self._between(self.row())
                self.at += 1

    def _between(self, row: bytes) -> None:
        if MERGE.match(row) and not (self.mail and row[:1] == b"@"):
            refuse_merge(self.at)
        if _MAIL.match(row):
            self.batch += 1
            self.mail = True
        elif row.startswith((b"diff -", b"Index: ")) or row == b"---":
            self.mail = False
        elif self.mail:
            return
        elif row.startswith(b"* Unmerged path "):
            raise PatchError(f"line {self.at + 1} of the patch: a file with merge conflicts has no new side yet")
        elif row.startswith(b"@@ ") and HUNK.match(row):
            raise PatchError(f"line {self.at + 1} of the patch: a hunk without a file header before it")
        elif row.startswith(b"***************") and self.rows[self.at - 1].startswith(b"--- "):
            raise PatchError(
                f"line {self.at + 1} of the patch: a context diff; only unified diffs (diff -u) can be read"
            )

    def _git_file(self) -> None:
        diff = FileDiff(self.at + 1, self.batch, git=True)
        self.mail = False
        names = git_names(self.row()[len(b"diff --git ") :])
        head: dict[bytes, bytes] = {}
        self.at += 1
        while (key := _extended(self.row())) is not None:
            head[key] = self.row()[len(key) :]
            self.at += 1
        old = new = ""
        if self.row().startswith(b"--- "):
            if not header_at(self.rows, self.at):
                raise PatchError(
                    f"line {self.at + 1} of the patch: no +++ line after the --- line; is the patch cut off?"
                )
            old, new = (header_name(self.row(ahead)[4:], git=True)[0] for ahead in (0, 1))
            self.at += 2
            one, other = unprefixed(old, new, names)
            diff.hunks, self.at = read_hunks(self.rows, self.at, other if other != NULL else one)
        elif self.row().startswith((b"GIT binary patch", b"Binary files ")):
            diff.binary = True
            self.at += 1
        elif names:
            old, new = names
        self._named(diff, head, old, new, names)
        self._whole(diff, head)
        if diff.mode == MODULE:
            self.modules += 1
        else:
            self.files.append(diff)

    def _named(
        self, diff: FileDiff, head: dict[bytes, bytes], old: str, new: str, names: tuple[str, str] | None
    ) -> None:
        """Paths, kind, mode and blobs, from all that the head says."""
        moved: list[tuple[bytes, bytes, Status]] = [
            (b"rename from ", b"rename to ", "renamed"), (b"copy from ", b"copy to ", "copied"),
        ]  # fmt: skip
        if not old and names:
            old, new = names
        if old:
            one, other = unprefixed(old, new, names)
            diff.old_path, diff.new_path = (None if name == NULL else name for name in (one, other))
        for source, target, status in moved:
            if source in head and target in head:
                diff.old_path, diff.new_path = unquote(head[source]), unquote(head[target])
                diff.status = status
        if b"new file mode " in head or (diff.old_path is None and diff.new_path):
            diff.old_path, diff.status = None, "added"
        elif b"deleted file mode " in head or (diff.new_path is None and diff.old_path):
            diff.new_path, diff.status = None, "deleted"
        elif diff.status == "modified" and not diff.hunks and not diff.binary and b"new mode " in head:
            diff.status = "mode"
        if diff.binary:
            diff.status = "binary"
        blobs = _INDEX.match(b"index " + head.get(b"index ", b""))
        if blobs:
            diff.blobs = blobs[1].decode(), blobs[2].decode()
            diff.mode = (blobs[3] or b"").decode()
        for key in (b"deleted file mode ", b"new mode ", b"new file mode "):
            diff.mode = head.get(key, b"").decode("ascii", "replace") or diff.mode

    def _whole(self, diff: FileDiff, head: dict[bytes, bytes]) -> None:
        """A head that announces changed content must have been followed by it."""
        if not diff.path:
            raise PatchError(f"line {diff.row} of the patch: a file header whose names cannot be told apart")
        if diff.hunks or diff.binary:
            return
        empty = all(set(blob) == {"0"} or blob.startswith(_EMPTY_BLOBS) for blob in diff.blobs)
        changed = diff.blobs[0] != diff.blobs[1] and diff.status != "deleted" and not empty
        changed |= head.get(b"similarity index ", b"100%") != b"100%"
        half = any((a in head) != (b in head) for a, b in _TOGETHER)
        at_end = self.at >= len(self.rows) and diff.status in ("added", "deleted") and b"index " not in head
        if not head or changed or half or at_end:
            raise PatchError(
                f"{shown(diff.path)}: no hunk follows its header at line {diff.row}; is the patch cut off?"
            )

    def _plain_file(self) -> None:
        diff = FileDiff(self.at + 1, self.batch, git=False)
        self.mail = False
        (old, old_date), (new, new_date) = (header_name(self.row(ahead)[4:]) for ahead in (0, 1))
        self.at += 2
        diff.choices = plain_choices(old, new)
        if not diff.choices:
            raise PatchError(f"line {diff.row} of the patch: a file header without a name")
        diff.old_path = diff.new_path = diff.choices[0]
        diff.hunks, self.at = read_hunks(self.rows, self.at, diff.path)
        only = diff.hunks[0]
        if old == NULL or (len(diff.hunks) == 1 and only.old_count == only.old_start == 0):
            diff.old_path, diff.status = None, "added"
        elif new == NULL or (len(diff.hunks) == 1 and only.new_count == only.new_start == 0):
            diff.new_path, diff.status = None, "deleted"
        elif old_date.startswith(_EPOCH) or new_date.startswith(_EPOCH):
            raise PatchError(f"{shown(diff.path)}: dated as a missing file, yet its hunks have lines on both sides")
        self.files.append(diff)

    def _plain_binary(self) -> None:
        found = re.match(rb"Binary files? (.*?)(?: and (.*))? (?:differ|has changed)$", self.row())
        if found and not self.mail:
            diff = FileDiff(self.at + 1, self.batch, git=False)
            diff.binary, diff.status = True, "binary"
            old, new = unquote(found[1]), unquote(found[2] or found[1])
            diff.choices = plain_choices(old, new) or ("",)
            diff.old_path = None if old == NULL else diff.choices[0]
            diff.new_path = None if new == NULL else diff.choices[0]
            self.files.append(diff)
        self.at += 1


_TOGETHER = ((b"old mode ", b"new mode "), (b"rename from ", b"rename to "), (b"copy from ", b"copy to "))
_EXTENDED = (
    b"index ", b"old mode ", b"new mode ", b"new file mode ", b"deleted file mode ", b"similarity index ",
    b"dissimilarity index ", b"rename from ", b"rename to ", b"copy from ", b"copy to ",
)  # fmt: skip


def _extended(row: bytes) -> bytes | None:
    """Which of git's extended header lines this is."""
    for key in _EXTENDED:
        if row.startswith(key):
            return key
    return None
