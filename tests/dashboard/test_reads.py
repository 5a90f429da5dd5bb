"""The queries of pages, and their results when a store fails."""

from __future__ import annotations

from dataclasses import replace

from dashboard.reads.ranges import spans
from monitor.core.errors import JournalError, LedgerError
from monitor.core.model import Device, Interface, State
from tests.dashboard.reads_on_fakes import NOW_S, ReadsOnFakes, trouble_reads
from tests.dashboard.synthetic_history import HOUR_S, PastEvent, SyntheticHistory, shipped_network


def test_the_day_of_a_site_ends_with_its_state_now() -> None:
    made = trouble_reads()
    day = made.reads.day()
    now = {site: stretches[-1].state for site, stretches in day.sites.items()}
    told = {site["id"]: site["state"] for site in made.state.document()["sites"]}
    assert {site: str(state) for site, state in now.items()} == told
    assert not day.failed


def test_concurrent_pages_query_the_stores_once() -> None:
    made = trouble_reads()
    for _ in range(50):
        made.reads.sparks()
    assert made.samples.queries == 2, "the buckets, and the newest sample"
    made.wait(10.5)
    made.reads.sparks()
    assert made.samples.queries == 4


def test_a_failing_store_is_reported_without_an_exception() -> None:
    made = trouble_reads()
    made.samples.trouble = JournalError("the disk is gone")
    made.ledger.trouble = LedgerError("locked")
    assert made.reads.sparks().failed
    assert made.reads.sparks().buckets == {}
    assert made.reads.day().failed
    made.samples.trouble = None
    made.wait(11)
    assert not made.reads.sparks().failed


def test_a_sites_incidents_are_its_links_its_nodes_and_the_monitors() -> None:
    network = shipped_network()
    events = (
        PastEvent("krangkeng/utama", State.DOWN, 9 * HOUR_S, 60),
        PastEvent("pop-karangampel", State.DOWN, 8 * HOUR_S, 60),
        PastEvent("pop-patrol", State.DOWN, 7 * HOUR_S, 60),
        PastEvent("monitor", State.UNKNOWN, 6 * HOUR_S, 60, "isolated"),
        PastEvent("anjatan/utama", State.DOWN, 5 * HOUR_S, 60),
        PastEvent("krangkeng/cadangan", State.DOWN, 30 * HOUR_S, 60),
    )
    made = ReadsOnFakes.of(SyntheticHistory(network, NOW_S, events))
    site = made.reads.site("krangkeng")
    assert site is not None
    found = made.reads.incidents_of(site, NOW_S - 24 * HOUR_S, NOW_S)
    assert [each.target for each in found] == ["monitor", "pop-karangampel", "krangkeng/utama"]
    earlier = made.reads.incidents_of(site, NOW_S - 24 * HOUR_S, NOW_S - 7.5 * HOUR_S)
    assert [each.target for each in earlier] == ["pop-karangampel", "krangkeng/utama"]


def test_ports_are_those_configured_and_those_seen_with_the_speed_that_is_known() -> None:
    made = trouble_reads(samples_of_s=600)
    site = made.reads.site("anjatan")
    assert site is not None
    assert site.device is not None
    bare = replace(site.device, interfaces=(Interface("sfp9"), Interface("ether1")))
    ports = {port.name: port for port in made.reads.ports(bare)}
    assert sorted(ports) == ["ether1", "ether2", "sfp9"]
    assert ports["ether1"].capacity_bps == 100_000_000, "not configured: the port's own speed"
    assert ports["ether2"].link == "anjatan/cadangan"
    assert ports["sfp9"].capacity_bps is None


def test_a_router_that_was_never_read_still_shows_its_configured_ports() -> None:
    made = trouble_reads()
    device = Device("x", "10.0.0.1", "2c", "c", (Interface("ether1", "x/utama", 1e8),))
    assert [port.name for port in made.reads.ports(device)] == ["ether1"]


def test_every_range_has_a_limited_number_of_points() -> None:
    for span in spans().values():
        assert span.length_s / span.latency_width_s <= 400
        assert span.traffic_width_s >= 120, "twice the poll of a minute: no bucket without one"


def test_an_unknown_site_is_none() -> None:
    assert trouble_reads().reads.site("bandung") is None
    assert trouble_reads().reads.site("../../etc/passwd") is None
