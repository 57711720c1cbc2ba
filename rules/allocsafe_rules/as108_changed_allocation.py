"""AS108: the patch changed more about the allocation than its fill.

Claims: an attribute that readers may depend on differs between the sides. Suffices: both allocations are lowered, and
what they say (or what torch infers for them) is compared. Gives up: attributes that are run-time values on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from allocsafe.api import Case, Finding, Judged, Rule

from allocsafe_rules.finding import say


def finds(judged: Judged) -> Iterator[Finding]:
    if judged.changes:
        told = ", ".join(f"{change.what} from {change.old} to {change.new}" for change in judged.changes)
        yield say("AS108", "note", judged, f"the allocation of {judged.site.symbol} also changed its {told}")


BEFORE = """\
import torch


def ones_like_rows(rows):
    mask = torch.full((rows.shape[0],), 1)
    mask.fill_(1)
    return mask.sum()
"""
BAD = """\
import torch


def ones_like_rows(rows):
    mask = torch.empty((rows.shape[0],))  # want AS108
    mask.fill_(1)
    return mask.sum()
"""
OK = """\
import torch


def ones_like_rows(rows):
    mask = torch.empty((rows.shape[0],), dtype=torch.int64)
    mask.fill_(1)
    return mask.sum()
"""

RULE = Rule(
    code="AS108",
    name="changed-allocation",
    title="the conversion also changed dtype, shape, device, layout, pinning or requires_grad",
    why="""`torch.full` infers its dtype from the value, `torch.empty` has the default one: a conversion can turn
    integers into floats without a word. The same goes for a dropped `device` or `pin_memory`.""",
    fix="""State the attribute that the old allocation had (`dtype=torch.int64`), or say in the patch why it
    changes.""",
    severity="note",
    finds=finds,
    ok=(Case("the inferred dtype is stated", BEFORE, OK),),
    bad=(Case("the inferred dtype is lost", BEFORE, BAD),),
)
