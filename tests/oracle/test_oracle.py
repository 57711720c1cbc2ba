"""A small run of the oracle inside pytest, and tests of the oracle itself: it must be able to fail."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="the oracle runs programs on real torch: `make oracle` installs it")

from tests.oracle.execute import run_one, truth
from tests.oracle.generate import FEATURES, program
from tests.oracle.judge import compare
from tests.oracle.minimise import minimise
from tests.oracle.program import MAIN, Param, Place, Program, Sample
from tests.oracle.run import FAILS, run, table
from tests.oracle.spread import spread

HEAD = "import torch\nimport numpy as np\n"
EMPTY = "torch.empty(n, dtype=torch.float64)"


def case(body: str) -> Program:
    """A program whose entry has one size `n`."""
    source = HEAD + "def main(n):\n" + "\n".join("    " + row for row in body.split("\n")) + "\n"
    return Program(0, {MAIN: source}, {MAIN: source.replace("empty", "zeros")}, "main", (Param("n", "int"),))


def outcome(body: str, n: int = 3) -> str:
    return run_one(case(body), Sample({"n": n}))[0]


@pytest.mark.parametrize(
    ("clean", "poison"),
    [
        (f"x = {EMPTY}\nx.fill_(1)\nreturn float(x.sum())", f"x = {EMPTY}\nreturn float(x.sum())"),
        (f"x = {EMPTY}\ny = x.clone()", f"x = {EMPTY}\ny = x.clone()\nreturn y.sum().item()"),
        (f"x = {EMPTY}\ny = x[[0]]\ny.zero_()", f"x = {EMPTY}\ny = x[[0]]\ny.add_(1)"),
        (f"x = {EMPTY}\nx[:] = 1\nx += 1", f"x = {EMPTY}\nx[1:] = 1\nx += 1"),
        (f"x = {EMPTY}\ntorch.add(torch.ones(n).double(), 1, out=x)\nx * 2", f"x = {EMPTY}\nx * 0"),
        (f"x = {EMPTY}\nx[0] = 1\nx[1:2].fill_(2)\nx[:2].sum()", f"x = {EMPTY}\nx[0] = 1\nx[1:2].fill_(2)\nx.sum()"),
        (f"x = {EMPTY}\ntorch.zeros_like(x).sum()", f"x = {EMPTY}\ntorch.zeros_like(x).copy_(x)"),
        (f"x = {EMPTY}\nif x.numel() > 1:\n    pass", f"x = {EMPTY}\nif x[0] > 1:\n    pass"),
        ("x = np.empty(n)\nx[:] = 1\nx + 1", "x = np.empty(n)\nx + 1"),
        ("x = np.empty(n)\nx[:2] = 1\nx[:2].sum()", "x = np.empty(n)\nx[:2] = 1\nx.sum()"),
        ("x = np.empty(n)\nx[0] = 1\nreturn float(x[0].sum())", "x = np.empty(n)\nreturn float(x[0].sum())"),
        ("x = np.empty(n)\nx.fill(1)\nreturn x", "x = np.empty(n)\nreturn x"),
        (
            "x = torch.empty(n, dtype=torch.int64)\nx[:] = 0\ntorch.ones(9)[x]",
            "x = torch.empty(n, dtype=torch.int64)\ntorch.ones(9)[x]",
        ),
    ],
)
def test_a_run_tells_a_read_from_all_else(clean: str, poison: str) -> None:
    assert outcome(clean) == "clean"
    assert outcome(poison) == "poison"


def test_a_handler_of_the_program_does_not_hide_the_read() -> None:
    assert outcome(f"x = {EMPTY}\ntry:\n    x + 1\nexcept Exception:\n    pass") == "poison"


def test_a_crash_is_not_a_clean_run() -> None:
    assert outcome("raise ValueError('no')") == "crash"


def test_a_run_that_never_ends_is_a_crash() -> None:
    assert outcome("while n:\n    pass") == "crash"


def test_the_same_seed_gives_the_same_program() -> None:
    assert program(7) == program(7)
    assert len({program(seed).source for seed in range(50)}) > 40


def test_both_sides_differ_in_the_marked_line_alone() -> None:
    for seed in range(100):
        case = program(seed)
        if case.moved:
            continue
        changed = []
        for path, text in case.files.items():
            pairs = zip(text.split("\n"), case.before[path].split("\n"), strict=True)
            changed += [Place(path, at) for at, (new, old) in enumerate(pairs, 1) if new != old]
        assert sorted(changed) == sorted(case.asked)


def test_programs_run_and_both_truths_are_common() -> None:
    results = run(300, 0, truth_only=True)
    crashed = sum(result.kind == "crash" for result in results)
    poisoned = sum(result.poisoned for result in results)
    assert crashed < 0.05 * len(results)
    assert 0.30 * len(results) < poisoned < 0.62 * len(results)


def test_every_feature_can_be_made_alone() -> None:
    for feature in FEATURES:
        for seed in range(12):
            for path, text in program(seed, frozenset({feature})).files.items():
                compile(text, path, "exec")


@pytest.mark.parametrize("seed", range(24))
def test_a_text_in_several_files_means_the_same(seed: int) -> None:
    whole = program(seed, frozenset(FEATURES.keys() - {"spread", "moved", "negative"}))
    apart = replace(whole, files=spread(whole.files[MAIN], seed))
    for sample in whole.samples(4):
        assert run_one(whole, sample)[0] == run_one(apart, sample)[0]


def test_most_texts_are_cut() -> None:
    assert sum(len(program(seed, frozenset({"spread", "helpers"})).files) > 1 for seed in range(60)) > 30


def test_modules_of_a_program_are_made_afresh_and_forgotten() -> None:
    files = {"kit/__init__.py": "from .state import COUNT\n", "kit/state.py": "COUNT = []\n"}
    files[MAIN] = "import torch\nfrom kit import COUNT\ndef main(n):\n    COUNT.append(n)\n    assert len(COUNT) == 1\n"
    apart = Program(0, files, files, "main", (Param("n", "int"),))
    assert [run_one(apart, Sample({"n": 1})) for _ in range(2)] == [("clean", "")] * 2
    assert "kit" not in sys.modules and "kit.state" not in sys.modules


@pytest.mark.parametrize(("body", "seen"), [("t[...] = 1", "clean"), ("t[1:] = 1", "poison"), ("t += 1", "poison")])
def test_what_an_own_operator_does_inside_counts(body: str, seen: str) -> None:
    head = '@torch.library.custom_op("casing::put", mutates_args=("t",))\ndef put(t: torch.Tensor) -> None:\n'
    use = f"def main(n):\n    x = {EMPTY}  # site\n    put(x)\n    return float(x.sum())\n"
    text = f"import torch\n{head}    {body}\n{use}"
    assert run_one(Program(0, {MAIN: text}, {MAIN: text}, "main", (Param("n", "int"),)), Sample({"n": 3}))[0] == seen


def test_what_a_step_leaves_is_told_from_what_nobody_wrote() -> None:
    body = "x = torch.zeros(n, dtype=torch.float64)  # site\npass  # dropped: x\nx[1:] = 1\nreturn float(x.sum())"
    left = replace(case(body), features=frozenset({"home:dropped"}))
    assert run_one(left, Sample({"n": 3}))[0] == "clean"
    assert left.leaves is not None and run_one(left, Sample({"n": 3}), left.leaves)[0] == "poison"


def test_a_program_is_made_small_while_it_offends() -> None:
    big = case(f"x = {EMPTY}  # site\ny = 1\nif n > 1:\n    z = 2\n    w = 3\nreturn float(x.sum())")
    small = minimise(big, lambda made: truth(made, [Sample({"n": 3})]).shown is not None)
    assert "return float(x.sum())" in small.source
    assert "if n" not in small.source and "y = 1" not in small.source
    assert small.before[MAIN] == small.source.replace("empty", "zeros")


def test_a_wrong_safe_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.oracle import judge

    said = judge.Answer("safe", "", False, (), "")
    monkeypatch.setattr(judge, "answer", lambda _: said)
    bad = case(f"x = {EMPTY}  # site\nreturn float(x.sum())")
    assert compare(bad).kind == "wrong-safe"
    assert compare(replace(bad, files=bad.before)).kind == "right"
    monkeypatch.setattr(judge, "answer", lambda _: said._replace(verdict="unsafe"))
    assert compare(replace(bad, files=bad.before)).kind == "wrong-unsafe"


def test_no_verdict_is_wrongly_safe() -> None:
    pytest.importorskip("allocsafe.pipeline")
    results = run(200, 1_000_000)
    assert not [result for result in results if result.kind in FAILS], table(results, 0)


def test_a_bad_option_is_one_line() -> None:
    call = [sys.executable, "-m", "tests.oracle.run", "--only", "nonsense"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "nonsense" in done.stderr and "Traceback" not in done.stderr
