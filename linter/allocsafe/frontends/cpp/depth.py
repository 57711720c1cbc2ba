"""How many braces are open at a place of the text.

Claim: a declaration that the parser puts outside of all functions, but whose place in the text is inside more braces
than the namespaces around it, is a local that a parse error has moved there: nothing may be said of how it starts. What
it gives up: preprocessor arms that both open a brace make all that follows look like that.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|R\"([^(\s]{0,16})\(.*?\)\1\"|\"(?:[^\"\\\n]|\\.)*\"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)*'"
    r"|^[ \t]*#(?:\\.|[^\\\n])*|[{}]",
    re.DOTALL | re.MULTILINE,
)


class Braces:
    """The open braces of a text, by offset."""

    __slots__ = ("_depths", "_offsets")

    def __init__(self, text: str) -> None:
        self._offsets: list[int] = []
        self._depths: list[int] = []
        depth = 0
        for found in _TOKEN.finditer(text):
            token = found[0]
            if token in ("{", "}"):
                depth += 1 if token == "{" else -1
                self._offsets.append(found.start())
                self._depths.append(depth)

    def at(self, offset: int) -> int:
        """How many braces are open before the character at `offset`."""
        before = bisect_left(self._offsets, offset)
        return self._depths[before - 1] if before else 0
