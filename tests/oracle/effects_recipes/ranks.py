"""What one of two ranks sees of each collective. A program: `python -m ... RANK STORE_FILE OUTPUT_FILE`.

Both ranks run the same plan: each collective with base contents, then once more for each argument with other contents
of it. What a rank sees after a call is written down, and the test compares the runs over both ranks.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional

Values = dict[str, Any]


def floats(rank: int, *shape: int) -> torch.Tensor:
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape) + 10 * (rank + 1)


def pieces(rank: int) -> list[torch.Tensor]:
    return [floats(rank, 3), floats(rank, 3) * 2]


# name: what the arguments are on a rank, and how the rank calls it
PLAN: dict[str, tuple[Callable[[int], Values], Callable[[int, Values], Any]]] = {
    "all_gather": (lambda r: {"tensor_list": pieces(r), "tensor": floats(r, 3)}, lambda r, v: dist.all_gather(**v)),
    "all_gather_into_tensor": (
        lambda r: {"output_tensor": floats(r, 6), "input_tensor": floats(r, 3)},
        lambda r, v: dist.all_gather_into_tensor(**v),
    ),
    "_all_gather_base": (
        lambda r: {"output_tensor": floats(r, 6), "input_tensor": floats(r, 3)},
        lambda r, v: dist._all_gather_base(**v),
    ),
    "all_reduce": (lambda r: {"tensor": floats(r, 3)}, lambda r, v: dist.all_reduce(**v)),
    "all_reduce_coalesced": (lambda r: {"tensors": pieces(r)}, lambda r, v: dist.all_reduce_coalesced(**v)),
    "all_to_all": (
        lambda r: {"output_tensor_list": pieces(r), "input_tensor_list": pieces(r)},
        lambda r, v: dist.all_to_all(**v),
    ),
    "all_to_all_single": (
        lambda r: {"output": floats(r, 6), "input": floats(r, 6)},
        lambda r, v: dist.all_to_all_single(**v),
    ),
    "broadcast": (lambda r: {"tensor": floats(r, 3)}, lambda r, v: dist.broadcast(**v, src=0)),
    "gather": (
        lambda r: {"tensor": floats(r, 3), **({"gather_list": pieces(r)} if r == 0 else {})},
        lambda r, v: dist.gather(**v, dst=0),
    ),
    "reduce": (lambda r: {"tensor": floats(r, 3)}, lambda r, v: dist.reduce(**v, dst=0)),
    "reduce_scatter": (
        lambda r: {"output": floats(r, 3), "input_list": pieces(r)},
        lambda r, v: dist.reduce_scatter(**v),
    ),
    "reduce_scatter_tensor": (
        lambda r: {"output": floats(r, 3), "input": floats(r, 6)},
        lambda r, v: dist.reduce_scatter_tensor(**v),
    ),
    "_reduce_scatter_base": (
        lambda r: {"output": floats(r, 3), "input": floats(r, 6)},
        lambda r, v: dist._reduce_scatter_base(**v),
    ),
    "scatter": (
        lambda r: {"tensor": floats(r, 3), **({"scatter_list": pieces(r)} if r == 0 else {})},
        lambda r, v: dist.scatter(**v, src=0),
    ),
    "send": (
        lambda r: {"tensor" if r == 0 else "_": floats(r, 3)},
        lambda r, v: dist.send(v["tensor"], 1) if r == 0 else dist.recv(v["_"], 0),
    ),
    "recv": (
        lambda r: {"tensor" if r == 1 else "_": floats(r, 3)},
        lambda r, v: dist.recv(v["tensor"], 0) if r == 1 else dist.send(v["_"], 1),
    ),
    "isend": (
        lambda r: {"tensor" if r == 0 else "_": floats(r, 3)},
        lambda r, v: dist.isend(v["tensor"], 1).wait() if r == 0 else dist.recv(v["_"], 0),
    ),
    "irecv": (
        lambda r: {"tensor" if r == 1 else "_": floats(r, 3)},
        lambda r, v: dist.irecv(v["tensor"], 0).wait() if r == 1 else dist.send(v["_"], 1),
    ),
    "all_gather_object": (
        lambda r: {"object_list": [None, None], "obj": floats(r, 3)},
        lambda r, v: dist.all_gather_object(**v),
    ),
    "broadcast_object_list": (
        lambda r: {"object_list": pieces(r)},
        lambda r, v: dist.broadcast_object_list(**v, src=0),
    ),
    "gather_object": (
        lambda r: {"obj": floats(r, 3), **({"object_gather_list": [None, None]} if r == 0 else {})},
        lambda r, v: dist.gather_object(**v, dst=0),
    ),
    "scatter_object_list": (
        lambda r: {
            "scatter_object_output_list": [None],
            **({"scatter_object_input_list": pieces(r)} if r == 0 else {}),
        },
        lambda r, v: dist.scatter_object_list(**v, src=0),
    ),
    "send_object_list": (
        lambda r: {"object_list" if r == 0 else "_": pieces(r)},
        lambda r, v: dist.send_object_list(v["object_list"], 1) if r == 0 else dist.recv_object_list(v["_"], 0),
    ),
    "recv_object_list": (
        lambda r: {"object_list" if r == 1 else "_": pieces(r)},
        lambda r, v: dist.recv_object_list(v["object_list"], 0) if r == 1 else dist.send_object_list(v["_"], 1),
    ),
    "_functional_collectives.all_reduce": (
        lambda r: {"self": floats(r, 3)},
        lambda r, v: functional.all_reduce(v["self"], "sum", dist.group.WORLD),
    ),
    "_functional_collectives.all_gather_tensor": (
        lambda r: {"self": floats(r, 3)},
        lambda r, v: functional.all_gather_tensor(v["self"], 0, dist.group.WORLD),
    ),
    "_functional_collectives.reduce_scatter_tensor": (
        lambda r: {"self": floats(r, 6)},
        lambda r, v: functional.reduce_scatter_tensor(v["self"], "sum", 0, dist.group.WORLD),
    ),
    "_functional_collectives.broadcast": (
        lambda r: {"self": floats(r, 3)},
        lambda r, v: functional.broadcast(v["self"], 0, dist.group.WORLD),
    ),
}


def plain(value: Any) -> Any:
    """As something that JSON and `==` understand."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (int, float, str, type(None))) else type(value).__name__


def changed(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value * -3 + 1
    return [changed(item) for item in value] if isinstance(value, list) else value


def observe(rank: int, name: str, changes: str) -> Any:
    make, run = PLAN[name]
    values = make(rank)
    if changes in values:
        values[changes] = changed(values[changes])
    before = plain(list(values.values()))
    result = run(rank, values)
    return {
        "before": dict(zip(values, before, strict=True)),
        "after": {k: plain(v) for k, v in values.items()},
        "result": plain(result),
    }


def main(rank: int, store: str, output: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    seen: dict[str, Any] = {}
    for name, (make, _) in PLAN.items():
        arguments = sorted({key for at in (0, 1) for key in make(at) if key != "_"})
        try:
            seen[name] = {changes: observe(rank, name, changes) for changes in ("", *arguments)}
        except (RuntimeError, NotImplementedError) as error:
            seen[name] = {"error": str(error)}
        dist.barrier()
    with open(output, "w", encoding="utf-8") as file:
        json.dump(seen, file)
    with contextlib.suppress(RuntimeError):  # the other rank may be gone already
        dist.barrier()
    # What the ranks saw is on disk. Leaving by the interpreter's end instead would run gloo's destructors, which abort
    # the process now and then when one of its threads still runs ("terminate called without an active exception").
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
