"""Calls: who is called, and what then happens to what is handed over.

*Claim.* A callee of the program is walked in place with the caller's values, so a read before a write in the callee
meets the caller's hole, and arguments that share memory do so inside. A callee outside of it does what its table line
says; without a line it may do anything: an escape, which matters only if there is a hole at that moment. *What it
gives up.* Depth (`MOST_DEPTH`) and recursion, both escapes with a name.
"""

from __future__ import annotations

import re

from allocsafe.flow import mocks
from allocsafe.flow.asserts import checked
from allocsafe.flow.conditions import FALSE
from allocsafe.flow.control import may_raise
from allocsafe.flow.cpp_memory import in_c
from allocsafe.flow.fits import fits
from allocsafe.flow.havoc import after_skipped, after_unknown
from allocsafe.flow.machine import Frame, Machine, step_meaning
from allocsafe.flow.memory import escape, holds_array, keep, read
from allocsafe.flow.state import choose_few, merge
from allocsafe.flow.unpacked import Unpacked
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Partial,
    Ref,
    Super,
    TupleOf,
    Value,
)
from allocsafe.frontends.base import Unsupported
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

MARKS = frozenset({"__allocsafe_left__", "__allocsafe_gap__"})
"""Calls that a question about a dropped fill puts into a function: see `stale`."""

TRANSPARENT = frozenset(
    [
        "property",
        "staticmethod",
        "classmethod",
        "cached_property",
        "abstractmethod",
        "override",
        "overload",
        "torch.no_grad",
        "torch.inference_mode",
        "inference_mode",
        "no_grad",
        "functools.lru_cache",
        "lru_cache",
        "functools.cache",
        "cache",
        "torch.compile",
        "compile",
        "torch.jit.script",
        "torch.jit.ignore",
        "torch.jit.export",
        "final",
        "wraps",
        "functools.wraps",
        "pytest.mark.parametrize",
        "pytest.fixture",
        "nvtx.annotate",
        "dynamo.disable",
        "torch._dynamo.disable",
        "triton_autotune",
    ]
)
KERNEL_DECORATORS = ("jit", "autotune", "heuristics", "kernel", "cute.kernel", "script_kernel")


@step_meaning(ir.MakeFunction)
def make_function(m: Machine, step: ir.MakeFunction) -> None:
    defaults = tuple((p.name, m.get(p.default)) for p in step.function.params if p.default is not None)
    m.put(step.dst, Closure(step.function, m.frame.path, m.frame.ident, None, "", defaults))


@step_meaning(ir.MakeClass)
def make_class(m: Machine, step: ir.MakeClass) -> None:
    unit = m.program.unit(m.frame.path)
    if unit is not None:  # its body and its methods may use what is around them
        text = "\n".join(unit.source.lines[step.cls.span.line - 1 : step.cls.span.end_line])
        names = set(re.findall(r"\b[A-Za-z_]\w*\b", text))
        held = [v for name, v in m.state.cells.of(m.frame.ident) if name in names]
        reached = [v for v in held if holds_array(m, v)]
        escape(m, reached, step.span, f"used in the local class {step.cls.name}", "class", "the class at module level")
    m.put(step.dst, ClassOf(step.cls, m.frame.path))


@step_meaning(ir.Call)
def call(m: Machine, step: ir.Call) -> None:
    func = m.get(step.func)
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    loose = Unpacked()
    for arg in step.args:
        value = m.get(arg.reg)
        if arg.name is not None:
            kwargs[arg.name] = value
        elif arg.star == "*":
            from allocsafe.flow.containers import spread_items

            items = spread_items(m, value)
            if items is None:
                loose.append(value)
                loose.placed = False
            elif loose.placed:
                args += items
            else:
                loose += items
        elif arg.star == "**":
            _spread_keywords(m, value, kwargs, loose)
        else:
            (args if loose.placed else loose).append(value)
    m.awaited = step.awaited
    result = m.each(func, lambda f: call_value(m, f, args, kwargs, step.span, loose, step.template))
    m.put(step.dst, result)


