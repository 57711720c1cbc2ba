"""Branches, exits, exceptions, `with`: how paths part and meet.

Each arm of a branch walks on a copy of the cells, on the path with its condition; the copies are merged when both
fall through, which drops the condition again. An exit (return, break, continue, raise) leaves its state with whoever
collects it and ends the path.

    if c:            path c
        x.fill_(0)        write of x under c
        return       collected; path is FALSE
                     path not c
    use(x)           read of x under not c: the write does not count
"""

from __future__ import annotations

from collections.abc import Sequence

from allocsafe.flow.arithmetic import truth
from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.machine import FEW_ATOMS, Frame, Machine, step_meaning
from allocsafe.flow.memory import escape, log, read
from allocsafe.flow.state import State, choose, merge
from allocsafe.flow.values import NONE, Alts, Array, Closure, Known, Opaque, Ref, Value
from allocsafe.ir import nodes as ir
from allocsafe.source import Span


def assigned(block: ir.Block) -> frozenset[ir.Reg]:
    """Registers that the top level of a block assigns (what an `If` of an expression leaves behind)."""
    out = set()
    for step in block:
        dst = getattr(step, "dst", None)
        if dst is not None:
            out.add(dst)
        if isinstance(step, ir.If):
            out |= assigned(step.then) & assigned(step.orelse)
    return frozenset(out)


@step_meaning(ir.If)
def branch(m: Machine, step: ir.If) -> None:
    before = m.state
    cond = truth(m, m.get(step.cond), step.span)
    before = m.state
    path = before.path
    then_path, else_path = m.conds.both(path, cond), m.conds.both(path, m.conds.no(cond))
    shared = assigned(step.then) & assigned(step.orelse) if step.then and step.orelse else frozenset()
    regs = m.frame.regs
    ends: list[State] = []
    marks = (_exits(m), m.logged)
    values: dict[ir.Reg, list[tuple[int, Value]]] = {reg: [] for reg in shared}
    for arm, arm_path in ((step.then, then_path), (step.orelse, else_path)):
        m.state = State(arm_path, before.cells.copy())
        if arm_path != FALSE:
            m.run(arm)
        ends.append(m.state)
        if m.state.path != FALSE:
            tag = m.conds.within(m.state.path, path)
            for reg in shared:
                if reg in regs:
                    values[reg].append((tag, regs[reg]))
    whole = [end.path for end in ends] == [then_path, else_path]
    m.state = merge(m.conds, ends, path, path if whole else None)
    if m.state.path not in (FALSE, path) and _exits(m) == marks[0]:
        m.widen(path, marks[1])  # an arm ended in an error
    for reg, options in values.items():
        value = choose(m.conds, options)
        if value is not None:
            regs[reg] = value


def _exits(m: Machine) -> tuple[int, int, int]:
    """How many states have left by return, break, continue or raise so far."""
    frame = m.frame
    loop = frame.loops[-1] if frame.loops else None
    return (
        len(frame.returns),
        (len(loop.breaks) + len(loop.continues)) if loop is not None else 0,
        sum(len(h) for h in m.handlers),
    )


@step_meaning(ir.Assume)
def assume(m: Machine, step: ir.Assume) -> None:
    require(m, truth(m, m.get(step.cond), step.span), step.span)


def require(m: Machine, cond: Condition, span: Span) -> None:
    """Walks on where `cond` holds. Where it does not, a handler around sees the state as it is."""
    if len(m.conds.support(cond)) > FEW_ATOMS:
        if cond != TRUE:
            may_raise(m, span, "the assertion", sure=True)
        m.passed(m.state.path, cond)
        return
    failed = m.conds.both(m.state.path, m.conds.no(cond)) if m.handlers else FALSE
    if failed != FALSE:
        m.handlers[-1].append(State(failed, m.state.cells.copy()))
    m.state.path = m.conds.both(m.state.path, cond)


