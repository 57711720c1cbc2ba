"""The parser's tree, walked.

Claim: no walk here recurses, so no tree is too deep for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


Node: TypeAlias = Any  # tree_sitter.Node; the name is not imported so that the module loads without the parser


def walk(node: Node) -> Iterator[Node]:
    """`node` and all below it, in order of text, without recursion."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        if here.child_count:
            stack.extend(reversed(here.children))


def parts(node: Node) -> list[Node]:
    """The named children without comments."""
    return [child for child in node.named_children if child.type != "comment"]
