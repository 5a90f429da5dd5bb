"""The import contracts hold, and import-linter finds planted violations of each."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.contract_violations import (
    Contract,
    children,
    contracts,
    copy_tree,
    plant,
    violations,
)
from tests.project.files import ROOT

CONTRACTS = contracts(ROOT)

REQUIRED = {
    *("monitor-layers", "dashboard-layers", "dashboard-above-monitor"),
    *("core-is-pure", "adapters-are-independent", "no-cycles", "dashboard-reads-only"),
    "simulator-imported-by-cli-only",
    "simulator-imports-settings-and-core-only",
    *("icmplib-package", "pysnmp-package", "influxdb-client-package"),
    *("sqlalchemy-package", "aiohttp-package", "apscheduler-package"),
    *("dash-package", "plotly-package", "pydantic-package", "click-package"),
    *("apprise-package", "holidays-package", "argon2-package"),
}


def groups() -> list[list[Contract]]:
    """The contracts that protect one library, whose messages differ, together; the others alone."""
    libraries = [each for each in CONTRACTS if each["id"].endswith("-package")]
    alike = [each for each in libraries if each["type"] == "protected"]
    return [alike, *([each] for each in CONTRACTS if each not in alike)]


def lint(root: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of `lint-imports` for the tree in `root`."""
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


def test_every_contract_holds(tmp_path: Path) -> None:
    status, output = lint(copy_tree(tmp_path / "tree"))
    assert (status, "0 broken" in output) == (0, True), output


@pytest.mark.parametrize("group", groups(), ids=lambda group: group[0]["id"])
def test_planted_violations_are_found(group: list[Contract], tmp_path: Path) -> None:
    """All kinds of violations are planted at once, and the linter names each import."""
    root = copy_tree(tmp_path / "tree")
    planted = [violations(contract, root) for contract in group]
    assert all(planted)
    for violation in chain(*planted):
        plant(violation, root)
    status, output = lint(root, *(f"--contract={contract['id']}" for contract in group))
    assert status == 1
    assert [contract for contract in group if f"{contract['name']} BROKEN" not in output] == []
    assert [each for each in chain(*planted) if each.message not in output] == []


def test_every_required_contract_exists() -> None:
    assert {contract["id"] for contract in CONTRACTS} >= REQUIRED


def test_every_library_has_a_contract() -> None:
    """Each dependency may be imported by named packages only, and never by the core."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {
        canonicalize_name(Requirement(text).name) for text in project["project"]["dependencies"]
    }
    restricted = distributions_of(
        module
        for contract in CONTRACTS
        if contract["id"] != "core-is-pure"
        for module in contract.get("protected_modules", contract.get("forbidden_modules", []))
    )
    banned_in_core = distributions_of(
        module
        for contract in CONTRACTS
        if contract["id"] == "core-is-pure"
        for module in contract["forbidden_modules"]
    )
    assert wanted - restricted == set()
    assert wanted - banned_in_core == set()


def distributions_of(modules: Iterable[str]) -> set[str]:
    """The installed distributions that bring these top-level modules."""
    known = packages_distributions()
    return {canonicalize_name(one) for module in modules for one in known.get(module, [])}


def test_the_contract_of_plotly_lists_every_other_package() -> None:
    """It lists the packages that may not import it, since two may."""
    (contract,) = (one for one in CONTRACTS if one["id"] == "plotly-package")
    listed = {*contract["source_modules"], "dashboard.figures", "dashboard.theme"}
    assert {"monitor", *children("dashboard", ROOT)} == listed
