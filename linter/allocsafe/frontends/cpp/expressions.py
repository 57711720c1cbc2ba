"""Expressions, in evaluation order, one register each.

Claim: every expression kind either has its steps here or becomes an escape of all that it names plus an opaque value,
so nothing is dropped. `&&`, `||` and `?:` are branches whose arms assign one register; `a / b` is `c/` unless an
operand is a floating literal or cast. What it gives up: the order of operands that C++ leaves open is taken as left
to right.
"""

from __future__ import annotations

from collections.abc import Callable

from allocsafe.frontends.cpp import allocations, calls, cpptypes, lambdas, literals, places, vexed
from allocsafe.frontends.cpp.assignments import assembly, assignment, update
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.operators import binary, conditional, unary
from allocsafe.frontends.cpp.places import field_name, unknown
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Arg as CallArg
from allocsafe.ir.nodes import Call, Cast, GetAttr, GetItem, Item, Load, New, Raise, Reg, SizeOf


def value(lo: Lowering, node: Node, dst: Reg | None = None) -> Reg:
    """The value of `node` in a register."""
    handler = _HANDLERS.get(node.type)
    if handler is not None and not node.is_missing:
        result = handler(lo, node, dst)
        if dst is not None and result != dst:
            lo.builder.emit(Cast(lo.span(node), dst, result, ""))
            return dst
        return result
    return unknown(lo, node, f"`{node.type.replace('_', ' ')}` is not modelled", dst)


