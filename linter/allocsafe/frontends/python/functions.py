"""Functions: parameters, defaults, decorators, bodies; nested ones and lambdas are made in place.

Claim: a function's defaults and decorators are evaluated where it is defined, its body in a scope of its own whose
names are decided before the first step. Nested functions are lowered with the one around them and share its cut of the
text. What it gives up: type parameters (`def f[T]`) are local names without a value.
"""

from __future__ import annotations

import re
from typing import Literal

import libcst as cst

from allocsafe.frontends.python.lower import Lowering, TooDeep, expression, statement
from allocsafe.frontends.python.scopes import Scope, bindings
from allocsafe.ir.nodes import Function, MakeFunction, Param, Reg, Return

MOST_FUNCTIONS = 40
"""Lambdas in one another."""

_WORD = re.compile(r"[^\W\d]\w*")
_KEY = re.compile(r"""\[\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)')\s*\]""")


def mentioned(text: str) -> frozenset[str]:
    """All identifiers, attribute names and literal subscript keys in a piece of source (words of strings as well)."""
    found = set(_WORD.findall(text))
    found.update(double or single for double, single in _KEY.findall(text))
    return frozenset(found)


def dotted(lo: Lowering, node: cst.BaseExpression) -> str:
    """The name of a decorator or base without its call or subscript; its text if it has no name."""
    inner = node
    while isinstance(inner, (cst.Call, cst.Subscript)):
        inner = inner.func if isinstance(inner, cst.Call) else inner.value
    parts: list[str] = []
    while isinstance(inner, cst.Attribute):
        parts.append(inner.attr.value)
        inner = inner.value
    if not isinstance(inner, cst.Name):
        return lo.cut.text_of(node)
    return ".".join([inner.value, *reversed(parts)])


def parameters(lo: Lowering, params: cst.Parameters) -> tuple[Param, ...]:
    """The parameters; their defaults are evaluated in `lo`, the defining code."""
    out: list[Param] = []

    def add(
        param: cst.Param,
        kind: Literal["positional-only", "positional", "star", "keyword-only", "double-star"],
    ) -> None:
        default = lo.expr(param.default) if param.default is not None else None
        annotation = lo.cut.text_of(param.annotation.annotation) if param.annotation is not None else ""
        out.append(Param(param.name.value, kind, default, annotation))

    for param in params.posonly_params:
        add(param, "positional-only")
    for param in params.params:
        add(param, "positional")
    if isinstance(params.star_arg, cst.Param):
        add(params.star_arg, "star")
    for param in params.kwonly_params:
        add(param, "keyword-only")
    if params.star_kwarg is not None:
        add(params.star_kwarg, "double-star")
    return tuple(out)


def type_params(node: cst.FunctionDef | cst.ClassDef) -> list[str]:
    """The names of `[T, *Ts, **P]`."""
    found = getattr(node, "type_parameters", None)
    return [p.param.name.value for p in found.params] if found is not None else []


def function(lo: Lowering, node: cst.FunctionDef, qualname: str, *, alone: bool = False) -> Function:
    """The function that `node` defines; its defaults go to `lo`, the defining code.

    `alone`: `lo` holds nothing but the defaults, which become part of the function and share its registers.
    """
    params = parameters(lo, node.params)
    text = lo.cut.text_of(node)
    bound = bindings(node.body, ":=" in text, node.params, type_params(node))
    bound.names.update(d.assigned for n, d in lo.cut.deep.items() if d.assigned and n in text)
    bound.names -= bound.globals | bound.nonlocals
    scope = Scope("function", lo.scope, bound)
    inner = Lowering(lo.cut, scope, qualname, lo.b.count if alone else 0)
    inner.statements(node.body)
    span = lo.between(node.decorators[0], node) if node.decorators else lo.span(node)
    kind: Literal["function", "method"] = "method" if lo.scope.kind == "class" else "function"
    return Function(
        name=node.name.value,
        qualname=qualname,
        params=params,
        body=inner.b.close(),
        span=span,
        kind=kind,
        decorator_names=tuple(dotted(lo, d.decorator) for d in node.decorators),
        defaults=lo.b.close() if alone else (),
        is_async=node.asynchronous is not None,
        is_generator=inner.has_yield,
        returns=lo.cut.text_of(node.returns.annotation) if node.returns is not None else "",
        names=mentioned(text),
    )


def nested_name(lo: Lowering, name: str) -> str:
    """Python's qualified name of something defined in the body that is being lowered."""
    if not lo.qualname:
        return name
    return f"{lo.qualname}.{name}" if lo.scope.kind == "class" else f"{lo.qualname}.<locals>.{name}"


@statement(cst.FunctionDef)
def definition(lo: Lowering, node: cst.FunctionDef) -> None:
    decorators = tuple(lo.expr(d.decorator) for d in node.decorators)
    made = function(lo, node, nested_name(lo, node.name.value))
    dst = lo.fresh()
    span = lo.span(node.name)
    lo.emit(MakeFunction(made.span, dst, made, decorators))
    lo.store(span, node.name.value, dst)


@expression(cst.Lambda)
def anonymous(lo: Lowering, node: cst.Lambda) -> Reg:
    params = parameters(lo, node.params)
    span = lo.span(node)
    text = lo.cut.text_of(node)
    scope = Scope("function", lo.scope, bindings(node.body, ":=" in text, node.params))
    if scope.depth > MOST_FUNCTIONS:
        raise TooDeep
    qualname = nested_name(lo, "<lambda>")
    inner = Lowering(lo.cut, scope, qualname)
    value = inner.expr(node.body)
    inner.emit(Return(lo.span(node.body), value))
    made = Function(
        name="<lambda>",
        qualname=qualname,
        params=params,
        body=inner.b.close(),
        span=span,
        kind="lambda",
        is_generator=inner.has_yield,
        names=mentioned(text),
    )
    dst = lo.fresh()
    lo.emit(MakeFunction(span, dst, made))
    return dst
