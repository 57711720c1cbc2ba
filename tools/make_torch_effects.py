"""Write rules/allocsafe_rules/effects/torch_generated.txt from torch's own operator schemas.

    python tools/make_torch_effects.py            renew the table
    python tools/make_torch_effects.py --check    compare it with what the installed torch says; exit 1 if it differs

Claim: the line of an operator never says less than the operator does. A schema tells by its alias annotations what is
mutated (`Tensor(a!)`) and what a result shares (`Tensor(a)`); everything else that is a tensor is taken to be read.

Why that suffices: where a schema is silent the choice falls on the side that can only cost precision.

- A tensor argument is R, whether or not each element is needed. An argument that only lends its shape is R too, unless
  a hand-written line of the same operator says otherwise.
- A mutated argument is M. M claims that the old value is read, so a hole is reported before the claim that all is
  written could hide it. W is given to `out` alone.
- A shared result is a `view` only where torch has a `NAME_copy` twin, which it has for each operator that is always a
  view. The others (`reshape`, `to`) are `maybe`.
- Overloads are joined by position: the stronger read wins, an argument that some overloads lack gets a default, and a
  name that only some overloads use for a position can be given by keyword.

What it gives up: which part of an argument is written, what an index is, what a comparison is. The hand-written tables
say that, come first in authority, and are copied from here for the other names of the same operator.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional
import torch.overrides
from allocsafe.effects.summary import Effect, ParamEffect, Result, Summary, Tables
from allocsafe_rules.effects import HAND, text

TARGET = Path(__file__).parent.parent / "rules" / "allocsafe_rules" / "effects" / "torch_generated.txt"
HEADER = """\
# Written by tools/make_torch_effects.py from the operator schemas of torch {version}. Do not edit: a line in another
# table comes first. `torch.ops.NS.NAME` stands for all overloads of the operator.
"""
# Strength of an effect on an argument that is not mutated, and on one that is: the later one wins a join.
STRENGTH = "-VCIRWPQAM"
# The namespaces of Python that show operators, and what their operators' schemas are called.
NAMESPACES = (
    (torch, "torch", ""),
    (torch.nn.functional, "torch.nn.functional", ""),
    (torch.linalg, "torch.linalg", "linalg_"),
    (torch.fft, "torch.fft", "fft_"),
    (torch.special, "torch.special", "special_"),
    (torch.sparse, "torch.sparse", "sparse_"),
    (torch.nested, "torch.nested", "nested_"),
    (torch.signal.windows, "torch.signal.windows", ""),
)
INDEX_NAMES = re.compile(
    r"(.*_)?(index|indices|offsets?|lengths|repeats|sorter|batch_sizes|offset2bag|seqlens?|block_table|page_table)(_.*)?"
    r"|cu_?seq.*|cum_seq.*|seqused.*|seqlen.*"
)
AXIS_NAMES = re.compile(r"dims?\d?|.*_dims?|dim_.*|axis\d?|axes|dimension|dims_.*|start_dim|end_dim")
# Their schemas promise a fresh tensor; they return the argument where there is nothing to do.
RETURNS_ARGUMENT = re.compile(
    r"_cast_.*|(_)?conj_physical|dequantize|(feature_)?(alpha_)?dropout|native_dropout|_saturate_weight_to_fp16|_foobar"
)
# Looks at shape, type or place only, whatever the schema's return type.
META = re.compile(
    r"(sym_)?(size|stride|numel|storage_offset)|dim|ndim|_?is_(?!all_true|any_true|nonzero).*|cudnn_is_acceptable|_?has_.*"
    r"|_version|get_device|layout|q_.*|qscheme|_nnz|_dim[IV]|_debug_has_internal_overlap"
)


class Overload(NamedTuple):
    """One schema, as Python sees it: what it takes by position, what by keyword only, what it gives."""

    positional: tuple[ParamEffect, ...]
    keywords: tuple[ParamEffect, ...]
    outs: tuple[str, ...]
    result: Result
    takes_int_list: bool


def default_text(value: object) -> str:
    """A default without blanks, short; what cannot be shown so is None."""
    shown = str(value).replace(" ", "")
    return shown if shown and len(shown) < 12 and not set(shown) & set(":|=#!*") else "None"


def effect_of(name: str, kind: str) -> Effect:
    """What is done to an argument that the schema does not annotate, by its type and name."""
    if "Tensor" in kind:
        return "I" if INDEX_NAMES.fullmatch(name) else "R"
    if AXIS_NAMES.fullmatch(name):
        return "-"
    if re.search(r"\b(SymInt|int)\b", kind):
        return "I"
    if re.search(r"\b(Scalar|number|float|complex|Any|t)\b", kind):
        return "R"
    return "-"


PLACES = ("out", "output", "out_tile")
"""Mutated arguments whose names say that they are written to, and not that they are read: how much is not said."""


def is_view(name: str) -> bool:
    return hasattr(torch.ops.aten, name + "_copy")


def read_schema(schema: Any) -> Overload:
    """One overload. Keyword-only mutated arguments are the results' places; other mutated ones are operands."""
    base = schema.name.split("::")[1]
    positional: list[ParamEffect] = []
    keywords: list[ParamEffect] = []
    outs: list[str] = []
    owner: dict[str, str] = {}
    for argument in schema.arguments:
        alias = argument.alias_info
        mutated = alias is not None and alias.is_write
        if alias is not None:
            owner.update(dict.fromkeys(alias.before_set, argument.name))
        if mutated and argument.kwarg_only:
            outs.append(argument.name)
            continue
        effect = effect_of(argument.name, str(argument.real_type))
        if mutated:
            effect = "P" if argument.name in PLACES else "M"
        elif alias is not None:
            effect = "V"
        default = default_text(argument.default_value) if argument.has_default_value() else None
        (keywords if argument.kwarg_only else positional).append(
            ParamEffect(argument.name, effect, "positional", default)
        )
    result = read_result(base, schema, owner, {p.name for p in positional})
    int_list = [str(a.type) for a in schema.arguments if not a.kwarg_only]
    int_list = int_list[1:] if int_list[:1] == ["Tensor"] else int_list
    takes = len(int_list) == 1 and re.match(r"(Optional\[)?List\[(int|SymInt)\]", int_list[0]) is not None
    return Overload(tuple(positional), tuple(keywords), tuple(outs), result, takes)