def _spread_keywords(m: Machine, value: Value, kwargs: dict[str, Value], loose: list[Value]) -> None:
    if isinstance(value, Ref) and m.objects[value.obj].kind == "dict":
        from allocsafe.flow.containers import owner
        from allocsafe.flow.presence import has

        for key, held in m.state.cells.of(owner(value)):
            if isinstance(key, tuple):
                if key[0] == "key" and isinstance(key[1], str) and has(m, value, key[1]) == 1:
                    kwargs.setdefault(key[1], m.read_cell((owner(value), key)) or held)
                else:
                    loose.append(held)
        if m.state.cells.get((owner(value), "computed"), TupleOf(())) != TupleOf(()):
            loose.append(value)
    else:
        loose.append(value)


def call_value(
    m: Machine,
    func: Value,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value] | None = None,
    template: str = "",
) -> Value:
    """The value of `func(*args, **kwargs)`; `loose` are unpacked arguments whose places are not known."""
    if m.state.path == FALSE:
        return NONE
    loose = loose or []
    if isinstance(func, Alts):
        return m.each(func, lambda f: call_value(m, f, args, kwargs, span, loose, template))
    if isinstance(func, Partial):
        return call_value(m, func.func, [*func.args, *args], {**dict(func.kwargs), **kwargs}, span, loose)
    if isinstance(func, Closure):
        return invoke(m, func, args, kwargs, span, loose)
    if isinstance(func, ClassOf):
        return instantiate(m, func, args, kwargs, span, loose)
    if isinstance(func, Ref):
        from allocsafe.flow.attributes import attribute

        for name in ("__call__", "forward"):
            method = attribute(m, func, name, span)
            if isinstance(method, Closure):
                return invoke(m, method, args, kwargs, span, loose)
        return unknown_call(m, func, "the object", [*args, *loose], kwargs, span, loose=len(loose))
    if isinstance(func, Known):
        from allocsafe.flow.operators import known_call

        return known_call(m, func.name, None, args, kwargs, span, loose, template)
    if isinstance(func, Method):
        return method_call(m, func, args, kwargs, span, loose, template)
    if isinstance(func, Const):
        m.state.path = FALSE  # None is not callable
        return NONE
    opaque = m.to_opaque(func)
    if opaque.text in MARKS:
        from allocsafe.flow.stale import marked

        return marked(m, opaque.text, args, span)
    from allocsafe.flow.receivers import class_of

    cls = class_of(m, opaque)
    if cls is not None:  # an instance that is called: `__call__`, or a module's `forward`
        from allocsafe.flow.dispatch import member

        for name in ("__call__", "forward"):
            meant = member(m, cls, name, opaque, span, opaque.key, sure=False)
            if meant is not None:
                return m.each(meant, lambda f: call_value(m, f, args, kwargs, span, loose, template))
    return opaque_call(m, opaque, args, kwargs, span, loose)


def method_call(
    m: Machine,
    func: Method,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value],
    template: str = "",
) -> Value:
    """A method of an array, container, tuple or text."""
    recv = func.recv
    if in_c(m):
        from allocsafe.flow import cpp_methods

        known = cpp_methods.method(m, recv, func.name, args, span)
        if known is not None:
            return known
    if isinstance(recv, Ref):
        from allocsafe.flow.containers import container_method

        result = container_method(m, recv, func.name, args, kwargs, span)
        if result is not None:
            return result
        return unknown_call(m, recv, func.name, [recv, *args, *loose], kwargs, span, loose=len(loose))
    if isinstance(recv, Array):
        from allocsafe.flow.operators import known_call, method_prefix

        return known_call(m, f"{method_prefix(m, recv)}.{func.name}", recv, args, kwargs, span, loose, template)
    if isinstance(recv, TupleOf):
        if func.name in {"index", "count"}:
            return m.unknown("an index")
        if func.name in ("numel", "size"):
            from allocsafe.flow.views import product

            sizes = [m.as_lin(v) for v in recv.items]
            if all(s is not None for s in sizes):
                return Num(product([s for s in sizes if s is not None]))
        if func.name in ("_replace", "_asdict"):
            return unknown_call(m, recv, func.name, [recv, *args], kwargs, span)
        return m.unknown("a value")
    for value in [*args, *kwargs.values(), *loose]:
        read(m, value, span, "turned into text")
    opaque = m.to_opaque(recv)
    keys = tuple(m.to_opaque(a).key if not isinstance(a, (Ref, Array)) else m.fresh() for a in args)
    return Opaque(("op", opaque.key, func.name, keys), f"{opaque.text}.{func.name}()")