@step_meaning(ir.Return)
def leave(m: Machine, step: ir.Return) -> None:
    value = NONE if step.src is None else m.get(step.src)
    if m.native and m.frame.function.language != "python":
        from allocsafe.flow.cpp_borrowed import returned

        returned(m, value, step.span)
    if len(m.frames) == m.ROOT_DEPTH:
        carried = _carried(m, value)
        handed: dict[Array, int] = {}
        for cond, array in m.arrays(value):  # by itself or in a tuple: handed out either way
            if array not in carried:
                handed[array] = m.conds.either(handed.get(array, FALSE), cond)
        for array, cond in handed.items():
            log(m, array, "return", step.span, "returned", event="returned", cond=cond)
        for function in carried.values():
            escape(m, [function], step.span, "held by a function that is returned", "call", "who calls it, and when")
    m.frame.returns.append((m.state, value))
    m.state = State(FALSE, {})


def _carried(m: Machine, value: Value) -> dict[Array, Closure]:
    """The arrays that a returned function captured: handed out only when somebody calls it."""
    options = [option for _, option in value.options] if isinstance(value, Alts) else [value]
    return {array: v for v in options if isinstance(v, Closure) for _, array in m.arrays(v)}


@step_meaning(ir.Raise)
def throw(m: Machine, step: ir.Raise) -> None:
    if m.handlers:
        m.handlers[-1].append(m.state)
    m.state = State(FALSE, {})


@step_meaning(ir.Break)
def stop(m: Machine, step: ir.Break) -> None:
    m.frame.loops[-1].breaks.append(m.state)
    m.state = State(FALSE, {})


@step_meaning(ir.Continue)
def skip(m: Machine, step: ir.Continue) -> None:
    m.frame.loops[-1].continues.append(m.state)
    m.state = State(FALSE, {})


def may_raise(m: Machine, span: Span, what: str, *, sure: bool) -> None:
    """The step at `span` may raise: inside a `try`, the handlers see the state as it was before it.

    `sure`: exceptions here are part of the program's life (an explicit raise behind a call); otherwise only a doubt.
    """
    if not m.handlers or m.state.path == FALSE:
        return
    key = ("raises", m.fresh())
    m.note_born(key)
    raised = m.decide(key, f"{what} raises", "exception" if sure else "raises", span)
    m.handlers[-1].append(State(m.conds.both(m.state.path, raised), m.state.cells.copy()))
    m.state.path = m.conds.both(m.state.path, m.conds.no(raised))


ALL_ERRORS = frozenset({"Exception", "BaseException"})


def may_fail(m: Machine, span: Span, what: str, kinds: frozenset[str]) -> None:
    """As `may_raise`, for a step that the program expects to raise only if a handler around says so."""
    if any(named & (kinds | ALL_ERRORS) for named in m.catching):
        may_raise(m, span, what, sure=False)


def _caught(handlers: Sequence[ir.Handler]) -> frozenset[str]:
    """The names of what the handlers catch; one that names nothing catches everything."""
    out = ALL_ERRORS if any(handler.types is None for handler in handlers) else frozenset()
    return out.union(*(handler.type_names for handler in handlers))


