"""The builder: registers are new, blocks close in order, what failed leaves nothing behind."""

from __future__ import annotations

import pytest
from allocsafe.ir.builder import Builder
from allocsafe.ir.nodes import Break, Const, If, Return
from allocsafe.source import Span

S = Span("case.py", 1, 1, 1, 2)


def test_registers_are_new() -> None:
    b = Builder(3)
    assert [b.fresh(), b.fresh(), b.count] == ["%3", "%4", 5]


def test_blocks_nest() -> None:
    b = Builder()
    cond = b.fresh()
    b.emit(Const(S, cond, True))
    with b.block() as then:
        b.emit(Return(S))
        assert b.depth == 2
    b.emit(If(S, cond, then.steps))
    assert b.close() == (Const(S, "%0", True), If(S, "%0", (Return(S),)))


def test_unwind_and_cut() -> None:
    b = Builder()
    b.emit(Break(S))
    depth, here = b.depth, b.here
    b.emit(Return(S))
    b.open()
    b.open()
    b.emit(Return(S))
    b.unwind(depth)
    b.cut(here)
    assert b.last == Break(S)
    b.emit(Return(S))
    assert b.close() == (Break(S), Return(S))


def test_a_block_that_fails_is_not_closed_as_if_it_were_whole() -> None:
    b = Builder()
    with pytest.raises(ValueError, match="no"), b.block() as block:
        raise ValueError("no")
    assert block.steps == ()
    b.unwind(1)
    assert b.last is None
