"""Every hand-written line about torch, numpy and Python is executed against the real operator.

A line without a recipe, and without a listed reason why it has none, fails.
"""

from __future__ import annotations

import re
import warnings

import pytest

pytest.importorskip("torch", reason="`make oracle` installs it")
pytest.importorskip("numpy")

from allocsafe.effects.summary import Summary, parse_line
from allocsafe_rules.effects import HAND, text

from tests.oracle.effects_recipes import ELSEWHERE, reason_for, recipes_for
from tests.oracle.effects_recipes.checker import (
    Disagrees,
    check_names,
    check_out,
    check_params,
    check_result,
    resolve,
)

# Their schemas give the same place two names, by the type of what stands there, or Python has none to give.
TWO_NAMES = re.compile(
    r"(torch|numpy)\.arange|torch\.(Tensor\.)?([hvd]|tensor_)split|torch\.(result_type|is_tensor|is_storage|from_numpy)"
    r"|torch\.utils\.dlpack\.to_dlpack|torch\.Tensor\.apply_|numpy\.(concatenate|from_dlpack)|gc\.collect"
)
BY_POSITION_ONLY = re.compile(
    r"no keyword argument|positional-only|positional argument|needs an argument|invalid keyword|exactly 1 arg"
)
LINES = [
    parse_line(line)
    for name in HAND
    if name not in ("cpp.txt", "cupy.txt")
    for line in text(name).splitlines()
    if not line.startswith("#")
]


def excused(name: str) -> bool:
    return reason_for(name) is not None or reason_for(name, ELSEWHERE) is not None


@pytest.mark.parametrize("line", [line for line in LINES if not excused(line.name)], ids=lambda line: line.name)
def test_line_says_what_the_operator_does(line: Summary) -> None:
    recipes = recipes_for(line.name)
    assert recipes, f"{line.name} has no recipe in tests/oracle/effects_recipes and no reason in reasons.py"
    for recipe in recipes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_params(line, recipe)
            check_result(line, recipe)
            check_out(line, recipe)


@pytest.mark.parametrize("line", [line for line in LINES if reason_for(line.name) is None], ids=lambda line: line.name)
def test_operator_exists(line: Summary) -> None:
    resolve(line.name)


def named_lines() -> list[Summary]:
    """Those whose arguments can be named: no `alloc`, whose elements are any; no special method; no address."""
    lines = [line for line in LINES if not excused(line.name) and not TWO_NAMES.fullmatch(line.name)]
    lines = [line for line in lines if line.result.kind != "alloc" and line.special != "address"]
    return [line for line in lines if not re.match(r"(builtins|operator|math)\.|.*\.__\w+__$|.*_data_ptr$", line.name)]


@pytest.mark.parametrize("line", named_lines(), ids=lambda line: line.name)
def test_parameters_have_the_operators_own_names(line: Summary) -> None:
    try:
        check_names(line, recipes_for(line.name)[0])
    except Disagrees as error:
        if not BY_POSITION_ONLY.search(str(error)) or "missing" in str(error):
            raise


def test_checker_can_fail() -> None:
    """Lines that are wrong in one letter are refused."""
    wrong = {
        "torch.Tensor.add_ | self:W other:R * alpha=1:R | =self": "not W",
        "torch.Tensor.copy_ | self:M src:R non_blocking=False:- | =self": "not M",
        "torch.Tensor.masked_fill_ | self:W mask:R value:R | =self": "not W",
        "torch.Tensor.index_add_ | self:P dim:- index:I source:R * alpha=1:R | =self": "not P",
        "torch.Tensor.mul_ | self:A other:R | =self": "not A",
        "torch.Tensor.exp | self:- | new": "not -",
    }
    for text_line, why in wrong.items():
        line = parse_line(text_line)
        with pytest.raises(Disagrees, match=why):
            check_params(
                line, recipes_for(line.name)[0] if "exp " not in text_line else recipes_for("torch.Tensor.t")[0]
            )
