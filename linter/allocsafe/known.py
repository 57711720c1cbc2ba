"""What is known of one operator, and where that stands: `allocsafe contract OPERATOR`.

*Claim.* The pieces are listed in the order in which a run asks for them, so the first is what a verdict rests on: a
contract of the judged project, an effects table, the operator's own Python source, a contract of a pack, its schema.
*Why that suffices.* Each piece is found by the code that a run uses. *What it gives up.* A Python function is found by
its name and its module's, not through the imports of a caller: there may be several.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.effects.lookup import Contracts
from allocsafe.effects.summary import Summary, Tables

if TYPE_CHECKING:
    from allocsafe.api import Pack
    from allocsafe.patch.pairs import Tree

MOST_PLACES = 5
"""Definitions of one name that are listed."""

_EFFECTS = {
    "-": "not touched", "R": "read", "I": "read as indices, lengths or offsets", "C": "read, compared",
    "W": "written whole", "M": "read, then written whole", "P": "written in part", "Q": "read and written in part",
    "V": "not read now: the result carries it on", "A": "added to: the old value is read, then all is written",
}  # fmt: skip
_HOW = """\
To say what it does, write one line into pyproject.toml:

    [tool.allocsafe.contracts]
    "{name}" = "(x, n, out) reads x; writes out[:n]; returns out"

