"""Loops: one walk for all turns.

*Claim.* After the walk every access of every turn is in the logs, as a function of the loop's variable, and every
cell that the body assigns holds, at the head of a turn and after the loop, a value that stands for all it can hold
there. *Why that suffices.* `regions` projects an access over the turns, subtracting only turns that ran before. *What
it gives up.* A value that changes from turn to turn other than by a constant step is a fresh symbol, and a box that
uses it is a sure write for the very same turn only. `break`, `return` and exceptions make two worlds: all turns ran
whole, or the loop was left early, in which nothing it wrote is certain.

    p = 0                       p                 written
    for i in range(n):          i                 [0:i)
        x[p] = i                                  [0:i]
        p += 1                  i + 1
    use(x[:p])                  n (n >= 0)        [0:n)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from allocsafe.flow import counters
from allocsafe.flow.arithmetic import truth
from allocsafe.flow.buffers import Turn
from allocsafe.flow.carried import MOST_ROUNDS, Live, Round
from allocsafe.flow.cells import Cell, Cells, differing
from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.machine import LoopExits, Machine, step_meaning
from allocsafe.flow.presence import count_of as count_keys
from allocsafe.flow.state import State, choose, merge
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    Const,
    Dim,
    Num,
    Opaque,
    RangeOf,
    Ref,
    Truth,
    TupleOf,
    Value,
    View,
    Zipped,
)
from allocsafe.flow.views import Pick, index, some_of
from allocsafe.ir import nodes as ir
from allocsafe.regions.box import Axis, Loop, slice_axis
from allocsafe.regions.box import length as count_of
from allocsafe.regions.exprs import Lin, Sym, floordiv, maximum, minimum, sym
from allocsafe.source import Span

UNROLL = 8
"""Loops over this many known things are walked thing by thing."""


@step_meaning(ir.For)
def for_loop(m: Machine, step: ir.For) -> None:
    m.put(step.item, NONE)
    iterable = m.each(m.get(step.iterable), lambda v: keys_of(m, v, step.span))
    before = m.state
    path = before.path
    if isinstance(iterable, Alts):
        ends = []
        for cond, option in iterable.options:
            arm = m.conds.both(path, cond)
            if arm != FALSE:
                m.state = State(arm, before.cells.copy())
                _over(m, step, option)
                ends.append(m.state)
        m.state = merge(m.conds, ends, path) if ends else State(FALSE, {})
        return
    _over(m, step, iterable)


def keys_of(m: Machine, value: Value, span: Span) -> Value:
    """What walks over a dict walks over its keys."""
    if isinstance(value, Ref) and m.objects[value.obj].kind == "dict":
        from allocsafe.flow.containers import listing

        return listing(m, value, "keys", span)
    return value


def _over(m: Machine, step: ir.For, iterable: Value) -> None:
    from allocsafe.flow.containers import known_items

    items: list[Value] | None = None
    if isinstance(iterable, TupleOf):
        items = list(iterable.items)
    elif isinstance(iterable, Ref):
        items = known_items(m, iterable)
    elif isinstance(iterable, RangeOf):
        turns = trip_count(iterable).as_int()
        if turns is not None and turns <= 4 and m.unrolled * max(turns, 1) <= 16:
            items = [Num(iterable.start + k * iterable.step) for k in range(turns)]
    elif isinstance(iterable, Zipped):
        parts = [
            list(p.items) if isinstance(p, TupleOf) else known_items(m, p) if isinstance(p, Ref) else None
            for p in iterable.parts
        ]
        short = [p for p in parts if p is not None]
        if short and all(p is not None or isinstance(v, RangeOf) for p, v in zip(parts, iterable.parts, strict=False)):
            count = min(len(p) for p in short)
            rows: list[list[Value]] = []
            for known, part in zip(parts, iterable.parts, strict=True):
                if known is not None:
                    rows.append(known)
                elif isinstance(part, RangeOf):
                    rows.append([Num(part.start + k * part.step) for k in range(count)])
            items = [TupleOf(tuple(row[k] for row in rows)) for k in range(count)]
    if items is not None and len(items) <= UNROLL and m.unrolled * max(len(items), 1) <= 64:
        _unrolled(m, step, items)
        return
    name = step.body[0].name if step.body and isinstance(step.body[0], ir.Store) else "i"
    loop, item = _turns(m, step, iterable, name)

    def body() -> None:
        m.put(step.item, item())
        m.run(step.body)

    walk(m, loop, body, step.orelse, TRUE, step.span.line, block=step.body)


def _unrolled(m: Machine, step: ir.For, items: list[Value]) -> None:
    path = m.state.path
    exits = LoopExits()
    m.frame.loops.append(exits)
    factor, m.unrolled = m.unrolled, m.unrolled * max(len(items), 1)
    for item in items:
        m.put(step.item, item)
        m.run(step.body)
        if exits.continues:
            m.state = merge(m.conds, [m.state, *exits.continues], path)
            exits.continues.clear()
        if m.state.path == FALSE:
            break
    m.unrolled = factor
    m.frame.loops.pop()
    if m.state.path != FALSE:
        m.run(step.orelse)
    m.state = merge(m.conds, [m.state, *exits.breaks], path)


def trip_count(turns: RangeOf) -> Lin:
    """How many turns; negative counts mean none."""
    span = turns.stop - turns.start if turns.step > 0 else turns.start - turns.stop
    size = abs(turns.step)
    return span if size == 1 else floordiv(span + (size - 1), Lin.of(size))


def loop_var(m: Machine, name: str) -> Sym:
    return sym(("loop", m.fresh()), name, table=m.symbols)


def _turns(m: Machine, step: ir.For, iterable: Value, name: str) -> tuple[Loop, Callable[[], Value]]:
    """The turns of a loop over `iterable`, and the item of the turn."""
    if isinstance(iterable, RangeOf):
        var = loop_var(m, name)
        return Loop(var, iterable.start, iterable.stop, iterable.step), lambda: Num(Lin.of(var))
    var = loop_var(m, name if name != "_" else "k")
    at = Lin.of(var)
    if isinstance(iterable, Zipped):
        counts = [length_of(m, part) for part in iterable.parts]
        count = counts[0]
        for other in counts[1:]:
            count = minimum(count, other)
        return Loop(var, Lin.of(0), count, 1), lambda: TupleOf(
            tuple(item_at(m, part, at, step) for part in iterable.parts)
        )
    return Loop(var, Lin.of(0), length_of(m, iterable), 1), lambda: item_at(m, iterable, at, step)


def length_of(m: Machine, value: Value) -> Lin:
    """`len(value)` as a term."""
    if isinstance(value, TupleOf):
        return Lin.of(len(value.items))
    if isinstance(value, RangeOf):
        count = trip_count(value)
        return count if count.nonneg() else maximum(count, Lin.of(0))
    if isinstance(value, Array):
        if value.view.dims:
            return value.view.dims[0].size
        return m.symbol(("shape", ("view", value.buf, value.view), 0), "len(x)", nonneg=True)
    if isinstance(value, Zipped):
        count = length_of(m, value.parts[0])
        for part in value.parts[1:]:
            count = minimum(count, length_of(m, part))
        return count
    if isinstance(value, Ref):
        size = count_keys(m, value) if m.objects[value.obj].kind == "dict" else m.read_cell((("obj", value.obj), "len"))
        if isinstance(size, Num):
            return size.lin
        return m.symbol(("len", ("obj", value.obj), m.version(("obj", value.obj))), "its length", nonneg=True)
    if isinstance(value, Const) and isinstance(value.value, (str, bytes)):
        return Lin.of(len(value.value))
    opaque = m.to_opaque(value)
    known = m.shapes.get(opaque.key)
    if known:
        return known[0]
    from allocsafe.flow.machine import root_of

    sliced = _sliced_length(m, opaque)
    if sliced is not None:
        return sliced
    root = m.shape_root(opaque)
    if root.key in m.tensors:
        return m.shapes[root.key][0] if m.shapes.get(root.key) else m.size_of(root.key, 0, root.text)
    made = m.symbol(
        ("len", opaque.key, m.version(opaque.key), m.version(root_of(opaque.key))), f"len({opaque.text})", nonneg=True
    )
    if not m.born_of(made):
        m.lengths.setdefault(opaque.key, made)
    return made


def _sliced_length(m: Machine, value: Opaque) -> Lin | None:
    """`len(xs[lo:hi])` of an opaque sequence with bounds that are numbers, if nothing has changed it since."""
    from allocsafe.flow.machine import root_of

    key = value.key
    if (
        not isinstance(key, tuple)
        or key[0] != "item"
        or len(key) != 4
        or not isinstance(key[2], tuple)
        or len(key[2]) != 1
    ):
        return None
    part = key[2][0]
    if not isinstance(part, tuple) or part[0] != "slice" or key[3] != (m.version(root_of(key[1])), m.version(key[1])):
        return None
    bounds: list[Lin | None] = []
    for bound in part[1:]:
        if bound is not None and not (isinstance(bound, tuple) and bound[0] == "num"):
            return None
        bounds.append(None if bound is None else bound[1])
    step = bounds[2].as_int() if bounds[2] is not None else 1
    if step is None:
        return None
    axis, exact = slice_axis(
        length_of(m, Opaque(key[1], value.text.split("[", maxsplit=1)[0])), bounds[0], bounds[1], step
    )
    return count_of(axis) if axis is not None and exact else None


def item_at(m: Machine, value: Value, at: Lin, step: ir.Step) -> Value:
    """Item number `at` of what a loop walks over."""
    if isinstance(value, RangeOf):
        return Num(value.start + at * value.step)
    if isinstance(value, Array) and value.buf in m.native and m.native[value.buf].storage != "blob":
        from allocsafe.flow import cpp_pointers

        return cpp_pointers.element(m, cpp_pointers.at_index(value, [at]), step.span)
    if isinstance(value, Array):
        from allocsafe.flow.items import taken

        return taken(m, Array(value.buf, index(value.view, [Pick("int", at=at)])), step.span)
    if isinstance(value, Ref) and m.objects[value.obj].kind == "vector":
        from allocsafe.flow import cpp_vectors

        return cpp_vectors.item(m, value, at, step.span)
    if isinstance(value, Zipped):
        return TupleOf(tuple(item_at(m, part, at, step) for part in value.parts))
    if isinstance(value, Ref):
        from allocsafe.flow.containers import item_number

        return item_number(m, value, at)
    if isinstance(value, TupleOf):
        from allocsafe.flow.items import picked

        return picked(m, list(value.items), "the tuple")
    opaque = m.to_opaque(value)
    return Opaque(("item", opaque.key, at, m.version(opaque.key)), f"an item of {opaque.text}")


# ---------------------------------------------------------------- while


@step_meaning(ir.While)
def while_loop(m: Machine, step: ir.While) -> None:
    loop_line = step.span.line

    def test() -> Condition:
        m.run(step.test)
        return truth(m, m.get(step.cond), step.span) if m.state.path != FALSE else FALSE

    if step.body_first:
        entered = TRUE
    else:
        entered = test()
    if m.state.path == FALSE:
        return
    var = loop_var(m, "turn")
    trips = sym(("trips", m.fresh()), f"turns of the loop at line {loop_line}", nonneg=True, table=m.symbols)
    holds: list[Condition] = []

    def body() -> None:
        holds.clear()
        if not step.body_first:
            asked = test()
            holds.append(asked)
            m.state.path = m.conds.both(m.state.path, asked)
        if m.state.path != FALSE:
            m.run(step.body)
        exits = m.frame.loops[-1]
        if step.update:
            if exits.continues:
                m.state = merge(m.conds, [m.state, *exits.continues], TRUE)
                exits.continues.clear()
            m.run(step.update)

    walk(
        m,
        Loop(var, Lin.of(0), Lin.of(trips), 1),
        body,
        step.orelse,
        entered,
        loop_line,
        holds=holds,
        endless=_endless(m, entered),
        block=(*step.test, *step.body, *step.update) if not step.body_first else None,
    )


def _endless(m: Machine, entered: Condition) -> bool:
    return entered == TRUE


# ---------------------------------------------------------------- the walk


class _Changed:
    """One cell that the body assigns: its value before, and by how much it moves a turn (None: not by a constant)."""

    __slots__ = ("before", "phi", "stride")

    def __init__(self, before: Value | None, phi: Sym) -> None:
        self.before = before
        self.phi = phi
        self.stride: Lin | None = None


def _dry(m: Machine, cells: Cells, path: Condition, turn: Turn, body: Callable[[], None]) -> list[State]:
    """Walks the body without a trace; the states in which a turn ends."""
    frame = m.frame
    marks = (len(frame.returns), [len(h) for h in m.handlers], len(m.captured))
    m.dry += 1
    saved_turns, m.turns = m.turns, (*m.turns, turn)
    m.state = State(path, cells.copy())
    exits = LoopExits()
    frame.loops.append(exits)
    body()
    ends = [s for s in (m.state, *exits.continues, *exits.breaks) if s.path != FALSE]
    frame.loops.pop()
    m.turns = saved_turns
    m.dry -= 1
    del frame.returns[marks[0] :]
    for collected, mark in zip(m.handlers, marks[1], strict=False):
        del collected[mark:]
    del m.captured[marks[2] :]
    return ends


def _differing(base: Cells, ends: list[State]) -> list[Cell]:
    return list(dict.fromkeys(key for end in ends for key in differing(base, end.cells)))


def walk(
    m: Machine,
    loop: Loop,
    body: Callable[[], None],
    orelse: ir.Block,
    entered: Condition,
    line: int,
    holds: list[Condition] | None = None,
    endless: bool = False,
    block: ir.Block | None = None,
) -> None:
    """Walks a loop. `entered`: whether there is a first turn, when not the bounds say so. `holds`: the test of each
    turn (while). `block`: the steps of a turn, to see which variables it can find assigned (None: any).
    """
    before = m.state
    path = before.path
    path_in = m.conds.both(path, entered)
    if path_in == FALSE:
        m.run(orelse)
        return
    turn = Turn(m.fresh(), loop, line)
    m.turn_of[loop.var] = turn.id
    if m.dry >= DEEP:
        _glance(m, before, path_in, turn, body, orelse)
        return
    versions = dict(m.versions)
    rounds = Round(m, before.cells, turn, Live(m, block), lambda v: _settle_for_next(m, v, turn))
    ends = last = _dry(m, before.cells, path_in, turn, body)
    changed: dict[Cell, _Changed] = {}
    header = before.cells.copy()
    moves = _moves(before.cells, ends, rounds)
    for number in range(MOST_ROUNDS):
        for key in _differing(before.cells, last):
            if key not in changed:
                phi = sym(("phi", m.fresh()), _cell_name(key), table=m.symbols)
                changed[key] = _Changed(before.cells.get(key), phi)
        news = rounds.absorb(last, last=number == MOST_ROUNDS - 1)
        for key in news:
            value = rounds.header(key)
            header[key] = value if value is not None else _vague(m, changed[key], turn)
            if key in moves:
                moves[key].either = header[key]
                header[key] = moves[key].guess(turn.loop)
        if not news:
            break
        last = _dry(m, header, path_in, turn, body)
    counted, loop, turn = _inductions(m, header, changed, last, turn, loop, holds, line)
    if counted and entered != TRUE and entered == _some(m, loop.stop - loop.start):
        entered, path_in = TRUE, path  # the bounds say it, as they do of a `for`: no turn is no path of its own
    if _moved(header, moves, ends, last):
        _moved(header, moves, ends, _dry(m, header, path_in, turn, body))
    for root, version in list(m.versions.items()):  # what the body may change is new at every turn
        if versions.get(root) != version:
            m.versions[root] = fresh = m.fresh()
            m.born_keys[("version", fresh)] = frozenset({turn.id})

    # the walk that counts
    frame = m.frame
    marks = (len(frame.returns), [len(h) for h in m.handlers])
    exits = LoopExits()
    frame.loops.append(exits)
    saved_turns, m.turns = m.turns, (*m.turns, turn)
    m.state = State(path_in, header)
    body()
    end = merge(m.conds, [m.state, *exits.continues], path_in)
    if rounds.lost:
        m.state = end
        rounds.settle_lost(end.cells)
    m.turns = saved_turns
    frame.loops.pop()
    left = [s for s in exits.breaks if s.path != FALSE]
    late_returns = frame.returns[marks[0] :]
    late_raises = [
        (collected, state) for collected, mark in zip(m.handlers, marks[1], strict=False) for state in collected[mark:]
    ]
    left_paths = [s.path for s in left] + [s.path for s, _ in late_returns] + [s.path for _, s in late_raises]

    # worlds: every turn ran whole, or the loop was left early
    born = {i for i, atom in enumerate(m.conds.atoms) if turn.id in atom.born}
    gone = FALSE
    for left_path in left_paths:
        gone = m.conds.either(gone, m.conds.within(left_path, path_in))
    if not counted and holds:
        gone_or_done = m.conds.either(gone, m.conds.no(m.conds.within(holds[0], path_in)))
    else:
        gone_or_done = gone
    alive = FALSE
    for open_path in (end.path, *left_paths):
        alive = m.conds.either(alive, m.conds.within(open_path, path_in))
    turn.exits = m.conds.either(
        gone_or_done, m.conds.no(alive)
    )  # a turn in which an assertion fails is no completed one either
    completed = TRUE
    if left_paths:
        only_way = endless and end.path == FALSE
        completed = (
            FALSE if only_way else m.decide(("whole", turn.id), f"the loop at line {line} runs to its end", "loop")
        )
        turn.exact = False
        turn.exit_pos = m.pos
    turn.completed = completed
    turn.entered = entered
    rest = m.conds.no(completed)
    count = len(left_paths)

    def world(number: int) -> Condition:
        nonlocal rest
        if number == count - 1:
            return rest
        asked = m.decide(("way", turn.id, number), f"the loop at line {line} is left at exit {number + 1}", "loop")
        mine = m.conds.both(rest, asked)
        rest = m.conds.both(rest, m.conds.no(asked))
        return mine

    number = 0
    outside = m.conds.forget(path_in, born)
    broken: list[State] = []
    early = (
        [(state, state.path) for state in left]
        + [(state, state.path) for state, _ in late_returns]
        + [(state, state.path) for _, state in late_raises]
    )
    for state in left:
        state.path = m.conds.both(m.conds.both(m.conds.forget(state.path, born), outside), world(number))
        state.cells = _after_cells(m, state.cells, changed, turn, None, before.cells, loop, FALSE, rounds.made_here)
        broken.append(state)
        number += 1
    for state, _ in late_returns:
        state.path = m.conds.both(m.conds.forget(state.path, born), world(number))
        number += 1
    for _, state in late_raises:
        state.path = m.conds.both(m.conds.forget(state.path, born), world(number))
        number += 1

    for state, _ in early:
        rounds.forget(state.cells)
    for state, in_turn in early:
        _last_turn(m, turn, in_turn, state.path)

    # after the last turn
    if counted:
        some_turn = m.at_least_zero((loop.stop - loop.start if loop.step > 0 else loop.start - loop.stop) - 1)
    else:
        some_turn = entered
    none = m.conds.no(some_turn)
    rounds.forget(end.cells)
    rounds.forget(header)
    cells = _after_cells(
        m,
        end.cells if end.path != FALSE else header,
        changed,
        turn,
        counted,
        before.cells,
        loop,
        none,
        rounds.made_here,
    )
    after = State(
        m.conds.both(
            path, completed if not left_paths else m.conds.either(completed, none if entered != TRUE else completed)
        ),
        cells,
    )
    turn.outlived = m.conds.forget(alive, born)  # what is checked in a turn, and is no turn's own
    outlived = m.conds.either(none, turn.outlived)
    if outlived != TRUE and len(m.conds.support(outlived)) <= FEW_CHECKS:
        after.path = m.conds.both(after.path, outlived)
    elif outlived != TRUE:
        m.passed(after.path, outlived)
    if endless and not counted and holds is not None and holds and holds[0] == TRUE:
        after.path = FALSE  # `while True` ends by break or return only
    m.state = after
    for root, version in list(m.versions.items()):
        if ("version", version) in m.born_keys:
            m.versions[root] = m.fresh()
    if m.state.path != FALSE:
        m.run(orelse)
    if broken:
        m.state = merge(m.conds, [m.state, *broken], path)


FEW_CHECKS = 3
"""Parts of what the turns of a loop check, up to which it narrows the path behind the loop."""

DEEP = 3
"""Trial walks on top of one another after which an inner loop is walked once: every level would multiply the walks
below it.
"""


def _glance(m: Machine, before: State, path: Condition, turn: Turn, body: Callable[[], None], orelse: ir.Block) -> None:
    """An inner loop of a trial walk: one pass, and nothing is known of what it changed but that it did."""
    ends = _dry(m, before.cells, path, turn, body)
    cells = before.cells.copy()
    for key in _differing(before.cells, ends):
        values = [end.cells[key] for end in ends if key in end.cells]
        old = before.cells.get(key)
        if old is not None:
            values.append(old)
        after: list[Value] = []
        for value in values:
            for option in value.options if isinstance(value, Alts) else ((TRUE, value),):
                left = option[1]
                if isinstance(left, (Num, Opaque, Truth, Const)):
                    left = (
                        Num(m.symbol(_last_key(m), "its last value"))
                        if isinstance(left, Num)
                        else m.unknown("its last value")
                    )
                elif isinstance(left, Array) and left != old:
                    left = Array(left.buf, some_of(View(None, None, None)))
                if left not in after:
                    after.append(left)
        from allocsafe.flow.items import one_of

        cells[key] = after[0] if len(after) == 1 else one_of(m, after, "what the loop left")
    m.state = State(before.path, cells)
    if m.state.path != FALSE:
        m.run(orelse)


def _last_turn(m: Machine, turn: Turn, in_turn: Condition, world: Condition) -> None:
    """In the world in which a turn left the loop at one exit, that turn made every write that stands before the exit
    on all its paths.

    Only those whose elements do not depend on the turn are known to be the same wherever the loop was left.
    """
    if m.dry or FALSE in (in_turn, world):
        return
    depth = len(m.turns)
    for buffer in m.buffers:
        for entry in list(buffer.entries):
            if (
                entry.kind != "write"
                or entry.extent != "all"
                or len(entry.turns) != depth + 1
                or entry.turns[depth].id != turn.id
                or turn.id in entry.born
            ):
                continue
            bounds = [t for axis in entry.box or () for t in (axis.start, *axis.stops)]
            if any(entry.turns[depth].loop.var in t.all_syms() for t in bounds) or not m.conds.implies(
                in_turn, entry.cond
            ):
                continue
            m.pos += 1
            buffer.entries.append(entry._replace(pos=m.pos, cond=world, turns=entry.turns[:depth]))


def _cell_name(key: Cell) -> str:
    name = key[1]
    if isinstance(name, tuple):
        return str(name[-1])
    return str(name)


def _inductions(
    m: Machine,
    header: Cells,
    changed: dict[Cell, _Changed],
    ends: list[State],
    turn: Turn,
    loop: Loop,
    holds: list[Condition] | None,
    line: int,
) -> tuple[bool, Loop, Turn]:
    """Finds the cells that move by a constant, and the number of turns of a `while` that such a cell bounds. `ends`: of
    a trial walk from the header.
    """
    numbers = {key: c for key, c in changed.items() if header.get(key) == Num(Lin.of(c.phi))}
    test = holds[0] if holds else None
    for key, cell in numbers.items():
        strides = set()
        steps: list[Lin | None] = []
        for end in ends:
            value = end.cells.get(key)
            step = value.lin - Lin.of(cell.phi) if isinstance(value, Num) else None
            steps.append(step)
            strides.add(step if step is not None and _steady(m, step, turn, changed) else None)
        if isinstance(cell.before, Num):
            counters.note(m, cell.phi, cell.before.lin, steps)
        only = strides.pop() if len(strides) == 1 else None
        if only is not None:
            cell.stride = only
    counted = not (holds is not None)
    if holds is not None and test is not None:
        found = _while_turns(m, test, numbers, loop)
        if found is not None:
            loop = found
            turn = Turn(turn.id, loop, line)
            m.turn_of[loop.var] = turn.id
            counted = True
    at = Lin.of(loop.var)
    turns_done = (
        (at - loop.start)
        if loop.step == 1
        else (loop.start - at)
        if loop.step == -1
        else floordiv(at - loop.start, Lin.of(loop.step))
        if loop.step > 0
        else None
    )
    for key, cell in numbers.items():
        number = cell.stride.as_int() if cell.stride is not None else None
        if number is not None and turns_done is not None and isinstance(cell.before, Num):
            header[key] = Num(cell.before.lin + turns_done * number)
    return counted, loop, turn


def _steady(m: Machine, step: Lin, turn: Turn, changed: dict[Cell, _Changed]) -> bool:
    phis = {c.phi for c in changed.values()}
    syms = step.all_syms()
    return turn.loop.var not in syms and not (syms & phis) and turn.id not in m.born_of(step)


def _while_turns(m: Machine, test: Condition, numbers: dict[Cell, _Changed], loop: Loop) -> Loop | None:
    """`while phi < bound` with `phi += c`: the number of turns in closed form."""
    support = m.conds.support(test)
    if len(support) != 1:
        return None
    index_ = next(iter(support))
    atom = m.conds.atoms[index_]
    if atom.lin is None:
        return None
    lin = atom.lin if test == m.conds.literal(index_, True) else -atom.lin - 1
    for cell in numbers.values():
        if cell.phi in dict(lin.terms) and isinstance(cell.before, Num) and cell.stride is not None:
            coef = dict(lin.terms)[cell.phi]
            stride = cell.stride.as_int()
            others = {
                c.phi
                for c in numbers.values()
                if (c is not cell and c.stride is None)
                or (c is not cell and c.stride is not None and c.stride.as_int() != 0)
            }
            if stride is None or coef * stride >= 0 or lin.all_syms() & others:
                return None
            at_start = lin - Lin.of(cell.phi) * coef + cell.before.lin * coef  # >= 0 while the test holds
            turns = (
                floordiv(at_start + abs(coef * stride), Lin.of(abs(coef * stride)))
                if abs(coef * stride) != 1
                else at_start + 1
            )
            return Loop(loop.var, Lin.of(0), turns, 1)
    return None


def _some(m: Machine, turns: Lin) -> Condition:
    """That there is a turn. `(a + k) // k >= 1` is `a >= 0`, which is what the test of a `while` says of its start."""
    rest = turns - 1
    if len(rest.terms) == 1 and rest.terms[0][1] == 1:
        defn = rest.terms[0][0].defn
        by = defn[2].as_int() if defn is not None and defn[0] == "floordiv" else None
        if defn is not None and by is not None and by > 0:
            return m.at_least_zero(defn[1] + by * rest.const)
    return m.at_least_zero(rest)


def _vague(m: Machine, cell: _Changed, turn: Turn) -> Value:
    """A number, text or truth that changes: a fresh one in each turn."""
    if isinstance(cell.before, Num):
        m.born[cell.phi] = frozenset({turn.id})
        return Num(Lin.of(cell.phi))
    key = ("turn", m.fresh())
    m.born_keys[key] = frozenset({turn.id})
    if isinstance(cell.before, Truth):
        return Truth(m.decide(key, "its value in this turn", "unknown"))  # what earlier turns did decides it
    return Opaque(key, cell.before.text if isinstance(cell.before, Opaque) else "a value")


class _Move:
    """A view that the body replaces by another view of the same memory. `gap`: by how much its start moves."""

    __slots__ = ("before", "either", "gap", "tried")

    def __init__(self, before: Array, gap: int | None) -> None:
        self.before = before
        self.gap = gap
        self.either: Value = before  # the first view, or what a turn leaves that does not look at it
        self.tried = False

    def guess(self, loop: Loop) -> Array:
        """The view at the head of a turn: of the turn's number, or any."""
        at = Lin.of(loop.var)
        done = at - loop.start if loop.step == 1 else loop.start - at if loop.step == -1 else None
        if self.gap is None or done is None:
            self.tried = True
            return Array(self.before.buf, some_of(View(None, None, None)))
        return _shifted(self.before, done * self.gap)


