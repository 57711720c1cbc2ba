"""Blocks of statements, how they become text, and the faults that are planted in them.

A generated program first writes everything that it reads; a fault then takes one write away, hides it behind a flag, or
moves it. So both verdicts come out of neighbouring programs, and the interesting place is always near.
"""

from __future__ import annotations

import random
from typing import NamedTuple, TypeAlias, Union


class Write(str):
    """A statement that writes (part of) the buffer and defines no name: a fault may drop or guard it."""


class Nest(NamedTuple):
    """A compound statement. `joined` says that it continues the one before (else, except, finally)."""

    head: str
    body: list[Stmt]
    joined: bool = False


Stmt: TypeAlias = Union[str, "Nest"]
Block: TypeAlias = list[Stmt]


def render(block: Block, depth: int = 0) -> list[str]:
    """The block as lines; an empty one is `pass`."""
    pad = "    " * depth
    lines: list[str] = []
    for stmt in block:
        if isinstance(stmt, Nest):
            lines.append(pad + stmt.head)
            lines += render(stmt.body, depth + 1)
        else:
            lines += [pad + row for row in stmt.split("\n")]
    return lines or [pad + "pass"]


def writes(block: Block) -> list[tuple[Block, int]]:
    """Where the writes are: (the block, the position in it)."""
    found: list[tuple[Block, int]] = []
    for at, stmt in enumerate(block):
        if isinstance(stmt, Nest):
            found += writes(stmt.body)
        elif isinstance(stmt, Write):
            found.append((block, at))
    return found


def loops(block: Block, inside: bool = False) -> list[Block]:
    """The bodies of all loops that have a write."""
    found: list[Block] = []
    for stmt in block:
        if isinstance(stmt, Nest):
            if stmt.head.startswith(("for ", "while ")) and writes(stmt.body):
                found.append(stmt.body)
            found += loops(stmt.body)
    return found


def plant(block: Block, rng: random.Random, conditions: list[str], features: set[str]) -> str:
    """Changes the block in place by one fault; says which."""
    places = writes(block)
    if not places:
        return "none"
    where, at = rng.choice(places)
    kinds = ["drop", "drop"]
    if "branches" in features and conditions:
        kinds += ["guard", "guard"]
    if "early" in features and conditions and loops(block):
        kinds += ["break", "break", "continue"]
    if "exceptions" in features and conditions:
        kinds += ["raise"]
    kind = rng.choice(kinds)
    condition = rng.choice(conditions) if conditions else "False"
    if kind == "drop":
        where[at] = "pass"
    elif kind == "guard":
        where[at] = Nest(f"if {condition}:", [where[at]])
    elif kind == "raise":
        head: Block = [f"risky({condition})"]
        where[at] = Nest("try:", [*head, where[at]])
        where.insert(at + 1, Nest("except ValueError:", ["pass"], True))
    else:
        body = rng.choice(loops(block))
        body.insert(0, Nest(f"if {condition}:", [kind if "while" not in str(block) else "break"]))
    return kind
