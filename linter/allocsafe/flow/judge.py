"""From logs to answers: for every read of a buffer, what of it may be and surely is unwritten.

*Claim.* An answer `none` means: on no path, at no turn, for no sizes does the read meet an element that nothing has
written. An answer that is `sure` comes with a path on which it does. *Why.* A world is a set of paths. In a world the
writes whose condition it implies are subtracted; where a hole is left, the world is split on the condition of a write
that is still open, until none is open: then only writes remain that certainly did not happen (and those that may
have, which forbid `sure`). *What it gives up.* Worlds are split a bounded number of times; past the bound the answer
is `unsure`, with that reason.

    x = empty(n)                          worlds of use(x):
    if c: x[:n-1] = 0                     c and d     [n-1:n]
    if d: x[n-1:] = 0                     c, not d    [n-1:n]   <- sure: a hole on a feasible path
    use(x)                                not c ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from allocsafe.flow.alike import alike
from allocsafe.flow.alternatives import facts_of
from allocsafe.flow.buffers import Buffer, Entry, Turn
from allocsafe.flow.conditions import FALSE, TRUE, Atom, Condition
from allocsafe.flow.counters import widened
from allocsafe.flow.empty import nothing, perhaps_nothing
from allocsafe.flow.extremes import wins
from allocsafe.flow.frames import reframed
from allocsafe.flow.instances import other_turns, per_turn
from allocsafe.flow.machine import Machine
from allocsafe.flow.mixed import entangled, placed
from allocsafe.flow.padding import evident, prefix
from allocsafe.flow.values import Array, View
from allocsafe.flow.views import is_whole_axis
from allocsafe.regions.box import Access, Axis, Box, Loop, Write, compose
from allocsafe.regions.exprs import Lin, Sym, factors
from allocsafe.regions.question import Hole, hole
from allocsafe.regions.quick import K

_T = TypeVar("_T")

MOST_WORLDS = 48
"""Worlds looked at for one read. Forty correlated branches need two; forty independent ones are cut off."""

MOST_PIECES = 12
"""Cubes that the condition of one write is taken apart into."""


class Answer(NamedTuple):
    """What one read (keep, return, escape) meets. `cube` is the path of the world, `status` none, sure or unsure."""

    status: str
    hole: Hole | None
    entry: Entry
    buffer: Buffer
    cube: dict[int, bool]
    covering: tuple[Entry, ...]
    step: str = ""
    why: str = ""
    blocker: Entry | None = None


class Piece(NamedTuple):
    """A write under one cube of its condition: what is left to be implied, and the affine facts about its own turns."""

    entry: Entry
    cond: Condition
    when: tuple[Lin, ...]


class Query(NamedTuple):
    """The read side of a question: an access to one buffer at one moment."""

    buffer: Buffer
    frame: tuple[Lin, ...] | None
    box: Box | None
    extent: str
    pos: int
    cond: Condition
    turns: tuple[Turn, ...]
    phase: int


class OfQuery:
    """What is known of the writes of one query's buffer in its coordinates, by their places in the log."""

    __slots__ = ("able", "query", "reach")

    def __init__(self, query: Query | None) -> None:
        self.query = query
        self.able: dict[int, Write] = {}  # what a doubtful write may have written
        self.reach: dict[int, Condition] = {}  # the paths on which it may have happened before


_EVERYTHING = Write(Access(None, (), ()), True, False)


