"""Operator schemas: `name.overload(Tensor! out, Tensor(a!) x, Tensor? bias=None, *, int n=1) -> Tensor`, read.

*Claim.* `parse` accepts what torch's own schema parser accepts of names, types, alias marks, defaults and returns
(and the short mark `Tensor!`), and refuses everything else with a `BadSchema` that says where. *What a schema means.*
An argument that it marks with `!` is written, it does not say how much nor whether it is read first; an argument of a
tensor type without a mark is not written; a result with the mark of an argument is that argument. *What it gives up.*
Whether the marks are true. An operator that returns no tensor and marks nothing must do something that its schema is
silent about, so that schema tells nothing (`silent`); what else a reader should doubt is decided where the values are
known.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<arrow>->)|(?P<dots>\.\.\.)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<word>[A-Za-z_]\w*(?:(?:::|\.)[A-Za-z_]\w*)*)|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"""
    r"""|(?P<sign>[()\[\]!?,=*|:{}+-])"""
)
_NAME = re.compile(r"(?:(?P<ns>[A-Za-z_]\w*)::)?(?P<name>[A-Za-z_]\w*)(?:\.(?P<overload>\w+))?$")


class BadSchema(ValueError):
    """A text that is no schema: what is wrong, as one phrase."""


class SchemaArg(NamedTuple):
    """One parameter, or one result (whose name may be empty)."""

    name: str
    type: str  # as written, without alias marks: "Tensor?[]"
    tensor: bool  # a tensor, an optional one, or a list of tensors
    written: bool = False
    alias: str = ""  # the letter that ties results to parameters; for `Tensor!` none
    keyword_only: bool = False
    default: str | None = None

    @property
    def optional(self) -> bool:
        return "?" in self.type


class Schema(NamedTuple):
    """One overload of an operator."""

    name: str
    overload: str
    args: tuple[SchemaArg, ...]
    returns: tuple[SchemaArg, ...]
    namespace: str = ""
    open_ended: bool = False  # `...` stands in its arguments or results

    @property
    def silent(self) -> bool:
        """Whether it must do something that it does not say: it returns no tensor and marks nothing as written."""
        return not any(r.tensor for r in self.returns) and not any(a.written for a in self.args)

    def meaning(self, positional: int | None = None, keywords: frozenset[str] = frozenset()) -> tuple[object, ...]:
        """What two schemas must share to be the same for us: what each argument is and is marked, and the results.
        For a call with these arguments, the others do not count, and neither do names that the call does not use.
        """
        given = list(self.args)
        if positional is not None:
            given = [a for a in self.args if not a.keyword_only][:positional]
            given += [a for word in sorted(keywords) for a in self.args if a.name == word]
        kinds = tuple((a.tensor, a.written, a.type.rstrip("?")) for a in given)
        letters = {a.alias: at for at, a in enumerate(given) if a.alias}
        results = tuple((r.tensor, r.written, letters.get(r.alias)) for r in self.returns)
        return kinds, results, self.silent, self.open_ended

    def fits(self, positional: int, keywords: frozenset[str]) -> bool:
        """Whether a call with so many positional arguments and these keywords can be this overload."""
        by_place = [a.name for a in self.args if not a.keyword_only]
        if positional > len(by_place):
            return self.open_ended
        names = {a.name for a in self.args}
        given = set(by_place[:positional]) | keywords
        return (
            (keywords <= names or self.open_ended)
            and not keywords & set(by_place[:positional])
            and all(a.name in given for a in self.args if a.default is None and not (a.optional and a.keyword_only))
        )

    def __str__(self) -> str:
        def shown(arg: SchemaArg) -> str:
            mark = f"({arg.alias}{'!' if arg.written else ''})" if arg.alias else "!" if arg.written else ""
            head = re.sub(r"^\w+", lambda m: m[0] + mark, arg.type)
            tail = f" {arg.name}" if arg.name else ""
            return f"{head}{tail}{'' if arg.default is None else f'={arg.default}'}"

        parts: list[str] = []
        for arg in self.args:
            if arg.keyword_only and "*" not in parts:
                parts.append("*")
            parts.append(shown(arg))
        if self.open_ended:
            parts.append("...")
        result = shown(self.returns[0]) if len(self.returns) == 1 else f"({', '.join(map(shown, self.returns))})"
        space = f"{self.namespace}::" if self.namespace else ""
        return f"{space}{self.name}{f'.{self.overload}' if self.overload else ''}({', '.join(parts)}) -> {result}"


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str, name: str = "") -> Schema:
    """The schema that a text says. `name` is used where it starts with its bracket. Raises `BadSchema`."""
    return _Parser(text, name).schema()


