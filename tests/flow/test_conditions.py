"""The diagrams of path conditions, held against truth tables."""

from __future__ import annotations

import itertools

import pytest
from allocsafe.flow.conditions import FALSE, TRUE, Atom, Condition, Conditions, TooManyPaths
from hypothesis import given
from hypothesis import strategies as st

NAMES = "abcd"
ROWS = list(itertools.product((False, True), repeat=len(NAMES)))

formulas = st.recursive(
    st.sampled_from([*NAMES, "0", "1"]),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or", "ite"]), inner, inner, inner)
    ),
    max_leaves=12,
)


def build(conds: Conditions, formula: object) -> Condition:
    """The diagram of a formula."""
    if isinstance(formula, str):
        return {"0": FALSE, "1": TRUE}.get(formula, -1) if formula in "01" else conds.atom(Atom(formula, formula))
    assert isinstance(formula, tuple)
    parts = [build(conds, part) for part in formula[1:]]
    if formula[0] == "not":
        return conds.no(parts[0])
    if formula[0] == "and":
        return conds.both(parts[0], parts[1])
    if formula[0] == "or":
        return conds.either(parts[0], parts[1])
    return conds.ite(*parts)


def truth(formula: object, row: dict[str, bool]) -> bool:
    """What the formula is in a row of the table."""
    if isinstance(formula, str):
        return {"0": False, "1": True}[formula] if formula in "01" else row[formula]
    assert isinstance(formula, tuple)
    parts = [truth(part, row) for part in formula[1:]]
    if formula[0] == "not":
        return not parts[0]
    if formula[0] == "and":
        return parts[0] and parts[1]
    if formula[0] == "or":
        return parts[0] or parts[1]
    return parts[1] if parts[0] else parts[2]


def table(formula: object) -> list[bool]:
    return [truth(formula, dict(zip(NAMES, row, strict=True))) for row in ROWS]


def fresh() -> Conditions:
    conds = Conditions()
    for name in NAMES:
        conds.atom(Atom(name, name))
    return conds


@given(formulas, formulas)
def test_equal_functions_are_one_number(a: object, b: object) -> None:
    conds = fresh()
    assert (build(conds, a) == build(conds, b)) == (table(a) == table(b))


@given(formulas, formulas)
def test_meets_and_implies(a: object, b: object) -> None:
    conds = fresh()
    x, y = build(conds, a), build(conds, b)
    size = conds.size
    assert conds.meets(x, y) == any(p and q for p, q in zip(table(a), table(b), strict=True))
    assert conds.size == size  # it is asked far more often than diagrams are needed
    assert conds.implies(x, y) == all(q or not p for p, q in zip(table(a), table(b), strict=True))


@given(formulas, formulas)
def test_within_agrees_where_it_matters(a: object, b: object) -> None:
    conds = fresh()
    x, care = build(conds, a), build(conds, b)
    assert conds.both(conds.within(x, care), care) == conds.both(x, care)


def test_a_limit_leaves_the_diagrams_whole() -> None:
    conds = Conditions()
    conds._most = 40
    made: list[Condition] = []
    with pytest.raises(TooManyPaths):
        for k in range(40):
            a, b = conds.atom(Atom(("a", k), "a")), conds.atom(Atom(("b", k), "b"))
            made.append(conds.both(a, conds.no(b)))
    conds.grow()
    for k, one in enumerate(made):  # every number still means what it did, also those asked for at the limit
        a, b = conds.atom(Atom(("a", k), "a")), conds.atom(Atom(("b", k), "b"))
        assert conds.both(a, conds.no(b)) == one
    more = [conds.both(conds.atom(Atom(("c", k), "c")), conds.atom(Atom(("d", k), "d"))) for k in range(20)]
    assert len(set(more)) == 20
    for k, one in enumerate(more):
        assert conds.implies(one, conds.atom(Atom(("c", k), "c")))
        assert conds.implies(one, conds.atom(Atom(("d", k), "d")))
