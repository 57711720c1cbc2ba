"""The page for a comment or a job summary: a table that holds, stories that fold, nothing that becomes markup."""

from __future__ import annotations

from dataclasses import replace

from allocsafe.packs import rules
from allocsafe.report import markdown
from markdown_it import MarkdownIt

from tests.report import samples

BY_CODE = {rule.code: rule for rule in rules()}


def html(words: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(words))


def test_one_row_and_one_story_a_site() -> None:
    page = html(markdown.render(samples.report(samples.unsafe(), samples.unknown(), samples.safe()), BY_CODE))
    assert page.count("<tr>") == 1 + 3
    assert page.count("<td>") == 3 * 6
    assert page.count("<details>") == page.count("</details>") == 3
    assert "ends = torch.empty(n + 1)" in page
    assert page.index("unsafe") < page.index("unknown")
    assert "AS102 AS105" in page


def test_a_pipe_or_a_tag_in_the_source_stays_text() -> None:
    site = samples.unsafe()
    where = replace(site.judged.site, symbol="a|b`<img src=x>`")
    verdict = site.judged.verdict._replace(reason="see <script> *now* | then")  # type: ignore[union-attr]
    hostile = site._replace(judged=replace(site.judged, site=where, verdict=verdict))
    page = html(markdown.render(samples.report(hostile)._replace(line_of=lambda p, n: "``` </details> ```")))
    assert "<script>" not in page
    assert "<img" not in page
    assert "<em>now" not in page
    assert page.count("<td>") == 6
    assert page.count("</details>") == 1, "the line of code closed the block"


def test_a_page_that_is_full_says_so() -> None:
    sites = [samples.unsafe(f"pkg/file{n}.py") for n in range(400)]
    words = markdown.render(samples.report(*sites))
    assert len(words) < 65_536
    assert "did not fit" in words


def test_an_ignored_site_shows_its_reason_and_no_code() -> None:
    words = markdown.render(samples.report(samples.unsafe(suppressed="filled by *us*")))
    assert "ignored: filled by \\*us\\*" in words
    assert "AS102" not in words


def test_errors_are_listed_and_an_empty_report_is_one_line() -> None:
    assert markdown.render(samples.report()) == "### allocsafe: no allocation is touched\n"
    assert "- `b.py` could not be judged: no" in markdown.render(samples.report(errors=(("b.py", "no"),)))
