"""Calls: functions, methods, casts that look like calls, constructors, macros, kernel launches.

Claim: a callee is never dotted text: a free function is one `Load` of its full name, a method a `GetAttr` on a
value. `Call.template` holds the template arguments. A variable of arithmetic type that is handed bare to a function
which may take it by reference is forgotten after the call. What it gives up: functions of `std`, `torch`, `at`,
`c10` and CUDA's runtime are taken to change no number they are handed by name (they take addresses instead).
"""

from __future__ import annotations

import re

from allocsafe.frontends.cpp import allocations, cpptypes, cuda, macros, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.frames import DerefPlace, ItemPlace
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import AddressOf, Arg, Call, Cast, Escape, GetAttr, Load, Reg, Start

_CASTS = words("""static_cast reinterpret_cast const_cast dynamic_cast bit_cast std::bit_cast static_pointer_cast""")
_IDENTITY = words("std::move std::forward std::as_const __ldg __builtin_expect c10::MaybeOwned")
_KNOWN = re.compile(
    r"(?:::)?(?:std|torch|at|c10|cuda|cub|thrust|cute)::|cuda[A-Z]|cu[A-Z]|cublas|hip[A-Z]|mem(?:cpy|set|move|cmp)$"
    r"|(?:m|c|re)alloc$|free$|printf$|f(?:abs|max|min|ma)f?$|(?:exp|log|sqrt|pow|abs|min|max|ceil|floor|round|cast)f?$"
    r"|__|_mm|str(?:len|cmp)|(?:CUDA|C10_CUDA|CUDA_RT|AT_CUDA|GPU|HIP)_|atomic[A-Z]|dim3$|make_|[A-Z_]*SHFL"
    r"|(?:\w+::)*(?i:ceil_?div|div_?ceil|cdiv|div_?up|divide(?:_?round_?up)?|round_?up|next_?pow\w*)$"
)
_NEW_OWNERS: dict[str, Start] = {
    "std::make_unique": "value",
    "std::make_shared": "value",
    "std::make_unique_for_overwrite": "none",
    "std::make_shared_for_overwrite": "none",
}


