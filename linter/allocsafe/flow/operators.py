"""Operators: a table line becomes memory events.

*Claim.* The events of a call are those its line says, in the order reads before writes: an operand of a sum is read
before it is written. *Why that suffices.* Every line is executed against the real operator by the oracle. *What it
gives up.* A special this module does not know takes exactness away: `W` counts as a part, a view as one of unknown
geometry.
"""

from __future__ import annotations

from allocsafe.effects.summary import ParamEffect, Summary
from allocsafe.flow import collectives, unpacked
from allocsafe.flow.alternatives import per_case
from allocsafe.flow.conditions import Condition
from allocsafe.flow.cpp_memory import in_c
from allocsafe.flow.empty import made_of
from allocsafe.flow.geometry import fresh_shape, view_results
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import allocate, copy_of, escape, holds_array, keep, log, read
from allocsafe.flow.reflection import callbacks
from allocsafe.flow.state import alternatives, choose
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    Const,
    Num,
    Opaque,
    RangeOf,
    Ref,
    Truth,
    TupleOf,
    Value,
    View,
    brief,
)
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span
from allocsafe.verdict import Consequence

CONDITIONAL = frozenset(
    {
        "memset",
        "memcpy",
        "memcmp",
        "iterators",
        "iterator_count",
        "iterator_copy",
        "iterator_copy_n",
        "where",
        "accumulate",
        "reduce",
        "atomic",
    }
)
"""Specials that make a letter hold for a part only, or not at all."""

CONSEQUENCE: dict[str, Consequence] = {
    "R": "data",
    "M": "data",
    "I": "index",
    "C": "compare",
    "A": "accumulate",
    "Q": "accumulate",
}


def method_prefix(m: Machine, array: Array) -> str:
    """The table's name for the class of an array."""
    what = m.buffers[array.buf].what if array.buf >= 0 else "torch."
    if what.startswith("numpy."):
        return "numpy.ndarray"
    if what.startswith("cupy."):
        return "cupy.ndarray"
    if what.startswith(("std::vector", "vector")):
        return "std::vector"
    return "torch.Tensor"


def known_call(
    m: Machine,
    name: str,
    recv: Value | None,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value],
    template: str = "",
) -> Value:
    """A call of something outside of the program, by its full name."""
    from allocsafe.flow.builtin import BUILTINS

    if m.catching and not in_c(m):
        _may_fail(m, name, [*args, *kwargs.values()], span)
    if recv is None and in_c(m):
        from allocsafe.flow import cpp_methods

        name = cpp_methods.plain_name(m, name)
        result = cpp_methods.known(m, name, args, span, template)
        if result is not None:
            return result
    elif recv is None:
        special = BUILTINS.get(name.removeprefix("builtins."))
        if "key" in kwargs and name.startswith("builtins."):
            callbacks(m, [kwargs["key"]], span, name)
        if loose and name == "allocsafe.launch":
            held = [v for v in loose if holds_array(m, v)]
            what = "handed to a kernel behind unpacked arguments"
            escape(m, held, span, what, "kernel", "the arguments written one by one")
        elif loose:
            special = None  # it would take the call for one without them
        if special is not None:
            m.calling = name
            result = special(m, args, kwargs, span)
            if result is not None:
                return result
    own = m.contracts.own(name)
    if own is not None:
        from allocsafe.flow.contracts import use

        return use(m, own, [*([recv] if recv is not None else []), *args], kwargs, span, loose)
    summary = m.tables.look_up(name)
    if summary is None and name == "numpy.ndarray.fill":
        summary = m.tables.look_up("torch.Tensor.fill")
    if summary is None and name.startswith("torch.Tensor."):  # what no tensor has is asked of its `numpy()`
        summary = m.tables.look_up("numpy.ndarray." + name.rsplit(".", 1)[-1])
    if summary is None:
        from allocsafe.flow.calls import unknown_call

        if name.startswith("torch.ops."):
            from allocsafe.flow.named_outputs import named
            from allocsafe.flow.registered import operator_call

            result = operator_call(m, name, args, kwargs, span, loose)
            if result is None and m.contracts.entry(name, outside=True) is None:
                result = named(m, name, args, kwargs, span, loose)
            if result is not None:
                return result
        if name.startswith("torch.ops.") or recv is None:
            return unknown_call(m, NONE, name, [*args, *loose], kwargs, span, loose=len(loose))
        return unknown_call(m, NONE, name, [recv, *args, *loose], kwargs, span, loose=len(loose))
    if summary.special in (
        "memset",
        "memcpy",
        "iterators",
        "iterator_count",
        "iterator_copy",
        "iterator_copy_n",
        "bytes",
        "calloc",
        "out_bytes",
        "from_blob",
        "memcmp",
        "free",
        "realloc",
    ):
        from allocsafe.flow.cplusplus import native_call

        result = native_call(m, summary, bind(summary, recv, args, kwargs)[0], span, template)
        if result is not None:
            return result
    return apply(m, summary, recv, args, kwargs, span, loose)


