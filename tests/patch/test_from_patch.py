"""A patch as text, against trees that hold the old side, the new side, neither, or nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from allocsafe.patch import Change, FilePair, PatchError, from_git, from_patch

from tests.patch.scratch import Scratch, listing, numbered


@pytest.fixture
def repo(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repo")


def texts(change: Change) -> dict[tuple[str | None, str | None], tuple[str | None, str | None, str]]:
    return {
        (pair.old_path, pair.new_path): (pair.old and pair.old.text, pair.new and pair.new.text, pair.status)
        for pair in change.pairs
    }


def only(change: Change) -> FilePair:
    (pair,) = change.pairs
    return pair


def every_way(repo: Scratch, *options: str) -> Change:
    """The last commit as git's objects tell it; the patch text must say the same on every tree, and write nothing."""
    expected = from_git(repo.root, "HEAD~", "HEAD")
    patch = repo.git("diff", "-M", *options, "HEAD~", "HEAD")
    agree(repo, lambda: from_patch(patch, repo.root), expected)
    agree(repo, lambda: from_patch(patch, repo.root, "HEAD~"), expected)
    repo.git("checkout", "-q", "HEAD~")
    agree(repo, lambda: from_patch(patch, repo.root), expected)
    repo.git("checkout", "-q", "main")
    return expected


def agree(repo: Scratch, call: Callable[[], Change], expected: Change) -> None:
    before = listing(repo.root)
    change = call()
    assert texts(change) == texts(expected)
    assert change.errors == expected.errors == ()
    for one, other in zip(sorted(change.pairs, key=str), sorted(expected.pairs, key=str), strict=True):
        assert (one.added, one.removed, one.complete) == (other.added, other.removed, True)
    for tree, twin in ((change.old_tree, expected.old_tree), (change.new_tree, expected.new_tree)):
        assert tree is not None and twin is not None
        paths = list(twin.paths())
        assert list(tree.paths()) == paths
        for path in paths:
            source, same = tree.read(path), twin.read(path)
            assert source is not None and same is not None and source.text == same.text
    assert listing(repo.root) == before


def test_a_changed_file(repo: Scratch) -> None:
    repo.commit({"pkg/x.py": numbered(40)})
    repo.commit({"pkg/x.py": numbered(40, l7="seven\nand a half", l30="thirty")})
    pair = only(every_way(repo))
    assert pair.status == "modified"
    assert (pair.removed, pair.added) == ({7, 30}, {7, 8, 31})
    assert pair.lines.to_new(8) == 9
    assert pair.lines.to_new(7) is None


def test_renames_copies_modes_new_and_deleted(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(30), "b.py": numbered(30, l1="b"), "c.py": "c\n", "d.py": "d\n", "e.cu": "e\n"})
    (repo.root / "d.py").chmod(0o755)
    repo.commit({"a.py": None, "moved/a.py": numbered(30, l9="x"), "c.py": None, "new.py": "n\n", "e.cu": "E\n"})
    change = every_way(repo)
    assert {pair.path: pair.status for pair in change.pairs} == {
        "moved/a.py": "renamed", "c.py": "deleted", "d.py": "mode", "new.py": "added", "e.cu": "modified",
    }  # fmt: skip
    assert {pair.path: (len(pair.removed), len(pair.added)) for pair in change.pairs} == {
        "moved/a.py": (1, 1), "c.py": (1, 0), "d.py": (0, 0), "new.py": (0, 1), "e.cu": (1, 1),
    }  # fmt: skip


def test_a_copy(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(30)})
    repo.commit({"a.py": numbered(30, l2="y"), "b.py": numbered(30, l9="x")})
    patch = repo.git("diff", "-C", "HEAD~", "HEAD")
    assert b"copy from a.py" in patch
    for root, rev in ((repo.root, None), (repo.root, "HEAD~")):
        pairs = {pair.path: pair for pair in from_patch(patch, root, rev).pairs}
        copy = pairs["b.py"]
        assert (copy.old_path, copy.status) == ("a.py", "copied")
        assert copy.old is not None and copy.old.text == numbered(30)
        assert copy.new is not None and copy.new.text == numbered(30, l9="x")
        assert (copy.removed, copy.added, pairs["a.py"].added) == ({9}, {9}, {2})


