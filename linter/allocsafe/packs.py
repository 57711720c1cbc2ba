"""Finds packs by their entry point and refuses a bad one by name.

A pack is data from somebody else, so it is checked whole before any of it is used: a rule without a `why` or without
a case that it must catch would be believed and never tested. No pack at all is an error too: a linter without rules
passes everything. Looking entry points up costs more than judging a small patch, hence nothing here runs before
somebody asks.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from allocsafe.api import Pack, Rule

GROUP = "allocsafe.packs"
_CODE = re.compile(r"[A-Z]{2,5}[0-9]{3}")
_SEVERITIES = ("error", "warning", "note")


class BadPack(Exception):
    """A pack that cannot be used, by name, and what is wrong with it, in one line."""


class BadCode(Exception):
    """A rule code that no pack has, with the nearest one that exists."""


_loaded: tuple[Pack, ...] | None = None


class Point(NamedTuple):
    """An entry point: `value` is `module:attribute`."""

    name: str
    value: str

    def load(self) -> object:
        """The object. Whatever importing its module raises comes out."""
        import importlib
        from functools import reduce

        module, _, attribute = self.value.partition(":")
        return reduce(getattr, attribute.split("."), importlib.import_module(module.strip()))


def packs() -> tuple[Pack, ...]:
    """All installed packs, checked, in order of their names. Raises `BadPack`."""
    global _loaded
    if _loaded is None:
        _loaded = load(points(sys.path) or _registered())
    return _loaded


def points(folders: Iterable[str]) -> list[Point]:
    """The entry points of the packs installed in these folders, an earlier folder's distribution before a later one's.

    This is what `importlib.metadata` answers for folders, without its 40 ms of imports: only the files that hold the
    group's name are read further.
    """
    found: list[Point] = []
    seen: set[str] = set()
    for folder in dict.fromkeys(folders):
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info")))
        except OSError:  # no folder: a zip file, or a path that is gone
            continue
        for name in names:
            project = name.partition("-")[0].lower().replace("_", "-")
            if project in seen:
                continue
            seen.add(project)
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                    data = file.read()
            except OSError:
                continue
            if GROUP.encode() in data:
                found += _section(data.decode("utf-8", "replace"))
    return found


def _section(text: str) -> list[Point]:
    """The lines `name = module:attribute [extras]` of our group."""
    out: list[Point] = []
    inside = False
    for line in (row.strip() for row in text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            out.append(Point(name.strip(), value.partition("[")[0].strip()))
    return out


def _registered() -> list[Point]:
    """The slow way, for installations that no folder on the path shows (zip files, import hooks)."""
    from importlib.metadata import entry_points

    return [Point(point.name, point.value) for point in entry_points(group=GROUP)]


def load(found_points: Iterable[Point]) -> tuple[Pack, ...]:
    """The packs behind these entry points. An entry point listed twice (two copies of one install on the path) counts
    once.
    """
    unique = {(point.name, point.value): point for point in found_points}
    found: list[Pack] = []
    for point in sorted(unique.values(), key=lambda point: (point.name != "builtin", point.name)):
        try:
            value = point.load()
        except Exception as error:  # third-party code: anything may come out of an import
            raise BadPack(f"pack {point.name!r} ({point.value}) does not load: {_brief(error)}") from error
        found.append(checked(point.name, value))
    if not found:
        raise BadPack(f"no pack of rules is installed (entry point {GROUP!r}); reinstall allocsafe")
    _once(found)
    return tuple(found)


def checked(name: str, value: object) -> Pack:
    """`value` if it is a whole pack. Raises `BadPack` that names the pack, the rule and the part."""
    from allocsafe.api import Case, Pack, Phase, Rule

    def refuse(what: str) -> BadPack:
        return BadPack(f"pack {name!r} is refused: {what}")

    if not isinstance(value, Pack):
        raise refuse(f"its entry point is a {type(value).__name__}, not an allocsafe.api.Pack")
    if not isinstance(value.rules, tuple) or not isinstance(value.phases, tuple) or not callable(value.effects):
        raise refuse("`rules` and `phases` must be tuples and `effects` a function")
    for rule in value.rules:
        if not isinstance(rule, Rule):
            raise refuse(f"{rule!r} among its rules is not an allocsafe.api.Rule")
        if not isinstance(rule.code, str) or not _CODE.fullmatch(rule.code):
            raise refuse(f"{rule.code!r} is no rule code (letters, then three digits)")
        for part in ("name", "title", "why", "fix"):
            text = getattr(rule, part)
            if not isinstance(text, str) or not text.strip():
                raise refuse(f"rule {rule.code} has no {part}")
        if rule.severity not in _SEVERITIES:
            raise refuse(f"rule {rule.code} has severity {rule.severity!r}, which is none of {', '.join(_SEVERITIES)}")
        if not callable(rule.finds):
            raise refuse(f"rule {rule.code} has no function `finds`")
        for part in ("ok", "bad"):
            cases = getattr(rule, part)
            if not cases:
                raise refuse(f"rule {rule.code} has no {part} case")
            if not isinstance(cases, tuple) or not all(isinstance(case, Case) for case in cases):
                raise refuse(f"the {part} cases of rule {rule.code} are not a tuple of allocsafe.api.Case")
    for phase in value.phases:
        if not isinstance(phase, Phase):
            raise refuse(f"{phase!r} among its phases is not an allocsafe.api.Phase")
        for word in phase.words:
            try:
                re.compile(word)
            except re.error as error:
                raise refuse(f"phase {phase.name!r}: {word!r} is no regular expression: {error}") from error
    if not isinstance(value.contracts, dict):
        raise refuse("`contracts` must be a dict of texts")
    from allocsafe.effects.contract import ContractError, parse

    for key, text in value.contracts.items():
        try:
            parse(key, text)
        except (ContractError, TypeError) as error:
            raise refuse(f"contract {key!r}: {error}") from error
    return value


def _once(found: Sequence[Pack]) -> None:
    owner: dict[str, str] = {}
    for pack in found:
        for rule in pack.rules:
            if rule.code in owner:
                other = owner[rule.code]
                where = "twice in it" if other == pack.name else f"already in pack {other!r}"
                raise BadPack(f"pack {pack.name!r} is refused: code {rule.code} is {where}")
            owner[rule.code] = pack.name


def _brief(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def rules() -> tuple[Rule, ...]:
    """Every rule of every pack, by code."""
    return tuple(sorted((rule for pack in packs() for rule in pack.rules), key=lambda rule: rule.code))


def codes() -> tuple[str, ...]:
    return tuple(rule.code for rule in rules())


def rule(code: str) -> Rule:
    """The rule with this code or name, in any case. Raises `BadCode` with a suggestion."""
    wanted = code.strip()
    for each in rules():
        if wanted.upper() == each.code or wanted.lower() == each.name:
            return each
    raise BadCode(_unknown(wanted))


def chosen(select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that a run wants: those `select` names (none named: all), without those `ignore` names.

    A prefix stands for all codes that begin with it (`AS1`). Raises `BadCode` for one that stands for none.
    """
    kept = rules()
    if select:
        wanted = _expand(select)
        kept = tuple(each for each in kept if each.code in wanted)
    unwanted = _expand(ignore)
    return tuple(each for each in kept if each.code not in unwanted)


def _expand(names: Sequence[str]) -> set[str]:
    known = codes()
    out: set[str] = set()
    for name in names:
        stem = name.strip().upper()
        hit = {code for code in known if stem and code.startswith(stem)}
        if not hit:
            hit = {rule(name).code}
        out |= hit
    return out


def _unknown(code: str) -> str:
    import difflib

    names = [*codes(), *(each.name for each in rules())]
    near = difflib.get_close_matches(code.upper(), names, n=1, cutoff=0.5) or difflib.get_close_matches(
        code.lower(), names, n=1, cutoff=0.6
    )
    hint = f"; did you mean {near[0]}?" if near else "; `allocsafe rules` lists them"
    return f"no rule has the code {code!r}{hint}"
