"""The outline, spans, comments; and input that nobody should write."""

from __future__ import annotations

import time

import pytest
from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.cpp.unit import open_unit
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import problems
from allocsafe.source import Source

from tests.frontends.cpp.lowering import body, of, one, unit

TEXT = """\
namespace app {
template <typename T>
class Box : public Base, private detail::Other<T> {
 public:
  Box() = default;
  explicit Box(int n) : n_(n) {}
  ~Box() {}
  int get() const { return n_; }
  static int make(int n);
  bool operator==(const Box& other) const { return true; }
 private:
  int n_ = 0;
  std::vector<T> items_;
};

int helper(int n) { return n; }
float helper(float n) { return n; }
}  // namespace app

template <typename T>
int app::Box<T>::make(int n) { return n; }

int app::outside() { return 1; }  // allocsafe: ignore[AS101] known

#ifdef A
extern "C" { void c_function() {} }
#endif
void declared(int n);
"""


def test_definitions() -> None:
    found = {one.qualname: (one.kind, one.first_line, one.last_line, one.owner) for one in unit(TEXT).definitions}
    assert found == {
        "Box": ("class", 2, 14, ""),
        "Box.Box": ("function", 6, 6, "Box"),
        "Box.~Box": ("function", 7, 7, "Box"),
        "Box.get": ("function", 8, 8, "Box"),
        "Box.operator==": ("function", 10, 10, "Box"),
        "helper": ("function", 16, 16, ""),
        "helper#2": ("function", 17, 17, ""),
        "Box.make": ("function", 20, 21, "Box"),
        "outside": ("function", 23, 23, ""),
        "c_function": ("function", 26, 26, ""),
    }


def test_class() -> None:
    box = unit(TEXT).klass("Box")
    assert box is not None
    assert box.bases == ("Base", "detail::Other<T>")
    assert set(box.methods) == {"Box", "~Box", "get", "operator==", "make"}
    assert [(field.name, field.annotation) for field in box.fields] == [("n_", "int"), ("items_", "std::vector<T>")]
    assert unit(TEXT).klass("Nobody") is None
    assert unit(TEXT).function("nobody") is None


def test_methods_have_this_and_static_ones_do_not() -> None:
    one_unit = unit("struct A { int get() const { return 1; } static int make() { return 2; } };")
    get, make = one_unit.function("A.get"), one_unit.function("A.make")
    assert get is not None
    assert make is not None
    assert [param.name for param in get.load().params] == ["this"]
    assert get.load().kind == "method"
    assert make.load().params == ()
    assert "const" in get.load().qualifiers


def test_a_function_is_lowered_once() -> None:
    opened = unit(TEXT)
    first, second = opened.function("helper"), opened.function("helper")
    assert first is not None
    assert second is not None
    assert first.load() is second.load()


def test_innermost_definition_of_a_line() -> None:
    opened = unit(TEXT)
    found = [opened.at_line(line) for line in (8, 12, 21, 28)]
    assert [one.qualname if one else None for one in found] == ["Box.get", "Box", "Box.make", None]


def test_comments_that_name_the_tool() -> None:
    text = 'int a; // allocsafe: ignore[AS201] x\nchar* b = "// allocsafe";\n/* one\n allocsafe: two */\n// other\n'
    assert list(unit(text).comments()) == [(1, "// allocsafe: ignore[AS201] x"), (4, "allocsafe: two */")]


def test_columns_count_characters() -> None:
    text = 'void f(int n) { g("äöü𝄞", n); }'
    lowered = unit(text).function("f")
    assert lowered is not None
    load = next(step for step in of(ir.Load, lowered.load()) if step.name == "n")
    assert Source("case.cpp", text).at(load.span) == "n"


def test_names_for_relevance() -> None:
    assert {"torch", "empty", "p"} <= body("p = torch::empty({1});").names


def test_long_chains_need_no_stack() -> None:
    lowered = body("x = " + " + ".join(["n"] * 5000) + ";")
    assert len(of(ir.Binary, lowered)) == 4999


def test_deep_nesting_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="nested too deeply"):
        body("x = " + "(" * 2000 + "n" + ")" * 2000 + ";")


def test_huge_files_are_unsupported() -> None:
    with pytest.raises(Unsupported, match="larger than"):
        open_unit(Source("case.cpp", "x" * 20_000_000))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0",
        "void f(int n) { \0 int a[n]; }",
        "void f() {",
        "void f() { if (",
        'void f() { "',
        "void f() { /*",
        "}}}}",
        "void f() { <<<<<<< HEAD\n a();\n=======\n b();\n>>>>>>> other\n }",
        "void f() { \ud800 }",
        "template <",
        "class",
        'R"(' * 5000,
        "#" * 5000,
        "'" * 5000,
        "__launch_bounds__(" * 5000,
        "void f() {" + "{" * 5000,
        "a<" * 3000,
        "namespace a {" * 300,
        bytes(range(256)).decode("latin-1") * 20,
    ],
)
def test_bad_input_neither_crashes_nor_hangs(text: str) -> None:
    start = time.monotonic()
    opened = open_unit(Source("case.cu", text))
    assert problems(opened.toplevel()) == []
    for definition in opened.definitions:
        stub = opened.function(definition.qualname)
        if stub is not None:
            assert problems(stub.load()) == []
    list(opened.comments())
    assert time.monotonic() - start < 20


def test_statement_after_nul_is_still_there() -> None:
    stub = unit("void f(int n) { \0 int a[n]; }").function("f")
    assert stub is not None
    assert one(ir.Alloc, stub.load()).kind == "vla"
