"""The class of something opaque: what the source says about it, by annotations, constructors and `isinstance`.

*Claim.* `class_of` gives a class of which the value is an instance, or an instance of a class below; None where the
source does not say. *Why that suffices.* A declared type is the program's own promise. Without one, every assignment
of the attribute, in the class, its bases and the classes below, has to construct an instance of one class, or pass on
an argument that is declared to be one. *What it gives up.* Declarations are believed; an attribute that another
object's code assigns unannotated, in a file that says nothing of the class, is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING

from allocsafe.flow.values import ClassOf, Opaque

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine
    from allocsafe.flow.program import Program

_WRAPPED = re.compile(
    r"(?:typing\.)?(?:Optional|ClassVar|Final|Annotated|Required|NotRequired|InitVar)\[(.*)\]\Z", re.S
)
_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")


def named_class(program: Program, path: str, annotation: str) -> ClassOf | None:
    """The class that an annotation declares: one name, perhaps optional, perhaps in quotes."""
    word = plain_name(annotation)
    return program.resolve_class(path, word) if word else None


def plain_name(annotation: str) -> str:
    """The one name that an annotation comes down to, None and wrappers left out; "" where there is no such one."""
    text = annotation.strip().strip("\"'").strip()
    while (wrapped := _WRAPPED.match(text)) is not None:
        text = wrapped[1].strip()
        if "," in text and "[" not in text.split(",")[0]:
            text = text.split(",")[0].strip()  # Annotated[X, ...]
        text = text.strip("\"'")
    if text.startswith(("Union[", "typing.Union[")):
        text = text[text.index("[") + 1 : -1].replace(",", "|")
    parts = [p.strip().strip("\"'") for p in text.split("|")] if "[" not in text else [text.split("[")[0]]
    names = [p for p in parts if p and p != "None"]
    return names[0] if len(names) == 1 and _NAME.match(names[0]) else ""


def class_of(m: Machine, value: Opaque, depth: int = 5) -> ClassOf | None:
    """The class of an opaque value at this point of the walk."""
    key = value.key
    for cond, cls in m.narrowed.get(key, ()):
        if m.conds.implies(m.state.path, cond):
            return cls
    known = m.opaque_class.get(key)
    if known is not None or not depth:
        return known
    if isinstance(key, tuple) and len(key) == 4 and key[0] == "attr" and isinstance(key[2], str):
        owner = _holder(m, key[1], depth)
        if owner is not None:
            return attribute_class(m.program, owner, key[2])
    return None


def _holder(m: Machine, key: Hashable, depth: int) -> ClassOf | None:
    if isinstance(key, tuple) and len(key) == 2 and key[0] == "obj" and isinstance(key[1], int):
        info = m.objects[key[1]]
        cls = m.program.klass(info.path, info.cls) if info.kind == "instance" else None
        return ClassOf(cls, info.path) if cls is not None else None
    return class_of(m, Opaque(key, ""), depth - 1)


def attribute_class(program: Program, owner: ClassOf, attr: str) -> ClassOf | None:
    """The class of an attribute of instances of `owner`."""
    known = program.attribute_classes
    if (owner, attr) not in known:
        known[owner, attr] = None  # a cycle ends here
        known[owner, attr] = _attribute_class(program, owner, attr)
    return known[owner, attr]


def _attribute_class(program: Program, owner: ClassOf, attr: str) -> ClassOf | None:
    lineage = program.hierarchy.lineage(owner)
    for cls in lineage:
        for field in cls.cls.fields:
            if field.name == attr:
                return named_class(program, cls.path, field.annotation)
        said = re.search(
            rf"\bself\.{re.escape(attr)}[ \t]*:[ \t]*([^=\n]+?)[ \t]*(?:=(?!=)|#|$)", _text(program, cls), re.M
        )
        if said is not None:
            return named_class(program, cls.path, said[1])
    given = [c for cls in lineage for c in _assigned(program, cls, attr)]
    if not given or None in given:
        return None
    family = program.hierarchy.family(owner)
    given += [c for cls in family.members for c in _assigned(program, cls, attr)]
    if family.unseen or None in given:
        return None
    made = [c for c in given if c is not None]
    return next(
        (c for c in program.hierarchy.lineage(made[0]) if all(c in program.hierarchy.lineage(x) for x in made)), None
    )


def _text(program: Program, cls: ClassOf) -> str:
    return "\n".join(program.lines(cls.path)[cls.cls.span.line - 1 : cls.cls.span.end_line])


def _assigned(program: Program, cls: ClassOf, attr: str) -> list[ClassOf | None]:
    """What the methods of a class assign to an attribute: a class for each assignment, None for one not understood."""
    out: list[ClassOf | None] = []
    lines = program.lines(cls.path)
    pattern = re.compile(rf"\.{re.escape(attr)}[ \t]*=(?!=)[ \t]*(\(?[^\n]*)")
    for stub in cls.cls.methods.values():
        text = "\n".join(lines[stub.span.line - 1 : stub.span.end_line])
        for found in pattern.finditer(text):
            right = re.sub(r"\s*#.*", "", found[1]).strip()
            if right == "None":
                continue
            made = re.match(r"([A-Za-z_][\w.]*)\(", right)
            meant = program.resolve_class(cls.path, made[1]) if made is not None else None
            if made is not None and meant is None:
                meant = returned_class(program, cls.path, made[1])
            if made is None and re.fullmatch(r"\w+", right):
                said = re.search(rf"[(,]\s*{right}\s*:\s*([^=,()]+(?:\[[^\]]*\])?[^=,()]*)", text)
                meant = named_class(program, cls.path, said[1]) if said is not None else None
            if made is not None and not _whole_call(right):
                meant = None
            out.append(meant)
    return out


def _whole_call(right: str) -> bool:
    """Whether the right side is one call and nothing behind it (the call may go on in the next lines)."""
    depth = 0
    for at, char in enumerate(right):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and char in ")]}":
            return not right[at + 1 :].strip()
    return True


def returned_class(program: Program, path: str, name: str) -> ClassOf | None:
    """The class that a function of the module is declared to return."""
    for binding in program.bound(path, name):
        if binding.kind == "def":
            stub = program.function_of(path, name)
            return declared_return(program, path, stub.span.line) if stub is not None else None
        if binding.kind == "import" and binding.what is not None:
            target = program.target(binding, path)
            return returned_class(program, target, binding.what) if target is not None and target != path else None
    return None


def declared_return(program: Program, path: str, line: int) -> ClassOf | None:
    """The class after the arrow of the function that begins at a line."""
    text = "\n".join(program.lines(path)[line - 1 : line + 60])
    found = re.match(
        r"(?:\s*@[^\n]*\n)*\s*(?:async\s+)?def\s+\w+(?:\[[^\]]*\])?\s*\((?:[^()]|\([^()]*\))*\)\s*->\s*([^:\n]+):", text
    )
    return named_class(program, path, found[1]) if found is not None else None


__all__ = ["attribute_class", "class_of", "declared_return", "named_class"]
