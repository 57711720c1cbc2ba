"""The outline against Python's own parser: on the standard library, on made-up programs, on odd cases by name."""

from __future__ import annotations

import ast
import time

import pytest
from allocsafe.frontends.python.scan import outline
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frontends.python.lowering import library

Row = tuple[str, int, int, int, str]


def by_parser(text: str) -> list[Row]:
    """(qualname, first line, `def` line, last line, owner) of every definition at module or class level."""
    found: list[Row] = []

    def walk(body: list[ast.stmt], owner: str) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                qualname = f"{owner}.{node.name}" if owner else node.name
                assert node.end_lineno is not None
                found.append((qualname, first, node.lineno, node.end_lineno, owner))
                if isinstance(node, ast.ClassDef):
                    walk(node.body, qualname)
                continue
            for field in ("body", "orelse", "handlers", "finalbody", "cases"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    walk(inner, owner)

    walk(ast.parse(text).body, "")
    return sorted(found, key=lambda row: row[2])


def by_scan(text: str) -> list[Row]:
    return [(e.qualname, e.first_line, e.def_line, e.last_line, e.owner) for e in outline(text).entries]


def test_standard_library() -> None:
    compared = 0
    for source in library(170, seed=3):
        try:
            expected = by_parser(source.text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        compared += len(expected)
        assert by_scan(source.text) == expected, source.path
    assert compared > 1_000


# ---------------------------------------------------------------- made-up programs

STRINGS = st.sampled_from(
    [
        '"def f():"',
        "'it''s'",
        '"""\ndef no(): pass\n  """',
        "f'{x!r:>{w}}'",
        'f"{{"',
        'rb"\\""',
        "'''a\n# '''",
        '"#("',
        "''",
    ]
)
ODD = st.sampled_from(
    ["# def f(): (", "x = (", "", "    ", "\t# class A:", "x = [1,\n2]", "x = \\\n  1", "y = {\n'a': (\n)}"]
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """Statements at one indentation, nested definitions and strings with definitions in them among them."""
    pad = draw(st.sampled_from(["    ", "  ", "\t"])) if depth else ""
    rows: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["def", "class", "if", "try", "line", "string", "odd", "decorated", "one-line"]))
        name = draw(st.sampled_from("abc"))
        if kind == "line":
            rows.append(f"{name} = g({draw(STRINGS)}, [1, 2])  # ) class X:")
        elif kind == "string":
            rows.append(f"{draw(STRINGS)}")
        elif kind == "odd":
            text = draw(ODD)
            rows.append(text if text != "x = (" else f"x = (\n{draw(STRINGS)}\n)")
        elif kind == "one-line":
            rows.append(f"def {name}(x={draw(STRINGS)}): return (x)")
        elif depth < 3:
            inner = draw(blocks(depth + 1))
            heads = {
                "def": f"async def {name}(\n  x):",
                "class": f"class {name}:",
                "if": "if x:",
                "decorated": f"@d(\n{draw(STRINGS)})\n@e\ndef {name}():",
            }
            if kind == "try":
                rows.append(f"try:\n{inner}\n{pad and ''}finally:\n{inner}")
            else:
                rows.append(f"{heads[kind]}\n{inner}")
        else:
            rows.append("pass")
    rows.append("pass")
    text = "\n".join(rows)
    return text if not depth else _indented(text, pad)


def _indented(text: str, pad: str) -> str:
    """Indents logical lines only: what a string or bracket holds may stand anywhere."""
    starts = set(outline(text).starts)
    return "\n".join(pad + row if number in starts else row for number, row in enumerate(text.split("\n"), 1))


@settings(max_examples=300, deadline=None)
@given(blocks())
def test_made_up_programs(text: str) -> None:
    try:
        expected = by_parser(text)
    except (SyntaxError, ValueError):
        return
    assert by_scan(text) == expected


# ---------------------------------------------------------------- odd cases by name

ODD_CASES = {
    "in a string": 's = """\ndef f():\n    pass\n"""\ndef g(): pass\n',
    "string that ends like a comment": 'def f():\n    s = """\n# end"""\n# comment\nx = 1\n',
    "less indented bracket": "def f():\n    x = [\n1,\n]\n    return x\n",
    "less indented string": 'class A:\n    s = """\nclass B:\n"""\n    def m(self): pass\n',
    "comment at the margin": "class A:\n# margin\n    def m(self):\n# margin\n        pass\n",
    "continued line": "x = 1 + \\\n  2\ndef f(): pass\n",
    "matrix product is no decorator": "x = (a\n@ b)\ndef f(): pass\n",
    "tabs and spaces": "class A:\n\tdef m(self):\n\t\tif x:\n\t\t  pass\n\tdef n(self): pass\n"
    "if x:\n    \tdef f():\n    \t  pass\n",
    "form feed": "x = 1\n\f\ndef f():\n    pass\n\f\nclass A: pass\n",
    "no newline at the end": "def f():\n    return 1",
    "nothing but a comment": "# def f(): pass",
    "empty": "",
    "condition that looks like a prefix": 'x = 1 if"{"else 2\ndef f(): pass\n',
    "decorators over comments": "@a\n# comment\n\n@b\ndef f(): pass\n",
    "same name twice": "if x:\n    def f(): pass\nelse:\n    def f(): return 1\n",
    "class in a function": "def f():\n    class A:\n        def m(self): pass\n    return A\n",
    "else after a definition": "if x:\n    def f():\n        pass\n    # comment\nelse:\n    pass\n",
    "non-ASCII names": "def größe(é):\n    return é\nclass Ünit: pass\n",
    "backslash at the end of a string": "s = 'a\\\n def f(): pass'\ndef g(): pass\n",
}


@pytest.mark.parametrize("text", ODD_CASES.values(), ids=ODD_CASES.keys())
def test_odd_case(text: str) -> None:
    assert by_scan(text) == by_parser(text)


def names(text: str) -> list[str]:
    return [entry.qualname for entry in outline(text).entries]


def test_same_quotes_within_a_replacement_field() -> None:
    """Python 3.12 allows them; the outline must not take the inner quotes for the string's end."""
    assert names('def f():\n    return f"{x[\'#\'] + y["#("]}"\ndef g(): pass\n') == ["f", "g"]
    assert names('def f():\n    return f"""{\n  d["""a"""]\n}"""\ndef g(): pass\n') == ["f", "g"]
    assert names("x = f'{f'{f'{1}('}'}'\ndef g(): pass\n") == ["g"]


def test_an_open_bracket_ends_at_the_next_definition() -> None:
    assert names("x = (1, [2\ndef f():\n    pass\ndef g(): pass\n") == ["f", "g"]


def test_an_open_string_ends_the_outline_not_the_program() -> None:
    assert names('def f(): pass\nx = """\ndef g(): pass\n') == ["f"]
    assert names("def f(): pass\nx = 'open\ndef g(): pass\n") == ["f", "g"]


def test_comments_are_comments() -> None:
    text = 'x = 1  # allocsafe: ignore[AS101] because\ns = "# allocsafe: no"\n# other\n# Allocsafe allocsafe\n'
    assert outline(text).comments == (
        (1, "# allocsafe: ignore[AS101] because"),
        (4, "# Allocsafe allocsafe"),
    )


def test_decorator_names() -> None:
    entry = outline("@torch.no_grad()\n@ property\n@(yield)\ndef f(): pass\n").entries[0]
    assert entry.decorators == ("torch.no_grad", "property", "")


def test_a_long_line_is_scanned_once() -> None:
    """A line of 2 MB, brackets and quotes in it, takes a time that grows with its length only."""
    text = "x = [" + "(1, 'a', \"b\"), " * 130_000 + "]\ndef f(): pass\n"
    before = time.process_time()
    assert names(text) == ["f"]
    assert time.process_time() - before < 5