@step_meaning(ir.Try)
def attempt(m: Machine, step: ir.Try) -> None:
    path = m.state.path
    frame = m.frame
    marks = _marks(frame)
    raised: list[State] = []
    m.handlers.append(raised)
    m.catching.append(_caught(step.handlers))
    m.run(step.body)
    m.catching.pop()
    m.handlers.pop()
    outer: list[State] = []
    m.handlers.append(outer)  # what handlers and else raise goes through `finally` and on
    ends: list[State] = []
    if m.state.path != FALSE:
        m.run(step.orelse)
        ends.append(m.state)
    thrown = merge(m.conds, raised, path) if raised else State(FALSE, {})
    catches_all = False
    for handler in step.handlers:
        if thrown.path == FALSE:
            break
        all_names = set(handler.type_names)
        everything = handler.types is None or bool(all_names & {"Exception", "BaseException"})
        m.state = thrown.copy()
        if everything:
            catches_all = True
            taken = thrown.path
            thrown = State(FALSE, {})
        else:
            matches = m.decide(
                ("catches", m.fresh()),
                f"the exception is a {' or '.join(sorted(all_names)) or 'match'}",
                "exception",
                step.span,
            )
            taken = m.conds.both(thrown.path, matches)
            thrown.path = m.conds.both(thrown.path, m.conds.no(matches))
        m.state.path = taken
        if handler.name is not None:
            m.write_cell((frame.ident, handler.name), m.unknown(handler.name))
        m.run(handler.body)
        ends.append(m.state)
    del catches_all
    if thrown.path != FALSE:
        outer.append(thrown)
    m.handlers.pop()
    m.state = merge(m.conds, ends, path) if ends else State(FALSE, {})
    if step.final:
        _finally(m, step.final, marks, outer, path)
    elif outer and m.handlers:
        m.handlers[-1].extend(outer)


def _marks(frame: Frame) -> tuple[int, int, int]:
    exits = frame.loops[-1] if frame.loops else None
    return len(frame.returns), len(exits.breaks) if exits else 0, len(exits.continues) if exits else 0


def _finally(m: Machine, final: ir.Block, marks: tuple[int, int, int], outer: list[State], path: int) -> None:
    """Runs the block on the normal end and once for each kind of exit that passes through it."""
    frame = m.frame
    normal = m.state
    if normal.path != FALSE:
        m.run(final)
        normal = m.state
    late_returns = frame.returns[marks[0] :]
    del frame.returns[marks[0] :]
    for state, value in late_returns:
        m.state = state
        m.run(final)
        if m.state.path != FALSE:
            frame.returns.append((m.state, value))
    if frame.loops:
        exits = frame.loops[-1]
        for collected, mark in ((exits.breaks, marks[1]), (exits.continues, marks[2])):
            late = collected[mark:]
            del collected[mark:]
            for state in late:
                m.state = state
                m.run(final)
                if m.state.path != FALSE:
                    collected.append(m.state)
    live = [s for s in outer if s.path != FALSE]
    if live:
        m.state = merge(m.conds, live, path)
        m.run(final)
        if m.handlers and m.state.path != FALSE:
            m.handlers[-1].append(m.state)
    m.state = normal


@step_meaning(ir.With)
def with_block(m: Machine, step: ir.With) -> None:
    ctx = m.get(step.ctx)
    if isinstance(ctx, Opaque) and ctx.key in m.managers:
        from allocsafe.flow.managers import entered, given_up

        if entered(m, ctx, step):
            return
        given_up(m, ctx, step.span)
    elif isinstance(ctx, Alts) and any(
        isinstance(v, Ref) or (isinstance(v, Opaque) and v.key in m.managers) for _, v in ctx.options
    ):
        _alternatives(m, ctx, step)
        return
    m.put(step.dst, ctx)
    name = called_name(m, ctx)
    if name.endswith(("contextlib.suppress", "suppress")):
        raised: list[State] = []
        path = m.state.path
        m.handlers.append(raised)
        m.catching.append(ALL_ERRORS)
        m.run(step.body)
        m.catching.pop()
        m.handlers.pop()
        m.state = merge(m.conds, [m.state, *raised], path)
        return
    if (
        isinstance(ctx, Ref)
        or (isinstance(ctx, Opaque) and ctx.key in m.swallows)
        or name.endswith(("pytest.raises", ".assertRaises", ".assertRaisesRegex"))
    ):
        _scoped(m, step, ctx)
        return
    recording = name == "torch.cuda.graph" or name.endswith((".cuda.graph", "cuda_graph_capture"))
    before = m.pos
    m.run(step.body)
    if recording and not m.dry:
        m.captured.append((before, m.pos))


def _alternatives(m: Machine, ctx: Alts, step: ir.With) -> None:
    """One of several managers: the block runs under each of them."""

    def under(value: Value) -> Value:
        m.put(step.ctx, value)
        with_block(m, step)
        return NONE

    m.each(ctx, under)
    m.put(step.ctx, ctx)


