"""The repository as the house rules see it: its files, and its Python parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "dashboard")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `path` is relative to the repository, with `/`."""

    path: str
    text: str
    module: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        """Parse `text` as if it stood at `path`."""
        return cls(path, text, ast.parse(text))

    def within(self, *places: str) -> bool:
        """Whether the file is one of `places`, or lies in one that ends in `/`."""
        return any(
            self.path.startswith(place) if place.endswith("/") else self.path == place
            for place in places
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A line that breaks a rule, and how to say so."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Tree:
    """Python sources that are judged together."""

    sources: tuple[Source, ...]

    @classmethod
    def of(cls, *folders: str) -> Tree:
        """The sources under these folders of the repository."""
        return cls(
            tuple(
                Source.of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
                for folder in folders
                for path in sorted((ROOT / folder).rglob("*.py"))
            )
        )

    def frozen_names(self) -> frozenset[str]:
        """Names of the frozen dataclasses, enums and named tuples that the sources define."""
        return frozenset(
            node.name
            for source in self.sources
            for node in ast.walk(source.module)
            if isinstance(node, ast.ClassDef) and (is_frozen_dataclass(node) or _is_value(node))
        )


def is_frozen_dataclass(node: ast.ClassDef) -> bool:
    """Whether the class is decorated with `@dataclass(frozen=True, …)`."""
    return any(
        isinstance(decorator, ast.Call)
        and name_of(decorator.func) == "dataclass"
        and _says_true(decorator, "frozen")
        for decorator in node.decorator_list
    )


def dataclass_decorator(node: ast.ClassDef) -> ast.expr | None:
    """The `@dataclass` of a class, with or without arguments; None when it has none."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if name_of(called) == "dataclass":
            return decorator
    return None


def _says_true(call: ast.Call, keyword: str) -> bool:
    return any(
        given.arg == keyword and isinstance(given.value, ast.Constant) and given.value.value is True
        for given in call.keywords
    )


def _is_value(node: ast.ClassDef) -> bool:
    return any(
        name_of(base) in {"Enum", "StrEnum", "IntEnum", "IntFlag", "Flag", "NamedTuple"}
        for base in node.bases
    )


def name_of(node: ast.expr) -> str:
    """The last name of `a`, `a.b`, `a.b.c`; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return ""


def dotted(node: ast.expr) -> str:
    """`a.b.c` as it is written; empty when it is not a plain chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def repository_files() -> Iterator[Path]:
    """Every file that is in the repository, or would be with the next `git add`."""
    listed = subprocess.run(
        [
            *("git", "-c", "safe.directory=*", "-C", str(ROOT)),
            *("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in sorted(set(listed.split("\0")) - {""}):
        if (ROOT / name).is_file():
            yield ROOT / name
