"""Where the buffer lives: a local, an attribute, a module global, a dict field, a list, a closure...

A home takes the allocation's text and a list of blocks that act on the buffer in order (writes and reads, each block
self-contained but for the buffer and the parameters) and gives the module's lines with everything in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.oracle.blocks import Block, Nest, render
from tests.oracle.covers import Covers
from tests.oracle.program import SITE

Make = Callable[[str, list[str]], list[Block]]
"""From the buffer's expression and extents to the blocks that act on it."""


class Plan(NamedTuple):
    """What a home needs to know. `alloc` is the text of the allocation, `filled` the same one filled; `other` makes a
    different written tensor."""

    alloc: str
    filled: str
    other: str
    dims: list[str]
    params: list[str]
    make: Make

    @property
    def args(self) -> str:
        return ", ".join(self.params)


Home = Callable[[Covers, Plan], list[str]]


def function(name: str, args: str, body: Block, depth: int = 0) -> list[str]:
    return [*render([Nest(f"def {name}({args}):", body)], depth), ""]


def main(plan: Plan, body: Block) -> list[str]:
    return function("main", plan.args, ["out = []", *body, "return out"])


def flat(blocks: list[Block]) -> Block:
    return [stmt for block in blocks for stmt in block]


def method_names(c: Covers, count: int) -> list[str]:
    """Names for the steps; with `phases`, names that suggest an order which the driver need not follow."""
    words = ["fill", "step", "update", "run"]
    if c.has("phases"):
        words += ["capture", "replay", "warmup", "forward", "prepare", "profile_run"]
    return [f"{word}_{at}" if c.odds(0.5) else f"{word}{at}" for at, word in enumerate(c.rng.sample(words, count))]


def local(c: Covers, plan: Plan) -> list[str]:
    body: Block = [f"x = {plan.alloc}{SITE}"]
    return main(plan, body + flat(plan.make("x", plan.dims)))


def alias(c: Covers, plan: Plan) -> list[str]:
    body: Block = [f"x = {plan.alloc}{SITE}", "y = x"]
    blocks = [b for at, b in enumerate(plan.make("x", plan.dims))]
    for block in blocks[:1]:
        body += [swap(stmt, "x", "y") for stmt in block]
    return main(plan, body + flat(blocks[1:]))


def swap(stmt: str | Nest, old: str, new: str) -> str | Nest:
    """The statement with name `old` replaced by `new`."""
    import re

    if isinstance(stmt, Nest):
        head = re.sub(rf"\b{old}\b", new, stmt.head)
        return Nest(head, [swap(inner, old, new) for inner in stmt.body], stmt.joined)
    return type(stmt)(re.sub(rf"\b{old}\b", new, stmt))


def built(c: Covers, plan: Plan) -> list[str]:
    """A function makes, fills and returns the buffer; some return early."""
    blocks = plan.make("x", plan.dims)
    body: Block = [f"x = {plan.alloc}{SITE}"]
    if c.has("early") and c.conditions and c.odds(0.35):
        body.append(
            Nest(f"if {c.rng.choice(c.conditions)}:", [*blocks[0], "return x"] if c.odds(0.6) else ["return x"])
        )
    lines = function("build", plan.args, ["out = []", *body, *flat(blocks[:-1]), "return x"])
    return lines + main(plan, [f"x = build({plan.args})", *blocks[-1]])


def factory(c: Covers, plan: Plan) -> list[str]:
    lines = function("make", plan.args, [f"return {plan.alloc}{SITE}"])
    body: Block = [f"x = make({plan.args})", *flat(plan.make("x", plan.dims))]
    if c.odds(0.3):
        body += [f"z = make({plan.args})", *flat(plan.make("z", plan.dims))]
    return lines + main(plan, body)


def attribute(c: Covers, plan: Plan) -> list[str]:
    """A class with one method a block and a driver that calls them."""
    field = c.rng.choice(["self.buf", 'self.state["k"]'] if c.has("dicts") else ["self.buf"])
    blocks = plan.make(field, [dim if c.odds(0.7) else f"{field}.shape[{at}]" for at, dim in enumerate(plan.dims)])
    start: Block = [f"self.size = {plan.dims[0]}"]
    if field == "self.buf":
        start.append(f"self.buf = {plan.alloc}{SITE}")
    else:
        start += [f'self.state = {{"j": {plan.other}, "k": {plan.alloc}}}{SITE}']
    names = method_names(c, min(len(blocks), 4))
    if len(blocks) > 4:
        blocks = [*blocks[:3], flat(blocks[3:])]
    lines = ["class Box:", *function("__init__", f"self, {plan.args}", start, 1)]
    for name, block in zip(names, blocks, strict=True):
        lines += function(name, f"self, {plan.args}", ["out = []", *block, "return out"], 1)
    body: Block = [f"box = Box({plan.args})"]
    for name in names:
        body.append(f"out += box.{name}({plan.args})")
    if c.odds(0.15) and len(names) > 1:
        body[1], body[2] = body[2], body[1]
    if c.odds(0.2) and c.conditions and len(names) > 1:
        at = c.rng.randrange(1, len(body))
        call = body[at]
        assert isinstance(call, str)
        body[at] = Nest(f"if {c.rng.choice(c.conditions)}:", [call])
    return lines + main(plan, body)


def module_global(c: Covers, plan: Plan) -> list[str]:
    blocks = plan.make("BUF", plan.dims)
    lines = ["BUF = None", "", ""]
    lines += function("start", plan.args, ["global BUF", f"BUF = {plan.alloc}{SITE}"])
    lines += function("fill", plan.args, ["out = []", *flat(blocks[:-1]), "return out"])
    return lines + main(plan, [f"start({plan.args})", f"out += fill({plan.args})", *blocks[-1]])


