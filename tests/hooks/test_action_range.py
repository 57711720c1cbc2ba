"""Which two commits an event is about, in full, shallow and odd clones."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.hooks.conftest import ROOT, Scratch


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("allocsafe_action", ROOT / "tools" / "action.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


action: Any = _script()


class History:
    """first -- second (main)
    \\- topic, which GitHub checks out as a merge with main."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.first = scratch.git("rev-parse", "HEAD")
        scratch.git("checkout", "-q", "-b", "topic")
        self.topic = scratch.commit({"a.py": "a\n"})
        scratch.git("checkout", "-q", "main")
        self.second = scratch.commit({"b.py": "b\n"})
        scratch.git("merge", "-q", "--no-edit", "topic")
        self.merge = scratch.git("rev-parse", "HEAD")

    def pull(self) -> dict[str, Any]:
        return {"pull_request": {"base": {"sha": self.second}, "head": {"sha": self.topic}}}


@pytest.fixture
def history(scratch: Scratch) -> History:
    return History(scratch)


def test_a_pull_request_is_judged_against_the_merge_base(history: History) -> None:
    repository = action.Repository(history.scratch.root)
    assert action.revisions("pull_request", history.pull(), repository) == (history.first, history.topic)


def test_a_shallow_clone_is_deepened(history: History, tmp_path: Path) -> None:
    history.scratch.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    command = ["git", "clone", "-q", "--depth=1", f"file://{history.scratch.root}", str(clone)]
    subprocess.run(command, check=True, env=history.scratch.env)
    repository = action.Repository(clone)
    assert repository.git("cat-file", "-e", history.topic) is None, "the clone is not shallow, so this shows nothing"
    assert action.revisions("pull_request", history.pull(), repository) == (history.first, history.topic)


def test_a_push_is_before_and_after(history: History) -> None:
    repository = action.Repository(history.scratch.root)
    event = {"before": history.first, "after": history.second}
    assert action.revisions("push", event, repository) == (history.first, history.second)
    new_branch = {"before": "0" * 40, "after": history.topic}
    assert action.revisions("push", new_branch, repository) == (history.first, history.topic)
    first_push = {"before": "0" * 40, "after": history.first}
    assert action.revisions("push", first_push, repository) == (action.EMPTY, history.first)
    with pytest.raises(action.NoRange, match="deletes a branch"):
        action.revisions("push", {"before": history.first, "after": "0" * 40}, repository)


def test_a_merge_queue_and_other_events(history: History) -> None:
    repository = action.Repository(history.scratch.root)
    group = {"merge_group": {"base_sha": history.first, "head_sha": history.second}}
    assert action.revisions("merge_group", group, repository) == (history.first, history.second)
    assert action.revisions("workflow_dispatch", {}, repository) == (history.second, history.merge)


def test_a_commit_that_cannot_be_had_is_an_error(history: History) -> None:
    repository = action.Repository(history.scratch.root)
    event = {"pull_request": {"base": {"sha": "1" * 40}, "head": {"sha": history.topic}}}
    with pytest.raises(action.NoRange, match="fetch-depth: 0"):
        action.revisions("pull_request", event, repository)


def test_unrelated_histories_are_an_error(history: History) -> None:
    history.scratch.git("checkout", "-q", "--orphan", "other")
    other = history.scratch.commit({"c.py": "c\n"})
    event = {"pull_request": {"base": {"sha": other}, "head": {"sha": history.topic}}}
    with pytest.raises(action.NoRange, match="no common ancestor"):
        action.revisions("pull_request", event, action.Repository(history.scratch.root))


@pytest.mark.parametrize("event", ["{", "[]", "{}", '{"pull_request": {}}', '{"pull_request": null}'])
def test_a_broken_event_is_an_annotation_and_status_2(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str], event: str
) -> None:
    path, output = tmp_path / "event.json", tmp_path / "output"
    path.write_text(event)
    environ = {
        "ALLOCSAFE_ROOT": str(history.scratch.root),
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_OUTPUT": str(output),
    }
    assert action.main(environ) == 2
    assert "::error title=allocsafe::the event cannot be read" in capsys.readouterr().out
    assert output.read_text() == "status=2\n"