def test_two_files_swap_names(repo: Scratch) -> None:
    one, two = numbered(90), "".join(f"other {n}\n" for n in range(90))
    repo.commit({"a.py": one, "b.py": two})
    repo.commit({"a.py": two, "b.py": one + "x\n"})
    patch = repo.git("diff", "-B", "-M", "HEAD~", "HEAD")
    assert b"rename from b.py" in patch and b"rename from a.py" in patch
    for rev in (None, "HEAD~"):
        assert texts(from_patch(patch, repo.root, rev)) == {
            ("b.py", "a.py"): (two, two, "renamed"),
            ("a.py", "b.py"): (one, one + "x\n", "renamed"),
        }


def test_names_with_blanks_quotes_and_other_alphabets(repo: Scratch) -> None:
    names = ["a b/c d.py", "café.py", 'quo"te.py', "tab\there.py", "b b.py b/b b.py", "日本/語.py", "back\\slash.py"]
    repo.commit({name: numbered(9) for name in names})
    repo.commit({name: numbered(9, l4=name.strip("\t")) for name in names})
    assert {pair.path for pair in every_way(repo).pairs} == set(names)
    every_way(repo, "--no-prefix")
    every_way(repo, "--src-prefix=before/", "--dst-prefix=after/")
    repo.git("config", "core.quotePath", "false")
    every_way(repo)
    repo.git("config", "diff.mnemonicPrefix", "true")
    every_way(repo)


def test_a_line_break_in_a_name(repo: Scratch) -> None:
    repo.commit({"odd\nname.py": "a\n"})
    repo.commit({"odd\nname.py": "b\n"})
    every_way(repo)


def test_a_folder_named_like_a_prefix(repo: Scratch) -> None:
    repo.commit({"a/x.py": "1\n", "b/x.py": "2\n", "x.py": "3\n"})
    repo.commit({"a/x.py": "one\n", "b/x.py": "two\n", "b/new.py": "n\n"})
    assert {pair.path for pair in every_way(repo, "--no-prefix").pairs} == {"a/x.py", "b/x.py", "b/new.py"}
    every_way(repo)


@pytest.mark.parametrize("context", [0, 1, 3, 25])
def test_any_width_of_context(repo: Scratch, context: int) -> None:
    repo.commit({"x.py": numbered(30), "y.py": ""})
    repo.commit({"x.py": numbered(30, l1="a", l15="b\nc", l30="d"), "y.py": "first\n"})
    every_way(repo, f"-U{context}")


@pytest.mark.parametrize(
    ("old", "new"), [("a\nb", "a\nb\n"), ("a\nb\n", "a\nb"), ("a", "b"), ("", "a"), ("a\n\n", "a\n")]
)
def test_no_line_end_at_the_end(repo: Scratch, old: str, new: str) -> None:
    repo.commit({"x.py": old})
    repo.commit({"x.py": new})
    every_way(repo)


def test_a_missing_line_end_is_no_changed_line(repo: Scratch) -> None:
    repo.commit({"x.py": "a\nb"})
    repo.commit({"x.py": "a\nb\n"})
    pair = only(every_way(repo))
    assert (pair.removed, pair.added) == (frozenset(), frozenset())