def _identifier(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    name = lo.text(node)
    if name in _KEYWORDS:
        return _misread(lo, node, dst)
    if name in lo.macros and lo.resolve(name)[0] is None:
        places.escape_macro(lo, node, name)
    return places.load_name(lo, name, lo.span(node), dst)


def _qualified(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    dst = dst or lo.reg()
    lo.builder.emit(Load(lo.span(node), dst, cpptypes.tidy(lo.text(node)), "global"))
    return dst


_KEYWORDS = words("if else for while do switch case break continue return goto try catch throw default")


def _misread(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    """A keyword taken for a name: the parser lost the structure, and the rest of the function is not believed."""
    lo.frame.doubt = lo.frame.doubt or "could not be parsed"
    return unknown(lo, node, "could not be parsed", dst)


def _named_template(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    """`f<int>` as a value: the function, its template arguments left out."""
    name = cpptypes.tidy(lo.text(node.child_by_field_name("name")))
    return places.load_name(lo, name, lo.span(node), dst)


def _number(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    number = literals.number(lo.text(node))
    if number is None:
        return lo.opaque(node, "a literal with a suffix of its own", (), dst)
    return lo.constant(node, number, dst)


def _string(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    if node.type == "concatenated_string":
        pieces = [literals.string(lo.text(child)) for child in parts(node)]
        if all(piece is not None for piece in pieces):
            return lo.constant(node, "".join(piece or "" for piece in pieces), dst)
        return lo.opaque(node, "a string put together by the preprocessor", (), dst)
    text = literals.string(lo.text(node))
    return lo.constant(node, text, dst) if text is not None else lo.opaque(node, "a string of unknown kind", (), dst)


def _char(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    code = literals.character(lo.text(node))
    return lo.constant(node, code, dst) if code is not None else lo.opaque(node, "a character of unknown kind", (), dst)


def _parenthesized(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    inner = parts(node)
    return value(lo, inner[0], dst) if len(inner) == 1 else unknown(lo, node, "empty parentheses", dst)


def _pointer(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    if node.child(0).type == "&":
        return places.address(lo, node, dst)
    return places.load(lo, places.place(lo, node), lo.span(node), dst)


def _subscript(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    obj = value(lo, node.child_by_field_name("argument"))
    inside = places.index(lo, node)
    dst = dst or lo.reg()
    lo.builder.emit(GetItem(lo.span(node), dst, obj, inside))
    return dst


def _field(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    obj = value(lo, node.child_by_field_name("argument"))
    field = node.child_by_field_name("field")
    dst = dst or lo.reg()
    name = field_name(lo, field)[0] if field is not None else "?"
    lo.builder.emit(GetAttr(lo.span(node), dst, obj, name))
    return dst


def _pack(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    inner = parts(node)
    uses = (value(lo, inner[0]),) if inner else ()
    return lo.opaque(node, "a parameter pack", uses, dst)


def _comma(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    value(lo, node.child_by_field_name("left"))
    return value(lo, node.child_by_field_name("right"), dst)


def _cast(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    src = value(lo, node.child_by_field_name("value"))
    dst = dst or lo.reg()
    lo.builder.emit(Cast(lo.span(node), dst, src, cpptypes.tidy(lo.text(node.child_by_field_name("type")))))
    return dst


def _sizeof(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    if any(child.type == "..." for child in node.children):
        return lo.opaque(node, "the number of template arguments", (), dst)
    ctype, operand = node.child_by_field_name("type"), node.child_by_field_name("value")
    span = lo.span(node)
    if operand is not None:
        while operand.type == "parenthesized_expression" and operand.named_child_count == 1:
            operand = operand.named_children[0]
        name = cpptypes.tidy(lo.text(operand))
        is_type = operand.type in {"identifier", "qualified_identifier"} and lo.resolve(name)[0] is None
        if not is_type or lo.is_member(name):
            # The operand of sizeof is not evaluated: only its name's type or value is looked at.
            written = places.written_type(lo, operand)
            if written:
                dst = dst or lo.reg()
                lo.builder.emit(SizeOf(span, dst, written))
                return dst
            obj = value(lo, operand) if operand.type == "identifier" else None
            dst = dst or lo.reg()
            if obj is None:
                return lo.opaque(node, "sizeof of an expression", (), dst)
            lo.builder.emit(SizeOf(span, dst, None, obj))
            return dst
        text = name
    elif ctype is not None:
        text = cpptypes.tidy(lo.text(ctype))
        if lo.resolve(text)[0] is not None:
            dst = dst or lo.reg()
            lo.builder.emit(SizeOf(span, dst, None, places.load_name(lo, text, span)))
            return dst
    else:
        return lo.opaque(node, "sizeof of an unknown operand", (), dst)
    dst = dst or lo.reg()
    lo.builder.emit(SizeOf(span, dst, text))
    return dst


def _list(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    items = []
    for child in parts(node):
        if child.type == "initializer_pair":
            child = child.child_by_field_name("value")  # noqa: PLW2901 - the designator says which member, not what
        items.append(Item(value(lo, child)))
    dst = dst or lo.reg()
    lo.builder.emit(New(lo.span(node), dst, "list", tuple(items)))
    return dst


def _literal(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    ctype = cpptypes.tidy(lo.text(node.child_by_field_name("type")))
    if ctype in _KEYWORDS:
        unknown(lo, node, "could not be parsed")
        return _misread(lo, node, dst)
    return allocations.construct(lo, node, ctype, [], node.child_by_field_name("value"), dst)


def _throw(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    inner = parts(node)
    lo.builder.emit(Raise(lo.span(node), value(lo, inner[0]) if inner else None))
    return lo.opaque(node, "nothing comes out of a throw", (), dst)


def _delete(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    is_array = any(child.type == "[" for child in node.children)
    target = value(lo, parts(node)[-1])
    func = lo.reg()
    span = lo.span(node)
    lo.builder.emit(Load(span, func, "delete[]" if is_array else "delete", "global"))
    dst = dst or lo.reg()
    lo.builder.emit(Call(span, dst, func, (CallArg(target),)))
    return dst


def _this(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    return places.load_this(lo, lo.span(node), dst)


def _unevaluated(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    return lo.opaque(node, f"`{node.type.replace('_', ' ')}`", (), dst)


def _fold(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    if any(inner.type in {"call_expression", "assignment_expression", "update_expression"} for inner in walk(node)):
        return unknown(lo, node, "a fold over a parameter pack", dst)
    uses = tuple(places.load_name(lo, name, lo.span(node)) for name in lo.variables_in(node)[1])
    return lo.opaque(node, "a fold over a parameter pack", uses, dst)


_HANDLERS: dict[str, Callable[[Lowering, Node, Reg | None], Reg]] = {
    "identifier": _identifier,
    "type_identifier": _identifier,
    "field_identifier": _identifier,
    "namespace_identifier": _identifier,
    "primitive_type": _qualified,
    "template_type": _qualified,
    "sized_type_specifier": _qualified,
    "type_descriptor": _qualified,
    "qualified_identifier": _qualified,
    "template_function": _named_template,
    "number_literal": _number,
    "string_literal": _string,
    "raw_string_literal": _string,
    "concatenated_string": _string,
    "char_literal": _char,
    "true": lambda lo, node, dst: lo.constant(node, True, dst),
    "false": lambda lo, node, dst: lo.constant(node, False, dst),
    "null": lambda lo, node, dst: lo.constant(node, None, dst),
    "parenthesized_expression": _parenthesized,
    "binary_expression": binary,
    "conditional_expression": conditional,
    "unary_expression": unary,
    "pointer_expression": _pointer,
    "subscript_expression": _subscript,
    "field_expression": _field,
    "assignment_expression": assignment,
    "update_expression": update,
    "comma_expression": _comma,
    "cast_expression": _cast,
    "sizeof_expression": _sizeof,
    "initializer_list": _list,
    "compound_literal_expression": _literal,
    "throw_statement": _throw,
    "throw_expression": _throw,
    "delete_expression": _delete,
    "this": _this,
    "alignof_expression": _unevaluated,
    "offsetof_expression": _unevaluated,
    "decltype": _unevaluated,
    "requires_expression": _unevaluated,
    "user_defined_literal": _unevaluated,
    "fold_expression": _fold,
    "gnu_asm_expression": assembly,
    "parameter_pack_expansion": _pack,
    "lambda_expression": lambdas.make,
    "call_expression": calls.call,
    "parameter_declaration": vexed.vexed,
    "new_expression": allocations.new,
}
