"""Operators out of view that are handed their outputs by name: what else they get, they read.

*Claim.* Who writes `torch.ops.ns.op(x, w, out=y)` has named what the operator writes, so the other tensors are its
inputs. It is a convention (the pack holds it, the verdict lists it), asked for last: a source, a schema or a contract
says more. *Why that suffices.* It only turns "anything may happen" into a read: what nobody wrote is read unwritten,
and what was written is none the worse. *What it gives up.* Scratch memory whose name does not say so, and inputs that a
flag switches off.
"""

from __future__ import annotations

import re

from allocsafe.flow.contracts import use
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import holds_array
from allocsafe.flow.values import Value
from allocsafe.source import Span

CONVENTION = "torch.ops.*.*(out=)"
_OUTPUT = re.compile(r"(?:^|_)out(?:put)?s?\d*(?:_|$)")


def named(
    m: Machine, dotted: str, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value | None:
    """The events and the result of such a call; None if it is none."""
    if loose or not any(_OUTPUT.search(label) for label in kwargs) or not any(holds_array(m, a) for a in args):
        return None
    contract = m.contracts.exact(CONVENTION)
    return None if contract is None else use(m, contract._replace(name=dotted), args, kwargs, span, loose)


__all__ = ["named"]
