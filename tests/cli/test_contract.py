"""`allocsafe contract OPERATOR`: what is known, from where, and what to do when nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from allocsafe.packs import BadPack, checked

from tests.cli.conftest import Ran

Run = Callable[..., Ran]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "ops.py").write_text("import torch\n\n\ndef fill(x):\n    return x.zero_()\n")
    (tmp_path / "csrc.cpp").write_text(
        'TORCH_LIBRARY(mine, m) {\n  m.def("fill(Tensor! out, Tensor x) -> ()");\n}\n', encoding="utf-8"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.allocsafe.contracts]\n"kern.fill" = "(q, out) reads q; writes out"\n"torch.Tensor.zero_" = "ignores 0"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_contract_of_the_project(run: Run, tree: Path) -> None:
    done = run("contract", "kern.fill")
    assert done.status == 0
    assert "contract: [tool.allocsafe.contracts], key 'kern.fill'" in done.out
    assert "(q, out) reads q; writes out" in done.out


def test_a_table_line_with_its_file(run: Run, tree: Path) -> None:
    done = run("contract", "torch.Tensor.copy_")
    assert done.status == 0
    assert "table: allocsafe_rules/effects/torch_inplace.txt:" in done.out
    assert "self: written whole\n" in done.out


def test_the_project_s_word_goes_before_the_table(run: Run, tree: Path) -> None:
    rows = run("contract", "torch.Tensor.zero_").out.splitlines()
    kinds = [row.split(":")[0] for row in rows if row and not row.startswith(" ")]
    assert kinds[1:] == ["contract", "table"]
    assert "<- what a verdict rests on" in rows[2]


def test_a_contract_of_the_pack_and_a_convention(run: Run, tree: Path) -> None:
    assert "pack 'builtin', key '_C::silu_and_mul'" in run("contract", "torch.ops._C.silu_and_mul").out
    assert "convention: pack 'builtin', key 'model'" in run("contract", "self.model").out


@pytest.mark.parametrize("name", ["torch.ops.mine.fill", "mine::fill"])
def test_a_schema_with_its_place(run: Run, tree: Path, name: str) -> None:
    done = run("contract", name)
    assert done.status == 0
    assert "schema: csrc.cpp:2" in done.out


def test_a_function_of_the_tree(run: Run, tree: Path) -> None:
    assert "source: pkg/ops.py:4" in run("contract", "pkg.ops.fill").out
    assert "source: pkg/ops.py:4" in run("contract", "pkg.ops.fill", "--root", str(tree)).out


def test_nothing_known(run: Run, tree: Path) -> None:
    done = run("contract", "other.thing")
    assert done.status == 1
    assert done.out.startswith("nothing is known of other.thing. Looked at:\n")
    assert '"other.thing" = "' in done.out
    assert "[tool.allocsafe.contracts]" in done.out


@pytest.mark.parametrize(
    "args", [["contract"], ["contract", "a b"], ["contract", ""], ["contract", "x", "--root", "no"]]
)
def test_bad_usage(run: Run, tree: Path, args: list[str]) -> None:
    done = run(*args)
    assert done.status == 2
    assert done.err.startswith("allocsafe: ")
    assert done.err.count("\n") == 1


def test_a_malformed_contract_is_one_line_with_its_column(run: Run, tree: Path) -> None:
    (tree / "pyproject.toml").write_text('[tool.allocsafe.contracts]\n"kern.fill" = "reads q; wrties out"\n')
    for args in (["contract", "kern.fill"], ["check"]):
        done = run(*args)
        assert done.status == 2
        assert done.err == (
            f'allocsafe: {tree}/pyproject.toml: [tool.allocsafe] contracts."kern.fill": column 10: a clause begins '
            "with one of reads, indexes, writes, accumulates, keeps, ignores, returns, guarded by; did you mean "
            "'writes'?\n"
        )


def test_a_pack_with_a_malformed_contract_is_refused_by_name() -> None:
    from allocsafe_rules import PACK

    bad = replace(PACK, name="theirs", contracts={"kern.fill": "writes out["})
    with pytest.raises(BadPack, match=r"pack 'theirs' is refused: contract 'kern.fill': column 12: expected a bound"):
        checked("theirs", bad)
