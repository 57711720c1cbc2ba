"""A fill that the patch took out of memory that is not allocated in view: what does a later read meet?

*Claim.* The statement is put back as two marks (see `flow.stale`), under the conditions that it stood under, where it
stood; the analysis of that text says whether an element that the fill wrote can be read before this step writes it.
*Why that suffices.* All other statements of the new side run as they do, so a fill that was moved, into a callee or
out of one, or that a write makes needless, covers the hole. A hole that is there with the fill in place is not the
patch's. *What it gives up.* Where the function, the name or the block is gone, there is no place to put the marks:
unknown, as is memory that is reached under a second name.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.stale import GAP, LEFT, STALE
from allocsafe.source import Inserted, Source, Span
from allocsafe.verdict import Event, Facet, Hole, Safe, Unknown, Unsafe, Verdict

if TYPE_CHECKING:
    from allocsafe.edits import DroppedFill
    from allocsafe.flow.analysis import FileAnalysis
    from allocsafe.flow.machine import Left
    from allocsafe.frontends.base import Definition, Unit
    from allocsafe.patch.pairs import FilePair

VIEWS = frozenset({"view", "flatten", "reshape", "squeeze", "unsqueeze", "t", "transpose", "narrow", "detach", "data"})
"""What may stand between a name and its fill and is the same memory."""

_HEAD = re.compile(r"(if|elif|else|for|while|with|try|except|finally|async|match|case)\b")


class Marked(NamedTuple):
    """A text with marks in it, and what the marks stand for."""

    source: Source
    definition: Definition
    line: int
    root: str
    local: bool


Analyse = Callable[[str, Source, "Definition", bool], "FileAnalysis | None"]
"""(side, text, definition, alone) -> the analysis of one definition in that text, without its callers if `alone`."""

OPEN = frozenset({"kept", "order", "budget", "branches", "condition"})
"""What may stop the analysis of memory that lives on when the question is who reads it later."""


def judged(pair: FilePair, fill: DroppedFill, old: Unit, new: Unit, analyse: Analyse) -> tuple[Verdict, bool] | None:
    """The verdict on a dropped fill and whether its hole is new; None where there is no place to ask."""
    after = marked_new(pair, fill, old, new)
    if after is None:
        held = _refilled(pair, fill, old, new)
        return None if held is None else (held, True)
    first = _asked(after, fill, analyse("new", after.source, after.definition, True))
    if isinstance(first, Unsafe):
        whole = _asked(after, fill, analyse("new", after.source, after.definition, False))
        if isinstance(whole, Safe):  # lengths that the function alone does not tell, and whoever calls it does
            return whole, True
        before = marked_old(fill, old)
        there = None if before is None else _asked(before, fill, analyse("old", before.source, before.definition, True))
        return first, not _had(there, first)
    analysis = analyse("new", after.source, after.definition, False)
    verdict = _asked(after, fill, analysis)
    if verdict is None and isinstance(first, Unknown):
        verdict = first
    if isinstance(verdict, Unknown) and verdict.step in OPEN and analysis is not None:
        read = recorded(after, fill, verdict, analysis)
        if read is not None:
            return read, True  # the fill itself is what covers it on the old side
    if verdict is None or not isinstance(verdict, Unsafe):
        return None if verdict is None else (verdict, True)
    before = marked_old(fill, old)
    there = None if before is None else _asked(before, fill, analyse("old", before.source, before.definition, False))
    return verdict, not _had(there, verdict)


def _had(before: Verdict | None, after: Unsafe) -> bool:
    """Whether the very hole was there with the fill in place: another one, or a smaller, is no excuse."""
    return isinstance(before, Unsafe) and before.hole is not None and before.hole.region == after.hole.region


def recorded(marked: Marked, fill: DroppedFill, verdict: Unknown, analysis: FileAnalysis) -> Unsafe | None:
    """A graph that another function of the file records reads the memory to a length of its own.

    The fill wrote the tail behind the step's own length. Every replay reads to the length that was recorded, whatever
    this step wrote: what lies between the two was the fill's alone, if the recording function does not write it.
    """
    from allocsafe.flow.analysis import phase_named

    _, dot, attr = marked.root.rpartition(".")
    tail = re.fullmatch(rf"{re.escape(marked.root)}\[\s*([^\[\]:,]+?)\s*:\s*\]", fill.target)
    if not dot or tail is None:
        return None
    mine = marked.definition.qualname
    for at in analysis.unit.definitions:
        if at.kind != "function" or at.qualname == mine:
            continue
        phase = phase_named(at.qualname.rsplit(".", 1)[-1], analysis.settings.phases)
        if phase is None or phase.rank != 2:
            continue
        rows = analysis.unit.source.lines[at.first_line - 1 : at.last_line]
        text = "\n".join(re.sub(r"#.*", "", row) for row in rows)
        text = re.sub(r"\s*\.\s*", ".", text)
        found = re.search(rf"\.{re.escape(attr)}\[\s*:\s*([A-Za-z_][\w.]*(?:\s*\+\s*1)?)\s*\]", text)
        if found is None or re.search(rf"\.{re.escape(attr)}(?:\[[^\]]*\])?\s*(?:=(?!=)|\.\w+_\()", text):
            continue
        if found[1] == tail[1]:
            continue
        line = next(
            (n for n, row in enumerate(rows, at.first_line) if f"{attr}[" in row.replace(" ", "")), at.first_line
        )
        there = Span(marked.source.path, line, 1, line, 1)
        region = Hole(f"[{tail[1]}:]", "", None)
        why = (
            f"[{tail[1]}:] is stale, what an earlier step left: this step writes to {tail[1]}, and what "
            f"{at.qualname.rsplit('.', 1)[-1]} records at line {line} reads to {found[1]} on every replay"
        )
        story = (*verdict.trace[:1], Event("read", there, f"[:{found[1]}]", f"recorded by {at.qualname}"))
        facets: frozenset[Facet] = frozenset({"stale", "padding"})
        return Unsafe(why, story, region, "data", facets, (*verdict.assumes, f"{phase.name} records what is replayed"))
    return None


def _refilled(pair: FilePair, fill: DroppedFill, old: Unit, new: Unit) -> Verdict | None:
    from allocsafe.flow.refilled import refilled

    before, root = _function_at(old, fill.line), root_of(fill.target)
    if before is None or root is None:
        return None
    return refilled(pair, fill, before, headers_of(old, before, fill.line), root, old, new)


# ------------------------------------------------------------ the verdict


def _asked(marked: Marked, fill: DroppedFill, analysis: FileAnalysis | None) -> Verdict | None:
    """What the analysis says of the memory behind the marks."""
    if analysis is None:
        return None
    place = Span(marked.source.path, marked.line, 1, marked.line, 1)
    about = [
        f.verdict
        for f in analysis.found.values()
        if f.what == STALE and f.span.line == marked.line and f.verdict is not None
    ]
    lefts = analysis.left
    if not about:
        followed = [f.verdict for f in analysis.found.values() if f.verdict is not None and f.symbol == marked.root]
        if any(left.other or left.stale for left in lefts):
            return None
        if any(left.followed for left in lefts):
            return followed[0] if len(followed) == 1 else None
        fresh = [span for left in lefts for span in left.fresh]
        if fresh:
            return Safe(
                f"{marked.root} is made in this step, and filled when it is made",
                (Event("filled", fresh[0], "[:]", ""), Event("note", place, "", "the fill was here")),
            )
        return None
    verdict = max(about, key=lambda v: 2 if isinstance(v, Unsafe) else 0 if isinstance(v, Safe) else 1)
    aliases = sorted(set().union(*(left.aliases for left in lefts)))
    parents: set[str] = set().union(*(left.parents for left in lefts))
    other = others(analysis.unit, marked.definition, parents) if marked.local else ""
    if other and isinstance(verdict, (Safe, Unsafe)):
        why = f"{other} may be the same memory as {marked.root}, under another name"
        return Unknown("alias", place, why, DECIDES, verdict.trace)
    if isinstance(verdict, Unsafe):
        return verdict if _made_here(lefts) else stale(verdict)
    if isinstance(verdict, Safe):
        if any(left.followed or left.other for left in lefts):
            return None
        if aliases:
            why = f"{aliases[0]} is an earlier view of {marked.root}, and may be read with what an earlier step left"
            return Unknown("alias", place, why, DECIDES, verdict.trace)
        reason = f"every element that the fill of {fill.target} wrote is written again before it is read"
        return Safe(reason, verdict.trace, verdict.assumes)
    lengths = verdict.hole is not None and not _ONE.fullmatch(verdict.hole.condition or "")
    if verdict.step == "condition" and lengths and verdict.hole is not None and verdict.consequence is not None:
        # The fill is what made the elements between the two lengths defined: no relation between them was relied on.
        padded: frozenset[Facet] = frozenset({"stale", "padding"})
        told = _told(verdict.reason)
        return Unsafe(told, verdict.trace, verdict.hole, verdict.consequence, padded, verdict.assumes)
    return verdict if _made_here(lefts) else verdict._replace(reason=_told(verdict.reason))


_ONE = re.compile(r"[\w.()\[\]']+ >= [01]")
"""A condition on one length alone: the hole is there only where that is nothing."""

DECIDES = "one name for the memory in the function"


def _made_here(lefts: Sequence[Left]) -> bool:
    """Whether the fill was of memory that nothing else had written: what is read then is unwritten, not stale."""
    return any(left.made for left in lefts) and all(left.made == left.stale for left in lefts)


def stale(verdict: Unsafe) -> Unsafe:
    """The verdict in the words of memory that lives on."""
    told = _told(verdict.reason)
    gone: frozenset[Facet] = frozenset({"never-written", "skipped-fill"})
    facets: frozenset[Facet] = (verdict.facets - gone) | {"stale"}
    return verdict._replace(reason=told, facets=facets)


def _told(reason: str) -> str:
    reason = re.sub(r" before anything writes it$", "", reason)
    reason = re.sub(r", and nothing ever writes it$", "", reason)
    reason = reason.replace("may be unwritten", "may be stale").replace("is unwritten", "is stale")
    if "stale" not in reason:
        reason = f"{reason}: stale, what an earlier step left, since its fill is gone"
    return reason


# ------------------------------------------------------------ the marks


def marked_old(fill: DroppedFill, old: Unit) -> Marked | None:
    """The old text with the marks in front of the fill."""
    at = _function_at(old, fill.line)
    root = root_of(fill.target)
    if at is None or root is None:
        return None
    row = old.source.line(fill.line)
    rows = _rows(root, fill.target, row[: len(row) - len(row.lstrip())])
    return _put(old, at, fill.line, rows, root)


def marked_new(pair: FilePair, fill: DroppedFill, old: Unit, new: Unit) -> Marked | None:
    """The new text with the marks where the fill stood."""
    before = _function_at(old, fill.line)
    root = root_of(fill.target)
    block = next((b for b in pair.lines.blocks if b[0] < fill.line <= b[1]), None)
    if before is None or root is None or block is None:
        return None
    _, _, start, end = block
    at = next(
        (
            d
            for d in new.definitions
            if d.kind == "function" and d.qualname == before.qualname and d.first_line <= start + 1 <= d.last_line + 1
        ),
        None,
    )
    if at is None:
        return None
    body = "\n".join(new.source.lines[at.first_line - 1 : at.last_line])
    base, dot, attr = root.rpartition(".")
    known = body if base != "self" else "self"
    if not all(re.search(rf"\b{re.escape(word)}\b", known) for word in re.findall(r"[A-Za-z_]\w*", base or attr)):
        return None
    if dot and not re.search(rf"(?<![\w.]){re.escape(root)}\b", body if base != "self" else class_text(new, at)):
        return None
    target = fill.target
    if any(
        not re.search(rf"(?<!\.)\b{re.escape(word)}\b", body)
        for word in re.findall(r"(?<![.\w\"'])[A-Za-z_]\w*", target[len(root) :])
    ):
        target = ""  # the part is said in names that are gone: some part
    headers = headers_of(old, before, fill.line)
    for line in _places(new, at, root, start, end):
        for indent in _indents(new, old, fill.line, line):
            rows = _under(headers, indent, old, root, target)
            if rows is None:
                continue
            made = _put(new, at, line, rows, root)
            if made is not None:
                return made
    return None


def root_of(target: str) -> str | None:
    """The name or attribute that holds the memory of a fill's target; None for what is no place to store to."""
    try:
        node = ast.parse(target, mode="eval").body
    except SyntaxError:
        return None
    while True:
        if isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VIEWS:
            node = node.func.value
        elif isinstance(node, ast.Attribute) and node.attr in VIEWS:
            node = node.value
        else:
            break
    if not isinstance(node, (ast.Name, ast.Attribute)) or (isinstance(node, ast.Name) and node.id == "self"):
        return None
    text = ast.get_source_segment(target, node)
    return str(text) if text else None


