"""Differences of texts and maps of line numbers: laws for any text, values for small ones."""

from __future__ import annotations

import time

from allocsafe.patch.lines import EFFORT, LineMap, changed_blocks
from hypothesis import given, settings
from hypothesis import strategies as st

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "only", "x = 1"]), max_size=25)


def rebuilt(old: list[str], new: list[str]) -> list[str]:
    out, at = [], 0
    for a, b, c, d in changed_blocks(old, new):
        out += old[at:a] + new[c:d]
        at = b
    return out + old[at:]


@given(LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_the_blocks_turn_one_text_into_the_other(old: list[str], new: list[str]) -> None:
    assert rebuilt(old, new) == new


@given(LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_blocks_are_in_order_apart_and_not_empty(old: list[str], new: list[str]) -> None:
    last_old = last_new = -1
    for a, b, c, d in changed_blocks(old, new):
        assert a > last_old and c > last_new  # at least one equal line between two blocks
        assert b > a or d > c
        last_old, last_new = b, d


@given(LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_the_map_pairs_equal_lines_and_inverts(old: list[str], new: list[str]) -> None:
    lines = LineMap(changed_blocks(old, new), len(new))
    for number, text in enumerate(old, 1):
        there = lines.to_new(number)
        if there is not None:
            assert new[there - 1] == text
            assert lines.to_old(there) == number
        assert 1 <= lines.nearest_new(number) <= max(len(new), 1)
    kept = [there for there in map(lines.to_new, range(1, len(old) + 1)) if there is not None]
    assert kept == sorted(set(kept))
    assert [n for n in range(1, len(new) + 1) if lines.to_old(n) is not None] == kept


@given(LINES)
def test_equal_texts_have_no_blocks(text: list[str]) -> None:
    assert changed_blocks(text, list(text)) == []


def test_one_changed_line() -> None:
    lines = LineMap(changed_blocks(list("abcde"), list("abXYde")), 6)
    assert lines.blocks == ((2, 3, 2, 4),)
    assert [lines.to_new(n) for n in range(1, 6)] == [1, 2, None, 5, 6]
    assert [lines.to_old(n) for n in range(1, 7)] == [1, 2, None, None, 4, 5]
    assert lines.nearest_new(3) == 3


def test_a_removed_line_is_nearest_to_what_stands_there_now() -> None:
    lines = LineMap(changed_blocks(list("abcde"), list("abde")), 4)
    assert lines.nearest_new(3) == 3
    at_end = LineMap(changed_blocks(list("abc"), list("ab")), 2)
    assert at_end.nearest_new(3) == 2


def test_lines_of_a_replaced_run_keep_their_order() -> None:
    lines = LineMap([(1, 4, 1, 3)], 4)
    assert [lines.nearest_new(n) for n in (2, 3, 4, 5)] == [2, 3, 3, 4]


def test_an_insertion_does_not_swallow_the_line_after_it() -> None:
    lines = LineMap(changed_blocks(list("ab"), list("aXb")), 3)
    assert lines.to_new(2) == 3
    assert lines.to_old(3) == 2


def test_edits_far_apart_in_a_long_file_stay_two_edits() -> None:
    old = [f"line {n}" if n % 3 else "" for n in range(20_000)]
    new = list(old)
    new[5], new[19_990] = "first", "second"
    started = time.perf_counter()
    assert changed_blocks(old, new) == [(5, 6, 5, 6), (19_990, 19_991, 19_990, 19_991)]
    assert time.perf_counter() - started < 2  # not quadratic: that would take minutes


def test_repeated_lines_past_the_effort_are_replaced_whole_but_rightly() -> None:
    old, new = ["a", "b"] * (2 * EFFORT), ["b", "b", "a"] * (2 * EFFORT)
    assert rebuilt(old, new) == new
