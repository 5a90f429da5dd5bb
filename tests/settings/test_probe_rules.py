"""Which place gives a number, and numbers that do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model import ProbeRules
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    load_config,
    only_problem,
    short_text,
    write_config,
)

EVERY_KEY = """
interval_s = 2
confirm_interval_s = 0.5
confirm_s = 6
timeout_s = 1.5
rise = 4
window_s = 90
loss_pct = 10
rtt_ms = 60
record_s = 20
false_alarm = 1e-8
"""
EVERY_VALUE = ProbeRules(2.0, 0.5, 6.0, 1.5, 4, 90.0, 10.0, 60.0, 20.0, 1e-8)


def _rules(tmp_path: Path, monitor: str = "", kind: str = "fibre", own: str = "") -> ProbeRules:
    site = ANJATAN.replace("fibre", kind) + own
    found = load_config(write_config(tmp_path, monitor=MONITOR + monitor, sites={"anjatan": site}))
    assert found.settings is not None, found.errors
    return found.settings.network.sites[0].links[0].rules


@pytest.mark.parametrize(
    ("kind", "rtt_ms", "timeout_s"),
    [("fibre", 50.0, 1.0), ("radio", 80.0, 1.0), ("lte", 150.0, 1.0), ("vsat", 800.0, 3.0)],
)
def test_without_a_word_each_kind_has_its_built_in_limits(
    tmp_path: Path, kind: str, rtt_ms: float, timeout_s: float
) -> None:
    assert _rules(tmp_path, kind=kind) == ProbeRules(rtt_ms=rtt_ms, timeout_s=timeout_s)


def test_every_key_can_be_set_for_all(tmp_path: Path) -> None:
    assert _rules(tmp_path, "[ping]\n" + EVERY_KEY) == EVERY_VALUE


def test_every_key_can_be_set_on_a_link(tmp_path: Path) -> None:
    assert _rules(tmp_path, own=EVERY_KEY) == EVERY_VALUE


@pytest.mark.parametrize(
    ("monitor", "own", "rtt_ms"),
    [
        ("", "", 800.0),
        ("[ping]\nrtt_ms = 70\n", "", 800.0),
        ("[ping]\nrtt_ms = 70\n[ping.kinds.vsat]\nrtt_ms = 900\n", "", 900.0),
        ("[ping]\nrtt_ms = 70\n[ping.kinds.vsat]\nrtt_ms = 900\n", "rtt_ms = 950\n", 950.0),
        ("[ping]\nrtt_ms = 70\n[ping.kinds.radio]\nrtt_ms = 90\n", "", 800.0),
        ("[ping]\ntimeout_s = 2\n", "", 800.0),
        ("", "rtt_ms = 950\n", 950.0),
    ],
    ids=["built in", "ping", "kind", "link", "another kind", "another key", "link alone"],
)
def test_the_more_particular_place_wins(
    tmp_path: Path, monitor: str, own: str, rtt_ms: float
) -> None:
    assert _rules(tmp_path, monitor, "vsat", own).rtt_ms == rtt_ms


def test_a_node_has_no_kind_but_may_differ(tmp_path: Path) -> None:
    network = NETWORK + "rtt_ms = 40\n"
    monitor = MONITOR + "[ping]\nrise = 5\n[ping.kinds.fibre]\nrise = 7\n"
    found = load_config(write_config(tmp_path, monitor=monitor, network=network))
    assert found.settings is not None
    core, pop = found.settings.network.nodes
    (anchor,) = found.settings.network.anchors
    assert core.rules == anchor.rules == ProbeRules(rise=5)
    assert pop.rules == ProbeRules(rise=5, rtt_ms=40.0)


def test_a_confirm_interval_longer_than_the_interval_is_an_error_at_the_later_word(
    tmp_path: Path,
) -> None:
    config = write_config(
        tmp_path,
        monitor=MONITOR + "[ping]\nconfirm_interval_s = 0.5\n",
        sites={"anjatan": ANJATAN + "interval_s = 0.4\n"},
    )
    problem = only_problem(load_config(config).errors)
    assert problem.startswith(
        "anjatan.toml:9: interval_s = 0.4 does not go with confirm_interval_s = 0.5 "
        "(monitor.toml:6): "
    )
    assert " — write a confirm_interval_s that is not longer than interval_s" in problem


def test_a_contradiction_in_ping_is_said_once_not_for_every_target(tmp_path: Path) -> None:
    config = write_config(tmp_path, monitor=MONITOR + "[ping]\nconfirm_interval_s = 1.5\n")
    assert only_problem(load_config(config).errors).startswith(
        "monitor.toml:6: confirm_interval_s = 1.5 does not go with interval_s = 1 (built in): "
    )


def test_a_contradiction_in_a_kind_without_links_is_said_too(tmp_path: Path) -> None:
    config = write_config(tmp_path, monitor=MONITOR + "[ping.kinds.lte]\ninterval_s = 0.1\n")
    assert only_problem(load_config(config).errors).startswith(
        "monitor.toml:6: interval_s = 0.1 does not go"
    )


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("-1", "too small"),
        ("1e9", "too large"),
        ('"0.1"', "not a number"),
        ("true", "not a number"),
    ],
)
def test_nothing_more_is_said_of_a_number_that_is_wrong_anyway(
    tmp_path: Path, number: str, says: str
) -> None:
    ping = f"[ping]\ninterval_s = {number}\nconfirm_interval_s = 2\n"
    found = load_config(write_config(tmp_path, monitor=MONITOR + ping))
    assert says in only_problem(found.errors)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("ping", "says"),
    [
        ("interval_s = 20\n", "interval_s = 20 does not go with record_s = 10 (built in)"),
        ("window_s = 0.5\n", "window_s = 0.5 does not go with interval_s = 1 (built in)"),
        ("rtt_ms = 1000\n", "rtt_ms = 1000 does not go with timeout_s = 1 (built in)"),
    ],
)
def test_numbers_that_are_hardly_meant_are_warnings(tmp_path: Path, ping: str, says: str) -> None:
    found = load_config(write_config(tmp_path, monitor=MONITOR + "[ping]\n" + ping))
    assert found.settings is not None
    assert says in short_text(found.warnings[0])


@pytest.mark.parametrize(
    ("kind", "rtt_ms", "timeout_s"),
    [("fibre", 50.0, 1.0), ("lte", 150.0, 1.0), ("vsat", 800.0, 3.0)],
)
def test_the_example_of_the_contract_leaves_each_kind_its_own_limit(
    tmp_path: Path, kind: str, rtt_ms: float, timeout_s: float
) -> None:
    ping = "[ping]\ninterval_s = 1.0\ntimeout_s = 1.0\nrtt_ms = 50\n"
    assert _rules(tmp_path, ping, kind) == ProbeRules(rtt_ms=rtt_ms, timeout_s=timeout_s)
