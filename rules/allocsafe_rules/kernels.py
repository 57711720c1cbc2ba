"""Contracts of closed kernels: what libraries whose source a repository does not hold do with their arguments.

One line an operator, after its public source; true at every version that was looked at, and where versions differ the
weaker. Hence what a version once left to its caller (a workspace, a scale that is accumulated into, the tail of a table
of sorted tokens) is not mentioned or `part of`: nothing is assumed of it. A kernel that walks rows writes surely as
many rows as its input has, and perhaps all: `writes out[:input.shape[0]], part of out`.
"""

from __future__ import annotations

_ROWS = "writes out[:input.shape[0]], part of out; returns none"

# csrc/activation_kernels.cu: num_tokens = input.numel() / input.size(-1); one block a token.
_ACTIVATION = f"(out, input, alpha=0, limit=0) reads input; {_ROWS}"
# csrc/layernorm_kernels.cu: one block a token of `input`; the sum of squares reads the whole row before it is written.
_RMS_NORM = f"(out, input, weight, epsilon=0) reads input, weight; {_ROWS}"
_ADD_RMS_NORM = (
    "(input, residual, weight, epsilon=0) reads input, residual, weight; writes part of input, part of residual; "
    "returns none"
)
# csrc/pos_encoding_kernels.cu: the rotated part of each head is read and written in place, a token for each position.
_ROTARY = (
    "(positions, query, key, head_size, cos_sin_cache, is_neox) indexes positions; "
    "reads part of query, part of key, part of cos_sin_cache; writes part of query, part of key; returns none"
)
# csrc/cache_kernels.cu: slots below zero are skipped; padded tokens have no slot.
_CACHE = (
    "(key, value, key_cache, value_cache, slot_mapping) "
    "indexes part of slot_mapping; reads part of key, part of value; "
    "writes part of key_cache, part of value_cache; returns none"
)
# csrc/quantization: one block a token of `input`; a scale a token.
_PER_TOKEN = (
    "(out, input, scale, scale_ub=0) reads input, scale_ub; "
    "writes out[:input.shape[0]], part of out, scale[:input.shape[0]], part of scale; returns none"
)
_STATIC = f"(out, input, scale, azp=0) reads input, part of scale, part of azp; {_ROWS}"
# A scale a group; some versions left the padded part of packed scales untouched.
_PER_GROUP = (
    "(input, out, scale, group_size, eps=0, low=0, high=0) reads input; "
    "writes out[:input.shape[0]], part of out, part of scale; returns none"
)
# The shapes are checked: out is [a rows, b columns].
_SCALED_MM = (
    "(out, a, b, a_scales, b_scales, bias=0) reads a, b, part of a_scales, part of b_scales, bias; "
    "writes out; returns none"
)
# The rows of experts that got no token stay as they are.
_GROUPED_MM = (
    "(out, a, b, a_scales, b_scales, expert_offsets, problem_sizes) reads part of a, part of b, part of a_scales, "
    "part of b_scales; indexes expert_offsets, problem_sizes; writes part of out; returns none"
)
# The block ids behind the padded token count stay as they are; some versions leave sorted ids of padding to the caller.
_ALIGN = (
    "(topk_ids, num_experts, block_size, sorted_token_ids, experts_ids, num_tokens_post_pad) indexes topk_ids; "
    "writes part of sorted_token_ids, part of experts_ids, num_tokens_post_pad; returns none"
)
# csrc/custom_all_reduce.cu: equal element counts are checked, every element of `out` is stored.
_ALL_REDUCE = "(fa, inp, out) reads inp; writes out; returns none"
_ALL_REDUCE_BY_COPY = "(fa, inp, reg_buffer, out) reads inp; writes out; returns none"
# One batch entry a pair of neighbours in cu_seqlens_q; the rows behind the last offset are nobody's.
_VARLEN = (
    "reads q[:cu_seqlens_q[-1]], part of k, part of v; indexes cu_seqlens_q, part of seqused_k, part of block_table; "
    "writes out[:cu_seqlens_q[-1]]"
)
_RAGGED = (
    "reads query[:cum_seq_lens_q[-1]], part of key, part of value; indexes cum_seq_lens_q, "
    "part of seq_lens; writes out[:cum_seq_lens_q[-1]], part of lse; returns out, ..."
)
_PAGED = (
    "reads query[:cum_seq_lens_q[-1]], part of kv_cache; indexes cum_seq_lens_q, part of seq_lens, "
    "part of block_tables; writes out[:cum_seq_lens_q[-1]]"
)
# A request of length zero may be left out.
_DECODE = "reads part of query, part of kv_cache; indexes part of seq_lens, part of block_tables; writes part of out"

