"""How many bytes an element of a dtype has, by its name.

*Claim.* Where a number is given, it is the dtype's size in bytes. *Why that suffices.* The names say it: the first
digits are the bits, and the few names without digits have one size in torch and numpy. *What it gives up.* Names that
mean what the platform does (`numpy.int_`), structures, and dtypes in variables.

    torch.int32, numpy.uint32, "f4"       4, 4, nobody says
    torch.float8_e4m3fn                   1
    torch.half                            2
"""

from __future__ import annotations

import re

_BITS = re.compile(r"(?:u?int|b?float|complex)(\d+)(?:_\w+)?$")
_NAMED = {"bool": 1, "bool_": 1, "short": 2, "half": 2, "double": 8, "cdouble": 16}
_OF_TORCH = {"long": 8, "char": 1, "byte": 1, "float": 4, "int": 4, "cfloat": 8, "chalf": 4}
_COMPLEX = re.compile(r"complex|cfloat|cdouble|chalf")


def itemsize(name: str) -> int | None:
    """The bytes of one element; None where the name does not say."""
    package, _, last = name.rpartition(".")
    if package not in ("torch", "numpy", "cupy"):
        return None
    bits = _BITS.match(last)
    if bits is not None:
        return max(int(bits[1]) // 8, 1)  # what is smaller than a byte comes in packs of one
    if package == "torch" and last in _OF_TORCH:
        return _OF_TORCH[last]
    return _NAMED.get(last)


def surely_real(name: str | None, made_by: str) -> bool:
    """Whether elements of the dtype have no imaginary part. Without a name it is that of another tensor, or a default,
    and no default is complex.
    """
    if name is None:
        return not made_by.endswith("_like") and ".new_" not in made_by
    return _COMPLEX.search(name) is None and itemsize(name) is not None


__all__ = ["itemsize", "surely_real"]
