"""Small trees to scan, in a folder of their own, with a cache of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from allocsafe.cli import main

HOLE = """import torch


def ends(lengths, n):
    out = torch.empty(n + 1, dtype=torch.int32)
    out[1:] = lengths
    return out.sum()
"""

FULL = HOLE.replace("out[1:] = lengths", "out[:] = lengths")

CLOSED = """import torch
import closed_kernels


def run(n):
    out = torch.empty(n)
    closed_kernels.launch(out)
    return out.sum()
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes files below a fresh folder, and makes it the working folder."""
    monkeypatch.setenv("ALLOCSAFE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ALLOCSAFE_DEBUG", raising=False)
    home = tmp_path / "tree"

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.chdir(home)
        return home

    return write


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def call(*args: str) -> Ran:
        capfd.readouterr()
        status = main(["scan", *args])
        out, err = capfd.readouterr()
        return Ran(status, out, err)

    return call


def git(folder: Path, *args: str) -> str:
    name = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", "-C", str(folder), *name, *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()