@pytest.mark.parametrize("patch_ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("tree_ends", [b"\n", b"\r\n"])
def test_carriage_returns_in_patch_and_tree(repo: Scratch, patch_ends: bytes, tree_ends: bytes) -> None:
    old, new = numbered(30).encode(), numbered(30, l9="x", l20="y").encode()
    repo.commit({"x.py": old})
    repo.commit({"x.py": new})
    patch = repo.diff("HEAD~", "HEAD").replace(b"\n", patch_ends)
    for held in (old, new):
        repo.write({"x.py": held.replace(b"\n", tree_ends)})
        pair = only(from_patch(patch, repo.root))
        assert pair.path == "x.py"
        assert pair.old is not None and pair.old.text == old.decode()
        assert pair.new is not None and pair.new.text == new.decode()
        assert pair.added == {9, 20}


def test_new_line_ends_alone_change_no_line(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(9)})
    repo.commit({"x.py": numbered(9, l5="x").replace("\n", "\r\n")})
    assert only(every_way(repo)).added == {5}


def test_lone_carriage_returns_count_as_lines_like_in_a_source(repo: Scratch) -> None:
    repo.commit({"x.py": "a\rb\nc\nd\n"})
    repo.commit({"x.py": "a\rb\nC\nd\n"})
    pair = only(every_way(repo))
    assert pair.added == {3}
    assert pair.new is not None and pair.new.line(3) == "C"


def test_sources_that_are_not_utf8(repo: Scratch) -> None:
    repo.commit({"x.py": b"# -*- coding: latin-1 -*-\ns = '\xe9'\nt = 1\n", "y.cc": b"// \xff\xfe\nint a;\n"})
    repo.commit({"x.py": b"# -*- coding: latin-1 -*-\ns = '\xe8'\nt = 1\n", "y.cc": b"// \xff\xfe\nint b;\n"})
    pairs = {pair.path: pair for pair in every_way(repo).pairs}
    new = pairs["x.py"].new
    assert new is not None and new.line(2) == "s = 'è'"
    assert pairs["y.cc"].added == {2}


def test_a_byte_order_mark(repo: Scratch) -> None:
    repo.commit({"x.py": b"\xef\xbb\xbfa = 1\nb = 2\n"})
    repo.commit({"x.py": b"\xef\xbb\xbfa = 1\nb = 3\n"})
    assert only(every_way(repo)).added == {2}


def test_binary_files_and_links_beside_a_source(repo: Scratch) -> None:
    repo.commit({"x.py": "a\n", "data.bin": b"\0\1", "gone.bin": b"\0"})
    (repo.root / "link.py").symlink_to("x.py")
    repo.commit({"x.py": "b\n", "data.bin": b"\0\2", "gone.bin": None, "new.bin": b"\0\3"})
    for options in ((), ("--binary",)):
        patch = repo.diff(*options, "HEAD~", "HEAD")
        for change in (from_patch(patch, repo.root), from_patch(patch, repo.root, "HEAD~"), from_patch(patch, None)):
            pairs = {pair.path: pair for pair in change.pairs}
            assert {path for path, pair in pairs.items() if pair.new is not None} == {"x.py"}
            assert pairs["data.bin"].status == "binary"
            assert pairs["link.py"].note == "a symbolic link"
            assert change.errors == ()


def test_a_link_becomes_a_file_and_back(repo: Scratch) -> None:
    repo.commit({"real.py": "r\n"})
    (repo.root / "x.py").symlink_to("real.py")
    repo.commit({})
    (repo.root / "x.py").unlink()
    repo.commit({"x.py": "a\n"})
    patch = repo.diff("HEAD~", "HEAD")
    for rev in (None, "HEAD~"):
        assert texts(from_patch(patch, repo.root, rev))[(None, "x.py")] == (None, "a\n", "added")
    assert texts(from_git(repo.root, "HEAD~", "HEAD")) == {(None, "x.py"): (None, "a\n", "added")}
    assert texts(from_git(repo.root, "HEAD", "HEAD~")) == {("x.py", None): ("a\n", None, "deleted")}