def as_method(overload: Overload) -> Overload:
    """With the receiver in front: `polygamma(int n, Tensor self)` is `self.polygamma(n)`."""
    receiver_first = sorted(overload.positional, key=lambda param: param.name != "self")
    return overload._replace(positional=tuple(receiver_first))


def read_result(base: str, schema: Any, owner: dict[str, str], operands: set[str]) -> Result:
    returned = list(schema.returns)
    if not returned:
        return Result("none")
    shown = str(schema).rpartition("->")[2]
    tensors = [item for item in returned if "Tensor" in str(item.type)]
    if not tensors:
        return Result("scalar" if any("Tensor" in str(a.type) for a in schema.arguments) else "meta")
    if len(tensors) > 1:
        shared = [letter for item in tensors if item.alias_info for letter in item.alias_info.before_set]
        sharers = {owner.get(letter, "") for letter in shared} & operands
        return Result("views", sharers.pop()) if len(sharers) == 1 and not re.search(r"!", shown) else Result("tuple")
    alias = tensors[0].alias_info
    names = sorted({owner.get(letter, "") for letter in alias.before_set} & operands) if alias else []
    is_list = "List[" in str(tensors[0].type)
    if not names:
        return Result("tuple" if is_list else "new")
    if alias.is_write:
        return Result("=", names[0])
    if is_list:
        return Result("views", names[0])
    return Result("view" if is_view(base) and "|" not in shown else "maybe", names[0])


