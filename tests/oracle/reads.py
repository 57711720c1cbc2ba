"""Statements that read a buffer (or only seem to), in all the ways that programs do it.

Every block appends what it read to `out`; a part that is read is named by the same texts as in `covers`, so that a
program may write a part and read the same part.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest
from tests.oracle.covers import Covers


class Reads:
    """Makes reading blocks."""

    def __init__(self, covers: Covers) -> None:
        self.c, self.rng = covers, covers.rng

    def read(self, expr: str, dims: list[str], index: str = "") -> Block:
        """A block that reads all of `expr[index]`."""
        part = f"{expr}[{index}]" if index else expr
        c, rng = self.c, self.rng
        if c.dtype == "int64":
            return [f"out.append(look({part}))"]
        ways = [self.by_use] * 3
        if c.lib == "numpy":
            return rng.choice([*ways, self.by_numpy])(part)
        if c.has("copies"):
            ways += [self.by_copy] * 2
            if not index and c.odds(0.2):
                return self.by_index(expr, dims)
        if c.has("operators"):
            ways += [self.by_operator] * 2
        if c.has("views"):
            ways += [self.by_view]
        if c.has("walrus"):
            ways += [self.by_walrus]
        if c.has("loops") and not index:
            return self.by_loop(expr, dims) if c.odds(0.25) else rng.choice(ways)(part)
        return rng.choice(ways)(part)

    def by_index(self, expr: str, dims: list[str]) -> Block:
        """A copy by index, of all rows or of some; the copy is read."""
        v, c = self.c.fresh(), self.c
        made = self.rng.choice([f"torch.arange({dims[0]})", f"list(range({dims[0]}))", f"torch.arange({dims[0]}) > 0"])
        block: Block = [f"{v} = {expr}[{made}]"]
        if c.odds(0.3):
            block.append(f"{expr}[...] = {c.number()}" if c.odds(0.5) else f"{v}.zero_()")
        return [*block, f"out.append(use({v}))"]

    def by_use(self, part: str) -> Block:
        return [f"out.append(use({part}))"]

    def by_numpy(self, part: str) -> Block:
        return [self.rng.choice([f"out.append(float(np.sum({part})))", f"out.append(use({part} + 1))"])]

    def by_walrus(self, part: str) -> Block:
        v = self.c.fresh()
        return [Nest(f"if ({v} := {part}) is not None:", [f"out.append(use({v}))"])]

    def by_view(self, part: str) -> Block:
        v = self.c.fresh()
        made = self.rng.choice(
            [part, f"{part}.unsqueeze(0)", f"{part}[None]", f"{part}.detach()", f"{part}.reshape(-1)"]
        )
        return [f"{v} = {made}", f"out.append(use({v}))"]

    def by_copy(self, part: str) -> Block:
        v = self.c.fresh()
        tail = self.rng.choice([".clone()", ".clone()", ".contiguous()"])
        made = f"{part}{tail}"
        block: Block = [f"{v} = {made}"]
        if self.c.odds(0.2):
            block.append(f"{v}.zero_()")
        return [*block, f"out.append(use({v}))"]

    def by_operator(self, part: str) -> Block:
        v = self.c.fresh()
        return self.rng.choice(
            [
                [f"out.append(({part} + 1).sum().item())"],
                [f"out.append(({part} > 0).any().item())"],
                [f"{v} = torch.zeros_like({part})", f"{v}.copy_({part})", f"out.append(use({v}))"],
                [f"{v} = torch.zeros_like({part})", f"{v} += {part}", f"out.append(use({v}))"],
                [f"{v} = torch.where({part} > 0, {part}, 0.0)", f"out.append(use({v}))"],
                [f"{v} = {part} * 0", f"out.append(use({v}))"],
                [f"out.append(torch.equal({part}, torch.zeros_like({part})))"],
                [f"{v} = {part}.masked_fill(torch.ones_like({part}, dtype=torch.bool), 0.0)", f"out.append(use({v}))"],
                [f"{v} = {part}", f"{v} += 1"],
                [f"{v} = {part}", f"{v}.mul_(2)"],
                [f"{v} = torch.cat([{part}.reshape(-1), torch.ones(2, dtype=torch.float64)])", f"out.append(use({v}))"],
                [f"{v} = {part}.sum()", Nest(f"if {v} > 1:", ["out.append(1.0)"])],
                [f"out.append({part}.sum().item() if {part}.numel() else 0.0)"],
            ]
        )

    def by_loop(self, expr: str, dims: list[str]) -> Block:
        i = self.c.fresh("i")
        if self.c.lib == "torch" and self.c.has("comprehension") and self.c.odds(0.4):
            return [f"out.append(sum([use({expr}[{i}]) for {i} in range({dims[0]})]))"]
        if self.c.lib == "torch" and self.c.odds(0.3):
            return [Nest(f"for {i} in {expr}:", [f"out.append(use({i}))"])]
        limit = self.c.slip(dims[0], f"{dims[0]} - 1")
        return [Nest(f"for {i} in range({limit}):", [f"out.append(use({expr}[{i}]))"])]

    def idle(self, expr: str) -> Block:
        """What looks at the buffer and reads no element."""
        if self.c.lib == "numpy":
            return [self.rng.choice([f"out.append({expr}.shape[0])", f"out.append(float({expr}.ndim))"])]
        v = self.c.fresh()
        return self.rng.choice(
            [
                [f"out.append({expr}.numel())"],
                [f"out.append(float({expr}.dim()))"],
                [f"{v} = torch.zeros_like({expr})", f"out.append(use({v}))"],
                [f"out.append(len({expr}))"],
                [f"{v} = {expr}[:1]"],
                [f"{v} = torch.ones({expr}.shape, dtype={expr}.dtype)", f"out.append(use({v}))"],
            ]
        )
