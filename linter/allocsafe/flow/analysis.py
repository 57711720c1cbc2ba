"""Entry points: from which functions the walk starts, and in which order an object's methods run.

*Claim.* The verdict of a site is the worst over every entry point that reaches it. A function is walked on its own
first, with opaque arguments; when its buffer leaves it, from the functions of the file that call it (a factory's
buffer is judged at every caller). A buffer that lives in an object is judged over the object's life: `__init__`, then
its methods by phase, each of which may or may not have run before, then those again that may follow a later phase.
*Why.* A read in a method sees what `__init__` surely did and what other methods maybe did. *What it gives up.* A
method that no phase names has no order: a read that only such a method could cover is unknown (order).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from allocsafe.effects.lookup import Contracts
from allocsafe.effects.summary import Tables
from allocsafe.flow import (  # noqa: F401  (they register their steps)
    arithmetic,
    attributes,
    calls,
    containers,
    contracts,
    control,
    doubts,
    fields,
    items,
    loops,
    parameters,
    records,
    runners,
)
from allocsafe.flow.behind import Behind, left_behind
from allocsafe.flow.buffers import Buffer
from allocsafe.flow.called import phase_by_argument, phase_by_word, with_capture
from allocsafe.flow.calls import invoke
from allocsafe.flow.cells import Cell
from allocsafe.flow.clock import now
from allocsafe.flow.concern import Concern, Marked
from allocsafe.flow.conditions import Atom, TooManyPaths
from allocsafe.flow.constructions import made_elsewhere
from allocsafe.flow.drivers import Drivers, elsewhere
from allocsafe.flow.factories import Callers
from allocsafe.flow.factories import elsewhere as callers_elsewhere
from allocsafe.flow.fakes import is_fake
from allocsafe.flow.holders import note_views
from allocsafe.flow.machine import Frame, Left, Machine, OutOfBudget
from allocsafe.flow.makers import makers_here, said_by_others
from allocsafe.flow.memory import holds_array, log
from allocsafe.flow.program import Program
from allocsafe.flow.reach import Reach, receiver
from allocsafe.flow.readers import Searcher
from allocsafe.flow.returned import ON, goes_on
from allocsafe.flow.runners import uncalled
from allocsafe.flow.stale import finish
from allocsafe.flow.state import State, merge, plain
from allocsafe.flow.values import Array, ClassOf, Closure, Opaque, Ref, Value, View
from allocsafe.flow.witness import Reads
from allocsafe.frontends.base import Definition, Unit, Unsupported
from allocsafe.ir.nodes import ClassDef, Function, FunctionStub
from allocsafe.source import Span
from allocsafe.verdict import Event, Safe, Unknown, Unsafe, Verdict

if TYPE_CHECKING:
    from allocsafe.api import Phase


SCRIPT = re.compile(r"""^if[ \t(]+__name__\s*==\s*["']__main__["']""", re.M)
"""Where a file that is run as a program begins."""


class Found(NamedTuple):
    """One allocation of one file with its verdict (None for one that starts filled)."""

    span: Span
    symbol: str
    what: str
    filled: bool
    verdict: Verdict | None
    attrs: dict[str, str]
    owner: str  # qualname of the definition it stands in
    touched: frozenset[int]  # lines of its file at which it is written or read
    partial: Verdict | None = (
        None  # C++: the verdict if zeros did not count as values; only to be compared with the other side's
    )
    reach: frozenset[tuple[str, int]] = frozenset()  # paths and lines of other files at which it is written or read


MOST_STOPS = 2
"""Entry points of one walk that may be left at a limit; those behind are not walked any more."""

Ask = Literal["verdicts", "places", "names"]
"""What is wanted of a side: everything; where its allocations are written and read; or only what they are. The old
side's verdicts matter only where the new side has a finding.
"""


class Settings(NamedTuple):
    """What an analysis needs besides the program."""

    tables: Tables
    phases: tuple[Phase, ...]
    contracts: Contracts
    budget: float
    outside: Callable[[str, str], Sequence[str]]  # (name, path) -> other files that mention the name
    most_roots: int = 8
    ask: Ask = "verdicts"
    compared: bool = True  # there is another side; without one, second answers (`Found.partial`) are of no use


class FileAnalysis:
    """All allocations of the wanted definitions of one file."""

    def __init__(self, program: Program, path: str, settings: Settings) -> None:
        self.program = program
        self.path = path
        self.settings = settings
        unit = program.unit(path)
        if unit is None:
            raise FileNotFoundError(path)
        self.unit: Unit = unit
        if unit.language != "python":
            from allocsafe.flow import cplusplus  # noqa: F401  (registers its steps)
        self.found: dict[tuple[int, int], Found] = {}
        self.problems: list[Unknown] = []
        self.unseen = (
            ""  # functions of the file that may reach an object whose life is being judged, and were not walked
        )
        self.own_attrs: dict[
            tuple[int, int], dict[str, str]
        ] = {}  # as the function says them that holds the allocation, whoever calls it
        self.lines: frozenset[int] = frozenset()
        self.follow: tuple[str, frozenset[int]] | None = None  # allocations of another file, driven from this one
        self.searcher: Searcher | None = None
        self.toward: frozenset[str] = frozenset()
        self.own_methods: frozenset[str] = frozenset()  # of the class whose life is walked, what they touch or not
        self.reach: Reach | None = None
        self.concern: Concern | Marked | None = None  # only the allocations that it hits are asked about
        self.asked: set[tuple[int, int]] = set()
        self.skipped: dict[tuple[int, int], list[tuple[Machine, list[Buffer]]]] = {}  # walked, and not asked about yet
        self.handed: dict[tuple[int, int], Definition] = {}  # what the walked function itself hands out with a hole
        self.left: list[Left] = []  # what the marks of a dropped fill found, a walk each
        self.dropped: set[str] = set()  # definitions with more entry points than are walked
        self.unproved: dict[str, str] = {}  # definitions of classes below which something may be missing, and why
        self.deadline = now() + settings.budget

    # ------------------------------------------------------------ the file as names

    def text_of(self, definition: Definition) -> str:
        rows = self.unit.source.lines[definition.first_line - 1 : definition.last_line]
        put = [row for i in self.unit.source.inserted if i.within == definition.first_line for row in i.rows]
        return "\n".join([*rows, *put])

    def callers(self, name: str) -> list[Definition]:
        """Definitions whose text calls something of this last name (not the definition itself)."""
        pattern = re.compile(rf"(?<!def )\b{re.escape(name)}\s*[(\[<,)]")
        whole = self.unit.source.text
        if name not in whole and not self.unit.source.inserted:
            return []
        return [
            d
            for d in self.unit.definitions
            if d.kind == "function"
            and d.qualname.rsplit(".", 1)[-1] != name
            and name in (text := self.text_of(d))
            and pattern.search(text)
        ]

    def roots(self, definition: Definition) -> list[Definition]:
        """The functions of the file that lead to `definition` and that nothing in the file calls."""
        roots: list[Definition] = []
        seen = {definition.qualname}
        todo = [definition]
        while todo:
            at = todo.pop(0)
            callers = self.callers(self._called_as(at))
            above = [d for d in callers if d.qualname not in seen]
            if not callers and at is not definition:
                roots.append(at)
            elif not above and not todo and not roots and at is not definition:
                roots.append(at)  # they all call each other
            for caller in above:
                seen.add(caller.qualname)
                todo.append(caller)
        if len(roots) > self.settings.most_roots:
            self.dropped.add(definition.qualname)
        return roots[: self.settings.most_roots]

    def leading(self, definition: Definition) -> list[Definition]:
        """The definition and every function of the file that leads to it."""
        out = [definition]
        for at in out:
            out += [d for d in self.callers(self._called_as(at)) if d not in out]
        return out

    @staticmethod
    def _called_as(definition: Definition) -> str:
        last = definition.qualname.rsplit(".", 1)[-1]
        return (
            definition.owner.rsplit(".", 1)[-1] if last in ("__init__", "__post_init__") and definition.owner else last
        )

    # ------------------------------------------------------------ analysis

    def run(self, wanted: Sequence[Definition], module_too: bool) -> None:
        """Judges every allocation in the wanted definitions (and at module level)."""
        lines = {n for d in wanted for n in range(d.first_line, d.last_line + 1)}
        if module_too:
            inside = {n for d in self.unit.definitions for n in range(d.first_line, d.last_line + 1)}
            lines |= set(range(1, len(self.unit.source.lines) + 1)) - inside
        self.lines = frozenset(lines)
        self.deadline = now() + self.settings.budget
        classes: dict[str, list[Definition]] = {}
        for definition in wanted:
            if definition.kind != "function":
                continue
            if definition.owner:
                classes.setdefault(definition.owner, []).append(definition)
            else:
                self._guard(definition, partial(self._function, definition))
        for owner, methods in classes.items():
            self._guard(methods[0], partial(self._class, owner, methods))
        if module_too:
            self._guard(None, self._module)
        if self.unit.language == "python" and SCRIPT.search(self.unit.source.text):
            open_ = any(f.verdict is not None and _left(f.verdict) for f in self.found.values())
            if open_ or module_too:  # what is judged within its function needs no caller
                self._guard(None, self._script)
        for key, attrs in self.own_attrs.items():
            if key in self.found:
                self.found[key] = self.found[key]._replace(attrs=attrs)

    def run_alone(self, definition: Definition) -> None:
        """Judges what one definition makes by its own walk, from opaque arguments: what its callers do is not seen."""
        self.lines = frozenset(range(definition.first_line, definition.last_line + 1))

        def walk() -> None:
            m = self.machine()
            self._walk_root(m, definition)
            self.collect(m)

        self._guard(definition, walk)

    def _guard(self, definition: Definition | None, act: Callable[[], None]) -> None:
        """A bug or a budget inside one definition costs its sites' verdicts, not the run."""
        line = definition.first_line if definition is not None else 1
        span = Span(self.path, line, 1, line, 1)
        name = definition.qualname if definition is not None else "the module"
        try:
            act()
        except OutOfBudget:
            self.problems.append(Unknown("budget", span, f"the time for {name} ran out", "a larger --budget"))
        except TooManyPaths:
            self.problems.append(
                Unknown(
                    "branches",
                    span,
                    f"the paths through {name} are too many to be told apart",
                    "splitting the function",
                )
            )
        except Unsupported as problem:
            self.problems.append(
                Unknown("syntax", problem.span, f"{name} could not be read: {problem.reason}", "a source that parses")
            )
        except RecursionError:
            self.problems.append(Unknown("depth", span, f"{name} nests too deeply", "splitting the expression"))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, RuntimeError) as bug:
            import os

            if os.environ.get("ALLOCSAFE_DEBUG"):
                raise
            self.problems.append(
                Unknown(
                    "bug", span, f"a bug in the analysis of {name}: {type(bug).__name__}: {bug}", "a report of this bug"
                )
            )

    def machine(self) -> Machine:
        s = self.settings
        m = Machine(self.program, s.tables, min(now() + s.budget, self.deadline), s.phases, s.contracts)
        m.follow = self.follow if self.follow is not None else (self.path, self.lines)
        m.held.toward = self.toward
        self.program.walks.add(m)
        return m

    def _script(self) -> None:
        """The file run as a program: what stands behind `if __name__ == "__main__"` calls its functions, too."""
        m = self.machine()
        m.script = self.path
        m.run_module(self.path)
        self.collect(m)

    def _module(self) -> None:
        m = self.machine()
        m.run_module(self.path)
        names = [
            str(name)
            for (who, name) in m.state.cells
            if who == ("module", self.path) and any(True for _ in m.arrays(m.state.cells[(who, name)]))
        ]
        users = [
            d
            for d in self.unit.definitions
            if d.kind == "function"
            and not d.owner
            and any(re.search(rf"\b{re.escape(n)}\b", self.text_of(d)) for n in names)
        ]
        tops = [d for d in users if not self.callers(d.qualname)] or users
        self._sequence(m, [(d, None) for d in tops[: 2 * self.settings.most_roots]])
        self.collect(m)

    def _function(self, definition: Definition) -> None:
        roots = self.roots(definition)
        self.handed = {}
        m = self.machine()
        self._walk_root(m, definition)
        alone = self.collect(m, keep=False)
        self._own(alone, [definition])
        if is_fake(self.unit, definition):
            for key, found in alone.items():
                why = f"it has no elements: {definition.qualname} is the fake implementation of an operator"
                fake = Safe(why, (Event("allocated", found.span, "", found.what),))
                self._put(key, found if found.verdict is None else found._replace(verdict=fake))
            return
        leaving = [f for f in alone.values() if f.verdict is not None and _left(f.verdict)]
        self.handed = {key: definition for key, f in alone.items() if f in leaving and isinstance(f.verdict, Unsafe)}
        try:
            self._at_callers(definition, roots, alone, leaving)
        except (OutOfBudget, TooManyPaths):
            for key, found in alone.items():
                self._put(key, _callers_left(definition, found) if found in leaving else found)
            raise

    def _at_callers(
        self,
        definition: Definition,
        roots: Sequence[Definition],
        alone: dict[tuple[int, int], Found],
        leaving: Sequence[Found],
    ) -> None:
        """What leaves a function (`leaving`, of `alone`) is judged by who gets it."""
        beyond = Callers({}, True, frozenset())
        if leaving and self.settings.ask == "verdicts" and self.follow is None and self.unit.language == "python":
            beyond = callers_elsewhere(self, self.leading(definition))
        if leaving and (roots or beyond.called):
            reached: dict[tuple[int, int], list[Found]] = {}
            for root in roots:
                machine = self.machine()
                if root.owner:
                    machine = self._life(machine, root.owner, [root])
                else:
                    self._walk_root(machine, root)
                for key, found in self.collect(machine, keep=False).items():
                    if root.qualname not in beyond.called or found.verdict is None or not _left(found.verdict):
                        reached.setdefault(key, []).append(found)  # what goes on leaving is judged by who gets it
            for key, several in beyond.found.items():
                reached.setdefault(key, []).extend(several)
            for key, found in alone.items():
                seen = reached.get(key)
                late = key in self.asked and unasked(found.verdict)
                if seen and found.verdict is not None and (late or _left(found.verdict)):
                    worst = max(seen, key=lambda f: _badness(f.verdict))
                    if isinstance(found.verdict, Unsafe) and isinstance(worst.verdict, Unknown):
                        worst = found if any(ON in f.attrs for f in seen) else worst
                    if isinstance(worst.verdict, Safe) and not beyond.complete:
                        worst = worst._replace(verdict=_unseen_callers(definition, found, worst.verdict))
                    self._put(
                        key,
                        found._replace(
                            verdict=worst.verdict,
                            symbol=found.symbol,
                            touched=found.touched.union(*(f.touched for f in seen)),
                        ),
                        by_callers=True,
                    )
                else:
                    self._put(key, found)
            for key, several in reached.items():
                if key not in alone and self._wanted_line(key[0], definition):
                    self._put(key, max(several, key=lambda f: _badness(f.verdict)), by_callers=True)
            return
        for key, found in alone.items():
            self._put(key, found)

    def _own(self, alone: dict[tuple[int, int], Found], walked: Sequence[Definition]) -> None:
        """Remembers the attributes of allocations as the walk of their own function, from opaque arguments, has them:
        both sides have that walk.
        """
        for key, found in alone.items():
            if any(self._wanted_line(key[0], d) for d in walked):
                self.own_attrs.setdefault(key, found.attrs)

    def _wanted_line(self, line: int, definition: Definition) -> bool:
        return definition.first_line <= line <= definition.last_line

    def _put(self, key: tuple[int, int], found: Found, *, by_callers: bool = False) -> None:
        """Keeps the worst verdict of a site. `by_callers`: it rests on the entry points that were walked."""
        if by_callers and found.owner in self.dropped and isinstance(found.verdict, Safe):
            why = f"more than {self.settings.most_roots} entry points lead here, and not all were walked"
            decides = "a narrower --only, or fewer callers in one file"
            found = found._replace(verdict=Unknown("budget", found.span, why, decides, found.verdict.trace))
        if by_callers and found.owner in self.unproved and isinstance(found.verdict, Safe):
            why = f"a class below may do otherwise: {self.unproved[found.owner]}"
            decides = "a class at module level that names its base"
            found = found._replace(verdict=Unknown("call", found.span, why, decides, found.verdict.trace))
        old = self.found.get(key)
        if old is None or _badness(found.verdict) > _badness(old.verdict):
            self.found[key] = found

    def _walk_root(self, m: Machine, definition: Definition) -> None:
        """One function with opaque arguments; what it returns leaves the view."""
        stub = self.unit.function(definition.qualname)
        if stub is None:
            return
        try:
            m.run_module(self.path)
        except (TooManyPaths, OutOfBudget) as limit:
            self._stopped(m, stub, limit)
            return
        receiver: Value | None = None
        if definition.owner:
            cls = self.unit.klass(definition.owner)
            if cls is not None and "staticmethod" not in stub.decorator_names:
                receiver = m.new_object("instance", stub.span, definition.owner, self.path)
                m.open_objects.add(receiver.obj)
        self._enter(m, stub, receiver, definition.owner)

    def _enter(self, m: Machine, stub: FunctionStub, receiver: Value | None, owner: str) -> None:
        if len(m.stops) >= MOST_STOPS:  # more time would go the same way
            self._escaped(m, stub)
            return
        function, path = stub.load(), stub.span.path
        base = Frame(m.fresh(), function, path, owner, 0, receiver)
        depth = len(m.frames)
        m.frames.append(base)
        try:
            if function.is_generator or any(
                d.rsplit(".", 1)[-1].split("(")[0] in calls.KERNEL_DECORATORS
                for d in function.decorator_names
                if d not in calls.TRANSPARENT
            ):
                frame = Frame(m.fresh(), function, path, owner, 0, receiver)
                m.known_frames[frame.ident] = 0
                calls.bind(m, frame, Closure(stub, path, 0, receiver, owner), [], {}, [], stub.span, root=True)
                calls.run_frame(m, frame, stub.span)
            else:
                made = invoke(m, Closure(stub, path, 0, receiver, owner), [], {}, stub.span, root=True)
                uncalled(m, made, stub.span)
        except (TooManyPaths, OutOfBudget) as limit:
            self._stopped(m, stub, limit)
        if m.state.path == 0:
            m.dead_ends.append(stub.span)
        if m.left.stale:
            finish(m, stub.span)
        parameters.load(m)
        del m.frames[depth:]
        self._held(m)

    @staticmethod
    def _held(m: Machine) -> None:
        """Notes every attribute and global through which a buffer can be reached now: also what was put into a
        container after that was stored.
        """
        note_views(m)
        behind = Behind(m)
        for (where, name), value in list(m.state.cells.items()):
            if isinstance(name, tuple) and name[0] == "attr":
                word = str(name[1])
            elif isinstance(where, tuple) and where[0] == "module" and isinstance(name, str):
                word = name
            else:
                continue
            for number in behind.of(value):
                m.buffers[number].kept_in.add(word)

    def _stopped(self, m: Machine, stub: FunctionStub, limit: Exception) -> None:
        """What was walked before a limit holds: a hole found there is one. All that is still alive escapes."""
        if isinstance(limit, OutOfBudget):
            step, why, decides = "budget", f"left when the time for {stub.name} ran out", "a larger --budget"
        else:
            step, why, decides = (
                "branches",
                f"left when the paths through {stub.name} became too many",
                "splitting the function",
            )
        self.problems.append(Unknown(step, stub.span, f"the walk was {why}", decides))
        m.conds.grow()
        m.conds.deadline = float("inf")
        m.deadline = max(m.deadline, now() + 0.25 * self.settings.budget)
        m.stops.append((step, why, decides))
        m.dry, m.handlers, m.turns = 0, [], ()
        self._escaped(m, stub)

    @staticmethod
    def _escaped(m: Machine, stub: FunctionStub) -> None:
        """A function was not walked to its end: anything may have happened to what it can reach."""
        step, why, decides = m.stops[-1]
        m.state = State(1, m.state.cells)
        for cell, value in list(m.state.cells.items()):
            if not isinstance(cell[0], int) and plain(value):
                m.state.cells[cell] = m.unknown(str(cell[1][-1] if isinstance(cell[1], tuple) else cell[1]))
        for buffer in m.buffers:
            if not buffer.filled:
                log(
                    m,
                    Array(buffer.ident, View(None, None, None)),
                    "escape",
                    stub.span,
                    why,
                    some=True,
                    event="escaped",
                    step=step,
                    decides=decides,
                )

    # ------------------------------------------------------------ objects over time

    def _class(self, owner: str, methods: list[Definition]) -> None:
        family = [owner, *self.subclasses(owner)]
        makers = [
            d for name in family for d in self.callers(name.rsplit(".", 1)[-1]) if d.owner not in family and not d.owner
        ]
        made = makers_here(self, family)
        makers += [d for d in made.functions if d not in makers]
        first = self.machine()
        for definition in methods:
            self._walk_root(first, definition)
            first.state = State(
                1,
                {
                    k: v
                    for k, v in first.state.cells.items()
                    if isinstance(k[0], tuple) and k[0][0] in ("module", "class")
                },
            )
        alone = self.collect(first, keep=False)
        self._own(alone, methods)
        lasting = {
            key: f
            for key, f in alone.items()
            if self.settings.ask != "names" and f.verdict is not None and (f.attrs.get("kept") or _left(f.verdict))
            if not unasked(f.verdict)
        }
        for key, found in alone.items():
            if key not in lasting:
                self._put(key, found)
        if not lasting:
            return
        makers = [r for d in makers for r in (self.roots(d) or [d])]
        tops = list({d.qualname: d for d in makers}.values())
        if len(tops) > self.settings.most_roots:
            self.dropped |= {d.qualname for d in methods}
        unique = tops[: self.settings.most_roots]
        walks: list[Machine] = []
        for maker in unique:
            m = self.machine()
            if maker.owner:
                m = self._life(m, maker.owner, [maker])
            else:
                self._walk_root(m, maker)
            walks.append(m)
        own: list[Machine] = []
        made_here = list(walks)
        if not any(
            (buffer.site.line, buffer.site.column) in lasting
            for m in walks
            for buffer in m.buffers
            if buffer.site.path == self.path
        ) or (self.program.marked or not made.closed or self._outlive(walks) or said_by_others(self, family)):
            own = [
                self._life(self.machine(), name, methods) for name in self._concrete(family)
            ]  # a subclass may fill less than its base does
        else:
            unmade = [name for name in family[1:] if name not in made.said and self._own_life(name)]
            walks += [self._life(self.machine(), name, methods) for name in unmade]
        walks += self._lives_below(owner, methods, walks + own)
        reached = self._reached(family, walks + own)
        unsettled = any(_open(f.verdict) for key in lasting for f in reached.get(key, [lasting[key]]))
        if unsettled and self.settings.ask == "verdicts" and not self.program.marked:  # a mark: any step, by whomever
            beyond = self._elsewhere(family, methods)
            if beyond.walks and beyond.complete:  # who constructs it is in view: the order is theirs
                reached = self._reached(family, walks + beyond.walks)
            elif beyond.walks:
                for key, several in self._reached(family, beyond.walks).items():
                    reached.setdefault(key, []).extend(several)
            if not beyond.complete or not beyond.walks:
                reached = self._driven_by_makers(family, methods, made_here, reached)
        elif self.settings.ask == "verdicts" and not self.program.marked:
            resting = {key for key in lasting if any(_by_phases(f.verdict) for f in reached.get(key, ()))}
            for key, several in (self._otherwise(family, methods) if resting else {}).items():
                if key in resting:  # the words of the phases stand until a driver in view has another order
                    reached[key] += [f for f in several if isinstance(f.verdict, Unsafe)]
        for key, found in alone.items():
            if key in reached and key in self.asked and unasked(found.verdict):
                lasting[key] = found  # a method that the patch changed touches it, by another name
                self.found.pop(key, None)
        for key, found in lasting.items():
            seen = reached.get(key)
            worst = _worst(seen) if seen else found
            self._put(key, worst, by_callers=True)
        for key, several in reached.items():
            if key not in alone and any(self._wanted_line(key[0], d) for d in methods):
                self._put(key, max(several, key=lambda f: _badness(f.verdict)), by_callers=True)

    def _outlive(self, walks: Sequence[Machine]) -> bool:
        """Whether some walk leaves an object with memory of this file behind: who makes it does not do all that is
        done with it.
        """
        return any(left_behind(m, self.path, self.lines) for m in walks)

    def _reached(self, family: Sequence[str], walks: Sequence[Machine]) -> dict[tuple[int, int], list[Found]]:
        """What each walk says of each allocation that it came to."""
        out: dict[tuple[int, int], list[Found]] = {}
        self.unseen = self._unwalked(family, walks)
        for m in walks:
            for key, found in self.collect(m, keep=False).items():
                out.setdefault(key, []).append(found)
        self.unseen = ""
        return out

    def _otherwise(self, family: Sequence[str], methods: Sequence[Definition]) -> dict[tuple[int, int], list[Found]]:
        """What those who construct the object in other files find, as far as they can be walked."""
        beyond = self._elsewhere(family, methods)
        if beyond.walks:
            return self._reached(family, beyond.walks)
        if self.unit.language != "python" or self.follow is not None:
            return {}
        classes = [ClassOf(cls, self.path) for name in family if (cls := self.unit.klass(name)) is not None]
        return {key: list(found) for key, found in made_elsewhere(self, classes, self._names_of(methods)).found.items()}

    def _driven_by_makers(
        self,
        family: Sequence[str],
        methods: Sequence[Definition],
        walks: Sequence[Machine],
        reached: dict[tuple[int, int], list[Found]],
    ) -> dict[tuple[int, int], list[Found]]:
        """What all who make the object do with it, if all of them could be walked; else what is known already."""
        if self.unit.language != "python" or self.follow is not None:
            return reached
        classes = [ClassOf(cls, self.path) for name in family if (cls := self.unit.klass(name)) is not None]
        made = made_elsewhere(self, classes, self._names_of(methods))
        if not made.complete:
            return reached
        out = self._reached(family, walks)
        for key, several in made.found.items():
            out.setdefault(key, []).extend(several)
        return out

    def _elsewhere(self, family: Sequence[str], methods: Sequence[Definition]) -> Drivers:
        """The walks of those who construct the object in other files."""
        if self.unit.language != "python":
            return Drivers([], True)
        classes = [ClassOf(cls, self.path) for name in family if (cls := self.unit.klass(name)) is not None]
        return elsewhere(self, classes, self._names_of(methods))

    def _concrete(self, family: Sequence[str]) -> Sequence[str]:
        """The classes of a family that have instances: not the first one where it only promises methods that a class
        below defines.
        """
        cls = self.unit.klass(family[0])
        if cls is None or self.unit.language != "python":
            return family
        mine = ClassOf(cls, self.path)
        hierarchy = self.program.hierarchy
        return family[1:] if hierarchy.has_abstract(mine) and hierarchy.family(mine).members else family

    def _lives_below(self, owner: str, methods: list[Definition], walks: Sequence[Machine]) -> list[Machine]:
        """The lives of classes of other files below `owner`; where some may be missing, nothing here is proved."""
        from allocsafe.flow import lives

        cls = self.unit.klass(owner)
        if cls is None or self.unit.language != "python":
            return []
        found, unseen = lives.below(self, ClassOf(cls, self.path), walks)
        if unseen:
            self.unproved.update((d.qualname, unseen) for d in methods)
        return lives.walked(self, found, self._names_of(methods))

    def life_of(self, owner: str, names: set[str]) -> Machine:
        """The life of an object of this file whose allocations stand in another one, from what keeps them."""
        return self._life(self.machine(), owner, [], names)

    def _own_life(self, name: str) -> bool:
        """Whether a subclass with methods of its own is made by nobody in the file: the walks of its base say nothing
        about it.
        """
        cls = self.unit.klass(name)
        return (
            cls is not None
            and bool(cls.methods)
            and not self.subclasses(name)
            and not self.callers(name.rsplit(".", 1)[-1])
        )

    def _unwalked(self, family: Sequence[str], walks: Sequence[Machine]) -> str:
        """The text of the file's functions outside of these classes that none of the walks went through."""
        seen = {name for m in walks for name in m.callees.values()}
        return "\n".join(
            self.text_of(d)
            for d in self.unit.definitions
            if d.kind == "function" and d.owner not in family and d.qualname not in seen
        )

    def subclasses(self, owner: str) -> list[str]:
        """Classes of the file that have `owner` among their visible bases."""
        cls = self.unit.klass(owner)
        if cls is None or self.unit.language != "python":
            return []
        out = []
        for definition in self.unit.definitions:
            if definition.kind == "class" and definition.qualname != owner:
                other = self.unit.klass(definition.qualname)
                if other is not None and ClassOf(cls, self.path) in self.program.lineage(ClassOf(other, self.path)):
                    out.append(definition.qualname)
        return out

    def relevant(self, m: Machine, cls: ClassDef, names: set[str]) -> list[FunctionStub]:
        """Methods (inherited ones too) whose text mentions one of the names."""
        out: dict[str, FunctionStub] = {}
        nearer: dict[str, tuple[FunctionStub, str]] = {}
        for base in self.program.lineage(ClassOf(cls, self.path)):
            unit = self.program.unit(base.path)
            if unit is None:
                continue
            for name, stub in base.cls.methods.items():
                text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
                mine, said = nearer.setdefault(name, (stub, text))
                if mine is not stub and f"super().{name}" not in said and f"{base.cls.name}.{name}" not in said:
                    continue  # a class below defines it: no instance runs this one but by `super`
                if name not in out and any(re.search(rf"\b{re.escape(n)}\b", text) for n in names):
                    out[name] = mine
        return list(out.values())

    def driven(self, definition: Definition, names: set[str]) -> Machine:
        """A walk that starts where a function of this file constructs what another file defines."""
        m = self.machine()

        def act() -> None:
            nonlocal m
            if definition.owner:
                m = self._life(m, definition.owner, [], names | {definition.qualname.rsplit(".", 1)[-1]})
            else:
                self._walk_root(m, definition)

        self._guard(definition, act)
        return m

    def _names_of(self, wanted: Sequence[Definition]) -> set[str]:
        """The methods and the attributes they assign."""
        names: set[str] = {d.qualname.rsplit(".", 1)[-1] for d in wanted}
        for definition in wanted:
            names |= set(re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?=[^=]", self.text_of(definition)))
            names |= set(re.findall(r"register_buffer\(\s*[\"'](\w+)", self.text_of(definition)))
        return names

    def _life(self, m: Machine, owner: str, wanted: list[Definition], more: set[str] | None = None) -> Machine:
        """One object from construction on: `__init__`, then the methods that matter, by phase. The machine whose walk
        was the whole one.

        Which methods matter shows in the walk: a view that one method keeps under a new name leads to the methods
        that use that name.
        """
        cls = self.unit.klass(owner)
        if cls is None:
            return m
        names = self._names_of(wanted) | (more or set())
        if self.searcher is None:
            self.searcher = Searcher(self.program, m.follow[0] if m.follow is not None else self.path)
        self.reach = Reach(self.searcher, lambda name: phase_named(name, self.settings.phases), self.settings.budget)
        while True:
            self.reach.prepare(m)
            walked = self._live(m, cls, owner, names)
            for buffer in m.buffers:
                names |= buffer.kept_in
            again = self.reach.again(m) if self.unit.language == "python" else False
            matter = self._matter(m, cls, names)
            again = again or (self.unit.language == "python" and self.reach.recorded(matter))
            if {s.qualname for s in matter} <= walked and not again:
                self.reach.settle(m)
                self.reach = None
                return m
            m = self.machine()

    def _matter(self, m: Machine, cls: ClassDef, names: set[str]) -> list[FunctionStub]:
        return [s for s in self.relevant(m, cls, {n for n in names if re.fullmatch(r"\w+", n)}) if s.name != "__init__"]

    def _live(self, m: Machine, cls: ClassDef, owner: str, names: set[str]) -> set[str]:
        """Walks one life with the methods that mention one of the names; which those were."""
        m.run_module(self.path)
        receiver = m.new_object("instance", Span(self.path, 1, 1, 1, 1), owner, self.path)
        init = attributes.class_attribute(m, ClassOf(cls, self.path), "__init__", receiver, receiver_span(self.path))
        holder = Frame(m.fresh(), _nothing(self.path), self.path, owner, 0, receiver)
        m.frames.append(holder)
        if isinstance(init, Closure):
            self._phase(m, phase_named("__init__", self.settings.phases))
            invoke(m, init, [], {}, receiver_span(self.path), root=True)
        parameters.load(m)
        m.frames.pop()
        if self.program.marked:
            from allocsafe.flow.anytime import unsettle

            unsettle(m, receiver, self.program.lineage(ClassOf(cls, self.path)))
        assigned = self._doubt_attributes(m, cls, receiver)
        self._held(m)
        for buffer in m.buffers:
            names |= buffer.kept_in
        stubs = self._matter(m, cls, names)
        inside = self._called_inside(stubs)
        lineage = self.program.lineage(ClassOf(cls, self.path))
        self.own_methods = frozenset(name for each in lineage for name in each.cls.methods)
        entries: list[Entry] = [(s, receiver) for s in stubs if s.name not in inside]
        if self.reach is not None:
            replaced = self.program.hierarchy.replaced(ClassOf(cls, self.path))
            entries += [(guest.stub, guest.owner) for guest in self.reach.guests(stubs, replaced)]
        for cell, methods in assigned.items():
            if self._settled(methods, {s.name for s in stubs}):
                m.doubts.pop(cell, None)  # the walk says what it holds when
        self._sequence(m, entries)
        return {s.qualname for s in stubs}

    def _doubt_attributes(self, m: Machine, cls: ClassDef, receiver: Ref) -> dict[Cell, set[str]]:
        """A plain attribute that another method assigns may hold another value than `__init__` gave it. The methods
        that do, by cell.
        """
        by: dict[str, set[str]] = {}
        for base in self.program.lineage(ClassOf(cls, self.path)):
            unit = self.program.unit(base.path)
            for name, stub in base.cls.methods.items():
                if unit is not None and name != "__init__":
                    text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
                    for attr in re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?=[^=]", text):
                        by.setdefault(attr, set()).add(name)
        owner = ("obj", receiver.obj)
        out: dict[Cell, set[str]] = {}
        for attr, methods in by.items():
            cell = (owner, ("attr", attr))
            held = m.state.cells.get(cell)
            if held is not None and (plain(held) or not holds_array(m, held)):
                doubts.doubt(m, cell, (receiver.obj, attr), f"self.{attr}", ("attr", owner, attr, "later"))
                out[cell] = methods
        return out

    def _settled(self, methods: set[str], walked: set[str]) -> bool:
        """Whether all that assigns an attribute is walked, or is over before the first step."""
        return all(
            name in walked or ((phase := phase_named(name, self.settings.phases)) is not None and phase.rank <= 1)
            for name in methods
        )

    def _called_inside(self, stubs: list[FunctionStub]) -> set[str]:
        """Methods that are walked from another one that calls them through `self`, unless they have a phase of their
        own, or code elsewhere can call them.
        """
        calls_of: dict[str, set[str]] = {}
        for stub in stubs:
            unit = self.program.unit(stub.span.path) or self.unit
            text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
            calls_of[stub.name] = set(re.findall(r"\bself\.(\w+)\s*\(", text)) - {stub.name}
        phases = {name: phase_named(name, self.settings.phases) for name in calls_of}
        called = {
            n
            for caller, ns in calls_of.items()
            for n in ns
            if n in calls_of and (phases[n] is None or phases[caller] is not None)
        }
        owners = {stub.owner for stub in stubs}
        called = {
            n
            for n in called
            if n.startswith("_")
            or not (any(d.owner not in owners for d in self.callers(n)) or self.settings.outside(n, self.path))
        }
        reached: set[str] = set()
        for top in [
            *(n for n in calls_of if n not in called),
            *called,
        ]:  # of methods that only call each other, the first is a top
            if top in called and top not in reached:
                called.discard(top)
            todo = [top]
            while todo:
                at = todo.pop()
                if at not in reached:
                    reached.add(at)
                    todo += calls_of[at] & called
        return called

    def _phase(self, m: Machine, phase: Phase | None) -> int:
        m.entry_phases.append(phase)
        m.phase = len(m.entry_phases) - 1
        return m.phase

    def _schedule(self, entries: Sequence[Entry]) -> list[tuple[Entry, Phase | None]]:
        """Entry points in the order of their phases. What may run at several ranks is walked again behind the others.

        A capture runs the forward pass that it records: with a capture in the object, the first walk of a forward
        pass is that one, and
        comes before every replay.
        """
        phased = [(entry, self._phase_of(entry[0])) for entry in entries]

        def rank(item: tuple[Entry, Phase | None]) -> tuple[float, int]:
            (entry, _), phase = item
            line = entry.first_line if isinstance(entry, Definition) else entry.span.line
            return (phase.rank if phase is not None else 3.0, line)

        phased.sort(key=rank)
        every = [p for _, p in phased]
        captures = [phase_named(name, self.settings.phases) for name in self.own_methods]
        out: list[tuple[Entry, Phase | None]] = []
        for entry, phase in phased:
            recorded = with_capture(phase) or (
                phase is not None
                and phase.last_rank is not None
                and any(p is not None and p.rank > 1 and p.surely_before(phase) for p in (*captures, *every))
            )
            out.append(
                (entry, replace(phase, name="capture", last_rank=None) if recorded and phase is not None else phase)
            )
        if len(phased) > 1:
            out += [(entry, phase) for entry, phase in phased if phase is None or phase.last_rank is not None]
        return out

    def _phase_of(self, entry: Definition | FunctionStub) -> Phase | None:
        if self.reach is not None and isinstance(entry, FunctionStub):
            found = self.reach.phase(entry)
        else:
            found = phase_named(_last(entry), self.settings.phases)
        if found is None and isinstance(entry, FunctionStub):
            unit = self.program.unit(entry.span.path)
            rows = unit.source.lines[entry.span.line - 1 : entry.span.end_line] if unit is not None else []
            found = phase_by_argument("\n".join(rows), self.settings.phases)
        return found

    def _sequence(self, m: Machine, entries: Sequence[Entry]) -> None:
        """Walks entry points in phase order; each may or may not have run before the next, unless its phase says so."""
        for (entry, recv), phase in self._schedule(entries):
            stub = self.unit.function(entry.qualname) if isinstance(entry, Definition) else entry
            if stub is None:
                continue
            if self.reach is not None and self.reach.too_late(stub):
                continue
            index = self._phase(m, phase)
            if isinstance(recv, ClassOf):
                found = receiver(m, recv, stub)
                if found is None:
                    continue
                recv = found.value  # noqa: PLW2901 - the class stood for an object of it
            if self.reach is not None and self.reach.may_be_skipped(stub):
                m.held.guests.add(index)
            before = m.state
            surely = phase is not None and phase.rank <= 1
            ran = m.conds.atom(Atom(("ran", index), f"{stub.name} ran before", "order", stub.span))
            m.ran[index] = ran
            doubts.again(m)
            m.state = State(before.path, before.cells.copy())
            try:
                self._enter(m, stub, recv, stub.owner)
            except Unsupported as problem:
                self.problems.append(
                    Unknown(
                        "syntax",
                        problem.span,
                        f"{stub.qualname} could not be read: {problem.reason}",
                        "a source that parses",
                    )
                )
                m.state = before
                continue
            after = m.state
            if surely:
                m.state = State(before.path, after.cells)
                continue
            skipped = State(m.conds.both(before.path, m.conds.no(ran)), before.cells)
            after = State(m.conds.both(before.path, ran), after.cells)
            m.state = merge(m.conds, [after, skipped], before.path)
            m.state.path = before.path
        m.phase = 0

    # ------------------------------------------------------------ collecting

    def _judged(self, m: Machine, buffers: list[Buffer]) -> tuple[Verdict, Verdict | None]:
        """The verdict on the buffers of one allocation. Questions that outgrow a limit cost this one only."""
        reads = Reads(m, buffers, lambda name: self._reachable(name, m))
        try:
            if self.unit.language == "python":
                verdict = reads.verdict()
                by = self.handed.get((buffers[0].site.line, buffers[0].site.column))
                if by is not None and isinstance(verdict, Unknown) and goes_on(m, buffers, self.path, by):
                    buffers[0].attrs[ON] = ON
                return verdict, None
            from allocsafe.flow.cpp_verdicts import judged

            return judged(reads, compared=self.settings.compared)
        except TooManyPaths:
            m.conds.grow()
            site = buffers[0].site
            why = "the paths to its reads are too many to be told apart"
            return Unknown("branches", site, why, "splitting the functions that use it"), None

    def collect(self, m: Machine, keep: bool = True) -> dict[tuple[int, int], Found]:
        """The allocations of this file that the walk met, with their verdicts."""
        self.left.append(m.left)
        m.conds.grow()  # a walk that came close to a limit leaves room for the questions about it
        m.conds.deadline = max(m.conds.deadline, now() + 0.25 * self.settings.budget)
        if m.uses:
            contracts.settle(m)
        m.phase = 0
        note_views(m)
        groups: dict[tuple[int, int], list[Buffer]] = {}
        for buffer in m.buffers:
            if buffer.site.path == self.path:
                groups.setdefault((buffer.site.line, buffer.site.column), []).append(buffer)
        out: dict[tuple[int, int], Found] = {}
        for key, buffers in groups.items():
            first = buffers[0]
            partial: Verdict | None = None
            if all(b.filled and not b.entries for b in buffers):
                verdict: Verdict | None = None
            elif self.settings.ask != "verdicts":
                verdict = _not_asked(buffers, goes_on=self.settings.ask == "places")
            elif not self._concerns(key, buffers):
                verdict = Unknown(UNASKED, first.site, "it was not asked for", "asking for it")
                self.skipped.setdefault(key, []).append((m, buffers))
            else:
                verdict, partial = self._judged(m, [b for b in buffers if not b.filled or b.entries])
                for other, before in self.skipped.pop(key, ()):  # a walk from before the patch was seen to concern it
                    other.conds.deadline = max(other.conds.deadline, m.conds.deadline)
                    earlier, _ = self._judged(other, [b for b in before if not b.filled or b.entries])
                    verdict = earlier if _badness(earlier) > _badness(verdict) else verdict
            if isinstance(verdict, Safe) and m.dead_ends:
                why = "no path of the walk reaches the end of the function, so reads may be missing"
                verdict = Unknown(
                    "path", m.dead_ends[0], why, "the values that make every path end early", verdict.trace
                )
            attrs = dict(first.attrs)
            if any(ON in b.attrs for b in buffers):
                attrs[ON] = ON
            if any(b.kept_in for b in buffers):
                attrs["kept"] = ", ".join(sorted(set().union(*(b.kept_in for b in buffers))))
            lines = frozenset(e.span.line for b in buffers for e in b.entries if e.span.path == self.path)
            reach = frozenset(
                (e.span.path, e.span.line) for b in buffers for e in b.entries if e.span.path != self.path
            )
            symbol = self._symbol(first.site, next((b.symbol for b in buffers if b.symbol), ""))
            out[key] = Found(
                first.site,
                symbol,
                first.what,
                first.filled,
                verdict,
                attrs,
                self._owner(first.site.line),
                lines,
                partial,
                reach,
            )
        for site in m.filled.values():
            key = (site.span.line, site.span.column)
            if site.span.path == self.path and key not in out:
                empty = "elements" in site.attrs
                out[key] = Found(
                    site.span,
                    self._symbol(site.span, site.symbol),
                    site.what,
                    not empty,
                    Safe("it has no elements", (Event("allocated", site.span, "", site.what),)) if empty else None,
                    site.attrs,
                    self._owner(site.span.line),
                    frozenset(),
                )
        if keep:
            for key, found in out.items():
                self._put(key, found)
        return out

    def _concerns(self, key: tuple[int, int], buffers: Sequence[Buffer]) -> bool:
        """Whether the patch can concern an allocation, as far as the walks so far have seen."""
        if self.concern is None or key in self.asked:
            return True
        site = buffers[0].site
        lines = {e.span.line for b in buffers for e in b.entries if e.span.path == self.path}
        lines |= {at.line for b in buffers for e in b.entries for at in e.stack if at.path == self.path}
        names = {name for b in buffers for name in (*b.kept_in, b.symbol)}
        names.add(self._symbol(site, next((b.symbol for b in buffers if b.symbol), "")))
        if self.concern.hits(lines | set(range(site.line, site.end_line + 1)), names):
            self.asked.add(key)
            return True
        return False

    def _symbol(self, span: Span, symbol: str) -> str:
        """What people call an allocation: the name it got in the walk, or the target of the statement it stands in."""
        if symbol and not symbol.startswith("["):
            return symbol
        text = self.unit.source.line(span.line)
        if re.match(r"\s*return\b", text):
            return "(returned)"
        target = re.match(r"\s*([A-Za-z_]\w*(?:\.\w+|\[[^\[\]=]*\])*)\s*(?::[^=]+)?=(?!=)", text)
        return target[1] if target is not None and target.end() <= span.column else symbol

    def _reachable(self, name: str, m: Machine) -> Sequence[str]:
        """Files that can reach an attribute or global. The life of a C++ object is not walked: its own file can,
        unseen.
        """
        if self.unit.language != "python":
            return (self.path,)
        if name in m.held.followed:
            return ()
        if name in m.held.missed:
            return (m.held.missed[name][0],)
        if self.unseen and re.search(rf"(?<!\bself)\.{re.escape(name)}\b", self.unseen):
            return (self.path,)  # `box.buf` in a function that no walk went through
        return self.settings.outside(name, self.path)

    def _owner(self, line: int) -> str:
        at = self.unit.at_line(line)
        return at.qualname if at is not None else ""


Entry = tuple[Definition | FunctionStub, Value | None]
"""An entry point of a life and its receiver."""


def _last(entry: Definition | FunctionStub) -> str:
    return entry.qualname.rsplit(".", 1)[-1]


def _left(verdict: Verdict) -> bool:
    """Whether the buffer leaves the function with the question still open."""
    if isinstance(verdict, Safe):
        return parameters.LOADED in verdict.assumes  # a caller may read it before the loader comes
    if isinstance(verdict, Unknown):
        return verdict.step in ("call", "kept", "order", "generator", "container") or verdict.consequence == "return"
    return isinstance(verdict, Unsafe) and verdict.consequence == "return"


def _read(verdict: Unknown) -> bool:
    """Whether the doubt is about what a read meets, not about where the buffer goes."""
    return verdict.step != "call" and verdict.consequence != "return"


def _unseen_callers(definition: Definition, found: Found, verdict: Safe) -> Unknown:
    name = definition.qualname
    why = f"{name} hands it out, and not every place that says {name} could be walked"
    return Unknown("call", found.span, why, f"the callers of {name}", verdict.trace)


def _callers_left(definition: Definition, found: Found) -> Found:
    """What is known of an allocation if the time ran out at the callers of its function."""
    why = f"{definition.qualname} hands it out, and the time for its callers ran out"
    trace = found.verdict.trace if found.verdict is not None else ()
    return found._replace(verdict=Unknown("budget", found.span, why, "a larger --budget", trace))


def _not_asked(buffers: Sequence[Buffer], *, goes_on: bool) -> Unknown:
    """Stands where nobody looks at the verdict. `goes_on`: what leaves its function is walked in its callers, too."""
    left = any(b.kept_in or any(e.kind in ("keep", "return", "escape") for e in b.entries) for b in buffers)
    return Unknown("kept" if left and goes_on else "budget", buffers[0].site, "it was not asked for", "asking for it")


UNASKED = "unasked"


def unasked(verdict: Verdict | None) -> bool:
    """Whether nobody has looked for a verdict, because the patch does not concern the allocation."""
    return isinstance(verdict, Unknown) and verdict.step == UNASKED


def _badness(verdict: Verdict | None) -> int:
    if verdict is None or unasked(verdict):
        return -1
    return 2 if isinstance(verdict, Unsafe) else 0 if isinstance(verdict, Safe) else 1


CLOSED = frozenset({"part", "kernel", "branches", "budget", "depth", "region"})
"""What stops a proof inside of the object's own code, whoever makes it and drives it."""


def _open(verdict: Verdict | None) -> bool:
    """Whether those who make the object, or drive it, may have more to say."""
    if isinstance(verdict, Unsafe):
        return "never-written" not in verdict.facets  # no order of calls mends that
    return _badness(verdict) > 0 and not (isinstance(verdict, Unknown) and verdict.step in CLOSED)


def _by_phases(verdict: Verdict | None) -> bool:
    """Whether a proof rests on the order that the words for phases tell."""
    return isinstance(verdict, Safe) and any(" before " in text for text in verdict.assumes)


def _worst(several: Sequence[Found]) -> Found:
    """The worst of what several walks found of one allocation, with the lines of all of them."""
    worst = max(several, key=lambda f: _badness(f.verdict))
    return worst._replace(
        touched=worst.touched.union(*(f.touched for f in several)), reach=worst.reach.union(*(f.reach for f in several))
    )


def phase_named(name: str, phases: tuple[Phase, ...]) -> Phase | None:
    """The first phase one of whose words matches the whole method name."""
    return phase_by_word(name, phases)


def receiver_span(path: str) -> Span:
    return Span(path, 1, 1, 1, 1)


def _nothing(path: str) -> Function:
    """An empty function, to stand under the frames of an object's life."""
    return Function("", "", (), (), Span(path, 1, 1, 1, 1))


__all__ = ["FileAnalysis", "Found", "Opaque", "Ref", "Settings", "unasked"]
