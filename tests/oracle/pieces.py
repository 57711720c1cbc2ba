"""Single statements that write a buffer or a part of it, and the texts of bounds and slices.

`Pieces.put` writes one part; `Pieces.partition` names slices whose union is an axis, whatever its size. A `slip` is a
bound that is off by one: how a hole gets into a program that would otherwise have none.
"""

from __future__ import annotations

import random

from tests.oracle.blocks import Write


class Pieces:
    """Makes statements. `slips` is how many bounds may still be spoilt (see `slip`)."""

    def __init__(self, rng: random.Random, features: set[str], ints: list[str], conditions: list[str]) -> None:
        self.rng, self.features, self.ints, self.conditions = rng, features, ints, conditions
        self.lib, self.dtype = "torch", "float64"
        self.slips = 0
        self.used: set[str] = set()  # helper functions that the module must define
        self.before: list[str] = []  # the old side's lines, where they are more than the filled allocation
        self.count = 0
        self.source = self.source_size = ""  # a parameter with as many elements as the first axis, and that extent

    # ------------------------------------------------------------ small things

    def has(self, feature: str) -> bool:
        return feature in self.features

    def odds(self, share: float) -> bool:
        return self.rng.random() < share

    def fresh(self, stem: str = "v") -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def slip(self, right: str, *wrong: str) -> str:
        """`right`, or once in a while one of `wrong` if a slip is still allowed."""
        if self.slips and self.odds(0.4):
            self.slips -= 1
            return self.rng.choice(wrong)
        return right

    def number(self) -> str:
        return str(self.rng.randrange(1, 9)) if self.dtype == "int64" else self.rng.choice(["1.0", "0.5", "2", "3.0"])

    def bound(self) -> str:
        """A bound that is never negative."""
        return self.rng.choice([*self.ints, *self.ints, "1", "2", "3", f"{self.rng.choice(self.ints)} + 1"])

    def ones(self, expr: str) -> str:
        """A written tensor of the shape of `expr`."""
        if self.lib == "numpy":
            return f"np.ones({expr}.shape)"
        return self.rng.choice([f"torch.ones_like({expr})", f"torch.full_like({expr}, {self.number()})"])

    # ------------------------------------------------------------ one statement

    def put(self, expr: str, index: str = "") -> Write:
        """One statement that writes all of `expr[index]` (all of `expr` without an index)."""
        rng, c = self.rng, self.number()
        part = f"{expr}[{index}]" if index else expr
        target = part if index else f"{expr}[{rng.choice(['...', ':'])}]"
        options = [f"{target} = {c}"]
        if self.lib == "numpy":
            options += [f"{target} = {self.ones(part)}"]
            if index == "" or ":" in index:
                options += [f"{part}.fill({c})", f"np.add({self.ones(part)}, 1, out={part})"]
            return Write(rng.choice(options))
        if self.has("inplace"):
            options += [f"{part}.fill_({c})", f"{part}.zero_()", f"{part}.copy_({self.ones(part)})"]
            options += [f"{target} = {self.ones(part)}"]
        if self.has("out"):
            one = self.ones(part)
            options += [f"torch.add({one}, 1, out={part})", f"torch.mul({one}, {one}, out={part})"]
            if ":" in index or not index:
                options.append(f"torch.cumsum({one}, 0, out={part})")
        if self.has("helpers"):
            self.used.add("fill_all")
            options.append(f"fill_all({part})")
        return Write(rng.choice(options))

    def whole_by_view(self, expr: str, rank: int) -> Write:
        """The whole buffer through a view that shares all of it (`expr` must be contiguous for `view`)."""
        c = self.number()
        options = [f"{expr}.unsqueeze(0).fill_({c})", f"{expr}.detach().zero_()", f"{expr}[None].fill_({c})"]
        if rank == 2:
            options += [f"{expr}.t().fill_({c})", f"{expr}.T[:] = {c}", f"{expr}.transpose(0, 1).zero_()"]
            options += [f"{expr}.permute(1, 0).fill_({c})"]
        if rank == 3:
            options += [f"{expr}.permute(2, 0, 1).fill_({c})", f"{expr}.transpose(1, 2).zero_()"]
        return Write(self.rng.choice(options))

    # ------------------------------------------------------------ parts of an axis

    def at(self, index: str, axis: int, rank: int) -> str:
        """`index` on one axis of several."""
        if axis == rank - 1 and rank > 1 and self.odds(0.5):
            return f"..., {index}"
        return ":, " * axis + index

    def partition(self, size: str) -> list[str]:
        """Slices of one axis whose union is the axis, whatever its size."""
        k = self.bound()
        j = self.rng.choice(["1", "2", "3"])
        slip = self.slip
        options = [
            [f":{k}", slip(f"{k}:", f"{k} + 1:", f"{k} * 2:")],
            [slip(f":{k}", f":{k} // 2"), f"{k}:"],
            [f":-{j}", slip(f"-{j}:", f"-{j}:-1") if j != "1" else "-1:"],
            [f":{j}", slip(f"{j}:", f"{j} + 1:", f"{j}:-1")],
            ["::2", slip("1::2", "2::2", "3::2")],
            ["::3", "1::3", slip("2::3", "3::3")],
            [f":{k}", f"{k}:{k} + 2", slip(f"{k} + 2:", f"{k} + 3:")],
            [f"0:{size}"],
        ]
        if self.lib == "numpy":
            options += [["::-1"], ["::-2", "::2", "1::2"]]
        parts = self.rng.choice(options)
        if self.odds(0.3):
            parts = parts[::-1]
        return parts
