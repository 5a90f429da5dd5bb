"""The floors of HOUSE.md hold, and import-linter sees whatever breaks them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.floors import Contract, children, contracts, copy_tree, plants, put
from tests.house.tree import ROOT

CONTRACTS = contracts(ROOT)

PROMISED = {
    *("floors-of-the-monitor", "floors-of-the-dashboard", "dashboard-above-the-monitor"),
    *("core-is-pure", "adapters-are-strangers", "no-cycles", "only-reads-asks"),
    *("simulator-is-seen-by-the-cli", "simulator-sees-settings-and-core"),
    *("icmplib-has-a-room", "pysnmp-has-a-room", "influxdb-client-has-a-room"),
    *("sqlalchemy-has-a-room", "aiohttp-has-a-room", "apscheduler-has-a-room"),
    *("dash-has-a-room", "plotly-has-a-room", "pydantic-has-a-room", "click-has-a-room"),
    *("apprise-has-a-room", "holidays-has-a-room", "argon2-has-a-room"),
}

LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(root: Path, *options: str) -> tuple[int, str]:
    """What `lint-imports` says of the tree in `root`, and its exit code."""
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as run; run()",
            ),
            *("--no-cache", "--no-logo", *options),
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_floor_holds_in_our_tree(tmp_path: Path) -> None:
    status, said = lint(copy_tree(tmp_path / "tree"))
    assert (status, "0 broken" in said) == (0, True), said


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["id"])
def test_a_planted_violation_is_caught_by_name(contract: Contract, tmp_path: Path) -> None:
    """Whatever the contract forbids is planted, all of it, and each import is named."""
    root = copy_tree(tmp_path / "tree")
    planted = plants(contract, root)
    assert planted
    for plant in planted:
        put(plant, root)
    status, said = lint(root, "--contract", contract["id"])
    assert status == 1
    assert f"{contract['name']} BROKEN" in said
    assert [plant for plant in planted if plant.said not in said] == []


def test_the_house_has_every_promised_floor() -> None:
    assert {contract["id"] for contract in CONTRACTS} >= PROMISED


def test_every_library_has_a_room() -> None:
    """Each dependency of pyproject.toml has a contract on who may import it; the core may none."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {canonicalize_name(Requirement(text).name) for text in told["project"]["dependencies"]}
    housed = distributions_of(
        module
        for contract in CONTRACTS
        if contract["id"] != "core-is-pure"
        for module in contract.get("protected_modules", contract.get("forbidden_modules", []))
    )
    kept_out = distributions_of(
        module
        for contract in CONTRACTS
        if contract["id"] == "core-is-pure"
        for module in contract["forbidden_modules"]
    )
    assert wanted - housed == set()
    assert wanted - kept_out == set()


def distributions_of(modules: Iterable[str]) -> set[str]:
    """The installed distributions that bring these top-level modules."""
    known = packages_distributions()
    return {canonicalize_name(one) for module in modules for one in known.get(module, [])}


def test_no_room_is_forgotten_by_the_contract_on_plotly() -> None:
    """It lists the rooms that may not; together with those that may, these are all rooms."""
    (contract,) = (one for one in CONTRACTS if one["id"] == "plotly-has-a-room")
    listed = {*contract["source_modules"], "dashboard.figures", "dashboard.theme"}
    assert {"monitor", *children("dashboard", ROOT)} == listed
