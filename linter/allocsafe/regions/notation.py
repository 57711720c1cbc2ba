"""Integer sets in the notation of people, as far as they have one.

A basic set is written as ranges (`[1:n:2, p:]`) if it is the product of one range for each axis: no row uses two
axes, and what counts steps is a step of one axis. That is checked by building the product and comparing, so that what
is printed is what was found. Else its rows are written out (`[i, j] where j > i`), and where rows count something
that has no name, isl's own words are, with our names in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

from allocsafe.regions import isl, show
from allocsafe.regions.exprs import Lin, Sym, floordiv, maximum
from allocsafe.regions.show import Span
from allocsafe.regions.spelling import full_text
from allocsafe.regions.system import Piece, element, multiple

MAX_PART = 80  # characters of one part of a region


class Bounds(NamedTuple):
    """What the rows say about one axis: lo <= index < hi, for all of these."""

    lows: list[Lin]
    highs: list[Lin]

    def span(self, extent: Lin | None) -> Span:
        return Span(reduce(maximum, self.lows), show.least(self.highs, extent))


class Words:
    """Writes the sets of one question's space."""

    def __init__(self, room: isl.Room, rank: int) -> None:
        self.room, self.rank = room, rank
        self.name = show.names(Lin.of(s) for s in room.params)
        self.axes = [element(a) for a in range(rank)]

    def region(self, part: Any, shape: tuple[Lin, ...] | None) -> str:
        """A basic set of elements."""
        spans = self._spans(part, shape)
        if spans is not None:
            return show.region(spans, shape, self.name)
        rows = self.room.rows(part)
        if rows is not None:
            words = show.mixed(*rows, shape, self.rank, self.name)
        else:
            words = f"[{', '.join(self._letters())}] where {self._verbatim(part)}"
        return words if len(words) <= MAX_PART else "a part of it"

    def condition(self, parts: Sequence[Any]) -> str | None:
        """A union of basic sets of parameters."""
        out: list[str] = []
        for part in parts:
            known = self.room.rows(part)
            words = " and ".join(show.relations(*known, self.name)) if known is not None else self._verbatim(part)
            out.append(f"({words})" if len(parts) > 1 and " and " in words else words)
        return " or ".join(dict.fromkeys(out)) or None

    def _letters(self) -> list[str]:
        return show.index_names(self.rank, [Lin.of(s) for s in self.room.params], (), self.name)

    def _verbatim(self, part: Any) -> str:
        params = [full_text(Lin.of(s), self.name) for s in self.room.params]
        return show.from_isl(isl.text(part), params, self._letters())

    def _spans(self, part: Any, shape: tuple[Lin, ...] | None) -> list[Span] | None:
        known = self.room.rows(part, plain_only=True)
        bounds = None if known is None else self._bounds(known)
        if bounds is None or known is None:
            return None
        spans = [each.span(shape[a] if shape is not None else None) for a, each in enumerate(bounds)]
        if self.room.rows(part) is not None:
            return spans
        steps: list[tuple[Lin, Sym]] = []
        for a, s in enumerate(self.axes):
            step = isl.stride(part, a)
            if step > 1:
                first = self.room.first_index(part, a)
                if first is None:
                    return None
                steps.append(multiple(Lin.of(s) - first, step, s))
                spans[a] = Span(first, spans[a].hi, step)
        product = Piece((*known[0], *(row for row, _ in steps)), tuple(known[1]), tuple(count for _, count in steps))
        made = isl.Room(self.room.params, self.axes).make([product])
        return spans if isl.is_same(part, made) else None

    def _bounds(self, known: tuple[list[Lin], list[Lin]]) -> list[Bounds] | None:
        """The bounds of each axis, if no row uses two and each has some."""
        found = {s: Bounds([], []) for s in self.axes}
        for rows, is_zero in ((known[0], True), (known[1], False)):
            for row in rows:
                here = [(s, c) for s, c in row.terms if s in found]
                if len(here) > 1:
                    return None
                for s, c in here:
                    rest = row - Lin.of(s) * c
                    if is_zero and abs(c) != 1:
                        return None
                    if is_zero or c > 0:  # c*e + rest >= 0
                        found[s].lows.append(rest * -c if is_zero else -floordiv(rest, Lin(c)))
                    if is_zero or c < 0:
                        found[s].highs.append((rest * -c if is_zero else floordiv(rest, Lin(-c))) + 1)
        bounds = list(found.values())
        return bounds if all(each.lows and each.highs for each in bounds) else None
