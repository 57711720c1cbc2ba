"""The steps: what a frontend says about a program, before anyone knows what its values are.

What `x[i]` means (a look-up, a view, a copy, an element) depends on the value of `x`, so no step here is called "read"
or "write". Frontends emit these small steps in evaluation order; the flow engine, which has the values, turns them into
memory events. The same steps serve Python, C++ and CUDA.

- A *register* (`%0`, `%1`, ...) holds the value of one expression. It is assigned once on every path; where the value
  of an expression depends on a branch (`a and b`, `x if c else y`), both arms of an `If` assign the same register.
- A *name* is a variable of the program. `scope` says which table it lives in: ``local`` (this function's),
``enclosing``
  (a function around it), ``global`` (the module's, or a builtin).
- A *block* is a tuple of steps. Control is structured: blocks nest, there is no jump but return, raise, break,
continue.
- Every step has a span. What a frontend cannot model is an `Escape` (or an `Opaque` value) with a reason, never
silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, Union

from allocsafe.source import NOWHERE, Span

Reg: TypeAlias = str
Scope: TypeAlias = Literal["local", "enclosing", "global"]
Constant: TypeAlias = Union[int, float, complex, str, bytes, bool, "type[Ellipsis]", None]  # type: ignore[valid-type]  # of Ellipsis there is no better name before Python 3.10
Start: TypeAlias = Literal["none", "value", "list", "copy"]
Block: TypeAlias = "tuple[Step, ...]"


class Node:
    """Base of all that is made here: equal if of one class with equal parts. Every dataclass could say so by itself, at
    the price of two functions that Python compiles for each of fifty classes whenever this module is imported.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or all(getattr(self, name) == getattr(other, name) for name in _parts(self))

    __hash__: None = None  # type: ignore[assignment]  # what can change is no key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in _parts(self))})"


def _parts(node: Node) -> tuple[str, ...]:
    names: tuple[str, ...] = node.__match_args__  # type: ignore[attr-defined]  # of every dataclass
    return names


@dataclass(slots=True, repr=False, eq=False)
class Step(Node):
    """Base of all steps. `span` covers the expression or statement that the step comes from."""

    span: Span


# ---------------------------------------------------------------- values


@dataclass(slots=True, repr=False, eq=False)
class Const(Step):
    """`dst = value`: a literal. `...` is the value Ellipsis."""

    dst: Reg
    value: object


@dataclass(slots=True, repr=False, eq=False)
class Move(Step):
    """`dst = src`: the same value in another register. Both arms of a conditional expression end with one `dst`."""

    dst: Reg
    src: Reg


@dataclass(slots=True, repr=False, eq=False)
class Load(Step):
    """`dst = name`."""

    dst: Reg
    name: str
    scope: Scope = "local"


@dataclass(slots=True, repr=False, eq=False)
class Store(Step):
    """`name = src`."""

    name: str
    src: Reg
    scope: Scope = "local"


@dataclass(slots=True, repr=False, eq=False)
class Delete(Step):
    """`del name`."""

    name: str
    scope: Scope = "local"


@dataclass(slots=True, repr=False, eq=False)
class GetAttr(Step):
    """`dst = obj.attr` (C++: also `obj->attr` and `ns::name`)."""

    dst: Reg
    obj: Reg
    attr: str


@dataclass(slots=True, repr=False, eq=False)
class SetAttr(Step):
    """`obj.attr = src`; `src` is None for `del obj.attr`."""

    obj: Reg
    attr: str
    src: Reg | None


@dataclass(slots=True, repr=False, eq=False)
class Slice(Node):
    """`lo:hi:step` inside an index; None where the source leaves a part out."""

    lo: Reg | None = None
    hi: Reg | None = None
    step: Reg | None = None


@dataclass(slots=True, repr=False, eq=False)
class At(Node):
    """One expression inside an index: an integer, a tensor, a mask, a key, `None` and `...` by value included."""

    reg: Reg
    star: bool = False


IndexItem: TypeAlias = Slice | At


