"""Memory that every turn of a loop makes anew: what other turns do to theirs is no matter of this one's.

*Claim.* A buffer that is allocated inside of a loop is one instance a turn, and the turns are its leading axes. An
access whose leading axes are the very turn that it is made in touches the instance of that turn, so of its turns only
the reader's own can have written what the reader sees, with the values of that turn. *Why that suffices.* A bound that
changes from turn to turn (`n = int(lens[i])`) is then one number in the write and in the read. *What it gives up.* An
instance that is carried into the next turn is no longer known by its turn.

    for i in range(b):                  x of turn i         of turn i - 1
        n = int(lens[i])
        x = empty(n)                    [i, 0:n]
        x[k:] = 0                       [i, k:n]            another instance
        use(x)
"""

from __future__ import annotations

from allocsafe.flow.buffers import Buffer, Entry, Turn
from allocsafe.regions.box import Box
from allocsafe.regions.exprs import Lin


def per_turn(entry: Entry, buffer: Buffer, read: Box | None, turns: tuple[Turn, ...]) -> list[Turn]:
    """The loops around the allocation at whose very turn both `entry` and a read of the box `read` inside of `turns`
    are, outermost first; none if either may touch another turn's instance.
    """
    made = buffer.turns[: buffer.outer]
    if not made or entry.frame is not None:
        return []
    for number, turn in enumerate(made):
        if not all(_is_at(box, number, turn) for box in (entry.box, read)):
            return []
        if not all(number < len(each) and each[number].id == turn.id for each in (entry.turns, turns)):
            return []
    return list(made)


def other_turns(buffer: Buffer, frame: tuple[Lin, ...] | None, read: Box | None, turns: tuple[Turn, ...]) -> list[Turn]:
    """The loops around the allocation of whose turns the read may have another one than its own before it: what it
    knows of its own turn says nothing of the lengths of that instance.
    """
    made = buffer.turns
    if frame is not None and frame[: buffer.outer] != (buffer.shape or ())[: buffer.outer]:
        return list(made)
    for number, turn in enumerate(made):
        here = number < buffer.outer and number < len(turns) and turns[number].id == turn.id
        if not here or not _is_at(read, number, turn):
            return list(made[number:])
    return []


def _is_at(box: Box | None, axis: int, turn: Turn) -> bool:
    """Whether the box is this very turn's on that axis."""
    if box is None or axis >= len(box):
        return False
    at = Lin.of(turn.loop.var)
    return box[axis].start == at and at + 1 in box[axis].stops and box[axis].step == 1


def without_turns(said: str, outer: int) -> str:
    """A region or an element in words, without its leading axes: whose turn it was is no index of the program."""
    if not outer or "[" not in said:
        return said
    out, depth, skip = [], 0, 0
    for letter in said:
        if letter in "[(":
            depth += 1
            if depth == 1 and letter == "[":
                skip = outer
                out.append(letter)
                continue
        elif letter in "])":
            depth -= 1
            if not depth and letter == "]" and out[-1] == "[":
                out.append(":")  # no axis is left
                skip = 0
        if skip and depth:
            if letter == "," and depth == 1:
                skip -= 1
            continue
        if not (letter == " " and out and out[-1] == "["):
            out.append(letter)
    return "".join(out)
