"""How far the scan is, on standard error, and only where a person looks at it.

The bar is drawn by the loop that collects results, never by a thread: processes are forked while it is up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Meter(Protocol):
    """Told of every file that is done."""

    def __call__(self, path: str, allocations: int) -> None: ...


def _silent(path: str, allocations: int) -> None:
    return None


@contextmanager
def meter(total: int) -> Iterator[Meter]:
    """A bar for `total` files if standard error is a terminal; otherwise nothing."""
    if not total or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files, {task.fields[sites]} allocations"))
    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("scan", total=total, sites=0)
        sites = 0

        def step(path: str, allocations: int) -> None:
            nonlocal sites
            sites += allocations
            bar.update(task, advance=1, sites=sites, refresh=True)

        yield step


__all__ = ["Meter", "meter"]
