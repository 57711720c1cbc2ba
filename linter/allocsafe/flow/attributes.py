"""`x.a` and `x.a = v`, names, imports, closures and classes: everything that is found by a name.

Attributes of an object of the program are cells; of an opaque object, cells too once something was stored there,
otherwise opaque values that keep their key until the object may have changed. A method of an object is looked up in
its class, then in the bases that can be seen.
"""

from __future__ import annotations

from collections.abc import Hashable

from allocsafe.flow import reflection
from allocsafe.flow.conditions import FALSE
from allocsafe.flow.dispatch import member, nobody, super_attribute
from allocsafe.flow.dtypes import surely_real
from allocsafe.flow.holders import note_store, stands_for
from allocsafe.flow.machine import Machine, root_of, step_meaning
from allocsafe.flow.memory import escape, keep
from allocsafe.flow.receivers import class_of
from allocsafe.flow.state import choose
from allocsafe.flow.values import (
    NONE,
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Ref,
    Super,
    Truth,
    TupleOf,
    Value,
    View,
)
from allocsafe.flow.views import reverse, sizes_of, some_of, transpose
from allocsafe.ir import nodes as ir
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span

META = frozenset(
    {
        "dtype",
        "device",
        "layout",
        "requires_grad",
        "is_cuda",
        "is_leaf",
        "itemsize",
        "nbytes",
        "names",
        "grad_fn",
        "strides",
        "flags",
        "is_sparse",
        "is_quantized",
        "is_cpu",
        "is_meta",
        "type",
        "name",
    }
)


@step_meaning(ir.Load)
def load(m: Machine, step: ir.Load) -> None:
    m.put(step.dst, lookup(m, step.name, step.scope, step.span))


def lookup(m: Machine, name: str, scope: str, span: Span) -> Value:
    """The value of a name: this frame, the frames around it, the module, the builtins."""
    frame = m.frame
    if scope == "local":
        value = m.read_cell((frame.ident, name))
        if value is not None:
            return value
    if scope in ("local", "enclosing"):
        at = frame.closure_of
        while at:
            value = m.read_cell((at, name))
            if value is not None:
                return value
            at = m.known_frames.get(at, 0)
        if scope == "local":
            return Opaque(("unbound", frame.ident, name), name)
    return m.program.global_value(m, frame.path, name, span)


@step_meaning(ir.Store)
def store(m: Machine, step: ir.Store) -> None:
    value = m.get(step.src)
    if (isinstance(value, Opaque) and value.text.startswith(("an item of ", "a value", "a tensor"))) or (
        isinstance(value, Opaque) and value.text.endswith("(...)")
    ):
        value = Opaque(value.key, step.name)  # people say the name, not what made it
    name_buffer(m, value, step.name)
    frame = m.frame
    if step.scope == "global" or (step.scope == "local" and frame.function.kind == "module"):
        m.write_cell((("module", frame.path), step.name), value)
        if frame.function.kind != "module":
            keep(m, value, step.span, step.name)
        elif step.scope == "local":
            keep_quiet(m, value, step.name)
        return
    if step.scope == "enclosing":
        at = frame.closure_of
        while at:
            if (at, step.name) in m.state.cells:
                m.write_cell((at, step.name), value)
                return
            at = m.known_frames.get(at, 0)
    m.write_cell((frame.ident, step.name), value)


def keep_quiet(m: Machine, value: Value, name: str) -> None:
    """A module's own global: reachable by name, judged over the functions of the file."""
    if not m.dry:
        for _, array in m.arrays(value):
            m.buffers[array.buf].kept_in.add(name)


def name_buffer(m: Machine, value: Value, name: str) -> None:
    """The first name a buffer is stored under is how people call it."""
    for _, option in value.options if isinstance(value, Alts) else ((0, value),):
        if isinstance(option, Array) and option.buf >= 0 and not m.buffers[option.buf].symbol:
            m.buffers[option.buf].symbol = name
            origin = m.buffers[option.buf].origin
            while origin is not None and not m.buffers[origin.array.buf].symbol:
                m.buffers[origin.array.buf].symbol = name
                origin = m.buffers[origin.array.buf].origin
        elif isinstance(option, Opaque) and option.key in m.filled and not m.filled[option.key].symbol:
            m.filled[option.key].symbol = name
        elif (
            isinstance(option, Ref)
            and (
                held := m.state.cells.get(
                    (("obj", option.obj), "data" if m.objects[option.obj].kind == "vector" else "site")
                )
            )
            is not None
        ):
            name_buffer(m, held, name)
        elif isinstance(option, Ref) and m.objects[option.obj].kind in ("list", "dict"):
            for key, held in m.state.cells.of(("obj", option.obj)):
                if (
                    isinstance(held, Opaque)
                    and held.key in m.filled
                    and m.filled[held.key].symbol
                    in ("", f'["{key[1]}"]' if isinstance(key, tuple) and len(key) == 2 else "")
                ):
                    label = key[1] if isinstance(key, tuple) and len(key) == 2 else "..."
                    m.filled[held.key].symbol = f'{name}["{label}"]' if isinstance(label, str) else f"{name}[{label}]"
                elif (
                    isinstance(held, Array)
                    and held.buf >= 0
                    and m.buffers[held.buf].symbol
                    in ("", f'["{key[1]}"]' if isinstance(key, tuple) and len(key) == 2 else "")
                ):
                    label = key[1] if isinstance(key, tuple) and len(key) == 2 else "..."
                    m.buffers[held.buf].symbol = f'{name}["{label}"]' if isinstance(label, str) else f"{name}[{label}]"


