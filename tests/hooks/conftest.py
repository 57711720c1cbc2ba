"""Scratch repositories: one that is judged, and one that offers the hook (a commit of this checkout)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = bool(os.environ.get("ALLOCSAFE_OFFLINE"))
"""Set it where no package index can be reached: the two tests that build an environment are skipped then."""

BEFORE = """\
import torch


def total(lengths):
    ends = torch.zeros(lengths.shape[0] + 1)
    ends[1:].copy_(lengths)
    return ends.sum()
"""
BAD = BEFORE.replace("zeros", "empty")
GOOD = BAD.replace("    return", "    ends[0] = 0\n    return")


class Scratch:
    """A repository in a folder of its own, blind to the caller's git settings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        self.env |= {
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        if not (root / ".git").exists():
            self.git("init", "-q", "-b", "main")

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *args], capture_output=True, text=True, env=self.env, check=False
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def skip_without_index(words: str) -> None:
    """Skip if an installer's output says that it found no package index; any other failure stays one."""
    lost = ("Failed to establish a new connection", "Temporary failure in name resolution", "Network is unreachable")
    if any(sign in words for sign in lost):
        pytest.skip("no package index can be reached")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A repository with one commit, the filled allocation."""
    repository = Scratch(tmp_path / "scratch")
    repository.commit({"pkg/offsets.py": BEFORE, "README": "x\n"}, "first")
    return repository


@pytest.fixture(scope="session")
def hook_repository(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """This checkout as somebody else's hook repository: what is here now, as one commit."""
    target = tmp_path_factory.mktemp("hook") / "allocsafe"
    ignore = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", "tests", "examples")
    shutil.copytree(ROOT, target, ignore=ignore)
    repository = Scratch(target)
    repository.commit({})
    return repository
