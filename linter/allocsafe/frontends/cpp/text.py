"""C++ and CUDA text made ready for a C++ parser: what it does not know is blanked, character for character.

Claim: `prepare` gives a text with the same lines and the same character columns, in which CUDA's qualifiers and
attribute macros are blanks and a launch `f<<<g, b>>>(x)` reads `f( g, b) (x)`. Why that suffices: qualifiers decide
nothing about control flow or values, and are remembered by offset; a launch is remembered by the offset of its
bracket, so the two calls that the parser sees are put together again. What it gives up: a qualifier that a macro of
another name hides stays in the text, and the statement it spoils becomes an escape. Strings, comments and character
literals are never touched.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_TOKEN = re.compile(
    r"""
      (?P<skip> //[^\n]* | /\*.*?(?:\*/|\Z)
        | "(?:[^"\\\n]|\\.)*" | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'
        | \#[ \t]*(?:include|pragma|error|warning|if|ifdef|ifndef|elif|undef)\b[^\n]* | \#[ \t]*define[ \t]+\w+)
    | (?:\b(?:u8|[uUL]))?R"(?P<raw>[^()"\\\s]{0,16})\(
    | (?P<word>[A-Za-z_]\w*)
    | (?P<open><<<) | (?P<close>>>>)
    | (?P<paren>[()])
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = words(
    """__global__ __device__ __host__ __shared__ __constant__ __managed__ __forceinline__ __noinline__
    __inline__ __restrict__ __restrict __grid_constant__ __nv_tex_surf_handler__ __extension__ _Nonnull
    _Nullable C10_HOST_DEVICE C10_HOST C10_DEVICE C10_ALWAYS_INLINE C10_UNUSED TORCH_API C10_API
    __always_inline __vector TORCH_CUDA_API TORCH_CUDA_CU_API TORCH_CUDA_CPP_API"""
)
_WITH_ARGUMENTS = words(
    """__launch_bounds__ __cluster_dims__ __maxnreg__ __block_size__ __align__ __attribute__ __declspec
    C10_LAUNCH_BOUNDS_1 C10_LAUNCH_BOUNDS_2 C10_LAUNCH_BOUNDS_0 __CUDA_ALIGN__ LAUNCH_BOUNDS _Pragma"""
)
# A macro in capitals that stands before a type or a name is some project's spelling of a qualifier.
_HOUSE = re.compile(r"[A-Z][A-Z0-9_]*(?:INLINE|DEVICE|_HOST|_API|_EXPORT|_UNUSED|UNROLL)[A-Z0-9_]*\Z|DINLINE\Z")
_NEXT_NAME = re.compile(r"\s*[A-Za-z_]")
_CUDA_WORDS = frozenset(("__global__", "__device__"))


class Prepared:
    """The blanked text, the qualifiers it lost as (offset, word) in order, and the offsets of launch brackets."""

    __slots__ = ("_starts", "comments", "has_cuda", "launches", "qualifiers", "text")

    def __init__(
        self,
        text: str,
        qualifiers: list[tuple[int, str]],
        launches: frozenset[int],
        comments: list[tuple[int, str]],
    ) -> None:
        self.text = text
        self.qualifiers = qualifiers
        self.launches = launches
        self.comments = comments
        self.has_cuda = bool(launches) or any(word in _CUDA_WORDS for _, word in qualifiers)
        self._starts = [offset for offset, _ in qualifiers]

    def qualifiers_in(self, start: int, end: int) -> list[tuple[int, str]]:
        """The blanked qualifiers whose first character lies in `[start:end]`."""
        return self.qualifiers[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def before(self, start: int) -> int:
        """Where a definition begins whose first token the parser sees at `start`, blanked qualifiers included."""
        at = bisect_right(self._starts, start) - 1
        while at >= 0 and not self.text[self._starts[at] : start].strip():
            start = self._starts[at]
            at -= 1
        return start


def prepare(text: str) -> Prepared:
    """Blanks what a C++ parser would stumble over. Offsets count characters."""
    pieces: list[str] = []
    qualifiers: list[tuple[int, str]] = []
    comments: list[tuple[int, str]] = []
    launches: set[int] = set()
    open_launches: list[tuple[int, int]] = []  # (offset of `<<<`, parenthesis depth there)
    closed: list[tuple[int, int]] = []
    depth = 0
    done = 0
    at = 0
    while token := _TOKEN.search(text, at):
        start, end = token.span()
        at = end
        kind = token.lastgroup
        if kind == "raw":
            closing = f'){token["raw"]}"'
            found = text.find(closing, end)
            at = found + len(closing) if found >= 0 else len(text)
            continue
        if kind == "skip":
            if text.startswith(("//", "/*"), start):
                comments.append((start, token.group()))
            continue
        if kind == "paren":
            depth += 1 if token.group() == "(" else -1
            continue
        if kind == "open":
            open_launches.append((start, depth))
            continue
        if kind == "close":
            if open_launches and open_launches[-1][1] == depth and _OPENS.match(text, end):
                closed.append((open_launches.pop()[0], start))
            continue
        word = token.group()
        if word in _PLAIN or (_HOUSE.match(word) and _NEXT_NAME.match(text, end)):
            pass
        elif word in _WITH_ARGUMENTS:
            end = _after_arguments(text, end)
        else:
            continue
        qualifiers.append((start, word))
        pieces.append(text[done:start])
        pieces.append(_BLANK.sub(" ", text[start:end]))
        done = at = end
    pieces.append(text[done:])
    result = "".join(pieces)
    if closed:
        edits = sorted([(at, "(  ") for at, _ in closed] + [(at, ")  ") for _, at in closed])
        launches = {at for at, _ in closed}
        parts = []
        done = 0
        for at, replacement in edits:
            parts.append(result[done:at])
            parts.append(replacement)
            done = at + 3
        parts.append(result[done:])
        result = "".join(parts)
    if "\0" in result:
        result = result.replace("\0", " ")  # a parser takes it for the end of the text
    return Prepared(result, qualifiers, frozenset(launches), comments)


_OPENS = re.compile(r"\s*\(")
_BLANK = re.compile(r"[^\n]")


def _after_arguments(text: str, at: int) -> int:
    """The offset behind the parenthesised arguments that follow `at`, or `at` itself where none follow."""
    found = _OPENS.match(text, at)
    if not found:
        return at
    depth = 0
    for position in range(found.end() - 1, min(len(text), found.end() + 400)):
        char = text[position]
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return position + 1
    return at


_DEFINE = re.compile(r"^[ \t]*\#[ \t]*define[ \t]+(\w+)((?:[^\n\\]|\\\n|\\.)*)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def defined_words(text: str) -> dict[str, frozenset[str]]:
    """Every macro that the file defines, with the words of its text and of the macros that its text mentions."""
    if "define" not in text:
        return {}
    direct: dict[str, set[str]] = {}
    for found in _DEFINE.finditer(text):
        body = _STRING.sub('""', found[2])
        parameters: set[str] = set()
        if body.startswith("("):
            head, _, body = body[1:].partition(")")
            parameters = set(_WORD.findall(head))
        direct.setdefault(found[1], set()).update(set(_WORD.findall(body)) - parameters)
    closed: dict[str, frozenset[str]] = {}
    for name, own in direct.items():
        seen, todo = set(own), list(own)
        while todo:
            for word in direct.get(todo.pop(), ()):
                if word not in seen:
                    seen.add(word)
                    todo.append(word)
        closed[name] = frozenset(seen)
    return closed
