"""Classes: an outline with methods as stubs, and a body that is lowered when somebody asks.

Claim: a class inside a function has the same shape as one of the module, with its methods lowered at once, because they
see the names of the function around them. Bases and decorators that are more than a name are evaluated where the class
is defined. What it gives up: metaclasses and other keywords are evaluated and forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from allocsafe.frontends.python.functions import (
    dotted,
    function,
    mentioned,
    nested_name,
    type_params,
)
from allocsafe.frontends.python.lower import Lowering, statement
from allocsafe.frontends.python.scopes import Scope, bindings
from allocsafe.ir.nodes import ClassDef, Function, FunctionStub, MakeClass, Ready


def bases(lo: Lowering, node: cst.ClassDef) -> tuple[str, ...]:
    """The bases as dotted text; a starred one with its star."""
    return tuple(arg.star + dotted(lo, arg.value) for arg in node.bases)


def class_scope(lo: Lowering, node: cst.ClassDef) -> Scope:
    """The namespace of a class body."""
    return Scope("class", lo.scope, bindings(node.body, ":=" in lo.cut.text_of(node), None, type_params(node)))


def body_of(
    lo: Lowering, node: cst.ClassDef, qualname: str, more: frozenset[str] = frozenset()
) -> tuple[Function, Lowering]:
    """The class-level statements as a function of kind "class", without methods; `more` are names it binds as well."""
    inner = Lowering(lo.cut, class_scope(lo, node), qualname)
    inner.scope.locals |= more
    for part in node.body.body:
        if isinstance(part, cst.SimpleStatementLine):
            for small in part.body:
                inner.statement(small)
        elif isinstance(part, cst.FunctionDef):
            effects(inner, part.decorators)
        else:
            inner.statement(part)
    made = Function(
        name=node.name.value,
        qualname=qualname,
        params=(),
        body=inner.b.close(),
        span=lo.between(node.decorators[0], node) if node.decorators else lo.span(node),
        kind="class",
        names=mentioned(lo.cut.text_of(node)),
    )
    return made, inner


@statement(cst.ClassDef)
def class_definition(lo: Lowering, node: cst.ClassDef) -> None:
    effects(lo, node.decorators)
    for arg in (*node.bases, *node.keywords):
        if not isinstance(arg.value, (cst.Name, cst.Attribute)):
            lo.expr(arg.value)
    cls = inline_class(lo, node, nested_name(lo, node.name.value))
    dst = lo.fresh()
    lo.emit(MakeClass(cls.span, dst, cls))
    lo.store(lo.span(node.name), node.name.value, dst)


def effects(lo: Lowering, decorators: Sequence[cst.Decorator]) -> None:
    """Evaluates the decorators that are more than a name."""
    for decorator in decorators:
        if not isinstance(decorator.decorator, (cst.Name, cst.Attribute)):
            lo.expr(decorator.decorator)


def inline_class(lo: Lowering, node: cst.ClassDef, qualname: str) -> ClassDef:
    """A class within a function, or within such a class."""
    body, inner = body_of(lo, node, qualname)
    methods: dict[str, FunctionStub] = {}
    for part in node.body.body:
        if isinstance(part, cst.FunctionDef):
            made = method(lo, inner.scope, part, qualname)
            key = accessor(made.name, made.decorator_names)
            methods[key] = stub(made, qualname)
    return ClassDef(
        name=node.name.value,
        qualname=qualname,
        span=body.span,
        bases=bases(lo, node),
        methods=methods,
        load_body=Ready(body),
        decorator_names=tuple(dotted(lo, d.decorator) for d in node.decorators),
        fields=tuple(inner.fields),
    )


def method(lo: Lowering, scope: Scope, node: cst.FunctionDef, owner: str) -> Function:
    """A method with its defaults in a block of its own."""
    return function(Lowering(lo.cut, scope, owner), node, f"{owner}.{node.name.value}", alone=True)


def accessor(name: str, decorators: tuple[str, ...]) -> str:
    """The key of a method: a property's setter and deleter must not replace its getter."""
    for text in decorators:
        for part in ("setter", "deleter"):
            if text == f"{name}.{part}":
                return text
    return name


def stub(made: Function, owner: str) -> FunctionStub:
    """A stub for what is lowered already."""
    return FunctionStub(made.name, made.qualname, made.span, Ready(made), made.decorator_names, owner)