def _moves(base: Cells, ends: list[State], rounds: Round) -> dict[Cell, _Move]:
    """Arrays that the body replaces by another view of themselves. A view that moves by a constant is one of the turn's
    number; one that depends on the one before in any other way is some view of the memory; one that does not keeps its
    alternatives.
    """
    out: dict[Cell, _Move] = {}
    for key in _differing(base, ends):
        before = base.get(key)
        if not isinstance(before, Array) or before.buf < 0 or not rounds.live.sees(key, base):
            continue
        after = [v for end in ends for v in _arrays_in(end.cells.get(key))]
        whole = all(isinstance(v, Array) for end in ends for v in _options(end.cells.get(key)))
        if whole and all(a.buf == before.buf for a in after) and any(a.view != before.view for a in after):
            gaps = {_gap(before.view, a.view) for a in after}
            only = gaps.pop() if len(gaps) == 1 else None
            out[key] = _Move(before, only.as_int() if only is not None else None)
            rounds.moving[key] = before.buf
    return out


def _moved(header: Cells, moves: dict[Cell, _Move], ends: list[State], seen: list[State]) -> bool:
    """Holds the guesses against what a walk from them left; whether another walk has to look at new ones."""
    again = False
    for key, move in moves.items():
        now = header[key]
        left = [end.cells.get(key) for end in seen]
        if not move.tried and isinstance(now, Array):
            if move.gap is not None and all(a == _shifted(now, Lin.of(move.gap)) for a in left):
                continue
            header[key] = Array(move.before.buf, some_of(View(None, None, None)))
            move.tried = again = True
        elif {v for end in seen for v in _arrays_in(end.cells.get(key))} == {
            v for end in ends for v in _arrays_in(end.cells.get(key))
        }:
            header[key] = move.either  # what a turn leaves does not depend on what it found
    return again


