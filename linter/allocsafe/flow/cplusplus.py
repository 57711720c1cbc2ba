"""C and C++: arrays, pointers, vectors, byte counts."""
from __future__ import annotations

from allocsafe.effects.summary import Summary
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import Value
from allocsafe.source import Span


def vector_method(m: Machine, recv: Value | None, name: str, args: list[Value], span: Span) -> Value:
    return m.unknown(name)


def native_call(m: Machine, summary: Summary, bound: dict[str, Value], span: Span, template: str) -> Value | None:
    return None
