"""Verdicts of earlier runs: used while all that they rest on stands, and not a moment longer."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allocsafe import pipeline, recall
from allocsafe.cache.questions import Questions
from allocsafe.cache.store import FILE, Store
from allocsafe.config import Config
from allocsafe.report.as_json import render

from tests.patch.scratch import Scratch, listing

MAIN = """import torch
from pkg.fill import fill
from pkg.sizes import LIMIT


class Runner:
    def __init__(self, n):
        self.n = n

    def step(self, n):
        out = torch.zeros(n)
        fill(out, n)
        return out.sum() + LIMIT
"""
FILL = "from pkg.deep import put\n\n\ndef fill(out, n):\n    put(out, n)\n"
DEEP = "def put(out, n):\n    out[:n] = 1\n"
SHORT = "def put(out, n):\n    out[: n - 1] = 1\n"
TREE: dict[str, str | bytes | None] = {
    "pkg/__init__.py": "", "pkg/main.py": MAIN, "pkg/fill.py": FILL, "pkg/deep.py": DEEP, "pkg/sizes.py": "LIMIT = 3\n",
    "other.py": "print('nothing')\n",
}  # fmt: skip
EMPTY = MAIN.replace("torch.zeros", "torch.empty")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    made = Scratch(tmp_path / "repo")
    made.commit(TREE)
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALLOCSAFE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that were analysed, and not remembered."""
    paths: list[str] = []
    plain = pipeline._Sides._file

    def noted(self: Any, pair: Any, *rest: Any) -> Any:
        paths.append(pair.path)
        return plain(self, pair, *rest)

    monkeypatch.setattr(pipeline._Sides, "_file", noted)
    yield paths
    paths.clear()


def request(repo: Scratch, **more: Any) -> pipeline.Request:
    values: dict[str, Any] = {
        "patch": None, "root": repo.root, "from_rev": None, "to_rev": None, "staged": False, "only": (), "select": (),
        "ignore": (), "show_all": False, "budget": 20.0, "config": Config(), "use_cache": True,
    }  # fmt: skip
    return pipeline.Request(**{**values, **more})


def verdicts(asked: pipeline.Request) -> list[dict[str, Any]]:
    """The sites, as any report shows them."""
    report = pipeline.check(asked)
    assert not report.errors
    sites: list[dict[str, Any]] = json.loads(render(report))["sites"]
    return sites


def words(asked: pipeline.Request) -> list[str]:
    return [site["verdict"] for site in verdicts(asked)]


def test_the_second_run_says_the_same_and_analyses_nothing(repo: Scratch, analysed: list[str]) -> None:
    repo.commit({"pkg/main.py": EMPTY})
    asked = request(repo, from_rev="HEAD~1", to_rev="HEAD")
    first = verdicts(asked)
    assert [site["verdict"] for site in first] == ["safe"] and analysed == ["pkg/main.py"]
    assert verdicts(asked) == first and analysed == ["pkg/main.py"]
    assert verdicts(asked._replace(use_cache=False)) == first and len(analysed) == 2


def test_a_helper_that_changes_on_disk_changes_the_verdict(repo: Scratch, analysed: list[str]) -> None:
    repo.write({"pkg/main.py": EMPTY})
    asked = request(repo)
    assert words(asked) == ["safe"]
    repo.write({"pkg/deep.py": SHORT})
    assert words(asked) == ["unsafe", "unsafe"]  # the allocation, and the shorter fill of what is handed over
    repo.write({"pkg/deep.py": DEEP})
    count = len(analysed)
    assert words(asked) == ["safe"] and len(analysed) == count  # both states are remembered


def test_what_was_not_asked_may_change(repo: Scratch, analysed: list[str]) -> None:
    repo.write({"pkg/main.py": EMPTY, "other.py": "print('one thing')\n"})  # whether a patch has other files is asked
    asked = request(repo)
    first = verdicts(asked)
    repo.write({"other.py": "print('something')\n", "unrelated.py": "x = 1\n", "notes.txt": "put"})
    os.utime(repo.root / "pkg/deep.py", (1, 1))
    assert verdicts(asked) == first and analysed == ["pkg/main.py"]


