"""What one process of a scan does with one path: asks the cache, else judges the file.

*Claim.* The outcome of a file depends on its text, the settings, the budget, and what the analysis asked of the tree;
all but the last make the key, and the tree notes the last. Each file has a program of its own, so nothing that one
file's analysis has learnt reaches the next one's unasked; only opened units are shared, which depend on path and text
alone. *What it gives up.* A verdict `unknown (budget)` is kept as well: a larger `--budget` asks anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from allocsafe import cache
from allocsafe.patch.pairs import Change
from allocsafe.pipeline import _Sides
from allocsafe.recall import Recall
from allocsafe.scan.files import FileResult, comments_of, judge_file
from allocsafe.scan.tree import Snapshot

if TYPE_CHECKING:
    from allocsafe.api import Judged
    from allocsafe.config import Config


class Worker:
    """From a path to its `FileResult`."""

    def __init__(self, tree: Snapshot, config: Config, budget: float, use_cache: bool) -> None:
        self._tree, self._config, self._budget = tree, config, budget
        self._recall = Recall(
            Change((), tree, tree), {"old": {}, "new": {}}, config, cache.opened(use_cache and config.cache)
        )
        self._settings = self._sides().settings()

    def _sides(self) -> _Sides:
        return _Sides(self._recall.change, self._config, self._budget, self._recall.units)

    def __call__(self, path: str) -> FileResult:
        source = self._tree.read(path)
        if source is None:
            return FileResult(path)
        judged, errors = self._recall.scanned(source, self._budget, self._work(path))
        return FileResult(path, tuple(judged), tuple(errors), comments_of(self._recall.units, source))

    def before(self, path: str) -> FileResult | None:
        """What an earlier run said of a file, if that still holds."""
        source = self._tree.read(path)
        found = None if source is None else self._recall.scanned_before(source, self._budget)
        if source is None or found is None:
            return None
        return FileResult(path, tuple(found[0]), tuple(found[1]), comments_of(self._recall.units, source))

    def _work(self, path: str) -> Callable[[], tuple[list[Judged], list[tuple[str, str]]]]:
        def judged() -> tuple[list[Judged], list[tuple[str, str]]]:
            alone = self._sides()
            settings = self._settings._replace(outside=alone.outside, compared=False)
            program = alone._program("new")
            try:
                return judge_file(program, path, settings)
            finally:
                program.forget_walks()

        return judged

    def flush(self) -> None:
        """Writes to the cache what is new."""
        self._recall.close()


__all__ = ["Worker"]
