"""Expectations that stand on the line that earns them, as comments of the program under test.

    buf = torch.empty(n + 1)      # want AS102 AS105     these findings, and no other, on this line
    buf = torch.empty(n + 1)      # verdict: unsafe      of the allocation on this line; `none`: no site here
    return table[buf]             # unwritten: [0]       the hole that the report shows for the read on this line

A site with a `verdict: unsafe` or `unknown` mark may be reported by any rules if its file has no `want` at all.

`//` serves in C++. Marks can share a line. They are taken out before the program is judged (`strip`), since a comment
that only one side has would make its line a changed one. A mark that cannot be read is an error: a misspelt
expectation would be a test that cannot fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from allocsafe.report.records import Report, SiteReport
from allocsafe.report.words import codes, hole_of
from allocsafe.verdict import name_of

_KINDS = "want|verdict|unwritten"
_MARK = re.compile(rf"\s*(?:#|//)\s*(?P<kind>{_KINDS})\b(?P<rest>.*?)(?=\s*(?:#|//)\s*(?:{_KINDS})\b|\s*$)")
_CODES = re.compile(r":?\s*(?P<codes>[A-Z]{2,5}\d{3}(?:[\s,]+[A-Z]{2,5}\d{3})*)\s*")
_VERDICTS = ("safe", "unsafe", "unknown", "none")
_LOOKS = frozenset({"read", "copied", "kept", "returned", "escaped", "called"})


class BadMark(Exception):
    """A mark that says nothing that could be checked."""


class Marks(NamedTuple):
    """What one file's marks expect, by line."""

    wants: dict[int, tuple[str, ...]]
    verdicts: dict[int, str]
    unwritten: dict[int, str]

    def __bool__(self) -> bool:
        return bool(self.wants or self.verdicts or self.unwritten)


def read(text: str) -> Marks:
    """The marks of a program. Raises `BadMark` with the line."""
    marks = Marks({}, {}, {})
    for number, line in enumerate(text.split("\n"), 1):
        for found in _MARK.finditer(line):
            kind, rest = found["kind"], found["rest"].strip()
            if kind == "want":
                named = _CODES.fullmatch(rest)
                if named is None:
                    raise BadMark(f"line {number}: `want` takes rule codes, not {rest!r}")
                marks.wants[number] = tuple(sorted(named["codes"].replace(",", " ").split()))
            elif kind == "verdict":
                word = rest.removeprefix(":").strip()
                if not rest.startswith(":") or word not in _VERDICTS:
                    raise BadMark(f"line {number}: expected `verdict: {'|'.join(_VERDICTS)}`, not {rest!r}")
                marks.verdicts[number] = word
            else:
                region = rest.removeprefix(":").strip()
                if not rest.startswith(":") or not region:
                    raise BadMark(f"line {number}: expected `unwritten: REGION` or `unwritten: none`, not {rest!r}")
                marks.unwritten[number] = region
    return marks


def strip(text: str) -> str:
    """The program without its marks; lines keep their numbers."""
    return "\n".join(_MARK.sub("", line).rstrip() if _MARK.search(line) else line for line in text.split("\n"))


def complaints(report: Report, marks: Mapping[str, Marks]) -> Iterator[str]:
    """Where the report is not what the marks expect, one sentence each. Nothing: it is."""
    for path, message in report.errors:
        yield f"{path}: not judged: {message}"
    found: dict[tuple[str, int], set[str]] = {}
    for site in report.sites:
        if _open(site, marks):
            continue
        for finding in site.findings if site.suppressed is None else ():
            found.setdefault((finding.span.path, finding.span.line), set()).add(finding.rule)
    wanted = {(path, line): set(names) for path, each in marks.items() for line, names in each.wants.items()}
    for place in sorted(found.keys() | wanted.keys()):
        missing = wanted.get(place, set()) - found.get(place, set())
        extra = found.get(place, set()) - wanted.get(place, set())
        if missing or extra:
            said = _said(report, place)
            yield f"{place[0]}:{place[1]}: missing {_list(missing)}, not wanted {_list(extra)}; {said}"
    for path, each in marks.items():
        for line, verdict in each.verdicts.items():
            yield from _verdict(report, (path, line), verdict)
        for line, region in each.unwritten.items():
            yield from _hole(report, (path, line), region)


def _open(site: SiteReport, marks: Mapping[str, Marks]) -> bool:
    """Whether only a bad verdict is expected of this site: no `want` in the file says by which rules."""
    each = marks.get(site.judged.site.span.path)
    if each is None or each.wants:
        return False
    return each.verdicts.get(site.judged.site.span.line) in ("unsafe", "unknown")


def _verdict(report: Report, place: tuple[str, int], wanted: str) -> Iterator[str]:
    there: set[str] = {name_of(site.judged.verdict) for site in _on(report, place)} or {"none"}
    if there != {wanted}:
        yield f"{place[0]}:{place[1]}: expected {wanted}; {_said(report, place)}"


def _hole(report: Report, place: tuple[str, int], wanted: str) -> Iterator[str]:
    """The hole at the read on this line (or, on an allocation's own line, of that allocation)."""
    sites = [site for site in report.sites if _looks_at(site, place)] or _on(report, place)
    regions = {hole.region for site in sites if (hole := hole_of(site.judged.verdict)) is not None}
    if wanted == "none" and not regions:
        return
    if wanted not in regions:
        yield f"{place[0]}:{place[1]}: expected unwritten {wanted}, the report shows {_list(regions)}"


def _looks_at(site: SiteReport, place: tuple[str, int]) -> bool:
    trace = site.judged.verdict.trace
    return any(event.event in _LOOKS and (event.span.path, event.span.line) == place for event in trace)


def _on(report: Report, place: tuple[str, int]) -> list[SiteReport]:
    return [site for site in report.sites if (site.judged.site.span.path, site.judged.site.span.line) == place]


def _said(report: Report, place: tuple[str, int]) -> str:
    sites = _on(report, place)
    if not sites:
        return "no site on this line"
    return "; ".join(
        f"the report says {name_of(site.judged.verdict)} {' '.join(codes(site))}: {site.judged.verdict.reason}"
        for site in sites
    )


def _list(names: set[str]) -> str:
    return " ".join(sorted(names)) or "nothing"


__all__ = ["BadMark", "Marks", "complaints", "read", "strip"]