class Judge:
    """Asks the logs of one machine."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.worlds = 0
        self.phases: set[tuple[int, int]] = set()  # pairs of entry points whose order was taken from their phases
        self._pieces: dict[int, tuple[Piece, ...] | None] = {}
        self._ranks: dict[int, int] = {}
        self._holes: dict[tuple[tuple[Lin, ...] | None, Access, tuple[Write, ...]], Hole] = {}
        self._asked: dict[Hole, tuple[tuple[Lin, ...] | None, Access, tuple[Write, ...]]] = {}
        self._of_query = OfQuery(None)
        self._common: tuple[Lin, ...] = ()  # facts of all paths to the read, where these are too many to be told apart

    def answer(self, buffer: Buffer, entry: Entry, pos: int | None = None) -> Answer:
        """What the access `entry` of `buffer` meets."""
        self.worlds = 0
        query = Query(
            buffer,
            entry.frame,
            entry.box,
            entry.extent,
            entry.pos if pos is None else pos,
            entry.cond,
            entry.turns,
            entry.phase,
        )
        found = self._ask(query, entry, ())
        if found.hole is not None and found.hole in self._asked:
            return found._replace(hole=hole(*self._asked[found.hole])._replace(condition=found.hole.condition))
        return found

    # ------------------------------------------------------------ copies

    def _ask(self, query: Query, entry: Entry, extra: tuple[Piece, ...]) -> Answer:
        origin = query.buffer.origin
        if origin is None:
            return self._root(query, entry, extra)
        own = self._root(query, entry, extra)
        if own.status == "none":
            return own
        mapped = None if origin.gather else through(origin.array.view, query)
        cond = self.m.conds.both(query.cond, origin.cond)
        source = self.m.buffers[origin.array.buf]
        if source.filled or cond == FALSE:
            return own._replace(status="none", hole=None)
        view = (
            mapped if mapped is not None else View(origin.array.view.frame, origin.array.view.box, None, extent="some")
        )
        writes_here = [e for e in query.buffer.entries if e.kind in ("write", "escape") and e.pos < query.pos]
        if writes_here and view.extent == "all":
            view = View(view.frame, view.box, view.dims, view.open, "some")
        turns = origin.turns
        below = Query(
            source,
            view.frame,
            view.box,
            "some" if query.extent == "some" else view.extent,
            origin.pos,
            cond,
            turns,
            query.phase,
        )
        got = self._ask(below, entry, ())
        if got.status == "sure" and own.status == "unsure":  # the copy may have been written since
            return own._replace(hole=got.hole if own.hole is None else own.hole)
        return got

    # ------------------------------------------------------------ worlds

    def _root(self, query: Query, entry: Entry, extra: tuple[Piece, ...]) -> Answer:
        """The answer in the coordinates of the read; what reads everything may be asked in those of the writes as
        well.
        """
        first = self._in_one_frame(query, entry, extra)
        native = query.frame if query.frame is not None else query.buffer.shape
        everything = query.box is None or (
            native is not None
            and len(native) == len(query.box)
            and all(is_whole_axis(a, s) for a, s in zip(query.box, native, strict=False))
        )
        if first.status != "unsure" or not everything or query.extent != "all" or query.buffer.outer:
            return first
        for frame in dict.fromkeys(
            e.frame for e in query.buffer.entries if e.kind == "write" and e.extent == "all" and e.box is not None
        ):
            if frame != query.frame:
                self.worlds = 0
                other = self._in_one_frame(query._replace(frame=frame, box=None), entry, extra)
                if other.status != "unsure":
                    return other
        return first

    def _made(self, query: Query) -> Query:
        """The query on the paths on which the buffer was made: behind a choice that is left open it may be named on
        others, too.
        """
        conds, made = self.m.conds, query.buffer.cond
        for turn in query.buffer.turns:  # it was made in a turn, and what each of them checks held in that one
            if all(t.id != turn.id for t in query.turns):
                query = query._replace(cond=conds.both(query.cond, turn.outlived))
        if conds.implies(query.cond, made):
            return query
        born = {i for i in conds.support(made) if conds.atoms[i].born}
        return query._replace(cond=conds.both(query.cond, conds.forget(made, born)))

    def _in_one_frame(self, query: Query, entry: Entry, extra: tuple[Piece, ...]) -> Answer:
        conds = self.m.conds
        query = self._made(query)
        pieces: list[Piece] = list(extra)
        for write in query.buffer.entries:
            if write.kind == "write" and self._counts(write, query):
                got = self._pieces_of(write)
                if got is not None:
                    pieces += got
        cubes = conds.cubes(query.cond, 8)
        starts = [(query.cond, {})] if cubes is None else [(self._of_cube(c), c) for c in cubes]
        self._common = tuple(conds.facts(self._forced(query.cond))) if cubes is None else ()
        worst: Answer | None = None
        covering: dict[int, Entry] = {}
        for start, cube in starts:
            if cube and conds.contradicts(cube):
                continue
            got2 = self._world(query, entry, pieces, start, dict(cube), covering)
            if got2 is not None and (worst is None or _rank(got2) > _rank(worst)):
                worst = got2
                if worst.status == "sure":
                    break
        if worst is not None:
            return worst
        return Answer("none", None, entry, query.buffer, {}, tuple(sorted(covering.values(), key=lambda e: e.pos)))

    def _forced(self, world: Condition) -> dict[int, bool]:
        """The answers about integers that all paths of a world have in common."""
        conds = self.m.conds
        out: dict[int, bool] = {}
        for index in conds.support(world):
            atom = conds.atoms[index]
            if atom.lin is not None or atom.zero is not None:
                for value in (True, False):
                    if not conds.meets(world, conds.literal(index, not value)):
                        out[index] = value
        return out

    def _of_cube(self, cube: dict[int, bool]) -> Condition:
        out = TRUE
        for index in sorted(cube, reverse=True):
            out = self.m.conds.both(self.m.conds.literal(index, cube[index]), out)
        return out

    def _world(
        self,
        query: Query,
        entry: Entry,
        pieces: list[Piece],
        world: Condition,
        cube: dict[int, bool],
        covering: dict[int, Entry],
    ) -> Answer | None:
        """The worst answer within one world, None when no element is unwritten in it."""
        conds = self.m.conds
        self.worlds += 1
        self.m.tick()
        if self._excluded(query, world):
            return None
        must: list[Write] = []
        sure_entries: list[Entry] = []
        open_pieces: list[tuple[Piece, Condition]] = []
        for piece in pieces:
            write = piece.entry
            if write.extent != "all":
                continue
            whole, same = self._needs(piece, query)
            pinned = conds.both(world, self._pins(write, query, world))
            added = False
            if whole is not None and conds.implies(pinned, whole):
                made = self._write(piece, query, same_turn=False)
                if made is not None:
                    must.append(made)
                    added = True
            elif same is not None and conds.implies(world, same):
                made = self._write(piece, query, same_turn=True)
                if made is not None:
                    must.append(made)
                    added = True
                if whole is not None and conds.meets(pinned, whole):
                    open_pieces.append((piece, whole))
            else:
                needed = whole if whole is not None else same
                if needed is not None and conds.meets(pinned, needed):
                    open_pieces.append((piece, needed))
            if added:
                sure_entries.append(write)
        facts = (*conds.facts(cube), *facts_of(self.m, world), *self._common)
        found = self._hole(query, must, facts)
        if found.status == "none":
            for done in sure_entries:
                covering[done.pos] = done
            return None
        if self.worlds >= MOST_WORLDS:
            return Answer(
                "unsure",
                found,
                entry,
                query.buffer,
                cube,
                tuple(sure_entries),
                "branches",
                "too many branches decide which writes happen",
            )
        for piece, needed in open_pieces:
            made = self._write(piece, query, same_turn=False) or self._write(piece, query, same_turn=True)
            if made is None or self._hole(query, [*must, made], facts) == found:
                continue  # would not change the hole
            support = conds.support(conds.within(needed, world)) - cube.keys()
            if not support:
                continue
            index = min(support)
            worst: Answer | None = None
            for value in (False, True):
                literal = conds.literal(index, value)
                inner = conds.both(world, literal)
                taken = {**cube, index: value}
                if inner == FALSE or conds.contradicts(taken):
                    continue
                got = self._world(query, entry, pieces, inner, taken, covering)
                if got is not None and (worst is None or _rank(got) > _rank(worst)):
                    worst = got
                    if worst.status == "sure":
                        return worst
            return worst
        answer = self._leaf(query, entry, must, found, facts, cube, world, tuple(sure_entries))
        if answer.status == "unsure" and answer.blocker is not None:
            better = self._around(query, entry, pieces, world, cube, covering, answer.blocker)
            if better is not None:
                return better
        return answer

    def _excluded(self, query: Query, world: Condition) -> bool:
        """Whether a check that every run has passed by now does not hold in this world."""
        conds = self.m.conds
        for pos, phase, turns, path, fact in self.m.checks:
            if (
                pos < query.pos
                and self._ran_by(phase, query)
                and all(any(t is mine for mine in query.turns) for t in turns)
                and not conds.meets(world, fact)
                and conds.implies(world, path)
            ):
                return True
        return False

    def _ran_by(self, phase: int, query: Query) -> bool:
        """Whether every run that comes to the access went through that entry point: its own, or the construction."""
        made = self.m.entry_phases[phase] if phase < len(self.m.entry_phases) else None
        return phase == query.phase or (made is not None and made.rank <= 1)

    def _unkept(self, query: Query, cube: dict[int, bool], world: Condition) -> bool:
        """Whether a check that not every world is asked for may forbid this path. Of two together nobody can tell."""
        conds = self.m.conds
        facts = {
            fact
            for pos, phase, fact in self.m.unkept
            if pos < query.pos and self._ran_by(phase, query) and conds.support(fact) & cube.keys()
        }
        return len(facts) > 1 or any(not conds.meets(world, fact) for fact in facts)

    def _around(
        self,
        query: Query,
        entry: Entry,
        pieces: list[Piece],
        world: Condition,
        cube: dict[int, bool],
        covering: dict[int, Entry],
        blocker: Entry,
    ) -> Answer | None:
        """A sure answer in a world in which the write that is in the way does not happen, if there is one."""
        conds = self.m.conds
        support = conds.support(conds.within(blocker.cond, world)) - cube.keys()
        for index in sorted(support)[:4]:
            for value in (False, True):
                inner = conds.both(world, conds.literal(index, value))
                taken = {**cube, index: value}
                if (
                    inner == FALSE
                    or conds.meets(inner, blocker.cond)
                    or conds.contradicts(taken)
                    or self.worlds >= MOST_WORLDS
                ):
                    continue
                got = self._world(query, entry, pieces, inner, taken, covering)
                if got is not None and got.status == "sure":
                    return got
        return None

    def _leaf(
        self,
        query: Query,
        entry: Entry,
        must: list[Write],
        found: Hole,
        facts: tuple[Lin, ...],
        cube: dict[int, bool],
        world: Condition,
        done: tuple[Entry, ...],
    ) -> Answer:
        """A hole with no open write left: sure, unless something that may have written it is in the way."""

        def unsure(step: str, why: str, blocker: Entry | None = None) -> Answer:
            return Answer("unsure", found, entry, query.buffer, cube, done, step, why, blocker)

        doubts = [
            self.m.conds.atoms[i]
            for i in cube
            if not self.m.conds.atoms[i].sure and not self._free(self.m.conds.atoms[i], cube[i], query)
        ]
        doubts += self._loose(query, cube, world)
        if found.status == "cannot-tell":
            return unsure("region", found.reason or "the region is not an affine one")
        if query.buffer.rehearsed:
            return unsure("alias", "an earlier turn of the loop made it, and what it did to it is not followed")
        if perhaps_nothing(self.m, query.buffer, cube, facts):
            return unsure("region", "whether it has an element here hangs on a length that is not followed")
        if self._unkept(query, cube, world):
            return unsure("branches", "too many checks on the way to tell whether it is taken")
        maybe = [e for e in query.buffer.entries if e.kind in ("write", "escape") and self._may_reach(e, query, world)]
        if maybe:
            left = self._hole(query, self._with_able(must, maybe, query), facts)
            if left.status == "none" or (query.extent == "some" and left != found):
                blocker = max(maybe, key=lambda e: (e.kind == "escape", e.pos))
                if blocker.phase != query.phase and blocker.pos > query.pos:
                    return unsure("order", "which method runs first is not fixed", blocker)
                if blocker.kind == "escape":
                    return unsure(blocker.step, blocker.note, blocker)
                return unsure("part", f"{blocker.note} writes an unknown part", blocker)
            if left.status in ("conditional", "cannot-tell") and left.status != found.status:
                blocker = max(maybe, key=lambda e: (e.kind == "escape", e.pos))
                return unsure("part", f"{blocker.note} may write it", blocker)
            found = left
        if query.extent == "some":
            alone = self._hole(query, [], facts)
            if alone.region != found.region:
                return unsure("part", "which elements are read is not known")
        if doubts:
            sure = self._without_doubts(query, must, facts, cube, world)
            if sure is not None:
                found, doubts = sure, []
        if doubts:
            settled = self._whatever(query, must, cube, doubts)
            if settled is not None:
                found, cube, doubts = settled[0], settled[1], []
        if doubts:
            kinds = {a.kind for a in doubts}
            atom = doubts[0]
            if isinstance(atom.key, tuple) and atom.key[0] == "sign":
                found = found._replace(condition=atom.text)
                return unsure("condition", f"safe only when {atom.text}")
            if "order" in kinds:
                return unsure("order", f"it depends on the order of calls: {_said(atom, cube, self.m)}")
            if "raises" in kinds:
                return unsure("exception", f"only if an exception is raised here: {_said(atom, cube, self.m)}")
            return unsure("alias", f"it depends on a choice that is not followed: {_said(atom, cube, self.m)}")
        if tied := entangled(self.m.conds, cube):
            settled = self._whatever(query, must, cube, tied)
            if settled is None:
                why = f"it depends on a value that the way here chose among many: {_said(tied[0], cube, self.m)}"
                return unsure("alias", why)
            found, cube = settled
        if pair := alike(self.m.conds, cube):
            settled = self._whatever(query, must, cube, pair)
            if settled is None:
                why = f"two turns ask the same of what may be one item: {_said(pair[0], cube, self.m)}"
                return unsure("alias", why)
            found, cube = settled
        for write in query.buffer.entries if self.m.conds.mixed else ():
            if write.kind == "write" and self._counts(write, query) and placed(self.m.conds, write.box, cube):
                return unsure("part", f"{write.note} writes a part that the way here chose among many", write)
        if found.status == "conditional":
            able = self._with_able(must, maybe, query)
            sized = self._hole(query, able, facts + self._nothing_empty(query))
            if sized.status == "generic" or self._pads(query, must, found, facts):
                return Answer("sure", found._replace(condition=None), entry, query.buffer, cube, done)
            bounds = (t for w in able for axis in w.access.box or () for t in (axis.start, *axis.stops))
            for won in wins(self.m, bounds):
                real = self._hole(query, able, (*facts, *self._nothing_empty(query), won))
                if real.status == "generic":
                    return Answer("sure", real._replace(condition=None), entry, query.buffer, cube, done)
            return unsure("condition", f"safe only when {found.condition}")
        return Answer("sure", found, entry, query.buffer, cube, done)

    def _pads(self, query: Query, must: list[Write], found: Hole, facts: tuple[Lin, ...]) -> bool:
        """Whether the hole is the end of a read whose length is meant to be longer than that of a write."""
        shape = self._cut(query.frame if query.frame is not None else query.buffer.shape, query)
        read = self._cut(query.box, query)
        for write in must:
            if write.access.loops or write.access.box is None:
                continue
            lengths = prefix(shape, read, write.access.box)
            if lengths is not None and evident(lengths.written, lengths.read):
                return self._hole(query, [write], facts).region == found.region
        return False

    def ever(self, answer: Answer) -> Hole | None:
        """What of the hole no write of the buffer ever covers, at any time and on any path; None if that cannot be
        said.
        """
        buffer, entry = answer.buffer, answer.entry
        if answer.hole is None or buffer.origin is not None or entry not in buffer.entries:
            return None
        writers = [e for e in buffer.entries if e.kind in ("write", "escape")]
        if any(e.kind == "escape" for e in writers):
            return None
        query = Query(buffer, entry.frame, entry.box, entry.extent, entry.pos, entry.cond, entry.turns, entry.phase)
        facts = tuple(self.m.conds.facts(answer.cube))
        left = self._hole(query, self._with_able([], writers, query), facts)
        return hole(*self._asked[left])._replace(condition=None) if left.status == "generic" else None

    def _whatever(
        self, query: Query, must: list[Write], cube: dict[int, bool], doubts: list[Atom]
    ) -> tuple[Hole, dict[int, bool]] | None:
        """The hole that is left whatever the answers to the doubtful questions are, and the path without them; None
        when there is no such hole.
        """
        conds = self.m.conds
        loose = {i: v for i, v in cube.items() if conds.atoms[i] not in doubts}
        world = self._of_cube(loose)
        if not conds.implies(world, query.cond):
            return None
        able: list[Entry] = []
        for e in query.buffer.entries:
            if e.kind not in ("write", "escape") or not conds.meets(world, conds.forget(e.cond, self._born_atoms(e))):
                continue
            if self._counts(e, query) or (e.phase != query.phase and self.m.may_precede(e.phase, query.phase)):
                able.append(e)
        writes = self._with_able(must, able, query)
        facts = (*conds.facts(loose), *self._usual(cube.keys() - loose.keys()))
        left = self._hole(query, writes, facts)
        if left.status == "conditional":
            sized = self._hole(query, writes, facts + self._nothing_empty(query))
            if sized.status == "generic":
                left = left._replace(status="generic", condition=None)
        return None if left.status in ("none", "cannot-tell", "conditional") else (left, loose)

    def _usual(self, doubts: Iterable[int]) -> list[Lin]:
        """That bounds are not negative of which only nothing says it: a hole that is there for negative ones alone is
        no hole for all answers.
        """
        atoms = self.m.conds.atoms
        signs = {i: True for i in doubts if isinstance(key := atoms[i].key, tuple) and key[0] == "sign"}
        return self.m.conds.facts(signs)

    def _loose(self, query: Query, cube: dict[int, bool], world: Condition) -> list[Atom]:
        """Doubtful questions that the world leaves open, if no path of it is one whatever their answers are."""
        conds = self.m.conds
        open_ = {
            i
            for i in conds.support(world)
            if i not in cube
            and not conds.atoms[i].sure
            and not any(self._free(conds.atoms[i], ran, query) for ran in (True, False))
        }
        if not open_ or conds.no(conds.forget(conds.no(world), open_)) != FALSE:
            return []
        return [conds.atoms[min(open_)]]

    def _free(self, atom: Atom, ran: bool, query: Query) -> bool:
        """Whether both answers to "did that entry point run before?" really happen, so that the one the path needs
        may be chosen.

        It may run before if its phase comes first; it may be left out if it would have written nothing here.
        """
        if isinstance(atom.key, tuple) and atom.key[0] in ("same key", "same object"):
            return (
                not ran
            )  # that two things which nobody compared differ is what happens; that they are one is only not excluded
        if isinstance(atom.key, tuple) and atom.key[0] == "sign":
            return ran
        if isinstance(atom.key, tuple) and atom.key[0] == "ran" and atom.key[1] == query.buffer.phase and ran:
            return True  # it made the buffer
        if not isinstance(atom.key, tuple) or atom.key[0] != "ran" or not self.m.surely_over(atom.key[1], query.phase):
            return False
        return ran or not any(e.phase == atom.key[1] and e.kind in ("write", "escape") for e in query.buffer.entries)

    def _without_doubts(
        self, query: Query, must: list[Write], facts: tuple[Lin, ...], cube: dict[int, bool], world: Condition
    ) -> Hole | None:
        """The hole that stays when every write happens that some answer to the doubtful questions allows; None if
        there is none.
        """
        conds = self.m.conds
        doubtful = {i for i in cube if not conds.atoms[i].sure and not self._free(conds.atoms[i], cube[i], query)}
        if conds.support(query.cond) & doubtful:
            return None
        free = conds.forget(world, doubtful)
        of_doubts = set(conds.facts({i: cube[i] for i in doubtful}))
        facts = (*(fact for fact in facts if fact not in of_doubts), *self._usual(doubtful))
        able = []
        for write in query.buffer.entries:
            if write.kind in ("write", "escape"):
                when = conds.both(self._ran(write, query), conds.forget(write.cond, self._born_atoms(write)))
                if (self._counts(write, query) and conds.meets(free, when)) or self._may_reach(write, query, free):
                    able.append(write)
        left = self._hole(query, self._with_able(must, able, query), facts)
        return left if left.status == "generic" else None

    def _nothing_empty(self, query: Query) -> tuple[Lin, ...]:
        """That no axis of the buffer and of the read is degenerate: a hole that only an empty tensor closes is a
        hole.
        """
        turning = {t.loop.var for t in query.turns}
        out: list[Lin] = []
        shape = self._cut(query.frame if query.frame is not None else query.buffer.shape, query) or ()
        sizes = list(shape)
        for axis in self._cut(query.box, query) or ():
            sizes += [stop - axis.start for stop in axis.stops]
        for size in sizes:
            if size.as_int() is None and not (size.all_syms() & turning):
                out.append(size - K)
        return tuple(dict.fromkeys(out))

    # ------------------------------------------------------------ which writes, when

    def _counts(self, write: Entry, query: Query) -> bool:
        """Whether a write can be before the read: earlier in the walk, or in an earlier turn of a shared loop."""
        return write.pos < query.pos or bool(_shared(write, query))

    def _may_reach(self, write: Entry, query: Query, world: Condition) -> bool:
        """Whether a write that is not certain may still have happened before the read."""
        conds = self.m.conds
        about = self._about(query)
        when = about.reach.get(write.pos)
        if when is None:
            when = about.reach[write.pos] = self._when(write, query)
        if not conds.meets(world, when):
            return False
        left = FALSE  # a loop that ran to its end had no turn that left it
        for turn in write.turns:
            if turn.exits != FALSE and all(t.id != turn.id for t in query.turns):
                here = conds.both(world, self._ran(write, query)) if self._counts(write, query) else world
                if conds.implies(here, turn.completed):
                    left = conds.either(left, turn.exits)
        return left == FALSE or not conds.implies(write.cond, left)

    def _when(self, write: Entry, query: Query) -> Condition:
        """The paths on which a write that is not certain may have happened before the read: whatever the turns decide
        that the read does not share, unless a branch of every turn, chosen freely, skips the write.
        """
        conds = self.m.conds
        if write.cond == FALSE:
            return FALSE
        if not self._counts(write, query):
            before = write.phase != query.phase and self.m.may_precede(write.phase, query.phase)
            if not before and write.phase != query.phase and self.m.phase_rank(query.phase):
                self.phases.add((query.phase, write.phase))
            return TRUE if before else FALSE
        ran = self._ran(write, query)
        if write.kind == "write" and write.extent == "all":
            born = self._born_atoms(write)
            loose = (
                bool(born)
                or bool(write.born)
                or any(not t.exact for t in write.turns)
                or self._pieces_of(write) is None
                or any(self._write(p, query, same_turn=False) is None for p in self._pieces_of(write) or ())
            )
            if not loose:
                return FALSE
            if not write.born and all(t.exact for t in write.turns if t not in query.turns):
                return conds.both(ran, write.cond)
        return conds.both(ran, conds.forget(write.cond, self._born_atoms(write)))

    def _born_atoms(self, write: Entry) -> set[int]:
        return {i for i in self.m.conds.support(write.cond) if self.m.conds.atoms[i].born}

    def _pieces_of(self, write: Entry) -> tuple[Piece, ...] | None:
        """The condition of a write taken apart: what regards its own turns as affine facts, and the rest."""
        if write.pos not in self._pieces:
            self._pieces[write.pos] = self._take_apart(write)
        return self._pieces[write.pos]

    def _take_apart(self, write: Entry) -> tuple[Piece, ...] | None:
        conds = self.m.conds
        ids = {t.loop.var for t in write.turns}
        affine = {i for i in conds.support(write.cond) if self._affine(conds.atoms[i], ids)}
        if not affine:
            return (Piece(write, write.cond, ()),)
        cubes = conds.cubes(write.cond, MOST_PIECES)
        if cubes is None:
            return (Piece(write, write.cond, ()),)
        out: list[Piece] = []
        for cube in cubes:
            whens: list[tuple[Lin, ...]] = [()]
            for index in cube.keys() & affine:
                atom = conds.atoms[index]
                if atom.lin is not None:
                    fact = atom.lin if cube[index] else -atom.lin - 1
                    whens = [(*w, fact) for w in whens]
                elif atom.zero is not None and cube[index]:
                    whens = [(*w, atom.zero, -atom.zero) for w in whens]
                elif atom.zero is not None:
                    whens = [(*w, atom.zero - 1) for w in whens] + [(*w, -atom.zero - 1) for w in whens]
            rest = self._of_cube({i: v for i, v in cube.items() if i not in affine})
            out += [Piece(write, rest, when) for when in whens]
        return tuple(out[: 2 * MOST_PIECES])

    def _affine(self, atom: Atom, loop_vars: set[Sym]) -> bool:
        lin = atom.lin if atom.lin is not None else atom.zero
        return lin is not None and bool(lin.all_syms() & loop_vars) and not self.m.born_of(lin)

    def _pins(self, write: Entry, query: Query, world: Condition) -> Condition:
        """What the completed turns of the write's own loops imply: no turn left the loop."""
        conds = self.m.conds
        out = TRUE
        for turn in write.turns:
            shared = any(t is turn or t.id == turn.id for t in query.turns)
            if turn.exits != FALSE and (shared or conds.implies(world, turn.completed)):
                out = conds.both(out, conds.no(turn.exits))
        return out

    def _needs(self, piece: Piece, query: Query) -> tuple[Condition | None, Condition | None]:
        """The conditions under which the piece counts for all turns that ran, and for the very same turn only."""
        conds = self.m.conds
        write = piece.entry
        shared = _shared(write, query)
        shared_ids = {t.id for t in shared}
        whole: Condition | None = conds.both(piece.cond, self._ran(write, query))
        for turn in write.turns:
            if turn.id not in shared_ids and not turn.exact:
                whole = conds.both(whole, turn.completed) if whole is not None else None
        if write.born - shared_ids:
            return None, None
        same: Condition | None = None
        if shared and write.pos < query.pos:
            same = whole
        if write.born & shared_ids:
            whole = None
        elif shared and whole is not None:
            loose = {i for i in conds.support(whole) if conds.atoms[i].born & shared_ids}
            if loose:  # the answer of another turn is not the answer of this one
                pinned = TRUE
                for turn in shared:
                    if turn.exits != FALSE:
                        pinned = conds.both(pinned, conds.no(turn.exits))
                free = conds.within(whole, pinned)
                whole = free if not any(conds.atoms[i].born & shared_ids for i in conds.support(free)) else None
        return whole, same

    def _ran(self, write: Entry, query: Query) -> Condition:
        """Whether the entry point of the write ran at all before that of the read: only a phase that is surely over
        says so.
        """
        if write.phase == query.phase:
            return TRUE
        if self.m.surely_over(write.phase, query.phase):
            self.phases.add((write.phase, query.phase))
            return TRUE
        return self.m.ran.get(write.phase, TRUE)

    # ------------------------------------------------------------ regions

    def _write(self, piece: Piece, query: Query, *, same_turn: bool) -> Write | None:
        """The write as regions sees it, in the coordinates of the read; None when it cannot be said there."""
        write = piece.entry
        said, box = self._in_frame(write.box, write.frame, query)
        if not said:
            return None
        loops = tuple(t.loop for t in write.turns)
        if same_turn and len(pinned := self._pinned(write, query)) == len(_shared(write, query)) > 0:
            same_turn, loops = False, loops[len(pinned) :]
        return Write(Access(self._cut(box, query), loops, piece.when), write.pos < query.pos, same_turn)

    def _pinned(self, write: Entry, query: Query) -> list[Turn]:
        """The loops whose every turn makes the memory anew, if the bounds of the write change with those only."""
        pinned = per_turn(write, query.buffer, query.box, query.turns) if query.frame is None else []
        return pinned if write.born <= {t.id for t in pinned} else []

    def _in_frame(self, box: Box | None, frame: tuple[Lin, ...] | None, query: Query) -> tuple[bool, Box | None]:
        """Whether the box can be said in the coordinates of the read, and how."""
        if box is None:
            return True, None
        if frame == query.frame:
            return True, box
        shape = frame if frame is not None else query.buffer.shape
        if (
            shape is not None
            and len(shape) == len(box)
            and all(is_whole_axis(a, s) for a, s in zip(box, shape, strict=True))
        ):
            return True, None
        asked = query.frame if query.frame is not None else query.buffer.shape
        if shape is not None and asked is not None and query.buffer.shape is not None and not query.buffer.open:
            there = reframed(box, shape, asked, exact=True)
            return there is not None, there
        return False, None

    def _about(self, query: Query) -> OfQuery:
        if self._of_query.query is not query:
            self._of_query = OfQuery(query)
        return self._of_query

    def _with_able(self, must: list[Write], able: Sequence[Entry], query: Query) -> list[Write]:
        """Certain writes, and all that doubtful ones may have written, each box once."""
        known = self._about(query).able
        made: dict[Write, None] = {}
        for write in able:
            if write.pos not in known:
                known[write.pos] = self._may_write(write, query)
            one = known[write.pos]
            if one == _EVERYTHING:
                return [*must, one]  # nothing is left for the others
            made[one] = None
        return [*must, *made]

    def _may_write(self, write: Entry, query: Query) -> Write:
        """An over-approximation of what a doubtful write may have written."""
        own = {t.loop.var for t in write.turns}
        said, full = self._in_frame(write.box, write.frame, query)
        if write.box is None:
            return Write(Access(None, (), ()), True, False)
        if not said:
            return Write(Access(self._near(write, query), (), ()), True, False)
        box = self._cut(full, query)
        if pinned := self._pinned(write, query):
            loops = tuple(t.loop for t in write.turns[len(pinned) :])
            return Write(Access(box, loops, ()), write.pos < query.pos, False)
        turning = box is not None and any(
            s in own for axis in box for t in (axis.start, *axis.stops) for s in t.all_syms()
        )
        if write.born or turning:
            if box is None or write.born:
                shape = self._cut(query.frame if query.frame is not None else query.buffer.shape, query)
                return Write(Access(widened(self.m, box, shape, self._turning(query)), (), ()), True, False)
            return Write(Access(box, tuple(t.loop for t in write.turns), ()), True, False)
        return Write(Access(box, (), ()), True, False)

    def _near(self, write: Entry, query: Query) -> Box | None:
        """A box of the read's coordinates around all that a write in others may have written in any turn."""
        own, asked = (f if f is not None else query.buffer.shape for f in (write.frame, query.frame))
        if write.box is None or own is None or asked is None or query.buffer.shape is None or query.buffer.open:
            return None
        box = widened(self.m, write.box, own, self._turning(query))
        return None if box is None else reframed(box, own, asked, exact=False)

    @staticmethod
    def _turning(query: Query) -> set[Sym]:
        return {t.loop.var for t in query.turns}

    def _cut(self, axes: tuple[_T, ...] | None, query: Query) -> tuple[_T, ...] | None:
        """Without the trailing axes of a buffer of unknown rank that every access takes whole."""
        if axes is None or not query.buffer.open or query.frame is not None:
            return axes
        return axes[: self.rank_of(query.buffer)]

    def rank_of(self, buffer: Buffer) -> int:
        """How many leading axes of a buffer the accesses tell apart."""
        if buffer.ident not in self._ranks:
            need = buffer.outer + 1
            for entry in buffer.entries:
                if entry.frame is None and entry.box is not None and buffer.shape is not None:
                    for number, (axis, size) in enumerate(zip(entry.box, buffer.shape, strict=False)):
                        if not is_whole_axis(axis, size):
                            need = max(need, number + 1)
            self._ranks[buffer.ident] = need
        return self._ranks[buffer.ident]

    def _hole(self, query: Query, writes: list[Write], facts: tuple[Lin, ...]) -> Hole:
        facts = self._of_this_turn(query, facts)
        if nothing(self.m, query.buffer, facts):
            return Hole("none", "", "", None)
        shape = self._cut(query.frame if query.frame is not None else query.buffer.shape, query)
        if query.box is None and shape is None and any(w.access.box is not None for w in writes):
            writes = [w for w in writes if w.access.box is None]
        read = Access(self._cut(query.box, query), tuple(t.loop for t in query.turns), facts)
        turning = {t.var for a in (read, *(w.access for w in writes)) for t in a.loops}
        fixed = {
            s: value for s, value in _fixed(facts).items() if s not in turning
        }  # in an access, a loop's variable is every turn's
        if fixed:
            mentioned = [
                *(shape or ()),
                *(
                    x
                    for a in [read, *(w.access for w in writes)]
                    for axis in a.box or ()
                    for x in (axis.start, *axis.stops)
                ),
            ]
            fixed.update(_vanishing(fixed, mentioned))
            shape = None if shape is None else tuple(s.substitute(fixed) for s in shape)
            read = _access_with(read, fixed)
            writes = [w._replace(access=_access_with(w.access, fixed)) for w in writes]
        key = (shape, read, tuple(writes))
        known = self._holes.get(key)
        if known is None:
            known = self._holes[key] = hole(shape, read, writes, sampled=False)
            self._asked[known] = key
        found = known
        if found.status != "none" and query.box is None and query.frame is None:
            for frame in {w.frame for w in query.buffer.entries if w.frame is not None and w.kind == "write"}:
                again = self._other_frame(query, frame, facts)
                if again:
                    return Hole("none", "", "", None)
        return found

    def _of_this_turn(self, query: Query, facts: tuple[Lin, ...]) -> tuple[Lin, ...]:
        """The facts without those of the reader's turn, if memory of another turn may be before it."""
        others = other_turns(query.buffer, query.frame, query.box, query.turns)
        if not others or not facts:
            return facts
        ids = {turn.id for turn in others}
        loops = {turn.loop.var for turn in others}
        return tuple(f for f in facts if not (self.m.born_of(f) & ids or f.all_syms() & loops))

    def _other_frame(self, query: Query, frame: tuple[Lin, ...], facts: tuple[Lin, ...]) -> bool:
        """Whether writes in another frame cover everything (a whole read is whole in every frame)."""
        inner = Query(query.buffer, frame, None, query.extent, query.pos, query.cond, query.turns, query.phase)
        writes = []
        for write in query.buffer.entries:
            if (
                write.kind == "write"
                and write.extent == "all"
                and write.frame == frame
                and write.pos < query.pos
                and not write.born
            ):
                for piece in self._pieces_of(write) or ():
                    whole, _ = self._needs(piece, inner)
                    if whole is not None and self.m.conds.implies(query.cond, whole):
                        made = self._write(piece, inner, same_turn=False)
                        if made is not None:
                            writes.append(made)
        return (
            bool(writes)
            and hole(frame, Access(None, tuple(t.loop for t in query.turns), facts), writes).status == "none"
        )


