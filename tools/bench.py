"""The speed table: what a hook costs, as ratios to what Python itself costs on the same machine in the same run.

    python tools/bench.py [--runs 7] [--markdown] [--keep DIR]
                          [--tree GIT_DIR [--rev REV] [--no-scan] [--torchfix COMMAND]] [--results RESULTS.jsonl]

Claims: a ratio says more than seconds, since a slow machine is slow for both sides. Every row is a whole process, start
of the interpreter included. Why that suffices: a hook is a whole process. What it gives up: on a busy machine ratios
move by some tenths. A benchmark, not a test: nothing fails over the limits, they are printed beside the figures.

The first inputs are generated: classes with buffers, as inference engines have them, and a patch to one of them. With
hyperfine on the path it does the measuring; without, rounds over all commands in turn, so that a slow second falls on
all. The rows of `--tree` are measured on a real repository (`bench_tree.py`), those of `--results` were by whoever
replayed labelled edits.
"""

from __future__ import annotations

import argparse
import difflib
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import bench_tree
from measure import ALLOCSAFE, BASES, LIBCST, PASS, Row, by_hyperfine, in_turn, peak, quoted, table

WORDS = ("decode", "prefill", "verify", "draft", "extend", "local", "cross", "window", "sparse", "chunked")
THINGS = ("Metadata", "Runner", "Cache", "Planner", "Scheduler", "Sampler", "Router", "Packer")

CLASS = '''
class {name}:
    """Buffers of the {word} step for one device; made once, filled before every step."""

    def __init__(self, max_batch: int, max_pages: int, device: torch.device) -> None:
        self.max_batch = max_batch
        self.max_pages = max_pages
        self.device = device
        self.{word}_lengths = torch.zeros(max_batch, dtype=torch.int32, device=device)
        self.{word}_offsets = torch.zeros(max_batch + 1, dtype=torch.int32, device=device)
        self.{word}_pages = torch.zeros((max_batch, max_pages), dtype=torch.int32, device=device)
        self.steps = 0
        self.names: dict[int, str] = {{}}

    def fill_{word}(self, lengths: torch.Tensor, pages: torch.Tensor) -> int:
        """Copies this step's lengths and pages into the persistent buffers."""
        batch = lengths.shape[0]
        if batch > self.max_batch:
            raise ValueError(f"a batch of {{batch}} does not fit into {{self.max_batch}} rows")
        self.{word}_lengths[:batch].copy_(lengths)
        self.{word}_offsets[0] = 0
        self.{word}_offsets[1 : batch + 1].copy_(torch.cumsum(lengths, 0))
        width = pages.shape[1]
        self.{word}_pages[:batch, :width].copy_(pages)
        self.{word}_pages[:batch, width:].fill_(0)
        self.steps += 1
        return batch

    def run_{word}(self, query: torch.Tensor, lengths: torch.Tensor, pages: torch.Tensor) -> torch.Tensor:
        """One step over the pages of every request."""
        batch = self.fill_{word}(lengths, pages)
        scores = torch.zeros((batch, query.shape[1]), dtype=query.dtype, device=query.device)
        for row in range(batch):
            scores[row] = query[row] * self.{word}_lengths[row]
        starts = self.{word}_offsets[:batch]
        return scores + starts[:, None]

    def describe(self, request: int) -> str:
        """One line about a request, for the log."""
        name = self.names.get(request, "unnamed")
        return f"{word} request {{request}} ({{name}}) after {{self.steps}} steps"

    def rename(self, request: int, name: str) -> None:
        """Gives a request another name in the log."""
        if not name:
            raise ValueError("an empty name")
        self.names[request] = name
'''


class Case(NamedTuple):
    """One row: what is run, from where, what it is divided by, and the most that is wanted."""

    name: str
    command: list[str]
    cwd: Path
    base: str
    most: float


def source(lines: int) -> str:
    """A module of about this many lines."""
    text = '"""Step buffers, generated."""\n\nfrom __future__ import annotations\n\nimport torch\n'
    number = 0
    while text.count("\n") < lines - 20:
        word = f"{WORDS[number % len(WORDS)]}_{number}"
        text += "\n" + CLASS.format(name=f"{THINGS[number % len(THINGS)]}{number}", word=word)
        number += 1
    return text


