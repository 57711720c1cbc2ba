"""Turns the scheduler's lists into the tensors of one forward pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass
class Request:
    """What the scheduler knows about one request."""

    token_ids: list[int]
    computed: int
    block_ids: list[int]
    temperature: float


@dataclass
class BatchInputs:
    """One forward pass."""

    token_ids: torch.Tensor
    positions: torch.Tensor
    query_starts: torch.Tensor
    seq_lens: torch.Tensor
    block_table: torch.Tensor
    temperatures: torch.Tensor


class InputBuilder:
    """Collects Python numbers, then makes each tensor in one call."""

    def __init__(self, device: str, max_blocks: int) -> None:
        self.device = device
        self.max_blocks = max_blocks

    def build(self, requests: list[Request]) -> BatchInputs:
        """The tensors for these requests, in their order."""
        token_ids: list[int] = []
        positions: list[int] = []
        starts = [0]
        seq_lens: list[int] = []
        rows: list[list[int]] = []
        for request in requests:
            fresh = request.token_ids[request.computed :]
            token_ids.extend(fresh)
            positions.extend(range(request.computed, len(request.token_ids)))
            starts.append(starts[-1] + len(fresh))
            seq_lens.append(len(request.token_ids))
            rows.append(self.padded(request.block_ids))
        return BatchInputs(
            token_ids=torch.tensor(token_ids, dtype=torch.int64, device=self.device),
            positions=torch.tensor(positions, dtype=torch.int64, device=self.device),
            query_starts=self.make_starts(starts),
            seq_lens=self.make_lengths(seq_lens),
            block_table=torch.tensor(rows, dtype=torch.int32, device=self.device),
            temperatures=torch.tensor([r.temperature for r in requests], dtype=torch.float32, device=self.device),
        )

    def make_starts(self, starts: list[int]) -> torch.Tensor:
        """Where each request's tokens start; one more than there are requests."""
        query_starts = torch.tensor(starts, dtype=torch.int32, device="cpu")
        return query_starts

    def make_lengths(self, lengths: list[int]) -> torch.Tensor:
        """How many tokens each request has."""
        seq_lens = torch.tensor(lengths, dtype=torch.int32)
        return seq_lens

    def padded(self, block_ids: list[int]) -> list[int]:
        """A row of the block table: unused entries point at block 0."""
        return block_ids + [0] * (self.max_blocks - len(block_ids))
