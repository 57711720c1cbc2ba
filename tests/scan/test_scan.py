"""`allocsafe scan` from the command line to the exit status, over small trees."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.scan.conftest import CLOSED, FULL, HOLE, Ran, git

Put = Callable[[dict[str, str]], Path]
Run = Callable[..., Ran]

SCHEMA = json.loads((Path(__file__).parents[1] / "report" / "schema.json").read_text())


def verdicts(ran: Ran) -> dict[str, str]:
    return {f"{s['path']}:{s['line']}": s["verdict"] for s in json.loads(ran.out)["sites"]}


def test_every_uninitialised_allocation_gets_its_verdict(put: Put, run: Run) -> None:
    put({"hole.py": HOLE, "pkg/full.py": FULL, "pkg/closed.py": CLOSED, "zeros.py": FULL.replace("empty", "zeros")})
    ran = run("--format", "json")
    assert verdicts(ran) == {"hole.py:5": "unsafe", "pkg/full.py:5": "safe", "pkg/closed.py:6": "unknown"}
    assert ran.status == 1
    report = json.loads(ran.out)
    jsonschema.validate(report, SCHEMA)
    assert {s["kind"] for s in report["sites"]} == {"existing"}
    assert report["scan"]["files"] == 3
    (reason,) = report["scan"]["unknown"]
    assert reason["count"] == 1
    assert "closed_kernels.launch" in reason["reason"]


def test_the_text_counts_the_safe_ones_and_shows_the_others(put: Put, run: Run) -> None:
    put({"hole.py": HOLE, "full.py": FULL, "closed.py": CLOSED})
    ran = run()
    assert ran.status == 1
    assert ran.err == ""
    assert "hole.py:5" in ran.out
    assert "full.py" not in ran.out
    *_, last = ran.out.splitlines()
    assert last == "3 allocations: 1 unsafe, 1 unknown, 1 safe"
    assert "commonest reasons for unknown:\n  1  call: handed to closed_kernels.launch" in ran.out


@pytest.mark.parametrize(
    ("files", "options", "status"),
    [
        ({"a.py": HOLE}, (), 1),
        ({"a.py": HOLE}, ("--fail-on", "never"), 0),
        ({"a.py": FULL}, ("--fail-on", "unknown"), 0),
        ({"a.py": CLOSED}, (), 0),
        ({"a.py": CLOSED}, ("--fail-on", "unknown"), 1),
        ({"a.py": HOLE}, ("--ignore", "AS1"), 0),
        ({"a.py": "print()\n"}, ("--fail-on", "unknown"), 0),
    ],
)
def test_the_status_is_that_of_check(
    put: Put, run: Run, files: dict[str, str], options: tuple[str, ...], status: int
) -> None:
    put(files)
    assert run(*options).status == status


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
def test_every_format_names_the_finding(put: Put, run: Run, form: str) -> None:
    home = put({"pkg/hole.py": HOLE})
    ran = run("--format", form, "--output", "out.txt")
    assert (ran.status, ran.out) == (1, "")
    assert "pkg/hole.py" in (home / "out.txt").read_text()


def test_the_number_of_processes_changes_nothing(put: Put, run: Run) -> None:
    put({f"m{n:02}.py": (HOLE, FULL, CLOSED)[n % 3] for n in range(20)})
    one, four = (json.loads(run("--format", "json", "--no-cache", "--jobs", jobs).out) for jobs in ("1", "4"))
    assert one["sites"] == four["sites"]
    assert [s["path"] for s in one["sites"]] == sorted(s["path"] for s in one["sites"])


def test_paths_and_only_narrow_what_is_judged_and_not_what_is_followed(put: Put, run: Run) -> None:
    helper = "def fill(x, value):\n    x[:] = value\n"
    user = HOLE.replace("import torch\n", "import torch\nfrom pkg.helper import fill\n")
    user = user.replace("out[1:] = lengths", "fill(out, 1)")
    put({"pkg/__init__.py": "", "pkg/helper.py": helper, "pkg/user.py": user, "other.py": HOLE})
    assert verdicts(run("--format", "json", "pkg/user.py")) == {"pkg/user.py:6": "safe"}
    assert verdicts(run("--format", "json", "--only", "pkg")) == {"pkg/user.py:6": "safe"}
    assert run("--format", "json", "pkg", "other.py").status == 1


def test_a_path_in_another_folder_is_read_there(put: Put, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = put({"hole.py": HOLE})
    monkeypatch.chdir(home.parent)
    assert verdicts(run("--format", "json", "tree")) == {"hole.py:5": "unsafe"}


def test_a_commit_is_read_from_git_objects_alone(put: Put, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = put({"a.py": HOLE})
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-qm", "one")
    bare = home.parent / "bare"
    git(home, "clone", "-q", "--bare", ".", str(bare))
    (home / "a.py").write_text(FULL)
    assert verdicts(run("--format", "json")) == {"a.py:5": "safe"}
    assert verdicts(run("--format", "json", "--at", "HEAD")) == {"a.py:5": "unsafe"}
    monkeypatch.chdir(home.parent)
    assert verdicts(run("--format", "json", "--root", str(bare), "--at", "HEAD", "a.py")) == {"a.py:5": "unsafe"}


def test_what_git_ignores_is_not_judged_and_what_is_untracked_is(put: Put, run: Run) -> None:
    home = put({"a.py": HOLE, "new.py": HOLE, "build/b.py": HOLE, ".gitignore": "build/\n"})
    git(home, "init", "-q")
    git(home, "add", "a.py")
    assert set(verdicts(run("--format", "json"))) == {"a.py:5", "new.py:5"}


def test_without_git_foreign_folders_are_left_out(put: Put, run: Run) -> None:
    put(
        {
            "a.py": HOLE,
            "venv/lib/b.py": HOLE,
            "node_modules/c.py": HOLE,
            "mine/pyvenv.cfg": "",
            "mine/d.py": HOLE,
            "src/.git/e.py": HOLE,
        }
    )
    assert set(verdicts(run("--format", "json"))) == {"a.py:5"}


def test_the_configuration_holds(put: Put, run: Run) -> None:
    table = '[tool.allocsafe]\nexclude = ["old/*"]\n[tool.allocsafe.contracts]\n'
    table += '"closed_kernels.launch" = "(x) writes x"\n'
    put({"pyproject.toml": table, "old/hole.py": HOLE, "closed.py": CLOSED})
    assert verdicts(run("--format", "json")) == {"closed.py:6": "safe"}


def test_an_ignore_comment_answers_a_finding(put: Put, run: Run) -> None:
    line = "out = torch.empty(n + 1, dtype=torch.int32)"
    put({"a.py": HOLE.replace(line, f"{line}  # allocsafe: ignore[AS101, AS102] the caller drops row 0")})
    ran = run()
    assert ran.status == 0
    assert "(1 ignored by comment)" in ran.out


def test_an_ignore_comment_without_reason_is_named(put: Put, run: Run) -> None:
    put({"a.py": "x = 1  # allocsafe: ignore[AS101]\n"})
    assert "has no reason" in run().out


def test_a_second_run_says_the_same_from_the_cache(put: Put, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = put({"a.py": HOLE, "b.py": FULL, "c.py": CLOSED})
    first = json.loads(run("--format", "json").out)

    def refuse(*args: Any) -> Any:
        raise AssertionError("a process was started")

    monkeypatch.setattr("allocsafe.scan.spread", lambda *a: refuse() if a[2] else iter(()))
    assert json.loads(run("--format", "json").out)["sites"] == first["sites"]
    monkeypatch.undo()
    monkeypatch.setenv("ALLOCSAFE_CACHE_DIR", str(home.parent / "cache"))
    monkeypatch.chdir(home)
    (home / "b.py").write_text(HOLE)
    assert verdicts(run("--format", "json"))["b.py:5"] == "unsafe"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("nowhere.py",), "nowhere.py: no such file or folder"),
        (("--at", "nowhere"), "no commit named 'nowhere'"),
        (("--budget", "0"), "--budget"),
        (("--jobs", "0"), "0 is not in the range"),
        (("--root", "nowhere"), "--root: no such folder"),
        (("--select", "AS999"), "AS999"),
        (("..",), "not inside of"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(put: Put, run: Run, options: tuple[str, ...], words: str) -> None:
    home = put({"a.py": HOLE})
    git(home, "init", "-q")
    git(home, "add", "a.py")
    git(home, "commit", "-qm", "one")
    ran = run(*(("--root", ".", "..") if options == ("..",) else options))
    assert ran.status == 2
    assert ran.out == ""
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("allocsafe: ")


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_judged(put: Put, run: Run) -> None:
    home = put({"a.py": HOLE})
    (home / "b.py").write_bytes(b"x = torch.empty(3)\0")
    ran = run()
    assert ran.status == 1
    assert "b.py: error: holds NUL bytes" in ran.out


def test_code_that_does_not_parse_keeps_its_allocations_as_unknown(put: Put, run: Run) -> None:
    put({"a.py": "import torch\n\n\ndef f(n):\n    x = torch.empty(n)\n    return x +\n"})
    assert verdicts(run("--format", "json")) == {"a.py:5": "unknown"}


def test_an_empty_tree_has_nothing_to_judge(put: Put, run: Run) -> None:
    put({"readme.txt": "torch.empty(3)\n"})
    assert run().out.splitlines()[-1] == "no allocation starts uninitialised"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the stand-in for a crash reaches forked processes only"
)
def test_a_crash_costs_its_file_alone(put: Put, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    from allocsafe.scan import worker

    whole = worker.judge_file

    def dies(program: Any, path: str, settings: Any) -> Any:
        if path == "b.py":
            os.kill(os.getpid(), 9)
        return whole(program, path, settings)

    monkeypatch.setattr(worker, "judge_file", dies)
    put({"a.py": HOLE, "b.py": HOLE, "c.py": FULL})
    ran = run("--format", "json", "--jobs", "1", "--no-cache")
    assert verdicts(ran) == {"a.py:5": "unsafe", "b.py:5": "unknown", "c.py:5": "safe"}
    assert "the analysis ended with signal SIGKILL" in ran.out
