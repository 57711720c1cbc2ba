"""The floors hold, and no contract forgets a room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
ROOMS = {
    path.stem
    for path in (ROOT / "linter" / "allocsafe").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
}
ROOMS -= {"__init__", "__main__"}


def test_every_contract_is_kept(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    if not Path(command[0]).exists():
        pytest.skip("import-linter is not installed beside this interpreter")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


def named(start: str) -> dict[str, Any]:
    (found,) = [contract for contract in CONTRACTS if contract["name"].startswith(start)]
    return found


def test_the_floors_are_exhaustive_and_none_is_made_up() -> None:
    floors = named("Floors")
    assert floors["exhaustive"] is True
    there = {name.strip("() ") for layer in floors["layers"] for name in layer.replace(":", "|").split("|")}
    assert there - {"__main__"} >= ROOMS


def test_a_pack_is_kept_out_of_every_room_but_the_api() -> None:
    forbidden = {name.removeprefix("allocsafe.") for name in named("A pack")["forbidden_modules"]}
    assert forbidden == ROOMS - {"api"}


def test_the_configuration_is_kept_out_of_every_room_but_three() -> None:
    sources = {name.removeprefix("allocsafe.") for name in named("The configuration")["source_modules"]}
    # `testing` reaches it through the pipeline; `source` and `console` are below it and reach nothing
    assert sources == ROOMS - {"cli", "commands", "config", "console", "pipeline", "scan", "source", "testing"}
