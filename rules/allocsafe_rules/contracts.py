"""What callees whose source is out of view do with tensors, by the last part of their name: conventions everyone
relies on.

``reads`` says that every tensor argument is read whole; ``name:index`` that what is called so is used as indices. A
verdict that rests on one lists it under `assumes`. Suffices because these names stand for a model's forward pass or a
layer of it. Gives up: a module of such a name that writes into an argument instead.
"""

from __future__ import annotations

_INDICES = (
    "input_ids:index, input_tokens:index, positions:index, position_ids:index, slot_mapping:index, "
    "block_tables:index, cu_seqlens:index, token_ids:index"
)

CONTRACTS: dict[str, str] = {
    **dict.fromkeys(("model", "language_model", "draft_model", "run_model", "model_forward"), f"reads {_INDICES}"),
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
        "reads",
    ),
    **dict.fromkeys(
        ("embed_tokens", "word_embeddings", "embedding", "rotary_emb", "get_input_embeddings"),
        "reads input:index, " + _INDICES,
    ),
}

__all__ = ["CONTRACTS"]
