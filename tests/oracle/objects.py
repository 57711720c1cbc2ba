"""Buffers that live in an object: classes whose methods a driver calls in some order, in every way that is usual.

Subclasses that override a fill, properties, `nn.Module`, registries, bound methods handed about, `partial`, receivers
known by their base class alone. The order is mostly the one in which the buffer is filled, then read.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle.blocks import Block, Nest
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main, method_names
from tests.oracle.program import SITE

HELPERS = {
    "call_it": "def call_it(fn, *args, **kw):\n    return fn(*args, **kw)",
    "run_all": (
        "def run_all(steps, *args):\n    out = []\n    for step in steps:\n        out += step(*args)\n    return out"
    ),
}


class Shape(NamedTuple):
    """A class as it comes out: its lines, how one is made, and the methods in the order that fills, then reads."""

    lines: list[str]
    maker: str
    base: str
    names: list[str]


def _field(c: Covers) -> str:
    fields = ["self.buf"] * 4
    if c.has("dicts"):
        fields += ['self.state["k"]']
    if c.has("lists"):
        fields += ["self.bufs[1]"]
    if c.has("records"):
        fields += ["self.rec.buf", 'self.meta["cur"].buf']
    return c.rng.choice(fields)


def _store(c: Covers, field: str, plan: Plan) -> tuple[list[str], Block]:
    """The definitions that a field needs, and the statements that put a fresh buffer there."""
    if field == "self.buf":
        return [], [f"self.buf = {plan.alloc}{SITE}"]
    if field.startswith("self.state"):
        return [], ['self.state = {"j": 1}', f'self.state["k"] = {plan.alloc}{SITE}']
    if field.startswith("self.bufs"):
        return [], [f"self.bufs = [{plan.other}, {plan.alloc}]{SITE}"]
    record = ["@dataclass", "class Rec:", "    other: object", "    buf: object = None", "", ""]
    if field.startswith("self.rec"):
        return record, [f"self.rec = Rec({plan.other}, {c.rng.choice(['', 'buf='])}{plan.alloc}){SITE}"]
    return record, [f"rec = Rec({plan.other}, {plan.alloc}){SITE}", 'self.meta = {"cur": rec}']


def _classes(c: Covers, plan: Plan, *, module: bool = False) -> Shape:
    """A base class and perhaps a subclass."""
    field = _field(c)
    blocks = plan.make(field, [dim if c.odds(0.7) else f"{field}.shape[{at}]" for at, dim in enumerate(plan.dims)])
    if len(blocks) > 4:
        blocks = [*blocks[:3], flat(blocks[3:])]
    names = method_names(c, len(blocks))
    if module:
        names[-1] = "forward"
    lines, store = _store(c, field, plan)
    if module and field == "self.buf" and c.odds(0.4):
        store = [f'self.register_buffer("buf", {plan.alloc}){SITE}']
    args, given = f"self, {plan.args}", plan.args
    own: list[str] = []
    start: Block = [f"self.size = {plan.dims[0]}"]
    where = c.rng.choice(["init", "init", "init", "setup", "lazily"])
    if where == "setup":
        own += function("setup", args, [*store], 1)
        start.append(f"self.setup({given})")
    elif where == "lazily" and field == "self.buf" and "register" not in str(store):
        start.append("self.buf = None")
        own += function("ensure", args, [Nest("if self.buf is None:", store), "return self.buf"], 1)
        blocks[0] = [f"self.ensure({given})", *blocks[0]]
    else:
        start += store
    if module:
        start.insert(0, "super().__init__()")
    if c.odds(0.25) and field == "self.buf":
        own += ["    @property", *function("view", "self", ["return self.buf"], 1)]
        blocks[-1] = [_said(stmt, "self.buf", "self.view") for stmt in blocks[-1]]
    base = f"class Base{'(nn.Module)' if module else ''}:"
    lines += [base, *function("__init__", args, start, 1), *own]
    for name, block in zip(names, blocks, strict=True):
        lines += function(name, args, ["out = []", *block, "return out"], 1)
    if c.odds(0.25):
        inner: Block = ["out = []", *(f"out += self.{name}({given})" for name in names[:-1]), "return out"]
        lines += function("prepare_all", args, inner, 1)
        names = ["prepare_all", names[-1]]
    maker = "Base"
    if c.odds(0.55):
        maker = "Child"
        lines += ["class Child(Base):"]
        if c.odds(0.3):
            extra: Block = [f"super().__init__({given})", "self.more = 1"]
            if c.odds(0.3):
                extra.append(f"{field}[:1] = 1" if where != "lazily" else "pass")
            lines += function("__init__", args, extra, 1)
        name = c.rng.choice(names[:-1])
        over: list[Block] = [
            ["return []"],
            [f"return super().{name}({given})"],
            [f"out = super().{name}({given})", "self.more = 2", "return out"],
            ["out = []", *c.cover(field, plan.dims, 1), "return out"] if where != "lazily" else ["return []"],
            [Nest("if n > 2:", ["return []"]), f"return super().{name}({given})"],
        ]
        lines += function(name, args, c.rng.choice([over[1], *over]), 1)
    return Shape(lines, maker, "Base", names)


def _said(stmt: str | Nest, old: str, new: str) -> str | Nest:
    if isinstance(stmt, Nest):
        return Nest(stmt.head.replace(old, new), [_said(inner, old, new) for inner in stmt.body], stmt.joined)
    return type(stmt)(stmt.replace(old, new))


def _made(c: Covers, shape: Shape, args: str) -> tuple[list[str], str]:
    """Definitions, and the expression that makes an object."""
    way = c.rng.randrange(8)
    other = shape.base if shape.maker == "Child" else shape.maker
    if way == 0:
        return [f'KINDS = {{"a": {other}, "b": {shape.maker}}}', "", ""], f'KINDS["b"]({args})'
    if way == 1:
        return function("make_box", args, [f"return {shape.maker}({args})"]), f"make_box({args})"
    if way == 2 and c.conditions:
        test = c.rng.choice(c.conditions)
        body: Block = [Nest(f"if {test}:", [f"return {shape.maker}({args})"]), f"return {other}({args})"]
        return function("make_box", args, body), f"make_box({args})"
    if way == 3:
        return [], f"({shape.maker} if n > 1 else {other})({args})"
    return [], f"{shape.maker}({args})"


def _call(c: Covers, name: str, args: str, *, module: bool = False) -> Block:
    """One method called, in one of many ways."""
    f = c.fresh("f")
    if module and name == "forward":
        return [f"out += box({args})"]
    way = c.rng.randrange(22)
    if way == 0:
        return [f"{f} = box.{name}", f"out += {f}({args})"]
    if way == 1:
        return [f"out += partial(box.{name}, {args})()"]
    if way == 2:
        c.used.add("call_it")
        return [f"out += call_it(box.{name}, {args})"]
    if way == 3:
        return [f'out += getattr(box, "{name}")({args})']
    if way == 4:
        c.used.add("run_all")
        return [f"out += run_all([box.{name}], {args})"]
    if way == 5:
        return [f"box.stored = box.{name}", f"out += box.stored({args})"]
    if way == 6:
        return [f'{f} = {{"go": box.{name}}}', f'out += {f}["go"]({args})']
    if way == 7:
        words = ", ".join(f"{word}={word}" for word in args.split(", "))
        return [f"out += box.{name}({words})"]
    if way == 8:
        return [f"out += (lambda: box.{name}({args}))()"]
    if way == 9:
        return [f"out += {c.rng.choice(['type(box)', 'box.__class__'])}.{name}(box, {args})"]
    if way == 10:
        return [f"out += [part for step in map(lambda go: go({args}), [box.{name}]) for part in step]"]
    if way == 11:
        return [f"out += box.{name}.__call__({args})"]
    if way == 12:
        return [f"out += (box.{name} if n >= 0 else box.{name})({args})"]
    return [f"out += box.{name}({args})"]


def _driven(c: Covers, shape: Shape, args: str, *, module: bool = False) -> Block:
    """The calls of the methods: mostly in order, sometimes shuffled, repeated, left out or under a condition."""
    names = list(shape.names)
    if c.odds(0.2):
        c.rng.shuffle(names)
    if c.odds(0.2):
        names.insert(c.rng.randrange(len(names) + 1), c.rng.choice(names))
    if c.odds(0.12) and len(names) > 1:
        names.pop(c.rng.randrange(len(names)))
    body: Block = []
    for name in names:
        call = _call(c, name, args, module=module)
        if c.conditions and c.odds(0.1):
            call = [Nest(f"if {c.rng.choice(c.conditions)}:", call)]
        body += call
    if c.odds(0.15):
        return [Nest(f"for turn in range({c.rng.choice(['2', '1', c.rng.choice(c.ints)])}):", body)]
    return body


def driven(c: Covers, plan: Plan) -> list[str]:
    """Methods called in some order by the entry, by a function with an annotated receiver, or by a driver's class."""
    shape = _classes(c, plan)
    defs, made = _made(c, shape, plan.args)
    body = _driven(c, shape, plan.args)
    lines = [*shape.lines, *defs]
    way = c.rng.randrange(4)
    if way == 0:
        head = c.rng.choice(["box", f"box: {shape.base}", f'box: "{shape.base}"'])
        lines += function("drive", f"{head}, {plan.args}", ["out = []", *body, "return out"])
        return lines + main(plan, [f"out += drive({made}, {plan.args})"])
    if way == 1:
        lines += ["class Runner:", *function("__init__", f"self, {plan.args}", [f"self.box = {made}"], 1)]
        told: Block = [_said(stmt, "box.", "self.box.") for stmt in body]
        lines += function("run", f"self, {plan.args}", ["out = []", *told, "return out"], 1)
        return lines + main(plan, [f"out += Runner({plan.args}).run({plan.args})"])
    return lines + main(plan, [f"box = {made}", *body])


