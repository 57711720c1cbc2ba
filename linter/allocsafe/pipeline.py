"""The whole story on one page: a patch comes in, a report goes out. The only module that knows every room.

    Request -> patch.Change -> (per file, per side) flow.FileAnalysis -> edits.Edit -> Judged -> findings -> Report

Most commits concern us not at all: a file whose changed functions neither allocate nor fill is left before anything
is parsed. A bug inside one file costs that file's verdict, with the bug's name, not the run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from allocsafe import cache
from allocsafe import patch as patches
from allocsafe.patch.names import is_test
from allocsafe.patch.pairs import Change, FilePair
from allocsafe.report.records import Report, SiteReport
from allocsafe.source import Source

if TYPE_CHECKING:
    from allocsafe.across import Moved
    from allocsafe.api import Finding, Judged, Rule
    from allocsafe.config import Config
    from allocsafe.edits import Alloc, DroppedFill, Edit, Pairing
    from allocsafe.flow.analysis import FileAnalysis, Settings
    from allocsafe.flow.program import Program
    from allocsafe.flow.registered import Operators
    from allocsafe.frontends.base import Definition, Unit
    from allocsafe.source import Span
    from allocsafe.units import Units
    from allocsafe.verdict import Verdict

PYTHON = (".py", ".pyi")
ALLOCATES = re.compile(
    r"\btensor\([^\n]*\bdevice=|"
    r"\b(?:torch|np|numpy|cp|cupy|th|at|F)?(?:\.|::)?\b(?:new_)?(?:empty|zeros|ones|full|rand\w*)(?:_like|_strided|_permuted)?\s*[(<]|\bresize_\s*\(|\bTensor(?:\.new)?\s*\(|"
    r"\.new\s*\(|\bnew\s+[\w:]+\s*\[|\b[cm]alloc\s*\(|\bstd::vector\b|\bfrom_blob\b|\w+Malloc\w*\s*\(|^\s*(?!(?:return|delete|else|case|throw|goto|using|typedef)\b)(?:[\w:]+\s+){0,3}[\w:]+(?:<[^;=()]*>)?\*?\s+\w+(?:\[[^\]\n]*\])+\s*[;={,]|"
    r"\bmake_(?:unique|shared)\w*|\bstd::array\b|\balloca\s*\(|\bndarray\s*\(",
    re.M,
)
PY_ALLOCATES = re.compile(
    r"\btensor\([^\n]*\bdevice=|"
    r"(?<!def )(?<!\w)(?:new_)?(?:empty|zeros|ones|full|rand\w*)(?:_like|_strided|_permuted)?\s*\(\s*(?!\))|"
    r"\bresize_\s*\(|\bTensor(?:\.new)?\s*\(|\.new\s*\(|\bndarray\s*\("
)
"""An allocation in a line of Python."""
PY_UNFILLED = re.compile(
    r"(?<!\w)(?:new_)?empty\w*\s*\(|\bresize_\s*\(|\bTensor(?:\.new)?\s*\(|\.new\s*\(|\bndarray\s*\("
)
CPP_ALLOCATES = re.compile(
    r"\b(?:torch|at|stable)::(?:empty|zeros|ones|full|rand\w*)(?:_like|_strided)?\s*\(|[.>]new_(?:empty|zeros|ones|full)\w*\s*\(|\bnew\s+[\w:<>]+\s*\[|\b[cm]alloc\s*\(|"
    r"\bfrom_blob\b|\b(?:cuda|hip)\w*Malloc\w*\s*\(|\bmake_(?:unique|shared)\w*<[^;]*\[\]>|\bstd::(?:vector|array)<[^;&*]*>\s+\w+\s*(?:[{;=]|\([^;]*;)|"
    r"^\s*(?!(?:return|delete|else|case|throw|goto|using|typedef|template|__shared__|extern|static|constexpr)\b)(?:[\w:]+\s+){0,3}[\w:]+(?:<[^;=()]*>)?\*?\s+\w+(?:\[[^\]\n]*\])+\s*[;={,]"
)
"""An allocation in a line of C++, for lines that no walk has reached."""
FILLS = re.compile(r"\.(?:zero_|fill_|copy_)\s*\(|\]\s*=\s*[^=]|\bmem(?:set|cpy)\w*\s*\(|[mM]emset")


SHARES = {"new": 0.35, "old": 0.2, "mark": 0.125}
"""Parts of a site's budget: its walk on either side, and each question about a fill that was taken out. The old side
has a filled allocation where the patch took one away, and little to walk.
"""


class Request(NamedTuple):
    """What the command line asks for."""

    patch: bytes | None
    root: Path | None
    from_rev: str | None
    to_rev: str | None
    staged: bool
    only: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    show_all: bool
    budget: float
    config: Config
    use_cache: bool


def check(request: Request) -> Report:
    """Judges what is asked for. Raises `PatchError`, `BadPack`, `BadCode` or `ConfigError`, each one clear line."""
    started = time.perf_counter()
    change = _change(request)
    return judge(
        change,
        request.config,
        only=request.only,
        select=request.select,
        ignore=request.ignore,
        show_all=request.show_all,
        budget=request.budget,
        started=started,
        use_cache=request.use_cache and request.config.cache,
    )


def _change(request: Request) -> Change:
    root = request.root if request.root is not None else Path.cwd()
    if request.patch is not None:
        if request.from_rev is not None:
            return patches.from_patch(request.patch, root, request.from_rev)
        change = patches.from_patch(request.patch, root)
        if (
            request.root is not None
            and change.pairs
            and all(not p.complete and p.note.startswith("not found") for p in change.pairs)
        ):
            raise patches.PatchError(
                f"{change.pairs[0].path}: {change.pairs[0].note}; does the patch belong to this folder?"
            )
        return change
    if request.from_rev is not None:
        return patches.from_git(root, request.from_rev, request.to_rev or "HEAD", request.only)
    if request.staged:
        return patches.from_staged(root, request.only)
    staged = patches.from_staged(root, request.only)
    return staged if staged.pairs or staged.errors else patches.from_worktree(root, request.only)


def language_of(path: str) -> Literal["python", "cpp", "cuda"]:
    """The language of a file, by its suffix."""
    return "python" if path.endswith(PYTHON) else "cuda" if path.endswith((".cu", ".cuh")) else "cpp"


class _Texts:
    """A tree held in memory."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def read(self, path: str) -> Source | None:
        return Source(path, self._texts[path]) if path in self._texts else None

    def paths(self) -> Sequence[str]:
        return sorted(self._texts)

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        pattern = re.compile(rf"\b{re.escape(word)}\b")
        return sorted(p for p, t in self._texts.items() if p.endswith(suffixes) and pattern.search(t))

    def bases(self, word: str) -> list[str] | None:
        return None


