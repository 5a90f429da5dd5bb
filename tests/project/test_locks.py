"""The lock files pin what pyproject.toml requires, and what is pinned is installed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.files import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN_REQUIREMENTS = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
TEST_REQUIREMENTS = [*RUN_REQUIREMENTS, *PROJECT["project"]["optional-dependencies"]["test"]]

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*))?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Pin:
    """One library at one version. marker: the machines it is for; None: all."""

    name: str
    version: str
    marker: str | None

    def applies_here(self) -> bool:
        return self.marker is None or Marker(self.marker).evaluate()


def read_lock(text: str) -> tuple[list[Pin], list[str]]:
    """The pins of a lock file, and the entries that are no pin with hashes."""
    pins, invalid = [], []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pinned, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        found = PIN.match(pinned)
        if found is None or not hashes or not all(HASH.match(one) for one in hashes):
            invalid.append(pinned)
            continue
        pins.append(Pin(canonicalize_name(found["name"]), found["version"], found["marker"]))
    return pins, invalid


def unmet(pins: Iterable[Pin], requirements: Iterable[str]) -> list[str]:
    """The requirements that no pin satisfies."""
    by_name = {pin.name: pin for pin in pins}
    missing = []
    for text in requirements:
        requirement = Requirement(text)
        pin = by_name.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(pin.version, prereleases=True):
            missing.append(f"{text}: pinned is {pin.version if pin else 'nothing'}")
    return missing


def pins_of(name: str) -> list[Pin]:
    pins, invalid = read_lock((ROOT / "deploy" / name).read_text("utf-8"))
    assert invalid == []
    assert len(pins) > 20
    return pins


def test_the_locks_satisfy_every_bound_and_agree() -> None:
    run, test = pins_of("requirements.lock"), pins_of("requirements-test.lock")
    assert unmet(run, RUN_REQUIREMENTS) == []
    assert unmet(test, TEST_REQUIREMENTS) == []
    assert {(pin.name, pin.version) for pin in run} <= {(pin.name, pin.version) for pin in test}


def test_every_dependency_has_a_lower_bound() -> None:
    assert [
        text
        for text in PROJECT["project"]["dependencies"]
        if not any(one.operator in {">=", "==", "~="} for one in Requirement(text).specifier)
    ] == []


def test_the_installed_versions_are_the_pinned_ones() -> None:
    direct = {
        canonicalize_name(Requirement(text).name)
        for text in TEST_REQUIREMENTS
        if text not in PROJECT["build-system"]["requires"]
    }
    pins = pins_of("requirements-test.lock")
    here = {pin.name: pin.version for pin in pins if pin.name in direct and pin.applies_here()}
    assert here == {name: version(name) for name in direct}


HASHED = " \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize(
    "entry",
    [
        "--index-url https://example.test/simple\n",
        "six==1.17.0\n",
        "six>=1.17" + HASHED,
        "six @ https://example.test/six.whl" + HASHED,
        "six==1.17.0 \\\n    --hash=md5:0\n",
    ],
)
def test_an_entry_without_pin_or_hash_is_found(entry: str) -> None:
    pins, invalid = read_lock("idna==3.1" + HASHED + entry + "zipp==4.1" + HASHED)
    assert [pin.name for pin in pins] == ["idna", "zipp"]
    assert len(invalid) == 1


def test_an_absent_pin_and_one_out_of_bounds_are_found() -> None:
    pins, _ = read_lock("Idna==3.1" + HASHED + "zipp==4.1 ; sys_platform == 'win32'" + HASHED)
    assert [pin.applies_here() for pin in pins] == [True, False]
    assert unmet(pins, ["idna>=3,<4", "zipp>=4"]) == []
    assert unmet(pins, ["idna>=4"]) == ["idna>=4: pinned is 3.1"]
    assert unmet(pins, ["six"]) == ["six: pinned is nothing"]
