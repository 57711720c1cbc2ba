"""Patch text to records: every form that tools write, and every way it can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from allocsafe.patch import PatchError
from allocsafe.patch.unified import FileDiff, parse

from tests.patch.scratch import Scratch, numbered

SIMPLE = b"""\
diff --git a/pkg/x.py b/pkg/x.py
index 1111111..2222222 100644
--- a/pkg/x.py
+++ b/pkg/x.py
@@ -1,3 +1,4 @@ def f():
 a
-b
+B
+C
 c
@@ -10,2 +11,2 @@
 j
-k
+K
"""

MAIL = b"""\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Somebody <s@example.org>
Date: Tue, 2 Jan 2024 10:00:00 +0100
Subject: [PATCH] Use empty

A message that quotes a hunk:
@@ -1,2 +1,2 @@
and is no part of the patch.
---
 pkg/x.py | 5 +++--
 1 file changed, 3 insertions(+), 2 deletions(-)

"""


def only(patch: bytes) -> FileDiff:
    (diff,) = parse(patch)
    return diff


def test_a_git_diff() -> None:
    diff = only(SIMPLE)
    assert (diff.old_path, diff.new_path, diff.status) == ("pkg/x.py", "pkg/x.py", "modified")
    assert diff.blobs == ("1111111", "2222222")
    first, second = diff.hunks
    assert (first.old_start, first.old_count, first.new_start, first.new_count, first.row) == (1, 3, 1, 4, 5)
    assert first.side(new=False) == [b"a", b"b", b"c"]
    assert first.side(new=True) == [b"a", b"B", b"C", b"c"]
    assert second.side(new=True) == [b"j", b"K"]


def test_a_mail_has_a_head_before_and_a_signature_after() -> None:
    diff = only(MAIL + SIMPLE + b"-- \n2.39.5\n\n")
    assert [str(hunk) for hunk in diff.hunks] == ["@@ -1,3 +1,4 @@", "@@ -10,2 +11,2 @@"]


def test_two_mails_are_two_batches() -> None:
    mails = parse((MAIL + SIMPLE + b"-- \n2.39.5\n\n") * 2)
    assert [diff.batch for diff in mails] == [1, 2]


def test_carriage_returns_at_line_ends_are_no_content() -> None:
    windows = only(SIMPLE.replace(b"\n", b"\r\n"))
    assert windows.new_path == "pkg/x.py"
    assert [hunk.rows for hunk in windows.hunks] == [hunk.rows for hunk in only(SIMPLE).hunks]


def test_a_context_line_that_lost_its_blank() -> None:
    diff = only(b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n\n-b\n+B\n")
    assert diff.hunks[0].side(new=True) == [b"a", b"", b"B"]


def test_lines_that_look_like_headers_are_counted_as_content() -> None:
    diff = only(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n--- old\n-@@ -1 +1 @@\n+++ new\n+-- \n")
    assert diff.hunks[0].side(new=False) == [b"-- old", b"@@ -1 +1 @@"]
    assert diff.hunks[0].side(new=True) == [b"++ new", b"-- "]


def test_no_newline_at_the_end_of_one_side() -> None:
    text = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    hunk = only(text).hunks[0]
    assert (hunk.old_ends, hunk.new_ends) == (True, False)
    hunk = only(text.replace(b"+b\n", b"+b\n\\ No newline at end of file\n")).hunks[0]
    assert (hunk.old_ends, hunk.new_ends) == (True, True)
    hunk = only(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n\\ No newline at end of file\n").hunks[0]
    assert (hunk.old_ends, hunk.new_ends) == (True, True)


@pytest.mark.parametrize(
    ("head", "paths", "status"),
    [
        (b"old mode 100644\nnew mode 100755\n", ("x y.py", "x y.py"), "mode"),
        (b"new file mode 100644\nindex 0000000..e69de29\n", (None, "x y.py"), "added"),
        (b"deleted file mode 100644\nindex e69de29..0000000\n", ("x y.py", None), "deleted"),
        (b"index 111..222 100644\nBinary files a/x y.py and b/x y.py differ\n", ("x y.py", "x y.py"), "binary"),
        (b"index 111..222 100644\nGIT binary patch\nliteral 3\nKcmZ\n\n", ("x y.py", "x y.py"), "binary"),
        (b"similarity index 100%\nrename from p q.py\nrename to r s.py\n", ("p q.py", "r s.py"), "renamed"),
        (b"similarity index 100%\ncopy from p q.py\ncopy to r s.py\n", ("p q.py", "r s.py"), "copied"),
    ],
)
def test_heads_without_hunks(head: bytes, paths: tuple[str | None, str | None], status: str) -> None:
    diff = only(b"diff --git a/x y.py b/x y.py\n" + head)
    assert ((diff.old_path, diff.new_path), diff.status, diff.hunks) == (paths, status, [])


def test_a_rename_with_changes_and_quoted_names() -> None:
    diff = only(
        b'diff --git "a/\\303\\251 1.py" b/new name.py\nsimilarity index 80%\nrename from "\\303\\251 1.py"\n'
        b'rename to new name.py\nindex 1..2 100644\n--- "a/\\303\\251 1.py"\n+++ b/new name.py\t\n@@ -1 +1 @@\n-a\n+b\n'
    )
    assert (diff.old_path, diff.new_path, diff.status) == ("é 1.py", "new name.py", "renamed")


def test_submodules_are_skipped_but_are_a_patch() -> None:
    sub = b"diff --git a/sub b/sub\nindex 111..222 160000\n--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n-S 1\n+S 2\n"
    assert parse(sub) == []
    assert only(sub + SIMPLE).new_path == "pkg/x.py"


def test_plain_diff_with_dates() -> None:
    diffs = parse(
        b"diff -ruN one/x.py two/x.py\n--- one/x.py\t2024-01-02 10:00:00.0 +0100\n"
        b"+++ two/x.py\t2024-01-03 10:00:00.0 +0100\n@@ -1 +1 @@\n-a\n+b\n"
        b"--- one/n.py\t1970-01-01 01:00:00.0 +0100\n+++ two/n.py\t2024-01-03 10:00:00.0 +0100\n@@ -0,0 +1 @@\n+a\n"
    )
    assert [(d.old_path, d.new_path, d.status) for d in diffs] == [
        ("x.py", "x.py", "modified"),
        (None, "n.py", "added"),
    ]


@pytest.mark.parametrize("text", [b"", b"\n", b"  \r\n\n"])
def test_an_empty_patch_changes_nothing(text: bytes) -> None:
    assert parse(text) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_patch_as_windows_shells_write_it(encoding: str) -> None:
    diff = only(SIMPLE.decode().replace("\n", "\r\n").encode(encoding))
    assert diff.new_path == "pkg/x.py"
    assert [hunk.rows for hunk in diff.hunks] == [hunk.rows for hunk in only(SIMPLE).hunks]


MERGE = b"""\
diff --cc x.py
index 1111111,2222222..3333333
--- a/x.py
+++ b/x.py
@@@ -1,2 -1,2 +1,2 @@@
- a
 -b
