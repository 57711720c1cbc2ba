"""`[tool.allocsafe]` of pyproject.toml as one frozen value.

A key that is not known is an error with a suggestion, never ignored: a misspelt `fail-on` would switch the check off
without a word. TOML is parsed only if the file holds the table's name, because most repositories have none and a hook
runs on every commit. Keys are written with dashes; underscores mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FAIL_ON = ("unsafe", "unknown", "never")
FORMATS = ("text", "json", "github", "sarif", "markdown")
BUDGET = 20.0


class ConfigError(Exception):
    """What is wrong with the configuration, in one line."""


class Config(NamedTuple):
    """The settings of a project; the command line goes before them.

    `phases` maps a phase's name to more words for it.
    """

    fail_on: str = "unsafe"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    budget: float = BUDGET
    exclude: tuple[str, ...] = ()
    format: str = "text"
    phases: Mapping[str, tuple[str, ...]] = {}
    contracts: Mapping[str, str] = {}
    cache: bool = True


def load(root: Path | None) -> Config:
    """The configuration of the tree at `root` (None: of the working directory or the nearest parent that has one).

    A folder without pyproject.toml, a bare repository for one, has the defaults. Raises `ConfigError`.
    """
    path = _find(root)
    if path is None:
        return Config()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    if b"tool.allocsafe" not in data and not (b"allocsafe" in data and b"[tool]" in data):
        return Config()
    return parse(data, str(path))


def _find(root: Path | None) -> Path | None:
    if root is not None:
        path = root / "pyproject.toml"
        return path if path.is_file() else None
    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            return path
        if (folder / ".git").exists():  # a repository's settings end at its top
            return None
    return None


def parse(data: bytes, path: str = "pyproject.toml") -> Config:
    """The configuration in this TOML text."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {str(error).splitlines()[0]}") from error
    tool = document.get("tool", {})
    table = tool.get("allocsafe", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.allocsafe must be a table")
    return _read(table, path)


def _read(table: dict[str, object], path: str) -> Config:
    values: dict[str, object] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        where = f"{path}: [tool.allocsafe] {key}"
        if name not in Config._fields:
            raise ConfigError(f"{path}: [tool.allocsafe] has no key {key!r}{_suggest(key)}")
        if name == "fail_on":
            values[name] = _choice(value, FAIL_ON, where)
        elif name == "format":
            values[name] = _choice(value, FORMATS, where)
        elif name == "budget":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise ConfigError(f"{where}: expected a number of seconds above 0, not {value!r}")
            values[name] = float(value)
        elif name == "cache":
            if not isinstance(value, bool):
                raise ConfigError(f"{where}: expected true or false, not {value!r}")
            values[name] = value
        elif name == "phases":
            values[name] = _phases(value, where)
        elif name == "contracts":
            values[name] = _contracts(value, where)
        else:
            values[name] = _strings(value, where)
    return Config(**values)  # type: ignore[arg-type]  # each was checked against its field above


def _choice(value: object, choices: tuple[str, ...], where: str) -> str:
    if value not in choices:
        raise ConfigError(f"{where}: expected one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where}: expected a list of strings")
    return tuple(value)


def _phases(value: object, where: str) -> dict[str, tuple[str, ...]]:
    import re

    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a table of lists of regular expressions")
    out: dict[str, tuple[str, ...]] = {}
    for name, words in value.items():
        out[name] = _strings(words, f"{where}.{name}")
        for word in out[name]:
            try:
                re.compile(word)
            except re.error as error:
                raise ConfigError(f"{where}.{name}: {word!r} is no regular expression: {error}") from error
    return out


def _contracts(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ConfigError(f"{where}: expected a table of strings, one a callee")
    from allocsafe.effects.contract import ContractError
    from allocsafe.effects.contract import parse as read

    for name, text in value.items():
        try:
            read(name, text)
        except ContractError as error:
            raise ConfigError(f'{where}."{name}": {error}') from error
    return dict(value)


def _suggest(key: str) -> str:
    import difflib

    names = [name.replace("_", "-") for name in Config._fields]
    near = difflib.get_close_matches(key.replace("_", "-"), names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names)}"
