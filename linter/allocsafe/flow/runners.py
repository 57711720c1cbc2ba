"""Callables that are handed to what is out of view.

*Claim.* A benchmark runs the callable that it is handed some number of times, at least once, with nothing in between:
that is a loop around a call, and is walked as one. Any other callee may do what it likes with a callable, so what the
callable can reach escapes; but it is handed over to be run, and what one run makes for itself can be judged: it is
walked aside, with arguments nobody knows. *Why that suffices.* The walk aside leaves no trace in the store, and the
memory around it is let go of before. A function that a walk leaves behind without a call is walked so, too. *What it
gives up.* What the callable returns, and to whom.

    do_bench(lambda: f(x))          x = empty(n) before         read at every turn of a loop
"""

from __future__ import annotations

from allocsafe.flow.builtin import builtin
from allocsafe.flow.conditions import FALSE, TRUE
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import escape
from allocsafe.flow.state import State
from allocsafe.flow.values import Array, Closure, Method, Partial, Value
from allocsafe.regions.box import Loop
from allocsafe.regions.exprs import Lin, sym
from allocsafe.source import Span


@builtin("triton.testing.do_bench", "triton.testing.do_bench_cudagraph", "timeit.timeit", "timeit.repeat")
def _repeated(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow import loops
    from allocsafe.flow.calls import call_value

    func = args[0] if args else kwargs.get("fn", kwargs.get("stmt"))
    if not isinstance(func, (Closure, Partial, Method)):
        return None
    held = [v for v in [*args[1:], *kwargs.values()] if isinstance(v, (Closure, Partial, Method)) and v != func]
    if held:
        return None
    var = loops.loop_var(m, "run")
    runs = sym(("trips", m.fresh()), f"runs at line {span.line}", nonneg=True, table=m.symbols)

    def body() -> None:
        call_value(m, func, [], {}, span)

    loops.walk(m, Loop(var, Lin.of(0), Lin.of(runs), 1), body, (), TRUE, span.line)
    return m.unknown(f"{m.calling.rsplit('.', 1)[-1]}(...)")


def aside(m: Machine, func: Value, span: Span) -> None:
    """Walks a callable that was handed to a callee nobody knows, if somebody asks about an allocation in it."""
    from allocsafe.flow.calls import invoke

    if isinstance(func, Partial):
        func = func.func
    if not isinstance(func, Closure) or m.dry or m.follow is None or func.path != m.follow[0]:
        return
    place = func.function.span
    asked = [line for line in m.follow[1] if place.line <= line <= place.end_line]
    if place in m.aside or not asked:
        return
    m.aside.add(place)
    before, handlers = m.state, m.handlers
    first, mark = len(m.buffers), m.fresh()
    m.state, m.handlers = State(before.path, before.cells.copy()), []
    invoke(m, func, [], {}, span, root=True)
    _stored(m, before, first, mark, span)
    m.state, m.handlers = before, handlers


def _stored(m: Machine, before: State, first: int, mark: int, span: Span) -> None:
    """What the callable made and put where others find it: who that is, and when, is out of sight. `mark`: frames
    behind it are the callable's own.
    """
    kept: dict[int, Array] = {}
    for (where, name), value in m.state.cells.items():
        own = isinstance(where, int) and where > mark
        if not own and before.cells.get((where, name)) is not value:
            kept |= {leaf.buf: leaf for _, leaf in m.leaves(value) if isinstance(leaf, Array) and leaf.buf >= first}
    why = "kept by a function that is called out of view"
    escape(m, list(kept.values()), span, why, "call", "a call of the function in view")


def uncalled(m: Machine, result: Value, span: Span) -> None:
    """Walks the functions that a walk has made and nobody has called: they are there to be called later."""
    from allocsafe.flow.calls import captured

    if m.follow is None or m.state.path == FALSE:
        return
    path, lines = m.follow
    missed = lines - {b.site.line for b in m.buffers if b.site.path == path}
    made = [leaf for _, leaf in m.leaves(result)] if missed else []
    for value in [*made, *m.state.cells.values()] if missed else ():
        if isinstance(value, Closure) and value.frame and value.path == path:
            place = value.function.span
            if place not in m.invoked and any(place.line <= line <= place.end_line for line in missed):
                why = "held by a function that nobody calls in view"
                escape(m, captured(m, value), span, why, "call", "a call of the function in view")
                aside(m, value, span)


__all__ = ["aside", "uncalled"]