def check_texts(
    before: dict[str, str], after: dict[str, str], config: Config | None = None, show_all: bool = False
) -> Report:
    """Judges two sets of texts as a patch from one to the other; nothing is read from disk. Without `config`, a
    pyproject.toml among the new texts has the settings.
    """
    from allocsafe.config import Config as Settings_
    from allocsafe.config import parse

    pairs = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            old = Source(path, before[path]) if path in before else None
            new = Source(path, after[path]) if path in after else None
            status: patches.Status = "modified" if old and new else "added" if new else "deleted"
            pairs.append(FilePair(path if old else None, path if new else None, old, new, status))
    change = Change(tuple(pairs), _Texts(before), _Texts(after), ())
    own = parse(after["pyproject.toml"].encode()) if "pyproject.toml" in after else Settings_()
    settings = config if config is not None else own
    return judge(change, settings, show_all=show_all, budget=settings.budget)


def judge(
    change: Change,
    config: Config,
    *,
    only: tuple[str, ...] = (),
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    show_all: bool = False,
    budget: float = 20.0,
    started: float | None = None,
    use_cache: bool = False,
) -> Report:
    """The report on one change."""
    from allocsafe.patch.pairs import within

    began = time.perf_counter() if started is None else started
    errors = list(change.errors)
    broken = {path for path, _ in change.errors}
    wanted = [
        p for p in change.pairs if (within(p.new_path, only) or within(p.old_path, only)) and not _excluded(p, config)
    ]
    sites: list[SiteReport] = []
    notes: tuple[Finding, ...] = ()
    concerned = [p for p in wanted if p.path not in broken and _concerns(p)]
    if concerned:
        judged, more, comments, lines = _Sides(change, config, budget).sites(concerned, show_all, use_cache)
        errors += more
        sites, notes = _ruled(judged, select, ignore, comments, lines)
    for pair in wanted:
        if pair.path in broken:
            pass  # its entry in errors says why; without text there is no site to name
    new_tree = change.new_tree

    def line_of(path: str, line: int) -> str:
        for pair in change.pairs:
            if pair.new_path == path and pair.new is not None:
                return pair.new.line(line)
        source = new_tree.read(path) if new_tree is not None else None
        return source.line(line) if source is not None else ""

    return Report(tuple(sites), tuple(errors), time.perf_counter() - began, line_of, notes)


def _excluded(pair: FilePair, config: Config) -> bool:
    from fnmatch import fnmatch

    return any(fnmatch(pair.path, pattern) for pattern in config.exclude)


def _concerns(pair: FilePair) -> bool:
    """Whether a file can have a site, by its text alone: nothing is parsed.

    A changed line allocates or fills; or the function around it allocates; or it names something that the file binds
    to an allocation; or the function
    around it is named in a function that allocates. Everything else cannot change what is unwritten in this file.
    """
    if not patches.judgeable(pair.path) or (pair.old is None and pair.new is None) or pair.status == "binary":
        return False
    if not pair.added and not pair.removed:
        return False
    return any(
        _side_concerns(source, lines)
        for source, lines in ((pair.old, pair.removed), (pair.new, pair.added))
        if source is not None
    )


def _side_concerns(source: Source, lines: frozenset[int]) -> bool:
    text = source.text
    changed = [source.line(n) for n in lines]
    allocates = PY_ALLOCATES if source.path.endswith(PYTHON) else ALLOCATES
    if any(allocates.search(line) or FILLS.search(line) for line in changed):
        return True
    if source.path.endswith(PYTHON) and any(_writes(source, _block(source, n)) for n in lines):
        return True
    hits = [found.start() for found in allocates.finditer(text)]
    if not hits:
        return False
    if not source.path.endswith(PYTHON):
        return True
    rows = sorted({text.count("\n", 0, at) + 1 for at in hits}) if len(hits) < 64 else None
    if rows is None:
        return True
    blocks = {_block(source, n) for n in lines}
    if any(first <= row <= last for first, last in blocks for row in rows):
        return True
    names = set(re.findall(r"[A-Za-z_]\w+", "\n".join(changed)))
    bound: set[str] = set()
    for row in rows:
        bound |= _assigned("\n".join(source.lines[max(row - 2, 0) : row]))
        head = re.match(r"\s*(?:self\.)?(\w+)\s*(?::[^=]+)?=", source.line(row))
        if head is not None:
            bound.add(head[1])
    if names & bound:
        return True
    heads = {
        found[1]
        for first, _ in blocks
        if (found := re.search(r"def\s+(\w+)", "\n".join(source.lines[first - 1 : first + 8])))
    }
    for first, last in {_block(source, row) for row in rows}:
        body = "\n".join(source.lines[first - 1 : last])
        if any(re.search(rf"\b{re.escape(head)}\b", body) for head in heads):
            return True
    return False


