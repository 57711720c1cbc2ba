"""C++ memory: what an allocation is besides a buffer, and pointers that are another look at one.

*Claim.* A pointer, an iterator or a borrowing tensor is a buffer of its own in the analysis that holds nothing: every
access through it is logged at the memory below, in that memory's elements. *Why that suffices.* There is one log for
each memory, whoever looks at it. *What it gives up.* A look at bytes that does not fall on whole elements is a look at
some unknown part; so is one through several axes.

    float* p = new float[n]         buffer 0: n elements of 4 bytes
    char* c = (char*)p              buffer 1: looks at 0, four of its elements are one below
    memset(c, 0, 4 * n)             write c[0:4n] = write p[0:n]
"""

from __future__ import annotations

from typing import NamedTuple

from allocsafe.flow.buffers import Buffer
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import Array, Const, Dim, Num, Ref, Truth, Value, View
from allocsafe.flow.views import is_whole, is_whole_axis, some_of, view_of_shape
from allocsafe.regions.box import Axis, compose
from allocsafe.regions.exprs import Lin, factors, floordiv, mul
from allocsafe.source import Span

C_LANGUAGES = ("cpp", "cuda")

_BYTES = {
    1: "char bool uchar int8_t uint8_t std::byte unsigned_char signed_char uint8 int8 Byte c10::Float8_e4m3fn "
    "__nv_fp8_e4m3",
    2: "short ushort int16_t uint16_t half __half at::Half c10::Half torch::Half bfloat16 nv_bfloat16 __nv_bfloat16 "
    "at::BFloat16 c10::BFloat16 "
    "unsigned_short char2",
    4: "int uint unsigned float int32_t uint32_t unsigned_int signed_int wchar_t char32_t "
    "half2 __half2 nv_bfloat162 __nv_bfloat162 char4 short2",
    8: "long double size_t ssize_t int64_t uint64_t ptrdiff_t intptr_t uintptr_t "
    "long_long unsigned_long unsigned_long_long long_int long_long_int "
    "longlong ulong float2 int2 uint2 short4",
    16: "float4 int4 uint4 double2 longlong2",
}
SIZES = {
    name.replace("_", " ") if name.split("_")[0] in ("unsigned", "signed", "long") else name: size
    for size, names in _BYTES.items()
    for name in names.split()
}


class Native:
    """The C++ side of a buffer. `source` is the memory that it is another look at; None: it is memory itself.

    `storage`: ``automatic`` (dies with frame `frame`), ``heap``, ``vector`` (the elements of one), ``pointer``,
    ``blob`` (a tensor that borrows). `default`: every element starts as zero. `per_source`: elements for one element
    of the source; `per_own`: the other way.
    """

    __slots__ = (
        "default",
        "element",
        "frame",
        "generation",
        "owner",
        "per_own",
        "per_source",
        "size",
        "source",
        "storage",
        "vector",
    )

    def __init__(self, storage: str, element: str, size: Lin, frame: int, default: bool = False) -> None:
        self.storage = storage
        self.element = element
        self.size = size
        self.frame = frame
        self.default = default
        self.owner = False
        self.source: Array | None = None
        self.per_source = 1
        self.per_own = 1
        self.vector: Ref | None = None
        self.generation: Value | None = None


class Share(NamedTuple):
    """How many elements some bytes are, and whether exactly."""

    elements: Lin
    exact: bool


def in_c(m: Machine) -> bool:
    """Whether C++ or CUDA code is being walked."""
    return bool(m.frames) and m.frame.function.language in C_LANGUAGES


def bare(ctype: str) -> str:
    """A type without const, references and blanks around stars."""
    words = [
        w
        for w in ctype.replace("*", " * ").replace("&", " ").split()
        if w not in ("const", "volatile", "typename", "struct", "restrict", "__restrict__", "__restrict")
    ]
    return " ".join(words).replace(" *", "*")


def size_of_type(m: Machine, ctype: str) -> Lin:
    """`sizeof(T)`: a number, or a symbol of its own."""
    name = bare(ctype)
    if name.endswith("*"):
        return Lin.of(8)
    known = SIZES.get(name) or SIZES.get(name.removeprefix("std::").removeprefix("::"))
    return Lin.of(known) if known else m.symbol(("sizeof", name), f"sizeof({name})", nonneg=True)


def in_elements(count: Lin, size: Lin, *, up: bool = False) -> Share | None:
    """`count` bytes as elements of `size` bytes; a part of an element counts with `up`. None: cannot be said."""
    share = floordiv(count, size)
    if mul(share, size) == count:
        return Share(share, True)
    number = size.as_int()
    if number is None:
        return None
    return Share(floordiv(count + (number - 1), size) if up else share, False)


