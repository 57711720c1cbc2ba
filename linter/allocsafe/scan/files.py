"""One file of a tree without a patch: every allocation in it that starts uninitialised, judged.

*Claim.* What comes back depends on the file's text and on what was asked of the program alone, so a file can be judged
in any process and in any order, and an answer may be kept as long as those questions have the same answers. *Why
nothing is left out.* A line of code that allocates uninitialised memory by the name of the call is in the result even
if no walk came by: then it is unknown, with what stopped the walk. *What it gives up.* Makers that only the walk
recognises (a factory under another name) are seen where the walk reaches them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.pipeline import CPP_ALLOCATES, PY_UNFILLED, PYTHON, _in_code, language_of
from allocsafe.source import Source, Span

if TYPE_CHECKING:
    from allocsafe.api import Judged
    from allocsafe.flow.analysis import FileAnalysis, Found, Settings
    from allocsafe.flow.program import Program
    from allocsafe.frontends.base import Definition, Unit
    from allocsafe.units import Units
    from allocsafe.verdict import Unknown, Verdict

MOST_BUDGETS = 4
"""Budgets of one site that all functions and classes of a file may take together."""


class FileResult(NamedTuple):
    """What one file came to. `comments` are its ignore comments, (line, text)."""

    path: str
    judged: tuple[Judged, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    comments: tuple[tuple[int, str], ...] = ()


QUOTED = re.compile(
    r"\"\"\"(?:[^\\\"]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^\\']|\\.|'(?!''))*'''"
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*",
    re.S,
)
"""Texts and comments of Python."""

C_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|//[^\n]*|/\*.*?\*/", re.S)

BY_NAME = re.compile(
    r"\b(?:torch|np|numpy|cp|cupy)\.empty(?:_like|_strided|_permuted)?\s*\(|\.new_empty(?:_strided)?\s*\(|"
    r"(?<![\w.])empty(?:_like|_strided)\s*\("
)
"""Calls that make uninitialised memory whoever looks at them."""

C_BY_NAME = re.compile(
    r"\b(?:torch|at|stable)::empty(?:_like|_strided)?\s*\(|[.>]new_empty\w*\s*\(|\bnew\s+[\w:]+\s*\[(?![^\]]*\]\s*[{(])|"
    r"(?<![\w.>])(?:std::)?malloc\s*\(|\b(?:cuda|hip)Malloc(?:Async|Managed|Host)?\s*\("
)

C_ARRAY = re.compile(
    r"^\s*(?!(?:return|delete|else|case|throw|goto|using|typedef|template|__shared__|extern|static|constexpr)\b)"
    r"(?:[\w:]+\s+){0,3}(?:[\w:]+(?:<[^;=()]*>)?\*?\s+(?P<name>\w+)(?:\[[^\]\n]*\])+|std::array<[^;&*]*>\s+\w+)\s*;"
)
"""An array of C++ without values, where a statement begins."""


def code_of(path: str, text: str) -> str:
    """The text with everything that is no code blanked out: every character that is left is where it was."""
    pattern = QUOTED if path.endswith(PYTHON) else C_QUOTED
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def rows_that_allocate(path: str, code: str) -> list[int]:
    """The lines of code that may make uninitialised memory, in order. None: the file has no site."""
    if not path.endswith(PYTHON):
        return [n for n, row in enumerate(code.split("\n"), 1) if CPP_ALLOCATES.search(row)]
    rows: list[int] = []
    line, at = 1, 0
    for found in PY_UNFILLED.finditer(code):
        line += code.count("\n", at, found.start())
        at = found.start()
        if not rows or rows[-1] != line:
            rows.append(line)
    return rows


def may_allocate(path: str, data: bytes) -> bool:
    """Whether the bytes alone leave it open that a file has a site: the first and cheapest question.

    The same answer as `PY_UNFILLED`, which has no literal to begin with and takes seven times as long.
    """
    if not path.endswith(PYTHON):
        return b"[" in data or b"alloc" in data or b"empty" in data
    if any(pattern.search(data) for pattern in _RARE):
        return PY_UNFILLED.search(data.decode("latin-1")) is not None
    for found in _EMPTY.finditer(data):
        at = found.start()
        at -= 4 if data[max(at - 4, 0) : at] == b"new_" else 0
        if not at or not _LETTER.match(data, at - 1):
            return True
    return False


_RARE = tuple(map(re.compile, (rb"resize_\s*\(", rb"Tensor(?:\.new)?\s*\(", rb"\.new\s*\(", rb"ndarray\s*\(")))
_EMPTY = re.compile(rb"empty\w*\s*\(")
_LETTER = re.compile(rb"\w")


def judge_file(program: Program, path: str, settings: Settings) -> tuple[list[Judged], list[tuple[str, str]]]:
    """Every allocation of one file that starts uninitialised, in the order of the file, and what could not be read."""
    from allocsafe.flow.analysis import FileAnalysis
    from allocsafe.flow.clock import now
    from allocsafe.frontends.base import Unsupported

    try:
        unit = program.unit(path)
        if unit is None:
            return [], []
        code = code_of(path, unit.source.text)
        rows = rows_that_allocate(path, code)
        if not rows:
            return [], []
        analysis = FileAnalysis(program, path, settings)
        until = now() + MOST_BUDGETS * settings.budget
        for wanted, module in _around(unit, rows):
            if now() > until:  # each has its time, and all together have theirs
                analysis.problems += [_late(path, d) for d in wanted]
            else:
                analysis.run(wanted, module)
    except Unsupported as problem:
        return [], [(path, f"line {problem.span.line}: {problem.reason}")]
    except RecursionError:
        return [], [(path, "nests too deeply to be read")]
    judged = [
        _judged(unit.source, found.span, found.symbol, _verdict(found))
        for found in analysis.found.values()
        if not found.filled
    ]
    judged += _unreached(analysis, unit, code, rows)
    judged.sort(key=lambda j: (j.site.span.line, j.site.span.column))
    return judged, []


def comments_of(units: Units, source: Source) -> tuple[tuple[int, str], ...]:
    """The ignore comments of a file, (line, text)."""
    from allocsafe.frontends.base import Unsupported

    if "allocsafe" not in source.text:
        return ()
    try:
        return tuple(units.open(source).comments())
    except (Unsupported, RecursionError):
        return ()


def _around(unit: Unit, rows: Sequence[int]) -> list[tuple[list[Definition], bool]]:
    """What holds these lines, piece by piece: a function, the methods of a class, or the code outside of all."""
    pieces: dict[str, dict[tuple[str, int], Definition]] = {}
    module = False
    for row in rows:
        at = unit.at_line(row)
        if at is not None and at.kind == "function":
            piece = pieces.setdefault(at.owner or f"{at.qualname} {at.first_line}", {})
            piece[at.qualname, at.first_line] = at
        else:
            module = True
    out = [(list(piece.values()), False) for piece in pieces.values()]
    return [*out, ([], True)] if module else out


def _late(path: str, definition: Definition) -> Unknown:
    from allocsafe.verdict import Unknown

    line = definition.first_line
    reason = f"the time for the file ran out before {definition.qualname}"
    return Unknown("budget", Span(path, line, 1, line, 1), reason, "a larger --budget")


def _verdict(found: Found) -> Verdict:
    from allocsafe.verdict import Unknown

    if found.verdict is not None:
        return found.verdict
    return Unknown("context", found.span, "the analysis did not reach it", "an entry point that calls it")


def _judged(source: Source, span: Span, symbol: str, verdict: Verdict) -> Judged:
    from allocsafe.api import Judged, Site

    text = source.line(span.line).strip()
    end = max(span.end_column, span.column + 1) if span.end_line == span.line else len(source.line(span.line)) + 1
    where = Span(source.path, span.line, span.column, span.line, max(end, span.column + 1))
    return Judged(Site(where, language_of(source.path), symbol or "(unnamed)", "existing", text), verdict)


def _unreached(analysis: FileAnalysis, unit: Unit, code: str, rows: Sequence[int]) -> list[Judged]:
    """Allocations by name that no walk met: unknown, with what stopped the walk of their function."""
    from allocsafe.verdict import Unknown

    met = {line for found in analysis.found.values() for line in range(found.span.line, found.span.end_line + 1)}

    def why(span: Span) -> Verdict:
        at = unit.at_line(span.line)
        first, last = (1, 1) if at is None else (at.first_line, at.last_line)
        for problem in analysis.problems:
            if first <= problem.span.line <= last:
                return problem
        return Unknown("context", span, "no walk reached this allocation", "an entry point that leads to it")

    left = [row for row in rows if row not in met]
    out = _named(unit.source, code, left, why)
    if unit.language != "python":
        lines, done = code.split("\n"), {j.site.span.line for j in out}
        for row in left:
            found = None if row in done else C_ARRAY.match(lines[row - 1])
            if found is not None and _in_code(unit, row):
                start = len(lines[row - 1]) - len(lines[row - 1].lstrip()) + 1
                span = Span(analysis.path, row, start, row, len(lines[row - 1].rstrip()) + 1)
                out.append(_judged(unit.source, span, found["name"] or "", why(span)))
    return out


def by_name(source: Source, step: str, reason: str) -> list[Judged]:
    """The allocations of a file that could not be analysed, as far as names tell: all unknown, for this reason."""
    from allocsafe.verdict import Unknown

    code = code_of(source.path, source.text)
    rows = rows_that_allocate(source.path, code)
    decides = "a larger --budget" if step == "budget" else "a report of this bug"
    return _named(source, code, rows, lambda span: Unknown(step, span, reason, decides))


def _named(source: Source, code: str, rows: Sequence[int], why: Callable[[Span], Verdict]) -> list[Judged]:
    pattern = BY_NAME if source.path.endswith(PYTHON) else C_BY_NAME
    lines = code.split("\n")
    out = []
    for row in rows:
        hit = pattern.search(lines[row - 1])
        if hit is None:
            continue
        span = Span(source.path, row, hit.start() + 1, row, len(lines[row - 1].rstrip()) + 1)
        target = re.match(r"\s*([\w.\[\]\"']+)\s*(?::[^=]+)?=(?!=)", source.line(row))
        out.append(_judged(source, span, target[1] if target else "", why(span)))
    return out


__all__ = ["FileResult", "by_name", "code_of", "comments_of", "judge_file", "may_allocate", "rows_that_allocate"]
