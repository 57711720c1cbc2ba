"""The tables as text: every line is of the grammar, in order, found by name, and says nothing that is not defined."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from allocsafe.effects.summary import Summary, Tables, parse_line
from allocsafe_rules.effects import GENERATED, HAND, text, texts

FOLDER = Path(str(find_spec("allocsafe_rules.effects").origin)).parent  # type: ignore[union-attr]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
TABLES = (*HAND, *GENERATED)
# What a result that is made of an argument asks of that argument.
MADE_OF = {"view": "VW", "views": "VRWMPQA", "copy": "V", "maybe": "VR", "=": "WMPQAV"}


def rows(name: str) -> list[str]:
    return [row for row in text(name).splitlines() if not row.startswith("#")]


def lines(name: str) -> list[Summary]:
    return [parse_line(row) for row in rows(name)]


def test_every_table_of_the_folder_is_served() -> None:
    assert {path.name for path in FOLDER.glob("*.txt")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_lines_are_sorted_and_unique(name: str) -> None:
    names = [row.partition(" |")[0] for row in rows(name)]
    assert names == sorted(set(names))


@pytest.mark.parametrize("name", TABLES)
def test_lines_are_plain(name: str) -> None:
    """One blank between words, so that a diff shows a change of meaning only; comments are never taken for lines."""
    for row in rows(name):
        assert row == " ".join(row.split()), row
        assert row.isascii(), row
    assert not [row for row in text(name).splitlines() if row.startswith("#") and re.match(r"#?\S+ \|", row)]


@pytest.mark.parametrize("name", TABLES)
def test_parameters_are_in_a_callable_order(name: str) -> None:
    for line in lines(name):
        names = [param.name for param in line.params]
        assert len(names) == len(set(names)), line.name
        assert len([param for param in line.params if param.kind == "star"]) <= 1, line.name
        required = [param.default is None for param in line.params if param.kind == "positional"]
        assert required == sorted(required, reverse=True), f"{line.name}: a parameter without a default after one with"
        if ".Tensor." in line.name or ".ndarray." in line.name:
            assert names[0] == "self", line.name


@pytest.mark.parametrize("name", TABLES)
def test_result_and_effect_agree(name: str) -> None:
    for line in lines(name):
        if not line.result.param:
            continue
        effect = next(param.effect for param in line.params if param.name == line.result.param)
        out_of_place = line.result.kind == "=" and line.special in ("set", "resize", "resize_as")
        assert effect in MADE_OF[line.result.kind] or out_of_place, line


@pytest.mark.parametrize("name", HAND)
def test_only_a_result_writes_all_in_place(name: str) -> None:
    """An in-place method that writes says so in its letter, and one that is not in place writes nothing but `out`."""
    for line in lines(name):
        if re.fullmatch(r"torch\.(Tensor\.)?[a-z]\w*[a-z]", line.name):
            written = {param.name for param in line.params if param.effect in "WMPQA"}
            assert written <= {"out"} or line.name == "torch.Tensor.module_load", line


@pytest.mark.parametrize("name", TABLES)
def test_specials_are_defined(name: str) -> None:
    defined = set(re.findall(r"`!(\w+)`", README))
    for line in lines(name):
        assert set(line.special.split()) <= defined, line


def test_definitions_are_used() -> None:
    used = {line.special for name in TABLES for line in lines(name)}
    assert set(re.findall(r"`!(\w+)`", README)) <= used


@pytest.mark.parametrize("name", TABLES)
def test_a_copy_may_bring_unwritten_elements_into_out(name: str) -> None:
    """W there would turn a hole of the argument into written memory."""
    for line in lines(name):
        effects = {param.name: param.effect for param in line.params}
        if line.result.kind in ("copy", "maybe") and effects[line.result.param] == "V":
            assert effects.get("out", "P") == "P", line


def test_generated_lines_do_not_hide_behind_hand_written_ones() -> None:
    by_hand = {row.partition(" |")[0] for name in HAND for row in rows(name)}
    assert not [row for row in rows(GENERATED[0]) if row.partition(" |")[0] in by_hand]


def test_generated_table_is_compact_and_wide() -> None:
    assert len(text(GENERATED[0]).encode()) < 400_000
    names = [row.partition(" |")[0] for row in rows(GENERATED[0])]
    assert len([name for name in names if name.startswith("torch.ops.aten.")]) > 1000
    assert len([name for name in names if name.startswith("torch.Tensor.")]) > 300
    assert len([name for name in names if name.startswith("torch.linalg.")]) > 30


def test_only_out_is_w_in_generated_lines_that_no_hand_line_backs() -> None:
    hand = Tables(tuple(text(name) for name in HAND))
    for line in lines(GENERATED[0]):
        base = line.name.rpartition(".")[2]
        if any(hand.look_up(f"{prefix}.{base}") for prefix in ("torch", "torch.Tensor", "torch.ops.aten")):
            continue
        assert not [param for param in line.params if param.effect == "W" and param.kind != "keyword-only"], line


def test_hand_written_lines_come_first() -> None:
    tables = Tables(texts())
    copy = tables.look_up("torch.Tensor.copy_")
    assert copy is not None
    assert [param.effect for param in copy.params[:2]] == ["W", "R"]
    assert tables.look_up("torch.Tensor.exp_") is not None
    assert tables.look_up("torch.no_such_operator") is None


def test_cupy_is_served_from_numpy() -> None:
    tables = Tables(texts())
    assert tables.look_up("cupy.empty") == tables.look_up("numpy.empty")._replace(name="cupy.empty")  # type: ignore[union-attr]
    assert tables.look_up("cupy.ndarray.fill") is not None
    assert tables.look_up("cupy.asnumpy").result.kind == "copy"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("torch.Tensor.zero_", "W"),
        ("torch.Tensor.masked_fill_", "PRR"),
        ("torch.Tensor.index_copy_", "P-IR"),
        ("torch.Tensor.index_add_", "Q-IRR"),
        ("torch.Tensor.add_", "ARR"),
        ("torch.Tensor.mul_", "MR"),
        ("torch.Tensor.triu_", "MI"),
        ("torch.where", "RRRW"),
        ("torch.Tensor.sigmoid_", "M"),
        ("torch.mm", "RR-W"),
        ("torch.empty_like", "-------"),
    ],
)
def test_the_table_says(name: str, effects: str) -> None:
    line = Tables(texts()).look_up(name)
    assert line is not None
    assert "".join(param.effect for param in line.params) == effects


def test_reading_the_texts_parses_nothing() -> None:
    assert all(isinstance(table, str) for table in texts())
    assert texts() is texts()
