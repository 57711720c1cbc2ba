"""Makes an offending program small: takes statements away while the offence stays.

A statement goes whole, or a compound one is replaced by its body. The marked line stays, and `before` is rebuilt from
it. Greedy, largest first, until nothing more can go: the result is what a person looks at, not a proof of minimality.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.oracle.program import SITE, Program


def minimise(program: Program, offends: Callable[[Program], bool], tries: int = 400) -> Program:
    """The smallest program found for which `offends` still holds."""
    best = program
    again = True
    while again and tries > 0:
        again = False
        for source in smaller(best.source):
            tries -= 1
            candidate = rebuilt(best, source)
            if candidate is not None and offends(candidate):
                best, again = candidate, True
                break
            if tries <= 0:
                break
    return best


def rebuilt(program: Program, source: str) -> Program | None:
    """The program with a new text; `before` gets the old side's marked line. None if the text is no program."""
    try:
        compile(source, "case.py", "exec")
    except SyntaxError:
        return None
    marked = [row for row in source.split("\n") if row.endswith(SITE)]
    old = next(row for row in program.before.split("\n") if row.endswith(SITE))
    if len(marked) != 1:
        return None
    pad = marked[0][: len(marked[0]) - len(marked[0].lstrip())]
    return replace(program, source=source, before=source.replace(marked[0], pad + old.lstrip()))


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
