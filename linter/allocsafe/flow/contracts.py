"""Contracts at work: what a callee out of view does to the arguments of one call, as its contract says it.

*Claim.* Reads come before writes; what the contract does not name escapes; a bound made of elements is a fresh number
>= 0. An array on which the contract relies (its *guard*) is read as indices, and if it may hold unwritten elements at
the call, everything the contract said of the other arguments is taken back when the walk is over: then the callee may
have done anything to them. *Why that suffices.* What is taken back becomes an escape at the same place of the log,
which is what a callee without contract is. *What it gives up.* The guard's own read stands: it rests on no other array.

    x = empty(n)
    k(x, lengths)       contract: writes x[:lengths[-1]]       x: written [0:s], s >= 0 fresh; lengths: read as index
    x.sum()                                                    read [0:n] unless s >= n
"""

from __future__ import annotations

from typing import NamedTuple

from allocsafe.effects.contract import Atom, Bound, Contract, Place
from allocsafe.flow.buffers import Buffer, Entry
from allocsafe.flow.control import may_raise
from allocsafe.flow.machine import Machine
from allocsafe.flow.memory import escape, holds_array, keep, log
from allocsafe.flow.values import NONE, Alts, Array, Closure, Method, Opaque, Partial, Ref, TupleOf, Value, View, brief
from allocsafe.flow.views import Pick, index, sizes_of, some_of
from allocsafe.regions.exprs import Lin
from allocsafe.source import Span
from allocsafe.verdict import Consequence

OUTPUT = ("out", "output", "result", "dst")
"""First or last words of the names of outputs: `*` in `reads *` does not stand for them."""

SCRATCH = frozenset({"workspace", "scratch", "tmp", "temp", "semaphore", "semaphores", "lock", "locks", "lse"})
"""Words in the names of memory that a callee writes for itself, or as a second output: `*` is not for them either."""


class Use(NamedTuple):
    """One call that a contract spoke for: the reads of its guards, and the other entries that it made."""

    name: str
    guards: tuple[tuple[Buffer, Entry, str], ...]
    made: tuple[tuple[Buffer, Entry], ...]


