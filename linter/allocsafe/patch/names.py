"""File names as patches spell them: quoted, escaped, prefixed, followed by a date.

Git writes `"a/caf\\303\\251.py"` for bytes it finds unusual, adds a tab after a name with a space, and puts `a/` and
`b/` before names unless told otherwise (`i/`, `w/`, `c/`, `o/` for the mnemonic prefixes, `1/` and `2/` without an
index). A header whose two names are equal as written has no prefix: with one they would differ. `diff -u` gives the
names it was called with and a date behind a tab.

Gives up: a name without git's header may mean several files; `plain_choices` lists them and the tree decides.
"""

from __future__ import annotations

import re

NULL = "/dev/null"
_PREFIX = re.compile(r"[abciow12]/")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_DATE = re.compile(r"(\t.*|\s+(\d{4}-\d\d-\d\d[ T]\d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:).*)$")
_BACKUP = (".orig", ".old", ".bak", "~")


def text(raw: bytes) -> str:
    """A path's bytes as text. What is not UTF-8 survives the way back to bytes."""
    return raw.decode("utf-8", "surrogateescape")


def unquote(raw: bytes) -> str:
    """A name as git prints it: C-quoted if it begins with a quotation mark, else as it stands."""
    if not raw.startswith(b'"'):
        return text(raw)
    end = _closing(raw)
    return text(_ESCAPE.sub(_unescaped, raw[1:end]))


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if code.isdigit():
        return bytes([int(code, 8) & 0xFF])
    return _LETTERS.get(code, code)


def _closing(raw: bytes) -> int:
    """Where the quotation mark closes that opens at 0."""
    at = 1
    while at < len(raw) and raw[at : at + 1] != b'"':
        at += 2 if raw[at : at + 1] == b"\\" else 1
    return at


def header_name(raw: bytes, git: bool = False) -> tuple[str, str]:
    """The name and the date of a `---` or `+++` line, given without its first four characters. Git writes no date."""
    if raw.startswith(b'"'):
        return unquote(raw), text(raw[_closing(raw) + 1 :]).strip()
    name = text(raw)
    if git:
        return name.partition("\t")[0], ""
    date = _DATE.search(name)
    return (name[: date.start()], date[0].strip()) if date else (name, "")


def git_names(raw: bytes) -> tuple[str, str] | None:
    """The two names after `diff --git `; None where blanks leave several readings (then other lines name them)."""
    if raw.startswith(b'"'):
        end = _closing(raw)
        return unquote(raw[: end + 1]), unquote(raw[end + 2 :])
    if raw.endswith(b'"'):
        cut = raw.find(b' "')
        return (text(raw[:cut]), unquote(raw[cut + 1 :])) if cut > 0 else None
    both = text(raw)
    half = len(both) // 2
    if both[half : half + 1] == " " and _same(both[:half], both[half + 1 :]):
        return both[:half], both[half + 1 :]
    cuts = [at for at, char in enumerate(both) if char == " "]
    fits = [at for at in cuts if _same(both[:at], both[at + 1 :])] or (cuts if len(cuts) == 1 else [])
    return (both[: fits[0]], both[fits[0] + 1 :]) if fits else None


def _same(old: str, new: str) -> bool:
    return old == new or old.partition("/")[2] == new.partition("/")[2] != ""


def unprefixed(old: str, new: str, names: tuple[str, str] | None) -> tuple[str, str]:
    """Both names without git's prefixes. `names` are those of the `diff --git` line, which never say /dev/null."""
    one, other = names or (old, new)
    if one == other:
        return old, new
    prefixed = all(name == NULL or _PREFIX.match(name) for name in (one, other))
    if prefixed or (NULL not in (one, other) and _same(one, other)):
        old, new = (name if name == NULL else name.partition("/")[2] for name in (old, new))
    return old, new


def plain_choices(old: str, new: str) -> tuple[str, ...]:
    """The files that the two names of a `diff -u` header may mean, the likeliest first."""
    names = [name.lstrip("/") for name in (new, old) if name != NULL]
    if len(names) == 2 and names[0].endswith(_BACKUP) and not names[1].endswith(_BACKUP):
        names.reverse()
    first = [name.removeprefix("./") for name in names]
    if old != new and (NULL in (old, new) or _same(old, new) or _both_prefixed(old, new)):
        stripped = [name.partition("/")[2] for name in names if _PREFIX.match(name) or (NULL not in (old, new))]
        first = [*filter(None, stripped), *first]
    shorter = [name.split("/", cut)[-1] for name in names for cut in range(1, min(name.count("/"), 40) + 1)]
    return tuple(dict.fromkeys(name for name in [*first, *shorter] if name))


def _both_prefixed(old: str, new: str) -> bool:
    return bool(_PREFIX.match(old) and _PREFIX.match(new))


def leads_out(path: str) -> bool:
    """Whether a path would leave the tree it is relative to."""
    return path.startswith("/") or "\0" in path or ".." in path.split("/")


_TEST = re.compile(r"(?:^|/)(?:tests?|testing|benchmarks?|examples?)/|(?:^|/)(?:test_\w+|\w+_test|conftest)\.py$")


def is_test(path: str) -> bool:
    """Whether a file is no part of the program proper."""
    return _TEST.search(path) is not None
