"""Whether a call can be a call of a method that it was matched with by name alone.

*Claim.* `fits` is false only if Python would refuse the arguments, or if one that holds memory goes to a parameter that
is declared a number, a text or a flag. *Why that suffices.* A method found by its name is a guess; a call that it
cannot take is of another one. *What it gives up.* Parameters without an annotation take anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.memory import holds_array
from allocsafe.flow.values import Array, Value

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.ir.nodes import FunctionStub, Param

_PLAIN = re.compile(r"(?:Optional\[)?[\"']?(?:int|float|bool|str)[\"']?\]?(?:\s*\|\s*None)?")


def fits(m: Machine, stub: FunctionStub, args: Sequence[Value], kwargs: dict[str, Value], *, loose: bool) -> bool:
    """`args` without the receiver. `loose`: unpacked arguments follow, of which nobody knows the number."""
    params = list(stub.load().params)
    if "staticmethod" not in stub.decorator_names and params and params[0].kind.startswith("positional"):
        params = params[1:]
    kinds = {p.kind for p in params}
    places = [p for p in params if p.kind in ("positional-only", "positional")]
    by_name = {p.name: p for p in params if p.kind in ("positional", "keyword-only")}
    if len(args) > len(places) and "star" not in kinds:
        return False
    if "double-star" not in kinds and any(label not in by_name for label in kwargs):
        return False
    given = [*zip(places, args, strict=False), *((by_name[k], v) for k, v in kwargs.items() if k in by_name)]
    if any(_refuses(p) and isinstance(v, Array) and holds_array(m, v) for p, v in given):
        return False
    taken = {p.name for p, _ in given}
    return loose or all(p.default is not None or p.name in taken for p in (*places, *by_name.values()))


def _refuses(param: Param) -> bool:
    return _PLAIN.fullmatch(param.annotation.strip()) is not None


__all__ = ["fits"]
