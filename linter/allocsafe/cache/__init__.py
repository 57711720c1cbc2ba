"""What earlier runs found out, kept in the user's cache directory: lowered code, and verdicts with what they rest on.

    store      bytes by key, in one SQLite file: several processes at once, bounded, checked, gone without a word
    packing    values of known classes as bytes, and back; nothing else can come out
    tool       which allocsafe this is, by its sources
    questions  what a piece of work asked of the trees, and how to ask it again
    verdicts   the answer of an earlier run, if all that it asked still has the same answers
    lowered    the IR of a part of a file, by the part's text

Claim: a run with a cache says what a run without it would say. Why that suffices: a key holds everything that goes in
at the start, and an answer that depends on more carries each further question with a hash of what was answered; it is
used only if every question, asked again, gives the same hash. Dates and file names vouch for nothing. What it gives
up: what hit a limit of time is never kept, since it depends on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocsafe.cache.store import Store


def opened(wanted: bool = True) -> Store | None:
    """The user's store, or None: not wanted, or no place for it. Nothing is written before something is kept."""
    if not wanted:
        return None
    from allocsafe.cache.store import Store, folder

    place = folder()
    return None if place is None else Store(place)
