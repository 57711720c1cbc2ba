"""The files that others read: the hook's manifest and the action, against the schemas of those who read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hooks.conftest import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())


def schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_action_fits_the_schema() -> None:
    done = schema_check(ROOT / "action.yml")
    assert done.returncode == 0, done.stdout


def test_the_schema_check_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / "action.yml"
    broken.write_text((ROOT / "action.yml").read_text().replace("using: composite", "using: composit"))
    assert schema_check(broken).returncode == 1


@pytest.mark.parametrize(
    ("command", "name"),
    [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", ".pre-commit-config.yaml")],
)
def test_pre_commit_reads_its_files(command: str, name: str) -> None:
    pytest.importorskip("pre_commit")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", command, str(ROOT / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_hook_reads_the_staged_change_itself() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == "allocsafe"
    assert hook["pass_filenames"] is False
    assert hook["entry"].split() == ["allocsafe", "check", "--staged"]
    assert {"python", "c++", "cuda"} <= set(hook["types_or"])


def test_no_input_becomes_text_of_a_command() -> None:
    """An input that is spliced into `run:` would be executed; as environment it is only text."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_every_input_reaches_the_script() -> None:
    values = {value for step in ACTION["runs"]["steps"] for value in step.get("env", {}).values()}
    assert values == {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    script = (ROOT / "tools" / "action.py").read_text()
    names = {name for step in ACTION["runs"]["steps"] for name in step.get("env", {})}
    assert [name for name in names if f'"{name}"' not in script] == []
