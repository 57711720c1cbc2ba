"""What of a file is judged: code and not its comments, and no allocation by name is left out."""

from __future__ import annotations

import pytest
from allocsafe.scan.files import by_name, code_of, may_allocate, rows_that_allocate
from allocsafe.source import Source


def test_texts_and_comments_are_blanked_out_in_place() -> None:
    text = 'x = 1  # torch.empty(2)\n"""doc\ntorch.empty(3)"""\ny = torch.empty(4)  # "\nz = \'#\' + "it\'s"\n'
    code = code_of("a.py", text)
    assert len(code) == len(text)
    assert code.count("\n") == text.count("\n")
    assert rows_that_allocate("a.py", code) == [4]
    assert code.split("\n")[4] == "z =     +       "


def test_comments_of_cpp_are_blanked_out_in_place() -> None:
    text = 'auto a = torch::empty({1}); // malloc(3)\n/* new int[3]\n malloc(4) */ auto s = "malloc(5)";\n'
    assert rows_that_allocate("a.cu", code_of("a.cu", text)) == [1]


@pytest.mark.parametrize(
    ("path", "text", "may"),
    [
        ("a.py", b"x = torch.empty(3)", True),
        ("a.py", b"x = y.new_empty((3,))", True),
        ("a.py", b"x.resize_(3)", True),
        ("a.py", b"x = torch.zeros(3)", False),
        ("a.py", b"an_empty (x)", False),
        ("a.py", b"", False),
        ("a.cpp", b"int x[3];", True),
        ("a.cpp", b"int x = 3;", False),
    ],
)
def test_the_first_question_needs_the_bytes_alone(path: str, text: bytes, may: bool) -> None:
    assert may_allocate(path, text) is may


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("a.py", "x = torch.empty(3)\ny: T = b.new_empty(3)\nq.empty()\nz = np.empty_like(x)\n", [1, 2, 4]),
        ("a.py", "if queue.empty(block=False):\n    pass\n", []),
        ("a.cpp", "auto x = torch::empty({3});\nint* p = new int[n];\nint* q = new int[n]{};\n", [1, 2]),
    ],
)
def test_allocations_by_name_are_unknown_with_the_reason(path: str, text: str, lines: list[int]) -> None:
    judged = by_name(Source(path, text), "crash", "the analysis ended with status 1")
    assert [j.site.span.line for j in judged] == lines
    assert {j.verdict.reason for j in judged} <= {"the analysis ended with status 1"}


def test_the_target_is_named() -> None:
    (one,) = by_name(Source("a.py", "self.buf: Tensor = torch.empty(3)\n"), "crash", "it ended")
    assert one.site.symbol == "self.buf"
    assert one.site.span.column == 20
