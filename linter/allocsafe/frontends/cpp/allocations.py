"""Memory that syntax makes: `T x(..)`, `T x{..}`, `T{..}`, `new T[n]`, containers, owners.

Claim: `construct` is the one place that says what a type with arguments in parentheses or braces starts as.
`std::vector<T>(n)` holds zeros, `(n, x)` holds x, `{a, b}` holds a and b, `std::array<T, N>` without an initialiser
holds nothing, `new T[n]` neither, `new T[n]()` zeros. Why that suffices: these are the language's rules; a type
that is not known here becomes a call of its constructor. What it gives up: `std::vector<T> v(x)` of an `x` whose
type cannot be seen is taken for a count unless x is declared as a container.
"""

from __future__ import annotations

import re

from allocsafe.frontends.cpp import cpptypes, places
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Alloc, Arg, Call, Cast, GetAttr, Load, Reg, Start

_CONTAINER = re.compile(r"vector|Array|array|List|list|Vector|span|Sizes|initializer_list|deque|set|map")


def values(lo: Lowering, nodes: list[Node]) -> tuple[Reg, ...]:
    """The values of several expressions; `.member = x` in braces gives x."""
    found = []
    for node in nodes:
        if node.type == "initializer_pair":
            found.append(lo.value(node.child_by_field_name("value")))
        else:
            found.append(lo.value(node))
    return tuple(found)


def construct(
    lo: Lowering, node: Node, ctype: str, arguments: list[Node] | None, braces: Node | None, dst: Reg | None = None
) -> Reg:
    """The value of a new `ctype`: `arguments` stand in parentheses (None: none written), `braces` in braces."""
    head, inner = cpptypes.head_and_arguments(ctype)
    if head in cpptypes.VECTORS:
        return _vector(lo, node, inner[0] if inner else "auto", arguments, braces, dst)
    if head in cpptypes.ARRAYS and len(inner) == 2:
        return _array(lo, node, inner, arguments, braces, dst)
    listed = arguments if braces is None else parts(braces)
    if head in cpptypes.OWNERS:
        found = values(lo, listed or [])
        return _same(lo, node, found[0], dst) if found else lo.constant(node, None, dst)
    if cpptypes.is_indeterminate(ctype, lo.types) or not head:
        if listed is None:
            return scalar(lo, node, ctype, dst)
        if not listed:
            return lo.constant(node, None if cpptypes.is_pointer(ctype) else 0, dst)
        found = values(lo, listed)
        return _same(lo, node, found[0], dst) if len(found) == 1 else lo.opaque(node, f"a {ctype}", found, dst)
    return call_named(lo, node, head, listed or [], dst, ", ".join(inner))


def convert(lo: Lowering, node: Node, ctype: str, arguments: list[Node], dst: Reg | None = None) -> Reg:
    """`T(x)`: a cast for a number, a construction otherwise."""
    if len(arguments) == 1 and cpptypes.is_indeterminate(ctype, lo.types):
        src = lo.value(arguments[0])
        dst = dst or lo.reg()
        lo.builder.emit(Cast(lo.span(node), dst, src, ctype))
        return dst
    return construct(lo, node, ctype, arguments, None, dst)


def scalar(lo: Lowering, node: Node, ctype: str, dst: Reg | None = None) -> Reg:
    dst = dst or lo.reg()
    lo.builder.emit(Alloc(lo.span(node), dst, "scalar", cpptypes.bare(ctype), (), "none"))
    return dst


def call_named(
    lo: Lowering, node: Node, name: str, arguments: list[Node], dst: Reg | None = None, template: str = ""
) -> Reg:
    """A call of a global by its name; `.member = x` arguments keep their names."""
    span = lo.span(node)
    func = lo.reg()
    lo.builder.emit(Load(span, func, name, "global"))
    args = []
    for argument, reg in zip(arguments, values(lo, arguments), strict=True):
        label = None
        if argument.type == "initializer_pair":
            designator = argument.child_by_field_name("designator")
            label = lo.text(designator).lstrip(".") if designator is not None else None
        args.append(Arg(reg, label))
    dst = dst or lo.reg()
    lo.builder.emit(Call(span, dst, func, tuple(args), template))
    return dst


def _same(lo: Lowering, node: Node, reg: Reg, dst: Reg | None) -> Reg:
    if dst is None or dst == reg:
        return reg
    lo.builder.emit(Cast(lo.span(node), dst, reg, ""))
    return dst


