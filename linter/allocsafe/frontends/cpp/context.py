"""What every part of the lowering shares: the builder, the scopes, and places of nodes as spans.

Claim: a source name is resolved to one variable of the IR per declaration that is live: an inner declaration that
shadows an outer one gets a name of its own (`x#2`), so that a write to one is never taken for a write to the other. A
reference that is bound to a place (`auto& a = b`, `float& x = v[i]`) is no variable at all but another spelling of
that place; where the place cannot be spelled again (in a lambda, behind an `#if`) the use becomes an escape. What it
gives up: two declarations of one name in sibling blocks share a variable, which is right because every declaration
stores to it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.cpp.frames import Frame, Local, Place
from allocsafe.frontends.cpp.text import Prepared
from allocsafe.frontends.cpp.tree import Node, walk
from allocsafe.ir.builder import Builder
from allocsafe.ir.nodes import Const, Escape, Opaque, Reg, Scope
from allocsafe.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from allocsafe.frontends.cpp.text import Prepared


class Hooks(NamedTuple):
    """The parts of the lowering that call each other in circles, put together in `lower`."""

    value: Callable[[Lowering, Node, Reg | None], Reg]
    statement: Callable[[Lowering, Node], None]
    load_name: Callable[[Lowering, str, Span], Reg]
    block: Callable[[Lowering, Node], None]
    sequence: Callable[[Lowering, list[Node]], None]
    condition: Callable[[Lowering, Node], Reg]


class Lowering:
    """One file being lowered. `tree` nodes come from the prepared text."""

    def __init__(self, source: Source, prepared: Prepared, data: bytes, language: str, hooks: Hooks) -> None:
        self.hooks = hooks
        self.source = source
        self.prepared = prepared
        self.data = data
        self.language = language
        self.is_ascii = len(data) == len(prepared.text)
        self._rows: list[bytes] | None = None
        self._row_starts: list[int] | None = None
        self.frame = Frame()
        self.at_toplevel = False
        self.macros: dict[
            str, frozenset[str]
        ] = {}  # what the file defines: all words of the text, macros in it included
        self.on_device = False  # in a function that runs on the device only
        self.owner = ""
        self.members: frozenset[str] = frozenset()
        self.member_types: dict[str, str] = {}
        self.types: set[str] = set()
        self.qualname = ""
        self.signatures: dict[str, list[tuple[str, ...]]] = {}

    def value(self, node: Node, dst: Reg | None = None) -> Reg:
        """Lowers an expression; its value ends in the register that is returned (`dst` if given)."""
        return self.hooks.value(self, node, dst)

    def statement(self, node: Node) -> None:
        self.hooks.statement(self, node)

    def block(self, node: Node) -> None:
        """Lowers a body, in a scope of its own."""
        self.hooks.block(self, node)

    def sequence(self, nodes: list[Node]) -> None:
        self.hooks.sequence(self, nodes)

    def condition(self, node: Node) -> Reg:
        """The value of a condition; what it declares goes to the scope that is open."""
        return self.hooks.condition(self, node)

    # ---------------------------------------------------------------- text and places in it

    def text(self, node: Node) -> str:
        """The text of `node`, blanked qualifiers left out."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def span(self, node: Node) -> Span:
        first, last = node.start_point, node.end_point
        if self.is_ascii:
            return Span(self.source.path, first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 1)
        return Span(
            self.source.path,
            first[0] + 1,
            self._column(first[0], first[1]),
            last[0] + 1,
            self._column(last[0], last[1]),
        )

    def _column(self, row: int, column: int) -> int:
        if self._rows is None:
            self._rows = self.data.split(b"\n")
        if row >= len(self._rows):
            return column + 1
        return len(self._rows[row][:column].decode("utf-8", "replace")) + 1

    def offset(self, node: Node) -> int:
        """The character offset of the first character of `node`."""
        start: int = node.start_byte
        return start if self.is_ascii else self.char_offset(start)

    def char_offset(self, byte: int) -> int:
        if self.is_ascii:
            return byte
        if self._row_starts is None:
            starts, chars = [], 0
            self._byte_starts: list[int] = []
            at = 0
            for row in self.data.split(b"\n"):
                starts.append(chars)
                self._byte_starts.append(at)
                chars += len(row.decode("utf-8", "replace")) + 1
                at += len(row) + 1
            self._row_starts = starts
        from bisect import bisect_right

        row_at = bisect_right(self._byte_starts, byte) - 1
        begin = self._byte_starts[row_at]
        return self._row_starts[row_at] + len(self.data[begin:byte].decode("utf-8", "replace"))

    # ---------------------------------------------------------------- steps

    @property
    def builder(self) -> Builder:
        return self.frame.builder

    def reg(self) -> Reg:
        return self.frame.builder.fresh()

    def opaque(self, node: Node, reason: str, uses: tuple[Reg, ...] = (), dst: Reg | None = None) -> Reg:
        dst = dst or self.reg()
        self.builder.emit(Opaque(self.span(node), dst, uses, reason))
        return dst

    def constant(self, node: Node, value: object, dst: Reg | None = None) -> Reg:
        dst = dst or self.reg()
        self.builder.emit(Const(self.span(node), dst, value))
        return dst

    def nothing(self, node: Node, dst: Reg | None = None) -> Reg:
        """The value of an expression of type void."""
        return self.constant(node, None, dst)

    def escape(self, node: Node, reason: str, uses: tuple[Reg, ...] = (), names: tuple[str, ...] = ()) -> None:
        self.builder.emit(Escape(self.span(node), uses, reason, names))

    # ---------------------------------------------------------------- names

    def push(self) -> None:
        self.frame.scopes.append({})

    def pop(self) -> None:
        self.frame.scopes.pop()

    def declare(self, name: str, ctype: str = "", is_constant: bool = False, place: Place | None = None) -> Local:
        """Declares `name` in the innermost scope; a live outer declaration keeps its variable."""
        frame = self.frame
        scope = frame.scopes[-1]
        known = scope.get(name)
        if known is not None and place is None and known.place is None:
            local = Local(known.name, ctype, is_constant)
        else:
            unique = name
            if frame.find(name) is not None:
                live = {entry.name for one in frame.scopes for entry in one.values()}
                number = 1
                while unique in live:
                    number += 1
                    unique = f"{name}#{number}"
            local = Local(unique, ctype, is_constant, place)
        scope[name] = local
        if place is None:
            frame.names.add(local.name)
        return local

    def scope_here(self) -> Scope:
        """The table that a declaration goes to."""
        return "global" if self.at_toplevel and self.frame.outer is None else "local"

    def resolve(self, name: str) -> tuple[Local | None, Scope, bool]:
        """The declaration of `name`, the table it lives in, and whether it belongs to this very function."""
        return self._resolve(self.frame, name)

    def _resolve(self, frame: Frame, name: str) -> tuple[Local | None, Scope, bool]:
        local = frame.find(name)
        if local is not None:
            return local, "global" if self.at_toplevel and frame.outer is None else "local", True
        if frame.outer is None:
            return None, "global", False
        local, scope, _ = self._resolve(frame.outer, name)
        if local is None or scope == "global":
            return local, scope, False
        if (frame.by_value is None or name in frame.by_value) and not local.is_constant:
            return self._capture(frame, name, local), "local", True
        return local, "enclosing", False

    def _capture(self, frame: Frame, name: str, local: Local) -> Local:
        """A copy that a lambda takes along: a parameter whose default is loaded where the lambda is made."""
        assert frame.outer is not None
        inner = self.frame
        self.frame = frame.outer
        try:
            reg = self.hooks.load_name(self, name, frame.span)
        finally:
            self.frame = inner
        own = Local(name, local.ctype.replace("&", ""))
        frame.scopes[0][name] = own
        frame.names.add(name)
        frame.captures.append((name, reg))
        return own

    def is_member(self, name: str) -> bool:
        """Whether a name without declaration is a member of the class of this method."""
        if not self.owner or "this" not in self._visible_names():
            return False
        return name in self.members or (name.endswith("_") and len(name) > 1) or name.startswith("m_")

    def _visible_names(self) -> set[str]:
        frame: Frame | None = self.frame
        while frame is not None and frame.outer is not None:
            frame = frame.outer
        return frame.names if frame is not None else set()

    def identifiers(self, node: Node) -> list[str]:
        """All identifiers in `node`, in order, each once."""
        seen: dict[str, None] = {}
        for inner in walk(node):
            if inner.type in {"identifier", "type_identifier"} and inner.child_count == 0:
                seen.setdefault(self.text(inner))
        return list(seen)

    def variables_in(self, node: Node) -> tuple[list[str], list[str]]:
        """The local variables in `node` by their IR names, and the source names that some place can be loaded from."""
        names: list[str] = []
        loadable: list[str] = []
        for name in self.identifiers(node):
            local, scope, own = self.resolve(name)
            if local is None:
                continue
            if own and scope == "local" and local.place is None:
                names.append(local.name)
            loadable.append(name)
        return names, loadable

    def refuse(self, node: Node, reason: str) -> Unsupported:
        return Unsupported(self.span(node), reason)
