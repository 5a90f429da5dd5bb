"""Suspected causes, each with the evidence that it rests on."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.causes import Causes, PortSeen, RouterSeen, distance_km
from monitor.core.model import Decision, Incident, IncidentChange, Network, Site
from tests.core.story import T0, Story, network, silent_between

AT = {"a": (-6.40, 108.20), "b": (-6.42, 108.22), "far": (-6.40, 108.50)}


def placed(net: Network, providers: dict[str, str]) -> Network:
    sites: list[Site] = []
    for site in net.sites:
        lat, lon = AT[site.id]
        links = tuple(replace(link, provider=providers.get(link.name)) for link in site.links)
        sites.append(replace(site, lat=lat, lon=lon, links=links))
    return replace(net, sites=tuple(sites))


def said(story: Story, causes: Causes, until: float) -> list[Decision]:
    start = len(story.decisions)
    story.run(until)
    return causes.follow(story.world, story.decisions[start:])


def updated(decisions: list[Decision]) -> list[Incident]:
    return [d.incident for d in decisions if isinstance(d, IncidentChange)]


def outage() -> tuple[Story, Causes]:
    net = placed(network({"a/utama": (), "a/cadangan": ()}), {})
    story = Story(net)
    story["a/utama"] = silent_between((60.0, 120.0))
    return story, Causes(net)


def test_a_router_that_restarted_suggests_a_power_cut() -> None:
    story, causes = outage()
    assert said(story, causes, 130) == []
    (incident,) = updated(causes.router_seen(story.world, RouterSeen("a", T0 + 150, 40.0)))
    assert incident.suspected_cause == "power"
    assert incident.proof.router_uptime_s == 40.0
    assert incident.ended_s is not None


def test_a_router_that_never_stopped_suggests_the_link() -> None:
    story, causes = outage()
    said(story, causes, 130)
    (incident,) = updated(causes.router_seen(story.world, RouterSeen("a", T0 + 150, 90_000.0)))
    assert incident.suspected_cause == "link"
    assert causes.router_seen(story.world, RouterSeen("a", T0 + 210, 90_060.0)) == []


def test_a_port_that_is_down_while_the_other_link_answers_suggests_the_link() -> None:
    story, causes = outage()
    said(story, causes, 100)
    seen = RouterSeen("a", T0 + 100, 9e4, {"a/utama": PortSeen(oper=2)})
    (incident,) = updated(causes.router_seen(story.world, seen))
    assert (incident.suspected_cause, incident.proof.port_oper) == ("link", 2)
    assert story.world.healths["a/utama"].incident == incident


def test_near_sites_on_different_providers_that_fall_together_suggest_a_power_cut() -> None:
    net = placed(
        network({"a/utama": (), "b/utama": (), "far/utama": ()}),
        {"a/utama": "P", "b/utama": "Q", "far/utama": "R"},
    )
    story, causes = Story(net), Causes(net)
    for name in ("a/utama", "b/utama", "far/utama"):
        story[name] = silent_between((60.0, 300.0))
    incidents = {i.target: i for i in updated(said(story, causes, 100))}
    assert set(incidents) == {"a/utama", "b/utama"}
    assert incidents["a/utama"].suspected_cause == "power"
    assert incidents["a/utama"].proof.near_sites == ("b",)
    assert distance_km(net.sites[0], net.sites[2]) > 30


def test_near_sites_of_one_provider_suggest_nothing() -> None:
    net = placed(network({"a/utama": (), "b/utama": ()}), {"a/utama": "P", "b/utama": "P"})
    story, causes = Story(net), Causes(net)
    for name in ("a/utama", "b/utama"):
        story[name] = silent_between((60.0, 300.0))
    assert said(story, causes, 100) == []


def test_a_full_interface_while_degraded_suggests_congestion() -> None:
    net = placed(network({"a/utama": ()}), {})
    story, causes = Story(net), Causes(net)
    story["a/utama"] = lambda t: 200.0 if t > 60 else 10.0
    said(story, causes, 130)
    seen = RouterSeen("a", T0 + 130, 9e4, {"a/utama": PortSeen(oper=1, utilisation=0.97)})
    (incident,) = updated(causes.router_seen(story.world, seen))
    assert (incident.suspected_cause, incident.proof.utilisation) == ("congestion", 0.97)


def test_an_outage_whose_node_falls_too_is_suspected_to_come_from_above() -> None:
    net = placed(network({"a/utama": ("pop",)}, {"pop": ()}), {})
    story, causes = Story(net), Causes(net)
    story["a/utama"] = silent_between((60.0, 300.0))
    story["pop"] = silent_between((120.0, 300.0))
    (incident,) = updated(said(story, causes, 160))
    assert incident.suspected_cause == "upstream"
    assert incident.parent is not None
