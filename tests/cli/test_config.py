"""[tool.allocsafe]: every key, every wrong value, and the file that is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from allocsafe.config import Config, ConfigError, load, parse


def table(text: str) -> Config:
    return parse(f"[tool.allocsafe]\n{text}".encode())


def test_all_keys() -> None:
    config = table(
        'fail-on = "unknown"\nformat = "github"\nselect = ["AS1"]\nignore = ["AS108"]\nbudget = 5\nexclude = ["lib/"]\n'
        '[tool.allocsafe.phases]\nreplay = ["play_back"]\n[tool.allocsafe.contracts]\n'
        '"pkg.kernel" = "(x, out) reads x; writes out[:x.shape[0]]"\n'
    )
    assert config == Config(
        fail_on="unknown",
        select=("AS1",),
        ignore=("AS108",),
        budget=5.0,
        exclude=("lib/",),
        format="github",
        phases={"replay": ("play_back",)},
        contracts={"pkg.kernel": "(x, out) reads x; writes out[:x.shape[0]]"},
    )


def test_underscores_mean_dashes() -> None:
    assert table('fail_on = "never"').fail_on == table('fail-on = "never"').fail_on == "never"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('fial-on = "unsafe"', "did you mean 'fail-on'?"),
        ('contract = "x"', "did you mean 'contracts'?"),
        ("zzz = 1", "it has fail-on, select"),
        ('fail-on = "error"', "expected one of unsafe, unknown, never, not 'error'"),
        ("fail-on = [1]", "expected one of"),
        ('format = "xml"', "expected one of text"),
        ('select = "AS1"', "expected a list of strings"),
        ("ignore = [1]", "expected a list of strings"),
        ("budget = true", "above 0"),
        ("budget = 0", "above 0"),
        ("budget = nan", "above 0"),
        ('phases = ["x"]', "expected a table"),
        ('phases = {replay = ["("]}', "is no regular expression"),
        ("contracts = {x = 1}", "expected a table of strings"),
        ('contracts = {"pkg.k" = "wrties out"}', 'contracts."pkg.k": column 1: a clause begins with'),
        ('contracts = {"pkg.k" = "wrties out"}', "did you mean 'writes'?"),
        ('contracts = {"pkg.k" = "(x) writes out"}', "column 12: the signature has no parameter 'out'"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        table(text)
    assert words in str(error.value)
    assert str(error.value).startswith("pyproject.toml: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"[tool.allocsafe\n", b"[tool.allocsafe]\nx = '\xff'\n", b"tool.allocsafe = 1\n"])
def test_a_broken_file_is_an_error(data: bytes) -> None:
    with pytest.raises(ConfigError):
        parse(data)


def test_a_tree_without_settings_has_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Config()
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nbroken = \n")
    assert load(tmp_path) == Config(), "a file that does not speak of us is not parsed"
    (tmp_path / "pyproject.toml").write_text('[tool.allocsafe]\nfail-on = "never"\n')
    assert load(tmp_path).fail_on == "never"


def test_the_nearest_file_up_to_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.allocsafe]\nfail-on = "never"\n')
    deep = tmp_path / "repo" / "a"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert load(None).fail_on == "never"
    (tmp_path / "repo" / ".git").mkdir()
    assert load(None) == Config(), "the settings of another repository do not hold here"


def test_toml_is_not_loaded_without_need(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    program = "import sys; from allocsafe.config import load; load(None); print('tomllib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
