"""Text that is no Python: a refusal with its place in the file, and the rest of the file is still there."""

from __future__ import annotations

import pytest
from allocsafe.frontends.base import Unsupported
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frontends.python.lowering import everything, library, unit


def test_a_syntax_error_stays_in_its_function() -> None:
    bad_method = "    def bad(self):\n        y = 1\n        return ]\n"
    opened = unit(f"x = 1\n\nclass A:\n{bad_method}    def good(self):\n        return 1\n")
    bad, good = opened.function("A.bad"), opened.function("A.good")
    assert bad is not None and good is not None
    with pytest.raises(Unsupported) as caught:
        bad.load()
    assert caught.value.span.line == 6
    assert caught.value.reason == "syntax error"
    assert good.load().name == "good"
    assert opened.toplevel().kind == "module"


def test_a_syntax_error_at_the_top() -> None:
    opened = unit("import os\n\ndef f():\n    return 1\n\nx = = 2\n")
    for _ in range(2):
        with pytest.raises(Unsupported) as caught:
            opened.toplevel()
        assert caught.value.span.line == 6
    stub = opened.function("f")
    assert stub is not None and stub.load()


def test_a_class_body_that_does_not_parse() -> None:
    cls = unit("class A:\n    x: int = (\n    def f(self): pass\n").klass("A")
    assert cls is not None and cls.load_body is not None and cls.fields == ()
    with pytest.raises(Unsupported):
        cls.load_body()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only\n",
        "\x00",
        "def f(:\n",
        "if x:\n",
        "'''",
        "\\",
        "x = 'a\n",
        "\ufeffx",
        "é = \ud800",
        "class",
        "@",
        "def",
    ],
)
def test_odd_files(text: str) -> None:
    opened = unit(text)
    try:
        list(everything(opened))
    except Unsupported as error:
        assert error.reason and error.span.line >= 1 and "\n" not in error.reason


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_lowered(data: st.DataObject) -> None:
    """Cut, doubled or swapped pieces of real files: no exception but `Unsupported`."""
    text = data.draw(st.sampled_from(library(12, seed=11, most=12_000))).text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 400)))
    piece = data.draw(st.sampled_from(["", "(", "'", '"""', "\n", "def f(", ":", "\\", "{", "\t", text[start:end] * 2]))
    opened = unit(text[:start] + piece + text[end:])
    loads = [opened.toplevel]
    for definition in opened.definitions:
        stub = opened.stub_at(definition.first_line)
        if definition.first_line <= text.count("\n", 0, start) + 40 and stub is not None:
            loads.append(stub.load)
    for load in loads:
        try:
            assert load().names is not None
        except Unsupported as error:
            assert error.span.line >= 1
