"""Helpers and checks for a paged key/value cache: the copies under test against plain Python references."""

from __future__ import annotations

import random

import torch

BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE = 32, 16, 4, 64


def make_cache(blocks: int, block_size: int, heads: int, head_size: int) -> torch.Tensor:
    """An empty cache. Most callers do not care what is in it."""
    return torch.zeros(blocks, block_size, heads, head_size, dtype=torch.float32)


def make_scratch(tokens: int, heads: int, head_size: int) -> torch.Tensor:
    """Room for the tokens that are gathered from a cache."""
    return torch.zeros(tokens, heads, head_size, dtype=torch.float32)


# ------------------------------------------------------------------ under test


def copy_blocks(cache: torch.Tensor, pairs: list[tuple[int, int]]) -> None:
    """Block `source` to block `target`, for each pair."""
    for source, target in pairs:
        cache[target].copy_(cache[source])


def write_tokens(cache: torch.Tensor, keys: torch.Tensor, slots: list[int]) -> None:
    """Token `i` into slot `slots[i]`."""
    for i, slot in enumerate(slots):
        cache[slot // BLOCK_SIZE, slot % BLOCK_SIZE] = keys[i]


def gather_tokens(cache: torch.Tensor, slots: list[int], out: torch.Tensor) -> None:
    """The other way round."""
    for i in range(out.shape[0]):
        out[i] = cache[slots[i] // BLOCK_SIZE, slots[i] % BLOCK_SIZE]


# ------------------------------------------------------------------ checks


def check_copy_blocks() -> None:
    """Fills its cache before it looks at it."""
    cache = make_cache(BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE)
    cache.uniform_(-1, 1)
    before = cache.clone()
    copy_blocks(cache, [(0, 5), (1, 7)])
    assert torch.equal(cache[5], before[0])
    assert torch.equal(cache[7], before[1])


def check_reset() -> None:
    """Zeroes its cache itself."""
    cache = make_cache(BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE)
    cache.zero_()
    assert not cache.any()


def check_layout_round_trip() -> None:
    """Swaps two axes and back, and compares the whole cache with itself: a NaN is not equal to itself."""
    cache = make_cache(BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE)
    heads_first = cache.transpose(1, 2).contiguous()
    assert torch.equal(heads_first.transpose(1, 2), cache)


def check_write_tokens(tokens: int) -> None:
    """Compares whole caches: the slots that were not written must be equal, too."""
    slots = random.sample(range(BLOCKS * BLOCK_SIZE), tokens)
    keys = torch.randn(tokens, HEADS, HEAD_SIZE)
    cache = make_cache(BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE)
    write_tokens(cache, keys, slots)
    flat = cache.view(BLOCKS * BLOCK_SIZE, HEADS, HEAD_SIZE)
    expected = torch.zeros_like(flat)
    for i, slot in enumerate(slots):
        expected[slot] = keys[i]
    torch.testing.assert_close(flat, expected)


def check_gather_tokens(tokens: int) -> None:
    """Two references, both filled row by row and compared whole."""
    slots = random.sample(range(BLOCKS * BLOCK_SIZE), tokens)
    cache = torch.randn(BLOCKS, BLOCK_SIZE, HEADS, HEAD_SIZE)
    gathered = make_scratch(tokens, HEADS, HEAD_SIZE)
    gather_tokens(cache, slots, gathered)

    reference = torch.zeros(tokens, HEADS, HEAD_SIZE)
    for i in range(tokens):
        reference[i] = cache[slots[i] // BLOCK_SIZE, slots[i] % BLOCK_SIZE]
    assert torch.allclose(gathered, reference)

    shifted = torch.zeros(tokens, HEADS, HEAD_SIZE)
    for i in range(1, tokens):
        shifted[i] = reference[i - 1]
    assert not torch.allclose(gathered, shifted)