def test_a_source_that_the_patch_gives_as_binary_is_an_error_entry(repo: Scratch) -> None:
    repo.commit({"x.py": b"a\0b\n", "y.py": "1\n"})
    repo.commit({"x.py": b"a\0c\n", "y.py": "2\n"})
    patch = repo.diff("HEAD~", "HEAD")
    for change in (from_patch(patch, repo.root), from_patch(patch, None), from_git(repo.root, "HEAD~", "HEAD")):
        assert [path for path, _ in change.errors] == ["x.py"]
        assert {pair.path: pair.status for pair in change.pairs} == {"x.py": "binary", "y.py": "modified"}


def test_submodules_are_left_out(repo: Scratch) -> None:
    repo.commit({"x.py": "a\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    repo.write({"x.py": "b\n"})
    repo.git("add", "x.py")
    repo.git("commit", "-qm", "sub")
    patch = repo.diff("HEAD~", "HEAD")
    assert b"Subproject" in patch
    assert only(from_patch(patch, repo.root)).path == "x.py"
    assert only(from_git(repo.root, "HEAD~", "HEAD")).path == "x.py"


def test_format_patch_of_several_commits(repo: Scratch) -> None:
    base = repo.commit({"x.py": numbered(30), "y.py": "y\n"})
    repo.commit({"x.py": numbered(30, l3="three"), "tmp.py": "t\n"}, "one\n\n@@ -1,2 +1,2 @@ quoted in the message")
    repo.commit({"x.py": None, "z.py": numbered(30, l3="three", l20="twenty"), "tmp.py": None}, "two")
    repo.commit({"z.py": numbered(30, l3="drei", l20="twenty"), "y.py": None, "n.py": "n\n"}, "three")
    mails = repo.git("format-patch", "--stdout", "-M", f"{base}..HEAD")
    assert mails.count(b"\nFrom: ") == 3
    expected = texts(from_git(repo.root, base, "HEAD"))
    assert set(expected) == {("x.py", "z.py"), ("y.py", None), (None, "n.py")}
    before = listing(repo.root)
    assert texts(from_patch(mails, repo.root)) == expected
    assert listing(repo.root) == before
    assert texts(from_patch(mails, repo.root, base)) == expected
    repo.git("checkout", "-q", base)
    assert texts(from_patch(mails, repo.root)) == expected


def test_git_show_and_log_output(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(9)})
    repo.commit({"x.py": numbered(9, l4="x")}, "Subject\n\ndiff --git a/quoted b/quoted\n--- a\n+++ b\n@@ -1 +1 @@")
    for patch in (repo.git("show", "HEAD"), repo.git("log", "-1", "-p"), repo.git("show", "--stat", "-p", "HEAD")):
        assert only(from_patch(patch, repo.root)).added == {4}


def test_a_merge_is_refused_and_its_range_is_not(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(9)})
    repo.git("checkout", "-qb", "side")
    repo.commit({"x.py": numbered(9, l1="side")})
    repo.git("checkout", "-q", "main")
    repo.commit({"x.py": numbered(9, l2="main")})
    subprocess.run(["git", "-C", repo.root, "merge", "-q", "side"], capture_output=True, check=False)
    repo.commit({"x.py": numbered(9, l1="both", l2="both")}, "merge")
    merge = repo.git("show", "HEAD")
    assert b"@@@" in merge
    for root, rev in ((repo.root, None), (repo.root, "HEAD~"), (None, None)):
        with pytest.raises(PatchError, match="merge"):
            from_patch(merge, root, rev)
    assert only(from_git(repo.root, "HEAD~", "HEAD")).added == {1, 2}


def test_the_patch_still_applies_when_lines_moved(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(60)})
    repo.commit({"x.py": numbered(60, l20="x", l50="y")})
    patch = repo.diff("HEAD~", "HEAD")
    for held in (numbered(60), numbered(60, l20="x", l50="y")):
        repo.write({"x.py": "import os\nimport sys\n" + held})
        pair = only(from_patch(patch, repo.root))
        assert (pair.removed, pair.added) == ({22, 52}, {22, 52})
        assert pair.new is not None and pair.new.line(22) == "x"


