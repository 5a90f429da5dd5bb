"""Routers' own facts, from a real snmpd with the objects of each vendor's routers."""

from __future__ import annotations

import pytest

from monitor.adapters.snmp.vendors import GENERIC, VENDORS, vendor_of
from tests.adapters.snmp.rig import PollRig
from tests.fakes.snmp_agent.fake_router import CISCO, MIKROTIK, NET_SNMP, FakeRouter, Objects

HR_LOAD = "1.3.6.1.2.1.25.3.3.1.2"
HR_STORAGE = "1.3.6.1.2.1.25.2.3.1"
RAM = ".1.3.6.1.2.1.25.2.1.2"
DISK = ".1.3.6.1.2.1.25.2.1.4"
MT_HEALTH = "1.3.6.1.4.1.14988.1.1.3"
MT_GAUGE = f"{MT_HEALTH}.100.1"
CISCO_ROOT = "1.3.6.1.4.1.9.9"
CISCO_CPU = f"{CISCO_ROOT}.109.1.1.1.1.7"
JUNIPER, JUNIPER_TABLE = "1.3.6.1.4.1.2636.1.1.1.2.29", "1.3.6.1.4.1.2636.3.1.13.1"
HUAWEI, HUAWEI_TABLE = "1.3.6.1.4.1.2011.2.224.1", "1.3.6.1.4.1.2011.5.25.31.1.1.1.1"


def integers(cells: dict[str, int]) -> Objects:
    return {oid: ("integer", value) for oid, value in cells.items()}


def storage(row: int, kind: str, size: int, used: int) -> Objects:
    return {f"{HR_STORAGE}.2.{row}": ("objectid", kind)} | integers(
        {f"{HR_STORAGE}.5.{row}": size, f"{HR_STORAGE}.6.{row}": used}
    )


HOST = (
    # Two cores at 20 % and 40 %; a disk before the memory, and one after it.
    integers({f"{HR_LOAD}.1": 20, f"{HR_LOAD}.2": 40})
    | storage(31, DISK, 128_000, 127_000)
    | storage(65536, RAM, 1_048_576, 262_144)
    | storage(131072, DISK, 128_000, 127_000)
)


def gauge(row: int, name: str, value: int, unit: int) -> Objects:
    return {f"{MT_GAUGE}.2.{row}": ("string", name)} | integers(
        {f"{MT_GAUGE}.3.{row}": value, f"{MT_GAUGE}.4.{row}": unit}
    )


def operating_table(root: str, cpu: int, memory: int, temperature: int) -> Objects:
    """Three parts, of which one has sensors; the third has 2^31 - 1 °C."""
    return integers(
        {
            f"{root}.{column}.9.{row}.0.0": value
            for row, values in enumerate([(0, 0, 0), (17, 44, 39), (0, 0, 2**31 - 1)], start=1)
            for column, value in zip((cpu, memory, temperature), values, strict=True)
        }
    )


