"""How to call each hand-written numpy operator. Keys and values as in torch_recipes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tests.oracle.effects_recipes.torch_recipes import Recipe, a

RECIPES: dict[str, tuple[Recipe, ...]] = {}


def X(*shape: int) -> Any:
    shape = shape or (4, 6)
    return np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape) * 0.5 + 1


def Y(*shape: int) -> Any:
    return np.flip(X(*shape), 0) * 0.25 + 2


def W(*shape: int) -> Any:
    shape = shape or (4, 6)
    return np.arange(int(np.prod(shape))).reshape(shape) % 3 + 1


def B(*shape: int) -> Any:
    return W(*shape) == 1


def C(*shape: int) -> Any:
    return X(*shape) + 1j * Y(*shape)


def I(*values: int) -> Any:  # noqa: E743
    return np.array(values)


def put(names: str, *recipes: Recipe) -> None:
    for name in names.split():
        RECIPES["numpy." + name] = recipes


def method(names: str, *recipes: Recipe) -> None:
    for name in names.split():
        RECIPES["numpy.ndarray." + name] = recipes


put("empty", lambda: a((40, 30)), lambda: a(1200))
put("zeros ones", lambda: a((40, 30)), lambda: a(1200))
put("empty_like zeros_like ones_like", lambda: a(X(40, 30)), lambda: a(X(), shape=(30, 40)))
put("full", lambda: a((40, 30), 2.5))
put("full_like", lambda: a(X(40, 30), 2.5))
put("ndarray", lambda: a((40, 30)))
put("arange", lambda: a(7), lambda: a(2, 9, 3))
put("linspace logspace geomspace", lambda: a(0.5, 2.0, 5))
put("eye tri", lambda: a(4), lambda: a(4, 3))
put("identity", lambda: a(4))
put("indices", lambda: a((2, 3)))
put("array", lambda: a(X()), lambda: a(X(), dtype=np.float32))
put("asarray asanyarray ascontiguousarray", lambda: a(X()), lambda: a(X(), np.float32), lambda: a(X().T))
put("asfortranarray require", lambda: a(X()), lambda: a(X(), np.float32))
put("copy", lambda: a(X()))
put("copyto", lambda: a(X(), Y()))
put("frombuffer", lambda: a(X(6)))
put("fromiter", lambda: a(X(6), float))
put("from_dlpack", lambda: a(X()))
put("concatenate stack", lambda: a([X(), Y()]), lambda: a([X(), Y()], 1))
put("hstack vstack dstack column_stack block", lambda: a([X(), Y()]))
put("append", lambda: a(X(), Y()))
put("insert", lambda: a(X(), I(1, 2), 9.0))
put("delete", lambda: a(X(), I(1, 2), 0))
put("pad", lambda: a(X(), 1))
put("reshape", lambda: a(X(), (3, 8)), lambda: a(X().T, (3, 8)))
put("ravel", lambda: a(X()), lambda: a(X().T))
put("transpose permute_dims", lambda: a(X()), lambda: a(X(2, 3, 4), (2, 0, 1)))
put("matrix_transpose", lambda: a(X(2, 3, 4)))
put("swapaxes", lambda: a(X(2, 3, 4), 0, 2))
put("moveaxis", lambda: a(X(2, 3, 4), 0, 2))
put("rollaxis", lambda: a(X(2, 3, 4), 2))
put("squeeze", lambda: a(X(1, 4, 1)), lambda: a(X(1, 4, 1), 0))
put("expand_dims", lambda: a(X(), 1))
put("broadcast_to", lambda: a(X(1, 4), (3, 4)))
put("broadcast_arrays", lambda: a(X(1, 4), Y(3, 1)))
put("atleast_1d atleast_2d atleast_3d", lambda: a(X(), Y()))
put("split", lambda: a(X(), 2), lambda: a(X(), [1, 3], 1))
put("array_split", lambda: a(X(), 3), lambda: a(X(), [1, 3], 1))
put("hsplit vsplit", lambda: a(X(), 2), lambda: a(X(), [1, 3]))
put("dsplit", lambda: a(X(2, 3, 4), 2))
put("unstack", lambda: a(X()), lambda: a(X(), axis=1))
put("diagonal", lambda: a(X()), lambda: a(X(3, 4, 5), 1, 0, 2))
put("diag", lambda: a(X(3)))
put("real imag", lambda: a(C()))
put("flip", lambda: a(X()), lambda: a(X(), 1))
put("fliplr flipud rot90", lambda: a(X()))
put("roll", lambda: a(X(), 2), lambda: a(X(), 1, 0))
put("tile", lambda: a(X(), (2, 3)))
put("repeat", lambda: a(X(), I(1, 2, 0, 1), 0))
put("resize", lambda: a(X(), (5, 6)))
put("lib.stride_tricks.as_strided", lambda: a(X(), (2, 2), (48, 8)))
put("lib.stride_tricks.sliding_window_view", lambda: a(X(), (2, 2)))
put("take", lambda: a(X(), I(2, 0), 1), lambda: a(X(), I(2, 9)))
put("take_along_axis", lambda: a(X(), W(4, 3), 1))
put("compress", lambda: a(B(4), X(), 0))
put("extract", lambda: a(B(), X()))
put("choose", lambda: a(I(0, 1, 0), [X(3), Y(3)]))
put("select", lambda: a([B(), ~B()], [X(), Y()]))
put("where", lambda: a(B(), X(), Y()))
put("put", lambda: a(X(), I(2, 9), Y(2)))
put("put_along_axis", lambda: a(X(), W(4, 1), Y(4, 1), 1))
put("putmask", lambda: a(X(), B(), Y()))
put("place", lambda: a(X(), B(), Y(3)))
put("fill_diagonal", lambda: a(X(), 9.0), lambda: a(X(), Y(3)))
put("bincount", lambda: a(W(8), X(8)))
put("digitize", lambda: a(Y(3), X(6)))
put("searchsorted", lambda: a(X(6), Y(3)))
put("histogram", lambda: a(X()))
put("unravel_index", lambda: a(I(3, 7), (4, 6)))
put("ravel_multi_index", lambda: a((I(1, 2), I(3, 0)), (4, 6)))
put("array_equal array_equiv allclose isclose", lambda: a(X(), X()))
REDUCTIONS = (
    "sum prod mean std var max min amax amin ptp argmax argmin median average cumsum cumprod nancumsum nansum nanmean "
    "nanmax nanmin"
)
put(REDUCTIONS, lambda: a(X() / 4))
put("all any count_nonzero", lambda: a(B()))
put("percentile", lambda: a(X(), 30.0))
put("quantile", lambda: a(X(), 0.3))
put("nan_to_num", lambda: a(X()))
put("clip", lambda: a(X(), 2.0, 5.0), lambda: a(X(), Y(), Y() + 2))
put("round around", lambda: a(X() / 3, 1))
put("diff ediff1d gradient trapezoid", lambda: a(X() ** 2))
put("convolve correlate", lambda: a(X(4), Y(3)))
put("cov corrcoef", lambda: a(X() ** 2))
put("interp", lambda: a(Y(3), X(6), Y(6)))
put("sort argsort", lambda: a(Y(5, 4), 0))
put("lexsort", lambda: a((Y(5), X(5))))
put("partition argpartition", lambda: a(Y(5, 4), 2, 0))
put("nonzero flatnonzero argwhere", lambda: a(B().astype(float)))
put("unique", lambda: a(W()))
put("isin intersect1d union1d setdiff1d", lambda: a(W(6), I(1, 7)))
put("triu tril", lambda: a(X()))
put("trace", lambda: a(X()))
put("dot inner outer vdot kron", lambda: a(X(3), Y(3)))
put("cross", lambda: a(X(3) ** 2, Y(3)))
put("tensordot", lambda: a(X(3, 4), Y(4, 2), 1))
put("einsum", lambda: a("ij,jk->ik", X(3, 4), Y(4, 2)))
put("meshgrid", lambda: a(X(3), Y(4), copy=False))
put("apply_along_axis", lambda: a(np.sum, 0, X()))
put("may_share_memory shares_memory", lambda: a(X(), Y()))
put("shape size ndim iscomplexobj isrealobj result_type", lambda: a(X()))
put("can_cast", lambda: a(np.float32, np.float64))
put("save savez savez_compressed savetxt", lambda: a(io.BytesIO(), X()))
put("array2string array_repr array_str", lambda: a(X()))
ASSERTS = "assert_allclose assert_array_equal assert_equal assert_almost_equal assert_array_almost_equal"
put(" ".join("testing." + name for name in ASSERTS.split()), lambda: a(X(), X()))
put("testing.assert_array_less", lambda: a(X(), X() + 1))


def square() -> Any:
    return X(3, 3) ** 2 + np.eye(3) * 30


def definite() -> Any:
    return np.array([[4.0, 1.0, 0.5], [1.0, 5.0, 1.5], [0.5, 1.5, 6.0]])


put("linalg.norm linalg.inv linalg.det linalg.svd linalg.qr linalg.pinv", lambda: a(square()))
put("linalg.solve", lambda: a(square(), X(3)))
put("linalg.lstsq", lambda: a(square(), X(3)))
put("linalg.cholesky linalg.eigh", lambda: a(definite()))
put("fft.fft fft.ifft fft.rfft fft.irfft", lambda: a(X(8) ** 2))
put("random.rand random.randn", lambda: a(4, 3))
put("random.random", lambda: a((4, 3)))
put("random.randint", lambda: a(1, 9, (4, 3)))
put("random.normal random.uniform", lambda: a(1.0, 2.0, (4, 3)))
put("random.permutation", lambda: a(X(9)))
put("random.choice", lambda: a(X(9), 3))
put("random.shuffle", lambda: a(X(9)))
put("random.seed", lambda: a(3))
put("random.Generator.random random.Generator.standard_normal", lambda: a(np.random.default_rng(0), (4, 3)))
put("random.Generator.normal random.Generator.uniform", lambda: a(np.random.default_rng(0), 1.0, 2.0, (4, 3)))
put("random.Generator.integers", lambda: a(np.random.default_rng(0), 1, 9, (4, 3)))
put("random.Generator.permutation random.Generator.shuffle", lambda: a(np.random.default_rng(0), X(9)))

UNARY = (
    "absolute abs negative positive sign sqrt cbrt square exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh "
    "tanh arcsinh arctan asinh atan deg2rad rad2deg degrees radians floor ceil trunc rint fabs reciprocal "
    "isfinite isinf isnan signbit spacing"
)
put(UNARY, lambda: a(X() - 3.25), lambda: a(X()))
put("arcsin arccos arctanh asin acos atanh", lambda: a(X() / 30))
put("arccosh acosh", lambda: a(X()))
put("conj conjugate", lambda: a(C()))
put("isnat", lambda: a(X().astype("M8[D]")))
put("logical_not", lambda: a(B()))
put("invert bitwise_not bitwise_invert bitwise_count", lambda: a(W()))
BINARY = (
    "add subtract multiply divide true_divide floor_divide remainder mod fmod power float_power pow maximum minimum "
    "fmax fmin hypot arctan2 atan2 nextafter logaddexp logaddexp2"
)
put(BINARY, lambda: a(X(), Y()))
put("copysign heaviside", lambda: a(X() - 3, Y() - 4))
put("ldexp", lambda: a(X(), W()))
put("gcd lcm bitwise_and bitwise_or bitwise_xor left_shift right_shift", lambda: a(W() + 11, W()))
put("bitwise_left_shift bitwise_right_shift", lambda: a(W() + 11, W()))
put("logical_and logical_or logical_xor", lambda: a(B(), np.roll(B(), 1)))
put("matmul", lambda: a(X(3, 4), Y(4, 2)))
put("vecdot", lambda: a(X(3, 4), Y(3, 4)))
put("equal not_equal", lambda: a(X(), X()))
put("less less_equal greater greater_equal", lambda: a(X(), Y()))
put("modf frexp", lambda: a(X() / 3))
put("divmod", lambda: a(X(), Y()))
put("add.at subtract.at", lambda: a(X(9), I(0, 2, 2), Y(3)))
put("multiply.at", lambda: a(X(9), I(0, 2), Y(2)))
put("maximum.at", lambda: a(X(9), I(0, 2), np.array([40.0, -9.0])))
put("minimum.at", lambda: a(X(9), I(0, 2), X(2) - 9))
put("add.reduce multiply.reduce maximum.reduce minimum.reduce", lambda: a(X()))
put("add.accumulate multiply.accumulate maximum.accumulate minimum.accumulate", lambda: a(Y(5)))
put("add.reduceat", lambda: a(X(6), I(0, 2)))

VIEWS = "T flat data ctypes __array_interface__"
method(VIEWS, lambda: a(X()))
method("mT", lambda: a(X(2, 3, 4)))
method("base", lambda: a(X()[1:]))
method("real imag", lambda: a(C()))
method("shape dtype ndim size strides itemsize nbytes flags __len__ __iter__ __copy__ __array__", lambda: a(X()))
method("__deepcopy__", lambda: a(X(), {}))
method("__contains__", lambda: a(X(), 2.0))
method("__bool__ __float__ __int__", lambda: a(np.array(1.0)))
method("__index__", lambda: a(np.array(3)))
method("__repr__ __str__ tolist tobytes dumps", lambda: a(X()))
method("fill", lambda: a(X(), 2.5), lambda: a(X(), np.array(2.5)))
method("astype", lambda: a(X(), np.float32), lambda: a(X(), np.float64, copy=False))
method("copy", lambda: a(X()))
method("view", lambda: a(X()), lambda: a(X(), np.int64))
method("reshape", lambda: a(X(), 3, 8), lambda: a(X().T, (3, 8)))
method("ravel", lambda: a(X()), lambda: a(X().T))
method("flatten", lambda: a(X()))
method("transpose", lambda: a(X()), lambda: a(X(2, 3, 4), 2, 0, 1))
method("swapaxes", lambda: a(X(2, 3, 4), 0, 2))
method("squeeze", lambda: a(X(1, 4, 1)), lambda: a(X(1, 4, 1), 0))
method("diagonal", lambda: a(X()))
method("repeat", lambda: a(X(), I(1, 2, 0, 1), 0))
method("resize", lambda: a(X(), 4, 6, refcheck=False))
method("take", lambda: a(X(), I(2, 0), 1))
method("compress", lambda: a(X(), B(4), 0))
method("choose", lambda: a(I(0, 1, 0), [X(3), Y(3)]))
method("put", lambda: a(X(), I(2, 9), Y(2)))
method("sort", lambda: a(Y(5, 4), 0))
method("partition", lambda: a(Y(5, 4), 2, 0))
method("byteswap", lambda: a(X()))
method("argsort", lambda: a(Y(5, 4), 0))
method("argpartition", lambda: a(Y(5, 4), 2, 0))
method("searchsorted", lambda: a(X(6), Y(3)))
method("nonzero", lambda: a(B().astype(float)))
method("item", lambda: a(X(), 3))
method("dump", lambda: a(X(), io.BytesIO()))
method("sum prod mean std var max min argmax argmin cumsum cumprod trace", lambda: a(X() / 4))
method("all any", lambda: a(B()))
method("clip", lambda: a(X(), 2.0, 5.0))
method("round", lambda: a(X() / 3, 1))
method("dot", lambda: a(X(3), Y(3)))
method("conj conjugate", lambda: a(C()))
method("setflags", lambda: a(X(), write=True))
method("getfield", lambda: a(X(), np.float64))
method("__iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__", lambda: a(X(), Y()))
method("__ipow__", lambda: a(X(), W()))
method("__ior__ __ixor__ __ilshift__ __irshift__", lambda: a(W() + 60, W()))
method("__iand__", lambda: a(W() + 60, W() + 200))
method("__neg__ __pos__ __abs__", lambda: a(X() - 3))
method("__invert__", lambda: a(W()))
FLOATS = "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow"
method(" ".join(f"__{name}__" for name in FLOATS.split()), lambda: a(X(), Y()))
WHOLE = "and rand or ror xor rxor lshift rlshift rshift"
method("__rrshift__", lambda: a(W(), W() + 11))
method(" ".join(f"__{name}__" for name in WHOLE.split()), lambda: a(W() + 11, W()))
method("__matmul__", lambda: a(X(3, 4), Y(4, 2)))
method("__rmatmul__", lambda: a(X(3, 4), Y(4, 3)))
method("__eq__ __ne__", lambda: a(X(), X()))
method("__lt__ __le__ __gt__ __ge__", lambda: a(X(), Y()))
