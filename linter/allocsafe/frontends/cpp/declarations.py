"""Declarations: every declarator becomes a store of what the variable starts as, or another spelling of a place.

Claim: a variable is stored to at its declaration, whatever the shape: without an initialiser the stored value is an
`Alloc` that says "none" (numbers, pointers, arrays) or the result of a constructor. `auto& a = b`, `float& x = v[i]`
bind a name to a place and store nothing. Why that suffices: a name's value before its declaration cannot be seen.
What it gives up: `static` locals keep a value between calls and are opaque; a reference declared behind an `#if` is
stored by value and its target escapes.
"""

from __future__ import annotations

import re
from typing import Literal

from allocsafe.frontends.cpp import allocations, cpptypes, cuda, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.declarators import Declarator, base_type, take_apart
from allocsafe.frontends.cpp.frames import NamePlace, ValuePlace
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Alloc, Reg, Start, Store, Unpack

_REFERENCED = words(
    """identifier qualified_identifier subscript_expression field_expression pointer_expression
    parenthesized_expression"""
)


def declare(lo: Lowering, node: Node) -> None:
    """A declaration statement."""
    base = base_type(lo, node)
    words = set(re.findall(r"\w+", base))
    if "typedef" in words:
        return
    if "extern" in words and not cuda.memory_space(lo, node):
        return
    declarators = node.children_by_field_name("declarator")
    if (
        declarators
        and "static" in words | _outer_words(lo, node)
        and not words & {"const", "constexpr"}
        and not lo.at_toplevel
    ):
        _static(lo, node, base, declarators)
        return
    space = cuda.memory_space(lo, node)
    for declarator in declarators:
        taken = take_apart(lo, declarator)
        if space and taken.name is not None:
            uses = allocations.values(lo, [extent for extent in taken.extents if extent is not None])
            reg = lo.opaque(declarator, space, uses)
            name = lo.declare(lo.text(taken.name), cpptypes.bare(base) + taken.stars).name
            lo.builder.emit(Store(lo.span(declarator), name, reg, lo.scope_here()))
            continue
        _one(lo, declarator, base, taken)


def declare_condition(lo: Lowering, node: Node) -> Reg:
    """`if (T x = value)`: declares x and gives its value."""
    declarator, value = node.child_by_field_name("declarator"), node.child_by_field_name("value")
    taken = take_apart(lo, declarator)
    given = {"braces": value} if value is not None and value.type == "initializer_list" else {"value": value}
    _one(lo, declarator, base_type(lo, node), taken._replace(**given))
    if taken.name is None:
        return lo.opaque(node, "a condition of unusual shape")
    return places.load_name(lo, lo.text(taken.name), lo.span(taken.name))


def _outer_words(lo: Lowering, node: Node) -> set[str]:
    return {lo.text(child) for child in node.children if child.type == "storage_class_specifier"}


def _static(lo: Lowering, node: Node, base: str, declarators: list[Node]) -> None:
    for declarator in declarators:
        taken = take_apart(lo, declarator)
        if taken.name is None:
            places.escape_names(lo, declarator, "a static variable of unusual shape")
            continue
        used = [part for part in (taken.value, taken.braces, *(taken.arguments or [])) if part is not None]
        uses = allocations.values(lo, used)
        reg = lo.opaque(declarator, "a static variable keeps its value between calls", uses)
        name = lo.declare(lo.text(taken.name), cpptypes.bare(base) + taken.stars).name
        lo.builder.emit(Store(lo.span(declarator), name, reg, lo.scope_here()))