def test_code_that_stands_twice_is_still_seen_as_patched(repo: Scratch) -> None:
    """The old side of the hunk is found elsewhere in the new tree, but only the new side fits where the patch says."""
    body = numbered(8)
    repo.commit({"x.py": body + "# between\n" * 9 + body})
    repo.commit({"x.py": body.replace("line 4", "changed") + "# between\n" * 9 + body})
    pair = only(every_way(repo))
    assert pair.added == {4}


@pytest.mark.parametrize("context", [0, 3])
def test_a_line_repeated_once_more(repo: Scratch, context: int) -> None:
    repo.commit({"x.py": "same\n" * 8})
    repo.commit({"x.py": "same\n" * 9})
    for option in ("--full-index", "--abbrev=7"):
        every_way(repo, f"-U{context}", option)
    patch = b"".join(
        row for row in repo.diff("HEAD~", "HEAD").splitlines(keepends=True) if not row.startswith(b"index ")
    )
    pair = only(from_patch(patch, repo.root))  # no ids to help: the side that accounts for more lines
    assert pair.old is not None and pair.old.text == "same\n" * 8


def test_a_tree_that_fits_neither_names_the_first_hunk_that_fails(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(40), "b.py": numbered(40)})
    repo.commit({"a.py": numbered(40, l5="x", l30="y"), "b.py": numbered(40, l5="z")})
    patch = repo.diff("HEAD~", "HEAD")
    repo.write({"a.py": numbered(40, l30="edited by hand"), "b.py": numbered(40)})
    with pytest.raises(PatchError) as caught:
        from_patch(patch, repo.root)
    assert str(caught.value).startswith("a.py: hunk 2 (@@ -27,7 +27,7 @@) does not fit at line 30"), caught.value
    assert "'line 30'" in str(caught.value) and "'edited by hand'" in str(caught.value)


def test_half_patched_is_neither(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(40), "b.py": numbered(40)})
    repo.commit({"a.py": numbered(40, l5="x"), "b.py": numbered(40, l5="z")})
    patch = repo.diff("HEAD~", "HEAD")
    repo.write({"b.py": numbered(40)})
    with pytest.raises(PatchError, match=r"hunk 1"):
        from_patch(patch, repo.root)


def test_a_file_missing_beside_one_that_is_there(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(9), "b.py": numbered(9)})
    repo.commit({"a.py": numbered(9, l5="x"), "b.py": numbered(9, l5="z")})
    patch = repo.diff("HEAD~", "HEAD")
    repo.write({"b.py": None})
    with pytest.raises(PatchError, match=r"b\.py: hunk 1 .*there is no such file"):
        from_patch(patch, repo.root)


def test_on_a_commit_that_already_holds_it(repo: Scratch) -> None:
    repo.commit({"a.py": numbered(9)})
    repo.commit({"a.py": numbered(9, l5="x")})
    patch = repo.diff("HEAD~", "HEAD")
    with pytest.raises(PatchError, match=r"a\.py: hunk 1 .*already holds the patch"):
        from_patch(patch, repo.root, "HEAD")


def test_a_new_file_that_is_there_already(repo: Scratch) -> None:
    repo.commit({"a.py": "a\n"})
    repo.commit({"n.py": "n\n"})
    patch = repo.diff("HEAD~", "HEAD")
    repo.write({"n.py": "something else\n"})
    with pytest.raises(PatchError, match=r"n\.py: hunk 1 .*there already"):
        from_patch(patch, repo.root)


def test_a_deletion_that_leaves_lines(repo: Scratch) -> None:
    repo.commit({"a.py": "a\nb\n"})
    repo.commit({"a.py": None, "keep.py": "k\n"})
    patch = repo.diff("HEAD~", "HEAD")
    repo.write({"a.py": "a\nb\nc\n", "keep.py": None})
    with pytest.raises(PatchError, match=r"a\.py: hunk 1 .*more lines"):
        from_patch(patch, repo.root)