def _rows(root: str, target: str, indent: str) -> list[str]:
    rows = [f"{indent}{root} = {LEFT}({root})"]
    if target and target != root:
        rows.append(f"{indent}{GAP}({root}, {target})")
    return rows


def _function_at(unit: Unit, line: int) -> Definition | None:
    """The function or method that is lowered on its own around a line."""
    return next(
        (d for d in unit.definitions if d.kind == "function" and d.first_line < line <= d.last_line),
        None,
    )


def class_text(unit: Unit, at: Definition) -> str:
    """The text of the class around a method, else of the file."""
    for d in unit.definitions:
        if d.kind == "class" and d.qualname == at.owner:
            return "\n".join(unit.source.lines[d.first_line - 1 : d.last_line])
    return unit.source.text


def headers_of(unit: Unit, at: Definition, line: int) -> list[tuple[int, str]]:
    """The compound statements around a line of a function, outermost first: indentation and text."""
    out: list[tuple[int, str]] = []
    depth = _depth(unit.source.line(line))
    for number in range(line - 1, at.first_line, -1):
        row = unit.source.line(number)
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        here = _depth(row)
        if here < depth and _HEAD.match(row.lstrip()):
            text, last = row.strip(), number
            while not re.search(r":\s*(?:#.*)?$", text) and last < line:
                last += 1
                text += " " + unit.source.line(last).strip()
            out.append((here, text))
            depth = here
        elif here < depth and re.match(r"\s*(?:async\s+)?def\s", row):
            break
    return out[::-1]


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip())


