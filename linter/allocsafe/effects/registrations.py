"""Where an operator is registered: what one file's text says about one operator name.

    @torch.library.custom_op("ns::name", mutates_args=...)    triton_op, and decorators like register_custom_op(...)
    direct_register_custom_op(op_name="name", op_func=f, ...)     and helpers of that style
    lib.define("name(...) -> ..."), torch.library.define("ns::name", "(...) -> ...")
    lib.impl("name", f, "CUDA"), @torch.library.impl(lib, "name", "CUDA"), register_kernel
    TORCH_LIBRARY*(ns, m) { m.def("name(...) -> ...");  m.impl("name", torch::kCUDA, &f); }

*Claim.* Only what stands in the text as literals is taken; adjacent string literals count as one, as in both
languages. A fake or meta implementation is never taken for an implementation. *Why a scan suffices.* The name of an
operator is a word of the text, and around it stands one call whose arguments are cut out by their brackets. *What it
gives up.* Names put together at run time; macros between the pieces of a schema string (said as `problem`).
"""

from __future__ import annotations

import ast
import re
from typing import Literal, NamedTuple

from allocsafe.effects.schemas import BadSchema, Schema, parse

Kind = Literal["function", "kernel", "schema", "other"]
"""``function``: a Python function that is the operator; ``kernel``: one that is it for some devices; ``schema``: its
definition, with a schema that is read or a problem; ``other``: an implementation that cannot be followed."""


class Registration(NamedTuple):
    """One statement that registers the operator."""

    kind: Kind
    path: str
    line: int
    namespace: str = ""  # "_C"; "*_cache_ops": ends so; "": not known
    overload: str = ""
    func: str = ""  # the Python function as it is named there
    def_line: int = 0  # of the function that a decorator stands above
    schema: Schema | None = None
    mutates: tuple[str, ...] | None = None  # what Python says is mutated; ("unknown",) as torch has it
    problem: str = ""


def registrations(text: str, path: str, name: str) -> list[Registration]:
    """What this file registers under the operator name `name`."""
    if name not in text:
        return []
    if path.endswith((".py", ".pyi")):
        return _python(text, path, name) if _HINT.search(text) else []
    from allocsafe.effects.registrations_cpp import cpp

    return cpp(text, path, name)


