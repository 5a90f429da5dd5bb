"""The rules of the house that import-linter and ruff cannot say; each finds what breaks it.

The rules for tests are in `rules_of_tests`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.house.tree import Finding, Source, Tree, dataclass_decorator, dotted, name_of

Rule = Callable[[Tree], list[Finding]]

LONGEST_MODULE = 300

BOUNDARIES = ("monitor/schedule.py", "monitor/dispatch.py")
"""The job boundary and the dispatcher: there, and once in each, everything may be caught."""

NOUNS = (
    *("monitor/core/model.py", "monitor/core/samples.py", "monitor/core/ports.py"),
    "monitor/settings/model.py",
)

READS_THE_WALL_CLOCK = (
    "monitor/adapters/clock.py",
    # commands that a person calls and that end at once: nothing steps under them
    *("monitor/cli/incidents.py", "monitor/cli/status.py"),
)

CONSTANT_MAKERS = frozenset(
    {
        *("getLogger", "TypeVar", "ParamSpec", "NewType"),
        *("compile", "Struct", "frozenset", "tuple", "MappingProxyType", "range", "fields"),
        *("datetime", "timedelta", "Decimal", "Fraction", "ZoneInfo", "Path", "files"),
        *("ip_network", "ip_address", "IPv4Network", "IPv4Address"),
        *("ConfigDict", "Field", "Markup", "len", "max", "min", "sum"),
        *("join", "encode", "fromhex", "maketrans", "itemgetter", "attrgetter"),
    }
)
"""Calls that make a constant: a name for a value that nothing can change."""

TABLE_MAKERS = frozenset(
    {"MetaData", "Table", "Column", "ForeignKey", "Index", "Integer", "Float", "String", "Text"}
)
"""How SQLAlchemy describes a table; only where the ledger does so."""

TABLES_STAND_IN = "monitor/adapters/ledger"


def no_import_inside(tree: Tree) -> list[Finding]:
    """Imports stand at the top of a module: not in functions, classes, `if` or `try`."""
    return [
        Finding(source.path, node.lineno, "import that is not at the top level of its module")
        for source in tree.sources
        for node in ast.walk(source.module)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in source.module.body
    ]


def no_type_checking_detour(tree: Tree) -> list[Finding]:
    """`TYPE_CHECKING` hides a cycle from the linter."""
    word = "TYPE_CHECKING"
    return [
        Finding(source.path, getattr(node, "lineno", 1), f"{word} detour")
        for source in tree.sources
        for node in ast.walk(source.module)
        if (isinstance(node, ast.Name) and node.id == word)
        or (isinstance(node, ast.Attribute) and node.attr == word)
        or (isinstance(node, ast.ImportFrom) and any(name.name == word for name in node.names))
    ]


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
    return name in CONSTANT_MAKERS | frozen | _makers_of_values(source)


def _makers_of_values(source: Source) -> frozenset[str]:
    """The module's own functions that say they return something that cannot change."""
    return frozenset(
        node.name
        for node in source.module.body
        if isinstance(node, ast.FunctionDef)
        and node.returns is not None
        and name_of(node.returns.value if isinstance(node.returns, ast.Subscript) else node.returns)
        in {"tuple", "frozenset", "str", "bytes", "int", "float", "bool", "Pattern"}
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


def no_drawer_for_everything(tree: Tree) -> list[Finding]:
    """No `utils` and its cousins, no `Base…` classes, no singletons."""
    drawers = {"utils", "util", "helpers", "helper", "misc", "base"}
    found = []
    for source in tree.sources:
        for part in source.path.removesuffix(".py").split("/"):
            if part.strip("_") in drawers or part.endswith(("_utils", "_helpers")):
                found.append(Finding(source.path, 1, f"a drawer for everything: {part}"))
        found += [
            Finding(source.path, node.lineno, f"class named {node.name}")
            for node in ast.walk(source.module)
            if isinstance(node, ast.ClassDef)
            and re.match(r"_*Base(?![a-z])|.*Singleton", node.name)
        ]
    return found


def no_long_module(tree: Tree) -> list[Finding]:
    """A module of more than 300 lines is two rooms."""
    return [
        Finding(source.path, lines, f"{lines} lines, more than {LONGEST_MODULE}")
        for source in tree.sources
        if (lines := len(source.text.splitlines())) > LONGEST_MODULE
    ]


def no_catch_all(tree: Tree) -> list[Finding]:
    """`except Exception` stands at the job boundary and in the dispatcher, once in each."""
    found = []
    for source in tree.sources:
        caught = [
            Finding(source.path, node.lineno, "catches everything")
            for node in ast.walk(source.module)
            if isinstance(node, ast.ExceptHandler) and _catches_everything(node.type)
        ]
        found += caught[1:] if source.within(*BOUNDARIES) else caught
    return found


def _catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_catches_everything(one) for one in caught.elts)
    return name_of(caught) in {"Exception", "BaseException"}


def no_wall_clock(tree: Tree) -> list[Finding]:
    """The wall clock is read in the clock's adapter, and handed on from there."""
    asked = {
        *("time.time", "time.time_ns", "time.ctime", "time.localtime", "time.gmtime"),
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    }
    found = []
    for source in tree.sources:
        if source.within(*READS_THE_WALL_CLOCK):
            continue
        for node in ast.walk(source.module):
            if isinstance(node, ast.Attribute):
                last_two = ".".join(dotted(node).split(".")[-2:])
                if last_two in asked:
                    found.append(Finding(source.path, node.lineno, f"asks {last_two}"))
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                found += [
                    Finding(source.path, node.lineno, f"imports time.{name.name}")
                    for name in node.names
                    if f"time.{name.name}" in asked
                ]
    return found


def everything_public_is_explained(tree: Tree) -> list[Finding]:
    """Each module says what it is; in the core so does each public function and class."""
    found = []
    for source in tree.sources:
        if source.text.strip() and ast.get_docstring(source.module) is None:
            found.append(Finding(source.path, 1, "module without a docstring"))
        if source.within("monitor/core/"):
            found += [
                Finding(source.path, node.lineno, f"{node.name} without a docstring")
                for node in source.module.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and ast.get_docstring(node) is None
            ]
    return found


def values_are_frozen(tree: Tree) -> list[Finding]:
    """The nouns are frozen and have slots; what else the core keeps has slots."""
    found = []
    for source in tree.sources:
        wanted = _promises_of_dataclasses(source)
        for node in ast.walk(source.module):
            decorator = dataclass_decorator(node) if isinstance(node, ast.ClassDef) else None
            if decorator is None:
                continue
            given = decorator.keywords if isinstance(decorator, ast.Call) else []
            told = {word.arg for word in given if _is_true(word.value)}
            found += [
                Finding(source.path, decorator.lineno, f"dataclass without {promise}=True")
                for promise in sorted(wanted - told)
            ]
    return found


def _promises_of_dataclasses(source: Source) -> set[str]:
    if source.within(*NOUNS):
        return {"frozen", "slots"}
    return {"slots"} if source.within("monitor/core/") else set()


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def no_wait_for(tree: Tree) -> list[Finding]:
    """Python 3.11's `asyncio.wait_for` can swallow a cancellation: `asyncio.timeout` does not."""
    return [
        Finding(source.path, node.lineno, "asyncio.wait_for: use asyncio.timeout")
        for source in tree.sources
        for node in ast.walk(source.module)
        if (isinstance(node, ast.Attribute) and dotted(node) == "asyncio.wait_for")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "asyncio"
            and any(name.name == "wait_for" for name in node.names)
        )
    ]
