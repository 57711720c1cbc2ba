"""Bad usage and bad input: one clear line, status 2, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from allocsafe.packs import BadPack

from tests.cli.conftest import Engine, Ran
from tests.report import samples

Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["chek"], "did you mean 'check'?"),
        (["x.diff"], "there are check, contract, explain, rules, scan"),
        (["check", "--fromat", "json"], "--format"),
        (["check", "--format", "xml"], "'json'"),
        (["check", "--fail-on", "error"], "unsafe"),
        (["check", "--budget", "soon"], "--budget"),
        (["check", "--budget", "0"], "above 0"),
        (["check", "--budget", "nan"], "above 0"),
        (["check", "--staged", "--from", "HEAD"], "--staged"),
        (["check", "--to", "HEAD"], "--to goes with --from"),
        (["check", "a", "b"], "unexpected extra argument"),
        (["check", "none.diff"], "none.diff: No such file"),
        (["check", "."], "directory"),
        (["check", "a\0b"], "null"),
        (["check", "--root", "nowhere"], "no such folder: nowhere"),
        (["check", "--select", "AS199"], "'AS199'"),
        (["check", "--select", "AS1O1"], "did you mean AS101?"),
        (["check", "--ignore", "garbage-indx"], "did you mean garbage-index?"),
        (["explain", "AS999"], "no rule has the code 'AS999'"),
        (["explain"], "CODE"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_usage_is_one_line(engine: Engine, run: Run, args: list[str], words: str) -> None:
    done = run(*args)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("allocsafe: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert engine.asked == []


def test_a_patch_in_the_place_of_a_command_is_told_the_command(engine: Engine, run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_text("")
    assert "allocsafe check x.diff" in run("x.diff").err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadPack("pack 'p' is refused:\nrule X1 has no why"), "allocsafe: pack 'p' is refused: rule X1 has no why\n"),
        (KeyError("x"), "allocsafe: internal error: KeyError: 'x' (ALLOCSAFE_DEBUG=1 shows where)\n"),
        (ValueError("a\nb"), "allocsafe: internal error: ValueError: a b (ALLOCSAFE_DEBUG=1 shows where)\n"),
        (PermissionError(13, "Permission denied", "x.py"), "allocsafe: x.py: Permission denied\n"),
        (RecursionError("maximum depth"), "allocsafe: the input is nested too deeply (RecursionError)\n"),
        (MemoryError(), "allocsafe: out of memory\n"),
    ],
)
def test_whatever_the_engine_raises_is_one_line(engine: Engine, run: Run, error: Exception, words: str) -> None:
    engine.raises = error
    assert run("check") == Ran(2, "", words)


def test_debug_shows_the_traceback(engine: Engine, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.raises = KeyError("x")
    monkeypatch.setenv("ALLOCSAFE_DEBUG", "1")
    with pytest.raises(KeyError):
        run("check")


def test_an_interrupt_is_130(engine: Engine, run: Run) -> None:
    engine.raises = KeyboardInterrupt()
    assert run("check") == Ran(130, "", "allocsafe: interrupted\n")


def test_bad_configuration_is_one_line(engine: Engine, run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.allocsafe]\nfail_of = "unsafe"\n')
    done = run("check")
    assert done.status == 2
    assert "did you mean 'fail-on'?" in done.err


def test_an_output_that_cannot_be_written_is_one_line(engine: Engine, run: Run) -> None:
    done = run("check", "--output", "no/such/folder/x")
    assert (done.status, done.out) == (2, "")
    assert "no/such/folder/x: No such file or directory" in done.err


def test_a_report_that_stdout_cannot_encode_is_escaped() -> None:
    program = (
        "from tests.report import samples\n"
        "from allocsafe.commands import write\n"
        "report = samples.report(samples.unsafe('p\\u00e4th\\udcff.py'))\n"
        "for form in ('text', 'json', 'github', 'markdown', 'sarif'): write(report, form, None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.stderr == b""
    assert b"p\\xe4th\\udcff.py:4:5: unsafe" in done.stdout


def test_a_closed_pipe_is_no_error() -> None:
    program = (
        "import sys\n"
        "from tests.report import samples\n"
        "import allocsafe.commands as commands, allocsafe.cli as cli\n"
        "report = samples.report(*[samples.unsafe(line=n) for n in range(3000)])\n"
        "cli._run = lambda args: commands.write(report, 'text', None) or 1\n"
        "sys.exit(cli.main(['check']))\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1)


def test_unsafe_through_a_closed_pipe_is_not_clean(engine: Engine, run: Run) -> None:
    """Twin: the status is decided before the report is written, so `| head` cannot hide a finding."""
    engine.report = samples.report(samples.unsafe())
    from allocsafe import commands

    def broken(*_: object) -> None:
        raise BrokenPipeError

    original, commands.write = commands.write, broken
    try:
        assert run("check").status == 1
    finally:
        commands.write = original
