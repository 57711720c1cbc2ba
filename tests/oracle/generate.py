"""Small random tensor programs whose verdict can be found by running them.

`program(seed)` is a module text with one marked allocation, the same text with a filled allocation there, and an entry
function whose parameters can be sampled. A program first covers a buffer (or a part of it), then reads it (or the same
part); half of the programs get a fault, so that both truths are common and every hole is near a program without one.

What is never made: reliance on the value of unwritten memory, data races, negative sizes (unless `negative` is on).
Deterministic: the same seed and the same features give the same text.
"""

from __future__ import annotations

import random

from tests.oracle.blocks import Block, Nest, plant
from tests.oracle.callees import CALLEE_HOMES, by_callee
from tests.oracle.callees import HELPERS as CALLEE_HELPERS
from tests.oracle.covers import Covers
from tests.oracle.homes import HOMES, Plan
from tests.oracle.lasting import LASTING_HOMES
from tests.oracle.objects import HELPERS as OBJECT_HELPERS
from tests.oracle.objects import OBJECT_HOMES
from tests.oracle.program import MAIN, SITE, Param, Program, old_side
from tests.oracle.reads import Reads
from tests.oracle.records import RECORD_HOMES
from tests.oracle.registered import REGISTERED_HOMES
from tests.oracle.spread import headed, spread
from tests.oracle.twists import HELPERS as TWISTED_HELPERS
from tests.oracle.twists import TWISTED_HOMES, twist

FEATURES: dict[str, float] = {
    "loops": 0.6, "while": 0.3, "views": 0.6, "copies": 0.4, "masks": 0.06, "branches": 0.5, "early": 0.25,
    "exceptions": 0.2, "out": 0.3, "inplace": 0.8, "operators": 0.5, "withs": 0.2, "helpers": 0.35, "calls": 0.8,
    "attributes": 0.8, "globals": 0.6, "dicts": 0.6, "lists": 0.6, "tuples": 0.5, "dataclasses": 0.5, "closures": 0.6,
    "conditional": 0.5, "nones": 0.5, "aliases": 0.5, "comprehension": 0.3, "walrus": 0.2, "phases": 0.3, "numpy": 0.12,
    "axes": 0.45, "index": 0.12, "parts": 0.35, "faults": 0.75, "twists": 0.12,
    "sources": 0.35, "negative": 0.0, "spread": 0.55, "callees": 0.4, "factories": 0.6, "moved": 0.6, "objects": 0.8,
    "neural": 0.6, "records": 0.7, "keyed": 0.6, "lasting": 0.6, "dropped": 0.5, "registered": 0.6,
}  # fmt: skip
"""The share of programs that may use a feature. `--only` sets all others to nothing."""

ALL_HOMES = {**HOMES, **CALLEE_HOMES, **OBJECT_HOMES, **RECORD_HOMES, **LASTING_HOMES, **REGISTERED_HOMES}

HELPERS = {
    "use": "def use(t):\n    return float(t.sum())",
    "fill_all": "def fill_all(t):\n    t[...] = 1",
    "fill_tail": "def fill_tail(t, k):\n    t[k:] = 2",
    "fill_head": "def fill_head(t, k):\n    for i in range(min(k, t.shape[0])):\n        t[i] = 3",
    "fill_unless": "def fill_unless(t, flag):\n    if flag:\n        return\n    t[:] = 1",
    "head_of": "def head_of(t, k):\n    return t[:k]",
    "risky": 'def risky(flag):\n    if flag:\n        raise ValueError("asked for")',
    "look": "def look(t):\n    return float(TABLE[t].sum())",
    **TWISTED_HELPERS,
    **OBJECT_HELPERS,
    **CALLEE_HELPERS,
}
USES = (
    "def use(t):\n    return float(t.sum())",
    "def use(t):\n    return t.sum().item()",
    "def use(t):\n    total = t + 1\n    return float(total.sum())",
)