CASES: dict[str, tuple[str, Objects, tuple[float | None, ...]]] = {
    # name: sysObjectID, objects, (cpu, memory, temperature, voltage)
    "mikrotik, health scalars": (
        MIKROTIK,
        HOST | integers({f"{MT_HEALTH}.8.0": 242, f"{MT_HEALTH}.10.0": 415}),
        (0.30, 0.25, 41.5, 24.2),
    ),
    "routeros 7, gauges by name and unit": (
        MIKROTIK,
        gauge(13, "power-consumption", 123, 5)
        | gauge(14, "cpu-temperature", 61, 1)
        | gauge(17, "fan1-speed", 4500, 2)
        | gauge(18, "temperature", 38, 1)
        | gauge(19, "psu2-voltage", 118, 3)
        | gauge(20, "voltage", 239, 3),
        (None, None, 38.0, 23.9),
    ),
    "routeros 7, a gauge with an unlisted name": (
        MIKROTIK,
        gauge(3, "phy-temperature", 44, 1),
        (None, None, 44.0, None),
    ),
    "cisco": (
        CISCO,
        HOST
        | integers(
            {
                f"{CISCO_CPU}.1": 12,
                f"{CISCO_ROOT}.48.1.1.1.5.1": 30_000_000,
                f"{CISCO_ROOT}.48.1.1.1.6.1": 90_000_000,
                f"{CISCO_ROOT}.48.1.1.1.5.2": 9,
                f"{CISCO_ROOT}.48.1.1.1.6.2": 1,
                f"{CISCO_ROOT}.13.1.3.1.3.1": 35,
                f"{CISCO_ROOT}.13.1.3.1.3.2": 47,
                f"{CISCO_ROOT}.13.1.2.1.3.1": 11_960,
            }
        ),
        (0.12, 0.25, 47.0, 11.96),
    ),
    "juniper, parts without a sensor": (
        JUNIPER,
        operating_table(JUNIPER_TABLE, 8, 11, 7),
        (0.17, 0.44, 39.0, None),
    ),
    "huawei, parts without a sensor": (
        HUAWEI,
        operating_table(HUAWEI_TABLE, 5, 7, 11),
        (0.17, 0.44, 39.0, None),
    ),
    "any other agent, host resources": (
        NET_SNMP,
        HOST | integers({f"{MT_HEALTH}.8.0": 242}),
        (0.30, 0.25, None, None),
    ),
    "no facts": (MIKROTIK, {}, (None,) * 4),
    "a size of zero, a load that is a string": (
        MIKROTIK,
        storage(1, RAM, 0, 0) | {f"{HR_LOAD}.1": ("string", "busy")},
        (None,) * 4,
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_facts_of_a_router(rig: PollRig, case: str) -> None:
    rig.agent.router.object_id, rig.agent.router.more, expected = CASES[case]
    await rig.register()
    poll = await rig.poll()
    facts = poll.facts
    assert facts is not None
    assert facts.uptime_s == 1000.0
    assert len(poll.interfaces) == 2
    found = (facts.cpu, facts.memory, facts.temperature_c, facts.voltage_v)
    assert found == tuple(None if one is None else pytest.approx(one) for one in expected)


async def test_a_sensor_that_moved_is_found_again(rig: PollRig) -> None:
    rig.agent.router.more = HOST | gauge(14, "temperature", 40, 1)
    await rig.register()
    assert (await rig.facts()).temperature_c == 40.0
    rig.agent.router.more = HOST | gauge(15, "temperature", 41, 1)
    temperatures = []
    for _ in range(17):
        rig.pass_time(60)
        facts = await rig.facts()
        assert facts.cpu == pytest.approx(0.30)
        temperatures.append(facts.temperature_c)
    assert temperatures[0] is None
    assert temperatures[-1] == 41.0


@pytest.mark.parametrize(("uptime_ticks", "polls"), [(500, 1), (100_000, 2)])
async def test_another_vendors_router_at_the_same_address_is_noticed(
    rig: PollRig, uptime_ticks: int, polls: int
) -> None:
    """By its uptime at once; if that happens to continue, by its sysObjectID."""
    rig.agent.router.more = HOST
    await rig.register()
    await rig.poll()
    rig.agent.router = FakeRouter(object_id=CISCO, uptime_ticks=uptime_ticks)
    rig.agent.router.more = integers({f"{CISCO_CPU}.1": 77})
    for _ in range(polls):
        rig.pass_time(60)
        facts = await rig.facts()
    assert facts.cpu == pytest.approx(0.77)
    assert facts.memory is None


@pytest.mark.parametrize(
    ("object_id", "name"),
    [
        (MIKROTIK, "mikrotik"),
        (CISCO, "cisco"),
        ("1.3.6.1.4.1.99999.1", "generic"),
        ("1.3.6.1.4.1.149880.1", "generic"),
        ("1.3", "generic"),
    ],
)
def test_the_vendor_is_selected_by_its_branch_of_the_tree(object_id: str, name: str) -> None:
    assert vendor_of(tuple(map(int, object_id.split(".")))).name == name
    assert vendor_of(None) is GENERIC


def test_no_vendors_branch_contains_another() -> None:
    roots = [vendor.root for vendor in VENDORS]
    assert len(set(roots)) == len(roots)
    assert not any(one != other and one[: len(other)] == other for one in roots for other in roots)