def _fixed(facts: tuple[Lin, ...]) -> dict[Sym, Lin]:
    """Symbols that the facts give one value (`n == 0`): put in, products with them become numbers."""
    out: dict[Sym, Lin] = {}
    rows = set(facts)
    for row in facts:
        if len(row.terms) == 1 and row.terms[0][1] == 1 and -row in rows:
            out[row.terms[0][0]] = Lin.of(-row.const)
    return out


def _vanishing(fixed: dict[Sym, Lin], mentioned: list[Lin]) -> dict[Sym, Lin]:
    """Products that are zero because a part of them is: `a*b == 0` makes `a*b*c` zero."""
    zeros = [Counter(factors(s)) for s, value in fixed.items() if value.as_int() == 0]
    out: dict[Sym, Lin] = {}
    for lin in mentioned if zeros else []:
        for s in lin.all_syms():
            parts = Counter(factors(s))
            if any(zero <= parts for zero in zeros):
                out[s] = Lin.of(0)
    return out


def _access_with(access: Access, fixed: dict[Sym, Lin]) -> Access:
    """The access with these symbols replaced; facts about them stay (they say the value)."""
    box = access.box
    if box is not None:
        box = tuple(Axis(a.start.substitute(fixed), tuple(s.substitute(fixed) for s in a.stops), a.step) for a in box)
    loops = tuple(Loop(t.var, t.start.substitute(fixed), t.stop.substitute(fixed), t.step) for t in access.loops)
    return Access(box, loops, access.when)


