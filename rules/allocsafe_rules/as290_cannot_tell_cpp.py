"""AS290: a C++ or CUDA allocation could not be followed.

Claims, suffices, gives up: as AS190.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import cannot_tell


def finds(judged: Judged) -> Iterator[Finding]:
    if judged.site.language != "python":
        yield from cannot_tell("AS290", judged)


BEFORE = """\
#include <torch/torch.h>

void launch(const torch::Tensor& x, torch::Tensor& out);

torch::Tensor attend(const torch::Tensor& x) {
  auto out = torch::zeros({8});
  launch(x, out);
  return out.sum();
}
"""
BAD = """\
#include <torch/torch.h>

void launch(const torch::Tensor& x, torch::Tensor& out);

torch::Tensor attend(const torch::Tensor& x) {
  auto out = torch::empty({8});  // want AS290
  launch(x, out);
  return out.sum();
}
"""
OK = """\
#include <torch/torch.h>

void launch(const torch::Tensor& x, torch::Tensor& out);

torch::Tensor attend(const torch::Tensor& x) {
  auto out = torch::empty({8});
  out.copy_(x);
  launch(x, out);
  return out.sum();
}
"""

RULE = Rule(
    code="AS290",
    name="cannot-tell-cpp",
    title="C++: a changed allocation could not be followed",
    why="""The safety of the patch rests on code that is not visible here, or on a construct that the C++ frontend does
    not model. Nobody has proved the patch; somebody should look.""",
    fix="""Look at the step that is named. If it writes everything, say so as a contract under
    [tool.allocsafe.contracts], or write the buffer in the open.""",
    severity="warning",
    finds=finds,
    ok=(Case("written whole before the closed call", BEFORE, OK, "case.cpp"),),
    bad=(Case("the closed call is the only writer", BEFORE, BAD, "case.cpp"),),
)
