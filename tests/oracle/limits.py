"""A time limit for a block of code: programs and analyses that hang are results to count, not the end of the run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Hung(BaseException):
    """The block took too long. Not an `Exception`: neither programs nor the analysis may catch it."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raises `Hung` after `seconds` (in the main thread of a process, which is where the workers run; not nested)."""

    def stop(*_: Any) -> None:
        raise Hung(f"longer than {seconds} s")

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
