"""Ways around a name: the class of an object, what a bound method is made of, all attributes at once, callbacks.

*Claim.* `type(x)`, `x.__class__`, `f.__call__`, `f.__self__` and `f.__func__` are what Python says they are; the class
of an object that may be of a class below is not known, and a call through it reaches the object. A function that is
handed to an operator may be called by it, and `__dict__` gives every attribute away. *Why that suffices.* Each of
these leads back to an object, whose buffers are handed on where the way is not followed. *What it gives up.* Writes
through `__dict__`: the object is let go.
"""

from __future__ import annotations

from dataclasses import replace

from allocsafe.flow.builtin import builtin
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import escape, holds_array
from allocsafe.flow.values import Alts, ClassOf, Closure, Method, Opaque, Partial, Ref, Value
from allocsafe.source import Span


@builtin("type")
def _type(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if len(args) != 1 or kwargs:
        return None
    found = m.each(
        args[0], lambda v: class_of(m, v) or m.unknown("a type") if isinstance(v, Ref) else m.unknown("a type")
    )
    return found if any(isinstance(v, Ref) for v in _options(args[0])) else None


def class_of(m: Machine, ref: Ref) -> Value | None:
    """The class of an object that the program made."""
    info = m.objects[ref.obj]
    cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
    if cls is None:
        return None
    return ClassOf(cls, info.path) if ref.obj not in m.open_objects else Opaque(("type-of", ref.obj), "type(self)")


def of_open_class(func: Opaque) -> Ref | None:
    """The object whose class, which is not known, a called attribute belongs to."""
    key = func.key
    inner = key[1] if isinstance(key, tuple) and key[0] == "attr" else key
    return Ref(inner[1]) if isinstance(inner, tuple) and inner[0] == "type-of" and isinstance(inner[1], int) else None


def of_function(m: Machine, value: Closure | Method, attr: str, span: Span) -> Value | None:
    """An attribute of a function or a bound method; None for one that leads nowhere."""
    if attr == "__call__":
        return value
    if isinstance(value, Closure) and value.receiver is not None and attr in ("__self__", "__func__"):
        return value.receiver if attr == "__self__" else replace(value, receiver=None)
    if not (attr.startswith("__") and attr.endswith("__")) and holds_array(m, value):
        escape(m, [value], span, f"held by a function whose `{attr}` is asked for", "call", f"what `{attr}` does")
    return None


def all_attributes(m: Machine, ref: Ref, span: Span) -> Value:
    """`x.__dict__`."""
    escape(m, [ref], span, "reached through `__dict__`", "eval", "the attribute's name written out")
    return m.unknown("__dict__")


def callbacks(m: Machine, values: list[Value], span: Span, name: str) -> None:
    """Functions among the arguments of an operator: it may call them."""
    given = [
        v for v in values if any(isinstance(o, (Closure, Method, Partial)) for o in _options(v)) and holds_array(m, v)
    ]
    if given:
        escape(m, given, span, f"reached by a function that is handed to {name}", "call", f"when {name} calls it")


def _options(value: Value) -> list[Value]:
    return [option for _, option in value.options] if isinstance(value, Alts) else [value]


__all__ = ["all_attributes", "callbacks", "class_of", "of_function", "of_open_class"]
