"""`allocsafe scan`: a whole tree without a patch, every allocation that starts uninitialised with its verdict.

    Request -> Snapshot -> (files whose text allocates, in processes) judge_file -> rules, ignore comments -> Report

*Claim.* The report is a function of the tree, the settings and the budget alone: not of the number of processes nor
of who finished first. *What it gives up.* Time is a wall clock's, so a site at the edge of its budget may be unknown
on a busy machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.patch.pairs import PatchError, within
from allocsafe.pipeline import _ruled
from allocsafe.report.records import Report, Tally
from allocsafe.scan.files import MOST_BUDGETS, FileResult, by_name, may_allocate
from allocsafe.scan.pool import Lost, cut, spread
from allocsafe.scan.tree import Snapshot, at_commit, home_of, on_disk
from allocsafe.scan.worker import Worker
from allocsafe.source import Source

if TYPE_CHECKING:
    from allocsafe.api import Judged
    from allocsafe.config import Config
    from allocsafe.scan.progress import Meter

BUDGET = 0.45
"""Seconds for one site. A scan asks of hundreds what a check asks of a few."""

CEILING = 60.0
"""Seconds past a file's own limit after which its process is ended: it hangs where no budget is looked at."""


class Request(NamedTuple):
    """What the command line asks for. `paths` are as people wrote them."""

    paths: tuple[str, ...]
    root: Path | None
    rev: str | None
    only: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    budget: float
    jobs: int
    config: Config
    use_cache: bool


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def home(paths: Sequence[str], root: Path | None) -> Path:
    """The folder that is read: `root`, else the repository of the first path. Raises `PatchError`."""
    if root is not None:
        return root
    first = Path(paths[0]) if paths else Path.cwd()
    if not first.exists():
        raise PatchError(f"{first}: no such file or folder")
    return home_of(first)


def scan(request: Request) -> Report:
    """Judges what is asked for. Raises `PatchError`, `BadPack`, `BadCode` or `ConfigError`, each one clear line."""
    from allocsafe.scan.progress import meter
    from allocsafe.scan.tally import reasons

    began = time.perf_counter()
    root = home(request.paths, request.root)
    tree = on_disk(root) if request.rev is None else at_commit(root, request.rev)
    chosen = _inside(request, root, tree)
    errors = [(path, why) for path, why in tree.errors if _wanted(path, chosen, request)]
    work = [p for p in tree.sources() if _wanted(p, chosen, request)]
    costs = [(path, cost) for path in work if (cost := _cost(tree, path))]
    results: dict[str, FileResult] = {}
    if costs:
        job = (tree, request.config, request.budget, request.use_cache)
        with meter(len(costs)) as step:
            results = _kept(job, costs, step)
            costs = [(path, cost) for path, cost in costs if path not in results]
            if costs:
                tree.index()  # made here, it is shared by all processes
            ceiling = MOST_BUDGETS * request.budget + CEILING
            for path, result in spread(Worker, job, cut(costs, request.jobs), request.jobs, ceiling):
                done = _lost(tree, path, result) if isinstance(result, Lost) else result
                results[path] = done
                step(path, len(done.judged))
    ordered = [results[path] for path in sorted(results)]
    judged = [j for done in ordered for j in done.judged]
    comments = {done.path: list(done.comments) for done in ordered if done.comments}
    sites, notes = _ruled(judged, request.select, request.ignore, comments, _malformed(comments))
    errors += [error for done in ordered for error in done.errors]

    texts: dict[str, Source | None] = {}

    def line_of(path: str, line: int) -> str:
        if path not in texts:
            texts[path] = tree.read(path)
        text = texts[path]
        return text.line(line) if text is not None else ""

    seconds = time.perf_counter() - began
    files = sum(1 for done in ordered if done.judged)
    return Report(tuple(sites), tuple(errors), seconds, line_of, notes, Tally(files, reasons(sites)))


def _malformed(comments: dict[str, list[tuple[int, str]]]) -> dict[str, frozenset[int]]:
    """The lines of ignore comments that can answer nothing. (One that answers nothing here may answer a patch.)"""
    if not comments:
        return {}
    from allocsafe import packs, suppress

    known = packs.codes()
    return {
        path: frozenset(n for n, text in rows if (c := suppress.parse(path, n, text, known)) is not None and c.problem)
        for path, rows in comments.items()
    }


def _kept(
    job: tuple[Snapshot, Config, float, bool], costs: Sequence[tuple[str, int]], step: Meter
) -> dict[str, FileResult]:
    """What earlier runs said of these files and still holds: no process is started for it."""
    out: dict[str, FileResult] = {}
    if job[-1]:
        earlier = Worker(*job)
        for path, _ in costs:
            found = earlier.before(path)
            if found is not None:
                out[path] = found
                step(path, len(found.judged))
        earlier.flush()
    return out


def _inside(request: Request, root: Path, tree: Snapshot) -> tuple[str, ...]:
    """The paths of the command line as the tree names them. A path that names nothing is an error, not silence."""
    out: list[str] = []
    top = os.path.realpath(root)
    for path in request.paths:
        if request.rev is not None and request.root is not None:
            name = os.path.normpath(path).replace(os.sep, "/")
        else:
            name = os.path.relpath(os.path.realpath(path), top).replace(os.sep, "/")
        if name == ".." or name.startswith("../"):
            raise PatchError(f"{path}: not inside of {root}")
        if name == ".":
            return ()
        if not any(within(p, (name,)) for p in tree.paths()):
            raise PatchError(f"{path}: no such file or folder in {root}{f' at {request.rev}' if request.rev else ''}")
        out.append(name)
    return tuple(out)


def _wanted(path: str, chosen: tuple[str, ...], request: Request) -> bool:
    from fnmatch import fnmatch

    return (
        within(path, chosen)
        and within(path, request.only)
        and not any(fnmatch(path, pattern) for pattern in request.config.exclude)
    )


def _cost(tree: Snapshot, path: str) -> int:
    """About how long a file takes, 0 for one that holds nothing to judge and no ignore comment."""
    data = tree.data(path)
    if not may_allocate(path, data):
        return 1 if b"allocsafe:" in data else 0
    return 20 + len(data) // 1000


def _lost(tree: Snapshot, path: str, lost: Lost) -> FileResult:
    """The verdicts of a file whose analysis did not come back: all unknown, by the text alone."""
    source = tree.read(path)
    judged: list[Judged] = by_name(source, lost.step, lost.reason) if source is not None else []
    return FileResult(path, tuple(judged), () if judged else ((path, lost.reason),))


__all__ = ["BUDGET", "Request", "cores", "home", "scan"]
