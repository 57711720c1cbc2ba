"""IR as text: stable, and different for programs that differ in any field."""

from __future__ import annotations

import dataclasses

from allocsafe.ir import nodes as ir
from allocsafe.ir.show import place, show, show_block, show_step
from allocsafe.source import Span

S = Span("case.py", 2, 5, 2, 9)
INDEX = ir.Index((ir.At("%i", star=True), ir.Slice("%l", None, "%s")))


def test_one_line_a_step() -> None:
    body = (
        ir.Load(S, "%0", "x", "enclosing"),
        ir.If(S, "%0", (ir.Return(S, "%0"),), (ir.Raise(S),)),
        ir.While(S, (ir.Const(S, "%1", ...),), "%1", (ir.Break(S),)),
    )
    assert show_block(body) == (
        "2:5-9         %0 = load enclosing x\n"
        "2:5-9         if %0\n"
        "              then:\n"
        "2:5-9           return %0\n"
        "              else:\n"
        "2:5-9           raise\n"
        "2:5-9         while %1\n"
        "              test:\n"
        "2:5-9           %1 = const ...\n"
        "              body:\n"
        "2:5-9           break\n"
    )


def test_a_function_with_all_that_it_says() -> None:
    params = (
        ir.Param("a", "positional-only"),
        ir.Param("b", default="%0", annotation="int"),
        ir.Param("args", "star"),
        ir.Param("k", "keyword-only"),
        ir.Param("kw", "double-star"),
    )
    function = ir.Function(
        "f",
        "A.f",
        params,
        (ir.Return(S),),
        S,
        kind="method",
        decorator_names=("torch.no_grad",),
        defaults=(ir.Const(S, "%0", "x"),),
        is_async=True,
        is_generator=True,
        returns="None",
        qualifiers=frozenset(["static", "const"]),
    )
    assert show(function) == (
        "              @torch.no_grad\n"
        "2:5-9         async method generator const static A.f(a /, b: int = %0, *args, k kw, **kw) -> None\n"
        "              defaults:\n"
        "2:5-9           %0 = const 'x'\n"
        "              body:\n"
        "2:5-9           return\n"
    )


def test_places() -> None:
    assert place(S) == "2:5-9"
    assert place(Span("a", 2, 5, 4, 1)) == "2:5-4:1"


EXAMPLES: tuple[ir.Step, ...] = (
    ir.Const(S, "%d", 1),
    ir.Move(S, "%d", "%a"),
    ir.Load(S, "%d", "x", "global"),
    ir.Store(S, "x", "%a", "global"),
    ir.Delete(S, "x", "global"),
    ir.GetAttr(S, "%d", "%o", "f"),
    ir.SetAttr(S, "%o", "f", "%a"),
    ir.GetItem(S, "%d", "%o", INDEX),
    ir.SetItem(S, "%o", INDEX, "%a"),
    ir.New(S, "%d", "list", (ir.Item("%a"),)),
    ir.Append(S, "%t", "%a"),
    ir.Unpack(S, ("%a", "%b"), "%c", 1),
    ir.Unary(S, "%d", "-", "%a"),
    ir.Binary(S, "%d", "+", "%a", "%b"),
    ir.Aug(S, "%d", "+", "%a", "%b"),
    ir.Compare(S, "%d", "<", "%a", "%b"),
    ir.Format(S, "%d", ("%a",)),
    ir.Call(S, "%d", "%f", (ir.Arg("%a", "k"), ir.Arg("%b", star="**")), "int"),
    ir.Import(S, "%d", "a.b", "c", 2),
    ir.Opaque(S, "%d", ("%a",), "why"),
    ir.Escape(S, ("%a",), "why", ("x",)),
    ir.Yield(S, "%d", "%a", is_from=True),
    ir.Await(S, "%d", "%a"),
    ir.Assume(S, "%a"),
    ir.If(S, "%a", ()),
    ir.For(S, "%d", "%a", (), (), is_async=True),
    ir.While(S, (), "%a", (), (), body_first=True),
    ir.With(S, "%a", "%d", (), is_async=True),
    ir.Return(S, "%a"),
    ir.Raise(S, "%a"),
    ir.Alloc(S, "%d", "vla", "int", ("%n",), "list", ("%a",)),
    ir.AddressOf(S, "%d", "x", "%o", INDEX),
    ir.Deref(S, "%d", "%a"),
    ir.StoreDeref(S, "%p", "%a"),
    ir.SizeOf(S, "%d", "int", "%a"),
    ir.Cast(S, "%d", "%a", "int"),
    ir.Range(S, "%d", "%a", "%b", "%c"),
    ir.Launch(S, "%f", "%g", "%b", (ir.Arg("%a"),)),
)


def test_every_field_is_shown() -> None:
    """Changing any one field changes the text: nothing in a golden file can go unseen."""
    for step in EXAMPLES:
        shown = show_step(step)
        for field in dataclasses.fields(step):
            value = getattr(step, field.name)
            if field.name == "span" or (value == () and field.name in ("then", "body", "orelse", "test", "update")):
                continue  # the place stands in front; blocks stand below
            other: object
            if isinstance(value, bool):
                other = not value
            elif isinstance(value, int):
                other = value - 1
            elif isinstance(value, tuple):
                other = ()
            elif isinstance(value, ir.Index):
                other = ir.Index((ir.At("%i"),))
            else:
                other = "%changed"
            changed = dataclasses.replace(step, **{field.name: other})
            assert show_step(changed) != shown, f"{type(step).__name__}.{field.name}"


def test_index_forms_differ() -> None:
    forms = [
        ir.Index((ir.At("%i"),)),
        ir.Index((ir.At("%i"),), is_tuple=True),
        ir.Index((ir.At("%i", star=True),), is_tuple=True),
        ir.Index((ir.Slice("%i"),)),
        ir.Index((ir.Slice(None, "%i"),)),
        ir.Index((ir.Slice(None, None, "%i"),)),
        ir.Index((ir.Slice(),)),
        ir.Index((), is_tuple=True),
    ]
    assert len({show_step(ir.GetItem(S, "%d", "%o", form)) for form in forms}) == len(forms)
