"""Makes an offending program small: takes statements away while the offence stays.

A file or a statement goes whole, or a compound one is replaced by its body. The marked line stays, and `before` is
rebuilt from it. Greedy, largest first, until nothing more can go: the result is what a person looks at, not a proof of
minimality.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.oracle.program import MAIN, SITE, Program, old_side, undropped


def minimise(program: Program, offends: Callable[[Program], bool], tries: int = 400) -> Program:
    """The smallest program found for which `offends` still holds."""
    best = program
    again = True
    while again and tries > 0:
        again = False
        for path, text in candidates(best):
            tries -= 1
            candidate = rebuilt(best, path, text)
            if candidate is not None and offends(candidate):
                best, again = candidate, True
                break
            if tries <= 0:
                break
    return best


def candidates(program: Program) -> Iterator[tuple[str, str | None]]:
    """A path and its smaller text; no text: the file goes."""
    for path in program.files:
        if path not in (MAIN, program.site.path):
            yield path, None
    for path, text in sorted(program.files.items(), key=lambda item: -len(item[1])):
        for less in smaller(text):
            yield path, less


def rebuilt(program: Program, path: str, text: str | None) -> Program | None:
    """The program with a new text (or none) for one file; the old side changes alike, with its own marked line. A file
    that the patch rewrites keeps its old side. None if the text is no program."""
    old, new = program.before.get(path), program.files[path]
    if text is None:
        rest = {other: held for other, held in program.files.items() if other != path}
        return replace(program, files=rest, before={k: v for k, v in program.before.items() if k != path})
    try:
        compile(text, path, "exec")
    except SyntaxError:
        return None
    marked = [row for row in (old or "").split("\n") if row.endswith(SITE)]
    if program.moved and old != new:
        before = old
    elif marked:
        before = old_side(text, marked[0].lstrip())
    else:
        before = undropped(text, "{}.fill_(0)")
    files = {**program.files, path: text}
    if sum(row.endswith(SITE) for held in files.values() for row in held.split("\n")) != 1:
        return None
    return replace(
        program, files=files, before={**program.before, path: before} if before is not None else program.before
    )


def smaller(source: str) -> Iterator[str]:
    """Texts with one statement less, or with one compound statement replaced by its body; the largest steps first."""
    rows = source.split("\n")
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    nodes.sort(key=lambda node: node.lineno - (node.end_lineno or node.lineno))
    for node in nodes:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        piece = rows[first:last]
        pad = rows[first][: len(rows[first]) - len(rows[first].lstrip())]
        if piece != [pad + "pass"] and not any(row.endswith(SITE) for row in piece):
            if pad:
                yield "\n".join([*rows[:first], pad + "pass", *rows[last:]])
            yield "\n".join([*rows[:first], *rows[last:]])
        if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
            body = node.body
            start, end = body[0].lineno - 1, body[-1].end_lineno or 0
            inner = [row.replace("    ", "", 1) for row in rows[start:end]]
            yield "\n".join([*rows[:first], *inner, *rows[last:]])