class _Call:
    """One call under a contract."""

    def __init__(self, m: Machine, contract: Contract, bound: dict[str, Value], span: Span) -> None:
        self.m = m
        self.contract = contract
        self.bound = bound
        self.span = span
        self.made: list[tuple[Buffer, Entry]] = []
        self.guards: list[tuple[Buffer, Entry, str]] = []
        self.numbers: dict[Atom, Lin | None] = {}
        self.short = contract.name.removesuffix(".default").rsplit(".", 1)[-1]
        convention = contract.params is None and any(
            c.verb == "reads" and c.places[0].name == "*" for c in contract.clauses
        )
        self.assumption = (
            f"{contract.name} reads its tensor arguments whole" if convention else f"the contract of {contract.name}"
        )

    # ------------------------------------------------------------ regions

    def number(self, bound: Bound | None) -> Lin | None:
        """The value of a bound, None if it has none here."""
        if bound is None:
            return None
        total = Lin.of(0)
        for times, atom in bound:
            value = Lin.of(1) if atom.kind == "one" else self.atom(atom)
            if value is None:
                return None
            total = total + value * times
        return total

    def atom(self, atom: Atom) -> Lin | None:
        if atom not in self.numbers:
            self.numbers[atom] = self._atom(atom)
        return self.numbers[atom]

    def _atom(self, atom: Atom) -> Lin | None:
        m, value = self.m, self.bound.get(atom.name, NONE)
        if value == NONE:
            return None
        if atom.kind == "value" and not isinstance(value, Array):
            return m.as_lin(value, nonneg=True)
        if atom.kind in ("size", "len"):
            return self._size(value, atom.at if atom.kind == "size" else 0)
        if isinstance(value, TupleOf):
            lins = [m.as_lin(item) for item in value.items]
            known = [lin for lin in lins if lin is not None]
            if len(known) == len(lins) and lins:
                if atom.kind == "sum":
                    return sum(known[1:], known[0])
                if atom.kind == "item" and -len(known) <= atom.at < len(known):
                    return known[atom.at]
        key = ("element", m.fresh(), atom)
        m.note_born(key)
        text = m.buffers[value.buf].symbol if isinstance(value, Array) and value.buf >= 0 else ""
        text = text or (brief(value.text) if isinstance(value, Opaque) else atom.name)
        shown = {"item": f"{text}[{atom.at}]", "value": text}.get(atom.kind, f"{atom.kind}({text})")
        return m.symbol(key, shown, nonneg=True)

    def _size(self, value: Value, at: int) -> Lin | None:
        m = self.m
        if isinstance(value, TupleOf):
            return Lin.of(len(value.items)) if at == 0 else None
        if isinstance(value, Array):
            sizes = sizes_of(value.view) or tuple(d.size for d in value.view.dims or ())
            if value.view.open and at < 0:
                return None
            return sizes[at] if -len(sizes) <= at < len(sizes) else None
        if isinstance(value, Opaque):
            from allocsafe.flow.items import shape_at

            return shape_at(m, Opaque(("shape-of", m.shape_root(value).key, value.text), value.text), at)
        return None

    def part(self, array: Array, place: Place) -> tuple[Array, bool]:
        """The elements of `array` that a place names, and whether they are surely all of those."""
        if place.region is None:
            return array, not place.part
        picks: list[Pick] = []
        exact = not place.part
        for item in place.region:
            if item.kind == "dots":
                picks.append(Pick("dots"))
                continue
            lo, hi = self.number(item.lo), self.number(item.hi)
            missing = (item.lo is not None and lo is None) or (item.hi is not None and hi is None)
            from_end = lo is not None and lo.as_int() is None and not self.m.surely_nonneg(lo)
            if missing or from_end:
                picks.append(Pick("lost"))
                exact = False
            elif item.kind == "index":
                picks.append(Pick("int", at=lo))
            else:
                picks.append(Pick("slice", lo=lo, hi=hi))
        view = index(array.view, picks)
        return Array(array.buf, view if exact else some_of(view)), exact

    # ------------------------------------------------------------ events

    def log(
        self, array: Array, kind: str, note: str, cond: int, *, some: bool, consequence: Consequence = "data",
        accumulate: bool = False,
    ) -> list[tuple[Buffer, Entry]]:  # fmt: skip
        """One entry, and what the log got by it."""
        m = self.m
        buffer = m.buffers[array.buf]
        before = len(buffer.entries)
        log(
            m, array, kind, self.span, note, some=some, cond=cond, consequence=consequence, accumulate=accumulate
        )  # fmt: skip
        new = [(buffer, entry) for entry in buffer.entries[before:]]
        for _, entry in new:
            m.relied[entry.pos] = self.assumption
        return new

    def reads(self, value: Value, place: Place, verb: str, label: str) -> None:
        m = self.m
        for cond, array in () if isinstance(value, CALLABLE) else m.arrays(value):
            consequence: Consequence = "index" if verb == "indexes" or self._as_index(array, label) else "data"
            note, accumulate = f"read by {self.contract.name}", False
            if verb == "accumulates":
                consequence, note, accumulate = "accumulate", f"`{self.short}` starts from the old value", True
            seen, exact = self.part(array, place)
            self.made += self.log(
                seen, "read", note, cond, some=not exact, consequence=consequence, accumulate=accumulate
            )

    def _as_index(self, array: Array, label: str) -> bool:
        """Whether a convention without signature names what is called like this argument among the indices."""
        if self.contract.params is not None or array.buf < 0:
            return False
        symbol = label if not label.isdigit() else self.m.buffers[array.buf].symbol
        words = [p.name for c in self.contract.clauses if c.verb == "indexes" for p in c.places]
        return any(word in symbol for word in words)

    def writes(self, value: Value, place: Place) -> None:
        m = self.m
        loose = isinstance(value, Ref) and m.objects[value.obj].kind != "list"
        for cond, array in () if isinstance(value, CALLABLE) else m.arrays(value):
            seen, exact = self.part(array, place)
            note = f"`{self.short}`" if exact and not loose else f"`{self.short}` writes a part"
            self.made += self.log(seen, "write", note, cond, some=not exact or loose)

    def guard(self, name: str) -> None:
        """The read of an array that the contract relies on: as its own clause says, or of some of it."""
        said = [p for c in self.contract.clauses if c.verb in ("reads", "indexes") for p in c.places if p.name == name]
        value = self.bound.get(name, NONE)
        for cond, array in self.m.arrays(value):
            for place in said or [Place(name, None, True, 0)]:
                seen, exact = self.part(array, place)
                note = f"read by {self.contract.name}"
                new = self.log(seen, "read", note, cond, some=not exact, consequence="index")
                self.guards += [(buffer, entry, buffer.symbol or name) for buffer, entry in new]


