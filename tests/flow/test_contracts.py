"""What a verdict lists when it rests on a contract, and what it does not list when it rests on none."""

from __future__ import annotations

import pytest

pytest.importorskip("allocsafe.pipeline", exc_type=ImportError)

from allocsafe.config import Config
from allocsafe.pipeline import check_texts
from allocsafe.verdict import Safe, Unknown, Unsafe, Verdict

BODY = (
    "import kern\nimport torch\n\n\ndef f(n, m, q, cu):\n    x = torch.{made}(n)\n    kern.fill(q, cu, x)\n    {rest}\n"
)


def judged(contract: str, rest: str) -> Verdict:
    config = Config(contracts={"kern.fill": contract} if contract else {})
    before, after = (BODY.format(made=made, rest=rest) for made in ("zeros", "empty"))
    (site,) = check_texts({"case.py": before}, {"case.py": after}, config).sites
    return site.judged.verdict


def test_a_contract_that_was_used_is_listed() -> None:
    found = judged("(q, cu, out) reads q; indexes cu; writes out; returns none", "return x.sum()")
    assert isinstance(found, Safe)
    assert "the contract of kern.fill" in found.assumes


def test_without_one_nothing_is_listed() -> None:
    found = judged("", "return x.sum()")
    assert isinstance(found, Unknown)
    assert not [text for text in found.assumes if "contract" in text]
    assert found.decides == "the source of kern.fill, or a contract for it"


def test_a_hole_that_a_relation_closes_comes_with_it() -> None:
    found = judged("(q, cu, out) writes out[:cu[-1]]; returns none; ignores q", "return x.sum()")
    assert isinstance(found, Unknown)
    assert found.hole is not None
    assert found.hole.condition == "cu[-1] >= n"


def test_a_void_contract_says_why() -> None:
    contract = "(q, cu, out) ignores q; indexes cu; writes out[:cu[-1]]; returns none"
    config = Config(contracts={"kern.fill": contract})
    text = "import kern\nimport torch\n\n\ndef f(n, q):\n    cu = torch.{made}(5)\n    x = torch.{made}(n)\n"
    text += "    kern.fill(q, cu, x)\n    return x.sum()\n"
    sites = check_texts({"case.py": text.format(made="zeros")}, {"case.py": text.format(made="empty")}, config).sites
    guard, guarded = (site.judged.verdict for site in sites)
    assert isinstance(guard, Unsafe)
    assert guard.consequence == "index"
    assert isinstance(guarded, Unknown)
    assert "whose contract relies on cu, which may be unwritten" in guarded.reason
    assert "the contract of kern.fill" not in guarded.assumes


@pytest.mark.parametrize(
    ("clause", "sort"),
    [
        ("writes out", Safe),
        ("writes out[:]", Safe),
        ("writes out[...]", Safe),
        ("writes out[0:out.shape[0]]", Safe),
        ("writes out[:-1]", Unsafe),
        ("writes out[0]", Unsafe),
        ("writes out[:len(out)], part of out", Safe),
        ("writes out[:1], part of out", Unknown),
        ("writes part of out", Unknown),
        ("writes out[:max(cu)]", Unknown),
        ("reads out", Unsafe),
        ("indexes out", Unsafe),
        ("reads out; writes out", Unsafe),
        ("accumulates out", Unsafe),
        ("reads part of out; writes out", Unsafe),
        ("ignores out", Unsafe),
        ("keeps out", Unsafe),
    ],
)
def test_clauses(clause: str, sort: type[Verdict]) -> None:
    assert isinstance(judged(f"(q, cu, out) ignores q; {clause}; returns none", "return x.sum()"), sort)


def test_a_callback_that_is_handed_over_may_touch_what_it_captured() -> None:
    text = "import kern\nimport torch\n\n\ndef f(n):\n    x = torch.{}(n)\n    kern.each(lambda i: x[i].fill_(1))\n"
    text += "    return x.sum()\n"
    config = Config(contracts={"kern.each": "reads *; returns none"})
    (site,) = check_texts({"case.py": text.format("zeros")}, {"case.py": text.format("empty")}, config).sites
    assert isinstance(site.judged.verdict, Unknown)


def test_what_a_contract_writes_before_an_exception_does_not_count_in_the_handler() -> None:
    text = "import kern\nimport torch\n\n\ndef f(n):\n    x = torch.{}(n)\n    try:\n        kern.fill(x)\n"
    text += "    except ValueError:\n        pass\n    return x.sum()\n"
    config = Config(contracts={"kern.fill": "(out) writes out; returns none"})
    (site,) = check_texts({"case.py": text.format("zeros")}, {"case.py": text.format("empty")}, config).sites
    assert not isinstance(site.judged.verdict, Safe)


def test_a_function_of_the_tree_that_cannot_be_walked_has_the_project_s_contract() -> None:
    text = "import torch\n\n\ndef fill(x, n):\n    x[n] = 0\n    if n:\n        fill(x, n - 1)\n\n\ndef f(n):\n"
    text += "    x = torch.{}(n)\n    fill(x, n - 1)\n    return x.sum()\n"
    sides = {"pkg/mod.py": text.format("zeros")}, {"pkg/mod.py": text.format("empty")}
    (without,) = check_texts(*sides).sites
    assert not isinstance(without.judged.verdict, Safe)
    config = Config(contracts={"pkg.mod.fill": "(x, n) writes x[:n + 1]; returns none"})
    (site,) = check_texts(*sides, config).sites
    assert isinstance(site.judged.verdict, Safe)
    assert "the contract of pkg.mod.fill" in site.judged.verdict.assumes
