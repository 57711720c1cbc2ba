"""Calls and functions made in place: arguments, lambdas.

Claim: the callee is evaluated first, then the arguments as they are written. A generator expression that is an
argument is taken to be used up by the call; see `comprehensions`. What it gives up: Python evaluates `*args` after a
keyword that stands before it in rare cases; the order of the source is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from allocsafe.frontends.python.comprehensions import generator
from allocsafe.frontends.python.lower import Lowering, expression
from allocsafe.ir.nodes import Arg, Call, Reg


@expression(cst.Call)
def call(lo: Lowering, node: cst.Call) -> Reg:
    func = lo.expr(node.func)
    args = arguments(lo, node.args)
    dst = lo.fresh()
    lo.emit(Call(lo.span(node), dst, func, args))
    return dst


def arguments(lo: Lowering, nodes: Sequence[cst.Arg]) -> tuple[Arg, ...]:
    """The arguments of a call, evaluated."""
    args: list[Arg] = []
    for arg in nodes:
        value = arg.value
        reg = generator(lo, value, kept=False) if isinstance(value, cst.GeneratorExp) else lo.expr(value)
        args.append(Arg(reg, arg.keyword.value if arg.keyword is not None else None, arg.star))
    return tuple(args)
