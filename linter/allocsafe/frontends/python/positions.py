"""Where the nodes of a libcst tree stand, for the price of printing the tree.

Claim: `offsets` gives, for every node that libcst knows a position of, the same range as `PositionProvider`, as
offsets into the text. Why that suffices: a libcst tree prints to the text it was parsed from, so the number of
characters printed before a node is its offset; line and column are then looked up for the few nodes that are asked
for. It costs an eighth of `PositionProvider`. What it gives up: it relies on the printer's inner interface, so if a
libcst version prints otherwise, the public provider is used instead.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import TracebackType

    import libcst as cst

Offsets = dict[int, tuple[int, int]]
"""From `id(node)` to start and end. The tree has to outlive it."""


class _Printer:
    """Stands in for libcst's `CodegenState`: counts characters instead of keeping them."""

    __slots__ = (
        "at",
        "default_indent",
        "default_newline",
        "indent_tokens",
        "indented",
        "offsets",
        "provider",
        "tokens",
    )

    def __init__(self, default_indent: str, default_newline: str) -> None:
        self.default_indent = default_indent
        self.default_newline = default_newline
        self.provider = None
        self.tokens = [""]  # a printer without any would add a newline of its own
        self.indent_tokens: list[str] = []
        self.indented = 0
        self.at = 0
        self.offsets: Offsets = {}

    def increase_indent(self, value: str) -> None:
        self.indent_tokens.append(value)
        self.indented += len(value)

    def decrease_indent(self) -> None:
        self.indented -= len(self.indent_tokens.pop())

    def add_indent_tokens(self) -> None:
        self.at += self.indented

    def add_token(self, value: str) -> None:
        self.at += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        pass

    def after_codegen(self, node: cst.CSTNode) -> None:
        pass

    def pop_trailing_newline(self) -> None:
        pass

    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Recording:
        return _Recording(self, node, start_node, end_node)


class _LinePrinter(_Printer):
    """Starts anew at every line, for the odd construct that prints with a blank less than it was written with."""

    __slots__ = ("line", "starts")

    def __init__(self, default_indent: str, default_newline: str, text: str) -> None:
        super().__init__(default_indent, default_newline)
        self.line = 0
        self.starts = [0, *accumulate(len(row) + 1 for row in text.split("\n"))]

    def add_token(self, value: str) -> None:
        count = value.count("\n")
        if count:
            self.line = min(self.line + count, len(self.starts) - 1)
            self.at = self.starts[self.line] + len(value) - value.rindex("\n") - 1
        else:
            self.at += len(value)


class _Recording:
    """Notes where a node starts and ends while it is printed."""

    __slots__ = ("end_node", "node", "printer", "start", "start_node")

    def __init__(
        self, printer: _Printer, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.printer = printer
        self.node = node
        self.start_node = start_node
        self.end_node = end_node

    def __enter__(self) -> None:
        self.start = self.printer.at

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        offsets = self.printer.offsets
        start, end = self.start, self.printer.at
        if self.start_node is not None:
            start = offsets.get(id(self.start_node), (start, 0))[0]
        if self.end_node is not None:
            end = offsets.get(id(self.end_node), (0, end))[1]
        offsets[id(self.node)] = (start, end)


def offsets(module: cst.Module, text: str) -> Offsets:
    """The range of every node of `module`, which was parsed from `text`."""
    try:
        printer = _Printer(module.default_indent, module.default_newline)
        cast("Any", module)._codegen(printer)
        if printer.at != len(text):
            printer = _LinePrinter(module.default_indent, module.default_newline, text)
            cast("Any", module)._codegen(printer)
    except (AttributeError, TypeError):
        return _by_provider(module, text)
    return printer.offsets


def _by_provider(module: cst.Module, text: str) -> Offsets:
    """The same by libcst's public way."""
    from libcst.metadata import MetadataWrapper, PositionProvider

    starts = [0]
    for row in text.split("\n"):
        starts.append(starts[-1] + len(row) + 1)
    found = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    return {
        id(node): (
            starts[place.start.line - 1] + place.start.column,
            starts[place.end.line - 1] + place.end.column,
        )
        for node, place in found.items()
    }