def _places(new: Unit, at: Definition, root: str, start: int, end: int) -> list[int]:
    """Lines of the new text before which the marks may stand: behind what binds the name in the hunk, else in front."""
    first = start + 1
    places = [max(first, at.first_line + 1)]
    body = new.source.lines[at.first_line - 1 : at.last_line]
    try:
        tree = ast.parse(textwrap.dedent("\n".join(body)))
    except (SyntaxError, ValueError, RecursionError):
        return places
    bound: list[int] = []
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        line = at.first_line + getattr(node, "lineno", 0) - 1
        if first <= line <= end and any(root in _names(target) for target in targets):
            bound.append(at.first_line + (getattr(node, "end_lineno", None) or 0))
    return [*sorted(bound, reverse=True), *places]


def _names(target: ast.expr) -> set[str]:
    """The names and attributes that an assignment binds, as text."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(*(_names(item) for item in target.elts))
    return {ast.unparse(target)}


def _indents(new: Unit, old: Unit, fill: int, line: int) -> list[str]:
    """Indentations that the marks may have: as deep as the fill stood first."""
    deep = _depth(old.source.line(fill))
    near = {_depth(new.source.line(n)) for n in (line - 2, line - 1, line, line + 1) if new.source.line(n).strip()}
    return [" " * n for n in sorted({deep, *(n for n in near if n <= deep)}, reverse=True) if n]


def _under(headers: list[tuple[int, str]], indent: str, old: Unit, root: str, target: str) -> list[str] | None:
    """The marks below those of the fill's conditions that are not around them any more."""
    rows: list[str] = []
    space = indent
    bound = set(re.findall(r"[A-Za-z_]\w*", root))
    for depth, text in headers:
        if depth < len(indent):
            continue
        word = _HEAD.match(text)
        if word is None or word[1] in ("elif", "else", "except", "finally", "match", "case", "async"):
            return None
        if word[1] in ("if",) or (word[1] == "for" and set(re.findall(r"\w+", text.split(" in ")[0])) & bound):
            rows.append(space + text)
            space += "    "
        elif word[1] == "for":
            taken = set(re.findall(r"\w+", text.split(" in ")[0]))
            if taken & set(re.findall(r"\w+", target[len(root) :])):
                target = ""
    if rows and "." in root and not rows[0].lstrip().startswith("for"):
        rows.insert(0, f"{indent}{root} = {root}")  # on paths around the marks it holds what it held
    return rows + _rows(root, target, space)


