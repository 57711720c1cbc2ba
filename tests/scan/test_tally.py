"""Reasons for `unknown`, counted by their shape."""

from __future__ import annotations

import pytest
from allocsafe.api import Judged, Site
from allocsafe.report.records import SiteReport
from allocsafe.scan.tally import reasons, shape_of
from allocsafe.source import Span
from allocsafe.verdict import Safe, Unknown

HERE = Span("a.py", 3, 1, 3, 9)


def unknown(step: str, reason: str) -> Unknown:
    return Unknown(step, HERE, reason, "its source")


@pytest.mark.parametrize(
    ("one", "two", "shape"),
    [
        (
            "all of it is read at line 44; before that it was handed to k.run, whose source is not known",
            "[1:n] is read at line 9; before that it was handed to k.run, whose source is not known",
            "call: handed to k.run, whose source is not known",
        ),
        (
            "[n:m] may be unwritten at line 7: which method runs first is not fixed",
            "all of it may be unwritten at line 70: which method runs first is not fixed",
            "call: which method runs first is not fixed",
        ),
        (
            "all of it is unwritten when it is handed to k, whose source is not known",
            "[0] may be unwritten when it is handed to k, whose source is not known",
            "call: handed to k, whose source is not known",
        ),
        (
            "all of it may be unwritten in buf, which a/b.py can read",
            "[:, 0] may be unwritten in other, which x.py and 4 more can read",
            "call: kept where other files can read it",
        ),
        (
            "[m:n] is read at line 4 unless m >= n",
            "[a:b] is read at line 5 unless b >= 2*a",
            "call: read unless one length is at most another",
        ),
    ],
)
def test_two_reasons_of_one_kind_are_one(one: str, two: str, shape: str) -> None:
    assert shape_of(unknown("call", one)) == shape
    assert shape_of(unknown("call", two)) == shape


def test_callees_are_told_apart() -> None:
    a, b = (unknown("call", f"handed to {name}, whose source is not known") for name in ("k.one", "k.two"))
    assert shape_of(a) != shape_of(b)


def test_the_commonest_come_first_and_equal_ones_by_name() -> None:
    def site(verdict: Safe | Unknown) -> SiteReport:
        return SiteReport(Judged(Site(HERE, "python", "x", "existing", "x"), verdict), ())

    rows = [unknown("order", "b"), unknown("call", "a"), unknown("order", "b"), unknown("alias", "c")]
    sites = [site(Safe("it is written", ())), *map(site, rows)]
    assert reasons(sites) == (("order: b", 2), ("alias: c", 1), ("call: a", 1))
    assert reasons(sites, 1) == (("order: b", 2),)
