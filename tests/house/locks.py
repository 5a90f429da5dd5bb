"""The lock files, read and held against pyproject.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*))?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Pin:
    """One library at one version; marker: for which machines, None: for all."""

    name: str
    version: str
    marker: str | None

    def applies_here(self) -> bool:
        """Whether this interpreter on this machine would install it."""
        return self.marker is None or Marker(self.marker).evaluate()


def read_lock(text: str) -> tuple[list[Pin], list[str]]:
    """The pins of a lock, and each entry of it that is no pin with hashes."""
    pins, strange = [], []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        found = PIN.match(pinned)
        if found is None or not hashes or not all(HASH.match(one) for one in hashes):
            strange.append(pinned)
            continue
        pins.append(Pin(canonicalize_name(found["name"]), found["version"], found["marker"]))
    return pins, strange


def unmet(pins: Iterable[Pin], asked: Iterable[str]) -> list[str]:
    """Which of the requirements `asked` no pin satisfies."""
    by_name = {pin.name: pin for pin in pins}
    missing = []
    for text in asked:
        requirement = Requirement(text)
        pin = by_name.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(pin.version, prereleases=True):
            missing.append(f"{text}: pinned is {pin.version if pin else 'nothing'}")
    return missing
