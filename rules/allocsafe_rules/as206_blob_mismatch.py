"""AS206: `from_blob` describes more, or something other, than the buffer holds.

Claims: dtype, sizes or strides reach past the buffer or reinterpret its elements. Suffices: the buffer's element type
and count are visible. Gives up: buffers that come in as bare pointers.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "blob-mismatch" in verdict.facets:
        yield say("AS206", "error", judged, f"the tensor over {judged.site.symbol} does not fit the buffer below it")


BEFORE = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor lengths(int n) {
  std::vector<int64_t> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt64).clone();
}
"""
BAD = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor lengths(int n) {
  std::vector<int32_t> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt64).clone();  // want AS206
}
"""
OK = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor lengths(int n) {
  std::vector<int32_t> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt32).clone();
}
"""

RULE = Rule(
    code="AS206",
    name="blob-mismatch",
    title="C++: `from_blob` whose dtype, sizes or strides do not fit the buffer",
    why="""`from_blob` believes what it is told. A wider dtype or a larger size reads past the end of the buffer.""",
    fix="""Derive dtype and sizes from the buffer itself: its element type and its `size()`.""",
    severity="error",
    finds=finds,
    ok=(Case("the dtype follows the buffer", BEFORE, OK, "case.cpp"),),
    bad=(Case("the dtype is twice as wide", BEFORE, BAD, "case.cpp"),),
)
