"""Renews the parts of README.md that are output: each stands between `<!-- NAME -->` and `<!-- /NAME -->`.

    python tools/refresh_readme.py                                      demo
    python tools/refresh_readme.py --results RESULTS.jsonl [--date D]   demo, and the corpus table
    python tools/refresh_readme.py --speed [--tree GIT_DIR ...]         demo, and the speed table (measures anew)
    python tools/refresh_readme.py --check                              exit status 1 if the demo is not what is printed

Claims: nobody types an answer of the tool into the README. Each line of RESULTS.jsonl is one labelled edit, `want` what
is true of it, `got` what was answered (`missed`: no site there, `error`: no report), `id` its name, whose first part
names the collection.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
STORY = ROOT / "examples" / "01_multi_step_runner"
CUT = "[...]"


class Stale(Exception):
    """What cannot be renewed, in one line."""


def put(text: str, name: str, block: str) -> str:
    """`text` with what stands between the marks of `name` replaced."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise Stale(f"README.md must have one {begin.strip()} and one {end} after it")
    head, rest = text.split(begin)
    return head + begin + block.strip("\n") + "\n" + end + rest.split(end)[1]


# ---------------------------------------------------------------- demo


def changes(patch: str) -> str:
    """The changed lines of a patch under the paths they belong to."""
    return "\n".join(row for row in patch.split("\n") if row.startswith(("-", "+")))


def shortened(output: str) -> str:
    """The first and the last site of a text report, and its summary."""
    parts = output.strip("\n").split("\n\n")
    if len(parts) <= 3:
        return output.strip("\n")
    return "\n\n".join([parts[0], CUT, parts[-2], parts[-1]])


def demo() -> str:
    """A patch, the command, and what it prints."""
    words = (STORY / "command").read_text(encoding="utf-8").split()
    call = [sys.executable, "-m", "allocsafe", *words]
    done = subprocess.run(call, cwd=STORY, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        raise Stale(f"the example ends with status {done.returncode}, not 1: {done.stderr.strip()}")
    patch = changes((STORY / "change.diff").read_text(encoding="utf-8"))
    answer = shortened(done.stdout)
    command = f"$ allocsafe {' '.join(words)}"
    return f"```diff\n{patch}\n```\n\n```console\n{command}\n{answer}\n```"


# ---------------------------------------------------------------- corpus


class Result(NamedTuple):
    """One labelled edit: its collection, what is true, what was answered."""

    collection: str
    want: str
    got: str


def results(path: Path) -> list[Result]:
    """The results in a file. Raises `Stale` with the line that cannot be read."""
    out = []
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if row.strip():
            try:
                data = json.loads(row)
                out.append(Result(data["id"].split("-")[0], data["want"], data["got"]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Stale(f"{path}:{number}: not a result: {type(error).__name__}: {error}") from error
    if not out:
        raise Stale(f"{path}: no result in it")
    return out


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "0 of 0"


def corpus(found: Iterable[Result], date: str) -> str:
    """One line a collection, and one for all of them."""
    rows = list(found)
    heads = "labelled edits | unsafe, caught | safe, proved | wrongly safe | wrongly unsafe | unknown | missed or error"
    lines = [f"| {heads} |", "|---|---|---|---|---|---|---|"]
    names = sorted({row.collection for row in rows})
    for name in [*names, "all"] if len(names) > 1 else names:
        here = [row for row in rows if name in (row.collection, "all")]
        pairs = [(row.want, row.got) for row in here]
        unsafe, safe = (sum(want == label for want, _ in pairs) for label in ("unsafe", "safe"))
        cells = [
            f"{name} ({len(here)})",
            share(pairs.count(("unsafe", "unsafe")), unsafe),
            share(pairs.count(("safe", "safe")), safe),
            str(pairs.count(("unsafe", "safe"))),
            str(pairs.count(("safe", "unsafe"))),
            str(sum(got == "unknown" for _, got in pairs)),
            str(sum(got in ("missed", "error") for _, got in pairs)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"Measured on {date}."])


# ---------------------------------------------------------------- speed


def speed(options: Iterable[str]) -> str:
    """The table of tools/bench.py, measured now with these options."""
    call = [sys.executable, str(ROOT / "tools" / "bench.py"), "--markdown", *options]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stale(f"tools/bench.py: {done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Renews, or with --check compares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="results of labelled edits, one JSON object a line"
    )
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="when they were measured")
    parser.add_argument("--speed", action="store_true", help="measure the speed table")
    for name in ("--tree", "--rev", "--torchfix"):
        parser.add_argument(name, metavar=name[2:].upper(), help="with --speed: as for tools/bench.py")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the demo differs")
    options = parser.parse_args()
    try:
        text = README.read_text(encoding="utf-8")
        fresh = put(text, "demo", demo())
        if options.check:
            if fresh != text:
                print("README.md: the demo is not what the command prints: make readme", file=sys.stderr)
            return int(fresh != text)
        if options.results is not None:
            fresh = put(fresh, "corpus", corpus(results(options.results), options.date))
        if options.speed:
            given = {name: getattr(options, name) for name in ("tree", "rev", "torchfix", "results")}
            more = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
            fresh = put(fresh, "speed", speed(more))
        README.write_text(fresh, encoding="utf-8")
    except (Stale, OSError) as error:
        print(f"refresh_readme: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
