"""The whole program on bad input, as a process: one line, status 2, no traceback, and nothing written anywhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

whole = pytest.mark.skipif(importlib.util.find_spec("allocsafe.pipeline") is None, reason="needs the pipeline")

CODE = "import torch\n\n\ndef f(n):\n    x = torch.zeros(n)\n    return x.sum()\n"
PATCH = "\n".join(
    [
        "--- a/case.py",
        "+++ b/case.py",
        "@@ -2,5 +2,5 @@",
        " ",
        " ",
        " def f(n):",
        "-    x = torch.zeros(n)",
        "+    x = torch.empty(n)",
        "     return x.sum()",
        "",
    ]
)


class Done(NamedTuple):
    status: int
    out: str
    err: str


def allocsafe(folder: Path, *args: str, stdin: bytes = b"", **env: str) -> Done:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PRE_COMMIT", "ALLOCSAFE", "GIT_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "allocsafe", *args],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environ | env,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def one_line(done: Done) -> str:
    """The one line of a refused input."""
    assert done.status == 2, done
    assert done.err.startswith("allocsafe: "), done
    assert done.err.count("\n") == 1, done
    assert "Traceback" not in done.err + done.out
    assert "internal error" not in done.err
    return done.err


def snapshot(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "case.py").write_text(CODE)
    return tmp_path


@whole
def test_the_patch_itself_is_judged(tree: Path) -> None:
    """Twin of all below."""
    before = snapshot(tree)
    done = allocsafe(tree, "check", "-", "--root", ".", stdin=PATCH.encode())
    assert done.status == 1, done
    assert done.out.startswith("case.py:5:")
    assert done.err == ""
    assert snapshot(tree) == before, "a run writes nothing"


@whole
@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("not a patch", b"hello\nworld\n"),
        ("binary", bytes(range(256)) * 20),
        ("truncated", PATCH[:-30].encode()),
        ("a hunk that does not fit", PATCH.replace("def f(n)", "def g(m)").encode()),
        ("a file that is not there", PATCH.replace("case.py", "none.py").encode()),
        ("wrong counts", PATCH.replace("-2,5 +2,5", "-2,9 +2,9").encode()),
        ("a merge diff", b"diff --cc case.py\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n"),
    ],
)
def test_a_bad_patch(tree: Path, name: str, patch: bytes) -> None:
    one_line(allocsafe(tree, "check", "-", "--root", ".", stdin=patch))


@whole
def test_a_missing_tree_and_a_missing_revision(tree: Path) -> None:
    assert "no such folder" in one_line(allocsafe(tree, "check", "-", "--root", "nowhere", stdin=PATCH.encode()))
    one_line(allocsafe(tree, "check", "--from", "v1", "--to", "v2", "--root", "."))
    one_line(allocsafe(tree, "check", "--staged", "--root", "."))


@whole
def test_a_source_that_cannot_be_parsed(tree: Path) -> None:
    """Alone it is status 2; beside a good one it is an entry in `errors`."""
    broken = "import torch\n\n\ndef f(n:\n    x = torch.empty(n)\n    return x.sum()\n"
    (tree / "bad.py").write_text(broken.replace("empty", "zeros"))
    patch = PATCH.replace("case.py", "bad.py").replace("def f(n):", "def f(n:")
    alone = allocsafe(tree, "check", "-", "--root", ".", stdin=patch.encode())
    assert "Traceback" not in alone.err
    assert alone.status == 2 or "unknown" in alone.out, alone
    both = allocsafe(tree, "check", "-", "--root", ".", stdin=(PATCH + patch).encode())
    assert both.status == 1, both
    assert "case.py:5:" in both.out
    assert "bad.py" in both.out


@whole
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("NUL bytes", "    y = '\0'"),
        ("deep nesting", "    y = " + "(" * 3000 + "n" + ")" * 3000),
        ("many terms", "    y = " + " + ".join(["n"] * 3000)),
        ("a line of 20 MB", "    y = '" + "a" * 20_000_000 + "'"),
    ],
)
def test_a_hostile_source_never_shows_a_traceback(tree: Path, name: str, line: str) -> None:
    (tree / "case.py").write_text(CODE.replace("    return", f"{line}\n    return"))
    patch = PATCH.replace("-2,5 +2,5", "-2,4 +2,4").replace("     return x.sum()\n", "")
    done = allocsafe(tree, "check", "-", "--root", ".", stdin=patch.encode())
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    assert done.status in (1, 2) or "unknown" in done.out, done
    if done.status == 2:
        one_line(done)


@whole
def test_a_loop_of_links_and_a_cycle_of_imports(tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    (tree / "self").symlink_to(tree / "self")
    (tree / "a.py").write_text("from b import *\nimport case\n")
    (tree / "b.py").write_text("from a import *\n")
    (tree / "case.py").write_text(CODE.replace("import torch", "import torch, a"))
    done = allocsafe(tree, "check", "-", "--root", ".", stdin=PATCH.encode())
    assert done.status == 1, done
    through = PATCH.replace("case.py", "self/case.py")
    one_line(allocsafe(tree, "check", "-", "--root", ".", stdin=through.encode()))


def broken_pack(folder: Path, text: str) -> str:
    info = folder / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[allocsafe.packs]\ntheirs = theirs:PACK\n")
    (folder / "theirs.py").write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PACK = 1\n", "pack 'theirs' is refused: its entry point is a int"),
        ("import no_such_module\n", "pack 'theirs' (theirs:PACK) does not load: ModuleNotFoundError"),
        ("def (\n", "pack 'theirs' (theirs:PACK) does not load: SyntaxError"),
        (
            "from allocsafe.api import Pack\nfrom allocsafe_rules import PACK as P\nPACK = Pack('theirs', P.rules)\n",
            "code AS101 is already in pack 'builtin'",
        ),
    ],
)
def test_a_broken_pack_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = broken_pack(tmp_path / "site", text)
    assert words in one_line(allocsafe(tmp_path, "rules", PYTHONPATH=path))


@whole
def test_a_broken_pack_stops_a_check(tree: Path, tmp_path: Path) -> None:
    path = broken_pack(tmp_path / "site", "PACK = 1\n")
    assert "pack 'theirs'" in one_line(
        allocsafe(tree, "check", "-", "--root", ".", stdin=PATCH.encode(), PYTHONPATH=path)
    )
