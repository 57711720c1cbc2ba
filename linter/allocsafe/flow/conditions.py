"""Path conditions: boolean functions of atoms, as a small reduced ordered BDD.

*Claim.* Two conditions are the same function exactly when they are the same integer, so a condition that both arms of
a branch leave behind is *gone* (`c or not c` is `TRUE`), and correlated branches stay correlated. *Why that
suffices.* Verdicts ask only whether one condition implies another and for an assignment that satisfies one. *What it
gives up.* Atoms are independent as far as the diagram knows: `n > 1` does not imply `n > 0` here. Whoever picks a
path asks `Conditions.contradicts`, and hands the integer facts of the path to `regions`, which knows arithmetic.

An atom is *sure* when both of its values really happen (a flag, a branch, a loop that may turn zero times). An atom
stands for doubt when we only could not exclude it (an operator that might raise, an order that is not known): a path
that needs it is never evidence for `unsafe`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from allocsafe.flow.clock import over
from allocsafe.regions.exprs import Lin
from allocsafe.source import NOWHERE, Span

Condition = int
FALSE: Condition = 0
TRUE: Condition = 1
WIDE = 32
"""Bits of a condition's number, where two make one key."""


class Atom(NamedTuple):
    """One yes/no question. `lin` (true iff lin >= 0) or `zero` (true iff zero == 0) when it is about integers.

    `subject`/`value` say "subject equals constant value": two of them with one subject exclude each other.
    `born` is the loop in whose turns the answer changes (0: none).
    """

    key: Hashable
    text: str
    kind: str = "branch"  # branch loop exception | doubts: order raises unknown
    span: Span = NOWHERE
    lin: Lin | None = None
    zero: Lin | None = None
    subject: Hashable = None
    value: Hashable = None
    born: frozenset[int] = frozenset()

    @property
    def sure(self) -> bool:
        """Both answers really happen."""
        return self.kind in ("branch", "loop", "exception")


class TooManyPaths(Exception):
    """The diagrams have outgrown `Conditions.MOST_NODES`: the paths are too many to be told apart."""


