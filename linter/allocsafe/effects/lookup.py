"""Contracts by the name of the callee.

The judged project's own go before those of the packs. A key with dots, or `ns::op` (the same as `torch.ops.ns.op`, with
or without its overload), is that operator's; a key of one word is a convention: it stands for every callee of that last
name whose source is not in view. A pack's convention is never used for a function of another package, which may call
its functions what it likes. Nothing is parsed before somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from allocsafe.effects.contract import Contract, parse


class Entry(NamedTuple):
    """Where a contract stands: ``config`` or ``pack``, and its key and text there."""

    origin: str
    key: str
    text: str


class Contracts:
    """All contracts of a run."""

    def __init__(self, packs: Mapping[str, str], own: Mapping[str, str] | None = None) -> None:
        self._packs = {plain(key): Entry("pack", key, text) for key, text in packs.items()}
        self._own = {plain(key): Entry("config", key, text) for key, text in (own or {}).items()}
        self._parsed: dict[str, Contract] = {}

    def look_up(self, name: str, *, outside: bool = False) -> Contract | None:
        """What is known of the callee of this full name. `outside`: it is a function of a package out of view."""
        entry = self.entry(name, outside=outside)
        return None if entry is None else self._contract(name, entry)

    def own(self, name: str) -> Contract | None:
        """The judged project's contract of exactly this operator: it goes before the tables."""
        entry = self._own.get(plain(name)) if self._own else None
        return None if entry is None else self._contract(name, entry)

    def exact(self, name: str) -> Contract | None:
        """What is known of exactly this operator."""
        entry = self._own.get(plain(name)) or self._packs.get(plain(name))
        return None if entry is None else self._contract(name, entry)

    def entry(self, name: str, *, outside: bool = False) -> Entry | None:
        """Where the contract of this callee stands."""
        whole = plain(name)
        last = whole.rsplit("::", 1)[-1] if name.startswith("torch.ops.") else whole.rsplit(".", 1)[-1]
        return (
            self._own.get(whole)
            or self._own.get(last)
            or self._packs.get(whole)
            or (None if outside else self._packs.get(last))
        )

    def _contract(self, name: str, entry: Entry) -> Contract:
        if name not in self._parsed:
            self._parsed[name] = parse(name, entry.text)
        return self._parsed[name]


def plain(name: str) -> str:
    """One spelling for `ns::op`, `torch.ops.ns.op` and `torch.ops.ns.op.default`."""
    if name.startswith("torch.ops."):
        parts = name.split(".")
        return "::".join(parts[2:4]) if len(parts) >= 4 else name
    return name


__all__ = ["Contracts", "Entry", "plain"]
