"""Runs a tensor program for real and tells whether it reads memory that nothing has written.

Claim: `reads_poison` is true exactly when some operator of the run took, as a value, an element that no operator had
written. Why that suffices: every allocation that torch leaves unwritten is filled with one bit pattern that no program
makes (a NaN with a payload, the same 64 bits in an integer tensor), and a dispatch mode looks at the operands of every
operator before it runs. Copies carry the bits along and are no read; views share them; an output that is only written
is not looked at. The first read ends the run (`PoisonRead` is no `Exception`, so no handler sees it), which also keeps
a poisoned index from ever being used.

numpy has no dispatch mode: its arrays are of a subclass whose ufuncs and assignments look at their operands.

Given up: buffers of other element sizes than 8 bytes are not poisoned (the generator makes none).
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

PATTERN = 0x7FF4DEADBEEF1234
"""A signalling-range NaN payload as a double; as an int64 a number that no program here can reach."""


FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The Python function of each operator that the running program registered, as `namespace::name`."""


class PoisonRead(BaseException):
    """Some operator has read an element that nothing wrote. Not an `Exception`: programs must not catch it."""


UNWRITTEN = frozenset(
    {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted", "resize_"}
)
"""Operators whose result starts unwritten (all of it: `resize_` is only used on fresh tensors)."""

CARRIES = frozenset((
    "index", "clone", "_to_copy", "lift_fresh", "lift", "_reshape_copy", "_unsafe_view", "detach", "alias",
    "contiguous", "view", "_reshape_alias", "reshape", "slice", "select", "narrow", "permute", "transpose",
    "t", "expand", "view_as", "unsqueeze", "squeeze", "split", "split_with_sizes", "unbind", "as_strided",
    "diagonal", "unfold", "movedim", "empty_like", "zeros_like", "ones_like", "full_like", "rand_like",
    "randn_like", "new_empty", "new_zeros", "new_ones", "new_full", "sym_size", "sym_stride", "sym_numel",
    "is_same_size", "resize_", "set_",
))  # fmt: skip
"""Operators that hand elements on, or look at the shape alone."""

WRITES_ALL = frozenset({"copy_", "fill_", "zero_", "normal_", "uniform_", "random_", "exponential_", "bernoulli_"})
"""In-place operators that write every element of `self` and read none of it."""

WRITES_SOME = frozenset(
    {"index_put_", "index_fill_", "index_copy_", "scatter_", "masked_fill_", "masked_scatter_", "_index_put_impl_"}
)
"""In-place operators that write part of `self`, read none of it, and keep the rest."""


def _poisoned(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        if value.dtype not in (torch.float64, torch.int64) or not value.numel():
            return False
        bits = value.detach().contiguous().view(torch.int64)
        return bool((bits == PATTERN).any())
    if isinstance(value, (list, tuple)):
        return any(_poisoned(item) for item in value)
    return False


def _poison(value: Any) -> None:
    if isinstance(value, torch.Tensor) and value.dtype in (torch.float64, torch.int64) and value.numel():
        value.detach().view(torch.int64).fill_(PATTERN)


def spoil(value: Any) -> None:
    """Marks what a step leaves behind: reading it afterwards is a read of an earlier step's values."""
    with _disable_current_modes():
        if isinstance(value, np.ndarray):
            _plain(value)[...] = np.int64(PATTERN) if value.dtype == np.int64 else np.int64(PATTERN).view(np.float64)
        elif isinstance(value, torch.Tensor) and value.numel():
            value.detach().copy_(torch.full((), PATTERN, dtype=torch.int64).view(value.dtype).expand(value.shape))


class Watch(TorchDispatchMode):  # type: ignore[misc, unused-ignore]
    """Poisons what starts unwritten, and raises `PoisonRead` at the first operator that takes poison as a value."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        if func._schema.name in FUNCTIONS:  # one of the program's own: what it does inside counts
            with self:
                return FUNCTIONS[func._schema.name](*args, **kwargs)
        if name not in CARRIES:
            self._look(func, name, args, kwargs)
        elif name == "index" and _poisoned(args[1]):
            raise PoisonRead(str(func))
        result = func(*args, **kwargs)
        if name in UNWRITTEN:
            _poison(result)
        return result

    def _look(self, func: Any, name: str, args: Any, kwargs: Any) -> None:
        schema = func._schema
        accumulates = name in ("index_put_", "_index_put_impl_") and (
            (len(args) > 3 and args[3]) or kwargs.get("accumulate")
        )
        keeps_self = name in WRITES_ALL or (name in WRITES_SOME and not accumulates)
        for at, argument in enumerate(schema.arguments):
            value = args[at] if at < len(args) else kwargs.get(argument.name)
            written = argument.alias_info is not None and argument.alias_info.is_write
            if written and (argument.kwarg_only or keeps_self):
                continue
            if _poisoned(value):
                raise PoisonRead(str(func))


class Watched(np.ndarray):  # type: ignore[misc, type-arg, unused-ignore]
    """An array whose arithmetic and assignments look for poison in what they read."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        for value in inputs:
            _look_array(value)
        plain = [_plain(value) for value in inputs]
        if out is not None:
            kwargs["out"] = tuple(_plain(value) for value in out)
        result = getattr(ufunc, method)(*plain, **kwargs)
        return out[0] if out is not None else _watched(result)

    def __setitem__(self, key: Any, value: Any) -> None:
        _look_array(key)
        _look_array(value)
        super().__setitem__(key, _plain(value))

    def __getitem__(self, key: Any) -> Any:
        _look_array(key)
        found = super().__getitem__(key)
        return np.array(found).view(Watched) if isinstance(found, np.generic) else found

    def item(self, *args: Any) -> Any:
        _look_array(self)
        return super().item(*args)

    def __float__(self) -> float:
        _look_array(self)
        return float(_plain(self))


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def _watched(value: Any) -> Any:
    return value.view(Watched) if isinstance(value, np.ndarray) and value.ndim else value


def _look_array(value: Any) -> None:
    if isinstance(value, np.ndarray) and value.dtype in (np.float64, np.int64):
        bits = np.ascontiguousarray(_plain(value)).view(np.int64)
        if (bits == PATTERN).any():
            raise PoisonRead("numpy")
    elif isinstance(value, np.generic) and value.dtype.itemsize == 8 and value.view(np.int64) == PATTERN:
        raise PoisonRead("numpy")


def _fake_numpy() -> types.ModuleType:
    """numpy with an `empty` that is poisoned and watched; everything else is numpy's own."""
    fake = types.ModuleType("numpy")
    fake.__dict__.update({name: getattr(np, name) for name in dir(np) if not name.startswith("__")})

    def empty(*args: Any, **kwargs: Any) -> Any:
        made = np.empty(*args, **kwargs)
        made.view(np.int64)[...] = PATTERN
        return made.view(Watched)

    def empty_like(other: Any, **kwargs: Any) -> Any:
        return empty(np.shape(other), **kwargs)

    fake.empty, fake.empty_like = empty, empty_like  # type: ignore[attr-defined]
    fake.__spec__ = np.__spec__  # torch looks for it
    return fake


FAKE_NUMPY = _fake_numpy()


def flat(value: Any) -> list[Any]:
    """All tensors and arrays inside the containers of `value`."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flat(item)]
    if isinstance(value, (list, tuple, set)):
        return [leaf for item in value for leaf in flat(item)]
    return [value] if isinstance(value, (torch.Tensor, np.ndarray)) else []


def result_is_poisoned(value: Any) -> bool:
    """Whether what a program hands out holds an element that nothing wrote: handing it out whole counts as a read."""
    try:
        for leaf in flat(value):
            if isinstance(leaf, np.ndarray):
                _look_array(leaf)
            elif _poisoned(leaf):
                return True
    except PoisonRead:
        return True
    return False
