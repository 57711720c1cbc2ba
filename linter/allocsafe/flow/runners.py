"""Callables that are handed to what is out of view.

*Claim.* A benchmark runs the callable that it is handed some number of times, at least once, with nothing in between:
that is a loop around a call, and is walked as one. Any other callee may do what it likes with a callable, so what the
callable can reach escapes; but it is handed over to be run, and what one run makes for itself can be judged: it is
walked aside, with arguments nobody knows. *Why that suffices.* The walk aside leaves no trace in the store, and the
memory around it is let go of before. *What it gives up.* What the callable returns, and to whom.

    do_bench(lambda: f(x))          x = empty(n) before         read at every turn of a loop
"""

from __future__ import annotations

from allocsafe.flow.builtin import builtin
from allocsafe.flow.conditions import TRUE
from allocsafe.flow.machine import Machine
from allocsafe.flow.state import State
from allocsafe.flow.values import Closure, Method, Partial, Value
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
    if place in m.aside or not any(place.line <= line <= place.end_line for line in m.follow[1]):
        return
    m.aside.add(place)
    before, handlers = m.state, m.handlers
    m.state, m.handlers = State(before.path, before.cells.copy()), []
    invoke(m, func, [], {}, span, root=True)
    m.state, m.handlers = before, handlers


__all__ = ["aside"]
