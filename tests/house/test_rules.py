"""Each rule holds on the tree as it is, and sees a violation that is planted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.house import rules, rules_of_tests
from tests.house import rules_of_import_time as at_import
from tests.house.rules import Rule
from tests.house.tree import PACKAGES, Source, Tree

IN_THE_CORE = "monitor/core/planted.py"
IN_THE_CLI = "monitor/cli/planted.py"
IN_THE_LEDGER = "monitor/adapters/ledger/tables.py"
IN_THE_TESTS = "tests/core/test_planted.py"
AT_THE_BOUNDARY = "monitor/adapters/scheduler.py"

CAUGHT: list[tuple[Rule, str, str]] = [
    (rules.no_import_inside, IN_THE_CLI, "def f():\n    import json\n"),
    (rules.no_import_inside, IN_THE_CLI, "class A:\n    from json import loads\n"),
    (rules.no_import_inside, IN_THE_CLI, "try:\n    import json\nexcept ImportError:\n    pass\n"),
    (rules.no_type_checking_detour, IN_THE_CORE, "from typing import TYPE_CHECKING\n"),
    (rules.no_type_checking_detour, IN_THE_CORE, "import typing\nif typing.TYPE_CHECKING: ...\n"),
    (at_import.no_module_level_instance, IN_THE_CLI, "engine = Engine()\n"),
    (at_import.no_module_level_instance, IN_THE_CLI, "register(page)\n"),
    (at_import.no_module_level_instance, IN_THE_CLI, "POOL = {'a': [Worker()]}\n"),
    (
        at_import.no_module_level_instance,
        IN_THE_CLI,
        "with open('x') as f:\n    y = 1\n",
    ),
    (at_import.no_module_level_instance, IN_THE_CLI, "metadata = MetaData()\n"),
    (
        at_import.no_module_level_instance,
        IN_THE_CLI,
        "@dataclass(slots=True)\nclass A: ...\nDEFAULT = A()\n",
    ),
    (
        at_import.no_module_level_instance,
        IN_THE_CLI,
        "def build() -> dict[str, int]: ...\nSIZES = build()\n",
    ),
    (
        at_import.no_module_level_state,
        IN_THE_CLI,
        "def f():\n    global seen\n    seen = 1\n",
    ),
    (at_import.no_module_level_state, IN_THE_CLI, "cache: dict[str, int] = {}\n"),
    (at_import.no_module_level_state, IN_THE_CLI, "seen = set()\n"),
    (rules.no_drawer_for_everything, "monitor/utils.py", ""),
    (rules.no_drawer_for_everything, "monitor/core/helpers/text.py", ""),
    (rules.no_drawer_for_everything, "dashboard/map_utils.py", ""),
    (rules.no_drawer_for_everything, IN_THE_CLI, "class BaseCommand: ...\n"),
    (rules.no_drawer_for_everything, IN_THE_CLI, "class ClockSingleton: ...\n"),
    (rules.no_catch_all, IN_THE_CLI, "try:\n    f()\nexcept Exception:\n    pass\n"),
    (rules.no_catch_all, IN_THE_CLI, "try:\n    f()\nexcept (OSError, BaseException):\n    ...\n"),
    (rules.no_catch_all, IN_THE_CLI, "try:\n    f()\nexcept:\n    pass\n"),
    (
        rules.no_catch_all,
        IN_THE_CLI,
        "try:\n    f()\nexcept Exception as e:\n    raise OSError from e\n",
    ),
    (
        rules.no_catch_all,
        AT_THE_BOUNDARY,
        "try:\n    f()\nexcept Exception:\n    pass\n" * 2,
    ),
    (rules.no_wall_clock, IN_THE_CORE, "from datetime import datetime\nx = datetime.now()\n"),
    (rules.no_wall_clock, IN_THE_CLI, "import datetime\nx = datetime.datetime.utcnow()\n"),
    (rules.no_wall_clock, IN_THE_CLI, "import time\nclock = time.time\n"),
    (rules.no_wall_clock, IN_THE_CLI, "from time import time_ns\n"),
    (rules.everything_public_is_explained, IN_THE_CORE, '"""A room."""\ndef f(): ...\n'),
    (rules.everything_public_is_explained, IN_THE_CORE, '"""A room."""\nclass A: ...\n'),
    (rules.everything_public_is_explained, IN_THE_CLI, "x = 1\n"),
    (rules.values_are_frozen, "monitor/core/model.py", "@dataclass(slots=True)\nclass A: ...\n"),
    (rules.values_are_frozen, "monitor/core/ports.py", "@dataclass(frozen=True)\nclass A: ...\n"),
    (rules.values_are_frozen, "monitor/settings/model.py", "@dataclass\nclass A: ...\n"),
    (rules.values_are_frozen, IN_THE_CORE, "@dataclass\nclass A: ...\n"),
    (rules.core_imports_only_pure_things, IN_THE_CORE, "from pickle import loads\n"),
    (rules.core_imports_only_pure_things, IN_THE_CORE, "import numpy.random\n"),
    (rules.core_imports_only_pure_things, IN_THE_CORE, "from monitor.settings import model\n"),
    (rules.no_wait_for, IN_THE_CLI, "import asyncio\nx = asyncio.wait_for\n"),
    (rules.no_wait_for, IN_THE_CLI, "from asyncio import wait_for\n"),
    (rules_of_tests.no_skip, IN_THE_TESTS, "import pytest\npytest.skip('no snmpd')\n"),
    (rules_of_tests.no_skip, IN_THE_TESTS, "@pytest.mark.skipif(True)\ndef test_a(): ...\n"),
    (rules_of_tests.no_skip, IN_THE_TESTS, "dash = pytest.importorskip('dash')\n"),
    (rules_of_tests.no_patch_of_ours, IN_THE_TESTS, "with patch('monitor.api.x'): ...\n"),
    (
        rules_of_tests.no_patch_of_ours,
        IN_THE_TESTS,
        "def test_a(monkeypatch):\n    monkeypatch.setattr(monitor.api, 'x', 1)\n",
    ),
    (
        rules_of_tests.no_patch_of_ours,
        IN_THE_TESTS,
        "def test_a(monkeypatch):\n    monkeypatch.setattr('dashboard.reads.x', 1)\n",
    ),
    (rules_of_tests.no_sleep, IN_THE_TESTS, "import time\ntime.sleep(1)\n"),
    (rules_of_tests.no_sleep, IN_THE_TESTS, "async def f():\n    await asyncio.sleep(1)\n"),
]

ALLOWED: list[tuple[Rule, str, str]] = [
    (rules_of_tests.no_sleep, IN_THE_TESTS, "async def f():\n    await asyncio.sleep(0)\n"),
    (
        at_import.no_module_level_instance,
        IN_THE_CLI,
        "log = logging.getLogger(__name__)\n",
    ),
    (at_import.no_module_level_instance, IN_THE_CLI, "f = lambda: Engine()\n"),
    (at_import.no_module_level_instance, IN_THE_LEDGER, "metadata = MetaData()\n"),
    (
        at_import.no_module_level_instance,
        IN_THE_CLI,
        "@click.command()\ndef run(): ...\n",
    ),
    (
        at_import.no_module_level_instance,
        IN_THE_CORE,
        "def sizes() -> tuple[int, ...]: ...\nSIZES = sizes()\n",
    ),
    (rules.no_drawer_for_everything, IN_THE_CLI, "class Baseline: ...\n"),
    (
        at_import.no_module_level_instance,
        "monitor/__main__.py",
        "if __name__ == '__main__':\n    sys.exit(main())\n",
    ),
    (
        at_import.no_module_level_instance,
        IN_THE_CORE,
        "@dataclass(frozen=True, slots=True)\nclass A: ...\nDEFAULT = A()\n",
    ),
    (rules.no_catch_all, AT_THE_BOUNDARY, "try:\n    f()\nexcept Exception:\n    pass\n"),
    (rules.no_catch_all, IN_THE_CLI, "try:\n    f()\nexcept BaseException:\n    g()\n    raise\n"),
    (rules.no_wall_clock, "monitor/adapters/system/clock.py", "import time\nx = time.time()\n"),
    (rules.no_wall_clock, IN_THE_CLI, "import time\nx = time.monotonic()\n"),
    (rules.core_imports_only_pure_things, IN_THE_CORE, "from monitor.core import model\n"),
    (rules.core_imports_only_pure_things, IN_THE_CORE, "from collections.abc import Set\n"),
    (rules.core_imports_only_pure_things, IN_THE_CLI, "import json\n"),
    (rules.values_are_frozen, IN_THE_CORE, "@dataclass(slots=True)\nclass A: ...\n"),
]


def rules_in(kinds: list[tuple[Rule, str, str]]) -> list[Rule]:
    """Each rule once, in the order in which they first stand."""
    return list(dict.fromkeys(rule for rule, _, _ in kinds))


@pytest.fixture(scope="module")
def ours() -> Mapping[str, Tree]:
    """Our tree as it is, parsed once for all rules: parsing takes longer than they do."""
    return {"packages": Tree.of(*PACKAGES), "tests": Tree.of("tests")}


@pytest.mark.parametrize("rule", rules_in(CAUGHT), ids=lambda rule: rule.__name__)
def test_the_rule_holds_in_our_tree(rule: Rule, ours: Mapping[str, Tree]) -> None:
    tree = ours["tests" if rule.__module__.endswith("rules_of_tests") else "packages"]
    assert tree.sources
    assert "\n".join(str(finding) for finding in rule(tree)) == ""


@pytest.mark.parametrize(
    ("rule", "path", "text"), CAUGHT, ids=[f"{rule.__name__}-{text}" for rule, _, text in CAUGHT]
)
def test_the_rule_sees_a_planted_violation(rule: Rule, path: str, text: str) -> None:
    findings = rule(Tree((Source.of(path, text),)))
    assert {finding.path for finding in findings} == {path}


@pytest.mark.parametrize(
    ("rule", "path", "text"), ALLOWED, ids=[f"{rule.__name__}-{text}" for rule, _, text in ALLOWED]
)
def test_the_rule_leaves_in_peace_what_it_should(rule: Rule, path: str, text: str) -> None:
    assert rule(Tree((Source.of(path, text),))) == []


def test_every_rule_that_is_written_is_tried() -> None:
    """A rule that nobody plants a violation for is a rule that nobody keeps."""
    written = {
        found
        for room in (rules, at_import, rules_of_tests)
        for name, found in vars(room).items()
        if callable(found)
        and getattr(found, "__module__", "") == room.__name__
        and not name.startswith("_")
    }
    assert written == set(rules_in(CAUGHT))
