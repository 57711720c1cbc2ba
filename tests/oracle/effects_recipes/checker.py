"""Runs one operator several times and compares what it did with what its table line says.

Claim: a line that passes describes the calls of its recipe. Each effect letter is a statement about two runs:

| letter | what is compared |
|---|---|
| `-` | two contents of the argument, same outcome |
| `R` `I` `C` | some other content, another outcome (another result, another error); the argument itself is left alone |
| `W` | two former contents, the same content after |
| `M` | two former contents, different contents after |
| `A` | as `M`, and what the former content adds is the former content |
| `P` | element by element: kept in both runs, or the same after both; both kinds occur |
| `Q` | element by element: kept in both runs, or different from the former content in both; both kinds occur |
| `V` | the argument is left alone; the result is judged by its kind |

Results: addresses tell whether memory is shared; a poisoned allocator tells whether fresh memory was written.
What it gives up: other shapes and dtypes than the recipe's.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from allocsafe.effects.summary import Summary

from tests.oracle.effects_recipes.geometry import GEOMETRY, SHAPES

Call = tuple[tuple[Any, ...], dict[str, Any]]
MUTATING = "WMPQA"


class Disagrees(AssertionError):
    """The operator does something else than its line says."""


def nan_in(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where the elements are no numbers, whatever their type."""
    return np.isnan(array) if array.dtype.kind in "fc" else np.zeros(array.shape, bool)


def need(holds: object, what: str) -> None:
    if not holds:
        raise Disagrees(what)


# ---------------------------------------------------------------- arrays, whoever made them


def is_array(value: object) -> bool:
    return isinstance(value, (torch.Tensor, np.ndarray))


