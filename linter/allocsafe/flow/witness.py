"""From answers to verdicts: one allocation, everything that reads it, and the story of it.

A site is `unsafe` when some read surely meets a hole, `safe` when every read, and everything it is handed to, was
proved to meet none, and `unknown` otherwise: the first thing that stopped the proof is named, with what would decide
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from allocsafe.flow.buffers import Buffer, Entry
from allocsafe.flow.conditions import TRUE
from allocsafe.flow.instances import without_turns
from allocsafe.flow.judge import Answer, Judge
from allocsafe.flow.machine import Machine
from allocsafe.flow.padding import prefix
from allocsafe.regions import show
from allocsafe.regions.box import Access
from allocsafe.regions.exprs import Lin
from allocsafe.regions.question import hole
from allocsafe.source import Span
from allocsafe.verdict import Consequence, Event, EventKind, Facet, Hole, Safe, Unknown, Unsafe, Verdict

MOST_ALIKE = 6
"""Unsafe reads of one severity that are looked at for the one that says most."""

MOST_BRANCHES = 4
"""Branches told in a story: the last ones before the read."""

SEVERITY: dict[Consequence, int] = {
    "index": 6,
    "accumulate": 5,
    "compare": 4,
    "collective": 4,
    "persist": 4,
    "data": 3,
    "return": 1,
}

DECIDES = {
    "branches": "splitting the function, or a larger --budget",
    "region": "bounds that are affine in the sizes",
    "order": "a driver in the same patch that fixes the order, or a phase word for the method",
    "part": "a write of the whole region, or a contract that says which part is written",
    "exception": "writing the buffer before the `try`",
    "alias": "one name for one buffer",
    "condition": "the relation written as an assertion before the read",
}


class Reads:
    """The buffers of one allocation and what the judge says of each access."""

    def __init__(self, m: Machine, buffers: list[Buffer], outside: Callable[[str], Sequence[str]]) -> None:
        self.m = m
        self.judge = Judge(m)
        self.buffers = buffers
        self.outside = outside  # attribute or global name -> other files that mention it

    def verdict(self) -> Verdict:
        """The verdict over every access, in program order."""
        answers: list[Answer] = []
        for buffer in self.buffers:
            for entry in list(buffer.entries):
                if entry.kind in ("read", "escape") or entry.kind == "return":
                    answers.append(self.judge.answer(buffer, entry))
        sure = [a for a in answers if a.status == "sure" and a.entry.kind == "read"]
        returned = [a for a in answers if a.status == "sure" and a.entry.kind == "return"]
        unsure = [a for a in answers if a.status == "unsure" or (a.status == "sure" and a.entry.kind == "escape")]
        hard = [a for a in sure if a.entry.soft < 0]
        if hard:
            sure = hard  # what became of the garbage says more than that something was computed from it
        if sure:
            sure.sort(key=lambda a: (-SEVERITY[a.entry.consequence], a.entry.pos))
            worst = [a for a in sure if SEVERITY[a.entry.consequence] == SEVERITY[sure[0].entry.consequence]][
                :MOST_ALIKE
            ]
            told = next((a for a in worst if "never-written" in self._facets(a)), worst[0])
            # a hole that no later write mends says more
            return self._unsafe(told, contained=not hard and not unsure and not returned and self._contained())
        partly = [a for a in returned if self._partly(a) and not self._getter(a)]
        partly = partly or [a for a in returned if self._recorded(a)]
        if partly:
            return self._unsafe(min(partly, key=lambda a: a.entry.pos))
        if unsure:
            return self._unknown(
                min(
                    unsure,
                    key=lambda a: (a.entry.kind == "escape" and a.status == "sure", a.entry.soft >= 0, a.entry.pos),
                )
            )
        if returned:
            answer = returned[0]
            assert answer.hole is not None
            return Unknown(
                "call",
                answer.entry.span,
                f"returned with {self._region(answer)} unwritten to callers that are not in view",
                "the callers of this function",
                self._story(answer),
                self._as_hole(answer),
                "return",
                self._assumes(),
            )
        kept = self._kept()
        if kept is not None:
            return kept
        if not answers and all(not b.entries for b in self.buffers):
            reason = "nothing reads it"
        elif not list(answers):
            reason = "it is written, and nothing reads it"
        else:
            reason = "every read is covered by the writes before it"
        return Safe(reason, self._proof(answers), self._assumes())

    # ------------------------------------------------------------ unsafe

    def _contained(self) -> bool:
        """Whether what was computed from garbage is nowhere kept."""
        made = [b for b in self.buffers if b.ident in self.m.derived or b.origin is not None]
        return all(not b.kept_in and all(e.kind != "keep" for e in b.entries) for b in made)

    def _unsafe(self, answer: Answer, *, contained: bool = False) -> Verdict:
        assert answer.hole is not None
        entry, region = answer.entry, self._region(answer)
        facets = self._facets(answer)
        consequence: Consequence = "return" if entry.kind == "return" else entry.consequence
        where = f"line {entry.span.line}{_spoils(entry) if consequence == 'data' else ''}"
        verb = {
            "index": "is used as an index",
            "data": "is read",
            "accumulate": "is added to",
            "compare": "is compared",
            "persist": "is saved",
            "collective": "is sent to other ranks",
            "return": "is returned",
        }[consequence]
        path = self._path_text(answer)
        reason = f"{region} {verb} at {where} before anything writes it"
        if "never-written" in facets:
            reason = f"{region} {verb} at {where}, and nothing ever writes it"
        elif "wrong-phase" in facets:
            reason = f"{region} {verb} at {where} in {self._when(entry)}; its first write comes later"
        elif "skipped-fill" in facets and path:
            reason = f"{region} {verb} at {where}; the write is skipped when {path}"
        if "padding" in facets:
            reason += f" (padding: {self._lengths(answer)})"
        never = self.judge.ever(answer)
        if never is not None and never.region != answer.hole.region:  # a part of it that no later write mends
            late = f"; the rest of {region} is written later" if "wrong-phase" in facets else ""
            answer = answer._replace(hole=never)
            reason = f"{self._region(answer)} {verb} at {where}, and nothing ever writes it{late}"
            facets |= {"never-written"}
        if contained:
            reason = f"{region} {verb} at {where} and is garbage; nothing outside of those elements depends on it"
            facets = frozenset({"contained"})
        return Unsafe(reason, self._story(answer), self._as_hole(answer), consequence, facets, self._assumes())

    def _when(self, entry: Entry) -> str:
        """The phase of a read: of the first call on the way there that has one later than construction."""
        from allocsafe.flow.called import phase_by_word

        for span in entry.stack:
            phase = phase_by_word(self.m.callees.get(span, "").rsplit(".", 1)[-1], self.m.phases)
            if phase is not None and phase.rank > 1 and (self.m.phase_rank(entry.phase) or 0) <= 1:
                return f"the {phase.name} phase"
        return self.m.phase_name(entry.phase)

    def _padding(self, answer: Answer) -> Entry | None:
        """A write that covers the read but for its end, which has another length."""
        buffer, entry = answer.buffer, answer.entry
        shape = entry.frame if entry.frame is not None else buffer.shape
        if buffer.origin is not None or entry not in buffer.entries or entry.extent != "all" or shape is None:
            return None
        cut = self.judge.rank_of(buffer) if buffer.open and entry.frame is None else len(shape)
        read = None if entry.box is None else entry.box[:cut]
        for write in buffer.entries:
            whole = write.kind == "write" and write.extent == "all" and write.frame == entry.frame
            if whole and write.box is not None and prefix(shape[:cut], read, write.box[:cut]) is not None:
                chain = self._chain(buffer)
                if self.region_of(write, chain) != self.region_of(entry, chain):
                    return write
        return None

    def _pads(self, answer: Answer) -> str:
        return f" (padding: {self._lengths(answer)})" if self._padding(answer) is not None else ""

    def _lengths(self, answer: Answer) -> str:
        """How far it is written, and how far it is read."""
        write, chain = self._padding(answer), self._chain(answer.buffer)
        assert write is not None
        return f"written {self.region_of(write, chain)}, read {self.region_of(answer.entry, chain)}"

    def _getter(self, answer: Answer) -> bool:
        """Whether what is returned lives on in an attribute that another entry point gave it: a way to get at it."""
        kept = any(b.kept_in for b in self._chain(answer.buffer))
        return kept and answer.entry.phase != answer.buffer.phase

    def _recorded(self, answer: Answer) -> bool:
        """Whether elements are looked up for somebody who records a graph: they are read there and then, and what was
        looked up is what the recording goes on with.
        """
        phase = self.m.phase_of(answer.entry.phase)
        capture = phase is not None and phase.name == "capture" and phase.last_rank is None
        return capture and any(answer.entry in b.entries for b in self.buffers if b.origin is not None)

    def _partly(self, answer: Answer) -> bool:
        """Returned with a hole although the function writes it: on another path, or another part."""
        assert answer.hole is not None
        entries = [e for b in self._chain(answer.buffer) for e in b.entries]
        sometimes = bool(answer.cube) or answer.entry.cond != TRUE
        if not any(e.kind == "write" for e in entries):
            # a condition that has to do with nobody who could have filled it says nothing
            conds = self.m.conds
            world = answer.entry.cond
            for index, value in answer.cube.items():
                world = conds.both(conds.literal(index, value), world)
            handed = [e for e in entries if e.kind == "escape" and e.pos < answer.entry.pos]
            return any(not conds.meets(world, e.cond) for e in handed)
        return sometimes or answer.hole.region != "whole"

    def _facets(self, answer: Answer) -> frozenset[Facet]:
        entry, m = answer.entry, self.m
        out: set[Facet] = set()
        writers = [e for b in self._chain(answer.buffer) for e in b.entries if e.kind in ("write", "escape")]
        later = [e for e in writers if e.pos > entry.pos and e.phase != entry.phase]
        if entry.accumulate:
            out.add("zero-relied-on")
        covering = self._who_would_cover(answer, writers)
        ever = self.judge.ever(answer)
        if ever is not None and answer.hole is not None and ever.region == answer.hole.region:
            covering = []
        if not covering and not any(e.kind == "escape" for e in writers):
            out.add("never-written")
        elif entry.phase and later and any(e in later for e in covering) and m.phase_rank(entry.phase) is not None:
            out.add("wrong-phase")
        elif answer.cube and any(m.conds.support(e.cond) & answer.cube.keys() for e in covering):
            out.add("skipped-fill")
        if entry.consequence in ("compare", "persist", "collective"):
            out.add("kept")
        if self._padding(answer) is not None:
            out.add("padding")
        return frozenset(out)

    def _who_would_cover(self, answer: Answer, writers: list[Entry]) -> list[Entry]:
        """Writes that would close (a part of) the hole if they had happened before the read."""
        assert answer.hole is not None
        out = []
        buffer = answer.buffer
        while buffer.origin is not None:
            buffer = self.m.buffers[buffer.origin.array.buf]
        shape = buffer.shape
        read = Access(answer.entry.box if answer.buffer is buffer else None, (), ())
        whole = hole(shape, read, [])
        for entry in writers:
            if entry.extent != "all" or entry.box is None or entry.frame is not None:
                out.append(entry)
                continue
            from allocsafe.regions.box import Write

            own = tuple(t.loop for t in entry.turns)
            if shape is None or len(entry.box) != len(shape):
                out.append(entry)
                continue
            left = hole(shape, read, [Write(Access(entry.box, own, ()), True, False)])
            if left.region != whole.region and (
                answer.hole.region == whole.region or left.region != answer.hole.region
            ):
                again = self._covers_hole(shape, answer, entry)
                if again:
                    out.append(entry)
        return out

    def _covers_hole(self, shape: tuple[Lin, ...], answer: Answer, entry: Entry) -> bool:
        from allocsafe.regions.box import Write

        assert answer.hole is not None
        others = [e for e in answer.covering if e.box is not None and e.frame is None]
        made = [Write(Access(e.box, tuple(t.loop for t in e.turns), ()), True, False) for e in [*others, entry]]
        read = Access(answer.entry.box, tuple(t.loop for t in answer.entry.turns), ())
        left = hole(shape, read, made)
        return left.region != answer.hole.region

    # ------------------------------------------------------------ unknown

    def _unknown(self, answer: Answer) -> Verdict:
        entry = answer.entry
        assert answer.hole is not None
        region = self._region(answer)
        consequence: Consequence = "return" if entry.kind == "return" else entry.consequence
        if entry.kind == "escape" and answer.status == "sure":
            return Unknown(
                entry.step,
                entry.span,
                f"{region} is unwritten when it is {entry.note}",
                entry.decides or "its source",
                self._story(answer),
                self._as_hole(answer),
                None,
                self._assumes(),
            )
        if answer.step == "condition" and answer.hole.condition:
            return Unknown(
                "condition",
                entry.span,
                f"{region} is read at line {entry.span.line} unless {answer.hole.condition}{self._pads(answer)}",
                DECIDES["condition"],
                self._story(answer),
                self._as_hole(answer),
                consequence,
                self._assumes(),
            )
        blocker = answer.blocker
        if blocker is not None and blocker.kind == "escape":
            why = f"{region} is read at line {entry.span.line}; before that it was {blocker.note}"
            return Unknown(
                blocker.step,
                blocker.span,
                why,
                blocker.decides or "its source",
                self._story(answer),
                self._as_hole(answer),
                consequence,
                self._assumes(),
            )
        at = blocker.span if blocker is not None else entry.span
        if entry.kind == "escape":
            why = f"{region} may be unwritten when it is {entry.note}: {answer.why}"
        else:
            why = f"{region} may be unwritten at line {entry.span.line}: {answer.why}"
        return Unknown(
            answer.step,
            at,
            why,
            DECIDES.get(answer.step, "its source"),
            self._story(answer),
            self._as_hole(answer),
            consequence,
            self._assumes(),
        )

    def _kept(self) -> Verdict | None:
        """What code that is not in view can still reach must not have a hole."""
        for buffer in self.buffers:
            if buffer.origin is not None:
                continue
            names: dict[str, Sequence[str]] = {}
            for view in self.m.held.views.values():
                if view.buf == buffer.ident:
                    if view.name not in names:
                        names[view.name] = self.outside(view.name)
                    if names[view.name]:
                        end = self._at_end(buffer, view.entry)
                        if end.status != "none":
                            return self._still_open(buffer, end, view.name, names[view.name])
            for entry in [e for e in buffer.entries if e.kind == "keep"]:
                word = re.fullmatch(r"(?:.*\.)?(\w+)", entry.note)
                if word is not None and word[1] in self.m.held.followed:
                    continue
                end = self._at_end(buffer, entry)
                if end.status != "none":
                    return Unknown(
                        "kept",
                        entry.span,
                        f"{self._region(end)} may be unwritten when it is kept in {entry.note}",
                        f"who reads {entry.note}",
                        self._story(end),
                        self._as_hole(end),
                        None,
                        self._assumes(),
                    )
        return None

    def _still_open(self, buffer: Buffer, end: Answer, name: str, files: Sequence[str]) -> Unknown:
        """A hole that can be reached by a name which not everybody who says it was followed."""
        first, count = self.m.held.missed.get(name, (files[0], len(files)))
        where = f"{first}{f' and {count - 1} more' if count > 1 else ''}"
        return Unknown(
            "kept",
            buffer.site,
            f"{self._region(end)} may be unwritten in {name}, which {where} can read",
            f"following {name} into {first}",
            self._story(end),
            self._as_hole(end),
            None,
            self._assumes(),
        )

    def _at_end(self, buffer: Buffer, kept: Entry) -> Answer:
        """What of the elements that are kept is unwritten when everything in view has run."""
        m = self.m
        cond = m.conds.both(kept.cond, m.conds.both(m.ran.get(kept.phase, TRUE), m.ran.get(buffer.phase, TRUE)))
        entry = kept._replace(pos=m.pos + 1, kind="read", cond=cond, phase=0, event="read", stack=())
        entry = entry._replace(span=buffer.site, note="read by others")
        return self.judge.answer(buffer, entry)

    # ------------------------------------------------------------ words and stories

    def _assumes(self) -> tuple[str, ...]:
        """What was taken for granted about this allocation: the lengths it is accessed by, the contracts of its
        readers, the order of phases.
        """
        m = self.m
        entries = [e for b in self.buffers for e in b.entries]
        used = {s for b in self.buffers for size in b.shape or () for s in size.all_syms()}
        used |= {
            s for e in entries for axis in e.box or () for lin in (axis.start, *axis.stops) for s in lin.all_syms()
        }
        out = {text for text, symbols in m.assumed.items() if symbols & used} | m.assumes
        out |= {m.relied[e.pos] for e in entries if e.pos in m.relied}
        for pair in self.judge.phases:
            first, second = (m.phase_of(index) for index in pair)
            if first is not None and second is not None and first.rank > 1 and first.name != second.name:
                out.add(f"{first.name} before {second.name}")
        return tuple(sorted(out))

    def _region(self, answer: Answer) -> str:
        assert answer.hole is not None
        region = without_turns(answer.hole.region, self._chain(answer.buffer)[-1].outer)
        return "all of it" if region in ("whole", "") else region

    def _as_hole(self, answer: Answer) -> Hole:
        assert answer.hole is not None
        outer = self._chain(answer.buffer)[-1].outer
        region, sample = (without_turns(said, outer) for said in (answer.hole.region, answer.hole.sample))
        return Hole("[:]" if region in ("whole", "") else region, sample, answer.hole.condition)

    def _path_text(self, answer: Answer) -> str:
        """The branches that keep the writers away, in program order; else the last ones of the path."""
        conds = self.m.conds
        asked = [i for i in sorted(answer.cube) if conds.atoms[i].kind != "unknown"]
        writers = [e for b in self._chain(answer.buffer) for e in b.entries if e.kind in ("write", "escape")]
        guards = [e.cond for e in writers if e.cond != TRUE]
        away = [i for i in asked if any(not conds.meets(g, conds.literal(i, answer.cube[i])) for g in guards)]
        return " and ".join(conds.text({i: answer.cube[i]})[0] for i in (away or asked)[-3:])

    def _story(self, answer: Answer) -> tuple[Event, ...]:
        buffer, entry = answer.buffer, answer.entry
        out = [Event("allocated", buffer.site, "", buffer.what)]
        chain = self._chain(buffer)
        for span in chain[-1].stack[1:]:
            if span not in entry.stack:
                out.append(Event("note", span, "", f"in this call of {self.m.callees.get(span, 'it')}"))
        writes = [e for b in chain for e in b.entries if e.kind == "write"]
        before = [e for e in answer.covering if e in writes]
        atoms = {index: self.m.conds.atoms[index] for index in sorted(answer.cube)}
        chosen = {a.subject for index, a in atoms.items() if answer.cube[index] and a.subject is not None}
        branches: list[Event] = []
        for index, atom in atoms.items():
            taken = answer.cube[index]
            text = self.m.conds.text({index: taken})[0]
            if isinstance(atom.key, tuple) and atom.key[0] == "ran":
                if taken or atom.text in answer.why:
                    out.append(Event("note", atom.span, "", text))
            elif atom.span.line and atom.kind != "unknown" and (taken or atom.subject not in chosen):
                branches.append(Event("branch", atom.span, "", text))
        told = branches[-MOST_BRANCHES:] + [
            Event("written", w.span, self.region_of(w, chain), w.note) for w in before[:6]
        ]
        if len({event.span.path for event in told}) == 1:
            told.sort(key=lambda event: event.span.line)
        out += told
        for copied in chain[:-1]:
            if copied.origin is not None:
                out.append(Event("copied", copied.origin.span, "", copied.origin.note))
        for span in entry.stack[1:]:
            out.append(Event("called", span, "", self.m.callees.get(span, "")))
        kinds: dict[str, EventKind] = {"escape": "escaped", "return": "returned", "keep": "kept"}
        region = self._as_hole(answer).region if answer.hole is not None else ""
        out.append(Event(kinds.get(entry.kind, "read"), entry.span, region, entry.note))
        later = [e for e in writes if e.pos > entry.pos and e not in before and self._on_the_path(e, answer)]
        later = (self._who_would_cover(answer, later) if answer.hole is not None else []) or later
        for write in list({(w.span, w.note): w for w in later}.values())[:2]:
            out.append(Event("written", write.span, self.region_of(write, chain), f"{write.note}, later"))
        out += self._considered([entry, *(e for b in chain for e in b.entries)])
        return tuple(dict.fromkeys(out))

    def _considered(self, entries: Sequence[Entry]) -> list[Event]:
        """At calls through which the allocation went: the definitions that they may run."""
        known = self.m.considered
        if not known:
            return []
        spans = dict.fromkeys(s for e in entries for s in (*e.stack[1:], e.span))
        return [Event("note", s, "", known[s.path, s.line]) for s in spans if (s.path, s.line) in known][:6]

    def _on_the_path(self, entry: Entry, answer: Answer) -> bool:
        """Whether an access can belong to the run that the answer tells of."""
        conds = self.m.conds
        cubes = conds.cubes(entry.cond, 8)
        return cubes is None or any(
            not conds.contradicts({**cube, **answer.cube})
            and all(answer.cube.get(i, value) == value for i, value in cube.items())
            for cube in cubes
        )

    def _chain(self, buffer: Buffer) -> list[Buffer]:
        """The buffer, what it is a copy of, and so on."""
        chain = [buffer]
        while (origin := chain[-1].origin) is not None:
            chain.append(self.m.buffers[origin.array.buf])
        return chain

    def region_of(self, entry: Entry, chain: list[Buffer]) -> str:
        """The region of one access, as people write it."""
        buffer = next((b for b in chain if entry in b.entries), chain[0])
        if entry.box is None:
            return "[:]"
        shape = entry.frame if entry.frame is not None else buffer.shape
        cut = self.judge.rank_of(buffer) if buffer.open and entry.frame is None else len(entry.box)
        box, sizes = entry.box[:cut], shape[:cut] if shape is not None else None
        mentioned = [*(sizes or ()), *(x for axis in box for x in (axis.start, *axis.stops))]
        text = without_turns(show.region(show.spans_of(box, sizes), sizes, show.names(mentioned)), buffer.outer)
        return "[:]" if text in ("whole", "") else text

    def _proof(self, answers: list[Answer]) -> tuple[Event, ...]:
        first = self.buffers[0]
        out = [Event("allocated", first.site, "", first.what)]
        seen: set[tuple[Span, str]] = set()
        for answer in answers:
            for write in answer.covering:
                key = (write.span, "w")
                if key not in seen:
                    seen.add(key)
                    out.append(
                        Event("written", write.span, self.region_of(write, [answer.buffer, *self.buffers]), write.note)
                    )
            key = (answer.entry.span, "r")
            if key not in seen:
                seen.add(key)
                out.append(
                    Event(
                        "read",
                        answer.entry.span,
                        self.region_of(answer.entry, [answer.buffer, *self.buffers]),
                        answer.entry.note,
                    )
                )
            if len(out) > 12:
                break
        out += self._considered([e for b in self.buffers for e in b.entries])
        return tuple(out)


REDUCTIONS = frozenset(
    """all amax amin aminmax any argmax argmin argsort bincount count_nonzero cummax cummin cumprod cumsum histc
    logsumexp max mean median min nanmean nansum norm prod quantile softmax sort std sum topk unique var""".split()  # noqa: SIM905 - one line is easier to read
)
"""Operators whose result at one place depends on elements at others."""


def _spoils(entry: Entry) -> str:
    """What a read does with the garbage besides reading it, in brackets, or nothing."""
    found = re.search(r"`([\w.]+)`", entry.note)
    last = found[1].rsplit(".", 1)[-1] if found is not None else ""
    if last in REDUCTIONS:
        return f" (by `{last}`: one garbage element changes the result for others)"
    if "quant" in last or "quant" in entry.note:
        return " (by a quantisation: one garbage row changes a scale that others share)"
    return ""
