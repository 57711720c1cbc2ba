"""Regions, conditions and samples in the notation of people: `[:, p:]`, `m >= n`, `n = 1: element [0]`.

Everything here is text for a report; nothing decides on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias

from allocsafe.regions.box import Box
from allocsafe.regions.exprs import ZERO, Lin, Sym, le, minimum, mul
from allocsafe.regions.spelling import full_text
from allocsafe.regions.system import element

Name: TypeAlias = Callable[[Sym], str]
MAX_PARTS = 3  # parts of a region that are written out
INDEX_NAMES = "ijklabcd"


class Span(NamedTuple):
    """{ lo, lo + step, ... below hi } on one axis."""

    lo: Lin
    hi: Lin
    step: int = 1


def names(expressions: Iterable[Lin]) -> Name:
    """One name for each symbol: two that people would call the same get a mark."""
    base = {s for x in expressions for s in x.all_syms() if s.defn is None}
    taken: dict[str, Sym] = {}
    given: dict[Sym, str] = {}
    for s in sorted(base, key=lambda s: s.order):
        name = s.name
        while name in taken:
            name += "'"
        taken[name] = s
        given[s] = name
    return lambda s: given.get(s, s.name)


def spans_of(box: Box, shape: tuple[Lin, ...] | None) -> tuple[Span, ...]:
    """A box with one stop for each axis."""
    extents = shape if shape is not None and len(shape) == len(box) else (None,) * len(box)
    return tuple(
        Span(axis.start, least(axis.stops, extent), axis.step) for axis, extent in zip(box, extents, strict=True)
    )


def least(stops: Iterable[Lin], extent: Lin | None) -> Lin:
    """The least of the stops, as a slice needs it: the buffer's own end goes without saying."""
    if extent is None:
        return reduce(minimum, stops)
    opened: list[Lin] = []
    for stop in stops:
        defn = stop.terms[0][0].defn if len(stop.terms) == 1 and stop.terms[0][1] == 1 and not stop.const else None
        opened += defn[1:] if defn is not None and defn[0] == "min" else [stop]
    below = [stop for stop in opened if le(extent, stop) is not True]
    return reduce(minimum, below) if below else extent


def region(spans: Sequence[Span], shape: tuple[Lin, ...] | None, name: Name) -> str:
    """`[1:n, :p]`; ends that are the buffer's own are left out, and `whole` is all of it."""
    out: list[str] = []
    for a, span in enumerate(spans):
        if (span.hi - span.lo).as_int() == 1:
            out.append(full_text(span.lo, name))
            continue
        lo = "" if span.lo == ZERO else full_text(span.lo, name)
        to_the_end = shape is not None and le(shape[a], span.hi) is True
        hi = "" if to_the_end else full_text(span.hi, name)
        if span.step > 1 and shape is not None:
            lo, hi = full_text(span.lo, name), full_text(shape[a] if to_the_end else span.hi, name)
        out.append(f"{lo}:{hi}" + (f":{span.step}" if span.step > 1 else ""))
    is_whole = all(word == ":" for word in out) and (shape is not None or not out)
    return "whole" if is_whole else f"[{', '.join(out)}]"


def joined(parts: Iterable[str]) -> str:
    """`[0] and [n - 1]`, at most three."""
    distinct = list(dict.fromkeys(parts))
    if "whole" in distinct:
        return "whole"
    return " and ".join(distinct[:MAX_PARTS]) + (" and more" if len(distinct) > MAX_PARTS else "")


def relation(row: Lin, is_zero: bool, name: Name) -> str:
    """`m >= n` for the row `m - n`, `i == j` for the row `i - j` that is 0."""
    if is_zero and (remainder := _remainder(row)) is not None:
        a, b = (full_text(x, name) for x in remainder)
        return f"{a if a.isidentifier() else f'({a})'} % {b if b.isalnum() else f'({b})'} == 0"
    if is_zero and row.terms and row.terms[0][1] < 0:
        row = -row
    left = Lin(0, tuple((s, c) for s, c in row.terms if c > 0))
    right = Lin(0, tuple((s, -c) for s, c in row.terms if c < 0))
    const, sign = row.const, "==" if is_zero else ">="
    if not is_zero and const == -1 and left.terms and right.terms:
        const, sign = 0, ">"
    if not left.terms:  # 3 - n >= 0 reads n <= 3
        if not is_zero and const == 0 and all(s.nonneg for s, _ in right.terms):
            sign = "=="
        left, right, sign = right, Lin(const), {">=": "<=", "==": "==", ">": "<"}[sign]
    elif const > 0 and right.terms:
        left = left + const
    else:
        right = right - const
    return f"{full_text(left, name)} {sign} {full_text(right, name)}"


