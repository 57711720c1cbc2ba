"""`torch.vmap(f)(xs, ...)`: `f` runs once for every item of the arguments' first axis.

*Claim.* The body is walked once with an item of each argument: what it reads is read for some turn, and what it writes
is written in part, nobody knows how much. An item of an argument that had an axis put in (`x.unsqueeze(-1)`) is still
a tensor with an axis, so indexing by it makes a copy. *Why that suffices.* Turns differ in their items alone, and a
write into a copy never reaches the memory in any of them. *What it gives up.* That all turns together may cover
everything; what the call returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.flow.memory import log
from allocsafe.flow.values import Array, Closure, Known, Opaque, Partial, Value, View
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

MAPPED = "allocsafe.vmapped"


def vmap(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """`torch.vmap(f)`: a callable that walks `f`."""
    del m, span
    if not args or not isinstance(args[0], (Closure, Partial)) or kwargs:
        return None
    return Partial(Known(MAPPED), (args[0],), ())


def mapped(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """The call of what `vmap` made."""
    from allocsafe.flow.calls import call_value
    from allocsafe.flow.memory import read

    if not args:
        return None
    items: list[Value] = []
    for value in args[1:]:
        read(m, value, span, "mapped over")
        item = m.unknown("an item")
        if isinstance(value, Opaque) and _has_more_axes(value):
            m.tensors.add(item.key)
        items.append(item)
    seen = [len(b.entries) for b in m.buffers]
    made = call_value(m, args[0], items, dict(kwargs), span)
    read(m, made, span, "stacked")
    for buffer, before in list(zip(m.buffers, seen, strict=False)):
        wrote = [e for e in buffer.entries[before:] if e.kind == "write"]
        if wrote:
            buffer.entries[before:] = [e for e in buffer.entries[before:] if e.kind != "write"]
            log(m, Array(buffer.ident, View(None, None, None)), "write", span, wrote[0].note, some=True)
    return m.unknown("what vmap stacks")


def _has_more_axes(value: Opaque) -> bool:
    """Whether an item of a tensor surely has an axis left, by how the tensor was made."""
    key = value.key
    return isinstance(key, tuple) and len(key) > 2 and key[0] == "op" and key[2] == "unsqueeze"


__all__ = ["MAPPED", "mapped", "vmap"]
