"""What the text of one file registers: Python and C++, spelled in the ways that are in use, and what registers not."""

from __future__ import annotations

import pytest
from allocsafe.effects.registrations import Registration, registrations, split
from allocsafe.effects.registrations_cpp import parameters


def python(text: str, name: str = "op") -> list[Registration]:
    return registrations(text, "ops.py", name)


def cpp(text: str, name: str = "op") -> list[Registration]:
    return registrations(text, "ops.cpp", name)


@pytest.mark.parametrize(
    "text",
    [
        '@torch.library.custom_op("ns::op", mutates_args=())\ndef f(x): ...\n',
        '@library.triton_op(\n    "ns::op",  # a comment with ) in it\n    mutates_args={"x"},\n)\n@other(1, ")")\n'
        "# text\ndef f(x): ...\n",
        '@custom_op("ns" "::op", mutates_args=())\nasync def f(x): ...\n',
        'direct_register_custom_op(op_name="ns::op", op_func=f, fake_impl=g)\n',
        'direct_register_custom_op("ns::op", f, ["x"], g)\n',
        'u.direct_register_custom_op(op_name=r"op", fake_impl=g, op_func=f, target_lib=lib)\n'
        'lib = Library("ns", "FRAGMENT")\n',
        '@register_custom_op(op_name="ns::op")\ndef f(x): ...\n',
        'torch.library.custom_op("ns::op", f, mutates_args=())\n',
    ],
)
def test_a_function_that_is_the_operator(text: str) -> None:
    (said,) = python(text)
    assert (said.kind, said.namespace, said.func) == ("function", "ns", "f")


@pytest.mark.parametrize(
    "text", ["@register_custom_op\ndef op(x): ...\n", "@register_custom_op(mutates_args=['x'])\ndef op(x): ...\n"]
)
def test_an_operator_called_like_its_function(text: str) -> None:
    (said,) = python(text)
    assert (said.kind, said.namespace, said.func) == ("function", "", "op")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('lib = torch.library.Library("ns", "IMPL")\nlib.impl("op", f, "CUDA")\n', "kernel"),
        ('lib = Library("ns", "FRAGMENT")\n@torch.library.impl(lib, "op", "CPU")\ndef f(x): ...\n', "kernel"),
        ('@torch.library.impl("ns::op", ("cpu", "cuda"))\ndef f(x): ...\n', "kernel"),
        ('@torch.library.register_kernel("ns::op", "cuda")\ndef f(x): ...\n', "kernel"),
        ('torch.library.impl("ns::op", "Autograd", f)\n', "other"),
        ('lib = Library("ns", "IMPL")\nlib.impl("op", make(), "CUDA")\n', "other"),
    ],
)
def test_an_implementation_for_some_devices(text: str, kind: str) -> None:
    (said,) = python(text)
    assert (said.kind, said.namespace) == (kind, "ns")


@pytest.mark.parametrize(
    "text",
    [
        '@torch.library.register_fake("ns::op")\ndef f(x): ...\n',
        '@torch.library.impl_abstract("ns::op")\ndef f(x): ...\n',
        '@torch.library.impl("ns::op", "Meta")\ndef f(x): ...\n',
        'lib.impl("op", f, "Meta")\n',
        'lib._register_fake("op", f)\n',
        "def direct_register_custom_op(op_name, op_func): ...\nop = 1\n",
        "from u import direct_register_custom_op, op\n",
        "direct_register_custom_op(op_name=name, op_func=op)\n",
        'direct_register_custom_op(op_name="op2", op_func=op)\n',
        '# direct_register_custom_op(op_name="op", op_func=f)\n',
        'direct_register_custom_op(op_name="op", op_func=f\n',
        'test_custom_op("op" +)\n',
        '@register_custom_op("op")\nx = 1\n',
    ],
)
def test_what_makes_no_operator(text: str) -> None:
    assert not [r for r in python(text) if r.func]


def test_what_python_says_is_mutated() -> None:
    assert python('@custom_op("n::op", mutates_args=["x", "y"])\ndef f(x, y): ...\n')[0].mutates == ("x", "y")
    assert python('@custom_op("n::op", mutates_args="unknown")\ndef f(x): ...\n')[0].mutates == ("unknown",)
    assert python('@custom_op("n::op", mutates_args=())\ndef f(x): ...\n')[0].mutates == ()
    assert python('@custom_op("n::op", mutates_args=[A])\ndef f(x): ...\n')[0].mutates == ("unknown",)
    assert python('register_custom_op("op", f, ["x"])\n')[0].mutates == ("x",)
    assert python('register_custom_op(op_name="op", op_func=f)\n')[0].mutates is None


