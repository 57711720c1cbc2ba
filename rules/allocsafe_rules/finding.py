"""How the built-in rules say something: the finding stands on the allocation's line, the only place a patch surely
shows.

Where the garbage is read is part of the verdict's story, which every report prints below the finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Finding, Judged, Severity, Unknown, Unsafe

SPECIAL = frozenset({"never-written", "zero-relied-on", "skipped-fill", "wrong-phase", "kept"})
"""Facets that a rule of their own speaks about: with one of them, AS101 has nothing to add."""

SPECIAL_CPP = frozenset(
    {"partial-fill", "container", "dangling", "async-source", "blob-mismatch", "uncovered-launch"}
)  # fmt: skip
"""The same for AS201."""


def say(code: str, severity: Severity, judged: Judged, message: str) -> Finding:
    """A finding on the allocation's line."""
    return Finding(code, severity, message, judged.site.span)


def unsafe_python(judged: Judged) -> Unsafe | None:
    """The unsafe verdict about a Python site, or None."""
    verdict = judged.verdict
    return verdict if judged.site.language == "python" and isinstance(verdict, Unsafe) else None


def unsafe_cpp(judged: Judged) -> Unsafe | None:
    """The unsafe verdict about a C++ or CUDA site, or None."""
    verdict = judged.verdict
    return verdict if judged.site.language != "python" and isinstance(verdict, Unsafe) else None


def is_special(verdict: Unsafe) -> bool:
    """True if a more telling rule than AS101 finds this."""
    return bool(verdict.facets & SPECIAL) or verdict.consequence in ("accumulate", "persist", "collective")


def part(verdict: Unsafe) -> str:
    """The hole as a noun: `element range [0]`, or `a part` where no region could be written down."""
    return f"{verdict.hole.region}" if verdict.hole.region else "a part"


def cannot_tell(code: str, judged: Judged) -> Iterator[Finding]:
    """What AS190 and AS290 have to say about an unknown verdict."""
    verdict = judged.verdict
    if isinstance(verdict, Unknown):
        where = f" at {verdict.span.path}:{verdict.span.line}" if verdict.span.line else ""
        message = f"{judged.site.symbol} could not be followed ({verdict.step}{where}): {verdict.reason}"
        if verdict.decides:
            message += f"; decided by {verdict.decides}"
        yield say(code, "warning", judged, message)


__all__ = ["SPECIAL", "SPECIAL_CPP", "cannot_tell", "is_special", "part", "say", "unsafe_cpp", "unsafe_python"]
