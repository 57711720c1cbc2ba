"""How to call each builtin and standard-library function of python.txt with a tensor or array."""

from __future__ import annotations

import io

import torch

from tests.oracle.effects_recipes.torch_recipes import B, E, Recipe, S, X, Y, a

RECIPES: dict[str, tuple[Recipe, ...]] = {}


def put(names: str, *recipes: Recipe) -> None:
    for name in names.split():
        RECIPES[name if "." in name else "builtins." + name] = recipes


put("len id type hash callable dir", lambda: a(X()))
put("isinstance", lambda: a(X(), torch.Tensor))
put("issubclass", lambda: a(torch.Tensor, object))
put("hasattr", lambda: a(X(), "shape"))
put("print", lambda: a(X()))
put("list tuple iter enumerate reversed zip", lambda: a(X()))
put("sum", lambda: a(X()))
put("min max sorted", lambda: a(X(5)), lambda: a(Y(5)))
put("any all", lambda: a(B(4)))
put("float int complex str repr ascii", lambda: a(S(2.0)))
put("bool", lambda: a(S(1.0)))
put("format", lambda: a(S(2.0), ".2f"))
put("bytes", lambda: a(X().numpy()))
put("bytearray", lambda: a(X().numpy()))
put("memoryview", lambda: a(X().numpy()))
put("abs", lambda: a(X() - 4))
put("pow", lambda: a(X(), Y()))
put("divmod", lambda: a(X().numpy(), Y().numpy()))
put("range", lambda: a(torch.tensor(5)))
put("chr bin hex", lambda: a(torch.tensor(65)))
put("copy.copy", lambda: a(X()), lambda: a(X().numpy()))
put("copy.deepcopy", lambda: a(X()), lambda: a(X().numpy()))
put("pickle.dump", lambda: a(X(), io.BytesIO()))
put("pickle.dumps", lambda: a(X().numpy()))
put("json.dumps", lambda: a([1, 2]))
put("math.prod", lambda: a(X(4)))
put("math.ceil math.floor math.sqrt math.log math.log2 math.exp math.isnan math.isinf math.isfinite", lambda: a(S(2.5)))
put("math.gcd", lambda: a(torch.tensor(12), torch.tensor(18)))
put("math.fsum", lambda: a(X(4)))
put("math.isclose", lambda: a(S(2.5), S(2.5)))
put("operator.add operator.mul", lambda: a(X(), Y()))
put("operator.iadd", lambda: a(X(), Y()))
put("operator.index", lambda: a(torch.tensor(3)))
put("operator.eq", lambda: a(X(), E()))
put("operator.is_", lambda: a(X(), Y()))
put("sys.getsizeof", lambda: a(X()))
put("gc.collect", a)
put("struct.pack", lambda: a("d", S(2.5)))
put("set frozenset", lambda: a(X()))
