"""The program on one side of a patch: files as units, and what a name means in them.

Names are resolved through imports and aliases: to a definition of a file that can be read, to a thing outside by its
full dotted name (`Known`), or to an opaque value. Files are opened when a name leads there, never before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakSet

from allocsafe.flow.doubts import doubt
from allocsafe.flow.files import OUTSIDE
from allocsafe.flow.hierarchy import Hierarchy
from allocsafe.flow.imports import Binding
from allocsafe.flow.modules import Modules
from allocsafe.flow.values import NONE, ClassOf, Opaque, Value
from allocsafe.frontends.base import Unit, Unsupported
from allocsafe.ir import nodes as ir

if TYPE_CHECKING:
    from allocsafe.flow.havoc import Effects
    from allocsafe.flow.machine import Machine

COMMON_METHODS = frozenset(
    [
        "forward",
        "run",
        "step",
        "start",
        "stop",
        "close",
        "get",
        "set",
        "put",
        "add",
        "pop",
        "update",
        "copy",
        "clear",
        "append",
        "init",
        "build",
        "load",
        "save",
        "apply",
        "call",
        "reset",
    ]
)
"""Method names that too many classes share for one definition to say anything."""

_ALLOCATES = re.compile(
    r"\b(?:empty\w*|new_empty\w*|resize_|Tensor|malloc|new|vector|from_blob|zeros\w*|full\w*|ones\w*|Parameter)\b\s*[(<\[]|\bnew\b"
)


MOST_NAMING = 60
"""Files that say the name of a method which nothing but its name leads to."""


MOST_NAMES = 60
"""Names in the body of a class of another file that is still walked for the value of one of them."""


class Program(Modules):
    """Classes and methods, on top of files and the names of modules."""

    def __init__(
        self,
        open_unit: Callable[[str], Unit | None],
        paths: Callable[[], Sequence[str]] | None = None,
        most_files: int = 200,
    ) -> None:
        super().__init__(open_unit, paths, most_files)
        self.marked = False  # whether a text of it has the marks of a dropped fill, see `stale`
        self._allocates: dict[tuple[str, str], bool] = {}
        self._patched: dict[tuple[str, str], frozenset[str]] = {}
        self._only: dict[tuple[str, str], tuple[str, ir.FunctionStub, str] | None] = {}
        self.attribute_classes: dict[tuple[ClassOf, str], ClassOf | None] = {}
        self.hierarchy = Hierarchy(self)
        self.effects: dict[tuple[str, str, int], Effects] = {}  # see `havoc`
        self.walks: WeakSet[Machine] = WeakSet()  # that still take room

    def forget_walks(self) -> None:
        """Takes what every walk holds apart. Each is a ring of objects, of up to some 100 MB, which the collector would
        come to much later; for whoever has the verdicts and goes on to another file.
        """
        for walk in list(self.walks):
            vars(walk).clear()

    # ------------------------------------------------------------ classes

    def klass(self, path: str, qualname: str) -> ir.ClassDef | None:
        unit = self.unit(path)
        return unit.klass(qualname) if unit is not None else None

    def resolve_class(self, path: str, dotted: str, depth: int = 8) -> ClassOf | None:
        """The class that a dotted name means in a file."""
        unit = self.unit(path)
        if unit is None or depth == 0:
            return None
        name = dotted.split("[", maxsplit=1)[0].strip()
        cls = unit.klass(name)
        if cls is not None:
            return ClassOf(cls, path)
        bindings = self.bindings(path)
        if bindings is None:
            return None
        head, _, tail = name.partition(".")
        found = self.bound(path, head) or ([bindings.inner[head]] if head in bindings.inner else [])
        for binding in reversed(found):
            if binding.kind == "value" and re.fullmatch(r"[A-Za-z_][\w.]*", binding.text) and binding.text != name:
                alias = self.resolve_class(path, binding.text + (f".{tail}" if tail else ""), depth - 1)
            elif binding.kind in ("import", "star"):
                alias = self._imported_class(path, binding, head, tail, depth)
            else:
                alias = None
            if alias is not None:
                return alias
        return None

    def _imported_class(self, path: str, binding: Binding, head: str, tail: str, depth: int) -> ClassOf | None:
        """The class that an imported name, or a class of an imported module, means."""
        what = head if binding.kind == "star" else binding.what
        target = self.target(binding, path)
        while what is None and tail:  # a module: its submodules before its names
            first, _, rest = tail.partition(".")
            base = (
                target[: -len("__init__.py")] + first if target is not None and target.endswith("__init__.py") else ""
            )
            inner = next((p for p in (f"{base}.py", f"{base}/__init__.py") if base and self.has(p)), None)
            if inner is None or (target is not None and self.bound(target, first)):
                break
            target, tail = inner, rest
        wanted = tail if what is None else f"{what}.{tail}" if tail else what
        if not wanted:
            return None
        found = self.resolve_class(target, wanted, depth - 1) if target is not None else None
        if found is None and what is not None and tail:  # `from package import module`
            dots = len(binding.module) - len(binding.module.lstrip("."))
            module = binding.module[dots:]
            inner = self.module_path(f"{module}.{what}" if module else what, dots, path)
            found = self.resolve_class(inner, tail, depth - 1) if inner is not None else None
        return found

    def lineage(self, owner: ClassOf) -> list[ClassOf]:
        """The class and its visible bases, nearest first."""
        return self.hierarchy.lineage(owner)

    def class_value(self, m: Machine, owner: ClassOf, attr: str) -> Value | None:
        """A class-level value: the class body is walked once."""
        where = ("class", owner.path, owner.cls.qualname)
        held = m.read_cell((where, ("attr", attr)))
        if held is not None or owner.cls.load_body is None or (where in m.bodies_run):
            return held
        try:
            body = owner.cls.load_body()
        except Unsupported:
            return None
        if attr not in body.names and body.names:
            return None
        if len(body.names) > MOST_NAMES and m.follow is not None and owner.path != m.follow[0]:
            return Opaque(("attr", where, attr), f"{owner.cls.name}.{attr}")  # a table of settings: a value like any
        m.bodies_run.add(where)
        values = m.run_apart(body, owner.path)
        unit = self.unit(owner.path)
        text = unit.source.text if unit is not None else ""
        for name, value in values.items():
            m.class_values[owner.path, owner.cls.qualname, name] = value
            cell = (where, ("attr", name))
            m.write_cell(cell, value)
            stored = rf"\.{re.escape(name)}\s*(?::[^=\n]+)?=[^=]"
            if re.search(stored, text):  # an instance or the class may hold another value
                key = (owner.path, owner.cls.qualname, name)
                doubt(m, cell, key, name, ("attr", where, name))
        return m.read_cell((where, ("attr", attr)))

    def patched(self, owner: ClassOf, attr: str) -> bool:
        """Whether the class's file assigns its method from outside: `Box.fill = other`, `setattr(Box, "fill",
        other)`; or the class itself has an object's own in the place of it: `self.fill = other`.
        """
        if attr.startswith("__"):
            return False
        unit = self.unit(owner.path)
        if unit is None or unit.language != "python":
            return False
        key = (owner.path, owner.cls.name)
        if key not in self._patched:
            name = re.escape(owner.cls.name)
            found = re.findall(rf"\b{name}\.(\w+)[ \t]*=(?!=)|\bsetattr\(\s*{name}\s*,\s*[\"'](\w+)", unit.source.text)
            own = "\n".join(unit.source.lines[owner.cls.span.line - 1 : owner.cls.span.end_line])
            self._patched[key] = frozenset(a or b for a, b in found) | set(
                re.findall(r"\bself\.(\w+)[ \t]*=(?!=)", own)
            )
        return attr in self._patched[key]

    def annotated(self, m: Machine, value: Opaque, annotation: str, path: str = "") -> None:
        """An opaque value whose annotation names a class of the program: its methods can be found."""
        from allocsafe.flow.receivers import plain_name

        word = plain_name(annotation)
        if not word or not m.frames:
            return
        if word.rsplit(".", 1)[-1] in ("Tensor", "ndarray"):
            m.tensors.add(value.key)
            return
        cls = self.resolve_class(path or m.frame.path, word)
        if cls is not None:
            m.opaque_class[value.key] = cls

    def function_of(self, path: str, name: str) -> ir.FunctionStub | None:
        """A module-level function of a file."""
        unit = self.unit(path)
        return unit.function(name) if unit is not None else None

    # ------------------------------------------------------------ methods by name

    def only_method(self, path: str, name: str) -> tuple[str, ir.FunctionStub, str] | None:
        """The one method of this name (owner, stub and file), when no other definition has it: in the file, or else in
        all files that say the name. A definition that only promises one does not count.
        """
        if name in COMMON_METHODS or name.startswith("__"):
            return None
        if (path, name) not in self._only:
            found = self._methods(path, name)
            if not found:
                files = self.mentioning(name)
                if files is None or len(files) > MOST_NAMING:
                    self._only[path, name] = None
                    return None
                head = re.compile(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", re.M)
                quick = re.compile(rf"def[ \t]+{re.escape(name)}\b")  # begins with letters: found many times sooner
                there = [p for p in files if p != path and quick.search(self.text(p)) and head.search(self.text(p))]
                found = [x for p in there for x in self._methods(p, name)]
            self._only[path, name] = found[0] if len(found) == 1 and found[0][0] else None
        return self._only[path, name]

    def _methods(self, path: str, name: str) -> list[tuple[str, ir.FunctionStub, str]]:
        """The definitions of this last name in a file."""
        unit = self.unit(path)
        out = []
        for d in unit.definitions if unit is not None else ():
            if d.kind == "function" and d.qualname.rsplit(".", 1)[-1] == name and unit is not None:
                stub = unit.function(d.qualname)
                if stub is not None and not (d.owner and self.hierarchy.is_abstract(stub, path)):
                    out.append((d.owner, stub, path))
        return out

    # ------------------------------------------------------------ relevance

    def may_allocate(self, path: str, function: ir.FunctionStub | ir.Function) -> bool:
        """Whether the text of a function mentions an allocation."""
        key = (path, function.qualname)
        if key not in self._allocates:
            unit = self.unit(path)
            lines = unit.source.lines[function.span.line - 1 : function.span.end_line] if unit is not None else []
            self._allocates[key] = bool(_ALLOCATES.search("\n".join(lines)))
        return self._allocates[key]


__all__ = ["NONE", "OUTSIDE", "Program"]
