"""The rows of the speed table that need a real tree: a patch that is decided by five other files, and a whole scan.

Claims: nothing is fetched and nothing is written into the repository that is named. The patch and the six files that
it concerns are put on top of the commit in a repository of our own, which borrows the objects of the given one; so
the tree around them has its real size, and the answer is known: safe, by a write that is five files away. What it
gives up: how the code of other patches looks; `--results` has that for labelled edits.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from measure import ALLOCSAFE, BASES, LIBCST, Row, environment, in_turn, peak, quoted, run, run_until

HOW_TO_GET_ONE = """The rows on a real tree need one, and nothing is fetched here:
    git clone --bare https://github.com/vllm-project/vllm && make bench TREE=vllm.git"""

SITE = "bench_site"
CHAIN = ("runner", "plan", "staging", "copies", "rows", "ranges")

HEAD = '''"""Generated: one link of a chain of six files."""

from __future__ import annotations

import torch
{more}

class {Name}Options:
    """What a {name} is made with."""

    def __init__(self, rows: int, width: int, scale: float = 1.0) -> None:
        if rows < 0 or width < 0:
            raise ValueError("a negative size")
        self.rows = rows
        self.width = width
        self.scale = scale

    def describe(self) -> str:
        return f"{name}: {{self.rows}} x {{self.width}} at {{self.scale}}"


def {name}_total(values: list[int]) -> int:
    total = 0
    for value in values:
        total += value
    return total


'''
FIRST = '''class Runner:
    """Makes a buffer, has it filled, reads it whole."""

    def __init__(self, options: RunnerOptions) -> None:
        self.options = options
        self.plan = Plan(options.scale)

    def step(self, lengths: torch.Tensor) -> torch.Tensor:
        count = lengths.shape[0]
        offsets = torch.zeros(count, dtype=torch.int32, device=lengths.device)
        self.plan.fill(offsets, lengths, count)
        return offsets.cumsum(0)
'''
SECOND = '''class Plan:
    """Decides how a buffer is filled."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def fill(self, out: torch.Tensor, lengths: torch.Tensor, count: int) -> None:
        staging(out, lengths, count)
'''
LINK = '''def {name}(out: torch.Tensor, lengths: torch.Tensor, count: int) -> None:
    """Hands the buffer on."""
    if lengths.dtype is torch.int64:
        lengths = lengths.to(torch.int32)
    {after}(out, lengths, count)
'''
LAST = '''def ranges(out: torch.Tensor, lengths: torch.Tensor, count: int) -> None:
    """Writes every element."""
    out[:count] = lengths
'''


def files() -> dict[str, str]:
    """The six files, by path."""
    made = {f"{SITE}/__init__.py": ""}
    for number, name in enumerate(CHAIN):
        after = CHAIN[number + 1] if number + 1 < len(CHAIN) else ""
        wanted = "Plan" if after == "plan" else after
        more = f"\nfrom {SITE}.{after} import {wanted}\n" if after else ""
        body = {0: FIRST, 1: SECOND, len(CHAIN) - 1: LAST}.get(number) or LINK.format(name=name, after=after)
        made[f"{SITE}/{name}.py"] = HEAD.format(more=more, name=name, Name=name.capitalize()) + body
    return made


