"""Programs in C++, each with a twin that differs in one place and has another verdict."""

# ruff: noqa: E501

from __future__ import annotations

import inspect

import pytest
from allocsafe.flow import analysis, cplusplus
from allocsafe.flow.machine import STEPS
from allocsafe.ir import nodes
from allocsafe.pipeline import check_texts
from allocsafe.report.records import SiteReport

assert analysis and cplusplus  # importing them registers the steps


def sites(before: str, after: str, path: str = "a.cpp") -> list[SiteReport]:
    report = check_texts({path: before}, {path: after})
    assert report.errors == ()
    return list(report.sites)


def judged(before: str, after: str, symbol: str = "", path: str = "a.cpp") -> tuple[str, tuple[str, ...]]:
    """The verdict and codes of the one site called `symbol` (or of the only site)."""
    found = [s for s in sites(before, after, path) if not symbol or s.judged.site.symbol == symbol]
    assert len(found) == 1, [(s.judged.site.symbol, type(s.judged.verdict).__name__) for s in found]
    one = found[0]
    return type(one.judged.verdict).__name__.lower(), tuple(f.rule for f in one.findings)


def why(before: str, after: str, symbol: str = "", path: str = "a.cpp") -> str:
    found = [s for s in sites(before, after, path) if not symbol or s.judged.site.symbol == symbol]
    return " / ".join(s.judged.verdict.reason for s in found)


def test_every_step_has_a_meaning() -> None:
    kinds = [
        v for v in vars(nodes).values() if inspect.isclass(v) and issubclass(v, nodes.Step) and v is not nodes.Step
    ]
    assert len(kinds) > 40
    assert [kind.__name__ for kind in kinds if kind not in STEPS] == []


# ---------------------------------------------------------------- arrays


SUM = "  long s = 0;\n  for (int i = 0; i < n; ++i) s += a[i];\n  return s;\n}\n"
HEAD = "long f(const long* x, int n) {\n"
FILLED = HEAD + "  long* a = new long[n]();\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n" + SUM


@pytest.mark.parametrize(
    ("body", "verdict", "codes"),
    [
        ("  long* a = new long[n];\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n", "safe", ()),
        ("  long* a = new long[n];\n  for (int i = 1; i < n; ++i) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  long* a = new long[n];\n  for (int i = n - 1; i >= 0; --i) a[i] = x[i];\n", "safe", ()),
        ("  long* a = new long[n];\n  for (int i = n - 1; i > 0; --i) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  long* a = new long[n];\n", "unsafe", ("AS201",)),
        ("  long a[n];\n  for (int i = 0; i < n; i += 2) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  for (int i = 0; i < n; i += 2) a[i] = 1;\n  for (int i = 1; i < n; i += 2) a[i] = 2;\n", "safe", ()),
        ("  long a[n];\n  std::fill(a, a + n, 7);\n", "safe", ()),
        ("  long a[n];\n  std::fill(a, a + n - 1, 7);\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  std::fill_n(a, n, 7);\n", "safe", ()),
        ("  long a[n];\n  std::copy(x, x + n, a);\n", "safe", ()),
        ("  long a[n];\n  std::copy(x, x + n - 1, a);\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  std::copy_n(x, n, a);\n", "safe", ()),
        ("  long a[n];\n  memcpy(a, x, n * sizeof(long));\n", "safe", ()),
        ("  long a[n];\n  memcpy(a, x, n);\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  memcpy(a, x, sizeof(a));\n", "safe", ()),
        ("  long a[n];\n  memcpy(a, x, n * sizeof(a[0]));\n", "safe", ()),
        ("  long a[n];\n  memcpy(a, x, sizeof(x));\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  memcpy(&a[0], x, n * sizeof(long));\n", "safe", ()),
        ("  long a[n];\n  memcpy(a + 1, x, (n - 1) * sizeof(long));\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  memcpy(a + 1, x, (n - 1) * sizeof(long));\n  *a = 3;\n", "safe", ()),
        ("  long a[n];\n  long* p = a + 1;\n  for (int i = 0; i < n - 1; ++i) p[i] = x[i];\n  p[-1] = 3;\n", "safe", ()),
        ("  long a[n];\n  long* p = a + 1;\n  for (int i = 0; i < n - 1; ++i) p[i] = x[i];\n  p[0] = 3;\n", "unsafe", ("AS202",)),
        ("  long a[n];\n  char* c = reinterpret_cast<char*>(a);\n  memset(c, 0, n * sizeof(long));\n", "safe", ()),
        ("  long a[n];\n  char* c = reinterpret_cast<char*>(a);\n  memset(c, 0, n);\n", "unsafe", ("AS202",)),
        ("  long* a = (long*)malloc(n * sizeof(long));\n  memset(a, 0, n * sizeof(long));\n", "safe", ()),
        ("  long* a = (long*)malloc(n * sizeof(long));\n  memset(a, 0, n * sizeof(int));\n", "unsafe", ("AS202",)),
        ("  long* a = static_cast<long*>(std::malloc(sizeof(long) * n));\n  for (int i = 0; i < n; ++i) a[i] = 1;\n", "safe", ()),
        ("  auto a = std::make_unique<long[]>(n);\n", "safe", ()),
        ("  auto a = std::make_unique_for_overwrite<long[]>(n);\n", "unsafe", ("AS201",)),
        ("  long a[n];\n  init(a, n);\n", "unknown", ("AS290",)),
        ("  long a[n];\n  for (int i = 0; i < n; ++i) { if (x[i] > 0) a[i] = x[i]; }\n", "unsafe", ("AS201",)),
    ],
)  # fmt: skip
def test_arrays(body: str, verdict: str, codes: tuple[str, ...]) -> None:
    assert judged(FILLED, HEAD + body + SUM, "a") == (verdict, codes)


