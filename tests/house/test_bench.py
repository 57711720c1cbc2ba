"""The patch that the speed table measures is what the table says: safe, and by the help of five other files."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from allocsafe import pipeline
from allocsafe.config import Config

from tests.patch.scratch import Scratch, listing

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    for name in ("measure", "bench_tree"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("bench_tree")


def verdicts(root: Path, rev: str, patch: bytes) -> list[str]:
    asked: dict[str, Any] = {
        "patch": patch, "root": root, "from_rev": rev, "to_rev": None, "staged": False, "only": (), "select": (),
        "ignore": (), "show_all": False, "budget": 20.0, "config": Config(), "use_cache": False,
    }  # fmt: skip
    report = pipeline.check(pipeline.Request(**asked))
    return [type(site.judged.verdict).__name__ for site in report.sites]


def test_the_patch_is_safe_and_needs_each_of_five_other_files(bench: ModuleType, tmp_path: Path) -> None:
    given = Scratch(tmp_path / "given")
    given.commit({"real.py": "import torch\n"})
    before = listing(given.root)
    (tmp_path / "made").mkdir()
    repo, commit = bench.prepared(tmp_path / "made", given.root, "HEAD")
    assert listing(given.root) == before
    patch = bench.patch(tmp_path / "made").read_bytes()
    assert verdicts(repo, commit, patch) == ["Safe"]
    others = [path for path in bench.files() if path.endswith(".py") and Path(path).stem in bench.CHAIN[1:]]
    assert len(others) == 5
    whole = Scratch(tmp_path / "whole")
    for missing in others:
        whole.commit({**bench.files(), missing: "# gone\n"})
        assert verdicts(whole.root, "HEAD", patch) != ["Safe"], missing


def test_a_commit_that_is_not_there_is_one_line(bench: ModuleType, tmp_path: Path) -> None:
    given = Scratch(tmp_path / "given")
    with pytest.raises(SystemExit, match="git rev-parse"):
        bench.prepared(tmp_path, given.root, "HEAD")


def test_labelled_edits_are_read(bench: ModuleType, tmp_path: Path) -> None:
    rows = [
        {"id": "a-py-001", "seconds": 1.0},
        {"id": "a-py-002", "seconds": 3.5},
        {"id": "a-cpp-001", "seconds": 99.0},
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = bench.replayed(tmp_path / "r.jsonl")
    assert [(row.figure, row.fine) for row in found] == [("2.2 s", False), ("3.5 s", True)]
    (tmp_path / "bad.jsonl").write_text('{"id": "a-py-001"}\n')
    with pytest.raises(SystemExit, match=r"bad\.jsonl:1: not a result"):
        bench.replayed(tmp_path / "bad.jsonl")
