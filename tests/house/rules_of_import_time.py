"""What a module may do while it is imported: name constants, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.tree import Finding, Source, Tree, dotted, name_of

CONSTANT_MAKERS = frozenset(
    {
        *("getLogger", "TypeVar", "ParamSpec", "NewType"),
        *("compile", "Struct", "frozenset", "tuple", "MappingProxyType", "range", "fields"),
        *("datetime", "timedelta", "Decimal", "Fraction", "ZoneInfo", "Path", "files"),
        *("ip_network", "ip_address", "IPv4Network", "IPv4Address"),
        *("ConfigDict", "Field", "Markup", "len", "max", "min", "sum", "round", "abs"),
        *("join", "encode", "fromhex", "maketrans", "itemgetter", "attrgetter"),
    }
)
"""Calls that make a constant: a name for a value that nothing can change."""

TABLE_MAKERS = frozenset(
    {"MetaData", "Table", "Column", "ForeignKey", "Index", "Integer", "Float", "String", "Text"}
)
"""How SQLAlchemy describes a table; only where the ledger does so."""

TABLES_STAND_IN = "monitor/adapters/ledger"


def no_module_level_instance(tree: Tree) -> list[Finding]:
    """A module makes nothing when it is imported, except constants, loggers and tables."""
    frozen = tree.frozen_names()
    return [
        Finding(source.path, call.lineno, f"{dotted(call.func) or 'a call'}() at import time")
        for source in tree.sources
        for call in _calls_at_import(source.module)
        if not _makes_a_constant(call, source, frozen)
    ]


def _calls_at_import(module: ast.Module) -> Iterator[ast.Call]:
    for statement in module.body:
        if isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test):
            continue
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield from _calls_in(statement)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Calls that run when `node` runs; a lambda's body waits, a type's arguments are no values."""
    if isinstance(node, ast.Lambda | ast.Subscript | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls_in(child)


def _makes_a_constant(call: ast.Call, source: Source, frozen: frozenset[str]) -> bool:
    name = name_of(call.func)
    if name in TABLE_MAKERS and source.path.startswith(TABLES_STAND_IN):
        return True
    return name in CONSTANT_MAKERS | frozen | _makers_of_values(source, frozen)


def _makers_of_values(source: Source, frozen: frozenset[str]) -> frozenset[str]:
    """The module's own functions that say they return something that cannot change."""
    return frozenset(
        node.name
        for node in source.module.body
        if isinstance(node, ast.FunctionDef)
        and node.returns is not None
        and name_of(node.returns.value if isinstance(node.returns, ast.Subscript) else node.returns)
        in {"tuple", "frozenset", "str", "bytes", "int", "float", "bool", "Pattern"} | frozen
    )


def no_module_level_state(tree: Tree) -> list[Finding]:
    """Nothing global changes: no `global`, and no empty container waiting to be filled."""
    found = []
    for source in tree.sources:
        found += [
            Finding(source.path, node.lineno, "global statement")
            for node in ast.walk(source.module)
            if isinstance(node, ast.Global)
        ]
        found += [
            Finding(source.path, statement.lineno, "empty container at module level")
            for statement in source.module.body
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_empty(statement.value)
        ]
    return found


def _is_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    return isinstance(value, ast.Call) and name_of(value.func) in {
        "list",
        "dict",
        "set",
        "deque",
        "defaultdict",
        "Counter",
    }