def test_a_callee_of_the_file_is_walked() -> None:
    for bound, verdict in (("n", "safe"), ("n - 1", "unsafe")):
        callee = f"static void init(long* p, int n) {{\n  for (int i = 0; i < {bound}; ++i) p[i] = 1;\n}}\n"
        assert (
            judged(callee + FILLED, callee + HEAD + "  long* a = new long[n];\n  init(a, n);\n" + SUM, "a")[0]
            == verdict
        )


def test_a_callee_in_a_namespace_is_walked() -> None:
    callee = "namespace k {\nvoid init(long* p, int n) {\n  for (int i = 0; i < n - 1; ++i) p[i] = 1;\n}\n"
    after = callee + HEAD + "  long* a = new long[n];\n  init(a, n);\n" + SUM + "}\n"
    assert judged(callee + FILLED + "}\n", after, "a")[0] == "unsafe"


def test_an_array_of_arrays() -> None:
    head = "int f(int n) {\n"
    tail = "  int s = 0;\n  for (int i = 0; i < 4; ++i) for (int j = 0; j < 8; ++j) s += a[i][j];\n  return s;\n}\n"
    before = head + "  int a[4][8] = {};\n" + tail
    for last, verdict in (("8", "safe"), ("7", "unsafe")):
        fill = f"  for (int i = 0; i < 4; ++i) for (int j = 0; j < {last}; ++j) a[i][j] = i;\n"
        assert judged(before, head + "  int a[4][8];\n" + fill + tail, "a")[0] == verdict
    for count, verdict in (("sizeof(a)", "safe"), ("8 * sizeof(int)", "unsafe")):
        assert judged(before, head + f"  int a[4][8];\n  memset(a, 0, {count});\n" + tail, "a")[0] == verdict


def test_cuda_malloc_gives_memory_to_the_variable() -> None:
    head = "void f(float* out, const float* x, int n) {\n  float* a;\n"
    tail = "  cudaMemcpy(out, a, n * sizeof(float), cudaMemcpyDeviceToHost);\n}\n"
    before = head + "  cudaMalloc(&a, n * sizeof(float));\n  cudaMemset(a, 0, n * sizeof(float));\n" + tail
    full = "  cudaMemcpy(a, x, n * sizeof(float), cudaMemcpyHostToDevice);\n"
    for fill, verdict in ((full, "safe"), (full.replace("n * sizeof(float)", "n"), "unsafe"), ("", "unsafe")):
        assert judged(before, head + "  cudaMalloc((void**)&a, n * sizeof(float));\n" + fill + tail, "a")[0] == verdict


