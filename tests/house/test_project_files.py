"""The pages and commands that a newcomer meets first: they are there, agree with each other, and say what is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from allocsafe.commands import check, group, scan
from allocsafe.config import Config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CI = ROOT / ".ci" / "run"
HIDDEN = {".venv", ".git", ".hypothesis"}


def is_ours(path: Path) -> bool:
    return not any(part in HIDDEN or part.endswith("_cache") for part in path.relative_to(ROOT).parts)


PAGES = sorted(path for path in ROOT.rglob("*.md") if is_ours(path))
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))
# A place on one machine means nothing on another, a number of a tracker needs the tracker, and which index pip asks is
# pip's own configuration.
FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|root|home|Users|tmp)/|\bissues? #?\d|#\d+\b|\bpypi\.org|pythonhosted|download\.pytorch\.org|"
    r"--(?:extra-)?index-url|\.\./shared",
    re.IGNORECASE,
)


def prose(text: str) -> str:
    """A page without its fenced and indented code, in which brackets are no links."""
    text = re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text: str) -> set[str]:
    """The names that a page's headings can be linked by, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def links(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere in this repository."""
    out = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        gone = not target.exists() or not target.is_relative_to(ROOT)
        if gone or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            out.append(link)
    return out


def test_the_readme_names_its_two_commands_before_any_other_heading() -> None:
    first = README.split("\n## ")[0]
    assert "make demo" in first
    assert "make test" in first


@pytest.mark.parametrize(
    "target", ["demo", "test", "oracle", "types", "lint", "floors", "examples", "bench", "readme", "clean"]
)
def test_a_target_is_there_and_is_no_file(target: str) -> None:
    assert target in TARGETS
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert target in phony.split()


def test_every_make_command_that_is_named_exists() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in [*PAGES, CI]}
    for name, text in texts.items():
        if name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"):
            assert set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE)) <= TARGETS, name


def test_the_build_runs_the_readmes_test_command_and_every_check() -> None:
    text = CI.read_text(encoding="utf-8")
    assert os.access(CI, os.X_OK)
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    (steps,) = re.findall(r"^for name in (.+); do$", text, re.MULTILINE)
    assert steps.split() == ["test", "oracle", "types", "lint", "floors", "examples"]
    assert set(steps.split()) <= TARGETS


def test_the_tests_need_no_torch() -> None:
    assert not [need for need in PROJECT["project"]["optional-dependencies"]["dev"] if need.startswith("torch")]
    recipe = MAKEFILE.split("\ntest:")[1].split("\n\n")[0]
    assert "oracle" not in recipe
    assert re.search(r"^TORCH \?= torch==\d+\.\d+\.\d+$", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_a_broken_link_would_be_seen() -> None:
    text = "# Top\n[a](README.md) [b](gone.md) [c](README.md#install) [d](README.md#gone) [e](#top) `[f](x)`"
    assert broken(ROOT / "README.md", text) == ["gone.md", "README.md#gone", "#top"]


FILES = [*PAGES, ROOT / "Makefile", CI, ROOT / "pyproject.toml", ROOT / "action.yml"]


@pytest.mark.parametrize("page", FILES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_file_speaks_of_the_project_alone(page: Path) -> None:
    found = [match[0] for match in FOREIGN.finditer(page.read_text(encoding="utf-8"))]
    assert found == []


def test_foreign_words_would_be_seen() -> None:
    for text in ("see /work/main", "issue 2", "issue #2", "fixes #12", "--index-url x", "../shared/DESIGN.md"):
        assert FOREIGN.search(text), text
    for text in ("networks", "`a/work/b`", "# 1. heading", "issues", "a `tmp` folder"):
        assert not FOREIGN.search(text), text


def test_the_readme_has_every_option_and_no_other() -> None:
    options = {name for each in (check, scan) for param in each.params for name in param.opts if name.startswith("--")}
    options.add("--version")  # the command's own, in the speed table
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert told <= options, told - options
    assert options - {"--no-cache", "--version"} <= told


def test_the_readme_names_every_command_and_exit_status() -> None:
    assert set(group.commands) <= set(re.findall(r"^ {4}allocsafe (\w+)", README, re.MULTILINE))
    for status in (0, 1, 2):
        assert re.search(rf"^\| {status} \|", README, re.MULTILINE)


def test_the_readmes_configuration_is_read_and_whole() -> None:
    from allocsafe.config import parse

    (block,) = re.findall(r"^```toml\n(\[tool\.allocsafe\].*?)^```", README, re.MULTILINE | re.DOTALL)
    assert set(tomllib.loads(block)["tool"]["allocsafe"]) == {name.replace("_", "-") for name in Config._fields}
    assert parse(block.encode()).phases["warm-up"]


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", text, re.MULTILINE)[0] == PROJECT["project"]["version"]


def test_the_license_is_the_one_that_is_declared() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_what_is_packed_exists() -> None:
    for name in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]:
        assert (ROOT / name).exists(), name


def test_files_that_pages_name_exist() -> None:
    """Paths in backticks that begin with a folder of this repository."""
    folders = "linter|rules|tests|tools|examples"
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        for path in re.findall(rf"`((?:{folders})/[\w./*-]+)`", (ROOT / name).read_text(encoding="utf-8")):
            assert list(ROOT.glob(path.rstrip("/"))), f"{name}: {path}"


def test_rooms_that_the_architecture_names_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    home = ROOT / "linter" / "allocsafe"
    for path in re.findall(r"`((?:flow|regions|ir|frontends|patch|effects|report|testing)/(?:\w+\.py)?)`", text):
        assert (home / path).exists(), path
    modules = {path.stem for path in home.glob("*.py")} | {path.parent.name for path in home.glob("*/__init__.py")}
    missing = [name for name in sorted(modules - {"__init__", "__main__"}) if not re.search(rf"`{name}[./]", text)]
    assert missing == []


# ---------------------------------------------------------------- what is output


def refresh(*args: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, str(ROOT / "tools" / "refresh_readme.py"), *args]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_the_readmes_answer_is_the_real_one() -> None:
    pytest.importorskip("allocsafe.pipeline", exc_type=ImportError)
    done = refresh("--check")
    assert done.returncode == 0, done.stderr + "renew it with `make readme`, and read the difference"


def test_bad_results_are_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "results.jsonl"
    bad.write_text('{"id": "a-1"}\n')
    done = refresh("--results", str(bad))
    assert done.returncode == 2
    assert "results.jsonl:1" in done.stderr and "Traceback" not in done.stderr
    assert (ROOT / "README.md").read_text(encoding="utf-8") == README


def test_the_corpus_table_counts() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from refresh_readme import Result, corpus
    finally:
        sys.path.pop(0)
    rows = [("unsafe", "unsafe"), ("unsafe", "safe"), ("unsafe", "unknown"), ("safe", "safe"), ("safe", "unsafe")]
    text = corpus([*(Result("a", *row) for row in rows), Result("b", "safe", "missed")], "2000-01-02")
    assert "| a (5) | 1 of 3 (33 %) | 1 of 2 (50 %) | 1 | 1 | 1 | 0 |" in text
    assert "| b (1) | 0 of 0 | 0 of 1 (0 %) | 0 | 0 | 0 | 1 |" in text
    assert "| all (6) | 1 of 3 (33 %) | 1 of 3 (33 %) | 1 | 1 | 1 | 1 |" in text
    assert text.endswith("Measured on 2000-01-02.")


def test_the_readme_has_a_place_for_each_table() -> None:
    for name in ("demo", "corpus", "speed"):
        assert README.count(f"<!-- {name} -->\n") == README.count(f"<!-- /{name} -->") == 1
