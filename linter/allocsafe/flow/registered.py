"""Custom operators: `torch.ops.ns.name(...)`, wherever in the tree it is registered.

*Claim.* An operator whose only implementation is a Python function of the tree is that function, walked in place; the
fake implementation never is. For every other one the schema decides, if the tree holds exactly one meaning for the
name (`schema_calls`). A schema that returns no tensor and marks nothing is silent about what it does, and tells
nothing. *What it gives up.* Operators with several implementations of different meaning. Namespaces that only the
build knows match any, after those that are known.

*Cost.* One text search over the C++ sources for each operator, one more over the Python sources if that does not
settle it; both only when a followed array is handed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from allocsafe.effects.registrations import Registration, registrations, split
from allocsafe.effects.schemas import Schema, SchemaArg
from allocsafe.frontends.base import Unsupported
from allocsafe.ir.nodes import FunctionStub
from allocsafe.source import Source, Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.flow.program import Program
    from allocsafe.flow.values import Closure, Value
    from allocsafe.patch.pairs import Tree

CPP = (".cpp", ".cc", ".cxx", ".cu", ".h", ".hpp", ".cuh")
PYTHON = (".py",)
MOST_FILES = 120
"""Files that mention one name; more, and the name is a common word: nothing is known."""
TORCHS_OWN = frozenset(["aten", "prim", "prims", "c10d", "c10d_functional", "_c10d_functional", "symm_mem", "inductor"])
TORCHS_OWN |= {"quantized", "mkldnn", "mkl", "onednn", "fsdp", "higher_order", "profiler", "sparse", "xnnpack"}
"""Namespaces of torch itself: no tree registers what is called so."""


class Name(NamedTuple):
    """`torch.ops.ns.op.overload`; `overload` None: the call chooses one by its arguments."""

    namespace: str
    op: str
    overload: str | None = None


class Place(NamedTuple):
    """A schema and where it stands."""

    schema: Schema
    path: str
    line: int
    func: str = ""  # the C++ function, as far as it is named there

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


class Operator(NamedTuple):
    """All that the tree says of one operator."""

    functions: tuple[Registration, ...] = ()
    places: tuple[Place, ...] = ()
    others: tuple[Registration, ...] = ()  # implementations that cannot be followed
    problem: str = ""  # why its schema is not known, where one is there


def name_of(dotted: str) -> Name | None:
    """The operator that a text means: `torch.ops.ns.op`, `torch.ops.ns.op.default`, `ns::op.overload` or `ns.op`."""
    if "::" in dotted:
        space, op, named = split(dotted)
        return Name(space, op, "" if dotted.endswith(".default") else named or None)
    parts = dotted.removeprefix("torch.ops.").split(".")
    if len(parts) not in (2, 3) or not all(part.isidentifier() for part in parts):
        return None
    overload = parts[2] if len(parts) == 3 else None
    return Name(parts[0], parts[1], "" if overload == "default" else overload)


class Operators:
    """The operators of one side of a patch. `read` gives a file's text, `mentions` the files that hold a word."""

    def __init__(
        self, read: Callable[[str], Source | None], mentions: Callable[[str, tuple[str, ...]], Sequence[str]]
    ) -> None:
        self.text = read
        self._mentions = mentions
        self._said: dict[tuple[str, str], list[Registration]] = {}
        self._found: dict[tuple[str, str], Operator] = {}

    def in_file(self, name: Name, path: str) -> bool:
        """Whether one file may make the operator from a Python function."""
        return any(r.kind == "function" and rank(r.namespace, name.namespace) for r in self._of(path, name.op))

    def find(self, name: Name, here: tuple[str, ...] = ()) -> Operator:
        """What the tree says of an operator, all overloads. `here`: files that are looked at in any case."""
        key = (name.namespace, name.op)
        if key not in self._found:
            own = name.namespace in TORCHS_OWN
            self._found[key] = Operator() if own else operator(self._said_of(name, here), name.namespace)
        return self._found[key]

    def _said_of(self, name: Name, here: tuple[str, ...]) -> list[Registration]:
        said = self._all(name.op, CPP, ())
        settled = any(r.kind == "schema" and rank(r.namespace, name.namespace) >= ENDS_SO for r in said)
        if not (
            settled and any(r.kind == "other" for r in said)
        ):  # defined and implemented in C++: Python adds nothing
            said += self._all(name.op, PYTHON, here)
        return said

    def _all(self, op: str, suffixes: tuple[str, ...], here: tuple[str, ...]) -> list[Registration]:
        paths = list(dict.fromkeys([*here, *self._mentions(op, suffixes)]))
        return [r for path in paths for r in self._of(path, op)] if len(paths) <= MOST_FILES else []

    def _of(self, path: str, op: str) -> list[Registration]:
        if (path, op) not in self._said:
            source = self.text(path)
            self._said[path, op] = list(_registrations(source.text, path, op)) if source is not None else []
        return self._said[path, op]

    # ------------------------------------------------------------ schemas

    def schema_of(self, dotted: str) -> tuple[Schema, str, int] | None:
        """The one schema of an operator with the file and line of its registration; None: none, or several."""
        name = name_of(dotted)
        place, _ = self.place_of(name) if name is not None else (None, "")
        return None if place is None else (place.schema, place.path, place.line)

    def place_of(
        self, name: Name, positional: int | None = None, keywords: frozenset[str] = frozenset()
    ) -> tuple[Place | None, str]:
        """The schema of an operator, for a call with these arguments if they are given; else why there is none."""
        found = self.find(name)
        return (None, found.problem) if found.problem else chosen(found.places, name, positional, keywords)

    def tells_apart(self, place: Place, arg: SchemaArg) -> bool:
        """Whether the C++ function takes this argument `const` and those that the schema marks not: every declaration
        of it in the files that name the operator.
        """
        from allocsafe.effects.registrations_cpp import parameters

        schema = place.schema
        marked = [n for n, a in enumerate(schema.args) if a.written]
        if not marked or arg not in schema.args:
            return False
        func = place.func or schema.name
        lists = []
        for path in dict.fromkeys([*self._mentions(func.rsplit("::", 1)[-1], CPP)][:MOST_FILES]):
            source = self.text(path)
            if source is not None:
                lists += [found for found in parameters(source.text, func) if len(found) == len(schema.args)]
        at = schema.args.index(arg)
        return bool(lists) and all(
            # torch wants every optional argument `const`, written or not
            found[at].const and "optional" not in found[at].text and not any(found[n].const for n in marked)
            for found in lists
        )


