"""Who writes the buffer: the caller, a callee, one called by a callee, or nobody.

Helpers that write all, a part, nothing, only under a flag, only when an argument is given, or return early; factories
that several callers use, one of which fills; fills that the patch moves between a caller and its callee.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest, Write
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main
from tests.oracle.program import SITE

_SOURCES = """
def fill_if(t, flag):
    if flag:
        t[:] = 1

def fill_given(t, source=None):
    if source is None:
        return
    t[:] = source

def fill_default(t, source=None):
    if source is None:
        source = 2
    t[:] = source

def fill_some(t, k):
    t[:k] = 1

def fill_early(t, k):
    t[:k] = 1
    if k >= t.shape[0]:
        return t
    t[k:] = 2
    return t

def fill_small(t, k):
    if k > 3:
        return None
    t[...] = 1
    return t

def fill_both(a, b):
    a[...] = 1
    b[...] = a + 1

def fill_by(fn, t, *args):
    fn(t, *args)
    return t

def fill_through(t, k):
    head, tail = t[:k], t[k:]
    fill_all(head)
    fill_all(tail)

def fill_rows(t):
    for row in t:
        fill_all(row[None])

def fill_named(*, target, amount=1):
    target[...] = amount

def same(t):
    return t

def ends(t, k):
    return t[:k], t[k:]

def mend(t, how="all"):
    if how == "all":
        t[...] = 1
    elif how == "head":
        t[:1] = 1
