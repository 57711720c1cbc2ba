"""AS201: C++ memory is read before it is written.

Claims, suffices, gives up: as AS101, for arrays, `new[]`, `malloc`, `torch::empty` and `cudaMalloc`. Silent where a
rule from AS202 on says why.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import SPECIAL_CPP, part, say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and not verdict.facets & SPECIAL_CPP:
        yield say("AS201", "error", judged, f"{part(verdict)} of {judged.site.symbol} is read before it is written")


BEFORE = """\
#include <torch/torch.h>

torch::Tensor scaled(const torch::Tensor& x) {
  auto out = torch::zeros({8});
  auto top = out.max();
  out.copy_(x);
  return out / top;
}
"""
BAD = """\
#include <torch/torch.h>

torch::Tensor scaled(const torch::Tensor& x) {
  auto out = torch::empty({8});  // want AS201
  auto top = out.max();
  out.copy_(x);
  return out / top;
}
"""
OK = """\
#include <torch/torch.h>

torch::Tensor scaled(const torch::Tensor& x) {
  auto out = torch::empty({8});
  out.copy_(x);
  auto top = out.max();
  return out / top;
}
"""

RULE = Rule(
    code="AS201",
    name="uninitialised-read",
    title="C++: an element is read before it is written",
    why="""Reading an indeterminate value is undefined behaviour in C++, not just a wrong number: the compiler may
    assume that it never happens.""",
    fix="""Write the elements before they are read, or use the filled form (`torch::zeros`, `calloc`, `T a[n] =
    {}`).""",
    severity="error",
    finds=finds,
    ok=(Case("the copy runs before the maximum", BEFORE, OK, "case.cpp"),),
    bad=(Case("the maximum runs before the copy", BEFORE, BAD, "case.cpp"),),
)