def opaque_call(
    m: Machine, func: Opaque, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value:
    """A call of something opaque: perhaps a method of an opaque tensor, perhaps a reader by contract, otherwise
    anything.
    """
    from allocsafe.flow.reflection import of_open_class

    key = func.key
    mine = of_open_class(func)
    if mine is not None:  # `type(self).method(...)`: of which class is not known
        return unknown_call(m, mine, func.text, [mine, *args, *loose], kwargs, span, loose=len(loose))
    if key in m.overrides:
        held_by, why = m.overrides[key]
        m.considered.setdefault((span.path, span.line), f"{func.text} is not found: {why}")
        return unknown_call(m, held_by, func.text, [*args, *loose], kwargs, span, receiver=held_by, loose=len(loose))
    if isinstance(key, tuple) and key[0] == "attr" and len(key) == 4:
        name = str(key[2])
        base = Opaque(key[1], func.text.rsplit(".", 1)[0])
        from allocsafe.flow.operators import opaque_method

        receiver: Value = base
        if in_c(m):
            from allocsafe.flow import cpp_methods

            known = cpp_methods.opaque_method(m, base, name, args)
            if known is not None:
                return known
        if isinstance(key[1], tuple) and key[1][0] == "obj":
            receiver = Ref(key[1][1])
        result = opaque_method(m, receiver, name, args, kwargs, span, loose)
        if result is not None:
            return result
        from allocsafe.flow.receivers import class_of
        from allocsafe.flow.stored import stored_method

        cls = class_of(m, base)
        held = None if cls is None else stored_method(m, base, cls, name, span)
        if held is not None:
            return m.each(held, lambda f: call_value(m, f, args, kwargs, span, loose))
        only = m.program.only_method(m.frame.path, name)
        handed = any(holds_array(m, v) for v in [*args, *kwargs.values(), *loose])
        if only is not None and handed and fits(m, only[1], args, kwargs, loose=bool(loose)):
            m.assumes.add(f"{func.text} is {only[0]}.{name}")
            m.considered[(span.path, span.line)] = f"{name} is that of {only[0]}, the only one in sight"
            owner = m.program.klass(only[2], only[0])
            if owner is not None:
                m.opaque_class.setdefault(base.key, ClassOf(owner, only[2]))
            return invoke(m, Closure(only[1], only[2], 0, base, only[0]), args, kwargs, span, loose)
        return unknown_call(m, base, func.text, [*args, *loose], kwargs, span, receiver=base, loose=len(loose))
    return unknown_call(m, func, func.text, [*args, *loose], kwargs, span, loose=len(loose))


def unknown_call(
    m: Machine,
    func: Value,
    name: str,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    receiver: Value | None = None,
    loose: int = 0,
) -> Value:
    """A callee that nobody knows: everything it can reach escapes. `loose`: how many of `args`, the last ones, stand
    for unpacked arguments.
    """
    from allocsafe.flow.runners import aside

    if receiver is not None and checked(m, name, args, span):
        return NONE
    if name == mocks.SETS:
        mocks.replaces(m, args, span)
    contract = m.contracts.look_up(name, outside=func == NONE)
    if contract is None and func != NONE:
        from allocsafe.flow.contracts import of_module

        contract = of_module(m, func)
    values = [*args, *kwargs.values()]
    result: Value | None = None
    if contract is not None:
        from allocsafe.flow.contracts import use

        at = len(args) - loose
        result = use(m, contract, args[:at], kwargs, span, args[at:])
    else:
        held = [v for v in values if holds_array(m, v)]
        held += [v for value in values if isinstance(value, Closure) for v in captured(m, value)]
        if held:
            escape(
                m,
                held,
                span,
                f"handed to {name}, whose source is not known",
                "call",
                f"the source of {name}, or a contract for it",
            )
        for value in values:
            if isinstance(value, (Opaque, Ref)):
                m.bump(value)
            elif isinstance(value, (Closure, Partial)):
                aside(m, value, span)
    if receiver is not None:
        m.bump(receiver)
        if isinstance(receiver, Opaque):
            m.rewritten[receiver.key] = m.fresh()
        if holds_array(m, receiver):
            escape(
                m,
                [receiver],
                span,
                f"held by the receiver of {name}, whose source is not known",
                "call",
                f"the source of {name}, or a contract for it",
            )
    if result is not None:
        return result
    after_unknown(m, values, receiver)
    may_raise(m, span, name, sure=False)
    if m.handlers and m.state.path == FALSE:
        return NONE
    key = ("made", name, m.fresh())
    m.note_born(key)
    return Opaque(key, f"{name.rsplit('.', 1)[-1]}(...)")


def captured(m: Machine, func: Closure) -> list[Value]:
    """What a function that is handed away can reach around it. Variables that it assigns are forgotten."""
    if isinstance(func.function, ir.FunctionStub):
        return []
    out = [value for _, value in func.defaults if holds_array(m, value)]
    stored = {
        step.name for step in _steps(func.function.body) if isinstance(step, ir.Store) and step.scope == "enclosing"
    }
    at = func.frame
    while at:
        for name in func.function.names:
            value = m.read_cell((at, name))
            if value is not None and holds_array(m, value):
                out.append(value)
            if name in stored and value is not None:
                m.write_cell((at, name), m.unknown(name))
        at = m.known_frames.get(at, 0)
    return out


def invoke(
    m: Machine,
    func: Closure,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value] | None = None,
    *,
    root: bool = False,
) -> Value:
    """Walks a function of the program in place. `root`: nobody calls it in view, so what is not given is opaque,
    whatever its default.
    """
    from allocsafe.flow.contracts import sealed

    loose = loose or []
    everything = [*args, *kwargs.values(), *loose]
    stub = func.function
    m.invoked.add(stub.span)
    if func.receiver is not None:
        everything.append(func.receiver)
    if not root and mocks.mocked(m, stub.name):
        return unknown_call(m, NONE, stub.name, everything, {}, span, receiver=func.receiver)
    names = {name.split("(")[0] for name in stub.decorator_names}
    awaited = m.awaited
    if names and not root and not names & {"contextmanager", "contextlib.contextmanager"} and _plain_python(names):
        from allocsafe.flow.wrapped import decorated

        wrapped = decorated(m, func, span)
        if wrapped is not None:
            m.awaited = awaited  # of the call at hand, whatever the decorators called
            first = [func.receiver] if func.receiver is not None and "staticmethod" not in names else []
            return m.each(wrapped, lambda f: call_value(m, f, [*first, *args], kwargs, span, loose))
    if any(name.rsplit(".", 1)[-1] in ("custom_op", "triton_op") for name in names):
        from allocsafe.flow.registered import rebound

        if rebound(m, func):
            if (said := sealed(m, func, args, kwargs, span, loose)) is not None:
                return said
            why = f"handed to {stub.name}, which has another implementation for some devices"
            escape(m, everything, span, why, "call", f"a contract for {stub.name}")
            return m.unknown(stub.name)
    if any(
        name.rsplit(".", 1)[-1] in KERNEL_DECORATORS and name.rsplit(".", 1)[-1] != "script"
        for name in names
        if name not in TRANSPARENT
    ):
        if (said := sealed(m, func, args, kwargs, span, loose)) is not None:
            return said
        escape(
            m,
            [v for v in everything if holds_array(m, v)],
            span,
            f"handed to the kernel {stub.name}",
            "kernel",
            f"which elements {stub.name} stores",
        )
        return m.unknown(stub.name)
    depth = sum(1 for f in m.frames if f.function.qualname == stub.qualname and f.path == func.path)
    if depth >= 2 or len(m.frames) >= m.MOST_DEPTH:
        if (said := sealed(m, func, args, kwargs, span, loose)) is not None:
            return said
        why = "recursion" if depth >= 2 else "depth"
        escape(
            m,
            everything,
            span,
            f"handed to {stub.name}, which calls itself"
            if depth >= 2
            else f"handed to {stub.name}, too many calls deep",
            why,
            f"a contract for {stub.name}",
        )
        return m.unknown(stub.name)
    if not _worth_it(m, func, everything):
        for value in everything:
            m.bump(value)
        after_skipped(m, func, everything)
        keys = tuple(m.to_opaque(v).key if not isinstance(v, (Array, Ref)) else m.fresh() for v in everything)
        raised = _raises(stub)
        if raised:
            may_raise(m, span, stub.name, sure=True)
        del keys
        key = ("made", stub.name, m.fresh())
        m.note_born(key)
        from allocsafe.flow.receivers import declared_return

        made_class = declared_return(m.program, func.path, stub.span.line)
        if made_class is not None:
            m.opaque_class[key] = made_class
        return Opaque(key, f"{stub.name}(...)")
    try:
        function = stub.load() if isinstance(stub, ir.FunctionStub) else stub
    except Unsupported as problem:
        if (said := sealed(m, func, args, kwargs, span, loose)) is not None:
            return said
        escape(
            m,
            everything,
            span,
            f"handed to {stub.name}, which could not be read: {problem.reason}",
            "syntax",
            "a source that parses",
        )
        return m.unknown(stub.name)
    if function.is_generator or any(name.endswith("contextmanager") for name in names):
        if (said := sealed(m, func, args, kwargs, span, loose)) is not None:
            return said
        if any(name.endswith("contextmanager") and not name.endswith("asynccontextmanager") for name in names):
            from allocsafe.flow.managers import deferred

            manager = deferred(m, func, args, kwargs, loose, span)
            if manager is not None:
                return manager
        escape(m, everything, span, f"handed to the generator {stub.name}", "generator", "the loop that runs it")
        made = m.unknown(stub.name)
        if any(isinstance(inner, ir.Try) and inner.handlers for inner in _steps(function.body)):
            m.swallows.add(made.key)
        return made
    if function.is_async and not root and not awaited:
        why = f"handed to {stub.name}, which runs when somebody waits for it"
        escape(m, everything, span, why, "generator", "an `await` of the call")
        return m.unknown(f"{stub.name}(...)")
    if loose and not any(p.kind in ("star", "double-star") for p in function.params):
        escape(m, loose, span, f"unpacked into the call of {stub.name}", "unpacking", "naming the arguments one by one")
    frame = Frame(m.fresh(), function, func.path, func.owner, func.frame, func.receiver)
    m.known_frames[frame.ident] = func.frame
    bind(m, frame, func, args, kwargs, loose, span, root=root)
    if frame.receiver is None and func.owner and function.params and "staticmethod" not in names:
        frame.receiver = m.read_cell((frame.ident, function.params[0].name))  # `Cls.method(object)`
    before = len(m.buffers)
    result = run_frame(m, frame, span)
    if not root and any(name.rsplit(".", 1)[-1] in CACHED for name in names):
        _at_first(m, frame.start, before, span, stub.name)
    return result


