"""Reports made by hand, so that the writers are tested without an engine: one of each verdict, and the odd ones."""

from __future__ import annotations

from allocsafe.api import Before, Change, Finding, Judged, Site
from allocsafe.report.records import Report, SiteReport
from allocsafe.source import Span
from allocsafe.verdict import Event, Hole, Safe, Unknown, Unsafe

CODE = {
    ("pkg/offsets.py", 4): "    ends = torch.empty(n + 1)",
    ("pkg/offsets.py", 5): "    ends[1:].copy_(lengths)",
    ("pkg/model.py", 9): "    return table[ends]",
}


def line_of(path: str, line: int) -> str:
    return CODE.get((path, line), f"line {line} of {path}")


def span(path: str, line: int, column: int = 5, width: int = 10) -> Span:
    return Span(path, line, column, line, column + width)


def unsafe(path: str = "pkg/offsets.py", line: int = 4, consequence: str = "index", **more: object) -> SiteReport:
    """Element 0 of `ends` is used as an index in another file."""
    where = span(path, line)
    site = Site(where, "python", "ends", "unfilled", "torch.empty(n + 1)", Before(path, line, "torch.zeros(n + 1)"))
    verdict = Unsafe(
        reason="element 0 is read and nothing writes it",
        trace=(
            Event("allocated", where, "[0:n + 1]"),
            Event("written", span(path, line + 1), "[1:n + 1]", "copy_"),
            Event("read", span("pkg/model.py", 9), "[0:n + 1]", "index"),
        ),
        hole=Hole("[0]", "n = 1: element [0]"),
        consequence=consequence,  # type: ignore[arg-type]
        facets=frozenset({"never-written"}),
        assumes=("capture runs before replay",),
    )
    findings = (
        Finding("AS102", "error", "[0] of ends is read, and nothing writes it", where),
        Finding("AS105", "error", "[0] of ends is used as an index", where),
    )
    return SiteReport(Judged(site, verdict), findings)._replace(**more)  # type: ignore[arg-type]


def unknown(path: str = "pkg/closed.py", line: int = 7, **more: object) -> SiteReport:
    where = span(path, line)
    verdict = Unknown(
        step="call",
        span=span(path, line + 1),
        reason="kernel() has no source and no contract",
        decides="a contract for kernel",
        trace=(Event("allocated", where), Event("escaped", span(path, line + 1), "[0:n]", "kernel")),
        hole=Hole("[m:n]", condition="m >= n"),
    )
    site = Site(where, "python", 'state["k"]', "unfilled", "torch.empty(n)")
    findings = (Finding("AS190", "warning", "could not be followed", where),)
    return SiteReport(Judged(site, verdict), findings)._replace(**more)  # type: ignore[arg-type]


def safe(path: str = "pkg/good.py", line: int = 3, changed: bool = False) -> SiteReport:
    where = span(path, line)
    trace = (Event("allocated", where, "[0:n]"), Event("written", span(path, line + 1), "[0:n]", "fill_"))
    site = Site(where, "python", "out", "unfilled", "torch.empty(n)", Before(path, line, "torch.full((n,), 1)"))
    changes = (Change("dtype", "int64", "float32"),) if changed else ()
    findings = (Finding("AS108", "note", "the dtype changed", where),) if changed else ()
    return SiteReport(Judged(site, Safe("written whole before every read", trace), changes), findings)


def report(*sites: SiteReport, errors: tuple[tuple[str, str], ...] = (), notes: tuple[Finding, ...] = ()) -> Report:
    return Report(sites, errors, 0.1234567, line_of, notes)
