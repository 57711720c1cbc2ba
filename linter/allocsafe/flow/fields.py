"""Generated constructors: what making a dataclass, named tuple, struct or attrs class assigns to its fields.

*Claim.* Arguments go to the fields in their order (those of the bases first), then by name; what is not given gets its
default, or what its factory makes for this very object. *Why that suffices.* The generated `__init__` does nothing
else before `__post_init__`. *What it gives up.* Converters and validators are not run: a field with one is opaque.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.builtin import builtin
from allocsafe.flow.values import NONE, ClassOf, Const, Opaque, Ref, Truth, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.ir.nodes import Param


class Default(NamedTuple):
    """What a field says about itself."""

    value: Value | None = None
    factory: Value | None = None
    init: bool = True
    kw_only: bool = False
    changed: bool = False  # a converter stands between the argument and the field


@builtin(
    "dataclasses.field", "attrs.field", "attr.ib", "attr.field", "attr.attrib", "msgspec.field", "pydantic.Field",
    "pydantic.dataclasses.Field", "pydantic.fields.Field",
)  # fmt: skip
def _field(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    made = Opaque(("field", m.fresh()), "field(...)")
    default = kwargs.get("default", args[0] if args else None)
    if default == Const(Ellipsis):
        default = None
    factory = kwargs.get("default_factory", kwargs.get("factory"))
    m.field_defaults[made.key] = Default(
        default,
        None if factory == NONE else factory,
        kwargs.get("init") != Truth(0),
        kwargs.get("kw_only") == Truth(1),
        "converter" in kwargs,
    )
    return made


def default_of(m: Machine, owner: ClassOf, name: str) -> Default:
    """The default of a field as the nearest class that gives it one says."""
    hierarchy = m.program.hierarchy
    for cls in hierarchy.lineage(owner):
        if any(field.name == name for field in cls.cls.fields):
            if name not in hierarchy.bound(cls):
                return Default()
            m.program.class_value(m, cls, name)
            value = m.class_values.get((cls.path, cls.cls.qualname, name))
            if value is None:
                return Default(Opaque(("default", cls.path, cls.cls.qualname, name), name))
            said = m.field_defaults.get(value.key) if isinstance(value, Opaque) else None
            return said if said is not None else Default(value)
    return Default()


def assign(
    m: Machine, owner: ClassOf, ref: Ref, fields: list[Param], args: list[Value], kwargs: dict[str, Value], span: Span
) -> list[Value]:
    """Assigns the fields of a new object; what goes to `__post_init__` alone comes back."""
    from allocsafe.flow.attributes import keep_quiet
    from allocsafe.flow.calls import call_value, typed

    given = list(args)
    after: list[Value] = []
    named = _by_name_only(m, owner)
    for field in fields:
        said = field.annotation.strip("\"'")
        if "ClassVar" in said or said.rsplit(".", 1)[-1] == "KW_ONLY":
            continue
        default = default_of(m, owner, field.name)
        value: Value | None = None
        if default.init and given and field.name not in named and not default.kw_only:
            value = given.pop(0)
        elif default.init and field.name in kwargs:
            value = kwargs[field.name]
        elif default.factory is not None:
            value = call_value(m, default.factory, [], {}, span)
        elif default.value is not None:
            value = default.value
        if value is None or default.changed:
            value = Opaque(("field", ref.obj, field.name), field.name)
        if "InitVar" in said:
            after.append(value)
            continue
        m.write_cell((("obj", ref.obj), ("attr", field.name)), typed(m, value, field.annotation))
        keep_quiet(m, value, field.name)
    return after


def _by_name_only(m: Machine, owner: ClassOf) -> set[str]:
    """Fields behind a `_: KW_ONLY` in their class."""
    out: set[str] = set()
    for cls in m.program.lineage(owner):
        behind = False
        for field in cls.cls.fields:
            behind = behind or field.annotation.strip("\"'").rsplit(".", 1)[-1] == "KW_ONLY"
            if behind:
                out.add(field.name)
    return out


__all__ = ["assign", "default_of"]
