r"""The words that name a phase of an object's life, as data: what the engine lists under `assumes` when it relies on
one.

    init 0 --> setup 1 --> capture 2 ------------> replay 5
                       \-> warm-up 2..3 ---------> replay 5
                       \-------------> forward 3..5
                       \-------------> serving 3..5      what is handed a request

Claims: a method of a phase surely runs before one of another only if its last rank is below the other's first. A
capture method warms up before it records, hence no order between the two; forward passes run between captures and
between replays, hence none between forward, warm-up and replay. Requests come when the engine serves, and it serves
when all graphs are there. Suffices for the engines this was read from. Gives up:
a method that no word matches has no phase, and a read that hangs on its order is `unknown (order)`.

The words are matched against the whole method name, the first phase that matches wins: "capture" goes before "init",
since `init_forward_metadata_capture_cuda_graph` runs at capture.
"""

from __future__ import annotations

from allocsafe.api import Phase

# A question or a number about a phase is not the phase: is_capturing, num_capture_steps, get_capture_sizes.
_NO_QUESTION = (
    r"(?!_*(?:is|has|can|should|get|set|num|max|min|need|needs|use|uses|check|supports?|enable|disable|log|in|on|"
    r"before|after)_)"
)


def _word(stem: str) -> str:
    """A regular expression for a method name that has `stem` as whole words between underscores."""
    return rf"{_NO_QUESTION}(?:.*_)?(?:{stem})(?:_.*)?"


PHASES: tuple[Phase, ...] = (
    Phase(
        "init", 0, (r"__init__", r"__new__", r"__post_init__", r"setUp", r"setUpClass", r"setup_class", r"setup_method")
    ),
    Phase("replay", 5, (_word("replay|replays"),)),
    Phase("warm-up", 2, (_word("warm_?up|warming_up|warm_up_model|profile|profiling|dummy"),), last_rank=3),
    Phase("capture", 2, (_word("capture|captures|capturing"),)),
    Phase(
        "setup",
        1,
        (
            r"_*init_(?:cuda|device)_graphs?(?:_.*)?",
            r"_*init(?:ialize)?_(?:.*_)?(?:buffers?|states?|caches?|pools?|weights?|workspaces?)",
            r"_*(?:alloc|allocate|create|make|build|register)_(?:.*_)?(?:buffers?|caches?|pools?|workspaces?)",
            r"_*initialize(?:_.*)?",
            r"_*load_(?:.*_)?(?:weights?|model|checkpoint|state_dict)",
            r"_*reset_parameters",
            r"process_weights_after_loading",
        ),
    ),
    Phase(
        "forward",
        3,
        (
            r"__call__",
            r"_*forward(?:_.*)?",
            r"_*init_forward_metadata(?:_.*)?",
            r"_*(?:execute|run|step|decode|prefill|extend|generate|predict|infer)(?:_.*)?",
            r"_*prepare_(?:.*_)?inputs?(?:_.*)?",
        ),
        last_rank=5,
    ),
    Phase(
        "serving",
        3,
        (),
        last_rank=5,
        takes=(r"reqs?", r"requests?", r"(?:[A-Z]\w*)?Req(?:uest)?(?:State|Data|Info)?s?"),
    ),
)

__all__ = ["PHASES"]