def test_without_sources_the_hunks_alone(tmp_path: Path, repo: Scratch) -> None:
    repo.commit({"pkg/x.py": numbered(60), "gone.py": "g\n"})
    repo.commit({"pkg/x.py": numbered(60, l10="ten\nand more", l50="fifty"), "new.py": "n\nm", "gone.py": None})
    patch = repo.diff("HEAD~", "HEAD")
    empty = tmp_path / "empty"
    empty.mkdir()
    for root in (None, empty):
        change = from_patch(patch, root)
        assert change.old_tree is None and change.new_tree is None
        pairs = {pair.path: pair for pair in change.pairs}
        pair = pairs["pkg/x.py"]
        assert not pair.complete
        assert (pair.removed, pair.added) == ({10, 50}, {10, 11, 51})
        assert pair.old is not None and pair.new is not None
        assert [pair.old.line(n) for n in (6, 7, 10, 13, 14, 50)] == ["", "line 7", "line 10", "line 13", "", "line 50"]
        assert [pair.new.line(n) for n in (10, 11, 12, 51)] == ["ten", "and more", "line 11", "fifty"]
        assert [pair.lines.to_new(n) for n in (1, 9, 10, 11, 30, 50, 60)] == [1, 9, None, 12, 31, None, 61]
        assert pairs["new.py"].complete and pairs["gone.py"].complete
        new, gone = pairs["new.py"].new, pairs["gone.py"].old
        assert new is not None and new.text == "n\nm\n"
        assert gone is not None and gone.text == "g\n"


def test_hunks_alone_with_odd_bytes_keep_their_line_numbers() -> None:
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -5,2 +5,2 @@\n a\rb\n-\xff\n+\xe9\n"
    pair = only(from_patch(patch, None))
    assert pair.new is not None and (pair.new.line(5), pair.new.line(6)) == ("a b", "é")


def test_a_hunk_that_claims_a_huge_line_number_costs_no_memory() -> None:
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -4000000000 +4000000000 @@\n-a\n+b\n"
    with pytest.raises(PatchError, match=r"x\.py: hunk 1"):
        from_patch(patch, None)


def test_plain_diffs_find_their_file(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/x.py").write_text(numbered(9))
    hunk = b"@@ -4,3 +4,3 @@\n line 4\n-line 5\n+five\n line 6\n"
    for old, new in (
        (b"pkg/x.py", b"pkg/x.py"),
        (b"a/pkg/x.py", b"b/pkg/x.py"),
        (b"pkg/x.py.orig", b"pkg/x.py"),
        (b"old-1.0/pkg/x.py", b"new-1.1/pkg/x.py"),
        (b"/home/me/tree/pkg/x.py", b"/tmp/other/tree/pkg/x.py"),
        (b"pkg/x.py\t2024-01-02 10:00:00.0 +0100", b"pkg/x.py\t2024-01-02 11:00:00.0 +0100"),
    ):
        pair = only(from_patch(b"--- %s\n+++ %s\n%s" % (old, new, hunk), root))
        assert (pair.old_path, pair.new_path, pair.complete) == ("pkg/x.py", "pkg/x.py", True), old
        assert pair.added == {5}


def test_diff_of_two_folders_with_new_and_deleted_files(tmp_path: Path) -> None:
    for side, files in {"one": {"x.py": "a\n", "gone.py": "g\n"}, "two": {"x.py": "b\n", "new.py": "n\n"}}.items():
        (tmp_path / side).mkdir()
        for name, text in files.items():
            (tmp_path / side / name).write_text(text)
    patch = subprocess.run(["diff", "-ruN", "one", "two"], cwd=tmp_path, capture_output=True, check=False).stdout
    expected = {
        ("x.py", "x.py"): ("a\n", "b\n", "modified"),
        ("gone.py", None): ("g\n", None, "deleted"),
        (None, "new.py"): (None, "n\n", "added"),
    }
    assert texts(from_patch(patch, tmp_path / "one")) == expected
    assert texts(from_patch(patch, tmp_path / "two")) == expected
    assert texts(from_patch(patch, None))[("gone.py", None)] == ("g\n", None, "deleted")


def test_the_tree_is_found_from_a_folder_inside_the_repository(repo: Scratch) -> None:
    repo.commit({"pkg/sub/x.py": "a\n"})
    repo.commit({"pkg/sub/x.py": "b\n"})
    pair = only(from_patch(repo.diff("HEAD~", "HEAD"), repo.root / "pkg"))
    assert (pair.path, pair.complete) == ("pkg/sub/x.py", True)


def test_a_bare_repository_without_a_revision_means_its_head(repo: Scratch, tmp_path: Path) -> None:
    repo.commit({"x.py": "a\n"})
    repo.commit({"x.py": "b\n"})
    patch = repo.diff("HEAD~", "HEAD")
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.root), str(bare))
    before = listing(bare)
    for rev in (None, "HEAD~"):
        change = from_patch(patch, bare, rev)
        assert texts(change) == {("x.py", "x.py"): ("a\n", "b\n", "modified")}
    assert listing(bare) == before


