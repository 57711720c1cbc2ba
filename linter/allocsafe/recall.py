"""One file of a patch at a time, judged now or in an earlier run: the cache as the pipeline uses it.

*Claim.* The verdicts on a file of a patch are a function of both texts, what was changed, the settings, the sources of
this tool, and what the analysis asked of the two trees while it went, as long as no limit of time was hit. All but the
last make the key; the last is noted and asked again. *Why that is all.* Every piece of work gets objects of its own
above the trees, so nothing that one file's analysis has learnt reaches the next one's unasked. *What it gives up.*
Verdicts on a patch that hit a limit of time are never kept, none that hit a bug, and none on a change without whole
trees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from allocsafe.cache.questions import NotedTree, Questions, digest, of_trees
from allocsafe.units import Units
from allocsafe.verdict import Unknown

if TYPE_CHECKING:
    from allocsafe.api import Judged
    from allocsafe.cache.lowered import Lowered
    from allocsafe.cache.store import Store
    from allocsafe.cache.verdicts import Verdicts
    from allocsafe.config import Config
    from allocsafe.patch.pairs import Change, FilePair
    from allocsafe.source import Source

Outcome = tuple[list["Judged"], list[tuple[str, str]]]
"""The judged sites of one file, and what could not be read."""

PASSING = ("bug", "depth", "crash")
"""Steps that stopped an analysis and may not stop the next one."""


class Recall:
    """Earlier verdicts on the files of one change; without a store there are none.

    `change` has trees that note what they are asked, `units` are the opened files.
    """

    def __init__(
        self, change: Change, texts: dict[str, dict[str, Source]], config: Config, store: Store | None = None
    ) -> None:
        self._config = config
        self._verdicts: Verdicts | None = None
        self._settings = ""
        self._store = store
        self.units = Units(None if store is None else shelf(store))
        questions = Questions()
        noted = {
            side: NotedTree(side, tree, texts[side], questions)
            for side, tree in (("old", change.old_tree), ("new", change.new_tree))
            if tree is not None
        }
        self.change = change._replace(old_tree=noted.get("old"), new_tree=noted.get("new"))
        of_trees(noted, questions)

        def state() -> str:
            ids = [tree.identity() for tree in noted.values()]
            return digest(ids) if all(ids) else ""

        if store is not None and len(noted) == 2:
            from allocsafe.cache.tool import tool

            version = tool()
            if version is not None:
                from allocsafe.cache.verdicts import Verdicts

                self._verdicts = Verdicts(store, version, questions, records(), state)

    def through(self, pair: FilePair, how: str, work: Callable[[], Outcome]) -> Outcome:
        """What `work` says of a file, or said of it before. `how`: what else it was told."""
        if self._verdicts is None:
            return work()
        if not self._settings:
            self._settings = of_settings(self._config)
        return self._verdicts.through(digest([self._settings, how, *_pair(pair)]), work, _lasting())

    def scanned(self, source: Source, budget: float, work: Callable[[], Outcome]) -> Outcome:
        """What `work` says of a file that no patch touches, or said of it before with the same budget.

        Here a limit of processor time is part of the question: it is small, and a scan that went to it in a dozen files
        would pay for it each time. What it costs is an `unknown (budget)` that a faster machine would not need.
        """
        if self._verdicts is None:
            return work()
        return self._verdicts.through(self._scanned(source, budget), work, _lasting(limited=True))

    def scanned_before(self, source: Source, budget: float) -> Outcome | None:
        """What was said of such a file before, if it still holds."""
        found = None if self._verdicts is None else self._verdicts.find(self._scanned(source, budget))
        return None if found is None else found.value

    def _scanned(self, source: Source, budget: float) -> str:
        if not self._settings:
            self._settings = of_settings(self._config)
        return digest([self._settings, "scan", repr(budget), source.path, source.text])

    def close(self) -> None:
        """Writes what is new."""
        if self._store is not None:
            self._store.close()


def shelf(store: Store) -> Lowered | None:
    """Where the Python frontend keeps what it has lowered."""
    from allocsafe.cache.lowered import Lowered
    from allocsafe.cache.tool import lowering
    from allocsafe.frontends.python.bodies import ClassBody, Refusal

    version = lowering()
    return None if version is None else Lowered(store, version, (ClassBody, Refusal))


def records() -> tuple[type, ...]:
    """What a verdict on a file consists of."""
    from allocsafe import api, source, verdict

    return (
        api.Judged, api.Site, api.Before, api.Change, verdict.Safe, verdict.Unsafe, verdict.Unknown, verdict.Hole,
        verdict.Event, source.Span,
    )  # fmt: skip


def of_settings(config: Config) -> str:
    """A hash of all settings that a verdict depends on: the packs' tables, phases and contracts, and the project's."""
    from dataclasses import fields

    from allocsafe import packs

    parts: list[str] = []
    for pack in packs.packs():
        parts += pack.effects()
        parts += [repr(getattr(pack, field.name)) for field in fields(pack) if field.name not in ("rules", "effects")]
    silent = {"fail_on", "select", "ignore", "budget", "exclude", "format", "cache"}  # what verdicts do not depend on
    parts += [f"{name} {getattr(config, name)!r}" for name in config._fields if name not in silent]
    return digest(parts)


def _pair(pair: FilePair) -> list[str]:
    """The first input: the file on both sides."""
    return [
        repr((pair.old_path, pair.new_path, pair.status, pair.note, pair.complete, tuple(pair.lines.blocks))),
        *(f"{known is not None}{known.text if known is not None else ''}" for known in (pair.old, pair.new)),
    ]


def _lasting(*, limited: bool = False) -> Callable[[Outcome], bool]:
    """Whether an outcome of work that starts now depends on what the key and the questions say, and on nothing else.

    `limited`: the key has the limit of time.
    """
    from allocsafe.flow.clock import ran_out

    before = ran_out()

    def lasts(outcome: Outcome) -> bool:
        judged, errors = outcome
        passing = any(isinstance(j.verdict, Unknown) and j.verdict.step in PASSING for j in judged)
        return not errors and not passing and (limited or ran_out() == before)

    return lasts


__all__ = ["Recall", "of_settings", "records", "shelf"]
