"""What is installed is what was pinned, and what was pinned is what pyproject.toml asks for."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.locks import Pin, read_lock, unmet
from tests.house.tree import ROOT

RUN = ROOT / "deploy" / "requirements.lock"
TEST = ROOT / "deploy" / "requirements-test.lock"


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def asked_to_run() -> list[str]:
    told = project()
    return [*told["project"]["dependencies"], *told["build-system"]["requires"]]


def asked_to_test() -> list[str]:
    return [*asked_to_run(), *project()["project"]["optional-dependencies"]["test"]]


@pytest.fixture(scope="module")
def run_pins() -> list[Pin]:
    return read_lock(RUN.read_text("utf-8"))[0]


@pytest.fixture(scope="module")
def test_pins() -> list[Pin]:
    return read_lock(TEST.read_text("utf-8"))[0]


@pytest.mark.parametrize("lock", [RUN, TEST], ids=lambda lock: str(lock.name))
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: Any) -> None:
    pins, strange = read_lock(lock.read_text("utf-8"))
    assert strange == []
    assert len(pins) > 20


def test_the_locks_satisfy_every_bound(run_pins: list[Pin], test_pins: list[Pin]) -> None:
    assert unmet(run_pins, asked_to_run()) == []
    assert unmet(test_pins, asked_to_test()) == []


def test_every_dependency_is_bounded() -> None:
    """A dependency without a lower bound is one that nobody chose."""
    free = [
        text
        for text in project()["project"]["dependencies"]
        if not any(one.operator in {">=", "==", "~="} for one in Requirement(text).specifier)
    ]
    assert free == []


def test_tests_run_on_the_libraries_of_the_program(
    run_pins: list[Pin], test_pins: list[Pin]
) -> None:
    pinned_for_tests = {pin.name: pin.version for pin in test_pins}
    assert {pin.name: pin.version for pin in run_pins}.items() <= pinned_for_tests.items()


def test_what_is_installed_here_is_what_was_pinned(test_pins: list[Pin]) -> None:
    direct = {
        canonicalize_name(Requirement(text).name)
        for text in asked_to_test()
        if text not in project()["build-system"]["requires"]
    }
    here = [pin for pin in test_pins if pin.name in direct and pin.applies_here()]
    assert len(here) == len(direct)
    assert {pin.name: pin.version for pin in here} == {pin.name: version(pin.name) for pin in here}


HASHED = " \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.parametrize(
    "planted",
    [
        "--index-url https://example.test/simple\n",
        "six==1.17.0\n",
        "six>=1.17" + HASHED,
        "six @ https://example.test/six.whl" + HASHED,
        "six==1.17.0 \\\n    --hash=md5:0\n",
    ],
)
def test_an_entry_that_is_no_pin_is_seen(planted: str) -> None:
    pins, strange = read_lock("idna==3.1" + HASHED + planted + "zipp==4.1" + HASHED)
    assert [pin.name for pin in pins] == ["idna", "zipp"]
    assert len(strange) == 1


def test_a_pin_that_is_absent_or_out_of_bounds_is_seen() -> None:
    pins, _ = read_lock("Idna==3.1" + HASHED + "zipp==4.1 ; sys_platform == 'win32'" + HASHED)
    assert [pin.applies_here() for pin in pins] == [True, False]
    assert unmet(pins, ["idna>=3,<4", "zipp>=4"]) == []
    assert unmet(pins, ["idna>=4"]) == ["idna>=4: pinned is 3.1"]
    assert unmet(pins, ["six"]) == ["six: pinned is nothing"]
