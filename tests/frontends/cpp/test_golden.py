"""Whole files against their IR as text. `ALLOCSAFE_UPDATE=1` writes the expected files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from allocsafe.frontends.cpp.unit import open_unit
from allocsafe.ir.check import problems
from allocsafe.ir.show import show
from allocsafe.source import Source

HERE = Path(__file__).parent / "golden"
CASES = sorted(path for path in HERE.iterdir() if path.suffix in {".cpp", ".cu"})


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_golden(path: Path) -> None:
    unit = open_unit(Source(path.name, path.read_text("utf-8")))
    shown = []
    for definition in unit.definitions:
        if definition.kind == "function":
            stub = unit.function(definition.qualname)
            assert stub is not None
            lowered = stub.load()
            assert problems(lowered) == []
            shown.append(show(lowered))
    toplevel = unit.toplevel()
    assert problems(toplevel) == []
    shown.append(show(toplevel))
    text = "\n".join(shown)
    expected = path.with_suffix(path.suffix + ".ir")
    if os.environ.get("ALLOCSAFE_UPDATE") == "1":
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


def test_every_expected_file_has_a_source() -> None:
    assert {path.name.removesuffix(".ir") for path in HERE.glob("*.ir")} == {path.name for path in CASES}
