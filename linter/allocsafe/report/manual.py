"""The rules as a person reads them: `allocsafe rules` and `allocsafe explain CODE`.

Both print what the rule carries and nothing else, so the manual cannot say something that the tests do not run: the two
programs below an explanation are the cases that every run of the test suite judges.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable

from allocsafe.api import Case, Rule

WIDTH = 100


def table(rules: Iterable[Rule]) -> str:
    """One line a rule: code, name, severity, title."""
    rows = [(rule.code, rule.name, rule.severity, rule.title) for rule in rules]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) + "\n"
        for row in rows
    )


def explained(rule: Rule) -> str:
    """A page about one rule, with one pair of its cases as patches."""
    parts = [
        f"{rule.code} {rule.name} ({rule.severity}): {rule.title}",
        "Why it matters\n" + _filled(rule.why),
        "How to fix it\n" + _filled(rule.fix),
    ]
    parts += [f"Found: {case.name}\n{_patch(case)}" for case in rule.bad[:1]]
    parts += [f"Not found: {case.name}\n{_patch(case)}" for case in rule.ok[:1]]
    mark = "//" if rule.bad[0].path.endswith((".cpp", ".cu", ".cuh", ".h")) else "#"
    parts.append(
        "To accept it in one place, write on the allocation's line, with a reason:\n"
        f"    {mark} allocsafe: ignore[{rule.code}] why this is fine here"
    )
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _patch(case: Case) -> str:
    """The case as a reader of patches knows it: every line, with its sign."""
    before, after = case.before.strip("\n").split("\n"), case.after.strip("\n").split("\n")
    rows = difflib.unified_diff(before, after, lineterm="", n=max(len(before), len(after)))
    body = [row for row in rows if not row.startswith(("---", "+++", "@@"))]
    return "\n".join(f"    {row}".rstrip() for row in body)


__all__ = ["explained", "table"]
