"""The end of a scan in numbers: how many of each verdict, and what stops the proofs most often.

Two `unknown`s have one reason if they name one step and the same kind of thing: lines, regions and lengths are taken
out of the sentence, the name of the callee stays (a contract for it would decide them all).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from allocsafe.report.records import SiteReport
from allocsafe.verdict import Unknown

_REGION = re.compile(r"^(?:all of it|\[.*?\]|element \S+|.{1,60}?) (?=(?:may be|is) (?:unwritten|read)\b)")
_LINE = re.compile(r"\s*\bat line \d+")


def shape_of(verdict: Unknown) -> str:
    """The reason without what is particular to the site."""
    text = _LINE.sub("", " ".join(verdict.reason.split()))
    text = _REGION.sub("", text)
    text = re.sub(r"^(?:may be|is) unwritten(?: when it is)?:?\s*", "", text)
    text = re.sub(r"^is read; before that it was ", "", text)
    text = re.sub(r"^in \S+, which .* can read$", "kept where other files can read it", text)
    text = re.sub(r"^is read unless .*$", "read unless one length is at most another", text)
    return f"{verdict.step}: {text}" if text else verdict.step


def reasons(sites: Iterable[SiteReport], most: int = 12) -> tuple[tuple[str, int], ...]:
    """The commonest reasons for `unknown`, each with its count."""
    found = Counter(shape_of(s.judged.verdict) for s in sites if isinstance(s.judged.verdict, Unknown))
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:most])


def steps(sites: Iterable[SiteReport]) -> tuple[tuple[str, int], ...]:
    """How many `unknown`s each step stopped."""
    found = Counter(s.judged.verdict.step for s in sites if isinstance(s.judged.verdict, Unknown))
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))


__all__ = ["reasons", "shape_of", "steps"]
