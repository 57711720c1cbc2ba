"""What each special means, as a plain numpy program: the model that the operators are held against.

`GEOMETRY[special](elements, arguments)` gives the elements of the view or copy, `SHAPES[special](arguments, line)` the
shape of the fresh tensor. Arguments are by the names of the table line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Args = dict[str, Any]


def first(args: Args, *names: str, missing: Any = None) -> Any:
    for name in names:
        if args.get(name) is not None:
            return args[name]
    return missing


def sizes(value: Any) -> tuple[int, ...]:
    """A star of integers, one sequence in it, one integer."""
    if value is None:
        return ()
    if isinstance(value, (int, np.integer)):
        return (int(value),)
    items = list(value)
    if len(items) == 1 and isinstance(items[0], (list, tuple)):
        items = list(items[0])
    return tuple(int(item) for item in items)


def axis(args: Args, missing: int = 0) -> int:
    return int(first(args, "dim", "axis", missing=missing))


def split(x: Array, args: Args) -> list[Array]:
    how, at = first(args, "split_size_or_sections", "split_size", "split_sizes"), axis(args)
    lengths = how if isinstance(how, (list, tuple)) else [how] * math.ceil(x.shape[at] / how)
    return np.split(x, np.cumsum(lengths)[:-1], axis=at)


def chunk(x: Array, args: Args) -> list[Array]:
    at = axis(args)
    step = math.ceil(x.shape[at] / args["chunks"])
    return np.split(x, list(range(step, x.shape[at], step)), axis=at)


def tensor_split(x: Array, args: Args, at: int | None = None) -> list[Array]:
    how = args["indices_or_sections"]
    return np.array_split(x, how if isinstance(how, int) else list(how), axis=axis(args) if at is None else at)


def flatten(x: Array, args: Args) -> Array:
    start, end = first(args, "start_dim", missing=0) % x.ndim, first(args, "end_dim", missing=-1) % x.ndim
    return x.reshape(*x.shape[:start], -1, *x.shape[end + 1 :])


def unflatten(x: Array, args: Args) -> Array:
    at = args["dim"] % x.ndim
    return x.reshape(*x.shape[:at], *args["sizes"], *x.shape[at + 1 :])


def permute(x: Array, args: Args) -> Array:
    order = sizes(first(args, "dims", "axes", missing=()))
    return x.transpose(order or tuple(reversed(range(x.ndim))))


def transpose(x: Array, args: Args) -> Array:
    return x.swapaxes(first(args, "dim0", "axis0", "axis1"), first(args, "dim1", "axis2", "axis1"))


def expand(x: Array, args: Args) -> Array | list[Array]:
    if args.get("tensors") or args.get("args"):
        return [np.array(a) for a in np.broadcast_arrays(*[np.asarray(a) for a in first(args, "tensors", "args")])]
    wanted = sizes(first(args, "size", "shape"))
    shape = (
        *wanted[: len(wanted) - x.ndim],
        *(h if w == -1 else w for w, h in zip(wanted[-x.ndim :], x.shape, strict=True)),
    )
    return np.broadcast_to(x, shape)


def squeeze(x: Array, args: Args) -> Array:
    at = first(args, "dim", "axis")
    return x.squeeze() if at is None else x.squeeze(at) if x.shape[at] == 1 else x


def as_strided(x: Array, args: Args) -> Array:
    size, stride = sizes(args["size"]), sizes(args["stride"])
    flat, start = x.reshape(-1), args.get("storage_offset") or 0
    places = np.array(list(np.ndindex(*size))) @ np.array(stride) + start
    return flat[places].reshape(size)


def unfold(x: Array, args: Args) -> Array:
    at, size, step = args["dimension"], args["size"], args["step"]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=at)
    return np.take(windows, range(0, windows.shape[at], step), axis=at)


def diagonal(x: Array, args: Args) -> Array:
    one, two = first(args, "dim1", "axis1", missing=0), first(args, "dim2", "axis2", missing=1)
    return np.diagonal(x, args.get("offset") or 0, one, two)


def view(x: Array, args: Args) -> Array:
    return x.reshape(sizes(first(args, "args", "shape", "size")))


def reshape_as(x: Array, args: Args) -> Array:
    return x.reshape(tuple(args["other"].shape))


def flip(x: Array, args: Args) -> Array:
    at = first(args, "dims", "axis")
    return np.flip(x, None if at is None or at == [] else sizes(at)) if "memo" not in args else x


def unbind(x: Array, args: Args) -> list[Array]:
    return list(np.moveaxis(x, axis(args), 0))


def roll(x: Array, args: Args) -> Array:
    return np.roll(x, first(args, "shifts", "shift"), first(args, "dims", "axis"))


GEOMETRY: dict[str, Callable[[Array, Args], Any]] = {
    "same": lambda x, a: x,
    "parameter": lambda x, a: x,
    "narrow": lambda x, a: np.take(x, range(a["start"], a["start"] + a["length"]), axis=a["dim"]),
    "select": lambda x, a: np.take(x, a["index"], axis=a["dim"]),
    "slice": lambda x, a: np.take(x, range(x.shape[axis(a)])[a["start"] : a["end"] : a["step"]], axis=axis(a)),
    "split": split,
    "chunk": chunk,
    "tensor_split": tensor_split,
    "hsplit": lambda x, a: tensor_split(x, a, 1 if x.ndim > 1 else 0),
    "vsplit": lambda x, a: tensor_split(x, a, 0),
    "dsplit": lambda x, a: tensor_split(x, a, 2),
    "unbind": unbind,
    "iterate": lambda x, a: list(x),  # one argument
    "view": view,
    "reshape": view,
    "reshape_as": reshape_as,
    "view_as": reshape_as,
    "expand_as": lambda x, a: np.broadcast_to(x, tuple(a["other"].shape)),
    "flatten": flatten,
    "unflatten": unflatten,
    "t": lambda x, a: x.T,
    "T": lambda x, a: x.T,
    "mT": lambda x, a: x.swapaxes(-1, -2),
    "permute": permute,
    "transpose": transpose,
    "movedim": lambda x, a: np.moveaxis(x, a["source"], a["destination"]),
    "unsqueeze": lambda x, a: np.expand_dims(x, axis(a)),
    "squeeze": squeeze,
    "expand": expand,
    "as_strided": as_strided,
    "unfold": unfold,
    "diagonal": diagonal,
    "real": lambda x, a: x.real,
    "imag": lambda x, a: x.imag,
    "flip": flip,
    "fliplr": lambda x, a: x[:, ::-1],
    "flipud": lambda x, a: x[::-1],
    "rot90": lambda x, a: np.rot90(x, a["k"] or 1, first(a, "dims", "axes", missing=(0, 1))),
    "roll": roll,
    "repeat": lambda x, a: np.tile(x, sizes(first(a, "repeats", "dims", "reps"))),
}


def arange_shape(args: Args, inclusive: bool = False) -> tuple[int]:
    start, end, step = args["start"], first(args, "end", "stop"), first(args, "step", missing=1)
    start, end = (0, start) if end is None else (start, end)
    return (math.floor((end - start) / step) + 1,) if inclusive else (math.ceil((end - start) / step),)


def count_shape(args: Args) -> tuple[int]:
    return (int(first(args, "steps", "num", "n", "window_length", "size")),)


def square_shape(args: Args) -> tuple[int, int]:
    rows = first(args, "n", "N")
    return (rows, first(args, "m", "M", missing=rows))


def like_shape(args: Args) -> tuple[int, ...]:
    if args.get("shape") is not None:
        return sizes(args["shape"])
    return tuple(next(value.shape for value in args.values() if hasattr(value, "shape")))


def broadcast_shape(args: Args) -> tuple[int, ...]:
    given = [np.shape(v) for name, v in args.items() if hasattr(v, "shape") and name not in ("out", "where")]
    return np.broadcast_shapes(*given)


def cat_shape(args: Args) -> tuple[int, ...]:
    parts, at = first(args, "tensors", "arrays"), axis(args)
    shape = list(parts[0].shape)
    shape[at] = sum(part.shape[at] for part in parts)
    return tuple(shape)


def stack_shape(args: Args) -> tuple[int, ...]:
    parts, at = first(args, "tensors", "arrays"), axis(args)
    return (*parts[0].shape[:at], len(parts), *parts[0].shape[at:])


def randint_shape(args: Args) -> tuple[int, ...]:
    return sizes(args["size"] if args.get("size") is not None else args["args"][-1])


SHAPES: dict[str, Callable[[Args, Any], tuple[int, ...]]] = {
    "size": lambda a, line: sizes(a["size"]),
    "shape": lambda a, line: sizes(a["shape"]),
    "strided": lambda a, line: sizes(a["size"]),
    "bytes": lambda a, line: sizes(a["size"]),
    "constructor": lambda a, line: sizes(first(a, "size", "args")),
    "like": lambda a, line: like_shape(a),
    "arange": lambda a, line: arange_shape(a),
    "range": lambda a, line: arange_shape(a, inclusive=True),
    "count": lambda a, line: count_shape(a),
    "square": lambda a, line: square_shape(a),
    "scalar": lambda a, line: (),
    "data": lambda a, line: np.shape(first(a, line.params[1 if line.params[0].name == "self" else 0].name)),
    "broadcast": lambda a, line: broadcast_shape(a),
    "where": lambda a, line: broadcast_shape(a),
    "cat": lambda a, line: cat_shape(a),
    "stack": lambda a, line: stack_shape(a),
    "randint": lambda a, line: randint_shape(a),
}
