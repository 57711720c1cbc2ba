"""The time that an analysis has, and whether it ever ran out.

Claim: a verdict does not depend on the machine if `ran_out` is what it was before. Why: nothing in the engine looks at
the time but through `over`, and `over` says no until a deadline has passed. It is the processor's time, so a busy
machine costs nobody a verdict.
"""

from __future__ import annotations

import time

_count = 0


def now() -> float:
    """The processor's time of this process, in seconds."""
    return time.process_time()


def over(deadline: float) -> bool:
    """Whether the deadline has passed. That it has is remembered."""
    global _count
    if time.process_time() <= deadline:
        return False
    _count += 1
    return True


def ran_out() -> int:
    """How often a deadline had passed when somebody looked."""
    return _count


__all__ = ["now", "over", "ran_out"]