_FAILS = {
    "builtins.int": frozenset({"ValueError", "TypeError"}),
    "builtins.float": frozenset({"ValueError", "TypeError"}),
    "builtins.next": frozenset({"StopIteration"}),
}
"""Which errors people expect of a call that is no operator."""
_OPERATOR_FAILS = frozenset({"RuntimeError", "OutOfMemoryError", "IndexError", "ValueError"})


def _may_fail(m: Machine, name: str, given: list[Value], span: Span) -> None:
    """A conversion, or an operator that takes other memory than its receiver's, inside of a `try` that expects it to
    fail.
    """
    from allocsafe.flow.control import may_fail

    kinds = _FAILS.get(name)
    if kinds is None and name.startswith(("torch.", "numpy.")) and any(isinstance(v, (Opaque, Array)) for v in given):
        kinds = _OPERATOR_FAILS
    if kinds is not None and any(isinstance(value, (Opaque, Array)) for value in given):
        may_fail(m, span, name.rsplit(".", 1)[-1], kinds)


def opaque_method(
    m: Machine, base: Value, name: str, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value | None:
    """A method of an opaque value that may be a tensor; None when no tensor has such a method."""
    if name == "wait" and collectives.wait(m, base, span):
        return NONE
    if isinstance(base, Ref) or name in ("register_parameter", "register_buffer"):
        summary = m.tables.look_up(f"torch.nn.Module.{name}")
    else:
        summary = m.tables.look_up(f"torch.Tensor.{name}")
    if summary is None or name in AMBIGUOUS:
        return None
    if isinstance(base, Opaque) and base.key not in m.tensors and bind(summary, base, args, kwargs)[1]:
        return None  # given what no tensor's method of this name takes: it is another one
    return apply(m, summary, base, args, kwargs, span, loose)


AMBIGUOUS = frozenset(
    {
        "add",
        "pop",
        "remove",
        "update",
        "index",
        "get",
        "set",
        "put",
        "run",
        "apply",
        "map_",
        "forward",
        "__call__",
        "register_hook",
        "start",
        "wait",
        "step",
        "put_",
        "share",
    }
)
"""Method names that containers, queues and modules have too: an opaque receiver decides nothing."""


def bind(
    summary: Summary, recv: Value | None, args: list[Value], kwargs: dict[str, Value]
) -> tuple[dict[str, Value], list[Value]]:
    """Arguments by parameter name (a star parameter gets a tuple), and what fits nowhere."""
    given = ([recv] if recv is not None else []) + list(args)
    bound: dict[str, Value] = {}
    for param in summary.params:
        if param.kind == "star":
            bound[param.name] = TupleOf(tuple(given))
            given = []
        elif param.kind == "positional" and given:
            bound[param.name] = given.pop(0)
    names = {p.name for p in summary.params}
    left = list(given)
    for label, value in kwargs.items():
        if label in names and (label not in bound or bound[label] == TupleOf(())):
            bound[label] = value
        elif label in ("input", "self") and summary.params and summary.params[0].name not in bound:
            bound[summary.params[0].name] = value
        else:
            left.append(value)
    return bound, left


def effect_of(m: Machine, summary: Summary, param: ParamEffect, bound: dict[str, Value]) -> str:
    """The effect letter of one parameter at this call."""
    effect = param.effect
    if param is summary.params[0] and effect in "RA" and _times_nothing(m, summary, bound):
        return "-" if effect == "R" else "W"
    if summary.special == "accumulate" and effect == "P" and not _is_false(bound.get("accumulate")):
        return "Q" if "accumulate" in bound else effect
    if summary.special == "reduce" and effect == "P" and bound.get("reduce", NONE) != NONE:
        return "Q"
    if summary.special == "where" and effect == "W" and "where" in bound and not _is_true(bound["where"]):
        return "P"
    if summary.special == "inplace" and param is summary.params[0] and not _is_false(bound.get("inplace", Truth(0))):
        return "M"
    if summary.special == "collective" and effect == "W" and collectives.asynchronous(summary, bound):
        return "P"
    if summary.special == "atomic" and effect in "QW":
        return "Q"
    return effect


def _times_nothing(m: Machine, summary: Summary, bound: dict[str, Value]) -> bool:
    """Whether the call is `beta * input + alpha * ...` with a `beta` of 0: then `input` is ignored, NaN and all."""
    beta = bound.get("beta")
    if beta is None or not any(p.name == "alpha" for p in summary.params):
        return False
    lin = m.as_lin(beta) if isinstance(beta, Num) else None
    return (lin is not None and lin.as_int() == 0) or (isinstance(beta, Const) and beta.value == 0)


def _is_false(value: Value | None) -> bool:
    return value is None or value == Truth(0) or value == NONE


def _is_true(value: Value) -> bool:
    return value == Truth(1)


def apply(
    m: Machine,
    summary: Summary,
    recv: Value | None,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value],
) -> Value:
    """The events and the result of one call."""
    bound, left = bind(summary, recv, args, kwargs)
    taken = unpacked.by_position(loose) and unpacked.into_star(m, summary, bound, loose)
    if not summary.name.startswith("builtins.") and not in_c(m):  # `print(f)` calls nothing; `key=` is seen before
        callbacks(m, [*args, *kwargs.values()], span, summary.name)
    if summary.result.kind == "new" and not left and not loose and "out" not in bound:
        from allocsafe.flow import rows

        if summary.name.rsplit(".", 1)[-1] in rows.POINTWISE and _is_false(bound.get("inplace", Truth(0))):
            computed = rows.element_by_element(m, list(bound.values()), span, f"read by `{summary.name}`")
            if computed is not None:
                return computed
    short = summary.name.removeprefix("torch.Tensor.").removeprefix("numpy.ndarray.")
    effects = [(p, effect_of(m, summary, p, bound)) for p in summary.params if p.name in bound]
    if loose and summary.special and not taken:  # what makes it write all may be among them
        effects = [(p, "P" if effect == "W" else effect) for p, effect in effects]
    consequence_of = dict(CONSEQUENCE)
    if summary.special == "collective":
        consequence_of = {k: "index" if k == "I" else "collective" for k in consequence_of}
    elif summary.special == "persist":
        consequence_of = dict.fromkeys(consequence_of, "persist")
    for param, effect in effects:
        if effect in "RICMAQ":
            value = bound[param.name]
            if effect in "AQ":
                for cond, array in m.arrays(value):
                    log(
                        m,
                        array,
                        "read",
                        span,
                        f"`{short}` starts from the old value",
                        consequence=consequence_of[effect],
                        accumulate=True,
                        some=effect == "Q",
                        cond=cond,
                    )
            elif summary.special == "collective" and summary.name.endswith(".broadcast"):
                collectives.broadcast(m, bound, value, span)
            else:
                read(m, value, span, f"read by `{short}`", consequence_of[effect])
    for value in left + loose:
        read(m, value, span, f"read by `{short}`")
    for param, effect in effects:
        value = bound[param.name]
        if effect in "WMA":
            for cond, array in m.arrays(value):
                log(
                    m,
                    array,
                    "write",
                    span,
                    f"`{short}`",
                    cond=cond,
                    some=summary.special in ("memset", "memcpy", "iterators"),
                )
            _bump_written(m, value)
        elif effect in "PQ":
            for cond, array in m.arrays(value):
                log(m, array, "write", span, f"`{short}` writes a part", some=True, cond=cond)
            _bump_written(m, value)
    if summary.special == "address":
        escape(
            m,
            [v for v in bound.values() if holds_array(m, v)],
            span,
            "its address is taken",
            "address",
            "what is done with the address",
        )
    if summary.special == "keep":
        for value in bound.values():
            keep(m, value, span, f"by {short}")
    if not loose:
        return result_of(m, summary, bound, span)
    seen = unpacked.geometry(m, summary, bound, loose)
    if seen is None or summary.result.kind not in ("new", "none", "meta"):  # what comes out has to do with them, too
        held = [v for v in loose if holds_array(m, v)]
        escape(m, held, span, f"unpacked into the call of {short}", "call", "the arguments written one by one")
    return m.unknown(f"{short}(...)") if seen is None else result_of(m, seen, bound, span)


