"""The scenarios as a set: every file shows both answers, and everything that ends exactness has its twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from allocsafe.testing import marks, scenarios

FILES = sorted(Path(__file__).parent.glob("*.md"))
ENDS_EXACTNESS = (
    "unknown call", "unknown store", "break", "exception", "negative bound", "container store", "double-star arguments",
    "recursion", "aliasing arguments", "getattr", "eval", "monkey-patching",
)  # fmt: skip


def verdicts(scenario: scenarios.Scenario) -> set[str]:
    """The verdicts that the scenario expects; a wanted code stands for one that is not safe."""
    read = [marks.read(text) for text in scenario.after.values()]
    return {word for each in read for word in each.verdicts.values()} | {"unsafe" for each in read if each.wants}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_shows_both_answers(path: Path) -> None:
    each = [verdicts(scenario) for scenario in scenarios.load(path)]
    good = sum(words == {"safe"} for words in each)
    bad = sum(bool(words & {"unsafe", "unknown"}) for words in each)
    assert good >= 0.3 * len(each) and bad >= 0.3 * len(each)


def test_all_that_ends_exactness_has_a_twin() -> None:
    found = {
        scenario.name: verdicts(scenario) for scenario in scenarios.load(Path(__file__).parent / "kills_exactness.md")
    }
    for what in ENDS_EXACTNESS:
        assert found["FN_" + what.replace(" ", "_")] & {"unsafe", "unknown"}
        assert found[f"{what}, the twin that can be followed"] == {"safe"}
