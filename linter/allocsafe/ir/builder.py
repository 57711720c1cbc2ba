"""What every frontend needs to write steps: fresh registers and blocks that open and close.

Claim: a frontend that emits through one `Builder` per function never uses a register name twice and closes the blocks
it opens: registers come only from `fresh`, and a block can only be taken out by the `close` that ends it. Nothing
here knows a language; whether the steps make sense together is for `ir.check` to say.

    b = Builder()
    cond = b.fresh()
    b.emit(Load(span, cond, "x"))
    with b.block() as then:
        b.emit(Return(span))
    b.emit(If(span, cond, then.steps))
"""

from __future__ import annotations

from types import TracebackType

from allocsafe.ir.nodes import Block, Reg, Step


class Builder:
    """The steps of one function while they are being written. Registers are unique in the function."""

    __slots__ = ("_count", "_open", "emit")

    def __init__(self, first_register: int = 0) -> None:
        self._count = first_register
        self._open: list[list[Step]] = []
        self.open()

    def fresh(self) -> Reg:
        """A register that no step uses yet."""
        number = self._count
        self._count = number + 1
        return f"%{number}"

    @property
    def count(self) -> int:
        """The number of the next register."""
        return self._count

    def open(self) -> None:
        """Starts a block: steps go there until `close`."""
        steps: list[Step] = []
        self._open.append(steps)
        self.emit = steps.append  # an attribute, not a method: it is called once a step

    def close(self) -> Block:
        """Ends the innermost open block and gives its steps. The function's own block is closed last."""
        steps = self._open.pop()
        if self._open:
            self.emit = self._open[-1].append
        return tuple(steps)

    def block(self) -> OpenBlock:
        """A block as a `with` statement; its `steps` are there when the statement has ended."""
        return OpenBlock(self)

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return len(self._open)

    def unwind(self, depth: int) -> None:
        """Throws away the blocks above `depth` with their steps: after a construct that could not be lowered."""
        while len(self._open) > depth:
            self._open.pop()
        self.emit = self._open[-1].append

    @property
    def here(self) -> int:
        """How many steps the innermost open block holds; `cut(here)` takes back what came since."""
        return len(self._open[-1])

    @property
    def last(self) -> Step | None:
        """The step that the innermost open block ends with so far."""
        steps = self._open[-1]
        return steps[-1] if steps else None

    def cut(self, here: int) -> None:
        """Takes back the steps of the innermost open block from number `here` on."""
        del self._open[-1][here:]


class OpenBlock:
    """A block of a `with` statement."""

    __slots__ = ("_builder", "steps")

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self.steps: Block = ()

    def __enter__(self) -> OpenBlock:
        self._builder.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.steps = self._builder.close()
