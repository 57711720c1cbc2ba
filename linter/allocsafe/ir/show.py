"""The IR as text: for people (`--show-ir`) and for expected files in tests.

Claim: two functions that differ in any step differ in their text, and the same source always gives the same text. One
step a line, with its place in front; what a step holds in blocks stands indented below it.

    2:9-14        %1 = load local x
    2:5-14        if %1
                  then:
    3:9-17          return %0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from allocsafe.ir import nodes as ir
from allocsafe.source import Span

_PLACE = 14


def show(function: ir.Function) -> str:
    """`function` with all that is nested in it."""
    return "\n".join(line.rstrip() for line in _function(function, 0)) + "\n"


def show_block(block: ir.Block, depth: int = 0) -> str:
    """A block on its own."""
    return "\n".join(line.rstrip() for line in _block(block, depth)) + "\n"


def show_step(step: ir.Step) -> str:
    """One step without its blocks and its place."""
    return _TEXT[type(step)](step) if type(step) in _TEXT else _any(step)


def place(span: Span) -> str:
    """`line:column-column`, or `line:column-line:column` for several lines."""
    start = f"{span.line}:{span.column}"
    if span.line == span.end_line:
        return f"{start}-{span.end_column}"
    return f"{start}-{span.end_line}:{span.end_column}"


def _row(at: str, depth: int, text: str) -> str:
    return f"{at:<{_PLACE - 1}} {'  ' * depth}{text}"


def _function(function: ir.Function, depth: int) -> Iterator[str]:
    words: list[str] = [function.kind]
    if function.is_async:
        words.insert(0, "async")
    if function.is_generator:
        words.append("generator")
    words += sorted(function.qualifiers)
    params = ", ".join(_param(p) for p in function.params)
    returns = f" -> {function.returns}" if function.returns else ""
    for name in function.decorator_names:
        yield _row("", depth, f"@{name}")
    yield _row(place(function.span), depth, f"{' '.join(words)} {function.qualname}({params}){returns}")
    if function.defaults:
        yield _row("", depth, "defaults:")
        yield from _block(function.defaults, depth + 1)
        yield _row("", depth, "body:")
    yield from _block(function.body, depth + 1)


def _param(param: ir.Param) -> str:
    mark = {"star": "*", "double-star": "**"}.get(param.kind, "")
    note = {"positional-only": " /", "keyword-only": " kw"}.get(param.kind, "")
    annotation = f": {param.annotation}" if param.annotation else ""
    default = f" = {param.default}" if param.default is not None else ""
    return f"{mark}{param.name}{annotation}{default}{note}"


def _class(cls: ir.ClassDef, depth: int) -> Iterator[str]:
    for name in cls.decorator_names:
        yield _row("", depth, f"@{name}")
    fields = f" fields({', '.join(_param(p) for p in cls.fields)})" if cls.fields else ""
    yield _row(place(cls.span), depth, f"class {cls.qualname}({', '.join(cls.bases)}){fields}")
    if cls.load_body is not None:
        yield from _function(cls.load_body(), depth + 1)
    for stub in cls.methods.values():
        yield from _function(stub.load(), depth + 1)


def _block(block: ir.Block, depth: int) -> Iterator[str]:
    for step in block:
        yield _row(place(step.span), depth, show_step(step))
        if isinstance(step, ir.MakeFunction):
            yield from _function(step.function, depth + 1)
        elif isinstance(step, ir.MakeClass):
            yield from _class(step.cls, depth + 1)
        else:
            for label, inner in parts(step):
                yield _row("", depth, f"{label}:")
                yield from _block(inner, depth + 1)


def parts(step: ir.Step) -> Iterator[tuple[str, ir.Block]]:
    """The blocks a step holds, by name, empty ones left out."""
    if isinstance(step, ir.Try):
        yield "body", step.body
        for handler in step.handlers:
            names = " | ".join(handler.type_names)
            types = f" {handler.types}" if handler.types else ""
            name = f" as {handler.name}" if handler.name else ""
            yield f"except{types}{' ' + names if names else ''}{name}", handler.body
        if step.orelse:
            yield "else", step.orelse
        if step.final:
            yield "finally", step.final
        return
    labels = {"orelse": "else"}
    for field in ("test", "then", "body", "update", "orelse"):
        inner = getattr(step, field, ())
        if isinstance(inner, tuple) and inner:
            yield labels.get(field, field), inner


# ---------------------------------------------------------------- steps


def _index(index: ir.Index) -> str:
    def one(item: ir.IndexItem) -> str:
        if isinstance(item, ir.At):
            return f"*{item.reg}" if item.star else item.reg
        step = f":{item.step}" if item.step else ""
        return f"{item.lo or ''}:{item.hi or ''}{step}"

    comma = "," if index.is_tuple and len(index.items) < 2 else ""
    return f"[{', '.join(map(one, index.items))}{comma}]"


def _item(item: ir.Item) -> str:
    if item.key is not None:
        return f"{item.key}: {item.value}"
    return f"*{item.value}" if item.star else item.value


def _arg(arg: ir.Arg) -> str:
    return f"{arg.name}={arg.reg}" if arg.name else f"{arg.star}{arg.reg}"


def _args(args: tuple[ir.Arg, ...]) -> str:
    return f"({', '.join(map(_arg, args))})"


def _unpack(step: ir.Unpack) -> str:
    return ", ".join(("*" if i == step.star else "") + dst for i, dst in enumerate(step.dsts)) + f" = unpack {step.src}"


def _words(*words: str | None) -> str:
    return " ".join(word for word in words if word)


_TEXT: dict[type, Callable[[Any], str]] = {
    ir.Const: lambda s: f"{s.dst} = const {'...' if s.value is ... else repr(s.value)}",
    ir.Move: lambda s: f"{s.dst} = {s.src}",
    ir.Load: lambda s: f"{s.dst} = load {s.scope} {s.name}",
    ir.Store: lambda s: f"store {s.scope} {s.name} = {s.src}",
    ir.Delete: lambda s: f"del {s.scope} {s.name}",
    ir.GetAttr: lambda s: f"{s.dst} = {s.obj}.{s.attr}",
    ir.SetAttr: lambda s: f"{s.obj}.{s.attr} = {s.src}" if s.src else f"del {s.obj}.{s.attr}",
    ir.GetItem: lambda s: f"{s.dst} = {s.obj}{_index(s.index)}",
    ir.SetItem: lambda s: f"{s.obj}{_index(s.index)} = {s.src}" if s.src else f"del {s.obj}{_index(s.index)}",
    ir.New: lambda s: f"{s.dst} = new {s.kind} ({', '.join(map(_item, s.items))})",
    ir.Append: lambda s: f"append {s.src} to {s.target}",
    ir.Unpack: _unpack,
    ir.Unary: lambda s: f"{s.dst} = {s.op} {s.x}",
    ir.Binary: lambda s: f"{s.dst} = {s.a} {s.op} {s.b}",
    ir.Aug: lambda s: f"{s.dst} = {s.a} {s.op}= {s.b}",
    ir.Compare: lambda s: f"{s.dst} = {s.a} {s.op} {s.b}",
    ir.Format: lambda s: f"{s.dst} = format ({', '.join(s.parts)})",
    ir.Call: lambda s: (
        f"{s.dst} = {'awaited ' if s.awaited else ''}call {s.func}"
        f"{'<' + s.template + '>' if s.template else ''}{_args(s.args)}"
    ),
    ir.Import: lambda s: f"{s.dst} = import {'.' * s.level}{s.module}{' . ' + s.name if s.name else ''}",
    ir.Opaque: lambda s: f"{s.dst} = opaque ({', '.join(s.uses)}) {s.reason!r}",
    ir.Escape: lambda s: f"escape ({', '.join(s.uses)}) names({', '.join(s.names)}) {s.reason!r}",
    ir.Yield: lambda s: _words(f"{s.dst} = yield", "from" if s.is_from else None, s.src),
    ir.Await: lambda s: f"{s.dst} = await {s.src}",
    ir.MakeFunction: lambda s: f"{s.dst} = function decorated({', '.join(s.decorators)})",
    ir.MakeClass: lambda s: f"{s.dst} = class",
    ir.Assume: lambda s: f"assume {s.cond}",
    ir.If: lambda s: f"if {s.cond}",
    ir.For: lambda s: _words("async" if s.is_async else None, f"for {s.item} in {s.iterable}"),
    ir.While: lambda s: _words("do" if s.body_first else None, f"while {s.cond}"),
    ir.Try: lambda s: "try",
    ir.With: lambda s: _words("async" if s.is_async else None, f"with {s.ctx} as {s.dst}"),
    ir.Return: lambda s: _words("return", s.src),
    ir.Raise: lambda s: _words("raise", s.src),
    ir.Break: lambda s: "break",
    ir.Continue: lambda s: "continue",
}


def _any(step: ir.Step) -> str:
    """A step without a wording of its own: its kind and its fields."""
    fields = []
    for field in step.__dataclass_fields__:
        value = getattr(step, field)
        if field == "span" or (isinstance(value, tuple) and value and isinstance(value[0], ir.Step)):
            continue
        if isinstance(value, ir.Index):
            value = _index(value)
        elif field == "args":
            value = _args(value)
        elif isinstance(value, tuple):
            value = f"({', '.join(map(str, value))})"
        fields.append(f"{field}={value}")
    return f"{type(step).__name__} {' '.join(fields)}"
