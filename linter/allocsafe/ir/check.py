"""What makes IR well formed, and who breaks it.

Claim: if `problems` is empty, then on every path each register is assigned before it is used and not assigned twice,
jumps stand in loops, every step has a place, and operators are ones the engine knows. Why that suffices: control is
structured, so two sets carried through the blocks decide it: registers surely assigned here, and registers maybe
assigned here. Arms that leave (return, raise, break, continue) do not count where arms meet; a loop's body may not
have run; a handler may see the state from before the `try`. What it gives up: names (a local may be unbound when it
is loaded).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allocsafe.ir import nodes as ir
from allocsafe.ir.show import place, show_step

_REG_FIELDS = frozenset(
    (
        *("src", "obj", "a", "b", "x", "func", "ctx", "cond", "iterable", "target"),
        *("ptr", "start", "stop", "stride", "grid", "block", "types"),
    )
)
_REG_TUPLES = frozenset(["uses", "parts", "decorators", "extents"])
_BINARY = frozenset(["+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "c/", "c%"])
_COMPARE = frozenset(["==", "!=", "<", "<=", ">", ">=", "is", "is-not", "in", "not-in"])
_UNARY = frozenset(["-", "+", "~", "not"])
_OPERATORS: dict[type, frozenset[str]] = {
    ir.Binary: _BINARY,
    ir.Aug: _BINARY,
    ir.Compare: _COMPARE,
    ir.Unary: _UNARY,
}
_SCOPES = frozenset(["local", "enclosing", "global"])


def problems(function: ir.Function) -> list[str]:
    """Everything that is wrong with `function`, as lines for people; empty if it is well formed."""
    check = _Check(function)
    return check.found


def uses(step: ir.Step) -> Iterator[ir.Reg]:
    """The registers a step reads, those of the blocks in it left out."""
    for field in step.__dataclass_fields__:
        value = getattr(step, field)
        if value is None:
            continue
        if field in _REG_FIELDS:
            if isinstance(value, str) and not (field == "cond" and isinstance(step, ir.While)):
                yield value
        elif field in _REG_TUPLES:
            yield from value
        elif field == "items":
            yield from _of_items(value)
        elif field == "args":
            yield from (arg.reg for arg in value)
        elif field == "handlers":
            yield from (handler.types for handler in value if handler.types is not None)
        elif isinstance(value, ir.Index):
            yield from _of_index(value)


def _of_items(items: Iterable[ir.Item | ir.Reg]) -> Iterator[ir.Reg]:
    for item in items:
        if isinstance(item, ir.Item):
            if item.key is not None:
                yield item.key
            yield item.value
        else:
            yield item


def _of_index(index: ir.Index) -> Iterator[ir.Reg]:
    for item in index.items:
        if isinstance(item, ir.At):
            yield item.reg
        else:
            yield from (reg for reg in (item.lo, item.hi, item.step) if reg is not None)


def defines(step: ir.Step) -> tuple[ir.Reg, ...]:
    """The registers a step assigns for the steps after it."""
    if isinstance(step, ir.Unpack):
        return step.dsts
    if isinstance(step, (ir.With, ir.For)):
        return ()
    dst = getattr(step, "dst", None)
    return (dst,) if isinstance(dst, str) else ()


class _State:
    """Registers on one path: surely assigned, maybe assigned; and whether the path goes on."""

    __slots__ = ("goes_on", "maybe", "surely")

    def __init__(self, surely: set[ir.Reg], maybe: set[ir.Reg], *, goes_on: bool = True) -> None:
        self.surely = surely
        self.maybe = maybe
        self.goes_on = goes_on

    def copy(self) -> _State:
        return _State(set(self.surely), set(self.maybe), goes_on=self.goes_on)


def _joined(states: list[_State]) -> _State:
    live = [state for state in states if state.goes_on]
    if not live:
        first = states[0]
        return _State(set(first.surely), set().union(*(s.maybe for s in states)), goes_on=False)
    surely = set.intersection(*(state.surely for state in live))
    return _State(surely, set().union(*(state.maybe for state in live)))


class _Check:
    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.found: list[str] = []
        self.loops = 0
        if not _placed(function.span):
            self.found.append(f"{function.qualname}: the function has no place")
        state = _State(set(), set())
        self.block(function.defaults, state)
        if function.defaults:
            for param in function.params:
                self.need(param.default, state, f"default of {param.name}")
        self.block(function.body, state)

    def say(self, step: ir.Step, what: str) -> None:
        self.found.append(f"{self.function.qualname} {place(step.span)}: {what} in `{show_step(step)}`")

    def need(self, reg: ir.Reg | None, state: _State, where: str) -> None:
        if reg is not None and reg not in state.surely:
            self.found.append(f"{self.function.qualname}: {where} uses {reg}, which is not assigned on every path")

    def block(self, block: ir.Block, state: _State) -> None:
        if not isinstance(block, tuple):
            self.found.append(f"{self.function.qualname}: a block is a {type(block).__name__}, not a tuple")
        for step in block:
            self.step(step, state)

    def step(self, step: ir.Step, state: _State) -> None:
        if not _placed(step.span):
            self.say(step, "no place")
        for reg in uses(step):
            if reg not in state.surely:
                self.say(step, f"{reg} is not assigned on every path")
        self.words(step)
        self.control(step, state)
        for reg in defines(step):
            if reg in state.maybe:
                self.say(step, f"{reg} is assigned twice on a path")
            state.surely.add(reg)
            state.maybe.add(reg)

    def words(self, step: ir.Step) -> None:
        """The parts of a step that are words of a fixed vocabulary."""
        if isinstance(step, (ir.Binary, ir.Aug, ir.Compare, ir.Unary)) and step.op not in _OPERATORS[type(step)]:
            self.say(step, f"unknown operator {step.op!r}")
        elif isinstance(step, (ir.Load, ir.Store, ir.Delete)) and (step.scope not in _SCOPES or not step.name):
            self.say(step, "unknown scope or no name")
        elif isinstance(step, ir.Unpack) and step.star is not None and not 0 <= step.star < len(step.dsts):
            self.say(step, "the starred target is not one of the targets")
        elif isinstance(step, (ir.Escape, ir.Opaque)) and not step.reason:
            self.say(step, "no reason")
        elif isinstance(step, ir.New):
            for item in step.items:
                if (step.kind == "dict") != (item.key is not None) and not (step.kind == "dict" and item.star):
                    self.say(step, "keys are for dicts, and only for them")

    def control(self, step: ir.Step, state: _State) -> None:
        """Blocks within a step, and jumps."""
        if isinstance(step, (ir.Break, ir.Continue)):
            if not self.loops:
                self.say(step, "not in a loop")
            state.goes_on = False
        elif isinstance(step, (ir.Return, ir.Raise)):
            state.goes_on = False
        elif isinstance(step, ir.If):
            arms = []
            for arm in (step.then, step.orelse):
                end = state.copy()
                self.block(arm, end)
                arms.append(end)
            self.become(state, _joined(arms))
        elif isinstance(step, ir.For):
            self.turns(state, step.body, step.orelse, (step.item,))
        elif isinstance(step, ir.While):
            self.loop(step, state)
        elif isinstance(step, ir.With):
            inner = state.copy()
            self.bind(step, inner, step.dst)
            self.block(step.body, inner)
            state.maybe |= inner.maybe
            state.goes_on = state.goes_on and inner.goes_on
        elif isinstance(step, ir.Try):
            self.attempt(step, state)
        elif isinstance(step, ir.MakeFunction):
            for param in step.function.params:
                if not step.function.defaults:
                    self.need(param.default, state, f"default of {param.name}")
            self.found += problems(step.function)
        elif isinstance(step, ir.MakeClass):
            for stub in step.cls.methods.values():
                self.found += problems(stub.load())
            if step.cls.load_body is not None:
                self.found += problems(step.cls.load_body())

    def bind(self, step: ir.Step, state: _State, reg: ir.Reg) -> None:
        if reg in state.maybe:
            self.say(step, f"{reg} is assigned twice on a path")
        state.surely.add(reg)
        state.maybe.add(reg)

    def become(self, state: _State, other: _State) -> None:
        state.surely, state.maybe, state.goes_on = other.surely, other.maybe, other.goes_on

    def turns(self, state: _State, body: ir.Block, orelse: ir.Block, items: tuple[ir.Reg, ...] = ()) -> None:
        """A loop's body and `else`, after which the body may not have run."""
        inner = state.copy()
        inner.surely.update(items)
        inner.maybe.update(items)
        self.loops += 1
        self.block(body, inner)
        self.loops -= 1
        other = _State(set(state.surely), set(inner.maybe))
        self.block(orelse, other)
        state.maybe |= inner.maybe | other.maybe

    def loop(self, step: ir.While, state: _State) -> None:
        if step.body_first:
            self.loops += 1
            self.block(step.body, state)
            self.loops -= 1
            state.goes_on = True
            self.block(step.update, state)
            self.block(step.test, state)
            self.need(step.cond, state, "a loop's test")
            self.block(step.orelse, state.copy())
            return
        self.block(step.test, state)
        self.need(step.cond, state, "a loop's test")
        inner = state.copy()
        self.loops += 1
        self.block(step.body, inner)
        self.loops -= 1
        update = _State(set(state.surely), set(inner.maybe))  # `continue` comes from anywhere in the body
        self.block(step.update, update)
        other = _State(set(state.surely), set(update.maybe))
        self.block(step.orelse, other)
        state.maybe |= other.maybe

    def attempt(self, step: ir.Try, state: _State) -> None:
        body = state.copy()
        self.block(step.body, body)
        ends = []
        maybe = set(body.maybe)
        for handler in step.handlers:
            end = _State(set(state.surely), set(maybe))
            self.block(handler.body, end)
            ends.append(end)
        self.block(step.orelse, body)
        after = _joined([body, *ends])
        for end in (body, *ends):
            maybe |= end.maybe
        if step.final:
            end = _State(set(state.surely), maybe)
            self.block(step.final, end)
            after.surely |= end.surely
            after.maybe |= end.maybe
            after.goes_on = after.goes_on and end.goes_on
        self.become(state, after)


def _placed(span: object) -> bool:
    """Whether a span is a range in a file."""
    if not isinstance(span, tuple) or len(span) != 5:
        return False
    _, line, column, end_line, end_column = span
    return line >= 1 and column >= 1 and (line, column) <= (end_line, end_column)
