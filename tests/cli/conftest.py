"""A command line without an engine: `check` gets the report that the test chose, and remembers what it was asked."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from allocsafe.report.records import Report

from tests.report import samples


class Engine:
    """Stands where `allocsafe.pipeline` would be."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.report: Report = samples.report()
        self.raises: BaseException | None = None

    def check(self, request: Any) -> Report:
        self.asked.append(request)
        if self.raises is not None:
            raise self.raises
        return self.report


class Request(NamedTuple):
    patch: Any
    root: Any
    from_rev: Any
    to_rev: Any
    staged: Any
    only: Any
    select: Any
    ignore: Any
    show_all: Any
    budget: Any
    config: Any
    use_cache: Any


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Engine:
    """The fake engine, in an empty working directory and without the caller's environment."""
    double = Engine()
    module: Any = types.ModuleType("allocsafe.pipeline")
    module.check, module.Request = double.check, Request
    monkeypatch.setitem(sys.modules, "allocsafe.pipeline", module)
    monkeypatch.chdir(tmp_path)
    for name in ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "ALLOCSAFE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return double


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`run("check", "--staged")`: status and both streams, in this process."""
    from allocsafe.cli import main

    def call(*args: str) -> Ran:
        status = main(list(args))
        done = capsys.readouterr()
        return Ran(status, done.out, done.err)

    return call
