"""Which buffers can be reached from a value, under whatever condition.

*Claim.* `Behind(m).of(value)` is every followed buffer that something reachable from the value holds, at any depth.
*Why that suffices.* Whether a callee, an attribute or a global can get at a buffer at all is asked far more often than
under which condition, and one pass over the cells answers it for all of them. *What it gives up.* Conditions: what is
there on another path only counts, too. The answer is about the cells as they were when it was asked first.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import TYPE_CHECKING

from allocsafe.flow.values import (
    Alts,
    Array,
    Closure,
    Method,
    Opaque,
    Partial,
    Ref,
    Super,
    TupleOf,
    Value,
    Zipped,
)

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine


class Behind:
    """The followed buffers behind every owner of cells at one point of the program."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.buffers: dict[Hashable, set[int]] = {}
        self.leads: dict[Hashable, set[Hashable]] = {}
        for (owner, name), value in m.state.cells.items():
            if isinstance(name, tuple) or (isinstance(owner, tuple) and owner[0] == "obj"):
                self._look(value, self.buffers.setdefault(owner, set()), self.leads.setdefault(owner, set()))
        self._spread()

    def _look(self, value: Value, buffers: set[int], leads: set[Hashable]) -> None:
        """What a value holds itself, and the owners of cells that it leads to."""
        todo = [value]
        closures: set[int] = set()  # functions that capture each other
        while todo:
            at = todo.pop()
            if isinstance(at, Closure):
                if id(at) in closures:
                    continue
                closures.add(id(at))
            if isinstance(at, Array):
                if at.buf >= 0:
                    buffers.add(at.buf)
            elif isinstance(at, Alts):
                todo += [option for _, option in at.options]
            elif isinstance(at, TupleOf):
                todo += at.items
            elif isinstance(at, Ref):
                leads.add(("obj", at.obj))
            elif isinstance(at, Super):
                todo.append(at.receiver)
            elif isinstance(at, (Method, Partial, Zipped, Closure)):
                todo += self.m.behind(at)
            elif isinstance(at, Opaque):
                leads.add(at.key)
                if isinstance(at.key, tuple) and at.key[0] == "addr":  # C++: `&x` reaches what x holds
                    held = self.m.state.cells.get((at.key[1], at.key[2]))
                    if held is not None and held != at:
                        todo.append(held)

    def _spread(self) -> None:
        """Every owner has what the owners that it leads to have."""
        users: dict[Hashable, list[Hashable]] = {}
        for owner, leads in self.leads.items():
            for other in leads:
                users.setdefault(other, []).append(owner)
        todo = [owner for owner, held in self.buffers.items() if held]
        while todo:
            at = todo.pop()
            held = self.buffers[at]
            for owner in users.get(at, ()):
                mine = self.buffers[owner]
                if not held <= mine:
                    mine |= held
                    todo.append(owner)

    def of(self, value: Value) -> set[int]:
        """The followed buffers behind a value."""
        buffers: set[int] = set()
        leads: set[Hashable] = set()
        self._look(value, buffers, leads)
        for owner in leads:
            buffers |= self.buffers.get(owner, set())
        return buffers


def left_behind(m: Machine, path: str, lines: Collection[int]) -> bool:
    """Whether a finished walk leaves memory made at these lines where others find it: in a module or a class, or in
    what the walk was given.
    """
    behind = Behind(m)
    for (owner, _), value in m.state.cells.items():
        if isinstance(owner, tuple) and owner[0] not in ("obj", "buf", "mask"):
            sites = (m.buffers[number].site for number in behind.of(value))
            if any(site.path == path and site.line in lines for site in sites):
                return True
    return False
