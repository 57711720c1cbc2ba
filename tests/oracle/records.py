"""Buffers that travel in records: dataclasses, NamedTuples, namespaces, dicts with constant and computed keys, lists,
pairs; taken apart, copied with one field replaced, handed on as keyword arguments, nested in each other.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest, Write
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main, swap
from tests.oracle.program import SITE

_FIELDS = "    other: object\n    buf: object\n    size: int = 0"
_INIT = "    def __init__(self, other, buf=None, size=0):\n        self.other, self.buf, self.size = other, buf, size"

KINDS = {
    "dataclass": f"@dataclass\nclass Rec:\n{_FIELDS}",
    "frozen": f"@dataclass(frozen=True)\nclass Rec:\n{_FIELDS}",
    "tuple": f"class Rec(NamedTuple):\n{_FIELDS}",
    "plain": f"class Rec:\n{_INIT}",
    "slots": f'class Rec:\n    __slots__ = ("other", "buf", "size")\n\n{_INIT}',
}


def _record(c: Covers) -> tuple[str, list[str]]:
    kind = c.rng.choice([*KINDS, "dataclass", "namespace"])
    return kind, _lines(kind)


def _lines(kind: str) -> list[str]:
    return [*KINDS[kind].split("\n"), "", ""] if kind in KINDS else []


def _made(c: Covers, kind: str, other: str, buf: str) -> str:
    if kind == "namespace":
        return f"SimpleNamespace(other={other}, buf={buf}, size=0)"
    texts = [f"Rec({other}, {buf})", f"Rec({other}, buf={buf})", f"Rec(buf={buf}, other={other}, size=1)"]
    texts.append(f'Rec(**{{"other": {other}, "buf": {buf}}})')
    return c.rng.choice(texts)


def carried(c: Covers, plan: Plan) -> list[str]:
    """One function builds the record, another finishes it, a third reads what it holds."""
    kind, lines = _record(c)
    blocks = plan.make("x", plan.dims)
    fills = blocks[:-1]
    cut = c.rng.randrange(len(fills) + 1)
    part = c.rng.choice(["x", "x", "x", "x[:]", f"x[:{c.bound()}]", "x[1:]"])
    made = _made(c, kind, plan.other, part)
    lines = list(lines)
    build: Block = ["out = []", f"x = {plan.alloc}{SITE}", *flat(fills[:cut]), f"rec = {made}"]
    lines += function("build", plan.args, [*build, "return rec, out"])
    late = [swap(stmt, "x", "rec.buf") for stmt in flat(fills[cut:])] if part in ("x", "x[:]") else []
    if part not in ("x", "x[:]"):
        build = ["out = []", f"x = {plan.alloc}{SITE}", *flat(fills), f"rec = {made}"]
        lines = [*_lines(kind), *function("build", plan.args, [*build, "return rec, out"])]
        late = [c.put("rec.buf", "")] if c.odds(0.3) else []
    lines += function("finish", f"rec, {plan.args}", ["out = []", *late, "return out"])
    read = [swap(stmt, "x", "rec.buf") for stmt in blocks[-1]]
    if part not in ("x", "x[:]"):
        read = ["out.append(use(rec.buf))"]
    lines += function("look_at", f"rec, {plan.args}", ["out = []", *read, "return out"])
    body: Block = [f"rec, more = build({plan.args})", "out += more", *_changed(c, kind, plan)]
    if c.odds(0.12):
        body += [f"out += look_at(rec, {plan.args})", f"out += finish(rec, {plan.args})"]
    else:
        body += [f"out += finish(rec, {plan.args})", f"out += look_at(rec, {plan.args})"]
    return lines + main(plan, body)


def _changed(c: Covers, kind: str, plan: Plan) -> Block:
    """The record is copied, perhaps with a field replaced, or with another buffer."""
    fields = ["size=3", "size=3", f"other={plan.other}", f"buf={plan.other}"]
    change = c.rng.choice(fields)
    if kind in ("dataclass", "frozen") and c.odds(0.5):
        return [f"rec = {c.rng.choice(['dataclasses.replace', 'replace'])}(rec, {change})"]
    if kind == "tuple" and c.odds(0.5):
        return [
            c.rng.choice(
                [
                    f"rec = rec._replace({change})",
                    "other, buf, size = rec\nrec = Rec(other, buf, size)",
                    "rec = Rec(*rec)",
                ]
            )
        ]
    if kind in ("plain", "namespace", "dataclass") and c.odds(0.4):
        field, _, value = change.partition("=")
        return [f"rec.{field} = {value}"]
    if kind in ("plain", "dataclass") and c.odds(0.3):
        return ["rec = copy.copy(rec)"]
    return []


def keyed(c: Covers, plan: Plan) -> list[str]:
    """A dict of buffers under constant or computed keys."""
    rng = c.rng
    k1, k2 = rng.choice(
        [('"a"', '"b"'), ("0", "1"), ("n", "-1"), ('("a", n)', '("b", n)'), ('f"a{n}"', '"b"'), ("n", "n + 1")]
    )
    way = rng.randrange(7)
    blocks = plan.make("t", plan.dims)
    fills, read = flat(blocks[:-1]), blocks[-1]
    made: Block = ["bufs = {}", f"bufs[{k1}] = {plan.alloc}{SITE}", f"bufs[{k2}] = {plan.other}"]
    if rng.random() < 0.3:
        made = [f"bufs = {{{k1}: {plan.alloc}, {k2}: {plan.other}}}{SITE}"]
    elif rng.random() < 0.2:
        made = ["bufs = {}", f"bufs.setdefault({k1}, {plan.alloc}){SITE}", f"bufs[{k2}] = {plan.other}"]
    elif rng.random() < 0.2:
        made = [f"bufs = dict(a={plan.alloc}, b={plan.other}){SITE}"]
        k1, k2 = '"a"', '"b"'
    get = rng.choice([f"bufs[{k1}]", f"bufs[{k1}]", f"bufs.get({k1})", f"bufs.pop({k1})", f"dict(bufs)[{k1}]"])
    if way == 0:
        walk = rng.choice(["for t in bufs.values():", "for _, t in bufs.items():", "for key, t in bufs.items():"])
        return main(plan, [*made, Nest(walk, fills), f"t = {get}", *read])
    if way == 1:
        walk2 = Nest("for key in bufs:", [Nest(f"if key == {k1}:", ["t = bufs[key]", *fills])])
        return main(plan, [*made, walk2, f"t = {get}", *read])
    if way == 2:
        lines = function("fill", f"bufs, {plan.args}", ["out = []", f"t = bufs[{k1}]", *fills, "return out"])
        return lines + main(plan, [*made, f"out += fill(bufs, {plan.args})", f"t = {get}", *read])
    if way == 3:
        lines = function("fill", f"t, other, {plan.args}", ["out = []", *fills, "return out"])
        first = rng.choice(
            [f'kw = {{"t": bufs[{k1}], "other": bufs[{k2}]}}', f"kw = dict(other=bufs[{k2}], t=bufs[{k1}])"]
        )
        if rng.random() < 0.2:
            first = f'kw = {{"t": bufs[{k2}], "other": bufs[{k1}]}}'
        words = ", ".join(f"{name}={name}" for name in plan.params)
        return lines + main(plan, [*made, first, f"out += fill(**kw, {words})", f"t = {get}", *read])
    if way == 4:
        lines = function("fill", f"{plan.args}, **bufs", ["out = []", 't = bufs["t"]', *fills, "return out"])
        return lines + main(plan, [*made, f"out += fill({plan.args}, t=bufs[{k1}])", f"t = {get}", *read])
    if way == 5:
        swapped = rng.choice(
            [
                f"bufs[{k1}], bufs[{k2}] = bufs[{k2}], bufs[{k1}]",
                f"bufs[{k2}] = bufs[{k1}]",
                f"bufs.update({{{k2}: bufs[{k1}]}})",
            ]
        )
        return main(plan, [*made, f"t = bufs[{k1}]", *fills, swapped, f"t = {rng.choice([get, f'bufs[{k2}]'])}", *read])
    return main(plan, [*made, f"t = bufs[{k1}]", *fills, f"t = {get}", *read])


def paired(c: Covers, plan: Plan) -> list[str]:
    """Returned pairs and longer tuples, unpacked, starred, indexed, zipped."""
    rng = c.rng
    blocks = plan.make("x", plan.dims)
    fills, read = flat(blocks[:-1]), blocks[-1]
    order = rng.choice(["x, y", "x, y", "y, x"])
    lines = function("pair", plan.args, [f"x = {plan.alloc}{SITE}", f"y = {plan.other}", f"return {order}"])
    got = rng.choice(["x, y", "x, y", "y, x"]) if order == "x, y" else "y, x"
    way = rng.randrange(6)
    call = f"pair({plan.args})"
    if way == 0:
        return lines + main(plan, [f"{got} = {call}", *fills, *read, "out.append(use(y))"])
    if way == 1:
        return lines + main(
            plan, [f"both = {call}", Nest("for x in both:", fills), f"x = both[{rng.choice(['0', '1', '-1'])}]", *read]
        )
    if way == 2:
        return lines + main(
            plan, [f"x, *rest = {call}", *fills, f"x = {rng.choice(['x', 'rest[0]', 'rest[-1]'])}", *read]
        )
    if way == 3:
        more = function("fill", f"x, y, {plan.args}", ["out = []", *fills, "return out"])
        return (
            lines
            + more
            + main(
                plan,
                [
                    f"both = {call}",
                    f"out += fill(*both, {plan.args})",
                    f"x = both[{rng.choice(['0', '0', '1'])}]",
                    *read,
                ],
            )
        )
    if way == 4:
        walk = Nest(f"for x, value in zip({call}, (1, 2)):", [Write("x[...] = value"), "kept.append(x)"])
        return lines + main(plan, ["kept = []", walk, f"x = kept[{rng.choice(['0', '1'])}]", *read])
    return lines + main(plan, [f"x = {call}[{rng.choice(['0', '1'])}]", *fills, *read])


def nested(c: Covers, plan: Plan) -> list[str]:
    """A record in a dict in an attribute, or a dict in a record: filled in one method, read in another."""
    kind, lines = _record(c)
    path, keep = c.rng.choice(
        [
            ('self.meta["cur"].buf', 'self.meta["cur"] = rec'),
            ("self.meta[n].buf", "self.meta[n] = rec"),
            ('self.rec.other["b"]', 'self.rec = rec'),
            ("self.recs[0].buf", "self.recs.append(rec)"),
            ("self.recs[-1].buf", "self.recs.append(rec)"),
        ]
    )  # fmt: skip
    blocks = plan.make("t", plan.dims)
    other, buf = plan.other, plan.alloc
    if ".other[" in path:
        other, buf = f'{{"b": {plan.alloc}}}', plan.other
    start: Block = ["self.meta = {}", "self.recs = []", f"rec = {_made(c, kind, other, buf)}{SITE}", keep]
    lines = [*lines, "class Holder:", *function("__init__", f"self, {plan.args}", start, 1)]
    fill: Block = ["out = []", f"t = {path}", *flat(blocks[:-1]), "return out"]
    lines += function("fill", f"self, {plan.args}", fill, 1)
    lines += function("read", f"self, {plan.args}", ["out = []", f"t = {path}", *blocks[-1], "return out"], 1)
    calls: Block = [f"out += box.fill({plan.args})", f"out += box.read({plan.args})"]
    if c.odds(0.1):
        calls.reverse()
    if c.odds(0.3):
        reach = path.replace("self.", "box.")
        calls[-1:] = [f"t = {reach}", *blocks[-1]]
    return lines + main(plan, [f"box = Holder({plan.args})", *calls])


RECORD_HOMES: dict[str, tuple[str, Home]] = {
    "carried": ("records", carried),
    "carried2": ("records", carried),
    "keyed": ("keyed", keyed),
    "paired": ("records", paired),
    "nested": ("records", nested),
}