"""

HELPERS = {text.split("(")[0].removeprefix("def "): text for text in _SOURCES.strip().split("\n\n")}
"""Helpers by name; what each calls is in `NEEDS`."""

MENDS = ('"all"', '"head"', 'how="all"', 'how="head"')

NEEDS = {"fill_through": ("fill_all",), "fill_rows": ("fill_all",)}


def by_callee(c: Covers, expr: str, dims: list[str]) -> Block:
    """One call that writes all of `expr`, a part of it, or nothing."""
    rng, k = c.rng, c.bound()
    flag = rng.choice(c.conditions) if c.conditions else rng.choice(["True", "n > 1"])
    ones = c.ones(expr)
    v, w = c.fresh(), c.fresh()
    ways: list[tuple[str, Block]] = [
        ("fill_if", [Write(f"fill_if({expr}, {flag})"), Write(f"fill_if({expr}, not ({flag}))")]),
        ("fill_if", [Write(f"fill_if({expr}, {flag})")]),
        ("fill_if", [Write(f"fill_if({expr}, flag=True)")]),
        ("fill_given", [Write(f"fill_given({expr}, {ones})")]),
        ("fill_given", [Write(f"fill_given({expr})")]),
        ("fill_given", [f"{v} = {ones} if {flag} else None", Write(f"fill_given({expr}, source={v})")]),
        ("fill_default", [Write(f"fill_default({expr})")]),
        ("fill_default", [Write(f"fill_default({expr}, {rng.choice(['None', '3'])})")]),
        ("fill_some", [Write(f"fill_some({expr}, {dims[0]})")]),
        ("fill_some", [Write(f"fill_some({expr}, {k})"), c.put(expr, f"{k}:")]),
        ("fill_early", [Write(f"fill_early({expr}, {k})")]),
        ("fill_early", [f"{v} = fill_early({expr}, {k})", Write(f"{v}[:1] = 1")]),
        ("fill_small", [Write(f"fill_small({expr}, {k})")]),
        ("fill_small", [Nest(f"if fill_small({expr}, {k}) is None:", [c.put(expr)])]),
        ("fill_both", [f"{v} = {ones}", Write(f"fill_both({rng.choice([f'{expr}, {v}', f'{v}, {expr}'])})")]),
        ("fill_both", [Write(f"fill_both({expr}, {expr})")]),
        ("fill_by", [Write(f"fill_by(fill_all, {expr})")]),
        ("fill_by", [Write(f"fill_by(partial(fill_some, k={dims[0]}), {expr})")]),
        ("fill_by", [Write(f"fill_by(fill_tail, {expr}, {rng.choice(['0', '0', '1', k])})")]),
        ("fill_through", [Write(f"fill_through({expr}, {k})")]),
        ("fill_rows", [Write(f"fill_rows({expr})")]),
        ("fill_named", [Write(f"fill_named(amount=2, target={expr})")]),
        ("fill_named", [f'{v} = {{"target": {expr}, "amount": 2}}', Write(f"fill_named(**{v})")]),
        ("same", [f"{v} = same({expr})", *c.cover(v, dims, 1)]),
        ("ends", [f"{v}, {w} = ends({expr}, {k})", c.put(v), c.put(w)]),
        ("ends", [f"{v} = ends({expr}, {k})[1]", c.put(v), c.put(expr, f":{c.slip(k, '1')}")]),
        ("mend", [Write(f"mend({expr})")]),
        ("mend", [Write(f"mend({expr}, {rng.choice(MENDS)})")]),
    ]  # fmt: skip
    need, block = rng.choice(ways)
    text = str(block)
    c.used |= {need, *NEEDS.get(need, ())}
    c.used |= {name for name in ("fill_all", "fill_some", "fill_tail") if name in text}
    return block


def moved(c: Covers, plan: Plan) -> list[str]:
    """The patch moves (a part of) the writes between the caller and a callee; sometimes some get lost."""
    blocks = plan.make("x", plan.dims)
    made = f"x = {plan.alloc}{SITE}"
    fills = [block for block in blocks[:-1] if block]
    cut = c.rng.randrange(len(fills) + 1)
    args = f"x, {plan.args}"

    def text(inside: list[Block], outside: list[Block]) -> list[str]:
        lines = function("prepare", args, ["out = []", *flat(inside), "return out"])
        return lines + main(plan, [made, f"out += prepare({args})", *flat(outside), *blocks[-1]])

    slips, c.slips = c.slips, 0  # the old side has no hole
    before = c.cover("x", plan.dims)
    c.slips = slips
    one, two = ([before], []) if c.odds(0.5) else ([], [before])
    c.before = text(one, two)
    if c.odds(0.35):  # as it was, and only moved
        return text(two, one)
    return text(fills[:cut], fills[cut:])


def by_several(c: Covers, plan: Plan) -> list[str]:
    """A factory and two users: one fills what it got, the other may not; a third hands it on."""
    lines = function("make", plan.args, [f"return {plan.alloc}{SITE}"])
    if c.odds(0.3):
        lines = function(
            "make", plan.args, [f"x = {plan.alloc}{SITE}", *c.rng.choice([[], ["fill_some(x, 1)"]]), "return x"]
        )
        c.used.add("fill_some")
    if c.odds(0.4):
        lines += function("make_more", plan.args, [f"return make({plan.args})"])
    maker = "make_more" if "make_more" in str(lines) else "make"
    first, second = plan.make("x", plan.dims), plan.make("y", plan.dims)
    lines += function("one", plan.args, ["out = []", f"x = make({plan.args})", *flat(first), "return out"])
    body: Block = ["out = []", f"y = {maker}({plan.args})", *flat(second[:-1]), "return out, y"]
    lines += function("two", plan.args, body)
    calls: Block = [f"out += one({plan.args})", f"more, y = two({plan.args})", "out += more", *second[-1]]
    if c.odds(0.3):
        calls = calls[1:]
    if c.odds(0.3) and c.conditions:
        calls = [*calls[:-1], Nest(f"if {c.rng.choice(c.conditions)}:", second[-1])]
    return lines + main(plan, calls)


def chosen(c: Covers, plan: Plan) -> list[str]:
    """A factory with a flag that says whether what it makes is filled."""
    blocks = plan.make("x", plan.dims)
    body: Block = [f"x = {plan.alloc}{SITE}", Nest("if ready:", [c.put("x")]), "return x"]
    lines = function("make", f"{plan.args}, ready={c.rng.choice(['True', 'False'])}", body)
    ready = c.rng.choice(["", ", True", ", False", ", ready=True", *(f", ready={x}" for x in c.conditions)])
    return lines + main(plan, [f"x = make({plan.args}{ready})", *flat(blocks)])


def in_chain(c: Covers, plan: Plan) -> list[str]:
    """Three functions deep: each writes a part and hands the buffer, or a view of it, on."""
    blocks = plan.make("t", plan.dims)
    fills = list(blocks[:-1])
    cut = c.rng.randrange(len(fills) + 1)
    lines = function("third", f"t, {plan.args}", ["out = []", *flat(fills[cut:]), "return out"])
    order: list[Block] = [[f"out += third(t, {plan.args})"], flat(fills[:cut])]
    if c.odds(0.5):
        order.reverse()
    if c.odds(0.25) and c.conditions:
        order[0] = [Nest(f"if {c.rng.choice(c.conditions)}:", order[0] or ["pass"])]
    lines += function(
        "second", f"t, {plan.args}", ["out = []", *flat(order), c.rng.choice(["return out", "return out + []"])]
    )
    lines += function("first", plan.args, [f"x = {plan.alloc}{SITE}", f"out = second(x, {plan.args})", "return x, out"])
    return lines + main(plan, [f"t, more = first({plan.args})", "out += more", *blocks[-1]])


CALLEE_HOMES: dict[str, tuple[str, Home]] = {
    "moved": ("moved", moved),
    "several": ("factories", by_several),
    "chosen": ("factories", chosen),
    "chain": ("callees", in_chain),
}
