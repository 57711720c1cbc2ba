"""Ids of contents and of whole trees: equal ids mean equal texts and answers. Words are found as git finds them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from allocsafe.patch import Tree
from allocsafe.patch.contents import blob_id, text_id
from allocsafe.patch.folder import FolderTree, OverlayTree, content_of, identity_of
from allocsafe.patch.objects import GitTree, IndexTree, Repository
from allocsafe.patch.words import Words, whole
from allocsafe.source import Source
from hypothesis import given
from hypothesis import strategies as st

from tests.patch.scratch import Scratch

FILES: dict[str, str | bytes | None] = {"a.py": "x = 1\n", "b.py": "y = 'é'\n", "c.cpp": "int x;\n", "é.py": ""}


@pytest.fixture
def repo(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repo")
    made.commit(FILES)
    return made


def test_all_kinds_of_trees_give_a_content_the_id_that_git_gives_it(repo: Scratch) -> None:
    folder = FolderTree(repo.root)
    texts = {path: Source(path, str(text)) for path, text in FILES.items()}
    trees: list[Tree] = [
        folder,
        GitTree(repo.root, "HEAD"),
        IndexTree(repo.root),
        OverlayTree(folder, {}),
        OverlayTree(folder, texts),
    ]
    for path in FILES:
        known = repo.git("rev-parse", f"HEAD:{path}").decode().strip()
        assert [content_of(tree, path) for tree in trees] == [known] * len(trees)
    for tree in trees:
        assert content_of(tree, "nowhere.py") == "" and tree.read("nowhere.py") is None


def test_a_text_that_its_bytes_do_not_give_back_has_an_id_of_its_own() -> None:
    """Bytes that begin with one byte order mark are read without it, so a text that keeps one is no such file's."""
    text = Source("a.py", "\ufeffx = 1\n")
    assert text_id(text) != blob_id(text.text.encode())
    assert text_id(None) == "" != text_id(Source("a.py", ""))


def test_a_link_has_the_content_that_it_leads_to(repo: Scratch) -> None:
    (repo.root / "link.py").symlink_to("a.py")
    repo.commit({})
    tree = GitTree(repo.root, "HEAD")
    assert tree.content("link.py") == tree.content("a.py") and tree.content("link.py")


def test_trees_are_the_same_if_all_their_files_are(repo: Scratch) -> None:
    first = GitTree(repo.root, "HEAD")
    staged = identity_of(IndexTree(repo.root))
    over = identity_of(OverlayTree(first, {"a.py": Source("a.py", "x = 2\n")}))
    assert identity_of(GitTree(repo.root, "HEAD")) == identity_of(first) != staged
    assert over not in ("", identity_of(OverlayTree(first, {"a.py": None})), identity_of(OverlayTree(first, {})))
    assert over == identity_of(OverlayTree(first, {"a.py": Source("a.py", "x = 2\n")}))
    repo.write({"a.py": "x = 2\n"})
    repo.git("add", "a.py")
    assert identity_of(IndexTree(repo.root)) not in ("", staged)
    assert identity_of(FolderTree(repo.root)) == "" == identity_of(OverlayTree(FolderTree(repo.root), {}))


def test_a_folder_vouches_for_what_was_read_and_not_for_what_is_there_now(repo: Scratch) -> None:
    tree = FolderTree(repo.root)
    before = tree.read("a.py")
    repo.write({"a.py": "x = 2\n"})
    assert before is not None and tree.content("a.py") == text_id(before)


def test_many_blobs_at_once(repo: Scratch) -> None:
    made = Repository(repo.root)
    ids = [repo.git("rev-parse", f"HEAD:{path}").decode().strip() for path in FILES]
    texts = [str(text).encode() for text in FILES.values()]
    assert made.blobs(ids) == texts and made.blobs(ids[::-1]) == texts[::-1]
    assert made.blobs([]) == [] and made.blobs(["0" * 40, ids[0]]) == [b"", texts[0]]


TEXTS = st.text(alphabet="ab_.1\n é", max_size=9)


@given(st.text(alphabet="ab_.1", min_size=1, max_size=3), TEXTS)
def test_a_whole_word_is_what_the_regular_expression_says(word: str, text: str) -> None:
    pattern = rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)"
    assert whole(word.encode(), text.encode()) == bool(re.search(pattern, text.encode()))


def test_words_are_found_as_git_finds_them(repo: Scratch) -> None:
    words = ("x", "y", "int", "é", "'é'", "= 1", "zz")
    for word in words:
        found = repo.git("grep", "-lwFz", "--full-name", "-e", word, "HEAD", "--") if word != "zz" else b""
        wanted = sorted(row[5:] for row in found.decode().split("\0") if row)
        tree = Words((path, str(text).encode()) for path, text in sorted(FILES.items()))
        assert tree.mentions(word, (".py", ".cpp")) == wanted
        assert GitTree(repo.root, "HEAD").mentions(word, (".py", ".cpp")) == wanted
