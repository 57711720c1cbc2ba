"""Names that a test gives another meaning for a while: `patch.object(x, "f", ...)`, `monkeypatch.setattr(x, "f", ...)`.

*Claim.* After such a call, and until the function that made it returns, no function called `f` is walked: what stands
in its place is an unknown callee. *Why that suffices.* An unknown callee may do what the function does, and anything
else. *What it gives up.* What the replacement really does; whose `f` it is; that the name gets its meaning back when
the block is left.

    with patch.object(layer, "forward", return_value=y):
        layer.run(torch.empty(n))           whether `forward` reads it is not known: it is not `forward` that runs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from allocsafe.flow.builtin import builtin
from allocsafe.flow.memory import escape, holds_array
from allocsafe.flow.values import Const, Ref, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Frame, Machine

_PATCHES = ("patch", "patch.object")
_SAID = re.compile(r"\bpatch(?:\.object)?\(\s*(?:[\w.]+\s*,\s*)?[\"']([\w.]+)[\"']")
SETS = "monkeypatch.setattr"
"""How a test says it by the fixture of that name."""


@builtin("unittest.mock.patch", "unittest.mock.patch.object")
def _patch(m: Machine, args: list[Value], kwargs: dict[str, Value], span: Span) -> Value | None:
    replaces(m, args, span)
    return None


def replaces(m: Machine, args: list[Value], span: Span) -> None:
    """Notes the name that a call replaces: the last constant text of `(x, "f", ...)` or of `("pkg.f", ...)`."""
    from allocsafe.flow.attributes import attribute

    said = next((a.value for a in args[:2] if isinstance(a, Const) and isinstance(a.value, str)), None)
    if said is None:
        return
    name = said.rsplit(".", 1)[-1]
    m.frame.mocked.add(name)
    if len(args) > 1 and isinstance(args[0], Ref):
        held = attribute(m, args[0], name, span)
        if holds_array(m, held):
            escape(m, [held], span, f"`{name}` is replaced for a while", "call", "what stands in its place")


def mocked(m: Machine, name: str) -> bool:
    """Whether what is called `name` may be a replacement on the way here."""
    return any(name in frame.mocked or name in _by_decorators(m, frame) for frame in m.frames)


def _by_decorators(m: Machine, frame: Frame) -> frozenset[str]:
    """The names that `@patch("pkg.f")` and `@patch.object(x, "f")` over the running function replace."""
    if not any(text.endswith(_PATCHES) for text in frame.function.decorator_names):
        return frozenset()
    unit = m.program.unit(frame.path)
    span = frame.function.span
    text = "" if unit is None else "\n".join(unit.source.lines[span.line - 1 : span.end_line])
    head = re.split(r"^\s*(?:async\s+)?def\b", text, maxsplit=1, flags=re.M)[0]
    return frozenset(said.rsplit(".", 1)[-1] for said in _SAID.findall(head))


__all__ = ["SETS", "mocked", "replaces"]