@step_meaning(ir.Delete)
def delete(m: Machine, step: ir.Delete) -> None:
    m.state.cells.forget((m.frame.ident, step.name))


@step_meaning(ir.Import)
def import_name(m: Machine, step: ir.Import) -> None:
    if m.handlers:
        from allocsafe.flow.control import may_raise

        may_raise(m, step.span, f"the import of {step.module or step.name}", sure=True)
    m.put(step.dst, m.program.imported(m, m.frame.path, step.module, step.name, step.level, step.span))


@step_meaning(ir.GetAttr)
def get_attr(m: Machine, step: ir.GetAttr) -> None:
    value = m.get(step.obj)
    m.held.seen.add((step.attr, step.span))
    if value == NONE and not m.dry:
        m.dead_ends.append(step.span)  # the program would stop here: more likely we do not know who sets the value
    m.put(step.dst, m.each(value, lambda v: attribute(m, v, step.attr, step.span)))


def attribute(m: Machine, value: Value, attr: str, span: Span) -> Value:
    """The value of `value.attr`."""
    if isinstance(value, Known):
        return m.program.known_attribute(m, value, attr, span)
    if isinstance(value, Array):
        return array_attribute(m, value, attr)
    if isinstance(value, Ref):
        return object_attribute(m, value, attr, span)
    if isinstance(value, ClassOf):
        return class_attribute(m, value, attr, None, span) or Opaque(
            ("attr", ("class", value.path, value.cls.qualname), attr), f"{value.cls.name}.{attr}"
        )
    if isinstance(value, Super):
        return super_attribute(m, value, attr, span)
    if isinstance(value, TupleOf) or (isinstance(value, Const) and value.value is not None):
        return Method(value, attr)
    if value == NONE:
        m.state.path = FALSE  # an AttributeError: nothing after it happens
        return NONE
    if isinstance(value, (Closure, Method)):
        return reflection.of_function(m, value, attr, span) or Opaque(("attr", ("fn", value), attr), attr)
    opaque = m.to_opaque(value)
    meant = stands_for(m, opaque, attr)
    if meant is not None:
        return m.each(
            meant, lambda v: opaque_attribute(m, opaque, attr, span) if v == opaque else attribute(m, v, attr, span)
        )
    return opaque_attribute(m, opaque, attr, span)


def opaque_attribute(m: Machine, opaque: Opaque, attr: str, span: Span) -> Value:
    """An attribute of something that no object of the walk is known to be."""
    held = m.read_cell((opaque.key, ("attr", attr)))
    if held is not None:
        return held
    if attr == "shape":
        known = m.shapes.get(opaque.key)
        if known is not None:
            return TupleOf(tuple(Num(size) for size in known))
        root = m.shape_root(opaque)
        m.tensors.add(root.key)
        known = m.shapes.get(root.key)
        if known is not None:
            return TupleOf(tuple(Num(size) for size in known))
        return Opaque(("shape-of", root.key, root.text), f"{opaque.text}.shape")
    if attr in META:
        return Opaque(("attr", opaque.key, attr), f"{opaque.text}.{attr}")
    cls = class_of(m, opaque)
    if cls is not None:
        found = member(m, cls, attr, opaque, span, opaque.key, sure=False)
        if found is not None:
            return found
    stored, version = m.version(("name", attr)), m.version(root_of(opaque.key))
    return Opaque(("attr", opaque.key, attr, (version, stored) if stored else version), f"{opaque.text}.{attr}")


