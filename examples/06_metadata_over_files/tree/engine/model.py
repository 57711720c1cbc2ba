"""A model whose attention looks its keys up by page."""

from __future__ import annotations

import torch

from engine.backend import AttentionBackend


class PagedModel:
    def __init__(self, page_size: int, device: str) -> None:
        self.keys = torch.zeros(4096, page_size, 64, device=device)
        self.values = torch.zeros(4096, page_size, 64, device=device)

    def forward(self, query: torch.Tensor, backend: AttentionBackend) -> torch.Tensor:
        metadata = backend.forward_metadata
        self.store(query, metadata.slot_mapping)
        return self.attend(query, backend)

    def store(self, rows: torch.Tensor, slots: torch.Tensor) -> None:
        self.keys.view(-1, 64)[slots] = rows
        self.values.view(-1, 64)[slots] = rows

    def attend(self, query: torch.Tensor, backend: AttentionBackend) -> torch.Tensor:
        metadata = backend.forward_metadata
        pages = self.keys[metadata.page_table]
        first_keys = self.keys.view(-1, 64)[metadata.cu_seqlens_k[:-1]]
        lengths = metadata.cu_seqlens_k[1:] - metadata.cu_seqlens_k[:-1]
        windows = metadata.window_starts[1:] - metadata.window_starts[:-1]
        rows = query[metadata.cu_seqlens_q[:-1]]
        inside = metadata.cache_seqlens[:, None] > windows[:, None]
        weights = (pages.sum(dim=2) * (rows + first_keys)[:, None]).sum(dim=-1) * inside / lengths[:, None]
        return weights.unsqueeze(-1) * self.values[metadata.page_table].sum(dim=2)
