"""Measurements, tags and fields are those of the storage contract."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from monitor.core.samples.samples import DeviceSample
from monitor.core.samples.schema import (
    MEASUREMENTS,
    FieldKind,
    link_name,
    measurement_of,
    point_of,
    stamp_ms,
    tag_value,
    target_of,
    target_tags,
    value_of,
    width_ms,
)
from tests.sample_builders import MIDNIGHT_S, interface, one_of_each, ping

CONTRACT = {
    "ping": (
        {"site", "link", "kind", "provider", "node"},
        {"sent", "received", "rtt_min", "rtt_avg", "rtt_p50", "rtt_p95", "rtt_max", "jitter"}
        | {"not_measured", "state"},
    ),
    "interface": (
        {"site", "link", "device", "ifname"},
        {"in_bps", "out_bps", "in_util", "out_util", "in_errors", "out_errors"}
        | {"in_discards", "out_discards", "oper", "speed_bps"},
    ),
    "device": (
        {"site", "device"},
        {"uptime_s", "cpu", "memory", "temperature_c", "voltage_v"},
    ),
    "state_change": ({"site", "link", "node"}, {"from", "to", "reason", "previous_s"}),
    "monitor": (
        {"host"},
        {"round_lag_s", "loop_lag_s", "missed_rounds", "journal_age_s", "spool_lines"}
        | {"open_fds", "max_fds", "rss_bytes", "odd_packets", "not_measured", "stalled_rounds"}
        | {"stalls", "clock_steps", "failed_runs", "synchronised"}
        | {"shipper_lag_s", "quarantined", "shipper_error", "outbox_age_s"},
    ),
}


def test_measurements_and_fields_are_those_of_the_contract() -> None:
    found = {each.name: {field.name for field in each.fields} for each in MEASUREMENTS}
    assert found == {name: names for name, (_, names) in CONTRACT.items()}


def test_tags_are_those_of_the_contract() -> None:
    seen: dict[str, set[str]] = {}
    for sample in one_of_each():
        point = point_of(sample)
        assert point is not None
        seen.setdefault(point.measurement, set()).update(point.tags)
    for name, (tags, _) in CONTRACT.items():
        assert seen[name] <= tags
    assert seen["ping"] == CONTRACT["ping"][0]


@pytest.mark.parametrize("sample", one_of_each(), ids=lambda sample: type(sample).__name__)
def test_every_attribute_of_a_sample_is_identity_or_a_field(sample: object) -> None:
    [measurement] = [each for each in MEASUREMENTS if each.sample is type(sample)]
    known = {*measurement.identity, *(field.attribute for field in measurement.fields), "at_s"}
    assert known == {field.name for field in fields(measurement.sample) if field.compare}


def test_a_link_has_the_tags_site_and_link_and_anything_else_node() -> None:
    link, node, anchor = (
        point_of(ping(MIDNIGHT_S, name))
        for name in ("anjatan/utama", "pop-patrol", "anchor:10.77.0.1")
    )
    assert link is not None
    assert node is not None
    assert anchor is not None
    assert link.tags == {
        "kind": "fibre",
        "link": "utama",
        "provider": "Penyedia A",
        "site": "anjatan",
    }
    assert node.tags == {"node": "pop-patrol"}
    assert anchor.tags == {"node": "anchor:10.77.0.1"}


@pytest.mark.parametrize(
    "name", ["anjatan/utama", "pop-patrol", "anchor:10.77.0.1", "anchor:fd::1"]
)
def test_a_target_is_found_by_its_tags(name: str) -> None:
    point = point_of(ping(MIDNIGHT_S, name))
    assert point is not None
    assert target_of(point.tags) == name
    assert target_tags(name).items() <= point.tags.items()


@pytest.mark.parametrize(
    ("site", "link", "full"),
    [
        ("anjatan", "utama", "anjatan/utama"),
        ("anjatan", "anjatan/utama", "anjatan/utama"),
        (None, "utama", "utama"),
        ("anjatan", None, None),
        (None, None, None),
    ],
)
def test_the_link_of_a_port_may_be_its_id_or_its_full_name(
    site: str | None, link: str | None, full: str | None
) -> None:
    assert link_name(site, link) == full
    point = point_of(replace(interface(MIDNIGHT_S, link=link), site=site))
    assert point is not None
    assert point.tags.get("link") == (None if link is None else "utama")


def test_a_field_that_was_not_measured_is_absent_and_never_0() -> None:
    point = point_of(ping(MIDNIGHT_S, received=0))
    assert point is not None
    assert point.fields == {"sent": 10, "received": 0, "not_measured": 0, "state": 3}


def test_a_sample_without_a_measured_value_is_no_point() -> None:
    assert point_of(DeviceSample(MIDNIGHT_S, "anjatan", "anjatan")) is None


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        (FieldKind.COUNT, 7, 7),
        (FieldKind.COUNT, 2**63, None),
        (FieldKind.COUNT, None, None),
        (FieldKind.RTT, 1.23456, 1.235),
        (FieldKind.RTT, 12, 12.0),
        (FieldKind.NUMBER, 1e11 / 3, 1e11 / 3),
        (FieldKind.NUMBER, math.nan, None),
        (FieldKind.NUMBER, -math.inf, None),
        (FieldKind.TEXT, "a\nb", "a b"),
    ],
)
def test_values_as_every_store_holds_them(
    kind: FieldKind, raw: float | str | None, stored: float | str | None
) -> None:
    assert value_of(kind, raw) == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ether1", "ether1"),
        ("Penyedia A", "Penyedia A"),
        ("⇄ Bé", "⇄ Bé"),
        ("a\tb\r\n\x00c\x7f", "a b   c "),
        ("back\\slash", "back\\slash"),
        ("end\\\\", "end//"),
    ],
)
def test_a_tag_is_a_text_that_every_influxdb_accepts(text: str, stored: str) -> None:
    assert tag_value(text) == stored


def test_times_are_whole_milliseconds() -> None:
    assert stamp_ms(1764028800.1234567) == 1764028800123
    assert stamp_ms(1764028800.9996) == 1764028801000
    assert (width_ms(60), width_ms(0.0001)) == (60_000, 1)


def test_each_sample_has_a_measurement() -> None:
    assert {measurement_of(sample).name for sample in one_of_each()} == set(CONTRACT)
