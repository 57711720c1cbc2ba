"""The sizes that names of dtypes say, against torch and numpy where they are there."""

from __future__ import annotations

import pytest
from allocsafe.flow.dtypes import itemsize, surely_real

SIZES = {
    "torch.int32": 4, "torch.uint8": 1, "torch.bfloat16": 2, "torch.float8_e4m3fn": 1, "torch.float4_e2m1fn_x2": 1,
    "torch.half": 2, "torch.long": 8, "torch.bool": 1, "torch.complex64": 8, "numpy.float64": 8, "numpy.bool_": 1,
    "numpy.int_": None, "numpy.float": None, "torch.strided": None, "float": None, "kind": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_size_of_an_element(name: str, size: int | None) -> None:
    assert itemsize(name) == size


def test_what_a_real_element_is() -> None:
    assert surely_real(None, "torch.empty") and surely_real("torch.float32", "torch.empty_like")
    assert not any(surely_real(name, "torch.empty") for name in ("torch.complex64", "torch.cfloat", "kind"))
    assert not surely_real(None, "torch.empty_like") and not surely_real(None, "torch.Tensor.new_empty")