def _one(lo: Lowering, node: Node, base: str, taken: Declarator) -> None:
    span = lo.span(node)
    if taken.is_function:
        if taken.value is not None and taken.name is not None:  # a pointer to a function
            _store(lo, node, lo.text(taken.name), "auto*", lo.value(taken.value))
        elif not lo.at_toplevel:
            places.escape_names(lo, node, "reads like the declaration of a function")
        return
    if taken.bindings:
        _bindings(lo, node, base, taken)
        return
    if taken.name is None:
        places.escape_names(lo, node, "a declarator of unusual shape")
        return
    name = lo.text(taken.name)
    ctype = cpptypes.tidy(base + taken.stars)
    is_auto = "auto" in re.findall(r"\w+", base)
    if taken.extents:
        reg = _array(lo, node, ctype, taken)
        _store(lo, node, name, ctype + "[]", reg)
        return
    if "&" in taken.stars:
        _reference(lo, node, name, ctype, is_auto, taken)
        return
    shown = _auto_type(lo, taken) if is_auto else ctype
    is_constant = _is_constant_declaration(lo, base, taken)
    if is_auto:
        reg = _initial_auto(lo, node, taken)
    elif taken.value is not None:
        reg = _initialised(lo, node, ctype, taken.value)
    elif (
        lo.at_toplevel
        and taken.arguments is None
        and taken.braces is None
        and cpptypes.is_indeterminate(ctype, lo.types)
    ):
        reg = lo.constant(node, 0)  # static storage starts as zero
    else:
        reg = allocations.construct(lo, node, ctype, taken.arguments, taken.braces)
    local = lo.declare(name, shown, is_constant)
    lo.builder.emit(Store(span, local.name, reg, lo.scope_here()))


def _store(lo: Lowering, node: Node, name: str, ctype: str, reg: Reg) -> None:
    local = lo.declare(name, ctype)
    lo.builder.emit(Store(lo.span(node), local.name, reg, lo.scope_here()))


def _initialised(lo: Lowering, node: Node, ctype: str, value: Node) -> Reg:
    """`T x = value`: a copy for containers that are copied from a variable, the value otherwise."""
    if (
        value.type == "identifier"
        and (cpptypes.is_vector(ctype) or cpptypes.is_array(ctype))
        and allocations.is_container(lo, value)
    ):
        inner = cpptypes.head_and_arguments(ctype)[1]
        return allocations.copy_of(lo, value, inner[0] if inner else "auto", None, span_of=node)
    return lo.value(value)


def _initial_auto(lo: Lowering, node: Node, taken: Declarator) -> Reg:
    if taken.value is not None:
        if taken.value.type == "identifier" and "*" not in taken.stars:
            local = lo.resolve(lo.text(taken.value))[0]
            if local is not None and (cpptypes.is_vector(local.ctype) or cpptypes.is_array(local.ctype)):
                return _initialised(lo, node, cpptypes.bare(local.ctype), taken.value)
        return lo.value(taken.value)
    given = parts(taken.braces) if taken.braces is not None else (taken.arguments or [])
    found = allocations.values(lo, given)
    return found[0] if len(found) == 1 else lo.opaque(node, "an auto of several values", found)


def _auto_type(lo: Lowering, taken: Declarator) -> str:
    """What `auto` stands for where it can be seen; "" otherwise."""
    value = taken.value
    if taken.stars:
        return "auto" + taken.stars
    if value is None:
        return ""
    if value.type == "number_literal":
        return "int" if not re.search(r"[.eEfF]", lo.text(value)) else "float"
    if value.type in {"call_expression", "compound_literal_expression"}:
        head = value.child_by_field_name("function") or value.child_by_field_name("type")
        text = cpptypes.tidy(lo.text(head))
        cast = re.match(r"(?:static|reinterpret)_cast<(.*)>\Z", text, re.DOTALL)
        if cast:
            return cast[1]
        owner = re.match(r"std::make_(?:unique|shared)\w*<(.*)>\Z", text, re.DOTALL)
        if owner:
            return f"std::unique_ptr<{owner[1]}>"
        if cpptypes.is_vector(text) or cpptypes.is_array(text) or cpptypes.is_arithmetic(text):
            return text
        if text.endswith((".size", ".numel", ".dim", "->size", ".stride", ".element_size", ".itemsize")):
            return "int64_t"
        if re.search(r"(?:\.|->)(?:data|data_ptr|mutable_data_ptr|const_data_ptr)(?:<.*>)?\Z", text):
            return "auto*"
    if value.type == "new_expression":
        return cpptypes.tidy(lo.text(value.child_by_field_name("type"))) + "*"
    if value.type in {"sizeof_expression"}:
        return "size_t"
    if value.type == "identifier":
        local = lo.resolve(lo.text(value))[0]
        return cpptypes.bare(local.ctype) if local is not None else ""
    return ""


