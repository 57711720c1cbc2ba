"""What memory made by syntax starts as."""

from __future__ import annotations

import pytest
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, constants, function, loads, of, one, unit


@pytest.mark.parametrize(
    ("text", "kind", "element", "init", "extents", "items"),
    [
        ("float a[16];", "array", "float", "none", 1, 0),
        ("float a[16] = {};", "array", "float", "value", 1, 0),
        ("float a[16] = {0};", "array", "float", "list", 1, 1),
        ("float a[16]{1, 2};", "array", "float", "list", 1, 2),
        ('char a[8] = "abc";', "array", "char", "value", 1, 1),
        ("int a[4][8];", "array", "int", "none", 2, 0),
        ("int a[] = {1, 2, 3};", "array", "int", "list", 1, 3),
        ("float* a[4];", "array", "float*", "none", 1, 0),
        ("float a[SIZE];", "array", "float", "none", 1, 0),
        ("float a[kSize + 1];", "array", "float", "none", 1, 0),
        ("float a[n];", "vla", "float", "none", 1, 0),
        ("float a[n * 2];", "vla", "float", "none", 1, 0),
        ("float a[v.size()];", "vla", "float", "none", 1, 0),
        ("auto* a = new float[n];", "new", "float", "none", 1, 0),
        ("auto* a = new float[n]();", "new", "float", "value", 1, 0),
        ("auto* a = new float[n]{};", "new", "float", "value", 1, 0),
        ("auto* a = new float;", "new", "float", "none", 1, 0),
        ("auto* a = new float(3);", "new", "float", "list", 1, 1),
        ("std::unique_ptr<float[]> a(new float[n]);", "new", "float", "none", 1, 0),
        ("auto a = std::make_unique<float[]>(n);", "new", "float", "value", 1, 0),
        ("auto a = std::make_unique_for_overwrite<float[]>(n);", "new", "float", "none", 1, 0),
        ("std::vector<int64_t> a(n);", "vector", "int64_t", "value", 1, 0),
        ("std::vector<int64_t> a(n, 7);", "vector", "int64_t", "value", 1, 1),
        ("std::vector<int64_t> a{1, 2};", "vector", "int64_t", "list", 1, 2),
        ("std::vector<int64_t> a = {1, 2};", "vector", "int64_t", "list", 1, 2),
        ("std::vector<int64_t> a;", "vector", "int64_t", "value", 0, 0),
        ("std::vector<int64_t> a = std::vector<int64_t>(n);", "vector", "int64_t", "value", 1, 0),
        ("auto a = std::vector<int64_t>(n + 1);", "vector", "int64_t", "value", 1, 0),
        ("auto a = std::vector<int64_t>{1};", "vector", "int64_t", "list", 1, 1),
        ("std::vector<std::vector<int>> a(n);", "vector", "std::vector<int>", "value", 1, 0),
        ("std::array<int, 4> a;", "array", "int", "none", 1, 0),
        ("std::array<int, 4> a{};", "array", "int", "value", 1, 0),
        ("std::array<int, 4> a = {1, 2};", "array", "int", "list", 1, 2),
        ("std::array<int, 4> a = {{1, 2}};", "array", "int", "list", 1, 2),
        ("int a;", "scalar", "int", "none", 0, 0),
        ("unsigned long long a;", "scalar", "unsigned long long", "none", 0, 0),
        ("float* a;", "scalar", "float*", "none", 0, 0),
        ("float4 a;", "scalar", "float4", "none", 0, 0),
    ],
)
def test_alloc(text: str, kind: str, element: str, init: str, extents: int, items: int) -> None:
    alloc = one(ir.Alloc, body(text))
    assert (alloc.kind, alloc.element, alloc.init) == (kind, element, init)
    assert (len(alloc.extents), len(alloc.items)) == (extents, items)


def test_alloc_is_stored_to_its_name() -> None:
    lowered = body("float a[4], *b, c = 1;")
    assert [step.name for step in of(ir.Store, lowered)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("declaration", "kind"),
    [
        ("constexpr int m = 4;", "array"),
        ("const int m = 2 * 4;", "array"),
        ("const int m = n;", "vla"),
        ("int m = 4;", "vla"),
    ],
)
def test_constant_extents(declaration: str, kind: str) -> None:
    lowered = body(f"{declaration} float a[m];")
    assert [alloc.kind for alloc in of(ir.Alloc, lowered)] == [kind]


def test_template_parameter_is_a_constant_extent() -> None:
    lowered = function("template <typename T, int N> void f() { T a[N]; }")
    alloc = one(ir.Alloc, lowered)
    assert (alloc.kind, alloc.element) == ("array", "T")


def test_parameter_in_capitals_is_no_constant() -> None:
    assert one(ir.Alloc, body("float a[N];", "int N")).kind == "vla"


@pytest.mark.parametrize(
    "text",
    [
        "std::vector<int> b = a;",
        "std::vector<int> b(a);",
        "auto b = a;",
        "std::vector<int> b(a.begin(), a.end());",
        "std::vector<int> b; b = a;",
    ],
)
def test_copy_of_a_container(text: str) -> None:
    lowered = body(text, "std::vector<int>& a")
    copy = of(ir.Alloc, lowered)[-1]
    assert copy.init == "copy"
    assert loads(lowered)[copy.items[0]] == "a"


def test_reference_to_a_container_is_no_copy() -> None:
    assert of(ir.Alloc, body("auto& b = a; b[0] = 1;", "std::vector<int>& a")) == []


def test_iterators_are_no_count() -> None:
    lowered = body("std::vector<int> a(p, p + n);", "int n, int* p")
    assert of(ir.Alloc, lowered) == []
    assert "std::vector" in loads(lowered).values()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("p = malloc(n);", "malloc"),
        ("auto* q = (int*)calloc(n, 4);", "calloc"),
        ("memset(p, 0, n);", "memset"),
        ("std::memcpy(p, q, n);", "std::memcpy"),
        ("std::fill(p, p + n, 0);", "std::fill"),
        ("free(p);", "free"),
        ("auto t = torch::empty({n}, options);", "torch::empty"),
        ("cudaMalloc(&p, n);", "cudaMalloc"),
        ("torch::Tensor t;", "torch::Tensor"),
        ("dim3 g(n);", "dim3"),
        ("delete[] p;", "delete[]"),
    ],
)
def test_ordinary_calls(text: str, name: str) -> None:
    lowered = body(text)
    call = one(ir.Call, lowered)
    assert loads(lowered)[call.func] == name


def test_array_length_from_the_list() -> None:
    lowered = body("int a[] = {5, 6};")
    assert constants(lowered)[one(ir.Alloc, lowered).extents[0]] == 2


def test_static_local_is_opaque_and_its_constant_twin_is_not() -> None:
    assert of(ir.Alloc, body("static float a[4];")) == []
    assert one(ir.Opaque, body("static float a[4];")).reason == "a static variable keeps its value between calls"
    assert one(ir.Alloc, body("static const float a[4] = {1};")).init == "list"


def test_globals_start_as_zeros() -> None:
    top = unit("float table[4];\nstatic int count;\nnamespace a { const int n = 3; }\n").toplevel()
    assert one(ir.Alloc, top).init == "value"
    assert [(step.name, step.scope) for step in of(ir.Store, top)] == [
        ("table", "global"),
        ("count", "global"),
        ("n", "global"),
    ]
