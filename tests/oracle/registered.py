"""Operators that the program registers itself: `torch.library.custom_op` and a `Library` with a schema.

They run for real, and what their functions do inside is watched. Some write all of a mutated argument, some a part,
some nothing; some only read.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest, Write, render
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main
from tests.oracle.program import SITE

BODIES: dict[str, Block] = {
    "all": ["t[...] = 1"],
    "head": ["t[:k] = 1"],
    "tail": ["t[k:] = 1"],
    "loop": [Nest("for i in range(t.shape[0]):", ["t[i] = 1"])],
    "nothing": ["k + 1"],
    "some": [Nest("if k > 2:", ["t[...] = 1"])],
    "reads": ["total = t.sum()", "t[...] = total"],
    "halves": ["t[:k].fill_(1)", "t[k:].fill_(2)"],
}


def operator(c: Covers, plan: Plan) -> list[str]:
    """A mutating operator writes (a part of) the buffer."""
    rng = c.rng
    if c.lib != "torch":
        return main(plan, [f"x = {plan.alloc}{SITE}", *flat(plan.make("x", plan.dims))])
    body = BODIES[rng.choice(list(BODIES))]
    blocks = plan.make("x", plan.dims)
    way = rng.randrange(3)
    if way < 2:
        head = '@torch.library.custom_op("casing::put_into", mutates_args=("t",))'
        lines = [head, "def put_into(t: torch.Tensor, k: int) -> None:"]
        lines += [*render(body, 1), ""]
        call = rng.choice(
            ["put_into(x, K)", "torch.ops.casing.put_into(x, K)", "torch.ops.casing.put_into.default(x, K)"]
        )
    else:
        lines = function("put_into", "t, k", body)
        lines += ['LIB = torch.library.Library("casing", "FRAGMENT")', ""]
        define = 'LIB.define("put_into(Tensor(a!) t, int k) -> ()")'
        implement = 'LIB.impl("put_into", put_into, "CompositeExplicitAutograd")'
        lines += function("register", "", [define, implement])
        call = "torch.ops.casing.put_into(x, K)"
    call = call.replace("K", rng.choice([*c.ints, "0", plan.dims[0], "1"]))
    start: Block = ["register()"] if way == 2 else []
    fills = flat(blocks[:-1]) if c.odds(0.4) else []
    made: Block = [
        *start,
        f"x = {plan.alloc}{SITE}",
        *([] if c.odds(0.5) else fills),
        Write(call),
        *(fills if c.odds(0.3) else []),
    ]
    return lines + main(plan, [*made, *blocks[-1]])


def reader(c: Covers, plan: Plan) -> list[str]:
    """An operator that only takes values: the buffer is read whole, whatever it does with it, if it does."""
    if c.lib != "torch" or c.dtype == "int64":
        return operator(c, plan)
    rng = c.rng
    body = rng.choice(["return t.sum()", "return t[:1].sum()", "return torch.ones(t.shape[0])", "return t.clone()"])
    lines = [
        '@torch.library.custom_op("casing::take", mutates_args=())',
        "def take(t: torch.Tensor) -> torch.Tensor:",
        f"    {body}",
        "",
        "",
    ]
    blocks = plan.make("x", plan.dims)
    call = rng.choice(["take(x)", "torch.ops.casing.take(x)"])
    return lines + main(
        plan,
        [
            f"x = {plan.alloc}{SITE}",
            *flat(blocks[:-1]),
            f"got = {call}",
            *([] if c.odds(0.5) else ["out.append(use(got))"]),
        ],
    )


REGISTERED_HOMES: dict[str, tuple[str, Home]] = {
    "operator": ("registered", operator),
    "reader": ("registered", reader),
}
