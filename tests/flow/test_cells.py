"""Cells by owner, over copies."""

from __future__ import annotations

from allocsafe.flow.cells import Cells
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
            cells[owner, name] = Const(number)  # type: ignore[index]
        elif what == "pop":
            cells.pop((owner, name), None)  # type: ignore[arg-type]
        elif what == "drop":
            cells.drop(owner)  # type: ignore[arg-type]
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
