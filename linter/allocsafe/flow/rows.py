"""Element by element: what an operation makes of unwritten elements, and whether that goes any further.

*Claim.* The result of an operation that computes each element from the one at its place (`x * 2`, `relu(x)`) is
garbage where its operand is, and nowhere else; so it is followed like a copy, and the read of the operand is *soft*.
*Why that suffices.* If every later use of the result meets elements that were written, the garbage stays in rows that
nobody looks at: the reads are reported still, but as contained. If a later use meets it, that use says what becomes of
it: an index, a comparison, a sum over rows. *What it gives up.* Operations of two tensors; anything kept, returned or
handed away with garbage in it is not contained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocsafe.flow.cpp_memory import in_c
from allocsafe.flow.memory import copy_of, log
from allocsafe.flow.values import Array, Const, Num, Opaque, Truth, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

POINTWISE = frozenset(
    """abs add arccos arcsin arctan ceil celu clamp clamp_max clamp_min clip cos cosh deg2rad digamma div divide elu erf
    erfc exp exp2 expm1 floor floor_divide fmod frac gelu hardsigmoid hardswish hardtanh leaky_relu lgamma log log10
    log1p log2 logical_not logsigmoid mish mul multiply nan_to_num neg negative positive pow rad2deg reciprocal relu
    relu6 remainder round rsqrt rsub selu sgn sigmoid sign silu sin sinc sinh softplus softsign sqrt square sub subtract
    tan tanh threshold true_divide trunc xlogy""".split()  # noqa: SIM905 - as above
)
"""Last names of torch's and numpy's operators that compute every element from the one at its place."""


def element_by_element(m: Machine, values: Sequence[Value], span: Span, note: str) -> Array | None:
    """The result of such an operation on one followed tensor and plain numbers, or None where it is something else."""
    arrays = [v for v in values if isinstance(v, Array)]
    if len(arrays) != 1 or in_c(m) or m.dry:
        return None
    array = arrays[0]
    if array.buf < 0 or array.scalar or array.buf in m.native or m.buffers[array.buf].filled or array.view.dims is None:
        return None
    for value in values:
        number = isinstance(value, (Num, Const, Truth)) or (isinstance(value, Opaque) and m.plain_integer(value))
        if value is not array and not number:
            return None
    made = copy_of(m, array, span, f"{note}, element by element")
    m.derived.add(made.buf)
    log(m, array, "read", span, note, soft=made.buf)
    return made


__all__ = ["POINTWISE", "element_by_element"]
