"""The oracle: random programs run for real, their verdicts compared with what the runs showed.

    python -m tests.oracle.run --count 2000 --seed 0 [--keep DIR] [--jobs 2] [--only loops,views] [--truth-only]

Claim: no program judged `safe` reads unwritten memory. One that does fails the run. `unsafe` without a sample that
shows it is counted (a hole may need a sample that was not tried, so it is first tried on many more), `unknown` is
counted by the step that stopped the analysis. Needs torch and numpy; everything else of the project does not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.oracle.generate import FEATURES, program
from tests.oracle.judge import Result, answer, comes_to, compare, shown
from tests.oracle.minimise import minimise
from tests.oracle.program import Program

FAILS = ("wrong-safe", "missed", "error")
KEPT = ("wrong-safe", "wrong-unsafe", "missed", "error")


def one(seed: int, only: frozenset[str] | None, truth_only: bool) -> Result:
    """The result for one seed (runs in a worker)."""
    case = program(seed, only)
    if truth_only:
        found = shown(case, "")
        kind = "right" if found.usable else "crash"
        if kind == "crash":
            print(seed, found.error)
        return Result(seed, kind, "", found.shown is not None, found.error, features=case.features)  # type: ignore[arg-type]
    return compare(case)


def table(results: list[Result], seconds: float) -> str:
    """The counts, the wrong answers and the reasons, as text."""
    ran = [result for result in results if result.kind != "crash"]
    total = max(1, len(ran))
    lines = [f"{len(results)} programs in {seconds:.0f} s; {len(results) - len(ran)} discarded (crash on most samples)"]
    lines.append(f"{'':16}{'no poison seen':>16}{'poison shown':>16}{'share':>10}")
    for verdict in ("safe", "unsafe", "unknown", "missed", "error", ""):
        rows = [result for result in ran if result.verdict == verdict]
        if rows:
            bad = sum(result.poisoned for result in rows)
            name = verdict or "(not asked)"
            lines.append(f"{name:16}{len(rows) - bad:16}{bad:16}{100 * len(rows) / total:9.1f}%")
    poisoned = sum(result.poisoned for result in ran)
    lines.append(f"{'all':16}{len(ran) - poisoned:16}{poisoned:16}")
    for kind in (*KEPT, "assumed-safe", "unreached", "unsaid"):
        seeds = [result.seed for result in ran if result.kind == kind]
        if seeds or kind.startswith("wrong"):
            text = ", ".join(map(str, seeds[:12])) + (", ..." if len(seeds) > 12 else "")
            share = f"{kind}: {len(seeds)} ({100 * len(seeds) / total:.2f}%)"
            lines.append(share + (f"; seeds {text}" if seeds else ""))
    steps: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    for result in ran:
        if result.kind in ("unknown", "error", "missed"):
            name = f"{result.kind}: {result.why}" + (" (with a condition)" if result.condition else "")
            steps[name] += 1
            examples.setdefault(name, []).append(result.seed)
    for name, number in steps.most_common(25):
        lines.append(f"  {number:5} {name}   e.g. seeds {', '.join(map(str, examples[name][:4]))}")
    return "\n".join(lines)


def by_feature(results: list[Result]) -> str:
    """For each feature: programs, share of unknown, wrong answers (to see where the analysis is weak)."""
    names = sorted({name for result in results for name in result.features})
    lines = [f"{'feature':20}{'programs':>10}{'poison':>9}{'unknown':>9}{'w-safe':>8}{'w-unsafe':>9}"]
    for name in names:
        rows = [result for result in results if name in result.features and result.kind != "crash"]
        kinds = Counter(str(result.kind) for result in rows)
        n = max(1, len(rows))
        poison = 100 * sum(result.poisoned for result in rows) / n
        unknown = 100 * kinds["unknown"] / n
        lines.append(f"{name:20}{n:10}{poison:8.0f}%{unknown:8.1f}%{kinds['wrong-safe']:8}{kinds['wrong-unsafe']:9}")
    return "\n".join(lines)


def same_offence(kind: str, case: Program, crashes: int) -> bool:
    """Whether the program is still judged wrongly in the same way, and crashes no more often."""
    said = answer(case)
    if kind in ("missed", "error"):
        return said.verdict == kind
    if said.verdict != ("safe" if kind == "wrong-safe" else "unsafe"):
        return False
    found = shown(case, said.verdict, 40)
    if found.crashes > crashes or (found.shown is not None) != (kind == "wrong-safe"):
        return False
    return kind == "wrong-safe" or comes_to(case, said.at)


def keep_one(result: Result, only: frozenset[str] | None, folder: Path) -> None:
    """Writes one offending program, minimised (runs in a worker)."""
    whole = program(result.seed, only)
    crashes = shown(whole, result.verdict, 40).crashes
    small = minimise(whole, partial(same_offence, result.kind, crashes=crashes), 150)
    said = answer(small)
    head = f"# {result.kind}, seed {result.seed}: verdict {said.verdict} ({said.why} {said.reason})\n"
    head += f"# sample of the whole program: {result.shown.values if result.shown else None}\n"
    text = head + small.source
    if small.moved:
        text += "\n# ======== before\n" + replace(small, files=small.before).source
    (folder / f"{result.kind}-{result.seed}.py").write_text(text)


def keep(results: list[Result], only: frozenset[str] | None, folder: Path, jobs: int) -> None:
    """Writes the first offending programs of each kind for people to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for kind in KEPT for row in [result for result in results if result.kind == kind][:24]]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        pool.map(partial(keep_one, only=only, folder=folder), rows, chunksize=1)


def run(
    count: int,
    seed: int,
    jobs: int = 1,
    only: frozenset[str] | None = None,
    truth_only: bool = False,
    listed: Sequence[int] = (),
) -> list[Result]:
    """The results for `count` seeds from `seed` on, in order, or for the listed ones."""
    work = partial(one, only=only, truth_only=truth_only)
    seeds = listed or range(seed, seed + count)
    if jobs < 2:
        return [work(number) for number in seeds]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return pool.map(work, seeds, chunksize=20)


def seed_list(text: str) -> list[int]:
    """`3,17,20` as numbers."""
    return [int(part) for part in text.split(",")]


def main(argv: list[str] | None = None) -> int:
    """Exit status 1 if a `safe` was wrong, a site was missed or the analysis crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.run", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=seed_list, default=[], help="these seeds alone: 3,17,20")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="write offending programs, minimised, into this folder")
    parser.add_argument("--only", help="make programs of these features alone: " + ",".join(FEATURES))
    parser.add_argument("--truth-only", action="store_true", help="run the programs, ask for no verdict")
    parser.add_argument("--features", action="store_true", help="print a table by feature, too")
    parser.add_argument("--show", action="store_true", help="print the program of --seed and its verdict")
    options = parser.parse_args(argv)
    only = frozenset(options.only.split(",")) if options.only else None
    if only is not None and only - FEATURES.keys():
        parser.error(f"no such feature: {', '.join(sorted(only - FEATURES.keys()))}")
    if options.show:
        case = program(options.seed, only)
        print(case.source)
        print("truth:", shown(case, "safe"))
        if not options.truth_only:
            print("verdict:", answer(case))
        return 0
    start = time.time()
    results = run(options.count, options.seed, options.jobs, only, options.truth_only, options.seeds)
    print(table(results, time.time() - start))
    if options.features:
        print(by_feature(results))
    if options.keep:
        keep(results, only, options.keep, options.jobs)
    return 1 if any(result.kind in FAILS for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
