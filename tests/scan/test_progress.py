"""A bar for people, nothing for pipes."""

from __future__ import annotations

import sys

import pytest
from allocsafe.scan.progress import meter


def test_nothing_is_written_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with meter(2) as step:
        step("a.py", 1)
        step("b.py", 2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with meter(2) as step:
        step("a.py", 1)
        step("b.py", 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
    assert "3 allocations" in err
