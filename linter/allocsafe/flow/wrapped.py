"""Decorators: what a function is once its decorators have run.

*Claim.* A decorator of the program is walked with the function as its argument, and what it gives back is what a call
calls. One that is known to keep the function (a table of names: `property`, `torch.no_grad`, `functools.wraps`, ...)
is passed over. Any other takes the call out of sight. *Why that suffices.* A decorator is a call. *What it gives up.*
The arguments of a decorator (`@retry(3)`) are opaque when it is walked; decorators of classes are taken to keep the
class.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from allocsafe.flow.values import ClassOf, Closure, Known, Opaque, Value
from allocsafe.ir.nodes import Function
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

PLAIN = frozenset(
    {
        "property", "staticmethod", "classmethod", "abstractmethod", "abc.abstractmethod", "overload", "override",
        "cached_property", "functools.cached_property", "final", "typing.overload", "typing.override", "typing.final",
        "functools.wraps", "wraps", "torch.no_grad", "torch.inference_mode", "torch.compile",
    }
)  # fmt: skip
"""Names that nobody gives to a decorator of his own, looked at before anything is resolved."""

KEEPING = (
    "torch.", "functools.", "typing.", "typing_extensions.", "abc.", "pytest.", "nvtx.", "numba.", "contextlib.",
    "dataclasses.", "deprecated.", "overrides.", "atexit.", "unittest.", "hypothesis.", "parameterized.", "absl.",
    "builtins.", "numpy.", "cupy.", "warnings.", "types.", "enum.", "weakref.", "copy.",
)  # fmt: skip
"""Packages whose decorators keep what a function does."""

_ENDS = (".setter", ".getter", ".deleter", ".register", ".overload")


def decorated(m: Machine, func: Closure, span: Span) -> Value | None:
    """What a call of the function calls, if its decorators make it something else."""
    from allocsafe.flow.calls import captured

    stub = func.function
    if func.bare or isinstance(stub, Function) or not stub.decorator_names:
        return None
    asked = [n for n in stub.decorator_names if n not in PLAIN and not n.endswith(_ENDS)]
    if not asked:
        return None
    bare = replace(func, bare=True, receiver=None)
    value: Value = bare
    for name in reversed(stub.decorator_names):
        if name not in asked:
            continue
        found = _meant(m, func.path, name, span)
        if isinstance(found, (Closure, ClassOf)):
            value = _applied(m, found, value, _has_arguments(m, func, name), span)
        elif not _keeps(found, name):
            made = Opaque(("override", "wrapped", func.path, stub.qualname), f"{stub.name} (wrapped by {name})")
            m.overrides[made.key] = (made, f"{name} wraps it")
            return made
    if isinstance(value, Closure) and value != bare:
        captured(m, value)  # what it remembers from call to call is not what the decorator gave it
    return None if value == bare else value


def _meant(m: Machine, path: str, name: str, span: Span) -> Value:
    from allocsafe.flow.attributes import attribute

    head, *rest = name.split(".")
    value = m.program.global_value(m, path, head, span)
    for part in rest:
        value = (
            m.program.known_attribute(m, value, part, span)
            if isinstance(value, Known)
            else attribute(m, value, part, span)
        )
    return value


def _keeps(found: Value, name: str) -> bool:
    from allocsafe.flow.calls import TRANSPARENT

    if isinstance(found, Known):
        return found.name.startswith(KEEPING) or found.name in TRANSPARENT or name in TRANSPARENT
    return name in TRANSPARENT


def _has_arguments(m: Machine, func: Closure, name: str) -> bool:
    """Whether the decorator is called itself: `@retry(3)`."""
    rows = m.program.lines(func.path)[func.function.span.line - 1 : func.function.span.line + 30]
    return any(re.match(rf"\s*@\s*{re.escape(name)}\s*\(", row) for row in rows)


def _applied(m: Machine, found: Closure | ClassOf, value: Value, arguments: bool, span: Span) -> Value:
    from allocsafe.flow.calls import call_value, invoke

    maker: Value = found
    every, m.inline_all = m.inline_all, True  # it is the walk that tells what it gives back
    try:
        if arguments and isinstance(found, Closure):
            maker = invoke(m, found, [], {}, span, root=True)
        elif arguments:
            maker = m.unknown("a decorator")
        return call_value(m, maker, [value], {}, span)
    finally:
        m.inline_all = every


__all__ = ["decorated"]