@dataclass(slots=True, repr=False, eq=False)
class Index(Node):
    """What stands between brackets. `x[i]` has one item and `is_tuple` False; `x[i,]` and `x[i, j]` have it True."""

    items: tuple[IndexItem, ...]
    is_tuple: bool = False


@dataclass(slots=True, repr=False, eq=False)
class GetItem(Step):
    """`dst = obj[index]`."""

    dst: Reg
    obj: Reg
    index: Index


@dataclass(slots=True, repr=False, eq=False)
class SetItem(Step):
    """`obj[index] = src`; `src` is None for `del obj[index]`."""

    obj: Reg
    index: Index
    src: Reg | None


@dataclass(slots=True, repr=False, eq=False)
class Item(Node):
    """One entry of a display: `key` for dicts (None with `star` for `**other`), `star` for `*other`."""

    value: Reg
    key: Reg | None = None
    star: bool = False


@dataclass(slots=True, repr=False, eq=False)
class New(Step):
    """`dst = [..] | (..) | {..} | {k: v}`; comprehensions start with an empty one and `Append` to it."""

    dst: Reg
    kind: Literal["list", "tuple", "set", "dict"]
    items: tuple[Item, ...] = ()


@dataclass(slots=True, repr=False, eq=False)
class Append(Step):
    """A comprehension adds one element to its list or set."""

    target: Reg
    src: Reg


@dataclass(slots=True, repr=False, eq=False)
class Unpack(Step):
    """`a, *b, c = src`: one register a target; `star` is the index of the starred one, or None."""

    dsts: tuple[Reg, ...]
    src: Reg
    star: int | None = None


@dataclass(slots=True, repr=False, eq=False)
class Unary(Step):
    """`dst = op x`, op one of ``- + ~ not``."""

    dst: Reg
    op: str
    x: Reg


@dataclass(slots=True, repr=False, eq=False)
class Binary(Step):
    """`dst = a op b`, op as Python writes it (``+ - * / // % ** @ << >> & | ^``); C++ integer division is ``c/``,
    remainder ``c%``.
    """

    dst: Reg
    op: str
    a: Reg
    b: Reg


@dataclass(slots=True, repr=False, eq=False)
class Aug(Step):
    """`dst = (a op= b)`: in place where the value of `a` can; the frontend stores `dst` back to the target after it."""

    dst: Reg
    op: str
    a: Reg
    b: Reg


@dataclass(slots=True, repr=False, eq=False)
class Compare(Step):
    """`dst = a op b`, op one of ``== != < <= > >= is is-not in not-in``. A chain is several of them under `If`."""

    dst: Reg
    op: str
    a: Reg
    b: Reg


@dataclass(slots=True, repr=False, eq=False)
class Format(Step):
    """An f-string or a stream insertion: its parts are turned into text, hence read."""

    dst: Reg
    parts: tuple[Reg, ...]


@dataclass(slots=True, repr=False, eq=False)
class Arg(Node):
    """One argument: `name` for a keyword, `star` "*" or "**" for unpacking."""

    reg: Reg
    name: str | None = None
    star: Literal["", "*", "**"] = ""


@dataclass(slots=True, repr=False, eq=False)
class Call(Step):
    """`dst = func(args)`. A method call is a `GetAttr` for `func` first: `torch.empty(n).cuda()` is a method of a
    result.

    C++ template arguments stand in `template` as text. `awaited`: what it returns is waited for at once.
    """

    dst: Reg
    func: Reg
    args: tuple[Arg, ...] = ()
    template: str = ""
    awaited: bool = False


@dataclass(slots=True, repr=False, eq=False)
class Import(Step):
    """`dst = module` (name None) or `dst = module.name`. `level` counts leading dots. `import a.b` gives the value of
    `a`.
    """

    dst: Reg
    module: str
    name: str | None = None
    level: int = 0


@dataclass(slots=True, repr=False, eq=False)
class Opaque(Step):
    """`dst` = some value the frontend cannot model, computed from `uses` (it reads them, writes and keeps none)."""

    dst: Reg
    uses: tuple[Reg, ...]
    reason: str


@dataclass(slots=True, repr=False, eq=False)
class Escape(Step):
    """Anything may happen to `uses`, and to the local names in `names`; `reason` is a phrase a person understands."""

    uses: tuple[Reg, ...]
    reason: str
    names: tuple[str, ...] = ()