def use(
    m: Machine,
    contract: Contract,
    args: list[Value],
    kwargs: dict[str, Value],
    span: Span,
    loose: list[Value],
) -> Value:
    """The events and the result of one call of an operator with a contract."""
    bound, left = _bind(contract, args, kwargs, loose)
    call = _Call(m, contract, bound, span)
    for name in contract.guards:
        call.guard(name)
    named = contract.names()
    star = next(((c.verb, p) for c in contract.clauses for p in c.places if p.name == "*"), None)
    rest = [label for label in bound if label not in named]
    if star is not None:
        kept = [label for label in rest if _output(m, label, bound[label])] if star[0] != "writes" else []
        covered, rest = [label for label in rest if label not in kept], kept
    else:
        covered = []
    everything = [*bound.values(), *left]
    held = [v for value in everything if isinstance(value, CALLABLE) for v in _behind(m, value)]
    unsaid = [(label, bound[label]) for label in rest] + [("an argument that is not named", v) for v in left]
    for clause in contract.clauses:
        if clause.verb in ("reads", "indexes", "accumulates"):
            for place in clause.places:
                labels = covered if place.name == "*" else [place.name]
                for label in labels:
                    if label not in contract.guards or clause.verb == "accumulates":  # a guard is read already
                        call.reads(bound.get(label, NONE), place, clause.verb, label)
    for label, value in unsaid:
        if holds_array(m, value):
            why = f"handed to {contract.name}, whose contract does not say what happens to {label}"
            escape(m, [value], span, why, "call", f"a clause for {label} in the contract of {contract.name}")
    if held:
        escape(m, held, span, f"reached by what is handed to {contract.name}", "call", f"the source of {contract.name}")
    may_raise(m, span, contract.name, sure=False)
    for clause in contract.clauses:
        for place in clause.places:
            for label in covered if place.name == "*" else [place.name]:
                value = bound.get(label, NONE)
                if clause.verb in ("writes", "accumulates"):
                    call.writes(value, place)
                elif clause.verb == "keeps":
                    keep(m, value, span, f"by {contract.name}")
    for value in everything:
        m.bump(value)
    if (call.made or call.guards) and not m.dry:
        m.uses.append(Use(contract.name, tuple(call.guards), tuple(call.made)))
    return _result(m, contract, bound)


def _bind(
    contract: Contract, args: list[Value], kwargs: dict[str, Value], loose: list[Value]
) -> tuple[dict[str, Value], list[Value]]:
    """Arguments by parameter, by position where there is no signature; and what fits nowhere. Beside unpacked ones
    (`loose`) no position is known.
    """
    left = list(loose)
    given = [] if loose else list(args)
    if contract.params is None:
        if loose and any(place.name == "*" for clause in contract.clauses for place in clause.places):
            return {**{str(1000 + i): value for i, value in enumerate([*args, *loose])}, **kwargs}, []
        return {**{str(i): value for i, value in enumerate(given)}, **kwargs}, [*left, *(args if loose else [])]
    if loose and contract.params and contract.params[0].kind == "star":  # it takes them all, whatever their places
        given, left = [*args, *loose], []
    elif loose:
        left += args
    bound: dict[str, Value] = {}
    rest = dict(kwargs)
    for param in contract.params:
        if param.kind == "star":
            bound[param.name] = TupleOf(tuple(given))
            given = []
        elif param.kind == "positional" and given:
            bound[param.name] = given.pop(0)
        elif param.kind == "double-star":
            left += rest.values()
            rest = {}
        elif param.name in rest:
            bound[param.name] = rest.pop(param.name)
    return bound, [*given, *left, *rest.values()]


def _output(m: Machine, label: str, value: Value) -> bool:
    """Whether an argument's name says that it is written to."""
    words = [] if label.isdigit() else label.lower().split("_")
    if label.isdigit() and isinstance(value, Array) and value.buf >= 0:
        words = m.buffers[value.buf].symbol.rsplit(".", 1)[-1].lower().split("_")
    words = [word.rstrip("0123456789") for word in words]
    return bool(words) and (words[0] in OUTPUT or words[-1] in OUTPUT or not SCRATCH.isdisjoint(words))


