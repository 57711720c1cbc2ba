"""One life seen from the whole tree: whose functions join it as entry points, and whether any reader was left out.

*Claim.* After `settle`, a name in `followed` can be said by no code that was not walked in this life, and a name in
`missed` comes with the first file that was not. *Why that suffices.* Only followed names are taken for closed. *What
it gives up.* The search, the walk and what the walk finds out about new holders go round a few times at most; a life
that still finds new ones is open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.called import with_capture
from allocsafe.flow.clock import now
from allocsafe.flow.holders import Owner, class_of, direct_names
from allocsafe.flow.readers import Reader, Search, Searcher
from allocsafe.flow.values import ClassOf, Opaque, Ref, Value
from allocsafe.ir.nodes import FunctionStub
from allocsafe.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from allocsafe.api import Phase
    from allocsafe.flow.machine import Machine

SHARE = 0.3
"""Part of a site's budget after which no further round, and no further reader, is begun."""

MOST_ROUNDS = 4
"""Walks of one life, each with the holders that the one before has found."""

NOTHING = Search((), {}, {}, frozenset())


class Guest(NamedTuple):
    """A function of another class or file that joins a life, and the class of its receiver."""

    stub: FunctionStub
    owner: ClassOf | None


class Reach:
    """What is known of the readers of one life, from round to round."""

    def __init__(self, searcher: Searcher, phase_named: Callable[[str], Phase | None], budget: float) -> None:
        self.searcher = searcher
        self.program = searcher.program
        self.phase_named = phase_named
        self.names: dict[str, set[Owner]] = {}
        self.found = NOTHING
        self.hidden: frozenset[Span] = frozenset()
        self.forced: set[tuple[str, int]] = set()  # callees that no walk of their callers came to
        self.walked: set[tuple[str, int]] = set()
        self.mine: set[tuple[str, int]] = set()
        self.rounds = 0
        self.open = False
        self.until = now() + SHARE * budget

    def prepare(self, m: Machine) -> None:
        """Tells a new walk what the ones before have found."""
        m.held.hot = frozenset(self.names)
        m.held.only = self.found.only

    # ------------------------------------------------------------ entry points

    def guests(self, stubs: Iterable[FunctionStub], hidden: frozenset[Span] = frozenset()) -> list[Guest]:
        """The readers that are to be walked besides the life's own methods, each on its own. `hidden`: methods
        that the class of the object replaces, so that nobody runs them on it but by `super`.
        """
        self.hidden = hidden
        mine = {(s.span.path, s.span.line) for s in stubs} | {(s.path, s.line) for s in hidden}
        self.mine = mine
        known = mine | {self._place(r) for r in self.found.readers}
        out: list[Guest] = []
        self.walked = set(mine)
        for reader in self.found.readers:
            stub = self._stub(reader)
            if stub is None or (stub.span.path, stub.span.line) in mine or stub.name == "__init__":
                continue
            if self._inside(reader, known) and self._place(reader) not in self.forced:
                continue
            self.walked.add((stub.span.path, stub.span.line))
            cls = self.program.klass(reader.path, stub.owner) if stub.owner else None
            out.append(Guest(stub, ClassOf(cls, reader.path) if cls is not None else None))
        return out

    def _inside(self, reader: Reader, known: set[tuple[str, int]]) -> bool:
        """Whether everybody who says its name is walked, so that it is walked in place. The `forward` of a module is
        called without its name.
        """
        owner = reader.definition.owner
        cls = self.program.klass(reader.path, owner) if owner else None
        if reader.short.startswith("__") or (reader.short == "forward" and cls is not None and cls.bases):
            return False
        above = self.searcher.calls.callers(reader)
        return (
            above is not None
            and bool(above.functions)
            and all(r != reader and self._place(r) in known for r in above.functions)
        )

    def _place(self, reader: Reader) -> tuple[str, int]:
        stub = self._stub(reader)
        return (reader.path, stub.span.line if stub is not None else reader.definition.first_line)

    def _stub(self, reader: Reader) -> FunctionStub | None:
        unit = self.program.unit(reader.path)
        return unit.function(reader.definition.qualname) if unit is not None else None

    def phase(self, stub: FunctionStub) -> Phase | None:
        """The phase of an entry point by its own name, or by those of its callers anywhere in the tree. What another
        class does when it is set up need not have happened to this object.
        """
        own = self.phase_named(stub.name)
        if own is not None and own.rank <= 1 and self._is_guest(stub):
            return None
        if own is not None or not self.names:
            return own
        unit = self.program.unit(stub.span.path)
        at = unit.at_line(stub.span.line) if unit is not None else None
        return self.searcher.calls.phase(Reader(stub.span.path, at), self.phase_named) if at is not None else None

    def _is_guest(self, stub: FunctionStub) -> bool:
        """Whether it is a function of neither the object itself nor of one that holds the buffer."""
        owner = (stub.span.path, stub.owner)
        return (stub.span.path, stub.span.line) not in self.mine and not any(
            stub.owner and owner in owners for owners in self.names.values()
        )

    def may_be_skipped(self, stub: FunctionStub) -> bool:
        """Whether an entry point may be left out in a run that reaches a later phase."""
        return self._is_guest(stub)

    # ------------------------------------------------------------ after a walk

    def again(self, m: Machine) -> bool:
        """Whether the walk found holders, or left readers, that another one has to see."""
        self.rounds += 1
        names = direct_names(m)
        new = {name: owners - self.names.get(name, set()) for name, owners in names.items()}
        if not any(new.values()):
            late = self._late(m)
            self.forced |= late
            return bool(late) and self._may_go_on()
        before = {self._place(r) for r in self.found.readers}
        for name, owners in new.items():
            self.names.setdefault(name, set()).update(owners)
        self.found = self.searcher.search(self.names)
        more = {self._place(r) for r in self.found.readers} - before - self.walked
        return (bool(more) or not m.held.asked.isdisjoint(new)) and self._may_go_on()

    def recorded(self, stubs: Iterable[FunctionStub]) -> bool:
        """Whether a capture elsewhere calls one of the object's own methods that say a name: then that method is walked
        in this phase, too.
        """
        if self.rounds != 1 or not self.names:
            return False
        word = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(self.names)))
        for stub in stubs:
            unit = self.program.unit(stub.span.path)
            rows = unit.source.lines[stub.span.line : stub.span.end_line] if unit is not None else []
            if self.phase_named(stub.name) is None and word.search("\n".join(rows)) and with_capture(self.phase(stub)):
                return self._may_go_on()
        return False

    def _may_go_on(self) -> bool:
        if self.rounds >= MOST_ROUNDS or now() > self.until:
            self.open = True
        return not self.open

    def too_late(self, stub: FunctionStub) -> bool:
        """Whether a reader is left out because the time for readers is used up."""
        late = (stub.span.path, stub.span.line) not in self.mine and now() > self.until
        self.open = self.open or late
        return late

    def _late(self, m: Machine) -> set[tuple[str, int]]:
        """Readers that were left to their callers, and that no walk came to."""
        lines = _seen(m)
        out: set[tuple[str, int]] = set()
        for name, places in self.found.places.items():
            for reader in self.found.readers:
                span = reader.definition
                mine = {(p, n) for p, n in places if p == reader.path and span.first_line <= n <= span.last_line}
                if self._place(reader) not in self.walked and any(n not in lines.get((name, p), ()) for p, n in mine):
                    out.add(self._place(reader))
        return out - self.forced

    def settle(self, m: Machine) -> None:
        """Says of each name whether everything that can say it was walked."""
        lines = _seen(m)
        for name in self.names:
            if name in self.found.missed:
                m.held.missed[name] = self.found.missed[name]
                continue
            unseen = sorted(
                {
                    p
                    for p, n in self.found.places.get(name, ())
                    if n not in lines.get((name, p), ())
                    and not any(s.path == p and s.line <= n <= s.end_line for s in self.hidden)
                }
            )
            if self.open or unseen:
                m.held.missed[name] = (unseen[0] if unseen else self.searcher.path, max(len(unseen), 1))
            else:
                m.held.followed.add(name)


