"""What a callee whose body is not walked may have changed: plain values that bounds and branches are made of.

*Claim.* After `after_skipped` or `after_unknown` no cell holds an old value that the callee can have replaced.
`effects_of` reads the texts of the callee and of what it calls by a name that leads to a definition: attributes and
globals that are assigned there, and whether containers are changed. A call that leads nowhere may change whatever it
is handed: objects behind the arguments, and the arguments themselves where one of them is handed on as it is.
*Why that suffices.* Followed memory never gets here: it escapes, or the callee is walked. *What it gives up.* Code
that finds an object by another way than its arguments, a global or a stored reference to it.

    self.n = 8              n is 8
    self.prepare()          n is 8 if no text that prepare leads to assigns `.n`, otherwise nobody knows
    x[: self.n] = 0
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.cells import Cell
from allocsafe.flow.files import BUILTIN_NAMES, OUTSIDE
from allocsafe.flow.mentions import Scanned
from allocsafe.flow.state import choose, plain
from allocsafe.flow.values import Alts, ClassOf, Closure, Opaque, Partial, Ref, TupleOf, Value
from allocsafe.ir import nodes as ir

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.flow.program import Program
    from allocsafe.frontends.base import Unit

MOST_TEXTS = 40
"""Definitions that are read for one callee; past it the callee may change anything."""

_STORE = re.compile(r"\.\s*(\w+)(?=[^=\n(]*(?<![=!<>])=(?!=))")
_TARGET = re.compile(r"\b(?:for|as|del)\s[^\n:]*?\.\s*(\w+)")
_GLOBAL = re.compile(r"^[ \t]*global[ \t]+([\w, \t]+)", re.M)
_ANY = re.compile(r"\b(?:setattr|delattr|exec|eval|vars|__dict__|__setattr__|__setstate__)\b")
_ITEMS = re.compile(
    r"\](?=[^=\n(]*(?<![=!<>])=(?!=))|\bdel\b|\.(?:append|appendleft|extend|insert|pop|popleft|popitem|remove|clear|sort"
    r"|reverse|update|setdefault|add|discard|move_to_end|__setitem__)\s*\("
)
_CALLED = re.compile(r"(?<!def )(?<!class )(\.\s*)?\b([A-Za-z_]\w*)\s*\(")
HARMLESS = BUILTIN_NAMES - {"setattr", "delattr", "exec", "eval", "vars", "__import__"}
_WORDS = frozenset({"if", "elif", "while", "return", "and", "or", "not", "in", "is", "for", "assert", "print", "yield"})
_HARMLESS_BASES = frozenset({"Module", "object", "ABC", "Protocol", "Generic", "Enum", "Exception"})


class Effects(NamedTuple):
    """What may be assigned: attributes of the arguments, of what is behind them (None: any), globals by file; and
    whether containers are changed.
    """

    own: frozenset[str] | None
    deep: frozenset[str] | None
    globals: frozenset[tuple[str, str]]
    items: bool


ANYTHING = Effects(None, None, frozenset(), True)


# ---------------------------------------------------------------- what the texts say


def effects_of(program: Program, path: str, function: ir.Function | ir.FunctionStub) -> Effects:
    """What a walk of the function could change, by its text and the texts that it leads to."""
    key = (path, function.qualname, function.span.line)
    if key not in program.effects:
        program.effects[key] = _read(program, path, function)
    return program.effects[key]


def _read(program: Program, path: str, function: ir.Function | ir.FunctionStub) -> Effects:
    todo = [(path, function.span.line, function.span.end_line)]
    seen = set(todo)
    names: set[str] = set()
    found: set[tuple[str, str]] = set()
    items, own, deep = False, True, True
    while todo:
        at, first, last = todo.pop()
        unit = program.unit(at)
        if unit is None or len(seen) > MOST_TEXTS or unit.language != "python":
            return ANYTHING
        said = _said("\n".join(unit.source.lines[first - 1 : last]))
        if said is None:
            return ANYTHING
        names |= said.stored
        found.update((at, n) for n in said.globals)
        items = items or said.items
        unresolved = False
        for method, name in said.called:
            places = _definitions(program, unit, at, name, method=bool(method))
            if places is None:
                unresolved = True
                deep = False
                own = own and not re.search(rf"\b(?:self|cls)\s*\.\s*{re.escape(name)}\s*\(", said.text)
            else:
                todo += [p for p in places if p not in seen]
                seen.update(places)
        if unresolved and _handed_on(said.text):
            own = False
    stored = frozenset(names)
    return Effects(stored if own else None, stored if deep else None, frozenset(found), items)


class _Said(NamedTuple):
    """What the text of one definition says by itself, whatever program it stands in."""

    text: str
    stored: frozenset[str]
    globals: frozenset[str]
    items: bool
    called: frozenset[tuple[str, str]]


@lru_cache(maxsize=1024)
def _said(source: str) -> _Said | None:
    """The text of a definition, read once; None: it may assign anything."""
    text = _one_line(Scanned(source).code)
    if _ANY.search(text):
        return None
    return _Said(
        text,
        frozenset((*_STORE.findall(text), *_TARGET.findall(text))),
        frozenset(n for g in _GLOBAL.findall(text) for n in re.split(r"[ ,\t]+", g) if n),
        _ITEMS.search(text) is not None,
        frozenset(
            (method, name)
            for method, name in _CALLED.findall(text)
            if name not in _WORDS and (method or name not in HARMLESS)
        ),
    )


def _one_line(code: str) -> str:
    """The code with line ends inside of brackets taken out."""
    depth, out = 0, []
    for part in re.split(r"([\[\](){}\n])", code):
        if part in ("(", "[", "{"):
            depth += 1
        elif part in (")", "]", "}"):
            depth = max(depth - 1, 0)
        out.append(" " if part == "\n" and depth else part)
    return "".join(out)


def _handed_on(text: str) -> bool:
    """Whether a parameter stands somewhere as it is, not only before a dot."""
    head = re.search(r"\bdef\s+\w+\s*\(([^\n]*?)\)\s*(?:->[^\n:]*)?:", text)
    if head is None:
        return True
    params = [p for p in re.findall(r"(?:^|,)\s*\*{0,2}(\w+)", head[1]) if p]
    body = text[head.end() :]
    return any(re.search(rf"(?<![\w.])(?:{p})\b(?![ \t]*(?:[.=!<>\[]|is\b|in\b|not\b))", body) for p in params)


def _definitions(
    program: Program, unit: Unit, path: str, name: str, *, method: bool
) -> list[tuple[str, int, int]] | None:
    """Where the functions of a name stand that a call in the file can mean; None: nobody knows."""
    here = [
        (path, d.first_line, d.last_line)
        for d in unit.definitions
        if d.kind == "function" and d.qualname.rsplit(".", 1)[-1] == name
    ]
    if method:
        return here or None
    made = [d for d in unit.definitions if d.kind == "class" and d.qualname.rsplit(".", 1)[-1] == name]
    if here or made:
        return [*here, *((path, d.first_line, d.last_line) for d in made)]
    bindings = program.bindings(path)
    found = [b for b in program.bound(path, name) if b.kind == "import"]
    if not found and bindings is not None and name in bindings.inner:
        found = [bindings.inner[name]]
    places: list[tuple[str, int, int]] = []
    for binding in found:
        target = program.target(binding, path)
        other = program.unit(target) if target is not None else None
        if target is None or other is None:
            if binding.module.split(".", maxsplit=1)[0] in OUTSIDE:
                continue
            return None
        there = [(target, d.first_line, d.last_line) for d in other.definitions if d.qualname == binding.what]
        if not there:
            return None
        places += there
    return places if found else None


# ---------------------------------------------------------------- what then is not known any more


def after_skipped(m: Machine, func: Closure, values: Sequence[Value]) -> None:
    """A function of the program was not walked: nothing followed can be reached from its arguments."""
    from allocsafe.flow.calls import captured

    effects = effects_of(m.program, func.path, func.function)
    called = [v for v in _leaves(values) if isinstance(v, (Closure, Partial))]
    for value in called:  # what is handed over may be called
        if isinstance(value, Closure):
            captured(m, value)
    if called:
        effects = ANYTHING._replace(globals=effects.globals)
    _forget(m, [*values, *(v for c in called for v in m.behind(c))], effects)


def after_unknown(m: Machine, values: Sequence[Value], receiver: Value | None) -> None:
    """A callee without source."""
    roots = list(values)
    if receiver is not None and not _plain_base(m, receiver):
        roots.append(receiver)
    _forget(m, roots, ANYTHING)


def _plain_base(m: Machine, receiver: Value) -> bool:
    """Whether what is not in view of the receiver's class are bases that leave its attributes alone."""
    if not isinstance(receiver, Ref) or m.objects[receiver.obj].kind != "instance":
        return False
    info = m.objects[receiver.obj]
    cls = m.program.klass(info.path, info.cls)
    if cls is None:
        return False
    lineage = m.program.lineage(ClassOf(cls, info.path))
    seen = {c.cls.name for c in lineage}
    unseen = {b.split("[")[0].rsplit(".", 1)[-1] for c in lineage for b in c.cls.bases} - seen
    return unseen <= _HARMLESS_BASES


