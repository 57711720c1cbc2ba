"""Two lengths of one axis: which of them is the longer one, and when that is said."""

from __future__ import annotations

import pytest
from allocsafe.flow.padding import evident, prefix
from allocsafe.regions.box import Axis
from allocsafe.regions.exprs import Lin, floordiv, maximum, minimum, sym


def size(name: str, key: object = None) -> Lin:
    return Lin.of(sym(("test-padding", name, key), name, nonneg=True))


N, M, MOST, PADDED = size("num_tokens"), size("rows"), size("most"), size("num_padded_tokens")


@pytest.mark.parametrize(
    ("written", "read", "answer"),
    [
        (N, floordiv(N + 15, Lin(16)) * 16, True),
        (N, maximum(N, M), True),
        (N, PADDED, True),
        (N, M, False),
        (PADDED, N, False),
        (PADDED, size("other_padded"), False),
        (minimum(N, M), N, False),
        (N, N + 1, False),
        (N, N + M, False),
        (N, size("unpadded_rows"), False),
        (N, size("pad_token_id"), False),
        (N, size("p", ("made", "next_power_of_2", 1)), True),
    ],
)
def test_a_length_that_is_meant_to_be_longer(written: Lin, read: Lin, answer: bool) -> None:
    assert evident(written, read) is answer


def up_to(*stops: Lin) -> Axis:
    return Axis(Lin(0), stops, 1)


@pytest.mark.parametrize(
    ("read", "written", "lengths"),
    [
        ((up_to(PADDED),), (up_to(N),), (N, PADDED)),
        ((up_to(PADDED, MOST),), (up_to(N, MOST),), (N, PADDED)),
        (None, (up_to(N),), (N, MOST)),
        ((up_to(N),), (up_to(N),), None),
        ((up_to(N),), (up_to(MOST),), None),
        ((up_to(PADDED),), (Axis(Lin(1), (N,), 1),), None),
        ((up_to(N + 1),), (up_to(N),), None),
        ((up_to(PADDED),), (up_to(Lin(1)),), None),
        ((up_to(PADDED),), None, None),
    ],
)
def test_a_write_that_stops_short(
    read: tuple[Axis, ...] | None, written: tuple[Axis, ...] | None, lengths: tuple[Lin, Lin] | None
) -> None:
    found = prefix((MOST,), read, written)
    assert (None if found is None else (found.written, found.read)) == lengths


def test_only_one_axis_may_differ() -> None:
    shape = (MOST, M)
    assert prefix(shape, (up_to(PADDED), up_to(M)), (up_to(N), up_to(M))) is not None
    assert prefix(shape, (up_to(PADDED), up_to(M)), (up_to(N), up_to(size("part")))) is None