KERNELS: dict[str, str] = {
    **dict.fromkeys(
        (
            "_C::silu_and_mul",
            "_C::mul_and_silu",
            "_C::gelu_and_mul",
            "_C::gelu_tanh_and_mul",
            "_C::fatrelu_and_mul",
            "_C::swigluoai_and_mul",
            "_C::gelu_new",
            "_C::gelu_fast",
            "_C::gelu_quick",
            "sgl_kernel::silu_and_mul",
            "sgl_kernel::gelu_and_mul",
            "sgl_kernel::gelu_tanh_and_mul",
        ),
        _ACTIVATION,
    ),
    **dict.fromkeys(("_C::rms_norm", "sgl_kernel::rmsnorm", "sgl_kernel::gemma_rmsnorm"), _RMS_NORM),
    **dict.fromkeys(
        ("_C::fused_add_rms_norm", "sgl_kernel::fused_add_rmsnorm", "sgl_kernel::gemma_fused_add_rmsnorm"),
        _ADD_RMS_NORM,
    ),
    "_C::rotary_embedding": _ROTARY,
    "_C_cache_ops::reshape_and_cache": _CACHE,
    "_C_cache_ops::reshape_and_cache_flash": _CACHE,
    "_C_cache_ops::concat_and_cache_mla": (
        "(kv_c, k_pe, kv_cache, slot_mapping) indexes part of slot_mapping; "
        "reads part of kv_c, part of k_pe; writes part of kv_cache; returns none"
    ),
    "_C::static_scaled_fp8_quant": _STATIC,
    "_C::static_scaled_int8_quant": _STATIC,
    "_C::dynamic_per_token_scaled_fp8_quant": _PER_TOKEN,
    "_C::per_token_group_fp8_quant": _PER_GROUP,
    "_C::per_token_group_quant_int8": _PER_GROUP,
    "sgl_kernel::sgl_per_token_group_quant_fp8": _PER_GROUP,
    "sgl_kernel::sgl_per_token_group_quant_int8": _PER_GROUP,
    "_C::cutlass_scaled_mm": _SCALED_MM,
    "_C::cutlass_moe_mm": _GROUPED_MM,
    "_moe_C::moe_align_block_size": _ALIGN,
    "sgl_kernel::moe_align_block_size": _ALIGN,
    "_moe_C::moe_sum": "(input, output) reads input[:output.shape[0]]; writes output; returns none",
    "_C_custom_ar::all_reduce": _ALL_REDUCE,
    "_C_custom_ar::all_reduce_reg": _ALL_REDUCE,
    "sgl_kernel::all_reduce": _ALL_REDUCE,
    "sgl_kernel::all_reduce_reg": _ALL_REDUCE,
    **dict.fromkeys(("_C_custom_ar::all_reduce_unreg", "sgl_kernel::all_reduce_unreg"), _ALL_REDUCE_BY_COPY),
    # The same kernel behind its Python front; the lengths of the keys are not looked at where seqused_k is given.
    "_vllm_fa2_C::varlen_fwd": (
        f"(q, k, v, out, cu_seqlens_q, cu_seqlens_k, seqused_k, leftpad_k, block_table) {_VARLEN}"
    ),
    "flash_attn.flash_attn_varlen_func": _VARLEN,
    "vllm.vllm_flash_attn.flash_attn_varlen_func": _VARLEN,
    "vllm_flash_attn.flash_attn_varlen_func": _VARLEN,
    **dict.fromkeys(
        (
            "flashinfer.prefill.trtllm_ragged_attention_deepseek",
            "flashinfer.trtllm_ragged_attention_deepseek",
        ),
        _RAGGED,
    ),
    **dict.fromkeys(
        (
            "flashinfer.prefill.trtllm_batch_context_with_kv_cache",
            "flashinfer.trtllm_batch_context_with_kv_cache",
        ),
        _PAGED,
    ),
    **dict.fromkeys(
        (
            "flashinfer.decode.trtllm_batch_decode_with_kv_cache",
            "flashinfer.trtllm_batch_decode_with_kv_cache",
        ),
        _DECODE,
    ),
}

__all__ = ["KERNELS"]
