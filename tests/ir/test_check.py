"""The checker: each kind of malformed IR by name, beside the well-formed program that differs in one step."""

from __future__ import annotations

import pytest
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import defines, problems, uses
from allocsafe.source import NOWHERE, Span

S = Span("case.py", 1, 1, 1, 2)


def const(dst: str) -> ir.Const:
    return ir.Const(S, dst, 1)


def program(*body: ir.Step, **more: object) -> ir.Function:
    return ir.Function("f", "f", (), body, S, **more)  # type: ignore[arg-type]


def use(reg: str) -> ir.Return:
    return ir.Return(S, reg)


C = const("%c")
RAISE = ir.Raise(S)

TWINS: dict[str, tuple[ir.Function, ir.Function, str]] = {
    "never assigned": (program(C, use("%c")), program(C, use("%d")), "not assigned"),
    "assigned after its use": (program(C, use("%c")), program(use("%c"), C), "not assigned"),
    "assigned twice": (program(C, const("%d")), program(C, const("%c")), "assigned twice"),
    "assigned in both arms": (
        program(C, ir.If(S, "%c", (const("%x"),), (const("%x"),)), use("%x")),
        program(C, ir.If(S, "%c", (const("%x"),), ()), use("%x")),
        "not assigned",
    ),
    "assigned before and in an arm": (
        program(C, ir.If(S, "%c", (const("%x"),), (const("%x"),))),
        program(C, const("%x"), ir.If(S, "%c", (const("%x"),), ())),
        "assigned twice",
    ),
    "assigned in an arm and after it": (
        program(C, ir.If(S, "%c", (const("%x"),)), const("%y")),
        program(C, ir.If(S, "%c", (const("%x"),)), const("%x")),
        "assigned twice",
    ),
    "the other arm leaves": (
        program(C, ir.If(S, "%c", (const("%x"),), (RAISE,)), use("%x")),
        program(C, ir.If(S, "%c", (const("%x"),), (ir.Assume(S, "%c"),)), use("%x")),
        "not assigned",
    ),
    "break": (
        program(C, ir.For(S, "%i", "%c", (ir.Break(S),))),
        program(C, ir.For(S, "%i", "%c", (), (ir.Break(S),))),
        "not in a loop",
    ),
    "continue": (
        program(C, ir.While(S, (const("%t"),), "%t", (ir.Continue(S),))),
        program(C, ir.If(S, "%c", (ir.Continue(S),))),
        "not in a loop",
    ),
    "break in a nested function": (
        program(C, ir.For(S, "%i", "%c", (ir.MakeFunction(S, "%f", program()),))),
        program(C, ir.For(S, "%i", "%c", (ir.MakeFunction(S, "%f", program(ir.Break(S))),))),
        "not in a loop",
    ),
    "a loop's item after the loop": (
        program(C, ir.For(S, "%i", "%c", (ir.Store(S, "x", "%i"),))),
        program(C, ir.For(S, "%i", "%c", ()), ir.Store(S, "x", "%i")),
        "not assigned",
    ),
    "a loop's test": (
        program(ir.While(S, (const("%t"),), "%t", ())),
        program(ir.While(S, (), "%t", ())),
        "not assigned",
    ),
    "a test stays assigned, a body does not": (
        program(ir.While(S, (const("%t"),), "%t", (const("%b"),)), use("%t")),
        program(ir.While(S, (const("%t"),), "%t", (const("%b"),)), use("%b")),
        "not assigned",
    ),
    "a body that runs first": (
        program(ir.While(S, (const("%t"),), "%t", (const("%b"),), body_first=True), use("%b")),
        program(ir.While(S, (const("%t"),), "%t", (const("%b"),), body_first=False), use("%b")),
        "not assigned",
    ),
    "a handler sees the state before": (
        program(ir.Try(S, (C,), (ir.Handler((const("%h"),)),), (use("%c"),))),
        program(ir.Try(S, (C,), (ir.Handler((use("%c"),)),))),
        "not assigned",
    ),
    "after a try": (
        program(ir.Try(S, (C,), (ir.Handler((RAISE,)),)), use("%c")),
        program(ir.Try(S, (C,), (ir.Handler(()),)), use("%c")),
        "not assigned",
    ),
    "in a finally": (
        program(ir.Try(S, (), (), (), (C,)), use("%c")),
        program(ir.Try(S, (C,), (), (), (use("%c"),))),
        "not assigned",
    ),
    "a handler's types": (
        program(C, ir.Try(S, (), (ir.Handler((), "%c"),))),
        program(ir.Try(S, (C,), (ir.Handler((), "%c"),))),
        "not assigned",
    ),
    "a context": (
        program(C, ir.With(S, "%c", "%w", (ir.Store(S, "x", "%w"),))),
        program(C, ir.With(S, "%c", "%w", ()), ir.Store(S, "x", "%w")),
        "not assigned",
    ),
    "an index": (
        program(C, ir.GetItem(S, "%x", "%c", ir.Index((ir.At("%c"), ir.Slice(hi="%c"))))),
        program(C, ir.GetItem(S, "%x", "%c", ir.Index((ir.At("%c"), ir.Slice(hi="%h"))))),
        "not assigned",
    ),
    "an argument": (
        program(C, ir.Call(S, "%x", "%c", (ir.Arg("%c"),))),
        program(C, ir.Call(S, "%x", "%c", (ir.Arg("%a"),))),
        "not assigned",
    ),
    "an unpacked target": (
        program(C, ir.Unpack(S, ("%a", "%b"), "%c", 1), use("%b")),
        program(C, ir.Unpack(S, ("%a", "%b"), "%c", 2), use("%b")),
        "starred",
    ),
    "no place": (program(C), program(ir.Const(NOWHERE, "%c", 1)), "no place"),
    "a place that ends before it starts": (
        program(C),
        program(ir.Const(Span("case.py", 2, 5, 2, 4), "%c", 1)),
        "no place",
    ),
    "an operator": (
        program(C, ir.Compare(S, "%x", "is-not", "%c", "%c")),
        program(C, ir.Compare(S, "%x", "is not", "%c", "%c")),
        "unknown operator",
    ),
    "an augmented operator": (
        program(C, ir.Aug(S, "%x", "+", "%c", "%c")),
        program(C, ir.Aug(S, "%x", "+=", "%c", "%c")),
        "unknown operator",
    ),
    "a scope": (
        program(ir.Load(S, "%x", "x", "enclosing")),
        program(ir.Load(S, "%x", "x", "module")),  # type: ignore[arg-type]
        "unknown scope",
    ),
    "a reason": (program(ir.Escape(S, (), "eval")), program(ir.Escape(S, (), "")), "no reason"),
    "keys of a dict": (
        program(C, ir.New(S, "%x", "dict", (ir.Item("%c", "%c"), ir.Item("%c", star=True)))),
        program(C, ir.New(S, "%x", "dict", (ir.Item("%c"),))),
        "keys",
    ),
    "a default": (
        program(C, ir.MakeFunction(S, "%f", ir.Function("g", "g", (ir.Param("x", default="%c"),), (), S))),
        program(C, ir.MakeFunction(S, "%f", ir.Function("g", "g", (ir.Param("x", default="%d"),), (), S))),
        "default of x",
    ),
    "a default of one's own": (
        ir.Function("g", "g", (ir.Param("x", default="%c"),), (), S, defaults=(C,)),
        ir.Function("g", "g", (ir.Param("x", default="%d"),), (), S, defaults=(C,)),
        "default of x",
    ),
    "a block": (
        program(C, ir.If(S, "%c", (C,)[:0])),
        program(C, ir.If(S, "%c", [])),  # type: ignore[arg-type]
        "not a tuple",
    ),
}


