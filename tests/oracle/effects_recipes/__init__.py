"""Recipes: how to call each hand-written line of the effect tables, or why it cannot be called here."""

from __future__ import annotations

from tests.oracle.effects_recipes import numpy_recipes, python_recipes, torch_recipes
from tests.oracle.effects_recipes.reasons import ELSEWHERE, reason_for
from tests.oracle.effects_recipes.torch_recipes import Recipe

BY_NAME = {**torch_recipes.RECIPES, **numpy_recipes.RECIPES, **python_recipes.RECIPES}


def recipes_for(name: str) -> tuple[Recipe, ...]:
    """The recipes under the full name, or for torch under its last part."""
    found = BY_NAME.get(name)
    if found is None and name.startswith("torch.") and not name.startswith(("torch.nn.", "torch.cuda.")):
        found = BY_NAME.get(name.rpartition(".")[2])
    if found is None:
        return ()
    return found if isinstance(found, tuple) else (found,)


__all__ = ["ELSEWHERE", "reason_for", "recipes_for"]
