"""A contract: what a callee does to its arguments that the source does not show, in one line of text.

    "flash_attn.flash_attn_varlen_func" = "reads q, k[:cu_seqlens_k[-1]]; writes out[:cu_seqlens_q[-1]]"

    contract  = [signature] clause {";" clause}
    signature = "(" NAME ["=" default] | "*" | "*" NAME | "**" NAME, ... ")"
    clause    = ("reads" | "indexes" | "writes" | "accumulates") places    indexes: reads as indices, lengths or offsets
              | ("keeps" | "ignores") places                               accumulates: reads the old value, then writes
              | "guarded by" places
              | "returns" ("fresh" | "none" | NAME ["," "..."])            NAME, ...: it, or a tuple that begins with it
    places    = place {"," place}
    place     = ["part of"] (NAME | POSITION) [region] ["up to" NAME] | "*"    *: every argument that nothing else names
    region    = "[" (bound | [bound] ":" [bound] | "..."), ... "]"
    bound     = [INTEGER "*"] atom {("+" | "-") [INTEGER "*"] atom}
    atom      = INTEGER | NAME | NAME "[" INTEGER "]" | NAME ".shape[" INTEGER "]"
              | ("max" | "sum" | "len") "(" NAME ")"

*Claim.* A contract says no more than it says: an argument that no clause names may have anything done to it, and so
may one that a call gives by position to a contract without signature; where no `returns` stands, the result may be any
argument that is written. A bound that is made of an array's elements is some
number >= 0, never assumed to be a length; the array becomes a *guard*, on which the contract relies. `k up to lengths`
is `reads part of k`, guarded by `lengths`. *What it gives up.* Regions are boxes: "the rows of the experts present"
is `part of`.

A name without a dot stands for every callee out of view whose last name it is; one with dots, or `ns::op`, for that
operator alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

VERBS = ("reads", "indexes", "writes", "accumulates", "keeps", "ignores")
REGIONED = ("reads", "indexes", "writes", "accumulates")
_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_]\w*)|(\.\.\.|\*\*|[][(),;:*+=.-])|(\S))")


class ContractError(ValueError):
    """What is wrong with a contract, in one line, and at which column (from 1) of its text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


class Atom(NamedTuple):
    """One number: ``one`` (the constant 1), ``value`` of an integer argument, ``item`` `at`, ``size`` `at`, ``max``,
    ``sum`` or ``len`` of one.
    """

    kind: str
    name: str = ""
    at: int = 0


Bound = tuple[tuple[int, Atom], ...]
"""A sum of multiples."""


class Item(NamedTuple):
    """One item of a region: ``slice`` with its bounds, one ``index`` (in `lo`), or ``dots``."""

    kind: str
    lo: Bound | None = None
    hi: Bound | None = None


class Place(NamedTuple):
    """An argument (by name, or by position as digits, or `*`) and which of its elements; `region` None: all."""

    name: str
    region: tuple[Item, ...] | None
    part: bool
    column: int


class Clause(NamedTuple):
    verb: str
    places: tuple[Place, ...]


class Param(NamedTuple):
    name: str
    kind: str  # positional keyword-only star double-star


class Contract(NamedTuple):
    """A parsed contract. `result`: ``fresh``, ``none``, a parameter, or "" where nothing is said. `more`: that
    parameter, or a tuple that begins with it.
    """

    name: str
    text: str
    params: tuple[Param, ...] | None
    clauses: tuple[Clause, ...]
    result: str
    guards: tuple[str, ...]
    more: bool = False

    def names(self) -> frozenset[str]:
        """The arguments that a clause or a bound names."""
        said = {place.name for clause in self.clauses for place in clause.places}
        return frozenset(said | set(self.guards) | ({self.result} - {"", "fresh", "none"}))