def join_effects(effects: Iterable[Effect]) -> Effect:
    return max(effects, key=STRENGTH.index)


def join_results(results: list[Result]) -> Result:
    """One result for all overloads: where they differ, the one that promises least."""
    kinds = {result.kind for result in results}
    shared = [result for result in results if result.param]
    if len(kinds) == 1 and len({result.param for result in results}) == 1:
        return results[0]
    if shared and "=" in kinds:
        return next(result for result in results if result.kind == "=")
    if shared and "views" in kinds:
        return next(result for result in results if result.kind == "views")
    if shared:
        return Result("maybe", shared[0].param)
    return Result("new" if "new" in kinds else sorted(kinds)[-1])  # a tensor or a tuple of them: all are written


def join(name: str, overloads: list[Overload], *, receiver: str, by_python: bool) -> Summary:
    """All overloads as one line. `receiver` is the name that Python gives to the schema's `self`."""
    if by_python and receiver == "self":
        overloads = [as_method(overload) for overload in overloads]
    main = [overload for overload in overloads if not overload.outs] or overloads
    longest = max(main, key=lambda overload: len(overload.positional))  # it names the positions
    rename = {"self": receiver}
    width = max(len(overload.positional) for overload in main)
    fewest = min(len(overload.positional) for overload in main)
    params: list[ParamEffect] = []
    spare: dict[str, Effect] = {}
    for at in range(width):
        column = [overload.positional[at] for overload in main if at < len(overload.positional)]
        label = rename.get(longest.positional[at].name, longest.positional[at].name)
        optional = at >= fewest or any(p.default for p in column) or bool(params and params[-1].default is not None)
        default = (longest.positional[at].default or "None") if optional else None
        params.append(ParamEffect(label, join_effects(p.effect for p in column), "positional", default))
        for other in column:
            alternative = rename.get(other.name, other.name)
            if alternative != label:
                spare[alternative] = join_effects((other.effect, spare.get(alternative, "-")))
    if width and main and all(overload.takes_int_list for overload in main) and by_python:
        last = params[-1]
        if len(params) == len(main[0].positional) and last.effect in "-I":
            params[-1] = ParamEffect(last.name, last.effect, "star")
    taken = {param.name for param in params}
    keywords = {label: ParamEffect(label, effect, "keyword-only", "None") for label, effect in spare.items()}
    for overload in main:
        for param in overload.keywords:
            before = keywords.get(param.name)
            effect = join_effects((param.effect, before.effect)) if before else param.effect
            keywords[param.name] = ParamEffect(param.name, effect, "keyword-only", param.default or "None")
    outs = list(dict.fromkeys(out for overload in overloads for out in overload.outs))
    if outs and receiver != "self" and by_python:
        outs = ["out"]
    if by_python and receiver == "self":
        outs = []
    for out in outs:
        keywords[out] = ParamEffect(out, "W", "keyword-only", "None")
    params += [param for label, param in keywords.items() if label not in taken]
    result = join_results([overload.result for overload in main])
    result = Result(result.kind, rename.get(result.param, result.param))
    if result.param and result.param not in {param.name for param in params}:
        result = Result(result.kind, params[0].name)
    return Summary(name, tuple(params), result)


def by_name_rules(base: str, summary: Summary) -> Summary:
    """What the name of an operator says more than its schema does, for the names that no hand-written line knows."""
    if META.fullmatch(base):
        return summary._replace(params=tuple(p._replace(effect="-") for p in summary.params), result=Result("meta"))
    if RETURNS_ARGUMENT.fullmatch(base):
        return summary._replace(result=Result("maybe", summary.params[0].name))
    if re.search(r"(^|_)empty(_|$)", base):
        return without_out(summary._replace(params=shape_only(summary), result=Result("alloc")))
    if re.search(r"_like$|^new_", base):
        return summary._replace(params=shape_only(summary), result=Result("filled"))
    if "resize" in base:
        kept = Result("copy", summary.params[0].name) if summary.result.kind == "new" else summary.result
        return without_out(summary._replace(params=shape_only(summary, "V"), result=kept, special="resize"))
    return summary


