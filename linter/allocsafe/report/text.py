"""The report for a person at a terminal: one line a site, then the story in order with its source lines.

    cache.py:12:9: unsafe AS102 AS105 cu_seqlens: element 0 is read and nothing writes it
        12 | cu_seqlens = torch.empty(n + 1, dtype=torch.int32)
           |   allocated
        13 | cu_seqlens[1:].copy_(lengths.cumsum(0))
           |   written [1:n+1] (copy_)
        14 | return table[cu_seqlens]
           |   read [0:n+1] (index)
        unwritten: [0] (smallest case: n = 1: element [0])
        use:       used as an index, length or offset: it can reach memory outside of the buffer
        fix:       fill the region that no writer covers, or keep the filled allocation

A line is a list of (text, style) pieces. Plain output joins the texts; only a colour terminal loads rich.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from allocsafe.api import Rule
    from allocsafe.report.records import Report, SiteReport
    from allocsafe.verdict import Event

Piece = tuple[str, str]
_STYLES = {"unsafe": "bold red", "unknown": "bold yellow", "safe": "bold green"}


def render(report: Report, rules: Mapping[str, Rule] | None = None) -> str:
    """The plain text."""
    return "".join("".join(text for text, _ in line) + "\n" for line in lines(report, rules or {}))


def show(report: Report, rules: Mapping[str, Rule], stream: TextIO) -> None:
    """Write to `stream`, in colour if it is a terminal that wants it (NO_COLOR and TERM=dumb do not)."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        stream.write(render(report, rules))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines(report, rules):
        console.print(Text.assemble(*line))


def lines(report: Report, rules: Mapping[str, Rule]) -> Iterator[list[Piece]]:
    """The report, line by line. Worst sites first."""
    if report.sites:
        from allocsafe.report.words import printed

        for site in printed(report):
            yield from _site(site, report, rules)
            yield []
    for path, message in report.errors:
        yield [(path, "bold"), (": ", ""), ("error", "bold red"), (f": {one_line(message)}", "")]
    for note in report.notes:
        yield [(str(note.span), "bold"), (": ", ""), ("note", "bold cyan"), (f": {note.message}", "")]
    from allocsafe.report.words import summary, tally

    for row in tally(report):
        yield [(row, "")]
    yield [(summary(report), "bold" if report.sites else "")]


def _site(site: SiteReport, report: Report, rules: Mapping[str, Rule]) -> Iterator[list[Piece]]:
    from allocsafe.report.words import CONSEQUENCES, assumed, codes, consequence_of, hole_of
    from allocsafe.verdict import Unknown, name_of

    where, verdict = site.judged.site, site.judged.verdict
    name = name_of(verdict)
    head: list[Piece] = [(str(where.span), "bold"), (": ", ""), (name, _STYLES[name]), (" ", "")]
    if site.suppressed is not None:
        head.append(("(ignored) ", "dim"))
    elif site.findings:
        head.append((" ".join(codes(site)) + " ", "magenta"))
    head.append((f"{where.symbol}: {one_line(verdict.reason)}", ""))
    yield head
    yield from _story(verdict.trace, where.span.path, report)

    facts: list[tuple[str, str]] = []
    hole = hole_of(verdict)
    if hole is not None and hole.region:
        facts.append(("unwritten", hole.region + (f" (smallest case: {hole.sample})" if hole.sample else "")))
    if hole is not None and hole.condition:
        facts.append(("safe when", hole.condition))
    consequence = consequence_of(verdict)
    if consequence is not None:
        facts.append(("use", CONSEQUENCES[consequence]))
    if isinstance(verdict, Unknown):
        stopped = f" ({verdict.span})" if verdict.span.line else ""
        facts.append(("stopped by", f"{verdict.step}{stopped}"))
        facts.append(("decided by", one_line(verdict.decides)))
    for change in site.judged.changes:
        facts.append(("changed", f"{change.what}: {change.old} -> {change.new}"))
    if where.before is not None and one_line(where.before.text) != one_line(where.text):
        facts.append(("before", one_line(where.before.text)))
    if verdict.assumes:
        facts.append(("assumes", assumed(verdict)))
    if site.suppressed is not None:
        facts.append(("ignored", site.suppressed))
    else:
        for code in codes(site):
            rule = rules.get(code)
            if rule is not None:
                facts.append(("fix", f"{one_line(rule.fix)} [{code}]"))
    width = max((len(label) for label, _ in facts), default=0) + 1
    for label, words in facts:
        yield [("    ", ""), (f"{label}:".ljust(width) + " ", "dim"), (words, "")]


def _story(trace: tuple[Event, ...], home: str, report: Report) -> Iterator[list[Piece]]:
    """The events in order; the source line once for events that follow each other on it."""
    from allocsafe.report.words import event_words

    places = [event.span for event in trace]
    numbers = [f"{span.line}" if span.path == home else f"{span.path}:{span.line}" for span in places]
    width = max((len(number) for number in numbers if ":" not in number), default=0)
    last = None
    for event, span, number in zip(trace, places, numbers, strict=True):
        here = (span.path, span.line)
        if here != last and span.line:
            code = report.line_of(span.path, span.line).strip()
            yield [("    ", ""), (number.rjust(width), "cyan"), (" | ", "dim"), (shortened(code), "")]
        last = here
        yield [("    ", ""), (" " * width, ""), (" |   ", "dim"), (event_words(event), "italic")]


def shortened(text: str, width: int = 120) -> str:
    """One line of at most `width` characters, without control characters that would move the cursor."""
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= width else text[: width - 3] + "..."


def one_line(text: str) -> str:
    return " ".join(text.split())


__all__ = ["lines", "one_line", "render", "shortened", "show"]
