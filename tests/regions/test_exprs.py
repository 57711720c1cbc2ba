"""Symbolic integers: algebra laws, canonical forms, and proofs of order, all against evaluation."""

from __future__ import annotations

import pytest
from allocsafe.regions.exprs import (
    Lin,
    Sym,
    evaluate,
    floordiv,
    le,
    maximum,
    minimum,
    mod,
    mul,
    sym,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.regions.strategies import IV, M, N, T, lins

quiet = settings(max_examples=200, deadline=None)
SYMBOLS = (N, M, T, IV)
exprs = lins(SYMBOLS, depth=2, products=True)
envs = st.fixed_dictionaries(
    {N: st.integers(0, 6), M: st.integers(0, 6), T: st.integers(-5, 6), IV: st.integers(-3, 6)}
)
n, m, t = Lin.of(N), Lin.of(M), Lin.of(T)


def value(x: Lin, env: dict[Sym, int]) -> int:
    """The value where the program gets that far, for a divisor that is a size."""
    try:
        return evaluate(x, env)
    except ZeroDivisionError:
        assume(False)
        raise


@given(exprs, exprs, envs, st.integers(-3, 3))
@quiet
def test_operations_are_what_they_say(a: Lin, b: Lin, env: dict[Sym, int], k: int) -> None:
    x, y = value(a, env), value(b, env)
    assert value(a + b, env) == x + y
    assert value(a - b, env) == x - y
    assert value(-a, env) == -x
    assert value(a * k, env) == x * k == value(k * a, env)
    assert value(a + k, env) == x + k == value(k + a, env)
    assert value(k - a, env) == k - x
    assert value(mul(a, b), env) == x * y
    assert value(minimum(a, b), env) == min(x, y)
    assert value(maximum(a, b), env) == max(x, y)


@given(exprs, exprs, envs)
@quiet
def test_quotients_round_down(a: Lin, b: Lin, env: dict[Sym, int]) -> None:
    x, y = value(a, env), value(b, env)
    assume(y != 0)
    assert value(floordiv(a, b), env) == x // y
    assert value(mod(a, b), env) == x % y


@given(exprs, exprs, exprs)
@quiet
def test_ring_laws_are_equalities_of_form(a: Lin, b: Lin, c: Lin) -> None:
    assert a + b == b + a and hash(a + b) == hash(b + a)
    assert (a + b) + c == a + (b + c)
    assert a - a == Lin(0) and a + Lin(0) == a
    assert mul(a, b) == mul(b, a)
    assert (a + b) * 3 == a * 3 + b * 3


@given(lins((N, M, T), depth=0), lins((N, M, T), depth=0), lins((N, M), depth=0))
@quiet
def test_small_products_distribute(a: Lin, b: Lin, c: Lin) -> None:
    assert mul(a + b, c) == mul(a, c) + mul(b, c)


@given(exprs, lins((N, M), depth=1), envs)
@quiet
def test_substitution_is_evaluation_in_two_steps(a: Lin, b: Lin, env: dict[Sym, int]) -> None:
    inner = {**env, T: value(b, env)}
    assert value(a.substitute({T: b}), env) == value(a, inner)
    assert T not in a.substitute({T: n}).all_syms()


@given(exprs, exprs, envs)
@quiet
def test_a_proof_of_order_is_never_wrong(a: Lin, b: Lin, env: dict[Sym, int]) -> None:
    x, y, known = value(a, env), value(b, env), le(a, b)
    assert known is None or known == (x <= y)
    assert not a.nonneg() or x >= 0
    assert not a.neg() or x < 0


@given(lins((N, M), depth=1), lins((N, M), depth=1))
@quiet
def test_equal_forms_are_found_equal(a: Lin, b: Lin) -> None:
    assert minimum(a, b) == minimum(b, a)
    assert maximum(a, b) == maximum(b, a)
    assert minimum(a, a) == a == maximum(a, a)
    assert le(minimum(a, b), a) is True and le(a, maximum(a, b)) is True


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (n + 1, "n + 1"),
        (2 * n - m, "2*n - m"),
        (m - n, "m - n"),
        (1 - n, "1 - n"),
        (-n - 1, "-n - 1"),
        (Lin(0), "0"),
        (floordiv(n + m - 1, m), "(n + m - 1)//m"),
        (-floordiv(-n, Lin(4)), "(n + 3)//4"),
        (minimum(n, m), "min(n, m)"),
        (mul(n, m), "n*m"),
        (2 * floordiv(n, Lin(3)), "2*(n//3)"),
        (floordiv(floordiv(n, Lin(3)) + 1, Lin(2)), "(n + 3)//6"),
        (floordiv(mul(n, m), m + 1), "(n*m)//(m + 1)"),
        (mod(n, Lin(4)), "n - 4*(n//4)"),
    ],
)
def test_text(expression: Lin, expected: str) -> None:
    assert str(expression) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (floordiv(4 * n, Lin(2)), 2 * n),
        (floordiv(4 * n + 5, Lin(2)), 2 * n + 2),
        (floordiv(-n, Lin(-3)), floordiv(n, Lin(3))),
        (floordiv(mul(n, m), m), n),
        (floordiv(mul(n, m) + m - 1, m), n),
        (floordiv(mul(n + 1, m), n + 1), m),
        (floordiv(n - 1, m) + 1, floordiv(n + m - 1, m)),
        (mul(n + 1, m) - mul(n, m), m),
        (mul(n, mul(m, t)), mul(mul(t, n), m)),
        (minimum(n, n + m), n),
        (maximum(n + 2, m + 2), maximum(n, m) + 2),
        (mul(floordiv(n, m), m) + mod(n, m), n),
    ],
)
def test_equal_values_meet_in_one_form(left: Lin, right: Lin) -> None:
    assert left == right


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (floordiv(n, Lin(2)), n, True),
        (n, 4 * floordiv(n + 3, Lin(4)), True),
        (4 * floordiv(n, Lin(4)), n, True),
        (n, mul(floordiv(n + m - 1, m), m), True),
        (mul(floordiv(n, m), m), n, True),
        (minimum(n, t), n, True),
        (n + 1, maximum(n, t), None),
        (n + 1, n, False),
        (n, m, None),
        (n, 2 * n, True),
        (t, 2 * t, None),
    ],
)
def test_order(a: Lin, b: Lin, expected: bool | None) -> None:
    assert le(a, b) is expected


def test_symbols_are_one_for_a_key_and_signs_stick() -> None:
    first = sym(("one", 1), "x")
    assert sym(("one", 1), "other") is first and first.name == "x"
    assert not Lin.of(first).nonneg()
    sym(("one", 1), "x", nonneg=True)
    assert Lin.of(first).nonneg() and sym(("one", 1), "x").nonneg
    assert sym(("one", 2), "x") is not first


def test_what_a_lin_is_made_of() -> None:
    x = mul(n, m) + floordiv(t, Lin(2)) + 3
    assert x.all_syms() >= {N, M, T} and x.syms().isdisjoint({N, M, T})
    assert Lin(4).as_int() == 4 and n.as_int() is None and (n - n).as_int() == 0
    with pytest.raises(TypeError):
        _ = n * m  # type: ignore[operator]
