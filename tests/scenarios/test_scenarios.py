"""Every scenario of every Markdown file in this folder. The format is in `allocsafe.testing.scenarios`."""

from __future__ import annotations

from pathlib import Path

import pytest
from allocsafe.testing import scenarios

pytest.importorskip("allocsafe.pipeline", exc_type=ImportError)

FILES = sorted(Path(__file__).parent.glob("*.md"))
ALL = [pytest.param(each, id=f"{path.stem}: {each.name}") for path in FILES for each in scenarios.load(path)]


@pytest.mark.parametrize("scenario", ALL)
def test_scenario(scenario: scenarios.Scenario) -> None:
    assert scenarios.run(scenario) == []
