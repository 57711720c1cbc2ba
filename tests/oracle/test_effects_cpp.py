"""The C and C++ lines that need no GPU, executed: one program is compiled, what it prints is held against the table.

The program reports a letter an element of a six-element memory after a call on the first three (or four): `k` kept, `w`
the same whatever was there, `m` dependent on what was there.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="part of the oracle")
from allocsafe.effects.summary import Summary, parse_line
from allocsafe_rules.effects import text

from tests.oracle.effects_recipes.reasons import CPP, reason_for

COMPILER = shutil.which("g++") or shutil.which("clang++")
LINES = [parse_line(row) for row in text("cpp.txt").splitlines() if not row.startswith("#")]
HERE = [line for line in LINES if reason_for(line.name, CPP) is None]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if COMPILER is None:
        pytest.skip("needs a C++ compiler")
    program = tmp_path_factory.mktemp("cpp") / "program"
    source = Path(__file__).parent / "effects_recipes" / "cpp_program.cpp"
    subprocess.run([COMPILER, "-std=c++20", "-O0", "-w", str(source), "-o", str(program)], check=True, timeout=120)
    shown = subprocess.run([str(program)], check=True, capture_output=True, text=True, timeout=20).stdout
    return dict(row.split(" | ", 1) for row in shown.splitlines())


def said(line: Summary) -> set[str]:
    """What the program may report if the line is right."""
    effects = {param.name: param.effect for param in line.params}
    kind = line.result.kind
    if line.special == "free":
        return {"none"}
    if line.special == "realloc":
        return {f"kept all unwritten {how_much}" for how_much in ("all", "some")}
    if kind == "alloc":
        return {"unwritten all", "unwritten some", "memory"}  # some: bytes of the allocator's own lists
    if kind == "filled" or line.special == "resize_fill":
        return {"zero all", "written"}
    if line.special == "reserve":
        return {"unwritten all"}
    if line.special in ("append", "clear"):
        return {line.special.removesuffix("ear") + ("eared" if line.special == "clear" else "ed")}
    if kind == "view":
        return {"view"}
    if "C" in effects.values() and line.special == "memcmp":
        return {"count"}
    if "P" in effects.values():
        return {"part"}
    if "W" in effects.values():
        return {"wwwkkk", "written"}
    if "M" in effects.values():
        return {"mmkkkk", "mmmmkk"}
    if set(effects.values()) & {"R", "C"}:
        return {"read"}
    return {"meta"}


def test_every_line_is_executed_or_excused(seen: dict[str, str]) -> None:
    assert {line.name for line in HERE} == set(seen)


@pytest.mark.parametrize("line", HERE, ids=lambda line: line.name)
def test_line_says_what_the_function_does(line: Summary, seen: dict[str, str]) -> None:
    assert seen.get(line.name) in said(line)
