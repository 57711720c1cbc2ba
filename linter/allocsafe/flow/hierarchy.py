"""Class hierarchies: the order in which a class asks its bases, and which classes of the tree derive from it.

*Claim.* `family` gives every class of the tree that has the asked class among its bases, near or far, or says in
`unseen` why some may be missing; `implementations` gives every definition that a method call on an instance of the
class or of any class below it can run. *Why that suffices.* A class that derives from another one names it, or a name
it was imported under, in its head: so the files whose heads have such a name hold all of them. *What it gives up.*
Classes that no text shows: outside of the tree, or made by `type(...)`. Searches are bounded; past a bound the answer
says so, and whoever asked must take the call for unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.flow.classtext import body_of, calls_of_type, class_lines, in_code, lines_with, promises
from allocsafe.flow.values import ClassOf
from allocsafe.ir.nodes import FunctionStub
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.program import Program

MOST_CLASSES = 40
"""Classes below one class."""

MOST_FILES = 400
"""Files that mention the name of one class."""

MOST_IMPLEMENTATIONS = 8
"""Definitions of one method that are walked at one call."""

OPEN_BASES = frozenset({"Protocol", "typing.Protocol", "typing_extensions.Protocol"})
"""A class with such a base is met by any class of the right shape, whatever its bases."""

PLAIN_BASES = frozenset(
    {
        "object",
        "ABC",
        "abc.ABC",
        "Generic",
        "typing.Generic",
        "NamedTuple",
        "typing.NamedTuple",
        "TypedDict",
        "nn.Module",
        "torch.nn.Module",
        "Module",
        "msgspec.Struct",
        "Struct",
        "torch.autograd.Function",
        *OPEN_BASES,
    }
)
"""Bases outside of the tree that bring no method of the program's own names."""

_HEAD = r"[ \t]*class[ \t]+(\w+)(?:\[[^\]\n]*\])?[^:(\n]*\((?:[^()]|\([^()]*\))*?\b(?:%s)\b"


class Hidden(NamedTuple):
    """A base that no file of the tree shows, as it is written where."""

    name: str
    path: str


class Family(NamedTuple):
    """The classes below one class. `unseen`: why some may be missing ("" when none can be)."""

    members: tuple[ClassOf, ...]
    unseen: str


class Implementation(NamedTuple):
    """One definition that a call may run, and an instance's class that leads to it."""

    owner: ClassOf  # the class of the instance
    definer: ClassOf  # where the definition stands


