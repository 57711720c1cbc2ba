"""AS205: the source of an asynchronous copy dies or changes while the copy may still run.

Claims: the host memory is freed, moved or rewritten with nothing in between that waits for the stream. Suffices: both
steps are in the function. Gives up: waits inside callees without source. Pageable memory is staged by the driver
before the call returns, pinned memory is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import say, unsafe_cpp


def finds(judged: Judged) -> Iterator[Finding]:
    verdict = unsafe_cpp(judged)
    if verdict is not None and "async-source" in verdict.facets:
        message = f"{judged.site.symbol} is copied from asynchronously and may be gone or changed before the copy runs"
        yield say("AS205", "error", judged, message)


BEFORE = """\
#include <cuda_runtime.h>

void upload(long* device, const long* values, int n, cudaStream_t stream) {
  long* host;
  cudaMallocHost(&host, n * sizeof(long));
  for (int i = 0; i < n; i++) {
    host[i] = values[i];
  }
  cudaMemcpy(device, host, n * sizeof(long), cudaMemcpyHostToDevice);
  cudaFreeHost(host);
}
"""
BAD = """\
#include <cuda_runtime.h>

void upload(long* device, const long* values, int n, cudaStream_t stream) {
  long* host;
  cudaMallocHost(&host, n * sizeof(long));  // want AS205
  for (int i = 0; i < n; i++) {
    host[i] = values[i];
  }
  cudaMemcpyAsync(device, host, n * sizeof(long), cudaMemcpyHostToDevice, stream);
  cudaFreeHost(host);
}
"""
OK = """\
#include <cuda_runtime.h>

void upload(long* device, const long* values, int n, cudaStream_t stream) {
  long* host;
  cudaMallocHost(&host, n * sizeof(long));
  for (int i = 0; i < n; i++) {
    host[i] = values[i];
  }
  cudaMemcpyAsync(device, host, n * sizeof(long), cudaMemcpyHostToDevice, stream);
  cudaStreamSynchronize(stream);
  cudaFreeHost(host);
}
"""

RULE = Rule(
    code="AS205",
    name="async-source",
    title="C++: the source of an async copy dies, moves or changes before the stream has run",
    why="""An asynchronous copy reads its source later. What is freed or rewritten by then goes to the device
    instead.""",
    fix="""Synchronise the stream (or wait for an event) before the source goes, or keep the source alive with the
    work.""",
    severity="error",
    finds=finds,
    ok=(Case("the stream is waited for", BEFORE, OK, "case.cu"),),
    bad=(Case("freed while the copy may run", BEFORE, BAD, "case.cu"),),
)
