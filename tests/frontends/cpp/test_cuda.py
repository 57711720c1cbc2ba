"""CUDA's own syntax, read with a C++ grammar."""

from __future__ import annotations

import pytest
from allocsafe.frontends.cpp.text import defined_words, prepare
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, function, loads, of, one, reasons, unit


@pytest.mark.parametrize(
    "text",
    [
        "__global__ void __launch_bounds__(256, 2) f(int n) {}",
        "template <int N>\n__device__ __forceinline__ float f(const float* __restrict__ p) { return p[0]; }",
        "SOME_HOST_DEVICE_INLINE int f() { return 1; }",
        "kernel<float, 4><<<dim3(1, 2), 256, 0, s>>>(p);",
        "é\u00e9 // __global__\n f<<<1, 2>>>(x);",
    ],
)
def test_preparing_keeps_every_column(text: str) -> None:
    prepared = prepare(text).text
    assert [len(row) for row in prepared.split("\n")] == [len(row) for row in text.split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        'x = "__global__ <<<";',
        "// __global__ a<<<b>>>(c)",
        "/* __device__ */",
        'R"(__global__)"',
        "a << b; c >> d;",
        "#ifdef MY_API\nint x;",
    ],
)
def test_preparing_leaves_text_alone(text: str) -> None:
    assert prepare(text).text == text


def test_launch() -> None:
    lowered = body("k<float><<<grid, dim3(n), 0, stream>>>(p, n);", path="case.cu")
    launch = one(ir.Launch, lowered)
    names = loads(lowered)
    assert names[launch.func] == "k"
    assert names[launch.grid] == "grid"
    assert launch.block == one(ir.Call, lowered).dst
    assert [names[arg.reg] for arg in launch.args] == ["p", "n"]
    assert reasons(lowered) == []


def test_call_of_a_call_is_no_launch() -> None:
    lowered = body("k(a, b)(c);")
    assert of(ir.Launch, lowered) == []
    assert len(of(ir.Call, lowered)) == 2


def test_qualifiers_and_language() -> None:
    text = "static void h() {}\ntemplate <typename T>\n__global__ void\n__launch_bounds__(128)\nf(T* x) {}\n"
    kernel = function(text, path="case.h")
    assert {"__global__", "__launch_bounds__", "template"} <= kernel.qualifiers
    assert kernel.language == "cuda"
    host = function(text, "h", path="case.h")
    assert host.language == "cpp"
    assert host.qualifiers == {"static"}
    assert function(text, "h", path="case.cu").language == "cuda"


def test_first_line_holds_the_qualifiers() -> None:
    (definition,) = unit("\n__global__\n__launch_bounds__(1)\nvoid f() {\n}\n", "case.cu").definitions
    assert (definition.first_line, definition.last_line) == (2, 5)


@pytest.mark.parametrize("text", ["__shared__ float s[128];", "extern __shared__ char s[];"])
def test_shared_memory_is_opaque(text: str) -> None:
    lowered = function(f"__global__ void f() {{ {text} s[0] = 1; }}", path="case.cu")
    assert of(ir.Alloc, lowered) == []
    assert one(ir.Opaque, lowered).reason == "memory shared by the threads of a block"
    assert one(ir.Store, lowered).name == "s"


def test_no_vla_on_the_device() -> None:
    text = "void f(int n) { float a[n]; }"
    assert one(ir.Alloc, function("__global__ " + text, path="case.cu")).kind == "array"
    assert one(ir.Alloc, function(text, path="case.cu")).kind == "vla"


def test_words_of_macros_are_closed() -> None:
    words = defined_words('#define A(x) B(x, y)\n#define B(u, v) \\\n  u[0] = z; "quoted"\n')
    assert words["B"] == {"z"}
    assert words["A"] == {"B", "y", "z"}
    assert defined_words("#define A B\n#define B A\n")["A"] == {"A", "B"}