def _writes(source: Source, block: tuple[int, int]) -> bool:
    """Whether a function writes to what it is handed or to an attribute: what others allocate."""
    from allocsafe.flow.callers import writes

    return any(writes("\n".join(source.lines[block[0] - 1 : block[1]])))


def _block(source: Source, line: int) -> tuple[int, int]:
    """The lines of the function around a line, by indentation; the whole file for top-level code."""
    rows = source.lines
    at = min(line, len(rows)) - 1
    while at >= 0 and not rows[at].strip():
        at -= 1
    indent = len(rows[at]) - len(rows[at].lstrip()) if at >= 0 else 0
    while at >= 0:
        row = rows[at]
        if row.strip():
            here = len(row) - len(row.lstrip())
            if re.match(r"\s*(?:async\s+)?def\s", row) and (here < indent or at == line - 1):
                end = at + 1
                while end < len(rows) and (
                    not rows[end].strip()
                    or len(rows[end]) - len(rows[end].lstrip()) > here
                    or rows[end].lstrip().startswith(")")
                ):
                    end += 1
                return at + 1, end
            indent = min(indent, here) if here < indent else indent
        at -= 1
    return 1, len(rows)


def _ruled(
    judged: list[Judged],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    comments: dict[str, list[tuple[int, str]]],
    lines: dict[str, frozenset[int]],
) -> tuple[list[SiteReport], tuple[Finding, ...]]:
    """What the rules say, and what ignore comments take back."""
    from allocsafe import packs, suppress

    rules: Sequence[Rule] = packs.chosen(select, ignore) if judged else ()
    sites = [SiteReport(j, tuple(f for rule in rules for f in rule.finds(j))) for j in judged]
    if not any(comments.values()):
        return sites, ()
    done, notes = suppress.apply(sites, comments, packs.codes(), lines)
    return list(done), tuple(notes)


def _alone(change: Change, pair: FilePair) -> bool:
    """Whether no other file of the program changed: what an unchanged line of this one calls may have changed there."""
    return all(p.path == pair.path or not p.path.endswith(PYTHON) or is_test(p.path) for p in change.pairs)


