"""Marks: read, taken out, compared; and each kind of disagreement is a complaint."""

from __future__ import annotations

import pytest
from allocsafe.report.records import Report
from allocsafe.testing import marks

from tests.report import samples

PATH = "pkg/offsets.py"


def told(text_by_line: dict[int, str], report: Report, path: str = PATH) -> list[str]:
    rows = [text_by_line.get(number, "x = 1") for number in range(1, 40)]
    return list(marks.complaints(report, {path: marks.read("\n".join(rows))}))


def test_read_all_kinds() -> None:
    text = (
        "a = empty(n)  # want AS102 AS101\n"
        "b = empty(n)  # verdict: unknown  # unwritten: [m:n // 2]\n"
        "auto c = empty();  // want: AS201, AS204\n"
        "plain = 1  # wanted: nothing\n"
    )
    assert marks.read(text) == ({1: ("AS101", "AS102"), 3: ("AS201", "AS204")}, {2: "unknown"}, {2: "[m:n // 2]"})


def test_strip_leaves_lines_and_other_comments() -> None:
    text = "a = 1  # want AS101\nb = 2  # note  # verdict: safe\n\nc = 3  # note \n"
    assert marks.strip(text) == "a = 1\nb = 2  # note\n\nc = 3  # note \n"


@pytest.mark.parametrize(
    "mark",
    [
        "want",
        "want 101",
        "want as101",
        "want AS101 maybe",
        "verdict unsafe",
        "verdict: maybe",
        "unwritten",
        "unwritten:",
    ],
)
def test_a_mark_that_says_nothing_is_an_error(mark: str) -> None:
    with pytest.raises(marks.BadMark, match="line 2"):
        marks.read(f"x\ny  # {mark}\n")


def test_no_complaint_where_the_report_is_as_marked() -> None:
    report = samples.report(samples.unsafe())
    assert told({4: "e  # want AS105 AS102  # verdict: unsafe  # unwritten: [0]"}, report) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("e  # want AS102", "not wanted AS105"),
        ("e  # want AS102 AS105 AS106", "missing AS106"),
        ("e", "missing nothing, not wanted AS102 AS105"),
        ("e  # want AS102 AS105  # verdict: safe", "expected safe; the report says unsafe"),
        ("e  # want AS102 AS105  # verdict: none", "expected none"),
        ("e  # want AS102 AS105  # unwritten: [1]", "expected unwritten [1], the report shows [0]"),
        ("e  # want AS102 AS105  # unwritten: none", "expected unwritten none"),
    ],
)
def test_each_disagreement_is_one_complaint(line: str, words: str) -> None:
    found = told({4: line}, samples.report(samples.unsafe()))
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith(f"{PATH}:4: ")


def test_the_hole_is_asked_at_the_read() -> None:
    report = samples.report(samples.unsafe())
    expected = {
        PATH: marks.read("\n\n\ne  # want AS102 AS105"),
        "pkg/model.py": marks.read("\n" * 8 + "r  # unwritten: [0]"),
    }
    assert list(marks.complaints(report, expected)) == []
    expected["pkg/model.py"] = marks.read("\n" * 8 + "r  # unwritten: [0:n]")
    assert list(marks.complaints(report, expected)) == [
        "pkg/model.py:9: expected unwritten [0:n], the report shows [0]"
    ]


def test_marks_on_lines_without_a_site() -> None:
    assert told({9: "e  # verdict: none  # unwritten: none"}, samples.report()) == []
    assert "no site on this line" in told({9: "e  # verdict: safe"}, samples.report())[0]
    assert "no site on this line" in told({9: "e  # want AS101"}, samples.report())[0]


def test_an_ignored_site_earns_nothing_and_an_error_is_a_complaint() -> None:
    assert told({4: "e"}, samples.report(samples.unsafe(suppressed="why"))) == []
    assert told({}, samples.report(errors=(("b.py", "bad"),))) == ["b.py: not judged: bad"]
