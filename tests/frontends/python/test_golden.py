"""One file for each kind of statement, against its IR as text. `ALLOCSAFE_UPDATE=1` writes the expected files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from allocsafe.ir.check import problems
from allocsafe.ir.show import show

from tests.frontends.python.lowering import everything, unit

HERE = Path(__file__).parent / "golden"
CASES = sorted(HERE.glob("*.py"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    lowered = list(everything(unit(path.read_text("utf-8"), path.name)))
    assert [found for function in lowered for found in problems(function)] == []
    text = "\n".join(show(function) for function in lowered)
    expected = path.with_suffix(".ir")
    if os.environ.get("ALLOCSAFE_UPDATE") == "1":
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


def test_every_expected_file_has_a_source() -> None:
    assert {path.stem for path in HERE.glob("*.ir")} == {path.stem for path in CASES}
