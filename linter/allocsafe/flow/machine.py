"""The walk: one function after another, step by step, with symbolic values.

*Claim.* After the walk of an entry point, every access that any run of it can make to a followed buffer is an entry
of that buffer's log (or the log holds an escape that says where we stopped looking), in an order that holds for every
run, under a condition that is true in every run that makes it. *Why that suffices.* The judge asks only the logs.
*What it gives up.* Numbers are symbolic integers or nothing; loops are walked once for all turns (see `loops`); calls
are inlined up to a depth, past it they are escapes.

This module holds the machine's state and the small services every step uses. The steps themselves live by kind:
`items`, `attributes`, `arithmetic`, `control`, `loops`, `calls`, `operators`, `containers`. They register themselves
in `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING

from allocsafe.effects.lookup import Contracts
from allocsafe.effects.summary import Tables
from allocsafe.flow.buffers import Buffer, Turn
from allocsafe.flow.cells import Cell
from allocsafe.flow.clock import over
from allocsafe.flow.conditions import FALSE, TRUE, Atom, Condition, Conditions
from allocsafe.flow.doubts import Doubt
from allocsafe.flow.every import item_of_all
from allocsafe.flow.holders import Held
from allocsafe.flow.state import State, choose_few, covers, merge, under
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Partial,
    Ref,
    Truth,
    TupleOf,
    Value,
    Zipped,
)
from allocsafe.frontends.base import Unsupported
from allocsafe.ir.nodes import Block, Function, Reg, Step
from allocsafe.regions.exprs import Lin, Sym, Table, sym
from allocsafe.source import NOWHERE, Span

if TYPE_CHECKING:
    from allocsafe.api import Phase
    from allocsafe.flow.contracts import Use
    from allocsafe.flow.cpp_memory import Native
    from allocsafe.flow.fields import Default
    from allocsafe.flow.parameters import Made, Pending
    from allocsafe.flow.program import Program


class Left:
    """What the mark of a dropped fill (see `stale`) found behind the name: memory that lives on, memory of this very
    step, or something else.
    """

    __slots__ = ("aliases", "followed", "fresh", "made", "other", "parents", "stale")

    def __init__(self) -> None:
        self.stale = 0  # buffers that stand for memory that lives on
        self.made = 0  # those that stand for memory of this very step, in which nothing was written before
        self.aliases: set[str] = set()  # earlier views of that memory under other keys
        self.parents: set[str] = set()  # local names of what the memory was made from
        self.followed: set[int] = set()  # buffers that are judged on their own
        self.fresh: list[Span] = []  # filled allocations of the same step
        self.other: list[str] = []


STEPS: dict[type, Callable[..., None]] = {}
"""What each kind of step does: (machine, step) -> None. Filled by the modules that know."""


MOST_CHECKS = 128
"""Checks that every world is asked for. One past the bound is asked of a path that would be evidence only."""
MOST_PARTS = 12
"""Questions that one remembered check may depend on."""

FEW_ATOMS = 1
"""Checks of more parts than this do not narrow the path."""


class OutOfBudget(Exception):
    """The site's time is used up; its verdict is unknown (budget)."""


class Frame:
    """One activation of a function: its registers, and where its exits are collected."""

    __slots__ = (
        "closure_of",
        "function",
        "handlers",
        "ident",
        "loops",
        "mocked",
        "owner",
        "path",
        "receiver",
        "regs",
        "returns",
        "start",
        "yields",
    )

    def __init__(
        self, ident: int, function: Function, path: str, owner: str, closure_of: int, receiver: Value | None
    ) -> None:
        self.ident = ident
        self.function = function
        self.path = path
        self.owner = owner
        self.closure_of = closure_of
        self.receiver = receiver
        self.regs: dict[Reg, Value] = {}
        self.returns: list[tuple[State, Value]] = []
        self.loops: list[LoopExits] = []
        self.handlers: list[list[State]] = []
        self.yields: list[Value] = []
        self.mocked: set[str] = set()  # names that it gave another meaning, see `mocks`
        self.start = 0  # where the walk stood when the function was entered


