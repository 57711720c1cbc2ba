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
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.effects.summary import Tables
from allocsafe.flow import arithmetic, attributes, calls, containers, control, items, loops  # noqa: F401  (they register their steps)
from allocsafe.flow.buffers import Buffer
from allocsafe.flow.calls import invoke
from allocsafe.flow.conditions import Atom, TooManyPaths
from allocsafe.flow.machine import Frame, Machine, OutOfBudget
from allocsafe.flow.memory import log
from allocsafe.flow.program import Program
from allocsafe.flow.state import State, choose, merge, plain
from allocsafe.flow.values import Array, ClassOf, Closure, Opaque, Ref, Value, View
from allocsafe.flow.witness import Reads
from allocsafe.frontends.base import Definition, Unit, Unsupported
from allocsafe.ir.nodes import ClassDef, Function, FunctionStub
from allocsafe.source import Span
from allocsafe.verdict import Safe, Unknown, Unsafe, Verdict

if TYPE_CHECKING:
    from allocsafe.api import Phase


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


class Settings(NamedTuple):
    """What an analysis needs besides the program."""

    tables: Tables
    phases: tuple[Phase, ...]
    contracts: dict[str, str]
    budget: float
    outside: Callable[[str, str], Sequence[str]]  # (name, path) -> other files that mention the name
    most_roots: int = 8


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
        self.dropped: set[str] = set()  # definitions with more entry points than are walked
        self.deadline = time.monotonic() + 2 * settings.budget

    # ------------------------------------------------------------ the file as names

    def text_of(self, definition: Definition) -> str:
        return "\n".join(self.unit.source.lines[definition.first_line - 1 : definition.last_line])

    def callers(self, name: str) -> list[Definition]:
        """Definitions whose text calls something of this last name (not the definition itself)."""
        pattern = re.compile(rf"(?<!def )\b{re.escape(name)}\s*[(\[<,)]")
        return [
            d
            for d in self.unit.definitions
            if d.kind == "function" and d.qualname.rsplit(".", 1)[-1] != name and pattern.search(self.text_of(d))
        ]

    def roots(self, definition: Definition) -> list[Definition]:
        """The functions of the file that lead to `definition` and that nothing in the file calls."""
        roots: list[Definition] = []
        seen = {definition.qualname}
        todo = [definition]
        while todo:
            at = todo.pop(0)
            above = [d for d in self.callers(self._called_as(at)) if d.qualname not in seen]
            if not above and at is not definition:
                roots.append(at)
            for caller in above:
                seen.add(caller.qualname)
                todo.append(caller)
        if len(roots) > self.settings.most_roots:
            self.dropped.add(definition.qualname)
        return roots[: self.settings.most_roots]

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
        self.deadline = time.monotonic() + 2 * self.settings.budget
        classes: dict[str, list[Definition]] = {}
        for definition in wanted:
            if definition.kind != "function":
                continue
            if definition.owner:
                classes.setdefault(definition.owner, []).append(definition)
            else:
                self._guard(definition, lambda d=definition: self._function(d))  # type: ignore[misc]
        for owner, methods in classes.items():
            self._guard(methods[0], lambda o=owner, ms=methods: self._class(o, ms))  # type: ignore[misc]
        if module_too:
            self._guard(None, self._module)
        for key, attrs in self.own_attrs.items():
            if key in self.found:
                self.found[key] = self.found[key]._replace(attrs=attrs)

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
        m = Machine(self.program, s.tables, min(time.monotonic() + s.budget, self.deadline), s.phases, s.contracts)
        m.follow = (self.path, self.lines)
        return m

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
        m = self.machine()
        self._walk_root(m, definition)
        alone = self.collect(m, keep=False)
        self._own(alone, [definition])
        leaving = [f for f in alone.values() if f.verdict is not None and _left(f.verdict)]
        if roots and leaving:
            reached: dict[tuple[int, int], list[Found]] = {}
            for root in roots:
                machine = self.machine()
                if root.owner:
                    machine = self._life(machine, root.owner, [root])
                else:
                    self._walk_root(machine, root)
                for key, found in self.collect(machine, keep=False).items():
                    reached.setdefault(key, []).append(found)
            for key, found in alone.items():
                seen = reached.get(key)
                if seen and found.verdict is not None and _left(found.verdict):
                    worst = max(seen, key=lambda f: _badness(f.verdict))
                    if isinstance(found.verdict, Unsafe) and not all(isinstance(f.verdict, Safe) for f in seen):
                        worst = found  # returned with a hole, and no caller is proved to be content with it
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
        old = self.found.get(key)
        if old is None or _badness(found.verdict) > _badness(old.verdict):
            self.found[key] = found

    def _walk_root(self, m: Machine, definition: Definition) -> None:
        """One function with opaque arguments; what it returns leaves the view."""
        stub = self.unit.function(definition.qualname)
        if stub is None:
            return
        m.run_module(self.path)
        receiver: Value | None = None
        if definition.owner:
            cls = self.unit.klass(definition.owner)
            if cls is not None and "staticmethod" not in stub.decorator_names:
                receiver = m.new_object("instance", stub.span, definition.owner, self.path)
        self._enter(m, stub, receiver, definition.owner)

    def _enter(self, m: Machine, stub: FunctionStub, receiver: Value | None, owner: str) -> None:
        function = stub.load()
        base = Frame(m.fresh(), function, self.path, owner, 0, receiver)
        depth = len(m.frames)
        m.frames.append(base)
        try:
            if function.is_generator or any(
                d.rsplit(".", 1)[-1].split("(")[0] in calls.KERNEL_DECORATORS
                for d in function.decorator_names
                if d not in calls.TRANSPARENT
            ):
                frame = Frame(m.fresh(), function, self.path, owner, 0, receiver)
                m.known_frames[frame.ident] = 0
                calls.bind(m, frame, Closure(stub, self.path, 0, receiver, owner), [], {}, [], stub.span, root=True)
                calls.run_frame(m, frame, stub.span)
            else:
                invoke(m, Closure(stub, self.path, 0, receiver, owner), [], {}, stub.span, root=True)
        except (TooManyPaths, OutOfBudget) as limit:
            self._stopped(m, stub, limit)
        if m.state.path == 0:
            m.dead_ends.append(stub.span)
        del m.frames[depth:]
        self._held(m)

    @staticmethod
    def _held(m: Machine) -> None:
        """Notes every attribute and global through which a buffer can be reached now: also what was put into a
        container after that was stored.
        """
        for (where, name), value in list(m.state.cells.items()):
            if isinstance(name, tuple) and name[0] == "attr":
                word = str(name[1])
            elif isinstance(where, tuple) and where[0] == "module" and isinstance(name, str):
                word = name
            else:
                continue
            for _, array in m.arrays(value):
                m.buffers[array.buf].kept_in.add(word)

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
        m.conds.grow()
        m.conds.deadline = float("inf")
        m.deadline = max(m.deadline, time.monotonic() + 0.25 * self.settings.budget)
        m.dry, m.handlers, m.turns = 0, [], ()
        m.state = State(1, m.state.cells)
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
        drivers = [
            d for name in family for d in self.callers(name.rsplit(".", 1)[-1]) if d.owner not in family and not d.owner
        ]
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
            key: f for key, f in alone.items() if f.verdict is not None and (f.attrs.get("kept") or _left(f.verdict))
        }
        for key, found in alone.items():
            if key not in lasting:
                self._put(key, found)
        if not lasting:
            return
        drivers = [r for d in drivers for r in (self.roots(d) or [d])]
        reached: dict[tuple[int, int], list[Found]] = {}
        tops = list({d.qualname: d for d in drivers}.values())
        if len(tops) > self.settings.most_roots:
            self.dropped |= {d.qualname for d in methods}
        unique = tops[: self.settings.most_roots]
        walks: list[Machine] = []
        for driver in unique:
            m = self.machine()
            if driver.owner:
                m = self._life(m, driver.owner, [driver])
            else:
                self._walk_root(m, driver)
            walks.append(m)
        if not any(
            (buffer.site.line, buffer.site.column) in lasting
            for m in walks
            for buffer in m.buffers
            if buffer.site.path == self.path
        ):
            walks += [
                self._life(self.machine(), name, methods) for name in family
            ]  # a subclass may fill less than its base does
        else:
            walks += [self._life(self.machine(), name, methods) for name in family[1:] if self._own_life(name)]
        self.unseen = self._unwalked(family, walks)
        for m in walks:
            for key, found in self.collect(m, keep=False).items():
                reached.setdefault(key, []).append(found)
        self.unseen = ""
        for key, found in lasting.items():
            seen = reached.get(key)
            worst = max(seen, key=lambda f: _badness(f.verdict)) if seen else found
            self._put(key, worst, by_callers=True)
        for key, several in reached.items():
            if key not in alone and any(self._wanted_line(key[0], d) for d in methods):
                self._put(key, max(several, key=lambda f: _badness(f.verdict)), by_callers=True)

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
        for base in self.program.lineage(ClassOf(cls, self.path)):
            unit = self.program.unit(base.path)
            if unit is None:
                continue
            for name, stub in base.cls.methods.items():
                text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
                if name not in out and any(re.search(rf"\b{re.escape(n)}\b", text) for n in names):
                    out[name] = stub
        return list(out.values())

    def _life(self, m: Machine, owner: str, wanted: list[Definition]) -> Machine:
        """One object from construction on: `__init__`, then the methods that matter, by phase. The machine whose walk
        was the whole one.

        Which methods matter shows in the walk: a view that one method keeps under a new name leads to the methods
        that use that name.
        """
        cls = self.unit.klass(owner)
        if cls is None:
            return m
        names: set[str] = {d.qualname.rsplit(".", 1)[-1] for d in wanted}
        for definition in wanted:
            names |= set(re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?=[^=]", self.text_of(definition)))
            names |= set(re.findall(r"register_buffer\(\s*[\"'](\w+)", self.text_of(definition)))
        while True:
            walked = self._live(m, cls, owner, names)
            for buffer in m.buffers:
                names |= buffer.kept_in
            if {s.qualname for s in self._matter(m, cls, names)} <= walked:
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
        m.frames.pop()
        self._doubt_attributes(m, cls, receiver)
        self._held(m)
        for buffer in m.buffers:
            names |= buffer.kept_in
        stubs = self._matter(m, cls, names)
        inside = self._called_inside(stubs)
        self._sequence(m, [(s, receiver) for s in stubs if s.name not in inside])
        return {s.qualname for s in stubs}

    def _doubt_attributes(self, m: Machine, cls: ClassDef, receiver: Ref) -> None:
        """A plain attribute that another method assigns may hold another value than `__init__` gave it."""
        assigned: set[str] = set()
        for base in self.program.lineage(ClassOf(cls, self.path)):
            unit = self.program.unit(base.path)
            for name, stub in base.cls.methods.items():
                if unit is not None and name != "__init__":
                    text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
                    assigned |= set(re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?=[^=]", text))
        for name in assigned:
            cell = (("obj", receiver.obj), ("attr", name))
            held = m.state.cells.get(cell)
            if held is not None and plain(held):
                kept = m.decide(("initial", receiver.obj, name), f"self.{name} still has its first value", "order")
                other = Opaque(("attr", ("obj", receiver.obj), name, "later"), f"self.{name}")
                m.state.cells[cell] = choose(m.conds, [(kept, held), (m.conds.no(kept), other)]) or held

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
        phased = [(entry, phase_named(_last(entry[0]), self.settings.phases)) for entry in entries]

        def rank(item: tuple[Entry, Phase | None]) -> tuple[float, int]:
            (entry, _), phase = item
            line = entry.first_line if isinstance(entry, Definition) else entry.span.line
            return (phase.rank if phase is not None else 3.0, line)

        phased.sort(key=rank)
        out: list[tuple[Entry, Phase | None]] = []
        for entry, phase in phased:
            recorded = (
                phase is not None
                and phase.last_rank is not None
                and any(p is not None and p.rank > 1 and p.surely_before(phase) for _, p in phased)
            )
            out.append(
                (entry, replace(phase, name="capture", last_rank=None) if recorded and phase is not None else phase)
            )
        if len(phased) > 1:
            out += [(entry, phase) for entry, phase in phased if phase is None or phase.last_rank is not None]
        return out

    def _sequence(self, m: Machine, entries: Sequence[Entry]) -> None:
        """Walks entry points in phase order; each may or may not have run before the next, unless its phase says so."""
        for (entry, recv), phase in self._schedule(entries):
            stub = self.unit.function(entry.qualname) if isinstance(entry, Definition) else entry
            if stub is None:
                continue
            index = self._phase(m, phase)
            before = m.state
            surely = phase is not None and phase.rank <= 1
            ran = m.conds.atom(Atom(("ran", index), f"{stub.name} ran before", "order", stub.span))
            m.ran[index] = ran
            m.state = State(before.path, dict(before.cells))
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

    def collect(self, m: Machine, keep: bool = True) -> dict[tuple[int, int], Found]:
        """The allocations of this file that the walk met, with their verdicts."""
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
            else:
                reads = Reads(m, [b for b in buffers if not b.filled or b.entries], self._reachable)
                if self.unit.language == "python":
                    verdict = reads.verdict()
                else:
                    from allocsafe.flow.cpp_verdicts import judged

                    verdict, partial = judged(reads)
            if isinstance(verdict, Safe) and m.dead_ends:
                why = "no path of the walk reaches the end of the function, so reads may be missing"
                verdict = Unknown(
                    "path", m.dead_ends[0], why, "the values that make every path end early", verdict.trace
                )
            attrs = dict(first.attrs)
            if any(b.kept_in for b in buffers):
                attrs["kept"] = ", ".join(sorted(set().union(*(b.kept_in for b in buffers))))
            lines = frozenset(e.span.line for b in buffers for e in b.entries if e.span.path == self.path)
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
            )
        for site in m.filled.values():
            key = (site.span.line, site.span.column)
            if site.span.path == self.path and key not in out:
                out[key] = Found(
                    site.span,
                    self._symbol(site.span, site.symbol),
                    site.what,
                    True,
                    None,
                    site.attrs,
                    self._owner(site.span.line),
                    frozenset(),
                )
        if keep:
            for key, found in out.items():
                self._put(key, found)
        return out

    def _symbol(self, span: Span, symbol: str) -> str:
        """What people call an allocation: the name it got in the walk, or the target of the statement it stands in."""
        if symbol and not symbol.startswith("["):
            return symbol
        text = self.unit.source.line(span.line)
        if re.match(r"\s*return\b", text):
            return "(returned)"
        target = re.match(r"\s*([A-Za-z_]\w*(?:\.\w+|\[[^\[\]=]*\])*)\s*(?::[^=]+)?=(?!=)", text)
        return target[1] if target is not None and target.end() <= span.column else symbol

    def _reachable(self, name: str) -> Sequence[str]:
        """Files that can reach an attribute or global. The life of a C++ object is not walked: its own file can,
        unseen.
        """
        if self.unit.language != "python":
            return (self.path,)
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
    if isinstance(verdict, Unknown):
        return verdict.step in ("call", "kept", "order", "generator", "container") or verdict.consequence == "return"
    return isinstance(verdict, Unsafe) and verdict.consequence == "return"


def _badness(verdict: Verdict | None) -> int:
    if verdict is None:
        return -1
    return 2 if isinstance(verdict, Unsafe) else 0 if isinstance(verdict, Safe) else 1


def phase_named(name: str, phases: tuple[Phase, ...]) -> Phase | None:
    """The first phase one of whose words matches the whole method name."""
    for phase in phases:
        if any(re.fullmatch(word, name) for word in phase.words):
            return phase
    return None


def receiver_span(path: str) -> Span:
    return Span(path, 1, 1, 1, 1)


def _nothing(path: str) -> Function:
    """An empty function, to stand under the frames of an object's life."""
    return Function("", "", (), (), Span(path, 1, 1, 1, 1))


__all__ = ["FileAnalysis", "Found", "Opaque", "Ref", "Settings"]
