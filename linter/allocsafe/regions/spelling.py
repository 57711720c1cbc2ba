"""Expressions as text: `n + 1`, `(n + p - 1)//p`, `min(n, k)`.

The names of defined symbols are spelled once, when they are made; `full_text` spells them again from names that the
caller chose for the symbols without a definition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocsafe.regions.exprs import Lin, Sym


def text(a: Lin, name: Callable[[Sym], str] | None = None) -> str:
    """`2*n - p + 1`: positive terms first, the constant last. `name` renames symbols."""

    def term(s: Sym, c: int) -> str:
        word = s.name if name is None else name(s)
        if abs(c) == 1:
            return word
        return f"{abs(c)}*({word})" if s.defn is not None and s.defn[0] == "floordiv" else f"{abs(c)}*{word}"

    ordered = sorted(a.terms, key=lambda t: t[1] < 0)
    signed = [(c < 0, term(s, c)) for s, c in ordered]
    if a.const or not signed:
        lead = (a.const < 0, str(abs(a.const)))
        signed = [lead, *signed] if a.const > 0 and signed and signed[0][0] else [*signed, lead]
    head = ("-" if signed[0][0] else "") + signed[0][1]
    return head + "".join(f" {'-' if minus else '+'} {word}" for minus, word in signed[1:])


def defined(s: Sym, part: Callable[[Lin], str]) -> str:
    assert s.defn is not None
    op, a, b = s.defn
    if op in ("min", "max"):
        return f"{op}({part(a)}, {part(b)})"

    def atom(x: Lin) -> str:
        plain = x.is_symbol() and (x.terms[0][0].defn is None or op == "mul" or x.terms[0][0].defn[0] != "mul")
        loose = x.is_symbol() and x.terms[0][0].defn is not None and x.terms[0][0].defn[0] == "floordiv"
        return part(x) if (plain and not loose) or not x.terms else f"({part(x)})"

    return f"{atom(a)}{'*' if op == 'mul' else '//'}{atom(b)}"


def full_text(a: Lin, base: Callable[[Sym], str]) -> str:
    """As `text`, with `base` naming the symbols that have no definition, wherever they stand."""

    def name(s: Sym) -> str:
        return base(s) if s.defn is None else defined(s, lambda x: full_text(x, base))

    return text(a, name)
