"""`hole` against brute force: every answer is checked by running the little program it is about."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

from allocsafe.regions.question import K, hole
from hypothesis import HealthCheck, event, given, settings

from tests.regions.strategies import M, N, Outcome, Program, T, environments, parsed_sample, programs, run

EXAMPLES = int(os.environ.get("ALLOCSAFE_EXAMPLES", "120"))
quiet = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def uses_free(program: Program) -> bool:
    parts = [program.read, *(write.access for write in program.writes)]
    rows = [x for p in parts for axis in p.box or () for x in (axis.start, *axis.stops)]
    rows += [row for p in parts for row in p.when]
    return any(T in row.all_syms() for row in rows)


def is_relation(condition: str) -> bool:
    """It can be computed: it is not only a description."""
    return " for some " not in condition and not condition.startswith("a relation of")


def at_sample(program: Program, sample: str) -> Iterator[tuple[tuple[int, ...], Outcome]]:
    """The element of a sample, and the program run at its sizes (and at any small ones that it does not name)."""
    values, place = parsed_sample(sample)
    for trial in itertools.product(range(8), range(8), range(-9, 9) if uses_free(program) else (0,)):
        env = {s: values.get(s.name, value) for s, value in zip((N, M, T), trial, strict=True)}
        outcome = run(program, env)
        if outcome is not None:
            yield place, outcome


@given(programs())
@quiet
def test_every_answer_holds_when_run(program: Program) -> None:
    answer = hole(program.shape, program.read, program.writes, program.facts)
    event(answer.status)
    if answer.reason == "too complex":
        event("too complex")
        return
    assert answer.status in ("none", "generic", "conditional"), answer
    free = uses_free(program)
    for env in environments(0, 6, free=free):
        outcome = run(program, env)
        if outcome is None:
            continue
        read, unwritten, _ = outcome
        if answer.status == "none":
            assert not unwritten, (env, answer)
        elif answer.status == "conditional" and answer.condition is not None and read:
            if not is_relation(answer.condition):
                continue
            words = {"n": env[N], "m": env[M], "t": env[T], "min": min, "max": max}
            assert eval(answer.condition, words) == (not unwritten), (env, answer)
    if answer.status == "none":
        assert (answer.region, answer.sample, answer.condition) == ("", "", None)
        return
    assert any(place in outcome.maybe_unwritten for place, outcome in at_sample(program, answer.sample)), answer
    assert (answer.status == "conditional") == (answer.condition is not None), answer


@given(programs())
@quiet
def test_a_generic_hole_is_there_at_all_generic_sizes(program: Program) -> None:
    answer = hole(program.shape, program.read, program.writes, program.facts)
    if answer.status != "generic":
        return
    for env in environments(K, K + 4, free=uses_free(program)):
        outcome = run(program, env)
        if outcome is not None and outcome[0]:  # an index out of the buffer reads nothing
            assert outcome[1], (env, answer)


@given(programs())
@quiet
def test_one_more_write_never_opens_a_hole(program: Program) -> None:
    if not program.writes:
        return
    fewer = hole(program.shape, program.read, program.writes[:-1], program.facts)
    if fewer.status == "none":
        assert hole(program.shape, program.read, program.writes, program.facts).status == "none"


@given(programs(inexact=True))
@quiet
def test_what_is_not_affine_is_never_called_decided_wrongly(program: Program) -> None:
    answer = hole(program.shape, program.read, program.writes, program.facts)
    event(answer.status)
    free = uses_free(program)
    assert (answer.status == "cannot-tell") == bool(answer.reason), answer
    if answer.status == "none":
        for env in environments(0, 6, free=free):
            outcome = run(program, env)
            assert outcome is None or not outcome.maybe_unwritten, (env, answer)
    elif answer.status == "generic":
        for env in environments(K, K + 3, free=free):
            outcome = run(program, env)
            if outcome is not None and outcome.read:
                assert outcome.surely_unwritten, (env, answer)
    if answer.condition is not None and is_relation(answer.condition):
        for env in environments(0, 6, free=free):
            words = {"n": env[N], "m": env[M], "t": env[T], "min": min, "max": max}
            outcome = run(program, env)
            if outcome is None or not outcome.read:
                continue
            if eval(answer.condition, words):
                assert not outcome.maybe_unwritten, (env, answer)
    if answer.sample:
        tried = list(at_sample(program, answer.sample))  # nothing where the program divides by zero there
        assert not tried or any(place in outcome.surely_unwritten for place, outcome in tried), answer
