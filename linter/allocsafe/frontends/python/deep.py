"""Work that may recurse deeper than Python's default limit, on a stack that is large enough for it.

Claim: `deeply(work)` gives what `work()` gives, and only a tree that nests thousands of levels ends in
`RecursionError`. Why that suffices: the first try is the plain one; the second runs in a thread with a stack of its
own size under a raised limit. What it gives up: the limit is the process's, so for that moment other threads have it
as well.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STACK = 256 << 20  # address space; only what is used becomes memory
_LIMIT = 40_000


def deeply(work: Callable[[], T]) -> T:
    """The result of `work`, tried again with room if it overflows."""
    try:
        return work()
    except RecursionError:
        pass
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    limit = sys.getrecursionlimit()
    before = threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(max(limit, _LIMIT))
        thread = threading.Thread(target=run, name="allocsafe-deep")
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
        sys.setrecursionlimit(limit)
    if errors:
        raise errors[0].with_traceback(None)
    return results[0]
