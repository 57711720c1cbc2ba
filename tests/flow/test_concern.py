"""What a patch can concern, by text; and that asking about nothing else changes no report."""

from __future__ import annotations

from pathlib import Path

import pytest
from allocsafe import pipeline
from allocsafe.flow.concern import Concern, Marked, statements_of
from allocsafe.frontends.python.unit import open_unit
from allocsafe.source import Inserted, Source
from allocsafe.testing import scenarios
from allocsafe.verdict import Unsafe

CODE = """import torch

class Pool:
    def __init__(self, n):
        self.a = torch.empty(n)
        self.b = torch.empty(n)
        self.c = torch.empty(n)
        self.d = torch.empty(n)

    def step(self, x, k):
        first = k + 1
        last = first * 2
        self.a[:last] = x
        self.b[:k] = x
        self.flush(last)
        part = self.c[:k]
        return part

    def flush(self, n):
        self.d[:n] = 0

def other(n):
    z = torch.empty(n)
    return z
"""


def concern(line: str, gone: str = "") -> Concern:
    """As if the first line with this text had changed."""
    unit = open_unit(Source("m.py", CODE))
    at = next(n for n, row in enumerate(CODE.split("\n"), 1) if line in row)
    return Concern(unit, [] if gone else [at], [(at, gone)] if gone else [])


def names(made: Concern) -> set[str]:
    return {name for name in ("self.a", "self.b", "self.c", "self.d", "z") if made.hits([], [name])}


def test_a_length_concerns_all_that_is_cut_by_it() -> None:
    assert names(concern("first = k + 1")) == {"self.a", "self.d"}  # by `last`, and by the call that gets it


def test_what_one_statement_touches_is_its_own() -> None:
    made = concern("self.b[:k] = x")
    assert names(made) == {"self.b"}
    assert made.hits([14], []) and not made.hits([13], [])


def test_a_changed_exit_concerns_the_whole_function() -> None:
    assert names(concern("return part")) == {"self.a", "self.b", "self.c", "self.d"}


def test_an_alias_leads_back_to_what_it_is_of() -> None:
    assert "self.c" in names(concern("first = k + 1", gone="        part.zero_()"))


def test_a_statement_that_is_gone_concerns_what_it_named() -> None:
    assert names(concern("part = self.c", gone="        self.b.zero_()")) == {"self.b"}


def test_another_function_is_none_of_its_business() -> None:
    assert not concern("self.b[:k] = x").hits([23, 24], ["z"])
    assert concern("z = torch.empty(n)").hits([23], ["z"])


def test_a_statement_over_lines_is_one() -> None:
    text = "x = f(\n    a,\n    b[\n        0],\n)\ny = 1\n"
    assert statements_of(text, [3, 4, 6]) == [(3, text[: text.index("y")].rstrip("\n")), (6, "y = 1")]


def test_marks_concern_their_own_memory() -> None:
    made = Marked(Source("m.py", CODE, (Inserted(14, 10, ("self.b = __mark__(self.b)",)),)), "self.b")
    assert made.hits([14], []) and made.hits([], ["self.b"])
    assert not made.hits([13], ["self.a"])


PATCHED = [
    (path.stem, each)
    for path in sorted((Path(__file__).parents[1] / "scenarios").glob("*.md"))
    for each in scenarios.load(path)
    if each.before and each.after and all(name.endswith(".py") for name in each.after)
]


@pytest.mark.parametrize("case", PATCHED[::5], ids=[f"{stem}: {each.name}" for stem, each in PATCHED[::5]])
def test_asking_about_less_reports_the_same(
    case: tuple[str, scenarios.Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reported() -> list[tuple[object, ...]]:
        sites = pipeline.check_texts(case[1].before, case[1].after).sites
        return [(s.judged.site.span, type(s.judged.verdict), [f.rule for f in s.findings]) for s in sites]

    few = reported()
    monkeypatch.setattr(Concern, "hits", lambda self, lines, names: True)
    assert few == reported()


def test_what_another_file_of_the_patch_lost_is_asked_about() -> None:
    """The allocation and its call are as they were; the callee, in another file, writes less now."""
    main = (
        "import torch\nfrom kit import put\n\ndef run(n, k):\n"
        "    x = torch.empty(n)\n    put(x, n)\n    y = k + {}\n    return x.sum() + y\n"
    )
    kit = "def put(x, n):\n    for i in range(n):\n        x[i] = 0.5\n"
    before = {"case.py": main.format(1), "kit.py": kit}
    after = {"case.py": main.format(2), "kit.py": kit.replace("        x[i] = 0.5", "        pass")}
    sites = pipeline.check_texts(before, after).sites
    assert any(isinstance(s.judged.verdict, Unsafe) and s.judged.site.span.path == "case.py" for s in sites)
