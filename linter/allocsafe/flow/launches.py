"""Launches of Triton kernels, `kernel[grid](x, y, n)`: which pointers the kernel loads from, and which it stores to.

*Claim.* A pointer that no store or atomic of the kernel's text is derived from is not written by it; one that no load
is derived from is not read. *Why that suffices.* Addresses are made from pointers by assignments in the kernel's own
text; a name that is assigned anything that mentions a pointer counts as made from it, except for what a load returns.
A pointer that is handed to another function may be both. *What it gives up.* Which elements: a pointer that is only
loaded from is read in part (with a mask or a length that the launch chose), one that is only stored to is written in
part. A load under a flag that the launch knows to be off is none (`kernel_flags`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.arithmetic import truth
from allocsafe.flow.conditions import Condition
from allocsafe.flow.kernel_flags import Flag, Truthy, known_text
from allocsafe.flow.memory import escape, holds_array, log
from allocsafe.flow.values import NONE, Closure, Const, Known, Num, Opaque, Partial, Truth, Value
from allocsafe.source import NOWHERE, Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

LAUNCH = "allocsafe.launch"
KERNELS = frozenset({"jit", "autotune", "heuristics"})

_ASSIGN = re.compile(r"^[ \t]*([A-Za-z_][\w, \t]*?)[ \t]*(?::[^=\n]+)?(?:=|[-+*/|&]=|//=)(?!=)[ \t]*(.+)$", re.M)
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")


class Uses(NamedTuple):
    """What a kernel does through one pointer."""

    loads: bool
    stores: bool
    unknown: bool


def is_kernel(func: Value) -> bool:
    """Whether a function is compiled by Triton."""
    return isinstance(func, Closure) and any(
        name.split("(")[0].rsplit(".", 1)[-1] in KERNELS and "triton" in name for name in func.function.decorator_names
    )


def launcher(kernel: Value) -> Partial:
    """`kernel[grid]`."""
    return Partial(Known(LAUNCH), (kernel,), ())


def launch(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """The call of what `kernel[grid]` gave."""
    if not args or not isinstance(args[0], Closure):
        return None
    kernel = args[0]
    function = kernel.function
    unit = m.program.unit(kernel.path)
    stub_span = function.span
    text = "" if unit is None else "\n".join(unit.source.lines[stub_span.line - 1 : stub_span.end_line])
    names = parameters(text)
    bound = {**dict(zip(names, args[1:], strict=False)), **kwargs}
    extra = args[1 + len(names) :]
    for name, value in bound.items():
        if not holds_array(m, value):
            continue
        how = uses(text, name) if name in names else Uses(True, True, True)
        note = f"{function.name}, which {_told(how)} {name}"
        if how.unknown or (how.loads and how.stores):
            why = f"handed to the kernel {note}"
            escape(m, [value], span, why, "kernel", f"which elements {function.name} stores")
            continue
        for cond, array in m.arrays(value):
            if how.loads and uses(known_text(text, flags(m, bound, cond)), name) != Uses(False, False, False):
                log(m, array, "read", span, f"the kernel {note}", some=True, cond=cond)
            elif how.stores:
                log(m, array, "write", span, f"the kernel {note},", some=True, cond=cond)
    left = [v for v in extra if holds_array(m, v)]
    if left:
        escape(
            m, left, span, f"handed to the kernel {function.name}", "kernel", f"which elements {function.name} stores"
        )
    return NONE


def flags(m: Machine, bound: dict[str, Value], cond: Condition) -> dict[str, Flag]:
    """The parameters that are one constant wherever `cond` holds on the way here."""
    here = m.conds.both(m.state.path, cond)
    out: dict[str, Flag] = {}
    for name, value in bound.items():
        if isinstance(value, Const) and (value.value is None or isinstance(value.value, (bool, int, str))):
            out[name] = value.value
        elif isinstance(value, Num) and value.lin.as_int() is not None:
            out[name] = value.lin.as_int()
        elif isinstance(value, (Truth, Opaque)):
            holds = truth(m, value, NOWHERE)
            if m.conds.implies(here, holds) or not m.conds.meets(here, holds):
                sure = m.conds.implies(here, holds)
                out[name] = sure if isinstance(value, Truth) else Truthy(sure)
    return out


def _told(how: Uses) -> str:
    if how.unknown:
        return "hands on"
    if how.loads and how.stores:
        return "loads from and stores to"
    return "loads from" if how.loads else "stores to"


@lru_cache(maxsize=256)
def parameters(text: str) -> list[str]:
    """The parameter names of the kernel's definition, in order."""
    head = re.search(r"\bdef\s+\w+\s*\(", text)
    if head is None:
        return []
    body = re.sub(r"#[^\n]*", "", text[head.end() :])
    depth, out, part = 1, [], ""
    for char in body:
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 or (char == "," and depth == 1):
            name = re.match(r"\s*\**([A-Za-z_]\w*)", part)
            if name is not None:
                out.append(name[1])
            part = ""
            if depth == 0:
                break
        else:
            part += char
    return out


