"""Workflow commands: lines that GitHub turns into annotations on the changed files.

GitHub shows at most ten errors and ten warnings a step and drops the rest without a word, so a site is one annotation
however many rules it meets, the worst come first, and one notice sums up what is left out. The annotation stands on the
allocation, because a pull request shows annotations on changed lines only; where the read is stands in its text.
"""

from __future__ import annotations

from allocsafe.report.records import Report, SiteReport
from allocsafe.report.words import (
    CONSEQUENCES,
    codes,
    consequence_of,
    event_words,
    hole_words,
    plural,
    rank,
    read_event,
    severity,
    summary,
)

LIMIT = 10
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """The commands, worst first, then the summary as a notice."""
    shown = {"error": 0, "warning": 0, "notice": 0}
    left_out = {"error": 0, "warning": 0, "notice": 0}
    rows: list[str] = []
    for site in sorted(report.sites, key=rank):
        grave = severity(site)
        if grave is None:
            continue
        command = _COMMANDS[grave]
        if shown[command] == _limit(command):
            left_out[command] += 1
            continue
        shown[command] += 1
        rows.append(_annotation(command, site))
    for path, message in report.errors:
        if shown["warning"] < LIMIT:
            shown["warning"] += 1
            rows.append(_command("warning", {"file": path, "title": "allocsafe: not judged"}, message))
        else:
            left_out["warning"] += 1
    for note in report.notes:
        if shown["notice"] < _limit("notice"):
            shown["notice"] += 1
            place = {"file": note.span.path, "line": str(note.span.line), "title": "allocsafe: suppression"}
            rows.append(_command("notice", place, note.message))
    rest = ", ".join(plural(count, name) for name, count in left_out.items() if count)
    words = summary(report) + (f"; {rest} not shown here, see the log or the job summary" if rest else "")
    rows.append(_command("notice", {"title": "allocsafe"}, words))
    return "".join(row + "\n" for row in rows)


def _limit(command: str) -> int:
    """Notices have ten places too, one of which belongs to the summary."""
    return LIMIT - 1 if command == "notice" else LIMIT


def _annotation(command: str, site: SiteReport) -> str:
    where, verdict = site.judged.site, site.judged.verdict
    span = where.span
    lines = [verdict.reason]
    hole = hole_words(verdict)
    if hole:
        lines.append(hole)
    read = read_event(verdict.trace)
    consequence = consequence_of(verdict)
    if read is not None and read.span.line:
        lines.append(f"{event_words(read)} at {read.span.path}:{read.span.line}")
    if consequence is not None:
        lines.append(CONSEQUENCES[consequence])
    lines += [f"{finding.rule}: {finding.message}" for finding in site.findings]
    place = {"file": span.path, "line": str(span.line)}
    if span.end_line == span.line:  # GitHub takes columns for a single line only
        place |= {"col": str(span.column), "endColumn": str(span.end_column)}
    else:
        place |= {"endLine": str(span.end_line)}
    place["title"] = f"{' '.join(codes(site))} {where.symbol}"
    return _command(command, place, "\n".join(lines))


def _command(name: str, properties: dict[str, str], message: str) -> str:
    inside = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {inside}::{escape_data(message)}"


def escape_data(text: str) -> str:
    """`%` first, or the escapes themselves would be escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


__all__ = ["LIMIT", "escape_data", "escape_property", "render"]