class _Sides:
    """Both sides of a change, analysed file by file."""

    def __init__(self, change: Change, config: Config, budget: float, units: Units | None = None) -> None:
        self.change = change
        self._units = units
        self.config = config
        self.budget = budget
        self.reached: frozenset[int] = frozenset()  # lines of the new side whose allocation a walk came to
        self._outside: dict[tuple[str, str], list[str]] = {}
        self.problems: list[object] = []  # what stopped the analysis of the new side of the file at hand
        self.few = False  # whether only what the patch can concern is asked about
        self._registered: dict[str, Operators] = {}
        self._programs: dict[str, Program] = {}
        self.texts: dict[str, dict[str, Source]] = {"old": {}, "new": {}}
        for pair in change.pairs:
            if pair.old is not None and pair.old_path is not None:
                self.texts["old"][pair.old_path] = pair.old
            if pair.new is not None and pair.new_path is not None:
                self.texts["new"][pair.new_path] = pair.new

    def sites(
        self, pairs: list[FilePair], show_all: bool, use_cache: bool = False
    ) -> tuple[list[Judged], list[tuple[str, str]], dict[str, list[tuple[int, str]]], dict[str, frozenset[int]]]:
        """The judged sites, worst first within a file; errors of files; comments and judged lines for suppressions."""
        out: list[Judged] = []
        errors: list[tuple[str, str]] = []
        comments: dict[str, list[tuple[int, str]]] = {}
        lines: dict[str, frozenset[int]] = {}
        from allocsafe.recall import Recall

        recall = Recall(self.change, self.texts, self.config, cache.opened(use_cache))
        settings: list[Settings] = []

        def judged(pair: FilePair) -> tuple[list[Judged], list[tuple[str, str]]]:
            if not settings:
                settings.append(self.settings())
            # what is learnt about one file may not reach the next one unasked: each has objects of its own
            alone = _Sides(recall.change, self.config, self.budget, recall.units)
            return alone._file(pair, settings[0]._replace(outside=alone.outside), show_all)

        for pair in pairs:
            how = f"{show_all} {_alone(self.change, pair)}"
            found, problems = recall.through(pair, how, partial(judged, pair))
            out += found
            errors += problems
            if pair.new is not None and pair.new_path is not None and "allocsafe:" in pair.new.text.replace(" ", ""):
                unit = self._open("new", pair.new_path)
                if unit is not None:
                    comments[pair.new_path] = list(unit.comments())
                    lines[pair.new_path] = pair.added | {j.site.span.line for j in found}
        recall.close()
        return out, errors, comments, lines

    def settings(self) -> Settings:
        """Tables, phases and contracts of the packs, with what the configuration adds."""
        from allocsafe import packs
        from allocsafe.api import Phase
        from allocsafe.effects.lookup import Contracts
        from allocsafe.effects.summary import Tables
        from allocsafe.flow.analysis import Settings

        loaded = packs.packs()
        texts = tuple(text for pack in loaded for text in pack.effects())
        phases = tuple(p for pack in loaded for p in pack.phases)
        extra = dict(self.config.phases)
        phases = tuple(Phase(p.name, p.rank, (*extra.get(p.name, ()), *p.words), p.last_rank, p.takes) for p in phases)
        contracts = Contracts({k: v for pack in loaded for k, v in pack.contracts.items()}, self.config.contracts)
        return Settings(Tables(texts), phases, contracts, self.budget, self.outside)

    def outside(self, name: str, path: str) -> Sequence[str]:
        """Other files of the new tree that can reach an attribute or global of this name."""
        key = (name, path)
        if key not in self._outside:
            tree = self.change.new_tree
            if tree is None:
                self._outside[key] = ["other files"]
            else:
                hits = [p for p in tree.mentions(name, (".py", ".pyi")) if p != path]
                if len(hits) <= 24:
                    pattern = re.compile(
                        rf"[.]\s*{re.escape(name)}\b|[\"']{re.escape(name)}[\"']|\bimport\b(?:[^\n]*|[^\n(]*\([^)]*)\b{re.escape(name)}\b"
                    )
                    hits = [p for p in hits if (source := tree.read(p)) is not None and pattern.search(source.text)]
                self._outside[key] = hits
        return self._outside[key]

    def _open(self, side: str, path: str) -> Unit | None:
        source = self._source(side, path)
        if self._units is None:
            from allocsafe.units import Units

            self._units = Units()
        return None if source is None else self._units.open(source)

    def _source(self, side: str, path: str) -> Source | None:
        """A file of one side. The tree is asked for a file of the patch too: what it is asked is noted."""
        tree = self.change.new_tree if side == "new" else self.change.old_tree
        there = tree.read(path) if tree is not None else None
        return self.texts[side].get(path) or there

    def _operators(self, side: str) -> Operators | None:
        """The custom operators of one side, looked up once for all files of the patch."""
        tree = self.change.new_tree if side == "new" else self.change.old_tree
        if tree is not None and side not in self._registered:
            from allocsafe.flow.registered import of_tree

            self._registered[side] = of_tree(tree)
        return self._registered.get(side)

    def _program(self, side: str) -> Program:
        """One side as a program."""
        if side not in self._programs:
            self._programs[side] = self._new_program(side, lambda p: self._open(side, p))
        return self._programs[side]

    def _new_program(self, side: str, opened: Callable[[str], Unit | None]) -> Program:
        from allocsafe.flow.program import Program

        tree = self.change.new_tree if side == "new" else self.change.old_tree
        made = Program(opened, tree.paths if tree is not None else None)
        if tree is not None:
            known = tree
            made.named = getattr(known, "named", None)
            made.search(lambda word: known.mentions(word, PYTHON), lambda p: self._text(side, p), known.bases)
        made.operators = self._operators(side)
        return made

    def _text(self, side: str, path: str) -> str | None:
        """The text of a file of one side."""
        source = self._source(side, path)
        return source.text if source is not None else None

    def _open_quietly(self, side: str, path: str) -> Unit | None:
        from allocsafe.frontends.base import Unsupported

        try:
            return self._open(side, path)
        except (Unsupported, RecursionError):
            return None

    # ------------------------------------------------------------ one file

    def _file(self, pair: FilePair, settings: Settings, show_all: bool) -> tuple[list[Judged], list[tuple[str, str]]]:
        """The sites of one file. Allocations that the patch cannot concern are not asked about, unless one of them
        turns out to be a site.
        """
        from allocsafe.flow.analysis import unasked

        self.few = (
            not show_all and pair.path.endswith(PYTHON) and pair.status == "modified" and _alone(self.change, pair)
        )
        judged, errors = self._sites(pair, settings, show_all)
        if self.few and any(unasked(j.verdict) for j in judged):
            self.few = False
            judged, errors = self._sites(pair, settings, show_all)
        return judged, errors

    def _sites(self, pair: FilePair, settings: Settings, show_all: bool) -> tuple[list[Judged], list[tuple[str, str]]]:
        from allocsafe.edits import edits
        from allocsafe.edits import pair as pair_up
        from allocsafe.mirror import mirrored
        from allocsafe.verdict import Unsafe

        errors: list[tuple[str, str]] = []
        new, new_problems = self._side("new", pair.new_path, _around(pair, "new"), pair, settings, errors)
        # verdicts of the old side tell an old finding from a new one; its logs, what a line that is gone wrote
        asks = any(isinstance(a.verdict, Unsafe) for a in new) or language_of(pair.path) != "python"
        before = settings._replace(ask="verdicts" if asks else "places" if self._lost_fills(pair) else "names")
        known = mirrored(pair, new) if pair.path.endswith(PYTHON) and not new_problems else None
        if known is not None:
            old = known
        else:
            old, _ = self._side(
                "old", pair.old_path, _around(pair, "old"), pair, before, errors if pair.new_path is None else []
            )
        if before.ask == "names":  # by name: no walk has followed them to where they are used
            old = [a._replace(touched=a.touched | _mentions(pair, a.symbol)) for a in old]
        pairings = pair_up(old, new, pair.lines.to_new, pair.lines.nearest_new)
        pairings, came = self._moved(pair, settings).edits(pairings) if self._whole(pair) else (pairings, [])
        changed = [*edits(pairings, pair.added, pair.removed, pair.lines.nearest_new), *came]
        self.reached = frozenset(a.line for a in new)
        self.problems = new_problems
        judged = [j for j in (self._judged(pair, edit) for edit in changed) if j.is_new or show_all]
        judged = [j for j in self._with_fills(pair, judged, pairings, changed, settings) if j.is_new or show_all]
        seen = {e.line for e in changed if e.new is not None}
        judged += [j for j in self._unread(pair, new_problems, judged) if j.site.span.line not in seen]
        judged = self._elsewhere(pair, judged, settings)
        judged.sort(key=lambda j: j.site.span.line)
        return judged, errors

    @staticmethod
    def _lost_fills(pair: FilePair) -> bool:
        """Whether a line that is gone filled something: only a walk of the old side knows what."""
        return pair.old is not None and any(FILLS.search(pair.old.line(n)) for n in pair.removed)

    def _whole(self, pair: FilePair) -> bool:
        """Whether other files can be looked into for this one."""
        whole = self.change.new_tree is not None and self.change.old_tree is not None
        return whole and pair.complete and pair.path.endswith(PYTHON)

    def _judge(
        self,
        settings: Settings,
        side: str,
        path: str,
        definitions: Sequence[Definition],
        module: bool,
        *,
        alone: bool = False,
    ) -> list[Alloc]:
        """The allocations of some definitions of any file. `alone`: as the walk of each definition has them, without
        its callers.
        """
        from allocsafe.flow.analysis import FileAnalysis
        from allocsafe.frontends.base import Unsupported

        try:
            analysis = FileAnalysis(self._program(side), path, settings)
            if alone:
                for definition in definitions:
                    analysis.run_alone(definition)
            else:
                analysis.run(list(definitions), module)
        except (Unsupported, RecursionError, FileNotFoundError):
            return []
        return _allocs(analysis)

    def _moved(self, pair: FilePair, settings: Settings) -> Moved:
        from allocsafe.across import Moved

        old, new = self._program("old"), self._program("new")
        return Moved(old, new, pair, PY_ALLOCATES, lambda *asked: self._judge(settings, *asked))

    def _elsewhere(self, pair: FilePair, judged: list[Judged], settings: Settings) -> list[Judged]:
        """Allocations of other files that changed functions of this one write to, where that made them worse."""
        if pair.status != "modified" or not self._whole(pair):
            return judged
        from allocsafe.across import Touched, covered, site_of
        from allocsafe.verdict import Unknown, Unsafe

        old, new = self._program("old"), self._program("new")
        less = settings._replace(budget=settings.budget / 16)  # what other files come to is an addition
        asked = Touched(
            old,
            new,
            pair,
            PY_ALLOCATES,
            lambda *a: self._judge(less, *a),
            lambda *a: self._judge(less, *a, alone=True),
            settings.budget / 8,
        )
        out = list(judged)
        for line, before, after, path in asked.sites():
            here = [j for j in out if j.site.span.line == line and j.site.kind == "dropped-fill"]
            if any(isinstance(j.verdict, Unsafe) for j in here):
                continue
            out = [j for j in out if j not in here]
            out.append(site_of(pair, line, before, after, path, language_of(pair.path)))
        if not asked.covered:
            return out

        def only(name: str) -> bool:  # the whole tree gives the attribute one value
            given = re.compile(rf"\.{re.escape(name)}[ \t]*(?::[^=\n]+)?=(?!=)")
            return sum(len(given.findall(new.text(p))) for p in new.mentioning(name) or ()) == 1

        fills = [j for j in out if j.site.kind == "dropped-fill" and isinstance(j.verdict, Unknown)]
        return [covered(j, asked, only) if j in fills else j for j in out]

    def _side(
        self,
        side: str,
        path: str | None,
        changed: frozenset[int],
        pair: FilePair,
        settings: Settings,
        errors: list[tuple[str, str]],
    ) -> tuple[list[Alloc], list[object]]:
        """The allocations of one side that the patch can concern."""
        from allocsafe.flow.analysis import FileAnalysis
        from allocsafe.frontends.base import Unsupported

        if path is None or path not in self.texts[side]:
            return [], []
        program = self._program(side)
        try:
            unit = program.unit(path)
            if unit is None:
                return [], []
            share = settings._replace(budget=settings.budget * SHARES[side])
            analysis = FileAnalysis(program, path, share)
            names = self._changed_names(pair)
            wanted, module = concerned(analysis, unit, changed, names)
            if side == "new" and self.few and pair.old is not None:
                from allocsafe.flow.concern import Concern, statements_of

                gone = statements_of(pair.old.text, pair.removed)
                analysis.concern = Concern(unit, pair.added, [(pair.lines.nearest_new(n), text) for n, text in gone])
            analysis.run(wanted, module)
        except Unsupported as problem:
            errors.append((path, f"line {problem.span.line}: {problem.reason}"))
            return [], [problem]
        except RecursionError:
            errors.append((path, "nests too deeply to be read"))
            return [], []
        return _allocs(analysis), list(analysis.problems)

    def _changed_names(self, pair: FilePair) -> set[str]:
        names: set[str] = set()
        for source, lines in ((pair.old, pair.removed), (pair.new, pair.added)):
            if source is not None:
                for n in lines:
                    names |= set(re.findall(r"[A-Za-z_]\w+", source.line(n)))
        return names

    def _judged(self, pair: FilePair, edit: Edit) -> Judged:
        """One edit as rules see it."""
        from allocsafe.api import Before, Change, Judged, Site
        from allocsafe.source import Span
        from allocsafe.verdict import Event, Safe, Unknown

        path = pair.new_path or pair.old_path or ""
        text = pair.new.line(edit.line).strip() if pair.new is not None else ""
        before = None
        if edit.old_line and edit.old_path:
            stood = (self._text("old", edit.old_path) or "").split("\n")
            before = Before(edit.old_path, edit.old_line, stood[edit.old_line - 1 : edit.old_line][0].strip())
        elif edit.old_line and pair.old is not None:
            before = Before(pair.old_path or "", edit.old_line, pair.old.line(edit.old_line).strip())
        span = Span(path, edit.line, edit.column, edit.line, edit.column + max(len(text) - edit.column, 1))
        language = language_of(path)
        site = Site(span, language, edit.symbol or "(unnamed)", edit.kind, text, before)
        changes: list[Change] = []
        if edit.old is not None and edit.new is not None:
            for what in ("dtype", "shape", "device", "layout", "pinning", "requires_grad"):
                a, b = edit.old.attrs.get(what, ""), edit.new.attrs.get(what, "")
                if a != b and (what != "shape" or (a and b)):
                    changes.append(Change(what, a or "the default", b or "the default"))
        verdict = edit.new.verdict if edit.new is not None else None
        if edit.new is not None and edit.old is not None and edit.new.partial is not None and isinstance(verdict, Safe):
            from allocsafe.flow.cpp_verdicts import against

            verdict = against(edit.new.partial, edit.old.partial, edit.old_line) or verdict
        if verdict is None:
            if edit.new is None:
                verdict = self._gone(pair, edit, span)
            elif edit.new.filled:
                told = " and ".join(c.what for c in changes)
                verdict = Safe(
                    f"it starts filled; its {told} changed" if told else "it starts filled",
                    (Event("filled", span, "[:]", edit.new.what),),
                )
            else:
                verdict = Unknown("context", span, "the analysis did not reach it", "an entry point that calls it")
        return Judged(site, verdict, tuple(changes), edit.is_new)

    def _gone(self, pair: FilePair, edit: Edit, span: Span) -> Verdict:
        """Nothing can read an allocation that is no more; but what its name holds now may be memory all the same."""
        from allocsafe.verdict import Event, Safe, Unknown

        moved = self._moved(pair, self.settings()).went(edit) if self._whole(pair) else None
        if moved is not None:
            return moved
        trace = (Event("note", span, "", "taken out"),)
        unseen = self._in_its_place(pair, edit)
        if unseen is not None:
            return unseen
        target = edit.symbol if re.fullmatch(r"[\w.]+", edit.symbol) else ""
        for line in sorted(pair.added) if pair.new is not None and target else ():
            row = pair.new.line(line) if pair.new is not None else ""
            bound = re.match(rf"\s*{re.escape(target)}\s*(?::[^=]+)?=(?!=)\s*(\S.*)", row)
            if bound is not None and abs(line - edit.line) <= 12 and "(" in bound[1]:
                made = bound[1].split("(")[0].strip() or "an expression"
                return Unknown(
                    "call",
                    span._replace(line=line, column=1, end_line=line, end_column=1 + len(row)),
                    f"{target} is made by {made} now, and what that leaves unwritten is not known",
                    f"the source of {made}, or a contract for it",
                    trace,
                )
        return Safe("the allocation is gone", trace)

    def _in_its_place(self, pair: FilePair, edit: Edit) -> Verdict | None:
        """An allocation stands where this one stood, and no walk came to it: it is not gone, it was not looked at."""
        from allocsafe.source import Span
        from allocsafe.verdict import Unknown

        block = next((b for b in pair.lines.blocks if b[0] < edit.old_line <= b[1]), None)
        python = pair.path.endswith(PYTHON)
        if block is None or pair.new is None or not (python or self.problems):  # in C++ what takes its place has values
            return None
        for line in range(block[2] + 1, block[3] + 1):
            row = pair.new.line(line)
            code = re.sub(r"#.*", "", row) if python else re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", row)
            if line in self.reached or not (PY_UNFILLED if python else CPP_ALLOCATES).search(code):
                continue
            problem = _nearest(self.problems, line)
            if isinstance(problem, Unknown):
                return problem
            span = Span(pair.new_path or pair.path, line, 1, line, 1 + len(row))
            return Unknown(
                "context", span, "no walk reached what stands in its place", "an entry point that leads to it"
            )
        return None

    def _with_fills(
        self,
        pair: FilePair,
        judged: list[Judged],
        pairings: Sequence[object],
        changed: list[Edit],
        settings: Settings,
    ) -> list[Judged]:
        """A fill that was taken out is reported where it stood, with the verdict of what it filled."""
        from allocsafe.api import Before, Judged, Site
        from allocsafe.edits import Pairing, dropped_fills, fills
        from allocsafe.source import Span
        from allocsafe.verdict import Event, Safe, Unknown

        if pair.old is None or pair.new is None or pair.new_path is None:
            return judged
        python = pair.path.endswith(PYTHON)
        out = list(judged)
        for fill in dropped_fills(pair.old.lines, pair.removed, pair.new.lines, pair.added, python=python):
            line = pair.lines.nearest_new(fill.line)
            span = Span(pair.new_path, line, 1, line, 1 + len(pair.new.line(line)))
            language = language_of(pair.path)
            site = Site(
                span,
                language,
                fill.target,
                "dropped-fill",
                pair.new.line(line).strip(),
                Before(pair.old_path or "", fill.line, fill.text),
            )
            hit = next(
                (p for p in pairings if isinstance(p, Pairing) and p.old is not None and fill.line in p.old.touched),
                None,
            )
            if hit is None and (
                stood := self._owner_at(pair, fill.line)
            ):  # a filled allocation has no log: by its name
                hit = next(
                    (p for p in pairings if isinstance(p, Pairing) and p.old is not None and fills(p.old, fill, stood)),
                    None,
                )
            if hit is not None:
                same = [j for j, e in zip(judged, changed, strict=False) if e.new is hit.new and e.new is not None]
                if any(e.kind == "unfilled" and e.new is hit.new for e in changed):
                    continue
                lasting = (
                    self._dropped(pair, fill, settings)
                    if python and isinstance(hit.new and hit.new.verdict, Safe) and self._lives_on(pair, fill, hit)
                    else None
                )
                if lasting is not None and not isinstance(lasting[0], Safe):
                    out = [j for j in out if j not in same]
                    out.append(Judged(site, lasting[0], (), lasting[1]))
                    continue
                if hit.new is not None and hit.new.verdict is not None:
                    out = [j for j in out if j not in same]
                    # a fill less is the patch's doing, also where a part was unwritten before
                    out.append(Judged(site, hit.new.verdict, (), True))
                    continue
                stopped = _nearest(self.problems, line)
                if hit.new is None and isinstance(stopped, Unknown):  # its new side could not be judged
                    out.append(Judged(site, stopped, (), True))
                continue
            asked = self._dropped(pair, fill, settings) if python else None
            if asked is not None:
                out.append(Judged(site, asked[0], (), asked[1]))
                continue
            unknown = Unknown(
                "outside",
                span,
                f"{fill.target} was filled here, and comes from where the analysis cannot see: "
                "it may keep what an earlier step left",
                f"where {fill.target} is allocated and who reads it",
                (Event("note", span, "", "the fill was here"),),
            )
            out.append(Judged(site, unknown, (), True))
        return out

    def _lives_on(self, pair: FilePair, fill: DroppedFill, hit: Pairing) -> bool:
        """Whether the fill stood in another function than the allocation: what it filled may be of an earlier step."""
        return hit.old is not None and hit.old.owner != self._owner_at(pair, fill.line)

    def _dropped(self, pair: FilePair, fill: DroppedFill, settings: Settings) -> tuple[Verdict, bool] | None:
        """The verdict on a fill that was taken out of memory that lives on, and whether its hole is new."""
        from allocsafe.flow import dropped
        from allocsafe.flow.analysis import FileAnalysis
        from allocsafe.flow.concern import Marked
        from allocsafe.frontends.base import Unsupported
        from allocsafe.frontends.python.unit import open_unit

        def analyse(side: str, source: Source, definition: Definition, alone: bool) -> FileAnalysis | None:
            program = self._new_program(side, lambda p: open_unit(source) if p == source.path else self._open(side, p))
            program.marked = True
            analysis = FileAnalysis(program, source.path, settings._replace(budget=settings.budget * SHARES["mark"]))
            analysis.concern = Marked(source, dropped.root_of(fill.target))  # of the function, what was filled
            if alone:
                analysis.run_alone(definition)
            else:
                analysis.run([definition], False)
            return analysis

        old = self._open_quietly("old", pair.old_path or "")
        new = self._open_quietly("new", pair.new_path or "")
        if old is None or new is None:
            return None
        try:
            return dropped.judged(pair, fill, old, new, analyse)
        except (Unsupported, RecursionError):
            return None

    def _owner_at(self, pair: FilePair, line: int) -> str:
        """The definition around a line of the old side."""
        unit = self._open_quietly("old", pair.old_path or "")
        at = unit.at_line(line) if unit is not None else None
        return at.qualname if at is not None else ""

    def _unread(self, pair: FilePair, problems: list[object], judged: list[Judged]) -> list[Judged]:
        """Changed allocations in code that could not be analysed are unknown, with the reason, never silent."""
        from allocsafe.api import Before, Judged, Site
        from allocsafe.frontends.base import Unsupported
        from allocsafe.source import Span
        from allocsafe.verdict import Event, Safe, Unknown

        if pair.new is None or pair.new_path is None:
            return []
        python = pair.path.endswith(PYTHON)
        language = language_of(pair.path)
        seen = {j.site.span.line for j in judged}
        unit = None if python else self._open_quietly("new", pair.new_path)
        seen |= {n for j in judged for n in range(j.site.span.line - 1, j.site.span.line + 4)}
        out: list[Judged] = []
        for line in sorted(pair.added):
            text = pair.new.line(line)
            code = re.sub(r"#.*", "", text) if python else re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", text)
            if line in seen or not (PY_ALLOCATES if python else CPP_ALLOCATES).search(code):
                continue
            if unit is not None and not _in_code(unit, line):
                continue
            problem = _nearest(problems, line)
            span = Span(pair.new_path, line, len(text) - len(text.lstrip()) + 1, line, len(text) + 1)
            verdict: Verdict
            if python and not PY_UNFILLED.search(code):
                verdict = Safe("it starts filled", (Event("filled", span, "[:]", ""),))
            elif isinstance(problem, Unknown):
                verdict = problem
            elif isinstance(problem, Unsupported):
                verdict = Unknown(
                    "syntax", problem.span, f"the file could not be read: {problem.reason}", "a source that parses"
                )
            elif not pair.complete:
                verdict = Unknown("context", span, "the patch does not hold the whole function", "the sources: --root")
            else:
                verdict = Unknown("context", span, "no walk reached this allocation", "an entry point that leads to it")
            found = re.match(r"\s*([\w.\[\]\"']+)\s*(?::[^=]+)?=[^=]", code)
            old_line = next((o for o in sorted(pair.removed) if pair.lines.nearest_new(o) == line), 0)
            before = (
                Before(pair.old_path or "", old_line, pair.old.line(old_line).strip())
                if old_line and pair.old is not None
                else None
            )
            out.append(
                Judged(
                    Site(span, language, found[1] if found else "(unnamed)", "added", text.strip(), before),
                    verdict,
                    (),
                    True,
                )
            )
        return out


