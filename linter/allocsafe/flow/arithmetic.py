"""Numbers and truth: constants, arithmetic, comparisons, boolean operators.

Integers become `Lin` terms, comparisons become conditions; whatever is neither is an opaque value that keeps the same
key for the same expression, so that a branch on it stays correlated with a later branch on it. An operand that is an
array is read, whole.
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.machine import Machine, root_of, step_meaning
from allocsafe.flow.memory import escape, holds_array, log, read, write
from allocsafe.flow.presence import count_of, filled
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Partial,
    RangeOf,
    Ref,
    Super,
    Truth,
    TupleOf,
    Value,
    Zipped,
    brief,
)
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin, floordiv, mod, mul
from allocsafe.source import Span


@step_meaning(ir.Const)
def constant(m: Machine, step: ir.Const) -> None:
    m.put(step.dst, literal(step.value))


def literal(value: object) -> Value:
    """A Python constant as a value."""
    if value is True or value is False:
        return Truth(TRUE if value else FALSE)
    if isinstance(value, int):
        return Num(Lin.of(value))
    if isinstance(value, (str, bytes, float, complex)) or value is None or value is Ellipsis:
        return Const(value)
    return Opaque(("literal", repr(value)), repr(value))


def truth(m: Machine, value: Value, span: Span) -> Condition:
    """The condition under which `value` counts as true. Asking an array for its truth reads it."""
    if isinstance(value, Truth):
        return value.cond
    if isinstance(value, Num):
        return m.conds.no(m.equal_zero(value.lin, span))
    if isinstance(value, Const):
        return TRUE if value.value else FALSE
    if isinstance(value, TupleOf):
        return TRUE if value.items else FALSE
    if isinstance(value, (Closure, ClassOf, Method, Partial, Super, Zipped)):
        return TRUE
    if isinstance(value, Alts):
        out = FALSE
        for cond, option in value.options:
            out = m.conds.either(out, m.conds.both(cond, truth(m, option, span)))
        return out
    if isinstance(value, RangeOf):
        return m.at_least_zero(value.stop - value.start - 1 if value.step > 0 else value.start - value.stop - 1, span)
    if isinstance(value, Array) and value.buf in m.native and m.native[value.buf].storage != "blob":
        from allocsafe.flow import cpp_pointers

        return cpp_pointers.truth(m, value, span)
    if isinstance(value, Array):
        read(m, value, span, "its truth is asked", "compare")
        return m.decide(("truth", m.fresh()), "the tensor is true", span=span)
    if isinstance(value, Ref):
        kind = m.objects[value.obj].kind
        if kind in ("instance", "vector"):  # C++ asks whether a pointer to a vector is null, not whether it is empty
            return TRUE
        size = count_of(m, value) if kind == "dict" else m.read_cell((("obj", value.obj), "len"))
        if isinstance(size, Num):
            return m.conds.no(m.equal_zero(size.lin, span))
        return filled(m, value, size)
    opaque = m.to_opaque(value)
    key = m.as_now(opaque.key)
    chosen = m.conds.truths.get(key)
    return m.decide(("truth", key), opaque.text, span=span) if chosen is None else chosen


def is_array(value: Value) -> bool:
    if isinstance(value, Alts):
        return any(is_array(option) for _, option in value.options)
    return isinstance(value, Array)


@step_meaning(ir.Unary)
def unary(m: Machine, step: ir.Unary) -> None:
    x = m.get(step.x)
    if step.op == "not":
        m.put(step.dst, Truth(m.conds.no(truth(m, x, step.span))))
    elif isinstance(x, Num) and step.op in "+-~":
        m.put(step.dst, Num(x.lin if step.op == "+" else -x.lin if step.op == "-" else -x.lin - 1))
    elif is_array(x):
        read(m, x, step.span, f"operand of {step.op}")
        m.put(step.dst, m.unknown("a tensor"))
    elif step.op == "-" and isinstance(x, Const) and isinstance(x.value, (float, complex)):
        m.put(step.dst, Const(-x.value))
    else:
        opaque = m.to_opaque(x)
        lin = m.as_lin(opaque) if step.op == "-" else None
        result = Num(-lin) if lin is not None else Opaque(("op", opaque.key, step.op), f"{step.op}{opaque.text}")
        if step.op == "~":
            m.masks[result.key if isinstance(result, Opaque) else ("num", result.lin)] = mask_of(m, opaque, flip=True)
        m.put(step.dst, result)


def mask_key(m: Machine, key: Hashable) -> Hashable:
    """A tensor as the mask that it is now: anybody whom it was handed to may have changed it."""
    return (key, m.version(root_of(key)), m.version(key))


def mask_of(m: Machine, value: Opaque, *, flip: bool = False) -> tuple[Hashable, bool]:
    """A mask as (what it is made of, whether it stands for it or for the opposite)."""
    key, positive = m.masks.get(value.key, (mask_key(m, value.key), True))
    return key, positive != flip


@step_meaning(ir.Binary)
def binary(m: Machine, step: ir.Binary) -> None:
    m.put(step.dst, combine(m, step.op, m.get(step.a), m.get(step.b), step.span))


def combine(m: Machine, op: str, a: Value, b: Value, span: Span) -> Value:
    """`a op b` for every alternative of both."""
    if isinstance(a, Alts) and (_small(a) or not isinstance(b, Alts)):
        return m.each(a, lambda x: combine(m, op, x, b, span))
    if isinstance(b, Alts):
        return m.each(b, lambda x: combine(m, op, a, x, span))
    if m.native:
        from allocsafe.flow import cpp_pointers

        moved = cpp_pointers.combined(m, op, a, b)
        if moved is not None:
            return moved
    if isinstance(a, Array) or isinstance(b, Array):
        if op != "@":
            from allocsafe.flow.rows import element_by_element

            made = element_by_element(m, (a, b), span, f"operand of `{op}`")
            if made is not None:
                return made
        read(m, a, span, f"operand of `{op}`")
        read(m, b, span, f"operand of `{op}`")
        return m.unknown("a tensor")
    if op == "+" and isinstance(a, TupleOf) and isinstance(b, TupleOf):
        return TupleOf(a.items + b.items)
    if (
        op == "*"
        and isinstance(a, TupleOf)
        and isinstance(b, Num)
        and (times := b.lin.as_int()) is not None
        and 0 <= times <= 64
    ):
        return TupleOf(a.items * times)
    if isinstance(a, Ref) or isinstance(b, Ref):
        from allocsafe.flow.containers import list_arithmetic

        return list_arithmetic(m, op, a, b, span)
    if op in ("|", "&") and isinstance(a, Truth) and isinstance(b, Truth):
        return Truth(m.conds.either(a.cond, b.cond) if op == "|" else m.conds.both(a.cond, b.cond))
    if (
        isinstance(a, Const)
        and isinstance(b, Const)
        and isinstance(a.value, str)
        and isinstance(b.value, str)
        and op == "+"
    ):
        return Const(a.value + b.value)
    of_tensors = not m.native and (_has_axes(m, a) or _has_axes(m, b))
    if not (of_tensors or isinstance(a, Const) or isinstance(b, Const)):
        x, y = m.as_lin(a), m.as_lin(b)
        if x is not None and y is not None:
            number = integer(op, x, y)
            if number is not None:
                return Num(number)
    if holds_array(m, a) or holds_array(m, b):  # some container of what both hold
        from allocsafe.flow.containers import owner

        bag = m.new_object("list", span)
        for held in (a, b):
            for _, leaf in m.leaves(held):
                m.write_cell((owner(bag), ("some", m.fresh())), leaf)
        return bag
    left, right = m.to_opaque(a), m.to_opaque(b)
    result = Opaque(("op", left.key, op, right.key), brief(f"{left.text} {op.lstrip('c')} {right.text}"))
    if of_tensors:
        m.tensors.add(result.key)
    return result


def _has_axes(m: Machine, value: Value) -> bool:
    """Whether a value that is not followed is surely a tensor with axes: no integer comes out of its arithmetic."""
    return isinstance(value, Opaque) and (value.key in m.tensors or bool(m.shapes.get(value.key)))


POINTERS = frozenset({"vla", "array", "new", "malloc", "calloc", "std::malloc", "std::calloc", "vector.data"})
"""Allocations whose values are C pointers: `p + i` moves them instead of reading."""


def _small(value: Alts) -> bool:
    return len(value.options) <= 8


def integer(op: str, x: Lin, y: Lin) -> Lin | None:
    """Integer arithmetic as far as terms carry it."""
    if op == "+":
        return x + y
    if op == "-":
        return x - y
    if op == "*":
        return mul(x, y)
    number = y.as_int()
    if op in ("//", "c/") and number != 0 and (op == "//" or (x.nonneg() and y.nonneg())):
        return floordiv(x, y)
    if op in ("%", "c%") and number != 0 and (op == "%" or (x.nonneg() and y.nonneg())):
        return mod(x, y)
    base = x.as_int()
    if number is not None and base is not None:
        if op == "**" and 0 <= number <= 64:
            return Lin.of(base**number)
        if op == "<<" and 0 <= number <= 62:
            return Lin.of(base << number)
        if op == ">>" and 0 <= number <= 62:
            return Lin.of(base >> number)
        if op in "&|^":
            return Lin.of({"&": base & number, "|": base | number, "^": base ^ number}[op])
    if number is not None and op == "<<" and 0 <= number <= 62:
        return x * (1 << number)
    if number is not None and op == ">>" and 0 <= number <= 62:
        return floordiv(x, Lin.of(1 << number))
    return None


@step_meaning(ir.Aug)
def augmented(m: Machine, step: ir.Aug) -> None:
    a, b = m.get(step.a), m.get(step.b)
    m.put(step.dst, m.each(a, lambda x: _aug(m, step, x, b)))


def _aug(m: Machine, step: ir.Aug, a: Value, b: Value) -> Value:
    if isinstance(a, Array) and not a.scalar and (a.buf not in m.native or m.native[a.buf].storage == "blob"):
        read(m, b, step.span, f"operand of `{step.op}=`")
        sums = step.op in ("+", "-", "|", "@")
        log(
            m,
            a,
            "read",
            step.span,
            f"`{step.op}=` starts from the old value",
            consequence="accumulate" if sums else "data",
            accumulate=sums,
        )
        log(m, a, "write", step.span, f"`{step.op}=`")
        return a
    if isinstance(a, Array) and a.scalar:
        read(m, b, step.span, f"operand of `{step.op}=`")
        log(
            m,
            a,
            "read",
            step.span,
            f"`{step.op}=` starts from the old value",
            consequence="accumulate",
            accumulate=True,
        )
        return m.unknown("a number")
    if isinstance(a, Ref) and step.op in ("+", "|"):
        from allocsafe.flow.containers import extend_in_place

        extend_in_place(m, a, b, step.span)
        return a
    result = combine(m, step.op, a, b, step.span)
    if isinstance(a, Opaque) and not isinstance(b, (Num, Const, Truth)):
        m.bump(a)
    return result


@step_meaning(ir.Compare)
def compare(m: Machine, step: ir.Compare) -> None:
    m.put(step.dst, compared(m, step.op, m.get(step.a), m.get(step.b), step.span))


def compared(m: Machine, op: str, a: Value, b: Value, span: Span) -> Value:
    """`a op b` as a condition, or a tensor of booleans."""
    if isinstance(a, Alts):
        return _either(m, [(c, compared_at(m, op, x, b, span, c)) for c, x in a.options])
    if isinstance(b, Alts):
        return _either(m, [(c, compared_at(m, op, a, x, span, c)) for c, x in b.options])
    if m.native and op in ("==", "<", "<=", ">", ">="):
        from allocsafe.flow import cpp_pointers

        answer = cpp_pointers.compared(m, op, a, b, span)
        if answer is not None:
            return answer
    if op in ("is-not", "!=", "not-in"):
        positive = {"is-not": "is", "!=": "==", "not-in": "in"}[op]
        answer = compared(m, positive, a, b, span)
        return Truth(m.conds.no(answer.cond)) if isinstance(answer, Truth) else answer
    if op == "is":
        return Truth(same(m, a, b, span))
    if op == "in":
        return Truth(contained(m, a, b, span))
    if isinstance(a, Array) or isinstance(b, Array):
        read(m, a, span, f"compared with `{op}`", "compare")
        read(m, b, span, f"compared with `{op}`", "compare")
        return m.unknown("a tensor")
    if op == "==" and isinstance(a, Ref) and isinstance(b, Ref) and a != b:
        compared_inside(m, [a, b], span)
    if op == "==" and (isinstance(a, (Const, Known, TupleOf, Truth)) or isinstance(b, (Const, Known, TupleOf, Truth))):
        return Truth(same(m, a, b, span))
    x, y = m.as_lin(a), m.as_lin(b)
    if x is not None and y is not None:
        if op == "==":
            return Truth(m.equal_zero(x - y, span))
        wanted = {"<": y - x - 1, "<=": y - x, ">": x - y - 1, ">=": x - y}[op]
        return Truth(m.at_least_zero(wanted, span))
    left, right = m.to_opaque(a), m.to_opaque(b)
    return Truth(
        m.decide(("cmp", op, m.as_now(left.key), m.as_now(right.key)), f"{left.text} {op} {right.text}", span=span)
    )


def compared_inside(m: Machine, values: list[Value], span: Span) -> None:
    """Containers are compared item by item until two differ: their arrays may be read."""
    held = [value for value in values if holds_array(m, value)]
    if held:
        escape(m, held, span, "compared inside of a container", "container", "a comparison of the items")


def compared_at(m: Machine, op: str, a: Value, b: Value, span: Span, cond: Condition) -> Value:
    """A comparison of one alternative: what it reads is read under the condition of that alternative."""
    path = m.state.path
    m.state.path = m.conds.both(path, cond)
    if m.state.path == FALSE:
        m.state.path = path
        return Truth(FALSE)
    answer = compared(m, op, a, b, span)
    m.state.path = path
    return answer


def _either(m: Machine, answers: list[tuple[Condition, Value]]) -> Value:
    if not all(isinstance(value, Truth) for _, value in answers):
        return m.unknown("a comparison")
    out = FALSE
    for cond, value in answers:
        assert isinstance(value, Truth)
        out = m.conds.either(out, m.conds.both(cond, value.cond))
    return Truth(out)


def same(m: Machine, a: Value, b: Value, span: Span) -> Condition:
    """Whether two values are one (identity, or equality with a constant)."""
    if isinstance(b, Opaque) and not isinstance(a, Opaque):
        a, b = b, a
    if isinstance(a, Opaque):
        if isinstance(b, Opaque):
            if a.key == b.key:
                return TRUE
            first, second = sorted((a, b), key=lambda o: repr(o.key))
            return m.decide(("same", first.key, second.key), f"{first.text} is {second.text}", span=span)
        if isinstance(b, (Array, Ref, Closure, ClassOf)):
            return m.decide(("same", a.key, ("v", b)), f"{a.text} is that object", "unknown", span)
        if isinstance(b, Truth) and b.cond in (TRUE, FALSE):
            asked = m.decide(("truth", a.key), a.text, span=span)
            return asked if b.cond == TRUE else m.conds.no(asked)
        other = m.to_opaque(b)
        if b == NONE and (a.key in m.filled or a.key in m.somethings):
            return FALSE
        word = "is" if b == NONE else "=="
        return m.decide(
            ("same", a.key, other.key), f"{a.text} {word} {other.text}", "branch", span, ("value", a.key), other.key
        )
    if isinstance(a, Num) and isinstance(b, Num):
        return m.equal_zero(a.lin - b.lin, span)
    if isinstance(a, Truth) and isinstance(b, Truth):
        return m.conds.ite(a.cond, b.cond, m.conds.no(b.cond))
    if isinstance(a, TupleOf) and isinstance(b, TupleOf) and len(a.items) == len(b.items):
        out = TRUE
        for x, y in zip(a.items, b.items, strict=False):
            answer = compared(m, "==", x, y, span)
            out = m.conds.both(
                out,
                answer.cond
                if isinstance(answer, Truth)
                else m.decide(("eq", m.fresh()), "the items are equal", "unknown"),
            )
        return out
    if isinstance(a, Array) and isinstance(b, Array):
        return (
            TRUE
            if a == b
            else FALSE
            if a.buf != b.buf
            else m.decide(("same", ("v", a), ("v", b)), "both are one tensor", "unknown", span)
        )
    if isinstance(a, Known) or isinstance(b, Known):
        if type(a) is type(b):
            if a == b:
                return TRUE
            first, second = sorted((m.to_opaque(a), m.to_opaque(b)), key=lambda o: repr(o.key))
            return m.decide(("same", first.key, second.key), f"{first.text} == {second.text}", "branch", span)
        constant = b if isinstance(a, Known) else a
        thing = a if isinstance(a, Known) else b
        if constant == NONE and isinstance(thing, Known) and _surely_something(m, thing.name):
            return FALSE
        first, second = m.to_opaque(a), m.to_opaque(b)
        return m.decide(("same", first.key, second.key), f"{first.text} == {second.text}", "branch", span)
    numbers = _same_number(m, a, b, span)
    if numbers is not None:
        return numbers
    return TRUE if type(a) is type(b) and a == b else FALSE


def _same_number(m: Machine, a: Value, b: Value, span: Span) -> Condition | None:
    """Whether two numbers of different kinds are one: what is carried as a whole number may be a fraction, or a text
    that `+` put together; a truth is 0 or 1. None where one of them is no such thing.
    """
    if isinstance(b, (Num, Truth)) and not isinstance(a, (Num, Truth)):
        a, b = b, a
    if isinstance(a, Truth) and isinstance(b, Num):
        number = b.lin.as_int()
        if number is not None:
            return a.cond if number == 1 else m.conds.no(a.cond) if number == 0 else FALSE
    elif isinstance(a, Num) and isinstance(b, Truth):
        return _same_number(m, b, a, span)
    elif isinstance(a, Num) and isinstance(b, Const) and b.value is not None:
        number = a.lin.as_int()
        if number is not None:
            return TRUE if number == b.value else FALSE
    elif not (isinstance(a, Truth) and isinstance(b, Const) and isinstance(b.value, (int, float, complex))):
        return None
    left, right = m.to_opaque(a), m.to_opaque(b)
    if isinstance(b, Const) and b.value is None:
        return None
    return m.decide(("cmp", "==", left.key, right.key), f"{left.text} == {right.text}", span=span)


def _surely_something(m: Machine, name: str) -> bool:
    """Whether a thing outside is not None: a module, a function, a class, a constant; `torch.version.hip` may be."""
    last = name.rsplit(".", 1)[-1]
    deep = name.count(".") > 1 and not name.startswith(("file:", "builtins."))
    return not deep or not last.islower() or m.tables.look_up(name) is not None


MOST_LISTED = 6
"""Constants of a list that `in` compares one by one; more of them cost every later branch."""


def contained(m: Machine, item: Value, box: Value, span: Span) -> Condition:
    """`item in box`."""
    if isinstance(box, Ref) and m.objects[box.obj].kind == "list":
        from allocsafe.flow.containers import known_items

        listed = known_items(m, box) or []
        if 0 < len(listed) <= MOST_LISTED and all(isinstance(each, (Const, Num, Known)) for each in listed):
            box = TupleOf(tuple(listed))
    if isinstance(box, TupleOf):
        out = FALSE
        for each in box.items:
            answer = compared(m, "==", item, each, span)
            if not isinstance(answer, Truth):
                return m.decide(("in", m.fresh()), "the item is in the tuple", span=span)
            out = m.conds.either(out, answer.cond)
        return out
    if isinstance(box, Ref) and m.objects[box.obj].kind == "dict":
        from allocsafe.flow.containers import holds_key

        return holds_key(m, box, item, span)
    if isinstance(box, Ref) and m.objects[box.obj].kind != "instance":
        compared_inside(m, [item, box], span)
    if isinstance(box, Array):
        read(m, box, span, "searched with `in`", "compare")
        return m.decide(("in", m.fresh()), "the item is in the tensor", span=span)
    left, right = m.to_opaque(item), m.to_opaque(box)
    version = m.version(("obj", box.obj)) if isinstance(box, Ref) else m.version(right.key)
    return m.decide(("in", left.key, right.key, version), f"{left.text} in {right.text}", span=span)


@step_meaning(ir.Format)
def formatted(m: Machine, step: ir.Format) -> None:
    for part in step.parts:
        read(m, m.get(part), step.span, "turned into text")
    m.put(step.dst, _text_of(m, step) or m.unknown("a text"))


def _text_of(m: Machine, step: ir.Format) -> Value | None:
    """The same text written the same way from the same numbers and texts is the same text."""
    span = step.span
    unit = m.program.unit(span.path) if span.line == span.end_line else None
    if unit is None or unit.language != "python":
        return None
    keys: list[Hashable] = []
    for part in step.parts:
        value = m.get(part)
        if not isinstance(value, (Num, Const, Opaque)):
            return None
        key = m.to_opaque(value).key
        keys.append((key, m.version(key), m.version(root_of(key))))
    written = unit.source.line(span.line)[span.column - 1 : span.end_column - 1]
    return Opaque(("text", written, tuple(keys)), written)


__all__ = ["combine", "compared", "literal", "truth", "write"]
