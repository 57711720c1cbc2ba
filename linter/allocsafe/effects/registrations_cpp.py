"""Where C++ registers an operator, and how its function takes its arguments.

    TORCH_LIBRARY*(ns, m) { m.def("name(...) -> ...");  m.impl("name", torch::kCUDA, &f); }
    void f(torch::Tensor& out, const torch::Tensor& x)

*Claim.* What stands in a comment registers nothing; adjacent string literals, raw ones too, are one; the library macro
nearest above a `def` has its namespace. *What it gives up.* A macro between the pieces of a schema (said as
`problem`), a namespace that only the build knows (empty, or its end: `*_cache_ops`), and the preprocessor: what stands
in both arms of an `#if` is registered twice.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from allocsafe.effects.registrations import MOST_CALL, Registration, with_schema

_HINT = re.compile(r"(?:\.|->)\s*(?:def|op|impl)\s*\(")
"""Without any of these a file of C++ registers nothing."""
_BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^\s()\\]{0,16})\(.*?\)(?P=d)"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S
)
_STRING = re.compile(r'\s*(?:R"(?P<d>[^\s()\\]{0,16})\((?P<raw>.*?)\)(?P=d)"|"(?P<plain>(?:[^"\\\n]|\\.)*)")', re.S)
_LIBRARIES = re.compile(r"\b(?P<macro>\w*TORCH_LIBRARY\w*|PYBIND11_MODULE\w*)\s*\(")
_METHOD = re.compile(r"(?:\.|->)\s*(?P<what>def|op|impl)\s*\(\s*(?:[A-Za-z_][\w:]*\s*\(\s*)?(?=R?\")")
_MACRO = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z][A-Z0-9]{3,}")


def blanked(text: str) -> str:
    """C++ without its comments; every other character keeps its place."""
    return _BLANK.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0][:2] in ("//", "/*") else m[0], text)


def cpp(text: str, path: str, name: str) -> list[Registration]:
    """What a C++ file registers under this operator name."""
    if not _HINT.search(text):
        return []
    code = blanked(text)
    blocks: list[tuple[int, str, bool, bool]] = []  # from where on, namespace, a torch library at all, for Meta
    for found in _LIBRARIES.finditer(code):
        if code[code.rfind("\n", 0, found.start()) + 1 : found.start()].lstrip().startswith("#"):
            continue
        inner = code[found.end() : _behind(code, found.end() - 1) - 1]
        parts = _split(inner)
        blocks.append(
            (
                found.start(),
                _namespace(parts[0] if parts else ""),
                "PYBIND11" not in found["macro"],
                "Meta" in parts[1:],
            )
        )
    out: list[Registration] = []
    word = re.compile(rf"(?:(\w+)::)?{re.escape(name)}(?:\.(\w+))?(?=\s*\(|\s*$)")
    for found in _METHOD.finditer(code):
        strings, end = _strings(code, found.end())
        head = word.match(strings.strip())
        if head is None:
            continue
        line = code.count("\n", 0, found.start()) + 1
        _, space, torch, meta = next((b for b in reversed(blocks) if b[0] < found.start()), (0, "", True, False))
        space = head[1] or space
        if not torch:
            continue  # a function of a Python module
        if found["what"] == "impl":
            rest = code[end : _behind(code, code.find("(", found.start())) - 1]
            if not meta and "Meta" not in rest:
                func = re.search(r"&\s*([\w:]+)", rest)
                out.append(Registration("other", path, line, space, head[2] or "", func[1] if func else name))
        elif "(" not in strings:
            out.append(
                Registration("schema", path, line, space, head[2] or "", problem="it is registered without a schema")
            )
        elif not code[end:].lstrip().startswith((",", ")")):
            problem = "its schema cannot be read: a macro stands in it"
            out.append(Registration("schema", path, line, space, head[2] or "", problem=problem))
        else:
            func = re.search(r"&\s*([\w:]+)", code[end : _behind(code, code.find("(", found.start())) - 1])
            made = with_schema(strings.strip(), name, path, line, space)
            out.append(made._replace(func=func[1] if func else ""))
    return out


def _strings(code: str, at: int) -> tuple[str, int]:
    """Adjacent string literals as one, and where they end."""
    out: list[str] = []
    while (found := _STRING.match(code, at)) is not None:
        plain = found["plain"]
        if found["raw"] is not None:
            out.append(found["raw"])
        else:
            out.append(re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), plain.replace("\\\n", "")))
        at = found.end()
    return "".join(out), at


def _behind(code: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`."""
    depth = 0
    for found in re.compile(_BLANK.pattern + r"|[()]", re.S).finditer(code, at, at + MOST_CALL):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= 1
            if depth == 0:
                return found.end()
    return len(code)


def _split(inner: str) -> list[str]:
    """The parts between commas outside of brackets."""
    parts, depth, at = [], 0, 0
    for found in re.finditer(r"[()<>\[\]{},]", inner):
        if found[0] == "," and depth == 0:
            parts.append(inner[at : found.start()].strip())
            at = found.end()
        elif found[0] in "(<[{":
            depth += 1
        elif found[0] in ")>]}":
            depth -= 1
    return [*parts, inner[at:].strip()]


def _namespace(text: str) -> str:
    """The namespace that a macro's first argument says: itself, an end of it, or not known."""
    if re.fullmatch(r"\w+", text):
        return "" if _MACRO.fullmatch(text) else text
    last = re.search(r"[,#]\s*(\w+)\s*\)?$", text)
    return f"*{last[1]}" if last is not None and not _MACRO.fullmatch(last[1]) else ""


class Parameter(NamedTuple):
    """One parameter of a C++ function: whether its type says `const`."""

    text: str
    const: bool


def parameters(text: str, func: str) -> list[tuple[Parameter, ...]]:
    """The parameter lists of every declaration or definition of a C++ function in a text."""
    code = blanked(text)
    last = func.rsplit("::", 1)[-1]
    out: list[tuple[Parameter, ...]] = []
    for found in re.finditer(rf"(?<=[\w>&*])\s+(?:\w+::)*{re.escape(last)}\s*\(", code):
        word = re.search(r"(\w+)\s*[>&*]?$", code[: found.start() + 1][-80:])
        if word is not None and word[1] in ("return", "else", "case", "new", "throw", "goto", "co_return"):
            continue
        end = _behind(code, found.end() - 1)
        if not re.match(r"\s*(?:noexcept\s*)?[{;]", code[end:]):
            continue
        inner = code[found.end() : end - 1].strip()
        parts = _split(inner) if inner else []
        out.append(tuple(Parameter(p, re.search(r"\bconst\b", p) is not None) for p in parts))
    return out


__all__ = ["Parameter", "cpp", "parameters"]
