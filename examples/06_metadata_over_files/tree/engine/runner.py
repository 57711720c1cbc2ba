"""Captures one CUDA graph for each batch size and replays the one that fits."""

from __future__ import annotations

import torch

from engine.backend import AttentionBackend
from engine.model import PagedModel


class GraphRunner:
    def __init__(self, padded_tokens: dict[int, int], max_bs: int, max_pages: int, page_size: int, device: str) -> None:
        self.padded_tokens = padded_tokens  # for each batch size, the tokens that its graph is captured for
        self.device = device
        self.backend = AttentionBackend(max_pages, page_size, device)
        self.backend.init_cuda_graph_state(max_bs, padded_tokens[max_bs])
        self.model = PagedModel(page_size, device)
        self.graphs = {}
        self.outputs = {}
        self.capture()

    def capture(self) -> None:
        for bs in self.padded_tokens:
            self.capture_one(bs)

    def capture_one(self, bs: int) -> None:
        num_padded_tokens = self.padded_tokens[bs]
        seq_lens = torch.ones(bs, dtype=torch.int32, device=self.device)
        query = torch.zeros(num_padded_tokens, 64, device=self.device)
        self.backend.capture_metadata(bs, num_padded_tokens, seq_lens)
        self.model.forward(query, self.backend)  # a warm-up run
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.outputs[bs] = self.model.forward(query, self.backend)
        self.graphs[bs] = graph

    def replay(
        self, bs: int, num_actual_tokens: int, seq_lens: torch.Tensor, pages: torch.Tensor, slots: torch.Tensor
    ) -> torch.Tensor:
        self.backend.replay_metadata(bs, num_actual_tokens, seq_lens, pages, slots)
        self.graphs[bs].replay()
        return self.outputs[bs][:num_actual_tokens]
