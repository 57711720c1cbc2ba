"""One module's text as several files that import each other: what a name means is decided elsewhere.

Every top-level definition goes to some file, and each name of another file is imported in one of the ways that
programs do it: from the module, under another name, through the module, through the package that hands it on,
relatively, only inside the function that needs it. The choices depend on the seed and the names alone, so that both
sides of a patch are cut alike. The program means the same as before: a global that is assigned anew is only reached
through its module.
"""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from tests.oracle.program import MAIN

PLACES = ("kit/basis.py", "kit/extra_parts.py", "kit/deep/inner.py", "util.py", "shapes.py")
"""Files for what is not in the main one; later ones may import earlier ones."""

IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "copy": "import copy",
    "dataclasses": "import dataclasses",
    "dataclass": "from dataclasses import dataclass",
    "field": "from dataclasses import field",
    "replace": "from dataclasses import replace",
    "partial": "from functools import partial",
    "SimpleNamespace": "from types import SimpleNamespace",
    "NamedTuple": "from typing import NamedTuple",
}
"""Names of other packages and the line that brings each in."""


class Unit(NamedTuple):
    """One top-level statement. `uses` are the free names in it, each with its place."""

    text: str
    makes: frozenset[str]
    assigns: frozenset[str]  # globals that it assigns from inside a function
    uses: tuple[tuple[str, int, int, int], ...]  # name, row, column, row of the function's first statement (or 0)


def headed(text: str, more: Sequence[str] = ()) -> str:
    """The text with the imports of other packages that it needs, and `more`."""
    tops = [line for name, line in IMPORTS.items() if re.search(rf"(?<![.\w]){name}\b", text)]
    tops += more
    return "\n".join([*tops, "", "", text.strip("\n")]) + "\n"


def units(text: str) -> list[Unit]:
    """The top-level statements of a text but its imports, which every file gets as it needs them."""
    rows = text.split("\n")
    out = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        inner = "\n".join(rows[first - 1 : node.end_lineno])
        out.append(_unit(inner))
    return out


