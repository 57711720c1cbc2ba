"""How to call each hand-written torch operator.

A recipe is a function that makes the arguments anew, or a tuple of such functions (one for each way to call it). The
key is the full name, or the last part of it where `torch.NAME`, `torch.Tensor.NAME` and `torch.ops.aten.NAME` take
the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Recipe = Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]


def a(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def X(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Different small numbers, none of them zero."""
    shape = shape or (4, 6)
    return (torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape) * 0.5 + 1).to(dtype)


def Y(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (X(*shape, dtype=torch.float64).flip(0) * 0.25 + 2).to(dtype)


def I(*values: int) -> torch.Tensor:  # noqa: E743
    return torch.tensor(values)


def N(*shape: int, high: int = 4) -> torch.Tensor:
    """Different whole numbers below `high`."""
    return torch.arange(torch.Size(shape).numel()).reshape(shape) % high


def B(*shape: int) -> torch.Tensor:
    """Every third element is true."""
    shape = shape or (4, 6)
    return (torch.arange(torch.Size(shape).numel()) % 3 == 0).reshape(shape)


def C(*shape: int) -> torch.Tensor:
    return torch.complex(X(*shape), Y(*shape))


def S(value: float = 2.0) -> torch.Tensor:
    return torch.tensor(value)


def E(*shape: int) -> torch.Tensor:
    """As X, but for the first element."""
    values = X(*shape)
    values.view(-1)[0] += 1
    return values


def Z(*shape: int) -> torch.Tensor:
    """Whole numbers, for the bit operators."""
    shape = shape or (4, 6)
    return torch.arange(torch.Size(shape).numel()).reshape(shape) + 5


def W(*shape: int) -> torch.Tensor:
    shape = shape or (4, 6)
    return torch.arange(torch.Size(shape).numel()).reshape(shape) % 3 + 1


RECIPES: dict[str, Recipe | tuple[Recipe, ...]] = {}
R = RECIPES


def put(names: str, *recipes: Recipe) -> None:
    for name in names.split():
        RECIPES[name] = recipes


# ---------------------------------------------------------------- creation

LEGACY = "BFloat16 Bool Byte Char Double Float Half Int Long Short"
put(" ".join(f"torch.{name}Tensor" for name in LEGACY.split()), lambda: a(40, 3))
put("torch.Tensor", lambda: a(4, 3))
put("torch.Tensor.new", lambda: a(X(), 4, 3))
put("torch.Tensor.new_empty", lambda: a(X(), 4, 3), lambda: a(X(), (4, 3)))
put("torch.Tensor.new_empty_strided", lambda: a(X(), (4, 3), (3, 1)))
put("torch.Tensor.new_full", lambda: a(X(), (4, 3), 2.0))
put("torch.Tensor.new_ones torch.Tensor.new_zeros", lambda: a(X(), 4, 3), lambda: a(X(), (4, 3)))
put("torch.Tensor.new_tensor", lambda: a(X(), Y()))
put("torch.TypedStorage torch.UntypedStorage", lambda: a(4000))
put("torch.arange", lambda: a(7), lambda: a(2, 9, 3), lambda: a(2, 9))
put("torch.as_tensor", lambda: a(X()), lambda: a(X(), dtype=torch.float64))
put("torch.asarray", lambda: a(X()), lambda: a(X(), dtype=torch.float64))
WINDOWS = "bartlett_window blackman_window hamming_window hann_window kaiser_window"
put(" ".join(f"torch.{name}" for name in WINDOWS.split()), lambda: a(7))
put("torch.empty", lambda: a(4, 3), lambda: a((4, 3)), lambda: a(5))
put("torch.ones torch.rand torch.randn torch.zeros", lambda: a(4, 3), lambda: a((4, 3)), lambda: a(5))
put("torch.empty_like torch.ones_like torch.rand_like torch.randn_like torch.zeros_like", lambda: a(X()))
put("torch.empty_permuted", lambda: a((4, 3), (1, 0)))
put("torch.empty_strided", lambda: a((4, 3), (1, 4)))
put("torch.eye", lambda: a(4), lambda: a(4, 3))
put("torch.frombuffer", lambda: a(np.arange(6, dtype=np.float32), dtype=torch.float32))
put("torch.from_dlpack torch.utils.dlpack.from_dlpack", lambda: a(X()))
put("torch.from_numpy", lambda: a(np.arange(6.0)))
put("torch.full", lambda: a((4, 3), 2.5))
put("torch.full_like", lambda: a(X(), 2.5))
put("torch.linspace torch.logspace", lambda: a(0.5, 2.0, 5))
put("torch.randint", lambda: a(9, (4, 3)), lambda: a(2, 9, (4, 3)))
put("torch.randint_like", lambda: a(X(), 9), lambda: a(X(), 2, 9))
put("torch.randperm", lambda: a(7))
put("torch.range", lambda: a(1, 7), lambda: a(1, 8, 2))
put("torch.scalar_tensor", lambda: a(2.5))
put("torch.sparse_coo_tensor", lambda: a(torch.tensor([[0, 1, 2], [2, 0, 1]]), X(3), (4, 4)))
put("torch.tensor", lambda: a(X()), lambda: a([[1, 2], [3, 4]]))

# ---------------------------------------------------------------- views and copies

put("adjoint H T mH mT t t_copy t_", lambda: a(X()))
put("atleast_1d atleast_2d atleast_3d", lambda: a(X(), Y()))
put("as_strided as_strided_copy as_strided_", lambda: a(X(), (2, 3), (6, 2), 1), lambda: a(X(), (2, 3), (3, 1)))
put("chunk", lambda: a(X(), 3), lambda: a(X(), 2, 1), lambda: a(X(5, 2), 3))
put(
    "clone conj detach detach_copy detach_ ravel resolve_conj resolve_neg data contiguous cpu share_memory_",
    lambda: a(X()),
)
put("torch.ops.aten.alias cdouble cfloat chalf storage untyped_storage __iter__ __array__ __dlpack__", lambda: a(X()))
put("bfloat16 bool byte char double float half int long short", lambda: a(W().float()))
put("to_dense", lambda: a(X()))
put("__reversed__", lambda: a(X()))
put("as_subclass", lambda: a(X(), torch.Tensor))
put("__deepcopy__", lambda: a(X(), {}))
put("_base", lambda: a(X()[1:]))
put("diagonal diagonal_copy", lambda: a(X()), lambda: a(X(), 1), lambda: a(X(3, 4, 5), 0, 0, 2))
put("torch.linalg.diagonal", lambda: a(X()), lambda: a(X(3, 4, 5), offset=1))
put("dsplit", lambda: a(X(2, 3, 4), 2))
put("flatten", lambda: a(X()), lambda: a(X(2, 3, 4), 1))
put("torch.flip", lambda: a(X(), (0, 1)), lambda: a(X(), [1]))
put("torch.Tensor.flip", lambda: a(X(), 0, 1), lambda: a(X(), (1,)))
put("hsplit", lambda: a(X(), 2), lambda: a(X(), [1, 3]), lambda: a(X(6), 3))
put("vsplit", lambda: a(X(), 2), lambda: a(X(), [1, 3]))
put("moveaxis movedim", lambda: a(X(2, 3, 4), 0, 2), lambda: a(X(2, 3, 4), (0, 1), (2, 0)))
put("narrow narrow_copy", lambda: a(X(), 1, 2, 3), lambda: a(X(), 0, 1, 2))
put("torch.permute permute_copy", lambda: a(X(2, 3, 4), (2, 0, 1)))
put("torch.Tensor.permute", lambda: a(X(2, 3, 4), 2, 0, 1), lambda: a(X(2, 3, 4), (2, 0, 1)))
put("real imag view_as_real", lambda: a(C()))
put("view_as_complex", lambda: a(X(3, 2)))
put("repeat", lambda: a(X(), 2, 3), lambda: a(X(), (2, 1)))
put("torch.reshape", lambda: a(X(), (3, 8)), lambda: a(X().t(), (3, 8)), lambda: a(X(), (-1,)))
put("torch.Tensor.reshape", lambda: a(X(), 3, 8), lambda: a(X().t(), (3, 8)), lambda: a(X(), -1))
put("roll", lambda: a(X(), 2), lambda: a(X(), 1, 0), lambda: a(X(), (1, 2), (0, 1)))
put("select select_copy", lambda: a(X(), 1, 2), lambda: a(X(), 0, -1))
put("slice_copy torch.ops.aten.slice", lambda: a(X(), 1, 1, 5, 2), lambda: a(X(), 0, -2))
put("split", lambda: a(X(), 3), lambda: a(X(), 4, 1), lambda: a(X(), [1, 2, 1]))
put("split_with_sizes", lambda: a(X(), [1, 3]), lambda: a(X(), [1, 2, 3], 1))
put("squeeze squeeze_copy squeeze_", lambda: a(X(1, 4, 1)), lambda: a(X(1, 4, 1), 0), lambda: a(X(2, 4), 0))
put("swapaxes swapdims transpose transpose_copy swapaxes_ swapdims_ transpose_", lambda: a(X(2, 3, 4), 0, 2))
put("tensor_split", lambda: a(X(), 3), lambda: a(X(), [1, 3], 1), lambda: a(X(7, 2), 3))
put("torch.tile", lambda: a(X(), (2, 3)))
put("torch.Tensor.tile", lambda: a(X(), 2, 3), lambda: a(X(), (2,)))
put("unbind", lambda: a(X()), lambda: a(X(), 1))
put("unflatten", lambda: a(X(), 1, (2, 3)))
put("unsqueeze unsqueeze_copy unsqueeze_", lambda: a(X(), 1), lambda: a(X(), -1), lambda: a(X(), 0))
put("rot90", lambda: a(X()), lambda: a(X(), 2, (0, 1)))
put("fliplr flipud", lambda: a(X()))
put("broadcast_to expand_copy", lambda: a(X(1, 4), (3, 4)), lambda: a(X(4), (3, 4)))
put("torch.Tensor.expand", lambda: a(X(1, 4), 3, 4), lambda: a(X(4), 3, -1), lambda: a(X(4, 1), (4, 2)))
put("expand_as", lambda: a(X(1, 4), Y(3, 4)))
put("numpy pin_memory requires_grad_", lambda: a(X()))
put("reshape_as view_as", lambda: a(X(), Y(3, 8)))
put(
    "to",
    lambda: a(X(), torch.float64),
    lambda: a(X(), Y(dtype=torch.float64)),
    lambda: a(X(), "cpu"),
    lambda: a(X(), copy=True),
)
put("type", lambda: a(X(), torch.float64), lambda: a(X(), torch.float32))
put("type_as", lambda: a(X(), Y(dtype=torch.float64)), lambda: a(X(), Y()))
put("torch.Tensor.unfold unfold_copy", lambda: a(X(), 1, 3, 2), lambda: a(X(), 0, 2, 1))
put("torch.Tensor.view", lambda: a(X(), 3, 8), lambda: a(X(), (2, -1)), lambda: a(X(), -1))
put("torch.ops.aten.view view_copy", lambda: a(X(), (3, 8)), lambda: a(X(), (2, 12)))
put("broadcast_tensors", lambda: a(X(1, 4), Y(3, 1)))
put("meshgrid", lambda: a(X(3), Y(4), indexing="ij"))
put("torch.utils.dlpack.to_dlpack", lambda: a(X()))

# ---------------------------------------------------------------- in place

put("copy_ module_load", lambda: a(X(), Y()))
put("fill_", lambda: a(X(), 2.5), lambda: a(X(), S()))
put("zero_", lambda: a(X()))
put("normal_", lambda: a(X()), lambda: a(X(), 1.0, 2.0))
put("uniform_", lambda: a(X()), lambda: a(X(), 1.0, 2.0))
put("random_", lambda: a(X()), lambda: a(X(), 2, 9))
put("exponential_ bernoulli_ cauchy_ log_normal_", lambda: a(X()), lambda: a(X(), 0.5))
put("geometric_", lambda: a(X(), 0.5))
put("set_", lambda: a(X(), Y()))
put("resize_ resize", lambda: a(X(), 2, 3), lambda: a(X(), (5, 6)))
put("torch.Tensor.resize", lambda: a(X(), 4, 6))
put("resize_as_", lambda: a(X(), Y(2, 3)))
put("torch.Tensor.resize_as", lambda: a(X(), Y(4, 6)))
put("scatter_", lambda: a(X(), 1, I(2, 0).view(2, 1), Y(2, 1)))
put("index_put_", lambda: a(X(), (I(0, 2), I(1, 3)), Y(2)), lambda: a(X(), (I(0, 2),), Y(2, 6)))
put("torch.index_put_ torch.ops.aten.index_put_", lambda: a(X(), [I(0, 2), I(1, 3)], Y(2)))
put("index_copy_", lambda: a(X(), 0, I(2, 0), Y(2, 6)))
put("index_fill_", lambda: a(X(), 0, I(2, 0), 9.0), lambda: a(X(), 1, I(1), S()))
put("masked_fill_", lambda: a(X(), B(), 9.0), lambda: a(X(), B(), S()))
put("masked_scatter_", lambda: a(X(), B(), Y()))
put("put_", lambda: a(X(), I(2, 9), Y(2)))
put("fill_diagonal_", lambda: a(X(), 9.0))
put("index_add_", lambda: a(X(), 0, I(2, 0), Y(2, 6)))
put("index_reduce_", lambda: a(X(), 0, I(2, 0), Y(2, 6), "prod"))
put("scatter_add_", lambda: a(X(4, 2), 0, I(2, 0, 2, 0).view(2, 2), Y(2, 2)))
put("scatter_reduce_", lambda: a(X(4, 2), 0, I(2, 0, 2, 0).view(2, 2), Y(2, 2), "sum"))
put("map_", lambda: a(X(), Y(), lambda x, y: x + y))
put("map2_", lambda: a(X(), Y(), Y(), lambda x, y, z: x + y + z))
put("apply_", lambda: a(X(), lambda x: x + 1))
put("add_ sub_ subtract_ __iadd__ __isub__", lambda: a(X(), Y()))
put("mul_ div_ __imul__ __idiv__ __itruediv__ __imod__ __ipow__ __ifloordiv__", lambda: a(X(), W().float()))
put("addmm_", lambda: a(X(3, 2), Y(3, 4), X(4, 2)))
put("addmv_", lambda: a(X(3), Y(3, 4), X(4)))
put("addr_", lambda: a(X(3, 4), Y(3), X(4)))
put("addbmm_", lambda: a(X(3, 2), Y(5, 3, 4), X(5, 4, 2)))
put("baddbmm_", lambda: a(X(5, 3, 2), Y(5, 3, 4), X(5, 4, 2)))
put("addcmul_ addcdiv_", lambda: a(X(), Y(), W().float()))
put("logical_or_", lambda: a(torch.zeros(4, 6, dtype=torch.bool), B()))
put("bitwise_or_ __ior__ __ixor__ __ilshift__ __irshift__", lambda: a(Z(), W()))
put("__iand__", lambda: a(Z(), W() + 200))
put("clamp_", lambda: a(X(), 40.0, 60.0))
put("triu_ tril_", lambda: a(X()), lambda: a(X(), 1))
put("lerp_", lambda: a(X(), Y(), Y()))
put("nan_to_num_ relu_", lambda: a(X()))
put("cumsum_", lambda: a(X(), 1))
put("renorm_", lambda: a(X(), 2, 0, 4.0))
put("torch._foreach_add_", lambda: a([X(), Y()], [Y(), X()]))
put("torch._foreach_copy_", lambda: a([X(), X()], [Y(), X()]))
put("torch._foreach_mul_", lambda: a([X(), Y()], [Y(), X()]))
put("torch._foreach_zero_", lambda: a([X(), Y()]))


def needs_grad() -> tuple[tuple[Any, ...], dict[str, Any]]:
    leaf = X(3).requires_grad_()
    return a((leaf * leaf).sum().reshape(1), torch.ones(1))


put("backward", needs_grad)
INIT = (
    "uniform_ normal_ trunc_normal_ ones_ zeros_ eye_ xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ "
    "orthogonal_"
)
put(" ".join(f"torch.nn.init.{name}" for name in INIT.split()), lambda: a(X()))
put("torch.nn.init.constant_", lambda: a(X(), 2.5))
put("torch.nn.init.sparse_", lambda: a(X(), 0.3))
put("torch.nn.init.dirac_", lambda: a(X(3, 4, 5)))

# ---------------------------------------------------------------- reads

put("gather", lambda: a(X(), 1, N(4, 3)))
put("index_select", lambda: a(X(), 0, I(2, 0)))
put("take", lambda: a(X(), I(2, 9)))
put("take_along_dim", lambda: a(X(), N(4, 3), 1))
put("masked_select", lambda: a(X(), B()))
put("index_add index_copy", lambda: a(X(), 0, I(2, 0), Y(2, 6)))
put("index_fill", lambda: a(X(), 0, I(2, 0), 9.0), lambda: a(X(), 0, I(2, 0), S()))
put("index_put", lambda: a(X(), [I(0, 2), I(1, 3)], Y(2)))
put("index_reduce", lambda: a(X(), 0, I(2, 0), Y(2, 6), "prod"))
put("scatter scatter_add", lambda: a(X(4, 2), 0, I(2, 0, 2, 1).view(2, 2), Y(2, 2)))
put("scatter_reduce", lambda: a(X(4, 2), 0, I(2, 0, 2, 1).view(2, 2), Y(2, 2), "sum"))
put("put", lambda: a(X(), I(2, 9), Y(2)))
put("equal", lambda: a(X(), X()))
put("allclose", lambda: a(X(), X()))
put("isclose eq ne not_equal", lambda: a(X(), E()))
put("lt le gt ge less less_equal greater greater_equal", lambda: a(X(), Y()))
put("bincount", lambda: a(N(8), X(8)))
put("masked_fill", lambda: a(X(), B(), 9.0), lambda: a(X(), B(), S()))
put("masked_scatter", lambda: a(X(), B(), Y()))
META = (
    "numel is_contiguous is_floating_point is_complex is_signed is_conj is_neg is_inference __len__ __hash__ __dir__ "
    "size stride dim ndimension nelement element_size storage_offset storage_type dim_order get_device is_pinned "
    "is_shared shape dtype device layout ndim nbytes itemsize requires_grad is_leaf grad_fn output_nr _version is_cuda "
    "is_cpu is_meta is_sparse is_sparse_csr is_mps is_xpu is_quantized is_nested is_mkldnn retains_grad grad "
    "__dlpack_device__ _is_view is_storage is_tensor"
)
put(META, lambda: a(X()))
put("dense_dim sparse_dim is_coalesced", lambda: a(X().to_sparse()))
put("retain_grad", lambda: a(X().requires_grad_() * 2))
put("register_hook", lambda: a(X().requires_grad_(), lambda grad: None))
put("is_nonzero", lambda: a(S()))
put("is_same_size is_set_to", lambda: a(X(), Y()))
put("torch.is_same_size", lambda: a(X(), Y()))
put("add sub mul div", lambda: a(X(), Y()), lambda: a(X(), 2.0))
put("max min", lambda: a(X()), lambda: a(X(), Y()))
put("clamp", lambda: a(X(), 2.0, 5.0), lambda: a(X(), Y(), Y() + 2))
put("repeat_interleave", lambda: a(X(), I(1, 2, 0, 1), 0), lambda: a(X(), 2))
put("searchsorted", lambda: a(X(6), Y(3)))
put("topk", lambda: a(X(), 2))
put("multinomial", lambda: a(X(), 3))
put("bernoulli", lambda: a(X() / 40))
put("unique unique_consecutive", lambda: a(N(12).float()))
put("item __float__ __int__ __long__ __complex__", lambda: a(S()))
put("__bool__ __nonzero__", lambda: a(torch.tensor(1.0)))
put("__index__", lambda: a(torch.tensor(3)))
put("tolist __repr__ __str__ nonzero argwhere", lambda: a(B().float() * X()))
put("__format__", lambda: a(S(), ".3f"))
put("__contains__", lambda: a(X(), S(2.0)))
put("__invert__", lambda: a(Z()))
put("__neg__ __abs__ __pos__", lambda: a(X() - 3))
ARITHMETIC = "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow div rdiv"
put(" ".join(f"__{name}__" for name in ARITHMETIC.split()), lambda: a(X(), Y()))
put("__matmul__", lambda: a(X(3, 4), Y(4, 2)))
put("__rmatmul__", lambda: a(X(3, 4), Y(4, 3)))
BITS = "and rand or ror xor rxor lshift rlshift rshift"
put("__rrshift__", lambda: a(W(), Z()))
put(" ".join(f"__{name}__" for name in BITS.split()), lambda: a(Z(), W()))
put("__eq__ __ne__", lambda: a(X(), E()))
put("__lt__ __le__ __gt__ __ge__", lambda: a(X(), Y()))
put("data_ptr const_data_ptr", lambda: a(X()))
put("diag_embed", lambda: a(X(3)))
put("torch.Tensor.where", lambda: a(X(), B(), Y()))
put("torch.where", lambda: a(B(), X(), Y()))
put("bucketize", lambda: a(Y(3), X(6)))
put("cat concat concatenate hstack vstack dstack row_stack column_stack stack", lambda: a([X(), Y()]))
put("torch.cat torch.stack torch.concat torch.concatenate", lambda: a([X(), Y()]), lambda: a([X(), Y()], 1))
put("block_diag", lambda: a(X(2, 2), Y(2, 2)))
put("cartesian_prod", lambda: a(X(2), Y(3)))
put("einsum", lambda: a("ij,jk->ik", X(3, 4), Y(4, 2)))
put("tril_indices triu_indices", lambda: a(3, 4))
put("broadcast_shapes", lambda: a((3, 1), (1, 4)))
put("can_cast", lambda: a(torch.float32, torch.float64))
put("promote_types", lambda: a(torch.float32, torch.float64))
put("result_type", lambda: a(X(), Y()))
put("torch.get_device", lambda: a(X()))
put("torch.save", lambda: a(X(), io.BytesIO()))
put("torch.testing.assert_close", lambda: a(X(), X()))
put("torch._assert_async", lambda: a(torch.tensor(1.0)))
put("torch._assert", lambda: a(torch.tensor(True), "no"))
put("torch._check", lambda: a(True))


def a_gradient() -> tuple[tuple[Any, ...], dict[str, Any]]:
    leaf = X(3).requires_grad_()
    return a((leaf * leaf).sum(), [leaf])


put("torch.nested.nested_tensor", lambda: a([X(2, 3), Y(1, 3)]))
put("torch.nested.as_nested_tensor", lambda: a([X(2, 3), Y(1, 3)]))
put("torch.nested.to_padded_tensor", lambda: a(torch.nested.nested_tensor([X(2, 3), Y(1, 3)]), 0.0))
put("torch.nested.narrow", lambda: a(X(4, 6), 1, 0, I(1, 2, 3, 2), layout=torch.jagged))
put("torch.nested.nested_tensor_from_jagged", lambda: a(X(6, 2), I(0, 2, 6)))

# ---------------------------------------------------------------- nn

put("torch.nn.Parameter torch.nn.parameter.Parameter torch.nn.Buffer torch.nn.parameter.Buffer", lambda: a(X()))
put("torch.nn.Module.register_buffer", lambda: a(torch.nn.Module(), "b", X()))
put("torch.nn.Module.register_parameter", lambda: a(torch.nn.Module(), "p", torch.nn.Parameter(X())))
put("torch.nn.Module.state_dict", lambda: a(torch.nn.Module()))
put("torch.nn.ParameterList", lambda: a([torch.nn.Parameter(X())]))
F = "torch.nn.functional."
put(F + "embedding", lambda: a(N(2, 3), X(4, 5)))
put(F + "embedding_bag", lambda: a(N(6), X(4, 5), I(0, 2)))
put(F + "one_hot", lambda: a(N(6)))
put(F + "pad", lambda: a(X(), (1, 2)))
put(F + "cross_entropy", lambda: a(Y(), N(4), torch.arange(1.0, 7.0)))
put(F + "nll_loss", lambda: a(Y(), N(4), torch.arange(1.0, 7.0)))
put(F + "linear", lambda: a(X(3, 4), Y(2, 4), Y(2)))
POINTWISE = "relu relu_ relu6 silu mish hardtanh hardsigmoid hardswish elu selu celu leaky_relu rrelu gelu sigmoid tanh"
put(" ".join(F + name for name in POINTWISE.split()), lambda: a(X() / 5 - 1))
put(F + "threshold", lambda: a(X(), 2.0, 9.0))
put(F + "dropout", lambda: a(X()))
put(F + "alpha_dropout", lambda: a(X(), 0.5, True))
put(F + "feature_alpha_dropout", lambda: a(X(), 0.5, True))
put(F + "dropout1d", lambda: a(X(5, 8, 3)))
put(F + "dropout2d", lambda: a(X(5, 8, 3, 2)))
put(F + "dropout3d", lambda: a(X(5, 8, 3, 2, 2)))
put(F + "softmax", lambda: a(X() ** 2, 1))
put(F + "log_softmax", lambda: a(X() ** 2, 1))
put(F + "layer_norm", lambda: a(X() ** 2, (6,), Y(6), X(6)))
put(F + "rms_norm", lambda: a(X() ** 2, (6,), Y(6)))
put(F + "group_norm", lambda: a(X() ** 2, 3, Y(6), X(6)))
put(F + "normalize", lambda: a(X() ** 2))
put(F + "scaled_dot_product_attention", lambda: a(X(1, 2, 4, 3) ** 2 / 9, Y(1, 2, 4, 3), X(1, 2, 4, 3), torch.eye(4)))
put(F + "interpolate", lambda: a(X(1, 2, 4), 8))
put(F + "grid_sample", lambda: a(X(1, 1, 4, 4), X(1, 2, 2, 2) / 5 - 1, align_corners=False))
put(F + "ctc_loss", lambda: a(Y(5, 2, 4).log_softmax(2), N(2, 2, high=3) + 1, I(5, 4), I(2, 1)))
for loss in ["mse_loss", "l1_loss", "smooth_l1_loss", "kl_div", "binary_cross_entropy_with_logits"]:
    put(F + loss, lambda: a(X(), Y() ** 2))
put(F + "binary_cross_entropy", lambda: a(X() / 40, Y() / 40))
put(F + "max_unpool1d", lambda: a(X(1, 1, 3), I(0, 3, 4).view(1, 1, 3), 2))
put(F + "max_unpool2d", lambda: a(X(1, 1, 2, 2), I(0, 3, 8, 15).view(1, 1, 2, 2), 2))
put(F + "max_unpool3d", lambda: a(X(1, 1, 1, 1, 2), I(0, 10).view(1, 1, 1, 1, 2), 2))
put("torch.nn.utils.parameters_to_vector", lambda: a([X(), Y()]))
put("torch.nn.utils.rnn.pad_sequence", lambda: a([X(3), Y(5)]))
put("torch.nn.utils.rnn.pack_padded_sequence", lambda: a(X(4, 2, 3), I(4, 2)))

# ---------------------------------------------------------------- torch itself

SAYS = (
    "torch._dynamo.is_compiling torch.accelerator.device_count torch.accelerator.is_available "
    "torch.are_deterministic_algorithms_enabled torch.backends.cuda.is_built torch.backends.cudnn.is_available "
    "torch.backends.cudnn.version torch.backends.mkldnn.is_available torch.backends.mps.is_available "
    "torch.backends.mps.is_built torch.compiler.is_compiling torch.compiler.is_dynamo_compiling "
    "torch.compiler.is_exporting torch.cpu.device_count torch.cpu.is_available torch.get_default_device "
    "torch.get_default_dtype torch.get_float32_matmul_precision torch.get_num_interop_threads "
    "torch.get_num_threads torch.is_grad_enabled torch.is_inference_mode_enabled "
    "torch.is_warn_always_enabled torch.jit.is_scripting torch.jit.is_tracing torch.mps.device_count "
    "torch.xpu.device_count torch.xpu.is_available torch.accelerator.current_accelerator torch.cpu.synchronize "
    "torch.is_autocast_enabled"
)
put(SAYS, a)
put("torch.set_default_device", lambda: a("cpu"))
put("torch.set_default_dtype", lambda: a(torch.float32))
put("torch.set_float32_matmul_precision", lambda: a("highest"))
put("torch.set_num_threads", lambda: a(torch.get_num_threads()))
