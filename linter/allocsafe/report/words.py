"""English for the records of a verdict: the one place where an event or a consequence gets its sentence.

Writers differ in layout only. When two formats word the same fact differently, one of them went around this module.
Nothing here decides anything: a missing word is a `KeyError` in a test, not a default that hides a new kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allocsafe.report.records import Report, SiteReport
from allocsafe.verdict import Consequence, Event, EventKind, Hole, Safe, Verdict, name_of

EVENTS: dict[EventKind, str] = {
    "allocated": "allocated",
    "filled": "filled",
    "written": "written",
    "branch": "taken",
    "read": "read",
    "copied": "copied",
    "kept": "kept",
    "returned": "returned",
    "phase": "runs in",
    "escaped": "not followed",
    "called": "called",
    "note": "note",
}

CONSEQUENCES: dict[Consequence, str] = {
    "index": "used as an index, length or offset: it can reach memory outside of the buffer",
    "data": "used as data: the result depends on what the memory held before",
    "accumulate": "accumulated into: the old zero was an operand",
    "compare": "compared: the outcome depends on what the memory held before",
    "persist": "kept or saved: it is read later by code that trusts it",
    "collective": "sent to other ranks",
    "return": "returned: every caller may read it",
}

WORST_FIRST: tuple[Consequence | None, ...] = (
    "index", "collective", "persist", "accumulate", "data", "return", "compare", None,
)  # fmt: skip
"""From a memory fault to a wrong comparison. `None` (nothing is known about the use) comes last."""


def hole_of(verdict: Verdict) -> Hole | None:
    """The hole that the verdict is about; a safe one has none."""
    return None if isinstance(verdict, Safe) else verdict.hole


def consequence_of(verdict: Verdict) -> Consequence | None:
    return None if isinstance(verdict, Safe) else verdict.consequence


def event_words(event: Event) -> str:
    """`written [1:n]  (copy_)`: an event without its place."""
    words = EVENTS[event.event]
    if event.region:
        words += f" {event.region}"
    if event.note:
        words = event.note if event.event == "note" else f"{words} ({event.note})"
    return words


def codes(site: SiteReport) -> tuple[str, ...]:
    """The rules that found something, each once, in order."""
    return tuple(dict.fromkeys(finding.rule for finding in site.findings))


def is_live(site: SiteReport) -> bool:
    """True if the site has a finding that no ignore comment has answered."""
    return bool(site.findings) and site.suppressed is None


def rank(site: SiteReport) -> tuple[int, int, str, int]:
    """Sort key: unsafe before unknown before safe, in each the worst consequence first, then by place."""
    verdict = site.judged.verdict
    order = {"unsafe": 0, "unknown": 1, "safe": 2}[name_of(verdict)]
    span = site.judged.site.span
    return (order, WORST_FIRST.index(consequence_of(verdict)), span.path, span.line)


def severity(site: SiteReport) -> str | None:
    """The gravest severity among the live findings; None if there is none."""
    if not is_live(site):
        return None
    there = {finding.severity for finding in site.findings}
    return next(name for name in ("error", "warning", "note") if name in there)


def hole_words(verdict: Verdict) -> str:
    """`unwritten [0]; smallest case: n = 1: element [0]; safe when m >= n`, or nothing."""
    hole = hole_of(verdict)
    if hole is None:
        return ""
    parts = [f"unwritten {hole.region}"] if hole.region else []
    if hole.sample:
        parts.append(f"smallest case: {hole.sample}")
    if hole.condition:
        parts.append(f"safe when {hole.condition}")
    return "; ".join(parts)


def counts(report: Report) -> dict[str, int]:
    """Sites by verdict, in the order in which every format names them."""
    total = {"safe": 0, "unsafe": 0, "unknown": 0}
    for site in report.sites:
        total[name_of(site.judged.verdict)] += 1
    return total


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def summary(report: Report) -> str:
    """`3 allocations: 1 unsafe, 1 unknown, 1 safe`, the last line of the text."""
    if not report.sites:
        none = "no allocation is touched" if report.scan is None else "no allocation starts uninitialised"
        words = none if not report.errors else "no allocation could be judged"
    else:
        total = counts(report)
        shown = ", ".join(f"{total[name]} {name}" for name in ("unsafe", "unknown", "safe") if total[name])
        words = f"{plural(len(report.sites), 'allocation')}: {shown}"
    hushed = sum(1 for site in report.sites if site.suppressed is not None)
    if hushed:
        words += f" ({hushed} ignored by comment)"
    if report.errors:
        words += f"; {plural(len(report.errors), 'input')} could not be read"
    return words


def printed(report: Report) -> list[SiteReport]:
    """The sites that a page for people shows, worst first. A scan judges hundreds: its safe ones are only counted."""
    return sorted((s for s in report.sites if report.scan is None or name_of(s.judged.verdict) != "safe"), key=rank)


def tally(report: Report) -> list[str]:
    """The end of a scan: how much was judged, and the commonest reasons for `unknown`. Nothing for a patch."""
    if report.scan is None:
        return []
    out = [f"{plural(report.scan.files, 'file')} with allocations judged in {report.seconds:.1f} s"]
    if report.scan.reasons:
        out.append("commonest reasons for unknown:")
        width = len(str(report.scan.reasons[0][1]))
        out += [f"{count:>{width + 2}}  {reason}" for reason, count in report.scan.reasons]
    return out


def read_event(trace: Sequence[Event]) -> Event | None:
    """Where the garbage is used: the last event of the story that looks at or hands on elements."""
    for event in reversed(trace):
        if event.event in ("read", "copied", "kept", "returned", "escaped"):
            return event
    return None


def assumed(verdict: Verdict) -> str:
    return ", ".join(verdict.assumes)


def joined(words: Iterable[str], between: str = " ") -> str:
    return between.join(word for word in words if word)


__all__ = [
    "CONSEQUENCES", "EVENTS", "WORST_FIRST", "assumed", "codes", "consequence_of", "counts", "event_words", "hole_of",
    "hole_words", "is_live", "joined", "plural", "printed", "rank", "read_event", "severity", "summary", "tally",
]  # fmt: skip