def array_attribute(m: Machine, array: Array, attr: str) -> Value:
    """Shape and the other things no element is needed for, the attributes that are views, or a method."""
    sizes = sizes_of(array.view)
    if attr == "shape":
        if sizes is not None:
            return TupleOf(tuple(Num(size) for size in sizes))
        if array.view.dims is not None:
            known = tuple(Num(d.size) for d in array.view.dims)
            key = ("view", array.buf, array.view)
            m.shapes.setdefault(key, tuple(n.lin for n in known))
            return Opaque(
                ("shape-of", key, m.buffers[array.buf].symbol or "x"), f"{m.buffers[array.buf].symbol or 'x'}.shape"
            )
        return Opaque(("shape-of", ("view", array.buf, array.view), "x"), "x.shape")
    if attr in ("ndim",):
        return Num(Lin.of(len(sizes))) if sizes is not None else m.unknown("ndim")
    if attr == "size" and array.buf >= 0 and m.buffers[array.buf].what.startswith(("numpy.", "cupy.")):
        from allocsafe.flow.views import product

        return Num(product(sizes)) if sizes is not None else m.unknown("size")
    if attr in META:
        return Opaque(("attr", ("buf", array.buf), attr), attr)
    if attr == "data":
        return array
    if attr == "real" and array.buf >= 0:
        buffer = m.buffers[array.buf]
        if surely_real(buffer.attrs.get("dtype"), buffer.what):
            return array
    if attr in ("real", "imag"):
        return Array(array.buf, some_of(array.view))
    if attr in ("base", "_base"):  # all that the view was taken of, in its own shape
        return Array(array.buf, View(None, None, None, extent="some"))
    if attr in ("T", "H"):
        return Array(array.buf, reverse(array.view))
    if attr in ("mT", "mH"):
        return Array(array.buf, transpose(array.view, -2, -1))
    if attr == "grad":
        return Opaque(("attr", ("buf", array.buf), "grad"), "grad")
    held = m.read_cell((("buf", array.buf), ("attr", attr)))
    return held if held is not None else Method(array, attr)


def object_attribute(m: Machine, ref: Ref, attr: str, span: Span) -> Value:
    """A cell of the object, or what its class says, or something opaque."""
    info = m.objects[ref.obj]
    held = m.read_cell((("obj", ref.obj), ("attr", attr)))
    if held is not None:
        return held
    if info.kind in ("list", "dict", "set", "vector"):
        return Method(ref, attr)
    if info.kind == "instance":
        cls = m.program.klass(info.path, info.cls)
        if cls is not None:
            known_as = ClassOf(cls, info.path)
            if ref.obj in m.open_objects:
                found = member(m, known_as, attr, ref, span, ("obj", ref.obj), sure=True)
            else:
                found = class_attribute(m, known_as, attr, ref, span)
            if found is not None:
                return found
            if attr in ("_replace", "_asdict") and (("obj", ref.obj), "len") in m.state.cells:
                return Method(ref, attr)  # of a named tuple
    if attr == "__dict__":
        return reflection.all_attributes(m, ref, span)
    if attr == "__class__" and (cls_value := reflection.class_of(m, ref)) is not None:
        return cls_value
    if attr in m.held.hot and ref.obj not in m.held.refs and info.kind == "instance":
        mine = Opaque(("self", ref.obj), "self")
        meant = stands_for(m, mine, attr)  # a mixin of a holder says `self.name` of an attribute that it never gives
        if meant is not None:
            return m.each(meant, lambda v: attribute(m, v, attr, span) if v != mine else _unset(m, ref, attr))
    return _unset(m, ref, attr)


def _unset(m: Machine, ref: Ref, attr: str) -> Value:
    return Opaque(("attr", ("obj", ref.obj), attr, m.version(("obj", ref.obj))), f"self.{attr}")


def class_attribute(m: Machine, owner: ClassOf, attr: str, receiver: Value | None, span: Span) -> Value | None:
    """A method (bound to `receiver`), property value or class-level value, looked up along the visible bases."""
    for cls in m.program.lineage(owner):
        stub = cls.cls.methods.get(attr)
        if stub is not None:
            names = {name.rsplit(".", 1)[-1] for name in stub.decorator_names}
            if names & {"property", "cached_property"} and receiver is not None:
                from allocsafe.flow.calls import invoke

                return invoke(m, Closure(stub, cls.path, 0, receiver, cls.cls.qualname), [], {}, span)
            if m.program.patched(cls, attr):
                kept = m.decide(
                    ("initial", cls.path, cls.cls.qualname, attr),
                    f"{attr} is the method that the class defines",
                    "order",
                )
                held_by = cls if receiver is None else receiver
                key = ("patched", m.fresh())
                other = nobody(m, cls, attr, held_by, key, "the class or the object is given another one")
                mine = Closure(stub, cls.path, 0, None if "staticmethod" in names else receiver, cls.cls.qualname)
                return choose(m.conds, [(kept, mine), (m.conds.no(kept), other)])
            if "staticmethod" in names:
                return Closure(stub, cls.path, 0, None, cls.cls.qualname)
            if "classmethod" in names:
                return Closure(
                    stub, cls.path, 0, owner if receiver is None else _class_of(m, receiver, owner), cls.cls.qualname
                )
            return Closure(stub, cls.path, 0, receiver, cls.cls.qualname)
        value = m.program.class_value(m, cls, attr)
        if value is not None:
            return value
    return None


