"""The old side without a walk says what its walk would say."""

from __future__ import annotations

import pytest
from allocsafe import pipeline
from allocsafe.mirror import mirrored

FILLED = """import torch

def pad(x, n):
    out = torch.zeros(n, 4, device=x.device)
    out[1:] = x
    if out.sum() > 0:
        return x
    return out

def keep(n):
    rest = torch.empty(n)
    rest.fill_(1)
    return rest
"""


def sites(before: str, after: str) -> list[tuple[int, str, str]]:
    report = pipeline.check_texts({"m.py": before}, {"m.py": after}, show_all=True)
    return [(s.judged.site.span.line, s.judged.site.kind, type(s.judged.verdict).__name__) for s in report.sites]


def walked(monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> tuple[list[object], bool]:
    """The sites with and without a mirrored side, and whether it was used at all."""
    used: list[bool] = []

    def noted(pair, new):  # type: ignore[no-untyped-def]
        made = mirrored(pair, new)
        used.append(made is not None)
        return made

    monkeypatch.setattr("allocsafe.mirror.mirrored", noted)
    with_it = sites(before, after)
    monkeypatch.setattr("allocsafe.mirror.mirrored", lambda pair, new: None)
    assert with_it == sites(before, after)
    return with_it, any(used)


@pytest.mark.parametrize(
    ("old", "new"),
    [("torch.zeros(", "torch.empty("), ("torch.zeros(n, 4, device=x.device)", "torch.empty(n, 4, device=x.device)")],
)
def test_an_unfilled_maker(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    found, used = walked(monkeypatch, FILLED, FILLED.replace(old, new))
    assert used
    assert (4, "unfilled", "Unsafe") in found


def test_a_filled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found, used = walked(monkeypatch, FILLED, FILLED.replace("torch.empty(n)", "torch.zeros(n)"))
    assert used
    assert (11, "filled", "Safe") in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.zeros(n, 4", "torch.empty(n, 8"),  # another shape as well
        ("out = torch.zeros", "res = torch.empty"),  # another name
        ("    rest.fill_(1)\n", ""),  # a fill is gone
        ("torch.zeros(n, 4, device=x.device)", "x.new_empty(n, 4)"),  # another way to make it
        ("torch.zeros(", "torch.zeros( "),  # nothing that matters
    ],
)
def test_anything_else_is_walked(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    assert old in FILLED
    _, used = walked(monkeypatch, FILLED, FILLED.replace(old, new))
    assert not used


def test_a_hole_in_what_did_not_change_asks_the_old_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was there before is for the old side to say."""
    other = FILLED.replace(
        "    out[1:] = x\n", "    out[1:] = x\n    tmp = torch.empty(2)\n    x = x + tmp[0].item()\n"
    )
    found, used = walked(monkeypatch, other, other.replace("torch.zeros(", "torch.empty("))
    assert not used
    assert (4, "unfilled", "Unsafe") in found