_HINT = re.compile(r"custom_op|triton_op|register_kernel|\b(?:define|impl)[ \t]*\(")
"""Without any of these a file of Python registers nothing."""
_CALL = re.compile(
    r"(?<![\w.])(?P<at>@[ \t]*)?(?P<callee>(?:[A-Za-z_]\w*\.)*"
    r"(?:\w*custom_op\w*|triton_op|define|impl|register_kernel))(?P<open>[ \t]*\()?"
)
_DEF = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)")
_LIBRARY = re.compile(
    r"^[ \t]*(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:torch\.library\.|library\.)?Library\(\s*[\"'](\w+)[\"']", re.M
)
_PIECE = re.compile(
    r"""[rRbBuUfF]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|\#[^\n]*|[()\[\]{}]",
    re.S,
)
_NAMES = ("op_name", "name", "qualname", "opname")
_FUNCS = ("op_func", "func", "fn", "op_fn", "impl", "lib_impl")
_LIBS = ("target_lib", "lib", "library")
MOST_CALL = 20_000
"""Characters of one call; a longer one is no registration."""


def _python(text: str, path: str, name: str) -> list[Registration]:
    out: list[Registration] = []
    for found in _CALL.finditer(text):
        before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if before.rstrip().endswith(("def", "import", "class", ".")) or "#" in before:
            continue
        line = text.count("\n", 0, found.start()) + 1
        decorates = found["at"] is not None
        end = found.end()
        call = None
        if found["open"]:
            end = _closing(text, found.end() - 1)
            if end < 0:
                continue
            if name not in text[found.start() : end] and not decorates:
                continue
            call = _call_of(text[found.start("callee") : end])
            if call is None:
                continue
        elif not decorates:
            continue
        target = _decorated(text, end) if decorates else None
        made = _registration(call, found["callee"], target, name, path, line, text)
        if made is not None:
            out.append(made)
    own = {r.func for r in out if r.kind == "function"}
    for found in re.finditer(r"@[ \t]*(\w+)\.register_kernel[ \t]*\(", text):  # the operator, for one kind of device
        if found[1] in own:
            out.append(Registration("other", path, text.count("\n", 0, found.start()) + 1))
    return out


def _closing(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`; -1 if none does."""
    depth = 0
    for found in _PIECE.finditer(text, at, at + MOST_CALL):
        if found[0] in "([{":
            depth += 1
        elif found[0] in ")]}":
            depth -= 1
            if depth == 0:
                return found.end()
    return -1


def _call_of(snippet: str) -> ast.Call | None:
    try:
        tree = ast.parse(snippet, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree.body if isinstance(tree.body, ast.Call) else None


def _decorated(text: str, at: int) -> tuple[str, int] | None:
    """The function below a decorator that ends at `at`: its name and line. Other decorators may stand between."""
    at = text.find("\n", at) + 1
    for _ in range(40):
        if at <= 0:
            return None
        end = text.find("\n", at)
        row = text[at : end if end >= 0 else len(text)]
        found = _DEF.match(row)
        if found is not None:
            return found[1], text.count("\n", 0, at) + 1
        plain = row.strip()
        if plain.startswith("@"):
            bracket = text.find("(", at, end if end >= 0 else len(text))
            close = _closing(text, bracket) if bracket >= 0 else -1
            at = text.find("\n", close if close >= 0 else at) + 1
            continue
        if plain and not plain.startswith("#"):
            return None
        at = end + 1
    return None


def _registration(
    call: ast.Call | None, callee: str, target: tuple[str, int] | None, name: str, path: str, line: int, text: str
) -> Registration | None:
    """One call or decorator as a registration of `name`, if it is one."""
    last = callee.rsplit(".", 1)[-1]
    args = list(call.args) if call is not None else []
    keywords = {k.arg: k.value for k in call.keywords if k.arg is not None} if call is not None else {}
    if last == "define":
        return _definition(args, callee, name, path, line, text)
    if last in ("impl", "register_kernel"):
        return _implementation(args, keywords, callee, target, name, path, line, text)
    full = next((s for k in _NAMES if k in keywords and (s := _literal(keywords[k])) is not None), None)
    if full is None and args and (first := _literal(args[0])) is not None:
        full, args = first, args[1:]
    func = next((keywords[k] for k in _FUNCS if k in keywords), args[0] if args else None)
    if full is None:
        if any(k in keywords for k in _NAMES):
            return None  # made at run time
        full = target[0] if target is not None else _dotted(func)
    space, short, overload = split(full)
    if short != name:
        return None
    space = space or _library(keywords, text)
    placed = next((a for a in args if isinstance(a, (ast.List, ast.Tuple, ast.Set))), None)
    mutates = _mutates(keywords.get("mutates_args", placed))
    if target is not None:
        return Registration("function", path, line, space, overload, target[0], target[1], None, mutates)
    dotted = _dotted(func)
    return Registration("function" if dotted else "other", path, line, space, overload, dotted, 0, None, mutates)


def _definition(args: list[ast.expr], callee: str, name: str, path: str, line: int, text: str) -> Registration | None:
    strings = [_literal(a) for a in args]
    if not strings or strings[0] is None:
        return None
    head = strings[0]
    space, short, overload = split(head.split("(")[0].strip())
    if short != name:
        return None
    space = space or _variable_space(callee, text)
    body = head if "(" in head else strings[1] if len(strings) > 1 else None
    if body is None:
        return Registration("schema", path, line, space, overload, problem="its schema is put together at run time")
    return with_schema(body, head.split("(")[0].strip(), path, line, space)


def with_schema(body: str, name: str, path: str, line: int, space: str) -> Registration:
    try:
        schema = parse(body, name)
    except BadSchema as bad:
        return Registration("schema", path, line, space, split(name)[2], problem=f"its schema cannot be read: {bad}")
    return Registration("schema", path, line, schema.namespace or space, schema.overload, schema=schema)


def _implementation(
    args: list[ast.expr],
    keywords: dict[str, ast.expr],
    callee: str,
    target: tuple[str, int] | None,
    name: str,
    path: str,
    line: int,
    text: str,
) -> Registration | None:
    space = _variable_space(callee, text)
    if args and isinstance(args[0], ast.Name) and _literal(args[0]) is None:
        space, args = _space_of(args[0].id, text), args[1:]
    full = _literal(args[0]) if args else None
    if full is None:
        return None
    own, short, overload = split(full)
    if short != name:
        return None
    rest = [*args[1:], *keywords.values()]
    keys = [s for s in map(_literal, rest) if s is not None]
    if any(key.endswith("Meta") for key in keys):
        return None
    if any("Autograd" in key and "Composite" not in key for key in keys):
        return Registration("other", path, line, own or space, overload)
    if target is not None:
        return Registration("kernel", path, line, own or space, overload, target[0], target[1])
    dotted = next((d for d in map(_dotted, rest) if d), "")
    return Registration("kernel" if dotted else "other", path, line, own or space, overload, dotted)


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _dotted(node: ast.expr | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def _mutates(node: ast.expr | None) -> tuple[str, ...] | None:
    if node is None:
        return None
    if (word := _literal(node)) is not None:
        return (word,)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        words = [_literal(e) for e in node.elts]
        return tuple(w for w in words if w is not None) if None not in words else ("unknown",)
    return () if isinstance(node, ast.Dict) and not node.keys else ("unknown",)


def _library(keywords: dict[str, ast.expr], text: str) -> str:
    node = next((keywords[k] for k in _LIBS if k in keywords), None)
    return _space_of(node.id, text) if isinstance(node, ast.Name) else ""


def _variable_space(callee: str, text: str) -> str:
    base = callee.rpartition(".")[0]
    return _space_of(base.rsplit(".", 1)[-1], text) if base else ""


def _space_of(variable: str, text: str) -> str:
    return next((found[2] for found in _LIBRARY.finditer(text) if found[1] == variable), "")


def split(full: str) -> tuple[str, str, str]:
    """Namespace, name and overload of `ns::name.overload`."""
    space, _, rest = full.rpartition("::")
    short, _, overload = rest.partition(".")
    return space, short, "" if overload == "default" else overload


__all__ = ["Registration", "registrations", "split", "with_schema"]
