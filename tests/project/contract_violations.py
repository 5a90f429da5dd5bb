"""Generate imports that violate each import-linter contract of pyproject.toml."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.project.files import PACKAGES, ROOT

Contract = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """A module `importer` that imports `imported`; both by their full names.

    message: what the linter prints about it.
    """

    importer: str
    imported: str
    message: str


def contracts(root: Path) -> list[Contract]:
    """The contracts of the pyproject.toml in `root`, in its order."""
    document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    listed: list[Contract] = document["tool"]["importlinter"]["contracts"]
    return listed


def copy_tree(into: Path) -> Path:
    """A copy of what the linter reads; `into` is made."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, into / package, ignore=_all_but_python)
    shutil.copy(ROOT / "pyproject.toml", into)
    return into


def _all_but_python(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name == "__pycache__" or not ((Path(folder) / name).is_dir() or name.endswith(".py"))
    }


def violations(contract: Contract, root: Path) -> list[Violation]:
    """Every kind of violation of a contract, derived from its definition."""
    found = {
        "layers": _against_layers,
        "forbidden": _against_forbidden,
        "protected": _against_protected,
        "independence": _against_independence,
        "acyclic_siblings": _against_acyclic,
    }[contract["type"]](contract, root)
    return list(found)


def plant(violation: Violation, root: Path) -> None:
    """Append the import to a module of the copy, or create the module."""
    path = root.joinpath(*violation.importer.split("."))
    module = path.with_suffix(".py")
    with module.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {violation.imported}\n")


def _importer(package: str, number: int, root: Path) -> str:
    """A new module in a package; a module itself."""
    is_package = root.joinpath(*package.split(".")).is_dir()
    return f"{package}.planted_{number}" if is_package else package


def _direct(pairs: Iterable[tuple[str, str]], root: Path) -> Iterator[Violation]:
    for number, (package, imported) in enumerate(pairs):
        importer = _importer(package, number, root)
        yield Violation(importer, imported, f"{importer} -> {imported} (l.")


def _against_layers(contract: Contract, root: Path) -> Iterator[Violation]:
    """Each layer imports each one above it, and each of its own siblings."""
    prefix = "".join(f"{container}." for container in contract.get("containers", []))
    layers = [
        [
            prefix + name
            for raw in row.split("|")
            if _exists(prefix + (name := raw.strip().strip("()")), root)
        ]
        for row in contract["layers"]
    ]
    upwards = [
        (low, high)
        for index, layer in enumerate(layers)
        for low in layer
        for higher in layers[:index]
        for high in higher
    ]
    sideways = [
        (one, other) for layer in layers for one in layer for other in layer if one != other
    ]
    yield from _direct(upwards + sideways, root)
    if contract.get("exhaustive"):
        unlisted = f"{prefix}planted_unlisted"
        yield Violation(unlisted, "math", f"- {unlisted}\n")


def _against_forbidden(contract: Contract, root: Path) -> Iterator[Violation]:
    yield from _direct(
        (
            (source, forbidden)
            for source in contract["source_modules"]
            for forbidden in contract["forbidden_modules"]
        ),
        root,
    )


def _against_protected(contract: Contract, root: Path) -> Iterator[Violation]:
    """Every package that is not allowed imports the protected one."""
    allowed = [*contract["allowed_importers"], *contract["protected_modules"]]
    yield from _direct(
        (
            (package, protected)
            for protected in contract["protected_modules"]
            for package in packages(root)
            if not any(_overlap(package, one) for one in allowed)
        ),
        root,
    )


def _against_independence(contract: Contract, root: Path) -> Iterator[Violation]:
    """Each one imports the next, both ways."""
    modules = [
        name
        for expression in contract["modules"]
        for name in children(expression.removesuffix(".*"), root)
    ]
    yield from _direct(
        [pair for one, other in pairwise(modules) for pair in ((one, other), (other, one))], root
    )


def _against_acyclic(contract: Contract, root: Path) -> Iterator[Violation]:
    """In every package two new modules import each other."""
    for ancestor in contract["ancestors"]:
        for package in [ancestor, *packages_under(ancestor, root)]:
            one, other = f"{package}.planted_one", f"{package}.planted_other"
            message = f"No cycles are allowed in {package}."
            yield Violation(one, other, message)
            yield Violation(other, one, message)


def packages(root: Path) -> list[str]:
    """The packages directly in monitor and dashboard; each adapter counts as one."""
    return [
        name
        for package in PACKAGES
        for child in children(package, root)
        for name in (children(child, root) if child == "monitor.adapters" else [child])
    ]


def children(package: str, root: Path) -> list[str]:
    """Modules and packages directly in `package`."""
    folder = root.joinpath(*package.split("."))
    return sorted(
        f"{package}.{path.stem}"
        for path in folder.iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    )


def packages_under(package: str, root: Path) -> Iterator[str]:
    """Every package below `package`."""
    for child in children(package, root):
        if root.joinpath(*child.split(".")).is_dir():
            yield child
            yield from packages_under(child, root)


def _exists(name: str, root: Path) -> bool:
    path = root.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
