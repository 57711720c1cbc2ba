"""Runs a program's files as real modules: each path is a module of its own, found by import like any other.

The modules are made afresh for every sample (their globals must not live on) and forgotten afterwards. Compiled texts
are kept, since the samples of one program run the same text. Operators that a program registers are taken back, and
known by their Python function, so that what they do can be watched (a dispatch mode does not see inside an operator).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

import torch
from torch._library.custom_ops import OPDEF_TO_LIB

from tests.oracle.poison import FAKE_NUMPY, FUNCTIONS, spoil
from tests.oracle.program import MAIN


@lru_cache(maxsize=64)
def _code(path: str, text: str) -> CodeType:
    return compile(text, path, "exec")


class _Finder:
    """Finds and loads the modules of one program."""

    def __init__(self, files: dict[str, str]) -> None:
        self.paths: dict[str, str] = {}
        self.files = files
        for path in files:
            stem = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            self.paths[stem] = path
        parts = [stem.split(".") for stem in self.paths]
        self.packages = {".".join(part[:depth]) for part in parts for depth in range(1, len(part))}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name in self.paths:
            spec = ModuleSpec(name, self, is_package=self.paths[name].endswith("__init__.py"))  # type: ignore[arg-type]
            return spec
        if name in self.packages:
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        path = self.paths.get(module.__name__)
        if path is not None:
            module.__dict__["_left_by_earlier_step"] = spoil
            exec(_code(path, self.files[path]), module.__dict__)

    def names(self) -> list[str]:
        return [name for name in (*self.paths, *self.packages - self.paths.keys()) if name in sys.modules]


@contextmanager
def loaded(files: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The names of the main module, freshly executed; other modules stay importable while the block runs."""
    finder = _Finder(files)
    before = {name: sys.modules.pop(name) for name in finder.names()}
    real = sys.modules["numpy"]
    sys.modules["numpy"] = FAKE_NUMPY
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
    libraries: list[Any] = []
    try:
        with _registered(libraries):
            yield importlib.import_module(MAIN.removesuffix(".py")).__dict__
    finally:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]
        sys.modules["numpy"] = real
        for name in finder.names():
            del sys.modules[name]
        sys.modules.update(before)
        for name in [name for name, library in OPDEF_TO_LIB.items() if library in libraries]:
            del OPDEF_TO_LIB[name]
        for library in libraries:
            library._destroy()


@contextmanager
def _registered(libraries: list[Any]) -> Iterator[None]:
    """Remembers the function of each operator that is registered meanwhile."""
    custom_op, impl, made = torch.library.custom_op, torch.library.Library.impl, torch.library.Library.__init__

    def watched_op(name: str, fn: Any = None, /, **options: Any) -> Any:
        def register(function: Callable[..., Any]) -> Any:
            FUNCTIONS[name] = function
            return custom_op(name, **options)(function)

        return register if fn is None else register(fn)

    def watched_impl(self: Any, name: Any, fn: Any, *args: Any, **options: Any) -> Any:
        FUNCTIONS[f"{self.ns}::{name}"] = fn
        return impl(self, name, fn, *args, **options)

    def watched_init(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        libraries.append(self)

    torch.library.custom_op = watched_op
    torch.library.Library.impl = watched_impl  # type: ignore[method-assign]
    torch.library.Library.__init__ = watched_init  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.library.custom_op = custom_op
        torch.library.Library.impl = impl  # type: ignore[method-assign]
        torch.library.Library.__init__ = made  # type: ignore[method-assign]
        FUNCTIONS.clear()
