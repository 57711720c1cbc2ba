"""The program on one side of a patch: files as units, and what a name means in them.

Names are resolved through imports and aliases: to a definition of a file that can be read, to a thing outside by its
full dotted name (`Known`), or to an opaque value. Files are opened when a name leads there, never before.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.state import choose
from allocsafe.flow.values import NONE, ClassOf, Closure, Known, Opaque, Super, Value
from allocsafe.frontends.base import Unit, Unsupported
from allocsafe.ir import nodes as ir
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

BUILTIN_NAMES = frozenset(dir(builtins))
OUTSIDE = (
    "torch",
    "numpy",
    "cupy",
    "math",
    "functools",
    "typing",
    "contextlib",
    "copy",
    "os",
    "sys",
    "time",
    "itertools",
    "collections",
    "triton",
    "dataclasses",
    "enum",
)
"""Packages that are never looked for in the tree."""

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
_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)", re.M)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n#]+)", re.M)


class Program:
    """Files by path, opened on demand. `paths` lists what the tree holds; empty: only `open_unit` knows."""

    def __init__(
        self,
        open_unit: Callable[[str], Unit | None],
        paths: Callable[[], Sequence[str]] | None = None,
        most_files: int = 60,
    ) -> None:
        self._open = open_unit
        self._units: dict[str, Unit | None] = {}
        self._paths = paths
        self._suffixes: dict[str, list[str]] | None = None
        self._imports: dict[str, dict[str, tuple[str, str | None]]] = {}
        self._lineages: dict[ClassOf, list[ClassOf]] = {}
        self._allocates: dict[tuple[str, str], bool] = {}
        self._patched: dict[tuple[str, str], frozenset[str]] = {}
        self.most_files = most_files

    def unit(self, path: str) -> Unit | None:
        """The file at `path`, or None when it cannot be read."""
        if path not in self._units:
            if len(self._units) >= self.most_files:
                return None
            self._units[path] = self._open(path)
        return self._units[path]

    # ------------------------------------------------------------ modules

    def module_path(self, module: str, level: int, origin: str) -> str | None:
        """The file that `import module` means, by the tree's paths."""
        if level == 0 and module.split(".", maxsplit=1)[0] in OUTSIDE:
            return None
        if level:
            base = origin.split("/")[:-level] if level <= origin.count("/") + 1 else []
            stem = "/".join([*base, *module.split(".")]) if module else "/".join(base)
            for tail in (f"{stem}.py", f"{stem}/__init__.py"):
                if self.has(tail):
                    return tail
            return None
        stem = module.replace(".", "/")
        found = self._by_suffix(f"{stem}.py") or self._by_suffix(f"{stem}/__init__.py")
        return found

    def has(self, path: str) -> bool:
        self._index()
        assert self._suffixes is not None
        return path in self._suffixes.get(path.rsplit("/", 1)[-1], ())

    def _by_suffix(self, tail: str) -> str | None:
        self._index()
        assert self._suffixes is not None
        hits = []
        for path in self._suffixes.get(tail.rsplit("/", 1)[-1], ()):
            if path == tail or path.endswith("/" + tail):
                root = path[: -len(tail)].rstrip("/")
                if not root or not self.has(
                    f"{root}/__init__.py"
                ):  # an absolute import starts outside of every package
                    hits.append(path)
        hits.sort(key=len)
        return hits[0] if hits and (len(hits) == 1 or len(hits[0]) < len(hits[1]) or "/" in tail) else None

    def _index(self) -> None:
        if self._suffixes is None:
            self._suffixes = {}
            for path in self._paths() if self._paths is not None else ():
                self._suffixes.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def import_of(self, path: str, name: str) -> tuple[str, str | None] | None:
        """(module with leading dots, imported name or None) that binds `name` in a file, by its import statements."""
        if path not in self._imports:
            self._imports[path] = self._read_imports(path)
        return self._imports[path].get(name)

    def _read_imports(self, path: str) -> dict[str, tuple[str, str | None]]:
        unit = self.unit(path)
        out: dict[str, tuple[str, str | None]] = {}
        if unit is None or unit.language != "python":
            return out
        text = unit.source.text
        for found in _FROM.finditer(text):
            names = re.sub(r"#[^\n]*", "", found[2]).strip("() \t\r\n\\")
            for part in names.replace("\n", " ").split(","):
                words = part.split()
                if words:
                    out[words[-1]] = (found[1], words[0])
        for found in _IMPORT.finditer(text):
            for part in found[1].split(","):
                words = part.split()
                if len(words) == 3 and words[1] == "as":
                    out[words[2]] = (words[0], None)
                elif words:
                    out[words[0].split(".")[0]] = (words[0].split(".")[0], None)
        return out

    def imported(self, m: Machine, path: str, module: str, name: str | None, level: int, span: Span) -> Value:
        """The value of an import statement's name."""
        if name is None and level == 0:
            target = self.module_path(module, 0, path) if module.split(".", maxsplit=1)[0] not in OUTSIDE else None
            return Known(f"file:{target}") if target is not None else Known(module)
        target = self.module_path(module, level, path)
        if name is None:
            return Known(f"file:{target}") if target is not None else Known(module)
        if target is not None:
            inner = self.module_path(f"{module}.{name}" if module else name, level, path)
            if inner is not None and inner != target:
                return Known(f"file:{inner}")
            return self.global_value(m, target, name, span)
        return Known(f"{module}.{name}" if module else name)

    def global_value(
        self, m: Machine, path: str, name: str, span: Span, seen: tuple[tuple[str, str], ...] = ()
    ) -> Value:
        """The value of a module-level name of a file."""
        held = m.read_cell((("module", path), name))
        if held is not None:
            return held
        unit = self.unit(path)
        if unit is None:
            return Known(f"builtins.{name}") if name in BUILTIN_NAMES else Opaque(("global", path, name), name)
        stub = unit.function(name)
        if stub is not None:
            return Closure(stub, path)
        cls = unit.klass(name)
        if cls is not None:
            return ClassOf(cls, path)
        if unit.language != "python":
            return Known(name)
        if (path, name) not in seen:
            bound = self.import_of(path, name)
            if bound is not None:
                module, what = bound
                dots = len(module) - len(module.lstrip("."))
                value = self._imported(m, path, module[dots:], what, dots, span, (*seen, (path, name)))
                if value is not None:
                    return value
        if path not in m.globals_run and m.run_modules and (m.follow is None or path == m.follow[0]):
            m.run_module(path)
            held = m.read_cell((("module", path), name))
            if held is not None:
                return held
        if name in BUILTIN_NAMES:
            return Known(f"builtins.{name}")
        return Opaque(("global", path, name, m.version(("global", path, name))), name)

    def _imported(
        self,
        m: Machine,
        path: str,
        module: str,
        name: str | None,
        level: int,
        span: Span,
        seen: tuple[tuple[str, str], ...],
    ) -> Value | None:
        if name is None or (level == 0 and module.split(".", maxsplit=1)[0] in OUTSIDE):
            return self.imported(m, path, module, name, level, span)
        target = self.module_path(module, level, path)
        if target is None:
            return self.imported(m, path, module, name, level, span)
        inner = self.module_path(f"{module}.{name}" if module else name, level, path)
        if inner is not None and inner != target:
            return Known(f"file:{inner}")
        return self.global_value(m, target, name, span, seen)

    def known_attribute(self, m: Machine, value: Known, attr: str, span: Span) -> Value:
        """`torch.empty` of `torch`; for a module of the tree, its global."""
        if value.name.startswith("file:"):
            path = value.name[5:]
            result = self.global_value(m, path, attr, span)
            if isinstance(result, Opaque) and path.endswith("__init__.py"):
                inner = path[: -len("__init__.py")] + f"{attr}.py"
                if self.has(inner):
                    return Known(f"file:{inner}")
            return result
        full = f"{value.name}.{attr}"
        if full in m.known_stores:
            return Opaque(("patched", full), full)  # replaced by an assignment of the program
        return Known(full)

    # ------------------------------------------------------------ classes

    def klass(self, path: str, qualname: str) -> ir.ClassDef | None:
        unit = self.unit(path)
        return unit.klass(qualname) if unit is not None else None

    def resolve_class(self, path: str, dotted: str, depth: int = 6) -> ClassOf | None:
        """The class that a dotted name means in a file."""
        unit = self.unit(path)
        if unit is None or depth == 0:
            return None
        name = dotted.split("[", maxsplit=1)[0].strip()
        cls = unit.klass(name)
        if cls is not None:
            return ClassOf(cls, path)
        head, _, tail = name.partition(".")
        bound = self.import_of(path, head)
        if bound is None:
            return None
        module, what = bound
        dots = len(module) - len(module.lstrip("."))
        target = self.module_path(module[dots:], dots, path)
        if target is None:
            return None
        wanted = what if not tail else tail if what is None else None
        return self.resolve_class(target, wanted, depth - 1) if wanted else None

    def lineage(self, owner: ClassOf) -> list[ClassOf]:
        """The class and its visible bases, nearest first."""
        if owner not in self._lineages:
            out: list[ClassOf] = []
            todo = [owner]
            while todo and len(out) < 16:
                cls = todo.pop(0)
                if cls in out:
                    continue
                out.append(cls)
                for base in cls.cls.bases:
                    found = self.resolve_class(cls.path, base)
                    if found is not None:
                        todo.append(found)
            self._lineages[owner] = out
        return self._lineages[owner]

    def class_value(self, m: Machine, owner: ClassOf, attr: str) -> Value | None:
        """A class-level value: the class body is walked once."""
        where = ("class", owner.path, owner.cls.qualname)
        held = m.read_cell((where, ("attr", attr)))
        if held is not None or owner.cls.load_body is None or (where in m.bodies_run):
            return held
        m.bodies_run.add(where)
        try:
            body = owner.cls.load_body()
        except Unsupported:
            return None
        if attr not in body.names and body.names:
            return None
        values = m.run_apart(body, owner.path)
        unit = self.unit(owner.path)
        text = unit.source.text if unit is not None else ""
        for name, value in values.items():
            if re.search(
                rf"\.{re.escape(name)}\s*(?::[^=\n]+)?=[^=]", text
            ):  # an instance or the class may hold another value
                kept = m.decide(
                    ("initial", owner.path, owner.cls.qualname, name), f"{name} still has its first value", "order"
                )
                other = Opaque(("attr", ("class", owner.path, owner.cls.qualname), name), f"{owner.cls.name}.{name}")
                value = choose(m.conds, [(kept, value), (m.conds.no(kept), other)]) or value  # noqa: PLW2901
            m.write_cell((where, ("attr", name)), value)
        return m.read_cell((where, ("attr", attr)))

    def patched(self, owner: ClassOf, attr: str) -> bool:
        """Whether the class's file assigns its method from outside: `Box.fill = other`, `setattr(Box, "fill",
        other)`.
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
            self._patched[key] = frozenset(a or b for a, b in found)
        return attr in self._patched[key]

    def super_attribute(self, m: Machine, value: Super, attr: str, span: Span) -> Value:
        """An attribute as the bases of the class define it."""
        from allocsafe.flow.attributes import class_attribute

        start = self.klass(value.path, value.owner)
        if start is not None:
            mine = ClassOf(start, value.path)
            for base in self.lineage(mine)[1:]:
                found = class_attribute(m, base, attr, value.receiver, span)
                if found is not None:
                    return found
        return Known(f"super.{attr}")

    def annotated(self, m: Machine, value: Opaque, annotation: str) -> Value | None:
        """An opaque argument whose annotation names a class of the program: its methods can be found."""
        word = re.sub(r"^(?:Optional|ClassVar|Final|Annotated)\[(.*)\]$", r"\1", annotation).split("|")[0].strip("\"' ")
        if not re.fullmatch(r"[\w.]+", word) or not m.frames:
            return None
        if word.rsplit(".", 1)[-1] in ("Tensor", "ndarray"):
            m.tensors.add(value.key)
            return None
        cls = self.resolve_class(m.frame.path, word)
        if cls is not None:
            m.opaque_class[value.key] = cls
        return None

    # ------------------------------------------------------------ custom operators

    def custom_op(self, path: str, name: str) -> str | None:
        """The function of a file that implements `torch.ops.ns.name`, by the file's own registration of that name."""
        unit = self.unit(path)
        if unit is None or unit.language != "python":
            return None
        text = unit.source.text
        short = re.escape(name)
        for pattern in (
            rf"op_name\s*=\s*[\"'](?:\w+::)?{short}[\"']\s*,\s*op_func\s*=\s*(\w+)",
            rf"op_func\s*=\s*(\w+)[^)]*?op_name\s*=\s*[\"'](?:\w+::)?{short}[\"']",
            rf"direct_register_custom_op\(\s*[\"'](?:\w+::)?{short}[\"']\s*,\s*(\w+)",
            rf"@[\w.]*custom_op\(\s*[\"']\w+::{short}[\"'][^\n]*(?:\n(?!def )[^\n]*)*\ndef\s+(\w+)",
            rf"@[\w.]*impl\([^\n]*[\"'](?:\w+::)?{short}[\"'][^\n]*\ndef\s+(\w+)",
            rf"@register_custom_op[^\n]*(?:\n(?!def )[^\n]*)*\ndef\s+({short})\b",
        ):
            found = re.search(pattern, text)
            if found is not None and unit.function(found[1]) is not None:
                return found[1]
        return None

    def only_method(self, path: str, name: str) -> tuple[str, ir.FunctionStub] | None:
        """The one method of this name that the file defines (owner and stub), when no other definition has it."""
        if name in COMMON_METHODS or name.startswith("__"):
            return None
        unit = self.unit(path)
        hits = [
            d
            for d in (unit.definitions if unit is not None else ())
            if d.kind == "function" and d.qualname.rsplit(".", 1)[-1] == name
        ]
        if unit is None or len(hits) != 1 or not hits[0].owner:
            return None
        stub = unit.function(hits[0].qualname)
        return (hits[0].owner, stub) if stub is not None else None

    # ------------------------------------------------------------ relevance

    def may_allocate(self, path: str, function: ir.FunctionStub | ir.Function) -> bool:
        """Whether the text of a function mentions an allocation."""
        key = (path, function.qualname)
        if key not in self._allocates:
            unit = self.unit(path)
            lines = unit.source.lines[function.span.line - 1 : function.span.end_line] if unit is not None else []
            self._allocates[key] = bool(_ALLOCATES.search("\n".join(lines)))
        return self._allocates[key]


__all__ = ["NONE", "Program"]
