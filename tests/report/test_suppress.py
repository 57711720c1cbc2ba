"""Ignore comments: a reason, a known code and something to ignore, or a note."""

from __future__ import annotations

import pytest
from allocsafe import suppress
from allocsafe.report.records import SiteReport

from tests.report import samples

KNOWN = ("AS101", "AS102", "AS105", "AS190")
PATH = "pkg/offsets.py"


def applied(comment: str, line: int = 4) -> tuple[SiteReport, list[str]]:
    (site,), notes = suppress.apply([samples.unsafe()], {PATH: [(line, comment)]}, KNOWN)
    return site, [note.message for note in notes]


def test_a_comment_that_names_all_codes_and_a_reason_answers_the_site() -> None:
    site, notes = applied("# allocsafe: ignore[AS102, AS105] the caller writes element 0")
    assert site.suppressed == "the caller writes element 0"
    assert len(site.findings) == 2
    assert notes == []


def test_twin_without_a_reason_it_answers_nothing_and_is_reported() -> None:
    site, notes = applied("# allocsafe: ignore[AS102, AS105]")
    assert site.suppressed is None
    assert len(notes) == 1
    assert "has no reason" in notes[0]


def test_a_comment_that_names_one_code_leaves_the_other() -> None:
    site, notes = applied("# allocsafe: ignore[AS102] known")
    assert site.suppressed is None
    assert [finding.rule for finding in site.findings] == ["AS105"]
    assert notes == []


def test_an_unused_code_is_reported_on_the_right_line_and_on_the_wrong() -> None:
    site, notes = applied("# allocsafe: ignore[AS102, AS105, AS101] why")
    assert site.suppressed == "why"
    assert "ignore[AS101] is unused" in notes[0]
    site, notes = applied("# allocsafe: ignore[AS102, AS105] why", line=5)
    assert site.suppressed is None
    assert "is unused" in notes[0]


def test_an_unknown_code_is_reported_with_the_nearest() -> None:
    site, notes = applied("# allocsafe: ignore[AS1O2] why")
    assert site.suppressed is None
    assert "'AS1O2'" in notes[0]
    assert "did you mean AS102?" in notes[0]


@pytest.mark.parametrize("comment", ["# allocsafe: ignore", "# allocsafe: ignore why", "# allocsafe: ignore[] why"])
def test_a_comment_without_codes_is_reported(comment: str) -> None:
    site, notes = applied(comment)
    assert site.suppressed is None
    assert "names its rules" in notes[0]


@pytest.mark.parametrize("comment", ["# allocsafe is great", "# nothing", "# allocsafe: ignored[AS102] x"])
def test_other_comments_are_none_of_ours(comment: str) -> None:
    assert applied(comment) == (samples.unsafe(), [])


def test_cpp_comments_and_comments_behind_other_comments() -> None:
    for comment in (
        "// allocsafe: ignore[AS102,AS105] why",
        "/* allocsafe: ignore[AS102,AS105] why */",
        "# noqa: X  # allocsafe: ignore[AS102,AS105] why",
    ):
        assert applied(comment)[0].suppressed == "why", comment


def test_a_comment_on_any_line_of_a_long_allocation_counts() -> None:
    from dataclasses import replace

    site = samples.unsafe()
    where = replace(site.judged.site, span=site.judged.site.span._replace(end_line=6))
    longer = site._replace(judged=replace(site.judged, site=where))
    (done,), _ = suppress.apply([longer], {PATH: [(6, "# allocsafe: ignore[AS102,AS105] why")]}, KNOWN)
    assert done.suppressed == "why"


def test_unused_comments_outside_of_the_judged_lines_are_nobodys_business() -> None:
    comments = {PATH: [(4, "# allocsafe: ignore[AS190] why"), (90, "# allocsafe: ignore[AS190] why")]}
    _, notes = suppress.apply([samples.unsafe()], comments, KNOWN, judged_lines={PATH: {4}})
    assert [note.span.line for note in notes] == [4]