EXACTLY, ENDS_SO, PERHAPS = 3, 2, 1


def rank(said: str, wanted: str) -> int:
    """How well the namespace of a registration fits; 0: it is another."""
    if not said:
        return PERHAPS
    if said.startswith("*"):
        return ENDS_SO if wanted.endswith(said[1:]) else 0
    return EXACTLY if said == wanted else 0


def operator(said: Sequence[Registration], namespace: str) -> Operator:
    """What registrations of one operator name say of the operator in one namespace."""
    ranked = [(rank(r.namespace, namespace), r) for r in said]
    best = max((n for n, r in ranked if r.kind in ("function", "schema")), default=0)
    if not best:
        return Operator()  # it is defined out of view, and so may be implemented there
    makes = [r for n, r in ranked if n == best and r.kind in ("function", "schema")]
    schemas = [r for r in makes if r.kind == "schema"]
    functions = [r for r in makes if r.kind == "function"]
    if schemas and functions:
        two = f"{schemas[0].path}:{schemas[0].line} and {functions[0].path}:{functions[0].line}"
        return Operator(problem=f"it is registered twice ({two})")
    functions += [r for n, r in ranked if n and r.kind == "kernel"]
    others = [r for n, r in ranked if n and r.kind == "other"]
    bound = {(r.path, r.overload): r.func for r in reversed(others)}
    places = [
        Place(r.schema, r.path, r.line, r.func or bound.get((r.path, r.overload), ""))
        for r in schemas
        if r.schema is not None
    ]
    bad = next((r for r in schemas if r.schema is None), None)
    if bad is not None:
        return Operator(tuple(functions), (), tuple(others), f"{bad.problem} ({bad.path}:{bad.line})")
    return Operator(tuple(functions), tuple(places), tuple(others))


def chosen(
    several: Sequence[Place], name: Name, positional: int | None, keywords: frozenset[str]
) -> tuple[Place | None, str]:
    """The one schema that a call can mean, or why it cannot be told."""
    places = [p for p in several if name.overload is None or p.schema.overload == name.overload]
    if not places:
        return None, ""
    fitting = [p for p in places if positional is None or p.schema.fits(positional, keywords)]
    if not fitting:
        return None, f"its schema ({places[0].where}) does not fit this call"
    meanings = [p.schema.meaning(positional, keywords) for p in fitting]
    other = next((p for p, meaning in zip(fitting, meanings, strict=True) if meaning != meanings[0]), None)
    if other is not None:
        return None, f"its schemas differ ({fitting[0].where}, {other.where})"
    return fitting[0], ""


@lru_cache(maxsize=4096)
def _registrations(text: str, path: str, op: str) -> tuple[Registration, ...]:
    """What a file registers under a name: of path and text alone, so that all programs may share it."""
    return tuple(registrations(text, path, op))


def of_tree(tree: Tree) -> Operators:
    """The operators that a tree registers."""
    return Operators(tree.read, tree.mentions)


