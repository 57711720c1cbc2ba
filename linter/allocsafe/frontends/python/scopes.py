"""Which table a name lives in: Python's scoping rules, one function at a time.

Claim: for every name of a body, `Scope.where` says local, enclosing or global as the compiler would. Why that
suffices: a name is local if anything in the body binds it (found by walking the statements once, expressions only
where the text has a walrus); a class body's names are invisible to the functions inside it; comprehension variables
get a name of their own, `x@3`, so that they cannot overwrite the function's `x`. What it gives up: a class body that
reads a global before it binds the same name says local.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import libcst as cst

if TYPE_CHECKING:
    from allocsafe.ir.nodes import Scope as Where

_LAZY = tuple(getattr(cst, name) for name in ("LazyImport", "LazyImportFrom") if hasattr(cst, name))
_IMPORTS = (cst.Import, cst.ImportFrom, *_LAZY)


class Scope:
    """One namespace. `renames` holds the variables of the comprehensions being lowered, innermost last."""

    __slots__ = ("depth", "globals", "kind", "locals", "nonlocals", "parent", "renames")

    def __init__(
        self, kind: Literal["module", "class", "function"], parent: Scope | None = None, bound: Binding | None = None
    ) -> None:
        self.kind = kind
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.locals = bound.names if bound else set()
        self.globals = bound.globals if bound else set()
        self.nonlocals = bound.nonlocals if bound else set()
        self.renames: list[dict[str, str]] = []

    def where(self, name: str) -> tuple[Where, str]:
        """The table of `name`, and the name it has there."""
        for renamed in reversed(self.renames):
            if name in renamed:
                return "local", renamed[name]
        if self.kind == "module" or name in self.globals:
            return "global", name
        if name in self.locals:
            return "local", name
        scope = self.parent
        while scope is not None and scope.kind != "module":
            if scope.kind == "function" or scope.renames:
                for renamed in reversed(scope.renames):
                    if name in renamed:
                        return "enclosing", renamed[name]
                if scope.kind == "function":
                    if name in scope.globals:
                        return "global", name
                    if name in scope.locals:
                        return "enclosing", name
            scope = scope.parent
        if scope is not None:
            for renamed in reversed(scope.renames):
                if name in renamed:
                    return "enclosing", renamed[name]
        return "global", name

    def target(self, name: str) -> Where:
        """The table that a walrus stores to: never a comprehension's."""
        if self.kind == "module" or name in self.globals:
            return "global"
        return "enclosing" if name in self.nonlocals else "local"


class Binding:
    """The names a body binds."""

    __slots__ = ("globals", "names", "nonlocals")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()


def bindings(
    body: cst.BaseSuite | cst.BaseExpression,
    has_walrus: bool,
    params: cst.Parameters | None = None,
    more: Sequence[str] = (),
) -> Binding:
    """What `body` binds in its own namespace; the bodies of functions and classes within are other namespaces."""
    bound = Binding()
    bound.names.update(more)
    if params is not None:
        bound.names.update(p.name.value for p in all_params(params))
    if isinstance(body, cst.BaseSuite):
        _suite(body, bound)
    if has_walrus:
        for node in walk(body):
            if isinstance(node, cst.NamedExpr) and isinstance(node.target, cst.Name):
                bound.names.add(node.target.value)
    bound.names -= bound.globals
    bound.names -= bound.nonlocals
    return bound


def all_params(params: cst.Parameters) -> Iterator[cst.Param]:
    """The parameters in the order of the source."""
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """All nodes of one namespace: not the bodies of functions, lambdas and classes."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, cst.FunctionDef):
            stack.extend(node.decorators)
            stack.extend(p.default for p in all_params(node.params) if p.default is not None)
        elif isinstance(node, cst.Lambda):
            stack.extend(p.default for p in all_params(node.params) if p.default is not None)
        elif isinstance(node, cst.ClassDef):
            stack.extend((*node.decorators, *node.bases, *node.keywords))
        else:
            stack.extend(node.children)


def targets(node: cst.BaseExpression) -> Iterator[str]:
    """The plain names that an assignment target binds."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Name):
            yield node.value
        elif isinstance(node, (cst.Tuple, cst.List)):
            stack.extend(element.value for element in node.elements)
        elif isinstance(node, cst.StarredElement):
            stack.append(node.value)


def _suite(body: cst.BaseSuite, bound: Binding) -> None:
    for statement in body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                _small(small, bound)
        elif isinstance(statement, cst.BaseSmallStatement):
            _small(statement, bound)
        elif isinstance(statement, cst.BaseStatement):
            _compound(statement, bound)


def _small(node: cst.BaseSmallStatement, bound: Binding) -> None:
    names = bound.names
    if isinstance(node, cst.Assign):
        for target in node.targets:
            names.update(targets(target.target))
    elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.Del)):
        names.update(targets(node.target))
    elif isinstance(node, _IMPORTS):
        names.update(imported(node))
    elif isinstance(node, cst.Global):
        bound.globals.update(item.name.value for item in node.names)
    elif isinstance(node, cst.Nonlocal):
        bound.nonlocals.update(item.name.value for item in node.names)
    elif isinstance(node, cst.TypeAlias):
        names.add(node.name.value)


def imported(node: cst.BaseSmallStatement) -> Iterator[str]:
    """The names an import statement binds."""
    aliases = getattr(node, "names", ())
    if isinstance(aliases, cst.ImportStar):
        return
    for alias in aliases:
        if alias.asname is not None:
            yield from targets(alias.asname.name)
        else:
            first = alias.name
            while isinstance(first, cst.Attribute):
                first = first.value
            yield first.value


def _compound(node: cst.BaseStatement, bound: Binding) -> None:
    names = bound.names
    if isinstance(node, cst.If):
        branch: cst.If | cst.Else | None = node
        while isinstance(branch, cst.If):
            _suite(branch.body, bound)
            branch = branch.orelse
        if branch is not None:
            _suite(branch.body, bound)
        return
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        names.add(node.name.value)
        return
    if isinstance(node, cst.Match):
        for case in node.cases:
            names.update(captures(case.pattern))
            _suite(case.body, bound)
        return
    if isinstance(node, cst.For):
        names.update(targets(node.target))
    elif isinstance(node, cst.With):
        for item in node.items:
            if item.asname is not None:
                names.update(targets(item.asname.name))
    elif isinstance(node, (cst.Try, cst.TryStar)):
        for handler in node.handlers:
            if handler.name is not None:
                names.update(targets(handler.name.name))
            _suite(handler.body, bound)
        if node.finalbody is not None:
            _suite(node.finalbody.body, bound)
    body = getattr(node, "body", None)
    if isinstance(body, cst.BaseSuite):
        _suite(body, bound)
    orelse = getattr(node, "orelse", None)
    if isinstance(orelse, cst.Else):
        _suite(orelse.body, bound)


def captures(pattern: cst.MatchPattern) -> Iterator[str]:
    """The names a pattern binds, in no particular order."""
    for node in walk(pattern):
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            yield node.name.value
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            yield node.rest.value
