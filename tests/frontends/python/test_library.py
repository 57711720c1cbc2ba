"""The standard library as a corpus: everything lowers, well formed, with Python's own places and scopes."""

from __future__ import annotations

import ast
import symtable
from collections import Counter

import pytest
from allocsafe.frontends.base import Unsupported
from allocsafe.frontends.python.unit import open_unit
from allocsafe.ir import nodes as ir
from allocsafe.ir.check import problems
from allocsafe.ir.show import show
from allocsafe.source import Source

from tests.frontends.python.lowering import library, steps

Place = tuple[int, int, int, int]
FILES = library(60)
PARTS = [FILES[i::6] for i in range(6)]


@pytest.mark.parametrize("files", PARTS, ids=range(6))
def test_everything_lowers(files: tuple[Source, ...]) -> None:
    lowered = refused = 0
    for source in files:
        unit = open_unit(source)
        loads = [unit.toplevel]
        for definition in unit.definitions:
            stub = unit.stub_at(definition.first_line)
            if definition.kind == "function" and stub is not None:
                loads.append(stub.load)
            cls = unit.klass(definition.qualname)
            if definition.kind == "class" and cls is not None and cls.load_body is not None:
                loads.append(cls.load_body)
        for load in loads:
            try:
                function = load()
            except Unsupported as error:
                refused += 1
                assert error.reason and error.span.path == source.path
                continue
            lowered += 1
            assert problems(function) == [], source.path
            assert show(function)
    assert lowered > 50
    assert refused <= 2


class Calls(ast.NodeVisitor):
    """Where the calls of a function stand that are run by it, as (line, column, end line, end column) in characters."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.found: Counter[Place] = Counter()
        self.has_formatted = False

    def of(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Counter[Place]:
        self.visit(node.args)
        for statement in node.body:
            self.visit(statement)
        return self.found

    def column(self, line: int, offset: int) -> int:
        return len(self.lines[line - 1].encode()[:offset].decode()) + 1

    def visit_Call(self, node: ast.Call) -> None:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.column(node.lineno, node.col_offset)
        self.found[node.lineno, start, node.end_lineno, self.column(node.end_lineno, node.end_col_offset)] += 1
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Before 3.12 the parser gives wrong places within f-strings."""
        self.has_formatted = self.has_formatted or any(isinstance(inner, ast.Call) for inner in ast.walk(node))

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)

    def visit_arg(self, node: ast.arg) -> None:
        """No annotations."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.decorator_list, node.args, *node.body):
            self.visit(part)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.args, *node.body):
            self.visit(part)


def tables(text: str) -> dict[tuple[str, int], symtable.SymbolTable]:
    found: dict[tuple[str, int], symtable.SymbolTable] = {}
    todo = [symtable.symtable(text, "case.py", "exec")]
    while todo:
        table = todo.pop()
        todo += table.get_children()
        if table.get_type() == "function":
            found[table.get_name(), table.get_lineno()] = table
    return found


@pytest.mark.parametrize("files", PARTS, ids=range(6))
def test_places_and_scopes_are_pythons(files: tuple[Source, ...]) -> None:
    placed = scoped = 0
    for source in files:
        try:
            tree = ast.parse(source.text)
            symbols = tables(source.text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        unit = open_unit(source)
        by_line = {n.lineno: n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        for definition in unit.definitions:
            stub = unit.stub_at(definition.first_line)
            if definition.kind != "function" or stub is None:
                continue
            try:
                function = stub.load()
            except Unsupported:
                continue
            line = next(n for n in range(definition.first_line, definition.last_line + 1) if n in by_line)
            calls = Calls(source.lines)
            expected = calls.of(by_line[line])
            found = Counter(step.span[1:] for step in steps(function) if isinstance(step, ir.Call))
            if not calls.has_formatted:
                assert found == expected, f"{source.path} {definition.qualname}"
                placed += len(found)
            table = symbols.get((function.name, line)) or symbols.get((function.name, definition.first_line))
            if table is not None:
                scoped += check_scopes(function, table, f"{source.path} {definition.qualname}")
    assert placed > 100 and scoped > 100


def check_scopes(function: ir.Function, table: symtable.SymbolTable, where: str) -> int:
    known = set(table.get_identifiers())
    compared = 0
    defaults = {id(step) for step in function.defaults}
    for step in steps(function, inner=False):
        if not isinstance(step, (ir.Load, ir.Store, ir.Delete)) or step.name not in known or id(step) in defaults:
            continue
        symbol = table.lookup(step.name)
        local = symbol.is_local() or symbol.is_parameter()
        assert step.scope == ("local" if local else "enclosing" if symbol.is_free() else "global"), f"{where} {step}"
        compared += 1
    return compared
