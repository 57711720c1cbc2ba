"""From answers to verdicts: one allocation, everything that reads it, and the story of it.

A site is `unsafe` when some read surely meets a hole, `safe` when every read, and everything it is handed to, was
proved to meet none, and `unknown` otherwise: the first thing that stopped the proof is named, with what would decide
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from allocsafe.flow.buffers import Buffer, Entry
from allocsafe.flow.conditions import FALSE, TRUE
from allocsafe.flow.judge import Answer, Judge
from allocsafe.flow.machine import Machine
from allocsafe.regions import show
from allocsafe.regions.box import Access
from allocsafe.regions.question import hole
from allocsafe.source import Span
from allocsafe.verdict import Consequence, Event, Facet, Hole, Safe, Unknown, Unsafe, Verdict

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
        if sure:
            sure.sort(key=lambda a: (-SEVERITY[a.entry.consequence], a.entry.pos))
            worst = [a for a in sure if SEVERITY[a.entry.consequence] == SEVERITY[sure[0].entry.consequence]][
                :MOST_ALIKE
            ]
            return self._unsafe(
                next((a for a in worst if "never-written" in self._facets(a)), worst[0])
            )  # a hole that no later write mends says more
        partly = [a for a in returned if self._partly(a)]
        if partly:
            return self._unsafe(min(partly, key=lambda a: a.entry.pos))
        if unsure:
            return self._unknown(
                min(unsure, key=lambda a: (a.entry.kind == "escape" and a.status == "sure", a.entry.pos))
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

    def _unsafe(self, answer: Answer) -> Verdict:
        assert answer.hole is not None
        entry, region = answer.entry, self._region(answer)
        facets = self._facets(answer)
        consequence: Consequence = "return" if entry.kind == "return" else entry.consequence
        where = f"line {entry.span.line}"
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
            reason = f"{region} {verb} at {where} in {self.m.phase_name(entry.phase)}; its first write comes later"
        elif "skipped-fill" in facets and path:
            reason = f"{region} {verb} at {where}; the write is skipped when {path}"
        return Unsafe(reason, self._story(answer), self._as_hole(answer), consequence, facets, self._assumes())

    def _partly(self, answer: Answer) -> bool:
        """Returned with a hole although the function writes it: on another path, or another part."""
        assert answer.hole is not None
        writers = [e for b in self.buffers for e in b.entries if e.kind == "write"]
        handed = [e for b in self.buffers for e in b.entries if e.kind == "escape"]
        sometimes = bool(answer.cube) or answer.entry.cond != TRUE
        if not writers:
            return sometimes and bool(handed)
        return sometimes or answer.hole.region != "whole"

    def _facets(self, answer: Answer) -> frozenset[Facet]:
        entry, m = answer.entry, self.m
        out: set[Facet] = set()
        writers = [e for b in self._chain(answer.buffer) for e in b.entries if e.kind in ("write", "escape")]
        later = [e for e in writers if e.pos > entry.pos and e.phase != entry.phase]
        if entry.accumulate:
            out.add("zero-relied-on")
        covering = self._who_would_cover(answer, writers)
        if not covering and not any(e.kind == "escape" for e in writers):
            out.add("never-written")
        elif entry.phase and later and any(e in later for e in covering) and m.phase_rank(entry.phase) is not None:
            out.add("wrong-phase")
        elif answer.cube and any(m.conds.support(e.cond) & answer.cube.keys() for e in covering):
            out.add("skipped-fill")
        if entry.consequence in ("compare", "persist", "collective"):
            out.add("kept")
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

    def _covers_hole(self, shape: object, answer: Answer, entry: Entry) -> bool:
        from allocsafe.regions.box import Write

        assert answer.hole is not None
        others = [e for e in answer.covering if e.box is not None and e.frame is None]
        made = [Write(Access(e.box, tuple(t.loop for t in e.turns), ()), True, False) for e in [*others, entry]]
        read = Access(answer.entry.box, tuple(t.loop for t in answer.entry.turns), ())
        left = hole(shape, read, made)  # type: ignore[arg-type]
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
                f"{region} is read at line {entry.span.line} unless {answer.hole.condition}",
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
            explicit = [e for e in buffer.entries if e.kind == "keep"]
            names = sorted(buffer.kept_in)
            others = {name: self.outside(name) for name in names}
            reachable = [name for name in names if others[name]]
            if not explicit and not reachable:
                continue
            last = explicit[-1] if explicit else None
            end = self._at_end(buffer, last)
            if end.status == "none":
                continue
            span = last.span if last is not None else buffer.site
            region = self._region(end)
            if reachable:
                files = others[reachable[0]]
                where = f"{files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''}"
                return Unknown(
                    "kept",
                    span,
                    f"{region} may be unwritten in {reachable[0]}, which {where} can read",
                    f"following {reachable[0]} into {files[0]}",
                    self._story(end),
                    self._as_hole(end),
                    None,
                    self._assumes(),
                )
            assert last is not None
            return Unknown(
                "kept",
                span,
                f"{region} may be unwritten when it is kept in {last.note}",
                f"who reads {last.note}",
                self._story(end),
                self._as_hole(end),
                None,
                self._assumes(),
            )
        return None

    def _at_end(self, buffer: Buffer, last: Entry | None) -> Answer:
        """What of the buffer is unwritten when everything in view has run."""
        from allocsafe.flow.memory import read_entry

        entry = read_entry(self.m, buffer, last)
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
        notes = {e.note.removeprefix("read by ") for e in entries}
        out = {text for text, symbols in m.assumed.items() if symbols & used}
        out |= {
            text
            for text in m.assumes
            if " reads its tensor arguments" not in text or text.split(" reads its ")[0] in notes
        }
        for pair in self.judge.phases:
            first, second = (m.phase_of(index) for index in pair)
            if first is not None and second is not None and first.rank > 1 and first.name != second.name:
                out.add(f"{first.name} before {second.name}")
        return tuple(sorted(out))

    def _region(self, answer: Answer) -> str:
        assert answer.hole is not None
        region = answer.hole.region
        return "all of it" if region in ("whole", "") else region

    def _as_hole(self, answer: Answer) -> Hole:
        assert answer.hole is not None
        region = answer.hole.region
        return Hole("[:]" if region in ("whole", "") else region, answer.hole.sample, answer.hole.condition)

    def _path_text(self, answer: Answer) -> str:
        """The branches that keep the writers away, in program order; else the last ones of the path."""
        conds = self.m.conds
        asked = [i for i in sorted(answer.cube) if conds.atoms[i].kind != "unknown"]
        writers = [e for b in self._chain(answer.buffer) for e in b.entries if e.kind in ("write", "escape")]
        guards = [e.cond for e in writers if e.cond != TRUE]
        away = [i for i in asked if any(conds.both(g, conds.literal(i, answer.cube[i])) == FALSE for g in guards)]
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
        kind = {"read": "read", "escape": "escaped", "return": "returned", "keep": "kept"}.get(entry.kind, "read")
        out.append(Event(kind, entry.span, self._as_hole(answer).region if answer.hole is not None else "", entry.note))  # type: ignore[arg-type]
        later = [e for e in writes if e.pos > entry.pos and e not in before and self._on_the_path(e, answer)]
        later = (self._who_would_cover(answer, later) if answer.hole is not None else []) or later
        for write in list({(w.span, w.note): w for w in later}.values())[:2]:
            out.append(Event("written", write.span, self.region_of(write, chain), f"{write.note}, later"))
        return tuple(dict.fromkeys(out))

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
        text = show.region(show.spans_of(box, sizes), sizes, show.names(mentioned))
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
        return tuple(out)
