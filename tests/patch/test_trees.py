"""Trees: the three kinds list, read and search alike, and a folder's traps hold nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from allocsafe.patch import Tree
from allocsafe.patch.folder import FolderTree, OverlayTree
from allocsafe.patch.objects import GitTree, IndexTree
from allocsafe.source import Source

from tests.patch.scratch import Scratch

FILES: dict[str, str | bytes | None] = {
    "a.py": "buf = empty(n)\n",
    "pkg/b.py": "self.buffer = 1\nre_buf = 2\n",
    "pkg/c.cu": "float buf[3];\n",
    "pkg/deep/er/d.py": "x.buf.fill_(0)",
    "notes.txt": "buf\n",
    "é ü.py": "# buf é\n",
    "nul.py": b"a\0b\n",
    "line\nbreak.py": "buf\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repo")
    made.commit(FILES)
    return made


@pytest.fixture(params=["folder", "commit", "index", "overlay"])
def tree(request: pytest.FixtureRequest, repo: Scratch) -> Tree:
    if request.param == "folder":
        return FolderTree(repo.root)
    if request.param == "commit":
        return GitTree(repo.root, "HEAD")
    if request.param == "index":
        return IndexTree(repo.root)
    return OverlayTree(FolderTree(repo.root), {})


def test_paths(tree: Tree) -> None:
    assert list(tree.paths()) == sorted(FILES)


def test_read(tree: Tree) -> None:
    for path, text in FILES.items():
        found = tree.read(path)
        if isinstance(text, str):
            assert found is not None and (found.path, found.text) == (path, text)
        else:
            assert found is None
    for path in ("nowhere.py", "pkg", "", "pkg/../a.py", "/etc/passwd", "a.py/b.py", "../repo/a.py", "x\0.py"):
        assert tree.read(path) is None
    assert tree.read("a.py") is tree.read("a.py")


def test_mentions_are_whole_words_in_the_kinds_asked_for(tree: Tree) -> None:
    assert tree.mentions("buf", (".py",)) == sorted(["a.py", "pkg/deep/er/d.py", "é ü.py", "line\nbreak.py"])
    assert tree.mentions("buf", (".py", ".cu")) == sorted(
        ["a.py", "pkg/c.cu", "pkg/deep/er/d.py", "é ü.py", "line\nbreak.py"]
    )
    assert tree.mentions("nobody", (".py",)) == []
    assert tree.mentions("x.buf", (".py",)) == ["pkg/deep/er/d.py"]
    assert tree.mentions("-e", (".py",)) == []


def test_links_and_pipes_hold_nobody(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "a.py").write_text("a\n")
    os.mkfifo(tmp_path / "pipe.py")
    tree = FolderTree(tmp_path)
    assert list(tree.paths()) == ["a.py"]
    assert tree.read("self.py") is None
    assert tree.read("pipe.py") is None
    assert tree.mentions("a", (".py",)) == ["a.py"]


def test_links_inside_a_commit(tmp_path: Path) -> None:
    repo = Scratch(tmp_path)
    repo.write({"real/a.py": "a\n"})
    (tmp_path / "alias").symlink_to("real")
    (tmp_path / "one.py").symlink_to("two.py")
    (tmp_path / "two.py").symlink_to("one.py")
    (tmp_path / "out.py").symlink_to("/etc/passwd")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    repo.commit({})
    tree = GitTree(tmp_path, "HEAD")
    assert list(tree.paths()) == ["real/a.py"]
    found = tree.read("alias/a.py")
    assert found is not None and found.text == "a\n"
    assert [tree.read(path) for path in ("one.py", "out.py", "gone.py", "alias")] == [None] * 4
    again = tree.read("real/a.py")  # the pipe is still in step after the odd answers
    assert again is not None and again.text == "a\n"
    assert IndexTree(tmp_path).read("one.py") is None


def test_a_folder_in_a_commit_stays_what_it_was_when_the_branch_moves(tmp_path: Path) -> None:
    repo = Scratch(tmp_path)
    repo.commit({"a.py": "a\n", "b.py": "b\n"})
    tree = GitTree(tmp_path, "main")
    repo.commit({"a.py": "A\n", "b.py": "B\n"})
    found = tree.read("b.py")
    assert found is not None and found.text == "b\n"


def test_an_overlay_adds_replaces_and_hides(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("old\n")
    tree = OverlayTree(
        FolderTree(tmp_path), {"a.py": Source("a.py", "new\n"), "b.py": None, "d.py": Source("d.py", "old\n")}
    )
    assert list(tree.paths()) == ["a.py", "c.py", "d.py"]
    assert tree.mentions("old", (".py",)) == ["c.py", "d.py"]
    assert tree.mentions("new", (".py",)) == ["a.py"]
    assert tree.read("b.py") is None


def test_the_process_is_started_again_after_a_fork(tmp_path: Path) -> None:
    repo = Scratch(tmp_path)
    repo.commit({"a.py": "a\n", "b.py": "b\n"})
    tree = GitTree(tmp_path, "HEAD")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # must not drink from its parent's pipe
        found = tree.read("b.py")
        os.write(writer, (found.text if found else "nothing").encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 99) == b"b\n"
    os.close(reader)
    os.close(writer)
    found = tree.read("a.py")
    assert found is not None and found.text == "a\n"