def git(repo: Path, *args: str, data: str = "", index: Path | None = None) -> str:
    """What git prints. A failure ends the benchmark with git's own words."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    env |= {"GIT_INDEX_FILE": str(index)} if index is not None else {}
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    done = subprocess.run(
        ["git", *who, "-C", str(repo), *args], input=data, capture_output=True, text=True, env=env, check=False
    )
    if done.returncode:
        raise SystemExit(f"git {args[0]} in {repo}: {done.stderr.strip()}")
    return done.stdout.strip()


def prepared(folder: Path, tree: Path, rev: str) -> tuple[Path, str]:
    """A repository with the commit and the six files on top of it, and the id of that commit."""
    base = git(tree, "rev-parse", "--verify", f"{rev}^{{commit}}")
    objects = Path(git(tree, "rev-parse", "--git-path", "objects"))
    repo, index = folder / "repo", folder / "index"
    git(folder, "init", "-q", "--bare", str(repo))
    (repo / "objects" / "info" / "alternates").write_text(f"{(tree / objects).resolve()}\n")
    git(repo, "read-tree", base, index=index)
    rows = ""
    for path, text in files().items():
        rows += f"100644 {git(repo, 'hash-object', '-w', '--stdin', data=text)}\t{path}\n"
    git(repo, "update-index", "--index-info", data=rows, index=index)
    made = git(repo, "write-tree", index=index)
    return repo, git(repo, "commit-tree", made, "-p", base, "-m", "bench")


ENOUGH = 5.0
"""Times of a cold scan after which another linter is stopped: more says nothing new."""


def patch(folder: Path) -> Path:
    """The patch to one site of the six files."""
    path = f"{SITE}/{CHAIN[0]}.py"
    rows = files()[path].split("\n")
    at = next(n for n, row in enumerate(rows) if "torch.zeros" in row)
    before, after = rows[at - 1], rows[at + 1]
    diff = f"--- a/{path}\n+++ b/{path}\n@@ -{at},3 +{at},3 @@\n {before}\n-{rows[at]}\n"
    (folder / "one.diff").write_text(diff + f"+{rows[at].replace('zeros', 'empty')}\n {after}\n")
    return folder / "one.diff"


def measured(tree: Path, rev: str, runs: int, torchfix: list[str] | None, *, scan: bool = True) -> list[Row]:
    """The rows of one tree; without `scan`, those of the patch alone."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        repo, commit = prepared(folder, tree, rev)
        cache = {"ALLOCSAFE_CACHE_DIR": str(folder / "cache")}
        check = [ALLOCSAFE, "check", str(patch(folder)), "--root", str(repo), "--from", commit]
        cold, warm = "cold", "warm"
        _answer([*check, "--format", "json"], folder, cache)
        commands = {LIBCST: (BASES[LIBCST], folder), cold: ([*check, "--no-cache"], folder), warm: (check, folder)}
        medians = in_turn(commands, runs, cache)
        rows = [Row("`import libcst`: the unit", "1 ×", "", f"{1000 * medians[LIBCST]:.0f} ms", True)]
        for name, text, most in (
            (cold, "a one-site patch decided by 5 other files, no cache", 12.0),
            (warm, "the same, warm cache", 4.0),
        ):
            ratio = medians[name] / medians[LIBCST]
            limit = f"{most:g} × `{quoted(LIBCST)}`"
            rows.append(Row(text, f"{ratio:.1f} ×", limit, f"{1000 * medians[name]:.0f} ms", ratio <= most))
        memory = peak(commands[cold][0], folder)
        rows.append(Row("its peak memory, no cache", f"{memory:.0f} MB", "400 MB", "", memory <= 400))
        return rows + (scans(folder, repo, commit, torchfix) if scan else [])


def _answer(check: list[str], folder: Path, cache: dict[str, str]) -> None:
    """A figure for a wrong answer would say nothing."""
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False, env=environment(cache))
    sites = json.loads(done.stdout)["sites"] if done.returncode in (0, 1) else []
    if [site["verdict"] for site in sites] != ["safe"]:
        raise SystemExit(f"the patch is safe, but the answer is: {done.stdout or done.stderr}")


def scans(folder: Path, repo: Path, commit: str, torchfix: list[str] | None) -> list[Row]:
    """The whole tree without a patch: nothing kept, all kept, and what another linter takes."""
    cache = {"ALLOCSAFE_CACHE_DIR": str(folder / "scans")}
    command = [ALLOCSAFE, "scan", "--root", str(repo), "--at", commit, "--format", "json", "--output", "scan.json"]
    cold = run(command, folder, cache)
    warm = statistics.median(run(command, folder, cache) for _ in range(3))
    memory = peak([*command, "--no-cache"], folder)
    names = git(repo, "ls-tree", "-r", "--name-only", commit).split("\n")
    size = f"{sum(name.endswith('.py') for name in names):,} Python files"
    rows = [
        Row(f"scan of the whole tree, {size}", f"{cold:.1f} s", "60 s", "", cold <= 60),
        Row("the same, warm cache", f"{warm:.1f} s", "6 s", "", warm <= 6),
        Row("peak memory of its largest process", f"{memory:.0f} MB", "400 MB", "", memory <= 400),
    ]
    if torchfix is not None:
        place = folder / "tree"
        place.mkdir()
        archive = folder / "tree.tar"
        git(repo, "archive", "--output", str(archive), commit)
        subprocess.run(["tar", "-xf", str(archive), "-C", str(place)], check=True)
        other, ended = run_until([*torchfix, str(place)], folder, ENOUGH * cold)
        share = cold / other
        less, more = ("", "") if ended else ("less than ", "stopped after ")
        case = "the cold scan against TorchFix over the same tree"
        rows.append(Row(case, f"{less}{share:.2f} ×", "0.25 ×", "", share < 0.25))
        rows.append(Row("TorchFix over the same tree", f"{more}{other:.0f} s", "", "", True))
    return rows


def replayed(results: Path) -> list[Row]:
    """Seconds of labelled edits: each line of RESULTS is one, with `id` and `seconds`."""
    took = []
    for number, row in enumerate(results.read_text(encoding="utf-8").splitlines(), 1):
        try:
            data = json.loads(row)
            took += [float(data["seconds"])] if "-py-" in data["id"] else []
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{results}:{number}: not a result: {type(error).__name__}: {error}") from error
    if not took:
        raise SystemExit(f"{results}: no result of a Python label in it")
    middle, worst = statistics.median(took), max(took)
    return [
        Row(f"median of {len(took)} labelled Python edits", f"{middle:.1f} s", "2 s", "", middle <= 2),
        Row("the worst of them", f"{worst:.1f} s", "15 s", "", worst <= 15),
    ]
