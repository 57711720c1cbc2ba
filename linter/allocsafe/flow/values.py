"""What a register, a name or a cell may hold, as far as the analysis follows it.

A value is one of the small records below, or `Alts`: alternatives under conditions that exclude each other. Whatever
is not modelled is `Opaque`: a value known by a key, so that the same expression gives the same opaque value until
something may have changed it. Arrays are views: a buffer, and which of its elements.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeAlias

from allocsafe.flow.conditions import Condition
from allocsafe.ir.nodes import ClassDef, Function, FunctionStub
from allocsafe.regions.box import Box
from allocsafe.regions.exprs import Lin


@dataclass(frozen=True, slots=True)
class Num:
    """A symbolic integer."""

    lin: Lin


@dataclass(frozen=True, slots=True)
class Const:
    """A literal that is no integer and no boolean: text, a float, None, Ellipsis."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean: the condition under which it is true."""

    cond: Condition


@dataclass(frozen=True, slots=True)
class Known:
    """A thing outside the program, by its full dotted name: `torch.empty`, `builtins.len`."""

    name: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """Some value. Equal keys mean equal values. `text` is how people would write it."""

    key: Hashable
    text: str


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`range(start, stop, step)`; `step` is a known constant."""

    start: Lin
    stop: Lin
    step: int


@dataclass(frozen=True, slots=True)
class Zipped:
    """`zip(...)` or `enumerate(...)`: several iterables walked together (`enumerate`: the first is a `RangeOf`)."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A tuple of known length."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """A heap object (list, dict, instance, namespace), by number."""

    obj: int


@dataclass(frozen=True, slots=True)
class Method:
    """`recv.name`, not called yet, for receivers whose methods are operators."""

    recv: Value
    name: str


@dataclass(frozen=True, slots=True)
class Closure:
    """A function of the program with the frame it was made in (0: none) and its receiver, if bound."""

    function: Function | FunctionStub
    path: str
    frame: int = 0
    receiver: Value | None = None
    owner: str = ""  # qualname of the class whose method it is; "" for functions
    defaults: tuple[tuple[str, Value], ...] = ()
    bare: bool = False  # without its decorators

    def __hash__(self) -> int:
        return hash((self.function.qualname, self.path, self.frame))


@dataclass(frozen=True, slots=True)
class ClassOf:
    """A class of the program."""

    cls: ClassDef
    path: str

    def __hash__(self) -> int:
        return hash((self.cls.qualname, self.path))


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial(func, *args, **kwargs)`."""

    func: Value
    args: tuple[Value, ...]
    kwargs: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Super:
    """`super()`: the receiver seen as the bases of `owner` in `path`."""

    receiver: Value
    owner: str
    path: str


@dataclass(frozen=True, slots=True)
class Dim:
    """One visible dimension: the frame axis it walks (-1: none, from unsqueeze or expand) and its length."""

    axis: int
    size: Lin


@dataclass(frozen=True, slots=True)
class View:
    """Which elements of a buffer, and in which coordinates.

    `frame` is the shape in which `box` counts (None: the buffer's own). `box` selects per frame axis (None:
    coordinates unknown).
    `dims` are the visible dimensions (None: rank unknown; `open`: more whole dimensions follow). `extent` says how
    much of the box the view
    surely holds: ``all`` of it, or ``some`` unknown part. With `box` None and ``all`` it is every element of the
    buffer.
    """

    frame: tuple[Lin, ...] | None
    box: Box | None
    dims: tuple[Dim, ...] | None
    open: bool = False
    extent: str = "all"


@dataclass(frozen=True, slots=True)
class Array:
    """A tensor, array, vector or pointer into one: buffer number (-1: memory not followed, written) and view."""

    buf: int
    view: View
    scalar: bool = False  # one element taken out as a value (C++ `a[i]`)


@dataclass(frozen=True, slots=True)
class Alts:
    """Alternatives under conditions that exclude each other."""

    options: tuple[tuple[Condition, Value], ...]


Value: TypeAlias = (
    Num
    | Const
    | Truth
    | Known
    | Opaque
    | RangeOf
    | Zipped
    | TupleOf
    | Ref
    | Method
    | Closure
    | ClassOf
    | Partial
    | Super
    | Array
    | Alts
)

NONE = Const(None)


def brief(text: str, most: int = 28) -> str:
    """The text of an opaque value, short enough to stand inside a region: of a long call, its name."""
    if len(text) <= most:
        return text
    head, bracket, _ = text.partition("(")
    return (
        f"{head}(...)"
        if bracket and len(head) <= most - 5 and head.replace(".", "").isidentifier()
        else f"{text[: most - 3]}..."
    )
