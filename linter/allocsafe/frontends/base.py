"""What every frontend offers: a file as definitions that are found cheaply and lowered one by one, on demand.

`Unit` is one file on one side of a patch. Building it must cost no more than a scan of the text: definitions come
from an outline (a scan for `def`/`class`, or a tree-sitter tree), and `Function` bodies are lowered when somebody
asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from allocsafe.source import Source, Span

if TYPE_CHECKING:  # an outline needs no IR, and a hook that finds nothing to judge should not pay for it
    from allocsafe.ir.nodes import ClassDef, Function, FunctionStub


class Unsupported(Exception):
    """A construct or a file that a frontend cannot lower: where, and why, as a phrase for people."""

    def __init__(self, span: Span, reason: str) -> None:
        super().__init__(f"{span}: {reason}")
        self.span = span
        self.reason = reason


class Definition(NamedTuple):
    """A function or class of the outline. Lines count from 1 and include decorators; `last_line` is inclusive."""

    qualname: str  # "Cls.method", "outer.<locals>.inner" never: only module- and class-level definitions are listed
    kind: Literal["function", "class"]
    first_line: int
    last_line: int
    owner: str = ""  # the enclosing class's qualname


class Shelf(Protocol):
    """Where parts that are lowered are kept for later runs. Places are kept relative to `path` and `line`."""

    def get(self, key: bytes, path: str, line: int) -> object | None:
        """What was put, as if it stood in `path` from `line` on; None if there is none."""

    def put(self, key: bytes, path: str, line: int, value: object) -> None:
        """Keeps a value."""


class Unit(Protocol):
    """One file as its frontend reads it."""

    source: Source
    language: str
    definitions: tuple[Definition, ...]

    def function(self, qualname: str) -> FunctionStub | None:
        """A module-level function or a method ("Cls.method")."""

    def klass(self, qualname: str) -> ClassDef | None:
        """A module-level (or nested) class."""

    def toplevel(self) -> Function:
        """The module's own statements (imports, assignments, `if` at top level), lowered.

        Definitions appear as `MakeFunction`-free stubs: the engine binds names of `definitions` itself, at the place
        where
        they stand. Raises `Unsupported` on a syntax error.
        """

    def at_line(self, line: int) -> Definition | None:
        """The innermost definition that contains `line`."""

    def comments(self) -> Iterable[tuple[int, str]]:
        """(line, text) of every comment that mentions the tool's name; for suppressions."""