def schema_of(tree: Tree, dotted: str) -> tuple[Schema, str, int] | None:
    """The one schema of `torch.ops.ns.name`, `ns::name` or `ns.name` in a tree, with file and line."""
    return of_tree(tree).schema_of(dotted)


# ---------------------------------------------------------------- calls


def operator_call(
    m: Machine, dotted: str, args: list[Value], kwargs: dict[str, Value], span: Span, loose: list[Value]
) -> Value | None:
    """A call of `torch.ops.ns.name`; None: nothing is known of it."""
    from allocsafe.flow.calls import invoke
    from allocsafe.flow.memory import holds_array

    name = name_of(dotted)
    if name is None:
        return None
    operators = m.program.custom_operators()
    here = tuple(dict.fromkeys([m.frame.path, *([m.follow[0]] if m.follow is not None else [])]))
    values = [*args, *kwargs.values(), *loose]
    if not any(holds_array(m, v) for v in values) and not any(operators.in_file(name, path) for path in here):
        return None
    found = operators.find(name, here)
    func = implementation(m, found)
    if func is not None:
        return invoke(m, func, args, kwargs, span, loose)
    if loose or m.contracts.entry(dotted, outside=True) is not None:  # it may say more than a schema can
        return None
    from allocsafe.flow.schema_calls import by_schema

    made = [r for r in found.functions if r.kind == "function"]
    places = found.places or [p for r in made if (p := derived(m, name.op, r)) is not None]
    place, why = None, found.problem
    if not why and (found.places or len(places) == len(made)):
        place, why = chosen(places, name, len(args), frozenset(kwargs))
    return by_schema(m, dotted, place, why, operators, args, kwargs, span)


def derived(m: Machine, op: str, said: Registration) -> Place | None:
    """What a Python registration says besides naming a function: its parameters, and which of them are mutated."""
    func = closure_of(m.program, m, said)
    if func is None or said.mutates is None:
        return None
    try:
        function = func.function.load() if isinstance(func.function, FunctionStub) else func.function
    except Unsupported:
        return None
    args = []
    for param in function.params:
        tensor = "Tensor" in param.annotation
        written = param.name in said.mutates or (tensor and said.mutates == ("unknown",))
        if param.kind in ("star", "double-star") or not param.annotation:
            return None
        default = None if param.default is None else "..."
        kind = "Tensor" if tensor else param.annotation
        args.append(SchemaArg(param.name, kind, tensor, written, "", param.kind == "keyword-only", default))
    results = () if said.mutates else (SchemaArg("", "Tensor", True),)
    return Place(Schema(op, said.overload, tuple(args), results), said.path, said.line)


def rebound(m: Machine, func: Closure) -> bool:
    """Whether a function that is an operator by its decorator has another implementation for some devices."""
    name = re.escape(func.function.name)
    text = m.program.text(func.path)
    calls = rf"@\s*{name}\.register_kernel\b|\bregister_kernel\(\s*(?:{name}\b|[\"']\w+::{name}\b)"
    return re.search(calls, text) is not None


def implementation(m: Machine, found: Operator) -> Closure | None:
    """The one Python function that is the operator, when nothing else can be."""
    if found.others or not found.functions:
        return None
    closures = [closure_of(m.program, m, r) for r in found.functions]
    first = closures[0]
    same = [c for c in closures if c is not None and first is not None and c.path == first.path]
    if first is None or len(same) < len(closures) or any(c.function.span != first.function.span for c in same):
        return None
    return first


def closure_of(program: Program, m: Machine, said: Registration) -> Closure | None:
    """The function that a registration names in its file, if it is one definition of the program."""
    from allocsafe.flow.values import Closure

    unit = program.unit(said.path)
    if unit is None or unit.language != "python" or not said.func:
        return None
    named = [d for d in unit.definitions if d.kind == "function" and d.qualname == said.func]
    if said.def_line:
        named = [d for d in named if d.first_line <= said.def_line <= d.last_line]
    if len(named) > 1 or (said.def_line and not named):
        return None
    if named:
        several = getattr(unit, "functions", None)
        stubs = several(said.func) if several is not None else ()
        stub = next((s for s in stubs if s.span.line == named[0].first_line), None)
        if stub is None or (stub.owner and "staticmethod" not in stub.decorator_names):
            return None
        return Closure(stub, said.path)
    if "." in said.func:
        return None
    value = program.global_value(m, said.path, said.func, Span(said.path, said.line, 1, said.line, 1))
    return value if isinstance(value, Closure) and value.receiver is None else None


__all__ = ["Name", "Operator", "Operators", "Place", "name_of", "of_tree", "operator_call", "schema_of"]
