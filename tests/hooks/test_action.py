"""The action: its steps, run as a runner runs them, with an event and an environment made up for the purpose."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hooks.conftest import BAD, GOOD, OFFLINE, ROOT, Scratch, skip_without_index

pytest.importorskip("allocsafe.pipeline", exc_type=ImportError)

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())


class Runner:
    """As much of a runner as a composite action sees."""

    def __init__(self, scratch: Scratch, folder: Path) -> None:
        self.scratch = scratch
        self.folder = folder
        self.summary, self.output = folder / "summary.md", folder / "output"
        for path in (self.summary, self.output):
            path.write_text("")

    def run(self, event: dict[str, Any], name: str, install: bool = False, **inputs: str) -> tuple[int, str]:
        """All steps in order; without `install` the environment that the first would make is this one."""
        event_path = self.folder / "event.json"
        event_path.write_text(json.dumps(event))
        values = {key: spec.get("default", "") for key, spec in ACTION["inputs"].items()}
        values |= {key.replace("_", "-"): value for key, value in inputs.items()}
        temp = self.folder / "temp"
        temp.mkdir(exist_ok=True)
        steps = ACTION["runs"]["steps"]
        if not install:
            steps = steps[1:]
            (temp / "allocsafe" / "bin").mkdir(parents=True, exist_ok=True)
            python = temp / "allocsafe" / "bin" / "python"
            python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            python.chmod(0o755)
        words, status = "", 0
        for step in steps:
            env = self.scratch.env | {
                "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_EVENT_PATH": str(event_path), "GITHUB_EVENT_NAME": name,
                "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(self.output), "RUNNER_TEMP": str(temp),
                "GITHUB_ACTIONS": "true", "CI": "true", "PATH": os.environ["PATH"],
            }  # fmt: skip
            env |= {key: self._value(value, values) for key, value in step.get("env", {}).items()}
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(command, cwd=self.scratch.root, env=env, capture_output=True, text=True, check=False)
            words += done.stdout + done.stderr
            status = done.returncode
            if status:
                break
        return status, words

    @staticmethod
    def _value(template: str, inputs: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], template)


@pytest.fixture
def runner(scratch: Scratch, tmp_path: Path) -> Runner:
    return Runner(scratch, tmp_path)


def pull_request(scratch: Scratch, text: str) -> dict[str, Any]:
    """A pull request whose base moved on; the merge commit is checked out, as GitHub does."""
    scratch.git("checkout", "-q", "-b", "topic")
    head = scratch.commit({"pkg/offsets.py": text})
    scratch.git("checkout", "-q", "main")
    base = scratch.commit({"pkg/other.py": BAD})
    scratch.git("checkout", "-q", "--detach")
    scratch.git("merge", "-q", "--no-edit", "topic")
    return {"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}


def test_a_bad_pull_request_is_annotated_and_fails(scratch: Scratch, runner: Runner) -> None:
    status, words = runner.run(pull_request(scratch, BAD), "pull_request")
    assert status == 1, words
    errors = [row for row in words.splitlines() if row.startswith("::error ")]
    assert len(errors) == 1, words
    assert "file=pkg/offsets.py,line=5," in errors[0]
    assert "AS102" in errors[0]
    assert "pkg/other.py" not in words, "what others merged meanwhile is not this pull request's"
    assert "<details>" in runner.summary.read_text()
    assert "AS102" in runner.summary.read_text()
    assert runner.output.read_text() == "status=1\n"


def test_twin_a_good_one_passes(scratch: Scratch, runner: Runner) -> None:
    status, words = runner.run(pull_request(scratch, GOOD), "pull_request")
    assert status == 0, words
    assert "::error" not in words
    assert "safe" in runner.summary.read_text()


def test_a_push_and_every_input(scratch: Scratch, runner: Runner) -> None:
    first = scratch.git("rev-parse", "HEAD")
    event = {"before": first, "after": scratch.commit({"pkg/offsets.py": BAD})}
    status, words = runner.run(event, "push", fail_on="never", format="text", summary="false", args="--only 'no where'")
    assert (status, runner.summary.read_text()) == (0, ""), words
    assert "AS102" not in words, "--only did not arrive"
    status, words = runner.run(event, "push", fail_on="never", format="text")
    assert status == 0, words
    assert "pkg/offsets.py:5:" in words
    assert "unsafe AS102" in words


def test_bad_input_is_an_annotation_and_status_2(scratch: Scratch, runner: Runner) -> None:
    status, words = runner.run(pull_request(scratch, BAD), "pull_request", args="--selekt AS102")
    assert status == 2, words
    assert "::error title=allocsafe::allocsafe: " in words
    assert runner.output.read_text() == "status=2\n"


def test_inputs_are_never_executed(scratch: Scratch, runner: Runner) -> None:
    mark = runner.folder / "executed"
    hostile = f"$(touch {mark}); `touch {mark}` && touch {mark} ||"
    status, words = runner.run(pull_request(scratch, GOOD), "pull_request", args=hostile)
    assert status == 2, words
    assert not mark.exists()


@pytest.mark.skipif(OFFLINE, reason="builds an environment, and ALLOCSAFE_OFFLINE is set")
def test_all_steps(scratch: Scratch, runner: Runner) -> None:
    status, words = runner.run(pull_request(scratch, BAD), "pull_request", install=True)
    skip_without_index(words)
    assert status == 1, words
    assert "AS102" in words
