"""Ways of writing a buffer that end an analysis' exactness: each gives `unknown` or the right answer, or is a defect.

Unknown calls, function values, aliasing arguments, recursion, star arguments, generators, `getattr`, overriding,
rebound names, swapped buffers, computed stores. Some cover the buffer and some only seem to; the runs know which.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.blocks import Block, Nest, Write
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main
from tests.oracle.program import SITE

HELPERS = {
    "fill_kw": "def fill_kw(**kw):\n    kw['t'][kw['k']:] = 1",
    "fill_star": "def fill_star(*ts):\n    for t in ts:\n        t[:] = 1",
    "fill_rec": "def fill_rec(t, i):\n    if i < t.shape[0]:\n        t[i] = 1\n        fill_rec(t, i + 1)",
    "fill_late": "def fill_late(t, k=1):\n    t[k:] = 1",
    "shift": "def shift(dst, src):\n    dst[:1] = 1\n    dst[1:] = src[:-1] + 1",
    "read_then": "def read_then(t):\n    total = t.sum()\n    t[:] = 1\n    return total",
    "rows": "def rows(t, k):\n    for i in range(k, t.shape[0]):\n        yield t[i:i + 1]",
    "pick": "def pick(flag):\n    return fill_all if flag else noop",
    "fresh": "def fresh(t):\n    t = t.clone()\n    t[:] = 1\n    return t",
    "swapped": "def swapped(a, b):\n    return b, a",
    "apply": "def apply(fn, t):\n    return fn(t)",
    "stop_at": (
        "def stop_at(t, k):\n    for i in range(t.shape[0]):\n        if i == k:\n            return i\n"
        "        t[i] = 1\n    return -1"
    ),
    "Scope": (
        "class Scope:\n    def __init__(self, t, quiet):\n        self.t, self.quiet = t, quiet\n\n"
        "    def __enter__(self):\n        return self.t\n\n"
        "    def __exit__(self, kind, error, trace):\n        return self.quiet"
    ),
    "noop": "def noop(t):\n    return t.shape",
}  # fmt: skip


def twist(c: Covers, expr: str, dims: list[str]) -> Block:
    """One block that writes `expr`, or seems to."""
    return c.rng.choice(TWISTS)(c, expr, dims)


def _flag(c: Covers) -> str:
    return c.rng.choice(c.conditions) if c.conditions else c.rng.choice(["True", "False", "n > 1"])


def _keywords(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("fill_kw")
    k = c.rng.choice(["0", "0", "1", *c.ints])
    call = c.rng.choice([f"fill_kw(t={expr}, k={k})", f'fill_kw(**{{"t": {expr}, "k": {k}}})'])
    return [Write(call)]


def _stars(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("fill_star")
    return [Write(c.rng.choice([f"fill_star({expr})", f"fill_star(*[{expr}])", f"fill_star(*[{expr}][1:])"]))]


def _recursion(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("fill_rec")
    return [Write(f"fill_rec({expr}, {c.rng.choice(['0', '0', '1'])})")]


def _default(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("fill_late")
    return [Write(c.rng.choice([f"fill_late({expr})", f"fill_late({expr}, 0)", f"fill_late({expr}, k=0)"]))]


def _alias_arguments(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("shift")
    v = c.fresh()
    source = c.rng.choice([v, v, expr])
    return [f"{v} = {c.ones(expr)}", Write(f"shift({expr}, {source})")]


def _reads_first(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("read_then")
    return [*([c.put(expr)] if c.odds(0.6) else []), Write(f"out.append(float(read_then({expr})))")]


def _generator(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("rows")
    v = c.fresh()
    return [Nest(f"for {v} in rows({expr}, {c.rng.choice(['0', '0', '1'])}):", [Write(f"{v}[:] = 1")])]


def _function_value(c: Covers, expr: str, dims: list[str]) -> Block:
    f = c.fresh("f")
    c.used |= {"fill_all", "noop", "apply", "pick"}
    way = c.rng.randrange(5)
    if way == 0:
        return [f"{f} = {c.rng.choice(['fill_all', 'noop'])}", Write(f"{f}({expr})")]
    if way == 1:
        return [f"{f} = fill_all if {_flag(c)} else noop", Write(f"{f}({expr})")]
    if way == 2:
        return [Write(f"[fill_all, noop][{c.rng.choice(['0', '1', '-1'])}]({expr})")]
    if way == 3:
        return [Write(f"apply({c.rng.choice(['fill_all', 'noop'])}, {expr})")]
    return [Write(f"pick({_flag(c)})({expr})")]


def _lambda(c: Covers, expr: str, dims: list[str]) -> Block:
    f = c.fresh("f")
    body = c.rng.choice(["t.fill(1)" if c.lib == "numpy" else "t.fill_(1)", "t.shape"])
    return [f"{f} = lambda t: {body}", Write(f"{f}({expr})")]


def _rebound(c: Covers, expr: str, dims: list[str]) -> Block:
    v = c.fresh()
    copy = f"{expr}.copy()" if c.lib == "numpy" else f"{expr}.clone()"
    start = c.rng.choice([expr, expr, copy, f"{expr}[:]"])
    second: Block = [f"{v} = {c.ones(expr)}"]
    order: list[Block] = [[Write(f"{v}[...] = 1")], second]
    c.rng.shuffle(order)
    return [f"{v} = {start}", *order[0], *order[1]]


def _local_copy(c: Covers, expr: str, dims: list[str]) -> Block:
    if c.lib == "numpy":
        return [c.put(expr)]
    c.used.add("fresh")
    v = c.fresh()
    tail: Block = [Write(f"{expr}[:] = {v}")] if c.odds(0.5) else []
    return [*([c.put(expr)] if c.odds(0.7) else []), f"{v} = fresh({expr})", *tail]


def _swap(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("swapped")
    v, w, ones = c.fresh(), c.fresh(), c.ones(expr)
    made = c.rng.choice([f"{v}, {w} = {w}, {v}", f"{v}, {w} = swapped({v}, {w})"])
    block: Block = [f"{v}, {w} = {expr}, {ones}"]
    if c.odds(0.3):
        block.append(Nest(f"if {_flag(c)}:", [made]))
    else:
        block.append(made)
    return [*block, Write(f"{c.rng.choice([v, w, w])}[...] = 1")]


def _shrinking(c: Covers, expr: str, dims: list[str]) -> Block:
    v, i = c.fresh(), c.fresh("i")
    turns = c.slip(dims[0], f"{dims[0]} - 1")
    loop = Nest(f"for {i} in range({turns}):", [Write(f"{v}[0] = 1"), f"{v} = {v}[1:]"])
    return [f"{v} = {expr}", loop]


def _stops(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used.add("stop_at")
    v = c.fresh()
    block: Block = [f"{v} = stop_at({expr}, {c.bound()})"]
    return [*block, Nest(f"if {v} >= 0:", [c.put(expr, f"{v}:")])] if c.odds(0.5) else block


def _manager(c: Covers, expr: str, dims: list[str]) -> Block:
    c.used |= {"Scope", "risky"}
    v = c.fresh()
    body: Block = [f"risky({_flag(c)})", Write(f"{v}[...] = 1")]
    if c.odds(0.5):
        body.reverse()
    return [Nest(f"with Scope({expr}, {c.rng.choice(['True', 'False'])}) as {v}:", body)]


def _computed_store(c: Covers, expr: str, dims: list[str]) -> Block:
    d, key = c.fresh("d"), c.rng.choice(["n", '"a"', "str(n)"])
    block: Block = [f'{d} = {{"a": {expr}, "b": {c.ones(expr)}}}']
    if c.odds(0.6):
        block.append(f"{d}[{key}] = {c.ones(expr)}")
    walk = Nest(f"for {d}v in {d}.values():", [Write(f"{d}v[...] = 1")])
    last: list[Block] = [[Write(f'{d}["a"][...] = 1')], [walk], [Write(f'{d}.get("a")[...] = 1')]]
    return [*block, *c.rng.choice(last)]


def _forever(c: Covers, expr: str, dims: list[str]) -> Block:
    i = c.fresh("i")
    stop = Nest(f"if {i} {c.rng.choice(['>=', '>='])} {c.slip(dims[0], c.bound())}:", ["break"])
    return [f"{i} = 0", Nest("while True:", [stop, Write(f"{expr}[{i}] = 1"), f"{i} += 1"])]


def _match(c: Covers, expr: str, dims: list[str]) -> Block:
    other: Block = [c.put(expr)] if c.odds(0.7) else ["pass"]
    cases: Block = [Nest("case 0 | 1:", [c.put(expr)]), Nest("case _:", other)]
    return [Nest(f"match {c.rng.choice(c.ints)}:", cases)]


def _by_list(c: Covers, expr: str, dims: list[str]) -> Block:
    make = f"list(range({dims[0]}))"
    way = c.rng.randrange(3)
    if way == 0:
        return [Write(f"{expr}[{make}] = 1")]
    if way == 1:
        v = c.fresh()
        return [f"{v} = {expr}[{make}]", Write(f"{v}[...] = 1")]
    i = c.fresh("i")
    return [Nest(f"for {i} in {make}:", [Write(f"{expr}[{i}] = 1")])]


def _first_turn(c: Covers, expr: str, dims: list[str]) -> Block:
    i = c.fresh("i")
    read: Block = [Nest(f"if {i} > {c.rng.choice(['0', '0', '-1'])}:", [f"out.append(use({expr}))"])]
    write: Block = [c.put(expr)]
    loop = Nest(f"for {i} in range({c.rng.choice(['3', *c.ints])}):", [*read, *write])
    return [loop, *([] if c.odds(0.3) else write)]


def _carried(c: Covers, expr: str, dims: list[str]) -> Block:
    cur, nxt, i = c.fresh("cur"), c.fresh("nxt"), c.fresh("i")
    swap = f"{cur}, {nxt} = {nxt}, {cur}"
    turns = c.rng.choice(["1", "2", "3", *c.ints])
    loop = Nest(f"for {i} in range({turns}):", [Write(f"{cur}[...] = 1"), swap])
    return [f"{cur}, {nxt} = {expr}, {c.ones(expr)}", loop]


TWISTS: tuple[Callable[[Covers, str, list[str]], Block], ...] = (
    _keywords, _stars, _recursion, _default, _alias_arguments, _reads_first, _generator, _function_value,
    _function_value, _lambda, _rebound, _local_copy, _swap, _shrinking, _stops, _manager, _computed_store, _forever,
    _match, _by_list, _first_turn, _carried,
)  # fmt: skip


# ---------------------------------------------------------------- homes


def inherited(c: Covers, plan: Plan) -> list[str]:
    """A base class makes the buffer; a subclass fills it, or overrides the method that does."""
    blocks = plan.make("self.buf", plan.dims)
    lines = ["class Base:", *function("__init__", f"self, {plan.args}", [f"self.buf = {plan.alloc}{SITE}"], 1)]
    lines += function("fill", f"self, {plan.args}", ["out = []", *flat(blocks[:-1]), "return out"], 1)
    call = f"return self.fill({plan.args})"
    lines += function("setup", f"self, {plan.args}", [call], 1)
    over: Block = [c.rng.choice(["return []", f"return super().fill({plan.args})"])]
    lines += ["class Child(Base):", *function("fill", f"self, {plan.args}", over, 1)]
    lines += function("read", f"self, {plan.args}", ["out = []", *blocks[-1], "return out"], 1)
    body: Block = [f"box = Child({plan.args})", f"out += box.setup({plan.args})", f"out += box.read({plan.args})"]
    return lines + main(plan, body)


def by_name(c: Covers, plan: Plan) -> list[str]:
    """The attribute is reached by `getattr`, or set by `setattr`."""
    blocks = plan.make("t", plan.dims)
    lines = ["class Box:", *function("__init__", f"self, {plan.args}", [f"self.buf = {plan.alloc}{SITE}"], 1)]
    reach = c.rng.choice(['getattr(self, "buf")', 'getattr(self, "b" + "uf")', "self.buf", "vars(self)['buf']"])
    lines += function("fill", f"self, {plan.args}", ["out = []", f"t = {reach}", *flat(blocks[:-1]), "return out"], 1)
    body: Block = [f"box = Box({plan.args})", f"out += box.fill({plan.args})"]
    if c.odds(0.3):
        body.insert(1, f'setattr(box, "buf", {plan.other})')
    if c.odds(0.2):
        body.insert(2, f"box.buf = {plan.other}")
    return lines + main(plan, [*body, "t = box.buf", *blocks[-1]])


def each_turn(c: Covers, plan: Plan) -> list[str]:
    """A fresh buffer every turn of a loop, filled in some turns."""
    blocks = plan.make("x", plan.dims)
    turn = c.rng.choice(["turn == 0", "turn != 1", "turn < 2", "turn >= 0"])
    fill: Block = [Nest(f"if {turn}:", flat(blocks[:-1]))] if c.odds(0.5) else flat(blocks[:-1])
    made = f"x = {plan.alloc}{SITE}"
    if c.odds(0.4):
        body: Block = [made, Nest("for turn in range(2):", [*fill, *blocks[-1]])]
    else:
        body = [Nest("for turn in range(2):", [made, *fill, *blocks[-1]])]
    return main(plan, body)


def many(c: Covers, plan: Plan) -> list[str]:
    """Several buffers of one site, filled by a loop over all, or over some."""
    blocks = plan.make("b", plan.dims)
    walk = c.rng.choice(["bufs", "bufs", "bufs[1:]", "reversed(bufs)", "bufs[:2]"])
    made = f"bufs = [{plan.alloc} for _ in range(3)]{SITE}"
    if c.odds(0.3):
        made = f"bufs = {{i: {plan.alloc} for i in range(3)}}{SITE}"
        walk = c.rng.choice(["bufs.values()", "bufs.values()", "[bufs[0], bufs[2]]"])
    return main(plan, [made, Nest(f"for b in {walk}:", flat(blocks[:-1])), "b = bufs[1]", *blocks[-1]])


def default_argument(c: Covers, plan: Plan) -> list[str]:
    """A nested function holds the buffer as a default; the name may be rebound before it is called."""
    blocks = plan.make("t", plan.dims)
    body: Block = [f"x = {plan.alloc}{SITE}", Nest("def fill(t=x):", flat(blocks[:-1]))]
    if c.odds(0.5):
        body.append(c.rng.choice(["y = x", f"y, x = x, {plan.other}"]))
    else:
        body.append("y = x")
    return main(plan, [*body, c.rng.choice(["fill()", "fill()", "fill(x)"]), "t = y", *blocks[-1]])


TWISTED_HOMES: dict[str, Home] = {
    "inherited": inherited,
    "by_name": by_name,
    "each_turn": each_turn,
    "many": many,
    "default": default_argument,
}
