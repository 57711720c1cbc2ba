"""Rules are whole, called what their file is called, and the pages speak of rules that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from allocsafe.api import Rule
from allocsafe.packs import packs, rules
from allocsafe.testing import cases

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "rules" / "allocsafe_rules"
PAGES = [path for path in sorted(ROOT.glob("*.md")) if path.read_text(encoding="utf-8").strip()]
BUILTIN = next(pack for pack in packs() if pack.name == "builtin")


@pytest.mark.parametrize("rule", BUILTIN.rules, ids=lambda rule: rule.code)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert rule.ok, "without an ok case nothing shows where the rule ends"
    assert rule.bad, "without a bad case nothing shows that the rule works"
    assert list(cases.shape(rule)) == []
    assert len(rule.title) <= 100
    assert "\n" not in rule.title
    assert rule.why.rstrip().endswith(".")
    assert rule.fix.rstrip().endswith(".")


@pytest.mark.parametrize("rule", BUILTIN.rules, ids=lambda rule: rule.code)
def test_a_rule_has_a_file_of_its_name(rule: Rule) -> None:
    path = FOLDER / f"{rule.code.lower()}_{rule.name.replace('-', '_')}.py"
    assert path.exists()
    head = path.read_text(encoding="utf-8").split('"""')[1]
    assert head.startswith(f"{rule.code}: ")
    for part in ("Claims", "uffices", "ives up"):
        assert part in head, f"the docstring of {path.name} does not say what it {part}"


def test_every_rule_file_is_in_the_pack() -> None:
    files = {path.stem.split("_")[0].upper() for path in FOLDER.glob("as[0-9]*.py")}
    assert files == {rule.code for rule in BUILTIN.rules}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_rule_that_does_not_exist(page: Path) -> None:
    known = {rule.code for rule in rules()}
    assert set(re.findall(r"\bAS\d{3}\b", page.read_text(encoding="utf-8"))) <= known


def test_the_pages_name_every_rule() -> None:
    if not PAGES:
        pytest.skip("there are no pages yet")
    told = {code for page in PAGES for code in re.findall(r"\bAS\d{3}\b", page.read_text(encoding="utf-8"))}
    assert {rule.code for rule in rules()} <= told
