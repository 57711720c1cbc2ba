"""Functions that see shapes alone: the fake implementation of an operator is run on tensors without elements.

*Claim.* What such a function allocates has no elements, so nothing can read them. *Why.* A function that is
registered as fake is called with fake tensors by the tracer, and inside of it every allocation is a fake one, too.
*What it gives up.* One that is also called by its name, or handed to anything else, is a function like any other.
"""

from __future__ import annotations

import re

from allocsafe.flow.mentions import code_of
from allocsafe.frontends.base import Definition, Unit

REGISTERS = ("register_fake", "impl_abstract", "register_meta")
"""Decorators, and functions that take one: with it, a function is a fake implementation."""


def is_fake(unit: Unit, definition: Definition) -> bool:
    """Whether all that the file does with a function is to register it as a fake implementation."""
    if unit.language != "python" or definition.kind != "function" or definition.owner:
        return False
    stub = unit.function(definition.qualname)
    if stub is None:
        return False
    if not any(word in unit.source.text for word in (*REGISTERS, "_impl", "impl(")):
        return False
    name = re.escape(definition.qualname)
    mentions = [
        found
        for found in re.finditer(rf"(?<![\w.]){name}\b(?!\s*=[^=])", code_of(unit.source.text))
        if not re.search(r"\bdef\s+$", found.string[max(found.start() - 40, 0) : found.start()])
    ]
    registered = [found for found in mentions if _registers(found.string, found.start(), found.end())]
    if len(registered) < len(mentions):
        return False
    return bool(registered) or any(_decorates(text) for text in stub.decorator_names)


def _decorates(text: str) -> bool:
    """`register_fake("ns::op")`, or `impl(lib, "op", "Meta")`."""
    last = text.split("(", maxsplit=1)[0].rsplit(".", 1)[-1]
    return last in REGISTERS or (last == "impl" and re.search(r"[\"']Meta[\"']", text) is not None)


def _registers(text: str, start: int, end: int) -> bool:
    """Whether the name that stands here is handed over as a fake implementation."""
    before, after = text[max(start - 200, 0) : start], text[end : end + 80]
    if re.match(r"\s*[(.\[]", after):
        return False
    if re.search(r"\b(?:fake_impl|abstract_impl|meta_impl)\s*=\s*$", before):
        return True
    return re.search(rf"\b(?:{'|'.join(REGISTERS)})\(\s*(?:[\w.]*\s*,\s*)?$", before) is not None


__all__ = ["is_fake"]
