"""What the text of a type says: is it arithmetic, a pointer, a container, and of what.

Claim: `is_indeterminate` is True only for types whose default-initialised local holds no value (arithmetic types,
pointers, names that end in `_t`, vector types of CUDA, type parameters). Why that suffices: for every other type
the declaration is lowered as a call of its constructor, about which nothing is assumed. What it gives up: a struct
without a constructor is such a call too, so a hole in it is seen as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from allocsafe.frontends.cpp.text import words

_ARITHMETIC = words(
    """bool char short int long unsigned signed float double void wchar_t char8_t char16_t char32_t size_t
    ssize_t ptrdiff_t half half2 __half __half2 nv_bfloat16 __nv_bfloat16 nv_bfloat162 __nv_bfloat162
    bfloat16 uint uchar ushort ulong __int128 cudaStream_t cudaEvent_t cudaError_t"""
)
_VECTOR = re.compile(r"(?:u?(?:char|short|int|long|longlong)|float|double)[1-4]\Z")
_CV = re.compile(
    r"\b(?:const|volatile|static|constexpr|inline|extern|mutable|register|typename|thread_local|struct|struct|class|enum|constinit)\b"
)
_SPACES = re.compile(r"\s+")
_TIGHT = re.compile(r"\s*(::|[<>,&*\[\]()])\s*")

VECTORS = words(
    """std::vector vector c10::SmallVector SmallVector torch::SmallVector at::SmallVector
    thrust::host_vector thrust::device_vector std::deque std::valarray"""
)
ARRAYS = words("std::array array cute::array cutlass::Array cuda::std::array")
OWNERS = frozenset(["std::unique_ptr", "unique_ptr", "std::shared_ptr", "shared_ptr"])
STREAMS = words(
    """std::ostringstream std::stringstream std::ostream std::ofstream std::fstream ostringstream
    stringstream"""
)


def tidy(text: str) -> str:
    """One spelling of a type: no comments, single blanks, none around punctuation."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    text = _SPACES.sub(" ", text).strip()
    return _TIGHT.sub(lambda found: ", " if found[1] == "," else found[1], text)


def bare(ctype: str) -> str:
    """Without const, static and references."""
    return tidy(_CV.sub(" ", ctype)).rstrip("&").strip()


def head_and_arguments(ctype: str) -> tuple[str, tuple[str, ...]]:
    """`std::vector<int, A>` as ("std::vector", ("int", "A"))."""
    text = bare(ctype)
    at = text.find("<")
    if at < 0 or not text.endswith(">"):
        return text, ()
    inner, parts, depth, last = text[at + 1 : -1], [], 0, 0
    for position, char in enumerate(inner):
        if char in "<([":
            depth += 1
        elif char in ">)]":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(inner[last:position].strip())
            last = position + 1
    parts.append(inner[last:].strip())
    return text[:at], tuple(parts)


def is_pointer(ctype: str) -> bool:
    return bare(ctype).endswith("*")


def is_reference(ctype: str) -> bool:
    return tidy(ctype).endswith("&")


def is_const(ctype: str) -> bool:
    return bool(re.search(r"\b(?:const|constexpr)\b", ctype))


def is_arithmetic(ctype: str) -> bool:
    """A number by its name. `name_t` counts, tensors and handles do not."""
    text = bare(ctype)
    if not text or text.endswith("*") or "<" in text:
        return False
    last = text.rpartition("::")[2]
    words = last.split()
    if words and all(word in _ARITHMETIC for word in words):
        return True
    return bool(_VECTOR.match(last)) or (last.endswith("_t") and not last[0].isupper())


def is_indeterminate(ctype: str, parameters: Collection[str]) -> bool:
    """Whether `T x;` leaves x without a value."""
    text = bare(ctype)
    return is_pointer(text) or is_arithmetic(text) or text in parameters or bool(re.fullmatch(r"[A-Z]", text))


def is_vector(ctype: str) -> bool:
    return head_and_arguments(ctype)[0] in VECTORS


def is_array(ctype: str) -> bool:
    return head_and_arguments(ctype)[0] in ARRAYS


def is_stream(ctype: str) -> bool:
    return bare(ctype) in STREAMS
