"""The runner of a rule's cases: what a careless case looks like, and that it is not let through."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from typing import Any

import pytest
from allocsafe.api import Case
from allocsafe.packs import rule
from allocsafe.testing import cases

from tests.report import samples

RULE = rule("AS102")
GOOD = Case("element 0 is read", "x = zeros(n)\n", "x = empty(n)  # want AS102\n")


@pytest.mark.parametrize(
    ("kind", "case", "words"),
    [
        ("bad", replace(GOOD, after="x = empty(n)\n"), "nothing in it wants AS102"),
        ("bad", replace(GOOD, after="x = empty(n)  # want AS101\n"), "nothing in it wants AS102"),
        ("ok", GOOD, "it wants AS102, hence it is no ok case"),
        ("bad", replace(GOOD, before="x = zeros(n)  # want AS102\n"), "marks; they belong after it"),
        ("bad", replace(GOOD, before="x = empty(n)\n"), "nothing changes"),
        ("bad", replace(GOOD, after="x = empty(n)  # want it\n"), "takes rule codes"),
    ],
)
def test_a_careless_case_is_refused_before_it_is_judged(kind: str, case: Case, words: str) -> None:
    (complaint,) = cases.shape(replace(RULE, **{"ok": (), "bad": (), kind: (case,)}))
    assert words in complaint
    assert case.name in complaint
    assert any(words in each for each in cases.judge("AS102", kind, case))


def test_two_cases_of_one_name() -> None:
    assert list(cases.shape(replace(RULE, ok=(), bad=(GOOD, GOOD)))) == [
        "AS102: two cases are called 'element 0 is read'"
    ]


def test_a_case_that_the_engine_answers_differently_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("allocsafe.pipeline")
    monkeypatch.setitem(sys.modules, "allocsafe.pipeline", module)
    only = replace(RULE, ok=(), bad=(GOOD,))
    module.check_texts = lambda before, after: samples.report()
    assert "missing AS102" in cases.run(only)[0]
    module.check_texts = lambda before, after: samples.report(samples.unsafe("case.py", 1))
    assert "not wanted AS105" in cases.run(only)[0]
    site = samples.unsafe("case.py", 1)
    module.check_texts = lambda before, after: samples.report(site._replace(findings=site.findings[:1]))
    assert cases.run(only) == []