@dataclass(slots=True, repr=False, eq=False)
class Yield(Step):
    """`dst = yield src` (src None: bare) or `yield from src`."""

    dst: Reg
    src: Reg | None
    is_from: bool = False


@dataclass(slots=True, repr=False, eq=False)
class Await(Step):
    """`dst = await src`."""

    dst: Reg
    src: Reg


@dataclass(slots=True, repr=False, eq=False)
class MakeFunction(Step):
    """`dst` = a function (def, lambda, C++ lambda). Defaults and decorators were evaluated before, into registers."""

    dst: Reg
    function: Function
    decorators: tuple[Reg, ...] = ()


@dataclass(slots=True, repr=False, eq=False)
class MakeClass(Step):
    """`dst` = a class. `cls.body` runs when the engine asks for class-level values."""

    dst: Reg
    cls: ClassDef


# ---------------------------------------------------------------- C++ and CUDA only


@dataclass(slots=True, repr=False, eq=False)
class Alloc(Step):
    """Memory made by syntax, not by a call: `float a[n]`, `T a[n] = {..}`, `new T[n]`, `std::vector<T> v(n, x)`.

    `kind` is ``array`` (constant extent), ``vla``, ``new``, ``vector``, ``scalar`` (a plain local, `int x;`).
    `init` says how it starts: ``none`` (indeterminate), ``value`` (zeros or a value, every element), ``list``
    (`items` give the first
    elements, the rest are zero), ``copy`` (from `items[0]`). `extents` are element counts; `()` for a scalar or an
    empty vector.
    """

    dst: Reg
    kind: Literal["array", "vla", "new", "vector", "scalar"]
    element: str
    extents: tuple[Reg, ...]
    init: Start
    items: tuple[Reg, ...] = ()


@dataclass(slots=True, repr=False, eq=False)
class AddressOf(Step):
    """`dst = &name` or `&obj[index]`: `place` is the register of the place's *value* for items, `name` the variable
    otherwise.
    """

    dst: Reg
    name: str | None
    obj: Reg | None = None
    index: Index | None = None
    ctype: str = ""  # the declared type of `name`, as far as it is written


@dataclass(slots=True, repr=False, eq=False)
class Deref(Step):
    """`dst = *ptr`."""

    dst: Reg
    ptr: Reg


@dataclass(slots=True, repr=False, eq=False)
class StoreDeref(Step):
    """`*ptr = src`."""

    ptr: Reg
    src: Reg


@dataclass(slots=True, repr=False, eq=False)
class SizeOf(Step):
    """`dst = sizeof(type)` (`ctype` set) or `sizeof expr` (`obj` set)."""

    dst: Reg
    ctype: str | None
    obj: Reg | None = None


@dataclass(slots=True, repr=False, eq=False)
class Cast(Step):
    """`dst = (type) src`, static_cast, reinterpret_cast and the like."""

    dst: Reg
    src: Reg
    ctype: str


@dataclass(slots=True, repr=False, eq=False)
class Range(Step):
    """`dst` = the turns of a counted C++ loop: start, start + step, ... up to `stop` (exclusive; past it for negative
    steps).
    """

    dst: Reg
    start: Reg
    stop: Reg
    stride: Reg


@dataclass(slots=True, repr=False, eq=False)
class Launch(Step):
    """`func<<<grid, block, ...>>>(args)`."""

    func: Reg
    grid: Reg
    block: Reg
    args: tuple[Arg, ...]


# ---------------------------------------------------------------- control


@dataclass(slots=True, repr=False, eq=False)
class Assume(Step):
    """What follows runs only if `cond` holds (`assert`)."""

    cond: Reg


@dataclass(slots=True, repr=False, eq=False)
class If(Step):
    cond: Reg
    then: Block
    orelse: Block = ()


@dataclass(slots=True, repr=False, eq=False)
class For(Step):
    """`for item in iterable`. The body begins by storing register `item` to its targets."""

    item: Reg
    iterable: Reg
    body: Block
    orelse: Block = ()
    is_async: bool = False


