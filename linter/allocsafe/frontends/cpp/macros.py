"""Macros that look like calls and are known by name: checks, and dispatchers that run a lambda exactly once.

Claim: after `TORCH_CHECK(c, ...)` the condition holds; its message is made only where it does not, and control ends
there. Why that suffices: all macros listed here throw or abort. `assert` is taken as checked, though a release build
drops it; the condition is evaluated either way.
"""

from __future__ import annotations

import re

from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Assume, Compare, Format, If, Raise, Reg

_CHECK = re.compile(
    r"(?:STD_)?TORCH_(?:INTERNAL_)?(?:CHECK|ASSERT)(?:_WITH|_ALWAYS|_DEBUG_ONLY|_INDEX|_VALUE|_TYPE|_NOT_IMPLEMENTED)?"
    r"|AT_ASSERTM?|AT_CHECK|TORCH_INTERNAL_ASSERT_DEBUG_ONLY|assert|CHECK|DCHECK|ICHECK|TVM_FFI_ICHECK|FLASHINFER_CHECK"
    r"|TLLM_CHECK(?:_WITH_INFO)?|HOST_ASSERT|DEVICE_ASSERT|CUTLASS_ASSERT|(?:host::|device::)?RuntimeCheck|CUTE_ASSERT|ASSERT|TORCH_CHECK_VALUE"
)
_COMPARING = re.compile(r"(?:STD_)?(?:TORCH_|TVM_FFI_I|D|I)?CHECK_(EQ|NE|LT|LE|GT|GE)")
_SIGNS = {"EQ": "==", "NE": "!=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_SILENT = frozenset(("TORCH_WARN_ONCE", "C10_UNUSED", "static_assert", "UNUSED", "(void)"))


def is_check(name: str) -> bool:
    return bool(_CHECK.fullmatch(name) or _COMPARING.fullmatch(name))


def is_dispatch(lo: Lowering, name: str, arguments: list[Node]) -> bool:
    """A macro that runs the lambda it is given, exactly once: `AT_DISPATCH_FLOATING_TYPES(t, "name", [&] {..})`."""
    return "DISPATCH" in name and name.upper() == name and bool(arguments) and lambda_of(arguments[-1]) is not None


def lambda_of(node: Node) -> Node | None:
    """The lambda that `node` is, parentheses taken off."""
    while node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    return node if node.type == "lambda_expression" else None


def check(lo: Lowering, node: Node, name: str, arguments: list[Node], dst: Reg | None) -> Reg:
    """Lowers a check to `Assume`."""
    span = lo.span(node)
    comparing = _COMPARING.fullmatch(name)
    if comparing and len(arguments) >= 2:
        cond = lo.reg()
        a, b = lo.value(arguments[0]), lo.value(arguments[1])
        lo.builder.emit(Compare(span, cond, _SIGNS[comparing[1]], a, b))
        message = arguments[2:]
    elif not arguments or (name.endswith("_WITH") and len(arguments) < 2):
        return lo.opaque(node, f"{name} without a condition", (), dst)
    else:
        skip = 1 if name.endswith("_WITH") else 0
        cond = lo.value(arguments[skip])
        message = arguments[skip + 1 :]
    if any(inner.type in {"identifier", "this"} for part in message for inner in walk(part)):
        with lo.builder.block() as failing:
            told = tuple(lo.value(part) for part in message)
            text = lo.reg()
            lo.builder.emit(Format(span, text, told))
            lo.builder.emit(Raise(span, text))
        lo.builder.emit(If(span, cond, (), failing.steps))
    lo.builder.emit(Assume(span, cond))
    return lo.nothing(node, dst)


def returns_only_at_end(body: Node) -> bool:
    """Whether a lambda's body may stand in place of its call: no `return` but a last one."""
    statements = parts(body)
    last = statements[-1] if statements else None
    return all(
        inner.type != "return_statement" or (last is not None and inner.start_byte == last.start_byte)
        for inner in _own_nodes(body)
    )


def _own_nodes(body: Node) -> list[Node]:
    """The nodes of a body without those of lambdas inside it."""
    found: list[Node] = []
    stack = [body]
    while stack:
        here = stack.pop()
        found.append(here)
        stack.extend(child for child in here.children if child.type != "lambda_expression")
    return found
