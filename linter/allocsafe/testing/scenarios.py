"""Scenarios: Markdown files that are the specification, and are run.

    ## element 0 of a list of offsets

    The prefix sum is written from element 1 on, so element 0 has no writer left once the zeros are gone.

    ```python title="before"
    ends = torch.zeros(n + 1)
    ```

    ```python title="after"
    ends = torch.empty(n + 1)  # want AS102
    ```

- A scenario begins at a `## ` heading, its name, which is unlike all others in the file. Above the first one anything
  may stand.
- Prose is required: at least one line that says why the answer is what it is.
- A fenced block with `title="before"` or `title="after"` is a file on that side; `path="pkg/x.py"` names it (without:
  `case.py`, `case.cpp` or `case.cu`, by the block's language). Other fenced blocks are prose. Blocks of one title with
  different paths make a tree. A path with one side only is a file that the patch adds or deletes.
- Marks (see `marks`) stand in the blocks of the side after the patch, and a scenario has at least one.
- A name that begins with `FP_` or `FN_` is a known wrong answer: its marks say what the tool answers today, its prose
  what would be right.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from allocsafe.testing import marks

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_PATHS = {
    "python": "case.py",
    "py": "case.py",
    "cpp": "case.cpp",
    "c++": "case.cpp",
    "cuda": "case.cu",
    "cu": "case.cu",
}


class BadScenario(Exception):
    """A file that is not in the format above, with the line."""


class Scenario(NamedTuple):
    """One scenario. `after` still has its marks."""

    name: str
    line: int
    prose: str
    before: dict[str, str]
    after: dict[str, str]


def load(path: Path) -> list[Scenario]:
    """The scenarios of a file. Raises `BadScenario` or OSError."""
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, name: str = "scenario") -> list[Scenario]:
    """The scenarios in this Markdown text."""
    out: list[Scenario] = []
    current: Scenario | None = None
    prose: list[str] = []
    lines = text.split("\n")
    index = 0

    def finish() -> None:
        if current is not None:
            out.append(_whole(current._replace(prose="\n".join(prose).strip()), name))

    while index < len(lines):
        line = lines[index]
        index += 1
        fence = _FENCE.match(line)
        if fence is not None:
            start = index
            while index < len(lines) and lines[index].rstrip() != fence["fence"]:
                index += 1
            if index == len(lines):
                raise BadScenario(f"{name}:{start}: the block that begins here has no end")
            body = "\n".join(lines[start:index]) + "\n"
            index += 1
            if current is not None:
                _block(current, fence["info"], body, f"{name}:{start}")
        elif line.startswith("## "):
            finish()
            current, prose = Scenario(line[3:].strip(), index, "", {}, {}), []
            if any(other.name == current.name for other in out):
                raise BadScenario(f"{name}:{index}: two scenarios are called {current.name!r}")
        elif current is not None:
            prose.append(line)
    finish()
    if not out:
        raise BadScenario(f"{name}: no scenario in it; one begins with a `## ` heading")
    return out


def _block(scenario: Scenario, info: str, body: str, where: str) -> None:
    attributes = dict(_ATTRIBUTE.findall(info))
    title = attributes.pop("title", None)
    if title is None:
        return
    if title not in ("before", "after"):
        raise BadScenario(f'{where}: title="{title}" is neither before nor after')
    language = info.split(maxsplit=1)[0] if info.split() else ""
    path = attributes.pop("path", None) or _PATHS.get(language)
    if path is None:
        raise BadScenario(f'{where}: no path for a block in {language or "no language"}; give it one: path="x.h"')
    if attributes:
        raise BadScenario(f"{where}: unknown attribute {next(iter(attributes))!r}; there are title and path")
    side = scenario.before if title == "before" else scenario.after
    if path in side:
        raise BadScenario(f"{where}: a second block for {path} {title} the patch")
    side[path] = body


def _whole(scenario: Scenario, name: str) -> Scenario:
    where = f"{name}:{scenario.line}: {scenario.name}"
    if not scenario.prose:
        raise BadScenario(f"{where}: no prose; say why the answer is what it is")
    if not scenario.before and not scenario.after:
        raise BadScenario(f"{where}: no block with a title")
    try:
        expected = [marks.read(text) for text in scenario.after.values()]
        stray = [marks.read(text) for text in scenario.before.values()]
    except marks.BadMark as error:
        raise BadScenario(f"{where}: {error}") from error
    if any(stray):
        raise BadScenario(f"{where}: marks belong into the side after the patch")
    if not any(expected):
        raise BadScenario(f"{where}: no mark, so it could not fail; `# verdict: none` says that a line is no site")
    if {path: marks.strip(text) for path, text in scenario.after.items()} == scenario.before:
        raise BadScenario(f"{where}: nothing changes between before and after")
    return scenario


def run(scenario: Scenario) -> list[str]:
    """Complaints about this scenario; an empty list means that the report is what the marks say."""
    from allocsafe.pipeline import check_texts

    stripped = {path: marks.strip(text) for path, text in scenario.after.items()}
    expected = {path: marks.read(text) for path, text in scenario.after.items()}
    return list(marks.complaints(check_texts(scenario.before, stripped), expected))


__all__ = ["BadScenario", "Scenario", "load", "parse", "run"]
