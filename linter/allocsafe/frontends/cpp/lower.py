"""One function definition as steps: parameters, member initialisers, body.

Claim: `lower_function` gives the steps of exactly one definition, with registers and variables of its own; it never
fails but by `Unsupported`. What it gives up: nesting deeper than the interpreter's stack is unsupported.
"""

from __future__ import annotations

import re
from typing import Literal, cast

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.cpp import (
    allocations,
    control,
    cpptypes,
    expressions,
    outline,
    parameters,
    places,
)
from allocsafe.frontends.cpp.context import Hooks, Lowering
from allocsafe.frontends.cpp.frames import Frame
from allocsafe.frontends.cpp.text import words
from allocsafe.frontends.cpp.tree import Node, parts, walk
from allocsafe.ir.nodes import Arg, Call, Escape, Function, Load, Param, SetAttr
from allocsafe.source import Span

HOOKS = Hooks(
    expressions.value, control.statement, places.load_name, control.block, control.sequence, control.condition
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUALIFIERS = re.compile(
    r"\b(?:static|inline|constexpr|consteval|virtual|explicit|extern|const|noexcept|override|final|friend|volatile)\b"
)
_OF_FUNCTIONS = words("__global__ __device__ __host__ __forceinline__ __noinline__ __launch_bounds__")
_CUDA = frozenset(("__global__", "__device__"))


def whole_span(lo: Lowering, outer: Node) -> Span:
    """The span of a definition from its first qualifier."""
    span = lo.span(outer)
    start = lo.offset(outer)
    first = lo.prepared.before(start)
    if first == start:
        return span
    text = lo.prepared.text
    line = span.line - text.count("\n", first, start)
    return Span(span.path, line, first - text.rfind("\n", 0, first), span.end_line, span.end_column)


def lower_function(lo: Lowering, entry: outline.FunctionEntry) -> Function:
    """The definition `entry`, lowered into a fresh frame."""
    node = entry.node
    span = whole_span(lo, entry.outer)
    declarator = outline.function_declarator(node)
    body = node.child_by_field_name("body")
    head_end = body.start_byte if body is not None else node.end_byte
    qualifiers = _qualifiers(lo, entry, head_end)
    suffix_language = lo.language
    if qualifiers & _CUDA:
        lo.language = "cuda"
    lo.on_device = bool(qualifiers & _CUDA) and "__host__" not in qualifiers
    lo.frame = Frame(None, span)
    lo.types = {*entry.template}
    lo.qualname = entry.qualname
    lo.owner = entry.owner
    try:
        has_this = bool(entry.owner) and not entry.is_static
        params: list[Param] = []
        if has_this:
            lo.declare("this", f"{entry.owner}*")
            params.append(Param("this", "positional", None, f"{entry.owner}*"))
        with lo.builder.block() as defaults:
            inside = declarator.child_by_field_name("parameters") if declarator is not None else None
            params.extend(parameters.parameters(lo, inside))
        for child in _initialisers(node):
            _initialise(lo, child, entry.owner)
        if body is not None and body.type == "compound_statement":
            lo.push()
            control.whole_body(lo, body, _doubt(lo, entry.outer, body))
            lo.pop()
        else:
            for child in node.children:
                if child.type == "try_statement":
                    lo.statement(child)
        steps = lo.builder.close()
    except RecursionError:
        raise Unsupported(span, "nested too deeply") from None
    finally:
        language = lo.language
        lo.language = suffix_language
    head = lo.data[node.start_byte : node.end_byte].decode("utf-8", "replace")
    returned = node.child_by_field_name("type")
    return Function(
        entry.name,
        entry.qualname,
        tuple(params),
        steps,
        span,
        "method" if has_this else "function",
        cast(Literal["cpp", "cuda"], language),
        defaults=defaults.steps,
        returns=_returns(lo, node, returned),
        names=frozenset(_WORD.findall(head)),
        qualifiers=frozenset(qualifiers),
    )


_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(?:else|elif|endif)", re.MULTILINE)


def _doubt(lo: Lowering, outer: Node, body: Node) -> str:
    """Why the parser's idea of this body cannot be believed, or ""."""
    if _is_torn(lo, body):
        return "preprocessor branches cut through braces"
    return "statements after the end of the function: its braces do not match" if _is_cut(outer) else ""


_AFTER = words("if_statement for_statement while_statement return_statement switch_statement do_statement else_clause")


def _is_cut(outer: Node) -> bool:
    """Whether statements or a closing brace follow at the top level, which the body must have lost."""
    here = outer.next_sibling
    while here is not None and here.type not in {"function_definition", "template_declaration"}:
        if here.type in _AFTER or (here.type == "ERROR" and here.text.lstrip().startswith(b"}")):
            return True
        here = here.next_sibling
    return False


def _is_torn(lo: Lowering, body: Node) -> bool:
    """Whether an `#if` and its `#endif` stand in different blocks: the parser then takes all branches for code."""
    if not _DIRECTIVE.search(lo.text(body)):
        return False
    for inner in walk(body):
        if inner.type == "preproc_call":
            directive = inner.child_by_field_name("directive")
            if directive is not None and _DIRECTIVE.match(lo.text(directive)):
                return True
        elif inner.type in {"preproc_if", "preproc_ifdef"} and any(child.is_missing for child in inner.children):
            return True
    return False


def _returns(lo: Lowering, node: Node, ctype: Node | None) -> str:
    if ctype is None:
        return ""
    stars = ""
    here = node.child_by_field_name("declarator")
    while here is not None and here.type in {"pointer_declarator", "reference_declarator"}:
        stars += "*" if here.type == "pointer_declarator" else "&"
        here = here.child_by_field_name("declarator") or next(
            (child for child in parts(here) if child.type.endswith("declarator")), None
        )
    constant = (
        "const " if any(child.type == "type_qualifier" and lo.text(child) == "const" for child in node.children) else ""
    )
    return cpptypes.tidy(constant + lo.text(ctype)) + stars


def _qualifiers(lo: Lowering, entry: outline.FunctionEntry, head_end: int) -> set[str]:
    start = lo.prepared.before(lo.offset(entry.outer))
    blanked = {word for _, word in lo.prepared.qualifiers_in(start, lo.char_offset(head_end))}
    found = blanked & _OF_FUNCTIONS
    declarator = outline.function_declarator(entry.node)
    inside = declarator.child_by_field_name("parameters") if declarator is not None else None
    before = inside.start_byte if inside is not None else head_end
    first = entry.node.child_by_field_name("declarator")
    prefix = lo.data[entry.node.start_byte : min(before, first.start_byte if first is not None else before)]
    found |= set(_QUALIFIERS.findall(prefix.decode("utf-8", "replace"))) - {"const", "volatile"}
    if inside is not None:
        found |= set(
            _QUALIFIERS.findall(lo.data[inside.end_byte : head_end].decode("utf-8", "replace").partition(":")[0])
        )
    if entry.outer.type == "template_declaration":
        found.add("template")
    return found


def _initialisers(node: Node) -> list[Node]:
    return [
        child
        for listed in node.children
        if listed.type == "field_initializer_list"
        for child in parts(listed)
        if child.type == "field_initializer"
    ]


def _initialise(lo: Lowering, node: Node, owner: str) -> None:
    """`: a_(x)`: a member, or a base class."""
    span = lo.span(node)
    if node.has_error or not node.named_child_count:
        places.escape_names(lo, node, "could not be parsed")
        return
    children = parts(node)
    name = cpptypes.tidy(lo.text(children[0]))
    last = children[-1]
    braces = last if last.type == "initializer_list" else None
    arguments = parts(last) if last.type == "argument_list" else None
    this = places.load_this(lo, span)
    ctype = lo.member_types.get(name)
    if ctype is not None and not ctype.endswith("]"):
        lo.builder.emit(SetAttr(span, this, name, allocations.construct(lo, node, ctype, arguments, braces)))
        return
    listed = arguments if arguments is not None else (parts(braces) if braces is not None else [])
    found = allocations.values(lo, listed)
    if name in lo.members or name.endswith("_") or name.startswith("m_") or not name[:1].isupper():
        reg = lo.opaque(node, f"member `{name}`, whose type is declared elsewhere", found)
        lo.builder.emit(SetAttr(span, this, name, reg))
        return
    func, result = lo.reg(), lo.reg()
    lo.builder.emit(Load(span, func, name, "global"))
    lo.builder.emit(Call(span, result, func, tuple(Arg(reg) for reg in (this, *found))))
    if name.partition("<")[0] != owner:
        lo.builder.emit(Escape(span, (this,), f"the constructor of `{name}` runs on this object"))