def _is_constant_declaration(lo: Lowering, base: str, taken: Declarator) -> bool:
    if "constexpr" in base:
        return True
    given = taken.value or (parts(taken.braces)[0] if taken.braces is not None and parts(taken.braces) else None)
    return cpptypes.is_const(base) and not taken.stars and given is not None and is_constant(lo, given)


def is_constant(lo: Lowering, node: Node) -> bool:
    """Whether an expression is surely known to the compiler: literals, constants, and names no function declares."""
    for inner in walk(node):
        if inner.type in {"identifier", "type_identifier"} and inner.child_count == 0:
            name = lo.text(inner)
            local = lo.resolve(name)[0]
            if local is not None and not local.is_constant:
                return False
            if local is None and lo.is_member(name):
                return False
        elif inner.type == "this" or (
            inner.type == "call_expression" and "(" in lo.text(inner) and _calls_method(inner)
        ):
            return False
    return True


def _calls_method(node: Node) -> bool:
    function = node.child_by_field_name("function")
    return function is not None and function.type == "field_expression"


def _array(lo: Lowering, node: Node, element: str, taken: Declarator) -> Reg:
    span = lo.span(node)
    given = taken.braces if taken.braces is not None else taken.value
    items: tuple[Reg, ...] = ()
    init: Start = "none" if not lo.at_toplevel else "value"
    if given is not None and given.type == "initializer_list":
        items = allocations.values(lo, parts(given))
        init = "list" if items else "value"
    elif given is not None:
        items = (lo.value(given),)
        init = "value" if given.type in {"string_literal", "raw_string_literal", "concatenated_string"} else "copy"
    extents = []
    for extent in taken.extents:
        if extent is not None:
            extents.append(lo.value(extent))
        elif init == "list":
            extents.append(lo.constant(node, len(items)))
        else:
            extents.append(lo.opaque(node, "an extent left out"))
    is_fixed = lo.on_device or lo.at_toplevel or all(e is None or is_constant(lo, e) for e in taken.extents)
    dst = lo.reg()
    kind: Literal["array", "vla"] = "array" if is_fixed else "vla"
    lo.builder.emit(Alloc(span, dst, kind, cpptypes.bare(element), tuple(extents), init, items))
    return dst


def _reference(lo: Lowering, node: Node, name: str, ctype: str, is_auto: bool, taken: Declarator) -> None:
    target = taken.value
    given = taken.braces or None
    if target is None and given is not None and len(parts(given)) == 1:
        target = parts(given)[0]
    if target is None and taken.arguments and len(taken.arguments) == 1:
        target = taken.arguments[0]
    if target is None:
        places.escape_names(lo, node, "a reference without a target")
        return
    in_arm = bool(lo.frame.arm_depths) and lo.frame.arm_depths[-1] == len(lo.frame.scopes)
    if target.type in _REFERENCED and not lo.at_toplevel:
        where = places.place(lo, target)
        if isinstance(where, NamePlace) and where.scope == "local" and not in_arm:
            lo.declare(name, where.ctype, place=where)
            return
        if not isinstance(where, ValuePlace) and not in_arm:
            lo.declare(name, "" if is_auto else cpptypes.bare(ctype), place=where)
            return
        reg = places.load(lo, where, lo.span(node))
        if in_arm:
            lo.escape(node, "a reference that only one preprocessor branch declares", (reg,))
    else:
        reg = lo.value(target)
    _store(lo, node, name, "" if is_auto else cpptypes.bare(ctype), reg)


def _bindings(lo: Lowering, node: Node, base: str, taken: Declarator) -> None:
    """`auto [a, b] = x`."""
    source = taken.value
    if source is None and taken.braces is not None and len(parts(taken.braces)) == 1:
        source = parts(taken.braces)[0]
    if source is None and taken.arguments and len(taken.arguments) == 1:
        source = taken.arguments[0]
    span = lo.span(node)
    if source is None:
        src = lo.opaque(node, "a structured binding without a value")
    else:
        src = lo.value(source)
    dsts = tuple(lo.reg() for _ in taken.bindings)
    lo.builder.emit(Unpack(span, dsts, src))
    if taken.stars == "&" and not cpptypes.is_const(base):
        lo.escape(node, "a structured binding by reference", (src,))
    for name, dst in zip(taken.bindings, dsts, strict=True):
        local = lo.declare(name)
        lo.builder.emit(Store(span, local.name, dst, lo.scope_here()))