CACHED = frozenset({"cache", "lru_cache", "cached_property"})
"""Decorators by which a function does not run again for the same arguments."""


def _at_first(m: Machine, start: int, before: int, span: Span, name: str) -> None:
    """What a cached function has just written to memory that it did not make, it has written if no earlier call was
    given the same.
    """
    asked = ("runs", m.fresh())
    m.note_born(asked)
    runs = m.decide(asked, f"{name} was not called with this before", "order", span)
    for buffer in m.buffers[:before]:
        for at in range(len(buffer.entries) - 1, -1, -1):
            entry = buffer.entries[at]
            if entry.pos <= start:
                break
            if entry.kind == "write":
                buffer.entries[at] = entry._replace(cond=m.conds.both(entry.cond, runs))


def _plain_python(names: set[str]) -> bool:
    """Whether no decorator makes the function a kernel or an operator: those have their own ways."""
    operators = ("custom_op", "triton_op", "register_custom_op", "impl", "register_kernel", "register_fake")
    own = (*KERNEL_DECORATORS, *operators)
    return not any(name.rsplit(".", 1)[-1] in own and name not in TRANSPARENT for name in names)


def _raises(stub: ir.FunctionStub | ir.Function) -> bool:
    return isinstance(stub, ir.Function) and "raise" in stub.names