def _class_of(m: Machine, receiver: Value, fallback: ClassOf) -> Value:
    if isinstance(receiver, Ref):
        info = m.objects[receiver.obj]
        cls = m.program.klass(info.path, info.cls)
        if cls is not None:
            return ClassOf(cls, info.path)
    return fallback


@step_meaning(ir.SetAttr)
def set_attr(m: Machine, step: ir.SetAttr) -> None:
    src = None if step.src is None else m.get(step.src)
    m.held.seen.add((step.attr, step.span))

    def act(value: Value) -> Value:
        store_attribute(m, value, step.attr, src, step.span)
        return NONE

    m.each(m.get(step.obj), act)


def store_attribute(m: Machine, target: Value, attr: str, src: Value | None, span: Span) -> None:
    """`target.attr = src`."""
    if m.parameters and isinstance(target, (Ref, Opaque)) and src is not None:
        from allocsafe.flow.parameters import registered

        registered(m, target, attr, src, span)
    if target == NONE:
        m.state.path = FALSE
        return
    if isinstance(target, Ref):
        cell = (("obj", target.obj), ("attr", attr))
        if src is None:
            m.state.cells.forget(cell)
            return
        name_buffer(m, src, f"self.{attr}")
        rename_kept(m, src, f"self.{attr}")
        m.write_cell(cell, src)
        keep_quiet(m, src, attr)
        note_store(m, target, attr, src)
        return
    if src is None:
        return
    if isinstance(target, Array):
        if attr == "data":  # this tensor has other memory now; which of the names hold it is not known
            why = "`.data` is given other memory"
            escape(m, [target], span, why, "view", "another name for the tensor that gets the other memory")
            keep(m, src, span, "a tensor's data")
        else:
            m.write_cell((("buf", target.buf), ("attr", attr)), src)
        return
    if isinstance(target, (ClassOf, Closure, Known, Super)):
        where = target.cls.name if isinstance(target, ClassOf) else getattr(target, "name", "a function")
        keep(m, src, span, f"{where}.{attr}")
        if isinstance(target, Known):
            m.known_stores[f"{target.name}.{attr}"] = src
        elif isinstance(target, ClassOf):
            m.write_cell((("class", target.path, target.cls.qualname), ("attr", attr)), src)
        return
    opaque = m.to_opaque(target)
    meant = stands_for(m, opaque, attr)
    if meant is not None:

        def act(option: Value) -> Value:
            if option == opaque:
                _store_opaque(m, opaque, attr, src, span)
            else:
                store_attribute(m, option, attr, src, span)
            return NONE

        m.each(meant, act)
        return
    _store_opaque(m, opaque, attr, src, span)


def _store_opaque(m: Machine, opaque: Opaque, attr: str, src: Value, span: Span) -> None:
    m.versions[("name", attr)] = m.fresh()
    may_be_another(m, opaque, ("attr", attr), src)
    m.write_cell((opaque.key, ("attr", attr)), src)
    if attr == "data":  # from here on its lengths are another tensor's
        m.shapes.pop(opaque.key, None)
        m.shapes_like(opaque.key, Opaque(("op", ("data", opaque.key, m.fresh())), opaque.text))
    if not isinstance(src, (Num, Truth, Const)):
        keep(m, src, span, f"{opaque.text}.{attr}")


def may_be_another(m: Machine, target: Opaque, what: Hashable, src: Value) -> None:
    """A store to an attribute or under a key of something opaque: other opaque things may be the same object, unless
    their classes tell them apart.
    """
    mine = m.opaque_class.get(target.key)
    for who, name in list(m.state.cells):
        if (
            name != what
            or who == target.key
            or not isinstance(who, tuple)
            or who[0] in ("obj", "class", "module", "buf")
        ):
            continue
        other = m.opaque_class.get(who)
        if (
            mine is not None
            and other is not None
            and mine not in m.program.lineage(other)
            and other not in m.program.lineage(mine)
        ):
            continue
        same = m.decide(
            ("same object", *sorted((who, target.key), key=repr)), f"{target.text} is the same object", "unknown"
        )
        m.state.cells[(who, name)] = (
            choose(m.conds, [(same, src), (m.conds.no(same), m.state.cells[(who, name)])]) or src
        )


def rename_kept(m: Machine, value: Value, name: str) -> None:
    """A buffer that a local name held first is known by the attribute it ends up in only when it has no name."""
    if isinstance(value, Ref) and m.objects[value.obj].kind in ("list", "dict"):
        name_buffer(m, value, name)


__all__ = ["attribute", "lookup", "store_attribute"]
