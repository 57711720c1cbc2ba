"""Runs the cases that a rule carries: what the rule's author promised, judged by the engine as it is today.

A `bad` case must want the rule's own code, an `ok` case must not, and each must give exactly the findings that its
marks want: a case that also earns something else teaches the wrong lesson. No test framework is imported, so a pack's
author can call `run(rule)` from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Rule
from allocsafe.testing import marks


def run(rule: Rule) -> list[str]:
    """Complaints about all cases of this rule; an empty list means that it keeps its promises."""
    out: list[str] = []
    for kind, cases in (("bad", rule.bad), ("ok", rule.ok)):
        for case in cases:
            out += [f"{rule.code} {kind} case {case.name!r}: {text}" for text in judge(rule.code, kind, case)]
    return out


def shape(rule: Rule) -> Iterator[str]:
    """Complaints about the cases themselves, found without judging them."""
    names = [case.name for case in (*rule.ok, *rule.bad)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{rule.code}: two cases are called {name!r}"
    for kind, cases in (("bad", rule.bad), ("ok", rule.ok)):
        for case in cases:
            yield from (f"{rule.code} {kind} case {case.name!r}: {text}" for text in _form(rule.code, kind, case))


def _form(code: str, kind: str, case: Case) -> Iterator[str]:
    try:
        wanted = {name for names in marks.read(case.after).wants.values() for name in names}
        stray = marks.read(case.before)
    except marks.BadMark as error:
        yield str(error)
        return
    if stray:
        yield "the program before the patch has marks; they belong after it"
    if kind == "bad" and code not in wanted:
        yield f"nothing in it wants {code}"
    if kind == "ok" and code in wanted:
        yield f"it wants {code}, hence it is no ok case"
    if marks.strip(case.after) == case.before:
        yield "nothing changes between before and after"


def judge(code: str, kind: str, case: Case) -> list[str]:
    """Complaints about one case, its form first."""
    wrong = list(_form(code, kind, case))
    if wrong:
        return wrong
    from allocsafe.pipeline import check_texts

    report = check_texts({case.path: case.before}, {case.path: marks.strip(case.after)})
    return list(marks.complaints(report, {case.path: marks.read(case.after)}))


__all__ = ["judge", "run", "shape"]
