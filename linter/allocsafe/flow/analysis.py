"""Entry points: from which functions the walk starts, and in which order an object's methods run.

*Claim.* The verdict of a site is the worst over every entry point that reaches it. A function is walked on its own first, with opaque
arguments; when its buffer leaves it, from the functions of the file that call it (a factory's buffer is judged at every caller). A buffer that
lives in an object is judged over the object's life: `__init__`, then its methods by phase, each of which may or may not have run before, then
those again that may follow a later phase. *Why.* A read in a method sees what `__init__` surely did and what other methods maybe did. *What it gives up.* A
method that no phase names has no order: a read that only such a method could cover is unknown (order).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.effects.summary import Tables
from allocsafe.flow import arithmetic, attributes, calls, containers, control, cplusplus, items, loops  # noqa: F401  (they register their steps)
from allocsafe.flow.buffers import Buffer
from allocsafe.flow.calls import invoke
from allocsafe.flow.conditions import Atom, TooManyPaths
from allocsafe.flow.machine import Frame, Machine, OutOfBudget
from allocsafe.flow.memory import log
from allocsafe.flow.program import Program
from allocsafe.flow.state import State, merge
from allocsafe.flow.values import ClassOf, Closure, Opaque, Ref, Value
from allocsafe.flow.witness import Reads
from allocsafe.frontends.base import Definition, Unit, Unsupported
from allocsafe.ir.nodes import ClassDef, FunctionStub
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
    partial: Verdict | None = None  # C++: the verdict if zeros did not count as values; only to be compared with the other side's


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
        self.found: dict[tuple[int, int], Found] = {}
        self.problems: list[Unknown] = []
        self.lines: frozenset[int] = frozenset()
        self.deadline = time.monotonic() + 2 * settings.budget

    # ------------------------------------------------------------ the file as names

    def text_of(self, definition: Definition) -> str:
        return "\n".join(self.unit.source.lines[definition.first_line - 1 : definition.last_line])

    def callers(self, name: str) -> list[Definition]:
        """Definitions whose text calls something of this last name (not the definition itself)."""
        pattern = re.compile(rf"(?<!def )\b{re.escape(name)}\s*[(\[<,)]")
        return [d for d in self.unit.definitions if d.kind == "function" and d.qualname.rsplit(".", 1)[-1] != name and pattern.search(self.text_of(d))]

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
        return roots[: self.settings.most_roots]

    @staticmethod
    def _called_as(definition: Definition) -> str:
        last = definition.qualname.rsplit(".", 1)[-1]
        return definition.owner.rsplit(".", 1)[-1] if last in ("__init__", "__post_init__") and definition.owner else last

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
            self.problems.append(Unknown("branches", span, f"the paths through {name} are too many to be told apart", "splitting the function"))
        except Unsupported as problem:
            self.problems.append(Unknown("syntax", problem.span, f"{name} could not be read: {problem.reason}", "a source that parses"))
        except RecursionError:
            self.problems.append(Unknown("depth", span, f"{name} nests too deeply", "splitting the expression"))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, RuntimeError) as bug:
            import os

            if os.environ.get("ALLOCSAFE_DEBUG"):
                raise
            self.problems.append(Unknown("bug", span, f"a bug in the analysis of {name}: {type(bug).__name__}: {bug}", "a report of this bug"))

    def machine(self) -> Machine:
        s = self.settings
        m = Machine(self.program, s.tables, min(time.monotonic() + s.budget, self.deadline), s.phases, s.contracts)
        m.follow = (self.path, self.lines)
        return m

    def _module(self) -> None:
        m = self.machine()
        m.run_module(self.path)
        names = [str(name) for (who, name) in m.state.cells if who == ("module", self.path) and any(True for _ in m.arrays(m.state.cells[(who, name)]))]
        users = [d for d in self.unit.definitions if d.kind == "function" and not d.owner and any(re.search(rf"\b{re.escape(n)}\b", self.text_of(d)) for n in names)]
        tops = [d for d in users if not self.callers(d.qualname)] or users
        self._sequence(m, [(d, None) for d in tops[: 2 * self.settings.most_roots]], None)
        self.collect(m)

    def _function(self, definition: Definition) -> None:
        roots = self.roots(definition)
        m = self.machine()
        self._walk_root(m, definition)
        alone = self.collect(m, keep=False)
        leaving = [f for f in alone.values() if f.verdict is not None and _left(f.verdict)]
        if roots and leaving:
            reached: dict[tuple[int, int], list[Found]] = {}
            for root in roots:
                machine = self.machine()
                if root.owner:
                    self._life(machine, root.owner, [root])
                else:
                    self._walk_root(machine, root)
                for key, found in self.collect(machine, keep=False).items():
                    reached.setdefault(key, []).append(found)
            for key, found in alone.items():
                seen = reached.get(key)
                if seen and found.verdict is not None and _left(found.verdict):
                    worst = max(seen, key=lambda f: _badness(f.verdict))
                    self._put(key, found._replace(verdict=worst.verdict, symbol=found.symbol, touched=found.touched.union(*(f.touched for f in seen))))
                else:
                    self._put(key, found)
            for key, several in reached.items():
                if key not in alone and self._wanted_line(key[0], definition):
                    self._put(key, max(several, key=lambda f: _badness(f.verdict)))
            return
        for key, found in alone.items():
            self._put(key, found)

    def _wanted_line(self, line: int, definition: Definition) -> bool:
        return definition.first_line <= line <= definition.last_line

    def _put(self, key: tuple[int, int], found: Found) -> None:
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
        m.frames.append(base)
        m.inline_all = False
        if function.is_generator or any(d.rsplit(".", 1)[-1].split("(")[0] in calls.KERNEL_DECORATORS for d in function.decorator_names if d not in calls.TRANSPARENT):
            frame = Frame(m.fresh(), function, self.path, owner, 0, receiver)
            m.known_frames[frame.ident] = 0
            calls.bind(m, frame, Closure(stub, self.path, 0, receiver, owner), [], {}, [], stub.span, root=True)
            value = calls.run_frame(m, frame, stub.span)
        else:
            value = invoke(m, Closure(stub, self.path, 0, receiver, owner), [], {}, stub.span, root=True)
        if m.state.path == 0:
            m.dead_ends.append(stub.span)
        m.frames.pop()
        for cond, array in m.arrays(value):
            log(m, array, "return", stub.span, "returned", event="returned", cond=cond)

    # ------------------------------------------------------------ objects over time

    def _class(self, owner: str, methods: list[Definition]) -> None:
        drivers = [d for d in self.callers(owner.rsplit(".", 1)[-1]) if d.owner != owner and not d.owner]
        first = self.machine()
        for definition in methods:
            self._walk_root(first, definition)
            first.state = State(1, {k: v for k, v in first.state.cells.items() if isinstance(k[0], tuple) and k[0][0] in ("module", "class")})
        alone = self.collect(first, keep=False)
        lasting = {key: f for key, f in alone.items() if f.verdict is not None and (f.attrs.get("kept") or _left(f.verdict))}
        for key, found in alone.items():
            if key not in lasting:
                self._put(key, found)
        if not lasting:
            return
        drivers = [r for d in drivers for r in (self.roots(d) or [d])]
        reached: dict[tuple[int, int], list[Found]] = {}
        unique = list({d.qualname: d for d in drivers}.values())[: self.settings.most_roots]
        for driver in unique:
            m = self.machine()
            if driver.owner:
                self._life(m, driver.owner, [driver])
            else:
                self._walk_root(m, driver)
            for key, found in self.collect(m, keep=False).items():
                reached.setdefault(key, []).append(found)
        if not any(key in reached for key in lasting):
            m = self.machine()
            self._life(m, owner, methods)
            for key, found in self.collect(m, keep=False).items():
                reached.setdefault(key, []).append(found)
        for key, found in lasting.items():
            seen = reached.get(key)
            worst = max(seen, key=lambda f: _badness(f.verdict)) if seen else found
            self._put(key, worst)
        for key, several in reached.items():
            if key not in alone and any(self._wanted_line(key[0], d) for d in methods):
                self._put(key, max(several, key=lambda f: _badness(f.verdict)))

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

    def _life(self, m: Machine, owner: str, wanted: list[Definition]) -> None:
        """One object from construction on: `__init__`, then the methods that matter, by phase."""
        cls = self.unit.klass(owner)
        if cls is None:
            return
        m.run_module(self.path)
        names: set[str] = {d.qualname.rsplit(".", 1)[-1] for d in wanted}
        for definition in wanted:
            names |= set(re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?=[^=]", self.text_of(definition)))
            names |= set(re.findall(r"register_buffer\(\s*[\"'](\w+)", self.text_of(definition)))
        receiver = m.new_object("instance", Span(self.path, 1, 1, 1, 1), owner, self.path)
        init = attributes.class_attribute(m, ClassOf(cls, self.path), "__init__", receiver, receiver_span(self.path))
        holder = Frame(m.fresh(), _nothing(self.path), self.path, owner, 0, receiver)
        m.frames.append(holder)
        if isinstance(init, Closure):
            self._phase(m, "__init__")
            invoke(m, init, [], {}, receiver_span(self.path), root=True)
        m.frames.pop()
        for buffer in m.buffers:
            names |= buffer.kept_in
        names = {n for n in names if re.fullmatch(r"\w+", n)}
        stubs = [s for s in self.relevant(m, cls, names) if s.name not in ("__init__",)]
        bound = [(s, receiver) for s in stubs]
        called = self._called_inside(cls, stubs)
        tops = [(s, r) for s, r in bound if s.name not in called] or bound
        self._sequence(m, [(s, receiver) for s, _ in tops], receiver)

    def _called_inside(self, cls: ClassDef, stubs: list[FunctionStub]) -> set[str]:
        """Methods that another relevant method calls through `self`, and that are private or phase-less: they are walked from there."""
        called: set[str] = set()
        for stub in stubs:
            text = "\n".join(self.unit.source.lines[stub.span.line - 1 : stub.span.end_line])
            for name in re.findall(r"\bself\.(\w+)\s*\(", text):
                if name != stub.name:
                    called.add(name)
        return {n for n in called if n in {s.name for s in stubs}}

    def _phase(self, m: Machine, name: str) -> int:
        phase = phase_named(name, self.settings.phases)
        m.entry_phases.append(phase)
        m.phase = len(m.entry_phases) - 1
        return m.phase

    def _sequence(self, m: Machine, entries: Sequence[tuple[Definition | FunctionStub, Value | None]], receiver: Value | None) -> None:
        """Walks entry points in phase order; each may or may not have run before the next, unless its phase says so."""

        def rank(item: tuple[Definition | FunctionStub, Value | None]) -> tuple[float, int]:
            phase = phase_named(_last(item[0]), self.settings.phases)
            line = item[0].first_line if isinstance(item[0], Definition) else item[0].span.line
            return (phase.rank if phase is not None else 3.0, line)

        ordered = sorted(entries, key=rank)
        again = [e for e in ordered if rank(e)[0] == 3.0] if any(rank(e)[0] > 3 for e in ordered) or len(ordered) > 1 else []
        for entry, recv in [*ordered, *again]:
            stub = self.unit.function(entry.qualname) if isinstance(entry, Definition) else entry
            if stub is None:
                continue
            index = self._phase(m, stub.name)
            phase = m.entry_phases[index]
            before = m.state
            surely = phase is not None and phase.rank <= 1
            ran = 1 if surely else m.conds.atom(Atom(("ran", index), f"{stub.name} ran before", "order", stub.span))
            m.state = State(before.path, dict(before.cells))
            try:
                function_unit_path = self.path
                self._enter(m, stub, recv, stub.owner)
                del function_unit_path
            except Unsupported as problem:
                self.problems.append(Unknown("syntax", problem.span, f"{stub.qualname} could not be read: {problem.reason}", "a source that parses"))
                m.state = before
                continue
            after = m.state
            if not surely:
                skipped = State(m.conds.both(before.path, m.conds.no(ran)), before.cells)
                after = State(m.conds.both(before.path, ran), after.cells)
                m.state = merge(m.conds, [after, skipped], before.path)
                m.state.path = before.path
                m.ran[index] = ran
            else:
                m.state = State(before.path, after.cells)
        m.phase = 0
        del receiver

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
                verdict = Unknown("path", m.dead_ends[0], why, "the values that make every path end early", verdict.trace)
            attrs = dict(first.attrs)
            if any(b.kept_in for b in buffers):
                attrs["kept"] = ", ".join(sorted(set().union(*(b.kept_in for b in buffers))))
            lines = frozenset(e.span.line for b in buffers for e in b.entries if e.span.path == self.path)
            symbol = next((b.symbol for b in buffers if b.symbol), "")
            out[key] = Found(first.site, symbol, first.what, first.filled, verdict, attrs, self._owner(first.site.line), lines, partial)
        for site in m.filled.values():
            key = (site.span.line, site.span.column)
            if site.span.path == self.path and key not in out:
                out[key] = Found(site.span, site.symbol, site.what, True, None, site.attrs, self._owner(site.span.line), frozenset())
        if keep:
            for key, found in out.items():
                self._put(key, found)
        return out

    def _reachable(self, name: str) -> Sequence[str]:
        """Files that can reach an attribute or global. The life of a C++ object is not walked: its own file can, unseen."""
        return self.settings.outside(name, self.path) if self.unit.language == "python" else (self.path,)

    def _owner(self, line: int) -> str:
        at = self.unit.at_line(line)
        return at.qualname if at is not None else ""


def _last(entry: Definition | FunctionStub) -> str:
    return entry.qualname.rsplit(".", 1)[-1]


def _left(verdict: Verdict) -> bool:
    """Whether the buffer leaves the function with the question still open."""
    if isinstance(verdict, Unknown):
        return verdict.step in ("call", "kept", "order", "generator") or verdict.consequence == "return"
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


def _nothing(path: str) -> object:  # type: ignore[misc]
    from allocsafe.ir.nodes import Function

    return Function("", "", (), (), Span(path, 1, 1, 1, 1))


__all__ = ["FileAnalysis", "Found", "Opaque", "Ref", "Settings"]
