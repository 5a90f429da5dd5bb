"""Suspected causes, each with the evidence that it rests on."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.detection.causes import (
    PortObservation,
    RouterObservation,
    SuspectedCauses,
    distance_km,
)
from monitor.core.model import Decision, Incident, IncidentChange, Network, Site
from tests.core.detection.scenario import T0, Scenario, network, silent_between

AT = {"a": (-6.40, 108.20), "b": (-6.42, 108.22), "far": (-6.40, 108.50)}


def placed(net: Network, providers: dict[str, str]) -> Network:
    sites: list[Site] = []
    for site in net.sites:
        lat, lon = AT[site.id]
        links = tuple(replace(link, provider=providers.get(link.name)) for link in site.links)
        sites.append(replace(site, lat=lat, lon=lon, links=links))
    return replace(net, sites=tuple(sites))


def follow(scenario: Scenario, causes: SuspectedCauses, until: float) -> list[Decision]:
    start = len(scenario.decisions)
    scenario.run(until)
    return causes.follow(scenario.detector, scenario.decisions[start:])


def updated(decisions: list[Decision]) -> list[Incident]:
    return [d.incident for d in decisions if isinstance(d, IncidentChange)]


def outage() -> tuple[Scenario, SuspectedCauses]:
    net = placed(network({"a/utama": (), "a/cadangan": ()}), {})
    scenario = Scenario(net)
    scenario["a/utama"] = silent_between((60.0, 120.0))
    return scenario, SuspectedCauses(net)


def test_a_router_that_restarted_suggests_a_power_cut() -> None:
    scenario, causes = outage()
    assert follow(scenario, causes, 130) == []
    (incident,) = updated(
        causes.router_seen(scenario.detector, RouterObservation("a", T0 + 150, 40.0))
    )
    assert incident.suspected_cause == "power"
    assert incident.evidence.router_uptime_s == 40.0
    assert incident.ended_s is not None


def test_a_router_that_never_stopped_suggests_the_link() -> None:
    scenario, causes = outage()
    follow(scenario, causes, 130)
    (incident,) = updated(
        causes.router_seen(scenario.detector, RouterObservation("a", T0 + 150, 90_000.0))
    )
    assert incident.suspected_cause == "link"
    assert causes.router_seen(scenario.detector, RouterObservation("a", T0 + 210, 90_060.0)) == []


def test_a_port_that_is_down_while_the_other_link_answers_suggests_the_link() -> None:
    scenario, causes = outage()
    follow(scenario, causes, 100)
    seen = RouterObservation("a", T0 + 100, 9e4, {"a/utama": PortObservation(oper=2)})
    (incident,) = updated(causes.router_seen(scenario.detector, seen))
    assert (incident.suspected_cause, incident.evidence.port_oper) == ("link", 2)
    assert scenario.detector.healths["a/utama"].incident == incident


def test_near_sites_on_different_providers_that_fall_together_suggest_a_power_cut() -> None:
    net = placed(
        network({"a/utama": (), "b/utama": (), "far/utama": ()}),
        {"a/utama": "P", "b/utama": "Q", "far/utama": "R"},
    )
    scenario, causes = Scenario(net), SuspectedCauses(net)
    for name in ("a/utama", "b/utama", "far/utama"):
        scenario[name] = silent_between((60.0, 300.0))
    incidents = {i.target: i for i in updated(follow(scenario, causes, 100))}
    assert set(incidents) == {"a/utama", "b/utama"}
    assert incidents["a/utama"].suspected_cause == "power"
    assert incidents["a/utama"].evidence.near_sites == ("b",)
    assert distance_km(net.sites[0], net.sites[2]) > 30


def test_near_sites_of_one_provider_suggest_nothing() -> None:
    net = placed(network({"a/utama": (), "b/utama": ()}), {"a/utama": "P", "b/utama": "P"})
    scenario, causes = Scenario(net), SuspectedCauses(net)
    for name in ("a/utama", "b/utama"):
        scenario[name] = silent_between((60.0, 300.0))
    assert follow(scenario, causes, 100) == []


def test_a_full_interface_while_degraded_suggests_congestion() -> None:
    net = placed(network({"a/utama": ()}), {})
    scenario, causes = Scenario(net), SuspectedCauses(net)
    scenario["a/utama"] = lambda t: 200.0 if t > 60 else 10.0
    follow(scenario, causes, 130)
    seen = RouterObservation(
        "a", T0 + 130, 9e4, {"a/utama": PortObservation(oper=1, utilisation=0.97)}
    )
    (incident,) = updated(causes.router_seen(scenario.detector, seen))
    assert (incident.suspected_cause, incident.evidence.utilisation) == ("congestion", 0.97)


def test_an_outage_whose_node_falls_too_is_suspected_to_come_from_above() -> None:
    net = placed(network({"a/utama": ("pop",)}, {"pop": ()}), {})
    scenario, causes = Scenario(net), SuspectedCauses(net)
    scenario["a/utama"] = silent_between((60.0, 300.0))
    scenario["pop"] = silent_between((120.0, 300.0))
    (incident,) = updated(follow(scenario, causes, 160))
    assert incident.suspected_cause == "upstream"
    assert incident.parent is not None


def fell_together(where: tuple[float, float], seconds_apart: float) -> set[str]:
    """Links suspected of a power cut when a site there falls that long after site a."""
    net = placed(network({"a/utama": (), "b/utama": ()}), {"a/utama": "P", "b/utama": "Q"})
    net = replace(net, sites=(net.sites[0], replace(net.sites[1], lat=where[0], lon=where[1])))
    scenario, causes = Scenario(net), SuspectedCauses(net)
    scenario["a/utama"] = silent_between((60.0, 500.0))
    scenario["b/utama"] = silent_between((60.0 + seconds_apart, 500.0))
    return {i.target for i in updated(follow(scenario, causes, 300))}


def test_sites_within_ten_kilometres_that_fall_within_two_minutes_fall_together() -> None:
    both = {"a/utama", "b/utama"}
    assert fell_together((-6.40, 108.28), 100.0) == both  # 8.8 km
    assert fell_together((-6.40, 108.30), 10.0) == set()  # 11 km
    assert fell_together((-6.40, 108.28), 125.0) == set()


def test_a_router_whose_agent_started_shortly_before_the_first_lost_request_restarted() -> None:
    for booted, cause in ((40.0, "power"), (20.0, "link")):
        scenario, causes = outage()
        follow(scenario, causes, 130)
        seen = RouterObservation("a", T0 + 150, 150.0 - booted)
        (incident,) = updated(causes.router_seen(scenario.detector, seen))
        assert incident.suspected_cause == cause


def test_a_port_that_is_down_while_no_link_of_the_site_answers_suggests_nothing() -> None:
    scenario, causes = outage()
    scenario["a/cadangan"] = silent_between((60.0, 120.0))
    follow(scenario, causes, 100)
    seen = RouterObservation("a", T0 + 100, 9e4, {"a/utama": PortObservation(oper=2)})
    assert causes.router_seen(scenario.detector, seen) == []


def test_an_interface_that_is_used_at_80_percent_suggests_nothing() -> None:
    net = placed(network({"a/utama": ()}), {})
    scenario, causes = Scenario(net), SuspectedCauses(net)
    scenario["a/utama"] = lambda t: 200.0 if t > 60 else 10.0
    follow(scenario, causes, 130)
    seen = RouterObservation(
        "a", T0 + 130, 9e4, {"a/utama": PortObservation(oper=1, utilisation=0.8)}
    )
    assert causes.router_seen(scenario.detector, seen) == []
