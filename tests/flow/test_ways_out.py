"""Every way a value can leave a function: with a hole it is never `safe`, its filled twin is never `unsafe`.

Each case was once a place where an array could slip out of sight; a new kind of value or step wants a line here.
"""

from __future__ import annotations

import pytest
from allocsafe.pipeline import check_texts
from allocsafe.verdict import name_of

WAYS = {
    "a tuple with a spread": """
def f(fn, x, *op_args):
    check(fn, (raw, x, *op_args))
""",
    "a list with a spread": """
def f(fn, x, rest):
    fn([raw, *rest])
""",
    "a dict with a spread": """
def f(fn, x, rest):
    fn({"a": raw, **rest})
""",
    "a set with a spread": """
def f(fn, x, rest):
    fn({raw, *rest})
""",
    "after unpacked arguments": """
def f(fn, x, rest):
    fn(*rest, raw)
""",
    "captured by a lambda": """
def f(fn, x, rest):
    fn(lambda: raw.sum())
""",
    "appended to an unseen list": """
def f(fn, x, rest):
    rest.append(raw)
""",
    "one of two values": """
def f(fn, x, rest):
    y = raw if rest else x
    return fn(y)
""",
    "through a comprehension": """
def f(fn, x, rest):
    return [t for t in (raw, x)]
""",
    "yielded": """
def f(fn, x, rest):
    yield raw
""",
    "under a key of an unseen dict": """
def f(fn, x, rest):
    rest["k"] = raw
""",
    "in an assertion": """
def f(fn, x, rest):
    assert fn(raw) > 0
""",
    "through unpacking": """
def f(fn, x, rest):
    a, *b = raw, x, rest
    return a
""",
    "in nested displays": """
def f(fn, x, rest):
    return {"a": [raw]}
""",
    "in a raise": """
def f(fn, x, rest):
    raise fn(raw)
""",
    "to a context manager": """
def f(fn, x, rest):
    with fn(raw) as z:
        pass
""",
    "in a text": """
def f(fn, x, rest):
    print(f"{raw}")
""",
    "stored on an unseen object": """
def f(fn, x, rest):
    fn.x.y = raw
""",
    "added to another tensor": """
def f(fn, x, rest):
    x += raw
""",
    "copied from by item": """
def f(fn, x, rest):
    x[0] = raw[0]
""",
    "as the data of another tensor": """
def f(fn, x, rest):
    x.data = raw
""",
    "sorted": """
def f(fn, x, rest):
    return sorted([raw], key=fn)
""",
    "compared by max": """
def f(fn, x, rest):
    return max(raw, x)
""",
    "in a sum of tuples": """
def f(fn, x, rest):
    return tuple(rest) + (raw,)
""",
    "in a dict call": """
def f(fn, x, rest):
    return dict(a=raw)
""",
    "to map": """
def f(fn, x, rest):
    return map(fn, [raw])
""",
    "in a sum of lists": """
def f(fn, x, rest):
    return [raw] + rest
""",
    "beside a spread dict": """
def f(fn, x, rest):
    return {**rest, "a": raw}
""",
    "in a match": """
def f(fn, x, rest):
    match raw:
        case _:
            return fn(raw)
""",
    "awaited": """
async def f(fn, x, rest):
    await fn(raw)
""",
    "through a walrus": """
def f(fn, x, rest):
    del rest
    return (y := raw)
""",
    "a global": """
def f(fn, x, rest):
    global G
    G = raw
""",
    "as a key": """
def f(fn, x, rest):
    return fn[raw]
""",
    "by getattr": """
def f(fn, x, rest):
    return getattr(raw, fn)
""",
    "as a truth": """
def f(fn, x, rest):
    return raw is x or bool(raw)
""",
    "to an unseen method": """
def f(fn, x, rest):
    return fn.apply(raw, x)
""",
    "to vmap": """
def f(fn, x, rest):
    return torch.vmap(fn)(raw)
""",
    "captured by an inner function": """
def f(fn, x, rest):
    def inner():
        return raw + 1
    return inner
""",
    "as the index of another tensor's assignment": """
def f(fn, x, rest):
    x[raw.long()] = 1
""",
    "as the slice bound of another tensor's assignment": """
def f(fn, x, rest):
    x[raw[0] :] = 1
""",
    "used in a local class": """
def f(fn, x, rest):
    class C:
        t = raw
    return C
""",
}


def verdict(body: str, first: str) -> str:
    head, rest = body.lstrip("\n").split("\n", 1)
    after = f"import torch\n{head}\n    raw = torch.empty_like(x)\n{first}{rest}"
    report = check_texts({"case.py": after.replace("empty_like", "zeros_like")}, {"case.py": after})
    (site,) = [s for s in report.sites if "empty_like" in s.judged.site.text]
    return name_of(site.judged.verdict)


@pytest.mark.parametrize("way", WAYS)
def test_what_leaves_with_a_hole_is_not_safe(way: str) -> None:
    assert verdict(WAYS[way], "") != "safe"


@pytest.mark.parametrize("way", WAYS)
def test_its_filled_twin_is_not_unsafe(way: str) -> None:
    # a function that never ends normally: whether its reads were all met is not said
    wanted = "unknown" if way == "in a raise" else "safe"
    assert verdict(WAYS[way], "    raw.fill_(0)\n") == wanted


POOL = """import torch
class Pool:
    def __init__(self, n, name):
        self.slots = {}
        self.make(n, name)
    def make(self, n, name):
        self.slots[f"{name}_x"] = [torch.empty(n) for _ in range(3)]
"""


def kept(reader: str) -> str:
    others = {"reader.py": reader}
    report = check_texts({"pool.py": POOL.replace("empty", "zeros"), **others}, {"pool.py": POOL, **others})
    (site,) = report.sites
    return name_of(site.judged.verdict)


def test_what_is_put_into_a_kept_container_later_is_kept() -> None:
    assert kept("def use(pool):\n    return pool.slots\n") == "unknown"


def test_a_container_that_no_file_can_reach_is_not() -> None:
    assert kept("def use(pool):\n    return pool.size\n") == "safe"
