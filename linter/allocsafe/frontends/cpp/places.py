"""Places: what may stand on the left of `=`, and how it is read, written and pointed to.

Claim: a place is evaluated once, into registers, and may then be read and written any number of times; `a[i++] +=
1` evaluates `i++` once. Why that suffices: registers never change. What it gives up: a place that belongs to a
function around a lambda by registers cannot be reached from the lambda, and becomes an escape there.
"""

from __future__ import annotations

import re

from allocsafe.frontends.cpp import cpptypes
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.frames import AttrPlace, DerefPlace, ItemPlace, NamePlace, Place, ValuePlace
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import (
    AddressOf,
    At,
    Break,
    Cast,
    Deref,
    Escape,
    GetAttr,
    GetItem,
    If,
    Index,
    Load,
    Opaque,
    Raise,
    Reg,
    Return,
    SetAttr,
    SetItem,
    Step,
    Store,
    StoreDeref,
)
from allocsafe.source import Span


def load_this(lo: Lowering, span: Span, dst: Reg | None = None) -> Reg:
    dst = dst or lo.reg()
    local, scope, _ = lo.resolve("this")
    lo.builder.emit(Load(span, dst, "this", scope if local is not None else "global"))
    return dst


def name_place(lo: Lowering, name: str, span: Span) -> Place | None:
    """The place a name stands for; None where it belongs to a function around and cannot be spelled here."""
    local, scope, own = lo.resolve(name)
    if local is None:
        if lo.is_member(name):
            return AttrPlace(load_this(lo, span), name)
        return NamePlace(name, "global")
    if local.place is None:
        return NamePlace(local.name, scope, local.ctype)
    if own:
        return local.place
    if isinstance(local.place, NamePlace):
        return NamePlace(local.place.name, scope, local.place.ctype)
    return None


def load_name(lo: Lowering, name: str, span: Span, dst: Reg | None = None) -> Reg:
    dst = dst or lo.reg()
    found = name_place(lo, name, span)
    if found is None:
        lo.builder.emit(Opaque(span, dst, (), f"`{name}` is bound to a place of the function around"))
        return dst
    return load(lo, found, span, dst)


def place(lo: Lowering, node: Node) -> Place:
    """Evaluates what `node` needs to be written to."""
    kind = node.type
    span = lo.span(node)
    if kind == "identifier":
        name = lo.text(node)
        found = name_place(lo, name, span)
        if found is None:
            return ValuePlace(lo.opaque(node, f"`{name}` is bound to a place of the function around"))
        return found
    if kind in {"qualified_identifier", "template_function"}:
        text = cpptypes.tidy(lo.text(node))
        return NamePlace(text.partition("<")[0] if kind == "template_function" else text, "global")
    if kind in {"parenthesized_expression", "init_statement"}:
        inner = parts(node)
        return place(lo, inner[0]) if len(inner) == 1 else ValuePlace(lo.value(node))
    if kind == "subscript_expression":
        obj = lo.value(node.child_by_field_name("argument"))
        return ItemPlace(obj, index(lo, node))
    if kind == "pointer_expression" and node.child(0).type == "*":
        return DerefPlace(lo.value(node.child_by_field_name("argument")))
    if kind == "field_expression":
        field = node.child_by_field_name("field")
        if field is not None and field.type == "field_identifier":
            return AttrPlace(lo.value(node.child_by_field_name("argument")), lo.text(field))
    if kind == "call_expression":
        function = node.child_by_field_name("function")
        arguments = parts(node.child_by_field_name("arguments"))
        if function.type == "field_expression" and len(arguments) == 1:
            field = function.child_by_field_name("field")
            if field is not None and lo.text(field) == "at":
                obj = lo.value(function.child_by_field_name("argument"))
                return ItemPlace(obj, Index((At(lo.value(arguments[0])),)))
    if kind == "assignment_expression" or (kind == "update_expression" and node.child(0).type in {"++", "--"}):
        lo.value(node)
        left = node.child_by_field_name("left") or node.child_by_field_name("argument")
        if left.type == "identifier":
            return place(lo, left)
    return ValuePlace(lo.value(node))


