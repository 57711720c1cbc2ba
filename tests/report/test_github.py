"""Workflow commands: escaped, on the changed line, at most ten of a kind."""

from __future__ import annotations

import re
from urllib.parse import unquote

from allocsafe.api import Finding
from allocsafe.report import github

from tests.report import samples

_COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def commands(words: str) -> list[tuple[str, dict[str, str], str]]:
    """What a runner makes of the lines: name, properties, message, all unescaped."""
    out = []
    for row in words.splitlines():
        found = _COMMAND.fullmatch(row)
        assert found is not None, row
        properties = dict(part.split("=", 1) for part in found[2].split(","))
        out.append((found[1], {key: unquote(value) for key, value in properties.items()}, unquote(found[3])))
    return out


def test_the_annotation_stands_on_the_allocation_and_says_where_the_read_is() -> None:
    name, place, message = commands(github.render(samples.report(samples.unsafe())))[0]
    assert name == "error"
    assert (place["file"], place["line"], place["col"], place["endColumn"]) == ("pkg/offsets.py", "4", "5", "15")
    assert place["title"] == "AS102 AS105 ends"
    assert "at pkg/model.py:9" in message
    assert "unwritten [0]" in message


def test_what_would_break_a_command_is_escaped() -> None:
    site = samples.unsafe("a,b:c%0A.py")
    verdict = site.judged.verdict._replace(reason="100% bad\r\n::error::forged")  # type: ignore[union-attr]
    from dataclasses import replace

    words = github.render(samples.report(site._replace(judged=replace(site.judged, verdict=verdict))))
    assert len(words.splitlines()) == 2
    assert "file=a%2Cb%3Ac%250A.py," in words
    assert "100%25 bad%0D%0A::error::forged" in words


def test_ten_errors_ten_warnings_and_one_sum() -> None:
    sites = [samples.unsafe(line=n, consequence="data") for n in range(20, 34)]
    sites += [samples.unknown(line=n) for n in range(10, 23)]
    sites.append(samples.unsafe("last.py", consequence="index"))
    rows = commands(github.render(samples.report(*sites)))
    names = [name for name, _, _ in rows]
    assert [names.count(name) for name in ("error", "warning", "notice")] == [10, 10, 1]
    assert rows[0][1]["file"] == "last.py", "an index comes before data"
    assert "5 errors, 3 warnings not shown here" in rows[-1][2]


def test_an_unknown_is_a_warning_a_note_a_notice_and_a_safe_site_nothing() -> None:
    rows = commands(github.render(samples.report(samples.unknown(), samples.safe(changed=True), samples.safe("b.py"))))
    assert [name for name, _, _ in rows] == ["warning", "notice", "notice"]
    assert rows[1][1]["title"] == "AS108 out"
    assert rows[2][2] == "3 allocations: 1 unknown, 2 safe"


def test_an_ignored_site_is_not_annotated() -> None:
    rows = commands(github.render(samples.report(samples.unsafe(suppressed="why"))))
    assert [name for name, _, _ in rows] == ["notice"]


def test_lines_but_no_columns_for_an_allocation_over_several_lines() -> None:
    from dataclasses import replace

    site = samples.unsafe()
    where = replace(site.judged.site, span=site.judged.site.span._replace(end_line=6))
    place = commands(github.render(samples.report(site._replace(judged=replace(site.judged, site=where)))))[0][1]
    assert place["endLine"] == "6"
    assert "col" not in place


def test_errors_and_notes_are_annotations() -> None:
    note = Finding("suppression", "note", "ignore[AS101] is unused", samples.span("a.py", 3))
    rows = commands(github.render(samples.report(errors=(("b.py", "syntax error"),), notes=(note,))))
    assert rows[0] == ("warning", {"file": "b.py", "title": "allocsafe: not judged"}, "syntax error")
    assert rows[1][1]["line"] == "3"
