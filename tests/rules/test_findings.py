"""What each built-in rule says about a verdict, from verdicts made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from allocsafe.api import Change, Finding, Judged, Safe, Unknown, Unsafe
from allocsafe.packs import rules
from allocsafe.verdict import Consequence, Facet, Hole

from tests.report import samples

SITE = samples.unsafe().judged.site


def found(judged: Judged) -> list[Finding]:
    return [finding for rule in rules() for finding in rule.finds(judged)]


def codes(*facets: str, consequence: str = "data", language: str = "python") -> list[str]:
    verdict = Unsafe("why", (), Hole("[0]"), consequence, frozenset(facets))  # type: ignore[arg-type]
    judged = Judged(replace(SITE, language=language), verdict)  # type: ignore[arg-type]
    return [finding.rule for finding in found(judged)]


@pytest.mark.parametrize(
    ("facets", "consequence", "wanted"),
    [
        ([], "data", ["AS101"]),
        (["padding"], "data", ["AS101"]),
        (["stale"], "return", ["AS101"]),
        (["never-written"], "data", ["AS102"]),
        (["never-written", "wrong-phase"], "index", ["AS102", "AS105", "AS106"]),
        (["zero-relied-on"], "accumulate", ["AS103"]),
        ([], "accumulate", ["AS103"]),
        (["skipped-fill"], "data", ["AS104"]),
        ([], "index", ["AS101", "AS105"]),
        (["wrong-phase"], "data", ["AS106"]),
        (["kept"], "data", ["AS107"]),
        ([], "persist", ["AS107"]),
        ([], "collective", ["AS107"]),
        ([], "compare", ["AS101"]),
    ],
)
def test_python(facets: list[str], consequence: str, wanted: list[str]) -> None:
    assert codes(*facets, consequence=consequence) == wanted


@pytest.mark.parametrize("language", ["cpp", "cuda"])
@pytest.mark.parametrize(
    ("facets", "wanted"),
    [
        ([], ["AS201"]),
        (["never-written"], ["AS201"]),
        (["partial-fill", "never-written"], ["AS202"]),
        (["container"], ["AS203"]),
        (["dangling"], ["AS204"]),
        (["async-source"], ["AS205"]),
        (["blob-mismatch"], ["AS206"]),
        (["uncovered-launch", "partial-fill"], ["AS202", "AS207"]),
    ],
)
def test_cpp(language: str, facets: list[str], wanted: list[str]) -> None:
    assert codes(*facets, language=language) == wanted


def test_no_unsafe_verdict_is_without_a_finding() -> None:
    for language in ("python", "cpp", "cuda"):
        for facet in get_args(Facet):
            for consequence in get_args(Consequence):
                assert codes(facet, consequence=consequence, language=language), (language, facet, consequence)


def test_an_unknown_is_a_warning_that_names_the_step() -> None:
    verdict = Unknown("call", samples.span("k.py", 9), "no source for kernel()", "a contract for kernel")
    for language, code in (("python", "AS190"), ("cpp", "AS290"), ("cuda", "AS290")):
        (finding,) = found(Judged(replace(SITE, language=language), verdict))  # type: ignore[arg-type]
        assert (finding.rule, finding.severity, finding.span) == (code, "warning", SITE.span)
        for words in ("ends", "call at k.py:9", "no source for kernel()", "a contract for kernel"):
            assert words in finding.message


def test_a_safe_site_earns_nothing_but_a_note_about_what_changed() -> None:
    safe = Safe("covered", ())
    assert found(Judged(SITE, safe)) == []
    (note,) = found(Judged(SITE, safe, (Change("dtype", "int64", "float32"), Change("device", "cuda", "cpu"))))
    assert (note.rule, note.severity) == ("AS108", "note")
    assert "dtype from int64 to float32, device from cuda to cpu" in note.message


def test_every_error_stands_on_the_allocation_and_names_the_hole() -> None:
    facets = frozenset(get_args(Facet))
    for language in ("python", "cpp"):
        verdict = Unsafe("why", (), Hole("[m:n]"), "index", facets)
        for finding in found(Judged(replace(SITE, language=language), verdict)):  # type: ignore[arg-type]
            assert finding.severity == "error"
            assert finding.span == SITE.span
            assert finding.rule in ("AS204", "AS205", "AS206") or "[m:n]" in finding.message