def test_the_overlay_shows_the_patch_to_those_who_look_beyond_it(repo: Scratch) -> None:
    repo.commit({"a.py": "use(word)\n", "b.py": "word = 1\n", "c.py": "other\n"})
    repo.commit({"a.py": "use(name)\n", "c.py": None, "d.py": "word\n"})
    change = from_patch(repo.diff("HEAD~", "HEAD"), repo.root, "HEAD~")
    assert change.old_tree is not None and change.new_tree is not None
    assert change.old_tree.mentions("word", (".py",)) == ["a.py", "b.py"]
    assert change.new_tree.mentions("word", (".py",)) == ["b.py", "d.py"]
    assert list(change.new_tree.paths()) == ["a.py", "b.py", "d.py"]
    assert change.new_tree.read("c.py") is None


def test_only_restricts_the_pairs_and_not_the_trees(repo: Scratch) -> None:
    repo.commit({"a/x.py": "a\n", "b/y.py": "b\n"})
    repo.commit({"a/x.py": "A\n", "b/y.py": "B\n"})
    change = from_patch(repo.diff("HEAD~", "HEAD"), repo.root, "HEAD~", only=["a"])
    assert only(change).path == "a/x.py"
    assert change.new_tree is not None
    beyond = change.new_tree.read("b/y.py")
    assert beyond is not None and beyond.text == "B\n"


@pytest.mark.parametrize("path", [b"../../etc/x.py", b"a/../../x.py"])
def test_a_path_that_leads_out_of_the_tree(tmp_path: Path, path: bytes) -> None:
    patch = b"diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n-a\n+b\n" % (path, path, path, path)
    with pytest.raises(PatchError, match="leads out"):
        from_patch(patch, tmp_path)


def test_an_empty_patch(tmp_path: Path) -> None:
    assert from_patch(b"", tmp_path).pairs == ()
    assert from_patch(b"\n", None).pairs == ()


def test_missing_tree_and_bad_revisions(repo: Scratch, tmp_path: Path) -> None:
    repo.commit({"x.py": "a\n"})
    repo.commit({"x.py": "b\n"})
    patch = repo.diff("HEAD~", "HEAD")
    with pytest.raises(PatchError, match="no such folder"):
        from_patch(patch, tmp_path / "nowhere")
    with pytest.raises(PatchError, match="no commit named 'nonsense'"):
        from_patch(patch, repo.root, "nonsense")
    folder = tmp_path / "plain"
    folder.mkdir()
    with pytest.raises(PatchError, match="not a git repository"):
        from_patch(patch, folder, "HEAD")