def test_a_kernel_is_a_doubt() -> None:
    head = "void f(float* out, int n) {\n  float* a;\n  cudaMalloc(&a, n * sizeof(float));\n"
    tail = "  cudaMemcpy(out, a, n * sizeof(float), cudaMemcpyDeviceToHost);\n}\n"
    before = head + "  cudaMemset(a, 0, n * sizeof(float));\n" + tail
    after = head + "  fill<<<(n + 255) / 256, 256>>>(a, n);\n" + tail
    assert "the kernel fill" in why(before, after, "a", "a.cu")
    assert judged(before, after, "a", "a.cu")[0] == "unknown"


# ---------------------------------------------------------------- vectors


VLA = HEAD + "  long a[n];\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n" + SUM
COUNTED = HEAD + "  long a[n];\n  memset(a, 0, sizeof(a));\n  for (int i = 0; i < n; ++i) a[x[i]]++;\n" + SUM


@pytest.mark.parametrize(
    ("body", "verdict", "codes"),
    [
        ("  std::vector<long> a(n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n", "safe", ()),
        ("  std::vector<long> a(n);\n  for (int i = 0; i < n - 1; ++i) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  std::vector<long> a(n);\n  for (int i = 1; i < n; ++i) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  std::vector<long> a(n);\n  for (int i = 1; i < n; ++i) a[i] = x[i];\n  a[0] = x[0];\n", "safe", ()),
        ("  std::vector<long> a;\n  a.resize(n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n", "safe", ()),
        ("  std::vector<long> a;\n  a.resize(n);\n  for (int i = 0; i < n - 1; ++i) a[i] = x[i];\n", "unsafe", ("AS202",)),
        ("  std::vector<long> a;\n  a.reserve(n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n", "unsafe", ("AS203",)),
        ("  std::vector<long> a;\n  a.reserve(n);\n  for (int i = 0; i < n; ++i) a.push_back(x[i]);\n", "safe", ()),
        ("  std::vector<long> a;\n  for (int i = 0; i < n; ++i) a.push_back(x[i]);\n", "safe", ()),
        ("  std::vector<long> a;\n  a.reserve(n);\n  memcpy(a.data(), x, n * sizeof(long));\n", "unsafe", ("AS203",)),
        ("  std::vector<long> a(n);\n  memcpy(a.data(), x, n * sizeof(long));\n", "safe", ()),
        ("  std::vector<long> a(n);\n  memcpy(a.data(), x, a.size() * sizeof(long));\n", "safe", ()),
        ("  std::vector<long> a(n);\n  memcpy(a.data(), x, sizeof(a));\n", "unsafe", ("AS203",)),
        ("  std::vector<long> a(n);\n  memcpy(a.data(), x, n);\n", "unsafe", ("AS202",)),
        ("  std::vector<long> a(n);\n  std::copy(x, x + n, a.begin());\n", "safe", ()),
        ("  std::vector<long> a(n);\n  std::iota(a.begin(), a.end(), 1);\n", "safe", ()),
        ("  std::vector<long> a(n);\n  std::iota(a.begin(), a.end() - 1, 1);\n", "unsafe", ("AS202",)),
        ("  std::vector<long> a(n);\n  long* p = a.data();\n  for (int i = 0; i < n; ++i) p[i] = x[i];\n", "safe", ()),
        ("  std::vector<long> a(n);\n  long* p = a.data();\n  a.push_back(1);\n  for (int i = 0; i < n; ++i) p[i] = x[i];\n", "unsafe", ("AS203",)),
        ("  std::vector<long> a(n);\n  a.push_back(1);\n  long* p = a.data();\n  for (int i = 0; i < n; ++i) p[i] = x[i];\n", "safe", ()),
        ("  std::vector<long> a(x, x + n);\n", "safe", ()),
        ("  std::vector<long> a = {1, 2, 3};\n", "safe", ()),
    ],
)  # fmt: skip
def test_a_vector_takes_the_place_of_an_array(body: str, verdict: str, codes: tuple[str, ...]) -> None:
    assert judged(VLA, HEAD + body + SUM, "a") == (verdict, codes)


def test_a_counted_zero_is_meant() -> None:
    after = HEAD + "  std::vector<long> a(n);\n  for (int i = 0; i < n; ++i) a[x[i]]++;\n" + SUM
    assert judged(COUNTED, after, "a") == ("safe", ())


