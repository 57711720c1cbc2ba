"""Statements: branches, switches, exceptions, jumps, preprocessor branches, and what could not be parsed.

Claim: every statement kind is lowered or becomes an escape of the variables it names, with a possible exit where it
holds a jump. A syntax error that may hide structure (a brace, a keyword) spoils the whole block around it, because
nobody can tell what belongs to which branch. What it gives up: `goto` forgets everything at its labels; a switch
whose cases fall through is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from allocsafe.frontends.cpp import allocations, cpptypes, declarations, loops, places, switches
from allocsafe.frontends.cpp.context import Lowering
from allocsafe.frontends.cpp.jumps import jump, label, throw, try_block
from allocsafe.frontends.cpp.preprocessor import preprocessor
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Assume, Break, Continue, If, Reg, Return

_HIDES = re.compile(r"[{}#]|\b(?:if|else|for|while|do|switch|case|return|goto|try|catch|break|continue)\b")


_SILENT = words(
    """comment ; static_assert_declaration alias_declaration type_definition using_declaration
    namespace_alias_definition preproc_call preproc_def preproc_function_def preproc_undef
    class_specifier struct_specifier enum_specifier union_specifier template_declaration
    friend_declaration empty_statement concept_definition access_specifier attribute_declaration"""
)


_COMPOUND = words(
    """compound_statement if_statement for_statement for_range_loop while_statement do_statement
    switch_statement try_statement preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef
    labeled_statement attributed_statement else_clause case_statement"""
)


_HEADS = frozenset(("condition_clause", "parenthesized_expression", "declaration", "init_statement"))
_BARE = words("identifier qualified_identifier this true false")
_LISTS = words("compound_statement preproc_if preproc_ifdef preproc_else preproc_elif case_statement")


def statement(lo: Lowering, node: Node) -> None:
    kind = node.type
    if kind == "static_assert_declaration" and not node.has_error:
        tested = node.child_by_field_name("condition")
        if tested is not None:  # what the compiler has checked holds
            lo.builder.emit(Assume(lo.span(node), lo.value(tested)))
        return
    if kind in _SILENT:
        _note_types(lo, node)
        return
    if kind == "ERROR" or (node.has_error and (kind not in _COMPOUND or broken_head(node))):
        places.escape_names(lo, node, "could not be parsed")
        return
    handler = _HANDLERS.get(kind)
    if handler is not None:
        handler(lo, node)
    elif kind.endswith(("_expression", "_literal")) or kind in _BARE:
        lo.value(node)
    else:
        places.escape_names(lo, node, f"`{kind.replace('_', ' ')}` is not modelled")


def broken_head(node: Node) -> bool:
    """Whether an error lies outside the bodies, or hides the structure of the block."""
    for child in node.children:
        if child.is_missing or child.type == "ERROR":
            if node.type == "compound_statement" and child.type == "ERROR" and not _hides(child):
                continue
            return True
        if child.has_error and child.type in _HEADS and node.type not in _LISTS:
            return True
    if node.type in {"for_statement", "for_range_loop"}:
        body = node.child_by_field_name("body")
        return any(child.has_error for child in node.children if body is None or child != body)
    return False


def _hides(node: Node) -> bool:
    return bool(_HIDES.search(node.text.decode("utf-8", "replace")))


def _note_types(lo: Lowering, node: Node) -> None:
    if node.type == "alias_declaration":
        name = node.child_by_field_name("name")
        if name is not None:
            lo.types.add(lo.text(name))
    elif node.type == "type_definition":
        for name in node.children_by_field_name("declarator"):
            lo.types.add(lo.text(name))


def block(lo: Lowering, node: Node) -> None:
    """A body: statements in a scope of their own."""
    lo.push()
    try:
        if node.type == "compound_statement":
            whole_body(lo, node)
        else:
            statement(lo, node)
    finally:
        lo.pop()


def whole_body(lo: Lowering, node: Node, doubt: str = "") -> None:
    """The statements of a block. Where its structure is in doubt, all that they name escapes, and they are lowered too.

    So what is allocated there is still seen, and nothing about it is believed.
    """
    if not doubt and node.has_error and broken_head(node):
        doubt = "could not be parsed"
    if not doubt or lo.frame.doubt:
        sequence(lo, node.children)
        return
    places.escape_names(lo, node, doubt)
    lo.frame.doubt = doubt
    sequence(lo, node.children)
    lo.frame.doubt = ""


def sequence(lo: Lowering, nodes: list[Node]) -> None:
    """Statements in a row. A macro without `;` before a block owns the block, and nobody knows how often it runs."""
    after_macro = False
    for node in nodes:
        if not node.is_named and node.type != "ERROR":
            continue
        if after_macro and node.type == "compound_statement":
            places.escape_names(lo, node, "the block of a macro, which may run it any number of times")
            after_macro = False
            continue
        after_macro = node.type == "expression_statement" and any(child.is_missing for child in node.children)
        statement(lo, node)
        if lo.frame.doubt:
            places.escape_names(lo, node, lo.frame.doubt)


def _expression(lo: Lowering, node: Node) -> None:
    for child in parts(node):
        lo.value(child)


def condition(lo: Lowering, node: Node) -> str:
    """The value of a condition; its own declarations go to the scope that is open."""
    if node.type != "condition_clause":
        return lo.value(node)
    first = node.child_by_field_name("initializer")
    if first is not None:
        inner = parts(first) if first.type == "init_statement" else [first]
        for child in inner:
            statement(lo, child)
    value = node.child_by_field_name("value")
    if value is None:
        return lo.opaque(node, "a condition that cannot be seen")
    if value.type == "declaration":
        return declarations.declare_condition(lo, value)
    return lo.value(value)


def _if(lo: Lowering, node: Node) -> None:
    lo.push()
    cond = condition(lo, node.child_by_field_name("condition"))
    with lo.builder.block() as then:
        body = node.child_by_field_name("consequence")
        if body is not None:
            block(lo, body)
    with lo.builder.block() as orelse:
        other = node.child_by_field_name("alternative")
        if other is not None:
            for child in parts(other):
                block(lo, child)
    lo.builder.emit(If(lo.span(node), cond, then.steps, orelse.steps))
    lo.pop()


def _return(lo: Lowering, node: Node) -> None:
    inner = parts(node)
    src = None if not inner else _copied_out(lo, inner[0]) or lo.value(inner[0])
    lo.builder.emit(Return(lo.span(node), src))


def _copied_out(lo: Lowering, node: Node) -> Reg | None:
    """The copy that a `std::array` returned by value is; None for what is handed out as it is."""
    local = lo.resolve(lo.text(node))[0] if node.type == "identifier" else None
    if local is None or not cpptypes.is_array(local.ctype) or cpptypes.is_reference(local.ctype):
        return None
    if _returns_reference(node):
        return None
    return allocations.copy_of(lo, node, cpptypes.head_and_arguments(local.ctype)[1][0], None)


def _returns_reference(node: Node) -> bool:
    """Whether the function around returns a reference."""
    around = node.parent
    while around is not None and around.type not in {"function_definition", "lambda_expression"}:
        around = around.parent
    declarator = around.child_by_field_name("declarator") if around is not None else None
    if declarator is None:
        return False
    return declarator.type == "reference_declarator" or any(
        child.type == "trailing_return_type" and cpptypes.is_reference(child.text.decode("utf-8", "replace"))
        for child in walk(declarator)
    )


def _attributed(lo: Lowering, node: Node) -> None:
    for child in parts(node):
        if child.type != "attribute_declaration":
            statement(lo, child)


def _lost_else(lo: Lowering, node: Node) -> None:
    places.escape_names(lo, node, "an else without its if")


_HANDLERS: dict[str, Callable[[Lowering, Node], None]] = {
    "compound_statement": block,
    "expression_statement": _expression,
    "declaration": declarations.declare,
    "if_statement": _if,
    "for_statement": loops.for_loop,
    "for_range_loop": loops.range_loop,
    "while_statement": loops.while_loop,
    "do_statement": loops.do_loop,
    "switch_statement": switches.switch,
    "return_statement": _return,
    "throw_statement": throw,
    "try_statement": try_block,
    "break_statement": lambda lo, node: lo.builder.emit(Break(lo.span(node))),
    "continue_statement": lambda lo, node: lo.builder.emit(Continue(lo.span(node))),
    "goto_statement": jump,
    "labeled_statement": label,
    "attributed_statement": _attributed,
    "preproc_if": preprocessor,
    "preproc_ifdef": preprocessor,
    "preproc_else": preprocessor,
    "else_clause": _lost_else,
}
