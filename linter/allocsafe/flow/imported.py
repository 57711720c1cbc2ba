"""What a module's objects hold once the program runs: their state at import is only the first.

*Claim.* After a module's own statements have run, an attribute, an item or a global that some function of its files
changes may hold anything else, and a container whose items some function changes has no item that is known. *Why that
suffices.* Functions run later, in any order, and a walk starts at any of them. *What it gives up.* Containers and
objects that only code of other files changes, or only under another name (`d = CACHE; d[k] = v`): these are taken to
be what the module made them.

    CACHE = {}                      CACHE has no keys at import
    def put(k, v): CACHE[k] = v     from here on nobody knows which it has
    def use(n): if not CACHE: ...   taken, or not
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow import presence
from allocsafe.flow.doubts import doubt
from allocsafe.flow.memory import holds_array
from allocsafe.flow.state import alternatives, plain
from allocsafe.flow.values import ClassOf, Closure, Ref

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

DEPTH = 3
"""How far from a module-level name an object is looked at."""

_INSIDE = re.compile(r"^[ \t]+(?!#)\S.*$", re.M)
_GLOBAL = re.compile(r"[ \t]+global[ \t]+([\w, \t]+)")
_ITEM = re.compile(
    r"\b(\w+)\s*(?:\[[^\]\n]*\]\s*)+(?:=(?!=)|(?:[-+*/%&|^@]|//|\*\*|<<|>>)=)|\bdel\s+(?:\w+\.)*(\w+)\s*\["
)
_CHANGERS = (
    r"append|appendleft|add|insert|extend|extendleft|update|setdefault|pop|popitem|popleft|remove|discard|clear|sort|"
    r"reverse|__setitem__"
)
_CALL = re.compile(rf"\b(\w+)\s*\.\s*(?:{_CHANGERS})\s*\(")
_OTHER = re.compile(r"(?<!\bself)\.(\w+)\s*(?::[^=\n]+)?(?:=(?!=)|(?:[-+*/%&|^@]|//|\*\*|<<|>>)=)")


class Changes(NamedTuple):
    """The names that lines inside of functions (or of blocks) assign `global`, change the items of, or store as an
    attribute of something that is not `self`.
    """

    globals: frozenset[str]
    items: frozenset[str]
    attrs: frozenset[str]


@lru_cache(maxsize=64)
def changes(text: str) -> Changes:
    """What the functions of a text change."""
    rows = "\n".join(_INSIDE.findall(text))
    declared = {n for found in _GLOBAL.finditer(rows) for n in re.split(r"[ ,\t]+", found[1]) if n}
    items = {found[1] or found[2] for found in _ITEM.finditer(rows)} | set(_CALL.findall(rows))
    return Changes(frozenset(declared), frozenset(items), frozenset(_OTHER.findall(rows)))


def unsettle(m: Machine, path: str, text: str) -> None:
    """Doubts what a module's names hold, as far as functions change it."""
    from allocsafe.flow.calls import captured

    told = changes(text)
    where = ("module", path)
    for name, held in list(m.state.cells.of(where)):
        if not isinstance(name, str):
            continue
        for _, option in alternatives(held):
            if isinstance(option, Closure) and option.frame:
                captured(m, option)  # what it remembers from call to call
            elif isinstance(option, Ref):
                _object(m, option, name, path, DEPTH)
        if name in told.globals:
            doubt(m, (where, name), (path, name), name, ("global", path, name))


def _object(m: Machine, ref: Ref, name: str, path: str, depth: int) -> None:
    info = m.objects[ref.obj]
    if info.kind in ("list", "dict", "set"):
        if name.rsplit(".", 1)[-1] in changes(_text(m, path)).items:
            _items(m, ref, name)
        return
    cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
    if cls is None or not depth:
        return
    owner = ("obj", ref.obj)
    lineage = m.program.lineage(ClassOf(cls, info.path))
    assigned = changes(_text(m, path)).attrs | _by_methods(m, lineage)
    for word, held in list(m.state.cells.of(owner)):
        if not (isinstance(word, tuple) and word[0] == "attr" and isinstance(word[1], str)):
            continue
        attr = word[1]
        for _, option in alternatives(held):
            if isinstance(option, Ref):
                for file in dict.fromkeys((path, *(c.path for c in lineage))):
                    _object(m, option, f"{name}.{attr}", file, depth - 1)
        if attr in assigned and (plain(held) or not holds_array(m, held)):
            doubt(m, (owner, word), (ref.obj, attr), f"{name}.{attr}", ("attr", owner, attr, "later"))


def _items(m: Machine, ref: Ref, name: str) -> None:
    owner = ("obj", ref.obj)
    if m.objects[ref.obj].kind != "dict":
        presence.loosen(m, ref)
        m.write_cell((owner, ("some", m.fresh())), m.unknown("an item"))
        return
    m.versions[owner] = m.fresh()
    if (owner, presence.KEYS) in m.state.cells:
        doubt(m, (owner, presence.KEYS), ("keys", ref.obj), name, ("keys", ref.obj))
    for word, held in list(m.state.cells.of(owner)):
        if isinstance(word, tuple) and word[0] == "key" and (plain(held) or not holds_array(m, held)):
            text = f"{name}[{word[1]!r}]"
            doubt(m, (owner, word), (ref.obj, *word), text, ("item", owner, *word[1:], "later"))


def changed(name: str, code: str) -> bool:
    """Whether the code changes what a name holds, in place."""
    word = re.escape(name)
    stored = rf"(?<![\w.]){word}[ \t]*(?:\[[^=\n]*\][ \t]*(?:[-+*/|&]|//)?=(?!=)|\|=|\+=|\.(?:{_CHANGERS})\()"
    return re.search(rf"{stored}|\bdel[ \t]+{word}\[", code) is not None


def _by_methods(m: Machine, lineage: list[ClassOf]) -> frozenset[str]:
    """The attributes that methods other than the constructor assign."""
    out: set[str] = set()
    for each in lineage:
        unit = m.program.unit(each.path)
        for name, stub in each.cls.methods.items():
            if unit is not None and name != "__init__":
                rows = unit.source.lines[stub.span.line - 1 : stub.span.end_line]
                out |= set(re.findall(r"self\.(\w+)\s*(?::[^=\n]+)?(?:[-+*/%&|^@]|//)?=(?!=)", "\n".join(rows)))
    return frozenset(out)


def _text(m: Machine, path: str) -> str:
    unit = m.program.unit(path)
    return unit.source.text if unit is not None else ""


__all__ = ["changed", "changes", "unsettle"]