def test_an_element_that_was_zero_before_may_be_the_default() -> None:
    before = HEAD + "  long a[n];\n  a[0] = 0;\n  for (int i = 1; i < n; ++i) a[i] = a[i - 1] + x[i];\n" + SUM
    after = HEAD + "  std::vector<long> a(n);\n  for (int i = 1; i < n; ++i) a[i] = a[i - 1] + x[i];\n" + SUM
    assert judged(before, after, "a") == ("safe", ())
    assert judged(before.replace("a[0] = 0", "a[0] = 1"), after, "a") == ("unsafe", ("AS202",))


def test_a_new_vector_has_no_other_side() -> None:
    after = HEAD + "  std::vector<long> a(n);\n  for (int i = 0; i < n - 1; ++i) a[i] = x[i];\n" + SUM
    assert judged(HEAD + "  return 0;\n}\n", after, "a") == ("safe", ())


def test_the_loop_over_a_vector_that_stays_gets_shorter() -> None:
    before = HEAD + "  std::vector<long> a(n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n" + SUM
    after = before.replace("i < n; ++i) a[i] = x", "i < n - 1; ++i) a[i] = x")
    assert judged(before, after, "a") == ("unsafe", ("AS202",))


def test_bits_have_no_address() -> None:
    before = "void f(int n) {\n  bool a[n];\n  for (int i = 0; i < n; ++i) a[i] = true;\n  use(&a[0]);\n}\n"
    assert judged(before, before.replace("bool a[n]", "std::vector<bool> a(n)"), "a") == ("unsafe", ("AS203",))
    assert judged(before, before.replace("bool a[n]", "std::vector<char> a(n)"), "a") == ("safe", ())


def test_a_vector_taken_by_value_is_a_copy() -> None:
    callee = "void fill(std::vector<long>{} v, int n) {{\n  for (int i = 0; i < n; ++i) v[i] = 1;\n}}\n"
    for mark, verdict in (("&", "safe"), ("", "unsafe")):
        made = callee.format(mark)
        short = HEAD + "  std::vector<long> a(n);\n  a[n - 1] = x[0];\n  fill(a, n - 1);\n" + SUM
        long_ = HEAD + "  std::vector<long> a(n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n" + SUM
        assert judged(made + long_, made + short, "a")[0] == verdict, mark


def test_a_vector_that_is_handed_away_is_forgotten() -> None:
    body = "  std::vector<long> a;\n  a.reserve(n);\n  prepare(a, n);\n  for (int i = 0; i < n; ++i) a[i] = x[i];\n"
    assert judged(VLA, HEAD + body + SUM, "a")[0] != "unsafe"


# ---------------------------------------------------------------- tensors


BLOB = "#include <torch/torch.h>\ntorch::Tensor f(int64_t n, torch::Device d, std::vector<long>& given) {\n"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("  std::vector<long> a(n);\n  return torch::from_blob(a.data(), {n}, torch::kInt64);\n", "unsafe"),
        ("  std::vector<long> a(n);\n  return torch::from_blob(a.data(), {n}, torch::kInt64).clone();\n", "safe"),
        ("  std::vector<long> a(n);\n  return torch::from_blob(a.data(), {n}, torch::kInt64).to(d);\n", "safe"),
        ("  std::vector<long> a(n);\n  return torch::from_blob(a.data(), {n}, torch::kInt64).view({-1, 1});\n", "unsafe"),
        ("  std::vector<long> a(n);\n  auto t = torch::from_blob(a.data(), {n}, torch::kInt64);\n  return t;\n", "unsafe"),
        ("  std::vector<long> a(n);\n  auto t = torch::from_blob(a.data(), {n}, torch::kInt64);\n  return t.sum();\n", "safe"),
        ("  auto a = std::make_unique<long[]>(n);\n  return torch::from_blob(a.get(), {n}, torch::kInt64);\n", "unsafe"),
        ("  auto a = std::make_unique<long[]>(n);\n  return torch::from_blob(a.get(), {n}, torch::kInt64).clone();\n", "safe"),
        ("  long* a = new long[n]();\n  return torch::from_blob(a, {n}, torch::kInt64);\n", "safe"),
        ("  long* a = new long[n]();\n  return torch::from_blob(a, {n}, [a](void*) { delete[] a; }, torch::kInt64);\n", "safe"),
        ("  return torch::from_blob(given.data(), {n}, torch::kInt64);\n", "safe"),
        ("  Pool a(n);\n  return torch::from_blob(a.bytes(), {n}, torch::kInt64);\n", "unknown"),
        ("  std::vector<long> a(n);\n  auto t = torch::from_blob(a.data(), {n}, torch::kInt64);\n  keep(t);\n  return t.clone();\n", "unknown"),
    ],
)  # fmt: skip
def test_a_tensor_over_borrowed_memory(body: str, verdict: str) -> None:
    before = BLOB + "  return torch::zeros({n});\n}\n"
    found = [s for s in sites(before, BLOB + body + "}\n") if "from_blob" in s.judged.site.text]
    blob = [s for s in found if s.judged.site.symbol != "a"] or found
    assert [type(s.judged.verdict).__name__.lower() for s in blob] == [verdict]
    if verdict == "unsafe":
        assert [f.rule for f in blob[0].findings] == ["AS204"]


