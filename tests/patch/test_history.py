"""Changes that git knows: commits, the index, the working tree; and that asking writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from allocsafe.patch import Change, PatchError, from_git, from_patch, from_staged, from_worktree
from allocsafe.patch.folder import FolderTree

from tests.patch.scratch import Scratch, listing, numbered


@pytest.fixture
def repo(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repo")


def kinds(change: Change) -> dict[str, str]:
    return {pair.path: pair.status for pair in change.pairs}


def test_two_commits_of_a_bare_repository(repo: Scratch, tmp_path: Path) -> None:
    repo.commit({"x.py": numbered(30), "doc.md": "d\n", "old.cu": numbered(20)})
    repo.commit({"x.py": numbered(30, l4="x"), "doc.md": "D\n", "old.cu": None, "new/name.cu": numbered(20, l2="y")})
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.root), str(bare))
    before = listing(bare)
    change = from_git(bare, "HEAD~", "main")
    assert kinds(change) == {"x.py": "modified", "doc.md": "modified", "new/name.cu": "renamed"}
    pairs = {pair.path: pair for pair in change.pairs}
    assert (pairs["x.py"].removed, pairs["x.py"].added) == ({4}, {4})
    assert (pairs["new/name.cu"].old_path, pairs["new/name.cu"].added) == ("old.cu", {2})
    assert pairs["doc.md"].old is None and pairs["doc.md"].new is None  # nobody judges it, nobody opens it
    assert change.new_tree is not None and list(change.new_tree.paths()) == ["doc.md", "new/name.cu", "x.py"]
    assert listing(bare) == before


def test_a_trees_text_and_a_pairs_text_are_one_object(repo: Scratch) -> None:
    repo.commit({"x.py": "a\n"})
    repo.commit({"x.py": "b\n"})
    change = from_git(repo.root, "HEAD~", "HEAD")
    assert change.old_tree is not None and change.old_tree.read("x.py") is change.pairs[0].old
    assert change.new_tree is not None and change.new_tree.read("x.py") is change.pairs[0].new


def test_only_restricts_to_files_and_folders_on_either_side(repo: Scratch) -> None:
    repo.commit({"a/x.py": numbered(20), "b/y.py": "1\n", "ab/z.py": "1\n"})
    repo.commit({"a/x.py": None, "c/x.py": numbered(20, l3="x"), "b/y.py": "2\n", "ab/z.py": "2\n"})
    for only, expected in (
        (["a"], {"c/x.py": "renamed"}),
        (["c/x.py"], {"c/x.py": "renamed"}),
        (["./b/"], {"b/y.py": "modified"}),
        (["b/y.py", "ab"], {"b/y.py": "modified", "ab/z.py": "modified"}),
        (["nowhere"], {}),
    ):
        assert kinds(from_git(repo.root, "HEAD~", "HEAD", only=only)) == expected


def test_the_index_against_head(repo: Scratch) -> None:
    repo.commit({"x.py": "head\n", "y.py": "head\n", "z.py": "head\n", "old.py": numbered(20)})
    repo.write({"x.py": "staged\n", "old.py": None, "moved.py": numbered(20, l1="x"), "new.py": "n\n"})
    repo.git("add", "-A")
    repo.write({"x.py": "working\n", "y.py": "working\n", "z.py": None, "untracked.py": "u\n"})
    before = listing(repo.root)
    change = from_staged(repo.root)
    assert kinds(change) == {"x.py": "modified", "moved.py": "renamed", "new.py": "added"}
    pairs = {pair.path: pair for pair in change.pairs}
    new = pairs["x.py"].new
    assert new is not None and new.text == "staged\n"
    tree = change.new_tree
    assert tree is not None and list(tree.paths()) == ["moved.py", "new.py", "x.py", "y.py", "z.py"]
    beyond = tree.read("y.py")
    assert beyond is not None and beyond.text == "head\n"
    assert tree.mentions("staged", (".py",)) == ["x.py"]
    assert tree.mentions("working", (".py",)) == []
    assert listing(repo.root) == before


def test_the_working_tree_against_head(repo: Scratch) -> None:
    repo.commit({"x.py": "head\n", "y.py": "head\n", "z.py": "head\n", "same.py": "same\n"})
    repo.write({"y.py": "staged\n"})
    repo.git("add", "-A")
    repo.write({"x.py": "working\n", "z.py": None, "untracked.py": "u\n"})
    os.utime(repo.root / "same.py", (1, 1))  # git must look into the file to see that nothing changed
    before = listing(repo.root)
    change = from_worktree(repo.root)
    assert kinds(change) == {"x.py": "modified", "y.py": "modified", "z.py": "deleted"}
    assert {pair.path: pair.new and pair.new.text for pair in change.pairs} == {
        "x.py": "working\n", "y.py": "staged\n", "z.py": None,
    }  # fmt: skip
    assert listing(repo.root) == before


def test_line_ends_of_a_working_tree_on_windows_are_no_change(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(5)})
    repo.write({"x.py": numbered(5, l2="x").replace("\n", "\r\n")})
    (pair,) = from_worktree(repo.root).pairs
    assert pair.added == {2}


def test_before_the_first_commit(repo: Scratch) -> None:
    repo.write({"x.py": "a\n"})
    repo.git("add", "x.py")
    before = listing(repo.root)
    for change in (from_staged(repo.root), from_worktree(repo.root)):
        assert kinds(change) == {"x.py": "added"}
        assert change.old_tree is not None and list(change.old_tree.paths()) == []
    assert listing(repo.root) == before


def test_from_a_folder_inside_the_repository(repo: Scratch) -> None:
    repo.commit({"pkg/x.py": "a\n", "top.py": "word\n"})
    repo.commit({"pkg/x.py": "b\n"})
    repo.write({"pkg/x.py": "c\n", "top.py": "word2\n"})
    inside = repo.root / "pkg"
    change = from_git(inside, "HEAD~", "HEAD")
    assert kinds(change) == {"pkg/x.py": "modified"}
    assert change.new_tree is not None and list(change.new_tree.paths()) == ["pkg/x.py", "top.py"]
    assert change.new_tree.mentions("word", (".py",)) == ["top.py"]
    assert kinds(from_worktree(inside)) == {"pkg/x.py": "modified", "top.py": "modified"}
    repo.git("add", "-A")
    staged = from_staged(inside)
    assert kinds(staged) == {"pkg/x.py": "modified", "top.py": "modified"}
    assert staged.new_tree is not None and list(staged.new_tree.paths()) == ["pkg/x.py", "top.py"]
    assert staged.new_tree.mentions("word2", (".py",)) == ["top.py"]


def test_a_hook_judges_the_index_that_git_names(repo: Scratch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`git commit FILE` stages into an index of its own; another repository must not be read through it."""
    repo.commit({"x.py": "a\n"})
    repo.write({"x.py": "b\n"})
    other = repo.root / ".git/next-index"
    other.write_bytes((repo.root / ".git/index").read_bytes())
    repo.git("add", "x.py")
    (repo.root / ".git/index").rename(tmp_path / "full")
    other.rename(repo.root / ".git/index")
    assert from_staged(repo.root).pairs == ()
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "full"))
    assert from_staged(repo.root).pairs == ()
    monkeypatch.chdir(repo.root)
    assert kinds(from_staged(Path())) == {"x.py": "modified"}


