"""`match`: patterns as conditions, then bindings.

Claim: the body of a case runs only if the pattern's condition holds, and its captures hold the parts of the subject
that they name. Literal, value and singleton patterns are comparisons; every other test is an `Opaque` condition over
the subject (it may hold or not). Captures of sequences, mappings and keyword attributes are bound by the steps a
program would use (`Unpack`, `GetItem`, `GetAttr`), so aliases stay aliases. What it gives up: positional parts of a
class pattern and captures below an `|` are opaque, and the subject escapes for them.
"""

from __future__ import annotations

import libcst as cst

from allocsafe.frontends.python.lower import Lowering, statement
from allocsafe.frontends.python.scopes import captures
from allocsafe.ir.nodes import At, Block, Compare, Escape, GetAttr, GetItem, If, Index, Item, New, Reg, Unpack

# Built-in classes whose one positional pattern is the subject itself.
_SELF_MATCHING = frozenset(
    ["bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"]
)


@statement(cst.Match)
def match(lo: Lowering, node: cst.Match) -> None:
    subject = lo.expr(node.subject)
    conds: list[tuple[cst.MatchCase, Reg, Block]] = []
    for case in node.cases:
        cond = _test(lo, case.pattern, subject)
        if cond is None and case.guard is None:
            _bind(lo, case.pattern, subject)
            lo.statements(case.body)
            break
        if case.guard is not None:
            cond = _guarded(lo, case, cond, subject)
        assert cond is not None
        lo.b.open()
        if case.guard is None:
            _bind(lo, case.pattern, subject)
        lo.statements(case.body)
        conds.append((case, cond, lo.b.close()))
        lo.b.open()  # the cases after this one
    for case, cond, body in reversed(conds):
        lo.emit(If(lo.span(case.pattern), cond, body, lo.b.close()))


def _guarded(lo: Lowering, case: cst.MatchCase, cond: Reg | None, subject: Reg) -> Reg:
    """A pattern with a guard as one condition; the captures are bound before the guard, which sees them."""
    assert case.guard is not None
    if cond is None:
        _bind(lo, case.pattern, subject)
        return lo.expr(case.guard)
    span = lo.span(case.pattern)
    both = lo.fresh()
    lo.b.open()
    _bind(lo, case.pattern, subject)
    lo.into(lo.span(case.guard), both, lo.expr(case.guard))
    lo.emit(If(span, cond, lo.b.close(), lo.moved(span, both, cond)))
    return both


def _test(lo: Lowering, pattern: cst.MatchPattern, subject: Reg) -> Reg | None:
    """The condition under which `pattern` matches; None if it always does."""
    span = lo.span(pattern)
    if isinstance(pattern, cst.MatchAs):
        return _test(lo, pattern.pattern, subject) if pattern.pattern is not None else None
    if isinstance(pattern, (cst.MatchValue, cst.MatchSingleton)):
        value = lo.expr(pattern.value)
        dst = lo.fresh()
        lo.emit(Compare(span, dst, "==" if isinstance(pattern, cst.MatchValue) else "is", subject, value))
        return dst
    if isinstance(pattern, cst.MatchOr):
        return _any_of(lo, pattern, subject)
    uses = [subject]
    if isinstance(pattern, cst.MatchClass):
        uses.append(lo.expr(pattern.cls))
    kind = {cst.MatchClass: "class", cst.MatchMapping: "mapping"}.get(type(pattern), "sequence")
    return lo.opaque(span, tuple(uses), f"a {kind} pattern")


def _any_of(lo: Lowering, pattern: cst.MatchOr, subject: Reg) -> Reg | None:
    first, *others = pattern.patterns
    answer = _test(lo, first.pattern, subject)
    for other in others:
        if answer is None:
            return None
        span = lo.span(other.pattern)
        dst = lo.fresh()
        lo.b.open()
        result = _test(lo, other.pattern, subject)
        if result is None:
            lo.b.close()
            return None
        lo.into(span, dst, result)
        lo.emit(If(span, answer, lo.moved(span, dst, answer), lo.b.close()))
        answer = dst
    return answer


def _bind(lo: Lowering, pattern: cst.MatchPattern, subject: Reg) -> None:
    """Binds what `pattern` captures from `subject`, which it matches."""
    if next(captures(pattern), None) is None:
        return
    if isinstance(pattern, cst.MatchAs):
        if pattern.pattern is not None:
            _bind(lo, pattern.pattern, subject)
        if pattern.name is not None:
            lo.store(lo.span(pattern.name), pattern.name.value, subject)
    elif isinstance(pattern, (cst.MatchList, cst.MatchTuple)):
        _bind_sequence(lo, pattern, subject)
    elif isinstance(pattern, cst.MatchMapping):
        _bind_mapping(lo, pattern, subject)
    elif isinstance(pattern, cst.MatchClass):
        _bind_class(lo, pattern, subject)
    else:
        _bind_anything(lo, pattern, subject, span_reason="an alternative pattern")


def _bind_sequence(lo: Lowering, pattern: cst.MatchList | cst.MatchTuple, subject: Reg) -> None:
    dsts = tuple(lo.fresh() for _ in pattern.patterns)
    stars = [i for i, part in enumerate(pattern.patterns) if isinstance(part, cst.MatchStar)]
    lo.emit(Unpack(lo.span(pattern), dsts, subject, stars[0] if stars else None))
    for part, reg in zip(pattern.patterns, dsts, strict=True):
        if isinstance(part, cst.MatchStar):
            if part.name is not None:
                lo.store(lo.span(part.name), part.name.value, reg)
        elif isinstance(part, cst.MatchSequenceElement):
            _bind(lo, part.value, reg)


def _bind_mapping(lo: Lowering, pattern: cst.MatchMapping, subject: Reg) -> None:
    for element in pattern.elements:
        if next(captures(element.pattern), None) is not None:
            key = lo.expr(element.key)
            dst = lo.fresh()
            lo.emit(GetItem(lo.span(element.pattern), dst, subject, Index((At(key),))))
            _bind(lo, element.pattern, dst)
    if pattern.rest is not None:
        span = lo.span(pattern.rest)
        dst = lo.fresh()
        lo.emit(New(span, dst, "dict", (Item(subject, star=True),)))
        lo.store(span, pattern.rest.value, dst)


def _bind_class(lo: Lowering, pattern: cst.MatchClass, subject: Reg) -> None:
    cls = pattern.cls
    if isinstance(cls, cst.Name) and cls.value in _SELF_MATCHING and len(pattern.patterns) == 1:
        _bind(lo, pattern.patterns[0].value, subject)
    else:
        for part in pattern.patterns:
            _bind_anything(lo, part.value, subject, span_reason="a positional class pattern")
    for keyword in pattern.kwds:
        if next(captures(keyword.pattern), None) is not None:
            dst = lo.fresh()
            lo.emit(GetAttr(lo.span(keyword.key), dst, subject, keyword.key.value))
            _bind(lo, keyword.pattern, dst)


def _bind_anything(lo: Lowering, pattern: cst.MatchPattern, subject: Reg, *, span_reason: str) -> None:
    """Captures of parts that cannot be named."""
    names = sorted(set(captures(pattern)))
    if not names:
        return
    span = lo.span(pattern)
    lo.emit(Escape(span, (subject,), f"{span_reason} binds parts of its subject"))
    for name in names:
        lo.store(span, name, lo.opaque(span, (subject,), span_reason))
