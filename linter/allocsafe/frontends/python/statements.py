"""Statements on one line: assignments, imports, jumps, and the rest.

Claim: each becomes the steps of its expressions and one step of its own; declarations (`pass`, `global`, `nonlocal`, an
annotation without a value) become none, because the scope already knows them. What it gives up: the message of an
`assert` is not evaluated: it is read only on the way to an error; a star import is an `Import` of "*" and an escape.
"""

from __future__ import annotations

import libcst as cst

from allocsafe.frontends.python.comprehensions import generator
from allocsafe.frontends.python.expressions import BINARY
from allocsafe.frontends.python.lower import Lowering, statement
from allocsafe.frontends.python.targets import assign, augment, delete
from allocsafe.ir.nodes import Assume, Break, Continue, Escape, Import, Param, Raise, Return

_AUGMENTED: dict[type, str] = {getattr(cst, f"{kind.__name__}Assign"): op for kind, op in BINARY.items()}


@statement(cst.Expr)
def bare(lo: Lowering, node: cst.Expr) -> None:
    value = node.value
    if isinstance(value, (cst.SimpleString, cst.Ellipsis)):
        return  # a docstring, a placeholder
    if isinstance(value, cst.Name) and value.value in lo.cut.deep:
        lo.escape(lo.cut.deep[value.value])
        return
    lo.expr(value)


@statement(cst.Assign)
def assignment(lo: Lowering, node: cst.Assign) -> None:
    value = node.value
    if isinstance(value, cst.GeneratorExp) and isinstance(node.targets[0].target, (cst.Tuple, cst.List)):
        src = generator(lo, value, kept=False)  # unpacked at once
    else:
        src = lo.expr(value)
    for target in node.targets:
        assign(lo, target.target, src)


@statement(cst.AnnAssign)
def annotated(lo: Lowering, node: cst.AnnAssign) -> None:
    reg = None
    if node.value is not None:
        reg = lo.expr(node.value)
        assign(lo, node.target, reg)
    if lo.scope.kind == "class" and isinstance(node.target, cst.Name):
        lo.fields.append(Param(node.target.value, default=reg, annotation=lo.cut.text_of(node.annotation.annotation)))


@statement(cst.AugAssign)
def augmented(lo: Lowering, node: cst.AugAssign) -> None:
    augment(lo, node.target, _AUGMENTED[type(node.operator)], node.value, node)


@statement(cst.Del)
def deletion(lo: Lowering, node: cst.Del) -> None:
    delete(lo, node.target)


@statement(cst.Pass, cst.Global, cst.Nonlocal)
def nothing(lo: Lowering, node: cst.CSTNode) -> None:
    """Declarations: no step."""


@statement(cst.Return)
def returning(lo: Lowering, node: cst.Return) -> None:
    src = lo.expr(node.value) if node.value is not None else None
    lo.emit(Return(lo.span(node), src))


@statement(cst.Raise)
def raising(lo: Lowering, node: cst.Raise) -> None:
    src = lo.expr(node.exc) if node.exc is not None else None
    if node.cause is not None:
        lo.expr(node.cause.item)
    lo.emit(Raise(lo.span(node), src))


@statement(cst.Assert)
def asserting(lo: Lowering, node: cst.Assert) -> None:
    lo.emit(Assume(lo.span(node), lo.expr(node.test)))


@statement(cst.Break)
def breaking(lo: Lowering, node: cst.Break) -> None:
    lo.emit(Break(lo.span(node)))


@statement(cst.Continue)
def continuing(lo: Lowering, node: cst.Continue) -> None:
    lo.emit(Continue(lo.span(node)))


@statement(cst.TypeAlias)
def alias(lo: Lowering, node: cst.TypeAlias) -> None:
    """`type X = ...`: its value is computed when somebody asks."""
    lo.store(lo.span(node.name), node.name.value, lo.opaque(lo.span(node), (), "a type alias"))


def _dotted(node: cst.BaseExpression | None) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def importing(lo: Lowering, node: cst.Import) -> None:
    for item in node.names:
        span = lo.span(item)
        dst = lo.fresh()
        module = _dotted(item.name)
        if item.asname is None:
            lo.emit(Import(span, dst, module))
            lo.store(span, module.split(".", 1)[0], dst)
        else:
            package, _, last = module.rpartition(".")
            lo.emit(Import(span, dst, package, last) if package else Import(span, dst, module))
            assign(lo, item.asname.name, dst)


def importing_from(lo: Lowering, node: cst.ImportFrom) -> None:
    module = _dotted(node.module)
    level = len(node.relative)
    if isinstance(node.names, cst.ImportStar):
        dst = lo.fresh()
        lo.emit(Import(lo.span(node), dst, module, "*", level))
        lo.emit(Escape(lo.span(node), (dst,), f"a star import from {'.' * level}{module} binds names nobody lists"))
        return
    for item in node.names:
        span = lo.span(item)
        dst = lo.fresh()
        name = _dotted(item.name)
        lo.emit(Import(span, dst, module, name, level))
        if item.asname is None:
            lo.store(span, name, dst)
        else:
            assign(lo, item.asname.name, dst)


statement(cst.Import)(importing)
statement(cst.ImportFrom)(importing_from)
if hasattr(cst, "LazyImport"):
    statement(cst.LazyImport)(importing)
    statement(cst.LazyImportFrom)(importing_from)