def test_a_commit_that_changes_something_else_leaves_the_verdict(
    repo: Scratch, analysed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same patch on another tree: every question is asked again and has the same answer."""
    patch = patch_of(repo)
    asked = request(repo, patch=patch, from_rev="HEAD")
    assert words(asked) == ["safe"]
    repo.commit({"other.py": "print('more')\n"})
    assert words(asked) == ["safe"] and len(analysed) == 1
    asked_again: list[tuple[str, ...]] = []
    plain = Questions.answer

    def noted(self: Questions, question: tuple[str, ...]) -> str | None:
        asked_again.append(question)
        return plain(self, question)

    monkeypatch.setattr(Questions, "answer", noted)
    assert words(asked) == ["safe"] and len(analysed) == 1 and not asked_again  # these trees are known now
    repo.commit({"pkg/deep.py": SHORT})
    assert words(asked) == ["unsafe"] and len(analysed) == 2 and asked_again


def test_a_file_that_comes_up_changes_what_a_name_means(repo: Scratch, analysed: list[str]) -> None:
    repo.write({"pkg/main.py": EMPTY})
    asked = request(repo)
    assert words(asked) == ["safe"]
    repo.write({"pkg/fill/__init__.py": "def fill(out, n):\n    pass\n", "pkg/fill.py": None})
    assert words(asked) != ["safe"] and len(analysed) == 2


SUBCLASSED = """import torch


class Base:
    def put(self, out, n):
        out[:n] = 1

    def step(self, n):
        out = torch.zeros(n)
        self.put(out, n)
        return out.sum()
"""


def test_a_new_file_that_overrides_a_method_changes_the_verdict(repo: Scratch, analysed: list[str]) -> None:
    repo.commit({"pkg/base.py": SUBCLASSED})
    repo.write({"pkg/base.py": SUBCLASSED.replace("zeros", "empty")})
    asked = request(repo)
    before = words(asked)
    repo.write({"pkg/child.py": "from pkg.base import Base\n\n\nclass Child(Base):\n    def put(self, out, n): pass\n"})
    repo.git("add", "-N", "pkg/child.py")
    after = words(asked)
    assert after == words(asked._replace(use_cache=False))
    assert before == ["safe"] and after != ["safe"]


KEPT = """import torch


class Holder:
    def __init__(self, n):
        self.state_of_all = torch.zeros(n)
        self.n = n

    def step(self):
        self.state_of_all[:] = 1
        return self.state_of_all.sum()
"""


def test_a_new_file_that_mentions_the_name_changes_the_verdict(repo: Scratch, analysed: list[str]) -> None:
    repo.commit({"pkg/keeps.py": KEPT})
    repo.write({"pkg/keeps.py": KEPT.replace("zeros", "empty")})
    asked = request(repo)
    before = words(asked)
    repo.write({"pkg/reads.py": "def look(h):\n    return h.state_of_all.sum()\n"})
    after = words(asked)
    assert len(analysed) == 2 and after == words(asked._replace(use_cache=False))
    assert before == ["safe"] and after != ["safe"]


def patch_of(repo: Scratch) -> bytes:
    """The patch of the main file, taken and put back."""
    repo.write({"pkg/main.py": EMPTY})
    patch = repo.diff()
    repo.write({"pkg/main.py": MAIN})
    return patch


def test_settings_are_part_of_the_question(repo: Scratch, analysed: list[str]) -> None:
    asked = request(repo, patch=patch_of(repo))
    verdicts(asked)
    more = Config(phases={"replay": ("step",)})
    verdicts(asked._replace(config=more))
    verdicts(asked._replace(show_all=True))
    assert len(analysed) == 3
    loud = Config(fail_on="unknown", format="json", exclude=("none",), budget=7.0)
    verdicts(asked._replace(config=loud, budget=7.0))
    verdicts(asked._replace(config=more))
    assert len(analysed) == 3


def test_another_version_of_the_tool_has_nothing_there(
    repo: Scratch, analysed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from allocsafe.cache import tool

    asked = request(repo, patch=patch_of(repo))
    verdicts(asked)
    monkeypatch.setattr(tool, "tool", lambda: b"other")
    verdicts(asked)
    monkeypatch.setattr(tool, "tool", lambda: None)
    verdicts(asked)
    assert len(analysed) == 3


def test_what_hit_a_limit_of_time_is_not_kept(repo: Scratch, analysed: list[str], place: Path) -> None:
    long = "def put(out, n):\n" + "    a = n\n" * 400 + "    out[:n] = 1\n"
    repo.commit({"pkg/deep.py": long})
    asked = request(repo, patch=patch_of(repo), budget=1e-9)
    assert words(asked) == ["unknown"] == words(asked) and len(analysed) == 2
    assert words(asked._replace(budget=20.0)) == ["safe"] and len(analysed) == 3
    assert words(asked) == ["safe"] and len(analysed) == 3  # what is whole holds for any budget


def test_a_bug_is_not_kept(repo: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    from allocsafe.flow.machine import Machine

    asked = request(repo, patch=patch_of(repo))
    with monkeypatch.context() as broken:

        def fails(*_: object) -> None:
            raise KeyError("x")

        broken.delenv("ALLOCSAFE_DEBUG", raising=False)
        broken.setattr(Machine, "run", fails)
        assert words(asked) == ["unknown"]
    assert words(asked) == ["safe"]


@pytest.mark.parametrize("how", [{"use_cache": False}, {"config": Config(cache=False)}])
def test_without_a_cache_nothing_is_written(
    repo: Scratch, place: Path, analysed: list[str], how: dict[str, Any]
) -> None:
    asked = request(repo, patch=patch_of(repo), **how)
    assert words(asked) == words(asked) == ["safe"] and len(analysed) == 2
    assert not place.exists()


def test_a_patch_that_concerns_nothing_opens_no_cache(repo: Scratch, place: Path) -> None:
    repo.write({"other.py": "print('other')\n"})
    assert words(request(repo)) == [] and not place.exists()


def test_nothing_is_written_into_the_repository(repo: Scratch) -> None:
    patch = patch_of(repo)
    before = listing(repo.root)
    words(request(repo, patch=patch))
    assert listing(repo.root) == before


@pytest.mark.parametrize("damage", ["torn", "other", "gone"])
def test_a_damaged_cache_costs_time_only(repo: Scratch, place: Path, analysed: list[str], damage: str) -> None:
    asked = request(repo, patch=patch_of(repo))
    words(asked)
    path = place / FILE
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:3000] if damage == "torn" else b"no database at all" * 500)
    assert words(asked) == ["safe"] and len(analysed) == 2
    assert words(asked) == ["safe"] and len(analysed) == 2


def test_kept_results_of_another_shape_are_ignored(repo: Scratch, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(repo, patch=patch_of(repo))
    words(asked)
    from allocsafe.cache.packing import packed

    for other in ([1, 2], "text", [("a", (), 3)], None):
        data = packed(other)
        assert data is not None
        monkeypatch.setattr(Store, "get", lambda self, key, data=data: data)
        assert words(asked) == ["safe"]


def test_no_place_for_a_cache_is_silence(repo: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ALLOCSAFE_CACHE_DIR", str(tmp_path / "file"))
    assert words(request(repo, patch=patch_of(repo))) == ["safe"]


def test_a_change_without_whole_trees_is_never_kept(repo: Scratch, analysed: list[str], tmp_path: Path) -> None:
    patch = patch_of(repo)
    (tmp_path / "bare").mkdir()
    os.chdir(tmp_path / "bare")
    for _ in range(2):
        pipeline.check(request(repo, patch=patch, root=None))
    assert analysed == ["pkg/main.py"] * 2


SCRIPT = """
import sys
from allocsafe.cli import main
status = main(sys.argv[1:])
wanted = ("libcst", "tree_sitter", "tree_sitter_cpp", "islpy", "allocsafe.flow.machine")
print(status, *(name for name in wanted if name in sys.modules), file=sys.stderr)
"""
CPP = "#include <vector>\nint f(int n) {\n  int a[8]%s;\n  for (int i = 0; i < 8; i++) a[i] = i;\n  return a[3];\n}\n"


def test_a_warm_run_imports_no_parser(repo: Scratch) -> None:
    repo.commit({"k.cpp": CPP % " = {0}"})
    repo.commit({"pkg/main.py": EMPTY, "k.cpp": CPP % ""})
    command = [sys.executable, "-c", SCRIPT, "check", "--from", "HEAD~1", "--to", "HEAD", "--format", "json"]
    runs = [subprocess.run(command, capture_output=True, text=True, cwd=repo.root, check=False) for _ in range(2)]
    reports = [json.loads(run.stdout) for run in runs]
    assert reports[0]["sites"] == reports[1]["sites"] and len(reports[0]["sites"]) == 2
    assert "libcst" in runs[0].stderr and "tree_sitter" in runs[0].stderr
    assert runs[1].stderr.split() == runs[0].stderr.split()[:1]


def test_only_the_definition_that_changed_is_parsed(repo: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another patch: no verdict is there for it, but all that its callees and its own other parts are made of."""
    from allocsafe.frontends.python.cut import Cut

    parsed: list[tuple[str, str]] = []
    plain = Cut.__init__

    def noted(self: Any, *args: Any) -> None:
        plain(self, *args)
        parsed.append((self.path, self.text))

    monkeypatch.setattr(Cut, "__init__", noted)
    assert words(request(repo, patch=patch_of(repo))) == ["safe"]
    assert {path for path, _ in parsed} >= {"pkg/main.py", "pkg/fill.py", "pkg/deep.py"}
    parsed.clear()
    repo.write({"pkg/main.py": "# a line more\n" + EMPTY.replace("out.sum() +", "out.max() +")})
    assert words(request(repo)) == ["safe"]
    assert {path for path, _ in parsed} == {"pkg/main.py"}  # of its old side the first patch needed no walk
    assert sum("out.max()" in text for _, text in parsed) == 1 and len(parsed) == 2


def test_random_edits_with_and_without_a_cache_say_the_same(repo: Scratch) -> None:
    """States of a small program in random order, some of them met before: never another answer than afresh."""
    dice = random.Random(7)
    states: dict[str, list[str | bytes | None]] = {
        "pkg/deep.py": [DEEP, SHORT, "def put(out, n):\n    pass\n", "from pkg.sizes import put\n"],
        "pkg/fill.py": [FILL, "def fill(out, n):\n    out.fill_(0)\n", "from pkg.deep import put as fill\n"],
        "pkg/sizes.py": ["LIMIT = 3\n", "LIMIT = 4\n\n\ndef put(out, n):\n    out[0:n] = 2\n"],
        "pkg/child.py": [
            "from pkg.main import Runner as R\n\n\nclass C(R):\n    def step(self, n): return n\n",
            "x = 1\n",
        ],
        "deep.py": ["def put(out, n):\n    pass\n", "put = None\n"],
    }
    patch = patch_of(repo)
    for _ in range(24):
        for name in dice.sample(sorted(states), 2):
            repo.write({name: dice.choice(states[name])})
        asked = request(repo, patch=patch)
        assert verdicts(asked) == verdicts(asked._replace(use_cache=False))


def test_what_is_asked_while_one_file_is_judged_is_asked_anew_for_the_next(repo: Scratch, analysed: list[str]) -> None:
    """Two files rest on one helper; the second one's answer must know it, though the first had asked before."""
    repo.commit({"pkg/twin.py": MAIN})
    repo.write({"pkg/main.py": EMPTY, "pkg/twin.py": EMPTY})
    asked = request(repo)
    assert words(asked) == ["safe", "safe"]
    repo.write({"pkg/main.py": EMPTY + "\n\nMORE = 1\n"})  # the first is judged anew, the second recalled
    assert words(asked) == ["safe", "safe"] and analysed[2:] == ["pkg/main.py"]
    repo.write({"pkg/deep.py": SHORT})
    assert words(asked) == ["unsafe", "unsafe", "unsafe"]  # both allocations, and the shorter fill


def test_records_are_all_that_a_verdict_is_made_of(repo: Scratch) -> None:
    assert {one.__name__ for one in recall.records()} >= {"Judged", "Site", "Safe", "Unsafe", "Unknown", "Span"}


def test_only_the_clock_looks_at_the_time() -> None:
    """A deadline that passes unseen by `flow.clock` would let a verdict be kept that a slow machine made."""
    home = Path(recall.__file__).parent
    rooms = [*home.glob("flow/*.py"), *home.glob("regions/*.py"), *home.glob("effects/*.py"), home / "edits.py"]
    rooms += [path for path in (home / "across.py",) if path.exists()]
    guilty = [
        path.name for path in rooms if re.search(r"^\s*(?:import|from) (?:time|datetime)\b", path.read_text(), re.M)
    ]
    assert guilty == ["clock.py"]
