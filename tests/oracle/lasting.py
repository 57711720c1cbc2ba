"""Buffers that outlive a step: made once, refilled in part each step, read later; and fills that the patch drops.

A step that no longer clears what it does not write reads what an earlier step left there: that memory is written, so
it is no read of unwritten memory. Such a place is marked (`# dropped:`), and a run with that memory spoilt tells
whether a later read meets it.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest
from tests.oracle.covers import Covers
from tests.oracle.homes import Home, Plan, flat, function, main
from tests.oracle.program import DROPPED, SITE


def stepped(c: Covers, plan: Plan) -> list[str]:
    """One object, several steps; each writes a part that depends on the step and reads a part."""
    return _steps(c, plan, drop=False)


def dropped(c: Covers, plan: Plan) -> list[str]:
    """As `stepped`, and the patch drops the fill at the head of each step. The memory starts filled: what is asked is
    whether a step reads what an earlier one left."""
    return _steps(c, plan._replace(alloc=plan.filled), drop=True) if c.lib == "torch" else stepped(c, plan)


def _steps(c: Covers, plan: Plan, *, drop: bool) -> list[str]:
    rng = c.rng
    field = rng.choice(["self.buf", "self.buf", 'self.bufs["ids"]']) if c.has("dicts") else "self.buf"
    start: Block = ["self.turn = 0", "self.bufs = {}", f"{field} = {plan.alloc}{SITE}"]
    if c.odds(0.3):
        start.append(c.put(field, rng.choice(["", "", ":1", "1:"])))
    lines = ["class Stepper:", *function("__init__", f"self, {plan.args}", start, 1)]
    blocks = plan.make(field, plan.dims)
    k = c.bound()
    first: Block = rng.choice(
        [
            [c.put(field, f":{k}")],
            [c.put(field, f"{k}:")],
            [c.put(field)],
            flat(blocks[:-1]),
            flat(blocks[:-1]),
            [Nest("if self.turn == 0:", [c.put(field)])],
            [Nest("if self.turn > 0:", [c.put(field)])],
        ]
    )
    read: Block = blocks[-1] if c.odds(0.6) else [f"out.append(use({field}[{rng.choice([f':{k}', f'{k}:', ':1'])}]))"]
    clear: Block = [f"pass  {DROPPED}{field}"] if drop else []
    step: Block = ["out = []", *clear, *first]
    apart = c.odds(0.5)
    if not apart:
        step += read
    lines += function("step", f"self, {plan.args}", [*step, "self.turn += 1", "return out"], 1)
    if apart:
        lines += function("read", f"self, {plan.args}", ["out = []", *read, "return out"], 1)
    call: Block = [f"out += box.step({plan.args})"]
    last: Block = [f"out += box.read({plan.args})"] if apart else []
    way = rng.randrange(4)
    if way == 0:
        turns = rng.choice(["3", "2", rng.choice(c.ints)])
        body: Block = [Nest(f"for turn in range({turns}):", [*call, *(last if c.odds(0.5) else [])]), *last]
    elif way == 1:
        body = [*call, *last, *call, *last]
    elif way == 2 and apart:
        body = [*last, *call] if c.odds(0.3) else [*call, *call, *last]
    else:
        body = [*call, *last]
    return lines + main(plan, [f"box = Stepper({plan.args})", *body])


def dropped_here(c: Covers, plan: Plan) -> list[str]:
    """The patch drops a fill of a buffer that started unwritten: in the caller, or in a helper that clears."""
    if c.lib != "torch":
        return stepped(c, plan)
    blocks = plan.make("x", plan.dims)
    made = f"x = {plan.alloc}{SITE}"
    if c.odds(0.5):
        return main(plan, [made, f"pass  {DROPPED}x", *flat(blocks)])
    lines = function("clear", "t", [f"pass  {DROPPED}t"])
    return lines + main(plan, [made, "clear(x)", *flat(blocks)])


LASTING_HOMES: dict[str, tuple[str, Home]] = {
    "stepped": ("lasting", stepped),
    "dropped": ("dropped", dropped),
    "dropped_here": ("dropped", dropped_here),
}