def _leaves(values: Iterable[Value]) -> list[Value]:
    out: list[Value] = []
    todo = list(values)
    while todo:
        at = todo.pop()
        if isinstance(at, Alts):
            todo += [option for _, option in at.options]
        elif isinstance(at, TupleOf):
            todo += at.items
        else:
            out.append(at)
    return out


def _forget(m: Machine, values: Iterable[Value], effects: Effects) -> None:
    for path, name in effects.globals:
        m.versions[("global", path, name)] = m.fresh()
        if (("module", path), name) in m.state.cells:
            m.write_cell((("module", path), name), m.unknown(name))
    changed = (effects.own or frozenset()) | (effects.deep or frozenset())
    held = _attributes(m, changed) if changed else {}
    for name in changed:
        m.versions[("name", name)] = m.fresh()
        for at_name in held.get(name, ()):
            _may_differ(m, at_name, sure=False)
    seen: set[Hashable] = set()
    todo = [(leaf, True) for leaf in _leaves(values)]
    todo += [(leaf, True) for value in list(values) for leaf in _leaves(_behind(m, value))]
    while todo:
        at, root = todo.pop()
        owner: Hashable = ("obj", at.obj) if isinstance(at, Ref) else at.key if isinstance(at, Opaque) else None
        if owner is None or owner in seen:
            continue
        seen.add(owner)
        cells = m.state.cells.of(owner)
        todo += [(leaf, False) for _, held in cells for leaf in _leaves([held])]
        if isinstance(at, Ref) and m.objects[at.obj].kind in ("list", "dict", "set"):
            if effects.items:
                _loosen(m, at)
            continue
        names = effects.own if root else effects.deep
        for word, _ in cells:
            if isinstance(word, tuple) and word[0] == "attr" and (names is None or word[1] in names):
                _may_differ(m, (owner, word), sure=True)