def _worth_it(m: Machine, func: Closure, everything: list[Value]) -> bool:
    """Whether walking the callee can matter: it gets a followed array, makes one, or is small enough to give exact
    numbers.
    """
    if (
        m.inline_all or isinstance(func.function, ir.Function) or len(m.frames) == 1
    ):  # the entry point itself is always walked
        return True
    lines = func.function.span.end_line - func.function.span.line
    if any(holds_array(m, v) for v in everything) or func.function.name in m.held.toward:
        return True
    if m.follow is not None and func.path != m.follow[0]:
        return lines <= m.small_elsewhere  # what it makes is not asked about
    return lines <= m.small_callee or m.program.may_allocate(func.path, func.function)


def run_frame(m: Machine, frame: Frame, span: Span) -> Value:
    """Walks the body of a prepared frame; the joined return value."""
    path, logged = m.state.path, m.logged
    frame.start = m.pos
    m.frames.append(frame)
    saved_stack, m.stack = m.stack, (*m.stack, span)
    m.callees[span] = frame.function.qualname
    m.run(frame.function.body)
    if m.state.path != FALSE:
        frame.returns.append((m.state, NONE))
    m.frames.pop()
    m.stack = saved_stack
    live = [(s, v) for s, v in frame.returns if s.path != FALSE]
    if not live:
        m.state.path = FALSE
        return NONE
    made = [(m.conds.within(s.path, path), v) for s, v in live]
    value = choose_few(m.conds, made, lambda: m.unknown(f"{frame.function.name}(...)"))
    if not _closure_left(m, frame, value):  # nobody will read its variables any more
        for state, _ in live:
            state.cells.drop(frame.ident)
    m.state = merge(m.conds, [s for s, _ in live], path)
    if m.state.path != path and not m.handlers:
        m.widen(path, logged)  # the callee raises
    return NONE if value is None else value


