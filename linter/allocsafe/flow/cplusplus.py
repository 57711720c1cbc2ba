"""C and C++: the door between the walk and the modules that know the language.

Each idea has its own module: `cpp_memory` (pointers are looks at memory), `cpp_alloc` (what syntax makes),
`cpp_pointers` (elements and addresses), `cpp_vectors`, `cpp_bytes` (byte counts, iterators), `cpp_borrowed` (who
outlives whom), `cpp_faults` and `cpp_verdicts` (what is said of it), `cpp_methods` (calls). Importing this module
registers their steps.
"""

from __future__ import annotations

from allocsafe.effects.summary import Summary
from allocsafe.flow import cpp_alloc, cpp_borrowed, cpp_bytes, cpp_memory, cpp_methods, cpp_pointers, cpp_vectors
from allocsafe.flow.machine import Machine
from allocsafe.flow.values import Array, Ref, Value
from allocsafe.source import Span


def native_call(m: Machine, summary: Summary, bound: dict[str, Value], span: Span, template: str) -> Value | None:
    """A call whose table line has a special about bytes, iterators or borrowed memory."""
    del template
    return cpp_bytes.native_call(m, summary, bound, span)


def landed(m: Machine, array: Array, kind: str, span: Span, note: str, cond: int | None = None) -> Array:
    """Where an access through a pointer or borrowing tensor lands; what is wrong with the way there is logged."""
    here = array
    for _ in range(12):
        native = m.native.get(here.buf)
        if native is None or native.source is None:
            break
        if kind in ("read", "write", "escape"):
            cpp_vectors.check_fresh(m, native, span, 1 if cond is None else cond)
        if kind == "escape":
            cpp_borrowed.handed_over(m, here, span, note)
        here = native.source
    return cpp_memory.real(m, array)


def left_view(m: Machine, value: Value) -> None:
    """Code that is not in view may have changed the vectors and variables that it can reach."""
    for _, leaf in list(m.leaves(value)):
        if isinstance(leaf, Ref) and m.objects[leaf.obj].kind == "vector":
            cpp_vectors.forget(m, leaf)
        variable = cpp_pointers.behind(m, leaf)
        if variable is not None:
            m.write_cell(variable, m.unknown(variable[1]))


__all__ = ["cpp_alloc", "cpp_borrowed", "cpp_methods", "cpp_pointers", "cpp_vectors", "native_call"]
