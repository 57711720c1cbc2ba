"""Cells by owner, over copies."""

from __future__ import annotations

import pytest
from allocsafe.flow.cells import Cells, differing, parted
from allocsafe.flow.values import Const
from hypothesis import given
from hypothesis import strategies as st

OWNERS = st.sampled_from([("obj", 1), ("obj", 2), 7])
NAMES = st.sampled_from(["len", ("item", 0), ("attr", "n")])
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "pop", "drop", "copy", "back"]), OWNERS, NAMES, st.integers(0, 9)), max_size=40
)


@given(STEPS)
def test_of_is_what_a_search_finds(steps: list[tuple[str, object, object, int]]) -> None:
    cells, kept = Cells(), [Cells()]
    for what, owner, name, number in steps:
        if what == "put":
            cells[owner, name] = Const(number)  # type: ignore[index]  # a short name does for an owner
        elif what == "pop":
            cells.forget((owner, name))  # type: ignore[arg-type]  # a short name does for an owner
        elif what == "drop":
            cells.drop(owner)  # type: ignore[arg-type]  # a short name does for an owner
        elif what == "copy":
            kept.append(cells)
            cells = cells.copy()
        else:
            cells = kept[number % len(kept)]
        for who in (("obj", 1), ("obj", 2), 7):
            found = {key[1]: value for key, value in cells.items() if key[0] == who}
            assert dict(cells.of(who)) == found


def test_a_copy_stands_alone() -> None:
    cells = Cells({(1, "a"): Const(1)})
    other = cells.copy()
    other[1, "b"] = Const(2)
    assert dict(cells.of(1)) == {"a": Const(1)}
    assert dict(other.of(1)) == {"a": Const(1), "b": Const(2)}


@given(STEPS)
def test_what_differs_is_what_a_comparison_finds(steps: list[tuple[str, object, object, int]]) -> None:
    cells = Cells()
    kept = [cells]
    for what, owner, name, number in steps:
        if what == "put":
            cells[owner, name] = Const(number)  # type: ignore[index]  # a short name does for an owner
        elif what == "pop":
            cells.forget((owner, name))  # type: ignore[arg-type]  # a short name does for an owner
        elif what == "drop":
            cells.drop(owner)  # type: ignore[arg-type]  # a short name does for an owner
        elif what == "copy":
            cells = cells.copy()
            kept.append(cells)
        else:
            cells = kept[number % len(kept)]
        for other in kept:
            found = parted((cells, other))
            assert found is not None
            assert found[1].keys() >= {c for c in {*cells, *other} if cells.get(c) != other.get(c)}
            assert set(differing(cells, other)) == {c for c in other if other[c] != cells.get(c)}


def test_where_paths_met_counts_as_stored_since_they_parted() -> None:
    start = Cells({(1, "a"): Const(1)})
    left, right = start.copy(), start.copy()
    left[1, "b"] = Const(2)
    found = parted((left, right))
    assert found is not None
    both = left.copy()
    both.joins(*found)
    assert differing(start, both) == [(1, "b")]


def test_of_what_never_was_one_everything_is_compared() -> None:
    one, other = Cells({(1, "a"): Const(1), (1, "b"): Const(2)}), Cells({(1, "a"): Const(1), (1, "b"): Const(3)})
    assert parted((one, other)) is None
    assert differing(one, other) == [(1, "b")]


@pytest.mark.parametrize("name", ["clear", "pop", "popitem", "setdefault", "update", "__ior__"])
def test_nothing_is_stored_or_taken_away_without_a_note(name: str) -> None:
    with pytest.raises(NotImplementedError):
        getattr(Cells(), name)({})