def index(lo: Lowering, node: Node) -> Index:
    """What stands between the brackets of a subscript expression."""
    inside = node.child_by_field_name("indices")
    items = [] if inside is None else parts(inside)
    if not items:
        return Index((At(lo.opaque(node, "a subscript without an index")),))
    return Index(tuple(At(lo.value(item)) for item in items), is_tuple=len(items) > 1)


def load(lo: Lowering, where: Place, span: Span, dst: Reg | None = None) -> Reg:
    if isinstance(where, ValuePlace):
        if dst is None or dst == where.reg:
            return where.reg
        lo.builder.emit(Cast(span, dst, where.reg, ""))
        return dst
    dst = dst or lo.reg()
    if isinstance(where, NamePlace):
        lo.builder.emit(Load(span, dst, where.name, where.scope))
    elif isinstance(where, ItemPlace):
        lo.builder.emit(GetItem(span, dst, where.obj, where.inside))
    elif isinstance(where, AttrPlace):
        lo.builder.emit(GetAttr(span, dst, where.obj, where.attr))
    else:
        lo.builder.emit(Deref(span, dst, where.ptr))
    return dst


def store(lo: Lowering, where: Place, src: Reg, span: Span) -> None:
    emit = lo.builder.emit
    if isinstance(where, NamePlace):
        if cpptypes.is_reference(where.ctype) and not cpptypes.is_arithmetic(where.ctype):
            old = lo.reg()
            emit(Load(span, old, where.name, where.scope))
            emit(Escape(span, (old, src), "assigned through a reference, which changes the caller's object"))
        emit(Store(span, where.name, src, where.scope))
    elif isinstance(where, ItemPlace):
        emit(SetItem(span, where.obj, where.inside, src))
    elif isinstance(where, AttrPlace):
        emit(SetAttr(span, where.obj, where.attr, src))
    elif isinstance(where, DerefPlace):
        emit(StoreDeref(span, where.ptr, src))
    else:
        emit(Escape(span, (where.reg, src), "written to through the result of an expression"))


def address(lo: Lowering, node: Node, dst: Reg | None = None) -> Reg:
    """`&node`."""
    target = node.child_by_field_name("argument")
    span = lo.span(node)
    if target.type == "qualified_identifier":  # a function, a member pointer
        return lo.value(target, dst)
    where = place(lo, target)
    if isinstance(where, DerefPlace):
        return load(lo, ValuePlace(where.ptr), span, dst)
    dst = dst or lo.reg()
    if isinstance(where, ItemPlace):
        lo.builder.emit(AddressOf(span, dst, None, where.obj, where.inside))
    elif isinstance(where, NamePlace) and where.scope == "local":
        lo.builder.emit(AddressOf(span, dst, where.name, ctype=cpptypes.bare(where.ctype)))
    elif isinstance(where, NamePlace):
        value = load(lo, where, span)
        if where.scope == "enclosing":
            lo.builder.emit(Escape(span, (value,), f"address of `{where.name}`, a variable of the function around"))
            lo.builder.emit(Opaque(span, dst, (), "address of a variable of the function around"))
        else:
            lo.builder.emit(Cast(span, dst, value, ""))
    elif isinstance(where, AttrPlace):
        lo.builder.emit(Escape(span, (where.obj,), f"the address of member `{where.attr}` is taken"))
        lo.builder.emit(Opaque(span, dst, (), f"address of member `{where.attr}`"))
    else:
        lo.builder.emit(Escape(span, (where.reg,), "the address of the result of an expression is taken"))
        lo.builder.emit(Opaque(span, dst, (), "address of the result of an expression"))
    return dst


def unknown(lo: Lowering, node: Node, reason: str, dst: Reg | None = None) -> Reg:
    """Escapes all that `node` names and gives a value that nothing is known about."""
    escape_names(lo, node, reason)
    return lo.opaque(node, reason, (), dst)


