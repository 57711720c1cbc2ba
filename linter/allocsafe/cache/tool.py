"""Which allocsafe this is, by its sources: what another one kept is not for us.

Claim: two runs have the same `tool()` only if every module of the package, the interpreter and the installed versions
of the libraries that decide something are the same. Why not the version: it does not change while somebody works on
the tool, and a wrong answer kept by yesterday's sources would outlive its repair. Hashing all sources costs 6 ms.
What it gives up: a package that lies in no folder (a zip file) has no cache.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from hashlib import blake2b

LIBRARIES = ("islpy-", "libcst-", "tree_sitter-", "tree_sitter_cpp-", "tree_sitter_cuda-")
LOWERING = ("frontends/", "ir/", "source.py", "cache/")
"""What decides how a part of a file is lowered."""


@lru_cache(maxsize=1)
def tool() -> bytes | None:
    """The whole package: for verdicts."""
    return _hash(("",))


@lru_cache(maxsize=1)
def lowering() -> bytes | None:
    """Frontends and IR: for lowered code."""
    return _hash(LOWERING)


def _hash(rooms: tuple[str, ...]) -> bytes | None:
    found = _sources()
    if not found:
        return None
    digest = blake2b(digest_size=16)
    digest.update(repr((sys.version, _libraries())).encode())
    for name, content in found:
        if name.startswith(rooms):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.digest()


@lru_cache(maxsize=1)
def _sources() -> tuple[tuple[str, bytes], ...]:
    """Every module of the package: its path in it, and a hash of its bytes."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    out: list[tuple[str, bytes]] = []
    folders = [""]
    try:
        while folders:
            base = folders.pop()
            with os.scandir(os.path.join(top, base)) as entries:
                for entry in entries:
                    name = base + entry.name
                    if entry.name.endswith(".py"):
                        with open(entry.path, "rb") as file:
                            out.append((name, blake2b(file.read(), digest_size=16).digest()))
                    elif entry.name != "__pycache__" and entry.is_dir():
                        folders.append(name + "/")
    except OSError:
        return ()
    return tuple(sorted(out))


@lru_cache(maxsize=1)
def _libraries() -> tuple[str, ...]:
    """The installed versions of what parses and proves, by the names of their folders."""
    out: list[str] = []
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        out += [n for n in names if n.endswith((".dist-info", ".egg-info")) and n.lower().startswith(LIBRARIES)]
    return tuple(sorted(out))


__all__ = ["lowering", "tool"]
