"""Ignore comments: `# allocsafe: ignore[AS101] reason` on the allocation's line (`//` in C++).

An ignore comment is a claim by a person, so it needs a reason, and it must be about something: one without a reason
answers nothing and is reported, and so are one that names no known rule and one that no finding meets (it would hide
the next one). Only sites that this run judged are looked at: a comment on a line that the patch does not touch cannot
be called unused.

    buf = torch.empty(n)  # allocsafe: ignore[AS190] the kernel writes all, see its assert

A comment answers a site if it names every code that the site earned. What was proved stays what it was; the verdict
of an ignored site is still printed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from allocsafe.api import Finding
from allocsafe.report.records import SiteReport
from allocsafe.source import Span

RULE = "suppression"
"""Stands where a finding has its rule's code, in notes about the comments themselves."""

_COMMENT = re.compile(r"(?:#|//|/\*)\s*allocsafe\s*:\s*ignore\b(?P<rest>.*)", re.S)
_BODY = re.compile(r"\s*\[(?P<codes>[^\]]*)\](?P<reason>.*)", re.S)


class Ignore:
    """One ignore comment, and what became of it."""

    __slots__ = ("codes", "problem", "reason", "span", "used")

    def __init__(self, span: Span, codes: tuple[str, ...], reason: str, problem: str) -> None:
        self.span = span
        self.codes = codes
        self.reason = reason
        self.problem = problem
        self.used: set[str] = set()


def parse(path: str, line: int, text: str, known: Collection[str]) -> Ignore | None:
    """The ignore comment in this comment's text, or None. `problem` says why it answers nothing."""
    found = _COMMENT.search(text)
    if found is None:
        return None
    span = Span(path, line, 1, line, 1 + len(text))
    body = _BODY.fullmatch(found["rest"])
    if body is None:
        return Ignore(span, (), "", "an ignore comment names its rules: allocsafe: ignore[AS101] reason")
    codes = tuple(code for code in (part.strip() for part in body["codes"].split(",")) if code)
    reason = body["reason"].strip().removesuffix("*/").strip(" \t-:,.;") if body["reason"] else ""
    problem = ""
    unknown = [code for code in codes if code not in known]
    if not codes:
        problem = "an ignore comment names its rules: allocsafe: ignore[AS101] reason"
    elif unknown:
        near = difflib.get_close_matches(unknown[0].upper(), known, n=1, cutoff=0.5)
        problem = f"no rule has the code {unknown[0]!r}" + (f"; did you mean {near[0]}?" if near else "")
    elif not reason:
        problem = f"ignore[{', '.join(codes)}] has no reason, so it ignores nothing; say why after the bracket"
    return Ignore(span, codes, reason, problem)


def apply(
    sites: Sequence[SiteReport],
    comments: Mapping[str, Iterable[tuple[int, str]]],
    known: Collection[str],
    judged_lines: Mapping[str, Collection[int]] | None = None,
) -> tuple[tuple[SiteReport, ...], tuple[Finding, ...]]:
    """The sites with `suppressed` set where a comment answers all their findings, and the notes about the comments.

    `comments` are (line, text) by path, on the new side. `judged_lines` are the lines by path on which an unused
    comment is worth a note (the changed ones); None means every line.
    """
    ignores: dict[tuple[str, int], list[Ignore]] = {}
    for path, rows in comments.items():
        for line, text in rows:
            ignore = parse(path, line, text, known)
            if ignore is not None:
                ignores.setdefault((path, line), []).append(ignore)
    if not ignores:
        return tuple(sites), ()
    done = tuple(_answered(site, ignores) for site in sites)
    notes: list[Finding] = []
    for (path, line), there in sorted(ignores.items()):
        if judged_lines is not None and line not in judged_lines.get(path, ()):
            continue
        for ignore in there:
            notes += [Finding(RULE, "note", message, ignore.span) for message in _complaints(ignore)]
    return done, tuple(notes)


def _answered(site: SiteReport, ignores: Mapping[tuple[str, int], list[Ignore]]) -> SiteReport:
    """`site`, suppressed if the comments on its lines name all its codes.

    An allocation over several lines has several.
    """
    span = site.judged.site.span
    lines = range(span.line, max(span.line, span.end_line) + 1)
    here = [ignore for line in lines for ignore in ignores.get((span.path, line), ()) if not ignore.problem]
    earned = {finding.rule for finding in site.findings}
    answered: set[str] = set()
    reasons = []
    for ignore in here:
        hit = earned.intersection(ignore.codes)
        if hit:
            ignore.used |= hit
            answered |= hit
            reasons.append(ignore.reason)
    if not answered:
        return site
    if answered < earned:
        return site._replace(findings=tuple(finding for finding in site.findings if finding.rule not in answered))
    return site._replace(suppressed="; ".join(dict.fromkeys(reasons)))


def _complaints(ignore: Ignore) -> list[str]:
    if ignore.problem:
        return [ignore.problem]
    unused = [code for code in ignore.codes if code not in ignore.used]
    return [f"ignore[{', '.join(unused)}] is unused: nothing here earns it; take it out"] if unused else []


__all__ = ["RULE", "Ignore", "apply", "parse"]
