"""Precedence of probe rules. Contradictions between them: problems.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model import ProbeRules
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    NETWORK,
    load_valid,
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
    found = load_valid(write_config(tmp_path, monitor=MONITOR + monitor, sites={"anjatan": site}))
    return found.network.sites[0].links[0].rules


@pytest.mark.parametrize(
    ("kind", "rtt_ms", "timeout_s"),
    [("fibre", 50.0, 1.0), ("radio", 80.0, 1.0), ("lte", 150.0, 1.0), ("vsat", 800.0, 3.0)],
)
def test_each_kind_has_its_built_in_limits_by_default(
    tmp_path: Path, kind: str, rtt_ms: float, timeout_s: float
) -> None:
    assert _rules(tmp_path, kind=kind) == ProbeRules(rtt_ms=rtt_ms, timeout_s=timeout_s)


def test_every_key_can_be_set_in_ping(tmp_path: Path) -> None:
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
def test_the_more_specific_place_takes_precedence(
    tmp_path: Path, monitor: str, own: str, rtt_ms: float
) -> None:
    assert _rules(tmp_path, monitor, "vsat", own).rtt_ms == rtt_ms


def test_a_node_has_no_kind_but_may_have_rules_of_its_own(tmp_path: Path) -> None:
    network = NETWORK + "rtt_ms = 40\n"
    monitor = MONITOR + "[ping]\nrise = 5\n[ping.kinds.fibre]\nrise = 7\n"
    found = load_valid(write_config(tmp_path, monitor=monitor, network=network))
    core, pop = found.network.nodes
    (anchor,) = found.network.anchors
    assert core.rules == anchor.rules == ProbeRules(rise=5)
    assert pop.rules == ProbeRules(rise=5, rtt_ms=40.0)


@pytest.mark.parametrize(
    ("kind", "rtt_ms", "timeout_s"),
    [("fibre", 50.0, 1.0), ("lte", 150.0, 1.0), ("vsat", 800.0, 3.0)],
)
def test_limits_in_ping_do_not_replace_those_of_a_kind(
    tmp_path: Path, kind: str, rtt_ms: float, timeout_s: float
) -> None:
    ping = "[ping]\ninterval_s = 1.0\ntimeout_s = 1.0\nrtt_ms = 50\n"
    assert _rules(tmp_path, ping, kind) == ProbeRules(rtt_ms=rtt_ms, timeout_s=timeout_s)