def shape_only(summary: Summary, effect: Effect = "-") -> tuple[ParamEffect, ...]:
    return tuple(
        p._replace(effect=effect) if at == 0 and p.effect in "RM" else p for at, p in enumerate(summary.params)
    )


def follow_hand(base: str, summary: Summary, hand: Tables) -> Summary:
    """Take over what a hand-written line says about another name of the same operator."""
    sources = (f"torch.Tensor.{base}", f"torch.{base}", f"torch.nn.functional.{base}", f"torch.ops.aten.{base}")
    known = next((line for line in map(hand.look_up, sources) if line), None)
    if known is None:
        return by_name_rules(base, summary)
    first_here, first_there = (line.params[0].name if line.params else "" for line in (summary, known))
    same = {"self": first_here, "input": first_here, first_there: first_here} if first_there else {}
    effects = {same.get(param.name, param.name): param.effect for param in known.params}
    params = tuple(param._replace(effect=effects.get(param.name, param.effect)) for param in summary.params)
    wanted = same.get(known.result.param, known.result.param)
    if known.result.param and wanted not in {param.name for param in params}:
        return summary._replace(params=params)
    special = "" if summary.name.startswith("torch.ops.") and ".aten." not in summary.name else known.special
    return without_out(summary._replace(params=params, result=Result(known.result.kind, wanted), special=special))


def without_out(summary: Summary) -> Summary:
    """`torch.empty(out=x)` gives `x` the shape and writes nothing; a copy into `out` takes unwritten elements along."""
    effect: Effect | None = {"alloc": "-", "copy": "P", "maybe": "P", "view": "P"}.get(summary.result.kind)  # type: ignore[assignment]
    if effect is None:
        return summary
    params = tuple(p._replace(effect=effect) if p.name == "out" and p.effect == "W" else p for p in summary.params)
    return summary._replace(params=params)