class LoopExits:
    """Where `break` and `continue` of one loop collect the states they leave with."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[State] = []
        self.continues: list[State] = []


class FilledSite:
    """An allocation that starts written, or that nobody asks about (`unwritten`, with the key of all of it): followed
    only as far as its name, for comparing both sides.
    """

    __slots__ = ("attrs", "pos", "span", "symbol", "unwritten", "what")

    def __init__(
        self, span: Span, what: str, attrs: dict[str, str], pos: int = 0, unwritten: Hashable | None = None
    ) -> None:
        self.span = span
        self.unwritten = unwritten
        self.what = what
        self.attrs = attrs
        self.symbol = ""
        self.pos = pos


class Heaped:
    """What is known of a heap object besides its cells. `items`: the values of a list that is known item by item
    (None: not).
    """

    __slots__ = ("cls", "kind", "path", "span", "turns")

    def __init__(self, kind: str, cls: str, path: str, span: Span, turns: tuple[Turn, ...]) -> None:
        self.kind = kind  # list dict set instance namespace
        self.cls = cls
        self.path = path
        self.span = span
        self.turns = turns


class Machine:
    """The state of one walk. See the module's docstring for what it promises."""

    ROOT_DEPTH = 2
    """Frames on the stack while the entry point itself runs (below it, the place it is called from)."""

    MOST_DEPTH = 14
    """Inlined calls on top of one another; recursion ends it earlier."""

    def __init__(
        self,
        program: Program,
        tables: Tables,
        deadline: float,
        phases: tuple[Phase, ...] = (),
        contracts: Contracts | None = None,
    ) -> None:
        self.program = program
        self.tables = tables
        self.phases = phases
        self.contracts = contracts or Contracts({})
        self.uses: list[Use] = []  # calls that a contract spoke for
        self.parameters: dict[int, Made] = {}  # buffers that were made parameters
        self.loads: list[Pending] = []  # parameters on modules, which the checkpoint loader will fill
        self.relied: dict[int, str] = {}  # position of an entry -> what it was taken from
        self.deadline = deadline
        self.conds = Conditions()
        self.conds.deadline = deadline
        self.conds.unknown = lambda: self.unknown("a value")
        self.conds.doubt = self._doubt
        self.conds.truth = self._truth
        self.stops: list[tuple[str, str, str]] = []  # limits that were met: step, reason, what decides
        self.state = State()
        self.buffers: list[Buffer] = []
        self.objects: list[Heaped] = []
        self.frames: list[Frame] = []
        self.turns: tuple[Turn, ...] = ()
        self.stack: tuple[Span, ...] = ()
        self.pos = 0
        self.dry = 0
        self.phase = 0
        self.versions: dict[Hashable, int] = {}
        self.rewritten: dict[Hashable, int] = {}  # opaque values that were changed in place: no numbers, no texts
        self.born: dict[Sym, frozenset[int]] = {}
        self.turn_of: dict[Sym, int] = {}  # a loop's variable: the loop
        self.born_keys: dict[Hashable, frozenset[int]] = {}
        self.shapes: dict[Hashable, tuple[Lin, ...]] = {}
        self.assumes: set[str] = set()
        self.assumed: dict[
            str, set[Sym]
        ] = {}  # lengths taken as not negative: the text of an assumption -> its symbols
        self.callees: dict[Span, str] = {}  # the function that is walked at a call
        self.masks: dict[Hashable, tuple[Hashable, bool]] = {}
        self.globals_run: dict[str, int] = {}
        self.graphs: dict[Hashable, list[tuple[int, int]]] = {}
        self.counter = 0
        self.symbols: Table = {}  # of this walk: what it assumes of one, and its numbers, mean nothing to another walk
        self.ticks = 0
        self.calls_seen: set[tuple[str, str]] = set()
        self.class_objects: dict[tuple[str, str], int] = {}
        self.attr_writers: dict[str, set[str]] = {}
        self.known_stores: dict[str, Value] = {}
        self.known_frames: dict[int, int] = {}
        self.handlers: list[list[State]] = []
        self.catching: list[frozenset[str]] = []  # the errors that the handlers around name
        self.captured: list[tuple[int, int]] = []
        self.unrolled = 1
        self.inline_all = False
        self.small_callee = 40
        self.small_elsewhere = 10
        self.follow: tuple[str, frozenset[int]] | None = None  # the file and lines whose allocations are asked about
        self.shape_alias: dict[Hashable, Opaque] = {}
        self.filled: dict[Hashable, FilledSite] = {}
        self.somethings: set[Hashable] = set()  # values that operators made: none of them is None
        self.calling = ""
        self.awaited = False  # whether what the call at hand returns is waited for
        self.logged = 0
        self.dead_ends: list[Span] = []
        self.doubts: dict[Cell, Doubt] = {}  # what code out of the walk assigns, too
        self.entry_phases: list[Phase | None] = [None]
        self.ran: dict[int, Condition] = {}
        self.run_modules = True
        self.script = ""  # the file that is run as a program; every other one is imported
        self.bodies_run: set[Hashable] = set()
        self.tensors: set[Hashable] = set()
        self.exposed: dict[int, tuple[Block, frozenset[str] | None]] = {}  # see `carried`, by the block of a loop
        self.lengths: dict[
            Hashable, Lin
        ] = {}  # `len(x)` of opaque values, by key: the first length if it turns out to be a tensor
        self.opaque_class: dict[Hashable, ClassOf] = {}
        self.class_values: dict[Hashable, Value] = {}  # what class bodies bind: (path, class, name)
        self.field_defaults: dict[Hashable, Default] = {}  # what `field(...)` in a class body says
        self.managers: dict[
            Hashable, tuple[Closure, list[Value], dict[str, Value], Span]
        ] = {}  # calls of generators that a `with` will enter
        self.yielding: dict[int, Callable[[Value], None]] = {}  # what runs where a frame yields
        self.narrowed: dict[Hashable, list[tuple[Condition, ClassOf]]] = {}  # what `isinstance` says of opaque values
        self.lasting: dict[int, Condition] = {}  # dicts that hold what earlier calls stored, and when they do
        self.open_objects: set[int] = set()  # objects that may be of a class below the one they are known by
        self.overrides: dict[Hashable, tuple[Value, str]] = {}  # methods that nobody knows: receiver, and why
        self.considered: dict[tuple[str, int], str] = {}  # path and line of a call -> the definitions it may run
        self.integers: set[Hashable] = set()
        self.swallows: set[Hashable] = set()  # context managers that may keep an exception of their block to themselves
        self.numbers: set[Hashable] = set()  # opaque values used as a number somewhere: no texts
        self.checks: list[tuple[int, int, tuple[Turn, ...], Condition, Condition]] = []
        self.unkept: list[tuple[int, int, Condition]] = []  # checks past the bound: position, phase, what they say
        self.left = Left()  # what the marks of a dropped fill found
        self.native: dict[int, Native] = {}  # what C++ knows of a buffer besides
        self.derived: set[int] = set()  # buffers computed element by element from others
        self.zero_writes: set[int] = set()  # positions of writes of nothing but zeros
        self.extremes: set[Sym] = set()  # what calls of `max` and `min` made of an expression and a constant
        self.floors: dict[Sym, Lin] = {}  # counters that only grow: their first values
        self.chosen: dict[Sym, tuple[tuple[Condition, Lin], ...]] = {}  # numbers that a branch chose, as one symbol
        self.invoked: set[Span] = set()  # functions that the walk has called
        self.aside: set[Span] = set()  # callables that were handed away, and walked for what they make
        self.held = Held()  # who holds followed buffers by name

    # ------------------------------------------------------------ walking

    def run(self, block: Block) -> None:
        """The steps of a block, until the path ends."""
        for step in block:
            if self.state.path == FALSE:
                return
            self.tick()
            handler = STEPS.get(type(step))
            if handler is None:
                raise TypeError(f"no meaning for step {type(step).__name__}")
            handler(self, step)

    def tick(self) -> None:
        self.pos += 1
        self.ticks += 1
        if not self.ticks & 63 and over(self.deadline):
            raise OutOfBudget

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def fresh(self) -> int:
        self.counter += 1
        return self.counter

    def run_module(self, path: str) -> None:
        """The module's own statements, once, as if they had run before everything else."""
        self.globals_run[path] = 1
        unit = self.program.unit(path)
        if unit is None:
            return
        if unit.language == "python":
            name = "__main__" if path == self.script else path.removesuffix(".py").replace("/", ".")
            self.write_cell((("module", path), "__name__"), Const(name))
        try:
            top = unit.toplevel()
        except Unsupported:
            return
        self.enter(top, path)
        if unit.language == "python":
            from allocsafe.flow.imported import unsettle

            unsettle(self, path, unit.source.text)

    def enter(self, function: Function, path: str) -> Frame:
        """Walks code outside of functions on a path of its own; its cells stay."""
        frame = Frame(self.fresh(), function, path, "", 0, None)
        saved = (self.state.path, self.turns, self.stack, self.handlers, self.catching)
        self.state.path, self.turns, self.stack, self.handlers, self.catching = TRUE, (), (), [], []
        self.frames.append(frame)
        self.run(function.body)
        self.frames.pop()
        self.state.path, self.turns, self.stack, self.handlers, self.catching = saved
        return frame

    def run_apart(self, function: Function, path: str) -> dict[str, Value]:
        """The names that a class body binds."""
        frame = self.enter(function, path)
        return {
            str(name): value
            for (who, name), value in self.state.cells.items()
            if who == frame.ident and isinstance(name, str)
        }

    # ------------------------------------------------------------ registers and names

    def get(self, reg: Reg) -> Value:
        """The value of a register on this path."""
        value = self.frame.regs.get(reg)
        if value is None:
            return Opaque(("reg", self.frame.ident, reg, self.fresh()), "?")
        if isinstance(value, Alts):
            seen = under(self.conds, value, self.state.path)
            return value if seen is None else seen
        return value

    def put(self, reg: Reg, value: Value) -> None:
        self.frame.regs[reg] = value

    def read_cell(self, key: tuple[Hashable, Hashable]) -> Value | None:
        """What a cell holds on this path, or None."""
        value = self.state.cells.get(key)
        return None if value is None else under(self.conds, value, self.state.path)

    def write_cell(self, key: tuple[Hashable, Hashable], value: Value) -> None:
        """A strong update of one cell."""
        self.state.cells[key] = value

    # ------------------------------------------------------------ splitting a value

    def each(self, value: Value, act: Callable[[Value], Value]) -> Value:
        """`act` on every alternative, each on its own path and copy of the cells, joined again."""
        if not isinstance(value, Alts):
            return act(value)
        before = self.state
        ends: list[State] = []
        results: list[tuple[Condition, Value]] = []
        whole = True
        for cond, option in value.options:
            path = self.conds.both(before.path, cond)
            if path == FALSE:
                continue
            self.state = State(path, before.cells.copy())
            result = act(option)
            if self.state.path != FALSE:
                ends.append(self.state)
                tag = cond if self.state.path == path else self.conds.within(self.state.path, before.path)
                results.append((tag, result))
            whole = whole and self.state.path == path
        if not ends:
            self.state = State(FALSE, before.cells)
            return NONE
        self.state = merge(self.conds, ends, before.path, before.path if whole and covers(self.conds, value) else None)
        return choose_few(self.conds, results, lambda: self.unknown("a value")) or NONE

    def leaves(self, value: Value, depth: int = 6) -> Iterator[tuple[Condition, Value]]:
        """Every leaf that `value` may be or hold in tuples, lists, dicts and objects, with its condition."""
        seen: set[int] = set()
        yield from self._leaves(value, TRUE, depth, seen)

    def _leaves(self, value: Value, cond: Condition, depth: int, seen: set[int]) -> Iterator[tuple[Condition, Value]]:
        if isinstance(value, Alts):
            for tag, option in value.options:
                both = self.conds.both(cond, tag)
                if both != FALSE:
                    yield from self._leaves(option, both, depth, seen)
        elif isinstance(value, TupleOf):
            for item in value.items:
                yield from self._leaves(item, cond, depth, seen)
        elif isinstance(value, Ref):
            yield cond, value
            if depth and value.obj not in seen:
                seen.add(value.obj)
                for name, held in self.state.cells.of(("obj", value.obj)):
                    yield from self._leaves(item_of_all(self, value, name, held), cond, depth - 1, seen)
        elif isinstance(value, (Method, Partial, Zipped, Closure)):
            yield cond, value
            if depth:
                for held in self.behind(value):
                    yield from self._leaves(held, cond, depth - 1, seen)
        else:
            yield cond, value
            if (
                isinstance(value, Opaque) and isinstance(value.key, tuple) and value.key[0] == "addr" and depth
            ):  # C++: `&x` reaches what x holds
                held_there = self.state.cells.get((value.key[1], value.key[2]))
                if held_there is not None:
                    yield from self._leaves(held_there, cond, depth - 1, seen)
            elif isinstance(value, Opaque) and depth and value.key not in seen:
                for name, held in self.state.cells.of(value.key):
                    if isinstance(name, tuple):
                        yield from self._leaves(held, cond, depth - 1, seen)

    def behind(self, value: Method | Partial | Zipped | Closure) -> list[Value]:
        """What a callable or an iterator carries along: its receiver, its arguments, the names it captured."""
        if isinstance(value, Method):
            return [value.recv]
        if isinstance(value, Zipped):
            return list(value.parts)
        if isinstance(value, Partial):
            return [value.func, *value.args, *(v for _, v in value.kwargs)]
        out = [v for _, v in value.defaults]
        if value.receiver is not None:
            out.append(value.receiver)
        at = value.frame
        while at and isinstance(value.function, Function):
            for name in value.function.names:
                held = self.state.cells.get((at, name))
                if held is not None and held != value:
                    out.append(held)
            at = self.known_frames.get(at, 0)
        return out

    def arrays(self, value: Value) -> Iterator[tuple[Condition, Array]]:
        """The followed arrays among the leaves."""
        for cond, leaf in self.leaves(value):
            if isinstance(leaf, Array) and leaf.buf >= 0:
                yield cond, leaf

    # ------------------------------------------------------------ opaque values and integers

    def unknown(self, text: str, why: Hashable = "fresh") -> Opaque:
        """A value nobody knows, new at every call; it changes from turn to turn of the loops around."""
        key = (why, self.fresh())
        self.note_born(key)
        return Opaque(key, text)

    def _truth(self, value: Value) -> Condition:
        from allocsafe.flow.arithmetic import truth

        return truth(self, value, NOWHERE)

    def _doubt(self) -> Condition:
        key = ("picked", self.fresh())
        self.note_born(key)
        return self.decide(key, "one of several values is there", "unknown")

    def note_born(self, key: Hashable) -> None:
        if self.turns:
            self.born_keys[key] = frozenset(t.id for t in self.turns)

    def to_opaque(self, value: Value) -> Opaque:
        """Any value seen as an opaque one with a stable key."""
        if isinstance(value, Opaque):
            return value
        if isinstance(value, Num):
            return Opaque(("num", value.lin), str(value.lin))
        if isinstance(value, Known):
            return Opaque(("known", value.name), value.name)
        if isinstance(value, Const):
            return Opaque(("const", value.value), repr(value.value))
        return Opaque(("value", value), "a value")

    def symbol(self, key: Hashable, text: str, *, nonneg: bool = False) -> Lin:
        """The integer that an opaque thing is."""
        made = sym(key, text, nonneg=nonneg, table=self.symbols)
        born = self.born_in(key)
        if born and made not in self.born:
            self.born[made] = born
        return Lin.of(made)

    def born_in(self, key: Hashable) -> frozenset[int]:
        """The loops in whose turns the thing behind `key` changes; keys nest."""
        out = self.born_keys.get(key, frozenset())
        if isinstance(key, tuple):
            for part in key:
                if isinstance(part, tuple):
                    out |= self.born_in(part)
                elif isinstance(part, Lin):
                    out |= self.born_of(part) | frozenset(t.id for t in self.turns if t.loop.var in part.all_syms())
                elif isinstance(part, int):
                    out |= self.born_keys.get(("version", part), frozenset())
        return out

    def born_of(self, lin: Lin) -> frozenset[int]:
        """The loops in whose turns `lin` changes other than by their variable."""
        out: frozenset[int] = frozenset()
        for s in lin.all_syms():
            out |= self.born.get(s, frozenset())
        return out

    def loop_syms(self) -> dict[Sym, Turn]:
        return {turn.loop.var: turn for turn in self.turns}

    def as_lin(self, value: Value, *, nonneg: bool = False) -> Lin | None:
        """The integer that `value` is, if it can be one."""
        if isinstance(value, Num):
            if nonneg:
                self.assume_nonneg(value.lin)
            return value.lin
        if isinstance(value, Truth) and value.cond in (TRUE, FALSE):
            return Lin.of(value.cond)
        if isinstance(value, Opaque):
            self.numbers.add(value.key)
            made = self.symbol(("int", self.as_now(value.key)), value.text)
            if nonneg:
                self.assume_nonneg(made)
            return made
        if isinstance(value, Known) and not value.name.startswith(("torch.", "numpy.")):
            return self.symbol(("int", ("known", value.name)), value.name.rsplit(".", 1)[-1], nonneg=nonneg)
        return None

    def assume_nonneg(self, lin: Lin) -> None:
        """A plain symbol, or a multiple of one, used as a length is taken as not negative; the verdict lists it where
        it mattered.
        """
        if lin.const == 0 and len(lin.terms) == 1 and lin.terms[0][1] > 0:
            only = lin.terms[0][0]
            if isinstance(only.key, tuple) and only.key[0] == "loop":
                return  # its turns say what it can be
            if not only.nonneg and only.defn is None and not only.name.startswith("-"):
                only.nonneg = True
                self.assumed.setdefault(f"{only.name} >= 0", set()).add(only)

    def surely_nonneg(self, lin: Lin) -> bool:
        """Whether `lin` is proved to be >= 0 in every turn of the loops around."""
        if lin.nonneg():
            return True
        for turn in reversed(self.turns):
            coef = dict(lin.terms).get(turn.loop.var)
            if coef is not None and not lin.neg():
                first, last = (
                    (turn.loop.start, turn.loop.stop - 1)
                    if turn.loop.step > 0
                    else (turn.loop.stop + 1, turn.loop.start)
                )
                lin = lin - Lin.of(turn.loop.var) * coef + (first if coef > 0 else last) * coef
        return lin.nonneg()

    def version(self, root: Hashable) -> int:
        return self.versions.get(root, 0)

    def as_now(self, key: Hashable) -> Hashable:
        """The key of an opaque value until it was surely changed in place, as no number or text can be; another one
        after that.
        """
        return ("as now", key, self.rewritten[key]) if key in self.rewritten else key

    def rewrite(self, key: Hashable) -> None:
        """An opaque value has other elements now, and so has what it is a view of."""
        while True:
            self.versions[key] = self.rewritten[key] = self.fresh()
            if not (isinstance(key, tuple) and key[0] in ("item", "op") and isinstance(key[1], tuple)):
                return
            key = key[1]

    def widen(self, path: Condition, logged: int) -> None:
        """Gives the path back what only errors took out of `path`, if nothing was logged since and the errors come
        under conditions of many parts: a wider path only adds reads, and keeps the diagrams small. Only for a path
        that nobody else has parted from `path` in between.
        """
        atoms = self.conds.support(self.state.path)
        if self.logged == logged and len(atoms - self.conds.support(path)) > FEW_ATOMS:
            self.passed(path, self.state.path)
            self.state.path = path

    def passed(self, path: Condition, narrowed: Condition) -> None:
        """Whoever comes by here on `path` goes on under `narrowed` only. Kept beside the path, which stays the wider
        one.
        """
        if self.dry:
            return
        self.pos += 1
        fact = self.conds.within(narrowed, path)  # what the check says to whoever is on the path
        atoms = self.conds.support(fact)
        if len(self.checks) >= MOST_CHECKS or len(atoms) > MOST_PARTS:
            self.unkept.append((self.pos, self.phase, fact))
        else:
            self.checks.append((self.pos, self.phase, self.turns, path, fact))

    def bump(self, value: Value) -> None:
        """Something may have changed what can be reached from `value`: its attributes get new versions."""
        for _, leaf in self.leaves(value):
            if isinstance(leaf, Opaque):
                self.versions[root_of(leaf.key)] = self.fresh()
            elif isinstance(leaf, Ref):
                self.versions[("obj", leaf.obj)] = self.fresh()

    def decide(
        self,
        key: Hashable,
        text: str,
        kind: str = "branch",
        span: Span = NOWHERE,
        subject: Hashable = None,
        value: Hashable = None,
    ) -> Condition:
        """The condition that stands for one yes/no question."""
        born = self.born_in(key)
        return self.conds.atom(Atom(key, text, kind, span, None, None, subject, value, born))

    def at_least_zero(self, lin: Lin, span: Span = NOWHERE) -> Condition:
        """The condition `lin >= 0`."""
        number = lin.as_int()
        if number is not None:
            return TRUE if number >= 0 else FALSE
        if self.surely_nonneg(lin):
            return TRUE
        if self.surely_nonneg(-lin - 1):
            return FALSE
        if lin.terms[0][1] < 0:
            return self.conds.no(self._lin_atom(-lin - 1, span))
        return self._lin_atom(lin, span)

    def sign_of(self, lin: Lin) -> Condition:
        """The condition `lin >= 0` of an index that nothing bounds: that it is negative is not excluded, no more."""
        born = self.born_of(lin) | frozenset(t.id for t in self.turns if t.loop.var in lin.all_syms())
        return self.conds.atom(Atom(("sign", lin), ge_text(lin), "unknown", NOWHERE, lin, None, None, None, born))

    def _lin_atom(self, lin: Lin, span: Span) -> Condition:
        born = self.born_of(lin) | frozenset(t.id for t in self.turns if t.loop.var in lin.all_syms())
        return self.conds.atom(Atom(("ge", lin), ge_text(lin), "branch", span, lin, None, None, None, born))

    def equal_zero(self, lin: Lin, span: Span = NOWHERE) -> Condition:
        """The condition `lin == 0`."""
        number = lin.as_int()
        if number is not None:
            return TRUE if number == 0 else FALSE
        if lin.terms[0][1] < 0:
            lin = -lin
        if self.surely_nonneg(lin - 1) or self.surely_nonneg(-lin - 1):
            return FALSE
        born = self.born_of(lin) | frozenset(t.id for t in self.turns if t.loop.var in lin.all_syms())
        subject = value = None
        if len(lin.terms) == 1 and lin.terms[0][1] == 1:
            subject, value = ("lin", lin.terms[0][0].key), -lin.const
        return self.conds.atom(
            Atom(
                ("eq", lin),
                eq_text(lin),
                "branch",
                NOWHERE if span is NOWHERE else span,
                None,
                lin,
                subject,
                value,
                born,
            )
        )

    # ------------------------------------------------------------ phases

    def phase_of(self, index: int) -> Phase | None:
        """The phase of an entry point by its number."""
        return self.entry_phases[index] if 0 < index < len(self.entry_phases) else None

    def phase_rank(self, index: int) -> int | None:
        phase = self.phase_of(index)
        return phase.rank if phase is not None else None

    def phase_name(self, index: int) -> str:
        phase = self.phase_of(index)
        return f"the {phase.name} phase" if phase is not None else "this call"

    def may_precede(self, writer: int, reader: int) -> bool:
        """Whether the entry point of a write may run before that of a read, although it was walked later."""
        a, b = self.phase_of(writer), self.phase_of(reader)
        if b is not None and b.rank == 0:
            return False  # nothing runs before an object is there
        return a is None or b is None or not b.surely_before(a)

    def surely_over(self, writer: int, reader: int) -> bool:
        """Whether the entry point of a write has run in every run that reaches that of the read, by their phases."""
        a, b = self.phase_of(writer), self.phase_of(reader)
        return (
            a is not None
            and writer not in self.held.guests
            and (a.surely_before(b) and not b.takes if b is not None else a.rank <= 1)
        )

    def follows(self, span: Span) -> bool:
        """Whether an allocation at this place is one that somebody asks about; others are memory like any."""
        return self.follow is None or (span.path == self.follow[0] and span.line in self.follow[1])

    # ------------------------------------------------------------ filled tensors

    def note_filled(
        self, span: Span, what: str, attrs: dict[str, str], made: Opaque, *, unwritten: bool = False
    ) -> None:
        self.filled[made.key] = FilledSite(span, what, attrs, self.pos, made.key if unwritten else None)

    def shape_root(self, value: Opaque) -> Opaque:
        """The opaque tensor whose lengths `value` has."""
        while value.key in self.shape_alias:
            value = self.shape_alias[value.key]
        return value

    def size_of(self, base: Hashable, number: int, text: str) -> Lin:
        """Length `number` of an opaque tensor; the first one is its `len` too."""
        if number == 0 and base in self.lengths:
            return self.lengths[base]
        return self.symbol(("shape", base, number), f"{text}.shape[{number}]", nonneg=True)

    def shapes_like(self, key: Hashable, like: Opaque) -> None:
        self.shape_alias[key] = like

    def plain_integer(self, value: Opaque) -> bool:
        """Whether an opaque value is surely one integer."""
        return value.key in self.integers

    @staticmethod
    def lin(number: int) -> Lin:
        return Lin.of(number)

    # ------------------------------------------------------------ heap objects

    def new_object(self, kind: str, span: Span, cls: str = "", path: str = "") -> Ref:
        self.objects.append(Heaped(kind, cls, path, span, self.turns))
        if kind == "dict":  # there from the start: a branch that stores nothing says so
            for name in ("computed", "keys"):
                self.state.cells[(("obj", len(self.objects) - 1), name)] = TupleOf(())
        return Ref(len(self.objects) - 1)