def _mentions(pair: FilePair, symbol: str) -> frozenset[int]:
    """The removed lines that name what an allocation is bound to."""
    last = re.findall(r"\w+", symbol)
    if pair.old is None or not last:
        return frozenset()
    word = re.compile(rf"\b{re.escape(last[-1])}\b")
    return frozenset(n for n in pair.removed if word.search(pair.old.line(n)))


def _around(pair: FilePair, side: str) -> frozenset[int]:
    """The changed lines of one side; where it has none for what the other side changed, the lines on both sides of
    the gap.
    """
    out = set(pair.added if side == "new" else pair.removed)
    source = pair.new if side == "new" else pair.old
    count = len(source.lines) if source is not None else 0
    for a, b, c, d in pair.lines.blocks:
        start, end = (c, d) if side == "new" else (a, b)
        if start == end:
            out |= {n for n in (start, start + 1) if 1 <= n <= count}
    return frozenset(out)


def _in_code(unit: Unit, line: int) -> bool:
    """Whether a line of C++ is a statement: in a function, and in no struct or union that stands there."""
    at = unit.at_line(line)
    if at is None or at.kind != "function":
        return False
    depth = 0
    for number in range(line - 1, at.first_line - 1, -1):
        text = unit.source.line(number)
        depth += text.count("}") - text.count("{")
        if depth < 0:
            return not re.match(r"\s*(?:typedef\s+)?(?:struct|union|class)\b[^();]*\{", text)
    return True