def _put(unit: Unit, at: Definition, line: int, rows: list[str], root: str) -> Marked | None:
    """The text with the rows before `line`, if that is one that parses."""
    lines = unit.source.lines
    body = [*lines[at.first_line - 1 : line - 1], *rows, *lines[line - 1 : at.last_line]]
    text = textwrap.dedent("\n".join(body))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    put = (*_held_before(unit, tree, at, line, root), Inserted(line, at.first_line, tuple(rows)))
    source = Source(unit.source.path, unit.source.text, put)
    return Marked(source, at, line, root, root.isidentifier())


def _held_before(unit: Unit, tree: ast.Module, at: Definition, line: int, root: str) -> tuple[Inserted, ...]:
    """`self.x = self.x` at the head of the function, where the object comes in: on paths around the marks the
    attribute then holds what it held.
    """
    function = tree.body[0] if tree.body else None
    base = root.partition(".")[0].partition("[")[0]
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or base == root or "[" in root:
        return ()
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    first = at.first_line + function.body[0].lineno - 1
    if base not in {arg.arg for arg in given} or first >= line or first <= at.first_line:
        return ()
    row = unit.source.line(first)
    space = row[: len(row) - len(row.lstrip())]
    return (Inserted(first, at.first_line, (f"{space}{root} = {root}",)),)


def others(unit: Unit, at: Definition, parents: set[str]) -> str:
    """What the memory was made from, if the function mentions it again: the same memory under another name."""
    lines = unit.source.lines[at.first_line - 1 : at.last_line]
    text = "\n".join(re.sub(r"#.*", "", row) for row in lines)
    for word in sorted(parents):
        uses = len(re.findall(rf"(?<![\w.]){re.escape(word)}\b(?!\.(?:shape|size|device|dtype|dim|numel)\b)", text))
        if uses > (2 if _is_parameter(lines, word) else 1):
            return word
    return ""


def _is_parameter(lines: list[str], word: str) -> bool:
    head = "\n".join(lines).split(":\n", 1)[0]
    return bool(re.search(rf"\b{re.escape(word)}\b\s*[,:=)]", head))


__all__ = ["class_text", "headers_of", "judged", "marked_new", "marked_old", "root_of"]
