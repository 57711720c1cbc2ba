"""The collectives' lines, executed by two ranks on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="`make oracle` installs it")

import torch.distributed
from allocsafe.effects.summary import Summary, parse_line
from allocsafe_rules.effects import text

from tests.oracle.effects_recipes.checker import resolve
from tests.oracle.effects_recipes.ranks import PLAN

LINES = [parse_line(row) for row in text("torch_distributed.txt").splitlines() if not row.startswith("#")]
# No tensor goes in: they answer about the group, or make one.
NO_TENSOR = frozenset(
    {"barrier", "monitored_barrier", "is_available", "is_initialized", "new_group", "destroy_process_group"}
    | {"get_rank", "get_world_size", "get_backend", "get_process_group_ranks", "get_global_rank", "get_group_rank"}
)
NOT_HERE = {
    "all_gather_coalesced": "gloo has no such call",
    "_functional_collectives.wait_tensor": "returns the tensor it is given, once its collective has ended",
}


def short(line: Summary) -> str:
    return line.name.removeprefix("torch.distributed.")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this torch has no gloo")
    folder = tmp_path_factory.mktemp("ranks")
    outputs = [folder / f"rank{rank}.json" for rank in (0, 1)]
    module = "tests.oracle.effects_recipes.ranks"
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", module, str(rank), str(folder / "store"), str(outputs[rank])],
            cwd=Path(__file__).parents[2],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        errors = [rank.communicate(timeout=120)[1] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert all(rank.returncode == 0 for rank in ranks), errors
    return [json.loads(output.read_text(encoding="utf-8")) for output in outputs]


def test_every_line_is_planned() -> None:
    assert {short(line) for line in LINES} == {*PLAN, *NO_TENSOR, *NOT_HERE}


@pytest.mark.parametrize("line", [line for line in LINES if short(line) not in NOT_HERE], ids=short)
def test_operator_exists(line: Summary) -> None:
    assert callable(resolve(line.name))


@pytest.mark.parametrize("line", [line for line in LINES if short(line) in PLAN], ids=short)
def test_line_says_what_the_collective_does(line: Summary, seen: list[dict[str, Any]]) -> None:
    runs = [rank[short(line)] for rank in seen]
    if "error" in runs[0]:
        pytest.skip(runs[0]["error"].partition("\n")[0])
    for param in line.params:
        holders = [run for run in runs if param.name in run[""]["after"]]
        if not holders:
            continue
        changed = [run[param.name]["after"].get(param.name) for run in holders]
        base = [run[""]["after"][param.name] for run in holders]
        if param.effect == "W":
            assert changed == base, f"{param.name}: the former content shows"
            assert any(run[""]["before"][param.name] != run[""]["after"][param.name] for run in holders)
            continue
        others = [
            [{k: v for k, v in run[which]["after"].items() if k != param.name} for run in runs]
            for which in ("", param.name)
        ]
        results = [[run[which]["result"] for run in runs] for which in ("", param.name)]
        if param.effect == "M":
            assert changed != base, f"{param.name}: the former content does not matter"
            assert any(run[""]["before"][param.name] != run[""]["after"][param.name] for run in holders)
        else:
            assert param.effect == "R"
            assert all(run[""]["before"][param.name] == run[""]["after"][param.name] for run in holders)
            assert others[0] != others[1] or results[0] != results[1], f"{param.name}: not read"
