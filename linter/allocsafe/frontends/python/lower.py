"""The lowering of one body: its registers, its scope, and the two tables that say who lowers which kind of node.

Claim: every node of the body ends in steps, in evaluation order. Why that suffices: statements and expressions are
dispatched by their type through `STATEMENTS` and `EXPRESSIONS`, which the modules by kind fill, and a type that no
table knows becomes an `Escape` over all that it mentions. What it gives up: nothing is simplified here; what a step
means is the engine's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import libcst as cst

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.cut import Cut, Deep
from allocsafe.ir.builder import Builder
from allocsafe.ir.nodes import Block, Const, Escape, Load, Move, Opaque, Param, Raise, Reg, Return, Step, Store
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.frontends.python.scopes import Scope

Act = TypeVar("Act", bound=Callable[..., Any])

EXPRESSIONS: dict[type, Callable[[Lowering, Any], Reg]] = {}
"""What each kind of expression becomes: (lowering, node) -> the register that holds its value."""

STATEMENTS: dict[type, Callable[[Lowering, Any], None]] = {}
"""What each kind of statement becomes."""

MOST_BLOCKS = 130
"""Blocks in one another: 100 levels of indentation, which is all that Python allows, and what expressions add."""


class TooDeep(Exception):
    """An expression that would nest too many blocks or functions."""


_WORD = re.compile(r"[^\W\d]\w*")


def expression(*kinds: type) -> Callable[[Act], Act]:
    """Registers the function for these kinds of expressions."""

    def register(act: Act) -> Act:
        for kind in kinds:
            EXPRESSIONS[kind] = act
        return act

    return register


def statement(*kinds: type) -> Callable[[Act], Act]:
    """Registers the function for these kinds of statements."""

    def register(act: Act) -> Act:
        for kind in kinds:
            STATEMENTS[kind] = act
        return act

    return register


class Lowering:
    """One body being lowered. Nested functions and classes have a lowering of their own over the same cut."""

    __slots__ = ("_spans", "b", "cut", "fields", "has_yield", "qualname", "renamed", "scope")

    def __init__(self, cut: Cut, scope: Scope, qualname: str, first_register: int = 0) -> None:
        self.cut = cut
        self.scope = scope
        self.qualname = qualname  # of the function or class whose body this is, "" for the module
        self.b = Builder(first_register)
        self.has_yield = False
        self.renamed = 0
        self.fields: list[Param] = []  # annotated names, of a class body
        self._spans: dict[tuple[int, int], Span] = {}

    # ------------------------------------------------------------ places

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands; for one without a place of its own, its first descendant's that has one."""
        place = self.cut.offsets.get(id(node))
        if place is None:
            place = self._inner(node)
        span = self._spans.get(place)
        if span is None:
            span = self._spans[place] = self.cut.span_of(*place)
        return span

    def between(self, first: cst.CSTNode, last: cst.CSTNode) -> Span:
        """From the start of one node to the end of another: the head of a compound statement."""
        start = self.cut.offsets.get(id(first)) or self._inner(first)
        end = self.cut.offsets.get(id(last)) or self._inner(last)
        return self.cut.span_of(start[0], max(end[1], start[0]))

    def keyword(self, node: cst.CSTNode, length: int) -> Span:
        """The first `length` characters of a node."""
        start = (self.cut.offsets.get(id(node)) or self._inner(node))[0]
        return self.cut.span_of(start, start + length)

    def _inner(self, node: cst.CSTNode) -> tuple[int, int]:
        offsets = self.cut.offsets
        stack = [node]
        while stack:
            node = stack.pop()
            place = offsets.get(id(node))
            if place is not None:
                return place
            stack.extend(reversed(node.children))
        return (0, 0)

    # ------------------------------------------------------------ steps

    def emit(self, step: Step) -> None:
        self.b.emit(step)

    def fresh(self) -> Reg:
        return self.b.fresh()

    def const(self, span: Span, value: object) -> Reg:
        dst = self.b.fresh()
        self.b.emit(Const(span, dst, value))
        return dst

    def load(self, span: Span, name: str) -> Reg:
        where, name = self.scope.where(name)
        dst = self.b.fresh()
        self.b.emit(Load(span, dst, name, where))
        return dst

    def store(self, span: Span, name: str, src: Reg) -> None:
        where, name = self.scope.where(name)
        self.b.emit(Store(span, name, src, where))

    def opaque(self, span: Span, uses: tuple[Reg, ...], reason: str) -> Reg:
        dst = self.b.fresh()
        self.b.emit(Opaque(span, dst, uses, reason))
        return dst

    # ------------------------------------------------------------ parts

    def expr(self, node: cst.BaseExpression) -> Reg:
        """The register that holds the value of an expression."""
        act = EXPRESSIONS.get(type(node))
        if act is None:
            return self.unknown(node)
        return act(self, node)

    def arm(self, node: cst.BaseExpression, dst: Reg) -> Block:
        """A block that leaves the value of `node` in `dst`, which the other arm assigns as well."""
        self.b.open()
        self.arm_depth()
        self.into(self.span(node), dst, self.expr(node))
        return self.b.close()

    def into(self, span: Span, dst: Reg, src: Reg) -> None:
        """Ends a block with `dst = src`: by a `Move`, or by giving the step that made `src` another register."""
        last = self.b.last
        if last is not None and getattr(last, "dst", None) == src:
            last.dst = dst  # type: ignore[attr-defined]  # asked for a line above
        else:
            self.b.emit(Move(span, dst, src))

    def moved(self, span: Span, dst: Reg, src: Reg) -> Block:
        """The block that only says `dst = src`."""
        return (Move(span, dst, src),)

    def suite(self, body: cst.BaseSuite) -> Block:
        """The steps of an indented block, or of statements after a colon."""
        self.b.open()
        self.statements(body)
        return self.b.close()

    def arm_depth(self) -> None:
        """Refuses expressions whose conditions nest deeper than the readers of the IR can follow."""
        if self.b.depth > MOST_BLOCKS:
            raise TooDeep

    def statements(self, body: cst.BaseSuite | cst.Module) -> None:
        for node in body.body:
            if isinstance(node, cst.SimpleStatementLine):
                for small in node.body:
                    self.statement(small)
            else:
                self.statement(node)

    def statement(self, node: cst.CSTNode) -> None:
        act = STATEMENTS.get(type(node))
        if act is None:
            self.unknown(node)
            return
        depth, here = self.b.depth, self.b.here
        try:
            act(self, node)
        except TooDeep:
            if not isinstance(node, cst.BaseSmallStatement):
                raise Unsupported(self.span(node), "expression too deep") from None
            self.b.unwind(depth)
            self.b.cut(here)
            self.escape(Deep(self.span(node), self.cut.text_of(node)))

    def escape(self, deep: Deep) -> None:
        """A statement that is too deep: anything may happen to what it mentions; a `return` still ends the path."""
        names = tuple(sorted({self.scope.where(name)[1] for name in deep.names}))
        self.b.emit(Escape(deep.span, (), "expression too deep", names))
        self.has_yield = self.has_yield or deep.has_yield
        if deep.leaves == "return":
            self.b.emit(Return(deep.span, self.opaque(deep.span, (), "expression too deep")))
        elif deep.leaves == "raise":
            self.b.emit(Raise(deep.span, None))

    def unknown(self, node: cst.CSTNode) -> Reg:
        """Syntax that no table knows: anything may happen to what it mentions."""
        span = self.span(node)
        names = tuple(sorted(set(_WORD.findall(self.cut.text_of(node)))))
        self.b.emit(Escape(span, (), f"syntax not modelled ({type(node).__name__})", names))
        return self.opaque(span, (), "syntax not modelled")
