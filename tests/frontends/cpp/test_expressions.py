"""Expressions, one construct each."""

from __future__ import annotations

import pytest
from allocsafe.frontends.cpp import literals
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, constants, loads, of, one, reasons, steps


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0x1F", 31),
        ("1'000'000", 1_000_000),
        ("42ULL", 42),
        ("0b101", 5),
        ("017", 15),
        ("0", 0),
        ("1.5f", 1.5),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("0x1p3", 8.0),
        ("-1", -1),
        ("09", None),
        ("1_km", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    found = literals.number(text)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", 97),
        (r"'\0'", 0),
        ("true", True),
        ("nullptr", None),
        ("NULL", None),
        ('"a" "b"', "ab"),
        (r'R"(x\n)"', r"x\n"),
    ],
)
def test_literals(text: str, value: object) -> None:
    assert one(ir.Const, body(f"x = {text};")).value == value


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("n / 2", "c/"),
        ("n / 2.0f", "/"),
        ("(float)n / 2", "/"),
        ("static_cast<float>(n) / 2", "/"),
        ("n % 2", "c%"),
        ("n << 2", "<<"),
        ("n & 2", "&"),
    ],
)
def test_arithmetic(text: str, op: str) -> None:
    assert one(ir.Binary, body(f"x = {text};")).op == op


def test_division_of_a_float_variable_is_not_integer_division() -> None:
    assert one(ir.Binary, body("x = f / 2;", "float f")).op == "/"


@pytest.mark.parametrize(("text", "then", "orelse"), [("a && b", ir.Cast, ir.Const), ("a || b", ir.Const, ir.Cast)])
def test_short_circuit(text: str, then: type, orelse: type) -> None:
    lowered = body(f"x = {text};")
    branch = one(ir.If, lowered)
    assert isinstance(branch.then[-1], then)
    assert isinstance(branch.orelse[-1], orelse)
    where = branch.then if then is ir.Cast else branch.orelse
    assert "b" in loads(where).values()


def test_conditional_assigns_one_register() -> None:
    branch = one(ir.If, body("x = n ? n : 1;"))
    assert branch.then[-1].dst == branch.orelse[-1].dst  # type: ignore[attr-defined]


def test_compound_assignment_of_an_element() -> None:
    lowered = body("p[n] += 2;")
    kinds = [type(step).__name__ for step in steps(lowered)]
    assert kinds == ["Const", "Load", "Load", "GetItem", "Aug", "SetItem"]


def test_index_with_side_effect_is_evaluated_once() -> None:
    lowered = body("p[n++] += 1;")
    assert [step.name for step in of(ir.Store, lowered)] == ["n"]


@pytest.mark.parametrize(("text", "is_new"), [("x = n++;", False), ("x = ++n;", True)])
def test_increment_value(text: str, is_new: bool) -> None:
    lowered = body(text)
    aug = one(ir.Aug, lowered)
    stored = next(step for step in of(ir.Store, lowered) if step.name == "x")
    assert stored.src == (aug.dst if is_new else aug.a)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x = *p;", ir.Deref),
        ("*p = 1;", ir.StoreDeref),
        ("*(p + 1) = 1;", ir.StoreDeref),
        ("x = s.field;", ir.GetAttr),
        ("s->field = 1;", ir.SetAttr),
        ("x = p[1];", ir.GetItem),
        ("p[1] = 1;", ir.SetItem),
        ("x = (int)n;", ir.Cast),
        ("x = int(n);", ir.Cast),
        ("x = int64_t(n);", ir.Cast),
        ("x = reinterpret_cast<char*>(p);", ir.Cast),
        ("x = !n;", ir.Unary),
        ("x = n == 1;", ir.Compare),
        ("x = {n, 2};", ir.New),
        ("throw n;", ir.Raise),
        ("std::cout << n;", ir.Format),
    ],
)
def test_step_kinds(text: str, kind: type[ir.Step]) -> None:
    one(kind, body(text))


def test_address_of_name_and_of_element() -> None:
    name, item = of(ir.AddressOf, body("x = &n; y = &p[n];"))
    assert (name.name, name.obj) == ("n", None)
    assert item.name is None
    assert item.obj is not None
    assert item.index is not None


def test_address_of_a_function_is_its_value() -> None:
    lowered = body("x = &kernel<int>;")
    assert of(ir.AddressOf, lowered) == []
    assert "kernel" in loads(lowered).values()
    assert reasons(lowered) == []


@pytest.mark.parametrize(
    ("text", "ctype"), [("sizeof(float)", "float"), ("sizeof(Unknown)", "Unknown"), ("sizeof(int[4])", "int[4]")]
)
def test_sizeof_type(text: str, ctype: str) -> None:
    assert one(ir.SizeOf, body(f"x = {text};")).ctype == ctype


@pytest.mark.parametrize("text", ["sizeof(p)", "sizeof p"])
def test_sizeof_of_a_variable_whose_type_is_written_is_that_of_the_type(text: str) -> None:
    size = one(ir.SizeOf, body(f"x = {text};"))
    assert size.ctype is not None and size.ctype.endswith("*")
    assert size.obj is None


@pytest.mark.parametrize("text", ["sizeof(a)", "sizeof a"])
def test_sizeof_of_an_array_is_asked_of_its_value(text: str) -> None:
    lowered = body(f"float a[8]; x = {text};")
    size = one(ir.SizeOf, lowered)
    assert size.ctype is None
    assert size.obj is not None
    assert loads(lowered)[size.obj] == "a"


@pytest.mark.parametrize("text", ["sizeof(a[0])", "sizeof(*a)"])
def test_sizeof_of_an_element_is_that_of_the_element_type(text: str) -> None:
    assert one(ir.SizeOf, body(f"float a[8]; x = {text};")).ctype == "float"


def test_tie() -> None:
    lowered = body("std::tie(a, p[0]) = g();")
    assert len(one(ir.Unpack, lowered).dsts) == 2
    assert [step.name for step in of(ir.Store, lowered)] == ["a"]
    one(ir.SetItem, lowered)


def test_inline_assembly_stores_its_output_and_may_write_through_its_input() -> None:
    lowered = body('int x; asm volatile("ld %0, [%1];" : "=r"(x) : "l"(p));')
    assert [step.name for step in of(ir.Store, lowered)] == ["x", "x"]
    assert loads(lowered)[one(ir.Escape, lowered).uses[0]] == "p"
    assert reasons(body('asm volatile("fence;" ::: "memory");')) == []


def test_negative_literal_is_one_constant() -> None:
    assert list(constants(body("x = -3;")).values()) == [-3]
