"""What one walk assumes is no fact for another one: verdicts do not depend on what was judged before."""

from __future__ import annotations

import pytest
from allocsafe.api import name_of
from allocsafe.pipeline import check_texts
from allocsafe.regions.exprs import Lin, floordiv, sym

ASSUMES = """
def f(n, a):
    x = torch.zeros(4)
{more}    i = n - 1
    while a.more():
        x[i:] = 1
        i = i * 2 - 3
    x.fill_(0)
    return x.sum()
"""

ASKS = """
def g(n, a):
    x = torch.zeros(4)
    i = n - 1
    while a.more():
        if i < 0:
            return x.sum()
        i = i * 2 - 3
    x.fill_(0)
    return x.sum()
"""


def verdicts(text: str) -> list[str]:
    before = "import torch\n\n" + text
    report = check_texts(before={"a.py": before}, after={"a.py": before.replace("torch.zeros(4)", "torch.empty(4)")})
    return [name_of(site.judged.verdict) for site in sorted(report.sites, key=lambda s: s.judged.site.span.line)]


def test_each_alone() -> None:
    assert verdicts(ASSUMES.format(more="")) == ["safe"]
    assert verdicts(ASKS) == ["unsafe"]


@pytest.mark.parametrize("more", range(4))
def test_a_number_taken_as_a_length_is_none_for_the_next_function(more: int) -> None:
    steps = "".join(f"    y{k} = torch.ones(3)\n" for k in range(more))  # so that the numbers of both walks meet
    assert verdicts(ASSUMES.format(more=steps) + ASKS)[-1] == "unsafe"


def test_symbols_of_two_tables_are_two() -> None:
    one, other = {}, {}
    a, b = sym("n", "n", nonneg=True, table=one), sym("n", "n", table=other)
    assert a is not b and a.nonneg and not b.nonneg
    assert sym("n", "n", table=one) is a
    half = floordiv(Lin.of(a), Lin.of(2))
    assert half == floordiv(Lin.of(a), Lin.of(2)) and half != floordiv(Lin.of(b), Lin.of(2))
    assert half.nonneg() and not floordiv(Lin.of(b), Lin.of(2)).nonneg()
