"""A call of an operator of which only the schema is known, as memory events.

    schema   f(Tensor! out, Tensor x, Tensor(a!) y) -> Tensor(a!)
    call     f(o, x, y)        o, y: anything may happen to a part of them       x: read whole       result: y itself

*Claim.* What is marked comes first: if one array is handed over twice, marked and not, the read of it is in doubt.
*What is not believed.* An unmarked argument that nothing has written yet is as likely scratch memory, an output that
the author forgot to mark, or memory of which the operator only makes another view: schemas in use leave all three
unmarked. It counts as read only if the C++ function tells the two apart by `const`, and its name does not say that it
is scratch memory. What somebody has written a part of is input by that witness too. *What it gives up.* Operators that
read an argument only as far as another one says: a contract can say so, a schema cannot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocsafe.effects.schemas import Schema, SchemaArg
from allocsafe.flow.control import may_raise
from allocsafe.flow.memory import escape, holds_array, log
from allocsafe.flow.values import NONE, Array, TupleOf, Value, View
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.buffers import Buffer
    from allocsafe.flow.machine import Machine
    from allocsafe.flow.registered import Operators, Place

SCRATCH = re.compile(r"(?:^|_)(?:workspace|scratch|wksp)(?:_|$)")
"""Names of parameters whose memory a kernel writes before it reads it, however the function takes them."""

NUMBERS = ("int", "float", "bool", "Scalar", "SymInt", "SymFloat", "SymBool", "number", "complex", "str")
"""Types of arguments whose tensors are turned into numbers."""


def by_schema(
    m: Machine,
    dotted: str,
    place: Place | None,
    why: str,
    operators: Operators,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
) -> Value | None:
    """The events and the result of one call. `place` None: `why` says what is wrong with the schemas that are there, or
    is empty, and so is the answer.
    """
    values = [*args, *kwargs.values()]
    if place is not None and place.schema.silent:
        why = f"its schema ({place.where}) returns no tensor and marks nothing as written, so it tells nothing"
    elif place is not None and place.schema.open_ended:
        why = f"its schema ({place.where}) leaves its arguments open"
    if why:
        _escape(m, [v for v in values if holds_array(m, v)], span, dotted, why)
        return _made(m, dotted, span)
    if place is None:
        return None
    call = _Call(m, dotted, place, operators, span)
    bound = bind(place.schema, args, kwargs)
    given = [(a, bound[a.name]) for a in place.schema.args if a.name in bound and holds_array(m, bound[a.name])]
    inputs = [(arg, value, call.believed(arg, value)) for arg, value in given if is_input(place.schema, arg)]
    for arg, value in given:
        if not is_input(place.schema, arg):
            call.leave(arg, [value])
    for arg, value, believed in inputs:
        call.leave(arg, [array for _, array in m.arrays(value) if array.buf not in believed])
    for arg, value, believed in inputs:
        call.read(arg, value, believed)
    for value in values:
        m.bump(value)
    made = _made(m, dotted, span)
    if not place.schema.returns or made == NONE:
        return NONE
    letters = {a.alias: bound.get(a.name, NONE) for a in place.schema.args if a.alias}
    results = [call.result(made, r, letters, n) for n, r in enumerate(place.schema.returns)]
    return results[0] if len(results) == 1 else TupleOf(tuple(results))


def bind(schema: Schema, args: list[Value], kwargs: dict[str, Value]) -> dict[str, Value]:
    """Arguments by parameter name; the schema is known to fit."""
    by_place = [a.name for a in schema.args if not a.keyword_only]
    return {**dict(zip(by_place, args, strict=False)), **kwargs}


def is_input(schema: Schema, arg: SchemaArg) -> bool:
    """Whether the schema says of an argument that it is handed over to be read."""
    if arg.written or (arg.alias and any(r.alias == arg.alias for r in schema.returns)):
        return False
    return arg.tensor or arg.type.rstrip("?").split("[")[0] in NUMBERS


class _Call:
    """One call under one schema."""

    def __init__(self, m: Machine, dotted: str, place: Place, operators: Operators, span: Span) -> None:
        self.m = m
        self.dotted = dotted
        self.place = place
        self.operators = operators
        self.span = span

    def believed(self, arg: SchemaArg, value: Value) -> set[int]:
        """The buffers among an unmarked argument that are surely input: see the claim above."""
        m = self.m
        out: set[int] = set()
        for _, array in m.arrays(value):
            buffer = m.buffers[array.buf]
            while buffer.origin is not None and not _touched(m, buffer):
                buffer = m.buffers[buffer.origin.array.buf]
            said = buffer.filled or SCRATCH.search(arg.name) is None
            if said and (buffer.filled or _touched(m, buffer) or self.operators.tells_apart(self.place, arg)):
                out.add(array.buf)
        return out

    def leave(self, arg: SchemaArg, values: Sequence[Value]) -> None:
        """Lets go of what the schema leaves open about one argument."""
        if arg.written:
            why = f"says {arg.name} is written, not how much"
        elif is_input(self.place.schema, arg):
            why = f"does not mark {arg.name} as written; nothing wrote it before, so it may be scratch or an output"
        else:
            what = "shares memory with the result" if arg.alias else f"is of type {arg.type}"
            why = f"says {arg.name} {what}, not what is read of it"
        _escape(self.m, values, self.span, self.dotted, f"its schema ({self.place.where}) {why}")

    def read(self, arg: SchemaArg, value: Value, believed: set[int]) -> None:
        """An unmarked argument is read, all of it."""
        m = self.m
        note = f"read by {self.dotted}, whose schema ({self.place.where}) does not mark {arg.name} as written"
        for cond, array in m.arrays(value):
            if array.buf in believed:
                entries = m.buffers[array.buf].entries
                before = len(entries)
                log(m, array, "read", self.span, note, cond=cond)
                for entry in entries[before:]:
                    m.relied[entry.pos] = f"the schema of {self.dotted} ({self.place.where})"

    def result(self, made: Value, result: SchemaArg, letters: dict[str, Value], number: int) -> Value:
        """One result: the argument whose mark it has, or something new."""
        held = letters.get(result.alias, NONE) if result.alias else NONE
        if held == NONE:
            return made if number == 0 else self.m.unknown(f"{self.dotted.rsplit('.', 1)[-1]}(...)[{number}]")
        if result.written:
            return held
        return self.m.each(held, _some_view)


def _some_view(value: Value) -> Value:
    """A view of the same memory whose shape is not known."""
    if not isinstance(value, Array):
        return value
    return Array(value.buf, View(value.view.frame, value.view.box, None, False, "some"))


def _touched(m: Machine, buffer: Buffer) -> bool:
    """Whether anything may have written a part of it by now: on another branch is no witness."""
    entries = (e for e in buffer.entries if e.kind in ("write", "escape"))
    return any(m.conds.meets(e.cond, m.state.path) for e in entries)


def _escape(m: Machine, values: Sequence[Value], span: Span, dotted: str, why: str) -> None:
    escape(m, values, span, f"handed to {dotted}; {why}", "call", f"the source of {dotted}, or a contract for it")


def _made(m: Machine, dotted: str, span: Span) -> Value:
    """A fresh value; the call may raise."""
    may_raise(m, span, dotted, sure=False)
    if m.handlers and not m.state.path:
        return NONE
    return m.unknown(f"{dotted.removesuffix('.default').rsplit('.', 1)[-1]}(...)")


__all__ = ["bind", "by_schema", "is_input"]