class _Parser:
    """Recursive descent over the tokens of one schema."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._given = name
        self._tokens: list[_Token] = []
        self._at = 0
        self._open_ended = False
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadSchema(f"{text[at]!r} at {at} begins nothing that a schema has")
            if found.lastgroup != "space":
                self._tokens.append(_Token(found.lastgroup or "", found[0], at))
            at = found.end()

    def schema(self) -> Schema:
        name = self._given if self._peek("(") else self._take("word", "the operator's name").text
        parts = _NAME.match(name)
        if parts is None:
            raise BadSchema(f"{name!r} is no operator's name")
        args = self._params()
        arrow = self._next()
        if arrow is None or arrow.kind != "arrow":
            raise BadSchema(f"`->` and what it returns are missing after the arguments of {parts['name']}")
        returns = self._returns()
        if (left := self._next()) is not None:
            raise BadSchema(f"{left.text!r} at {left.at} follows after the results")
        names = [a.name for a in args]
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise BadSchema(f"two arguments are called {twice}")
        return Schema(parts["name"], parts["overload"] or "", args, returns, parts["ns"] or "", self._open_ended)

    def _params(self) -> tuple[SchemaArg, ...]:
        self._sign("(")
        out: list[SchemaArg] = []
        keyword_only = False
        while not self._skip(")"):
            if out or keyword_only or self._open_ended:
                self._sign(",")
            if self._peek("..."):
                self._next()
                self._open_ended = True
            elif self._peek("*"):
                if keyword_only:
                    raise BadSchema("`*` stands twice")
                self._next()
                keyword_only = True
            else:
                out.append(self._param(keyword_only))
        return tuple(out)

    def _param(self, keyword_only: bool) -> SchemaArg:
        kind, tensor, written, alias = self._type()
        name = self._take("word", f"the name of an argument of type {kind}")
        default = self._default() if self._skip("=") else None
        return SchemaArg(name.text, kind, tensor, written, alias, keyword_only, default)

    def _returns(self) -> tuple[SchemaArg, ...]:
        if self._peek("..."):
            self._next()
            self._open_ended = True
            return ()
        if not self._peek("("):
            return (self._result(),)
        self._sign("(")
        out: list[SchemaArg] = []
        while not self._skip(")"):
            if out:
                self._sign(",")
            out.append(self._result())
        return tuple(out)

    def _result(self) -> SchemaArg:
        kind, tensor, written, alias = self._type()
        name = ""
        if (token := self._look()) is not None and token.kind == "word":
            name = self._take("word", "").text
        return SchemaArg(name, kind, tensor, written, alias)

    def _several(self) -> tuple[str, bool]:
        """Types up to the bracket that closes: as written, and whether one of them is a tensor."""
        inner: list[str] = []
        tensor = False
        while not self._skip(")"):
            if inner:
                self._sign(",")
            kind, within, _, _ = self._type()
            tensor = tensor or within
            inner.append(kind)
        return f"({', '.join(inner)})", tensor

    def _type(self) -> tuple[str, bool, bool, str]:
        """(as written without marks, is it a tensor, is it written, alias letter)"""
        token = self._look()
        if token is None:
            raise BadSchema("it ends where a type should stand")
        tensor = False
        if token.text == "(":  # a tuple type
            self._next()
            word, tensor = self._several()
        else:
            word = self._take("word", "a type").text
            tensor = word.rsplit(".", 1)[-1] == "Tensor"
            if word in ("Dict", "Future", "RRef", "Await", "List", "Optional", "Tuple", "Union") and self._skip("("):
                several, within = self._several()
                word, tensor = word + several, tensor or within
        written, alias = False, ""
        while (token := self._look()) is not None:
            if token.text == "!":
                self._next()
                written = True
            elif token.text == "(":
                letters, wrote = self._marks()
                alias, written = alias or letters, written or wrote
            elif token.text == "?":
                self._next()
                word += "?"
            elif token.text == "[":
                self._next()
                size = self._take("number", "a length").text if not self._peek("]") else ""
                self._sign("]")
                word += f"[{size}]"
            else:
                break
        return word, tensor, written, alias

    def _marks(self) -> tuple[str, bool]:
        """`(a)`, `(a!)`, `(a -> *)`, `(a|b!)`: the first letter, and whether it is written."""
        self._sign("(")
        letter = "*" if self._skip("*") else self._take("word", "an alias letter").text
        while self._skip("|"):
            self._take("word", "an alias letter")
        written = self._skip("!")
        if (token := self._look()) is not None and token.kind == "arrow":
            self._next()
            if not self._skip("*"):
                self._take("word", "an alias letter")
                while self._skip("|"):
                    self._take("word", "an alias letter")
        self._sign(")")
        return letter, written

    def _default(self) -> str:
        token = self._next()
        if token is None:
            raise BadSchema("it ends where a default should stand")
        if token.text in ("+", "-"):
            return token.text + self._take("number", "a number").text
        if token.text in ("[", "(", "{"):
            start, depth = token.at, 1
            while depth:
                inner = self._next()
                if inner is None:
                    raise BadSchema(f"the bracket at {start} is not closed")
                depth += (inner.text in "[({") - (inner.text in "])}")
                end = inner.at + 1
            return self._text[start:end]
        if token.kind not in ("word", "number", "text"):
            raise BadSchema(f"{token.text!r} at {token.at} is no default")
        return token.text

    # ------------------------------------------------------------ tokens

    def _look(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _peek(self, text: str) -> bool:
        token = self._look()
        return token is not None and token.text == text

    def _next(self) -> _Token | None:
        token = self._look()
        self._at += 1
        return token

    def _skip(self, text: str) -> bool:
        if self._peek(text):
            self._at += 1
            return True
        return False

    def _sign(self, text: str) -> None:
        token = self._next()
        if token is None:
            raise BadSchema(f"it ends where {text!r} should stand")
        if token.text != text:
            raise BadSchema(f"{token.text!r} at {token.at} where {text!r} should stand")

    def _take(self, kind: str, what: str) -> _Token:
        token = self._next()
        if token is None:
            raise BadSchema(f"it ends where {what} should stand")
        if token.kind != kind:
            raise BadSchema(f"{token.text!r} at {token.at} where {what} should stand")
        return token