++c
  d
"""
CONTEXT = b"*** a/x.py\n--- b/x.py\n***************\n*** 1,2 ****\n! a\n--- 1,2 ----\n! b\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MERGE, ["combined diff of a merge", "line 1"]),
        (MERGE.replace(b"--cc", b"--combined"), ["combined diff of a merge"]),
        (MERGE.split(b"\n", 2)[2], ["combined diff of a merge", "line 3"]),  # the headers alone look like a plain diff
        (SIMPLE + MERGE, ["combined diff of a merge"]),
        (b"commit 123\nMerge: 1 2\n\n    Merge branch\n\n" + MERGE, ["combined diff of a merge"]),
        (CONTEXT, ["context diff"]),
        (b"this is no patch\n", ["not a patch"]),
        (b"\0\1\2" * 50, ["not a patch"]),
        (b"x" * 20_000_000, ["not a patch"]),
        (b"diff --git " + b"a " * 10_000_000, ["not a patch"]),
        (b"--- " + b" " * 20_000_000 + b"\n+++ b\n@@ -1 +1 @@\n-a\n+b\n", ["hunk without a file header"]),
        (SIMPLE.replace(b"diff", b"\x1b[1mdiff").replace(b"-", b"\x1b[31m-"), ["colour"]),
        (SIMPLE.split(b"\n", 4)[4], ["a hunk without a file header", "line 1"]),
        (b"--- a/x.py\n+++ b/x.py\n", ["x.py", "no hunk"]),
        (b"--- a/x.py\n+++ b/x.py\n@@ -1,1 +1,1\n-a\n+b\n", ["x.py: hunk 1", "not a hunk header"]),
        (SIMPLE.replace(b"-10,2 +11,2", b"-10,3 +11,3"), ["pkg/x.py: hunk 2", "cut off"]),
        (SIMPLE.replace(b"-10,2 +11,2", b"-10,1 +11,1"), ["pkg/x.py: hunk 2", "goes on past"]),
        (SIMPLE.replace(b"-1,3 +1,4", b"-1,3 +1,3"), ["pkg/x.py: hunk 1", "one too many at line 10"]),
        (SIMPLE.replace(b"-1,3 +1,4", b"-1,4 +1,5"), ["pkg/x.py: hunk 1", "breaks off at line 11"]),
        (SIMPLE.replace(b"-10,2 +11,2", b"-2,2 +3,2"), ["pkg/x.py: hunk 2", "begins before"]),
        (SIMPLE.replace(b"\n-k", b"\n*k"), ["pkg/x.py: hunk 2", "breaks off at line 13", "'*k'"]),
        (b"diff --git a/x.py b/x.py\nsimilarity index 90%\nrename from x.py\nrename to y.py\n", ["y.py", "no hunk"]),
        (b"diff --git a/x.py b/x.py\nrename from x.py\n", ["x.py", "no hunk"]),
        (b"* Unmerged path x.py\n", ["merge conflicts"]),
    ],
)
def test_a_broken_patch_says_where(text: bytes, says: list[str]) -> None:
    with pytest.raises(PatchError) as caught:
        parse(text)
    message = str(caught.value)
    assert all(part in message for part in says), message
    assert "\n" not in message and len(message) < 300


def test_cut_anywhere_a_patch_is_an_error_or_ends_after_a_file(tmp_path: Path) -> None:
    repo = Scratch(tmp_path)
    repo.commit({"a.py": numbered(30), "b.py": numbered(20), "old.py": numbered(20) + "a\n", "gone.py": "x\n"})
    repo.commit({"a.py": numbered(30, l3="x", l25="y"), "new.py": "n\nm\n", "gone.py": None, "old.py": None,
                 "fresh.py": numbered(20) + "b\n"})  # fmt: skip
    patch = repo.diff("HEAD~", "HEAD")
    whole = parse(patch)
    assert sorted(diff.status for diff in whole) == ["added", "deleted", "modified", "renamed"]
    starts = [diff.row - 1 for diff in whole]
    rows = patch.splitlines(keepends=True)
    hunk_ends = {hunk.end for diff in whole for hunk in diff.hunks}
    for cut in range(1, len(rows)):
        try:
            part = parse(b"".join(rows[:cut]))
        except PatchError:
            continue
        # Nothing in the text tells that another hunk or file was to come, so this is the best there is.
        deletion = any(diff.status == "deleted" and not diff.hunks for diff in part)
        assert cut in hunk_ends or cut in starts or deletion, rows[cut - 1]


def test_agrees_with_unidiff(tmp_path: Path) -> None:
    """On what unidiff reads rightly: no merges, no quoted names, text that is UTF-8."""
    import random

    from unidiff import PatchSet

    chance = random.Random(7)
    repo = Scratch(tmp_path)
    files: dict[str, list[str]] = {f"d{n}/f{n}.py": [f"line {k} of {n}" for k in range(60)] for n in range(8)}
    repo.commit({name: "\n".join(rows) for name, rows in files.items()})
    hunks = 0
    for step in range(25):
        for name in chance.sample(sorted(files), 3):
            rows = files[name]
            for _ in range(chance.randrange(1, 5)):
                at = chance.randrange(len(rows) + 1)
                rows[at : at + chance.randrange(3)] = [f"edit {step} {chance.random()}"] * chance.randrange(3)
        if step % 4 == 0:
            name = chance.choice(sorted(files))
            files[name.replace(".py", f"_{step}.py")] = files.pop(name)
        repo.git("rm", "-rq", "--cached", ".")
        for name in list(repo.root.rglob("*.py")):
            name.unlink()
        repo.commit({name: "\n".join(rows) + "\n" * chance.randrange(2) for name, rows in files.items()})
        patch = repo.git("diff", "-M", f"-U{chance.randrange(5)}", "HEAD~", "HEAD")
        ours, theirs = parse(patch), PatchSet(patch.decode())
        assert [diff.path for diff in ours] == [file.path for file in theirs]
        for diff, file in zip(ours, theirs, strict=True):
            assert [str(hunk) for hunk in diff.hunks] == [
                f"@@ -{h.source_start},{h.source_length} +{h.target_start},{h.target_length} @@" for h in file
            ]
            for hunk, other in zip(diff.hunks, file, strict=True):
                hunks += 1
                assert [row.decode() for row in hunk.side(new=False)] == [
                    line.value.rstrip("\n") for line in other if line.is_context or line.is_removed
                ]
                assert [row.decode() for row in hunk.side(new=True)] == [
                    line.value.rstrip("\n") for line in other if line.is_context or line.is_added
                ]
    assert hunks > 100


def test_a_merge_that_unidiff_calls_empty_is_refused() -> None:
    from unidiff import PatchSet

    assert sum(len(file) for file in PatchSet(MERGE.decode())) == 0
    with pytest.raises(PatchError):
        parse(MERGE)
