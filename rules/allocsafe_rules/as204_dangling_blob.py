"""AS204: a tensor that borrows memory outlives it.

Claims: `from_blob` or a view is returned or kept past the end of the memory below it. Suffices: the memory's scope and
the borrower's are both in the function. Gives up: deleters and owners that are passed along.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "dangling" in verdict.facets:
        yield say("AS204", "error", judged, f"the memory below {judged.site.symbol} is gone while it is still in use")


BEFORE = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor pointers(int n) {
  std::vector<long> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt64).clone();
}
"""
BAD = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor pointers(int n) {
  std::vector<long> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt64);  // want AS204
}
"""
OK = """\
#include <torch/torch.h>
#include <vector>

torch::Tensor pointers(int n) {
  std::vector<long> table(n, 0);
  return torch::from_blob(table.data(), {n}, torch::kInt64).contiguous().clone();
}
"""

RULE = Rule(
    code="AS204",
    name="dangling-blob",
    title="C++: a `from_blob` or a view outlives the memory that it borrows",
    why="""`from_blob` copies nothing. Once the local buffer is gone, the tensor reads whatever is put there next.""",
    fix="""Own the memory: `.clone()` before the buffer dies, or move the buffer into the deleter of `from_blob`.""",
    severity="error",
    finds=finds,
    ok=(Case("a clone is returned", BEFORE, OK, "case.cpp"),),
    bad=(Case("the borrower itself is returned", BEFORE, BAD, "case.cpp"),),
)