def _options(value: Value | None) -> list[Value]:
    return [] if value is None else [v for _, v in value.options] if isinstance(value, Alts) else [value]


def _arrays_in(value: Value | None) -> list[Array]:
    return [v for v in _options(value) if isinstance(v, Array)]


def _gap(before: View, after: View) -> Lin | None:
    """By how much the start of the first axis moved, if nothing else did."""
    if (
        before.box is None
        or after.box is None
        or not before.dims
        or before.dims[0].axis < 0
        or len(before.box) != len(after.box)
    ):
        return None
    axis = before.dims[0].axis
    gap = after.box[axis].start - before.box[axis].start
    return gap if _shifted(Array(0, before), gap).view == after else None


def _shifted(array: Array, by: Lin) -> Array:
    """The view from `by` further on."""
    view = array.view
    assert view.box is not None and view.dims
    dim = view.dims[0]
    box = list(view.box)
    box[dim.axis] = Axis(box[dim.axis].start + by, box[dim.axis].stops, box[dim.axis].step)
    return Array(
        array.buf,
        View(view.frame, tuple(box), (Dim(dim.axis, dim.size - by), *view.dims[1:]), view.open, view.extent),
        array.scalar,
    )


def _last_key(m: Machine) -> tuple[str, int]:
    """A key for a value that a loop leaves: another one in every turn of the loops around."""
    key = ("settled", m.fresh())
    m.note_born(key)
    return key


