"""Which loops count, and from where to where."""

from __future__ import annotations

import pytest
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, constants, of, one, reasons

BODY = "{ p[i] = 0; }"


@pytest.mark.parametrize(
    ("head", "stride"),
    [
        ("int i = 0; i < n; i++", 1),
        ("int i = 0; i < n; ++i", 1),
        ("size_t i = 0; n > i; ++i", 1),
        ("int i = 0; i <= n; i += 2", 2),
        ("int i = 0; i != n; ++i", 1),
        ("int i = 0; i < n; i = i + 4", 4),
        ("int i = n - 1; i >= 0; i--", -1),
        ("int i = n; i > 0; i -= 2", -2),
        ("auto i{0}; i < n; i++", 1),
        ("int i(0); i < v.size(); i++", 1),
    ],
)
def test_counted(head: str, stride: int) -> None:
    lowered = body(f"for ({head}) {BODY}")
    turns = one(ir.Range, lowered)
    assert constants(lowered)[turns.stride] == stride
    loop = one(ir.For, lowered)
    assert loop.iterable == turns.dst
    first = loop.body[0]
    assert isinstance(first, ir.Store)
    assert (first.name, first.src) == ("i", loop.item)


@pytest.mark.parametrize(("sign", "step", "op"), [("<=", "++", "+"), (">=", "--", "-")])
def test_inclusive_bounds_move_by_one(sign: str, step: str, op: str) -> None:
    lowered = body(f"for (int i = 0; i {sign} n; i{step}) {BODY}")
    moved = one(ir.Binary, lowered)
    assert moved.op == op
    assert one(ir.Range, lowered).stop == moved.dst


@pytest.mark.parametrize(
    ("head", "inside"),
    [
        ("int i = 0; i < n; i++", "i = 3;"),
        ("int i = 0; i < n; i++", "n--;"),
        ("int i = 0; i < n; i++", "g(&n);"),
        ("int i = 0; i < n; i++", "int& m = n; m = 1;"),
        ("int i = 0; i < v.size(); i++", "v.push_back(1);"),
        ("int i = 0; i < s->n; i++", "s->n = 2;"),
        ("int i = 0; i < p[0]; i++", "p[i] = 2;"),
        ("int i = 0; i < n; i++", "auto l = [&] { n = 2; };"),
        ("int i = 0; i < n; i--", ";"),
        ("int i = 0; i < n && p[i]; i++", ";"),
        ("int i = 0, j = 0; i < n; i++, j++", ";"),
        ("int i = 0; i < n; i *= 2", ";"),
        ("int i = 0; i != n; i += 2", ";"),
        ("int i = 0; i < n--; i++", ";"),
        (";;", "break;"),
    ],
)
def test_not_counted(head: str, inside: str) -> None:
    lowered = body(f"for ({head}) {{ {inside} }}")
    assert of(ir.Range, lowered) == []
    assert len(of(ir.While, lowered)) == 1


def test_twin_of_a_bound_that_the_body_only_reads() -> None:
    one(ir.Range, body("for (int i = 0; i < v.size(); i++) { g(v.data(), v.size(), n); }"))


def test_update_stands_apart_from_the_body() -> None:
    loop = one(ir.While, body("for (int i = 0; i < n && n; i++) { if (n) continue; }"))
    assert any(isinstance(step, ir.Store) for step in loop.update)
    assert not any(isinstance(step, ir.Store) for step in loop.body)


def test_counter_from_outside_is_unknown_after_the_loop() -> None:
    lowered = body("int i; for (i = 0; i < n; i++) {} p[i] = 1;")
    last = of(ir.Store, lowered)[-1]
    assert last.name == "i"
    assert last.src in [step.dst for step in of(ir.Opaque, lowered)]


def test_endless_loop() -> None:
    loop = one(ir.While, body("for (;;) { break; }"))
    assert constants(loop.test)[loop.cond] is True


def test_do_while() -> None:
    assert one(ir.While, body("do { n--; } while (n);")).body_first
    assert not one(ir.While, body("while (n) { n--; }")).body_first


def test_range_for() -> None:
    assert reasons(body("for (const auto& x : v) { n += x; }")) == []
    assert reasons(body("for (auto x : v) { x = 1; }")) == []
    assert reasons(body("for (auto& x : v) { x = 1; }")) == ["range-for by reference writes its element"] * 2
    assert len(one(ir.Unpack, body("for (auto& [k, w] : m) { n += w; }")).dsts) == 2
