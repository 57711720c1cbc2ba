"""Packages whose folder has another name than they are imported by, as their build files say.

    [tool.setuptools]                                            pkg/pyproject.toml
    package-dir = {"some_kernel" = "src/some-kernel"}            import some_kernel.ops  ->  pkg/src/some-kernel/ops

*Claim.* Only a `package-dir` / `package_dir` written as literals is followed, in `pyproject.toml`, `setup.cfg` and
`setup.py`. *What it gives up.* Mappings that a build makes by code, and build systems other than setuptools: the module
then has no source in view.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from allocsafe.source import Source

BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
MOST_BUILD_FILES = 40
_INLINE = re.compile(r"package[-_]dir\s*=\s*\{([^}]*)\}")
_PAIR = re.compile(r"[\"']?([\w.]*)[\"']?\s*[=:]\s*[\"']([^\"'\n]+)[\"']")
_SECTION = re.compile(r"^\[tool\.setuptools\.package-dir\][^\n]*\n((?:(?!\[)[^\n]*\n?)*)", re.M)
_CONFIG = re.compile(r"^package_dir[ \t]*=[ \t]*\n((?:[ \t]+[^\n]+\n?)+)", re.M)
_ROW = re.compile(r"^[ \t]+([\w.]*)[ \t]*=[ \t]*(\S+)", re.M)


def folders(paths: Sequence[str], read: Callable[[str], Source | None]) -> dict[str, str]:
    """Dotted package name -> folder in the tree, for every mapping of a named package."""
    out: dict[str, str] = {}
    builds = sorted((p for p in paths if p.rsplit("/", 1)[-1] in BUILD_FILES), key=lambda p: (p.count("/"), p))
    for path in builds[:MOST_BUILD_FILES]:
        source = read(path)
        if source is None or not re.search(r"package[-_]dir", source.text):
            continue
        base = path.rpartition("/")[0]
        for package, folder in _pairs(source.text):
            full = "/".join(part for part in (*base.split("/"), *folder.split("/")) if part not in ("", "."))
            if package and ".." not in folder.split("/"):
                out.setdefault(package, full)
    return out


def _pairs(text: str) -> list[tuple[str, str]]:
    text = re.sub(r"^[ \t]*#[^\n]*", "", text, flags=re.M)
    bodies = [found[1] for found in _INLINE.finditer(text)] + [found[1] for found in _SECTION.finditer(text)]
    rows = [row for found in _CONFIG.finditer(text) for row in _ROW.findall(found[1])]
    return [pair for body in bodies for pair in _PAIR.findall(body)] + rows


def mapped(module: str, known: dict[str, str]) -> str | None:
    """The path, without its ending, of a module in a mapped package."""
    parts = module.split(".")
    for cut in range(len(parts), 0, -1):
        folder = known.get(".".join(parts[:cut]))
        if folder is not None:
            return "/".join([folder, *parts[cut:]])
    return None


__all__ = ["folders", "mapped"]
