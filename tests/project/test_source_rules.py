"""Rules of the source code that ruff, mypy and import-linter cannot express."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.project.files import PACKAGES, ROOT

CONSTANT_MAKERS = {
    *("argument", "IntRange", "AfterValidator", "BeforeValidator", "fromkeys", "float", "resolve"),
    *("getLogger", "TypeVar", "ParamSpec", "NewType", "compile", "Struct", "frozenset"),
    *("tuple", "MappingProxyType", "range", "fields", "datetime", "timedelta", "Decimal"),
    *("ZoneInfo", "Path", "files", "ip_network", "ip_address", "ConfigDict", "Field"),
    *("Markup", "len", "max", "min", "sum", "round", "abs", "join", "encode", "fromhex"),
    *("maketrans", "itemgetter", "attrgetter", "MetaData", "Table", "Column"),
    *("ForeignKey", "Index", "Integer", "Float", "String", "Text"),
}
"""Calls allowed at module level: they make constants, loggers or SQLAlchemy tables."""
IMMUTABLE = {"tuple", "frozenset", "str", "bytes", "int", "float", "bool", "Pattern"}
VALUE_BASES = {"Enum", "StrEnum", "IntEnum", "IntFlag", "Flag", "NamedTuple"}

Modules = dict[str, ast.Module]


def parse(*folders: str) -> Modules:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@pytest.fixture(scope="module")
def source() -> Modules:
    return parse(*PACKAGES)


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name; that of the function, of a call or a subscript."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return getattr(node, "attr", getattr(node, "id", ""))


def is_immutable(node: ast.ClassDef) -> bool:
    """Whether it is an enum, a named tuple or a frozen dataclass."""
    return bool({name_of(base) for base in node.bases} & VALUE_BASES) or any(
        isinstance(each, ast.Call) and "frozen=True" in ast.unparse(each)
        for each in node.decorator_list
    )


def calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """Calls that are executed when the module is imported."""
    if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from calls_at_import(child)


def module_level_instances(modules: Modules) -> list[str]:
    nodes = [node for module in modules.values() for node in module.body]
    values = {n.name for n in nodes if isinstance(n, ast.ClassDef) and is_immutable(n)}
    allowed = CONSTANT_MAKERS | values
    allowed |= {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and node.returns is not None
        and name_of(node.returns) in IMMUTABLE | values
    }
    return [
        f"{path}:{call.lineno}: {ast.unparse(call.func)}()"
        for path, module in modules.items()
        for call in calls_at_import(module)
        if name_of(call) not in allowed
    ]


def test_importing_a_module_creates_only_constants(source: Modules) -> None:
    assert module_level_instances(source) == []


@pytest.mark.parametrize(
    "text",
    [
        "engine = Engine()",
        "POOL = {'a': [Worker()]}",
        "with open('x') as f: y = 1",
        "def build() -> dict[str, int]: ...\nSIZES = build()",
        "@dataclass(slots=True)\nclass A: ...\nDEFAULT = A()",
    ],
)
def test_an_instance_at_module_level_is_found(text: str) -> None:
    assert len(module_level_instances({"planted.py": ast.parse(text)})) == 1


def test_no_empty_container_at_module_level_waits_to_be_filled(source: Modules) -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, module in source.items()
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and ast.unparse(node.value) in {"[]", "{}", "set()", "dict()", "list()", "deque()"}
    ]
    assert found == []


def test_dataclasses_of_the_core_have_slots_and_its_model_is_frozen(source: Modules) -> None:
    found = [
        f"{path}:{node.lineno}: {node.name}"
        for path, module in source.items()
        if path.startswith("monitor/core/")
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if name_of(decorator) == "dataclass"
        and not (
            "slots=True" in ast.unparse(decorator)
            and (not path.endswith("/model.py") or "frozen=True" in ast.unparse(decorator))
        )
    ]
    assert found == []


def test_no_module_is_a_collection_of_helpers() -> None:
    names = {"utils", "util", "helpers", "helper", "misc", "base"}
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [path for path in paths if {*path.with_suffix("").parts[-3:]} & names] == []


def test_tests_wait_with_a_deadline_and_do_not_patch_our_modules() -> None:
    """`tests/waiting.py` waits; yielding to the event loop and 5 ms between inputs are allowed."""
    found = []
    for path, module in parse("tests").items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                first = ast.unparse(node.args[0]).strip("'\"") if node.args else ""
                sleeps = called == "asyncio.sleep" and first not in {"0", "0.005"}
                patches = called in {"monkeypatch.setattr", "monkeypatch.delattr"} and (
                    first.partition(".")[0] in PACKAGES
                )
                if patches or (sleeps and "/bench/" not in path):
                    found.append(f"{path}:{node.lineno}: {called}({first})")
    assert found == []


def test_every_public_class_of_monitor_has_its_own_name(source: Modules) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path, module in source.items():
        for node in module.body if path.startswith("monitor/") else ():
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path)
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
