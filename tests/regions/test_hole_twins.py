"""Pairs of little programs that differ in one thing and must get different answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from allocsafe.regions.box import Access, Axis, Loop, Write, point
from allocsafe.regions.exprs import Lin, Sym, floordiv, maximum, minimum, mod, mul, sym
from allocsafe.regions.question import Hole, hole

n, m, k, p, q = (Lin.of(sym(("twins", x), x, nonneg=True)) for x in "nmkpq")
IV, JV = sym(("twins", "i"), "i", nonneg=True), sym(("twins", "j"), "j", nonneg=True)
i, j = Lin.of(IV), Lin.of(JV)


def to(start: Lin | int, *stops: Lin | int, step: int = 1) -> Axis:
    return Axis(Lin.of(start), tuple(Lin.of(stop) for stop in stops), step)


def over(var: Sym, start: Lin | int, stop: Lin | int, step: int = 1) -> Loop:
    return Loop(var, Lin.of(start), Lin.of(stop), step)


def read(*axes: Axis, loops: tuple[Loop, ...] = (), when: tuple[Lin, ...] = ()) -> Access:
    return Access(axes, loops, when)


def write(
    *axes: Axis, loops: tuple[Loop, ...] = (), when: tuple[Lin, ...] = (), before: bool = True, same_turn: bool = False
) -> Write:
    return Write(Access(axes, loops, when), before, same_turn)


def asked(
    shape: tuple[Lin, ...] | None, what: Access, *writes: Write, facts: Sequence[Lin] = ()
) -> tuple[str, str, str | None]:
    answer = hole(shape, what, writes, facts)
    assert answer.status != "cannot-tell" or answer.reason
    return answer.status, answer.region, answer.condition


ALL = Access(None)
NONE = ("none", "", None)


def test_nothing_written_and_all_written() -> None:
    assert asked((n,), ALL) == ("generic", "whole", None)
    assert asked((n,), ALL, Write(ALL)) == NONE
    assert asked(None, ALL) == ("generic", "whole", None)
    assert asked(None, ALL, Write(ALL)) == NONE
    assert asked((), ALL) == ("generic", "whole", None)
    assert asked((Lin(0), n), ALL) == NONE


def test_the_first_element() -> None:
    assert asked((n,), read(to(0, n)), write(to(1, n))) == ("generic", "[0]", None)
    assert asked((n,), read(to(1, n)), write(to(1, n))) == NONE
    assert asked((n + 1,), ALL, write(to(1, n + 1)), write(point(Lin(0)))) == NONE
    assert hole((n,), read(to(0, n)), [write(to(1, n))]).sample == "n = 1: element [0]"


def test_the_last_element() -> None:
    short = write(point(i), loops=(over(IV, 0, n - 1),))
    assert asked((n,), ALL, short) == ("generic", "[n - 1]", None)
    assert asked((n,), ALL, write(point(i), loops=(over(IV, 0, n),))) == NONE
    assert asked((n,), ALL, write(point(i), loops=(over(IV, n - 1, -1, -1),))) == NONE
    assert asked((n,), ALL, write(point(i), loops=(over(IV, n - 1, 0, -1),))) == ("generic", "[0]", None)


def test_a_smaller_bound() -> None:
    assert asked((n,), read(to(0, n)), write(to(0, m))) == ("conditional", "[m:]", "m >= n")
    assert asked((n,), read(to(0, n)), write(to(0, m)), facts=(m - n,)) == NONE
    assert asked((n,), read(to(0, n)), write(to(0, m)), facts=(n - m - 1,)) == ("generic", "[m:]", None)
    assert asked((n,), read(to(0, m)), write(to(0, m))) == NONE
    assert asked((n,), read(to(0, m)), write(to(0, minimum(m, k)))) == (
        "conditional",
        "[k:m]",
        "k >= n or k >= m",
    )


def test_one_element_and_another() -> None:
    assert asked((n,), read(point(i)), write(point(j))) == ("conditional", "[i]", "i == j")
    assert asked((n,), read(point(i)), write(point(i))) == NONE
    assert asked((n,), read(point(i))) == ("generic", "[i]", None)
    assert asked((n,), read(point(i + 1)), write(point(i))) == ("generic", "[i + 1]", None)


def test_two_halves() -> None:
    assert asked((n,), ALL, write(to(0, p)), write(to(p, n))) == NONE
    assert asked((n,), ALL, write(to(0, p)), write(to(p + 1, n))) == ("conditional", "[p]", "p >= n")
    assert asked((m, n), ALL, write(to(0, m), to(0, p)), write(to(0, m), to(p, n))) == NONE
    assert asked((m, n), ALL, write(to(0, m), to(0, p))) == ("conditional", "[:, p:]", "p >= n")
    assert asked((m, n), ALL, write(to(0, k), to(0, p)), write(to(0, m), to(p, n)))[0] == "conditional"


def test_even_and_odd() -> None:
    assert asked((n,), ALL, write(to(0, n, step=2))) == ("generic", "[1:n:2]", None)
    assert asked((n,), ALL, write(to(0, n, step=2)), write(to(1, n, step=2))) == NONE
    assert asked((n,), read(to(0, n, step=2)), write(to(0, n, step=2))) == NONE
    assert asked((n,), read(to(0, n, step=4)), write(to(0, n, step=2))) == NONE
    assert asked((n,), read(to(0, n, step=2)), write(to(0, n, step=4))) == ("generic", "[2:n:4]", None)


def test_tiles_with_and_without_a_tail_guard() -> None:
    tile = over(IV, 0, n, 4)
    assert asked((n,), ALL, write(to(i, i + 4, n), loops=(tile,))) == NONE
    assert asked((n,), ALL, write(to(i, i + 3, n), loops=(tile,)))[0] == "generic"
    whole_tiles = over(IV, 0, 4 * floordiv(n, Lin(4)), 4)
    assert asked((n,), ALL, write(to(i, i + 4), loops=(whole_tiles,))) == ("conditional", "[4*(n//4):]", "n % 4 == 0")
    tail = write(to(n - mod(n, Lin(4)), n))
    assert asked((n,), ALL, write(to(i, i + 4), loops=(whole_tiles,)), tail) == NONE


def test_tiles_of_a_symbolic_size() -> None:
    def tiles(count: Lin) -> Write:
        return write(to(mul(i, p), mul(i + 1, p)), loops=(over(IV, 0, count),))

    assert asked((n,), ALL, tiles(floordiv(n + p - 1, p))) == NONE
    assert asked((n,), ALL, tiles(floordiv(n, p))) == ("conditional", "[p*(n//p):]", "n % p == 0")
    assert asked((mul(m, p),), ALL, tiles(m)) == NONE
    assert asked((mul(m, p),), ALL, tiles(m - 1))[0] == "generic"


def test_a_product_of_a_turn_and_a_size() -> None:
    loop = (over(IV, 0, m),)
    row = to(mul(i, p), mul(i + 1, p))
    assert asked((n,), read(row, loops=loop), write(row, loops=loop)) == NONE
    answer = hole((n,), read(row, loops=loop), [write(to(mul(i, p), mul(i + 1, p) - 1), loops=loop)])
    assert answer.status == "cannot-tell" and "i" in answer.reason and "p" in answer.reason
    gaps = write(to(mul(i, p), mul(i, p) + q), loops=loop)
    assert hole((n,), ALL, [gaps]).status == "cannot-tell"
    # wherever the gaps fall, what lies before the first element of the loop stays unwritten
    assert asked((n,), read(to(0, n)), write(to(mul(i, p) + 1, mul(i, p) + q), loops=loop)) == ("generic", "[0]", None)


def test_earlier_turns() -> None:
    loop = (over(IV, 1, n),)
    scan = read(point(i - 1), loops=loop)
    late = write(point(i), loops=loop, before=False)
    assert asked((n,), scan, late) == ("generic", "[0]", None)
    assert asked((n,), scan, late, write(point(Lin(0)))) == NONE
    assert asked((n,), read(point(i), loops=loop), late) == ("generic", "[1:]", None)
    assert asked((n,), read(point(i), loops=loop), write(point(i), loops=loop)) == NONE
    back = (over(IV, n - 2, -1, -1),)
    down = write(point(i), loops=back, before=False)
    assert asked((n,), read(point(i + 1), loops=back), down) == ("generic", "[n - 1]", None)
    assert asked((n,), read(point(i + 1), loops=back), down, write(point(n - 1))) == NONE


def test_earlier_turns_of_two_loops() -> None:
    nest = (over(IV, 0, n), over(JV, 0, m))
    late = write(point(i), point(j), loops=nest, before=False)
    above = read(point(i - 1), point(j), loops=(over(IV, 1, n), over(JV, 0, m)))
    inner = write(point(i), point(j), loops=(over(IV, 1, n), over(JV, 0, m)), before=False)
    assert asked((n, m), above, inner) == ("generic", "[0, :]", None)
    assert asked((n, m), above, inner, write(to(0, 1), to(0, m))) == NONE
    assert asked((n, m), read(point(i), point(j), loops=nest), late) == ("generic", "whole", None)


def test_a_write_after_the_read_or_in_another_place() -> None:
    assert asked((n,), ALL, Write(ALL, before_in_turn=False)) == ("generic", "whole", None)
    assert asked((n,), read(to(0, k)), write(to(k, n))) == ("generic", "[:k]", None)
    loop = (over(IV, 0, k),)
    assert asked((n,), Access(None, loop), Write(Access(None, loop), before_in_turn=False)) == (
        "generic",
        "whole",
        None,
    )
    assert asked((n,), Access(None, (over(IV, 1, k),)), Write(Access(None, (over(IV, 1, k),)))) == NONE


def test_values_that_change_from_turn_to_turn() -> None:
    loop = (over(IV, 0, n),)
    slot = write(point(k), loops=loop, same_turn=True)
    assert asked((m,), read(point(k), loops=loop), slot) == NONE
    assert hole((m,), ALL, [slot]).status == "cannot-tell"  # after the loop: which slots, nobody knows
    assert hole((m,), read(point(k)), [write(to(0, k), loops=loop, same_turn=True)]).status == "cannot-tell"
    later = write(to(0, k), loops=loop, before=False, same_turn=True)
    assert asked((m,), Access(None, loop), later) == ("generic", "whole", None)  # the first turn has none before it
    second = Access(None, loop, (i - 1,))
    assert hole((m,), second, [later]).status == "cannot-tell"  # the turns that read have one before them


def test_triangles() -> None:
    rows = (over(IV, 0, n),)
    lower = write(point(i), to(0, i + 1), loops=rows)
    assert asked((n, n), ALL, lower) == ("generic", "[i, j] where j > i", None)
    assert asked((n, n), read(point(i), to(0, i + 1), loops=rows), lower) == NONE
    assert asked((n, n), ALL, lower, write(point(i), to(i + 1, n), loops=rows)) == NONE


def test_conditions_of_writes_and_reads() -> None:
    some = Write(Access(None, (), (k - 1,)))
    assert asked((n,), ALL, some) == ("conditional", "whole", "k >= 1")
    assert asked(None, ALL, some) == ("conditional", "whole", "k >= 1")
    assert asked((n,), Access(None, (), (k - 2,)), some) == NONE
    assert asked((n,), Access(None, (), (-k,)), some) == ("generic", "whole", None)
    inside = write(point(i), loops=(over(IV, 0, n),), when=(i - 2,))
    assert asked((n,), ALL, inside) == ("generic", "[:2]", None)
    assert asked((n,), read(point(i), loops=(over(IV, 0, n),), when=(i - 2,)), inside) == NONE


def test_a_loop_that_may_not_run() -> None:
    assert asked((n,), ALL, Write(Access(None, (over(IV, 0, k),)))) == ("conditional", "whole", "k >= 1")
    assert hole((n,), ALL, [Write(Access(None, (over(IV, 0, k),)))]).condition == "k >= 1"
    assert asked((n,), ALL, Write(Access(None, (over(IV, 0, k + 1),)))) == NONE


def test_products_of_sizes() -> None:
    assert asked((mul(n, p),), ALL, write(to(0, mul(p, n)))) == NONE
    assert asked((mul(n, p),), ALL, write(to(0, n))) == ("generic", "[n:]", None)
    assert asked((mul(n, maximum(p, Lin(1))),), read(to(0, n)), write(to(0, n))) == NONE
    assert hole((mul(n, p),), ALL, [write(to(0, n))]).sample == "n = 1, p = 2: element [1]"


def test_an_unknown_shape() -> None:
    answer = hole(None, ALL, [write(to(0, n))])
    assert answer.status == "cannot-tell" and answer.region == "whole"
    assert hole((n, m), read(to(0, n)), []).status == "cannot-tell"
    assert hole((n,), read(to(0, n), to(0, n)), [write(to(0, n), to(0, n))]).status == "cannot-tell"
    assert asked((n, m), read(to(0, n)), Write(ALL)) == NONE
    assert asked((n,), read(to(0, n)), write(to(0, n), to(0, n)), write(to(0, n))) == NONE


def test_too_complex_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from allocsafe.regions import isl

    monkeypatch.setattr(isl, "BUDGET", 50)
    answer = hole((n,), ALL, [write(to(0, n, step=2)), write(to(1, n, step=2))])
    assert answer == Hole("cannot-tell", "whole", "", None, "too complex")
    monkeypatch.undo()
    assert asked((n,), ALL, write(to(0, n, step=2)), write(to(1, n, step=2))) == NONE


def test_many_writes_end_in_an_answer() -> None:
    cells = [write(point(Lin(3 * a))) for a in range(80)]
    assert hole((n,), read(point(Lin(3))), cells).status == "none"
    assert hole((n,), ALL, cells).status in ("generic", "cannot-tell")


def test_a_division_says_its_divisor_only_where_it_was_computed() -> None:
    maybe = write(to(0, floordiv(n, p)), when=(p - 1,))
    assert asked((m,), read(to(0, floordiv(n, p))), write(to(0, floordiv(n, p)))) == NONE
    # p = 0 is possible when only the guarded write divides
    assert hole((n,), ALL, [maybe, write(to(floordiv(n, p), n), when=(p - 1,))]).condition == "p >= 1"
    assert asked((n,), ALL, write(to(0, floordiv(n, p))), write(to(floordiv(n, p), n))) == NONE


def test_what_is_decided_by_bounds_needs_no_library() -> None:
    code = (
        "import sys; from allocsafe.regions.box import *; from allocsafe.regions.exprs import *;"
        "from allocsafe.regions.question import hole; n = Lin.of(sym('n', 'n', nonneg=True));"
        "print(hole((n,), Access(None), [Write(Access(whole((n,))))]).status, 'islpy' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["none", "False"]


def test_names_that_two_symbols_share_are_told_apart() -> None:
    other = Lin.of(sym(("twins", "another n"), "n", nonneg=True))
    assert asked((n,), ALL, write(to(0, other))) == ("conditional", "[n':]", "n' >= n")
