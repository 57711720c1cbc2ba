"""Records: named tuples are tuples with names, and a record may be copied, as it is or with some fields replaced.

*Claim.* A named tuple's items are its fields in order, as cells of the object; it never changes, so both stay alike.
`dataclasses.replace`, `copy.replace` and `_replace` make a new object by the class's own way from the old one's
fields, with the given ones in their place. `copy.copy` makes a new object that holds the same things. *What it gives
up.* A class that says itself how it is copied, and deep copies: they are calls that nobody knows.
"""

from __future__ import annotations

from allocsafe.flow.builtin import builtin
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import ClassOf, Const, Num, Ref, Value
from allocsafe.ir.nodes import Param
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

OWN_COPY = ("__copy__", "__replace__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__new__")


def class_of(m: Machine, ref: Ref) -> ClassOf | None:
    """The class of an object that the program made."""
    info = m.objects[ref.obj]
    cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
    return ClassOf(cls, info.path) if cls is not None else None


def is_named_tuple(m: Machine, cls: ClassOf) -> bool:
    """Whether the class is a `typing.NamedTuple`."""
    bases = {base.rsplit(".", 1)[-1] for owner in m.program.lineage(cls) for base in owner.cls.bases}
    return "NamedTuple" in bases


def fields_of(m: Machine, cls: ClassOf) -> list[Param]:
    """The fields in order, those of the bases first; a field that is declared again keeps its place."""
    out: dict[str, Param] = {}
    for owner in reversed(m.program.lineage(cls)):
        for field in owner.cls.fields:
            out[field.name] = field
    return list(out.values())


def number_items(m: Machine, ref: Ref, fields: list[Param]) -> None:
    """The fields of a new named tuple are its items, too."""
    where = ("obj", ref.obj)
    for number, field in enumerate(fields):
        value = m.read_cell((where, ("attr", field.name)))
        if value is not None:
            m.write_cell((where, ("item", number)), value)
    m.write_cell((where, "len"), Num(Lin.of(len(fields))))


def replaced(m: Machine, ref: Ref, changes: dict[str, Value], span: Span) -> Value | None:
    """A new object of the same class with some fields replaced; None if its fields are not all known."""
    from allocsafe.flow.calls import instantiate

    cls = class_of(m, ref)
    if cls is None or m.objects[ref.obj].kind != "instance" or ref.obj in m.open_objects:
        return None
    fields = [field.name for field in fields_of(m, cls)]
    if not fields or not changes.keys() <= set(fields) or _own(cls, m, ("__replace__", "__new__")):
        return None
    given: dict[str, Value] = {}
    for name in fields:
        value = changes[name] if name in changes else m.read_cell((("obj", ref.obj), ("attr", name)))
        if value is None:
            return None
        given[name] = value
    return instantiate(m, cls, [], given, span, [])


def as_dict(m: Machine, ref: Ref, span: Span) -> Value | None:
    """`_asdict()`: a dict of the fields, which holds the same things."""
    from allocsafe.flow.containers import put_key

    cls = class_of(m, ref)
    values = [
        (f.name, m.read_cell((("obj", ref.obj), ("attr", f.name))))
        for f in (fields_of(m, cls) if cls is not None else [])
    ]
    if not values or any(value is None for _, value in values):
        return None
    made = m.new_object("dict", span)
    for name, value in values:
        if value is not None:
            put_key(m, made, Const(name), value)
    return made


def _own(cls: ClassOf, m: Machine, names: tuple[str, ...]) -> bool:
    return any(name in owner.cls.methods for owner in m.program.lineage(cls) for name in names)


@builtin("dataclasses.replace", "copy.replace")
def _replace(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    return replaced(m, args[0], kwargs, span) if len(args) == 1 and isinstance(args[0], Ref) else None


@builtin("types.SimpleNamespace", "argparse.Namespace")
def _namespace(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    from allocsafe.flow.attributes import keep_quiet

    if args:
        return None
    ref = m.new_object("namespace", span)
    for name, value in kwargs.items():
        m.write_cell((("obj", ref.obj), ("attr", name)), value)
        keep_quiet(m, value, name)
    return ref


@builtin("copy.copy")
def _copy(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    if len(args) != 1 or kwargs or not isinstance(args[0], Ref):
        return None
    ref = args[0]
    info = m.objects[ref.obj]
    if info.kind == "instance":
        cls = class_of(m, ref)
        if cls is None or ref.obj in m.open_objects or _own(cls, m, OWN_COPY):
            return None
    elif info.kind not in ("list", "dict", "namespace"):
        return None
    made = m.new_object(info.kind, span, info.cls, info.path)
    for name, value in m.state.cells.of(("obj", ref.obj)):
        m.write_cell((("obj", made.obj), name), value)
    return made


__all__ = ["fields_of", "is_named_tuple", "number_items", "replaced"]
