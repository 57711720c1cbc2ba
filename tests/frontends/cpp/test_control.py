"""Statements, and what becomes an escape."""

from __future__ import annotations

import pytest
from allocsafe.ir import nodes as ir

from tests.frontends.cpp.lowering import body, function, loads, of, one, reasons


@pytest.mark.parametrize(
    "text",
    [
        "if (n) p[0] = 1; else if (n > 1) p[1] = 1; else p[2] = 1;",
        "if constexpr (N > 1) { p[0] = 1; } else { p[0] = 2; }",
        "try { g(); } catch (...) { throw; }",
        "{ { p[0] = 1; } }",
        "using T = float; typedef int I; static_assert(true); ;",
        "[[maybe_unused]] int x = 1;",
        "#pragma unroll\nfor (int i = 0; i < 4; ++i) p[i] = 0;",
    ],
)
def test_nothing_escapes(text: str) -> None:
    assert reasons(body(text)) == []


def test_switch_with_breaks_is_a_chain() -> None:
    lowered = body("switch (n) { case 1: case 2: p[0] = 1; break; case 3: return; default: p[1] = 1; }")
    assert reasons(lowered) == []
    assert [step.op for step in of(ir.Compare, lowered)] == ["=="] * 3
    assert len(of(ir.SetItem, lowered)) == 2


def test_switch_that_falls_through_escapes() -> None:
    lowered = body("switch (n) { case 1: p[0] = 1; case 2: p[1] = 1; break; }")
    assert reasons(lowered) == ["a switch whose cases fall through"]
    assert "p" in one(ir.Escape, lowered).names


def test_deep_break_leaves_the_switch_and_not_the_loop() -> None:
    lowered = body("for (int i = 0; i < n; i++) { switch (n) { case 1: if (i) break; p[0] = 1; break; } p[1] = 1; }")
    once = one(ir.While, lowered)
    assert once.body_first
    assert len(of(ir.Break, once.body)) == 1


def test_goto_forgets_and_leaves() -> None:
    lowered = body("int x = 1; if (n) goto end; x = 2;\nend: p[0] = x;")
    assert len(reasons(lowered)) == 2
    assert all("x" in step.names for step in of(ir.Escape, lowered))
    one(ir.Return, lowered)


def test_preprocessor_branches_are_arms_of_an_opaque_condition() -> None:
    lowered = body("#if defined(A)\n p[0] = 1;\n#elif B\n p[1] = 1;\n#else\n p[2] = 1;\n#endif")
    first, second = of(ir.If, lowered)
    assert [step.reason for step in of(ir.Opaque, lowered)] == ["preprocessor: defined(A)", "preprocessor: B"]
    assert (
        len(of(ir.SetItem, first.then)) == len(of(ir.SetItem, second.then)) == len(of(ir.SetItem, second.orelse)) == 1
    )


@pytest.mark.parametrize(
    "text",
    [
        "TORCH_CHECK(n > 0);",
        "assert(n > 0);",
        "TORCH_CHECK_GT(n, 0);",
        'STD_TORCH_CHECK(n > 0, "bad");',
        "AT_ASSERT(n > 0);",
    ],
)
def test_checks_are_assumed(text: str) -> None:
    lowered = body(text)
    assert one(ir.Assume, lowered).cond == one(ir.Compare, lowered).dst


def test_message_of_a_check_is_read_only_where_it_fails() -> None:
    lowered = body('TORCH_CHECK(n > 0, "bad ", p[0]);')
    failing = one(ir.If, lowered)
    assert failing.then == ()
    one(ir.Format, failing.orelse)
    one(ir.Raise, failing.orelse)


def test_dispatch_macro_runs_its_lambda_once_in_place() -> None:
    lowered = body('AT_DISPATCH_ALL_TYPES(t.scalar_type(), "f", [&] { p[0] = 1; });')
    assert of(ir.MakeFunction, lowered) == []
    assert any(isinstance(step, ir.SetItem) for step in lowered.body)


def test_dispatch_macro_with_an_early_return_calls_its_lambda() -> None:
    lowered = body('AT_DISPATCH_ALL_TYPES(t.scalar_type(), "f", [&] { if (n) return; p[0] = 1; });')
    made = one(ir.MakeFunction, lowered)
    assert one(ir.Call, lowered.body).func == made.dst