class _Reader:
    """The tokens of one text, with their columns."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        for found in _TOKEN.finditer(text):
            kind = ("number", "name", "sign", "bad")[(found.lastindex or 1) - 1]
            word, column = found[found.lastindex or 1], found.start(found.lastindex or 1) + 1
            if kind == "bad":
                raise ContractError(f"{word!r} has no meaning here", column)
            self.tokens.append((kind, word, column))
        self.at = 0
        self.end = len(text.rstrip()) + 1

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    @property
    def column(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else self.end

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def takes(self, *words: str) -> bool:
        """Takes these words if they come next."""
        if all(self.peek(i) == word for i, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.takes(word):
            raise self.error(f"expected {word!r}")

    def name(self, what: str) -> str:
        if self.kind() != "name":
            raise self.error(f"expected {what}")
        return self.take()

    def integer(self) -> int:
        negative = self.takes("-")
        if self.kind() != "number":
            raise self.error("expected an integer")
        return -int(self.take()) if negative else int(self.take())

    def error(self, message: str) -> ContractError:
        found = self.peek()
        return ContractError(f"{message}, not {found!r}" if found else f"{message}, and the text ends", self.column)


def parse(name: str, text: str) -> Contract:
    """The contract of the callee `name`. Raises `ContractError`."""
    reader = _Reader(text)
    guards: dict[str, int] = {}
    params = _signature(reader) if reader.peek() == "(" else None
    clauses: list[Clause] = []
    result, more = "", False
    while True:
        column = reader.column
        verb = reader.take() if reader.kind() == "name" else ""
        if verb == "returns":
            if result:
                raise ContractError("a second `returns`", column)
            at = reader.column
            result = reader.name("`fresh`, `none` or a parameter")
            _known(params, result, at, ("fresh", "none"))
            if result not in ("fresh", "none") and reader.peek() == ",":
                reader.expect(",")
                reader.expect("...")
                more = True
        elif verb == "guarded":
            reader.expect("by")
            for place in _places(reader, params, guards, plain="guarded by"):
                guards.setdefault(place.name, place.column)
        elif verb in VERBS:
            plain = "" if verb in REGIONED else verb
            clauses.append(Clause(verb, tuple(_places(reader, params, guards, plain=plain))))
        else:
            words = ", ".join((*VERBS, "returns", "guarded by"))
            raise ContractError(f"a clause begins with one of {words}{_near(verb)}", column)
        if reader.kind() == "end":
            break
        reader.expect(";")
        if reader.kind() == "end":
            break
    if sum(place.name == "*" for clause in clauses for place in clause.places) > 1:
        raise ContractError("`*` stands in two clauses", reader.end)
    _consistent(clauses)
    return Contract(name, text, params, tuple(clauses), result, tuple(guards), more)


def _consistent(clauses: list[Clause]) -> None:
    for clause in clauses:
        for place in clause.places:
            if clause.verb == "ignores" and any(
                place.name == other.name for c in clauses if c.verb != "ignores" for other in c.places
            ):
                raise ContractError(f"{place.name!r} is ignored here and used in another clause", place.column)


def _near(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, (*VERBS, "returns", "guarded"), n=1) if word else []
    return f"; did you mean {near[0]!r}?" if near else f", not {word!r}" if word else ""


def _signature(reader: _Reader) -> tuple[Param, ...]:
    out: list[Param] = []
    kind = "positional"
    reader.expect("(")
    while not reader.takes(")"):
        column = reader.column
        if reader.takes("**"):
            out.append(Param(reader.name("a name after `**`"), "double-star"))
        elif reader.takes("*"):
            if reader.kind() == "name":
                out.append(Param(reader.take(), "star"))
            kind = "keyword-only"
        else:
            label = reader.name("a parameter's name")
            if any(param.name == label for param in out):
                raise ContractError(f"a second parameter {label!r}", column)
            out.append(Param(label, kind))
            if reader.takes("="):
                reader.takes("-")
                if reader.kind() not in ("name", "number"):
                    raise reader.error("expected a name or a number as the default")
                reader.take()
        if reader.peek() != ")":
            reader.expect(",")
    return tuple(out)


def _known(params: tuple[Param, ...] | None, name: str, column: int, also: tuple[str, ...] = ()) -> None:
    if name in also:
        return
    if params is None:
        return
    if not any(param.name == name for param in params):
        import difflib

        near = difflib.get_close_matches(name, [param.name for param in params], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ContractError(f"the signature has no parameter {name!r}{hint}", column)


def _places(
    reader: _Reader, params: tuple[Param, ...] | None, guards: dict[str, int], plain: str = ""
) -> Iterator[Place]:
    """Places to the end of the clause. `plain`: the verb that takes whole arguments only."""
    while True:
        column = reader.column
        part = reader.takes("part", "of")
        if part and plain:
            raise ContractError(f"`{plain}` has no parts", column)
        column = reader.column
        if reader.takes("*"):
            name = "*"
            if part:
                raise ContractError("`*` has no parts", column)
            if plain == "guarded by":
                raise ContractError("a guard has a name", column)
        elif reader.kind() == "number":
            name = reader.take()
            if params is not None:
                raise ContractError("with a signature an argument has a name, not a position", column)
        else:
            name = reader.name("an argument")
            _known(params, name, column)
        region: tuple[Item, ...] | None = None
        if reader.peek() == "[":
            if plain or name == "*":
                raise ContractError(f"`{plain or name}` takes no region", reader.column)
            region = tuple(_region(reader, params, guards))
        if reader.takes("up", "to"):
            if plain or name == "*":
                raise ContractError(f"`{plain or name}` takes no region", column)
            at = reader.column
            guard = reader.name("the array that bounds it")
            _known(params, guard, at)
            guards.setdefault(guard, at)
            part = True
        yield Place(name, region, part, column)
        if not reader.takes(","):
            return


def _region(reader: _Reader, params: tuple[Param, ...] | None, guards: dict[str, int]) -> Iterator[Item]:
    reader.expect("[")
    while True:
        if reader.takes("..."):
            yield Item("dots")
        else:
            lo = None if reader.peek() == ":" else _bound(reader, params, guards)
            if reader.takes(":"):
                hi = None if reader.peek() in (",", "]") else _bound(reader, params, guards)
                yield Item("slice", lo, hi)
            else:
                yield Item("index", lo)
        if reader.takes("]"):
            return
        reader.expect(",")


def _bound(reader: _Reader, params: tuple[Param, ...] | None, guards: dict[str, int]) -> Bound:
    out: list[tuple[int, Atom]] = []
    sign = -1 if reader.takes("-") else 1
    while True:
        times = 1
        if reader.kind() == "number" and reader.peek(1) == "*":
            times = int(reader.take())
            reader.expect("*")
        if reader.kind() == "number":
            out.append((sign * times * int(reader.take()), Atom("one")))
        else:
            out.append((sign * times, _atom(reader, params, guards)))
        if reader.takes("+"):
            sign = 1
        elif reader.takes("-"):
            sign = -1
        else:
            return tuple(out)


def _atom(reader: _Reader, params: tuple[Param, ...] | None, guards: dict[str, int]) -> Atom:
    column = reader.column
    name = reader.name("a bound: an integer or an argument")
    if name in ("max", "sum", "len") and reader.takes("("):
        at = reader.column
        inner = reader.name("an argument")
        _known(params, inner, at)
        reader.expect(")")
        if name != "len":
            guards.setdefault(inner, at)
        return Atom(name, inner)
    _known(params, name, column)
    if reader.takes("["):
        number = reader.integer()
        reader.expect("]")
        guards.setdefault(name, column)
        return Atom("item", name, number)
    if reader.takes("."):
        reader.expect("shape")
        reader.expect("[")
        number = reader.integer()
        reader.expect("]")
        return Atom("size", name, number)
    return Atom("value", name)


__all__ = ["Atom", "Bound", "Clause", "Contract", "ContractError", "Item", "Param", "Place", "parse"]