def _closure_left(m: Machine, frame: Frame, value: Value | None) -> bool:
    """Whether a function made in the frame may outlive it."""
    return any(isinstance(step, ir.MakeFunction) for step in _steps(frame.function.body))


def _steps(block: ir.Block) -> list[ir.Step]:
    out: list[ir.Step] = []
    for step in block:
        out.append(step)
        for name in ("then", "orelse", "body", "final", "test", "update"):
            inner = getattr(step, name, None)
            if isinstance(inner, tuple):
                out += _steps(inner)
        for handler in getattr(step, "handlers", ()):
            out += _steps(handler.body)
    return out


def bind(
    m: Machine,
    frame: Frame,
    func: Closure,
    args: list[Value],
    kwargs: dict[str, Value],
    loose: list[Value],
    span: Span,
    *,
    root: bool = False,
) -> None:
    """Arguments to parameters, as Python does it; what is missing gets its default or is opaque."""
    function = frame.function
    given = list(args)
    rest = dict(kwargs)
    defaults = dict(func.defaults)
    names = {name.rsplit(".", 1)[-1] for name in function.decorator_names}
    if func.receiver is not None and func.owner and "staticmethod" not in names:
        given.insert(0, func.receiver)
    default_regs = None
    value: Value | None
    for param in function.params:
        key = (frame.ident, param.name)
        if root and param.kind in ("star", "double-star"):
            m.write_cell(key, Opaque(("param", frame.path, function.qualname, param.name, frame.ident), param.name))
            continue
        if param.kind == "star":
            if loose:
                ref = m.new_object("list", span)
                for value in [*given, *loose]:
                    m.write_cell((("obj", ref.obj), ("some", m.fresh())), value)
                m.write_cell(key, ref)
            else:
                m.write_cell(key, TupleOf(tuple(given)))
            given = []
            continue
        if param.kind == "double-star":
            ref = m.new_object("dict", span)
            from allocsafe.flow.containers import put_key

            for label, value in rest.items():
                put_key(m, ref, Const(label), value)
            for value in loose:
                m.write_cell((("obj", ref.obj), ("some", m.fresh())), value)
            m.write_cell(key, ref)
            rest = {}
            continue
        value = None
        if param.kind in ("positional", "positional-only") and given:
            value = given.pop(0)
        elif param.name in rest:
            value = rest.pop(param.name)
        elif param.name in defaults and not root:
            value = defaults[param.name]
        elif param.default is not None and not loose and not root:
            if default_regs is None:
                default_regs = run_defaults(m, frame)
            value = default_regs.get(param.default)
            if isinstance(value, Ref) and m.objects[value.obj].kind in ("dict", "list", "set"):
                value = _as_left(m, frame, param.name, value)
        if value is None:
            value = parameter(m, frame, param)
        elif isinstance(value, Opaque) and "(" in value.text:
            value = Opaque(value.key, param.name)  # the callee's name for what an expression made
        if function.language != "python":
            from allocsafe.flow.cpp_alloc import passed

            value = passed(m, value, param.annotation, span)
        m.write_cell(key, typed(m, value, param.annotation))
    if given and function.language == "python" and not root and not loose and m.conds.doubt is not None:
        # more than it takes: it raises, or something around it takes the rest; nothing behind it is sure to happen
        m.state.path = m.conds.both(m.state.path, m.conds.doubt())