def neural(c: Covers, plan: Plan) -> list[str]:
    """An `nn.Module`, whose forward pass runs through a call of the object."""
    if c.lib == "numpy":
        return driven(c, plan)
    shape = _classes(c, plan, module=True)
    defs, made = _made(c, shape, plan.args)
    body = _driven(c, shape, plan.args, module=True)
    lines = [*shape.lines, *defs]
    if c.odds(0.3):
        lines += ["class Outer(nn.Module):"]
        lines += function("__init__", f"self, {plan.args}", ["super().__init__()", f"self.box = {made}"], 1)
        lines += function("forward", f"self, {plan.args}", ["box = self.box", "out = []", *body, "return out"], 1)
        return lines + main(plan, [f"out += Outer({plan.args})({plan.args})"])
    return lines + main(plan, [f"box = {made}", *body])


def given(c: Covers, plan: Plan) -> list[str]:
    """The buffer is made outside and given to the object; both sides act on it."""
    blocks = plan.make("self.buf", plan.dims)
    names = method_names(c, min(len(blocks), 4))
    if len(blocks) > 4:
        blocks = [*blocks[:3], flat(blocks[3:])]
    kept = c.rng.choice(["buf", "buf", "buf", "buf.clone()" if c.lib == "torch" else "buf.copy()", "buf[:]"])
    lines = ["class Box:", *function("__init__", "self, buf", [f"self.buf = {kept}"], 1)]
    for name, block in zip(names, blocks, strict=True):
        lines += function(name, f"self, {plan.args}", ["out = []", *block, "return out"], 1)
    body: Block = [f"x = {plan.alloc}{SITE}", "box = Box(x)"]
    if c.odds(0.3):
        body.insert(c.rng.choice([1, 2]), c.put("x", c.rng.choice(["", "1:", ":1"])))
    shape = Shape(lines, "Box", "Box", names)
    body += _driven(c, shape, plan.args)
    if c.odds(0.25):
        body.append("out.append(use(x))")
    return lines + main(plan, body)


OBJECT_HOMES: dict[str, tuple[str, Home]] = {
    "driven": ("objects", driven),
    "driven2": ("objects", driven),
    "neural": ("neural", neural),
    "given": ("objects", given),
}
