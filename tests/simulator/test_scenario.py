"""Scenario files: which faults are active when, and the errors of invalid files."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.errors import SimulatorError
from monitor.settings import load, require_valid
from monitor.simulator.behaviour import ReplyMode, usual_behaviour
from monitor.simulator.fault_effects import combined_behaviour, faults_by_address
from monitor.simulator.network import SimulatedNetwork, simulate_network
from monitor.simulator.scenario import (
    ROUTER_FAULTS,
    Fault,
    FaultKind,
    Scenario,
    load_scenario,
    shipped_scenarios,
)

SHIPPED_CONFIG = Path(__file__).parents[2] / "config"

GOOD = """
about = "Two cuts."
[[event]]
at = 10
for = 5
what = "cut"
where = "anjatan/utama"
"""


def saved(tmp_path: Path, text: str) -> Path:
    """A scenario file."""
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def cut(at_s: float, for_s: float | None = None) -> Fault:
    """A cut of anjatan/utama."""
    return Fault(FaultKind.CUT, ("anjatan/utama",), at_s, for_s)


def in_force(scenario: Scenario, elapsed_s: float) -> list[float]:
    """Start times of the active faults."""
    return [one.since_s for one in scenario.active(elapsed_s)]


def test_a_fault_is_active_from_its_start_until_before_its_end() -> None:
    scenario = Scenario("x", "x", (cut(10, 5), cut(12)))
    assert [in_force(scenario, t) for t in (9.9, 10, 12, 14.9, 15, 1e6)] == [
        [],
        [10],
        [10, 12],
        [10, 12],
        [12],
        [12],
    ]


def test_the_next_change_is_the_next_start_or_end() -> None:
    scenario = Scenario("x", "x", (cut(10, 5), cut(12)))
    assert [scenario.next_change_s(t) for t in (0, 10, 12, 15)] == [10, 12, 15, None]


def test_each_repetition_of_a_scenario_has_faults_of_its_own() -> None:
    scenario = Scenario("x", "x", (cut(10, 5), cut(50)), repeat_s=60)
    assert [in_force(scenario, t) for t in (12, 55, 60, 72, 132)] == [[10], [50], [], [70], [130]]
    assert scenario.next_change_s(15) == 50
    assert scenario.next_change_s(55) == 60
    assert scenario.next_change_s(60) == 70
    keys = {one.key for t in (12, 72, 132) for one in scenario.active(t)}
    assert len(keys) == 3


def test_a_scenario_file_is_loaded(tmp_path: Path, net: SimulatedNetwork) -> None:
    scenario = load_scenario(saved(tmp_path, GOOD), net)
    assert scenario == Scenario("mine", "Two cuts.", (cut(10, 5),))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("about = ", "mine.toml is not valid TOML"),
        ("x = 1", "unknown key 'x'"),
        ("", 'a sentence is missing: add about = "what happens"'),
        ('about = "x"\n[event]\nwhat = "cut"', "with two brackets"),
        (GOOD + "[[event]]\nwhat = 'cut'", "mine.toml:8: cut needs where"),
        (GOOD.replace("anjatan/utama", "anjatan/utma"), "mine.toml:3: no target, site or node"),
        (GOOD.replace('"cut"', '"pop-down"'), "mine.toml:3: 'anjatan/utama' is no node"),
        (
            GOOD.replace('"cut"', '"reboot"').replace("anjatan/utama", "sukra"),
            "mine.toml:3: 'sukra' has no router",
        ),
        (
            GOOD.replace('"cut"', '"too-big"').replace("anjatan/utama", "sukra"),
            "mine.toml:3: 'sukra' has no router that is asked by SNMP: too-big needs one",
        ),
        (
            GOOD.replace('"cut"', '"unreachable"') + 'from = "intti"',
            "mine.toml:3: from = 'intti' is no target",
        ),
        ("repeat = 12" + GOOD, "repeat must not come before the end of the last event"),
        ("repeat = 0" + GOOD, "repeat must not come before the end of the last event"),
        ('repeat = "often"' + GOOD, "repeat = 'often': must be seconds"),
    ],
)
def test_an_invalid_file_is_refused_with_its_line(
    tmp_path: Path, net: SimulatedNetwork, text: str, sentence: str
) -> None:
    with pytest.raises(SimulatorError) as caught:
        load_scenario(saved(tmp_path, text), net)
    assert sentence in str(caught.value)


def test_an_unknown_scenario_is_refused_with_the_known_ones(net: SimulatedNetwork) -> None:
    with pytest.raises(SimulatorError, match="no scenario 'quite': use one of demo, flapping"):
        load_scenario("quite", net)


@pytest.fixture(scope="module")
def county() -> SimulatedNetwork:
    """The shipped configuration."""
    return simulate_network(require_valid(load(SHIPPED_CONFIG), strict=False).network)


def test_the_shipped_scenarios_contain_every_kind_of_fault() -> None:
    names = {"quiet", "link-cut", "pop-down", "lossy-radio", "flapping", "reboot", "uplink-cut"}
    assert set(shipped_scenarios()) == {*names, "demo", "router-trouble", "path-trouble"}


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_a_shipped_scenario_fits_the_shipped_configuration(
    county: SimulatedNetwork, name: str
) -> None:
    scenario = load_scenario(name, county)
    assert scenario.about == shipped_scenarios()[name]
    assert bool(scenario.faults) is (name != "quiet")


def test_router_trouble_contains_every_agent_fault_and_silences_no_link(
    county: SimulatedNetwork,
) -> None:
    trouble = load_scenario("router-trouble", county)
    assert {event.kind for event in trouble.faults} == set(ROUTER_FAULTS)
    only = [event for event in trouble.faults if event.kind is not FaultKind.REBOOT]
    quiet = Scenario("x", "x", tuple(only))
    assert not any(faults_by_address(county, quiet.active(t), t, {}) for t in range(0, 900, 10))


def disturbed_sites(county: SimulatedNetwork, scenario: Scenario, elapsed_s: float) -> set[str]:
    """Sites with a link that does not behave normally."""
    effects = faults_by_address(county, scenario.active(elapsed_s), elapsed_s, {})
    return {county.links[name].site for name in effects if name in county.links}


def test_the_demo_contains_every_common_fault_within_ten_minutes(
    county: SimulatedNetwork,
) -> None:
    demo = load_scenario("demo", county)
    assert demo.repeat_s == 600
    kinds = {event.kind for event in demo.faults}
    assert kinds >= {
        *(FaultKind.CUT, FaultKind.LOSS, FaultKind.DELAY, FaultKind.FLAP, FaultKind.REBOOT),
        *(FaultKind.POP_DOWN, FaultKind.UNREACHABLE, FaultKind.UPLINK_CUT),
    }
    counts = [len(disturbed_sites(county, demo, t)) for t in range(600)]
    assert counts[:120] == [0] * 120
    normal = 1 - sum(counts) / (600 * len(county.sites))
    assert normal > 0.9


def test_silence_in_the_demo_lasts_long_enough_to_be_confirmed(county: SimulatedNetwork) -> None:
    demo = load_scenario("demo", county)
    silences = [
        event.down_s if event.kind is FaultKind.FLAP else event.for_s
        for event in demo.faults
        if event.kind
        in (
            FaultKind.CUT,
            FaultKind.FLAP,
            FaultKind.POP_DOWN,
            FaultKind.REBOOT,
            FaultKind.UPLINK_CUT,
        )
    ]
    assert silences
    assert all(silence is not None and silence >= 10 for silence in silences)


def test_the_slow_radio_link_of_the_demo_exceeds_its_limit(county: SimulatedNetwork) -> None:
    demo = load_scenario("demo", county)
    (slow,) = [event for event in demo.faults if event.kind is FaultKind.DELAY]
    name = slow.where[0]
    usual = usual_behaviour(county.addresses[name].kind, name, 1)
    now = combined_behaviour(usual, [slow], None)
    assert now.mode is ReplyMode.ANSWERED
    assert usual.median_rtt_ms < county.links[name].rules.rtt_ms < now.median_rtt_ms