def root_of(key: Hashable) -> Hashable:
    """The opaque thing that an attribute chain starts from."""
    while isinstance(key, tuple) and len(key) >= 2 and key[0] in ("attr", "item", "op") and isinstance(key[1], tuple):
        key = key[1]
    return key


def split_sides(lin: Lin) -> tuple[str, str]:
    """`lin >= 0` as `left >= right` with positive terms on both sides."""
    left = Lin.of(0)
    right = Lin.of(0)
    for s, c in lin.terms:
        if c > 0:
            left = left + Lin.of(s) * c
        else:
            right = right + Lin.of(s) * -c
    if lin.const > 0:
        left = left + lin.const
    elif lin.const < 0:
        right = right - lin.const
    return str(left), str(right)


def ge_text(lin: Lin) -> str:
    left, right = split_sides(lin)
    if lin.const == -1:
        left2, right2 = split_sides(lin + 1)
        return f"{left2} > {right2}"
    return f"{left} >= {right}"


def eq_text(lin: Lin) -> str:
    left, right = split_sides(lin)
    return f"{left} == {right}"


def step_meaning(kind: type[Step]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers the function as the meaning of one kind of step."""

    def register(act: Callable[..., None]) -> Callable[..., None]:
        STEPS[kind] = act
        return act

    return register
