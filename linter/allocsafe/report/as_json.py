"""The report as JSON, schema `allocsafe-report/1`: what scripts, bots and the replay of old patches read.

Every key is always there, `null` where nothing applies, so that a reader needs no defaults. Keys are only ever added.
A note about a suppression is no site, hence it stands in `errors` with its line.
"""

from __future__ import annotations

import json
from typing import Any

from allocsafe import __version__
from allocsafe.api import Finding
from allocsafe.report.records import Report, SiteReport, Tally
from allocsafe.report.words import consequence_of, counts, hole_of, is_live
from allocsafe.verdict import Event, name_of

SCHEMA = "allocsafe-report/1"


def render(report: Report) -> str:
    """The whole report, indented, in ASCII: safe in every terminal and log."""
    return json.dumps(as_dict(report), indent=2) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    errors = [{"path": path, "message": message} for path, message in report.errors]
    errors += [{"path": note.span.path, "message": f"line {note.span.line}: {note.message}"} for note in report.notes]
    return {
        "schema": SCHEMA,
        "tool": {"name": "allocsafe", "version": __version__},
        "sites": [_site(site) for site in report.sites],
        "errors": errors,
        "summary": {**counts(report), "seconds": round(report.seconds, 3)},
        "scan": None if report.scan is None else _scan(report.scan),
    }


def _scan(tally: Tally) -> dict[str, Any]:
    reasons = [{"reason": reason, "count": count} for reason, count in tally.reasons]
    return {"files": tally.files, "unknown": reasons}


def _site(site: SiteReport) -> dict[str, Any]:
    where, verdict = site.judged.site, site.judged.verdict
    hole, before = hole_of(verdict), where.before
    return {
        "path": where.span.path,
        "line": where.span.line,
        "column": where.span.column,
        "end_line": where.span.end_line,
        "language": where.language,
        "symbol": where.symbol,
        "kind": where.kind,
        "before": None if before is None else {"path": before.path, "line": before.line, "text": before.text},
        "text": where.text,
        "verdict": name_of(verdict),
        "reason": verdict.reason,
        "unwritten": "" if hole is None else hole.region,
        "condition": None if hole is None else hole.condition,
        "consequence": consequence_of(verdict),
        "assumes": list(verdict.assumes),
        # an ignore comment answers the finding, it does not change what was proved
        "findings": [_finding(finding) for finding in site.findings] if is_live(site) else [],
        "trace": [_event(event) for event in verdict.trace],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    span = finding.span
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "path": event.span.path,
        "line": event.span.line,
        "event": event.event,
        "region": event.region,
        "note": event.note,
    }


__all__ = ["SCHEMA", "as_dict", "render"]
