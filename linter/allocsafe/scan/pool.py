"""Work spread over processes: what one file does to its process costs that file's verdict and nothing else.

Claim: every item comes back once, with a result or with the reason why it has none; which process did it shows
nowhere. *Why.* A process is handed a few items at a time and answers for each in turn, so the first one that has no
answer is the one that a dead or hanging process was at; the rest go to a new process. An interrupt reaches the parent
alone, which ends its children. What it gives up: where a platform cannot fork, every process gets its own copy of
the tree.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol


class Work(Protocol):
    """From an item to its result. Made in the process that runs it."""

    def __call__(self, item: str, /) -> Any: ...

    def flush(self) -> None:
        """Called after each chunk: nothing may be lost when the process ends."""


MOST_MEMORY = 320_000_000
"""Bytes after which a process is replaced: symbols and conditions are interned and live as long as it does."""


class Lost(NamedTuple):
    """An item without a result."""

    step: str  # crash, bug or budget
    reason: str


class _Hand:
    """A process and what it still owes, first the item that it is at."""

    __slots__ = ("ends", "owed", "pipe", "process", "retiring")

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.owed: list[str] = []
        self.ends = 0.0
        self.retiring = False


def spread(
    make: Callable[..., Work], args: tuple[Any, ...], chunks: Sequence[Sequence[str]], jobs: int, ceiling: float
) -> Iterator[tuple[str, Any]]:
    """(item, result or `Lost`) in the order in which they are done. `make(*args)` gives the work, in each process.

    An item that takes longer than `ceiling` seconds is given up, and its process ended.
    """
    todo = [list(chunk) for chunk in reversed(chunks)]
    context: Any = multiprocessing.get_context("fork" if sys.platform.startswith("linux") else "spawn")
    hands: list[_Hand] = []

    def hire() -> None:
        ours, theirs = context.Pipe()
        others = [hand.pipe for hand in hands] + [ours] if context.get_start_method() == "fork" else []
        process = context.Process(target=_serve, args=(theirs, others, make, args), daemon=True)
        process.start()
        theirs.close()
        hands.append(_Hand(process, ours))

    def hand_out() -> None:
        for hand in hands:
            if not hand.owed and todo and not hand.retiring:
                hand.owed = todo.pop()
                hand.ends = time.monotonic() + ceiling
                with contextlib.suppress(OSError):  # it is dead: the wait below finds out
                    hand.pipe.send(hand.owed)

    def dismiss(hand: _Hand, reason: Lost | None) -> Iterator[tuple[str, Any]]:
        hands.remove(hand)
        hand.process.kill()
        hand.process.join()
        hand.pipe.close()
        if hand.owed:
            first, *rest = hand.owed
            if reason is None:
                todo.append(hand.owed)
            else:
                if rest:
                    todo.append(rest)
                yield first, reason

    gc.collect()
    gc.freeze()  # what is shared with the children stays shared
    try:
        while todo or any(hand.owed for hand in hands):
            while len(hands) < max(1, min(jobs, len(hands) + len(todo))):
                hire()
            hand_out()
            now = time.monotonic()
            nearest = min((hand.ends for hand in hands if hand.owed), default=now + ceiling)
            ready = wait([hand.pipe for hand in hands], max(nearest - now, 0.01))
            for hand in [h for h in hands if h.pipe in ready]:
                try:
                    item, result = hand.pipe.recv()
                except (EOFError, OSError):
                    hand.process.join()
                    yield from dismiss(hand, Lost("crash", f"the analysis ended with {_ending(hand.process)}"))
                    continue
                if item is None:
                    hand.retiring = True
                    yield from dismiss(hand, None)
                    continue
                hand.owed.remove(item)
                hand.ends = time.monotonic() + ceiling
                yield item, result
            for hand in [h for h in hands if h.owed and time.monotonic() > h.ends]:
                yield from dismiss(hand, Lost("budget", f"the file took more than {ceiling:.0f} s"))
    finally:
        gc.unfreeze()
        for hand in hands:
            hand.process.kill()
        for hand in hands:
            hand.process.join()
            hand.pipe.close()


def _ending(process: BaseProcess) -> str:
    code = process.exitcode or 0
    if code < 0:
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"
    return f"status {code}"


def _serve(pipe: Connection, others: Sequence[Connection], make: Callable[..., Work], args: tuple[Any, ...]) -> None:
    """The life of a process: chunks in, results out, until the parent is gone or nothing more comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        other.close()
    gc.set_threshold(20_000, 20, 50)
    try:
        work = make(*args)
        while True:
            chunk = pipe.recv()
            for item in chunk:
                result = _tried(work, item)
                if item == chunk[-1]:
                    work.flush()  # before the parent knows: it may end us when it has all
                pipe.send((item, result))
            if _resident() > MOST_MEMORY:
                pipe.send((None, None))
                return
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _tried(work: Work, item: str) -> Any:
    """The result, or `Lost` with the bug's name: a process survives what Python can catch."""
    try:
        return work(item)
    except Exception as bug:
        if os.environ.get("ALLOCSAFE_DEBUG"):
            raise
        return Lost("bug", f"a bug in the analysis of the file: {type(bug).__name__}: {bug}")


def _resident() -> int:
    try:
        import resource
    except ImportError:  # not on this platform: nothing is replaced
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def cut(items: Sequence[tuple[str, int]], jobs: int) -> list[list[str]]:
    """Chunks of (item, cost) for `jobs` processes: neighbours stay together, the costliest chunks come first."""
    total = sum(cost for _, cost in items)
    most = max(1, total // max(1, jobs * 16))
    chunks: list[tuple[int, list[str]]] = []
    for item, cost in items:
        if chunks and chunks[-1][0] + cost <= most:
            chunks[-1] = (chunks[-1][0] + cost, [*chunks[-1][1], item])
        else:
            chunks.append((cost, [item]))
    chunks.sort(key=lambda chunk: (-chunk[0], chunk[1]))
    return [chunk for _, chunk in chunks]


__all__ = ["Lost", "cut", "spread"]
