"""The files in which classes may derive from a name: as a search of all texts would have them, and no fewer."""

from __future__ import annotations

import re

import pytest
from allocsafe.patch.folder import OverlayTree
from allocsafe.patch.heads import Heads, names
from allocsafe.patch.words import Words
from allocsafe.source import Source

FOUND = [
    ("class A(Base):\n    pass\n", "the plain way"),
    ("if True:\n    class A(x.y.Base, Other):\n        pass\n", "dotted, indented"),
    ("class A(\n    Other,\n    Base[int],\n):\n    pass\n", "over lines"),
    ("class A[T: int](Base):\n    pass\n", "with type parameters"),
    ("class A(made(Other), Base):\n    pass\n", "behind a call"),
    ("from m import Base as B\nclass A(B):\n    pass\n", "under another name"),
    ("from m import (\n    Base  as\tB,\n)\nclass A(B):\n    pass\n", "over lines, under another name"),
    ("from m import Base\tas B\nclass A(B):\n    pass\n", "with a tab"),
    ("B = m.Base\nclass A(B):\n    pass\n", "assigned before"),
    ("if c:\n    B=Base\nclass A(B):\n    pass\n", "assigned without blanks"),
    ("A = type('A', (Other, m.Base), {})\n", "made by type"),
]
LEFT = [
    ("from m import Base\nx: Base = Base()\n", "used, not derived from"),
    ("class Based(Other):\n    x = Base\n", "in a body"),
    ("class A(Based):\n    pass\n", "a longer name"),
    ("class Base:\n    pass\n", "defined"),
]


@pytest.mark.parametrize("text", [t for t, _ in FOUND], ids=[w for _, w in FOUND])
def test_a_class_below_is_found(text: str) -> None:
    assert b"Base" in names(text.encode())
    assert Heads([("m.py", text.encode())]).files("Base") == ["m.py"]


@pytest.mark.parametrize("text", [t for t, _ in LEFT], ids=[w for _, w in LEFT])
def test_what_derives_from_nothing_so_called_is_left_out(text: str) -> None:
    assert b"Base" not in names(text.encode())


def test_only_python_is_read() -> None:
    assert Heads([("m.cpp", b"class A(Base):\n")]).files("Base") == []


def test_a_file_replaced_in_memory_counts_as_it_is_now() -> None:
    class Below:
        def bases(self, word: str) -> list[str]:
            return Words({"a.py": b"class A(Base): ...\n", "b.py": b"class B(Base): ...\n"}.items()).bases(word)

    tree = OverlayTree(Below(), {"b.py": None, "c.py": Source("c.py", "class C(m.Base): ...\n")})  # type: ignore[arg-type]
    assert tree.bases("Base") == ["a.py", "c.py"]


def test_no_subclass_of_this_project_is_missed() -> None:
    """Against the plainest search there is, over the project's own files."""
    from pathlib import Path

    root = Path(__file__).parents[2] / "linter"
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.py"))}
    heads = Heads(files.items())
    plain: dict[str, set[str]] = {}
    for path, data in files.items():
        for head in re.findall(r"^[ \t]*class \w+\(([^)]*)\)", data.decode(), re.M):
            for word in re.findall(r"\w+", head):
                plain.setdefault(word, set()).add(path)
    assert len(plain) > 10
    for word in ("NamedTuple", "Protocol", "Exception", "dict"):
        assert plain[word] <= set(heads.files(word)), word
