"""From a cut to the IR: the module's own statements, one function, one class body.

Claim: what comes out is the same as if the whole file had been lowered. Why that suffices: a module-level function or
a method sees no names but its own, the module's and, in its defaults, those of its class; whoever cuts says what the
class binds. This is the first module that imports libcst; it pulls in all the modules that lower some kind of syntax.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python import (
    calls,
    classes,
    comprehensions,
    control,
    expressions,
    functions,
    patterns,
    statements,
)
from allocsafe.frontends.python.bodies import ClassBody
from allocsafe.frontends.python.cut import Cut
from allocsafe.frontends.python.lower import Lowering
from allocsafe.frontends.python.scopes import Binding, Scope, all_params
from allocsafe.ir.nodes import Function

KINDS = (calls, classes, comprehensions, control, expressions, functions, patterns, statements)
"""The modules that fill the tables of `lower`, by kind of syntax."""


def toplevel(cut: Cut) -> Function:
    """The statements of a module."""
    lo = Lowering(cut, Scope("module"), "")
    lo.statements(cut.module)
    return Function(
        name="<module>",
        qualname="<module>",
        params=(),
        body=lo.b.close(),
        span=cut.span_of(0, len(cut.text)),
        kind="module",
        is_generator=False,
        names=functions.mentioned(cut.text),
    )


def function(cut: Cut, qualname: str, owner: str, class_names: Callable[[], frozenset[str]]) -> Function:
    """The one function of a cut. `owner` is the class of a method; `class_names` is asked if a default needs it."""
    node = _only(cut)
    if not isinstance(node, cst.FunctionDef):
        raise Unsupported(cut.span_of(0, 0), "no function where one was seen")
    scope = Scope("module")
    if owner:
        bound = Binding()
        if any(p.default is not None and not isinstance(p.default, _PLAIN) for p in all_params(node.params)):
            bound.names.update(class_names())
        scope = Scope("class", scope, bound)
    return functions.function(Lowering(cut, scope, owner), node, qualname, alone=True)


def class_body(cut: Cut, qualname: str, inner: frozenset[str]) -> ClassBody:
    """The class of a cut whose methods and inner classes, named `inner`, were left out."""
    node = _only(cut)
    if not isinstance(node, cst.ClassDef):
        raise Unsupported(cut.span_of(0, 0), "no class where one was seen")
    made, lo = classes.body_of(Lowering(cut, Scope("module"), ""), node, qualname, inner)
    return ClassBody(made, tuple(lo.fields), frozenset(lo.scope.locals))


_PLAIN = (cst.SimpleString, cst.Integer, cst.Float, cst.Ellipsis)


def _only(cut: Cut) -> cst.CSTNode | None:
    """The first statement of a cut, without the `if 1:` around an indented one."""
    body = cut.module.body
    node = body[0] if body else None
    if cut.wrapped and isinstance(node, cst.If):
        inner = node.body.body
        return inner[0] if inner else None
    return node
