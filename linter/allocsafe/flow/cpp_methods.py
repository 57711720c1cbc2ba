"""Calls that C++ code makes: methods of vectors, arrays, tensors and things not followed, and the few functions that
move values.

*Claim.* A method listed as reading touches no element and changes nothing, so the same call on the same value is the
same value again; `size()` of an unknown container is one integer until the container may have changed. *What it gives
up.* Methods that are not listed are unknown calls.
"""

from __future__ import annotations

from allocsafe.flow import cpp_pointers, cpp_vectors
from allocsafe.flow.cpp_memory import bare, is_pointer, real
from allocsafe.flow.extremes import note
from allocsafe.flow.machine import Machine, root_of
from allocsafe.flow.memory import copy_of, escape, holds_array, read, write
from allocsafe.flow.values import NONE, Array, Num, Opaque, Ref, TupleOf, Value
from allocsafe.flow.views import narrow, product, sizes_of, some_of
from allocsafe.regions.exprs import Lin, maximum, minimum
from allocsafe.source import Span

ASKS = frozenset(
    [
        "sizes",
        "strides",
        "options",
        "scalar_type",
        "dtype",
        "device",
        "layout",
        "is_cuda",
        "is_cpu",
        "is_contiguous",
        "defined",
        "get_device",
        "itemsize",
        "element_size",
        "nbytes",
        "ndimension",
        "dim",
        "ndim",
        "is_floating_point",
        "size",
        "numel",
        "sym_size",
        "stride",
        "has_value",
        "device_type",
        "is_pinned",
        "use_count",
        "max_size",
        "capacity",
        "empty",
        "length",
        "c_str",
        "name",
        "type",
        "toString",
        "is_meta",
        "key_set",
        "storage_offset",
        "is_non_overlapping_and_dense",
        "suggest_memory_format",
        "count",
        "find",
        "contains",
    ]
)
"""Methods that look at no element and change nothing."""

ADDRESSES = frozenset(
    [
        "data",
        "data_ptr",
        "const_data_ptr",
        "mutable_data_ptr",
        "get",
        "begin",
        "end",
        "cbegin",
        "cend",
        "c_str",
        "value",
    ]
)
"""Methods of values that are not followed which give an address in them."""


TAKES_ADDRESS = frozenset(
    [
        "mutable_data_ptr",
        "const_data_ptr",
        "data",
        "accessor",
        "packed_accessor32",
        "packed_accessor64",
        "packed_accessor",
        "generic_packed_accessor",
        "storage",
    ]
)
"""Methods of a tensor after which anything may read or write its memory."""


def plain_name(m: Machine, name: str) -> str:
    """The name that the tables know a function of torch by."""
    space, _, short = name.rpartition("::")
    if space not in ("torch", "at", "torch::stable", "at::native", "c10", "torch::headeronly"):
        return name
    if not short[:1].islower():
        return name  # a type
    for candidate in (
        name,
        f"torch::{short}",
        f"torch.{short}",
        f"torch.Tensor.{short}" if short.startswith("new_") or short.endswith("_") else "",
    ):
        if candidate and m.tables.look_up(candidate) is not None:
            return candidate
    return name


def known(m: Machine, name: str, args: list[Value], span: Span, template: str) -> Value | None:
    """A function known by name, where values matter more than elements; None to leave it to the tables."""
    short = name.removeprefix("std::")
    if short in ("min", "max") and len(args) == 2 and not any(holds_array(m, a) for a in args):
        x, y = m.as_lin(args[0]), m.as_lin(args[1])
        if x is not None and y is not None:
            result = minimum(x, y) if short == "min" else maximum(x, y)
            note(m, (x, y), result)
            return Num(result)
        return None
    if name in ("delete", "delete[]"):
        return NONE
    if (
        name.startswith("std::")
        and short in ("data", "begin", "end", "cbegin", "cend", "size", "empty")
        and len(args) == 1
    ):
        return method(m, args[0], short, [], span)
    if name in ("std::ref", "std::cref", "std::as_const", "std::launder") and len(args) == 1:
        return args[0]
    if name in ("std::make_tuple", "std::make_pair", "std::tuple", "std::pair", "std::forward_as_tuple", "std::tie"):
        return TupleOf(tuple(args))
    if (
        name == "std::get"
        and len(args) == 1
        and isinstance(args[0], TupleOf)
        and template.isdigit()
        and int(template) < len(args[0].items)
    ):
        return args[0].items[int(template)]
    if name in ("std::swap", "swap") and len(args) == 2 and any(isinstance(a, Ref) or is_pointer(m, a) for a in args):
        escape(m, args, span, "swapped with another", "container", "plain assignments")
        return NONE
    if short in ("sizeof", "numeric_limits::max", "numeric_limits::min", "numeric_limits::infinity") or name.startswith(
        "std::numeric_limits"
    ):
        return m.unknown(name)
    return None


