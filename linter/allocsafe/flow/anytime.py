"""The state of an object at any step of its life, for memory that every step leaves stale.

*Claim.* What is unwritten stays so until it is written, so that one walk of each method shows its holes. What a step
*leaves* is stale again in the next one, in which the state may be another: `unsettle` makes every number, text and
truth of an object's state unknown, but those that nobody changes when the object is made. *Why that suffices.* A step
that is walked from there is any step. *What it gives up.* Relations between the numbers of a state, and how long the
lists are that hold memory.

    self.turn = 0                       unknown: `step` adds to it
    self.size = n                       n: nobody assigns it again
    self.buf = zeros(n)                 memory of n elements
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.mentions import code_of
from allocsafe.flow.state import plain
from allocsafe.flow.values import Alts, Array, Opaque, Ref, TupleOf, Value

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.flow.program import Program
    from allocsafe.flow.values import ClassOf

_STORED = r"(?:\.\w+|\[[^\]\n]*\])*[ \t]*(?:,[^=\n]*)?(?::[^=\n]+)?(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=)"


def unsettle(m: Machine, receiver: Ref, lineage: Sequence[ClassOf]) -> None:
    """Forgets what the state of a fresh object is, as far as a later step may find it otherwise."""
    texts = [_without_makers(m.program, cls) for cls in lineage]
    own = {cls.path for cls in lineage}
    known: dict[str, bool] = {}

    def changes(name: Hashable) -> bool:
        if not (isinstance(name, tuple) and name[0] == "attr" and isinstance(name[1], str)):
            return True
        word = name[1]
        if word not in known:
            elsewhere = m.program.mentioning(word)
            stored = re.compile(rf"\.{re.escape(word)}\b{_STORED}")
            known[word] = (
                elsewhere is None
                or any(path not in own and stored.search(m.program.text(path)) for path in elsewhere)
                or any(stored.search(text) for text in texts)
            )
        return known[word]

    for obj in dict.fromkeys([receiver.obj, *(v.obj for _, v in m.leaves(receiver) if isinstance(v, Ref))]):
        owner = ("obj", obj)
        for name, held in m.state.cells.of(owner):
            if name == "len" or _memory(m, held) or (_settled(held) and not changes(name)):
                continue
            key = ("attr", owner, name[1] if isinstance(name, tuple) and len(name) > 1 else name, "later")
            m.state.cells[(owner, name)] = Opaque(key, f"self.{key[2]}" if isinstance(key[2], str) else "its state")


def _settled(held: Value) -> bool:
    """Whether only an assignment changes the value: what it is made of cannot be changed where it is."""
    options = [option for _, option in held.options] if isinstance(held, Alts) else [held]
    return all(plain(option) for option in options)


def _memory(m: Machine, held: Value) -> bool:
    """Whether the value is memory, or leads to some, or is code."""
    if isinstance(held, TupleOf) or plain(held):
        found = [v for _, v in m.leaves(held)]
        return any(isinstance(v, Array) or (isinstance(v, Opaque) and v.key in m.filled) for v in found)
    for _, leaf in m.leaves(held):
        if isinstance(leaf, Array) or (isinstance(leaf, Opaque) and leaf.key in m.filled):
            return True
        if not isinstance(leaf, Ref) and not plain(leaf):
            return True
    return False


def _without_makers(program: Program, cls: ClassOf) -> str:
    """The code of a class's file without what runs when one of its objects is made."""
    unit = program.unit(cls.path)
    if unit is None:
        return ""
    rows = code_of(unit.source.text).split("\n")
    for definition in unit.definitions:
        if definition.kind == "function" and definition.qualname == f"{cls.cls.qualname}.__init__":
            rows[definition.first_line - 1 : definition.last_line] = [""] * (
                definition.last_line - definition.first_line + 1
            )
    return "\n".join(rows)


__all__ = ["unsettle"]