def test_a_schema_that_python_defines() -> None:
    (said,) = python('lib = Library("ns", "DEF")\nlib.define("op.o(Tensor! x" ") -> ()")\n')
    assert (said.namespace, said.overload, said.line) == ("ns", "o", 2)
    assert said.schema is not None and said.schema.args[0].written
    (said,) = python('torch.library.define("ns::op", r"(Tensor x) -> Tensor")\n')
    assert said.schema is not None and (said.namespace, said.schema.name) == ("ns", "op")
    (said,) = python('torch.library.define("ns::op", "(Tensor x)" + more)\n')
    assert said.schema is None and "run time" in said.problem
    (said,) = python('lib.define("op(Tensor x)")\n')
    assert said.schema is None and "cannot be read" in said.problem


LIBRARY = "TORCH_LIBRARY(ns, m) {\n  %s\n}\n"


@pytest.mark.parametrize(
    "row",
    [
        'm.def("op(Tensor! x) -> ()");',
        'm.def("op(Tensor! x"\n   // why\n   ") -> ()", {at::Tag::pt2_compliant_tag});',
        'm.def(R"(op(Tensor! x) -> ())");',
        'm.def(R"x(op(Tensor! x) -> ())x", &op);',
        'm.def(torch::schema("op(Tensor! x) -> ()"));',
        'm->def("\\n op(Tensor! x) -> ()");',
    ],
)
def test_schemas_in_cpp(row: str) -> None:
    (said,) = cpp(LIBRARY % row)
    assert (said.kind, said.namespace, said.line, said.problem) == ("schema", "ns", 2, "")
    assert said.schema is not None and said.schema.args[0].written


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('m.def("op", &op);', "without a schema"),
        ('m.def("op(Tensor! x" MORE ") -> ()");', "a macro"),
        ('m.def("op(Tensor! x)");', "cannot be read"),
    ],
)
def test_schemas_in_cpp_that_are_not_known(row: str, says: str) -> None:
    (said,) = cpp(LIBRARY % row)
    assert said.schema is None and says in said.problem


@pytest.mark.parametrize(
    ("head", "space"),
    [
        ("TORCH_LIBRARY(ns, m)", "ns"),
        ("TORCH_LIBRARY_FRAGMENT(_C, m)", "_C"),
        ("STABLE_TORCH_LIBRARY_FRAGMENT(_moe_C, m)", "_moe_C"),
        ("TORCH_LIBRARY_EXPAND(TORCH_EXTENSION_NAME, m)", ""),
        ("TORCH_LIBRARY_EXPAND(CONCAT(TORCH_EXTENSION_NAME, _cache_ops), m)", "*_cache_ops"),
        ("TORCH_LIBRARY_EXPAND(CONCAT(TORCH_EXTENSION_NAME, SUFFIX), m)", ""),
    ],
)
def test_namespaces_in_cpp(head: str, space: str) -> None:
    text = f'#define TORCH_LIBRARY_EXPAND(A, B) TORCH_LIBRARY(A, B)\n{head} {{\n m.def("op(Tensor x) -> Tensor");\n}}\n'
    assert [r.namespace for r in cpp(text)] == [space]


def test_the_nearest_library_above_counts() -> None:
    text = LIBRARY % "" + LIBRARY.replace("ns", "two") % 'm.def("op(Tensor x) -> Tensor");'
    assert [r.namespace for r in cpp(text)] == ["two"]


def test_implementations_in_cpp() -> None:
    head = "TORCH_LIBRARY_IMPL(ns, CUDA, m) {\n  %s\n}\n"
    (said,) = cpp(head % 'm.impl("op", &space::op_kernel);')
    assert (said.kind, said.func) == ("other", "space::op_kernel")
    (said,) = cpp(head % 'm.impl("op", torch::kCUDA, TORCH_FN(op));')
    assert said.kind == "other"
    assert cpp(head.replace("CUDA", "Meta") % 'm.impl("op", &op);') == []
    assert cpp(head % 'm.impl("op", torch::kMeta, &op);') == []


@pytest.mark.parametrize(
    "text",
    [
        'PYBIND11_MODULE(ns, m) { m.def("op", &op, "op(Tensor! x) -> ()"); }',
        'TORCH_LIBRARY(ns, m) { /* m.def("op(Tensor x) -> ()"); */ }',
        'TORCH_LIBRARY(ns, m) {\n // m.def("op(Tensor x) -> ()");\n}',
        'TORCH_LIBRARY(ns, m) { m.def("op2(Tensor op) -> ()"); }',
        'TORCH_LIBRARY(ns, m) { m.def("other(Tensor x) -> ()", "op(Tensor x) -> ()"); }',
    ],
)
def test_what_registers_nothing_in_cpp(text: str) -> None:
    assert cpp(text) == []


def test_parameters_of_a_cpp_function() -> None:
    text = """
void op(torch::Tensor& out, const std::optional<std::pair<int, int>>& x, torch::Tensor const& y = f(1, 2));
void use() { return op(a, b, c); }
namespace n { void op(torch::Tensor& out,  // const
                      const torch::Tensor& x) { } }
"""
    assert [[p.const for p in each] for each in parameters(text, "n::op")] == [[False, True, True], [False, True]]


def test_names() -> None:
    assert split("ns::op.out") == ("ns", "op", "out")
    assert split("op.default") == ("", "op", "")
