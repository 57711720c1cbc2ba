"""What a unit answers: definitions, stubs, classes, the module's own statements, comments; cheaply and once."""

from __future__ import annotations

import subprocess
import sys

from allocsafe.frontends.base import Unit
from allocsafe.frontends.python.unit import open_unit
from allocsafe.ir import nodes as ir
from allocsafe.source import Source

from tests.frontends.python.lowering import everything, function, steps, unit

FILE = """\
import torch

LIMIT = 3


@torch.inference_mode()
def run(x, n=LIMIT, *, out: "Tensor" = None) -> "Tensor":
    return x["page table"]


class Runner(Base[int], pkg.Mixin, metaclass=Meta):
    size: int
    step: int = LIMIT
    names = [1]

    @property
    def buf(self):
        return self._buf

    @buf.setter
    def buf(self, value):
        self._buf = value

    @overload
    def get(self, x: int): ...

    def get(self, x, n=step):
        return x

    @typing.overload
    def late(self): ...

    class Inner:
        def deep(self):
            pass


if LIMIT:
    def both():
        return 1
else:
    def both():
        return 2
"""


def test_definitions() -> None:
    assert [(d.qualname, d.kind, d.first_line, d.last_line, d.owner) for d in unit(FILE).definitions] == [
        ("run", "function", 6, 8, ""),
        ("Runner", "class", 11, 35, ""),
        ("Runner.buf", "function", 16, 18, "Runner"),
        ("Runner.buf", "function", 20, 22, "Runner"),
        ("Runner.get", "function", 24, 25, "Runner"),
        ("Runner.get", "function", 27, 28, "Runner"),
        ("Runner.late", "function", 30, 31, "Runner"),
        ("Runner.Inner", "class", 33, 35, "Runner"),
        ("Runner.Inner.deep", "function", 34, 35, "Runner.Inner"),
        ("both", "function", 39, 40, ""),
        ("both", "function", 42, 43, ""),
    ]


def test_function() -> None:
    stub = unit(FILE).function("run")
    assert stub is not None
    assert (stub.name, stub.owner, stub.decorator_names) == ("run", "", ("torch.inference_mode",))
    lowered = stub.load()
    assert lowered is stub.load()
    assert lowered.decorator_names == ("torch.inference_mode",)
    assert [(p.name, p.kind, p.default is None, p.annotation) for p in lowered.params] == [
        ("x", "positional", True, ""),
        ("n", "positional", False, ""),
        ("out", "keyword-only", False, '"Tensor"'),
    ]
    assert lowered.returns == '"Tensor"'
    assert lowered.span == stub.span == ("case.py", 6, 1, 8, 27)
    assert {"x", "page table"} <= lowered.names and "LIMIT" in lowered.names and "size" not in lowered.names


def test_several_definitions_of_one_name() -> None:
    opened = unit(FILE)
    assert [stub.span.line for stub in opened.functions("both")] == [39, 42]
    last = opened.function("both")
    assert last is not None and last.span.line == 42
    get = opened.functions("Runner.get")
    assert [stub.span.line for stub in get] == [27]  # the overload is a declaration
    assert len(opened.functions("Runner.late")) == 1  # unless there is nothing else
    getter, setter = opened.function("Runner.buf"), opened.function("Runner.buf.setter")
    assert getter is not None and setter is not None
    assert (getter.span.line, setter.span.line) == (16, 20)
    at = opened.stub_at(40)
    assert at is not None and at.span.line == 39
    assert opened.stub_at(1) is None


def test_what_is_not_there() -> None:
    opened = unit(FILE)
    assert opened.function("Runner") is None
    assert opened.function("nobody") is None
    assert opened.klass("run") is None
    assert opened.functions("nobody") == ()


def test_class() -> None:
    cls = unit(FILE).klass("Runner")
    assert cls is not None and cls.load_body is not None
    assert cls.bases == ("Base", "pkg.Mixin")
    assert list(cls.methods) == ["buf", "buf.setter", "get", "late"]
    assert cls.methods["get"].span.line == 27
    assert [(p.name, p.annotation, p.default is None) for p in cls.fields] == [
        ("size", "int", True),
        ("step", "int", False),
    ]
    body = cls.load_body()
    assert body.kind == "class"
    assert [s.name for s in body.body if isinstance(s, ir.Store)] == ["step", "names"]
    assert cls.fields[1].default == next(s.src for s in body.body if isinstance(s, ir.Store))


def test_defaults_see_the_class() -> None:
    lowered = unit(FILE).function("Runner.get")
    assert lowered is not None
    assert [(s.name, s.scope) for s in lowered.load().defaults if isinstance(s, ir.Load)] == [("step", "local")]
    outer = unit("step = 1\n\nclass A:\n    def m(self, n=step): pass\n").function("A.m")
    assert outer is not None
    assert [(s.name, s.scope) for s in outer.load().defaults if isinstance(s, ir.Load)] == [("step", "global")]


