"""Literals of C++ as Python values.

Claim: a literal becomes a constant only where its value is certain; every other spelling (user-defined suffixes,
unknown escapes) is None and turns into an opaque value.
"""

from __future__ import annotations

import re

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlLzZ]*)\Z")
_FLOAT = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([fFlL]?|bf16|f16|f32|f64)\Z")
_HEX_FLOAT = re.compile(r"(0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?[0-9]+)[fFlL]?\Z")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def number(text: str) -> int | float | None:
    """`0x1'000u` is 4096, `1e-5f` is 1e-05."""
    text = text.replace("'", "")
    if text[:1] in {"-", "+"}:
        amount = number(text[1:].strip())
        return amount if amount is None or text[0] == "+" else -amount
    found = _INTEGER.match(text)
    if found:
        digits = found[1]
        if len(digits) > 40:
            return None
        if digits[:2] in {"0x", "0X"}:
            return int(digits, 16)
        if digits[:2] in {"0b", "0B"}:
            return int(digits, 2)
        if len(digits) > 1 and digits[0] == "0":
            return int(digits, 8) if set(digits) <= set("01234567") else None
        return int(digits)
    found = _FLOAT.match(text)
    if found:
        return float(found[1])
    found = _HEX_FLOAT.match(text)
    if found:
        try:
            return float.fromhex(found[1])
        except (ValueError, OverflowError):
            return None
    return None


def _unescape(found: re.Match[str]) -> str:
    body = found[1]
    if body[0] in "xuU" and len(body) > 1:
        code = int(body[1:], 16)
        return chr(code) if code <= 0x10FFFF else "\ufffd"
    if body[0] in "01234567":
        return chr(int(body, 8))
    return _ESCAPES.get(body, body)


def string(text: str) -> str | None:
    """`u8"a\\n"`, `R"(raw)"`: the characters."""
    raw = re.match(r'(?:u8|[uUL])?R"([^(]*)\((.*)\)\1"\Z', text, re.DOTALL)
    if raw:
        return raw[2]
    plain = re.match(r'(?:u8|[uUL])?"(.*)"\Z', text, re.DOTALL)
    return _ESCAPE.sub(_unescape, plain[1]) if plain else None


def character(text: str) -> int | None:
    """`'a'` is 97."""
    plain = re.match(r"(?:u8|[uUL])?'(.*)'\Z", text, re.DOTALL)
    if not plain:
        return None
    value = _ESCAPE.sub(_unescape, plain[1])
    return ord(value) if len(value) == 1 else None