def _unit(text: str) -> Unit:
    node = ast.parse(text).body[0]
    makes: set[str] = set()
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        makes.add(node.name)
    for target in getattr(node, "targets", []):
        makes |= {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}
    declared = {name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names}
    bound = {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
    bound |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
    bound |= {inner.name for inner in ast.walk(node) if isinstance(inner, ast.FunctionDef) and inner is not node}
    local = bound - declared - makes
    uses = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id not in local and not hasattr(builtins, inner.id):
            uses.append((inner.id, inner.lineno, inner.col_offset, _body_row(node, inner.lineno)))
    return Unit(text, frozenset(makes), frozenset(declared), tuple(uses))


def _body_row(node: ast.stmt, row: int) -> int:
    """The row at which the outermost function around `row` begins its body; 0 if no body is around it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef) and inner.body[0].lineno <= row <= (inner.end_lineno or 0):
            return inner.body[0].lineno if inner.body[0].lineno > inner.lineno else 0
    return 0


class _Cut:
    def __init__(self, text: str, seed: int) -> None:
        self.seed = seed
        self.units = units(text)
        self.home: dict[str, str] = {}
        self.moving = frozenset(name for unit in self.units for name in unit.assigns)
        self.tops: dict[str, list[str]] = {}
        self.bodies: dict[str, list[str]] = {}
        self.handed_on: set[str] = set()

    def rng(self, *key: str) -> random.Random:
        return random.Random(f"{self.seed}/spread/{'/'.join(key)}")

    def files(self) -> dict[str, str]:
        self._settle()
        for unit in self.units:
            self._put(unit)
        out: dict[str, str] = {}
        for path in [*PLACES, MAIN]:
            if path in self.bodies:
                tops = list(dict.fromkeys(self.tops.get(path, [])))
                out[path] = self._file(tops, self.bodies[path])
        alone = [
            p for p in out if p != MAIN and not any(_module(p) in text or _last(p) in text for text in out.values())
        ]
        if alone:  # imported for what it registers
            out[MAIN] = "".join(f"import {_module(path)}\n" for path in alone) + out[MAIN]
        if any(path.startswith("kit/") for path in out):
            lines = [f"from .{_module(p).removeprefix('kit.')} import {name}" for name, p in self._exports()]
            out["kit/__init__.py"] = "\n".join(lines) + "\n"
            if "kit/deep/inner.py" in out:
                out["kit/deep/__init__.py"] = "\n"
        return {path: out[path] for path in sorted(out, key=lambda p: (p == MAIN, p))}

    def _exports(self) -> list[tuple[str, str]]:
        return sorted((name, self.home[name]) for name in self.handed_on)

    def _file(self, tops: list[str], bodies: list[str]) -> str:
        body = "\n\n\n".join(bodies)
        return headed(body, tops)

    def _settle(self) -> None:
        """Gives each definition a file: none before what it uses, and all that assign one global together."""
        order = [*PLACES, MAIN]
        count = self.rng("count").choice([1, 2, 2, 3])
        open_places = sorted(self.rng("places").sample(PLACES, count), key=order.index)
        for unit in self.units:
            name = next(iter(unit.makes), "")
            least = max([order.index(self.home[use]) for use, *_ in unit.uses if use in self.home], default=0)
            may = [place for place in open_places if order.index(place) >= least]
            if name == "main":
                path = MAIN
            elif unit.assigns or unit.makes & self.moving:
                path = open_places[-1]  # what assigns a global lies where the global lies
            elif self.moving:
                path = self.rng("home", name).choice(may or [MAIN])
            else:
                path = self.rng("home", name).choice([*may, *may, MAIN])
            for made in unit.makes:
                self.home[made] = path

    def _put(self, unit: Unit) -> None:
        path = self.home[next(iter(unit.makes))]
        rows = unit.text.split("\n")
        late: dict[int, list[str]] = {}
        for name, row, column, body in sorted(unit.uses, key=lambda use: (-use[1], -use[2])):
            home = self.home.get(name, path)
            if home == path:
                continue
            said, line, inside = self._way(path, home, name)
            if inside and body:
                late.setdefault(body, []).append(line)
            else:
                self.tops.setdefault(path, []).append(line)
            text = rows[row - 1]
            rows[row - 1] = text[:column] + said + text[column + len(name) :]
        for body in sorted(late, reverse=True):
            pad = rows[body - 1][: len(rows[body - 1]) - len(rows[body - 1].lstrip())]
            rows[body - 1 : body - 1] = [pad + line for line in dict.fromkeys(late[body])]
        self.bodies.setdefault(path, []).append("\n".join(rows))

    def _way(self, path: str, home: str, name: str) -> tuple[str, str, bool]:
        """How `name` of file `home` is said in file `path`, the import for it, and whether that stands inside."""
        rng = self.rng("way", path, name)
        module, last = _module(home), _last(home)
        parent = module.rpartition(".")[0]
        inside = rng.random() < 0.15
        through = [
            (f"{last}_m.{name}", f"import {module} as {last}_m"),
            (f"{module}.{name}", f"import {module}"),
        ]
        if parent:
            through.append((f"{last}.{name}", f"from {parent} import {last}"))
        if name in self.moving:
            return (*rng.choice(through), False)
        ways = [
            *through,
            (name, f"from {module} import {name}"),
            (name, f"from {module} import {name}"),
            (f"{name}_as", f"from {module} import {name} as {name}_as"),
            (name, f"from {module} import *"),
        ]
        said, line = rng.choice(ways)
        if home.startswith("kit/"):
            if path.startswith("kit/") and rng.random() < 0.5:
                dots = "." if path.count("/") == home.count("/") == 1 else ".." if path.count("/") == 2 else "."
                tail = last if (dots == "." and home.count("/") == 1) or dots == ".." else module.removeprefix("kit.")
                said, line = rng.choice(
                    [
                        (name, f"from {dots}{tail} import {name}"),
                        (f"{name}_r", f"from {dots}{tail} import {name} as {name}_r"),
                    ]
                )
            elif not path.startswith("kit/") and rng.random() < 0.4:
                self.handed_on.add(name)
                said, line = rng.choice(
                    [
                        (name, f"from kit import {name}"),
                        (f"kit.{name}", "import kit"),
                        (f"kit_m.{name}", "import kit as kit_m"),
                    ]
                )
        return said, line, inside and not line.endswith("*")


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _last(path: str) -> str:
    return _module(path).rpartition(".")[2]


def spread(text: str, seed: int) -> dict[str, str]:
    """The files that mean the same as the text."""
    return _Cut(text, seed).files()