A clause begins with reads, indexes, writes, accumulates, keeps, ignores, returns or guarded by. An argument that no
clause names may have anything done to it."""


class Piece(NamedTuple):
    """One thing that is known: what kind of thing, where it stands, and its text."""

    kind: str
    where: str
    text: str


class Knowledge(NamedTuple):
    """All that is known of an operator, in order of authority, and where nothing was found."""

    name: str
    pieces: tuple[Piece, ...]
    looked: tuple[str, ...]


def known_of(name: str, tree: Tree | None, packs: Sequence[Pack], own: Mapping[str, str]) -> Knowledge:
    """What a run over `tree` would know of the operator `name`."""
    contracts = Contracts({k: v for pack in packs for k, v in pack.contracts.items()}, own)
    pieces: list[Piece] = []
    looked = ["the contracts of the project and of the packs", "the effects tables"]
    entry = contracts.entry(name)
    said = None
    if entry is not None:
        where = "[tool.allocsafe.contracts]" if entry.origin == "config" else _pack_of(packs, entry.key)
        what = "contract" if _exact(name, entry.key) else "convention"
        loose = "" if what == "contract" else ", for what is called so and is no function of another package"
        said = Piece(what, f"{where}, key {entry.key!r}{loose}", entry.text)
    summary = _line(name, packs)
    mine = entry is not None and entry.origin == "config" and said is not None and said.kind == "contract"
    if mine and said is not None:
        pieces.append(said)
    if summary is not None:
        pieces.append(Piece("table", _table(summary, packs), _worded(summary)))
    schema: list[Piece] = []
    if tree is not None:
        schema, source = _registered(name, tree)
        pieces += source or _definitions(name, tree)
        looked += ["the Python sources of the tree", "the schemas that the tree registers"]
    if said is not None and not mine:
        pieces.append(said)
    return Knowledge(name, (*pieces, *schema), tuple(looked))


def shown(knowledge: Knowledge) -> str:
    """The page about one operator."""
    if not knowledge.pieces:
        looked = "".join(f"    {place}\n" for place in knowledge.looked)
        return f"nothing is known of {knowledge.name}. Looked at:\n{looked}\n{_HOW.format(name=knowledge.name)}\n"
    rows = [knowledge.name]
    for number, piece in enumerate(knowledge.pieces):
        note = "  <- what a verdict rests on" if number == 0 and len(knowledge.pieces) > 1 else ""
        rows.append(f"\n{piece.kind}: {piece.where}{note}")
        rows += [f"    {row}" for row in piece.text.splitlines()]
    return "\n".join(rows) + "\n"


def _exact(name: str, key: str) -> bool:
    from allocsafe.effects.lookup import plain

    return plain(name) == plain(key)


def _pack_of(packs: Sequence[Pack], key: str) -> str:
    return next((f"pack {pack.name!r}" for pack in packs if key in pack.contracts), "a pack")


# ---------------------------------------------------------------- tables


def _line(name: str, packs: Sequence[Pack]) -> Summary | None:
    tables = Tables(tuple(text for pack in packs for text in pack.effects()))
    return tables.look_up(name) or tables.look_up(name.removeprefix("builtins."))


def _table(summary: Summary, packs: Sequence[Pack]) -> str:
    """The file that holds the line, as far as it is a file."""
    for pack in packs:
        module = sys.modules.get(getattr(pack.effects, "__module__", ""))
        home = getattr(module, "__file__", None)
        for path in sorted(Path(home).parent.rglob("*.txt")) if home else ():
            for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if row.startswith(f"{summary.name} |"):
                    return f"{path.relative_to(Path(home or '').parent.parent)}:{number}"
    return next((f"pack {p.name!r}" for p in packs if any(f"\n{summary.name} |" in t for t in p.effects())), "a pack")


def _worded(summary: Summary) -> str:
    rows = [f"{param.name}: {_EFFECTS[param.effect]}" for param in summary.params if param.effect != "-"]
    kind, of = summary.result
    made = {
        "=": f"{of} itself", "new": "a fresh tensor, written", "view": f"a view of {of}", "views": f"views of {of}",
        "copy": f"a copy of {of}, unwritten where it is", "maybe": f"a view or a copy of {of}",
        "alloc": "a fresh tensor, unwritten", "filled": "a fresh tensor, written", "scalar": "a number of elements",
        "meta": "something that depends on no element", "tuple": "fresh tensors, written", "none": "nothing",
    }[kind]  # fmt: skip
    return "\n".join([*rows, f"returns {made}", *([f"depends on: {summary.special}"] if summary.special else [])])


# ---------------------------------------------------------------- the tree


def _registered(name: str, tree: Tree) -> tuple[list[Piece], list[Piece]]:
    """The schema of an operator, and the Python functions that it is."""
    from allocsafe.flow.registered import name_of, of_tree

    asked = name_of(name) if "::" in name or name.startswith("torch.ops.") else None
    if asked is None:
        return [], []
    found = of_tree(tree).find(asked)
    schema = [Piece("schema", place.where, str(place.schema)) for place in found.places[:MOST_PLACES]]
    if found.problem and not schema:
        schema = [Piece("schema", "cannot be used", found.problem)]
    source = [
        Piece("source", f"{said.path}:{said.def_line or said.line}", f"implemented in Python: {said.func or asked.op}")
        for said in found.functions[:MOST_PLACES]
    ]
    return schema, source


def _definitions(name: str, tree: Tree) -> list[Piece]:
    """Python functions of this name in modules of this name."""
    if "::" in name or name.startswith("torch."):
        return []
    *modules, last = name.split(".")
    head = re.compile(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{re.escape(last)}[ \t]*\(", re.M)
    out: list[Piece] = []
    for path in tree.mentions(last, (".py",)):
        parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
        if modules and modules[-1] not in parts and not _holds_class(tree, path, modules[-1]):
            continue
        source = tree.read(path)
        for found in head.finditer(source.text) if source is not None else ():
            line = source.text.count("\n", 0, found.end()) + 1 if source is not None else 1
            out.append(Piece("source", f"{path}:{line}", "followed where a call leads here"))
    return out[:MOST_PLACES]


def _holds_class(tree: Tree, path: str, name: str) -> bool:
    source = tree.read(path)
    return source is not None and re.search(rf"^[ \t]*class[ \t]+{re.escape(name)}\b", source.text, re.M) is not None


__all__ = ["Knowledge", "Piece", "known_of", "shown"]