def _nearest(problems: list[object], line: int) -> object | None:
    """The problem whose definition starts closest above the line."""
    best: object | None = None
    nearest = 0
    for problem in problems:
        at = getattr(getattr(problem, "span", None), "line", 0)
        if at <= line and (best is None or at >= nearest):
            best, nearest = problem, at
    return best if best is not None else (problems[0] if problems else None)


def _allocs(analysis: FileAnalysis) -> list[Alloc]:
    """What an analysis found, in the order of the file."""
    from allocsafe.edits import Alloc

    return [
        Alloc(
            f.span.line, f.span.column, f.symbol, f.what, f.filled, f.verdict, f.attrs, f.owner, f.touched, f.partial,
            f.reach,
        )
        for f in sorted(analysis.found.values(), key=lambda f: (f.span.line, f.span.column))
    ]  # fmt: skip


def concerned(
    analysis: FileAnalysis, unit: Unit, changed: frozenset[int], names: set[str]
) -> tuple[list[Definition], bool]:
    """The definitions whose allocations the changed lines can concern, and whether module-level code is among them."""
    allocates = PY_ALLOCATES if unit.language == "python" else ALLOCATES
    inside: dict[str, Definition] = {}
    module = False
    for line in changed:
        at = unit.at_line(line)
        if at is not None and at.kind == "function":
            inside[at.qualname] = at
        elif allocates.search(unit.source.line(line)) or (at is None and FILLS.search(unit.source.line(line))):
            module = True
    out = {q: d for q, d in inside.items() if allocates.search(analysis.text_of(d))}
    for definition in unit.definitions:
        if definition.kind != "function" or definition.qualname in out:
            continue
        text = analysis.text_of(definition)
        if not allocates.search(text):
            continue
        owner_changed = definition.owner and any(d.owner == definition.owner for d in inside.values())
        if (owner_changed and any(name in names for name in _assigned(text))) or any(
            re.search(rf"\b{re.escape(d.qualname.rsplit('.', 1)[-1])}\s*\(", text)
            for d in inside.values()
            if d.qualname != definition.qualname
        ):
            out[definition.qualname] = definition
    return list(out.values()), module


def _assigned(text: str) -> set[str]:
    """Attribute and key names that a text binds to something that allocates."""
    out: set[str] = set()
    for found in re.finditer(r"(?:self\.(\w+)|[\"'](\w+)[\"'])\s*(?::[^=\n]{0,60}?)?[:=]\s*(?=[^=])", text):
        out.add(found[1] or found[2])
    for found in re.finditer(r"register_buffer\(\s*[\"'](\w+)", text):
        out.add(found[1])
    return out


__all__ = ["Callable", "Request", "check", "check_texts"]
