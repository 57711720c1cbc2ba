"""AS207: the launch geometry or the merged loop no longer covers what it covered before.

Claims: some element that the old grid reached is reached by none of the new threads, and is read. Suffices: index and
guard are affine in block and thread numbers. Gives up: grids that are run-time values.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import part, say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "uncovered-launch" in verdict.facets:
        yield say(
            "AS207", "error", judged, f"no thread of the new launch writes {part(verdict)} of {judged.site.symbol}"
        )


BEFORE = """\
#include <torch/torch.h>

__global__ void twice(float* out, const float* in, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    out[i] = 2 * in[i];
  }
}

torch::Tensor doubled(const torch::Tensor& x, int n) {
  auto out = torch::empty({n});
  twice<<<(n + 255) / 256, 256>>>(out.data_ptr<float>(), x.data_ptr<float>(), n);
  return out.sum();
}
"""
BAD = """\
#include <torch/torch.h>

__global__ void twice(float* out, const float* in, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    out[i] = 2 * in[i];
  }
}

torch::Tensor doubled(const torch::Tensor& x, int n) {
  auto out = torch::empty({n});  // want AS207
  twice<<<n / 256, 256>>>(out.data_ptr<float>(), x.data_ptr<float>(), n);
  return out.sum();
}
"""
OK = """\
#include <torch/torch.h>

__global__ void twice(float* out, const float* in, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    out[i] = 2 * in[i];
  }
}

torch::Tensor doubled(const torch::Tensor& x, int n) {
  auto out = torch::empty({n});
  twice<<<(n + 511) / 512, 512>>>(out.data_ptr<float>(), x.data_ptr<float>(), n);
  return out.sum();
}
"""

RULE = Rule(
    code="AS207",
    name="uncovered-launch",
    title="CUDA: grid, block or merged loop no longer covers the region that was covered",
    why="""A grid that rounds down leaves the last, incomplete block out. The elements it would have written keep what
    the memory held before.""",
    fix="""Round the grid up: `(n + block - 1) / block`, with the guard `if (i < n)` in the kernel.""",
    severity="error",
    finds=finds,
    ok=(Case("the grid rounds up", BEFORE, OK, "case.cu"),),
    bad=(Case("the grid rounds down", BEFORE, BAD, "case.cu"),),
)