def test_the_hole_below_a_borrowing_tensor_is_found_at_the_copy() -> None:
    head = "torch::Tensor f(const long* x, int64_t n, torch::Device d) {\n  long* a = new long[n];\n"
    tail = "  return torch::from_blob(a, {n}, torch::kInt64).to(d);\n}\n"
    full = head + "  for (int64_t i = 0; i < n; ++i) a[i] = x[i];\n" + tail
    short = full.replace("i < n;", "i < n - 1;")
    assert judged(full + "\n", full.replace("new long[n]", "new long[n] "), "a")[0] == "safe"
    assert judged(full, short, "a") == ("unsafe", ("AS202",))


def test_writes_through_a_borrowing_tensor_land_in_its_memory() -> None:
    head = "long f(int64_t n) {\n  long a[n];\n  auto t = torch::from_blob(a, {n}, torch::kInt64);\n"
    tail = "  long s = 0;\n  for (int64_t i = 0; i < n; ++i) s += a[i];\n  return s;\n}\n"
    before = head + "  for (int64_t i = 0; i < n; ++i) a[i] = 1;\n" + tail
    for fill, verdict in (
        ("  t.fill_(1);\n", "safe"),
        ("  t.slice(0, 1).fill_(1);\n", "unsafe"),
        ("  t[0] = 1;\n", "unsafe"),
    ):
        assert judged(before, head + fill + tail, "a")[0] == verdict, fill


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("  auto out = torch::empty({n, 4}, x.options());\n  out.fill_(0);\n  return out.sum();\n", "safe"),
        ("  auto out = torch::empty({n, 4}, x.options());\n  return out.sum();\n", "unsafe"),
        ("  torch::Tensor out = at::empty({n, 4}, x.options());\n  out.zero_();\n  return out;\n", "safe"),
        ("  auto out = torch::empty_like(x);\n  out.copy_(x);\n  return out + 1;\n", "safe"),
        ("  auto out = torch::empty_like(x);\n  return out + 1;\n", "unsafe"),
        ("  auto out = torch::empty({n, 4});\n  for (int64_t i = 0; i < n; ++i) out[i] = x[i];\n  return out.sum();\n", "safe"),
        ("  auto out = torch::empty({n, 4});\n  for (int64_t i = 1; i < n; ++i) out[i] = x[i];\n  return out.sum();\n", "unsafe"),
        ("  auto out = torch::empty({n, 4});\n  run(out.data_ptr<float>(), n);\n  return out.sum();\n", "unknown"),
        ("  auto out = torch::empty({n, 4});\n  launch(out, x);\n  return out.sum();\n", "unknown"),
        ("  auto out = torch::empty(x.sizes(), x.options());\n  out.copy_(x);\n  return out.sum();\n", "safe"),
        ("  auto out = torch::empty({n, 4});\n  out.slice(0, 0, n - 1).zero_();\n  return out.sum();\n", "unsafe"),
        ("  auto out = torch::empty({n, 4});\n  TORCH_CHECK(out.size(0) == n, \"size\");\n  out.zero_();\n  return out.sum();\n", "safe"),
    ],
)  # fmt: skip
def test_torch_tensors(body: str, verdict: str) -> None:
    head = "#include <torch/torch.h>\ntorch::Tensor f(const torch::Tensor& x, int64_t n) {\n"
    before = head + "  auto out = torch::zeros({n, 4}, x.options());\n  return out.sum();\n}\n"
    assert judged(before, head + body + "}\n", "out")[0] == verdict