def written_type(lo: Lowering, node: Node) -> str:
    """The type of `p`, `a[i]` or `*p` where the declaration of the name spells a number or a pointer, else ""."""
    depth = 0
    while True:
        if node.type == "subscript_expression" or (node.type == "pointer_expression" and node.child(0).type == "*"):
            node, depth = node.child_by_field_name("argument"), depth + 1
        elif node.type == "parenthesized_expression" and len(parts(node)) == 1:
            node = parts(node)[0]
        else:
            break
    local = lo.resolve(lo.text(node))[0] if node.type == "identifier" else None
    if local is None or local.place is not None:
        return ""
    ctype = cpptypes.bare(local.ctype)
    for _ in range(depth):
        head, inner = cpptypes.head_and_arguments(ctype)
        if ctype.endswith(("*", "[]")):
            ctype = ctype.removesuffix("*") if ctype.endswith("*") else ctype.removesuffix("[]")
        elif (head in cpptypes.VECTORS or head in cpptypes.ARRAYS) and inner:
            ctype = inner[0]
        else:
            return ""
    return ctype if cpptypes.is_pointer(ctype) or cpptypes.is_arithmetic(ctype) else ""


def is_array_of_pointers(lo: Lowering, node: Node) -> bool | None:
    """Whether `a[i]` is an element of a declared array of pointers; None where `a` is no declared array."""
    depth = 0
    while node.type == "subscript_expression":
        node, depth = node.child_by_field_name("argument"), depth + 1
    local = lo.resolve(lo.text(node))[0] if node.type == "identifier" else None
    if local is None or local.place is not None:
        return None
    ctype = cpptypes.bare(local.ctype)
    if cpptypes.is_array(ctype) and depth == 1:
        ctype = cpptypes.head_and_arguments(ctype)[1][0]
    elif ctype.endswith("[]"):
        ctype = ctype.removesuffix("[]")
    else:
        return None
    return cpptypes.is_pointer(ctype)


def escape_names(lo: Lowering, node: Node, reason: str) -> None:
    """Anything may have happened to what `node` names; where it holds a jump, control may have left."""
    names, loadable = lo.variables_in(node)
    span = lo.span(node)
    uses = [load_name(lo, name, span) for name in loadable]
    if "this" in lo.text(node) or any(lo.is_member(name) for name in lo.identifiers(node)):
        uses.append(load_this(lo, span))
    lo.builder.emit(Escape(span, tuple(uses), reason, tuple(dict.fromkeys(names))))
    jumps = set(_JUMP.findall(lo.text(node)))
    leaves: list[Step] = []
    if jumps & {"return", "goto", "co_return"}:
        leaves.append(Return(span, lo.opaque(node, reason)))
    if "throw" in jumps:
        leaves.append(Raise(span))
    if jumps & {"break", "continue"} and lo.frame.loops:
        leaves.append(Break(span))
    for leaving in leaves:
        lo.builder.emit(If(span, lo.opaque(node, reason), (leaving,)))


def escape_macro(lo: Lowering, node: Node, name: str) -> None:
    """A macro of this file may do anything to the variables that its text mentions, and may leave the function."""
    words = lo.macros[name]
    span = lo.span(node)
    reason = f"the macro `{name}` mentions it"
    names, uses = [], []
    for word in sorted(words):
        local, scope, own = lo.resolve(word)
        if local is None:
            continue
        uses.append(load_name(lo, word, span))
        if own and scope == "local" and local.place is None:
            names.append(local.name)
    if uses:
        lo.builder.emit(Escape(span, tuple(uses), reason, tuple(names)))
    if "return" in words:
        back = Return(span, lo.opaque(node, reason))
        lo.builder.emit(If(span, lo.opaque(node, reason), (back,)))


_JUMP = re.compile(r"\b(return|goto|co_return|throw|break|continue)\b")


def field_name(lo: Lowering, field: Node) -> tuple[str, str]:
    """A member's name and its template arguments as text."""
    while field.type == "dependent_name" and field.named_child_count:
        field = field.named_children[-1]
    if field.type == "template_method":
        name = lo.text(field.child_by_field_name("name"))
        return name, cpptypes.tidy(lo.text(field.child_by_field_name("arguments")))[1:-1]
    return cpptypes.tidy(lo.text(field)), ""
