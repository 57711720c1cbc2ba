"""Python's builtins and a few of the standard library, where their meaning is about values and not about elements.

Each takes the arguments and returns a value, or None to leave the call to the tables.
"""

from __future__ import annotations

from collections.abc import Callable

from allocsafe.flow.alternatives import as_chosen, per_case
from allocsafe.flow.conditions import FALSE, TRUE
from allocsafe.flow.extremes import note
from allocsafe.flow.machine import Machine, root_of
from allocsafe.flow.memory import escape, holds_array
from allocsafe.flow.state import under
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Num,
    Opaque,
    Partial,
    RangeOf,
    Ref,
    Super,
    Truth,
    TupleOf,
    Value,
    Zipped,
)
from allocsafe.regions.exprs import Lin, maximum, minimum
from allocsafe.source import Span

Builtin = Callable[[Machine, list[Value], dict[str, Value], Span], "Value | None"]
BUILTINS: dict[str, Builtin] = {}


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    def register(act: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = act
        return act

    return register


@builtin("len")
def _len(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.loops import length_of

    return m.each(args[0], lambda v: Num(length_of(m, v))) if len(args) == 1 else None


@builtin("torch.library.custom_op", "torch.library.triton_op")
def _custom_op(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return args[1] if len(args) > 1 and isinstance(args[1], Closure) else None


@builtin("range")
def _range(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.memory import read

    for value in args:
        read(m, value, span, "used as a loop bound", "index")
    bounds = [as_chosen(m, value) for value in args]
    if not 1 <= len(bounds) <= 3 or any(b is None for b in bounds):
        return m.unknown("a range")
    known = [b for b in bounds if b is not None]
    step = known[2].as_int() if len(known) == 3 else 1
    if step is None:
        # an unknown positive step: as many turns as nobody knows
        return m.unknown("a range")
    if step == 0:
        m.state.path = FALSE
        return NONE
    start, stop = (Lin.of(0), known[0]) if len(known) == 1 else (known[0], known[1])
    return RangeOf(start, stop, step)


@builtin("enumerate")
def _enumerate(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.loops import keys_of, length_of

    if not args:
        return None
    start = m.as_lin(args[1] if len(args) > 1 else kwargs.get("start", Num(Lin.of(0)))) or Lin.of(0)
    base = m.each(args[0], lambda v: keys_of(m, v, span))
    return m.each(base, lambda v: Zipped((RangeOf(start, start + length_of(m, v), 1), v)))


@builtin("zip")
def _zip(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.loops import keys_of

    args = [keys_of(m, value, span) for value in args]
    chosen = next((a for a in args if isinstance(a, Alts)), None)
    if chosen is None:
        return Zipped(tuple(args)) if args else None

    def of_one(option: Value) -> Value:
        here = [option if a is chosen else under(m.conds, a, m.state.path) or a for a in args]
        return _zip(m, here, kwargs, span) or m.unknown("zip(...)")

    return m.each(chosen, of_one)


@builtin("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter")
def _list(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.containers import all_items, append, owner, spread_items
    from allocsafe.flow.loops import keys_of

    if not args:
        ref = m.new_object("list", span)
        m.write_cell((owner(ref), "len"), Num(Lin.of(0)))
        return ref
    value = keys_of(m, args[0], span)
    if isinstance(value, Alts) and value != args[0]:
        return m.each(value, lambda v: _list(m, [v], {}, span) or m.unknown("a list"))
    items = spread_items(m, value)
    name = m.calling.removeprefix("builtins.")
    if items is not None and len(items) > 1 and name in ("sorted", "set", "frozenset"):
        ref = m.new_object("list", span)  # in an order that nobody knows
        for item in items:
            m.write_cell((owner(ref), ("some", m.fresh())), item)
        return ref
    if items is not None:
        items = items[::-1] if name == "reversed" else items
        ref = m.new_object("list", span)
        m.write_cell((owner(ref), "len"), Num(Lin.of(0)))
        for item in items:
            append(m, ref, item)
        return ref
    if isinstance(value, Ref):
        ref = m.new_object("list", span)
        for item in all_items(m, value):
            m.write_cell((owner(ref), ("some", m.fresh())), item)
        return ref
    if isinstance(value, (RangeOf, Zipped)) or (isinstance(value, Opaque) and not holds_array(m, value)):
        return value if name != "reversed" or isinstance(value, Opaque) else _backwards(value)
    return None


def _backwards(value: RangeOf | Zipped) -> Value | None:
    """A range from its last number to its first; several things walked together are not reversible."""
    if isinstance(value, Zipped) or abs(value.step) != 1:
        return None
    return RangeOf(value.stop - value.step, value.start - value.step, -value.step)


@builtin("dict")
def _dict(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.containers import merge_dict, put_key

    ref = m.new_object("dict", span)
    for value in args:
        merge_dict(m, ref, value)
    for name, value in kwargs.items():
        put_key(m, ref, Const(name), value)
    return ref


@builtin("int", "operator.index", "math.floor", "math.ceil", "round")
def _int(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if len(args) == 1 and not holds_array(m, args[0]):
        lin = m.as_lin(args[0]) if not isinstance(args[0], Const) else None
        return Num(lin) if lin is not None else None
    return None


def _extreme(name: str) -> Builtin:
    fold = minimum if name == "min" else maximum

    def act(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
        values = list(args)
        if len(values) == 1 and isinstance(values[0], TupleOf):
            values = list(values[0].items)
        if len(values) == 1 and not kwargs and isinstance(values[0], Opaque) and values[0].key not in m.tensors:
            version = m.version(root_of(values[0].key))  # the list may have grown since
            return Opaque(("op", values[0].key, f"{name}-of", version), f"{name}({values[0].text})")
        if any(isinstance(value, Alts) for value in values):
            return per_case(m, values, lambda each: one(m, each, kwargs) or m.unknown(name))
        return one(m, values, kwargs)

    def one(m: Machine, values: list[Value], kwargs: dict[str, Value]) -> Value | None:
        lins = [m.as_lin(v) if not isinstance(v, Const) else None for v in values]
        if len(values) < 2 or kwargs or any(x is None for x in lins):
            return None
        known = [x for x in lins if x is not None]
        total = known[0]
        for other in known[1:]:
            total = fold(total, other)
        note(m, known, total)
        return Num(total)

    return act


BUILTINS["min"] = _extreme("min")
BUILTINS["max"] = _extreme("max")


@builtin("isinstance")
def _isinstance(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if len(args) != 2:
        return None
    value, kind = args
    if isinstance(value, Alts):
        out = FALSE
        for cond, option in value.options:
            answer = _isinstance(m, [option, kind], kwargs, span)
            assert isinstance(answer, Truth)
            out = m.conds.either(out, m.conds.both(cond, answer.cond))
        return Truth(out)
    if isinstance(kind, Known):
        if kind.name.startswith("torch.") and kind.name.endswith(".FakeTensor"):
            return Truth(FALSE)  # a tracer's tensors have no elements: nothing can be read where it is one
        is_tensor = kind.name in ("torch.Tensor", "numpy.ndarray")
        if isinstance(value, Array) and is_tensor:
            return Truth(TRUE)
        if is_tensor and isinstance(value, (Ref, TupleOf, Num, Truth, Const, Closure)):
            return Truth(FALSE)
        if isinstance(value, Const) and value.value is None:
            return Truth(FALSE)
        if kind.name == "builtins.int" and isinstance(value, Num):
            return Truth(TRUE)
        if kind.name in ("builtins.list", "builtins.dict") and isinstance(value, Ref):
            return Truth(TRUE if m.objects[value.obj].kind == kind.name[9:] else FALSE)
        if kind.name in (
            "builtins.list",
            "builtins.tuple",
            "builtins.dict",
            "builtins.int",
            "builtins.str",
        ) and isinstance(value, Array):
            return Truth(FALSE)
    if isinstance(kind, ClassOf) and isinstance(value, Ref):
        info = m.objects[value.obj]
        cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
        if cls is not None:
            mine = ClassOf(cls, info.path)
            if any(c == kind for c in m.program.lineage(mine)):
                return Truth(TRUE)
            if value.obj not in m.open_objects:
                return Truth(FALSE)
            asked = ("class of", ("obj", value.obj), kind.path, kind.cls.qualname)
            return Truth(m.decide(asked, f"self is a {kind.cls.name}", span=span))
    opaque = m.to_opaque(value)
    name = kind.name if isinstance(kind, Known) else kind.cls.name if isinstance(kind, ClassOf) else "that class"
    answered = m.decide(
        ("isinstance", opaque.key, ("v", kind)), f"isinstance({opaque.text}, {name.rsplit('.', 1)[-1]})", span=span
    )
    if isinstance(kind, ClassOf):
        m.narrowed.setdefault(opaque.key, []).insert(0, (answered, kind))
    return Truth(answered)


@builtin("hasattr", "callable", "issubclass")
def _asks(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if any(holds_array(m, a) and not isinstance(a, Ref) for a in args):
        return Truth(m.decide(("asks", m.fresh()), "it has the attribute", "unknown", span))
    keys = tuple(m.to_opaque(a).key for a in args)
    return Truth(m.decide(("asks", keys), f"hasattr({', '.join(m.to_opaque(a).text for a in args)})", span=span))


@builtin("bool")
def _bool(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.arithmetic import truth

    return Truth(truth(m, args[0], span)) if len(args) == 1 else Truth(FALSE)


@builtin("getattr")
def _getattr(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.attributes import attribute

    if len(args) >= 2 and isinstance(args[1], Const) and isinstance(args[1].value, str):
        name = args[1].value
        return m.each(args[0], lambda v: attribute(m, v, name, span))
    if args and holds_array(m, args[0]):
        escape(
            m, [args[0]], span, "reached by getattr with a computed name", "getattr", "the attribute's name written out"
        )
    return m.unknown("getattr(...)")


@builtin("setattr")
def _setattr(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.attributes import store_attribute

    if len(args) == 3 and isinstance(args[1], Const) and isinstance(args[1].value, str):
        name, src = args[1].value, args[2]

        def act(v: Value) -> Value:
            store_attribute(m, v, name, src, span)
            return NONE

        return m.each(args[0], act)
    escape(m, args, span, "stored by setattr with a computed name", "getattr", "the attribute's name written out")
    return NONE


@builtin("eval", "exec", "locals", "globals", "vars")
def _eval(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    held = [v for _, v in m.state.cells.of(m.frame.ident)]
    escape(m, [*args, *held], span, "reached by evaluated text", "eval", "the code written out")
    return m.unknown("evaluated text")


@builtin("super")
def _super(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if len(args) == 2 and isinstance(args[0], ClassOf):
        return Super(args[1], args[0].cls.qualname, args[0].path)
    at = m.frame.ident
    for frame in reversed(m.frames):  # the method around, not whoever called it
        if frame.ident == at:
            if frame.receiver is not None and frame.owner:
                return Super(frame.receiver, frame.owner, frame.path)
            at = frame.closure_of
    held = [v for _, v in m.state.cells.of(m.frame.ident)]
    escape(
        m,
        [*args, *held],
        span,
        "reached by super(), of whom is not known",
        "call",
        "a method that is called on an object",
    )
    return m.unknown("super()")


@builtin("functools.partial")
def _partial(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return Partial(args[0], tuple(args[1:]), tuple(kwargs.items())) if args else None


@builtin(
    "torch.cuda.CUDAGraph",
    "torch.cuda.Stream",
    "torch.cuda.Event",
    "torch.cuda.graph",
    "torch.cuda.stream",
    "torch.no_grad",
    "torch.inference_mode",
    "torch.device",
    "torch.Size",
    "torch.cuda.current_stream",
    "torch.cuda.synchronize",
    "torch.cuda.empty_cache",
    "contextlib.nullcontext",
    "contextlib.suppress",
    "torch.cuda.nvtx.range",
    "torch.profiler.record_function",
    "torch.Generator",
    "torch.manual_seed",
    "torch.cuda.device",
    "torch.autocast",
    "torch.finfo",
    "torch.iinfo",
    "torch.cuda.set_device",
    "torch.cuda.is_available",
    "torch.distributed.barrier",
)
def _harmless(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """Touches no tensor of ours, raises nothing we follow; the result says what made it (`with` looks)."""
    name = "torch.cuda.graph" if m.calling == "torch.cuda.graph" else m.calling
    key = ("made", name, m.fresh())
    m.note_born(key)
    return Opaque(key, f"{name.rsplit('.', 1)[-1]}(...)")


@builtin("math.prod")
def _prod(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.geometry import integers
    from allocsafe.flow.views import product

    sizes = integers(m, args[0]) if len(args) == 1 and isinstance(args[0], (TupleOf, Ref)) else None
    return Num(product(sizes)) if sizes is not None else None


@builtin("torch.vmap", "torch.func.vmap", "allocsafe.vmapped")
def _vmap(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow import vmap

    return (vmap.mapped if m.calling == vmap.MAPPED else vmap.vmap)(m, args, kwargs, span)


@builtin("allocsafe.launch")
def _launch(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow import launches

    return launches.launch(m, args, kwargs, span)


@builtin("numpy.ndarray")
def _ndarray(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """With a buffer: another look at memory that is there already."""
    buffer = args[2] if len(args) > 2 else kwargs.get("buffer", NONE)
    if buffer == NONE:
        return None
    if holds_array(m, buffer):
        why = "seen through another array"
        escape(m, [buffer], span, why, "view", "whether the array that lies over it is written")
    return m.unknown("ndarray(...)")


@builtin("triton.cdiv", "triton.language.cdiv", "triton.language.standard.cdiv")
def _cdiv(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """A quotient that is rounded up."""
    from allocsafe.flow.arithmetic import integer

    if len(args) != 2 or kwargs or any(isinstance(a, (Alts, Const)) or holds_array(m, a) for a in args):
        return None
    x, y = m.as_lin(args[0]), m.as_lin(args[1])
    up = None if x is None or y is None else integer("//", x + y - 1, y)
    return None if up is None else Num(up)


@builtin("slice")
def _slice(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return m.unknown("a slice")


@builtin("typing.cast")
def _cast(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return args[1] if len(args) == 2 else None


@builtin("id", "type", "hash")
def _identity(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return m.unknown("its identity")


__all__ = ["BUILTINS", "Known"]
