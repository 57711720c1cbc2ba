"""Statements that write every element of a buffer, in all the ways that programs do it.

`Covers.cover(expr, dims)` returns a block after which all of `expr` is written, whatever the sizes (or the program
raises). `dims` are the extents as text that holds in the scope.
"""

from __future__ import annotations

from tests.oracle.blocks import Block, Nest, Write
from tests.oracle.pieces import Pieces


class Covers(Pieces):
    """Makes covering blocks, each of several of the ways below."""

    def cover(self, expr: str, dims: list[str], depth: int = 2) -> Block:
        """A block after which every element of `expr` is written."""
        rank = len(dims)
        if depth <= 0 or rank == 0:
            return [self.put(expr)]
        ways = [self.by_parts] * 3 + [self.by_whole]
        if self.source and dims == [self.source_size]:
            ways = [*ways, *[self.by_source] * 6]
        if self.has("loops"):
            ways += [self.by_loop] * 4
        if self.has("views") and self.lib == "torch":
            ways += [self.by_views] * 4
        if self.has("branches") and self.conditions:
            ways += [self.by_branch] * 2
        if self.has("exceptions") and self.conditions:
            ways += [self.by_try]
        if self.has("masks"):
            ways += [self.by_mask]
        if self.has("helpers"):
            ways += [self.by_helper]
        if self.has("early") and self.has("loops"):
            ways += [self.by_else]
        return self.rng.choice(ways)(expr, dims, depth)

    def by_whole(self, expr: str, dims: list[str], depth: int) -> Block:
        if self.has("views") and self.lib == "torch" and self.odds(0.5):
            return [self.whole_by_view(expr, len(dims))]
        block: Block = [self.put(expr)]
        if self.has("withs") and self.lib == "torch" and self.odds(0.4):
            return [Nest("with torch.no_grad():", block)]
        return block

    def by_parts(self, expr: str, dims: list[str], depth: int) -> Block:
        axis = self.rng.randrange(len(dims))
        block: Block = []
        if axis == 0 and self.odds(0.2):
            first, rest = self.rng.choice([("0", "1:"), ("-1", ":-1")])
            return [self.put(expr, first), self.put(expr, rest)]
        for part in self.partition(dims[axis]):
            index = self.at(part, axis, len(dims))
            if self.has("views") and axis == 0 and self.odds(0.3):
                name = self.fresh()
                block.append(f"{name} = {expr}[{index}]")
                block += self.cover(name, [f"{name}.shape[0]", *dims[1:]], depth - 1)
            else:
                block.append(self.put(expr, index))
        return block

    def by_source(self, expr: str, dims: list[str], depth: int) -> Block:
        """From a parameter of the same length: a list, or a tensor."""
        rng, source, i, e = self.rng, self.source, self.fresh("i"), self.fresh("e")
        target = f"{expr}[{i}]"
        ways: list[Block] = [
            [Nest(f"for {i}, {e} in enumerate({source}):", [Write(f"{target} = {e}")])],
            [Nest(f"for {i} in range(len({source})):", [Write(f"{target} = {source}[{i}]")])],
            [Nest(f"for {i}, {e} in zip(range(len({source})), {source}):", [Write(f"{target} = {e}")])],
        ]
        if self.slips and self.odds(0.5):
            self.slips -= 1
            ways = [[Nest(f"for {i}, {e} in enumerate({source}[1:]):", [Write(f"{target} = {e}")])]]
        elif self.lib == "torch" and source == "xs":
            ways.append([Write(f"{expr}[:len(xs)] = torch.tensor(xs, dtype={expr}.dtype)")])
            ways.append([Write(f"{expr}.copy_(torch.tensor(xs, dtype={expr}.dtype))")])
        elif self.lib == "torch":
            ways.append([Write(f"{expr}.copy_(a)")])
            ways.append([Write(f"{expr}[:a.shape[0]].copy_(a)")])
            ways.append([Write(f"torch.add(a, 1, out={expr})" if self.dtype != "int64" else f"{expr}[:] = a")])
        if rng.random() < 0.3:
            j = self.fresh("i")
            loop = Nest(f"while {j} < len({source}):", [Write(f"{expr}[{j}] = {source}[{j}]"), f"{j} += 1"])
            ways = [[f"{j} = 0", loop]]
        return rng.choice(ways)

    def by_loop(self, expr: str, dims: list[str], depth: int) -> Block:
        rng, slip = self.rng, self.slip
        i, size = self.fresh("i"), dims[0]
        row = self.row(expr, i, dims, depth)
        b = rng.choice(["2", "3", "2"])
        way = rng.randrange(9 if self.has("while") else 7)
        if way == 0:
            return [Nest(f"for {i} in range({slip(size, f'1, {size}', f'{size} - 1')}):", row)]
        if way == 1:
            head = slip(f"range({size} - 1, -1, -1)", f"range({size} - 1, 0, -1)")
            return [Nest(f"for {i} in {head}:", row)]
        if way == 2:
            step = slip(f"range(0, {size}, {b})", f"range(0, {size} - 1, {b})", f"range({b}, {size}, {b})")
            return [Nest(f"for {i} in {step}:", [self.put(expr, f"{i}:{i} + {b}")])]
        if way == 3:
            start = slip("0", "1")
            two = [Nest(f"for {i} in range({start}, {size}, 2):", row)]
            j = self.fresh("i")
            return [*two, Nest(f"for {j} in range(1, {size}, 2):", self.row(expr, j, dims, depth))]
        if way == 4:
            item = self.fresh("e")
            source = f"[{self.number()}] * ({size})"
            return [Nest(f"for {i}, {item} in enumerate({source}):", [Write(f"{expr}[{i}] = {item}")])]
        if way == 5:
            first: Block = [self.put(expr, "0")]
            return [*first, Nest(f"for {i} in range(1, {slip(size, f'{size} - 1')}):", row)]
        if way == 6:
            k = self.bound()
            j = self.fresh("i")
            lower = Nest(f"for {i} in range(min({k}, {size})):", row)
            other = self.row(expr, j, dims, depth)
            return [lower, Nest(f"for {j} in range({k}, {size}):", other)]
        if way == 7:
            limit = slip(size, f"{size} - 1")
            return [f"{i} = {slip('0', '1')}", Nest(f"while {i} < {limit}:", [*row, f"{i} += 1"])]
        return [f"{i} = {size}", Nest(f"while {i} > {slip('0', '1')}:", [f"{i} -= 1", *row])]

    def row(self, expr: str, i: str, dims: list[str], depth: int) -> Block:
        if len(dims) > 1 and depth > 1 and self.odds(0.6):
            if self.has("views") and self.odds(0.5):
                name = self.fresh()
                return [f"{name} = {expr}[{i}]", *self.cover(name, dims[1:], depth - 2)]
            j = self.fresh("j")
            if len(dims) == 2 and self.odds(0.6):
                limit = self.slip(dims[1], f"{dims[1]} - 1")
                return [Nest(f"for {j} in range({limit}):", [self.put(expr, f"{i}, {j}")])]
            parts = self.partition(dims[1])
            return [self.put(expr, f"{i}, {part}") for part in parts]
        return [self.put(expr, i)]

    def by_views(self, expr: str, dims: list[str], depth: int) -> Block:
        rng = self.rng
        v, w, size, k = self.fresh(), self.fresh(), dims[0], self.bound()
        rest = dims[1:]
        way = rng.randrange(9)
        cut = self.fresh("c")
        if way == 0:
            rest_len = self.slip(f"{size} - {cut}", f"{size} - {cut} - 1")
            return [
                f"{cut} = {self.cut(k, size)}",
                f"{v} = {expr}.narrow(0, 0, {cut})",
                f"{w} = {expr}.narrow(0, {cut}, {rest_len})",
                *self.cover(v, [cut, *rest], depth - 1),
                *self.cover(w, [f"{w}.shape[0]", *rest], depth - 1),
            ]
        if way == 1:
            parts = f"{v}, {w} = {expr}.split([{cut}, {size} - {cut}])"
            return [f"{cut} = {self.cut(k, size)}", parts, self.put(v), self.put(w)]
        if way == 2:
            walk = rng.choice([f"{expr}.unbind(0)", expr, f"{expr}.chunk(2)", f"torch.split({expr}, 2)"])
            target = f"{v}[...]" if walk == expr or "unbind" in walk else f"{v}[:]"
            write = rng.choice([f"{v}.fill_({self.number()})", f"{target} = {self.number()}"])
            return [Nest(f"for {v} in {walk}:", [Write(write)])]
        if way == 3:
            return [f"{v} = {expr}", *self.cover(v, dims, depth - 1)]
        if way == 4:
            return [f"{v} = {expr}.unsqueeze(0)", Write(f"{v}[0] = {self.number()}")]
        if way == 5:
            j = self.fresh("i")
            loop = Nest(
                f"for {j} in range({self.slip(size, f'{size} - 1')}):", [Write(f"{expr}.select(0, {j}).zero_()")]
            )
            return [loop]
        if way == 6 and len(dims) == 2:
            name = rng.choice([f"{expr}.t()", f"{expr}.T", f"{expr}.transpose(0, 1)", f"{expr}.permute(1, 0)"])
            return [f"{v} = {name}", *self.cover(v, dims[::-1], depth - 1)]
        if way == 7 and len(dims) == 1:
            return [f"{v} = {expr}.view(-1, 1)", *self.cover(v, [size, "1"], depth - 1)]
        return [f"{v} = {expr}[{k}:]", self.put(v), self.put(expr, f":{k}")]

    def cut(self, k: str, size: str) -> str:
        """A place to cut an axis of `size` elements in two."""
        return self.rng.choice([f"min({k}, {size})", f"({size}) // 2", f"max({size} - ({k}), 0)"])

    def by_branch(self, expr: str, dims: list[str], depth: int) -> Block:
        condition = self.rng.choice(self.conditions)
        one, two = self.cover(expr, dims, depth - 1), self.cover(expr, dims, depth - 2)
        if self.odds(0.4):
            return [Nest(f"if {condition}:", one), Nest(f"if not ({condition}):", two)]
        return [Nest(f"if {condition}:", one), Nest("else:", two, True)]

    def by_try(self, expr: str, dims: list[str], depth: int) -> Block:
        self.used.add("risky")
        condition = self.rng.choice(self.conditions)
        cover = self.cover(expr, dims, depth - 2)
        call = f"risky({condition})"
        if self.odds(0.4):
            last = [Nest("try:", [call]), Nest("except ValueError:", ["pass"], True), Nest("finally:", cover, True)]
            return [*last]
        if self.odds(0.5):
            return [Nest("try:", [call, *cover]), Nest("except ValueError:", [self.put(expr)], True)]
        return [
            Nest("try:", [call, *cover]),
            Nest("except ValueError:", [self.put(expr, ":1"), self.put(expr, "1:")], True),
            Nest("else:", ["pass"], True),
        ]

    def by_mask(self, expr: str, dims: list[str], depth: int) -> Block:
        mask = self.fresh("mask")
        k, size = self.bound(), dims[0]
        made = f"np.arange({size}) < {k}" if self.lib == "numpy" else f"torch.arange({size}) < {k}"
        return [f"{mask} = {made}", self.put_mask(expr, mask), self.put_mask(expr, f"~{mask}")]

    def put_mask(self, expr: str, mask: str) -> Write:
        return Write(f"{expr}[{mask}] = {self.number()}")

    def by_helper(self, expr: str, dims: list[str], depth: int) -> Block:
        rng, k = self.rng, self.bound()
        way = rng.randrange(4 if self.lib == "torch" else 2)
        if way == 0:
            self.used.add("fill_tail")
            return [self.put(expr, f":{k}"), Write(f"fill_tail({expr}, {self.slip(k, f'{k} + 1')})")]
        if way == 1:
            self.used |= {"fill_tail", "fill_head"}
            return [Write(f"fill_head({expr}, {k})"), Write(f"fill_tail({expr}, {k})")]
        if way == 2 and self.conditions:
            self.used.add("fill_unless")
            condition = rng.choice(self.conditions)
            block: Block = [Write(f"fill_unless({expr}, {condition})")]
            return [*block, Nest(f"if {condition}:", self.cover(expr, dims, depth - 2))]
        self.used.add("head_of")
        return [Write(f"head_of({expr}, {k}).fill_({self.number()})"), self.put(expr, f"{k}:")]

    def by_else(self, expr: str, dims: list[str], depth: int) -> Block:
        """A search loop with `else`: the else arm covers, and so does what follows a break."""
        i = self.fresh("i")
        found = self.rng.choice(["2", "3", *self.ints])
        hit: Block = [*self.cover(expr, dims, depth - 2), "break"]
        loop = Nest(f"for {i} in range({dims[0]}):", [Nest(f"if {i} == {found}:", hit)])
        return [loop, Nest("else:", self.cover(expr, dims, depth - 2), True)]
