"""Who holds a followed buffer by name: the objects, and what an opaque object in another file may stand for.

*Claim.* Code that touches a buffer kept in objects says the name of an attribute that holds it *directly*: the
attribute's value is the array, or a list, dict or tuple of it. Names that only lead to such an object do not matter.
*Why that suffices.* An instance gives its attributes away by name alone. An opaque object whose class is that of a
holder stands for it: the life that is walked is the life of any instance. Where the class is not known, it may be the
holder: an alternative under doubt, unless no other class of the tree has an attribute of that name. *What it gives up.*
Instances that are taken apart without names (`vars`, `pickle`): the file that does so is seen by its words only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.buffers import Entry
from allocsafe.flow.conditions import FALSE, TRUE, Condition
from allocsafe.flow.state import choose
from allocsafe.flow.values import (
    Alts,
    Array,
    ClassOf,
    Closure,
    Const,
    Known,
    Method,
    Num,
    Opaque,
    Partial,
    RangeOf,
    Ref,
    Truth,
    TupleOf,
    Value,
    Zipped,
)
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

OPEN = ("", "")
"""The owner of an attribute of an object whose class is not known."""

Owner = tuple[str, str]
"""Path and qualified name of a class; ("path", "") is a module, OPEN is anything."""

UNPACKED = frozenset({"NamedTuple", "namedtuple", "tuple", "dict", "list"})
"""Bases whose instances are taken apart without the names of their attributes."""

MOST_CANDIDATES = 4
"""Objects that one opaque object may be."""


NO_WAY = (Num, Const, Truth, Known, RangeOf, ClassOf)
"""Values that lead to no array."""


class View(NamedTuple):
    """Elements of a buffer that were reachable by a name when an entry point had ended."""

    name: str
    owner: Owner
    buf: int
    entry: Entry


class Held:
    """What one walk knows of holders. `hot`: direct names found in earlier walks of the same life; `only`: those that
    no other class of the tree has; `seen`: where a hot name was asked for; `followed`: names whose every reader was
    walked; `missed`: for the others, the first file not followed and how many.
    """

    __slots__ = ("asked", "followed", "guests", "hot", "missed", "only", "refs", "seen", "stands", "toward", "views")

    def __init__(self) -> None:
        self.hot: frozenset[str] = frozenset()
        self.only: frozenset[str] = frozenset()
        self.asked: set[str] = set()  # what was asked of opaque objects
        self.toward: frozenset[str] = frozenset()  # functions that lead to a construction elsewhere are walked
        self.seen: set[tuple[str, Span]] = set()
        self.followed: set[str] = set()
        self.guests: set[int] = set()  # entry points that a run need not come by, whatever their phase
        self.missed: dict[str, tuple[str, int]] = {}
        self.refs: dict[int, int] = {}  # objects with a hot attribute, and the entry point that made them
        self.stands: dict[Hashable, Value] = {}
        self.views: dict[tuple[str, Owner, Array, Condition], View] = {}


# ------------------------------------------------------------ holding


def direct(m: Machine, value: Value, cond: Condition = TRUE, depth: int = 6) -> Iterator[tuple[Condition, Array]]:
    """The followed arrays that are got from a value without naming an attribute."""
    if isinstance(value, Array):
        if value.buf >= 0 and not m.buffers[value.buf].filled:
            yield cond, value
    elif depth == 0:
        yield from ((m.conds.both(cond, c), a) for c, a in m.arrays(value))
    elif isinstance(value, Alts):
        for tag, option in value.options:
            both = m.conds.both(cond, tag)
            if both != FALSE:
                yield from direct(m, option, both, depth)
    elif isinstance(value, TupleOf):
        for item in value.items:
            yield from direct(m, item, cond, depth - 1)
    elif isinstance(value, Ref):
        by_name = m.objects[value.obj].kind in ("instance", "namespace") and not unpacks(m, value)
        for name, held in m.state.cells.of(("obj", value.obj)):
            if not (by_name and isinstance(name, tuple) and name[0] == "attr"):
                yield from direct(m, held, cond, depth - 1)
    elif isinstance(value, Opaque):
        for name, held in m.state.cells.of(value.key):
            if isinstance(name, tuple) and name[0] != "attr":
                yield from direct(m, held, cond, depth - 1)
    elif isinstance(value, (Method, Partial, Zipped, Closure)):
        yield from ((m.conds.both(cond, c), a) for c, a in m.arrays(value))


def unpacks(m: Machine, ref: Ref) -> bool:
    """Whether an instance gives its attributes away without their names: a named tuple, or a class nobody shows."""
    cls = class_of(m, ref)
    if cls is None:
        return True
    bases = [base for each in m.program.hierarchy.lineage(cls) for base in each.cls.bases]
    return any(base.rsplit(".", 1)[-1].split("(")[0] in UNPACKED for base in bases)


def class_of(m: Machine, ref: Ref) -> ClassOf | None:
    info = m.objects[ref.obj]
    cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
    return ClassOf(cls, info.path) if cls is not None else None


def owner_of(m: Machine, where: Hashable) -> Owner | None:
    """Whose attribute a cell is; None for cells that are no attributes of anything reachable by name."""
    if isinstance(where, tuple) and where and where[0] == "module":
        return (str(where[1]), "")
    if isinstance(where, tuple) and where and where[0] == "obj" and isinstance(where[1], int):
        cls = class_of(m, Ref(where[1]))
        return (cls.path, cls.cls.qualname) if cls is not None else OPEN
    if isinstance(where, tuple) and len(where) == 3 and where[0] == "class":
        return (str(where[1]), str(where[2]))
    known = m.opaque_class.get(where)
    return (known.path, known.cls.qualname) if known is not None else OPEN


def note_views(m: Machine) -> None:
    """Notes which elements every attribute and global gives away directly, now that an entry point has ended."""
    if all(b.filled for b in m.buffers):
        return
    for (where, name), value in list(m.state.cells.items()):
        if isinstance(value, NO_WAY):
            continue
        if isinstance(name, tuple) and name[0] == "attr" and isinstance(name[1], str):
            word = name[1]
        elif isinstance(where, tuple) and where[0] == "module" and isinstance(name, str):
            word = name
        else:
            continue
        owner = owner_of(m, where)
        if owner is not None:
            _note(m, word, owner, value)


def _note(m: Machine, name: str, owner: Owner, value: Value) -> None:
    for cond, array in direct(m, value):
        path = m.conds.both(m.state.path, cond)
        key = (name, owner, array, path)
        if path == FALSE or key in m.held.views:
            continue
        view = array.view
        born: frozenset[int] = frozenset()
        for axis in view.box or ():
            for lin in (axis.start, *axis.stops):
                born |= m.born_of(lin)
        path = m.conds.both(path, m.ran.get(m.phase, TRUE))  # there to be read only if this entry point has run
        site = m.buffers[array.buf].site
        note = f"kept in {name}"
        entry = Entry(m.pos, "read", path, (), view.frame, view.box, view.extent, site, note, "data", born, 0)
        m.held.views[key] = View(name, owner, array.buf, entry)


def direct_names(m: Machine) -> dict[str, set[Owner]]:
    """The names that hold a followed buffer directly, and the classes whose attributes they are."""
    out: dict[str, set[Owner]] = {}
    for view in m.held.views.values():
        if m.follows(m.buffers[view.buf].site):
            out.setdefault(view.name, set()).add(view.owner)
    return out


# ------------------------------------------------------------ standing for a holder


def note_store(m: Machine, ref: Ref, attr: str, value: Value) -> None:
    """What an object now holds by name; one that has a hot attribute is one that opaque objects may stand for."""
    if m.dry:
        return
    if attr in m.held.hot:
        m.held.refs.setdefault(ref.obj, m.phase)
    if isinstance(value, (Array, Alts, TupleOf, Ref)):
        owner = owner_of(m, ("obj", ref.obj))
        if owner is not None:
            _note(m, attr, owner, value)


def related(m: Machine, one: ClassOf, other: ClassOf) -> bool:
    """Whether one object may be an instance of both."""
    lineage = m.program.hierarchy.lineage
    return one in lineage(other) or other in lineage(one)


def stands_for(m: Machine, opaque: Opaque, attr: str) -> Value | None:
    """The holder that an opaque object is, surely or perhaps; None where it is none."""
    held = m.held
    held.asked.add(attr)
    if not held.refs:
        return None
    known = held.stands.get(opaque.key)
    if known is not None:
        return known
    if _assigned_in_view(m, opaque.key):
        return None
    cls = m.opaque_class.get(opaque.key)
    if cls is None and attr not in held.hot:
        return None
    found: list[Ref] = []
    for obj in held.refs:
        mine = class_of(m, Ref(obj))
        if mine is None:
            continue
        if related(m, cls, mine) if cls is not None else (("obj", obj), ("attr", attr)) in m.state.cells:
            found.append(Ref(obj))
    if not found:
        return None
    sure = len(found) == 1 and (attr in held.only or (cls is not None and cls == class_of(m, found[0])))
    left = TRUE
    options: list[tuple[Condition, Value]] = []
    for ref in found[:MOST_CANDIDATES]:
        here = exists(m, ref)
        if not sure:
            key = ("same object", opaque.key, ("obj", ref.obj))
            here = m.conds.both(here, m.decide(key, f"{opaque.text} is the object that holds {attr}", "unknown"))
        options.append((m.conds.both(left, here), ref))
        left = m.conds.both(left, m.conds.no(here))
    if left != FALSE:
        options.append((left, opaque))
    value = choose(m.conds, options)
    if sure and value == found[0]:
        held.stands[opaque.key] = value
    return value


def _assigned_in_view(m: Machine, key: Hashable) -> bool:
    """Whether it is what an attribute may hold besides its first value, and a walked method has put a holder there:
    then those are its other values.
    """
    if not isinstance(key, tuple) or len(key) != 4 or key[0] != "attr" or key[3] != "later":
        return False
    held = m.state.cells.get((key[1], ("attr", key[2])))
    options = [o for _, o in held.options] if isinstance(held, Alts) else [held]
    return any(isinstance(o, Ref) and o.obj in m.held.refs for o in options)


def exists(m: Machine, ref: Ref) -> Condition:
    """Whether an object was made before now: by an entry point that is surely over, or that ran."""
    made = m.held.refs.get(ref.obj, 0)
    if made == m.phase or m.surely_over(made, m.phase):
        return TRUE
    return m.ran.get(made, TRUE)


__all__ = [
    "NO_WAY",
    "OPEN",
    "Held",
    "Owner",
    "View",
    "direct",
    "direct_names",
    "note_store",
    "note_views",
    "stands_for",
]
