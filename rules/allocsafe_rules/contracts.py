"""What callees out of view do with tensors: conventions by the last part of a name, closed kernels by their full one.

A convention holds for what is called so and cannot be followed: a model's forward pass, or a layer of it, reads what it
is given. Gives up: a module of such a name that writes into an argument whose name does not say that it is an output.
"""

from __future__ import annotations

from allocsafe_rules.kernels import KERNELS

_INDICES = "input_ids, input_tokens, positions, position_ids, slot_mapping, block_tables, cu_seqlens, token_ids"
_READS = f"reads *; indexes {_INDICES}; returns fresh"

CONTRACTS: dict[str, str] = {
    **dict.fromkeys(("model", "language_model", "draft_model", "run_model", "model_forward"), _READS),
    **dict.fromkeys(
        (
            "norm",
            "layernorm",
            "layer_norm",
            "input_layernorm",
            "post_attention_layernorm",
            "q_norm",
            "k_norm",
            "out_proj",
            "o_proj",
            "down_proj",
            "up_proj",
            "gate_proj",
            "gate_up_proj",
            "in_proj",
            "lm_head",
            "act_fn",
            "dropout",
            "linear",
        ),
        "reads *; returns fresh",
    ),
    **dict.fromkeys(
        ("embed_tokens", "word_embeddings", "embedding", "get_input_embeddings"),
        f"reads *; indexes input, {_INDICES}; returns fresh",
    ),
    # the context of a `torch.autograd.Function`: handed to the backward pass as they are
    "save_for_backward": "(*tensors) keeps tensors; returns none",
    **dict.fromkeys(("mark_non_differentiable", "mark_dirty"), "(*args) ignores args; returns none"),
    # `(positions, q, k)` rotates q and k; of the `x` in `(x, position_ids)` it mostly asks dtype and device alone
    "rotary_emb": f"reads 1, 2, q, k, query, key; indexes {_INDICES}; returns fresh",
    "torch.nn.Module": "reads *; returns fresh",
    "torch.ops.*.*(out=)": "reads *",  # an operator of no known schema that is handed its outputs by name
    **KERNELS,
}

__all__ = ["CONTRACTS"]
