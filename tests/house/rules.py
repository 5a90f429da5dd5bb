"""The rules of the house that import-linter and ruff cannot say; each finds what breaks it.

What happens while a module is imported is judged in `rules_of_import_time`, tests in
`rules_of_tests`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from tests.house.tree import Finding, Source, Tree, dataclass_decorator, dotted, name_of

Rule = Callable[[Tree], list[Finding]]

BOUNDARIES = ("monitor/adapters/scheduler.py", "monitor/alerting/delivery.py")
"""The job boundary and the dispatcher: there, and once in each, everything may be caught."""

NOUNS = (
    *("monitor/core/model.py", "monitor/core/samples/samples.py", "monitor/core/ports.py"),
    "monitor/settings/model.py",
)

READS_THE_WALL_CLOCK = (
    "monitor/adapters/system/clock.py",
    # the made-up network keeps a timeline of its own
    "monitor/simulator/engine.py",
    # commands that a person calls and that end at once: nothing steps under them
    *("monitor/cli/incidents.py", "monitor/cli/status.py"),
)

CORE_MAY_IMPORT = frozenset(
    {
        *(
            "__future__",
            "abc",
            "array",
            "base64",
            "binascii",
            "bisect",
            "collections",
            "dataclasses",
        ),
        *("datetime", "enum"),
        *(
            "functools",
            "hashlib",
            "heapq",
            "hmac",
            "ipaddress",
            "itertools",
            "json",
            "math",
            "operator",
            "re",
        ),
        *("statistics", "string", "types", "typing", "unicodedata"),
    }
)


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


def no_catch_all(tree: Tree) -> list[Finding]:
    """`except Exception` stands at the job boundary and in the dispatcher, once in each."""
    found = []
    for source in tree.sources:
        caught = [
            Finding(source.path, node.lineno, "catches everything")
            for node in ast.walk(source.module)
            if isinstance(node, ast.ExceptHandler)
            and _catches_everything(node.type)
            and not _raises_again(node)
        ]
        found += caught[1:] if source.within(*BOUNDARIES) else caught
    return found


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether it ends in a bare `raise`: that tidies up and hides nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


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


def core_imports_only_pure_things(tree: Tree) -> list[Finding]:
    """The contract `core-is-pure` lists what is forbidden; this lists what is allowed."""
    return [
        Finding(source.path, node.lineno, f"the core imports {name}")
        for source in tree.sources
        if source.within("monitor/core/")
        for node in ast.walk(source.module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
        if not f"{name}.".startswith("monitor.core.") and name.split(".")[0] not in CORE_MAY_IMPORT
    ]


def _imported(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module or "."]


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
