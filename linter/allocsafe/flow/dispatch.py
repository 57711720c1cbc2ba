"""Dispatch: which definitions `x.method` can mean when the class of `x` is known, but not that it is exactly that one.

*Claim.* The value of `x.method` is every definition that an instance of the class, or of a class below it, can have:
alternatives under conditions that exclude each other, so that a call walks each of them on its own path. Where the
list may not be whole, one alternative is a function that nobody knows. *Why that suffices.* What all of them do is
certain; what one of them leaves out is a hole on its path. A definition that only promises one (abstract, or nothing
but `raise NotImplementedError`) is none. *What it gives up.* Two questions about one object share the condition "it
comes from this class", no more: a mixture of two siblings is not excluded, which only adds paths.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from allocsafe.flow.conditions import TRUE, Condition
from allocsafe.flow.hierarchy import Hidden
from allocsafe.flow.state import choose
from allocsafe.flow.values import ClassOf, Known, Opaque, Ref, Super, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.hierarchy import Implementation
    from allocsafe.flow.machine import Machine

ASKED = frozenset({"__call__", "__enter__", "__exit__", "__getitem__", "__setitem__", "__len__", "__iter__"})
"""Special methods that are looked up like others; what makes an object is that of its exact class."""


def member(
    m: Machine, owner: ClassOf, attr: str, receiver: Value, span: Span, key: Hashable, *, sure: bool
) -> Value | None:
    """`receiver.attr` of an instance of `owner` or of a class below. `sure`: an instance of each of them is there; it
    is only doubted otherwise. None: no class defines the name.
    """
    from allocsafe.flow.attributes import class_attribute

    hierarchy = m.program.hierarchy
    if attr[:2] == "__" and attr not in ASKED:
        return class_attribute(m, owner, attr, receiver, span)
    definer = hierarchy.definer(owner, attr)
    if definer is None and hierarchy.declares(owner, attr):
        return None  # a plain attribute
    if definer is not None and attr not in definer.cls.methods and (not sure or hierarchy.is_field(owner, attr)):
        return None  # the class's value of it is a default: an instance that nobody saw made has its own
    several, unseen = hierarchy.implementations(owner, attr)
    if owner.cls.name in hierarchy.blind:
        m.assumes.add(f"no other file derives a class from {owner.cls.name}")
    if not several:
        promised = definer is not None
        return nobody(m, owner, attr, receiver, key, unseen or "only promised") if promised else None
    if len(several) == 1 and not unseen:
        return class_attribute(m, several[0].owner, attr, receiver, span)
    options: list[tuple[Condition, Value]] = []
    left = TRUE
    ordered = list(reversed(several))  # classes further down first
    for at, one in enumerate(ordered):
        if at == len(ordered) - 1 and not unseen:
            options.append((left, one.owner))
            break
        here = _instance(m, one, several, key, receiver, span, sure=sure)
        options.append((m.conds.both(left, here), one.owner))
        left = m.conds.both(left, m.conds.no(here))
    if unseen:
        options.append((left, nobody(m, owner, attr, receiver, key, unseen)))
    classes = choose(m.conds, options)
    names = [f"{one.definer.cls.name}.{attr}" for one in several]
    more = f", or one that is not seen: {unseen}" if unseen else ""
    m.considered[(span.path, span.line)] = f"{attr} here is {' or '.join(names)}{more}"

    def of_class(value: Value) -> Value:
        if not isinstance(value, ClassOf):
            return value
        found = class_attribute(m, value, attr, receiver, span)
        return found if found is not None else nobody(m, owner, attr, receiver, key, "not found")

    return m.each(classes, of_class) if classes is not None else None


def _instance(
    m: Machine,
    one: Implementation,
    several: tuple[Implementation, ...],
    key: Hashable,
    receiver: Value,
    span: Span,
    *,
    sure: bool,
) -> Condition:
    """The condition that the object is an instance of the class that holds the definition."""
    above = set(m.program.hierarchy.lineage(one.definer))
    kind = "branch" if sure else "unknown"
    out = TRUE
    for other in several[1:]:
        cls = other.definer
        if cls in above:
            text = m.to_opaque(receiver).text if not isinstance(receiver, Ref) else "self"
            asked = ("class of", key, cls.path, cls.cls.qualname)
            out = m.conds.both(out, m.decide(asked, f"{text} is a {cls.cls.name}", kind, span))
    if out == TRUE:  # the first of the list, where one more that nobody sees is behind it
        cls = one.definer
        asked = ("class of", key, cls.path, cls.cls.qualname)
        out = m.decide(asked, f"it is {cls.cls.name}'s own", kind, span)
    return out


def nobody(m: Machine, owner: ClassOf, attr: str, receiver: Value, key: Hashable, why: str) -> Opaque:
    """A method that nobody knows, of a receiver that it can reach."""
    made = Opaque(("override", key, owner.path, owner.cls.qualname, attr), f"{owner.cls.name}.{attr}")
    m.overrides[made.key] = (receiver, why)
    return made


def super_attribute(m: Machine, value: Super, attr: str, span: Span) -> Value:
    """An attribute as the classes after `value.owner` define it, in the order of the receiver's own class."""
    from allocsafe.flow.attributes import class_attribute

    hierarchy = m.program.hierarchy
    start = m.program.klass(value.path, value.owner)
    if start is not None:
        mine = ClassOf(start, value.path)
        order = list(hierarchy.order(mine))
        if isinstance(value.receiver, Ref):
            info = m.objects[value.receiver.obj]
            own = m.program.klass(info.path, info.cls)
            if own is not None and mine in (whole := hierarchy.order(ClassOf(own, info.path))):
                order = list(whole)
        for cls in order[order.index(mine) + 1 :]:
            if isinstance(cls, Hidden):
                if not hierarchy.is_plain(cls):
                    break
            elif hierarchy.defines(cls, attr):
                found = class_attribute(m, cls, attr, value.receiver, span)
                if found is not None:
                    return found
    if attr[:2] == "__":
        return Known(f"super.{attr}")
    if m.tables.look_up(f"torch.nn.Module.{attr}") is not None:
        key = ("obj", value.receiver.obj) if isinstance(value.receiver, Ref) else m.to_opaque(value.receiver).key
        return Opaque(("attr", key, attr, m.fresh()), f"super().{attr}")
    made = Opaque(("override", "super", value.path, value.owner, attr, m.fresh()), f"super().{attr}")
    m.overrides[made.key] = (value.receiver, "its class is out of sight")
    return made


__all__ = ["member", "nobody", "super_attribute"]
