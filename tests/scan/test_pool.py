"""Processes that die, hang, or grow: every item comes back once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from allocsafe.scan import pool
from allocsafe.scan.pool import Lost, cut, spread

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the work of this test is handed on by a fork")


class Doubling:
    """Doubles a text. Some texts end the process, or never end."""

    def __init__(self, note: str = "") -> None:
        self._note = note

    def __call__(self, item: str, /) -> Any:
        if item == "die":
            os._exit(7)
        if item == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "raise":
            raise KeyError("no such thing")
        if item == "hang":
            time.sleep(60)
        return item * 2

    def flush(self) -> None:
        if self._note:
            with open(self._note, "a", encoding="utf-8") as file:
                file.write("flushed\n")


def test_every_item_comes_back_with_its_result() -> None:
    items = [[f"{n}", f"{n}x"] for n in range(9)]
    got = dict(spread(Doubling, (), items, 3, 30.0))
    assert got == {item: item * 2 for chunk in items for item in chunk}


def test_nothing_to_do_starts_nothing() -> None:
    assert list(spread(Doubling, (), [], 3, 30.0)) == []


@linux
@pytest.mark.parametrize(("bad", "words"), [("die", "status 7"), ("killed", "signal SIGKILL")])
def test_a_process_that_ends_loses_the_item_that_it_was_at(bad: str, words: str) -> None:
    got = dict(spread(Doubling, (), [["a", bad, "b", "c"], ["d"]], 1, 30.0))
    assert got.pop(bad) == Lost("crash", f"the analysis ended with {words}")
    assert got == {"a": "aa", "b": "bb", "c": "cc", "d": "dd"}


def test_an_exception_costs_its_item_and_shows_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    got = dict(spread(Doubling, (), [["a", "raise", "b"]], 1, 30.0))
    assert got.pop("raise") == Lost("bug", "a bug in the analysis of the file: KeyError: 'no such thing'")
    assert got == {"a": "aa", "b": "bb"}
    assert capfd.readouterr() == ("", "")


@linux
def test_an_item_that_hangs_is_given_up() -> None:
    got = dict(spread(Doubling, (), [["a", "hang", "b"]], 1, 0.4))
    assert got["hang"].step == "budget"
    assert (got["a"], got["b"]) == ("aa", "bb")


@linux
def test_a_process_that_has_grown_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_MEMORY", 1)
    assert dict(spread(Doubling, (), [["a"], ["b", "c"], ["d"]], 2, 30.0)) == {i: i * 2 for i in "abcd"}


def test_what_a_process_keeps_is_written_before_its_last_answer_of_a_chunk(tmp_path: Path) -> None:
    note = tmp_path / "note"
    done = spread(Doubling, (str(note),), [["a", "b"]], 1, 30.0)
    assert [item for item, _ in done] == ["a", "b"]
    assert note.read_text() == "flushed\n"


def test_chunks_hold_every_item_once_and_the_costliest_first() -> None:
    items = [(f"f{n}", 1 + 50 * (n % 7 == 3)) for n in range(60)]
    chunks = cut(items, 2)
    assert sorted(i for c in chunks for i in c) == sorted(i for i, _ in items)
    sizes = [sum(dict(items)[i] for i in c) for c in chunks]
    assert sizes == sorted(sizes, reverse=True)
    assert chunks == cut(items, 2)


@linux
def test_an_interrupt_ends_the_run_with_one_line_and_no_process_behind(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background is born deaf to it
        "from allocsafe.scan import worker\n"
        "def slow(program, path, settings):\n"
        "    sys.stderr.write('at work\\n'); sys.stderr.flush(); time.sleep(60)\n"
        "worker.judge_file = slow\n"
        "from allocsafe.cli import main\n"
        "sys.exit(main(['scan', '--no-cache', '--jobs', '2']))\n"
    )
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("import torch\nx = torch.empty(3)\n")
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "at work\n"
        os.killpg(run.pid, signal.SIGINT)
        rest = run.stderr.read()  # ends when the last process has let go of the pipe
        assert run.wait(20) == 130
    assert rest.replace("at work\n", "") == "allocsafe: interrupted\n"
