"""C and C++: the door between the walk and the modules that know the language.

Each idea has its own module: `cpp_memory` (pointers are looks at memory), `cpp_alloc` (what syntax makes), `cpp_pointers` (elements and
addresses), `cpp_vectors`, `cpp_bytes` (byte counts, iterators), `cpp_borrowed` (who outlives whom), `cpp_faults` and `cpp_verdicts` (what is said of
it), `cpp_methods` (calls). Importing this module registers their steps.
"""

from __future__ import annotations

from allocsafe.effects.summary import Summary
from allocsafe.flow import cpp_alloc, cpp_borrowed, cpp_bytes, cpp_methods, cpp_pointers, cpp_vectors
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import Value
from allocsafe.source import Span


def native_call(m: Machine, summary: Summary, bound: dict[str, Value], span: Span, template: str) -> Value | None:
    """A call whose table line has a special about bytes, iterators or borrowed memory."""
    del template
    return cpp_bytes.native_call(m, summary, bound, span)


__all__ = ["cpp_alloc", "cpp_borrowed", "cpp_methods", "cpp_pointers", "cpp_vectors", "native_call"]
