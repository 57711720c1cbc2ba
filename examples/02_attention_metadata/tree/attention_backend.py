"""Attention metadata for captured decoding: every tensor that a graph reads lives here, once, for all batch sizes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class AttentionMetadata:
    """What one forward pass needs to know about its batch: views into the backend's buffers."""

    cache_seqlens: torch.Tensor | None = None
    cu_seqlens_q: torch.Tensor | None = None
    cu_seqlens_k: torch.Tensor | None = None
    page_table: torch.Tensor | None = None


@dataclass
class LocalMetadata:
    """The same for local attention: a request is cut into blocks that do not see each other."""

    query_start: torch.Tensor | None = None
    used_k: torch.Tensor | None = None
    block_table: torch.Tensor | None = None


class GraphAttentionBackend:
    """Buffers are made once, sliced at capture, and written in place at replay."""

    def __init__(self, max_context: int, page_size: int, draft_tokens: int, topk: int, device: str) -> None:
        self.page_size = page_size
        self.draft_tokens = draft_tokens
        self.topk = topk
        self.device = device
        self.max_pages = (max_context + page_size - 1) // page_size
        self.metadata = None
        self.expand_metadata = None
        self.local_metadata = None

    # ------------------------------------------------------------------ buffers

    def init_graph_state(self, max_batch: int) -> None:
        """All buffers, for the largest batch that will be captured."""
        pages, topk, draft = self.max_pages, self.topk, self.draft_tokens
        self.decode = {
            "cache_seqlens": torch.zeros(max_batch, dtype=torch.int32, device=self.device),
            "cu_seqlens_q": torch.arange(0, max_batch + 1, dtype=torch.int32, device=self.device),
            "cu_seqlens_k": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "page_table": torch.zeros(max_batch, pages, dtype=torch.int32, device=self.device),
            "page_starts": torch.zeros(pages, dtype=torch.int64, device=self.device),
        }
        self.decode["page_starts"].copy_(torch.arange(0, pages, device=self.device) * self.page_size)
        self.verify = {
            "cache_seqlens": torch.zeros(max_batch, dtype=torch.int32, device=self.device),
            "cu_seqlens_q": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "cu_seqlens_k": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "page_table": torch.zeros(max_batch, pages, dtype=torch.int32, device=self.device),
        }
        self.extend = {
            "cache_seqlens": torch.zeros(max_batch, dtype=torch.int32, device=self.device),
            "cu_seqlens_q": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "cu_seqlens_k": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "page_table": torch.zeros(max_batch, pages, dtype=torch.int32, device=self.device),
        }
        self.local = {
            "query_start": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "used_k": torch.zeros(max_batch, dtype=torch.int32, device=self.device),
            "block_table": torch.zeros(max_batch, pages, dtype=torch.int32, device=self.device),
        }
        self.draft = {
            "cache_seqlens": torch.zeros(max_batch, dtype=torch.int32, device=self.device),
            "cu_seqlens_q": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "cu_seqlens_k": torch.zeros(max_batch + 1, dtype=torch.int32, device=self.device),
            "page_table": torch.zeros(max_batch, pages, dtype=torch.int32, device=self.device),
        }
        self.expand = {
            "cache_seqlens": torch.zeros(max_batch * topk, dtype=torch.int32, device=self.device),
            "cu_seqlens_q": torch.zeros(max_batch * topk + 1, dtype=torch.int32, device=self.device),
            "cu_seqlens_k": torch.zeros(max_batch * topk + 1, dtype=torch.int32, device=self.device),
            "page_table": torch.zeros(max_batch * topk, draft, dtype=torch.int32, device=self.device),
        }

    # ------------------------------------------------------------------ capture

    def capture_metadata(self, bs: int, mode: str, seq_lens: torch.Tensor, prefix: torch.Tensor) -> None:
        """Slices the buffers for this batch size; the graph that is captured next reads these views."""
        metadata = AttentionMetadata()
        if mode == "decode":
            metadata.cache_seqlens = self.decode["cache_seqlens"][:bs]
            metadata.cache_seqlens.copy_(seq_lens[:bs])
            metadata.cu_seqlens_q = self.decode["cu_seqlens_q"][: bs + 1]
            metadata.cu_seqlens_k = self.decode["cu_seqlens_k"][: bs + 1]
            metadata.page_table = self.decode["page_table"][:bs, :]
            self.decode[bs] = metadata
        elif mode == "verify":
            metadata.cache_seqlens = self.verify["cache_seqlens"][:bs]
            metadata.cache_seqlens.copy_(seq_lens[:bs] + self.draft_tokens)
            metadata.cu_seqlens_q = self.verify["cu_seqlens_q"][: bs + 1]
            metadata.cu_seqlens_q.copy_(torch.arange(0, bs + 1, device=self.device) * self.draft_tokens)
            metadata.cu_seqlens_k = self.verify["cu_seqlens_k"][: bs + 1]
            metadata.cu_seqlens_k[:1].zero_()
            metadata.cu_seqlens_k[1:].copy_(torch.cumsum(metadata.cache_seqlens, dim=0))
            metadata.page_table = self.verify["page_table"][:bs, :]
            metadata.page_table.zero_()
            self.verify[bs] = metadata
        elif mode == "extend":
            pages = prefix.shape[1]
            metadata.cache_seqlens = self.extend["cache_seqlens"][:bs]
            metadata.cu_seqlens_q = self.extend["cu_seqlens_q"][: bs + 1]
            metadata.cu_seqlens_q.copy_(torch.arange(0, bs + 1, device=self.device) * self.draft_tokens)
            metadata.cu_seqlens_k = self.extend["cu_seqlens_k"][: bs + 1]
            metadata.cu_seqlens_k[1:].copy_(torch.cumsum(seq_lens[:bs], dim=0))
            metadata.page_table = self.extend["page_table"][:bs, :]
            metadata.page_table[:, :pages].copy_(prefix[:bs])
            self.extend[bs] = metadata
        self.metadata = metadata

    def capture_local_metadata(self, bs: int) -> None:
        """Local attention beside it: three more views."""
        local = LocalMetadata()
        local.query_start = self.local["query_start"][: bs + 1]
        local.query_start.copy_(torch.arange(0, bs + 1, device=self.device))
        local.used_k = self.local["used_k"][:bs]
        local.block_table = self.local["block_table"][:bs, :]
        self.local[bs] = local
        self.local_metadata = local

    def capture_draft_metadata(self, bs: int, seq_lens: torch.Tensor, prefix: torch.Tensor) -> None:
        """A speculative step has two parts: the shared prefix, and `topk` branches that expand it."""
        rows = bs * self.topk
        metadata = AttentionMetadata()
        metadata.cache_seqlens = self.draft["cache_seqlens"][:bs]
        metadata.cache_seqlens.copy_(seq_lens[:bs])
        metadata.cu_seqlens_q = self.draft["cu_seqlens_q"][: bs + 1]
        metadata.cu_seqlens_q.copy_(torch.arange(0, bs + 1, device=self.device) * self.topk)
        metadata.cu_seqlens_k = self.draft["cu_seqlens_k"][: bs + 1]
        metadata.cu_seqlens_k.copy_(F.pad(torch.cumsum(seq_lens[:bs], dim=0), (1, 0)))
        metadata.page_table = self.draft["page_table"][:bs, :]
        metadata.page_table.copy_(prefix[:bs, : self.max_pages])
        self.draft[bs] = metadata
        self.metadata = metadata

        expand = AttentionMetadata()
        expand.cache_seqlens = self.expand["cache_seqlens"][:rows]
        expand.cache_seqlens.fill_(1)
        expand.cu_seqlens_q = self.expand["cu_seqlens_q"][: rows + 1]
        expand.cu_seqlens_q.copy_(torch.arange(0, rows + 1, device=self.device))
        expand.cu_seqlens_k = self.expand["cu_seqlens_k"][: rows + 1]
        torch.cumsum(expand.cache_seqlens, dim=0, dtype=torch.int32, out=expand.cu_seqlens_k[1:])
        expand.page_table = self.expand["page_table"][:rows, :]
        self.expand[bs] = expand
        self.expand_metadata = expand

    # ------------------------------------------------------------------ replay

    def replay_metadata(self, bs: int, mode: str, seq_lens: torch.Tensor, table: torch.Tensor) -> None:
        """Writes this turn's numbers into the views that the graph of this batch size has recorded."""
        pages = table.shape[1]
        if mode == "decode":
            metadata = self.decode[bs]
            metadata.cache_seqlens.copy_(seq_lens[:bs])
            metadata.cu_seqlens_k[1:].copy_(torch.cumsum(seq_lens[:bs], dim=0))
            metadata.page_table[:, :pages].copy_(table[:bs])
            metadata.page_table[:, pages:].fill_(0)
        elif mode == "verify":
            metadata = self.verify[bs]
            metadata.cache_seqlens.copy_(seq_lens[:bs] + self.draft_tokens)
            metadata.cu_seqlens_k[1:].copy_(torch.cumsum(metadata.cache_seqlens, dim=0))
            metadata.page_table[:, :pages].copy_(table[:bs])
            metadata.page_table[:, pages:].fill_(0)
        else:
            metadata = self.extend[bs]
            metadata.cache_seqlens.copy_(seq_lens[:bs])
            metadata.cu_seqlens_k[:1].zero_()
            metadata.cu_seqlens_k[1:].copy_(torch.cumsum(seq_lens[:bs], dim=0))
            metadata.page_table[:, :pages].copy_(table[:bs])
        self.metadata = metadata

    def replay_local_metadata(self, bs: int, indices: torch.Tensor) -> None:
        """Takes the rows of the requests that are there."""
        local = self.local[bs]
        block_table = self.local["block_table"]
        rows = block_table[indices, :]
        rows.fill_(0)
        self.local_metadata = local

    def replay_draft_metadata(self, bs: int, seq_lens: torch.Tensor, branches: torch.Tensor) -> None:
        """This turn's branches."""
        metadata = self.draft[bs]
        metadata.cache_seqlens.copy_(seq_lens[:bs])
        self.metadata = metadata
        expand = self.expand[bs]
        expand.page_table.copy_(branches[: bs * self.topk])
        self.expand_metadata = expand

    # ------------------------------------------------------------------ forward

    def forward(self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Plain paged attention: what the graph records, in the open."""
        return self._attend(self.metadata, query, keys, values)

    def forward_draft(self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """The prefix and its branches."""
        prefix = self._attend(self.metadata, query, keys, values).repeat_interleave(self.topk, dim=0)
        branches = query.repeat_interleave(self.topk, dim=0)
        return prefix + self._attend(self.expand_metadata, branches, keys, values)

    def forward_local(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Local attention: blocks by number, as many keys as are used."""
        local = self.local_metadata
        blocks = keys[local.block_table]
        inside = torch.arange(blocks.shape[1], device=self.device) < local.used_k[:, None]
        lengths = local.query_start[1:] - local.query_start[:-1]
        weights = (blocks.sum(dim=-1) * inside).sum(dim=-1) / lengths
        return query * weights.unsqueeze(-1)

    def page_offsets(self, positions: torch.Tensor) -> torch.Tensor:
        """Where the page of each position starts."""
        return self.decode["page_starts"][positions // self.page_size]

    def _attend(
        self, metadata: AttentionMetadata, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        pages = keys[metadata.page_table]
        inside = torch.arange(pages.shape[1], device=self.device) < metadata.cache_seqlens[:, None]
        lengths_q = metadata.cu_seqlens_q[1:] - metadata.cu_seqlens_q[:-1]
        lengths_k = metadata.cu_seqlens_k[1:] - metadata.cu_seqlens_k[:-1]
        weights = (query.unsqueeze(1) * pages).sum(dim=-1) * inside
        return (weights.unsqueeze(-1) * values[metadata.page_table]).sum(dim=1) / (lengths_q * lengths_k).unsqueeze(-1)
