"""Methods that raise unless their argument holds: `self.assertTrue(ok)` is `assert ok`.

*Claim.* What comes after the call was reached with a true (false, None, ...) argument. *Why that suffices.* The methods
are those of `unittest.TestCase`; a class that cannot be seen to have another method of such a name has that one. *What
it gives up.* The other methods: they are unknown calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocsafe.flow.arithmetic import is_array, same, truth
from allocsafe.flow.values import NONE, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.conditions import Condition
    from allocsafe.flow.machine import Machine

CHECKS = ("assertTrue", "assertFalse", "assertIsNone", "assertIsNotNone")


def checked(m: Machine, name: str, args: list[Value], span: Span) -> bool:
    """Walks on where the check holds; False if `name` is no check that is known."""
    from allocsafe.flow.control import require

    short = name.rsplit(".", 1)[-1]
    if short not in CHECKS or not args or is_array(args[0]):
        return False
    require(m, _asked(m, short, args[0], span), span)
    return True


def _asked(m: Machine, check: str, value: Value, span: Span) -> Condition:
    cond = truth(m, value, span) if check in ("assertTrue", "assertFalse") else same(m, value, NONE, span)
    return m.conds.no(cond) if check in ("assertFalse", "assertIsNotNone") else cond


__all__ = ["checked"]