def _attributes(m: Machine, names: frozenset[str]) -> dict[str, list[Cell]]:
    """The cells of attributes of these names, of objects that are no objects of the program."""
    out: dict[str, list[Cell]] = {}
    for cell in m.state.cells:
        who, name = cell
        if not (isinstance(name, tuple) and len(name) == 2 and name[0] == "attr" and name[1] in names):
            continue
        if isinstance(who, tuple) and who[0] not in ("obj", "class", "module", "buf"):
            out.setdefault(name[1], []).append(cell)
    return out


def _behind(m: Machine, value: Value) -> list[Value]:
    from allocsafe.flow.values import Method, Zipped

    return m.behind(value) if isinstance(value, (Closure, Partial, Method, Zipped)) else []


def _may_differ(m: Machine, cell: Cell, *, sure: bool) -> None:
    """The cell may hold something else now. `sure`: the object is the one that was handed over."""
    held = m.state.cells[cell]
    name = str(cell[1][-1] if isinstance(cell[1], tuple) else cell[1])
    if sure and plain(held):
        m.write_cell(cell, m.unknown(name))
        return
    key = ("kept", m.fresh())
    m.note_born(key)
    same = m.decide(key, f"{name} was not replaced", "unknown")
    m.write_cell(cell, choose(m.conds, [(same, held), (m.conds.no(same), m.unknown(name))]) or held)


def _loosen(m: Machine, ref: Ref) -> None:
    from allocsafe.flow import presence

    presence.loosen(m, ref)
    m.write_cell((("obj", ref.obj), ("some", m.fresh())), m.unknown("an item"))


__all__ = ["ANYTHING", "Effects", "after_skipped", "after_unknown", "effects_of"]
