"""The built-in pack: the rules of allocsafe, what operators do, and the words that name a phase.

It comes in through the entry point `allocsafe.packs`, as anybody's pack does, and imports `allocsafe.api` and no more.
"""

from __future__ import annotations

from allocsafe.api import Pack

from allocsafe_rules import (
    as101_read_before_write,
    as102_hole_never_written,
    as103_zero_relied_on,
    as104_skipped_fill,
    as105_garbage_index,
    as106_wrong_phase,
    as107_kept_unwritten,
    as108_changed_allocation,
    as190_cannot_tell,
    as201_uninitialised_read,
    as202_partial_fill,
    as203_container_misuse,
    as204_dangling_blob,
    as205_async_source,
    as206_blob_mismatch,
    as207_uncovered_launch,
    as290_cannot_tell_cpp,
)
from allocsafe_rules.contracts import CONTRACTS
from allocsafe_rules.phases import PHASES


def effects() -> tuple[str, ...]:
    """The tables of operator effects; read from disk when the engine first meets a call."""
    from allocsafe_rules.effects import texts

    return texts()


PACK = Pack(
    name="builtin",
    rules=(
        as101_read_before_write.RULE,
        as102_hole_never_written.RULE,
        as103_zero_relied_on.RULE,
        as104_skipped_fill.RULE,
        as105_garbage_index.RULE,
        as106_wrong_phase.RULE,
        as107_kept_unwritten.RULE,
        as108_changed_allocation.RULE,
        as190_cannot_tell.RULE,
        as201_uninitialised_read.RULE,
        as202_partial_fill.RULE,
        as203_container_misuse.RULE,
        as204_dangling_blob.RULE,
        as205_async_source.RULE,
        as206_blob_mismatch.RULE,
        as207_uncovered_launch.RULE,
        as290_cannot_tell_cpp.RULE,
    ),
    effects=effects,
    phases=PHASES,
    contracts=CONTRACTS,
)

__all__ = ["PACK"]