CALLABLE = (Closure, Partial, Method)


def _behind(m: Machine, value: Closure | Partial | Method) -> list[Value]:
    """What a callable that is handed over can reach: the callee may call it."""
    from allocsafe.flow.calls import captured

    return captured(m, value) if isinstance(value, Closure) else [value]


def _result(m: Machine, contract: Contract, bound: dict[str, Value]) -> Value:
    if contract.result == "none":
        return NONE
    key = ("made", contract.name, m.fresh())
    m.note_born(key)
    fresh = Opaque(key, f"{contract.name.rsplit('.', 1)[-1]}(...)")
    if contract.result not in ("", "fresh"):
        given = bound.get(contract.result, NONE)
        return m.each(given, lambda v: fresh if v == NONE else _first_of(m, v, fresh) if contract.more else v)
    if contract.result == "":
        written = [
            Array(array.buf, some_of(View(array.view.frame, array.view.box, None)))  # or a tuple that holds it
            for clause in contract.clauses
            if clause.verb in ("writes", "accumulates", "keeps")
            for place in clause.places
            for _, array in m.arrays(bound.get(place.name, NONE))
        ]
        if written:
            from allocsafe.flow.items import picked

            return picked(m, [*dict.fromkeys(written), fresh], f"what {contract.name} returns")
    return fresh


def _first_of(m: Machine, value: Value, fresh: Opaque) -> Value:
    """A value, or a tuple that begins with it: nobody knows which."""
    alone = m.decide(("alone", fresh.key), f"{fresh.text} is no tuple", "unknown")
    return Alts(((alone, value), (m.conds.no(alone), TupleOf((value, fresh)))))


def sealed(
    m: Machine, func: Closure, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value | None:
    """The call of a function of the tree that cannot be walked, if the project has a contract for it: by its module's
    name, from any folder on.
    """
    path = func.path.removesuffix(".py").removesuffix("/__init__").split("/")
    parts = [*path, *func.function.qualname.split(".")]
    for start in range(len(path)):
        said = m.contracts.own(".".join(parts[start:]))
        if said is not None:
            return use(m, said, args, kwargs, span, loose)
    return None


PASSING = frozenset({"Identity", "Flatten", "Unflatten", "ParameterList", "ParameterDict", "Parameter", "Buffer"})
"""Classes of torch.nn that hand on what they get unread, or are no modules."""


def of_module(m: Machine, func: Value) -> Contract | None:
    """The convention for modules, if the callee is one whose forward pass is out of view."""
    if isinstance(func, Ref):
        from allocsafe.flow.parameters import is_module

        found = is_module(m, func)
    else:
        key = func.key if isinstance(func, Opaque) else None
        made = key[1] if isinstance(key, tuple) and len(key) == 3 and key[0] == "made" else ""
        last = made.rsplit(".", 1)[-1] if isinstance(made, str) and made.startswith("torch.nn.") else ""
        found = last[:1].isupper() and last not in PASSING
    contract = m.contracts.exact("torch.nn.Module") if found else None
    return None if contract is None else contract._replace(name="a torch.nn.Module")


def settle(m: Machine) -> None:
    """Takes back what contracts said whose guards may be unwritten. After the walk, before anything is judged."""
    from allocsafe.flow.judge import Judge

    uses, m.uses = m.uses, []
    judge: Judge | None = None
    for each in uses:
        for buffer, entry, label in each.guards:
            judge = judge or Judge(m)
            if judge.answer(buffer, entry).status != "none":
                for made_in, made in each.made:
                    _take_back(m, made_in, made, each.name, label)
                judge = None  # it remembers what the logs said
                break


def _take_back(m: Machine, buffer: Buffer, entry: Entry, name: str, label: str) -> None:
    m.relied.pop(entry.pos, None)
    note = f"handed to {name}, whose contract relies on {label}, which may be unwritten"
    for number, other in enumerate(buffer.entries):
        if other is entry:
            buffer.entries[number] = entry._replace(
                kind="escape",
                frame=None,
                box=None,
                extent="some",
                note=note,
                event="escaped",
                step="contract",
                decides=f"{label} written before the call",
                accumulate=False,
            )
            return


__all__ = ["Use", "of_module", "sealed", "settle", "use"]
