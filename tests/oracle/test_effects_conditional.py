"""The lines whose letter depends on an argument: each special of the table "conditional writes", on and off."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="`make oracle` installs it")
pytest.importorskip("numpy")

import numpy as np
import torch
from allocsafe.effects.summary import Summary, parse_line
from allocsafe_rules.effects import HAND, text

from tests.oracle.effects_recipes.checker import Disagrees, check_mutated, check_untouched, resolve
from tests.oracle.effects_recipes.torch_recipes import I, X, Y, a

pytestmark = pytest.mark.filterwarnings("ignore")
LINES = {
    line.name: line
    for name in HAND
    if name not in ("cpp.txt", "cupy.txt")
    for line in (parse_line(row) for row in text(name).splitlines() if not row.startswith("#"))
}


def of_special(special: str, *prefixes: str) -> list[Summary]:
    found = [line for line in LINES.values() if line.special == special and line.name.startswith(prefixes)]
    assert found
    return found


@pytest.mark.parametrize("line", of_special("accumulate", "torch."), ids=lambda line: line.name)
def test_accumulate_reads_the_part_that_it_writes(line: Summary) -> None:
    index = I(2, 9) if line.name.endswith(".put_") else [I(0, 2), I(1, 3)]
    check_mutated(line, lambda: a(X(), index, Y(2)), line.params[0].name, "P")
    check_mutated(line, lambda: a(X(), index, Y(2), True), line.params[0].name, "Q")


@pytest.mark.parametrize("line", of_special("reduce", "torch."), ids=lambda line: line.name)
def test_reduce_reads_the_part_that_it_writes(line: Summary) -> None:
    index = I(2, 0).view(2, 1)
    check_mutated(line, lambda: a(X(), 1, index, Y(2, 1)), "self", "P")
    check_mutated(line, lambda: a(X(), 1, index, Y(2, 1), reduce="add"), "self", "Q")


@pytest.mark.parametrize("line", of_special("inplace", "torch.nn."), ids=lambda line: line.name)
def test_inplace_writes_the_argument_and_returns_it(line: Summary) -> None:
    shape = {"dropout1d": (5, 8, 3), "dropout2d": (5, 8, 3, 2), "dropout3d": (5, 8, 3, 2, 2)}.get(
        line.name[20:], (4, 6)
    )
    extra = (2.0, 9.0) if line.name.endswith("threshold") else ()
    on = {"training": True} if any(param.name == "training" for param in line.params) else {}
    check_untouched(line, lambda: a(X(*shape), *extra, **on), "input")
    check_mutated(line, lambda: a(X(*shape), *extra, inplace=True, **on), "input", "M")
    value = X(*shape)
    assert resolve(line.name)(value, *extra, inplace=True, **on) is value


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout2d"])
def test_dropout_outside_of_training_is_the_argument(name: str) -> None:
    assert LINES[f"torch.nn.functional.{name}"].result == ("maybe", "input")
    value = X(5, 8, 3, 2)
    assert resolve(f"torch.nn.functional.{name}")(value, training=False).data_ptr() == value.data_ptr()


def test_numpy_inplace() -> None:
    check_mutated(LINES["numpy.ndarray.byteswap"], lambda: a(np.arange(5), True), "self", "M")


@pytest.mark.parametrize("line", of_special("where", "numpy."), ids=lambda line: line.name)
def test_where_leaves_the_rest_as_it_was(line: Summary) -> None:
    mask = np.arange(24).reshape(4, 6) % 3 == 0
    number = np.arange(24).reshape(4, 6) % 5 + 1
    if line.name == "numpy.copyto":
        check_mutated(line, lambda: a(number * 1.5, number, where=mask), "dst", "P")
        return
    function = resolve(line.name)
    if line.name.endswith("isnat"):
        number = number.astype("M8[D]")
    operands = [number] * function.nin
    try:
        plain = function(*operands)
    except TypeError:
        operands = [number.astype(float)] * function.nin
        plain = function(*operands)
    many = isinstance(plain, tuple)
    for which in (0, 1):
        outs = [
            np.full_like(item, 7 if item.dtype.kind != "b" else not item[0, 0]) for item in (plain if many else [plain])
        ]
        former = [out.copy() for out in outs]
        function(*operands, out=tuple(outs), where=mask if which else ~mask)
        for out, old, item in zip(outs, former, plain if many else [plain], strict=True):
            chosen = mask if which else ~mask
            assert np.array_equal(out[~chosen], old[~chosen])
            assert np.array_equal(out[chosen], item[chosen], equal_nan=item.dtype.kind == "f")


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics(name: str) -> None:
    """M in training. In evaluation they are read and left alone: the join of both is M, which reads first."""
    line = LINES[f"torch.nn.functional.{name}"]
    flag = "training" if name == "batch_norm" else "use_input_stats"
    for param in ("running_mean", "running_var"):
        check_mutated(line, lambda: a(X(2, 3, 4) ** 2, X(3), Y(3), X(3), **{flag: True}), param, "M")
        check_untouched(line, lambda: a(X(2, 3, 4) ** 2, X(3), Y(3), X(3), **{flag: False}), param)
        with pytest.raises(Disagrees):
            check_mutated(line, lambda: a(X(2, 3, 4) ** 2, X(3), Y(3), X(3), **{flag: False}), param, "M")


def test_resize_keeps_the_memory_and_adds_unwritten() -> None:
    line = LINES["torch.Tensor.resize_"]
    assert (line.special, line.params[0].effect) == ("resize", "V")
    value = X(4)
    torch.use_deterministic_algorithms(True)
    try:
        assert torch.Tensor.resize_(value, 6) is value
    finally:
        torch.use_deterministic_algorithms(False)
    assert value[:4].tolist() == X(4).tolist()
    assert value[4:].isnan().all()


def test_numpy_resize_adds_zeros() -> None:
    value = np.arange(4.0)
    np.ndarray.resize(value, 6, refcheck=False)
    assert value.tolist() == [0, 1, 2, 3, 0, 0]


def test_set_takes_the_other_memory() -> None:
    one, other = X(4), Y(4)
    assert torch.Tensor.set_(one, other) is one
    assert one.data_ptr() == other.data_ptr()


def test_modules_keep_what_they_are_given() -> None:
    module, value = torch.nn.Module(), X(3)
    module.register_buffer("b", value)
    module.register_parameter("p", torch.nn.Parameter(value))
    assert module.b.data_ptr() == value.data_ptr() == module.p.data_ptr()
    assert list(module.state_dict()) == ["p", "b"]
    vector, param = X(6), torch.nn.Parameter(torch.zeros(2, 3))
    torch.nn.utils.vector_to_parameters(vector, [param])
    assert param.data_ptr() == vector.data_ptr()
