"""`returns x, ...`: an argument comes back, by itself or as the first of a tuple."""

from __future__ import annotations

import pytest
from allocsafe.effects.contract import ContractError, parse


def test_alone_or_first_of_a_tuple() -> None:
    found = parse("k.f", "(x, out) reads x; writes out; returns out, ...")
    assert (found.result, found.more) == ("out", True)


def test_alone() -> None:
    found = parse("k.f", "(x, out) reads x; writes out; returns out")
    assert (found.result, found.more) == ("out", False)


@pytest.mark.parametrize("said", ["returns fresh, ...", "returns none, ...", "returns out,", "returns out, x"])
def test_nothing_else_may_follow(said: str) -> None:
    with pytest.raises(ContractError):
        parse("k.f", f"(x, out) reads x; writes out; {said}")
