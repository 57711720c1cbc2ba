"""The GitHub Action: from the event that started a workflow to a range of commits, and from there to `allocsafe check`.

Both sides are read from git objects, so it does not matter what is checked out (a pull request's merge commit,
usually). A shallow clone has neither the base nor the common ancestor: what is missing is fetched, and a range that
cannot be had is an error, never a clean result. A pull request is judged against its merge base, because a difference
to the tip of the base branch would blame it for what others merged meanwhile.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's name for the tree without files: the old side of a first commit."""
DEEPEN = (50, 500, 5000)


class NoRange(Exception):
    """The event names no commits that could be compared."""


class Repository:
    """The few questions this script asks git."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *args: str) -> str | None:
        """Output of a git command, None if it fails."""
        done = subprocess.run(["git", "-C", str(self.root), *args], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def commit(self, name: str) -> str:
        """The full name of a commit, fetched if it is not here. Raises `NoRange`."""
        found = self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found is None and self.git("fetch", "--no-tags", "--depth=1", "origin", name) is not None:
            found = self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found is None:
            raise NoRange(f"commit {name} is not in this clone and could not be fetched; check out with fetch-depth: 0")
        return found

    def merge_base(self, one: str, other: str) -> str:
        """The common ancestor, with as much history fetched as it takes. Raises `NoRange`."""
        found = self.git("merge-base", one, other)
        for depth in DEEPEN:
            if found is not None or self.git("rev-parse", "--is-shallow-repository") != "true":
                break
            self.git("fetch", "--no-tags", f"--deepen={depth}", "origin", one, other)
            found = self.git("merge-base", one, other)
        if found is None:
            raise NoRange(f"no common ancestor of {one[:12]} and {other[:12]} is here; check out with fetch-depth: 0")
        return found

    def parent(self, commit: str) -> str:
        """The first parent; the empty tree for a first commit."""
        found = self.git("rev-parse", "--verify", "--quiet", f"{commit}^1")
        if found is not None:
            return found
        if self.git("rev-parse", "--is-shallow-repository") == "true":
            self.git("fetch", "--no-tags", "--deepen=1", "origin", commit)
            found = self.git("rev-parse", "--verify", "--quiet", f"{commit}^1")
        return found or EMPTY


def revisions(name: str, event: Mapping[str, Any], repository: Repository) -> tuple[str, str]:
    """The two sides that an event is about. Raises `NoRange`."""
    if name.startswith("pull_request") or "pull_request" in event:
        pull = event["pull_request"]
        base, head = repository.commit(pull["base"]["sha"]), repository.commit(pull["head"]["sha"])
        return repository.merge_base(base, head), head
    if "merge_group" in event:
        group = event["merge_group"]
        return repository.commit(group["base_sha"]), repository.commit(group["head_sha"])
    if name == "push":
        before, after = str(event.get("before", "")), str(event.get("after", ""))
        if not after.strip("0"):
            raise NoRange("the push deletes a branch: nothing to judge")
        head = repository.commit(after)
        if not before.strip("0"):  # a new branch: what came before it is not in the event
            return repository.parent(head), head
        return repository.commit(before), head
    head = repository.commit("HEAD")
    return repository.parent(head), head


def check(root: str, old: str, new: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    """One run of the tool, in this interpreter's environment."""
    command = [sys.executable, "-m", "allocsafe", "check", "--root", root, "--from", old, "--to", new, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(environ: Mapping[str, str] = os.environ) -> int:
    """The step. Returns its exit status."""
    root = environ.get("ALLOCSAFE_ROOT") or "."
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        if not isinstance(event, dict):
            raise TypeError("expected an object")
        old, new = revisions(environ.get("GITHUB_EVENT_NAME", ""), event, Repository(Path(root)))
        further = shlex.split(environ.get("ALLOCSAFE_ARGS", ""))
    except (NoRange, KeyError, OSError, TypeError, ValueError) as error:
        what = error if isinstance(error, NoRange) else f"the event cannot be read: {type(error).__name__}: {error}"
        return _finish(2, str(what), environ)
    print(f"allocsafe: judging {old[:12]}..{new[:12]}", flush=True)
    fail_on = environ.get("ALLOCSAFE_FAIL_ON") or "unsafe"
    form = environ.get("ALLOCSAFE_FORMAT") or "github"
    done = check(root, old, new, [*further, "--format", form, "--fail-on", fail_on])
    sys.stdout.write(done.stdout)
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary and environ.get("ALLOCSAFE_SUMMARY", "true") != "false" and (done.returncode != 2 or done.stdout):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.md")
            check(root, old, new, [*further, "--format", "markdown", "--output", str(page), "--fail-on", "never"])
            if page.exists():
                with open(summary, "ab") as out:
                    out.write(page.read_bytes())
    return _finish(done.returncode, done.stderr.strip(), environ)


def _finish(status: int, message: str, environ: Mapping[str, str]) -> int:
    if message:
        print(message, file=sys.stderr)
    if status not in (0, 1):
        text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=allocsafe::{text}")
    output = environ.get("GITHUB_OUTPUT")
    if output:
        with open(output, "a", encoding="utf-8") as out:
            out.write(f"status={status}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
