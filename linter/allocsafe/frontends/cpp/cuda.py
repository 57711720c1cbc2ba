"""CUDA: launches, memory spaces.

Claim: `kernel<<<grid, block, bytes, stream>>>(args)` evaluates the kernel, the configuration, the arguments, and is
one `Launch`. Memory that the threads of a block share, or that the host fills, is opaque: what one thread sees there,
others wrote.
"""

from __future__ import annotations

from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts
from allocsafe.ir.nodes import Launch, Load, Reg

_SPACES = {
    "__shared__": "memory shared by the threads of a block",
    "__constant__": "constant memory, which the host fills",
    "__managed__": "managed memory, which the host fills",
}


def is_launch(lo: Lowering, function: Node) -> bool:
    """Whether `function` is the first call of `f(  g, b)  (x)`, which a launch was rewritten to."""
    if function.type != "call_expression" or not lo.prepared.launches:
        return False
    inside = function.child_by_field_name("arguments")
    return inside is not None and lo.offset(inside) in lo.prepared.launches


def launch(lo: Lowering, node: Node, function: Node, arguments: list[Node], dst: Reg | None) -> Reg:
    from allocsafe.frontends.cpp.calls import argument_of, name_and_template

    named = function.child_by_field_name("function")
    if named.type in {"template_function", "qualified_identifier"}:
        kernel = lo.reg()
        lo.builder.emit(Load(lo.span(named), kernel, name_and_template(lo, named)[0], "global"))
    else:
        kernel = lo.value(named)
    configuration = [lo.value(part) for part in parts(function.child_by_field_name("arguments"))]
    while len(configuration) < 2:
        configuration.append(lo.opaque(function, "a launch configuration that cannot be seen"))
    args = tuple(argument_of(lo, argument) for argument in arguments)
    lo.builder.emit(Launch(lo.span(node), kernel, configuration[0], configuration[1], args))
    return lo.nothing(node, dst)


def memory_space(lo: Lowering, node: Node) -> str:
    """Why the memory that this declaration makes is opaque, or ""."""
    start, end = lo.offset(node), lo.char_offset(node.end_byte)
    start = lo.prepared.before(start)
    for _, word in lo.prepared.qualifiers_in(start, end):
        if word in _SPACES:
            return _SPACES[word]
    return ""
