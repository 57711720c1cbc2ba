"""Names that the house does not use, and modules that say nothing about themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted([*(ROOT / "linter").rglob("*.py"), *(ROOT / "rules").rglob("*.py")])
# Which way an answer leans is said by may/must, surely/maybe; these two words leave it open.
BANNED = re.compile(r"conservativ|approximat", re.IGNORECASE)


def names_in(tree: ast.AST) -> set[str]:
    """Every name that a module gives to something."""
    out: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            out.add(node.id)
        elif isinstance(node, ast.arg):
            out.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            out.add(node.attr)
    return out


def test_the_check_sees_names() -> None:
    tree = ast.parse("def f(approximate_n): self.x = conservative = 1")
    assert {name for name in names_in(tree) if BANNED.search(name)} == {"approximate_n", "conservative"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {name for name in names_in(tree) if BANNED.search(name)}
    assert not BANNED.search(path.name)
    if path.name != "__init__.py" or tree.body:
        assert ast.get_docstring(tree), "a module opens with its argument"


def test_the_source_roots_are_no_packages() -> None:
    for root in ("linter", "rules"):
        assert not (ROOT / root / "__init__.py").exists()
    for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(?:from|import) (?:linter|rules)\b", text, re.MULTILINE), path