def method(m: Machine, value: Value, name: str, args: list[Value], span: Span) -> Value | None:
    """A method of anything, by what it is; None when nobody knows it."""
    if isinstance(value, Ref):
        return object_method(m, value, name, args, span)
    if isinstance(value, Array):
        return array_method(m, value, name, args, span)
    return opaque_method(m, value, name, args) if isinstance(value, Opaque) else None


def object_method(m: Machine, ref: Ref, name: str, args: list[Value], span: Span) -> Value | None:
    """A method of a vector or list."""
    kind = m.objects[ref.obj].kind
    if kind == "vector":
        return cpp_vectors.method(m, ref, name, args, span)
    return cpp_vectors.list_method(m, ref, name, args, span) if kind == "list" else None


def array_method(m: Machine, array: Array, name: str, args: list[Value], span: Span) -> Value | None:
    """A method of an array, pointer or tensor."""
    sizes = sizes_of(array.view)
    if not is_pointer(m, array):
        if name == "sizes":
            return (
                TupleOf(tuple(Num(s) for s in sizes))
                if sizes is not None
                else Opaque(("shape-of", ("view", array.buf, array.view), "x"), "x.sizes()")
            )
        if name in ("size", "numel", "dim", "ndimension", "nelement"):
            return None
        if name == "slice":
            return _slice(m, array, args)
        if name == "index":  # by integers and slices it is a view, by tensors a copy
            escape(m, [array], span, "indexed", "view", "whether it is indexed by integers or by tensors")
            return m.unknown("a tensor")
        if name in TAKES_ADDRESS:
            escape(m, [array], span, "reached through its address", "address", "what is done with the address")
            return m.unknown("an address")
        if name in ASKS:
            return Opaque(
                ("attr", ("buf", array.buf), name, tuple(m.to_opaque(a).key for a in args)),
                f"{m.buffers[array.buf].symbol}.{name}()",
            )
        return None
    if name in ("data", "begin", "cbegin"):
        return array
    if name == "get":
        native = m.native.get(real(m, array).buf)
        if native is not None:
            native.owner = True  # a smart pointer: the memory goes with it
        return array
    if name in ("end", "cend") and sizes:
        return cpp_pointers.moved(m, array, Num(sizes[0]), "+")
    if name in ("size", "max_size"):
        return Num(product(sizes)) if sizes is not None else m.unknown("size()")
    if name in ("front", "at"):
        at = m.as_lin(args[0]) if name == "at" and args else Lin.of(0)
        return cpp_pointers.element(m, Array(array.buf, cpp_pointers.element_view(array.view, at)), span)
    if name == "fill" and args:
        read(m, args[0], span, "read by `fill`")
        write(m, array, span, "`fill`")
        return NONE
    if name == "release":
        return array
    if name in ("reset", "operator bool"):
        return NONE
    return None


def _slice(m: Machine, array: Array, args: list[Value]) -> Value:
    """`t.slice(dim, start, end, step)`, all of them optional."""
    lins = [m.as_lin(a, nonneg=True) if isinstance(a, (Num, Opaque)) else None for a in args]
    given = [*lins, *[None] * (4 - len(lins))]
    dim = given[0].as_int() if given[0] is not None else (0 if not args else None)
    step = given[3].as_int() if given[3] is not None else (1 if len(args) < 4 else None)
    if step is None or any(lin is None and isinstance(a, Num) for lin, a in zip(lins, args, strict=True)):
        return Array(array.buf, some_of(array.view))
    return Array(array.buf, narrow(array.view, dim, given[1], given[2], step))


def opaque_method(m: Machine, value: Opaque, name: str, args: list[Value]) -> Value | None:
    """A reading method of something that is not followed: the same value again."""
    if name not in ASKS and name not in ADDRESSES:
        return None
    if (name == "size" and args) or (name in ("stride", "sym_size") and args):
        return None  # of a tensor: the tables know it
    if any(holds_array(m, a) for a in args):
        return None
    version = (m.version(root_of(value.key)), m.version(value.key))
    if name in ("size", "length") and not args:
        return Num(m.symbol(("len", value.key, *version), f"{value.text}.size()", nonneg=True))
    if name == "sizes":
        root = m.shape_root(value)
        return Opaque(("shape-of", root.key, root.text), f"{value.text}.sizes()")
    if name in ("numel",):
        return None
    keys = tuple(m.to_opaque(a).key for a in args)
    return Opaque(("attr", value.key, f"{name}()", keys, version), f"{value.text}.{name}()")


__all__ = ["array_method", "bare", "copy_of", "known", "method", "object_method", "opaque_method"]
