"""Module-level names: the value of an imported name, of a definition, of what a module's own lines assign.

*Claim.* `global_value` is everything that a module-level name may hold once the module has run: alternatives where
several lines may have bound it. *Why that suffices.* See `imports`. *What it gives up.* A module's own statements are
run for a few modules only; other assigned names are opaque.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from allocsafe.flow.files import BUILTIN_NAMES, OUTSIDE, Files
from allocsafe.flow.imports import Binding
from allocsafe.flow.state import choose
from allocsafe.flow.values import ClassOf, Closure, Known, Opaque, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.frontends.base import Unit

MOST_MODULES = 6
"""Modules besides the one asked about whose own statements one walk may run."""


class Modules(Files):
    """What the names of modules mean."""

    def imported(self, m: Machine, path: str, module: str, name: str | None, level: int, span: Span) -> Value:
        """The value of an import statement's name."""
        return self._imported(m, path, module, name, level, span, ())

    def _imported(
        self,
        m: Machine,
        path: str,
        module: str,
        name: str | None,
        level: int,
        span: Span,
        seen: tuple[tuple[str, str], ...],
    ) -> Value:
        if name is None and level == 0:
            module = module.split(".", maxsplit=1)[0]  # `import a.b` binds a
        if level == 0 and module.split(".", maxsplit=1)[0] in OUTSIDE:
            return Known(f"{module}.{name}" if name is not None else module)
        target = self.module_path(module, level, path)
        if name is None:
            return Known(f"file:{target}") if target is not None else Known(module)
        if target is not None and self.bound(target, name):
            return self.global_value(m, target, name, span, seen)
        inner = self.module_path(f"{module}.{name}" if module else name, level, path)
        if inner is not None and inner != target:
            return Known(f"file:{inner}")
        if target is not None:
            return self.global_value(m, target, name, span, seen)
        if level:
            return Opaque(("global", "." * level + module, name), name)
        return Known(f"{module}.{name}" if module else name)

    def global_value(
        self, m: Machine, path: str, name: str, span: Span, seen: tuple[tuple[str, str], ...] = ()
    ) -> Value:
        """The value of a module-level name of a file."""
        held = m.read_cell((("module", path), name))
        unit = self.unit(path)
        if unit is not None and unit.language != "python":
            return held if held is not None else self._native(unit, path, name)
        bindings = self.bindings(path)
        if unit is None or bindings is None:
            if held is not None:
                return held
            return Known(f"builtins.{name}") if name in BUILTIN_NAMES else Opaque(("global", path, name), name)
        several = self.bound(path, name) if (path, name) not in seen else []
        if held is not None and (name in bindings.declared or not any(b.kind in ("def", "class") for b in several)):
            return held
        if not several and path == self._followed(m) and path not in m.globals_run:
            held = self._run(m, path, name)
            if held is not None:
                return held
        deeper = (*seen, (path, name))
        options: list[Value] = []
        for binding in several:
            value = self._bound_value(m, path, name, binding, held, span, deeper)
            options.append(value)
        if len(options) == 1:
            return options[0]
        if options:
            return self._one_of(m, path, name, several, options)
        if name in BUILTIN_NAMES and "__getattr__" not in bindings.names:
            return Known(f"builtins.{name}")
        return Opaque(("global", path, name, m.version(("global", path, name))), name)

    def _one_of(self, m: Machine, path: str, name: str, several: list[Binding], options: list[Value]) -> Value:
        """Alternatives for a name that several lines bind: the last of those that ran."""
        left = 1
        out = []
        for binding, value in reversed(list(zip(several, options, strict=True))[1:]):
            there = Span(path, binding.line, 1, binding.line, 1)
            ran = m.decide(
                ("bound", path, name, binding.line), f"{name} is what line {binding.line} binds", "branch", there
            )
            out.append((m.conds.both(left, ran), value))
            left = m.conds.both(left, m.conds.no(ran))
        out.append((left, options[0]))
        return choose(m.conds, out) or options[0]

    def _bound_value(
        self,
        m: Machine,
        path: str,
        name: str,
        binding: Binding,
        held: Value | None,
        span: Span,
        seen: tuple[tuple[str, str], ...],
    ) -> Value:
        """What one line of a module binds to a name."""
        unit = self.unit(path)
        assert unit is not None
        if binding.kind == "def":
            several = getattr(unit, "functions", None)
            stubs = several(name) if several is not None else ()
            stub = next((s for s in stubs if s.span.line == binding.line), None) or unit.function(name)
            if stub is not None:
                return Closure(stub, path)
        elif binding.kind == "class":
            cls = unit.klass(name)
            if cls is not None:
                return ClassOf(cls, path)
        elif held is not None and binding.kind == "value":
            return held
        elif binding.kind in ("import", "star"):
            dots = len(binding.module) - len(binding.module.lstrip("."))
            what = name if binding.kind == "star" else binding.what
            if len(seen) < 12:
                return self._imported(m, path, binding.module[dots:], what, dots, span, seen)
        else:
            value = self._assigned(m, path, name, binding, span, seen)
            if value is not None:
                return value
        return Opaque(("global", path, name, m.version(("global", path, name))), name)

    def _assigned(
        self, m: Machine, path: str, name: str, binding: Binding, span: Span, seen: tuple[tuple[str, str], ...]
    ) -> Value | None:
        """The value of `name = ...` of a module: another name of it, or what running the module leaves there."""
        bindings = self.bindings(path)
        if bindings is not None and name in bindings.declared and path != self._followed(m):
            return None
        if re.fullmatch(r"[A-Za-z_]\w*", binding.text) and binding.text not in ("None", "True", "False"):
            if (path, binding.text) not in seen and len(seen) < 12:
                return self.global_value(m, path, binding.text, span, seen)
            return None
        if re.fullmatch(r"torch(?:\.\w+)+", binding.text):
            return Known(binding.text)
        if path in m.globals_run:
            return None
        others = sum(1 for p in m.globals_run if p != self._followed(m))
        if path == self._followed(m) or (others < MOST_MODULES and _worth_running(binding.text)):
            return self._run(m, path, name)
        return None

    @staticmethod
    def _followed(m: Machine) -> str | None:
        return m.follow[0] if m.follow is not None else None

    def _run(self, m: Machine, path: str, name: str) -> Value | None:
        if not m.run_modules or path in m.globals_run:
            return None
        m.run_module(path)
        return m.read_cell((("module", path), name))

    @staticmethod
    def _native(unit: Unit, path: str, name: str) -> Value:
        """A name of a C++ file."""
        stub = unit.function(name)
        if stub is not None:
            return Closure(stub, path)
        cls = unit.klass(name)
        return ClassOf(cls, path) if cls is not None else Known(name)

    def known_attribute(self, m: Machine, value: Known, attr: str, span: Span) -> Value:
        """`torch.empty` of `torch`; for a module of the tree, its global."""
        if value.name.startswith("file:"):
            path = value.name[5:]
            if path.endswith("__init__.py") and not self.bound(path, attr):
                base = path[: -len("__init__.py")] + attr
                for inner in (f"{base}.py", f"{base}/__init__.py"):
                    if self.has(inner):
                        return Known(f"file:{inner}")
            return self.global_value(m, path, attr, span)
        full = f"{value.name}.{attr}"
        if full in m.known_stores:
            return Opaque(("patched", full), full)  # replaced by an assignment of the program
        if full.split(".", maxsplit=1)[0] not in ("builtins", "super", *OUTSIDE):  # a folder without `__init__`
            found = self.module_path(full, 0, m.frame.path if m.frames else "")
            if found is not None:
                return Known(f"file:{found}")
        return Known(full)


def _worth_running(text: str) -> bool:
    """Whether the right side of a module's assignment is something that a call can go through: a table, a partial
    function, a number, a choice between names.
    """
    return re.match(r"[\[({]|-?\d|(?:functools\.)?partial\(|dict\(|\w+ if |[A-Za-z_][\w.]*\(", text) is not None


__all__ = ["Modules"]