def test_bases_as_people_write_them() -> None:
    def bases(head: str) -> tuple[str, ...]:
        cls = unit(f"{head}\n    pass\n").klass("A")
        assert cls is not None
        return cls.bases

    assert bases("class A:") == ()
    assert bases("class A():") == ()
    assert bases("class A(B, ):") == ("B",)
    assert bases("class A(\n    B,  # why (\n    c . D,\n    Generic[K, V],\n    **kw\n):") == ("B", "c.D", "Generic")
    assert bases("class A(make('x)', 1), *more, x=1):") == ("make", "*more")
    assert bases("class A[T: (int, str)](B[T]):") == ("B",)
    assert bases("class A(namedtuple('A', ['x', 'y']), object):") == ("namedtuple", "object")


def test_one_line_class() -> None:
    cls = unit("class P: x: int; y: int = 2\n").klass("P")
    assert cls is not None and cls.load_body is not None
    assert [s.name for s in cls.load_body().body if isinstance(s, ir.Store)] == ["y"]
    assert [p.name for p in cls.fields] == ["x", "y"]


def test_toplevel_leaves_definitions_out() -> None:
    top = unit(FILE).toplevel()
    assert top.kind == "module"
    assert [type(s).__name__ for s in top.body] == ["Import", "Store", "Const", "Store", "Load", "If"]
    assert {s.scope for s in steps(top) if isinstance(s, (ir.Load, ir.Store))} == {"global"}
    assert [s.span.line for s in top.body if isinstance(s, ir.If)] == [38]


def test_at_line() -> None:
    opened = unit(FILE)

    def at(line: int) -> str:
        found = opened.at_line(line)
        return found.qualname if found else ""

    assert [at(n) for n in (1, 6, 8, 9, 11, 13, 16, 18, 19, 35, 36, 44, 1000)] == [
        *("", "run", "run", "", "Runner", "Runner", "Runner.buf", "Runner.buf", "Runner"),
        *("Runner.Inner.deep", "", "", ""),
    ]


def test_columns_count_characters() -> None:
    lowered = function("def f(x):\n    é = 'ü𝄞'; return f(x)\n")
    call = next(s for s in steps(lowered) if isinstance(s, ir.Call))
    assert call.span[1:] == (2, 22, 2, 26)


def test_lines_are_the_files() -> None:
    text = (
        "\n" * 7_000
        + "class A:\n\n    # comment\n    def m(self):\n\n        # more\n        return f(\n\n            1)\n"
    )
    stub = unit(text).function("A.m")
    assert stub is not None
    call = next(s for s in steps(stub.load()) if isinstance(s, ir.Call))
    assert call.span[1:] == (7_007, 16, 7_009, 15)


def test_a_blank_that_the_printer_loses() -> None:
    """libcst prints `except (A, B) :` without the last blank; what follows must not move."""
    lowered = function("def f(x):\n    try:\n        x()\n    except (A, B) :\n        x(1)\n    return x(2)\n")
    assert sorted(s.span[1:] for s in steps(lowered) if isinstance(s, ir.Call)) == [
        (3, 9, 3, 12),
        (5, 9, 5, 13),
        (6, 12, 6, 16),
    ]


def test_positions_without_the_printers_inner_interface(monkeypatch: object) -> None:
    from allocsafe.frontends.python import positions

    def spans() -> list[tuple[str, tuple[int, ...]]]:
        return [(type(s).__name__, s.span[1:]) for f in everything(unit(FILE)) for s in steps(f)]

    fast = spans()
    original = positions._Printer.record_syntactic_position
    try:
        del positions._Printer.record_syntactic_position
        slow = spans()
    finally:
        positions._Printer.record_syntactic_position = original  # type: ignore[method-assign]
    assert slow == fast


def test_comments() -> None:
    text = "x = 1  # allocsafe: ignore[AS101] because\ny = '# allocsafe: no'\n"
    assert list(unit(text).comments()) == [(1, "# allocsafe: ignore[AS101] because")]


def test_it_is_a_unit() -> None:
    opened: Unit = open_unit(Source("a.py", FILE))
    assert opened.language == "python"


def test_an_outline_imports_no_parser() -> None:
    program = (
        "import sys\n"
        "from allocsafe.frontends.python.unit import open_unit\n"
        "from allocsafe.source import Source\n"
        "u = open_unit(Source('a.py', 'class A:\\n    def m(self): pass\\n'))\n"
        "assert [d.qualname for d in u.definitions] == ['A', 'A.m'] and u.at_line(2)\n"
        "assert not {'libcst', 'allocsafe.ir.nodes'} & set(sys.modules), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
