"""The generated table is what the generator makes of this torch, and a good part of it is executed as well.

The lines that take nothing but tensors are called with plain ones; an operator that refuses them is passed over, and
enough must remain.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="`make oracle` installs it")

import numpy as np
import torch
from allocsafe.effects.summary import Summary, parse_line
from allocsafe_rules.effects import GENERATED, text

from tests.oracle.effects_recipes.checker import (
    Disagrees,
    Formers,
    call,
    check_mutated,
    check_result,
    check_untouched,
    content,
    former_contents,
)
from tests.oracle.effects_recipes.torch_recipes import Recipe, X, Y, Z, a

ROOT = Path(__file__).parents[2]
TABLE = text(GENERATED[0])
LINES = [parse_line(row) for row in TABLE.splitlines() if not row.startswith("#")]
OPERANDS = (
    lambda: a(X(4, 4) / 20, Y(4, 4) / 20, X(4, 4) / 20),
    lambda: a(X(4, 4), Y(4, 4), X(4, 4)),
    lambda: a(Z(4, 4), Z(4, 4) % 3 + 1, Z(4, 4)),
)
# Random numbers, the state of the machine, what has other memory than a tensor, what needs the accelerator.
PASSED_OVER = (
    "cud",
    "random",
    "seed",
    "mkldnn",
    "fbgemm",
    "miopen",
    "is_pinned",
    "_async",
    "conj_physical_",
    "_print",
    "resize",
    "rename",
)
# How many lines of each kind must be executed at least, so that a change of torch does not empty the test.
LEAST = {"torch.Tensor.": 150, "torch.": 100, "torch.special.": 30, "torch.linalg.": 5, "torch.nn.functional.": 5}


def formers(scale: float, shift: float) -> Formers:
    """Two contents, no whole numbers, for functions of a bounded range."""

    def both(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        if values.dtype.kind != "f":
            return former_contents(values)
        one = (np.arange(values.size).reshape(values.shape) * scale + shift).astype(values.dtype)
        return one, np.flip(one)

    return both


def zeros_and_operands(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Zeros, and what stands in the other argument: for what compares, and for what looks at truth."""
    same = content(Y(4, 4) / 20 if values.dtype.kind == "f" else Z(4, 4) % 3 + 1)
    return np.zeros_like(values), same.reshape(values.shape).astype(values.dtype)


FORMERS = (zeros_and_operands, formers(0.037, 0.11), formers(-0.037, -0.11), formers(0.37, 1.21), former_contents)


def mutated(line: Summary, recipe: Recipe, name: str, effect: str) -> None:
    """Holds for some former content: `abs_` changes nothing that is positive."""
    errors = []
    for both in FORMERS:
        try:
            check_mutated(line, recipe, name, effect, both)
        except Disagrees as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def recipe_for(line: Summary) -> Recipe | None:
    """The first operands that the operator takes."""
    required = [param for param in line.params if param.kind == "positional" and param.default is None]
    if not 1 <= len(required) <= 3 or any(param.effect in "I-" for param in required) or line.note:
        return None
    for operands in OPERANDS:

        def recipe(make: Recipe = operands, count: int = len(required)) -> tuple[tuple[object, ...], dict[str, object]]:
            return make()[0][:count], {}

        try:
            call(line, *recipe())
        except Exception:
            continue
        return recipe
    return None


def test_table_is_what_the_generator_makes() -> None:
    if f"schemas of torch {torch.__version__.partition('+')[0]}." not in TABLE:
        pytest.skip("the table is of another torch version")
    tool = ROOT / "tools" / "make_torch_effects.py"
    ran = subprocess.run(
        [sys.executable, str(tool), "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "space", ["torch.Tensor.", "torch.special.", "torch.linalg.", "torch.nn.functional.", "torch."]
)
def test_lines_agree_with_their_operators(space: str) -> None:
    lines = [line for line in LINES if line.name.startswith(space) and not any(w in line.name for w in PASSED_OVER)]
    lines = [line for line in lines if space != "torch." or line.name.count(".") == 1]
    wrong, executed = [], 0
    for line in lines:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recipe = recipe_for(line)
            if recipe is None:
                continue
            executed += 1
            try:
                for param in line.params[: len(recipe()[0])]:
                    if param.effect in "MWPQA":
                        mutated(line, recipe, param.name, "M" if param.effect == "A" else param.effect)
                    else:
                        check_untouched(line, recipe, param.name)
                check_result(line, recipe)
            except Disagrees as error:
                wrong.append(f"{line.name}: {error}")
    assert not wrong, "\n".join(wrong)
    assert executed >= LEAST[space], executed
