"""Attention metadata for CUDA graphs: buffers for the largest batch, views of them for each captured size."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass
class AttentionMetadata:
    """What attention reads for one batch; under a graph, views of the backend's buffers."""

    cache_seqlens: torch.Tensor | None = None
    cu_seqlens_q: torch.Tensor | None = None
    cu_seqlens_k: torch.Tensor | None = None
    page_table: torch.Tensor | None = None
    window_starts: torch.Tensor | None = None
    slot_mapping: torch.Tensor | None = None
    num_tokens: int = 0


class AttentionBackend:
    """Makes the metadata of a batch. Where they lie in memory must not change once a graph is captured."""

    forward_metadata: AttentionMetadata

    def __init__(self, max_pages: int, page_size: int, device: str) -> None:
        self.max_pages = max_pages
        self.page_size = page_size
        self.device = device

    def init_cuda_graph_state(self, max_bs: int, max_tokens: int) -> None:
        self.cache_seqlens = torch.zeros(max_bs, dtype=torch.int32, device=self.device)
        self.cu_seqlens_q = torch.zeros(max_bs + 1, dtype=torch.int32, device=self.device)
        self.cu_seqlens_k = torch.zeros(max_bs + 1, dtype=torch.int32, device=self.device)
        self.window_starts = torch.zeros(max_bs + 1, dtype=torch.int32, device=self.device)
        self.page_table = torch.zeros(max_bs, self.max_pages, dtype=torch.int32, device=self.device)
        self.slot_mapping = torch.zeros(max_tokens, dtype=torch.int64, device=self.device)
        self.sampled_slots = torch.zeros(max_bs, dtype=torch.int64, device=self.device)

    def capture_metadata(self, bs: int, num_padded_tokens: int, seq_lens: torch.Tensor) -> None:
        """The views that the graph of this size reads, at capture and at every replay."""
        metadata = AttentionMetadata()
        metadata.cache_seqlens = self.cache_seqlens[:bs]
        metadata.cache_seqlens.copy_(seq_lens)
        metadata.cu_seqlens_q = self.cu_seqlens_q[: bs + 1]
        metadata.cu_seqlens_q.copy_(torch.arange(0, bs + 1, device=self.device))
        metadata.cu_seqlens_k = self.cu_seqlens_k[: bs + 1]
        torch.cumsum(metadata.cache_seqlens, 0, out=metadata.cu_seqlens_k[1:])
        metadata.window_starts = self.window_starts[: bs + 1]
        metadata.window_starts[0] = 0
        torch.cumsum(metadata.cache_seqlens, 0, out=metadata.window_starts[1:])
        metadata.page_table = self.page_table[:bs, :]
        metadata.slot_mapping = self.slot_mapping[:num_padded_tokens]
        metadata.num_tokens = num_padded_tokens
        self.forward_metadata = metadata

    def replay_metadata(
        self, bs: int, num_actual_tokens: int, seq_lens: torch.Tensor, pages: torch.Tensor, slots: torch.Tensor
    ) -> None:
        """This batch's numbers into the same memory; the graph may have been captured for more tokens."""
        self.cache_seqlens[:bs].copy_(seq_lens)
        torch.cumsum(seq_lens, 0, out=self.cu_seqlens_k[1 : bs + 1])
        torch.cumsum(seq_lens, 0, out=self.window_starts[1 : bs + 1])
        self.page_table[:bs, : self.max_pages].copy_(pages)
        self.slot_mapping[:num_actual_tokens].copy_(slots)
        self.sampled_slots[:bs].copy_(slots[:bs])