def test_announced_but_not_staged(repo: Scratch) -> None:
    repo.commit({"x.py": "a\n"})
    repo.write({"new.py": "n\n"})
    repo.git("add", "--intent-to-add", "new.py")
    assert kinds(from_staged(repo.root)) in ({}, {"new.py": "added"})  # git versions differ; either way, no error
    assert kinds(from_worktree(repo.root)) == {"new.py": "added"}


def test_users_settings_for_diffs_do_not_matter(repo: Scratch) -> None:
    repo.commit({"x.py": numbered(20), "old.py": numbered(30)})
    repo.commit({"x.py": numbered(20, l2="x"), "old.py": None, "new.py": numbered(30)})
    for key, value in {
        "diff.external": "false", "diff.noprefix": "true", "diff.renames": "false", "color.ui": "always",
        "core.quotePath": "true", "grep.fullName": "false", "grep.patternType": "perl", "diff.orderFile": "/dev/null",
    }.items():  # fmt: skip
        repo.git("config", key, value)
    change = from_git(repo.root, "HEAD~", "HEAD")
    assert kinds(change) == {"x.py": "modified", "new.py": "renamed"}
    assert change.new_tree is not None and change.new_tree.mentions("line", (".py",)) == ["new.py", "x.py"]


def test_conflicts_are_errors_and_the_rest_is_read(repo: Scratch) -> None:
    import subprocess

    repo.commit({"x.py": "a\n", "y.py": "a\n"})
    repo.git("checkout", "-qb", "side")
    repo.commit({"x.py": "side\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"x.py": "main\n"})
    subprocess.run(["git", "-C", repo.root, "merge", "-q", "side"], capture_output=True, check=False)
    repo.write({"y.py": "b\n"})
    repo.git("add", "y.py")
    for change in (from_staged(repo.root), from_worktree(repo.root)):
        assert change.errors == (("x.py", "has merge conflicts"),)
        assert {pair.path: pair.new and pair.new.text for pair in change.pairs if pair.path != "x.py"} == {
            "y.py": "b\n"
        }
        assert all(pair.new is None for pair in change.pairs if pair.path == "x.py")


def test_files_that_cannot_be_judged_are_named(repo: Scratch) -> None:
    repo.commit(dict.fromkeys(("nul.py", "long.py", "fine.py"), "a\n"))
    long = b"x = '" + b"y" * 20_000_000 + b"'\n"
    repo.write({"nul.py": b"a\0\n", "long.py": long, "fine.py": "b\n"})
    patch = repo.diff("HEAD")
    for change in (from_worktree(repo.root), from_patch(patch, repo.root)):
        errors = dict(change.errors)
        assert set(errors) == {"nul.py", "long.py"}
        assert "NUL" in errors["nul.py"] or "binary" in errors["nul.py"]
        assert "too large" in errors["long.py"]
        texts = {pair.path: pair.new and pair.new.text for pair in change.pairs}
        assert texts["fine.py"] == "b\n" and texts["nul.py"] is None and texts["long.py"] is None


def test_an_unreadable_file_is_named(repo: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"locked.py": "a\n", "fine.py": "a\n"})
    repo.write({"locked.py": "b\n", "fine.py": "b\n"})
    patch = repo.diff("HEAD")
    real = FolderTree.data

    def locked(self: FolderTree, path: str) -> bytes | None:
        if path == "locked.py":
            raise PermissionError(13, "Permission denied")
        return real(self, path)

    monkeypatch.setattr(FolderTree, "data", locked)
    for change in (from_worktree(repo.root), from_patch(patch, repo.root)):
        assert change.errors == (("locked.py", "cannot be read: Permission denied"),)
        assert {pair.path: pair.new and pair.new.text for pair in change.pairs} == {"locked.py": None, "fine.py": "b\n"}


@pytest.mark.parametrize("rev", ["nonsense", "", "--output=written", "-p", "HEAD~9", "HEAD:x.py", "a\nb", "HEAD -- x"])
def test_bad_revisions(repo: Scratch, rev: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"x.py": "a\n"})
    monkeypatch.chdir(repo.root)
    before = listing(repo.root)
    for old, new in ((rev, "HEAD"), ("HEAD", rev)):
        with pytest.raises(PatchError, match=r"no commit named|not a revision") as caught:
            from_git(repo.root, old, new)
        assert "\n" not in str(caught.value)
    assert listing(repo.root) == before


