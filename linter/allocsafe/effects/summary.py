"""What a call does to its operands: the vocabulary, and the reader of the tables that are written in it.

A table is text, one operator a line, sorted by name, so that a look-up is one search and nothing is parsed that nobody
asks for:

    torch.Tensor.copy_ | self:W src:R non_blocking=False:- | =self
    torch.add | input:R other:R * alpha=1:- out=None:W | new
    torch.narrow | input:V dim:- start:- length:- | view(input) !narrow
    torch.empty | *size:- * out=None:W dtype=None:- device=None:- | alloc !size

i.e. ``name | parameters | result [!special] [# note]``. A parameter is ``name[=default]:EFFECT``; a lone ``*`` starts
the keyword-only ones, ``*name`` takes the rest of the positional arguments. Tensor methods have the receiver as
`self`.

| effect | what happens to the elements of the argument |
|---|---|
| ``-`` | none is touched (a number, a dtype; or only shape and dtype are looked at) |
| ``R`` | all may be and are read, as data |
| ``I`` | all are read, as indices, lengths or offsets |
| ``C`` | all are read, compared |
| ``W`` | all are written, none is read |
| ``M`` | all are read, then all are written (`add_`) |
| ``P`` | some are written, unknown which; none is read; the rest keeps (`index_copy_`, `scatter_`) |
| ``Q`` | some are read and then written, the rest keeps (`index_add_`) |
| ``V`` | none is read now: the result shares the memory |
| ``A`` | all are read, then all written, and the old value is an operand of a sum (`+=` kinds: a relied-on zero) |

| result | meaning |
|---|---|
| ``new`` | a fresh tensor, every element written |
| ``=p`` | the argument `p` itself |
| ``view(p)`` | shares all or part of the memory of `p`; `!special` names the geometry |
| ``copy(p)`` | a fresh copy of `p`, element by element: what was unwritten there is unwritten in it (`clone`) |
| ``maybe(p)`` | `view(p)` or `copy(p)`, decided at run time (`to`, `contiguous`, `reshape`, `cpu`) |
| ``alloc`` | a fresh tensor that starts unwritten; `!special` names where its shape comes from |
| ``filled`` | a fresh tensor that starts written; `!special` as above |
| ``scalar`` | a Python number made from elements (`item`, `max().item()`) |
| ``meta`` | a number or shape that depends on no element (`numel`, `size`) |
| ``tuple`` | a tuple of fresh tensors; ``views(p)`` a tuple of views (`split`, `unbind`) |
| ``none`` | None |
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

Effect = Literal["-", "R", "I", "C", "W", "M", "P", "Q", "V", "A"]
ParamKind = Literal["positional", "keyword-only", "star"]


class ParamEffect(NamedTuple):
    name: str
    effect: Effect
    kind: ParamKind = "positional"
    default: str | None = None


class Result(NamedTuple):
    kind: str  # new = view copy maybe alloc filled scalar meta tuple views none
    param: str = ""  # the argument it is made of, for = view views copy maybe


class Summary(NamedTuple):
    name: str
    params: tuple[ParamEffect, ...]
    result: Result
    special: str = ""
    note: str = ""


class BadLine(ValueError):
    """A table line that does not follow the grammar above."""


def parse_line(line: str) -> Summary:
    """One table line as a `Summary`. Raises `BadLine` with what is wrong."""
    body, _, note = line.partition(" # ")
    parts = [part.strip() for part in body.split("|")]
    if len(parts) != 3:
        raise BadLine(f"expected `name | parameters | result`: {line!r}")
    name, params_text, result_text = parts
    params: list[ParamEffect] = []
    kind: ParamKind = "positional"
    for word in params_text.split():
        if word == "*":
            kind = "keyword-only"
            continue
        text, colon, effect = word.rpartition(":")
        if not colon or effect not in "-RICWMPQVA" or len(effect) != 1:
            raise BadLine(f"parameter {word!r} of {name}: expected name[=default]:EFFECT")
        label, equals, default = text.partition("=")
        here = kind
        if label.startswith("*"):
            label, here, kind = label[1:], "star", "keyword-only"
        params.append(ParamEffect(label, cast(Effect, effect), here, default if equals else None))
    result_word, _, special = result_text.partition("!")
    result_word = result_word.strip()
    if result_word.startswith("="):
        result = Result("=", result_word[1:])
    elif result_word.endswith(")"):
        head, _, inner = result_word[:-1].partition("(")
        result = Result(head, inner)
    else:
        result = Result(result_word)
    known = {"new", "=", "view", "views", "copy", "maybe", "alloc", "filled", "scalar", "meta", "tuple", "none"}
    if result.kind not in known:
        raise BadLine(f"result {result_word!r} of {name} is none of {', '.join(sorted(known))}")
    names = {param.name for param in params}
    if result.param and result.param not in names:
        raise BadLine(f"result of {name} names {result.param!r}, which is no parameter")
    return Summary(name, tuple(params), result, special.strip(), note.strip())


class Tables:
    """Several tables, earlier ones first in authority. Lines are parsed when they are first asked for."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = tuple("\n" + text for text in texts)
        self._seen: dict[str, Summary | None] = {}

    def look_up(self, name: str) -> Summary | None:
        """The effect of the operator with this full name (`torch.Tensor.copy_`, `numpy.empty`), or None."""
        if name not in self._seen:
            self._seen[name] = self._find(name)
        return self._seen[name]

    def _find(self, name: str) -> Summary | None:
        for text in self._texts:
            at = text.find(f"\n{name} |")
            if at >= 0:
                end = text.find("\n", at + 1)
                return parse_line(text[at + 1 : end if end >= 0 else len(text)])
        return None
