"""The text of a kernel as a launch compiles it."""

from __future__ import annotations

import pytest
from allocsafe.flow.kernel_flags import Flag, Truthy, known_text

KERNEL = """
@triton.jit
def kernel(x, bias, out, HAS_BIAS: tl.constexpr, MODE: tl.constexpr = 1):
    y = tl.load(x)
    if HAS_BIAS:
        y += tl.load(bias)
    if MODE == 2:
        y *= 2
    tl.store(out, y)
"""


@pytest.mark.parametrize(
    ("flags", "biased", "doubled"),
    [
        ({"HAS_BIAS": False}, False, False),
        ({"HAS_BIAS": True}, True, False),
        ({}, True, False),
        ({"HAS_BIAS": False, "MODE": 2}, False, True),
        ({"MODE": Truthy(True)}, True, True),  # true, and perhaps 2
        ({"HAS_BIAS": Truthy(True), "MODE": 3}, True, False),
        ({"HAS_BIAS": Truthy(False), "MODE": Truthy(False)}, False, True),
        ({"HAS_BIAS": None}, False, False),
    ],
)
def test_a_branch_is_gone_where_its_flag_is_known_to_be_off(
    flags: dict[str, Flag], biased: bool, doubled: bool
) -> None:
    text = known_text(KERNEL, flags)
    assert ("bias)" in text.partition(":\n")[2]) is biased
    assert ("*= 2" in text) is doubled


def test_a_parameter_that_the_kernel_assigns_is_no_flag() -> None:
    text = KERNEL.replace("    y = tl.load(x)\n", "    y = tl.load(x)\n    HAS_BIAS = HAS_BIAS or y\n")
    assert "tl.load(bias)" in known_text(text, {"HAS_BIAS": False})


def test_what_does_not_parse_stays_as_it_is() -> None:
    assert known_text("def kernel(:", {"HAS_BIAS": False}) == "def kernel(:"


def test_identity_is_decided_for_none_alone() -> None:
    text = KERNEL.replace("if MODE == 2", "if MODE is True")
    assert "*= 2" in known_text(text, {"MODE": 1})
    assert "*= 2" not in known_text(KERNEL.replace("if MODE == 2", "if MODE is None"), {"MODE": 1})
