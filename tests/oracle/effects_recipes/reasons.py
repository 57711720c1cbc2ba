"""Lines that no recipe can call, and why; and lines that another test executes."""

from __future__ import annotations

import re

GPU = "needs a GPU"
CUPY = "needs cupy, which needs a GPU"
DISTRIBUTED = "tests/oracle/test_effects_distributed.py, with two ranks"
CXX = "tests/oracle/test_effects_cpp.py, compiled"
LIBTORCH = "libtorch's factory is the operator behind the Python function of that name, which is executed"

REASONS = {
    r"torch\.cuda\..*": GPU,
    r"torch\.Tensor\.(cuda|xpu|hpu|record_stream|__cuda_array_interface__)": GPU,
    r"torch\.Tensor\.pin_memory": GPU,
    r"cupyx?\..*": CUPY,
    r"deep_gemm\..*": GPU,
    r"einops\..*": "not installed: a wrapper of reshape, permute and the reductions, which are executed",
    r"torch\.Tensor\.backward|torch\.autograd\.grad": "what it reads was saved by autograd and is no argument",
    r"torch\.Tensor\.chalf": "numpy has no such type to look at it with",
    r"torch\.Tensor\._version": "counts the writes, so the test's own show in it",
    r"torch\.from_file": "its memory is a file's",
    r"torch\.empty_quantized": "needs a quantised example whose back end the build may lack",
    r"torch\.Tensor\.__idiv__": "torch has no such method any more; kept for older code",
    r"numpy\.ndarray\.tofile": "writes to a real file, not to a stream",
    r"torch\.nn\.functional\.(batch|instance)_norm": "executed, training on and off, in test_effects_conditional.py",
    r"torch\.nn\.utils\.vector_to_parameters": "what it keeps is judged in test_effects_conditional.py",
}
ELSEWHERE = {r"torch\.distributed\..*": DISTRIBUTED}
CPP = {r"(torch|at)::.*": LIBTORCH, r"(cuda|hip)[A-Z].*": GPU, r"atomic[A-Z].*|__.*": GPU}


def reason_for(name: str, table: dict[str, str] = REASONS) -> str | None:
    return next((why for pattern, why in table.items() if re.fullmatch(pattern, name)), None)
