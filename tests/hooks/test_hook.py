"""The pre-commit hook, run by pre-commit in a scratch repository.

The quick runs take the hook's manifest as it is and the tool from this environment (`language: system`). The last one
lets pre-commit build the hook's own environment, as a user's first commit does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hooks.conftest import BAD, GOOD, OFFLINE, Scratch, skip_without_index

pytest.importorskip("allocsafe.pipeline", exc_type=ImportError)
pytest.importorskip("pre_commit")


def install(scratch: Scratch, hook: Scratch, language: str | None = "system") -> None:
    more = f", language: {language}" if language else ""
    head = hook.git("rev-parse", "HEAD")
    config = f"repos:\n  - repo: {hook.root}\n    rev: {head}\n    hooks: [{{id: allocsafe{more}}}]\n"
    scratch.write(".pre-commit-config.yaml", config)
    scratch.git("add", ".pre-commit-config.yaml")
    scratch.git("commit", "-q", "-m", "hook")


def pre_commit(scratch: Scratch, home: Path, *args: str) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = scratch.env | {"PRE_COMMIT_HOME": str(home), "PATH": path, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", *args],
        cwd=scratch.root,
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_staged_change_is_judged(scratch: Scratch, hook_repository: Scratch, tmp_path: Path) -> None:
    install(scratch, hook_repository)
    scratch.write("pkg/offsets.py", BAD)
    scratch.git("add", "-A")
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe")
    assert status == 1, words
    assert "pkg/offsets.py:5:" in words
    assert "unsafe AS102" in words
    scratch.write("pkg/offsets.py", GOOD)
    scratch.git("add", "-A")
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe")
    assert status == 0, words
    assert "Passed" in words


def test_what_is_not_staged_is_not_judged(scratch: Scratch, hook_repository: Scratch, tmp_path: Path) -> None:
    install(scratch, hook_repository)
    scratch.write("pkg/offsets.py", BAD)
    scratch.write("other.py", "x = 1\n")
    scratch.git("add", "other.py")
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe")
    assert status == 0, words
    assert "Passed" in words
    assert (scratch.root / "pkg/offsets.py").read_text() == BAD


def test_a_range_is_judged_whatever_is_staged(scratch: Scratch, hook_repository: Scratch, tmp_path: Path) -> None:
    install(scratch, hook_repository)
    first = scratch.git("rev-parse", "HEAD")
    bad = scratch.commit({"pkg/offsets.py": BAD})
    good = scratch.commit({"pkg/offsets.py": GOOD})
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe", "--from-ref", first, "--to-ref", bad)
    assert status == 1, words
    assert "unsafe AS102" in words
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe", "--from-ref", first, "--to-ref", good)
    assert status == 0, words


def test_a_commit_is_stopped_by_the_installed_hook(scratch: Scratch, hook_repository: Scratch, tmp_path: Path) -> None:
    install(scratch, hook_repository)
    home = tmp_path / "home"
    status, words = pre_commit(scratch, home, "install")
    assert status == 0, words
    scratch.write("pkg/offsets.py", BAD)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = scratch.env | {"PRE_COMMIT_HOME": str(home), "PATH": path}
    command = ["git", "-C", str(scratch.root), "commit", "-q", "-am", "bad"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1
    assert "AS102" in done.stdout + done.stderr


def test_a_commit_without_source_files_does_not_run_it(
    scratch: Scratch, hook_repository: Scratch, tmp_path: Path
) -> None:
    install(scratch, hook_repository)
    scratch.write("README", "y\n")
    scratch.git("add", "-A")
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe")
    assert status == 0, words
    assert "Skipped" in words


@pytest.mark.skipif(OFFLINE, reason="builds an environment, and ALLOCSAFE_OFFLINE is set")
def test_with_an_environment_of_its_own(scratch: Scratch, hook_repository: Scratch, tmp_path: Path) -> None:
    install(scratch, hook_repository, language=None)
    scratch.write("pkg/offsets.py", BAD)
    scratch.git("add", "-A")
    status, words = pre_commit(scratch, tmp_path / "home", "run", "allocsafe")
    skip_without_index(words)
    assert status == 1, words
    assert "unsafe AS102" in words
