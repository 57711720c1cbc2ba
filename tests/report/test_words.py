"""Every word that a verdict can hold has its English."""

from __future__ import annotations

from typing import get_args

from allocsafe import verdict
from allocsafe.report import words

from tests.report import samples


def test_no_event_and_no_consequence_is_without_words() -> None:
    assert set(words.EVENTS) == set(get_args(verdict.EventKind))
    assert set(words.CONSEQUENCES) == set(get_args(verdict.Consequence))
    assert set(words.WORST_FIRST) == {*get_args(verdict.Consequence), None}


def test_severity_is_the_gravest_live_one() -> None:
    assert words.severity(samples.unsafe()) == "error"
    assert words.severity(samples.unknown()) == "warning"
    assert words.severity(samples.safe(changed=True)) == "note"
    assert words.severity(samples.safe()) is None
    assert words.severity(samples.unsafe(suppressed="why")) is None


def test_the_summary_counts() -> None:
    assert words.summary(samples.report()) == "no allocation is touched"
    both = samples.report(samples.unsafe(), samples.safe(), errors=(("a", "b"), ("c", "d")))
    assert words.summary(both) == "2 allocations: 1 unsafe, 1 safe; 2 inputs could not be read"


def test_a_note_event_says_its_note_alone() -> None:
    assert words.event_words(verdict.Event("note", samples.span("a", 1), "", "n is at least 1")) == "n is at least 1"
    assert words.event_words(verdict.Event("branch", samples.span("a", 1), "", "if x")) == "taken (if x)"
