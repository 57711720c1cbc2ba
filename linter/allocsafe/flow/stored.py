"""Methods that are kept in an attribute: `self._forward = self.dispatch()`, called later as `self._forward(x)`.

*Claim.* `stored_method` gives every method that a call of the attribute can run, as alternatives: the attribute is only
ever assigned a method of the object, or what a method returns whose every `return` is one. *Why that suffices.* Each
alternative is walked on its own path. *What it gives up.* An assignment of anything else, in the class or its bases,
makes the attribute unknown; a store from outside of them is not looked for, and an assumption says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from allocsafe.flow.conditions import TRUE, Condition
from allocsafe.flow.state import choose
from allocsafe.flow.values import ClassOf, Closure, Opaque, Value
from allocsafe.source import Span

if TYPE_CHECKING:
    from allocsafe.flow.machine import Machine

MOST = 6
"""Methods that one attribute may stand for."""


def stored_method(m: Machine, base: Opaque, owner: ClassOf, attr: str, span: Span) -> Value | None:
    """The value of an attribute of an object of class `owner` that holds one of its methods, or None."""
    names = list(dict.fromkeys(_meant(m, owner, name) for name in _methods(m, owner, attr)))
    if not names or len(names) > MOST:
        return None
    from allocsafe.flow.dispatch import member

    found: list[Closure] = []
    for name in names:
        value = member(m, owner, name, base, span, base.key, sure=False)
        if isinstance(value, Closure):
            if value not in found:
                found.append(value)
        elif value is None or not (isinstance(value, Opaque) and value.key in m.overrides):
            return None  # a promise alone raises when it is called: no alternative
    if not found:
        return None
    m.assumes.add(f"nobody but {owner.cls.name} and its bases sets {attr}")
    left: Condition = TRUE
    options: list[tuple[Condition, Value]] = []
    for number, value in enumerate(found[:-1]):
        here = m.decide(("stored", base.key, attr, number), f"{attr} is {value.function.name}", "branch", span)
        options.append((m.conds.both(left, here), value))
        left = m.conds.both(left, m.conds.no(here))
    options.append((left, found[-1]))
    return choose(m.conds, options)


def _methods(m: Machine, owner: ClassOf, attr: str) -> list[str]:
    """Names of the methods that are assigned to the attribute; empty if something else may be."""
    out: list[str] = []
    for cls in m.program.lineage(owner):
        for right in re.findall(rf"\bself\.{re.escape(attr)}\s*(?::[^=\n]+)?=(?!=)\s*([^\n#]+)", _text(m, cls)):
            named = re.fullmatch(r"self\.(\w+)\s*", right)
            called = re.fullmatch(r"self\.(\w+)\([^()]*\)\s*", right)
            if named is not None:
                out.append(named[1])
            elif called is not None:
                returned = _returned(m, owner, called[1])
                if not returned:
                    return []
                out += returned
            else:
                return []
    return list(dict.fromkeys(out))


def _returned(m: Machine, owner: ClassOf, name: str) -> list[str]:
    """The methods that a method returns, if it returns nothing else."""
    out: list[str] = []
    for cls in m.program.lineage(owner):
        stub = cls.cls.methods.get(name)
        unit = m.program.unit(cls.path)
        if stub is None or unit is None:
            continue
        text = "\n".join(unit.source.lines[stub.span.line - 1 : stub.span.end_line])
        for right in re.findall(r"\breturn\b[ \t]*([^\n#]*)", text):
            found = re.fullmatch(r"self\.(\w+)\s*", right)
            if found is None:
                return []
            out.append(found[1])
        return out
    return out


def _meant(m: Machine, owner: ClassOf, name: str, depth: int = 4) -> str:
    """The method that a method only passes its arguments on to, or the method itself."""
    for cls in m.program.lineage(owner) if depth else ():
        stub = cls.cls.methods.get(name)
        unit = m.program.unit(cls.path)
        if stub is None or unit is None:
            continue
        rows = unit.source.lines[stub.span.line - 1 : stub.span.end_line]
        text = " ".join(row.strip() for row in rows if row.strip() and not row.strip().startswith("#"))
        found = re.fullmatch(
            r"def \w+\(self, \*args, \*\*kwargs\)[^:]*: return self\.(\w+)\(\*args, \*\*kwargs\)", text
        )
        return _meant(m, owner, found[1], depth - 1) if found is not None else name
    return name


def _text(m: Machine, cls: ClassOf) -> str:
    unit = m.program.unit(cls.path)
    span = cls.cls.span
    return "" if unit is None else "\n".join(unit.source.lines[span.line - 1 : span.end_line])


__all__ = ["stored_method"]
