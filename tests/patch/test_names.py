"""Names as patches spell them."""

from __future__ import annotations

import pytest
from allocsafe.patch.names import NULL, git_names, header_name, leads_out, plain_choices, unprefixed, unquote


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"a/plain.py", "a/plain.py"),
        (b'"a/caf\\303\\251.py"', "a/café.py"),
        (b'"a/tab\\there.py"', "a/tab\there.py"),
        (b'"a/quo\\"te.py"', 'a/quo"te.py'),
        (b'"a/back\\\\slash.py"', "a/back\\slash.py"),
        (b'"a/line\\nbreak.py"', "a/line\nbreak.py"),
        (b'"a/\\377.py"', "a/\udcff.py"),  # no UTF-8: the byte survives
        ("a/café.py".encode(), "a/café.py"),
    ],
)
def test_unquote(raw: bytes, name: str) -> None:
    assert unquote(raw) == name


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"a/x.py b/x.py", ("a/x.py", "b/x.py")),
        (b"a/x y.py b/x y.py", ("a/x y.py", "b/x y.py")),
        (b"a/b b/b b/b b/b", ("a/b b/b", "b/b b/b")),
        (b"x.py x.py", ("x.py", "x.py")),
        (b"a/old.py b/new.py", ("a/old.py", "b/new.py")),
        (b"a/old one.py b/new one.py", None),
        (b'"a/\\303\\251.py" "b/\\303\\251.py"', ("a/é.py", "b/é.py")),
        (b'a/e.py "b/\\303\\251.py"', ("a/e.py", "b/é.py")),
        (b'"a/\\303\\251 1.py" b/e 1.py', ("a/é 1.py", "b/e 1.py")),
        (b"old/dir/x y.py fresh/dir/x y.py", ("old/dir/x y.py", "fresh/dir/x y.py")),
    ],
)
def test_git_names(raw: bytes, names: tuple[str, str] | None) -> None:
    assert git_names(raw) == names


@pytest.mark.parametrize(
    ("raw", "git", "name"),
    [
        (b"a/x y.py\t", True, "a/x y.py"),
        (b"a/at 2024-01-02 10:00.py\t", True, "a/at 2024-01-02 10:00.py"),
        (b"x.py\t2024-01-02 10:00:00.000000000 +0100", False, "x.py"),
        (b"x.py 2024-01-02 10:00:00", False, "x.py"),
        (b"x.py\tTue Jan  2 10:00:00 2024", False, "x.py"),
        (b"x.py\t(revision 12)", False, "x.py"),
        (b'"a/\\303\\251.py"', True, "a/é.py"),
        (b"my file.py", False, "my file.py"),
    ],
)
def test_header_name(raw: bytes, git: bool, name: str) -> None:
    assert header_name(raw, git)[0] == name


@pytest.mark.parametrize(
    ("old", "new", "header", "paths"),
    [
        ("a/x.py", "b/x.py", ("a/x.py", "b/x.py"), ("x.py", "x.py")),
        ("i/x.py", "w/x.py", ("i/x.py", "w/x.py"), ("x.py", "x.py")),
        ("x.py", "x.py", ("x.py", "x.py"), ("x.py", "x.py")),
        ("a/x.py", "a/x.py", ("a/x.py", "a/x.py"), ("a/x.py", "a/x.py")),  # no prefixes, a folder named a
        (NULL, "b/x.py", ("a/x.py", "b/x.py"), (NULL, "x.py")),
        (NULL, "b/x.py", ("b/x.py", "b/x.py"), (NULL, "b/x.py")),  # no prefixes, a folder named b
        ("a/x.py", NULL, ("a/x.py", "b/x.py"), ("x.py", NULL)),
        ("before/x.py", "after/x.py", ("before/x.py", "after/x.py"), ("x.py", "x.py")),
        ("a/one.py", "b/two.py", None, ("one.py", "two.py")),
        (NULL, "b/x.py", None, (NULL, "x.py")),
    ],
)
def test_unprefixed(old: str, new: str, header: tuple[str, str] | None, paths: tuple[str, str]) -> None:
    assert unprefixed(old, new, header) == paths


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        ("x.py", "x.py", "x.py"),
        ("a/pkg/x.py", "b/pkg/x.py", "pkg/x.py"),
        ("x.py.orig", "x.py", "x.py"),
        ("x.py", "x.py.orig", "x.py"),
        ("old/pkg/x.py", "new/pkg/x.py", "pkg/x.py"),
        ("./x.py", "./x.py", "x.py"),
        (NULL, "b/x.py", "x.py"),
        (NULL, "pkg/x.py", "pkg/x.py"),
        ("/tmp/one/x.py", "/home/two/x.py", "home/two/x.py"),
    ],
)
def test_the_likeliest_plain_name(old: str, new: str, first: str) -> None:
    assert plain_choices(old, new)[0] == first


def test_plain_names_offer_every_shorter_path() -> None:
    assert plain_choices("/tmp/one/x.py", "/tmp/one/x.py") == ("tmp/one/x.py", "one/x.py", "x.py")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.py", "a/../../x.py", "x\0.py"])
def test_paths_that_lead_out(path: str) -> None:
    assert leads_out(path)
    assert not leads_out("a/..b/x.py")
