"""What breaks each import-linter contract of pyproject.toml: imports, made up from the contract."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.house.tree import PACKAGES, ROOT

Contract = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plant:
    """A new module `importer` that imports `imported`; both by their full names.

    said: what the linter then prints.
    """

    importer: str
    imported: str
    said: str


def contracts(root: Path) -> list[Contract]:
    """The contracts of the pyproject.toml in `root`, in its order."""
    told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    listed: list[Contract] = told["tool"]["importlinter"]["contracts"]
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


def plants(contract: Contract, root: Path) -> list[Plant]:
    """Everything that this contract must catch, from what it says of itself."""
    found = {
        "layers": _against_layers,
        "forbidden": _against_forbidden,
        "protected": _against_protected,
        "independence": _against_independence,
        "acyclic_siblings": _against_acyclic,
    }[contract["type"]](contract, root)
    return list(found)


def put(plant: Plant, root: Path) -> None:
    """Write the violation into the copy: a line in a module, or a module in a package."""
    path = root.joinpath(*plant.importer.split("."))
    module = path.with_suffix(".py")
    with module.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {plant.imported}\n")


def _planted_in(room: str, number: int, root: Path) -> str:
    """The name of a module of `room`: a new one in a package, itself otherwise."""
    is_package = root.joinpath(*room.split(".")).is_dir()
    return f"{room}.planted_{number}" if is_package else room


def _direct(pairs: Iterable[tuple[str, str]], root: Path) -> Iterator[Plant]:
    for number, (room, imported) in enumerate(pairs):
        importer = _planted_in(room, number, root)
        yield Plant(importer, imported, f"{importer} -> {imported} (l.")


def _against_layers(contract: Contract, root: Path) -> Iterator[Plant]:
    """Each layer imports each one above it, and each of its own siblings."""
    prefix = "".join(f"{container}." for container in contract.get("containers", []))
    floors = [
        [
            prefix + name
            for raw in layer.split("|")
            if _exists(prefix + (name := raw.strip().strip("()")), root)
        ]
        for layer in contract["layers"]
    ]
    upwards = [
        (low, high)
        for index, floor in enumerate(floors)
        for low in floor
        for higher in floors[:index]
        for high in higher
    ]
    sideways = [
        (one, other) for floor in floors for one in floor for other in floor if one != other
    ]
    yield from _direct(upwards + sideways, root)
    if contract.get("exhaustive"):
        stranger = f"{prefix}planted_stranger"
        yield Plant(stranger, "math", f"- {stranger}\n")


def _against_forbidden(contract: Contract, root: Path) -> Iterator[Plant]:
    yield from _direct(
        (
            (source, forbidden)
            for source in contract["source_modules"]
            for forbidden in contract["forbidden_modules"]
        ),
        root,
    )


def _against_protected(contract: Contract, root: Path) -> Iterator[Plant]:
    """Every room that is not allowed in imports it."""
    closed = [*contract["allowed_importers"], *contract["protected_modules"]]
    yield from _direct(
        (
            (room, protected)
            for protected in contract["protected_modules"]
            for room in rooms(root)
            if not any(_overlap(room, one) for one in closed)
        ),
        root,
    )


def _against_independence(contract: Contract, root: Path) -> Iterator[Plant]:
    """Each one imports its neighbour, both ways."""
    modules = [
        name
        for expression in contract["modules"]
        for name in children(expression.removesuffix(".*"), root)
    ]
    yield from _direct(
        [pair for one, other in pairwise(modules) for pair in ((one, other), (other, one))], root
    )


def _against_acyclic(contract: Contract, root: Path) -> Iterator[Plant]:
    """In every package two new modules import each other."""
    for ancestor in contract["ancestors"]:
        for package in [ancestor, *packages_under(ancestor, root)]:
            one, other = f"{package}.planted_one", f"{package}.planted_other"
            said = f"No cycles are allowed in {package}."
            yield Plant(one, other, said)
            yield Plant(other, one, said)


def rooms(root: Path) -> list[str]:
    """The rooms of both packages; each adapter is one."""
    return [
        room
        for package in PACKAGES
        for child in children(package, root)
        for room in (children(child, root) if child == "monitor.adapters" else [child])
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