def _vector(
    lo: Lowering, node: Node, element: str, arguments: list[Node] | None, braces: Node | None, dst: Reg | None
) -> Reg:
    span = lo.span(node)
    emit = lo.builder.emit
    if braces is not None:
        listed = parts(braces)
        if len(listed) == 1 and is_container(lo, listed[0]):
            return copy_of(lo, listed[0], element, dst, span_of=node)
        items = values(lo, listed)
        extents = (lo.constant(node, len(items)),) if items else ()
        dst = dst or lo.reg()
        emit(Alloc(span, dst, "vector", element, extents, "list" if items else "value", items))
        return dst
    listed = arguments or []
    if len(listed) == 1:
        if listed[0].type == "initializer_list":
            return _vector(lo, node, element, None, listed[0], dst)
        if is_container(lo, listed[0]):
            return copy_of(lo, listed[0], element, dst, span_of=node)
    if len(listed) >= 2:
        whole = _whole_range(lo, listed)
        if whole is not None:
            return copy_of(lo, whole, element, dst, span_of=node)
        if any(_is_iterator(lo, argument) for argument in listed[:2]):
            return call_named(lo, node, "std::vector", listed, dst, element)
    found = values(lo, listed)
    dst = dst or lo.reg()
    emit(Alloc(span, dst, "vector", element, found[:1], "value", found[1:2]))
    return dst


def _array(
    lo: Lowering,
    node: Node,
    inner: tuple[str, ...],
    arguments: list[Node] | None,
    braces: Node | None,
    dst: Reg | None,
) -> Reg:
    span = lo.span(node)
    listed = parts(braces) if braces is not None else (arguments or [])
    while len(listed) == 1 and listed[0].type == "initializer_list":  # `{{1, 2}}`
        braces, listed = listed[0], parts(listed[0])
    if len(listed) == 1 and is_container(lo, listed[0]):
        return copy_of(lo, listed[0], inner[0], dst, span_of=node)
    count: Reg
    if inner[1].isdigit():
        count = lo.constant(node, int(inner[1]))
    else:
        count = lo.reg()
        if lo.resolve(inner[1])[0] is not None:
            count = places.load_name(lo, inner[1], span)
        elif re.fullmatch(r"[\w:]+", inner[1]):
            lo.builder.emit(Load(span, count, inner[1], "global"))
        else:
            count = lo.opaque(node, f"the constant `{inner[1]}`")
    items = values(lo, listed)
    init: Start = "none" if braces is None and arguments is None else ("list" if items else "value")
    dst = dst or lo.reg()
    lo.builder.emit(Alloc(span, dst, "array", inner[0], (count,), init, items))
    return dst


def copy_of(lo: Lowering, node: Node, element: str, dst: Reg | None, span_of: Node | None = None) -> Reg:
    """A container that starts as a copy of the value of `node`."""
    src = lo.value(node)
    dst = dst or lo.reg()
    lo.builder.emit(Alloc(lo.span(span_of or node), dst, "vector", element, (), "copy", (src,)))
    return dst


def is_container(lo: Lowering, node: Node) -> bool:
    """Whether an expression is surely a container: a declared one, or `x.vec()`, `x.sizes().vec()`, `std::move(v)`."""
    if node.type == "parameter_declaration" and node.named_child_count == 1:  # `v(w)`, see `vexed`
        node = node.named_children[0]
    if node.type in {"identifier", "type_identifier"}:
        local = lo.resolve(lo.text(node))[0]
        ctype = local.ctype if local is not None else ""
        return bool(_CONTAINER.search(cpptypes.head_and_arguments(ctype)[0])) and not cpptypes.is_pointer(ctype)
    if node.type == "call_expression":
        head = cpptypes.tidy(lo.text(node.child_by_field_name("function")))
        return head.endswith((".vec", ".sizes", ".strides", "std::move", ".toIntVector"))
    return False


def copied_container(lo: Lowering, left: Node, right: Node) -> str:
    """The element type if `left = right` copies a container, else "": both names are declared containers."""
    if left.type != "identifier" or right.type != "identifier":
        return ""
    local = lo.resolve(lo.text(left))[0]
    if local is None or cpptypes.is_reference(local.ctype):
        return ""
    if not (cpptypes.is_vector(local.ctype) or cpptypes.is_array(local.ctype)) or not is_container(lo, right):
        return ""
    inner = cpptypes.head_and_arguments(local.ctype)[1]
    return inner[0] if inner else "auto"