@lru_cache(maxsize=1024)
def uses(text: str, name: str) -> Uses:
    """What the kernel's text does through the pointer `name`."""
    plain, calls = _read(text)
    names = {name}
    while True:
        made = {
            word
            for targets, value in _ASSIGN.findall(plain)
            if _mentions(value, names)
            for word in re.findall(r"\w+", targets)
        } - names
        made |= {
            word
            for targets, over in re.findall(r"\bfor\s+([\w, ]+?)\s+in\s+([^\n]+):", plain)
            if _mentions(over, names)
            for word in re.findall(r"\w+", targets)
        } - names
        if not made:
            break
        names |= made
    loads = stores = unknown = False
    for called, inside in calls:
        last = called.rsplit(".", 1)[-1]
        receiver = called.rsplit(".", 1)[0]
        first = _first(inside)
        if last == "store" and (_mentions(first, names) or receiver in names):
            stores = True
        elif last.startswith("atomic_") and _mentions(first, names):
            loads = stores = True
        elif last in ("load", "gather") and (_mentions(first, names) or receiver in names):
            loads = True
        elif ("." not in called and called not in _HARMLESS) or "inline_asm" in last:
            unknown |= _mentions(_without(inside, "load"), names)
    return Uses(loads, stores, unknown)


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The body of a kernel without what loads return, and all calls in it: the same for each of its parameters."""
    head = re.search(r"\)\s*(?:->[^:\n]*)?:\s*(?:#[^\n]*)?\n", text)
    body = _joined(re.sub(r"#[^\n]*", "", text[head.end() :] if head is not None else text))
    return _without(body, "load"), _calls(body)


_HARMLESS = frozenset(
    """range min max int float len print isinstance tuple if while for and or not in assert return
    """.split()  # noqa: SIM905 - one line is easier to read than one word a line
)


def _mentions(text: str, names: set[str]) -> bool:
    return any(word in names for word in re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))


def _joined(text: str) -> str:
    """The text with every bracket on one line."""
    out, depth = [], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        out.append(" " if char == "\n" and depth > 0 else char)
    return "".join(out)


def _calls(text: str) -> list[tuple[str, str]]:
    """(callee, arguments) of every call, inner ones too."""
    out = []
    for found in _CALL.finditer(text):
        end = _closing(text, found.end())
        out.append((found[1], text[found.end() : end]))
    return out


def _closing(text: str, start: int) -> int:
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at
    return len(text)


def _first(arguments: str) -> str:
    depth = 0
    for at, char in enumerate(arguments):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            return arguments[:at]
    return arguments


def _without(text: str, last: str) -> str:
    """The text without calls of this last name: what a load returns is no address."""
    out, at = "", 0
    for found in _CALL.finditer(text):
        if found.start() >= at and found[1].rsplit(".", 1)[-1] == last:
            out += text[at : found.start()] + "0"
            at = _closing(text, found.end()) + 1
    return out + text[at:]


__all__ = ["LAUNCH", "Uses", "is_kernel", "launch", "launcher", "parameters", "uses"]
