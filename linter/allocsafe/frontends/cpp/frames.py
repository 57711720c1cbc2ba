"""Places, declared names, and the frame of one function while it is lowered.

Claim: a reference that is bound to a place (`auto& a = b`, `float& x = v[i]`) is no variable at all but another
spelling of that place; so a write through it is never lost. What it gives up: nothing here; `context` says who may
spell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from allocsafe.ir.builder import Builder
from allocsafe.ir.nodes import Index, Reg, Scope
from allocsafe.source import NOWHERE, Span

if TYPE_CHECKING:
    pass


class NamePlace(NamedTuple):
    """A variable."""

    name: str
    scope: Scope
    ctype: str = ""


class ItemPlace(NamedTuple):
    """An element."""

    obj: Reg
    inside: Index


class DerefPlace(NamedTuple):
    """What a pointer points to."""

    ptr: Reg


class AttrPlace(NamedTuple):
    """A member."""

    obj: Reg
    attr: str


class ValuePlace(NamedTuple):
    """No place: the value of an expression that happens to be written to (`f() = 3`)."""

    reg: Reg


Place: TypeAlias = NamePlace | ItemPlace | DerefPlace | AttrPlace | ValuePlace


class Local(NamedTuple):
    """A declared name: the variable it stands for, or the place a reference is bound to."""

    name: str
    ctype: str = ""  # text of its type, "" for auto
    is_constant: bool = False  # an integer constant expression: an array extent made of it is no VLA
    place: Place | None = None


class Frame:
    """The names of one function while it is lowered; `outer` is the function around a lambda."""

    __slots__ = ("arm_depths", "builder", "by_value", "captures", "doubt", "loops", "names", "outer", "scopes", "span")

    def __init__(self, outer: Frame | None = None, span: Span = NOWHERE) -> None:
        self.builder = Builder()
        self.scopes: list[dict[str, Local]] = [{}]
        self.outer = outer
        self.span = span
        self.names: set[str] = set()  # every variable of this function
        self.by_value: frozenset[str] | None = frozenset()  # what a lambda captures by value; None: all that it names
        self.captures: list[
            tuple[str, Reg]
        ] = []  # captured by value so far: own variable, register of the outer function
        self.doubt = ""  # why the structure around may not be the program's: statements are lowered and escaped as well
        self.loops = 0  # how many loops are open
        self.arm_depths: list[int] = []  # scope depths of the `#if` arms around, which open no scope of their own

    def find(self, name: str) -> Local | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None