# ---------------------------------------------------------------- what the walk must not miss


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("  long* p = a;\n  for (int i = 0; i < n; ++i) *p++ = x[i];\n", "safe"),
        ("  long* p = a;\n  for (int i = 0; i < n - 1; ++i) *p++ = x[i];\n", "unsafe"),
        ("  long* p = a;\n  for (int i = 0; i < n - 1; ++i) { *p = x[i]; p += 1; }\n  *p = 3;\n", "safe"),
        ("  long* p = a;\n  for (int i = 0; i < n; ++i) { if (x[i]) *p++ = x[i]; }\n", "unknown"),
        ("  long* p = a;\n  int k = 1;\n  for (int i = 0; i < n; ++i) { *p = x[i]; p += k; k++; }\n", "unknown"),
    ],
)
def test_a_pointer_that_moves_with_the_turns(body: str, verdict: str) -> None:
    assert judged(FILLED, HEAD + "  long* a = new long[n];\n" + body + SUM, "a")[0] == verdict


def test_FN_a_pointer_read_while_it_moves() -> None:
    """The third turn reads the third element, not the second again."""
    body = "  long* a = new long[n];\n  a[0] = 1;\n  a[1] = 2;\n  long s = 0;\n  long* p = a;\n  while (x[s] > 0) {\n    s += *p;\n    p = p + 1;\n  }\n  return s;\n}\n"
    assert judged(HEAD + "  return 0;\n}\n", HEAD + body, "a")[0] != "safe"


def test_FN_what_a_lambda_can_reach_goes_with_it() -> None:
    body = "  long a[16];\n  Unroll<4>{}([&](auto i) { a[i] = x[i]; });\n  long s = a[0];\n  return s;\n}\n"
    assert judged(HEAD + "  return 0;\n}\n", HEAD + body, "a")[0] == "unknown"


def test_FN_a_member_that_other_methods_read() -> None:
    text = "struct S {\n  int* b;\n  void init(int n) {\n    b = new int[n];\n  }\n  int get() {\n    return b[0];\n  }\n};\n"
    assert judged(text.replace("new int[n]", "nullptr"), text, "self.b")[0] != "safe"


def test_FN_a_pointer_handed_out_by_reference() -> None:
    for body, verdict in (("    a[i] = i;\n  out = a;\n", "safe"), ("    a[0] = i;\n  out = a;\n", "unknown")):
        after = "void f(int n, int*& out) {\n  int* a = new int[n];\n  for (int i = 0; i < n; ++i)\n" + body + "}\n"
        assert judged("void f(int n, int*& out) {\n}\n", after, "a")[0] == verdict


def test_FN_a_local_that_a_parse_error_moved_out_of_its_function() -> None:
    """Outside of all functions an array starts as zeros; this one only looks as if it stood there."""
    text = (
        "template <int N>\nvoid f(int n)\n#if A\n{\n#else\n  BROKEN(( {\n#endif\n  float sum[4];\n  use(sum[n]);\n}\n"
    )
    found = sites("int x;\n", text)
    assert all(type(s.judged.verdict).__name__ != "Safe" for s in found if "sum" in s.judged.site.text)


def test_a_turn_in_which_a_check_fails_is_no_hole() -> None:
    for check, verdict in (('TORCH_CHECK(x[i] > 0, "no");', "safe"), ("if (x[i] > 0) continue;", "unsafe")):
        body = f"  long* a = new long[n];\n  for (int i = 0; i < n; ++i) {{\n    {check}\n    a[i] = 1;\n  }}\n"
        assert judged(FILLED, HEAD + body + SUM, "a")[0] == verdict


def test_static_assert_holds() -> None:
    head = "template <int K, int P>\nlong f(const long* x, int n) {\n"
    body = "  long a[4];\n  if constexpr (P == 1) { a[0] = x[0]; }\n  if constexpr (K == 2) { return a[0]; }\n  return 0;\n}\n"
    before = head + body.replace("long a[4]", "long a[4] = {}")
    assert judged(before, head + body, "a")[0] == "unsafe"
    assert judged(before, head + "  static_assert(K != 2 || P == 1);\n" + body, "a")[0] == "safe"


def test_a_constructor_that_is_not_seen_is_a_doubt() -> None:
    body = "  Cell a[4];\n  return a[0].x;\n}\n"
    assert judged(HEAD + "  return 0;\n}\n", HEAD + body, "a")[0] == "unknown"
