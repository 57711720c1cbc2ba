"""Measuring commands from outside: whole processes, in turn, start of the interpreter included."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PASS = "python -c pass"
LIBCST = "python -c 'import libcst'"
BASES = {PASS: [sys.executable, "-c", "pass"], LIBCST: [sys.executable, "-c", "import libcst"]}
ALLOCSAFE = str(Path(sys.executable).with_name("allocsafe"))


class Row(NamedTuple):
    """One line of a table."""

    case: str
    figure: str
    limit: str
    here: str
    fine: bool


def run(command: list[str], cwd: Path, env: Mapping[str, str] | None = None, most: int = 1) -> float:
    """Seconds of one run. A status above `most` or a signal would make the figure meaningless, hence the stop."""
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(env),
    )
    seconds = time.perf_counter() - start
    if not 0 <= done.returncode <= most:
        raise SystemExit(f"{' '.join(command)} in {cwd}: status {done.returncode}\n{done.stderr.strip()}")
    return seconds


def run_until(command: list[str], cwd: Path, longest: float) -> tuple[float, bool]:
    """Seconds of one run, and whether it came to its end within `longest` of them: if not, it is stopped with all that
    it started. Whatever status it ends with.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=environment(),
    ) as process:
        try:
            process.wait(longest)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return time.perf_counter() - start, False
    return time.perf_counter() - start, True


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, but with bytecode kept: where it is not, every run compiles the files that changed since somebody kept
    some, which nobody with an installed package pays (a third of the time of a small patch, once all files are new).
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **(more or {})}


def in_turn(
    commands: dict[str, tuple[list[str], Path]], runs: int, env: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Medians of `runs` rounds over all commands, after one that warms the disk's cache."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, (command, cwd) in commands.items():
            seconds = run(command, cwd, env)
            if turn:
                times[name].append(seconds)
    return {name: statistics.median(all_of) for name, all_of in times.items()}


def by_hyperfine(tool: str, commands: dict[str, tuple[list[str], Path]], runs: int) -> dict[str, float]:
    """The same, measured by hyperfine."""
    medians: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (command, cwd) in commands.items():
            run(command, cwd)
            out = Path(folder, "out.json")
            words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in command)
            options = ["-N", "--ignore-failure", "--warmup", "1", "--runs", str(runs), "--export-json", str(out)]
            subprocess.run([tool, *options, words], cwd=cwd, capture_output=True, check=True, env=environment())
            medians[name] = float(json.loads(out.read_text())["results"][0]["median"])
    return medians


def peak(command: list[str], cwd: Path, env: Mapping[str, str] | None = None) -> float:
    """Peak memory of one run, of its largest process, in MB. A process of its own asks, so that its children are this
    run alone.
    """
    ask = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask, *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        env=environment(env),
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit / 1e6


def quoted(base: str) -> str:
    """The name of a baseline as the table has it."""
    return base.replace("'", '"')


def table(rows: list[Row], markdown: bool) -> str:
    """The rows as text for a terminal, or as Markdown."""
    head = ("case", "measured", "at most", "here")
    cells = [head, *((row.case, row.figure, row.limit, row.here) for row in rows)]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in cells]
        return "\n".join([lines[0], "|---|---|---|---|", *lines[1:]]) + "\n"
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    marks = ["", *("" if row.fine else "  over" for row in rows)]
    return "".join(
        ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + mark).rstrip() + "\n"
        for row, mark in zip(cells, marks, strict=True)
    )