def _remainder(row: Lin) -> tuple[Lin, Lin] | None:
    """a and b, if the row is `a - b*(a//b)`."""
    for s in row.all_syms():
        if s.defn is not None and s.defn[0] == "floordiv":
            a, b = s.defn[1], s.defn[2]
            rest = a - mul(b, Lin.of(s))
            if row in (rest, -rest):
                return a, b
    return None


def relations(zero: Sequence[Lin], nonneg: Sequence[Lin], name: Name) -> list[str]:
    return [relation(row, True, name) for row in zero] + [relation(row, False, name) for row in nonneg]


def sample(values: Iterable[tuple[str, int]], where: Sequence[int] | None) -> str:
    """`n = 1: element [0]`."""
    given = ", ".join(f"{name} = {value}" for name, value in values)
    if where is None:
        return given
    place = f"element [{', '.join(map(str, where))}]" if where else "the only element"
    return f"{given}: {place}" if given else place


def mixed(zero: Sequence[Lin], nonneg: Sequence[Lin], shape: tuple[Lin, ...] | None, rank: int, name: Name) -> str:
    """A region whose axes depend on each other: `[i, j] where j >= i + 1`. Rows about sizes alone are left out."""
    axes = [element(a) for a in range(rank)]
    letters = index_names(rank, zero, nonneg, name)
    spelled = {s: letters[a] for a, s in enumerate(axes)}

    def called(s: Sym) -> str:
        return spelled.get(s) or name(s)

    plain = {Lin.of(s) for s in axes}
    plain |= {extent - Lin.of(s) - 1 for s, extent in zip(axes, shape or (), strict=False)}
    rows = [relation(r, True, called) for r in zero if not r.syms().isdisjoint(axes)]
    rows += [relation(r, False, called) for r in nonneg if not r.syms().isdisjoint(axes) and r not in plain]
    return f"[{', '.join(letters)}] where {' and '.join(rows)}" if rows else "whole"


def index_names(rank: int, zero: Sequence[Lin], nonneg: Sequence[Lin], name: Name) -> list[str]:
    taken = {name(s) for row in (*zero, *nonneg) for s in row.all_syms()}
    free = [c for c in INDEX_NAMES if c not in taken] + [f"i{k}" for k in range(rank)]
    return free[:rank]


def from_isl(words: str, params: Sequence[str], letters: Sequence[str]) -> str:
    """The constraints of isl's own notation in our names: `n % 2 == 0`."""
    body = words[words.index("{") + 1 : words.rindex("}")]
    body = body.partition(":")[2] if ":" in body else ""
    body = re.sub(r"exists \((e\d+(?:, e\d+)*): (.*)\)", r"\2 for some \1", body)

    def word(match: re.Match[str]) -> str:
        kind, at = match.group(1), int(match.group(2))
        known = params if kind == "p" else letters
        found = known[at] if at < len(known) else match.group(0)
        bare = match.string[match.start() - 1 : match.start()] == "(" and match.string[match.end() :][:1] == ")"
        return found if bare or re.fullmatch(r"[\w.']+", found) else f"({found})"

    body = re.sub(r"(?<![<>=!])=(?!=)", "==", body).replace(" mod ", " % ")
    body = re.sub(r"(\d)(?=[A-Za-z_(])", r"\1*", re.sub(r"(?<![\w)])\((\w+)\)", r"\1", body))
    while (at := body.find("floor(")) >= 0:  # floor((a)/b) is a // b
        body = _with_quotient(body, at)
    return re.sub(r"(?<![A-Za-z_])([pa])(\d+)\b", word, body).strip()


def _with_quotient(body: str, at: int) -> str:
    """The text with the `floor(x/k)` that starts there written `(x // k)`."""
    depth, end, cut = 0, at + len("floor"), 0
    while True:
        depth += {"(": 1, ")": -1}.get(body[end], 0)
        if depth == 1 and body[end] == "/":
            cut = end
        if depth == 0:
            break
        end += 1
    return f"{body[:at]}({body[at + len('floor(') : cut]}//{body[cut + 1 : end]}){body[end + 1 :]}"
