"""The words of phases against names as engines have them."""

from __future__ import annotations

import re

import pytest
from allocsafe.api import Phase
from allocsafe.flow.called import phase_by_argument
from allocsafe_rules.phases import PHASES

BY_NAME = {phase.name: phase for phase in PHASES}


def phase_of(name: str) -> str | None:
    return next((phase.name for phase in PHASES if any(re.fullmatch(word, name) for word in phase.words)), None)


NAMES = {
    "init": ["__init__", "__new__", "__post_init__", "setUp", "setUpClass"],
    "setup": [
        "init_cuda_graph_state", "_init_device_graphs", "init_buffers", "init_input_buffers",
        "initialize_kv_cache", "allocate_buffers", "alloc_kv_caches", "create_workspace",
        "_create_decode_buffers", "initialize", "load_weights", "load_model", "_load_checkpoint",
        "init_workspace", "init_attention_states", "reset_parameters", "process_weights_after_loading",
    ],
    "capture": [
        "capture", "capture_model", "_capture_graphs", "capture_one_batch_size", "graph_capture",
        "capture_begin", "init_forward_metadata_capture_cuda_graph", "prepare_for_capture",
        "capture_cuda_graph",
    ],
    "warm-up": [
        "warmup", "warm_up", "warmup_model", "kernel_warmup", "compile_or_warm_up_model", "profile_run",
        "_dummy_run", "profile", "execute_dummy_batch", "warm_up_for_capture", "profile_cudagraph_capture",
        "dummy_forward",
    ],
    "forward": [
        "forward", "__call__", "forward_decode", "_forward_impl", "execute_model", "decode", "prefill", "run",
        "run_batch", "step", "_step", "generate", "init_forward_metadata", "prepare_inputs",
        "_prepare_model_input_tensors", "extend", "predict", "forward_extend",
    ],
    "replay": [
        "replay", "_replay", "replay_graph", "init_forward_metadata_replay_cuda_graph", "replay_prepare",
        "graph_replay", "forward_replay",
    ],
}  # fmt: skip
NO_PHASE = [
    "recapture_count", "is_capturing", "is_in_capture_mode", "get_capture_sizes", "num_capture_steps",
    "set_profile_dir", "has_warmup", "should_replay", "_can_replay", "profiler", "replayed", "captured",
    "capturer", "dummyish", "stepper", "runner", "running", "executor", "forwarded", "decoder", "prefilled",
    "initial", "reinitialize_me", "swarm_up", "copy_blocks", "update", "reset", "build", "create", "allocate",
    "before_replay", "max_capture_size", "__len__", "on_capture_end", "close", "enable_profile", "append_token",
    "generator", "stepwise",
]  # fmt: skip


@pytest.mark.parametrize(("phase", "name"), [(phase, name) for phase, names in NAMES.items() for name in names])
def test_names_of_a_phase(phase: str, name: str) -> None:
    assert phase_of(name) == phase


@pytest.mark.parametrize("name", NO_PHASE)
def test_names_of_no_phase(name: str) -> None:
    assert phase_of(name) is None


def test_every_phase_has_names_here() -> None:
    assert set(NAMES) | {"serving"} == set(BY_NAME)


@pytest.mark.parametrize(
    "head",
    [
        "def alloc(self, n: int, reqs: Optional[List['Req']] = None) -> Optional[List[int]]:",
        "def add(self, request):",
        "async def put(self, state: 'CachedRequestState', index=None):",
        "def start(\n    self,\n    work: dict[str, ScheduledReq],\n) -> None:",
    ],
)
def test_what_is_handed_a_request_serves(head: str) -> None:
    found = phase_by_argument(head + "\n        pass", PHASES)
    assert found is not None and found.name == "serving"


@pytest.mark.parametrize(
    "head",
    [
        "def alloc(self, n: int) -> list[Req]:",
        "def look_up(self, req_indices, request_ids):",
        "def clear(self, kind='request', f=requests.get):",
        "def serve(self):\n        request = 1",
    ],
)
def test_what_only_speaks_of_requests_does_not(head: str) -> None:
    assert phase_by_argument(head + "\n        pass", PHASES) is None


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("init", "setup"), ("init", "capture"), ("init", "forward"), ("setup", "capture"), ("setup", "warm-up"),
        ("setup", "forward"), ("capture", "forward"), ("capture", "replay"), ("warm-up", "replay"),
        ("capture", "serving"), ("setup", "serving"),
    ],
)  # fmt: skip
def test_what_surely_comes_before_what(first: str, then: str) -> None:
    assert BY_NAME[first].surely_before(BY_NAME[then])
    assert not BY_NAME[then].surely_before(BY_NAME[first])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("capture", "warm-up"),
        ("warm-up", "forward"),
        ("forward", "replay"),
        ("forward", "forward"),
        ("warm-up", "serving"),
        ("serving", "forward"),
    ],
)
def test_between_these_no_order_is_known(one: str, other: str) -> None:
    """A wrong order here would be a wrong `safe`."""
    assert not BY_NAME[one].surely_before(BY_NAME[other])
    assert not BY_NAME[other].surely_before(BY_NAME[one])


def test_the_order_is_transitive_and_never_both_ways() -> None:
    for a in PHASES:
        assert not a.surely_before(a)
        for b in PHASES:
            for c in PHASES:
                if a.surely_before(b) and b.surely_before(c):
                    assert a.surely_before(c)


def test_a_phase_without_a_last_rank_has_its_own() -> None:
    assert Phase("a", 1, ()).surely_before(Phase("b", 2, ()))
    assert not Phase("a", 1, (), last_rank=2).surely_before(Phase("b", 2, ()))