def _whole_range(lo: Lowering, listed: list[Node]) -> Node | None:
    """The container x of `(x.begin(), x.end())`."""
    if len(listed) != 2 or any(argument.type != "call_expression" for argument in listed):
        return None
    ends = []
    for argument, names in zip(listed, (("begin", "cbegin"), ("end", "cend")), strict=True):
        function = argument.child_by_field_name("function")
        if function.type != "field_expression":
            return None
        if lo.text(function.child_by_field_name("field")) not in names:
            return None
        ends.append(function.child_by_field_name("argument"))
    return ends[0] if ends[0].type == "identifier" and lo.text(ends[0]) == lo.text(ends[1]) else None


def _is_iterator(lo: Lowering, node: Node) -> bool:
    text = lo.text(node)
    if re.search(r"\b(?:c?r?begin|c?r?end|data|data_ptr|const_data_ptr|mutable_data_ptr|istream_iterator)\b", text):
        return True
    return any(
        cpptypes.is_pointer(local.ctype)
        for local in (lo.resolve(name)[0] for name in lo.identifiers(node))
        if local is not None
    )


def new(lo: Lowering, node: Node, dst: Reg | None) -> Reg:
    """`new T[n]`, `new T[n]()`, `new T(x)`."""
    if node.child_by_field_name("placement") is not None:
        return places.unknown(lo, node, "placement new", dst)
    ctype = cpptypes.tidy(lo.text(node.child_by_field_name("type")))
    declarator = node.child_by_field_name("declarator")
    arguments = node.child_by_field_name("arguments")
    span = lo.span(node)
    if declarator is None:
        if arguments is None and cpptypes.is_indeterminate(ctype, lo.types):
            dst = dst or lo.reg()
            lo.builder.emit(Alloc(span, dst, "new", ctype, (lo.constant(node, 1),), "none"))
            return dst
        if cpptypes.is_indeterminate(ctype, lo.types):
            items = values(lo, parts(arguments))
            dst = dst or lo.reg()
            one = lo.constant(node, 1)
            lo.builder.emit(Alloc(span, dst, "new", ctype, (one,), "list" if items else "value", items))
            return dst
        return call_named(lo, node, ctype, parts(arguments) if arguments is not None else [], dst, "new")
    extents: list[Reg] = []
    while declarator is not None and declarator.type == "new_declarator":
        length = declarator.child_by_field_name("length")
        extents.append(lo.value(length) if length is not None else lo.opaque(declarator, "an extent left out"))
        declarator = next((child for child in declarator.named_children if child.type == "new_declarator"), None)
    init: Start
    if arguments is None:
        init, items = ("none" if cpptypes.is_indeterminate(ctype, lo.types) else "value"), ()
    else:
        items = values(lo, parts(arguments))
        init = "list" if items else "value"
    dst = dst or lo.reg()
    if arguments is None and init == "value":
        # Elements of a class type: their constructor may leave members without a value.
        lo.opaque(node, f"an array of {ctype}, whose constructor is not looked into", tuple(extents), dst)
        return dst
    lo.builder.emit(Alloc(span, dst, "new", ctype, tuple(extents), init, items))
    return dst


def make_owner(
    lo: Lowering, node: Node, template: str, arguments: list[Node], dst: Reg | None, init: Start
) -> Reg | None:
    """`std::make_unique<T[]>(n)`: an array that `init` says the start of; None for other templates."""
    inner = cpptypes.head_and_arguments(f"x<{template}>")[1]
    if not inner or not inner[0].endswith("[]") or len(arguments) != 1:
        return None
    extents = values(lo, arguments)
    dst = dst or lo.reg()
    lo.builder.emit(Alloc(lo.span(node), dst, "new", inner[0][:-2], extents, init))
    return dst


def size_of_container(lo: Lowering, node: Node, obj: Reg) -> Reg:
    """`obj.size()`."""
    span = lo.span(node)
    func, dst = lo.reg(), lo.reg()
    lo.builder.emit(GetAttr(span, func, obj, "size"))
    lo.builder.emit(Call(span, dst, func))
    return dst
