"""Symbolic integers: affine expressions over interned symbols, and what can be proved of their order.

The claim of this module is that two expressions that are equal *as affine forms over canonical symbols* are equal for
every value of the symbols, and that `nonneg`, `le` and their kin answer yes or no only with a proof. Everything else is
"cannot tell" (`None` or False), which costs precision and nothing else: the integer-set library decides what is left.

Products, quotients, minima and maxima of unknowns are not affine. Each becomes a symbol of its own that remembers its
definition (`Sym.defn`), and is built in a canonical form first, so that equal ones meet in the same symbol and cancel:

    mul(n + 1, p)               n*p + p              expanded over monomials while that stays small
    floordiv(4*n + 5, 2)        2*n + 2              the divisible part comes out
    floordiv(-n, 4)             -((n + 3)//4)        so that `-(-n // 4)` is `(n + 3) // 4`
    floordiv(n*p + p - 1, p)    n                    whole multiples of a symbolic divisor come out too
    minimum(n, n + k)           n                    where the order is proved (k a size)

What it gives up: no relation between products beyond their sign, no proof that needs more than a few substitutions.
A division by a symbol assumes that the divisor is not zero: a program that divides has got past that point.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import reduce
from itertools import count
from math import gcd
from typing import TypeAlias

from allocsafe.regions import spelling

Defn: TypeAlias = "tuple[str, Lin, Lin]"  # (op, a, b); op one of: mul floordiv min max

EXPAND_AT_MOST = 16  # products with more pairs of terms stay one opaque symbol: expanding them helps nobody
PROOF_STEPS = 6  # definitions that one proof of a sign may open; real bounds need one or two


class Sym:
    """An unknown integer. One object per `key` in its `table`; `order` is its rank of creation."""

    __slots__ = ("_deps", "_lin", "defn", "key", "name", "nonneg", "order", "table")

    def __init__(self, key: Hashable, name: str, nonneg: bool, defn: Defn | None, table: Table) -> None:
        self.key, self.name, self.nonneg, self.defn, self.table = key, name, nonneg, defn, table
        self.order = next(_ranks)
        self._lin: Lin | None = None
        self._deps: frozenset[Sym] | None = None

    def deps(self) -> frozenset[Sym]:
        """The symbol and all that its definition is made of."""
        if self._deps is None:
            own = frozenset((self,))
            self._deps = own if self.defn is None else own | self.defn[1].all_syms() | self.defn[2].all_syms()
        return self._deps

    def __repr__(self) -> str:
        return f"Sym({self.name})"


Table: TypeAlias = "dict[Hashable, Sym]"
"""The symbols of one analysis by their keys. What one analysis assumes of a symbol is no fact for the next."""

_shared: Table = {}
_ranks = count()


def sym(key: Hashable, name: str, *, nonneg: bool = False, table: Table = _shared) -> Sym:
    """The symbol of a table with this key. `nonneg` sticks once any caller has given it; the first name stays."""
    found = table.get(key)
    if found is None:
        found = table[key] = Sym(key, name, nonneg, None, table)
    elif nonneg:
        found.nonneg = True
    return found


class Lin:
    """`const + sum(coef * Sym)`: immutable, compared by value. `terms` are sorted by symbol creation, none is 0."""

    __slots__ = ("_hash", "const", "terms")

    def __init__(self, const: int, terms: tuple[tuple[Sym, int], ...] = ()) -> None:
        self.const, self.terms = const, terms
        self._hash = -1

    @staticmethod
    def of(x: int | Sym | Lin) -> Lin:
        if isinstance(x, Lin):
            return x
        if isinstance(x, Sym):
            if x._lin is None:
                x._lin = Lin(0, ((x, 1),))
            return x._lin
        return Lin(int(x))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Lin):
            return self is other or (self.const == other.const and self.terms == other.terms)
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash == -1:
            self._hash = hash((self.const, self.terms))
        return self._hash

    def __add__(self, other: int | Lin) -> Lin:
        if isinstance(other, int):
            return Lin(self.const + other, self.terms) if other else self
        if not isinstance(other, Lin):
            return NotImplemented
        if not other.terms:
            return Lin(self.const + other.const, self.terms)
        if not self.terms:
            return Lin(self.const + other.const, other.terms)
        return _from_dict(self.const + other.const, _merge(dict(self.terms), other.terms, 1))

    __radd__ = __add__

    def __neg__(self) -> Lin:
        return Lin(-self.const, tuple((s, -c) for s, c in self.terms))

    def __sub__(self, other: int | Lin) -> Lin:
        if isinstance(other, int):
            return Lin(self.const - other, self.terms) if other else self
        if not isinstance(other, Lin):
            return NotImplemented
        if not other.terms:
            return Lin(self.const - other.const, self.terms)
        if self.terms == other.terms:
            return Lin(self.const - other.const)
        return _from_dict(self.const - other.const, _merge(dict(self.terms), other.terms, -1))

    def __rsub__(self, other: int) -> Lin:
        return -self + other

    def __mul__(self, k: int) -> Lin:
        if not isinstance(k, int):
            return NotImplemented
        if k == 1:
            return self
        return Lin(self.const * k, tuple((s, c * k) for s, c in self.terms)) if k else ZERO

    __rmul__ = __mul__

    def as_int(self) -> int | None:
        return None if self.terms else self.const

    def is_symbol(self) -> bool:
        return self.const == 0 and len(self.terms) == 1 and self.terms[0][1] == 1

    def syms(self) -> frozenset[Sym]:
        """The symbols of its terms, definitions unopened."""
        return frozenset(s for s, _ in self.terms)

    def all_syms(self) -> frozenset[Sym]:
        """The symbols of its terms and of their definitions."""
        return reduce(frozenset.union, (s.deps() for s, _ in self.terms), frozenset())

    def nonneg(self) -> bool:
        """Provably >= 0 for all values of the symbols."""
        return _nonneg(self, PROOF_STEPS)

    def neg(self) -> bool:
        """Provably < 0 for all values of the symbols."""
        return _nonneg(-self - 1, PROOF_STEPS)

    def substitute(self, by: Mapping[Sym, Lin]) -> Lin:
        """The expression with symbols replaced; products, quotients and the like are rebuilt from their new parts."""
        return _replace(self, by, {}) if by else self

    def __str__(self) -> str:
        return spelling.text(self)

    def __repr__(self) -> str:
        return f"Lin({spelling.text(self)})"


ZERO, ONE = Lin(0), Lin(1)


def _order(term: tuple[Sym, int]) -> int:
    return term[0].order


def _merge(into: dict[Sym, int], terms: tuple[tuple[Sym, int], ...], k: int) -> dict[Sym, int]:
    for s, c in terms:
        into[s] = into.get(s, 0) + k * c
    return into


def _from_dict(const: int, terms: dict[Sym, int]) -> Lin:
    kept = [(s, c) for s, c in terms.items() if c]
    if len(kept) > 1:
        kept.sort(key=_order)
    return Lin(const, tuple(kept))


def _defined(op: str, a: Lin, b: Lin) -> Lin:
    key = (op, a, b)
    table = next((s.table for x in (a, b) for s, _ in x.terms if s.table is not _shared), _shared)
    found = table.get(key)
    if found is None:
        found = table[key] = Sym(key, "", False, (op, a, b), table)
        found.name = spelling.defined(found, str)
    return Lin.of(found)


def _canonical(a: Lin, b: Lin) -> tuple[Lin, Lin]:
    """The two operands of a commutative operation in one order."""

    def rank(x: Lin) -> tuple[tuple[tuple[int, int], ...], int]:
        return tuple((s.order, c) for s, c in x.terms), x.const

    return (a, b) if rank(a) <= rank(b) else (b, a)


# ---------------------------------------------------------------- products


def factors(s: Sym) -> tuple[Sym, ...]:
    """The symbols whose product a symbol is: `n*p` gives n and p, every other symbol itself."""
    if s.defn is not None and s.defn[0] == "mul":
        a, b = s.defn[1], s.defn[2]
        if a.is_symbol() and b.is_symbol():
            return factors(a.terms[0][0]) + factors(b.terms[0][0])
    return (s,)


def _monomial(parts: tuple[Sym, ...]) -> Lin:
    """The product of these symbols, left-nested in order of creation."""
    ordered = sorted(parts, key=lambda s: s.order)
    return reduce(lambda left, s: _defined("mul", left, Lin.of(s)), ordered[1:], Lin.of(ordered[0]))


def mul(a: Lin, b: Lin) -> Lin:
    """a * b. Equal products are the same expression as long as they are small enough to be expanded."""
    if not a.terms:
        return b * a.const
    if not b.terms:
        return a * b.const
    if (len(a.terms) + 1) * (len(b.terms) + 1) > EXPAND_AT_MOST:
        return _defined("mul", *_canonical(a, b))
    out = a * b.const + (b - b.const) * a.const
    for s, c in a.terms:
        for t, k in b.terms:
            out = out + _monomial(factors(s) + factors(t)) * (c * k)
    return out


def _without(s: Sym, parts: tuple[Sym, ...]) -> Lin | None:
    """`s` divided by the product of `parts`, if it is a multiple of it."""
    rest = list(factors(s))
    for part in parts:
        if part not in rest:
            return None
        rest.remove(part)
    return _monomial(tuple(rest)) if rest else ONE


# ---------------------------------------------------------------- quotients


def floordiv(a: Lin, b: Lin) -> Lin:
    """a // b as Python rounds it, towards minus infinity."""
    divisor = b.as_int()
    if divisor == 0:
        return _defined("floordiv", a, b)
    if divisor is not None:
        return _by_constant(a, divisor) if divisor > 0 else _by_constant(-a, -divisor)
    if b.terms[0][1] < 0 and not b.nonneg():  # one sign for the divisor
        return floordiv(-a, -b)
    whole_part, rest = _by_symbols(a, b)
    if not rest.terms and rest.const == 0:
        return whole_part
    if b.nonneg() and rest.terms and all(c < 0 for _, c in rest.terms):  # -(-n // p) is written (n + p - 1)//p
        return whole_part - floordiv(b - rest - 1, b)
    for up in (0, 1):  # 0 <= shifted < b, where b is at least 1 because it is a divisor and a size
        shifted = rest + b * up
        if b.nonneg() and (b - shifted - 1).nonneg() and (shifted.nonneg() or (shifted - b + 1).nonneg()):
            return whole_part - up
    if rest.const < 0:  # one form for rounding up: (n - 1)//p + 1 is written (n + p - 1)//p
        return whole_part - 1 + _defined("floordiv", rest + b, b)
    return whole_part + _defined("floordiv", rest, b)


