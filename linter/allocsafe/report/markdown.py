"""Markdown for a pull-request comment and for a job's summary page: a table, then one folded block a site.

Both places cut off long text (65,536 characters for a comment, one megabyte for a summary), so the table comes first
and the stories stop when the page is full, saying so. Everything that comes from the sources is escaped: a symbol or
a line of code must not become markup.
"""

from __future__ import annotations

from collections.abc import Mapping

from allocsafe.api import Rule
from allocsafe.report.records import Report, SiteReport
from allocsafe.report.text import one_line, shortened
from allocsafe.report.words import CONSEQUENCES, codes, consequence_of, event_words, hole_words, printed, summary
from allocsafe.verdict import Unknown, name_of

FULL = 60_000
MARKS = {"unsafe": ":red_circle:", "unknown": ":large_orange_diamond:", "safe": ":white_check_mark:"}


def render(report: Report, rules: Mapping[str, Rule] | None = None) -> str:
    """The page: a heading with the summary, the table, the stories."""
    sites = printed(report)
    out = [f"### allocsafe: {summary(report)}", ""]
    if sites:
        out += ["| | where | allocation | unwritten | rules | |", "|---|---|---|---|---|---|"]
    size, hidden = 0, 0
    for site in sites:
        row = _row(site)
        if size + len(row) > FULL // 2:
            hidden += 1
            continue
        size += len(row)
        out.append(row)
    if sites:
        out.append("")
    for site in sites:
        block = _block(site, report, rules or {})
        if size + len(block) > FULL:
            hidden += 1
            continue
        size += len(block)
        out += [block, ""]
    if hidden:
        out += [f"*{hidden} more rows or stories did not fit on this page; the log has them all.*", ""]
    out += [f"- `{_inline(path)}` could not be judged: {_prose(message)}" for path, message in report.errors]
    out += [f"- `{_inline(str(note.span))}`: {_prose(note.message)}" for note in report.notes]
    if report.scan is not None and report.scan.reasons:
        out += ["", "| commonest reasons for unknown | |", "|---|---|"]
        out += [f"| {_prose(reason)} | {count} |" for reason, count in report.scan.reasons]
    return "\n".join(out).rstrip("\n") + "\n"


def _row(site: SiteReport) -> str:
    where, verdict = site.judged.site, site.judged.verdict
    name = name_of(verdict)
    hole = "" if not hole_words(verdict) else _prose(hole_words(verdict))
    found = "ignored" if site.suppressed is not None else " ".join(codes(site))
    cells = (
        f"{MARKS[name]} {name}", f"`{_inline(where.span.path)}:{where.span.line}`", f"`{_inline(where.symbol)}`", hole,
        found, _prose(verdict.reason),
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _block(site: SiteReport, report: Report, rules: Mapping[str, Rule]) -> str:
    where, verdict = site.judged.site, site.judged.verdict
    rows = []
    last = None
    for event in verdict.trace:
        span = event.span
        if (span.path, span.line) != last and span.line:
            code = shortened(report.line_of(span.path, span.line).strip())
            rows.append(f"{span.path}:{span.line}: {code}")
        last = (span.path, span.line)
        rows.append(f"    {one_line(event_words(event))}")
    story = "\n".join(rows)
    fence = "`" * max(3, _longest_run(story) + 1)
    parts = [
        f"<details><summary>{_html(name_of(verdict))}: <code>{_html(where.symbol)}</code> in "
        f"{_html(where.span.path)}:{where.span.line}</summary>",
        "",
        _prose(verdict.reason),
        "",
    ]
    if rows:
        parts += [f"{fence}text", story, fence, ""]
    parts += [f"- {line}" for line in _facts(site, rules)]
    parts += ["", "</details>"]
    return "\n".join(parts)


def _facts(site: SiteReport, rules: Mapping[str, Rule]) -> list[str]:
    verdict = site.judged.verdict
    facts = []
    if hole_words(verdict):
        facts.append(_prose(hole_words(verdict)))
    consequence = consequence_of(verdict)
    if consequence is not None:
        facts.append(_prose(CONSEQUENCES[consequence]))
    if isinstance(verdict, Unknown):
        facts.append(f"stopped by {_prose(verdict.step)}; decided by {_prose(verdict.decides)}")
    for change in site.judged.changes:
        facts.append(f"{change.what} changed from `{_inline(change.old)}` to `{_inline(change.new)}`")
    if verdict.assumes:
        facts.append(f"assumes {_prose(', '.join(verdict.assumes))}")
    if site.suppressed is not None:
        facts.append(f"ignored: {_prose(site.suppressed)}")
    else:
        facts += [f"{code}: {_prose(rules[code].fix)}" for code in codes(site) if code in rules]
    return facts


def _inline(text: str) -> str:
    """For text between single backquotes, which know no escapes."""
    return shortened(one_line(text)).replace("`", "'")


def _prose(text: str) -> str:
    """Running text: backquoted parts stay code, everything else cannot become markup."""
    pieces = one_line(text).split("`")
    if len(pieces) % 2 == 0:  # an odd backquote pairs with nothing
        pieces = [one_line(text).replace("`", "'")]
    for index in range(0, len(pieces), 2):
        pieces[index] = _html("".join("\\" + char if char in "\\*_[]#~@" else char for char in pieces[index]))
    return "`".join(pieces)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest


__all__ = ["FULL", "render"]
