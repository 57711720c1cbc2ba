"""The example stories: each patch fits its tree, gives the verdicts that its table demands, and prints what is shown.

`ALLOCSAFE_UPDATE_EXPECTED=1` renews `expected.txt` from the real output; the verdicts are never renewed.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent / "examples"
STORIES = sorted(path for path in ROOT.iterdir() if path.is_dir())
UPDATE = bool(os.environ.get("ALLOCSAFE_UPDATE_EXPECTED"))


class Demand(NamedTuple):
    """One line of `verdicts.txt`. `not-safe` is `unsafe` or `unknown`; `A|B` among the codes is one of the two."""

    symbol: str
    verdict: str
    codes: tuple[str, ...]

    def met_by(self, site: dict[str, object]) -> bool:
        verdict = site["verdict"]
        findings = site["findings"]
        assert isinstance(findings, list)
        found = {finding["rule"] for finding in findings}
        right = verdict != "safe" if self.verdict == "not-safe" else verdict == self.verdict
        return right and all(found & set(code.split("|")) for code in self.codes)


def demands(story: Path) -> tuple[list[Demand], bool]:
    """The demanded verdicts in order of path and line, and whether sites that are not listed may be there."""
    rows = [line.split() for line in (story / "verdicts.txt").read_text().splitlines()]
    wanted = [Demand(row[0], row[1], tuple(row[2:])) for row in rows if row and row[0] != "#"]
    return [each for each in wanted if each.symbol != "others"], any(each.symbol == "others" for each in wanted)


def allocsafe(story: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What the story's command prints, run inside its folder."""
    words = (story / "command").read_text().split()
    call = [sys.executable, "-m", "allocsafe", *words, *more]
    return subprocess.run(call, cwd=story, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_a_story_is_whole_and_its_patch_fits(story: Path, tmp_path: Path) -> None:
    for name in ("README.md", "tree", "change.diff", "command", "verdicts.txt"):
        assert (story / name).exists(), f"{story.name} has no {name}"
    assert (story / "command").read_text().strip() in (story / "README.md").read_text()
    wanted, _ = demands(story)
    assert wanted and all(each.verdict in ("safe", "unsafe", "unknown", "not-safe") for each in wanted)
    shutil.copytree(story / "tree", tmp_path / "tree")
    apply = ["git", "apply", "--whitespace=nowarn", str(story / "change.diff")]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    subprocess.run(apply, cwd=tmp_path / "tree", env=environment, check=True)
    changed = False
    for new in (tmp_path / "tree").rglob("*.*"):
        old = story / "tree" / new.relative_to(tmp_path / "tree")
        changed |= old.read_text() != new.read_text()
        if new.suffix == ".py":
            ast.parse(new.read_text())
    assert changed


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_a_story_gives_the_verdicts_that_it_demands(story: Path) -> None:
    wanted, others = demands(story)
    done = allocsafe(story, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert report["errors"] == []
    sites = sorted(report["sites"], key=lambda site: (site["path"], site["line"], site["column"]))
    listed = {each.symbol for each in wanted}
    if others:
        sites = [site for site in sites if site["symbol"] in listed]
    table = [f"{site['symbol']} {site['verdict']} {[f['rule'] for f in site['findings']]}" for site in sites]
    assert [site["symbol"] for site in sites] == [each.symbol for each in wanted], table
    wrong = [
        f"wanted {each}, got {row}"
        for each, site, row in zip(wanted, sites, table, strict=True)
        if not each.met_by(site)
    ]
    assert not wrong, "\n".join(wrong)
    assert done.returncode == int(any(site["verdict"] == "unsafe" for site in report["sites"]))


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_a_story_prints_what_is_shown(story: Path) -> None:
    done = allocsafe(story)
    assert done.returncode in (0, 1), done.stderr
    shown = re.sub(r"\d+\.\d+ s\b", "0.0 s", done.stdout)
    expected = story / "expected.txt"
    if UPDATE:
        expected.write_text(shown)
    assert expected.exists(), f"{expected} is missing: renew it with ALLOCSAFE_UPDATE_EXPECTED=1"
    assert shown == expected.read_text()