def _by_constant(a: Lin, b: int) -> Lin:
    quotient: dict[Sym, int] = {}
    rest: list[tuple[Sym, int]] = []
    for s, c in a.terms:
        whole_part = abs(c) // b * (1 if c > 0 else -1)
        if whole_part:
            quotient[s] = whole_part
        if c != whole_part * b:
            rest.append((s, c - whole_part * b))
    out, const = _from_dict(a.const // b, quotient), a.const % b
    if not rest:
        return out
    common = reduce(gcd, (c for _, c in rest), b)
    if common > 1:  # floor((g*x + c) / (g*b)) == floor((x + c//g) / b)
        b, const = b // common, const // common
        return out + _by_constant(Lin(const, tuple((s, c // common) for s, c in rest)), b)
    if rest[0][1] < 0:  # floor(x / b) == -floor((b - 1 - x) / b)
        return out - _by_constant(Lin(b - 1 - const, tuple((s, -c) for s, c in rest)), b)
    if len(rest) == 1 and rest[0][1] == 1:
        inner = rest[0][0].defn
        if inner is not None and inner[0] == "floordiv" and (k := inner[2].as_int() or 0) > 0:
            return out + _by_constant(inner[1] + const * k, b * k)  # (x//k + c)//b == (x + c*k)//(b*k)
    return out + _defined("floordiv", Lin(const, tuple(rest)), Lin(b))


def _by_symbols(a: Lin, b: Lin) -> tuple[Lin, Lin]:
    """Long division by the leading term of `b`: `a == q*b + rest`, taken only where a whole multiple comes out."""
    lead, coef = b.terms[0]
    parts = factors(lead)
    quotient, rest = ZERO, a
    for _ in range(4):
        for s, c in rest.terms:
            part = _without(s, parts) if c % coef == 0 else None
            if part is not None:
                step = part * (c // coef)
                quotient, rest = quotient + step, rest - mul(step, b)
                break
        else:
            break
    exact = not rest.terms and rest.const == 0
    one_term = len(b.terms) == 1 and b.const == 0
    return (quotient, rest) if exact or one_term else (ZERO, a)


def mod(a: Lin, b: Lin) -> Lin:
    """a % b with the sign of `b`, as `a - b * (a // b)`: a quotient and its remainder cancel against each other."""
    return a - mul(b, floordiv(a, b))


# ---------------------------------------------------------------- order


def minimum(a: Lin, b: Lin) -> Lin:
    """min(a, b)."""
    known = le(a, b)
    if known is not None:
        return a if known else b
    if le(b, a):
        return b
    shift = a.const if a.const == b.const else 0
    return _defined("min", *_canonical(a - shift, b - shift)) + shift


def maximum(a: Lin, b: Lin) -> Lin:
    """max(a, b)."""
    known = le(a, b)
    if known is not None:
        return b if known else a
    if le(b, a):
        return a
    shift = a.const if a.const == b.const else 0
    return _defined("max", *_canonical(a - shift, b - shift)) + shift


def le(a: Lin, b: Lin) -> bool | None:
    """True if a <= b is proved, False if a > b is proved, else None."""
    difference = b - a
    if difference.nonneg():
        return True
    return False if difference.neg() else None


def at_most(a: Lin, b: Lin) -> bool:
    """Provably a <= b: `le` without the proof of the contrary."""
    return a is b or a == b or _nonneg(b - a, PROOF_STEPS)


def is_nonneg(s: Sym) -> bool:
    """The symbol is a size, or its definition makes it >= 0."""
    if not s.nonneg and s.defn is not None:
        op, a, b = s.defn
        if op == "mul":
            s.nonneg = a == b or (a.nonneg() and b.nonneg())
        elif op == "max":
            s.nonneg = a.nonneg() or b.nonneg()
        else:  # a quotient of sizes, or a minimum
            s.nonneg = a.nonneg() and b.nonneg()
    return s.nonneg


def _nonneg(a: Lin, steps: int) -> bool:
    if a.const >= 0:
        for s, c in a.terms:
            if c < 0 or not (s.nonneg or is_nonneg(s)):
                break
        else:
            return True
    if steps == 0 or (a.const < 0 and all(c < 0 and is_nonneg(s) for s, c in a.terms)):
        return False  # or every term only lowers it
    # newest first: a definition uses older symbols only
    return any(s.defn is not None and _bounded(a, s, c, steps - 1) for s, c in reversed(a.terms))


def _bounded(a: Lin, s: Sym, c: int, steps: int) -> bool:
    """`a >= 0` is proved by replacing one defined symbol, which has coefficient `c` there, by bounds of it."""
    assert s.defn is not None
    op, x, y = s.defn
    rest = a - Lin.of(s) * c
    if op in ("min", "max"):
        proofs = (_nonneg(rest + x * c, steps), _nonneg(rest + y * c, steps))
        return any(proofs) if (op == "max") == (c > 0) else all(proofs)
    if op == "floordiv":
        k = y.as_int()
        if k is None or k <= 0:  # 0 <= x // y <= x for sizes
            return c < 0 and x.nonneg() and y.nonneg() and _nonneg(rest + x * c, steps)
        return _nonneg(rest * k + (x if c < 0 else x - k + 1) * c, steps)
    for part in factors(s) if op == "mul" else ():  # y*(x//y) lies in (x - y, x]
        if part.defn is not None and part.defn[0] == "floordiv" and _without(s, (part,)) == part.defn[2]:
            x, y = part.defn[1], part.defn[2]
            if y.nonneg():
                return _nonneg(rest + (x if c < 0 else x - y + 1) * c, steps)
    return False


# ---------------------------------------------------------------- substitution, evaluation


def build(op: str, a: Lin, b: Lin) -> Lin:
    """The canonical expression of a definition."""
    return {"mul": mul, "floordiv": floordiv, "min": minimum, "max": maximum}[op](a, b)


def _replace(a: Lin, by: Mapping[Sym, Lin], done: dict[Sym, Lin]) -> Lin:
    out, touched = Lin(a.const), False
    for s, c in a.terms:
        new = by.get(s) or done.get(s)
        if new is None:
            if s.defn is not None and any(d in by for d in s.deps()):
                op, x, y = s.defn
                new = build(op, _replace(x, by, done), _replace(y, by, done))
            else:
                new = Lin.of(s)
            done[s] = new
        touched = touched or new is not s._lin
        out = out + new * c
    return out if touched else a


def evaluate(a: Lin, values: Mapping[Sym, int]) -> int:
    """The value of `a`. Raises ZeroDivisionError where the program would, KeyError for a symbol without a value."""
    return a.const + sum(c * _value(s, values) for s, c in a.terms)


def _value(s: Sym, values: Mapping[Sym, int]) -> int:
    if s.defn is None:
        return values[s]
    x, y = evaluate(s.defn[1], values), evaluate(s.defn[2], values)
    op = s.defn[0]
    if op == "mul":
        return x * y
    if op == "floordiv":
        return x // y
    return min(x, y) if op == "min" else max(x, y)