def test_block_of_an_unknown_macro_escapes() -> None:
    lowered = body("int x; MY_LOOP(i, n) { x = 1; p[i] = 2; }")
    assert of(ir.SetItem, lowered) == []
    assert {"x", "p"} <= {name for step in of(ir.Escape, lowered) for name in step.names}


def test_syntax_error_escapes_what_it_names() -> None:
    lowered = body("int x = 1; x = = p; int y = 2;")
    assert "could not be parsed" in reasons(lowered)
    assert {"x", "p"} <= {name for step in of(ir.Escape, lowered) for name in step.names}
    assert "y" in [step.name for step in of(ir.Store, lowered)]


def test_branches_that_cut_through_braces_are_not_believed() -> None:
    arms = "#ifdef A\n} else {\n#else\n} if (x) {\n#endif\n"
    lowered = body(f"int x = 1;\nif (n) {{ p[0] = 1;\n{arms}p[1] = 2; }}\nfloat a[4];")
    assert set(reasons(lowered)) == {"could not be parsed", "preprocessor branches cut through braces"}
    after = lowered.body[-1]
    assert isinstance(after, ir.Escape)
    assert after.names == ("a",)
    assert one(ir.Alloc, lowered).kind == "array"


def test_syntax_error_that_hides_structure_spoils_the_block() -> None:
    lowered = body("float a[4]; { a[0] = 1; } else { p[0] = a[0]; }")
    assert "could not be parsed" in reasons(lowered)
    assert isinstance(lowered.body[-1], ir.Escape)
    assert {"p", "a"} <= {name for step in of(ir.Escape, lowered) for name in step.names}


def test_body_that_lost_its_end_is_not_believed() -> None:
    lowered = body("float a[4]; a[0] = 1; } p[0] = a[0];")
    assert set(reasons(lowered)) == {"statements after the end of the function: its braces do not match"}
    assert lowered.body and isinstance(lowered.body[-1], ir.Escape)
    twin = function("void f() { float a[4]; a[0] = 1; }\nREGISTER(f);\nvoid g() {}")
    assert reasons(twin) == []


def test_escape_of_a_jump_may_leave() -> None:
    lowered = body("while (n) { MY_LOOP(n) { break; } } MY_BLOCK(n) { return; } MY_BLOCK(n) { throw 1; }")
    assert len(of(ir.Break, one(ir.While, lowered).body)) == 1
    assert len(of(ir.Return, lowered)) == 1
    assert len(of(ir.Raise, lowered)) == 1


def test_macro_of_the_file_escapes_what_its_text_mentions() -> None:
    text = "#define FILL() INNER(p)\n#define INNER(x) x[0] = y\nvoid f(float* p, int y, int z) { FILL(); }\n"
    escape = one(ir.Escape, function(text))
    assert set(escape.names) == {"p", "y"}


def test_numbers_handed_to_an_unknown_function_are_forgotten() -> None:
    lowered = body("int m = n; read_size(m); p[m] = 1;")
    assert one(ir.Escape, lowered).names == ("m",)
    assert reasons(body("int m = n; std::min(m, 3);")) == []
    assert reasons(body("const int m = n; read_size(m);")) == []


def test_functions_of_the_file_are_known_to_take_values() -> None:
    assert reasons(function("void g(int a) {}\nvoid f() { int m = 1; g(m); }")) == []
    assert reasons(function("void g(int& a) {}\nvoid f() { int m = 1; g(m); }")) != []


def test_lambda_captures() -> None:
    lowered = body("int a = 1, b = 2; auto l = [&, b](int k) { a = b + k; };")
    made = one(ir.MakeFunction, lowered).function
    assert [(param.name, param.kind) for param in made.params] == [("k", "positional"), ("b", "keyword-only")]
    assert [(step.name, step.scope) for step in of(ir.Store, made)] == [("a", "enclosing")]
    assert made.params[1].default is not None
    assert loads(lowered.body)[made.params[1].default] == "b"


def test_lambda_that_captures_all_by_value() -> None:
    lowered = body("int a = 1; auto l = [=] { return a; };")
    made = one(ir.MakeFunction, lowered).function
    assert [param.name for param in made.params] == ["a"]
    assert one(ir.Load, made).scope == "local"