def _allocated(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value:
    """A fresh tensor; where its lengths have alternatives, one for each."""
    names = [name for name in ("size", "shape", "args", "sizes", "n", "steps") if name in bound]

    def act(values: list[Value]) -> Value:
        here = dict(bound)
        here.update(zip(names, values, strict=True))
        shape, like = fresh_shape(m, summary, here)
        array = allocate(m, span, summary.name, shape, False, like)
        if shape is None:
            m.buffers[array.buf].named = made_of(m, values)
        whole = here == bound
        m.buffers[array.buf].attrs = attributes_of(m, bound, shape if whole else None, summary.name)
        return array

    return per_case(m, [bound[name] for name in names], act, kinds=(Num, Opaque))


def _bump_written(m: Machine, value: Value) -> None:
    if isinstance(value, Opaque):
        m.rewrite(value.key)


def result_of(m: Machine, summary: Summary, bound: dict[str, Value], span: Span) -> Value:
    """The value of the call."""
    kind, special = summary.result.kind, summary.special
    if "out" in bound and bound["out"] != NONE and kind in ("new", "alloc", "filled"):
        out = bound["out"]
        return out
    if special == "register":
        return _register(m, bound, span)
    if special == "collective":
        work = collectives.handle(m, summary, bound)
        if work is not None:
            return work
    if special == "parameter":
        from allocsafe.flow.parameters import made as made_parameter

        made_parameter(m, bound)
    if special == "inplace" and not _is_false(bound.get("inplace", Truth(0))):
        return bound[summary.params[0].name]
    if kind in ("alloc", "filled"):
        shape, like = fresh_shape(m, summary, bound)
        if special == "constructor" and kind == "alloc":
            data = _constructed(m, bound)
            if data is not None:
                return data
        empty = shape is not None and any(size.as_int() == 0 for size in shape) and not in_c(m)
        if kind == "filled" or empty or not m.follows(span):
            made = m.unknown(f"{summary.name.rsplit('.', 1)[-1]}(...)")
            if shape is not None:
                m.shapes[made.key] = shape
            elif like is not None:
                m.shapes_like(made.key, like)
            attrs = attributes_of(m, bound, shape, summary.name)
            if empty and kind != "filled":
                attrs["elements"] = "0"  # nothing can be unwritten in it
            m.note_filled(span, summary.name, attrs, made, unwritten=kind != "filled" and not empty)
            return made
        made_here = _allocated(m, summary, bound, span)
        return _size_or_data(m, bound, made_here) if special == "constructor" and kind == "alloc" else made_here
    subject = bound.get(summary.result.param) if summary.result.param else None
    if kind == "=":
        if subject is None:
            return NONE
        if special in ("resize", "resize_as", "set"):
            for cond, array in m.arrays(subject):
                log(
                    m,
                    array,
                    "escape",
                    span,
                    f"`{summary.name}` gives the tensor other memory",
                    some=True,
                    event="escaped",
                    step="view",
                    decides="an allocation of the final size",
                    cond=cond,
                )
            return m.each(subject, lambda v: _resized(m, summary, v, bound, span)) if special == "resize" else subject
        if special and special not in CONDITIONAL | {"collective", "inplace", "where"}:
            return _reshaped(m, summary, subject, bound, span)
        return subject
    if kind in ("view", "views", "copy", "maybe") and subject is not None:
        others = [name for name in bound if bound[name] is not subject] if holds_array(m, subject) else []

        def viewed(values: list[Value]) -> Value:
            here = dict(bound)
            here.update(zip(others, values, strict=True))
            return m.each(subject, lambda v: _viewed(m, summary, v, here, span))

        return per_case(m, [bound[name] for name in others], viewed)
    if kind in {"scalar", "meta"}:
        return _meta(m, summary, bound)
    if kind == "none":
        return NONE
    if kind == "new" and special == "where" and "where" in bound and not _is_true(bound["where"]) and m.follows(span):
        array = allocate(m, span, summary.name, None, False)
        log(m, array, "write", span, f"`{summary.name}` where its mask says so", some=True)
        return array
    fresh = _steady_result(m, summary, bound)
    made = fresh if fresh is not None else m.unknown(f"{summary.name.rsplit('.', 1)[-1]}(...)")
    if special == "data" and kind == "new":
        from allocsafe.flow.containers import known_items

        data = next(iter(bound.values()), None)
        if isinstance(data, Ref) and known_items(m, data) == []:
            m.shapes[made.key] = (m.lin(0),)
        m.note_filled(span, summary.name, attributes_of(m, bound, None, summary.name), made)
    if (kind == "new" and special in ("like", "broadcast", "where")) or (kind == "new" and special == ""):
        first = next((bound[p.name] for p in summary.params if p.name in bound and p.effect in "RMV-"), None)
        shape = shape_of(m, first) if first is not None and special in ("like",) else None
        if shape is not None:
            m.shapes[made.key] = shape
    if kind == "new" and summary.name.startswith(("torch.", "numpy.")) and isinstance(made, Opaque):
        m.somethings.add(made.key)
    return made


def _resized(m: Machine, summary: Summary, value: Value, bound: dict[str, Value], span: Span) -> Value:
    """`x.resize_(n)` of a tensor that is not followed: from here on every name of it holds memory whose new elements
    nobody has written.
    """
    if not isinstance(value, Opaque) or not m.follows(span):
        return value
    from allocsafe.flow.geometry import size_argument

    shape, like = size_argument(m, bound.get("sizes", bound.get("size")))
    array = allocate(m, span, summary.name, shape, False, like)
    had = m.shapes.get(value.key)
    if had is None or all(size.as_int() != 0 for size in had):
        log(m, array, "write", span, "what it held before the resize", some=True)
    for cell, held in list(m.state.cells.items()):
        if held == value:
            m.state.cells[cell] = array
    return array


def _steady_result(m: Machine, summary: Summary, bound: dict[str, Value]) -> Opaque | None:
    """A pure function of opaque values gives the same opaque value again."""
    if not all(isinstance(v, (Opaque, Num, Const, Truth)) for v in bound.values()) or any(
        p.effect in "WMAPQ" for p in summary.params if p.name in bound
    ):
        return None
    if any(word in summary.name for word in ("rand", "bernoulli", "normal", "multinomial", "dropout")):
        return None
    keys = tuple((name, m.to_opaque(v).key, m.version(m.to_opaque(v).key)) for name, v in sorted(bound.items()))
    return Opaque(
        ("op", ("call", summary.name), keys),
        brief(f"{summary.name.rsplit('.', 1)[-1]}({', '.join(m.to_opaque(v).text for v in list(bound.values())[:2])})"),
    )


def shape_of(m: Machine, value: Value) -> tuple[Lin, ...] | None:
    """The known shape of an array or of a filled tensor."""
    from allocsafe.flow.views import sizes_of

    if isinstance(value, Array):
        return sizes_of(value.view)
    if isinstance(value, Opaque):
        return m.shapes.get(value.key)
    return None


def _register(m: Machine, bound: dict[str, Value], span: Span) -> Value:
    """`self.register_buffer("name", tensor)` stores the tensor in the attribute."""
    from allocsafe.flow.attributes import store_attribute

    target, name = bound.get("self"), bound.get("name")
    value = next((bound[k] for k in ("tensor", "param", "value", "module") if k in bound), None)
    if target is not None and isinstance(name, Const) and isinstance(name.value, str) and value is not None:
        store_attribute(m, target, name.value, value, span)
    elif value is not None:
        from allocsafe.flow.parameters import registered

        keep(m, value, span, "the module")
        registered(m, target if target is not None else NONE, "", value, span)
    return NONE


def _constructed(m: Machine, bound: dict[str, Value]) -> Value | None:
    """`torch.Tensor([1, 2])` holds data; `torch.Tensor(n, m)` is unwritten."""
    size = bound.get("size", bound.get("args"))
    items = size.items if isinstance(size, TupleOf) else ()
    if len(items) == 1 and isinstance(items[0], (Ref, TupleOf, RangeOf)):
        return m.unknown("a tensor of data")
    if len(items) == 1 and isinstance(items[0], Array):
        return items[0]
    if len(items) == 1 and isinstance(items[0], Opaque) and not isinstance(items[0].key, tuple):
        return m.unknown("a tensor")
    return None


def _size_or_data(m: Machine, bound: dict[str, Value], fresh: Value) -> Value:
    """`torch.Tensor(n)` of something that may be a length as well as data: unwritten memory, or the data."""
    size = bound.get("size", bound.get("args"))
    lone = size.items[0] if isinstance(size, TupleOf) and len(size.items) == 1 else None
    if lone is None:
        return fresh
    options: list[tuple[Condition, Value]] = []
    for cond, option in alternatives(lone):
        if isinstance(option, (Ref, TupleOf, RangeOf)):
            options.append((cond, m.unknown("a tensor of data")))
            continue
        sized = isinstance(option, Opaque) and isinstance(option.key, tuple) and option.key[:1] == ("shape-of",)
        if not isinstance(option, Opaque) or sized or m.plain_integer(option):
            options.append((cond, fresh))
            continue
        length = m.decide(("a length", option.key), f"{option.text} is a length, not data", "unknown")
        options.append((m.conds.both(cond, length), fresh))
        options.append((m.conds.both(cond, m.conds.no(length)), m.unknown("a tensor of data")))
    return choose(m.conds, options) or fresh


def attributes_of(m: Machine, bound: dict[str, Value], shape: tuple[Lin, ...] | None, made_by: str) -> dict[str, str]:
    """dtype, device and the like, as text, for comparing both sides."""
    out = {}
    if made_by.rsplit(".", 1)[-1] == "full" and made_by.startswith("torch.") and bound.get("dtype", NONE) == NONE:
        value = bound.get("fill_value")
        if isinstance(value, (Num, Truth)):  # the default otherwise
            out["dtype"] = "torch.int64" if isinstance(value, Num) else "torch.bool"
    for name, what in (
        ("dtype", "dtype"),
        ("device", "device"),
        ("layout", "layout"),
        ("pin_memory", "pinning"),
        ("requires_grad", "requires_grad"),
    ):
        value = bound.get(name, NONE)
        if value != NONE:
            out[what] = (
                str(bool(value.cond)) if isinstance(value, Truth) and value.cond in (0, 1) else m.to_opaque(value).text
            )
    if shape is not None:
        out["shape"] = ", ".join(str(s) for s in shape)
    return out


def _meta(m: Machine, summary: Summary, bound: dict[str, Value]) -> Value:
    """A number or a fact: lengths as terms, everything else a steady opaque value."""
    short = summary.name.rsplit(".", 1)[-1]
    subject = bound.get("self", bound.get("input", bound.get("a")))
    if short in ("size", "numel", "dim", "ndimension", "nelement", "shape") and subject is not None:
        return m.each(subject, lambda v: _size(m, short, v, bound))
    if all(isinstance(v, (Opaque, Num, Const, Truth)) for v in bound.values()):
        keys = tuple((k, m.to_opaque(v).key, m.version(m.to_opaque(v).key)) for k, v in sorted(bound.items()))
        text = ", ".join(m.to_opaque(v).text for v in list(bound.values())[1:2])
        base = m.to_opaque(subject).text if subject is not None else summary.name
        return Opaque(("op", ("call", summary.name), keys), f"{base}.{short}({text})")
    return m.unknown(f"{short}()")


def _size(m: Machine, short: str, value: Value, bound: dict[str, Value]) -> Value:
    from allocsafe.flow.attributes import attribute
    from allocsafe.flow.items import shape_at
    from allocsafe.flow.views import product, sizes_of

    shape = attribute(m, value, "shape", Span("", 0, 0, 0, 0))
    sizes = sizes_of(value.view) if isinstance(value, Array) else m.shapes.get(m.to_opaque(value).key)
    if short in ("dim", "ndimension"):
        return Num(m.lin(len(sizes))) if sizes is not None else Opaque(("op", ("dim", m.to_opaque(value).key)), "dim()")
    if short in ("numel", "nelement"):
        if sizes is not None:
            return Num(product(sizes))
        opaque = m.to_opaque(value)
        key, text = m.shape_root(opaque).key, opaque.text
        if isinstance(value, Array) and value.buf >= 0 and everything(m, value) and m.buffers[value.buf].like:
            key, text = m.buffers[value.buf].like, m.buffers[value.buf].symbol or text
        return Num(m.symbol(("numel", key), f"{text}.numel()", nonneg=True))
    dim = bound.get("dim")
    if short == "size" and dim is not None and dim != NONE:
        at = m.as_lin(dim)
        number = at.as_int() if at is not None else None
        if number is not None and isinstance(shape, TupleOf) and -len(shape.items) <= number < len(shape.items):
            return shape.items[number]
        if number is not None and isinstance(shape, Opaque):
            return Num(shape_at(m, shape, number))
        return m.unknown("size()")
    return shape


def everything(m: Machine, array: Array) -> bool:
    """Whether a view is surely all of what was made in one turn."""
    from allocsafe.flow.views import is_whole_axis

    buffer, view = m.buffers[array.buf], array.view
    if view.box is None or view.frame is not None or buffer.shape is None:
        return view.box is None and view.extent == "all"
    rest = zip(view.box[buffer.outer :], buffer.shape[buffer.outer :], strict=False)
    return view.extent == "all" and all(is_whole_axis(axis, size) for axis, size in rest)


def _viewed(m: Machine, summary: Summary, value: Value, bound: dict[str, Value], span: Span) -> Value:
    """The result of a view or copy of one argument."""
    kind, special = summary.result.kind, summary.special
    if isinstance(value, TupleOf):
        return TupleOf(tuple(_viewed(m, summary, v, bound, span) for v in value.items))
    if isinstance(value, (Ref, Alts)):
        held = list(m.arrays(value))
        if held:
            read(m, value, span, f"read by `{summary.name}`")
        return m.unknown("a tensor")
    if not isinstance(value, Array):
        return _opaque_view(m, summary, value, bound)
    results, alias, special_known = view_results(m, summary, value, bound)
    if kind == "views":
        if results is None:
            from allocsafe.flow.views import _axis, permute, some_of

            given = next((bound[k] for k in ("dim", "axis") if k in bound), Num(m.lin(0)))
            number = given.lin.as_int() if isinstance(given, Num) else None
            axis = _axis(value.view, number) if number is not None else None
            if special == "unbind" and axis is not None and value.view.dims is not None and not value.view.open:
                others = [i for i in range(len(value.view.dims)) if i != axis]
                return Array(value.buf, permute(value.view, [axis, *others]))  # walked and indexed like the pieces
            ref = m.new_object("list", span)

            m.write_cell((("obj", ref.obj), ("some", 0)), Array(value.buf, some_of(value.view)))
            return ref
        return TupleOf(tuple(Array(value.buf, v) for v in results))
    assert results is not None
    view = results[0]
    if kind == "view" or (kind == "maybe" and alias):
        return Array(value.buf, view)
    name = summary.name.rsplit(".", 1)[-1]
    return copy_of(
        m,
        Array(value.buf, view if special_known else value.view),
        span,
        f"copied by `{name}`",
        gather=special == "pick" or not special_known,
        maybe_alias=kind == "maybe",
    )


def _opaque_view(m: Machine, summary: Summary, value: Value, bound: dict[str, Value]) -> Value:
    """A view of memory that is not followed: opaque, the same again for the same arguments; its shape where it is
    known.
    """
    base = m.to_opaque(value)
    keys = tuple(
        (name, m.to_opaque(v).key if not isinstance(v, (Array, Ref)) else m.fresh())
        for name, v in sorted(bound.items())
        if v is not value
    )
    short = summary.name.rsplit(".", 1)[-1]
    made = Opaque(("op", base.key, short, keys), brief(f"{base.text}.{short}(...)"))
    if base.key in m.filled:
        m.filled.setdefault(made.key, m.filled[base.key])  # the name of the view is the name of the allocation
    if summary.special == "same":
        known = m.shapes.get(base.key)
        if known is not None:
            m.shapes[made.key] = known
        else:
            m.shape_alias[made.key] = base
    elif summary.special in ("view", "reshape"):
        sizes = bound.get("args", bound.get("shape", bound.get("size")))
        if isinstance(sizes, TupleOf):
            items = (
                sizes.items[0].items if len(sizes.items) == 1 and isinstance(sizes.items[0], TupleOf) else sizes.items
            )
            lins = [m.as_lin(v) for v in items]
            if lins and all(s is not None and s.as_int() != -1 for s in lins):
                m.shapes[made.key] = tuple(s for s in lins if s is not None)
            elif lins and all(s is not None for s in lins):
                given = _inferred(m.shapes.get(base.key), [s for s in lins if s is not None])
                if given is not None:
                    m.shapes[made.key] = given
    return made


def _inferred(known: tuple[Lin, ...] | None, sizes: list[Lin]) -> tuple[Lin, ...] | None:
    """The sizes of a view with one -1 in them: the lengths that the others leave over."""
    from allocsafe.flow.views import product

    if known is None or sum(s.as_int() == -1 for s in sizes) != 1:
        return None
    left = list(known)
    for size in sizes:
        if size.as_int() != -1:
            if size not in left:
                return None
            left.remove(size)
    return tuple(product(left) if size.as_int() == -1 else size for size in sizes)


def _reshaped(m: Machine, summary: Summary, subject: Value, bound: dict[str, Value], span: Span) -> Value:
    """`x.unsqueeze_(0)`: the receiver itself looks different now. Which names hold this very tensor and which another
    view of the same elements is not known: the coordinates of all of them are given up.
    """
    del span

    def act(value: Value) -> Value:
        if not isinstance(value, Array):
            return value
        results, _, known = view_results(m, summary, value, bound)
        fewer = results is None or not known or results[0].extent != value.view.extent
        now = View(value.view.frame, value.view.box, None, True, "some" if fewer else value.view.extent)
        for cell, held in list(m.state.cells.items()):
            either = _renamed(held, value, Array(value.buf, now))
            if either is not held:
                m.state.cells[cell] = either
        return Array(value.buf, results[0] if results and known else now)

    return m.each(subject, act)


def _renamed(held: Value, old: Array, new: Array) -> Value:
    """What a cell holds, with another array in the place of one, on whichever path it holds it."""
    if held == old:
        return new
    if isinstance(held, Alts) and any(option == old for _, option in held.options):
        return Alts(tuple((cond, new if option == old else option) for cond, option in held.options))
    return held
