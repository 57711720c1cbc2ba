"""Where hunks fit, and what comes out: equal context only, the nearest place, in order."""

from __future__ import annotations

from allocsafe.patch.fit import Fit, Misfit, applied, fits, split
from allocsafe.patch.hunks import Hunk, read_hunks
from hypothesis import given, settings
from hypothesis import strategies as st


def hunks(*rows: str) -> list[Hunk]:
    return read_hunks([row.encode() for row in rows], 0, "x.py")[0]


def text(*rows: str) -> list[bytes]:
    return split("".join(row + "\n" for row in rows).encode())


CHANGE = hunks("@@ -2,3 +2,3 @@", " b", "-c", "+C", " d")


def test_exactly_where_it_says() -> None:
    rows = text(*"abcde")
    fit = fits(rows, CHANGE, reverse=False)
    assert fit == Fit([1], 0, 3)
    assert applied(rows, CHANGE, fit, reverse=False) == b"a\nb\nC\nd\ne\n"


def test_taken_back() -> None:
    rows = text(*"abCde")
    fit = fits(rows, CHANGE, reverse=True)
    assert isinstance(fit, Fit)
    assert applied(rows, CHANGE, fit, reverse=True) == b"a\nb\nc\nd\ne\n"
    assert isinstance(fits(rows, CHANGE, reverse=False), Misfit)


def test_moved_down_and_up() -> None:
    assert fits(text(*"xxabcde"), CHANGE, reverse=False) == Fit([3], 2, 3)
    assert fits(text(*"bcde"), CHANGE, reverse=False) == Fit([0], 1, 3)


def test_the_nearest_of_two_places() -> None:
    rows = text(*"bcd", *"......", *"bcd", *"..")
    far = hunks("@@ -9,3 +9,3 @@", " b", "-c", "+C", " d")
    assert fits(rows, far, reverse=False) == Fit([9], 1, 3)
    near = hunks("@@ -2,3 +2,3 @@", " b", "-c", "+C", " d")
    assert fits(rows, near, reverse=False) == Fit([0], 1, 3)


def test_a_later_hunk_moves_along_and_never_before_the_first() -> None:
    two = hunks("@@ -1,2 +1,2 @@", " a", "-b", "+B", "@@ -5,2 +5,2 @@", " a", "-b", "+B")
    assert fits(text(*"..", *"abxxab"), two, reverse=False) == Fit([2, 6], 2, 4)
    assert isinstance(fits(text(*"xxxxab"), two, reverse=False), Misfit)


def test_a_hunk_that_shows_the_end_of_the_file_fits_only_there() -> None:
    end = hunks("@@ -1,2 +1,2 @@", " a", "-b", "+B", "\\ No newline at end of file")
    closed = hunks("@@ -1,2 +1,2 @@", " a", "-b", "\\ No newline at end of file", "+B")
    assert fits(split(b"a\nb\nx\na\nb"), closed, reverse=False) == Fit([3], 3, 2)
    assert isinstance(fits(text(*"abx"), closed, reverse=False), Misfit)
    assert fits(text(*"abx"), end, reverse=False) == Fit([0], 0, 2)


def test_line_ends_do_not_matter_for_the_place_but_are_kept_as_the_hunk_says() -> None:
    change = hunks("@@ -1,2 +1,2 @@", " a", "-b", "+B", "\\ No newline at end of file")
    rows = split(b"a\r\nb\r\n")
    fit = fits(rows, change, reverse=False)
    assert isinstance(fit, Fit)
    assert applied(rows, change, fit, reverse=False) == b"a\nB"
    back = split(b"a\nB")
    fit = fits(back, change, reverse=True)
    assert isinstance(fit, Fit)
    assert applied(back, change, fit, reverse=True) == b"a\nb\n"


def test_without_context_the_number_decides() -> None:
    insert = hunks("@@ -2,0 +3 @@", "+new")
    rows = text(*"abc")
    fit = fits(rows, insert, reverse=False)
    assert isinstance(fit, Fit)
    assert applied(rows, insert, fit, reverse=False) == b"a\nb\nnew\nc\n"
    assert isinstance(fits(text("a"), insert, reverse=False), Misfit)


def test_misfits_name_the_line_and_both_texts() -> None:
    two = hunks("@@ -1,2 +1,2 @@", " a", "-b", "+B", "@@ -5,2 +5,2 @@", " e", "-f", "+F")
    wrong = fits(text(*"abcdeX"), two, reverse=False)
    assert str(wrong) == "hunk 2 (@@ -5,2 +5,2 @@) does not fit at line 6: the patch has 'f', the file 'X'"
    short = fits(text(*"abc"), two, reverse=False)
    assert str(short) == "hunk 2 (@@ -5,2 +5,2 @@) does not fit at line 3: the file ends before it"
    long = fits(text("y" * 500), hunks("@@ -1 +1 @@", "-" + "x" * 500, "+z"), reverse=False)
    assert len(str(long)) < 250


def test_an_empty_file_and_back() -> None:
    create = hunks("@@ -0,0 +1,2 @@", "+a", "+b")
    fit = fits(split(b""), create, reverse=False)
    assert isinstance(fit, Fit)
    assert applied(split(b""), create, fit, reverse=False) == b"a\nb\n"
    fit = fits(text(*"ab"), create, reverse=True)
    assert isinstance(fit, Fit)
    assert applied(text(*"ab"), create, fit, reverse=True) == b""


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=30)


@given(LINES, LINES, st.integers(0, 4), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_difference_applies_and_can_be_taken_back(
    old: list[str], new: list[str], context: int, old_ends: bool, new_ends: bool
) -> None:
    import difflib

    before, after = "\n".join(old), "\n".join(new)
    before += "\n" * (old_ends and bool(before))
    after += "\n" * (new_ends and bool(after))
    rows: list[bytes] = []
    for row in list(difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=context))[2:]:
        rows.append(row.rstrip("\n").encode())
        if not row.endswith("\n"):
            rows.append(b"\\ No newline at end of file")
    if not rows:
        return
    found = read_hunks(rows, 0, "x.py")[0]
    for start, end, reverse in ((before, after, False), (after, before, True)):
        fit = fits(split(start.encode()), found, reverse)
        assert isinstance(fit, Fit) and fit.moved == 0
        assert applied(split(start.encode()), found, fit, reverse) == end.encode()
