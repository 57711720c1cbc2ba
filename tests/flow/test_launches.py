"""What the text of a kernel says about each of its pointers."""

from __future__ import annotations

import pytest
from allocsafe.flow.launches import Uses, parameters, uses

HEAD = "@triton.jit\ndef kernel(a, b, n, BLOCK: tl.constexpr = 64):\n"
LOADS, STORES, BOTH, NOTHING, UNKNOWN = (
    Uses(True, False, False),
    Uses(False, True, False),
    Uses(True, True, False),
    Uses(False, False, False),
    Uses(False, False, True),
)


@pytest.mark.parametrize(
    ("body", "a", "b"),
    [
        ("x = tl.load(a + i)\ntl.store(b + i, x)", LOADS, STORES),
        ("p = a + i\nq = p\nx = tl.load(q)\nq2 = b\nq2 += 1\ntl.store(q2, x)", LOADS, STORES),
        ("tl.store(b + i, tl.load(a + tl.load(n)))", LOADS, STORES),
        ("tl.atomic_add(a + i, 1)", BOTH, NOTHING),
        ("x = tl.load(a)\nb_at = b + x\ny = tl.load(b_at)", LOADS, LOADS),
        ("x = tl.load(a)\ntl.store(b + x, 0)", LOADS, STORES),
        ("helper(a, 1)\ntl.store(b, 0)", UNKNOWN, STORES),
        ("helper(tl.load(a))", LOADS, NOTHING),
        ("d = tl.make_block_ptr(\n    a,\n    (n,),\n)\nd.store(0)", STORES, NOTHING),
        ("for p in range(a, n):\n    tl.store(p, 0)", STORES, NOTHING),
        ("u, v = a, b\ntl.store(u, 0)", STORES, STORES),
        ("if b is not None:  # tl.store(a, 1)\n    pass", NOTHING, NOTHING),
        ("if n > 0:\n    p = a\nelse:\n    p = b\ntl.load(p)", LOADS, LOADS),
    ],
)
def test_uses(body: str, a: Uses, b: Uses) -> None:
    text = HEAD + "".join(f"    {row}\n" for row in body.split("\n"))
    assert uses(text, "a") == a
    assert uses(text, "b") == b


def test_parameters_in_order() -> None:
    text = "@triton.jit\ndef k(\n    a,  # [n, (m)]\n    b: tl.tensor,\n    *,\n    N: tl.constexpr = f(1, 2),\n):\n"
    assert parameters(text) == ["a", "b", "N"]
    assert parameters("no definition") == []