class Receiver(NamedTuple):
    """What `self` is (None: nothing)."""

    value: Value | None


def receiver(m: Machine, cls: ClassOf, stub: FunctionStub) -> Receiver | None:
    """The object of the life that a method runs on: the one that has it, an opaque one where several may, a new one
    where none is of its class. None where the objects of this life have another definition of it.
    """
    if "staticmethod" in stub.decorator_names:
        return Receiver(None)
    if "classmethod" in stub.decorator_names:
        return Receiver(cls)
    hierarchy = m.program.hierarchy
    mine: list[Ref] = []
    base = hidden = False
    for obj, info in enumerate(m.objects):
        theirs = class_of(m, Ref(obj)) if info.kind == "instance" else None
        if theirs is None:
            continue
        if cls in hierarchy.lineage(theirs):
            if hierarchy.definer(theirs, stub.name) == cls:
                mine.append(Ref(obj))
            else:
                hidden = True
        elif theirs in hierarchy.lineage(cls):
            if hierarchy.definer(theirs, stub.name) is None:
                base = True
            else:
                hidden = True
    if len(mine) == 1:
        return Receiver(mine[0])
    if mine or base:
        which = Opaque(("param", cls.path, stub.qualname, "self", m.fresh()), "self")
        m.opaque_class[which.key] = cls
        return Receiver(which)
    if hidden:
        rows = Span(stub.span.path, stub.span.line, 1, stub.span.end_line, 1)
        m.held.seen |= {(name, rows) for name in m.held.hot}
        return None
    return Receiver(m.new_object("instance", stub.span, cls.cls.qualname, cls.path))


def _seen(m: Machine) -> dict[tuple[str, str], set[int]]:
    """The lines of each file at which the walk asked for a name."""
    out: dict[tuple[str, str], set[int]] = {}
    for name, span in m.held.seen:
        out.setdefault((name, span.path), set()).update(range(span.line, span.end_line + 1))
    return out


__all__ = ["Guest", "Reach", "receiver"]