def settle(m: Machine, value: Value, turn: Turn, last: Lin | None, depth: int = 4) -> Value:
    """`value` as it is seen outside of the turn that made it: its loop variable becomes `last`, or it loses its
    exactness.
    """
    if isinstance(value, Num):
        syms = value.lin.all_syms()
        if turn.id in m.born_of(value.lin):
            return Num(m.symbol(_last_key(m), "its last value"))
        if turn.loop.var in syms:
            return (
                Num(value.lin.substitute({turn.loop.var: last}))
                if last is not None
                else Num(m.symbol(_last_key(m), "its last value"))
            )
        return value
    if isinstance(value, Truth):
        if any(turn.id in m.conds.atoms[i].born for i in m.conds.support(value.cond)):
            return Truth(m.decide(_last_key(m), "its last value", "branch"))
        return value
    if isinstance(value, Array):
        return Array(value.buf, _settle_view(m, value.view, turn, last), value.scalar)
    if isinstance(value, TupleOf) and depth:
        return TupleOf(tuple(settle(m, v, turn, last, depth - 1) for v in value.items))
    if isinstance(value, Opaque) and turn.id in m.born_in(value.key):
        return Opaque(_last_key(m), value.text)
    if isinstance(value, Alts):
        options: list[tuple[Condition, Value]] = []
        for cond, option in value.options:
            if any(turn.id in m.conds.atoms[i].born for i in m.conds.support(cond)):
                from allocsafe.flow.items import one_of

                return one_of(m, [settle(m, v, turn, last, depth - 1) for _, v in value.options], "what the loop left")
            options.append((cond, settle(m, option, turn, last, depth - 1)))
        return choose(m.conds, options) or value
    return value