class Hierarchy:
    """What the tree's texts say about bases and subclasses; every answer is kept."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._orders: dict[ClassOf, tuple[ClassOf | Hidden, ...]] = {}
        self._below: dict[ClassOf, Family] = {}
        self._families: dict[ClassOf, Family] = {}
        self._implementations: dict[tuple[ClassOf, str], tuple[tuple[Implementation, ...], str]] = {}
        self._abstract: dict[tuple[str, int], bool] = {}
        self.blind: set[str] = set()  # classes whose subclasses were looked for in one file alone
        self._data: dict[ClassOf, frozenset[str]] = {}
        self._bound: dict[ClassOf, frozenset[str]] = {}

    # ------------------------------------------------------------ upwards

    def order(self, owner: ClassOf) -> tuple[ClassOf | Hidden, ...]:
        """The class and its bases in the order Python asks them (C3; breadth first where that has none). A base that
        no file shows stands among them.
        """
        found = self._orders.get(owner)
        if found is None:
            self._orders[owner] = (owner,)  # a cycle ends here
            lists: list[list[ClassOf | Hidden]] = []
            direct: list[ClassOf | Hidden] = []
            for base in owner.cls.bases[:12]:
                cls = self.program.resolve_class(owner.path, base)
                direct.append(cls if cls is not None else Hidden(base.split("[", maxsplit=1)[0], owner.path))
                if cls is not None and cls != owner:
                    lists.append(list(self.order(cls)))
            found = self._orders[owner] = (owner, *_merged([*lists, direct]))[:48]
        return found

    def lineage(self, owner: ClassOf) -> list[ClassOf]:
        """The class and its visible bases, nearest first."""
        return [c for c in self.order(owner) if isinstance(c, ClassOf)]

    def defines(self, cls: ClassOf, attr: str) -> bool:
        """Whether the class body itself binds the name."""
        return attr in cls.cls.methods or attr in self.bound(cls)

    def bound(self, cls: ClassOf) -> frozenset[str]:
        """The names that statements of the class body may assign (by their text; a method's lines count too, which
        only adds candidates with the same definition).
        """
        if cls not in self._bound:
            rows = body_of(self.program.lines(cls.path)[cls.cls.span.line - 1 : cls.cls.span.end_line])
            first = next((r for r in rows if r.strip() and not r.lstrip().startswith("#")), "")
            indent = re.escape(first[: len(first) - len(first.lstrip())])
            text = "\n".join(rows)
            self._bound[cls] = frozenset(re.findall(rf"^{indent}(\w+)[ \t]*(?::[^=\n]+)?=(?!=)", text, re.M))
        return self._bound[cls]

    def definer(self, owner: ClassOf, attr: str) -> ClassOf | None:
        """The first class, from `owner` up, whose body binds the name."""
        return next((c for c in self.lineage(owner) if self.defines(c, attr)), None)

    def hidden_above(self, owner: ClassOf, attr: str) -> str:
        """A base out of sight that is asked for the name before the visible class that defines it ("" : none)."""
        for cls in self.order(owner):
            if isinstance(cls, Hidden):
                if not self.is_plain(cls):
                    return cls.name
            elif self.defines(cls, attr):
                return ""
        return ""

    def is_plain(self, base: Hidden) -> bool:
        """Whether a base out of sight brings no method of the program's own names."""
        return base.name in PLAIN_BASES or self.program.is_outside(base.path, base.name)

    def declares(self, owner: ClassOf, attr: str) -> bool:
        """Whether an instance has the name as plain data: annotated in a class body, or assigned through `self`."""
        return any(attr in self.data_of(cls) for cls in self.lineage(owner))

    def is_field(self, owner: ClassOf, attr: str) -> bool:
        """Whether the name is a field that a generated `__init__` sets."""
        return any(f.name == attr and "ClassVar" not in f.annotation for c in self.lineage(owner) for f in c.cls.fields)

    def data_of(self, cls: ClassOf) -> frozenset[str]:
        """The names that the class annotates, or assigns through `self`."""
        if cls not in self._data:
            text = "\n".join(self.program.lines(cls.path)[cls.cls.span.line : cls.cls.span.end_line])
            named = set(re.findall(r"\bself\.(\w+)[ \t]*(?::[^=\n]+)?=(?!=)", text))
            named |= set(re.findall(r"^[ \t]+self\.(\w+)[ \t]*:[^=\n]*$", text, re.M))
            self._data[cls] = frozenset(named | {f.name for f in cls.cls.fields})
        return self._data[cls]

    def replaced(self, owner: ClassOf) -> frozenset[Span]:
        """The methods of bases that a nearer class defines anew."""
        nearer: set[str] = set()
        out: set[Span] = set()
        for cls in self.lineage(owner):
            out |= {stub.span for name, stub in cls.cls.methods.items() if name in nearer}
            nearer |= cls.cls.methods.keys()
        return frozenset(out)

    def abstract(self, definer: ClassOf, attr: str) -> bool:
        """Whether the definition is only the promise of one: nothing but an error or an ellipsis, or marked so."""
        stub = definer.cls.methods.get(attr)
        return stub is not None and self.is_abstract(stub, definer.path)

    def is_abstract(self, stub: FunctionStub, path: str) -> bool:
        key = (path, stub.span.line)
        if key not in self._abstract:
            marked = any(name.rsplit(".", 1)[-1].startswith("abstract") for name in stub.decorator_names)
            self._abstract[key] = marked or promises(self.program.lines(path)[stub.span.line - 1 : stub.span.end_line])
        return self._abstract[key]

    def has_abstract(self, owner: ClassOf) -> bool:
        """Whether instances of exactly this class cannot be meant: a method of it is only promised."""
        names = {name for cls in self.lineage(owner) for name in cls.cls.methods}
        return any((d := self.definer(owner, name)) is not None and self.abstract(d, name) for name in names)

    # ------------------------------------------------------------ downwards

    def family(self, owner: ClassOf) -> Family:
        """All classes of the tree below `owner`."""
        found = self._families.get(owner)
        if found is None:
            members: list[ClassOf] = []
            unseen = ""
            todo = [owner]
            while todo:
                at = todo.pop(0)
                below = self._direct(at)
                unseen = unseen or below.unseen
                for cls in below.members:
                    if cls != owner and cls not in members:
                        members.append(cls)
                        todo.append(cls)
                if len(members) > MOST_CLASSES:
                    unseen = f"more than {MOST_CLASSES} classes derive from {owner.cls.name}"
                    break
            found = self._families[owner] = Family(tuple(members[:MOST_CLASSES]), unseen)
        return found

    def _direct(self, owner: ClassOf) -> Family:
        """The classes whose own head names `owner`."""
        if owner not in self._below:
            self._below[owner] = self._search(owner)
        return self._below[owner]

    def _search(self, owner: ClassOf) -> Family:
        name = owner.cls.name
        files = self.program.deriving(name)
        if files is None:  # no tree: the file alone
            self.blind.add(name)
            files = [owner.path]
        if len(files) > MOST_FILES:
            return Family((), f"more than {MOST_FILES} files name {name}")
        out: list[ClassOf] = []
        unseen = ""
        made = re.compile(rf"type\(\s*[^,()]+,\s*\([^()]*\b{re.escape(name)}\b")
        for path in files:
            text = self.program.text(path)
            rows = lines_with(text, name)
            names = {name, *re.findall(rf"\b{re.escape(name)}[ \t]+as[ \t]+(\w+)", rows)}
            names |= set(re.findall(rf"^[ \t]*(\w+)[ \t]*=[ \t]*(?:\w+\.)*{re.escape(name)}[ \t]*$", rows, re.M))
            if any(made.match(text, at) for at in calls_of_type(text)):
                unseen = unseen or f"a class below {name} is made by `type(...)` in {path}"
            head = re.compile(_HEAD % "|".join(map(re.escape, sorted(names))))
            heads = [
                (text.count("\n", 0, m.start(1)) + 1, m[1]) for at in class_lines(text) if (m := head.match(text, at))
            ]
            if not heads:
                continue
            unit = self.program.unit(path)
            if unit is None:
                unseen = unseen or f"{path}, which names {name} as a base, could not be read"
                continue
            for line, short in heads:
                at = next(
                    (
                        d
                        for d in unit.definitions
                        if d.kind == "class"
                        and d.first_line <= line <= d.last_line
                        and d.qualname.rsplit(".", 1)[-1] == short
                    ),
                    None,
                )
                if at is None:
                    if in_code(unit.source.lines, line):
                        unseen = unseen or f"{short} in {path} derives from {name} inside a function"
                    continue
                cls = unit.klass(at.qualname)
                if cls is None or cls == owner.cls:
                    continue
                for base in cls.bases:
                    if base.rsplit(".", 1)[-1] in names:
                        meant = self.program.resolve_class(path, base)
                        if meant is None or meant == owner:  # a name that leads nowhere may be ours
                            out.append(ClassOf(cls, path))
                            break
        return Family(tuple(dict.fromkeys(out)), unseen)

    def implementations(self, owner: ClassOf, attr: str) -> tuple[tuple[Implementation, ...], str]:
        """The definitions that `x.attr` may mean for an instance of `owner` or of a class below it; and why some may
        be missing.
        """
        key = (owner, attr)
        found = self._implementations.get(key)
        if found is None:
            family = self.family(owner)
            out: dict[ClassOf, Implementation] = {}
            unseen = family.unseen
            if any(base in OPEN_BASES for base in owner.cls.bases):
                unseen = unseen or f"{owner.cls.name} is a protocol, which other classes may follow unnamed"
            for cls in (owner, *family.members):
                definer = self.definer(cls, attr)
                hidden = self.hidden_above(cls, attr)
                if hidden and definer is not None:
                    unseen = unseen or f"{cls.cls.name} may have it from {hidden}, which is out of sight"
                if definer is not None and definer not in out and not self.abstract(definer, attr):
                    out[definer] = Implementation(cls, definer)
            several = list(out.values())
            if len(several) > MOST_IMPLEMENTATIONS:
                unseen = unseen or f"{len(several)} classes define it, more than {MOST_IMPLEMENTATIONS}"
                several = several[:MOST_IMPLEMENTATIONS]
            found = self._implementations[key] = (tuple(several), unseen)
        return found


def _merged(lists: list[list[ClassOf | Hidden]]) -> list[ClassOf | Hidden]:
    """C3: the first head that stands in no tail, again and again; where none does, what is left as it comes."""
    lists = [list(x) for x in lists if x]
    out: list[ClassOf | Hidden] = []
    while lists:
        head = next((x[0] for x in lists if not any(x[0] in other[1:] for other in lists)), lists[0][0])
        out.append(head)
        lists = [rest for x in lists if (rest := [c for c in x if c != head])]
    return out


__all__ = ["Family", "Hidden", "Hierarchy", "Implementation"]
