"""Context managers written as generators: the block of the `with` runs where the generator yields.

*Claim.* `with manager(...): block` runs the generator up to its `yield`, then the block, then the rest; an exception of
the block is raised at the `yield`. *Why that suffices.* That is what `contextlib.contextmanager` does. *What it gives
up.* A generator that yields in a loop, and a block that is left by `return`, `break` or `continue`: then what the
generator was handed escapes, as it does when the manager is not entered by a `with` that is in view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.flow.values import Closure, Opaque, Value
from allocsafe.ir import nodes as ir
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine


def deferred(
    m: Machine, func: Closure, args: list[Value], kwargs: dict[str, Value], loose: list[Value], span: Span
) -> Opaque | None:
    """A manager that has not been entered yet; None for one that cannot be walked so."""
    function = func.function.load() if isinstance(func.function, ir.FunctionStub) else func.function
    if not function.is_generator or function.is_async or loose or _yields_in_a_loop(function.body):
        return None
    made = m.unknown(f"{func.function.name}(...)")
    held = [*args, *kwargs.values(), *([func.receiver] if func.receiver is not None else [])]
    for number, value in enumerate(held):  # whoever gets the manager gets these
        m.write_cell((made.key, ("item", number)), value)
    m.managers[made.key] = (func, args, kwargs, span)
    return made


def entered(m: Machine, manager: Opaque, step: ir.With) -> bool:
    """Walks the `with` of a manager; False when it has to be done without its source."""
    func, args, kwargs, span = m.managers[manager.key]
    if _leaves(step.body):
        return False
    from allocsafe.flow.calls import bind, run_frame
    from allocsafe.flow.machine import Frame

    function = func.function.load() if isinstance(func.function, ir.FunctionStub) else func.function
    depth = len(m.frames)
    if depth >= m.MOST_DEPTH or any(f.function.qualname == function.qualname and f.path == func.path for f in m.frames):
        return False
    frame = Frame(m.fresh(), function, func.path, func.owner, func.frame, func.receiver)
    m.known_frames[frame.ident] = func.frame
    stack = m.stack

    def block(value: Value) -> None:
        inner, inside = m.frames[depth:], m.stack
        del m.frames[depth:]
        m.stack = stack
        m.put(step.dst, value)
        m.run(step.body)
        m.frames.extend(inner)
        m.stack = inside

    m.yielding[frame.ident] = block
    bind(m, frame, func, args, kwargs, [], span)
    run_frame(m, frame, span)
    del m.yielding[frame.ident]
    return True


def given_up(m: Machine, manager: Opaque, span: Span) -> None:
    """The manager is entered without its source: what it was handed escapes."""
    from allocsafe.flow.calls import _steps
    from allocsafe.flow.memory import escape

    func, args, kwargs, _ = m.managers[manager.key]
    held = [*args, *kwargs.values(), *([func.receiver] if func.receiver is not None else [])]
    name = func.function.name
    escape(m, held, span, f"handed to the generator {name}", "generator", "the loop that runs it")
    function = func.function.load() if isinstance(func.function, ir.FunctionStub) else func.function
    if any(isinstance(inner, ir.Try) and inner.handlers for inner in _steps(function.body)):
        m.swallows.add(manager.key)


def _leaves(block: ir.Block) -> bool:
    from allocsafe.flow.calls import _steps

    return any(isinstance(step, (ir.Return, ir.Break, ir.Continue)) for step in _steps(block))


def _yields_in_a_loop(block: ir.Block) -> bool:
    from allocsafe.flow.calls import _steps

    loops = [step for step in _steps(block) if isinstance(step, (ir.For, ir.While))]
    return any(isinstance(inner, ir.Yield) for loop in loops for inner in _steps(loop.body))


__all__ = ["deferred", "entered", "given_up"]
