"""`allocsafe check`: options to a request, report to a format, findings to a status."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allocsafe.config import Config

from tests.cli.conftest import Engine, Ran
from tests.report import samples

Run = Callable[..., Ran]


def test_without_options_the_request_is_the_default_one(engine: Engine, run: Run) -> None:
    assert run("check") == Ran(0, "no allocation is touched\n", "")
    request = engine.asked[0]
    assert request == type(request)(None, None, None, None, False, (), (), (), False, 20.0, Config(), True)


def test_every_option_arrives(engine: Engine, run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_bytes(b"--- a\n")
    options = "--root . --from HEAD~2 --only a.py --only b/ --select as101,AS102 --select AS190 --ignore AS102 --all"
    run("check", "x.diff", *options.split(), "--budget", "2.5", "--no-cache")
    request = engine.asked[0]
    assert request.patch == b"--- a\n"
    assert request.root == Path(".")
    assert (request.from_rev, request.to_rev, request.staged) == ("HEAD~2", None, False)
    assert request.only == ("a.py", "b/")
    assert (request.select, request.ignore) == (("as101", "AS102", "AS190"), ("AS102",))
    assert (request.show_all, request.budget, request.use_cache) == (True, 2.5, False)


def test_a_dash_is_standard_input(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff patch")))
    run("check", "-")
    assert engine.asked[0].patch == b"\xff patch"


@pytest.mark.parametrize(
    ("sites", "fail_on", "status"),
    [
        ([samples.unsafe()], "unsafe", 1),
        ([samples.unsafe()], "unknown", 1),
        ([samples.unsafe()], "never", 0),
        ([samples.unknown()], "unsafe", 0),
        ([samples.unknown()], "unknown", 1),
        ([samples.unsafe(suppressed="why")], "unknown", 0),
        ([samples.safe(changed=True)], "unknown", 0),
        ([], "unknown", 0),
    ],
)
def test_the_status_follows_fail_on(engine: Engine, run: Run, sites: Any, fail_on: str, status: int) -> None:
    engine.report = samples.report(*sites)
    assert run("check", "--fail-on", fail_on).status == status


def test_the_default_fails_on_unsafe_only(engine: Engine, run: Run) -> None:
    engine.report = samples.report(samples.unknown())
    assert run("check").status == 0
    engine.report = samples.report(samples.unknown(), samples.unsafe())
    assert run("check").status == 1


def test_an_unreadable_input_is_two_if_nothing_else_was_judged(engine: Engine, run: Run) -> None:
    engine.report = samples.report(errors=(("a.py", "syntax error in line 3"),))
    done = run("check")
    assert done.status == 2
    assert done.err == "allocsafe: a.py: syntax error in line 3\n"
    engine.report = samples.report(samples.safe(), errors=(("a.py", "syntax error in line 3"),))
    done = run("check")
    assert (done.status, done.err) == (0, "")
    assert "a.py: error: syntax error in line 3" in done.out


def test_configuration_goes_before_defaults_and_options_before_it(engine: Engine, run: Run, tmp_path: Path) -> None:
    text = '[tool.allocsafe]\nfail-on = "unknown"\nformat = "json"\nbudget = 3\nselect = ["AS1"]\nignore = ["AS108"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    engine.report = samples.report(samples.unknown())
    done = run("check")
    assert done.status == 1
    assert json.loads(done.out)["summary"]["unknown"] == 1
    assert (engine.asked[0].budget, engine.asked[0].select, engine.asked[0].ignore) == (3.0, ("AS1",), ("AS108",))
    done = run("check", "--fail-on", "unsafe", "--format", "text", "--select", "AS190", "--budget", "1")
    assert done.status == 0
    assert done.out.startswith("pkg/closed.py:7:5: unknown AS190")
    assert (engine.asked[1].budget, engine.asked[1].select) == (1.0, ("AS190",))


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
def test_output_writes_that_file_and_nothing_else(engine: Engine, run: Run, tmp_path: Path, form: str) -> None:
    engine.report = samples.report(samples.unsafe())
    shown = run("check", "--format", form)
    written = run("check", "--format", form, "--output", "out.txt")
    assert written == Ran(1, "", "")
    assert (tmp_path / "out.txt").read_text() == shown.out
    assert "AS102" in shown.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.txt"]


def test_pre_commit_names_the_range(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "aaa")
    run("check", "--staged")
    assert engine.asked[0].staged, "one of the two is no range"
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "bbb")
    run("check", "--staged")
    assert (engine.asked[1].from_rev, engine.asked[1].to_rev, engine.asked[1].staged) == ("aaa", "bbb", False)
    (tmp_path / "x.diff").write_bytes(b"p")
    run("check", "x.diff")
    run("check", "--from", "ccc")
    assert (engine.asked[2].from_rev, engine.asked[3].from_rev, engine.asked[3].to_rev) == (None, "ccc", None)
