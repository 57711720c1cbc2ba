"""The parser of operator schemas, good and bad ones, and what two of them have in common."""

from __future__ import annotations

import pytest
from allocsafe.effects.schemas import BadSchema, parse
from hypothesis import given
from hypothesis import strategies as st

WHOLE = "ns::name.overload(Tensor! out, Tensor(a!) x, Tensor? bias=None, *, int n=1) -> Tensor"


def test_a_whole_schema() -> None:
    schema = parse(WHOLE)
    assert (schema.namespace, schema.name, schema.overload) == ("ns", "name", "overload")
    out, x, bias, n = schema.args
    assert (out.written, out.alias, out.tensor) == (True, "", True)
    assert (x.written, x.alias) == (True, "a")
    assert (bias.written, bias.optional, bias.default) == (False, True, "None")
    assert (n.tensor, n.keyword_only, n.default) == (False, True, "1")
    assert [r.type for r in schema.returns] == ["Tensor"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("f(Tensor!? x) -> ()", True),
        ("f(Tensor(a!)? x) -> ()", True),
        ("f(Tensor(a!)[] x) -> ()", True),
        ("f(Tensor[](b!) x) -> ()", True),
        ("f(Tensor(a! -> *) x) -> ()", True),
        ("f(Tensor(a|b!) x) -> ()", True),
        ("f(Tensor(a) x) -> Tensor(a)", False),
        ("f(Tensor(a -> *) x) -> Tensor(a)[]", False),
        ("f(Tensor?[] x) -> Tensor", False),
        ("f(Tensor[2] x) -> Tensor", False),
        ("f((Tensor, int)[] x) -> Tensor", False),
        ("f(Dict(str, Tensor) x) -> Tensor", False),
    ],
)
def test_marks_and_types(text: str, written: bool) -> None:
    (arg,) = parse(text).args
    assert (arg.name, arg.written, arg.tensor) == ("x", written, True)


@pytest.mark.parametrize("kind", ["int", "int[2]", "SymInt?", "str", "float", "__torch__.torch.classes.a.B", "Device?"])
def test_types_that_are_no_tensor(kind: str) -> None:
    (arg,) = parse(f"f({kind} x) -> Tensor").args
    assert (arg.type, arg.tensor) == (kind, False)


@pytest.mark.parametrize(
    "default",
    ["None", "-1", "1e-6", "0.5", "-1.5E+3", '"auto"', "'a, b'", "[0, 1]", "[]", "True", "long", "MEAN", ".5"],
)
def test_defaults(default: str) -> None:
    first, last = parse(f"f(Any x={default}, Tensor y) -> ()").args
    assert (first.default, last.name) == (default, "y")


def test_results() -> None:
    assert parse("f(Tensor x) -> ()").returns == ()
    assert [r.name for r in parse("f(Tensor x) -> (Tensor a, Tensor b)").returns] == ["a", "b"]
    assert parse("f(Tensor(a!) x) -> Tensor(a!)").returns[0].alias == "a"
    assert parse("(Tensor x) -> Tensor", "ns::f").name == "f"
    assert parse("f(...) -> ...").open_ended


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the operator's name"),
        ("f", "'('"),
        ("f(Tensor x", "','"),
        ("f(Tensor x)", "`->`"),
        ("f(Tensor x) ->", "a type"),
        ("f(Tensor x) -> (Tensor", "','"),
        ("f(Tensor) -> ()", "the name of an argument"),
        ("f(Tensor x,) -> ()", "a type"),
        ("f(Tensor x y) -> ()", "','"),
        ("f(Tensor x) -> Tensor; drop", "begins nothing"),
        ("f(Tensor x) -> Tensor Tensor Tensor", "follows after"),
        ("f(Tensor x, Tensor x) -> ()", "two arguments"),
        ("f(*, *, Tensor x) -> ()", "twice"),
        ("f(int x=) -> ()", "no default"),
        ("f(int x=[1, 2) -> ()", "','"),
        ("f(int[] x=[1, 2", "is not closed"),
        ("f(Tensor(! x) -> ()", "an alias letter"),
        ("f(Tensor(a! x) -> ()", "')'"),
        ("f(Tensor[n] x) -> ()", "a length"),
        ("a::b::c(Tensor x) -> ()", "is no operator's name"),
        ("f.g.h(Tensor x) -> ()", "is no operator's name"),
        ("(Tensor x) -> ()", "is no operator's name"),
    ],
)
def test_what_is_no_schema_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadSchema) as caught:
        parse(text)
    assert says in str(caught.value) or (says == "','" and "')'" in str(caught.value))


@given(st.text(alphabet="f(Tensor x,)->!a?[]*=1 .:'\"", max_size=40))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        schema = parse(text)
    except BadSchema:
        return
    assert schema.name


@given(
    st.lists(
        st.tuples(st.sampled_from(["Tensor", "Tensor!", "Tensor(a!)?", "Tensor(b)[]", "int", "float?"]), st.booleans()),
        max_size=5,
    ),
    st.sampled_from(["()", "Tensor", "(Tensor, int)", "Tensor(a!)"]),
)
def test_what_is_shown_is_read_again(kinds: list[tuple[str, bool]], result: str) -> None:
    args = [f"{kind} x{n}{'=None' if default else ''}" for n, (kind, default) in enumerate(kinds)]
    schema = parse(f"ns::f.o({', '.join(args)}) -> {result}")
    assert parse(str(schema)) == schema


def test_a_silent_schema() -> None:
    assert parse("f(Tensor out, Tensor x) -> ()").silent
    assert parse("f(Tensor x) -> int").silent
    assert not parse("f(Tensor! out, Tensor x) -> ()").silent
    assert not parse("f(Tensor x) -> Tensor").silent
    assert not parse("f(Tensor x) -> Tensor[]").silent


def test_two_schemas_mean_the_same_for_a_call() -> None:
    a = parse("f(Tensor! out, Tensor x, float eps=1e-5) -> ()")
    b = parse("f(Tensor! result, Tensor input, float eps=1e-6) -> ()")
    c = parse("f(Tensor! out, Tensor! x) -> ()")
    assert a.meaning() == b.meaning() != c.meaning()
    assert a.meaning(2, frozenset()) == b.meaning(2, frozenset()) != c.meaning(2, frozenset())
    assert a.meaning(1, frozenset()) == c.meaning(1, frozenset())
    aliased = parse("f(Tensor(a!) x) -> Tensor(a!)")
    assert aliased.meaning() != parse("f(Tensor(a!) x) -> Tensor").meaning()
    assert aliased.meaning() == parse("f(Tensor(b!) y) -> Tensor(b!)").meaning()


def test_which_calls_fit() -> None:
    schema = parse("f(Tensor x, Tensor? y=None, *, Tensor out) -> Tensor")
    assert schema.fits(1, frozenset({"out"})) and schema.fits(2, frozenset({"out"}))
    assert not schema.fits(1, frozenset())  # `out` is missing
    assert not schema.fits(3, frozenset({"out"}))
    assert not schema.fits(1, frozenset({"out", "x"}))  # given twice
    assert not schema.fits(1, frozenset({"out", "other"}))
