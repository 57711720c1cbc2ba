"""One C++ or CUDA file as its frontend reads it.

Claim: opening a unit costs a scan of the text and one parse; a function is lowered when somebody asks for it, once. A
file that no parser should be given (larger than `_LARGEST`) is unsupported, so that no input hangs. What it gives up:
nothing is expanded, so what macros hide stays hidden.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from allocsafe.frontends.base import Definition, Unsupported
from allocsafe.frontends.cpp.text import defined_words, prepare
from allocsafe.ir.nodes import ClassDef, Function, FunctionStub, Param
from allocsafe.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from allocsafe.frontends.cpp.context import Lowering
    from allocsafe.frontends.cpp.outline import ClassEntry, FunctionEntry, Outline
    from allocsafe.frontends.cpp.tree import Node

SUFFIXES = (".cpp", ".cc", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".hh", ".hxx", ".c", ".inl", ".ipp")
_LARGEST = 3_000_000
_TOOL = "allocsafe"


@lru_cache(maxsize=1)
def _parser() -> Any:
    tree_sitter: Any = import_module("tree_sitter")
    grammar: Any = import_module("tree_sitter_cpp")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language()))


def open_unit(source: Source) -> CppUnit:
    """The unit of a file. Raises `Unsupported` for what no parser should be given."""
    return CppUnit(source)


class CppUnit:
    """A C++ or CUDA file."""

    def __init__(self, source: Source) -> None:
        if len(source.text) > _LARGEST:
            raise Unsupported(Span(source.path, 1, 1, 1, 1), f"larger than {_LARGEST // 1_000_000} million characters")
        from allocsafe.frontends.cpp.context import Lowering
        from allocsafe.frontends.cpp.lower import HOOKS
        from allocsafe.frontends.cpp.outline import outline

        self.source = source
        self._prepared = prepare(source.text)
        is_cuda = source.path.endswith((".cu", ".cuh"))
        self.language: str = "cuda" if is_cuda or self._prepared.has_cuda else "cpp"
        data = self._prepared.text.encode("utf-8", "surrogatepass" if source.text.isascii() else "replace")
        self._tree = _parser().parse(data)
        self._lowering: Lowering = Lowering(source, self._prepared, data, "cuda" if is_cuda else "cpp", HOOKS)
        self._lowering.macros = defined_words(self._prepared.text)
        self._outline: Outline = outline(self._lowering, self._tree.root_node)
        self._stubs: dict[str, FunctionStub] = {}
        self._classes: dict[str, ClassDef] = {}
        self._toplevel: Function | None = None
        self._has_signatures = False
        self.definitions: tuple[Definition, ...] = self._definitions()

    def _definitions(self) -> tuple[Definition, ...]:
        from allocsafe.frontends.cpp.lower import whole_span
        from allocsafe.frontends.cpp.outline import FunctionEntry

        found: list[Definition] = []
        kinds: tuple[tuple[Literal["function", "class"], Iterable[FunctionEntry | ClassEntry]], ...] = (
            ("function", self._outline.functions.values()),
            ("class", self._outline.classes.values()),
        )
        for kind, entries in kinds:
            for entry in entries:
                span = whole_span(self._lowering, entry.outer)
                owner = entry.owner if isinstance(entry, FunctionEntry) else entry.qualname.rpartition(".")[0]
                found.append(Definition(entry.qualname, kind, span.line, span.end_line, owner))
        found.sort(key=lambda one: (one.first_line, -one.last_line))
        return tuple(found)

    def function(self, qualname: str) -> FunctionStub | None:
        entry = self._outline.functions.get(qualname)
        if entry is None:
            return None
        stub = self._stubs.get(qualname)
        if stub is None:
            from allocsafe.frontends.cpp.lower import whole_span

            loader = _Loader(self, entry)
            span = whole_span(self._lowering, entry.outer)
            stub = FunctionStub(entry.name, qualname, span, loader, (), entry.owner)
            self._stubs[qualname] = stub
        return stub

    def klass(self, qualname: str) -> ClassDef | None:
        entry = self._outline.classes.get(qualname)
        if entry is None:
            return None
        if qualname not in self._classes:
            lo = self._lowering
            methods: dict[str, FunctionStub] = {}
            for one in self._outline.functions.values():
                if one.owner == qualname:
                    stub = self.function(one.qualname)
                    if stub is not None:
                        methods[one.qualname[len(qualname) + 1 :]] = stub
            self._classes[qualname] = ClassDef(
                entry.name,
                qualname,
                lo.span(entry.outer),
                _bases(lo, entry.node),
                methods,
                fields=_fields(lo, entry.node),
            )
        return self._classes[qualname]

    def toplevel(self) -> Function:
        if self._toplevel is None:
            from allocsafe.frontends.cpp.toplevel import lower_toplevel

            self._toplevel = lower_toplevel(self._lowering, self._tree.root_node)
        return self._toplevel

    def at_line(self, line: int) -> Definition | None:
        best: Definition | None = None
        for one in self.definitions:
            if one.first_line <= line <= one.last_line and (
                best is None or one.last_line - one.first_line <= best.last_line - best.first_line
            ):
                best = one
        return best

    def comments(self) -> Iterable[tuple[int, str]]:
        text = self.source.text
        for offset, comment in self._prepared.comments:
            if _TOOL in comment:
                first = text.count("\n", 0, offset) + 1
                for number, row in enumerate(comment.split("\n")):
                    if _TOOL in row:
                        yield first + number, row.strip()

    def lower(self, entry: FunctionEntry) -> Function:
        """Lowers one definition. Callers use `function(...).load()`, which remembers the answer."""
        from allocsafe.frontends.cpp.lower import lower_function

        lo = self._lowering
        self._read_signatures()
        owner = self._outline.classes.get(entry.owner)
        fields = _fields(lo, owner.node) if owner is not None else ()
        methods = {one.name for one in self._outline.functions.values() if one.owner == entry.owner and entry.owner}
        lo.members = frozenset({field.name for field in fields} | methods | _declared_methods(lo, owner))
        lo.member_types = {field.name: field.annotation for field in fields}
        return lower_function(lo, entry)

    def _read_signatures(self) -> None:
        """The parameter types of every function of the file, by name: who takes a number by reference."""
        if self._has_signatures:
            return
        self._has_signatures = True
        from allocsafe.frontends.cpp.declarators import parameter_type
        from allocsafe.frontends.cpp.outline import function_declarator

        lo = self._lowering
        for entry in self._outline.functions.values():
            declarator = function_declarator(entry.node)
            inside = declarator.child_by_field_name("parameters") if declarator is not None else None
            listed = [] if inside is None else [one for one in inside.named_children if "parameter" in one.type]
            lo.signatures.setdefault(entry.name, []).append(tuple(parameter_type(lo, one) for one in listed))


class _Loader:
    """Lowers a definition at the first call."""

    __slots__ = ("_entry", "_error", "_function", "_unit")

    def __init__(self, unit: CppUnit, entry: FunctionEntry) -> None:
        self._unit = unit
        self._entry = entry
        self._function: Function | None = None
        self._error: Unsupported | None = None

    def __call__(self) -> Function:
        if self._error is not None:
            raise self._error
        if self._function is None:
            try:
                self._function = self._unit.lower(self._entry)
            except Unsupported as error:
                self._error = error
                raise
        return self._function


def _bases(lo: Lowering, node: Node) -> tuple[str, ...]:
    from allocsafe.frontends.cpp.cpptypes import tidy

    for child in node.named_children:
        if child.type == "base_class_clause":
            kinds = {"type_identifier", "qualified_identifier", "template_type"}
            return tuple(tidy(lo.text(base)) for base in child.named_children if base.type in kinds)
    return ()


def _fields(lo: Lowering, node: Node) -> tuple[Param, ...]:
    from allocsafe.frontends.cpp.cpptypes import tidy
    from allocsafe.frontends.cpp.declarators import base_type, take_apart

    found: list[Param] = []
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else []:
        if child.type != "field_declaration":
            continue
        base = base_type(lo, child)
        for declarator in child.children_by_field_name("declarator"):
            taken = take_apart(lo, declarator)
            if taken.name is not None and not taken.is_function:
                suffix = "".join(f"[{lo.text(one) if one is not None else ''}]" for one in taken.extents)
                found.append(Param(lo.text(taken.name), "positional", None, tidy(base + taken.stars) + suffix))
    return tuple(found)


def _declared_methods(lo: Lowering, owner: ClassEntry | None) -> set[str]:
    """Methods that the class declares without a body."""
    found: set[str] = set()
    body = owner.node.child_by_field_name("body") if owner is not None else None
    for child in body.named_children if body is not None else []:
        if child.type in {"field_declaration", "declaration"}:
            for declarator in child.children_by_field_name("declarator"):
                if declarator.type == "function_declarator":
                    named = declarator.child_by_field_name("declarator")
                    if named is not None and named.type == "field_identifier":
                        found.add(lo.text(named))
    return found