@dataclass(slots=True, repr=False, eq=False)
class While(Step):
    """`test` is run before every turn and leaves its answer in `cond`. `do while`: `body_first`."""

    test: Block
    cond: Reg
    body: Block
    orelse: Block = ()
    body_first: bool = False
    update: Block = ()  # a C++ `for`'s third part: runs after the body and after `continue`


@dataclass(slots=True, repr=False, eq=False)
class Handler(Node):
    """`except types as name: body`; `types` None catches all. `type_names` are the names as written, last part only."""

    body: Block
    types: Reg | None = None
    name: str | None = None
    type_names: tuple[str, ...] = ()


@dataclass(slots=True, repr=False, eq=False)
class Try(Step):
    body: Block
    handlers: tuple[Handler, ...] = ()
    orelse: Block = ()
    final: Block = ()


@dataclass(slots=True, repr=False, eq=False)
class With(Step):
    """`with ctx as dst: body`; several items nest. The body begins by storing `dst` to its target."""

    ctx: Reg
    dst: Reg
    body: Block
    is_async: bool = False


@dataclass(slots=True, repr=False, eq=False)
class Return(Step):
    src: Reg | None = None


@dataclass(slots=True, repr=False, eq=False)
class Raise(Step):
    src: Reg | None = None


@dataclass(slots=True, repr=False, eq=False)
class Break(Step):
    pass


@dataclass(slots=True, repr=False, eq=False)
class Continue(Step):
    pass


# ---------------------------------------------------------------- units


@dataclass(slots=True, repr=False, eq=False)
class Param(Node):
    """One parameter. `default` is a register of the *defining* code, or None. `annotation` is source text ("" for
    none).
    """

    name: str
    kind: Literal["positional-only", "positional", "star", "keyword-only", "double-star"] = "positional"
    default: Reg | None = None
    annotation: str = ""


@dataclass(slots=True, repr=False, eq=False)
class Function(Node):
    """A function, method, lambda, or (kind ``module``/``class``) the code outside of functions.

    `decorator_names` are the decorators' dotted names as written ("property", "staticmethod", "torch.inference_mode").
    `defaults` runs in the defining scope before `MakeFunction` when the function was lowered on its own; it assigns the
    registers that `Param.default` names. `names` are all identifiers and attribute names the body mentions (for
    relevance).
    """

    name: str
    qualname: str
    params: tuple[Param, ...]
    body: Block
    span: Span
    kind: Literal["function", "method", "lambda", "module", "class"] = "function"
    language: Literal["python", "cpp", "cuda"] = "python"
    decorator_names: tuple[str, ...] = ()
    defaults: Block = ()
    is_async: bool = False
    is_generator: bool = False
    returns: str = ""
    names: frozenset[str] = frozenset()
    qualifiers: frozenset[str] = frozenset()  # C++: "__global__", "static", "const" (a const method) ...


@dataclass(slots=True, repr=False, eq=False)
class FunctionStub(Node):
    """A function that is known by place and name, and lowered when `load` is called (once; the frontend caches)."""

    name: str
    qualname: str
    span: Span
    load: Callable[[], Function]
    decorator_names: tuple[str, ...] = ()
    owner: str = ""  # qualname of the class it is a method of, or ""


@dataclass(slots=True, eq=False)
class Ready:
    """A `load` for what is lowered already. It can be kept on disk, which a lambda cannot."""

    function: Function

    def __call__(self) -> Function:
        return self.function


@dataclass(slots=True, repr=False, eq=False)
class ClassDef(Node):
    """A class by its outline: bases as dotted text, methods as stubs, `body` lowered on demand (class-level
    statements).
    """

    name: str
    qualname: str
    span: Span
    bases: tuple[str, ...] = ()
    methods: dict[str, FunctionStub] = field(default_factory=dict)
    load_body: Callable[[], Function] | None = None
    decorator_names: tuple[str, ...] = ()
    fields: tuple[Param, ...] = ()  # annotated class-level names in order (dataclass, NamedTuple fields)


__all__ = [name for name in dir() if not name.startswith("_")]
_ = NOWHERE
