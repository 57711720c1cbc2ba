"""A pack that is not whole is refused by name, and so is none at all."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from allocsafe import packs
from allocsafe.api import Pack, Phase, Rule
from allocsafe.packs import BadCode, BadPack, chosen, codes, load, rule

GOOD = rule("AS101")


class Point:
    """An entry point made by hand."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = f"{name}_pack:PACK"
        self._value = value

    def load(self) -> Any:
        if isinstance(self._value, BaseException):
            raise self._value
        return self._value


def refused(*points: Any) -> str:
    with pytest.raises(BadPack) as error:
        load(points)
    assert "\n" not in str(error.value)
    return str(error.value)


def pack(*rules: Rule, name: str = "theirs", **more: Any) -> Point:
    return Point(name, Pack(name, rules, **more))


def test_the_built_in_pack_is_whole() -> None:
    assert [each.name for each in packs.packs()] == ["builtin"]
    assert codes()[0] == "AS101"
    assert len(codes()) == len(set(codes())) == 17


def test_a_second_pack_comes_after_it() -> None:
    other = replace(GOOD, code="XY001")
    both = load([pack(other), Point("builtin", packs.packs()[0])])  # type: ignore[list-item]
    assert [each.name for each in both] == ["builtin", "theirs"]


@pytest.mark.parametrize("part", ["title", "why", "fix", "name"])
@pytest.mark.parametrize("value", ["", "  \n", None])
def test_a_rule_without_a_text_is_refused(part: str, value: Any) -> None:
    words = refused(pack(replace(GOOD, **{part: value})))
    assert words == f"pack 'theirs' is refused: rule AS101 has no {part}"


@pytest.mark.parametrize("part", ["ok", "bad"])
def test_a_rule_without_cases_is_refused(part: str) -> None:
    assert refused(pack(replace(GOOD, **{part: ()}))) == f"pack 'theirs' is refused: rule AS101 has no {part} case"
    assert f"the {part} cases of rule AS101" in refused(pack(replace(GOOD, **{part: ("text",)})))


def test_a_code_twice_is_refused_in_one_pack_and_in_two() -> None:
    assert refused(pack(GOOD, GOOD)) == "pack 'theirs' is refused: code AS101 is twice in it"
    words = refused(pack(GOOD), pack(GOOD, name="zed"))
    assert words == "pack 'zed' is refused: code AS101 is already in pack 'theirs'"


def test_what_is_no_pack_or_no_rule_is_refused() -> None:
    assert "is a dict, not an allocsafe.api.Pack" in refused(Point("theirs", {}))
    assert "is not an allocsafe.api.Rule" in refused(pack("AS101"))  # type: ignore[arg-type]
    assert "must be tuples" in refused(Point("theirs", Pack("theirs", [GOOD])))  # type: ignore[arg-type]
    assert "'101' is no rule code" in refused(pack(replace(GOOD, code="101")))
    assert "severity 'fatal'" in refused(pack(replace(GOOD, severity="fatal")))  # type: ignore[arg-type]
    assert "no function `finds`" in refused(pack(replace(GOOD, finds=None)))  # type: ignore[arg-type]
    assert "'(' is no regular expression" in refused(pack(GOOD, phases=(Phase("init", 0, ("(",)),)))


@pytest.mark.parametrize("error", [ImportError("No module named 'x'"), ValueError("a\nb"), SyntaxError()])
def test_a_pack_that_does_not_load_is_refused_by_name(error: Exception) -> None:
    words = refused(Point("theirs", error))
    assert words.startswith(f"pack 'theirs' (theirs_pack:PACK) does not load: {type(error).__name__}")


def test_no_pack_is_an_error() -> None:
    assert "no pack of rules is installed" in refused()


def test_one_installation_seen_twice_counts_once() -> None:
    point = pack(GOOD)
    assert len(load([point, point])) == 1  # type: ignore[list-item]


def test_the_quick_look_finds_what_the_standard_one_finds() -> None:
    """Twins: the folder scan and importlib.metadata, on this very installation."""
    from importlib.metadata import entry_points

    registered = {(point.name, point.value) for point in entry_points(group=packs.GROUP)}
    assert set(packs.points(sys.path)) == registered
    assert ("builtin", "allocsafe_rules:PACK") in registered


def test_entry_points_in_folders(tmp_path: Path) -> None:
    texts = {
        "one/theirs-1.0.dist-info": "[scripts]\nx = y:z\n[allocsafe.packs]\n# a\ntheirs = their:A.PACK [extra]\n",
        "two/theirs-0.9.dist-info": "[allocsafe.packs]\nold = their_pack:OLD\n",
        "two/other-1.0.egg-info": "[allocsafe.packs]\nother=other:PACK\n[next]\nallocsafe.packs = n:o\n",
        "two/none-1.0.dist-info": "[allocsafe.packages]\nx = allocsafe.packs:y\n",
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "entry_points.txt").write_text(text)
    found = packs.points([str(tmp_path / "gone"), str(tmp_path / "one"), str(tmp_path / "two")])
    assert found == [("theirs", "their:A.PACK"), ("other", "other:PACK")]


def test_an_entry_point_loads_its_attribute() -> None:
    assert packs.Point("builtin", "allocsafe_rules:PACK").load() is packs.packs()[0]
    for value in ("no_such_module:PACK", "allocsafe_rules:NOTHING", "allocsafe_rules"):
        assert refused(packs.Point("theirs", value)).startswith(f"pack 'theirs' ({value}) does not load: ")


def test_select_and_ignore() -> None:
    assert [each.code for each in chosen((), ())] == list(codes())
    assert [each.code for each in chosen(("AS101", "as10"), ("AS108", "garbage-index"))] == [
        "AS101", "AS102", "AS103", "AS104", "AS106", "AS107"
    ]  # fmt: skip
    with pytest.raises(BadCode, match="did you mean AS190"):
        chosen(("AS19O",), ())
    with pytest.raises(BadCode):
        chosen((), ("",))