def dict_field(c: Covers, plan: Plan) -> list[str]:
    body: Block = [f'st = {{"a": {plan.alloc}, "b": {plan.other}}}{SITE}']
    if c.odds(0.3):
        body = ["st = {}", f'st["b"] = {plan.other}', f'st["a"] = {plan.alloc}{SITE}']
    body += flat(plan.make('st["a"]', plan.dims))
    return main(plan, [*body, 'out.append(use(st["b"]))'])


def in_list(c: Covers, plan: Plan) -> list[str]:
    way = c.rng.randrange(4 if c.has("comprehension") else 2)
    if way == 0:
        body: Block = [f"bufs = [{plan.alloc}, {plan.other}]{SITE}"]
        return main(plan, body + flat(plan.make("bufs[0]", plan.dims)))
    if way == 1:
        body = ["bufs = []", f"bufs.append({plan.alloc}){SITE}"]
        return main(plan, body + flat(plan.make("bufs[0]", plan.dims)))
    blocks = plan.make("b", plan.dims)
    body = [f"bufs = [{plan.alloc} for _ in range(2)]{SITE}", Nest("for b in bufs:", flat(blocks[:-1]))]
    if way == 2:
        return main(plan, [*body, Nest("for b in bufs:", blocks[-1])])
    return main(plan, [*body, "b = bufs[1]", *blocks[-1]])


def in_tuple(c: Covers, plan: Plan) -> list[str]:
    blocks = plan.make("x", plan.dims)
    body: Block = [f"pair = ({plan.other}, {plan.alloc}){SITE}", "y, x = pair", *flat(blocks[:-1])]
    if c.odds(0.5):
        body += ["x = pair[1]"]
    return main(plan, [*body, "out.append(use(y))", *blocks[-1]])


def dataclass_field(c: Covers, plan: Plan) -> list[str]:
    lines = ["@dataclass", "class Rec:", "    other: object", "    buf: object", "", ""]
    blocks = plan.make("rec.buf", plan.dims)
    fill = function("fill", f"rec, {plan.args}", ["out = []", *flat(blocks[:-1]), "return out"])
    made = f"rec = Rec({plan.other}, buf={plan.alloc}){SITE}"
    return lines + fill + main(plan, [made, f"out += fill(rec, {plan.args})", *blocks[-1]])


def closure(c: Covers, plan: Plan) -> list[str]:
    blocks = plan.make("x", plan.dims)
    inner = Nest("def fill():", flat(blocks[:-1]))
    body: Block = [f"x = {plan.alloc}{SITE}", inner]
    call: Block = ["fill()"]
    if c.conditions and c.odds(0.2):
        call = [Nest(f"if {c.rng.choice(c.conditions)}:", ["fill()"])]
    return main(plan, [*body, *call, *blocks[-1]])


def conditional(c: Covers, plan: Plan) -> list[str]:
    """The buffer is a fresh one or a written one."""
    if not c.conditions:
        return local(c, plan)
    condition = c.rng.choice(c.conditions)
    blocks = plan.make("x", plan.dims)
    body: Block = [f"x = {plan.alloc} if {condition} else {plan.other}{SITE}"]
    fills: Block = flat(blocks[:-1])
    if c.odds(0.5):
        fills = [Nest(f"if {condition}:", fills)]
    return main(plan, [*body, *fills, *blocks[-1]])


def optional(c: Covers, plan: Plan) -> list[str]:
    """The buffer exists under a flag only; None-checks guard what acts on it."""
    if not c.conditions:
        return local(c, plan)
    condition = c.rng.choice(c.conditions)
    blocks = plan.make("x", plan.dims)
    body: Block = ["x = None", Nest(f"if {condition}:", [f"x = {plan.alloc}{SITE}"])]
    first = c.rng.choice(["if x is not None:", f"if {condition}:"])
    return main(plan, [*body, Nest(first, flat(blocks[:-1])), Nest("if x is not None:", blocks[-1])])


def by_number(c: Covers, plan: Plan) -> list[str]:
    """A dict with computed keys beside constant ones: a record is stored under a number and taken back."""
    blocks = plan.make("rec", plan.dims)
    start: Block = ["self.meta = {}", f'self.meta["w"] = {plan.other}']
    lines = ["class Box:", *function("__init__", f"self, {plan.args}", start, 1)]
    keep: Block = [f"rec = {plan.alloc}{SITE}", "self.meta[key] = rec"]
    lines += function("keep", f"self, key, {plan.args}", keep, 1)
    fill: Block = ["out = []", "rec = self.meta[key]", *flat(blocks[:-1]), "return out"]
    lines += function("fill", f"self, key, {plan.args}", fill, 1)
    lines += function("get", "self, key", ["return self.meta[key]"], 1)
    key = c.rng.choice(["4", plan.params[0]])
    body: Block = [f"box = Box({plan.args})", f"box.keep({key}, {plan.args})", f"out += box.fill({key}, {plan.args})"]
    return lines + main(plan, [*body, f"rec = box.get({key})", *blocks[-1]])


HOMES: dict[str, tuple[str, Home]] = {
    "local": ("", local),
    "local2": ("", local),
    "built": ("calls", built),
    "factory": ("calls", factory),
    "attribute": ("attributes", attribute),
    "attribute2": ("attributes", attribute),
    "global": ("globals", module_global),
    "dict": ("dicts", dict_field),
    "by_number": ("dicts", by_number),
    "list": ("lists", in_list),
    "tuple": ("tuples", in_tuple),
    "dataclass": ("dataclasses", dataclass_field),
    "closure": ("closures", closure),
    "conditional": ("conditional", conditional),
    "optional": ("nones", optional),
    "alias": ("aliases", alias),
}
"""Each home with the feature that switches it on (none: always)."""
