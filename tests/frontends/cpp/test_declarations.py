"""References, shadowing, bindings, vexing parses."""

from __future__ import annotations

import pytest
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, function, loads, of, one, reasons


def test_reference_to_a_name_is_another_spelling_of_it() -> None:
    assert [step.name for step in of(ir.Store, body("int& m = n; m = 3;"))] == ["n"]


def test_copy_is_not() -> None:
    assert [step.name for step in of(ir.Store, body("int m = n; m = 3;"))] == ["m", "m"]


def test_reference_to_an_element_writes_the_element_and_reads_nothing() -> None:
    lowered = body("float& x = p[n]; x = 3;")
    one(ir.SetItem, lowered)
    assert of(ir.GetItem, lowered) == []


def test_inner_declaration_gets_a_variable_of_its_own() -> None:
    lowered = body("int x = 1; { int x = 2; x = 3; } x = 4;")
    assert [step.name for step in of(ir.Store, lowered)] == ["x", "x#2", "x#2", "x"]


def test_reference_declared_in_one_preprocessor_branch_escapes() -> None:
    lowered = body("#ifdef A\n  float& x = p[0];\n#else\n  float& x = p[1];\n#endif\n  x = 1;")
    assert reasons(lowered) == ["a reference that only one preprocessor branch declares"] * 2


def test_structured_binding() -> None:
    lowered = body("auto [a, b] = g();")
    assert len(one(ir.Unpack, lowered).dsts) == 2
    assert reasons(lowered) == []
    assert reasons(body("auto& [a, b] = g();")) == ["a structured binding by reference"]


@pytest.mark.parametrize(
    "arguments", ["n", "n, p", "n * m", "f(n)", "n, sizes[0]", "std::min(n, 4), m", "float(n)", "a::b"]
)
def test_vexing_parse_is_a_variable(arguments: str) -> None:
    lowered = body(f"dim3 grid({arguments});")
    assert "grid" in [step.name for step in of(ir.Store, lowered)]
    assert reasons(lowered) == []


def test_assignment_through_a_reference_parameter_escapes_the_callers_object() -> None:
    lowered = body("out = torch::empty({1});", "torch::Tensor& out")
    assert reasons(lowered) == ["assigned through a reference, which changes the caller's object"]
    assert reasons(body("out = torch::empty({1});", "torch::Tensor out")) == []


def test_parameters_have_their_types() -> None:
    lowered = function("void f(const float* __restrict__ a, std::vector<int>& b, int c[4], int d = 3, Args... e) {}")
    assert [(param.name, param.annotation) for param in lowered.params] == [
        ("a", "const float*"),
        ("b", "std::vector<int>&"),
        ("c", "int*"),
        ("d", "int"),
        ("e", "Args"),
    ]
    assert lowered.params[3].default is not None
    assert lowered.params[4].kind == "star"


def test_condition_may_declare() -> None:
    lowered = body("if (auto* q = g(); q) { *q = 1; }\nif (int k = n) { p[k] = 1; }\nwhile (int k = g()) {}")
    assert {step.name for step in of(ir.Store, lowered)} == {"q", "k"}
    assert reasons(lowered) == []


def test_member_initialisers_use_the_members_types() -> None:
    lowered = function("struct A { A(int n) : a(n), b(n), c_(n) {} std::vector<int> a; int b; };", name="A.A")
    assert [step.attr for step in of(ir.SetAttr, lowered)] == ["a", "b", "c_"]
    assert one(ir.Alloc, lowered).kind == "vector"
    assert "type is declared elsewhere" in one(ir.Opaque, lowered).reason


def test_members_without_this() -> None:
    lowered = function("struct A { int b; void f(int n) { b = n; other_ = n; c = n; } };", name="A.f")
    assert [step.attr for step in of(ir.SetAttr, lowered)] == ["b", "other_"]
    assert [step.name for step in of(ir.Store, lowered)] == ["c"]
    assert "this" in loads(lowered).values()