def by_signature(name: str, function: Callable[..., object]) -> Summary | None:
    """A function that is written in Python: its parameters by annotation; what has none is read."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    params: list[ParamEffect] = []
    for param in signature.parameters.values():
        if param.kind is param.VAR_KEYWORD:
            continue
        shown = param.annotation if isinstance(param.annotation, str) else str(param.annotation)
        known = param.annotation is not param.empty
        effect: Effect = (
            effect_of(param.name, shown) if known else ("-" if isinstance(param.default, (bool, str)) else "R")
        )
        if AXIS_NAMES.fullmatch(param.name):
            effect = "-"
        if param.name == "out":
            effect = "W"
        elif param.name == "self" or (not params and name.rpartition(".")[2].endswith("_")):
            effect = "M" if name.rpartition(".")[2].endswith("_") else "R"
        default = None if param.default is param.empty else default_text(param.default)
        if param.kind is param.VAR_POSITIONAL:
            params.append(ParamEffect(param.name, effect, "star"))
        elif param.kind is param.KEYWORD_ONLY:
            params.append(ParamEffect(param.name, effect, "keyword-only", default or "None"))
        else:
            params.append(ParamEffect(param.name, effect, "positional", default))
    result = Result("=", params[0].name) if params and params[0].effect == "M" else Result("new")
    returns = str(signature.return_annotation).lower()
    if signature.return_annotation is not signature.empty and ("tuple[" in returns or "list[" in returns):
        result = Result("tuple")
    return Summary(name, tuple(params), result)


def write_line(summary: Summary) -> str:
    words: list[str] = []
    kind = "positional"
    for param in summary.params:
        if param.kind == "keyword-only" and kind == "positional":
            words.append("*")
        kind = param.kind
        default = f"={param.default}" if param.default is not None else ""
        words.append(f"{'*' if param.kind == 'star' else ''}{param.name}{default}:{param.effect}")
    result = summary.result
    shown = f"={result.param}" if result.kind == "=" else result.kind + (f"({result.param})" if result.param else "")
    special = f" !{summary.special}" if summary.special else ""
    note = f" # {summary.note}" if summary.note else ""
    return f"{summary.name} | {' '.join(words)} | {shown}{special}{note}".replace("|  |", "| |")


def schemas() -> dict[str, list[Overload]]:
    """All overloads that have to do with tensors, by `namespace::name`, in a fixed order."""
    found: dict[str, list[Overload]] = {}
    dispatched = set(torch._C._dispatch_get_all_op_names())  # the others are TorchScript's own, for lists and strings
    for schema in sorted(torch._C._jit_get_all_schemas(), key=lambda s: (s.name, s.overload_name != "", str(s))):
        types = [str(item.type) for item in (*schema.arguments, *schema.returns)]
        full = f"{schema.name}.{schema.overload_name}".removesuffix(".")
        if full in dispatched and any("Tensor" in kind for kind in types):
            found.setdefault(schema.name, []).append(read_schema(schema))
    return found


def python_names() -> Iterator[tuple[str, str, object]]:
    """Every operator that Python shows: its full name, the name of its schema, and the object."""
    overridable = {torch.overrides.resolve_name(function) for function in torch.overrides.get_testing_overrides()}
    for module, prefix, schema_prefix in NAMESPACES:
        for name in sorted(vars(module)):
            thing = getattr(module, name)
            if callable(thing) and not inspect.isclass(thing):
                full = f"{prefix}.{name}"
                if (
                    inspect.isbuiltin(thing)
                    or full in overridable
                    or (schema_prefix and not name.startswith("_"))
                    or (name in getattr(module, "__all__", ()) and prefix != "torch")
                ):
                    yield full, schema_prefix + name, thing
    for name in sorted(dir(torch.Tensor)):
        yield f"torch.Tensor.{name}", name, getattr(torch.Tensor, name)


def lines() -> list[str]:
    hand = Tables(tuple(text(name) for name in HAND))
    known = schemas()
    found: dict[str, Summary] = {}
    for full, name, thing in python_names():
        if hand.look_up(full) or full in found:
            continue
        method = full.startswith("torch.Tensor.")
        base = name if f"aten::{name}" in known else getattr(thing, "__name__", name)
        overloads = known.get(f"aten::{base}")
        if not callable(thing):
            if method and not name.startswith("__"):
                found[full] = Summary(full, (ParamEffect("self", "-"),), Result("meta"), note="attribute")
        elif overloads and (inspect.isbuiltin(thing) or method):
            summary = join(full, overloads, receiver="self" if method else "input", by_python=True)
            found[full] = follow_hand(base, summary, hand)
        elif not base.startswith("_") and not inspect.isclass(thing):
            by_python = by_signature(full, thing)
            if by_python is not None and by_python.params:
                found[full] = follow_hand(base, by_python, hand)
    for full, overloads in known.items():
        space, _, base = full.partition("::")
        name = f"torch.ops.{space}.{base}"
        if space not in ("prim", "_test", "profiler", "static_runtime") and not hand.look_up(name):
            found[name] = follow_hand(base, join(name, overloads, receiver="self", by_python=False), hand)
    return [write_line(found[name]) for name in sorted(found)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the stored table differs")
    check = parser.parse_args().check
    made = HEADER.format(version=torch.__version__.partition("+")[0]) + "\n".join(lines()) + "\n"
    if not check:
        TARGET.write_text(made, encoding="utf-8")
        return 0
    stored = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    different = sorted(set(stored.splitlines()) ^ set(made.splitlines()))
    for line in different[:20]:
        print(line, file=sys.stderr)
    if different:
        print(f"{len(different)} lines differ: run `python tools/make_torch_effects.py`", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
