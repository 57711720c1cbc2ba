"""What operators do, as data: the text of every table, in order of authority.

A line of a hand-written table beats the line of the same name in the generated one, because `Tables` asks the texts in
this order and takes the first answer. Nothing is parsed here: a hook that runs on every commit asks for a handful of
names and pays for reading the files, no more. The specials that lines name are defined in README.md beside this file.

cupy mirrors numpy name by name, so its table is numpy's with another prefix, after a short one of its own names.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

HAND = (
    "torch_create.txt",
    "torch_views.txt",
    "torch_inplace.txt",
    "torch_reads.txt",
    "torch_nn.txt",
    "torch_cuda.txt",
    "torch_distributed.txt",
    "torch_state.txt",
    "python.txt",
    "numpy.txt",
    "cupy.txt",
    "cpp.txt",
    "kernels.txt",
)
GENERATED = ("torch_generated.txt",)

_HERE = Path(__file__).parent


def text(name: str) -> str:
    """The text of one table of this folder."""
    return (_HERE / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def texts() -> tuple[str, ...]:
    """All tables, earlier ones first in authority."""
    hand = {name: text(name) for name in HAND}
    cupy_by_numpy = ("\n" + hand["numpy.txt"]).replace("\nnumpy.", "\ncupy.")
    return (*hand.values(), cupy_by_numpy, *(text(name) for name in GENERATED))
