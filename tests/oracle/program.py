"""A generated program and the samples of its parameters. No torch here: the generator runs without it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

SITE = "  # site"
"""The comment that marks the line of the converted allocation."""

INTS = (5, 2, 3, 1, 0, 4, 7, 6)
"""Sizes to try: a generic one first, then the edges."""


class Param(NamedTuple):
    """A parameter of the entry function. A tensor's shape is text over the integers of the sample; a name that is no
    parameter is an extent of its own."""

    name: str
    kind: Literal["int", "bool", "list", "tensor"]
    shape: tuple[str, ...] = ()
    low: int = 0


class Sample(NamedTuple):
    values: dict[str, Any]


@dataclass(frozen=True)
class Program:
    """`source` is the new side, `before` the old one; they differ in the marked line alone."""

    seed: int
    source: str
    before: str
    entry: str
    params: tuple[Param, ...]
    features: frozenset[str] = field(default_factory=frozenset)

    @property
    def site_line(self) -> int:
        """The line of the marked allocation, counted from 1."""
        for number, line in enumerate(self.source.split("\n"), 1):
            if line.endswith(SITE):
                return number
        raise ValueError("the program has no marked allocation")

    def samples(self, count: int, start: int = 0) -> list[Sample]:
        """`count` samples, the same for the same program: generic sizes first, then edges; booleans mixed."""
        return [Sample(self._values(number)) for number in range(start, start + count)]

    def _values(self, number: int) -> dict[str, Any]:
        rng = random.Random(f"{self.seed}/{number}")
        values: dict[str, Any] = {}
        flips = number
        for param in self.params:
            if param.kind == "int":
                values[param.name] = max(param.low, rng.choice(INTS if number > 2 else (3, 4, 5, 6)))
            elif param.kind == "bool":
                values[param.name] = bool(flips & 1) if number < 8 else rng.random() < 0.5
                flips >>= 1
            elif param.kind == "list":
                values[param.name] = [rng.randrange(1, 9) for _ in range(rng.choice((3, 1, 0, 4, 2)))]
            else:
                values[param.name] = None
                values.update({name: rng.choice(INTS) for name in param.shape if name.isidentifier()})
        return values