def call(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    function = node.child_by_field_name("function")
    inside = node.child_by_field_name("arguments")
    if inside is None or inside.type != "argument_list":
        return places.unknown(lo, node, "a call without arguments", dst)
    if cuda.is_launch(lo, function):
        return cuda.launch(lo, node, function, parts(inside), dst)
    arguments = parts(inside)
    kind = function.type
    while kind == "parenthesized_expression" and function.named_child_count == 1:
        inner = function.named_children[0]
        if inner.type not in {"identifier", "qualified_identifier", "parenthesized_expression"}:
            break
        function, kind = inner, inner.type
    if kind in {"primitive_type", "sized_type_specifier", "template_type"}:
        return allocations.convert(lo, node, cpptypes.tidy(lo.text(function)), arguments, dst)
    if kind == "field_expression":
        return _method(lo, node, function, arguments, dst)
    if kind in {"identifier", "qualified_identifier", "template_function", "dependent_name"}:
        return _free(lo, node, function, arguments, dst)
    func = lo.value(function)
    return _finish(lo, node, func, "", arguments, "", dst)


def _free(lo: Lowering, node: Node, function: Node, arguments: list[Node], dst: Reg | None) -> Reg:
    name, template = name_and_template(lo, function)
    local = lo.resolve(name)[0] if function.type in {"identifier", "template_function"} else None
    if local is None:
        if name in _CASTS:
            if len(arguments) != 1:
                return places.unknown(lo, node, f"{name} of several values", dst)
            src = lo.value(arguments[0])
            dst = dst or lo.reg()
            lo.builder.emit(Cast(lo.span(node), dst, src, template))
            return dst
        if name in _IDENTITY and arguments:
            return lo.value(arguments[0], dst)
        if macros.is_check(name):
            return macros.check(lo, node, name, arguments, dst)
        if macros.is_dispatch(lo, name, arguments):
            return _dispatch(lo, node, arguments, dst)
        if name in _NEW_OWNERS:
            made = allocations.make_owner(lo, node, template, arguments, dst, _NEW_OWNERS[name])
            if made is not None:
                return made
        if name in cpptypes.VECTORS or name in cpptypes.ARRAYS or name in cpptypes.OWNERS:
            ctype = f"{name}<{template}>" if template else name
            return allocations.construct(lo, node, ctype, arguments, None, dst)
        if len(arguments) <= 1 and cpptypes.is_indeterminate(name, lo.types) and not name.isupper():
            return allocations.convert(lo, node, name, arguments, dst)
    if local is None and lo.is_member(name):
        func = lo.reg()
        lo.builder.emit(GetAttr(lo.span(function), func, places.load_this(lo, lo.span(function)), name))
    elif local is None:
        func = lo.reg()
        lo.builder.emit(Load(lo.span(function), func, name, "global"))
    else:
        func = places.load_name(lo, name, lo.span(function))
    return _finish(lo, node, func, name, arguments, template, dst)


def name_and_template(lo: Lowering, function: Node) -> tuple[str, str]:
    """`at::f<int, 4>` as ("at::f", "int, 4")."""
    if function.type == "template_function":
        inside = cpptypes.tidy(lo.text(function.child_by_field_name("arguments")))
        return cpptypes.tidy(lo.text(function.child_by_field_name("name"))), inside[1:-1]
    if function.type == "qualified_identifier":
        last = function
        while last.type == "qualified_identifier" and last.child_by_field_name("name") is not None:
            last = last.child_by_field_name("name")
        if last.type == "dependent_name" and last.named_child_count:
            last = last.named_children[-1]
        if last.type in {"template_function", "template_type"}:
            name, template = (
                name_and_template(lo, last) if last.type == "template_function" else _template_type(lo, last)
            )
            before = lo.data[function.start_byte : last.start_byte].decode("utf-8", "replace")
            return cpptypes.tidy(before) + name, template
    return cpptypes.tidy(lo.text(function)), ""


def _template_type(lo: Lowering, node: Node) -> tuple[str, str]:
    inside = cpptypes.tidy(lo.text(node.child_by_field_name("arguments")))
    return cpptypes.tidy(lo.text(node.child_by_field_name("name"))), inside[1:-1]


def _method(lo: Lowering, node: Node, function: Node, arguments: list[Node], dst: Reg | None) -> Reg:
    field = function.child_by_field_name("field")
    name, template = places.field_name(lo, field) if field is not None else ("?", "")
    owner = function.child_by_field_name("argument")
    obj = _owning_element(lo, owner, name) or lo.value(owner)
    func = lo.reg()
    lo.builder.emit(GetAttr(lo.span(function), func, obj, name))
    return _finish(lo, node, func, "." + name, arguments, template, dst)


def _owning_element(lo: Lowering, owner: Node, name: str) -> Reg | None:
    """`x[i]` of `x[i].f()` where x is an array whose elements are no pointers: an object of a class, which its method
    may write. None for any other owner.
    """
    if owner.type != "subscript_expression" or places.is_array_of_pointers(lo, owner) is not False:
        return None
    where, span = places.place(lo, owner), lo.span(owner)
    if not isinstance(where, ItemPlace):
        return None
    pointer = lo.reg()
    lo.builder.emit(AddressOf(span, pointer, None, where.obj, where.inside))
    lo.builder.emit(Escape(span, (pointer,), f"its method `{name}` may write it"))
    return places.load(lo, where, span)


def _finish(
    lo: Lowering, node: Node, func: Reg, name: str, arguments: list[Node], template: str, dst: Reg | None
) -> Reg:
    args = tuple(
        _element(lo, name, position, argument) or argument_of(lo, argument)
        for position, argument in enumerate(arguments)
    )
    dst = dst or lo.reg()
    lo.builder.emit(Call(lo.span(node), dst, func, args, template))
    changed = _maybe_changed(lo, name, arguments)
    if name in lo.macros:
        places.escape_macro(lo, node, name)
    if changed:
        shown = name.lstrip(".") or "a function"
        lo.builder.emit(Escape(lo.span(node), (), f"handed to `{shown}`, which may take it by reference", changed))
    return dst


def _element(lo: Lowering, name: str, position: int, argument: Node) -> Arg | None:
    """`x[i]` or `*p` as an argument that the callee may take by reference and write; None for any other argument."""
    inner = argument
    while inner.type == "parenthesized_expression" and inner.named_child_count == 1:
        inner = inner.named_children[0]
    element = inner.type == "subscript_expression" or (inner.type == "pointer_expression" and lo.text(inner)[:1] == "*")
    if not element or not name or not may_take_reference(lo, name):
        return None
    known = lo.signatures.get(name.rpartition("::")[2])
    if known is not None and all(_by_value(signature, position) for signature in known):
        return None
    where, span = places.place(lo, inner), lo.span(inner)
    if isinstance(where, DerefPlace):
        pointer = where.ptr
    elif isinstance(where, ItemPlace):
        pointer = lo.reg()
        lo.builder.emit(AddressOf(span, pointer, None, where.obj, where.inside))
    else:
        return Arg(places.load(lo, where, span))
    lo.builder.emit(Escape(span, (pointer,), f"handed to `{name}`, which may take it by reference"))
    return Arg(places.load(lo, where, span))


def argument_of(lo: Lowering, node: Node) -> Arg:
    if node.type == "parameter_pack_expansion" and node.named_child_count:
        return Arg(lo.value(node.named_children[0]), None, "*")
    return Arg(lo.value(node))


def may_take_reference(lo: Lowering, name: str) -> bool:
    """Whether a function may change a number that is handed to it by its name."""
    if _KNOWN.match(name) or name.startswith(".") or "." in name or macros.is_check(name) or name in _CASTS:
        return False
    known = lo.signatures.get(name.rpartition("::")[2])
    return known is None or any(not _by_value(signature, at) for signature in known for at in range(len(signature)))


def surely_takes_reference(lo: Lowering, name: str) -> bool:
    """Whether a function of this file takes an argument by a reference that it may change."""
    known = lo.signatures.get(name.rpartition("::")[2], ())
    return any(not _by_value(signature, at) for signature in known for at in range(len(signature)))


def _maybe_changed(lo: Lowering, name: str, arguments: list[Node]) -> tuple[str, ...]:
    """Numbers among the bare arguments that the callee may take by reference and change."""
    if not may_take_reference(lo, name):
        return ()
    known = lo.signatures.get(name.rpartition("::")[2])
    changed = []
    for position, argument in enumerate(arguments):
        if argument.type != "identifier":
            continue
        local, scope, own = lo.resolve(lo.text(argument))
        if local is None or not own or scope != "local" or local.place is not None or local.is_constant:
            continue
        if cpptypes.is_const(local.ctype) or not cpptypes.is_arithmetic(local.ctype):
            continue
        if known is not None and all(_by_value(signature, position) for signature in known):
            continue
        changed.append(local.name)
    return tuple(dict.fromkeys(changed))


def _by_value(signature: tuple[str, ...], position: int) -> bool:
    if position >= len(signature):
        return True
    ctype = signature[position]
    return not ctype.endswith("&") or cpptypes.is_const(ctype)


def _dispatch(lo: Lowering, node: Node, arguments: list[Node], dst: Reg | None) -> Reg:
    """The lambda of a dispatch macro runs exactly once: its body stands here, where `return` permits."""
    function = macros.lambda_of(arguments[-1])
    body = function.child_by_field_name("body") if function is not None else None
    if body is None or not macros.returns_only_at_end(body):
        func = lo.value(arguments[-1])
        return _finish(lo, node, func, "std::", [], "", dst)
    lo.push()
    result: Reg | None = None
    lo.types.add("scalar_t")
    for statement in parts(body):
        if statement.type == "return_statement":
            inner = parts(statement)
            result = lo.value(inner[0], dst) if inner else None
        else:
            lo.statement(statement)
    lo.pop()
    return result if result is not None else lo.nothing(node, dst)
