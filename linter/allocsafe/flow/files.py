"""The files of one side of a patch: opened on demand, found by path, by the name that an import gives, by a word in
them.

*Claim.* `module_path` is the file that an import statement means, if the tree holds it. *Why that suffices.* A
relative import counts folders; an absolute one starts in a folder that is no package, wherever in the tree that lies.
*What it gives up.* Packages that a build step puts together.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.imports import Binding, Bindings, bindings_of
from allocsafe.source import Source

if TYPE_CHECKING:
    from allocsafe.flow.registered import Operators
    from allocsafe.frontends.base import Unit

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

MOST_SEARCHES = 60
"""Words that the tree is searched for."""


class Files:
    """Files by path, opened on demand. `paths` lists what the tree holds; empty: only `open_unit` knows."""

    def __init__(
        self,
        open_unit: Callable[[str], Unit | None],
        paths: Callable[[], Sequence[str]] | None = None,
        most_files: int = 200,
    ) -> None:
        self._open = open_unit
        self._units: dict[str, Unit | None] = {}
        self._paths = paths
        self._mentions: Callable[[str], Sequence[str]] | None = None
        self._read: Callable[[str], str | None] | None = None
        self._bases: Callable[[str], Sequence[str] | None] | None = None
        self._suffixes: dict[str, list[str]] | None = None
        self.named: Callable[[str], Sequence[str]] | None = None  # given by whoever has the paths by file name already
        self._bindings: dict[str, Bindings | None] = {}
        self._modules: dict[tuple[str, int, str], str | None] = {}
        self._mentioned: dict[str, Sequence[str] | None] = {}
        self.most_files = most_files
        self._folders: dict[str, str] | None = None  # packages that lie in folders of other names
        self.operators: Operators | None = None  # given by whoever knows the tree; else what the opened files register

    def search(
        self,
        mentions: Callable[[str], Sequence[str]],
        read: Callable[[str], str | None],
        bases: Callable[[str], Sequence[str] | None] | None = None,
    ) -> None:
        """Lets the tree be searched: the Python files with a word in them, the text of a file, and the files in which
        a class may derive from a name (None: those with the word). Without this, a class has no subclasses but those
        of its own file.
        """
        self._mentions = mentions
        self._read = read
        self._bases = bases

    def unit(self, path: str) -> Unit | None:
        """The file at `path`, or None when it cannot be read."""
        if path not in self._units:
            if len(self._units) >= self.most_files:
                return None
            self._units[path] = self._open(path)
        return self._units[path]

    def text(self, path: str) -> str:
        """The text of a file, which need not be opened for it."""
        known = self._units.get(path)
        if known is not None:
            return known.source.text
        if self._read is not None:
            return self._read(path) or ""
        unit = self.unit(path)
        return unit.source.text if unit is not None else ""

    def lines(self, path: str) -> list[str]:
        unit = self.unit(path)
        return unit.source.lines if unit is not None else []

    def mentioning(self, word: str) -> Sequence[str] | None:
        """The Python files of the tree that have the word in them; None when the tree cannot be searched (any more)."""
        if word not in self._mentioned:
            if self._mentions is None or len(self._mentioned) >= MOST_SEARCHES:
                return None
            self._mentioned[word] = self._mentions(word)
        return self._mentioned[word]

    def deriving(self, name: str) -> Sequence[str] | None:
        """The Python files of the tree in which a class may derive from what is called so; None when the tree cannot
        be searched.
        """
        found = self._bases(name) if self._bases is not None else None
        return found if found is not None else self.mentioning(name)

    # ------------------------------------------------------------ modules

    def module_path(self, module: str, level: int, origin: str) -> str | None:
        """The file that `import module` means, by the tree's paths."""
        key = (module, level, origin.rpartition("/")[0])  # files of one folder mean the same
        if key not in self._modules:
            self._modules[key] = self._module_path(module, level, origin)
        return self._modules[key]

    def _module_path(self, module: str, level: int, origin: str) -> str | None:
        if level == 0 and module.split(".", maxsplit=1)[0] in OUTSIDE:
            return None
        if level:
            base = origin.split("/")[:-level] if level <= origin.count("/") + 1 else []
            stem = "/".join([*base, *module.split(".")]) if module else "/".join(base)
            for tail in (f"{stem}.py", f"{stem}/__init__.py") if stem else ():
                if self.has(tail):
                    return tail
            return None
        stem = module.replace(".", "/")
        found = self._by_suffix(f"{stem}.py", origin) or self._by_suffix(f"{stem}/__init__.py", origin)
        return found or self._mapped(module)

    def _mapped(self, module: str) -> str | None:
        """The file of a module whose package lies in a folder of another name, as a build file says."""
        from allocsafe.flow.packages import BUILD_FILES, folders, mapped

        if self._folders is None:
            paths = [path for name in BUILD_FILES for path in self._named(name)]
            self._folders = folders(paths, self.custom_operators().text)
        stem = mapped(module, self._folders)
        return next((p for p in (f"{stem}.py", f"{stem}/__init__.py") if stem is not None and self.has(p)), None)

    def has(self, path: str) -> bool:
        return path in self._named(path.rsplit("/", 1)[-1])

    def _by_suffix(self, tail: str, origin: str) -> str | None:
        """The file that ends so, in a folder that is no package. Of several, the one that shares most folders with the
        file that asks.
        """
        hits: list[tuple[int, int, str]] = []
        for path in self._named(tail.rsplit("/", 1)[-1]):
            if path == tail or path.endswith("/" + tail):
                root = path[: -len(tail)].rstrip("/")
                if not root or not self.has(
                    f"{root}/__init__.py"
                ):  # an absolute import starts outside of every package
                    hits.append((-_shared(path, origin), len(path), path))
        hits.sort()
        if not hits:
            return None
        alone = len(hits) == 1 or hits[0][:2] < hits[1][:2] or "/" in tail
        return hits[0][2] if alone else None

    def _named(self, last: str) -> Sequence[str]:
        """The paths of the tree that end in this file name."""
        if self.named is not None:
            return self.named(last)
        if self._suffixes is None:
            self._suffixes = {}
            for path in self._paths() if self._paths is not None else ():
                self._suffixes.setdefault(path.rsplit("/", 1)[-1], []).append(path)
        return self._suffixes.get(last, ())

    def bindings(self, path: str) -> Bindings | None:
        """What the module's own lines bind; None for a file that is no Python."""
        if path not in self._bindings:
            unit = self.unit(path)
            self._bindings[path] = bindings_of(unit) if unit is not None and unit.language == "python" else None
        return self._bindings[path]

    def bound(self, path: str, name: str, depth: int = 6) -> list[Binding]:
        """What may be bound to a module-level name: see `Bindings.of`."""
        bindings = self.bindings(path)
        return bindings.of(name, lambda star: self._star_binds(path, star, name, depth)) if bindings is not None else []

    def _star_binds(self, path: str, star: Binding, name: str, depth: int) -> bool:
        target = self.target(star, path)
        inner = self.bindings(target) if target is not None and target != path and depth else None
        return (
            inner is not None
            and target is not None
            and inner.exports(name)
            and bool(self.bound(target, name, depth - 1))
        )

    def target(self, binding: Binding, path: str) -> str | None:
        dots = len(binding.module) - len(binding.module.lstrip("."))
        return self.module_path(binding.module[dots:], dots, path)

    def is_outside(self, path: str, dotted: str) -> bool:
        """Whether a name of a file comes from one of the packages that bring nothing of the program's own."""
        head = dotted.split(".", maxsplit=1)[0]
        found = [b for b in self.bound(path, head) if b.kind == "import"]
        return (not found and head in BUILTIN_NAMES) or any(
            b.module.split(".", maxsplit=1)[0] in OUTSIDE for b in found
        )

    # ------------------------------------------------------------ custom operators

    def custom_operators(self) -> Operators:
        """What the tree registers under `torch.ops`; of a tree that is not given, what its Python does."""
        if self.operators is None:
            from allocsafe.flow.registered import Operators

            def text(path: str) -> Source | None:
                found = self.text(path) if self._read is not None or path.endswith((".py", ".pyi")) else ""
                return Source(path, found) if found else None

            def mentions(word: str, suffixes: tuple[str, ...]) -> Sequence[str]:
                return (self.mentioning(word) or []) if ".py" in suffixes else []

            self.operators = Operators(text, mentions)
        return self.operators


def _shared(path: str, origin: str) -> int:
    """How many folders two paths share from the root."""
    count = 0
    for a, b in zip(path.split("/")[:-1], origin.split("/")[:-1], strict=False):
        if a != b:
            break
        count += 1
    return count


__all__ = ["BUILTIN_NAMES", "OUTSIDE", "Files"]