def assume_size(m: Machine, size: Lin) -> None:
    """A size that is a sum of products of sizes is made of numbers that are not negative; the verdict lists them."""
    for symbol, coef in size.terms:
        if coef > 0:
            for factor in factors(symbol):
                if factor.defn is None:
                    m.assume_nonneg(Lin.of(factor))
                elif factor.defn[0] in ("floordiv", "min", "mul"):
                    assume_size(m, factor.defn[1])
                    assume_size(m, factor.defn[2])


def is_pointer(m: Machine, value: Value) -> bool:
    """Whether a value is a C++ array, pointer or iterator (and no tensor)."""
    return isinstance(value, Array) and value.buf in m.native and m.native[value.buf].storage != "blob"


def is_zero(value: Value | None) -> bool:
    """Whether a value is surely a zero of some kind."""
    if isinstance(value, Num):
        return value.lin.as_int() == 0
    return value == Truth(0) or (isinstance(value, Const) and not value.value)


def look_at(
    m: Machine,
    source: Array,
    span: Span,
    storage: str,
    what: str,
    shape: tuple[Lin, ...] | None,
    size: Lin,
    element: str = "",
) -> Array:
    """Another look at `source`, in elements of `size` bytes. Its own axes are the visible ones of `source`."""
    below = m.buffers[source.buf] if source.buf >= 0 else None
    site = span if storage == "blob" or below is None else below.site
    buffer = Buffer(len(m.buffers), site, what, shape, False, m.pos, ())
    buffer.phase = m.phase
    if below is not None and below.symbol:
        buffer.symbol = below.symbol if storage != "blob" else f"from_blob({below.symbol})"
    m.buffers.append(buffer)
    native = Native(storage, element, size, m.frame.ident)
    native.source = source
    m.native[buffer.ident] = native
    return Array(buffer.ident, view_of_shape(shape))


def real(m: Machine, array: Array) -> Array:
    """The same elements in the memory that they lie in."""
    for _ in range(12):
        native = m.native.get(array.buf)
        if native is None or native.source is None:
            return array
        if native.source.buf < 0:
            return native.source
        view = seen_through(native, native.source.view, array.view, m.buffers[array.buf].shape)
        array = Array(native.source.buf, view)
    return Array(array.buf, some_of(View(None, None, None)))


def root(m: Machine, array: Array) -> Native | None:
    """The record of the memory that an array lies in."""
    return m.native.get(real(m, array).buf)


def seen_through(native: Native, outer: View, inner: View, shape: tuple[Lin, ...] | None) -> View:
    """The elements of `outer` that are behind `inner`, a view of the look."""
    if inner.box is None or inner.frame is not None:
        return outer if inner.extent == "all" and (inner.box is None or is_whole(inner, shape)) else _some(outer)
    whole = (
        inner.extent == "all"
        and shape is not None
        and len(shape) == len(inner.box)
        and all(is_whole_axis(a, s) for a, s in zip(inner.box, shape, strict=True))
    )
    if (
        outer.dims is None
        or outer.box is None
        or len(inner.box) != len(outer.dims)
        or any(d.axis < 0 for d in outer.dims)
    ):
        return outer if whole else _some(outer)
    box = list(outer.box)
    exact = inner.extent == "all"
    for axis, dim in zip(inner.box, outer.dims, strict=True):
        scaled, fits = _scaled(axis, native)
        joined = _below(box[dim.axis], scaled)
        if joined is None:
            return _some(outer)
        exact = exact and fits
        box[dim.axis] = joined
    dims = None
    if inner.dims is not None and native.per_own == native.per_source == 1 and all(d.axis >= 0 for d in inner.dims):
        dims = tuple(Dim(outer.dims[d.axis].axis, d.size) for d in inner.dims)
    return View(outer.frame, tuple(box), dims, extent=outer.extent if exact else "some")


def _below(outer: Axis, inner: Axis) -> Axis | None:
    """`inner` counted from the start of `outer`: a pointer may also look before its own start."""
    if outer.step == 1 and inner.step >= 1:
        return Axis(outer.start + inner.start, tuple(outer.start + stop for stop in inner.stops), inner.step)
    return compose(outer, inner)


def _scaled(axis: Axis, native: Native) -> tuple[Axis, bool]:
    """An axis in elements of the source, and whether exactly."""
    if native.per_own == native.per_source == 1:
        return axis, True
    if native.per_own > 1:
        k = native.per_own
        return Axis(axis.start * k, tuple(stop * k for stop in axis.stops)), axis.step == 1
    k = native.per_source
    size = Lin.of(k)
    fits = axis.step == 1 and all(floordiv(x, size) * k == x for x in (axis.start, *axis.stops))
    return Axis(floordiv(axis.start, size), tuple(floordiv(stop + (k - 1), size) for stop in axis.stops)), fits


def _some(view: View) -> View:
    return some_of(View(view.frame, view.box, None))