def program(seed: int, only: frozenset[str] | None = None) -> Program:
    """The program of this seed; with `only`, made of these features alone."""
    rng = random.Random(seed)
    features = {name for name, share in FEATURES.items() if rng.random() < share}
    if only is not None:
        features = {name for name in only if rng.random() < 0.9}
    return _Maker(seed, rng, features).program()


class _Maker:
    def __init__(self, seed: int, rng: random.Random, features: set[str]) -> None:
        self.seed, self.rng, self.features = seed, rng, features
        low = -2 if "negative" in features else 0
        names = ["n", "m", "k"][: rng.choice([1, 2, 2, 3])]
        self.params = [Param(names[0], "int")] + [Param(name, "int", (), low) for name in names[1:]]
        if "sources" in features:
            given = [Param("xs", "list"), Param("a", "tensor", ("rows",)), Param("a", "tensor", ("rows",))]
            self.params.append(rng.choice(given))
        self.params += [Param(name, "bool") for name in ("flag", "other")[: rng.choice([0, 1, 1, 2])]]
        ints = [p.name for p in self.params if p.kind == "int"]
        self.c = Covers(rng, features, ints, self._conditions(ints) if "branches" in features else [])
        self.reads = Reads(self.c)
        if "numpy" in features and rng.random() < 0.8:
            self.c.lib = "numpy"
        elif "index" in features and rng.random() < 0.8:
            self.c.dtype = "int64"

    def _conditions(self, ints: list[str]) -> list[str]:
        rng = self.rng
        flags = [p.name for p in self.params if p.kind == "bool"]
        made = [f"{rng.choice(ints)} {rng.choice(['>', '<', '==', '>=', '!='])} {rng.choice(['1', '2', '3'])}"]
        for flag in flags:
            made += [flag, flag, f"not {flag}"]
        if flags:
            made.append(f"{flags[0]} {rng.choice(['and', 'or'])} {made[0]}")
        if len(ints) > 1:
            made.append(f"{ints[0]} < {ints[1]}")
        rng.shuffle(made)
        return made[: rng.choice([1, 2, 3])]

    # ------------------------------------------------------------ the parts

    def _dims(self) -> list[str]:
        rng, ints = self.rng, self.c.ints
        rank = rng.choice([1, 1, 2, 2, 3]) if "axes" in self.features else 1
        pool = ["n", "n", "n", *ints, "n + 1", "2 * n", "4", "3"]
        dims = [rng.choice(pool) for _ in range(rank)]
        source = next((p.name for p in self.params if p.kind in ("list", "tensor")), "")
        if source:  # the first axis is as long as a source that the caller gives
            dims[0] = "len(xs)" if source == "xs" else rng.choice(["a.shape[0]", "len(a)"])
            self.c.source, self.c.source_size = source, dims[0]
        return dims

    def _alloc(self, dims: list[str]) -> tuple[str, str, str]:
        """The unwritten allocation, the same one filled, and a different written tensor of that shape."""
        c, rng, shape = self.c, self.rng, ", ".join(dims)
        if c.lib == "numpy":
            comma = "," if len(dims) == 1 else ""
            return f"np.empty(({shape}{comma}))", f"np.zeros(({shape}{comma}))", f"np.ones(({shape}{comma}))"
        kind = f", dtype=torch.{c.dtype}"
        other = f"torch.ones({shape}{kind})"
        ways = [f"torch.EMPTY({shape}{kind})"] * 4
        ways += [f"torch.EMPTY(({shape},){kind})", f"torch.EMPTY_like({other})", f"{other}.new_EMPTY(({shape},))"]
        text = rng.choice(ways)
        return text.replace("EMPTY", "empty"), text.replace("EMPTY", "zeros"), other

    def _blocks(self, expr: str, dims: list[str]) -> list[Block]:
        """What is done to the buffer, in order; the last block is the read that decides."""
        rng, c = self.rng, self.c
        index = ""
        if "parts" in self.features and rng.random() < 0.6:
            k = c.bound()
            index = rng.choice([f":{k}", f"{k}:", "1:", ":-1", "::2", "1::2", "0", "-1", f":{k} + 1"])
        blocks: list[Block] = []
        if index and rng.random() < 0.7:
            blocks.append([c.put(expr, c.slip(index, "1:", ":-1", "::2"))])
            if rng.random() < 0.3:
                blocks.insert(rng.randrange(2), [c.put(expr, c.at(c.bound() + ":", 0, len(dims)))])
        elif "twists" in self.features and rng.random() < 0.5:
            blocks.append(twist(c, expr, dims))
        elif "callees" in self.features and rng.random() < 0.5:
            blocks.append(by_callee(c, expr, dims))
        else:
            whole = c.cover(expr, dims)
            cut = rng.randrange(len(whole) + 1)
            joined = cut < len(whole) and getattr(whole[cut], "joined", False)
            named = any(isinstance(stmt, str) and " = " in stmt and not stmt.startswith(expr) for stmt in whole)
            blocks += [whole] if joined or named or not 0 < cut < len(whole) else [whole[:cut], whole[cut:]]
        if rng.random() < 0.25:
            blocks.insert(0, self.reads.idle(expr))
        if "faults" in self.features and rng.random() < 0.62:
            if rng.random() < 0.12 and len(blocks) > 1:
                blocks.append(blocks.pop(0) if rng.random() < 0.5 else [])
                blocks.insert(-1, self.reads.read(expr, dims, index))
            else:
                target = rng.choice(blocks)
                if plant(target, rng, c.conditions, self.features) == "raise":
                    c.used.add("risky")
        read = self.reads.read(expr, dims, index)
        if rng.random() < 0.15 and c.conditions:
            read = [Nest(f"if {rng.choice(c.conditions)}:", read)]
        blocks.append(read)
        return blocks

    # ------------------------------------------------------------ the whole

    def program(self) -> Program:
        """Puts a home around the blocks and the helpers that they use before it."""
        rng, c = self.rng, self.c
        dims = self._dims()
        c.slips = 1 if "faults" in self.features and rng.random() < 0.4 else 0
        alloc, filled, other = self._alloc(dims)
        names = [p.name for p in self.params]
        homes = {name: home for name, (need, home) in ALL_HOMES.items() if not need or need in self.features}
        if "twists" in self.features and rng.random() < 0.5:
            homes = dict(TWISTED_HOMES)
        home = rng.choice(list(homes))
        lines = homes[home](c, Plan(alloc, filled, other, dims, names, self._blocks))
        texts = self._texts(lines)
        files = self._files(texts[0])
        if len(texts) > 1:
            before = self._files(texts[1])
        else:
            marked = next(row for text in files.values() for row in text.split("\n") if row.endswith(SITE)).lstrip()
            before = {path: old_side(text, marked.replace(alloc, filled, 1)) for path, text in files.items()}
        assert before != files or home == "moved", texts
        features = frozenset({*self.features - {"spread"}, f"home:{home}", *(["spread"] if len(files) > 1 else [])})
        return Program(self.seed, files, before, "main", tuple(self.params), features)

    def _texts(self, lines: list[str]) -> list[str]:
        """The module's text; a second one if the old side is a text of its own."""
        c = self.c
        helpers = [self.rng.choice(USES)] + [HELPERS[name] for name in HELPERS if name in c.used]
        if c.dtype == "int64":
            helpers += ["TABLE = torch.ones(1000)", HELPERS["look"]]
        head = "".join(f"{helper}\n\n\n" for helper in helpers)
        return [head + "\n".join(rows).rstrip() + "\n" for rows in (lines, *([c.before] if c.before else []))]

    def _files(self, text: str) -> dict[str, str]:
        if "spread" in self.features:
            return spread(text, self.seed)
        return {MAIN: headed(text)}
