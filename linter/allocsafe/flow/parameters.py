"""Parameters of modules: memory that a checkpoint loader fills between construction and the first forward pass.

*Claim.* An `nn.Parameter` that is put on a module is written whole when the entry point that made it is over, not
before: what `__init__` itself reads, it reads unwritten. Every verdict that rests on it lists `LOADED`. *Why that
suffices.* A module with parameters nobody loads has no use, and loaders refuse a checkpoint without the weights. *What
it gives up.* What a loader may do without: biases, scales and the like (`OPTIONAL`), which checkpoints may not have;
what asks for no gradient and shows no `weight_loader`; what has no constant name. Those escape at that moment instead.

A class of the tree that is derived from `nn.Parameter` *is* the tensor that it is given.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from allocsafe.flow.buffers import Turn
from allocsafe.flow.conditions import FALSE, Condition
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import escape, holds_array, log
from allocsafe.flow.state import State, alternatives
from allocsafe.flow.values import NONE, Array, ClassOf, Const, Opaque, Ref, Truth, Value
from allocsafe.source import Span

LOADED = "parameters are filled by the checkpoint loader"
OPTIONAL = re.compile(
    r"bias|scale|scaling|zero|zp\b|correction|offset|shift|amax|inv_freq|idx|indices|perm|sink|workspace|cache|mask|table"
)
"""Parts of names of parameters that a checkpoint need not have."""

TENSORS = frozenset({"Parameter", "Tensor", "Buffer", "UninitializedParameter", "UninitializedBuffer"})


class Made(NamedTuple):
    """What is known of a tensor that was made a parameter. `frozen`: it asks for no gradient."""

    frozen: bool
    loader: bool


class Pending(NamedTuple):
    """A parameter on a module, until the loader comes. `why`: why the loader may skip it, "" if it does not."""

    array: Array
    cond: Condition
    turns: tuple[Turn, ...]
    name: str
    why: str
    span: Span


def made(m: Machine, bound: dict[str, Value], *, loader: bool = False) -> None:
    """`nn.Parameter(data, requires_grad=...)`."""
    asked = bound.get("requires_grad", Truth(1))
    for _, array in m.arrays(bound.get("data", NONE)):
        m.parameters[array.buf] = Made(asked != Truth(1), loader)


def registered(m: Machine, target: Value, name: str, value: Value, span: Span) -> None:
    """`target.name = value`, or `target.register_parameter(name, value)`."""
    if not m.parameters or m.dry:
        return
    for cond, option in alternatives(value):
        known = m.parameters.get(option.buf) if isinstance(option, Array) else None
        if known is None or not isinstance(option, Array) or option.buf < 0:
            continue
        why = ""
        if not name:
            why = "its name is not known"
        elif OPTIONAL.search(name.lower()):
            why = f"checkpoints need not have a {name}"
        elif known.frozen and not known.loader and not _has_loader(m, option, name):
            why = "it asks for no gradient and has no weight_loader in view"
        elif isinstance(target, Ref) and not is_module(m, target):
            why = "what it is kept by is not known to be a module"
        path = m.conds.both(m.state.path, cond)
        m.loads.append(Pending(option, path, m.turns, name, why, span))


def _has_loader(m: Machine, array: Array, name: str) -> bool:
    """Whether the function that registers it gives the parameter a loader."""
    unit = m.program.unit(m.frame.path)
    if unit is None:
        return False
    where = m.frame.function.span
    text = "\n".join(unit.source.lines[where.line - 1 : where.end_line])
    words = {m.buffers[array.buf].symbol, f"self.{name}", f"layer.{name}", name} - {""}
    said = "|".join(re.escape(word) for word in sorted(words))
    return bool(
        re.search(rf"\bset_weight_attrs\(\s*(?:{said})\s*,|(?<![\w.])(?:{said})\.weight_loader\s*=", text)
        or re.search(rf"\bsetattr\(\s*(?:{said})\s*,\s*[\"']weight_loader", text)
    )


def is_module(m: Machine, ref: Ref) -> bool:
    """Whether the class of an object, as far as it is in view, is derived from a module."""
    info = m.objects[ref.obj]
    cls = m.program.klass(info.path, info.cls)
    if cls is None:
        return False
    lineage = m.program.lineage(ClassOf(cls, info.path))
    return any(base.rsplit(".", 1)[-1].endswith("Module") for each in lineage for base in each.cls.bases)


def load(m: Machine) -> None:
    """The entry point is over: the loader fills what was put on modules."""
    pending, m.loads = m.loads, []
    saved = (m.state, m.turns)
    for each in pending:
        if each.cond == FALSE:
            continue
        m.state, m.turns = State(each.cond, saved[0].cells), each.turns
        if each.why:
            note = f"left to the checkpoint loader, which may skip it: {each.why}"
            log(
                m, each.array, "escape", each.span, note, some=True, event="escaped", step="parameter",
                decides="a value from the start, or a loader that checks that it was given one",
            )  # fmt: skip
        else:
            entries = m.buffers[each.array.buf].entries
            before = len(entries)
            log(m, each.array, "write", each.span, "filled by the checkpoint loader")
            for entry in entries[before:]:
                m.relied[entry.pos] = LOADED
    m.state, m.turns = saved


def instance(m: Machine, cls: ClassOf, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    """An object of a class that is derived from a tensor: the tensor that it is made of. None: no such class."""
    lineage = m.program.lineage(cls)
    bases = {base.rsplit(".", 1)[-1] for each in lineage for base in each.cls.bases}
    if not bases & TENSORS:
        return None
    data = kwargs.get("data", args[0] if args else NONE)
    others = [v for v in [*args, *kwargs.values()] if v is not data and holds_array(m, v)]
    plain = "Parameter" in bases and isinstance(data, (Array, Opaque)) and not others
    for each in lineage:
        unit = m.program.unit(each.path)
        for name in ("__new__", "__init__"):
            stub = each.cls.methods.get(name)
            if stub is None or unit is None:
                continue
            text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
            if re.search(
                r"\b(?:self|data|out|obj|param)\s*(?:\.\s*(?:data|\w+_)\b|\[)|\bdata\s*\.|\btorch\.\w+\(", text
            ):
                plain = False
    if plain and isinstance(data, Array):
        loader = any("loader" in word for word in kwargs)
        m.parameters[data.buf] = Made(not loader, loader)
        for word, value in kwargs.items():
            if word != "data":
                m.write_cell((("buf", data.buf), ("attr", word)), value)
        return data
    held = [v for v in (data, *others) if holds_array(m, v)]
    escape(m, held, span, f"made into a {cls.cls.name}", "class", f"what {cls.cls.name} does with its data")
    return m.unknown(cls.cls.name)


def name_of(value: Value | None) -> str:
    """The constant text that a name argument is, or ""."""
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""


__all__ = ["LOADED", "instance", "is_module", "load", "made", "name_of", "registered"]
