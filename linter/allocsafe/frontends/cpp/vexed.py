"""Arguments that the parser took for parameters: `dim3 grid(n, a * b, f(x))`.

Claim: a parameter without a name is the expression that its type's text spells; stars, brackets and parentheses after
it are operators.
"""

from __future__ import annotations

from allocsafe.frontends.cpp import allocations, cpptypes, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Arg, At, Binary, Call, GetItem, Index, Reg


def vexed(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    """A parameter that is an expression: `n`, `a * b`, `f(x)`, `sizes[0]`."""
    return _vexed(lo, node, node.child_by_field_name("type"), node.child_by_field_name("declarator"), dst)


def _vexed(lo: Lowering, node: Node, ctype: Node, declarator: Node | None, dst: Reg | None) -> Reg:
    span = lo.span(node)
    if declarator is None:
        return lo.value(ctype, dst)
    kind = declarator.type
    inner = declarator.child_by_field_name("declarator")
    if kind in {"pointer_declarator", "reference_declarator"}:
        named = inner or (parts(declarator)[0] if parts(declarator) else None)
        if named is not None and named.type == "identifier" and lo.text(declarator).count("&") <= 1:
            a, b = lo.value(ctype), lo.value(named)
            dst = dst or lo.reg()
            lo.builder.emit(Binary(span, dst, "*" if kind == "pointer_declarator" else "&", a, b))
            return dst
    if kind == "abstract_array_declarator":
        size = declarator.child_by_field_name("size")
        if size is not None:
            obj = _vexed(lo, node, ctype, inner, None)
            at = lo.value(size)
            dst = dst or lo.reg()
            lo.builder.emit(GetItem(span, dst, obj, Index((At(at),))))
            return dst
    if kind == "abstract_function_declarator":
        inside = declarator.child_by_field_name("parameters")
        arguments = parts(inside) if inside is not None else []
        if all(one.type == "parameter_declaration" for one in arguments):
            if inner is None and cpptypes.is_arithmetic(lo.text(ctype)):
                return allocations.convert(lo, node, cpptypes.tidy(lo.text(ctype)), arguments, dst)
            func = _vexed(lo, node, ctype, inner, None)
            args = tuple(Arg(reg) for reg in allocations.values(lo, arguments))
            dst = dst or lo.reg()
            lo.builder.emit(Call(span, dst, func, args))
            return dst
    return places.unknown(lo, node, "an argument that reads like a parameter", dst)
