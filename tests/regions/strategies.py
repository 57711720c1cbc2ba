"""Small programs for the property tests, and the same questions answered by running them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from allocsafe.regions.box import Access, Axis, Box, Loop, Write, point
from allocsafe.regions.exprs import Lin, Sym, evaluate, floordiv, maximum, minimum, mul, sym
from hypothesis import strategies as st

N, M = (sym(("test", x), x, nonneg=True) for x in "nm")
T = sym(("test", "t"), "t")  # of unknown sign
IV, J, Q = (sym(("test", x), x) for x in "ijq")
SIZES = (N, M)
Env = dict[Sym, int]


def lins(symbols: tuple[Sym, ...], *, depth: int = 1, products: bool = False) -> st.SearchStrategy[Lin]:
    """Affine expressions over `symbols`, and quotients, minima and maxima of them."""
    flat = st.builds(
        lambda const, coefs: sum((Lin.of(s) * c for s, c in zip(symbols, coefs, strict=True)), Lin(const)),
        st.integers(-2, 4),
        st.tuples(*(st.sampled_from((0, 0, 1, 1, -1, 2)) for _ in symbols)),
    )
    if depth == 0:
        return flat
    inner = lins(symbols, depth=depth - 1, products=products)
    kinds = [
        flat,
        flat,
        st.builds(floordiv, inner, st.integers(1, 4).map(Lin)),
        st.builds(minimum, inner, flat),
        st.builds(maximum, inner, flat),
    ]
    if products:
        divisor = flat.filter(lambda x: x != Lin(0))  # a division by 0 never gets past itself
        kinds += [st.builds(mul, inner, flat), st.builds(floordiv, inner, divisor)]
    return st.one_of(kinds)


class Program(NamedTuple):
    shape: tuple[Lin, ...]
    read: Access
    writes: tuple[Write, ...]
    facts: tuple[Lin, ...]


@st.composite
def accesses(draw: st.DrawFn, rank: int, loops: tuple[Loop, ...], *, free: bool, products: bool = False) -> Access:
    used = (N, M, *((T,) if free else ()), *(loop.var for loop in loops))
    bound = lins(used, depth=1 if products else draw(st.sampled_from((0, 0, 0, 1))), products=products)
    axes = []
    for _ in range(rank):
        kind = draw(st.sampled_from(("point", "slice", "slice", "whole", "stride")))
        if kind == "point":
            axes.append(point(draw(st.sampled_from((Lin.of(used[-1]), Lin(0), Lin.of(used[-1]) + 1)))))
        elif kind == "whole":
            axes.append(Axis(Lin(0), (Lin.of(draw(st.sampled_from(SIZES))),)))
        else:
            step = draw(st.integers(2, 3)) if kind == "stride" else 1
            stops = tuple(draw(st.lists(bound, min_size=1, max_size=2)))
            axes.append(Axis(draw(st.one_of(st.integers(0, 3).map(Lin), bound)), stops, step))
    box: Box | None = tuple(axes)
    if draw(st.integers(0, 15)) == 0:
        box = None
    when = tuple(draw(st.lists(lins(used, depth=0), max_size=1))) if draw(st.booleans()) else ()
    return Access(box, loops, when)


@st.composite
def loops_over(draw: st.DrawFn, var: Sym, outer: tuple[Loop, ...]) -> Loop:
    ends = [Lin.of(N), Lin.of(M), Lin(3), Lin.of(N) - 1, *(Lin.of(loop.var) for loop in outer)]
    first, last = draw(st.integers(0, 1).map(Lin)), draw(st.sampled_from(ends))
    step = draw(st.sampled_from((1, 1, 2, -1, -2, 3)))
    return Loop(var, first, last, step) if step > 0 else Loop(var, last, first - 1, step)


@st.composite
def programs(draw: st.DrawFn, *, inexact: bool = False) -> Program:
    """`inexact`: with products and quotients of unknowns, and with writes that only the same turn may count on."""
    rank = draw(st.sampled_from((1, 1, 1, 2)))
    free = draw(st.integers(0, 3)) == 0
    shape = tuple(draw(st.sampled_from((Lin.of(N), Lin.of(M), Lin.of(N) + 1, Lin(3)))) for _ in range(rank))
    nest: tuple[Loop, ...] = ()
    for var in (IV, J)[: draw(st.sampled_from((0, 0, 1, 1, 2)))]:
        nest = (*nest, draw(loops_over(var, nest)))
    read = draw(accesses(rank, nest, free=free, products=inexact))
    writes = []
    for _ in range(draw(st.integers(0, 3))):
        depth = draw(st.integers(0, len(nest)))
        own = nest[:depth]
        if draw(st.booleans()) and len(own) < 2:
            own = (*own, draw(loops_over(Q, own)))
        access = draw(accesses(rank, own, free=free, products=inexact))
        writes.append(Write(access, draw(st.sampled_from((True, True, True, False))), inexact and draw(st.booleans())))
    facts = tuple(draw(st.lists(lins(SIZES, depth=0), max_size=1))) if draw(st.booleans()) else ()
    return Program(shape, read, tuple(writes), facts)


# ---------------------------------------------------------------- by running


def turns(loops: tuple[Loop, ...], env: Env) -> Iterator[tuple[int, ...]]:
    if not loops:
        yield ()
        return
    head = loops[0]
    for value in range(evaluate(head.start, env), evaluate(head.stop, env), head.step):
        for rest in turns(loops[1:], {**env, head.var: value}):
            yield (value, *rest)


def elements(box: Box | None, shape: tuple[int, ...], env: Env) -> set[tuple[int, ...]]:
    per_axis = []
    for a, extent in enumerate(shape):
        if box is None:
            per_axis.append(list(range(extent)))
            continue
        stop = min(evaluate(x, env) for x in box[a].stops)
        per_axis.append([e for e in range(evaluate(box[a].start, env), stop, box[a].step) if 0 <= e < extent])
    return set(itertools.product(*per_axis))


def touched(access: Access, shape: tuple[int, ...], env: Env) -> Iterator[tuple[tuple[int, ...], set[tuple[int, ...]]]]:
    """Each turn with the elements that it touches."""
    for turn in turns(access.loops, env):
        here = {**env, **{loop.var: v for loop, v in zip(access.loops, turn, strict=True)}}
        if all(evaluate(row, here) >= 0 for row in access.when):
            yield turn, elements(access.box, shape, here)


class Outcome(NamedTuple):
    read: set[tuple[int, ...]]
    maybe_unwritten: set[tuple[int, ...]]  # if other turns of a same-turn write wrote nothing
    surely_unwritten: set[tuple[int, ...]]  # if they wrote everything


def run(program: Program, env: Env) -> Outcome | None:
    """What is read and unwritten at these sizes; None if the facts do not hold or the program divides by zero."""
    try:
        if not all(evaluate(fact, env) >= 0 for fact in program.facts):
            return None
        shape = tuple(evaluate(extent, env) for extent in program.shape)
        signs = [1 if loop.step > 0 else -1 for loop in program.read.loops]
        written = [(write, list(touched(write.access, shape, env))) for write in program.writes]
        reads = list(touched(program.read, shape, env))
    except ZeroDivisionError:
        return None
    out = Outcome(set(), set(), set())
    for turn, wanted in reads:
        left, sure = set(wanted), set(wanted)
        for write, covered in written:
            d = shared(program.read, write.access)
            now = [s * v for s, v in zip(signs, turn[:d], strict=False)]
            loose = write.same_turn_only and len(write.access.loops) > d
            for other, cover in covered:
                then = [s * v for s, v in zip(signs, other[:d], strict=False)]
                counts = then < now or (then == now and write.before_in_turn)
                if counts and write.same_turn_only and (then != now or loose):
                    sure = set()
                elif counts:
                    left -= cover
                    sure -= cover
        out.read.update(wanted)
        out.maybe_unwritten.update(left)
        out.surely_unwritten.update(sure)
    return out


def shared(read: Access, write: Access) -> int:
    pairs = zip(read.loops, write.loops, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0].var is pair[1].var, pairs))


def environments(low: int, high: int, *, free: bool) -> Iterator[Env]:
    for n, m in itertools.product(range(low, high), repeat=2):
        for t in range(-9, 7) if free else (0,):
            yield {N: n, M: m, T: t}


def parsed_sample(sample: str) -> tuple[dict[str, int], tuple[int, ...]]:
    values = {name: int(v) for name, v in re.findall(r"(\w+) = (-?\d+)", sample)}
    place = re.search(r"element \[([^\]]*)\]", sample)
    assert place, sample
    return values, tuple(int(x) for x in place.group(1).split(","))
