"""`--version`, `--help`, `rules`, `explain`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from allocsafe import __version__
from allocsafe.packs import rules

from tests.cli.conftest import Ran

Run = Callable[..., Ran]
LOADED = "import sys; from allocsafe.cli import main; status = main(sys.argv[1:]); print(status, *sorted(sys.modules))"


def test_version_loads_neither_click_nor_anything_of_ours() -> None:
    command = [sys.executable, "-c", LOADED, "--version"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    assert out[0] == f"allocsafe {__version__}"
    status, *modules = out[1].split()
    assert status == "0"
    assert "click" not in modules
    assert {name for name in modules if name.startswith("allocsafe")} == {"allocsafe", "allocsafe.cli"}


def test_version_within_other_options_is_the_same(run: Run) -> None:
    assert run("--version") == Ran(0, f"allocsafe {__version__}\n", "")


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["check", "--help"], ["explain", "-h"]])
def test_help(run: Run, args: list[str]) -> None:
    done = run(*args)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Usage: allocsafe")


def test_help_of_check_names_every_documented_option(run: Run) -> None:
    words = run("check", "--help").out
    options = (
        "--root --from --to --staged --only --format --output --fail-on --select --ignore --all --budget --no-cache"
    )
    assert [option for option in options.split() if option not in words] == []


def test_no_command_shows_the_help(run: Run) -> None:
    done = run()
    assert done.status == 2
    assert "allocsafe: " in done.err


def test_rules_lists_every_rule_once(run: Run) -> None:
    done = run("rules")
    rows = done.out.splitlines()
    assert [row.split()[0] for row in rows] == [rule.code for rule in rules()]
    assert all(rule.title in row for rule, row in zip(rules(), rows, strict=True))


@pytest.mark.parametrize("name", ["AS102", "as102", "hole-never-written"])
def test_explain_by_code_or_name(run: Run, name: str) -> None:
    done = run("explain", name)
    assert done.status == 0
    assert done.out.startswith("AS102 hole-never-written (error): ")
    assert "\n    -    ends = torch.zeros(lengths.shape[0] + 1)\n" in done.out
    assert "allocsafe: ignore[AS102]" in done.out


def test_module_and_script_are_the_same(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("allocsafe")
    if not script.exists():
        pytest.skip("allocsafe is not installed beside this interpreter")
    outs = []
    for command in ([sys.executable, "-m", "allocsafe"], [str(script)]):
        done = subprocess.run(
            [*command, "explain", "AS1O1"], capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False
        )
        outs.append((done.returncode, done.stdout, done.stderr))
    assert outs[0] == outs[1]
    assert outs[0][0] == 2