def _settle_for_next(m: Machine, value: Value, turn: Turn) -> Value:
    """What a turn leaves as the turns behind it see it: another value in each of them."""
    outer, m.turns = m.turns, (*m.turns, turn)
    settled = settle(m, value, turn, None)
    m.turns = outer
    return settled


def _settle_view(m: Machine, view: View, turn: Turn, last: Lin | None) -> View:
    if view.box is None:
        return view
    var = turn.loop.var
    axes = []
    touched = False
    for axis in view.box:
        terms = (axis.start, *axis.stops)
        if any(turn.id in m.born_of(t) for t in terms) or (last is None and any(var in t.all_syms() for t in terms)):
            touched = True
        elif any(var in t.all_syms() for t in terms) and last is not None:
            axes.append(
                Axis(
                    axis.start.substitute({var: last}), tuple(s.substitute({var: last}) for s in axis.stops), axis.step
                )
            )
            continue
        axes.append(axis)
    if touched:
        return some_of(View(None, None, None if view.dims is None else tuple(Dim(-1, d.size) for d in view.dims)))
    return View(view.frame, tuple(axes), view.dims, view.open, view.extent)


def _after_cells(
    m: Machine,
    cells: Cells,
    changed: dict[Cell, _Changed],
    turn: Turn,
    counted: bool | None,
    base: Cells,
    loop: Loop,
    none: Condition,
    made_in: Callable[[Hashable], bool],
) -> Cells:
    """The cells after the loop: inductions in closed form, the rest as the last turn left it, or as before if there
    was none.
    """
    out = base.copy()
    last = loop.stop - 1 if counted and loop.step == 1 else loop.stop + 1 if counted and loop.step == -1 else None
    for key in list(dict.fromkeys([*changed, *_differing(base, [State(TRUE, cells)])])):
        value = cells.get(key)
        if value is None:
            out.forget(key)
            continue
        if isinstance(key[1], tuple) and key[1][0] == "at":
            out[key] = value  # a list item as a function of the turn
            continue
        cell = changed.get(key)
        number = cell.stride.as_int() if cell is not None and cell.stride is not None else None
        if (
            counted
            and cell is not None
            and number is not None
            and isinstance(cell.before, Num)
            and loop.step in (1, -1)
        ):
            trips = loop.stop - loop.start if loop.step == 1 else loop.start - loop.stop
            trips = trips if trips.nonneg() else maximum(trips, Lin.of(0))
            out[key] = Num(cell.before.lin + trips * number)
            continue
        of_all = key[1] == "computed" or (isinstance(key[1], tuple) and key[1][0] == "some") or made_in(key[0])
        settled = settle(m, value, turn, None if of_all else last)  # what any turn put there, or the last one did
        old = base.get(key)
        merged = choose(
            m.conds, [(none, old), (m.conds.no(none), settled)] if old is not None else [(m.conds.no(none), settled)]
        )
        out[key] = merged if merged is not None else settled
    return out