def _shared(write: Entry, query: Query) -> list[Turn]:
    """The leading loops that the write and the read are both in."""
    out = []
    for a, b in zip(write.turns, query.turns, strict=False):
        if a.id != b.id:
            break
        out.append(a)
    return out


def _rank(answer: Answer) -> tuple[int, int]:
    steps = {"condition": 1, "order": 2, "exception": 0, "alias": 0}
    return (2 if answer.status == "sure" else 1 if answer.status == "unsure" else 0, steps.get(answer.step, 3))


def _said(atom: Atom, cube: dict[int, bool], m: Machine) -> str:
    from allocsafe.flow.conditions import negated

    index = m.conds.atoms.index(atom)
    return atom.text if cube.get(index, True) else negated(atom.text)


def through(view: View, query: Query) -> View | None:
    """The elements of the origin behind a box of an element-by-element copy; None when the coordinates are lost."""
    if query.box is None or query.frame is not None or view.dims is None or view.box is None:
        if query.box is None:
            return View(view.frame, view.box, None, extent=view.extent)
        return None
    if len(query.box) != len(view.dims):
        return None
    box: list[Axis] = list(view.box)
    for inner, dim in zip(query.box, view.dims, strict=False):
        if dim.axis < 0:
            continue
        joined = compose(box[dim.axis], inner)
        if joined is None:
            return None
        box[dim.axis] = joined
    return View(view.frame, tuple(box), None, extent=view.extent)


__all__ = ["Answer", "Array", "Judge", "Loop"]