def test_no_repository_and_no_folder(tmp_path: Path) -> None:
    for call in (lambda root: from_git(root, "A", "B"), from_staged, from_worktree):
        with pytest.raises(PatchError, match="not a git repository"):
            call(tmp_path)
        with pytest.raises(PatchError, match="no such folder"):
            call(tmp_path / "nowhere")


def test_a_bare_repository_has_no_index_to_judge(tmp_path: Path) -> None:
    repo = Scratch(tmp_path / "repo")
    repo.commit({"x.py": "a\n"})
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.root), str(bare))
    for call in (from_staged, from_worktree):
        with pytest.raises(PatchError, match="bare repository"):
            call(bare)


def test_without_git(repo: Scratch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PatchError, match="cannot run git"):
        from_git(repo.root, "A", "B")


def test_an_object_that_is_missing_is_an_error_entry(repo: Scratch) -> None:
    repo.commit({"x.py": "a\n", "y.py": "a\n"})
    repo.commit({"x.py": "b\n", "y.py": "c\n"})
    blob = repo.git("rev-parse", "HEAD:x.py").decode().strip()
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    change = from_git(repo.root, "HEAD~", "HEAD")
    assert [path for path, _ in change.errors] == ["x.py"]
    assert {pair.path: pair.new and pair.new.text for pair in change.pairs} == {"x.py": None, "y.py": "c\n"}
