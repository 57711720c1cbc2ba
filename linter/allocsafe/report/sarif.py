"""SARIF 2.1.0, for code-scanning dashboards: one result a finding, the story as its code flow.

Safe sites are no results: SARIF consumers show every result as an alert. A finding that an ignore comment answers is
a result with a suppression, which dashboards count apart. The fingerprint leaves the line out, so that an alert
survives an edit above it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from allocsafe import __version__
from allocsafe.api import Finding, Rule
from allocsafe.report.records import Report, SiteReport
from allocsafe.report.text import one_line
from allocsafe.report.words import event_words, hole_words
from allocsafe.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report, rules: Mapping[str, Rule] | None = None) -> str:
    """The log file, indented."""
    return json.dumps(as_dict(report, rules or {}), indent=2) + "\n"


def as_dict(report: Report, rules: Mapping[str, Rule]) -> dict[str, Any]:
    found = sorted({finding.rule for site in report.sites for finding in site.findings})
    order = {code: index for index, code in enumerate(found)}
    seen: dict[str, int] = {}
    results = [_result(site, finding, order, seen) for site in report.sites for finding in site.findings]
    driver = {
        "name": "allocsafe",
        "version": __version__,
        "rules": [_rule(code, rules.get(code)) for code in found],
    }
    notices = [_notice(f"{path}: {message}", Span(path, 0, 0, 0, 0)) for path, message in report.errors]
    notices += [_notice(note.message, note.span) for note in report.notes]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.errors, "toolExecutionNotifications": notices}],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": one_line(rule.why)},
        "help": {"text": one_line(rule.fix)},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(site: SiteReport, finding: Finding, order: Mapping[str, int], seen: dict[str, int]) -> dict[str, Any]:
    verdict = site.judged.verdict
    text = ". ".join(part for part in (finding.message, hole_words(verdict), verdict.reason) if part)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.rule],
        "level": finding.severity,
        "message": {"text": one_line(text)},
        "locations": [_location(finding.span)],
        "partialFingerprints": {"allocsafe/1": _fingerprint(site, finding, seen)},
    }
    steps = [
        {"location": _location(event.span, event_words(event))} for event in verdict.trace if event.span.line
    ]  # fmt: skip
    if steps:
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if site.suppressed is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": site.suppressed}]
    return result


def _fingerprint(site: SiteReport, finding: Finding, seen: dict[str, int]) -> str:
    where = site.judged.site
    key = "\0".join((finding.rule, where.span.path, where.symbol, one_line(where.text)))
    count = seen[key] = seen.get(key, -1) + 1
    return hashlib.sha256(f"{key}\0{count}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _location(span: Span, message: str = "") -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(span.path)}}
    if span.line > 0:
        region: dict[str, int] = {"startLine": span.line}
        if span.column > 0:
            region["startColumn"] = span.column
        if span.end_line >= span.line:
            region["endLine"] = span.end_line
            if span.end_column > 0:
                region["endColumn"] = span.end_column
        physical["region"] = region
    location: dict[str, Any] = {"physicalLocation": physical}
    if message:
        location["message"] = {"text": message}
    return location


def _notice(message: str, span: Span) -> dict[str, Any]:
    notice: dict[str, Any] = {"level": "warning", "message": {"text": one_line(message)}}
    if span.path:
        notice["locations"] = [_location(span)]
    return notice


def _uri(path: str) -> str:
    """A relative reference: what is not allowed in a URI is escaped, and a colon in its first part is no scheme."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/-._~!$&'()*+,;=@")


__all__ = ["SCHEMA", "as_dict", "render"]