def patch(folder: Path, old: str, new: str) -> Path:
    """The tree with the old side and the patch, written into `folder`."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    (tree / "steps.py").write_text(old)
    rows = difflib.unified_diff(old.splitlines(True), new.splitlines(True), "a/steps.py", "b/steps.py")
    (folder / "change.diff").write_text("diff --git a/steps.py b/steps.py\n" + "".join(rows))
    return folder


def swapped(text: str, which: str, old: str, new: str) -> str:
    """`text` with `old` replaced by `new` once, in the class in the middle."""
    start = text.index(which, len(text) // 2)
    at = text.index(old, start)
    return text[:at] + new + text[at + len(old) :]


def cases(folder: Path) -> list[Case]:
    """The rows of the table; writes their inputs."""
    small, large = source(300), source(7000)
    check = [ALLOCSAFE, "check", "change.diff", "--root", "tree", "--no-cache"]
    plain = patch(folder / "plain", small, swapped(small, "def describe", 'steps"', 'steps so far"'))
    one = patch(folder / "one", small, swapped(small, "def run_", "torch.zeros", "torch.empty"))
    big = patch(folder / "big", large, swapped(large, "def run_", "torch.zeros", "torch.empty"))
    size = f"{large.count(chr(10)):,} lines, {len(large) / 1000:.0f} KB"
    return [
        Case("allocsafe --version", [ALLOCSAFE, "--version"], folder, PASS, 6),
        Case("a patch that touches no tracked allocation", check, plain, PASS, 8),
        Case(f"a one-file patch, {small.count(chr(10))} lines", check, one, LIBCST, 2.2),
        Case(f"a one-site patch, {size}", check, big, LIBCST, 3.5),
    ]


def measured(folder: Path, runs: int) -> list[Row]:
    """The rows of the generated inputs."""
    rows = cases(folder)
    commands = {name: (command, folder) for name, command in BASES.items()}
    commands |= {case.name: (case.command, case.cwd) for case in rows}
    hyperfine = shutil.which("hyperfine")
    medians = by_hyperfine(hyperfine, commands, runs) if hyperfine else in_turn(commands, runs)
    out = []
    for case in rows:
        ratio = medians[case.name] / medians[case.base]
        limit = f"{case.most:g} × `{quoted(case.base)}`"
        out.append(Row(case.name, f"{ratio:.1f} ×", limit, f"{1000 * medians[case.name]:.0f} ms", ratio <= case.most))
    memory = peak(rows[-1].command, rows[-1].cwd)
    out.append(Row("peak memory of the last", f"{memory:.0f} MB", "150 MB", "", memory <= 150))
    return out


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=7, help="runs of each command; the median counts (default: 7)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the generated inputs there, and leave them")
    parser.add_argument("--tree", type=Path, metavar="GIT_DIR", help="a repository, bare or not: its rows as well")
    parser.add_argument("--rev", default="HEAD", help="the commit of it to measure on (default: HEAD)")
    parser.add_argument("--no-scan", action="store_true", help="with --tree: leave out the rows that take minutes")
    parser.add_argument("--torchfix", metavar="COMMAND", help="TorchFix, to be compared with; gets the folder")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="results of labelled edits, one JSON object a line"
    )
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs: at least 1")
    if options.tree is not None and not options.tree.is_dir():
        parser.error(f"--tree: no such folder: {options.tree}")
    if options.results is not None and not options.results.is_file():
        parser.error(f"--results: no such file: {options.results}")
    if not Path(ALLOCSAFE).exists():
        parser.error(f"allocsafe is not installed beside {sys.executable}; `make bench` installs it")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if options.keep is not None:
            folder = options.keep.resolve()
            folder.mkdir(parents=True)
        rows = measured(folder, options.runs)
    if options.tree is not None:
        torchfix = shlex.split(options.torchfix) if options.torchfix else None
        tree = options.tree.resolve()
        rows += bench_tree.measured(tree, options.rev, options.runs, torchfix, scan=not options.no_scan)
    if options.results is not None:
        rows += bench_tree.replayed(options.results)
    print(table(rows, options.markdown), end="")
    if options.tree is None:
        print(bench_tree.HOW_TO_GET_ONE, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