@pytest.mark.parametrize("case", TWINS)
def test_twins(case: str) -> None:
    good, bad, word = TWINS[case]
    assert problems(good) == []
    found = problems(bad)
    assert found and word in found[0]


def test_a_class_is_checked_with_its_methods() -> None:
    def make(method: ir.Function, body: ir.Function) -> ir.Function:
        stub = ir.FunctionStub("m", "A.m", S, lambda: method)
        return program(ir.MakeClass(S, "%k", ir.ClassDef("A", "A", S, (), {"m": stub}, lambda: body)))

    assert problems(make(program(C), program(C))) == []
    assert problems(make(program(use("%x")), program(C)))
    assert problems(make(program(C), program(use("%x"))))


def test_uses_and_defines_of_every_kind_of_step() -> None:
    """Each register field of each step is seen: a field that a step gains must be known here."""
    index = ir.Index((ir.At("%i"), ir.Slice("%l", "%h", "%s")))
    cases: list[tuple[ir.Step, set[str], tuple[str, ...]]] = [
        (ir.Move(S, "%d", "%a"), {"%a"}, ("%d",)),
        (ir.Store(S, "x", "%a"), {"%a"}, ()),
        (ir.SetAttr(S, "%o", "f", None), {"%o"}, ()),
        (ir.SetItem(S, "%o", index, "%v"), {"%o", "%v", "%i", "%l", "%h", "%s"}, ()),
        (ir.New(S, "%d", "dict", (ir.Item("%v", "%k"),)), {"%v", "%k"}, ("%d",)),
        (ir.Append(S, "%t", "%v"), {"%t", "%v"}, ()),
        (ir.Unpack(S, ("%a", "%b"), "%v"), {"%v"}, ("%a", "%b")),
        (ir.Format(S, "%d", ("%a", "%b")), {"%a", "%b"}, ("%d",)),
        (ir.Opaque(S, "%d", ("%a",), "r"), {"%a"}, ("%d",)),
        (ir.Yield(S, "%d", None), set(), ("%d",)),
        (ir.MakeFunction(S, "%d", program(), ("%a",)), {"%a"}, ("%d",)),
        (ir.Alloc(S, "%d", "vla", "int", ("%n",), "list", ("%a",)), {"%n", "%a"}, ("%d",)),
        (ir.AddressOf(S, "%d", None, "%o", index), {"%o", "%i", "%l", "%h", "%s"}, ("%d",)),
        (ir.AddressOf(S, "%d", "x"), set(), ("%d",)),
        (ir.Deref(S, "%d", "%p"), {"%p"}, ("%d",)),
        (ir.StoreDeref(S, "%p", "%v"), {"%p", "%v"}, ()),
        (ir.SizeOf(S, "%d", "int"), set(), ("%d",)),
        (ir.Cast(S, "%d", "%a", "int"), {"%a"}, ("%d",)),
        (ir.Range(S, "%d", "%a", "%b", "%c"), {"%a", "%b", "%c"}, ("%d",)),
        (ir.Launch(S, "%f", "%g", "%b", (ir.Arg("%a"),)), {"%f", "%g", "%b", "%a"}, ()),
        (ir.For(S, "%i", "%a", ()), {"%a"}, ()),
        (ir.While(S, (), "%t", ()), set(), ()),
        (ir.Try(S, (), (ir.Handler((), "%a"),)), {"%a"}, ()),
        (ir.With(S, "%a", "%d", ()), {"%a"}, ()),
    ]
    for step, read, written in cases:
        assert (set(uses(step)), defines(step)) == (read, written), step