def _as_left(m: Machine, frame: Frame, name: str, display: Ref) -> Value | None:
    """A display as a default: made once, so that it holds what earlier calls put there. None where they may."""
    from allocsafe.flow.imported import changed

    first, last = frame.function.span.line, frame.function.span.end_line
    return None if changed(name, "\n".join(m.program.lines(frame.path)[first - 1 : last])) else display


def run_defaults(m: Machine, frame: Frame) -> dict[ir.Reg, Value]:
    """The values of default arguments, evaluated where the function is defined."""
    helper = Frame(m.fresh(), frame.function, frame.path, frame.owner, frame.closure_of, None)
    m.frames.append(helper)
    m.run(frame.function.defaults)
    m.frames.pop()
    return helper.regs


def parameter(m: Machine, frame: Frame, param: ir.Param) -> Value:
    """An argument that nobody gave: opaque, an integer if it says so."""
    return typed(
        m, Opaque(("param", frame.path, frame.function.qualname, param.name, frame.ident), param.name), param.annotation
    )


def typed(m: Machine, value: Value, annotation: str) -> Value:
    """An opaque value with the type that the source declares."""
    if not isinstance(value, Opaque) or not annotation:
        return value
    word = annotation.strip("\"' ")
    if (
        word in ("int", "torch.SymInt", "SymInt")
        or word in C_INTEGERS
        or (word.startswith("const ") and word[6:].rstrip("&* ") in C_INTEGERS and "*" not in word)
    ):
        lin = m.as_lin(value)
        return Num(lin) if lin is not None else value
    if word in ("bool",):
        from allocsafe.flow.arithmetic import truth
        from allocsafe.flow.values import Truth

        return Truth(truth(m, value, Span("", 0, 0, 0, 0)))
    m.program.annotated(m, value, word)
    return value


C_INTEGERS = frozenset(
    [
        "int",
        "long",
        "unsigned",
        "size_t",
        "int64_t",
        "int32_t",
        "uint32_t",
        "uint64_t",
        "std::size_t",
        "std::int64_t",
        "std::ptrdiff_t",
        "ptrdiff_t",
        "index_t",
        "Index",
        "ssize_t",
        "short",
        "char",
    ]
) | {"unsigned int", "long long", "unsigned long", "unsigned long long", "long int"}


def instantiate(
    m: Machine, cls: ClassOf, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value:
    """An object of a class of the program; its `__init__` runs, dataclass and NamedTuple fields are assigned."""
    if cls.cls.bases and not loose:
        from allocsafe.flow.parameters import instance

        tensor = instance(m, cls, args, kwargs, span)
        if tensor is not None:
            return tensor
    ref = m.new_object("instance", span, cls.cls.qualname, cls.path)
    from allocsafe.flow.attributes import class_attribute

    init = class_attribute(m, cls, "__init__", ref, span)
    if isinstance(init, Closure):
        invoke(m, init, args, kwargs, span, loose)
        return ref
    from allocsafe.flow.records import fields_of, is_named_tuple, number_items

    fields = fields_of(m, cls)
    if fields:
        from allocsafe.flow.fields import assign

        after = assign(m, cls, ref, fields, args, kwargs, span)
        if is_named_tuple(m, cls):
            number_items(m, ref, fields)
        post = class_attribute(m, cls, "__post_init__", ref, span)
        if isinstance(post, Closure):
            invoke(m, post, after, {}, span)
        if loose:
            escape(m, loose, span, f"unpacked into {cls.cls.name}", "unpacking", "naming the arguments one by one")
        return ref
    if args or kwargs or loose:
        for number, value in enumerate([*args, *loose]):
            m.write_cell((("obj", ref.obj), ("some", number)), value)
        for label, value in kwargs.items():
            m.write_cell((("obj", ref.obj), ("attr", label)), value)
            keep(m, value, span, f"{cls.cls.name}.{label}")
    return ref


__all__ = ["Alts", "Lin", "Super", "call_value", "invoke", "unknown_call"]
