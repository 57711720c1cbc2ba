"""Runs a small decoder several steps per scheduler turn, from captured CUDA graphs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

WARMUP_RUNS = 2


class RotaryDecoder(torch.nn.Module):
    """An embedding, a rotary table and one projection: enough to show who reads which input."""

    def __init__(self, vocab_size: int, hidden_size: int, max_position: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Parameter(torch.randn(vocab_size, hidden_size))
        self.projection = torch.nn.Parameter(torch.randn(hidden_size, vocab_size))
        angles = torch.outer(torch.arange(max_position).float(), torch.rand(hidden_size))
        self.register_buffer("cosines", angles.cos())

    def forward(self, token_ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        hidden = F.embedding(token_ids, self.embedding)
        hidden = hidden * self.cosines[positions]
        return hidden @ self.projection


class DecodeGraph:
    """One captured graph for one batch size."""

    def __init__(self, model: RotaryDecoder) -> None:
        self.model = model
        self.graph = torch.cuda.CUDAGraph()
        self.token_ids = None
        self.positions = None
        self.logits = None

    def capture(self, token_ids: torch.Tensor, positions: torch.Tensor) -> None:
        for _ in range(WARMUP_RUNS):
            self.model(token_ids, positions)
        torch.cuda.synchronize()
        with torch.cuda.graph(self.graph):
            self.logits = self.model(token_ids, positions)
        self.token_ids = token_ids
        self.positions = positions

    def replay(self, token_ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        self.token_ids.copy_(token_ids, non_blocking=True)
        self.positions.copy_(positions, non_blocking=True)
        self.graph.replay()
        return self.logits


class MultiStepRunner:
    """Keeps the graphs, the host copy of the sampled tokens and the hidden state of the draft model."""

    def __init__(self, vocab_size: int, hidden_size: int, max_position: int, max_batch: int, device: str) -> None:
        self.model = RotaryDecoder(vocab_size, hidden_size, max_position)
        self.max_batch = max_batch
        self.device = device
        self.graphs = {}
        self.draft_hidden = None
        self.sampled_host = torch.zeros(max_batch, dtype=torch.int64, pin_memory=True)

    def capture_model(self, batch_sizes: list[int]) -> None:
        """Captures one graph per batch size, the largest first, all on the same two inputs."""
        input_tokens = torch.zeros(self.max_batch, dtype=torch.int64, device=self.device)
        input_positions = torch.zeros(self.max_batch, dtype=torch.int64, device=self.device)
        for batch_size in reversed(batch_sizes):
            graph = DecodeGraph(self.model)
            graph.capture(input_tokens[:batch_size], input_positions[:batch_size])
            self.graphs[batch_size] = graph

    def step(self, token_ids: torch.Tensor, positions: torch.Tensor) -> list[int]:
        """One decoding step; gives the sampled tokens as numbers."""
        count = token_ids.shape[0]
        logits = self.graphs[count].replay(token_ids, positions)
        return self.to_host(logits.argmax(dim=-1))

    def to_host(self, sampled: torch.Tensor) -> list[int]:
        """Through the pinned buffer: as much of it is read as has just been copied in."""
        n = sampled.shape[0]
        self.sampled_host[:n].copy_(sampled, non_blocking=True)
        torch.cuda.synchronize()
        return self.sampled_host[:n].tolist()

    def keep_draft_hidden(self, hidden: torch.Tensor, joined: int) -> None:
        """Requests that joined in this turn have no hidden state yet: a placeholder keeps their rows."""
        placeholder = torch.zeros_like(hidden[:joined])
        self.draft_hidden = torch.cat([hidden, placeholder])
