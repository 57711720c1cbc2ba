"""The text report: one line a site, the story in order, colour only where a terminal wants it."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from allocsafe.api import Finding
from allocsafe.packs import rules
from allocsafe.report import text

from tests.report import samples

BY_CODE = {rule.code: rule for rule in rules()}


def test_an_unsafe_site_tells_the_whole_story_in_order() -> None:
    rows = text.render(samples.report(samples.unsafe()), BY_CODE).split("\n")
    assert rows[0] == "pkg/offsets.py:4:5: unsafe AS102 AS105 ends: element 0 is read and nothing writes it"
    assert rows[1:7] == [
        "    4 | ends = torch.empty(n + 1)",
        "      |   allocated [0:n + 1]",
        "    5 | ends[1:].copy_(lengths)",
        "      |   written [1:n + 1] (copy_)",
        "    pkg/model.py:9 | return table[ends]",
        "      |   read [0:n + 1] (index)",
    ]
    facts = {row.strip().split(":")[0]: row for row in rows[7:]}
    assert "[0] (smallest case: n = 1: element [0])" in facts["unwritten"]
    assert "reach memory outside" in facts["use"]
    assert "torch.zeros(n + 1)" in facts["before"]
    assert "capture runs before replay" in facts["assumes"]
    assert "[AS105]" in facts["fix"]
    assert rows[-2] == "1 allocation: 1 unsafe"


def test_an_unknown_site_names_the_step_and_what_would_decide_it() -> None:
    words = text.render(samples.report(samples.unknown()))
    assert 'unknown AS190 state["k"]: kernel() has no source and no contract' in words
    assert "call (pkg/closed.py:8:5)" in words
    assert "a contract for kernel" in words
    assert "m >= n" in words


def test_a_safe_site_shows_its_proof_and_its_change() -> None:
    words = text.render(samples.report(samples.safe(changed=True)))
    assert "safe AS108 out: written whole before every read" in words
    assert "written [0:n] (fill_)" in words
    assert "dtype: int64 -> float32" in words


def test_the_worst_comes_first() -> None:
    sites = (samples.safe(), samples.unknown(), samples.unsafe(consequence="data"), samples.unsafe("z.py"))
    rows = text.render(samples.report(*sites)).split("\n")
    heads = [row.split(":")[0] for row in rows if row and not row.startswith(" ")]
    assert heads == ["z.py", "pkg/offsets.py", "pkg/closed.py", "pkg/good.py", "4 allocations"]


def test_an_ignored_site_is_shown_with_its_reason() -> None:
    words = text.render(samples.report(samples.unsafe(suppressed="the caller fills it")), BY_CODE)
    assert "unsafe (ignored) ends" in words
    assert "the caller fills it" in words
    assert "fix:" not in words
    assert "(1 ignored by comment)" in words


def test_errors_and_notes_are_listed() -> None:
    note = Finding("suppression", "note", "ignore[AS101] is unused", samples.span("a.py", 3, 1))
    words = text.render(samples.report(errors=(("b.py", "syntax error\nat line 3"),), notes=(note,)))
    assert "b.py: error: syntax error at line 3\n" in words
    assert "a.py:3:1: note: ignore[AS101] is unused\n" in words
    assert "1 input could not be read" in words


def test_control_characters_of_the_source_do_not_reach_the_terminal() -> None:
    bad = samples.report(samples.unsafe())._replace(line_of=lambda path, line: "x = 1\x1b[2J" + "y" * 500)
    words = text.render(bad)
    assert "\x1b" not in words
    assert max(map(len, words.split("\n"))) < 200


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    report = samples.report(samples.unsafe())
    terminal, pipe = _Terminal(), io.StringIO()
    text.show(report, {}, terminal)
    text.show(report, {}, pipe)
    assert "\x1b[" in terminal.getvalue()
    assert pipe.getvalue() == text.render(report)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = _Terminal()
    text.show(report, {}, plain)
    assert plain.getvalue() == pipe.getvalue()


def test_colour_changes_no_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    import re

    report = samples.report(samples.unsafe(), samples.unknown())
    terminal = _Terminal()
    text.show(report, BY_CODE, terminal)
    assert re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()) == text.render(report, BY_CODE)


def test_plain_text_of_an_empty_report_loads_neither_rich_nor_dataclasses() -> None:
    program = (
        "import sys\n"
        "from allocsafe.report import text\n"
        "from allocsafe.report.records import Report\n"
        "assert text.render(Report((), (), 0.0, lambda p, n: '')) == 'no allocation is touched\\n'\n"
        "print([name for name in ('rich', 'dataclasses', 'allocsafe.api') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "[]\n"
