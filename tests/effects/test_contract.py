"""The grammar of contracts: what it means, and what it refuses, with the column."""

from __future__ import annotations

import pytest
from allocsafe.effects.contract import Atom, Contract, ContractError, Item, Param, Place, parse
from allocsafe.effects.lookup import Contracts


def read(text: str) -> Contract:
    return parse("pkg.op", text)


def places(text: str, verb: str) -> list[Place]:
    return [place for clause in read(text).clauses if clause.verb == verb for place in clause.places]


def test_verbs_and_names() -> None:
    found = read("reads q, k; indexes i; writes o; accumulates a; keeps c; ignores n; returns o")
    assert [clause.verb for clause in found.clauses] == [
        "reads",
        "indexes",
        "writes",
        "accumulates",
        "keeps",
        "ignores",
    ]
    assert found.result == "o"
    assert found.names() == {"q", "k", "i", "o", "a", "c", "n"}
    assert found.params is None


def test_a_signature() -> None:
    found = read("(q, k=None, *xs, n=-1, **rest) reads q; returns fresh")
    assert found.params == (
        Param("q", "positional"),
        Param("k", "positional"),
        Param("xs", "star"),
        Param("n", "keyword-only"),
        Param("rest", "double-star"),
    )
    assert read("(q, *, out=None) writes out").params == (Param("q", "positional"), Param("out", "keyword-only"))


def test_a_region_of_bounds() -> None:
    (place,) = places("writes out[:cu[-1], 2*n - 1:, x.shape[0], ..., max(y)+1:len(z)]", "writes")
    assert place.region == (
        Item("slice", None, ((1, Atom("item", "cu", -1)),)),
        Item("slice", ((2, Atom("value", "n")), (-1, Atom("one"))), None),
        Item("index", ((1, Atom("size", "x", 0)),)),
        Item("dots"),
        Item("slice", ((1, Atom("max", "y")), (1, Atom("one"))), ((1, Atom("len", "z")),)),
    )


def test_what_a_bound_takes_from_elements_is_a_guard() -> None:
    assert read("writes out[:cu[-1]], rest[:max(lens)]").guards == ("cu", "lens")
    assert read("writes out[:x.shape[0]], rest[:n], more[:len(y)]").guards == ()
    assert read("reads k up to lengths; guarded by table").guards == ("lengths", "table")


def test_parts() -> None:
    assert [p.part for p in places("reads q, part of k, c up to n", "reads")] == [False, True, True]


def test_positions_stand_in_for_names_without_a_signature() -> None:
    assert [place.name for place in places("writes 0, 2[:n]", "writes")] == ["0", "2"]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "a clause begins with one of reads"),
        ("wrties out", 1, "did you mean 'writes'?"),
        ("reads", 6, "expected an argument, and the text ends"),
        ("reads a,", 9, "expected an argument"),
        ("reads a b", 9, "expected ';', not 'b'"),
        ("reads a; reads", 15, "and the text ends"),
        ("reads a[", 9, "expected a bound"),
        ("reads a[1", 10, "expected ','"),
        ("reads a[n.size[0]]", 11, "expected 'shape'"),
        ("reads a[n[m]]", 11, "expected an integer"),
        ("reads a[n*2]", 10, "expected ','"),
        ("reads *[1]", 8, "takes no region"),
        ("keeps a[1]", 8, "takes no region"),
        ("keeps part of a", 7, "`keeps` has no parts"),
        ("reads part of *", 15, "`*` has no parts"),
        ("reads *; writes *", 18, "two clauses"),
        ("(a) reads b", 11, "the signature has no parameter 'b'"),
        ("(alpha) reads alhpa", 15, "did you mean 'alpha'?"),
        ("(a) reads 0", 11, "a name, not a position"),
        ("(a, a) reads a", 5, "a second parameter 'a'"),
        ("(a reads a", 4, "expected ','"),
        ("returns", 8, "expected `fresh`"),
        ("returns a; returns b", 12, "a second `returns`"),
        ("guarded a", 9, "expected 'by'"),
        ("guarded by *", 12, "a guard has a name"),
        ("reads a; ignores a", 18, "'a' is ignored here and used in another clause"),
        ("out:W", 1, "a clause begins with"),
        ("reads a | b", 9, "'|' has no meaning here"),
        ("reads a\u2026", 8, "has no meaning here"),
    ],
)
def test_what_is_refused(text: str, column: int, words: str) -> None:
    with pytest.raises(ContractError) as error:
        read(text)
    assert words in str(error.value)
    assert str(error.value).startswith(f"column {error.value.column}: ")
    assert "\n" not in str(error.value)
    assert error.value.column == column


@pytest.mark.parametrize("name", ["torch.ops.ns.op", "torch.ops.ns.op.default", "ns::op"])
@pytest.mark.parametrize("key", ["torch.ops.ns.op", "ns::op"])
def test_two_spellings_of_one_operator(name: str, key: str) -> None:
    found = Contracts({key: "reads *"}).look_up(name)
    assert found is not None
    assert found.name == name


def test_a_word_is_a_convention_for_callees_out_of_view() -> None:
    packs = Contracts({"norm": "reads *"})
    assert packs.look_up("self.norm") is not None
    assert packs.look_up("pkg.norm", outside=True) is None, "a function of another package may be called so"
    assert packs.exact("self.norm") is None
    own = Contracts({}, {"norm": "reads *"})
    assert own.look_up("pkg.norm", outside=True) is not None, "the project itself says so"


def test_the_project_goes_before_the_packs() -> None:
    both = Contracts({"p.k": "reads *"}, {"p.k": "writes *"})
    found = both.look_up("p.k")
    assert found is not None
    assert found.clauses[0].verb == "writes"
    entry = both.entry("p.k")
    assert entry is not None
    assert entry.origin == "config"
    assert both.own("p.other") is None


def test_the_pack_s_contracts_are_of_the_grammar() -> None:
    from allocsafe_rules import PACK

    for key, text in PACK.contracts.items():
        parse(key, text)
