"""What comes out is of known classes, or nothing; code that is kept is the code that was lowered, moved along."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from allocsafe.cache.lowered import Lowered
from allocsafe.cache.packing import packed, table, unpacked
from allocsafe.cache.store import Store
from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.bodies import ClassBody, Refusal
from allocsafe.frontends.python.unit import PythonUnit, open_unit
from allocsafe.ir.nodes import Ready
from allocsafe.recall import records
from allocsafe.source import NOWHERE, Inserted, Source, Span
from allocsafe.verdict import Event, Hole, Unsafe

KNOWN = table(records())


def test_a_verdict_comes_back_as_it_was() -> None:
    trace = (Event("read", Span("a.py", 3, 1, 3, 9), "[0:n]"),)
    verdict = Unsafe("why", trace, Hole("[0]", "n = 1", "m >= n"), "index", frozenset({"padding"}), ("é\udc80",))
    data = packed([verdict, NOWHERE, 1.5, 3 + 2j, ..., None])
    assert data is not None and unpacked(data, KNOWN) == [verdict, NOWHERE, 1.5, 3 + 2j, ..., None]


class _Evil:
    def __reduce__(self) -> Any:
        return os.getcwd, ()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80\x05", b"not a pickle", pickle.dumps(_Evil()), pickle.dumps(os.system), pickle.dumps(Path("x")),
        b"cos\nsystem\n(S'true'\ntR.", b"\x80\x05\x8c\x08builtins\x8c\x04eval\x93.",
    ],
)  # fmt: skip
def test_bytes_that_name_anything_else_give_nothing(data: bytes) -> None:
    assert unpacked(data, KNOWN) is None


def test_every_cut_of_a_packing_gives_nothing() -> None:
    data = packed([Hole(f"[{n}]") for n in range(5)])
    assert data is not None
    assert all(unpacked(data[:n], KNOWN) is None for n in range(len(data)))


def test_what_cannot_be_written_is_not() -> None:
    assert packed(lambda: 1) is None
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert packed(deep) is None


CODE = '''
import torch
from os import path as p

LIMIT = 3 + 2j

@wrap(1)
def first(n, *args, k=LIMIT, **kw):
    """é"""
    x = torch.empty(n)
    for i in range(n):
        x[i, ..., 1:] += 1.5e3
    class Inner(Base):
        size: int = 3
        def go(self): return [y for y in x if y]
    return (lambda q: x[q])(0)

class Box(torch.nn.Module):
    size: int = 4
    names = ["a", b"b"]

    def __init__(self, m=size):
        self.buf = torch.zeros(m)

    @property
    def whole(self):
        try:
            yield self.buf
        finally:
            pass

def broken(:
    pass
'''


def walked(unit: PythonUnit) -> list[object]:
    out: list[object] = []
    for name in dict.fromkeys(d.qualname for d in unit.definitions):
        function, klass = unit.function(name), unit.klass(name)
        for load in ([function.load] if function else []) + ([klass.load_body] if klass and klass.load_body else []):
            try:
                out.append(load())
            except Unsupported as error:
                out.append(str(error))
        out.append((klass.fields, klass.bases, sorted(klass.methods)) if klass else None)
    out.append(unit.toplevel())
    return out


def shelf(store: Store, frontend: bytes = b"1") -> Lowered:
    return Lowered(store, frontend, (ClassBody, Refusal))


@pytest.fixture(autouse=True)
def _by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ready, "__eq__", lambda a, b: a.function == b.function)


def test_lowered_code_comes_back_as_it_was_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    fresh = walked(open_unit(Source("a.py", CODE)))
    assert walked(open_unit(Source("a.py", CODE), shelf(store))) == fresh
    store.close()
    moved = Source("pkg/b.py", "# one\n\n# two\n" + CODE)
    there = walked(open_unit(moved))

    from allocsafe.frontends.python import cut

    def never(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(cut.Cut, "__init__", never)
    assert walked(open_unit(Source("a.py", CODE), shelf(Store(tmp_path)))) == fresh
    assert walked(open_unit(moved, shelf(Store(tmp_path)))) == there


def test_another_frontend_and_another_text_have_nothing_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    unit = open_unit(Source("a.py", CODE), shelf(store))
    first = unit.function("first")
    assert first is not None
    first.load()
    count = len(store._fresh)
    for text, frontend in ((CODE, b"2"), (CODE.replace("1.5e3", "1.5e4"), b"1")):
        other = open_unit(Source("a.py", text), shelf(store, frontend)).function("first")
        assert other is not None
        other.load()
        count += 1
        assert len(store._fresh) == count


def test_a_default_that_the_class_binds_is_part_of_the_key(tmp_path: Path) -> None:
    """`m=size` is the class's `size` or the module's, by a line outside of the method."""
    store = Store(tmp_path)
    for text in (CODE, CODE.replace("    size: int = 4\n", "    other: int = 4\n")):
        unit = open_unit(Source("a.py", text), shelf(store))
        plain = open_unit(Source("a.py", text))
        a, b = unit.function("Box.__init__"), plain.function("Box.__init__")
        assert a is not None and b is not None and a.load() == b.load()


def test_statements_that_a_question_puts_in_are_never_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    text = "def f(x):\n    y = x\n    return y\n"
    put = Inserted(2, 1, ("    x = 3",))
    unit = open_unit(Source("a.py", text, (put,)), shelf(store))
    function = unit.function("f")
    assert function is not None
    function.load()
    assert not store._fresh
