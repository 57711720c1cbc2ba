"""Operators of a tree: which registration a name means, and when it means none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from allocsafe.flow.packages import folders, mapped
from allocsafe.flow.registered import Name, Operators, name_of, rank, schema_of
from allocsafe.source import Source


class Texts:
    """A tree in memory that counts its searches."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def read(self, path: str) -> Source | None:
        return Source(path, self.files[path]) if path in self.files else None

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        self.asked.append((word, suffixes))
        whole = re.compile(rf"\b{word}\b")
        return sorted(p for p, t in self.files.items() if p.endswith(suffixes) and whole.search(t))


def library(space: str, *rows: str) -> str:
    return f"TORCH_LIBRARY({space}, m) {{\n" + "".join(f"  m.def({row!r});\n" for row in rows).replace("'", '"') + "}\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch.ops.ns.op", Name("ns", "op", None)),
        ("torch.ops.ns.op.default", Name("ns", "op", "")),
        ("torch.ops.ns.op.out", Name("ns", "op", "out")),
        ("ns::op.out", Name("ns", "op", "out")),
        ("ns::op", Name("ns", "op", None)),
        ("ns.op", Name("ns", "op", None)),
        ("torch.ops.ns", None),
        ("op", None),
        ("torch.ops.ns.op.a.b", None),
        ("a b.c", None),
    ],
)
def test_names_of_operators(text: str, name: Name | None) -> None:
    assert name_of(text) == name


def test_ranks() -> None:
    assert rank("ns", "ns") > rank("*_ops", "my_ops") > rank("", "ns") > rank("other", "ns") == rank("*_x", "ns") == 0


def test_the_schema_with_its_place() -> None:
    tree = Texts({"csrc/b.cpp": library("ns", "op(Tensor! out, Tensor x) -> ()")})
    found = schema_of(tree, "torch.ops.ns.op.default")
    assert found is not None
    schema, path, line = found
    assert (path, line, [a.written for a in schema.args]) == ("csrc/b.cpp", 2, [True, False])
    assert schema_of(tree, "torch.ops.other.op") is None
    assert schema_of(tree, "nonsense") is None


def test_a_known_namespace_goes_before_one_that_may_be_any() -> None:
    text = library("NS_OF_BUILD", "op(Tensor! x) -> ()") + library("ns", "op(Tensor x) -> Tensor")
    found = schema_of(Texts({"a.cpp": text}), "ns::op")
    assert found is not None and not found[0].args[0].written


def test_overloads() -> None:
    tree = Texts(
        {"a.cpp": library("ns", "op(Tensor x) -> Tensor", "op.out(Tensor x, *, Tensor(a!) out) -> Tensor(a!)")}
    )
    assert schema_of(tree, "ns::op") is None
    assert [schema_of(tree, n) is not None for n in ("ns::op.default", "ns::op.out", "ns::op.x")] == [
        True,
        True,
        False,
    ]
    default = schema_of(tree, "torch.ops.ns.op.default")
    assert default is not None and default[0].overload == ""


def test_searches_are_few() -> None:
    own = library("ns", "op(Tensor! x) -> ()").replace("}", '  m.impl("op", torch::kCUDA, &op);\n}')
    tree = Texts({"a.cpp": own, "b.py": "op = 1\n"})
    operators = Operators(tree.read, tree.mentions)
    for _ in range(3):
        assert operators.schema_of("ns::op") is not None
    assert len(tree.asked) == 1 and ".py" not in tree.asked[0][1]
    assert operators.find(Name("aten", "op")).places == ()
    assert len(tree.asked) == 1
    operators.find(Name("other", "op"))
    assert len(tree.asked) == 3


def test_a_word_that_is_everywhere_says_nothing() -> None:
    files = {f"f{i}.py": "op\n" for i in range(200)} | {
        "a.py": '@custom_op("ns::op", mutates_args=())\ndef op(x): ...\n'
    }
    tree = Texts(files)
    assert Operators(tree.read, tree.mentions).find(Name("ns", "op")).functions == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("k/pyproject.toml", '[tool.setuptools]\npackage-dir = {"k_pkg" = "src/k-pkg"}\n'),
        ("k/pyproject.toml", '[tool.setuptools.package-dir]\nk_pkg = "src/k-pkg"\n\n[other]\nx = "y"\n'),
        ("k/setup.py", 'setup(\n    package_dir={"": "lib", "k_pkg": "./src/k-pkg/"},\n)\n'),
        ("k/setup.cfg", "[options]\npackage_dir =\n    k_pkg = src/k-pkg\n"),
    ],
)
def test_folders_of_packages(path: str, text: str) -> None:
    tree = Texts({path: text, "k/src/k-pkg/a.py": ""})
    known = folders(tree.paths(), tree.read)
    assert known == {"k_pkg": "k/src/k-pkg"}
    assert mapped("k_pkg.a", known) == "k/src/k-pkg/a"
    assert mapped("k_pkgs.a", known) is None


@pytest.mark.parametrize(
    "text", ['# package_dir={"a": "b"}\n', 'package_dir={"a": "../b"}\n', "package_dir={name: where}\n", ""]
)
def test_what_says_no_folder(text: str) -> None:
    tree = Texts({"setup.py": text})
    assert folders(tree.paths(), tree.read) == {}
