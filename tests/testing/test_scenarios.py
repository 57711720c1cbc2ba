"""The reader of scenario files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from allocsafe.testing import scenarios

GOOD = """# Offsets

Words above the first scenario.

## element 0

Nothing writes element 0.

```python title="before"
x = zeros(n)
```

A block without a title is prose:

```text
## not a heading
```

```python title="after"
x = empty(n)  # want AS102
```

## two files

A header and its user.

````cpp title="after" path="a.h"
```
int a[3];  // verdict: safe
````

```cuda title="before"
int a[3] = {};
```
"""


def test_the_format() -> None:
    first, second = scenarios.parse(GOOD)
    assert (first.name, first.line) == ("element 0", 5)
    assert first.prose.startswith("Nothing writes element 0.")
    assert first.before == {"case.py": "x = zeros(n)\n"}
    assert first.after == {"case.py": "x = empty(n)  # want AS102\n"}
    assert second.before == {"case.cu": "int a[3] = {};\n"}
    assert second.after == {"a.h": "```\nint a[3];  // verdict: safe\n"}


def scenario(
    prose: str = "Why.", before: str = "x = 1", after: str = "x = 2  # verdict: none", info: str = "python"
) -> str:
    return f'## s\n\n{prose}\n\n```{info} title="before"\n{before}\n```\n\n```{info} title="after"\n{after}\n```\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# nothing here\n", "no scenario in it"),
        (scenario(prose=""), "no prose"),
        (scenario() + scenario(), "two scenarios are called 's'"),
        (scenario(after="x = 2"), "no mark"),
        (scenario(after="x = 2  # verdict: perhaps"), "expected `verdict:"),
        (scenario(before="x = 1  # want AS101"), "after the patch"),
        (scenario(after="x = 1  # verdict: none"), "nothing changes"),
        (scenario(info="toml"), "no path for a block in toml"),
        (scenario(info='python path="a.py" line="3"'), "unknown attribute 'line'"),
        (scenario().replace('title="after"', 'title="then"'), 'title="then" is neither'),
        (scenario().replace('title="after"', 'title="before"'), "a second block for case.py"),
        (scenario().rstrip("`\n"), "has no end"),
        ("## s\n\nWords only.\n", "no block with a title"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(scenarios.BadScenario) as error:
        scenarios.parse(text, "file.md")
    assert words in str(error.value)
    assert str(error.value).startswith("file.md")


def test_load_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(GOOD)
    assert len(scenarios.load(path)) == 2
    path.write_text("")
    with pytest.raises(scenarios.BadScenario, match=r"x\.md"):
        scenarios.load(path)


def test_a_scenario_is_judged_without_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types
    from typing import Any

    from tests.report import samples

    asked: list[Any] = []
    module: Any = types.ModuleType("allocsafe.pipeline")
    module.check_texts = lambda before, after: (
        asked.append((before, after)) or samples.report(samples.unsafe("case.py", 1))
    )
    monkeypatch.setitem(sys.modules, "allocsafe.pipeline", module)
    first, _ = scenarios.parse(GOOD)
    (complaint,) = scenarios.run(first)
    assert asked == [({"case.py": "x = zeros(n)\n"}, {"case.py": "x = empty(n)\n"})]
    assert "case.py:1: missing nothing, not wanted AS105" in complaint