def arrays(value: object) -> Iterator[Any]:
    """Every tensor and array inside lists, tuples and dicts."""
    if is_array(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays(item)


def content(array: Any) -> np.ndarray[Any, Any]:
    """The elements as they are now, in a numpy array of their own."""
    if isinstance(array, torch.Tensor):
        if array.is_nested:
            return np.concatenate([content(part).reshape(-1) for part in array.unbind()])
        plain = array.detach() if array.layout is torch.strided else array.detach().to_dense()
        if plain.is_quantized:
            plain = plain.dequantize()
        if plain.dtype is torch.bfloat16:
            plain = plain.float()
        return plain.resolve_conj().resolve_neg().clone().numpy()  # numpy() of the tensor itself would pin its storage
    return np.array(array)


def set_content(array: Any, values: np.ndarray[Any, Any]) -> None:
    if isinstance(array, torch.Tensor):
        if array.is_sparse:
            array._values().mul_(2)
            return
        if array.is_nested:
            ends = np.cumsum([part.numel() for part in array.unbind()])
            for part, piece in zip(array.unbind(), np.split(values, ends[:-1]), strict=True):
                set_content(part, piece)
            return
        array.detach().copy_(torch.from_numpy(np.ascontiguousarray(values)).reshape(array.shape))
    else:
        array[...] = values


def digest(value: object) -> object:
    """Something that compares equal exactly for equal contents."""
    if is_array(value):
        found = content(value)
        return ("array", found.shape, str(found.dtype), found.tobytes())
    if isinstance(value, np.generic):
        return ("array", (), str(value.dtype), value.tobytes())
    if isinstance(value, dict):
        return tuple((key, digest(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(digest(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(map(repr, map(digest, value))))
    if isinstance(value, range):
        return repr(value)
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, (int, float, complex, str, bytes, bytearray, bool, type(None))):
        return value
    return type(value).__name__


def span(array: Any) -> tuple[int, int]:
    """The addresses from its first byte to past its last."""
    if isinstance(array, torch.Tensor):
        if array.is_nested:
            spans = [span(part) for part in array.unbind()]
            return min(low for low, _ in spans), max(high for _, high in spans)
        if array.numel() == 0 or array.layout is not torch.strided:
            return (0, 0)
        reach = sum((size - 1) * stride for size, stride in zip(array.shape, array.stride(), strict=True))
        return array.data_ptr(), array.data_ptr() + (reach + 1) * array.element_size()
    low, high = np.lib.array_utils.byte_bounds(array)
    return (int(low), int(high)) if array.size else (0, 0)


def shares(one: Any, other: Any) -> bool:
    (a, b), (c, d) = span(one), span(other)
    return a < d and c < b


# ---------------------------------------------------------------- running


@contextlib.contextmanager
def poisoned() -> Iterator[None]:
    """Fresh memory holds NaN (torch) or 0xA5 bytes (the allocator numpy uses), so that what is unwritten shows."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(-6, 0x5A)  # M_PERTURB: malloc fills with the complement
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(-6, 0)


def unwritten(array: Any) -> np.ndarray[Any, Any]:
    """Which elements show the poison."""
    found = content(array)
    if found.size == 0:
        return np.zeros(found.shape, bool)
    by_torch = np.zeros(found.shape, bool)
    if isinstance(array, torch.Tensor) and found.dtype.kind in "fc":
        by_torch = np.isnan(found)
    elif isinstance(array, torch.Tensor):
        by_torch = found == (True if found.dtype.kind == "b" else np.iinfo(found.dtype).max)
    flat = np.ascontiguousarray(found).reshape(-1).view(np.uint8).reshape(found.size, -1)
    return by_torch | (flat == 0xA5).all(axis=1).reshape(found.shape)


def resolve(name: str) -> Any:
    """The operator itself: `torch.Tensor.add` by import and attributes."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            thing = getattr(thing, part)
        return thing
    raise ImportError(name)


def call(line: Summary, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    if line.note.startswith("attribute"):
        return getattr(args[0], line.name.rpartition(".")[2])
    return resolve(line.name)(*args, **kwargs)


def outcome(line: Summary, args: tuple[Any, ...], kwargs: dict[str, Any], leave_out: object = None) -> tuple[Any, ...]:
    """All that a call shows: result, error, printed text, contents of its arguments but the one to leave out."""
    hidden = {id(array) for array in arrays(leave_out)}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            result = digest(call(line, args, kwargs))
    except Exception as error:
        result = (type(error).__name__, str(error))
    rest = [array for array in arrays([*args, *kwargs.values()]) if id(array) not in hidden]
    streams = [value for value in (*args, *kwargs.values()) if isinstance(value, io.BytesIO)]
    return (result, printed.getvalue(), digest(rest), digest(streams))


# ---------------------------------------------------------------- arguments


def bind(line: Summary, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by the names of the line. Raises where the line has no place for one."""
    bound: dict[str, Any] = {}
    rest = list(args)
    for param in line.params:
        if param.kind == "star":
            bound[param.name], rest = rest, []
        elif param.kind == "positional" and rest:
            bound[param.name] = rest.pop(0)
    need(not rest, f"no parameter for the positional arguments {rest}")
    for name, value in kwargs.items():
        need(name in {param.name for param in line.params}, f"no parameter {name!r}")
        bound[name] = value
    missing = [p.name for p in line.params if p.name not in bound and p.kind == "positional" and p.default is None]
    need(not missing, f"the recipe gives no {missing}")
    return bound


def variations(values: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    """Other contents of the same shape and dtype."""
    if values.dtype.kind == "b":
        yield ~values
        yield np.roll(values, 1)
        yield values & False
        yield values | True
        return
    if values.dtype.kind == "M":
        yield np.full_like(values, "NaT")
        return
    if values.dtype.kind in "SUO":
        return
    yield np.flip(values).copy()
    yield np.roll(values, 1)
    yield (values * 0).astype(values.dtype)
    yield (values + 1).astype(values.dtype)
    if values.dtype.kind in "fc":
        yield values * np.nan
        yield values * np.inf
        yield -values - 3


def former_contents(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if values.dtype.kind == "b":
        return np.zeros_like(values), np.ones_like(values)
    count = np.arange(values.size).reshape(values.shape)
    one, two = (31 + 2 * np.flip(count)).astype(values.dtype), (90 - count).astype(values.dtype)
    if values.dtype.kind == "f":
        two = -two
        two.reshape(-1)[-1:] = np.nan
    return one, two


def equal(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray((one == other) | (nan_in(one) & nan_in(other)))


# ---------------------------------------------------------------- the letters


def check_untouched(line: Summary, make: Callable[[], Call], name: str) -> None:
    args, kwargs = make()
    value = bind(line, args, kwargs)[name]
    before = digest(value)
    shown = [(id(a), span(a)) for a in arrays(value)]
    with contextlib.redirect_stdout(io.StringIO()):
        call(line, args, kwargs)
    if line.result.kind == "=" and line.special:  # it changes how the argument looks, or which memory it is
        return
    if line.result.kind == "=":
        shown = [(id(a), span(a)) for a in arrays(value)]  # share_memory_ moves the memory, with all its views
    need(digest(value) == before, f"{name} is changed by the call")
    need([(id(a), span(a)) for a in arrays(value)] == shown, f"{name} lies elsewhere after the call")


def outcomes_over_contents(line: Summary, make: Callable[[], Call], name: str) -> tuple[object, list[object]]:
    args, kwargs = make()
    base = outcome(line, args, kwargs, bind(line, args, kwargs)[name])
    others = []
    args, kwargs = make()
    for at, array in enumerate(arrays(bind(line, args, kwargs)[name])):
        for other in variations(content(array)):
            args, kwargs = make()
            value = bind(line, args, kwargs)[name]
            set_content(list(arrays(value))[at], other)
            others.append(outcome(line, args, kwargs, value))
    return base, others


def same_object_shows_content(line: Summary, make: Callable[[], Call], name: str) -> bool:
    """Whether the same objects give another result after their elements changed (`hash`, `id`, `data_ptr`)."""
    args, kwargs = make()
    before = outcome(line, args, kwargs)[0]
    for array in arrays(bind(line, args, kwargs)[name]):
        set_content(array, next(variations(content(array))))
    return bool(outcome(line, args, kwargs)[0] != before)


Formers = Callable[[np.ndarray[Any, Any]], tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def after(
    line: Summary, make: Callable[[], Call], name: str, which: int, formers: Formers
) -> tuple[list[Any], list[Any]]:
    """Contents before and after a call that starts from the first or second former content."""
    args, kwargs = make()
    value = bind(line, args, kwargs)[name]
    for array in arrays(value):
        set_content(array, formers(content(array))[which])
    before = [content(array) for array in arrays(value)]
    call(line, args, kwargs)
    return before, [content(array) for array in arrays(value)]


def check_mutated(
    line: Summary, make: Callable[[], Call], name: str, effect: str, formers: Formers = former_contents
) -> None:
    (old_1, new_1), (old_2, new_2) = (after(line, make, name, which, formers) for which in (0, 1))
    for a, b, x, y in zip(old_1, old_2, new_1, new_2, strict=True):
        same = equal(x, y)
        kept = equal(x, a) & equal(y, b)
        if effect == "W":
            need(same.all(), f"{name}: the former content shows after the call: not W")
        elif effect in "MA":
            need(not same.all(), f"{name}: the former content does not matter: not {effect}")
            need(not kept.all(), f"{name}: nothing is written: not {effect}")
        elif effect == "P":
            need(
                (same | kept).all(), f"{name}: an element is neither kept nor independent of the former content: not P"
            )
            need(same.any() and kept.any() and not kept.all(), f"{name}: not a part is written: not P")
        else:
            need((~same).all() or effect != "Q", f"{name}: an element does not depend on the former content: not Q")
            need(kept.any() and not kept.all(), f"{name}: not a part is written: not Q")
    if effect == "A":
        check_adds(line, make, name)


def check_adds(line: Summary, make: Callable[[], Call], name: str) -> None:
    args, kwargs = make()
    target = next(arrays(bind(line, args, kwargs)[name]))
    former = content(target)
    call(line, args, kwargs)
    found = content(target)
    args, kwargs = make()
    target = next(arrays(bind(line, args, kwargs)[name]))
    set_content(target, np.zeros_like(former))
    call(line, args, kwargs)
    from_zero = content(target)
    if former.dtype.kind in "bi":
        need((found == (former | from_zero)).all(), f"{name}: the former content is not joined: not A")
    else:
        need(np.allclose(found - from_zero, former), f"{name}: what the former content adds is not itself: not A")


def check_params(line: Summary, make: Callable[[], Call]) -> None:
    args, kwargs = make()
    bound = bind(line, args, kwargs)
    for param in line.params:
        if not any(True for _ in arrays(bound.get(param.name))):
            continue
        if param.effect in MUTATING:
            check_mutated(line, make, param.name, param.effect)
            continue
        check_untouched(line, make, param.name)
        if param.effect in "RIC":
            base, others = outcomes_over_contents(line, make, param.name)
            need(any(other != base for other in others), f"{param.name}: no content changes the outcome: not read")
        elif param.effect == "-":
            base, others = outcomes_over_contents(line, make, param.name)
            if line.result.kind not in ("alloc",):
                steady = all(other == base for other in others) or not same_object_shows_content(line, make, param.name)
                need(steady, f"{param.name}: its content changes the outcome: not -")


# ---------------------------------------------------------------- the result


def operands(bound: dict[str, Any]) -> list[Any]:
    return list(arrays(list(bound.values())))


def seen_as_array(result: Any) -> Any:
    """Storages and buffers as arrays over the same memory."""
    if isinstance(result, torch.TypedStorage):
        return torch.empty(0, dtype=result.dtype).set_(result)
    if isinstance(result, torch.UntypedStorage):
        return torch.empty(0, dtype=torch.uint8).set_(result)
    if type(result).__name__ == "PyCapsule":
        return torch.utils.dlpack.from_dlpack(result)
    if isinstance(result, bytearray):
        return np.frombuffer(result, np.uint8)
    if isinstance(result, (set, frozenset)):
        return sorted(result, key=lambda item: float(item.reshape(-1)[0]))
    if hasattr(result, "__next__") and not isinstance(result, np.flatiter):
        return list(result)
    if isinstance(result, np.flatiter):
        return result.base.reshape(-1)
    return np.asarray(result) if isinstance(result, memoryview) else result


def is_made_of(result: Any, source: Any) -> bool:
    """Every element of the result is an element of the source (in the result's type)."""
    values = content(source)
    return bool(
        np.isin(content(result), values.astype(content(result).dtype) if values.dtype.kind != "c" else values).all()
    )


def check_result(line: Summary, make: Callable[[], Call]) -> None:
    args, kwargs = make()
    bound = bind(line, args, kwargs)
    before = {name: [content(a) for a in arrays(value)] for name, value in bound.items()}
    inputs = operands(bound)
    with poisoned(), contextlib.redirect_stdout(io.StringIO()):
        result = call(line, args, kwargs)
    result = seen_as_array(result)
    kind = line.result.kind
    made = [result] if is_array(result) else list(arrays(result))
    sources = list(arrays(bound.get(line.result.param))) if line.result.param else []
    if kind == "none":
        need(result is None, f"the result is {type(result).__name__}, not None")
    elif kind == "=":
        need(result is bound[line.result.param], f"the result is not the argument {line.result.param}")
    elif kind in ("meta", "scalar"):
        need(not made, "the result holds arrays")
    elif kind in ("new", "alloc", "filled", "tuple"):
        need(made or np.isscalar(result), f"the result is {type(result).__name__}")
        need(kind != "tuple" or isinstance(result, (tuple, list)), "the result is no tuple")
        for array in made:
            need(not any(shares(array, other) for other in inputs), "the result shares memory with an argument")
            bad = unwritten(array)
            if kind == "alloc":
                need(array.shape == () or bad.all(), "the fresh memory is written")
            elif not line.special.startswith("where"):
                told = bad.size > 2 and content(array).dtype.kind != "b"  # all true may be the answer
                need(not (bad.all() and told) or is_answer(line, make, result), "the fresh memory is not written")
    elif kind in ("view", "views"):
        if line.special == "address":
            return
        items = made or list(arrays(list(result)))
        need(items, f"the result is {type(result).__name__}")
        need(
            all(any(shares(i, s) for s in sources) for i in items if i.size != 0),
            "the result does not share the memory",
        )
    elif kind == "copy":
        need(made and not any(shares(m, s) for m in made for s in inputs), "the result shares memory")
        need(all(any(is_made_of(m, s) for s in sources) for m in made), "the result has elements of its own")
    elif kind == "maybe":
        items = made or list(arrays(list(result)))
        effect = next(param.effect for param in line.params if param.name == line.result.param)
        if effect == "R":  # the argument itself, or a result that was computed from it
            return
        fine = all(any(shares(m, s) or is_made_of(m, s) for s in sources) for m in items)
        need(items and fine, "the result has elements of its own")
    check_special(line, bound, before, result)


def is_answer(line: Summary, make: Callable[[], Call], result: Any) -> bool:
    """What looks like poison comes out without poisoned memory too: a NaN that was computed."""
    args, kwargs = make()
    return digest(call(line, args, kwargs)) == digest(result)


def check_special(line: Summary, bound: dict[str, Any], before: dict[str, Any], result: Any) -> None:
    """The shape or the geometry that the line names, against a plain numpy model of it."""
    names = dict(bound)
    for param in line.params:
        names.setdefault(param.name, None if param.default == "None" else _literal(param.default))
    if line.result.kind in ("alloc", "filled", "new") and line.special in SHAPES:
        shape = SHAPES[line.special](names, line)
        need(
            tuple(np.shape(result)) == tuple(shape),
            f"the shape is {tuple(np.shape(result))}, !{line.special} says {shape}",
        )
    if line.result.kind in ("view", "views", "copy", "maybe", "=") and line.special in GEOMETRY:
        source = before[line.result.param][0]
        if any(param.name == line.result.param and param.effect == "W" for param in line.params):
            source = content(next(arrays(bound[line.result.param])))
        expected = GEOMETRY[line.special](source, names)
        found = [content(a) for a in arrays(result if isinstance(result, (list, tuple)) else [result])]
        if not found:
            found = [content(a) for a in result]
        wanted = expected if isinstance(expected, list) else [expected]
        same = len(found) == len(wanted) and all(
            f.shape == w.shape and np.array_equal(f, w.astype(f.dtype)) for f, w in zip(found, wanted, strict=True)
        )
        need(same, f"!{line.special} gives {wanted}, the operator {found}")


def _literal(text: str | None) -> object:
    if text is None:
        return None
    try:
        return eval(text, {"__builtins__": {}}, {"True": True, "False": False})
    except Exception:
        return text


def check_out(line: Summary, make: Callable[[], Call]) -> None:
    """`out` is written whole and is not read. A copy's `out` is P for what comes along, not for what is left."""
    param = next((p for p in line.params if p.name == "out" and p.effect in "WP"), None)
    args, kwargs = make()
    if param is None or "out" in bind(line, args, kwargs):
        return
    plain = call(line, args, kwargs)
    contents = []
    for which in (0, 1):
        args, kwargs = make()
        outs = [_empty_of(item, which) for item in (plain if isinstance(plain, (tuple, list)) else [plain])]
        call(line, args, {**kwargs, "out": tuple(outs) if isinstance(plain, (tuple, list)) else outs[0]})
        contents.append([digest(out) for out in outs])
    need(contents[0] == contents[1], "out: the former content shows after the call: not W")


def _empty_of(item: Any, which: int) -> Any:
    array = (
        torch.empty(item.shape, dtype=item.dtype) if isinstance(item, torch.Tensor) else np.empty_like(np.asarray(item))
    )
    set_content(array, former_contents(content(array))[which])
    return array


def check_names(line: Summary, make: Callable[[], Call]) -> None:
    """The names of the parameters after the first are the operator's own: giving them by keyword is the same call."""
    args, kwargs = make()
    first = 1 if ".Tensor." in line.name or ".ndarray." in line.name else 0
    positional = [param.name for param in line.params if param.kind == "positional"]
    if any(param.kind == "star" for param in line.params) or line.note.startswith("attribute"):
        return
    base = outcome(line, args, kwargs)
    args, kwargs = make()
    named = dict(zip(positional[first:], args[first:], strict=False))
    found = outcome(line, args[:first], {**named, **kwargs})
    need(found[0] == base[0], f"by keyword: {str(found[0])[:200]}")  # type: ignore[index]