class Conditions:
    """The diagrams of one analysis. Conditions are integers that only this object can read."""

    MOST_NODES = 150_000

    def __init__(self) -> None:
        self._most = self.MOST_NODES
        self.deadline = float("inf")
        self._nodes: list[tuple[int, int, int]] = [(-1, 0, 0), (-1, 1, 1)]
        self._unique: dict[tuple[int, int, int], int] = {}
        self._ite: dict[tuple[int, int, int], int] = {}
        self.unknown: Callable[[], Any] | None = None  # makes a value nobody knows; set by the machine
        self.truth: Callable[[Any], Condition] | None = None  # when a plain value counts as true; set by the machine
        self.truths: dict[Hashable, Condition] = {}  # when a value that stands for several counts as true
        self.doubt: Callable[[], Condition] | None = None  # a question that nobody can answer; set by the machine
        self._within: dict[int, int] = {}  # by both operands in one number, which costs less than a pair
        self._and: dict[int, int] = {}
        self._or: dict[int, int] = {}
        self._meets: dict[int, bool] = {}
        self._not: dict[int, int] = {FALSE: TRUE, TRUE: FALSE}
        self._support: dict[int, frozenset[int]] = {}
        self._by_key: dict[Hashable, int] = {}
        self.mixed: dict[Hashable, frozenset[int]] = {}  # see `mixed`: what chose a value that stands for several
        self.atoms: list[Atom] = []

    def grow(self) -> None:
        """Room for the questions about what was walked before a limit was met."""
        self._most = max(self._most, len(self._nodes)) + self.MOST_NODES

    @property
    def size(self) -> int:
        """Nodes made so far."""
        return len(self._nodes)

    def atom(self, atom: Atom) -> Condition:
        """The condition "this atom is true"; the first atom of a key stands for all later ones."""
        index = self._by_key.get(atom.key)
        if index is None:
            index = self._by_key[atom.key] = len(self.atoms)
            self.atoms.append(atom)
        return self._node(index, FALSE, TRUE)

    def _node(self, var: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (var, low, high)
        found = self._unique.get(key)
        if found is None:
            found = len(self._nodes)
            if found > self._most or (not found & 2047 and over(self.deadline)):
                raise TooManyPaths
            self._unique[key] = found
            self._nodes.append(key)
        return found

    def ite(self, f: Condition, g: Condition, h: Condition) -> Condition:
        """`g` where `f` holds, `h` elsewhere."""
        if f == TRUE or g == h:
            return g
        if f == FALSE:
            return h
        if g == TRUE and h == FALSE:
            return f
        key = (f, g, h)
        found = self._ite.get(key)
        if found is None:
            nodes = self._nodes
            var = min(nodes[x][0] for x in (f, g, h) if x > 1)
            f0, f1 = self._split(f, var)
            g0, g1 = self._split(g, var)
            h0, h1 = self._split(h, var)
            found = self._ite[key] = self._node(var, self.ite(f0, g0, h0), self.ite(f1, g1, h1))
        return found

    def _split(self, f: Condition, var: int) -> tuple[Condition, Condition]:
        node = self._nodes[f]
        return (node[1], node[2]) if node[0] == var else (f, f)

    def both(self, a: Condition, b: Condition) -> Condition:
        if a > b:
            a, b = b, a
        if a <= TRUE:
            return b if a else FALSE
        if a == b:
            return a
        key = a << WIDE | b
        found = self._and.get(key)
        if found is None:
            var, low, high = self._nodes[a]
            vb, lb, hb = self._nodes[b]
            if var == vb:
                low, high = self.both(low, lb), self.both(high, hb)
            elif var < vb:
                low, high = self.both(low, b), self.both(high, b)
            else:
                var, low, high = vb, self.both(a, lb), self.both(a, hb)
            found = self._and[key] = (
                low if low == high else self._unique.get((var, low, high)) or self._node(var, low, high)
            )
        return found

    def either(self, a: Condition, b: Condition) -> Condition:
        if a > b:
            a, b = b, a
        if a <= TRUE:
            return TRUE if a else b
        if a == b:
            return a
        key = a << WIDE | b
        found = self._or.get(key)
        if found is None:
            var, low, high = self._nodes[a]
            vb, lb, hb = self._nodes[b]
            if var == vb:
                low, high = self.either(low, lb), self.either(high, hb)
            elif var < vb:
                low, high = self.either(low, b), self.either(high, b)
            else:
                var, low, high = vb, self.either(a, lb), self.either(a, hb)
            found = self._or[key] = (
                low if low == high else self._unique.get((var, low, high)) or self._node(var, low, high)
            )
        return found

    def no(self, a: Condition) -> Condition:
        found = self._not.get(a)
        if found is None:
            var, low, high = self._nodes[a]
            found = self._not[a] = self._node(var, self.no(low), self.no(high))
            self._not[found] = a
        return found

    def implies(self, a: Condition, b: Condition) -> bool:
        """Whether every assignment that satisfies `a` satisfies `b`."""
        return a in (FALSE, b) or b == TRUE or not self.meets(a, self.no(b))

    def meets(self, a: Condition, b: Condition) -> bool:
        """Whether some assignment satisfies both; makes no diagram."""
        if a > b:
            a, b = b, a
        if a <= TRUE:
            return a == TRUE
        if a == b:
            return True
        key = a << WIDE | b
        known = self._and.get(key)
        if known is not None:
            return known != FALSE
        found = self._meets.get(key)
        if found is None:
            va, la, ha = self._nodes[a]
            vb, lb, hb = self._nodes[b]
            if va == vb:
                found = self.meets(la, lb) or self.meets(ha, hb)
            elif va < vb:
                found = self.meets(la, b) or self.meets(ha, b)
            else:
                found = self.meets(a, lb) or self.meets(a, hb)
            self._meets[key] = found
        return found

    def within(self, f: Condition, care: Condition) -> Condition:
        """A simpler condition that agrees with `f` wherever `care` holds (Coudert and Madre's restrict)."""
        if care == FALSE:
            return FALSE
        if f <= TRUE or care == TRUE:
            return f
        key = f << WIDE | care
        found = self._within.get(key)
        if found is None:
            found = self._within[key] = self._restrict(f, care)
        return found

    def _restrict(self, f: Condition, care: Condition) -> Condition:
        var_f, f0, f1 = self._nodes[f]
        var_c, c0, c1 = self._nodes[care]
        if var_c < var_f:
            return self.within(f, self.either(c0, c1))
        if var_c > var_f:
            c0 = c1 = care
        if c0 == FALSE:
            return self.within(f1, c1)
        if c1 == FALSE:
            return self.within(f0, c0)
        return self._node(var_f, self.within(f0, c0), self.within(f1, c1))

    def support(self, f: Condition) -> frozenset[int]:
        """The indices of the atoms that `f` depends on."""
        known = self._support.get(f)
        if known is None:
            known = self._support[f] = frozenset(self._atoms_of(f))
        return known

    def _atoms_of(self, f: Condition) -> set[int]:
        seen: set[int] = set()
        out: set[int] = set()
        todo = [f]
        while todo:
            at = todo.pop()
            if at <= TRUE or at in seen:
                continue
            seen.add(at)
            var, low, high = self._nodes[at]
            out.add(var)
            todo += (low, high)
        return out

    def cubes(self, f: Condition, limit: int = 32) -> list[dict[int, bool]] | None:
        """The paths to TRUE as {atom index: value}; None when there are more than `limit`."""
        out: list[dict[int, bool]] = []
        for cube in self._paths(f, {}):
            out.append(cube)
            if len(out) > limit:
                return None
        return out

    def _paths(self, f: Condition, taken: dict[int, bool]) -> Iterator[dict[int, bool]]:
        if f == FALSE:
            return
        if f == TRUE:
            yield dict(taken)
            return
        var, low, high = self._nodes[f]
        for value, child in ((True, high), (False, low)):
            taken[var] = value
            yield from self._paths(child, taken)
            del taken[var]

    def literal(self, index: int, value: bool) -> Condition:
        return self._node(index, FALSE, TRUE) if value else self._node(index, TRUE, FALSE)

    def forget(self, f: Condition, indices: set[int]) -> Condition:
        """`f` with the atoms in `indices` quantified away (there is a value for which `f` holds)."""
        if not indices or not self.support(f) & indices:
            return f
        memo: dict[Condition, Condition] = {}

        def exists(at: Condition) -> Condition:
            if at <= TRUE:
                return at
            found = memo.get(at)
            if found is None:
                var, low, high = self._nodes[at]
                if var in indices:
                    found = self.either(exists(low), exists(high))
                else:
                    found = self._node(var, exists(low), exists(high))
                memo[at] = found
            return found

        return exists(f)

    def facts(self, cube: dict[int, bool]) -> list[Lin]:
        """What the cube says about integers, as expressions that are >= 0. (`!=` says nothing here.)"""
        out = []
        for index, value in cube.items():
            atom = self.atoms[index]
            if atom.lin is not None:
                out.append(atom.lin if value else -atom.lin - 1)
            elif atom.zero is not None and value:
                out += [atom.zero, -atom.zero]
        return out

    def contradicts(self, cube: dict[int, bool]) -> bool:
        """Whether the cube says a thing twice, differently: one subject equal to two constants."""
        equal: dict[Hashable, Hashable] = {}
        for index, value in cube.items():
            atom = self.atoms[index]
            if value and atom.subject is not None:
                if atom.subject in equal and equal[atom.subject] != atom.value:
                    return True
                equal[atom.subject] = atom.value
        return False

    def text(self, cube: dict[int, bool]) -> list[str]:
        """The literals for people, in the order in which the program asks."""
        return [self.atoms[i].text if value else negated(self.atoms[i].text) for i, value in sorted(cube.items())]


_OPPOSITE = {
    " is not ": " is ",
    " is ": " is not ",
    " == ": " != ",
    " != ": " == ",
    " >= ": " < ",
    " <= ": " > ",
    " < ": " >= ",
    " > ": " <= ",
}


def negated(text: str) -> str:
    """The opposite of a literal as people write it."""
    if text.startswith("not "):
        return text[4:]
    if " and " not in text and " or " not in text:
        for word, other in _OPPOSITE.items():
            if text.count(word) == 1:
                return text.replace(word, other)
    return f"not {text}" if text.replace(".", "").replace("_", "").isalnum() else f"not ({text})"