def _scoped(m: Machine, step: ir.With, ctx: Value) -> None:
    """A context manager of the program, or one that may end an exception: `__exit__` sees both ends, and decides
    whether the second goes on.
    """
    from allocsafe.flow.attributes import attribute
    from allocsafe.flow.calls import call_value

    leave_ = attribute(m, ctx, "__exit__", step.span) if isinstance(ctx, Ref) else None
    enter = attribute(m, ctx, "__enter__", step.span) if isinstance(ctx, Ref) else None
    if isinstance(enter, Closure):
        m.put(step.dst, call_value(m, enter, [], {}, step.span))
    if isinstance(ctx, Ref) and not isinstance(leave_, Closure):
        m.run(step.body)
        return
    path = m.state.path
    raised: list[State] = []
    m.handlers.append(raised)
    m.run(step.body)
    m.handlers.pop()
    normal = m.state
    if isinstance(leave_, Closure) and normal.path != FALSE:
        call_value(m, leave_, [NONE, NONE, NONE], {}, step.span)
        normal = m.state
    live = [s for s in raised if s.path != FALSE]
    if not live:
        m.state = normal
        return
    m.state = merge(m.conds, live, path)
    if isinstance(leave_, Closure):
        answer = call_value(
            m,
            leave_,
            [m.unknown("the exception's type"), m.unknown("the exception"), m.unknown("the traceback")],
            {},
            step.span,
        )
        ends = truth(m, answer, step.span) if m.state.path != FALSE else FALSE
    else:
        key = ("swallows", m.fresh())
        m.note_born(key)
        ends = m.decide(key, "the exception ends here", "exception", step.span)
    onward = State(m.conds.both(m.state.path, m.conds.no(ends)), m.state.cells.copy())
    if m.handlers and onward.path != FALSE:
        m.handlers[-1].append(onward)
    m.state.path = m.conds.both(m.state.path, ends)
    m.state = merge(m.conds, [normal, m.state], path)


def called_name(m: Machine, value: Value) -> str:
    """The dotted name of what was called to make an opaque value."""
    if isinstance(value, Opaque) and isinstance(value.key, tuple) and value.key and value.key[0] == "made":
        return str(value.key[1])
    return value.name if isinstance(value, Known) else ""


@step_meaning(ir.Escape)
def escaped(m: Machine, step: ir.Escape) -> None:
    values = [m.get(reg) for reg in step.uses]
    for name in step.names:
        held = m.read_cell((m.frame.ident, name))
        if held is not None:
            values.append(held)
    escape(m, values, step.span, step.reason, "syntax", "rewriting this statement in plainer terms")
    for name in step.names:
        if (m.frame.ident, name) in m.state.cells:
            m.write_cell((m.frame.ident, name), m.unknown(name))


@step_meaning(ir.Opaque)
def opaque(m: Machine, step: ir.Opaque) -> None:
    for reg in step.uses:
        read(m, m.get(reg), step.span, step.reason)
    m.put(step.dst, m.unknown(step.reason))


@step_meaning(ir.Yield)
def yielded(m: Machine, step: ir.Yield) -> None:
    block = m.yielding.get(m.frame.ident)
    if block is not None:
        block(NONE if step.src is None else m.get(step.src))
        m.put(step.dst, NONE)
        return
    if step.src is not None:
        escape(
            m,
            [m.get(step.src)],
            step.span,
            "given to whoever runs the generator",
            "generator",
            "the loop that consumes it",
        )
    m.put(step.dst, m.unknown("what is sent in"))


@step_meaning(ir.Await)
def awaited(m: Machine, step: ir.Await) -> None:
    m.put(step.dst, m.get(step.src))


@step_meaning(ir.Move)
def move(m: Machine, step: ir.Move) -> None:
    m.put(step.dst, m.get(step.src))
