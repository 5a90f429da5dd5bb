"""Facts about a router: the last answer stays, and dropped readings are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.core.model import Device, Interface
from monitor.core.samples.rates import DroppedRate, NoRate, PollRates, RateBaselines
from monitor.core.samples.router_facts import RouterFacts, router_document
from monitor.core.samples.samples import DeviceSample, InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters, PollFailed

ROUTER = Device(
    *("anjatan", "10.77.1.1", "2c", "ro"),
    (Interface("ether1", "anjatan/utama", 5e7), Interface("ether9")),
)
POLL = DevicePoll(
    device="anjatan",
    at_s=50.0,
    uptime_ticks=100,
    interfaces=(
        InterfaceCounters("ether1", 1, 9, 9, True, oper=1, speed_bps=10**9, alias="ke PoP"),
    ),
    facts=DeviceSample(50.0, "anjatan", "anjatan", uptime_s=1.0, cpu=0.25, temperature_c=41.0),
    sys_name="r-anjatan",
    description="RouterOS RB4011",
    missing=("ether9",),
)
SAMPLE = InterfaceSample(100.0, "anjatan", "ether1", "anjatan", "utama", in_bps=7.0)


def rates(*dropped: NoRate, samples: Sequence[InterfaceSample] = (SAMPLE,)) -> PollRates:
    gone = tuple(DroppedRate("ether1", "in_bps", reason) for reason in dropped)
    return PollRates(RateBaselines(), tuple(samples), gone)


def document(facts: RouterFacts | None) -> dict[str, Any]:
    return router_document(ROUTER, facts)


def test_before_the_first_poll_there_is_only_the_configuration() -> None:
    shown = document(None)
    assert (shown["device"], shown["at"], shown["failed"], shown["since"]) == (
        "anjatan",
        *[None] * 3,
    )
    assert [port["capacity_bps"] for port in shown["ports"]] == [5e7, None]


def test_an_answered_poll_gives_facts_ports_and_missing_ports() -> None:
    shown = document(RouterFacts(90.0).after_poll(POLL, rates(), 100.0))
    assert shown["at"] == "1970-01-01T00:01:40.000Z"
    assert (shown["sys_name"], shown["description"]) == ("r-anjatan", "RouterOS RB4011")
    assert (shown["uptime_s"], shown["cpu"], shown["memory"]) == (1.0, 0.25, None)
    assert shown["missing"] == ["ether9"]
    there, gone = shown["ports"]
    assert (there["alias"], there["oper"], there["speed_bps"], there["in_bps"]) == (
        *("ke PoP", 1, 10**9, 7.0),
    )
    assert (gone["name"], gone["oper"], gone["in_bps"]) == ("ether9", None, None)


def test_after_a_failed_poll_the_last_answer_stays_with_its_time() -> None:
    failed = PollFailed("anjatan", 60.0, "timeout", "3 times")
    facts = RouterFacts(90.0).after_poll(POLL, rates(), 100.0).after_failure(failed, 110.0)
    shown = document(facts)
    assert (shown["at"], shown["sys_name"]) == ("1970-01-01T00:01:40.000Z", "r-anjatan")
    assert shown["failed"] == {
        "at": "1970-01-01T00:01:50.000Z",
        "reason": "timeout",
        "detail": "3 times",
    }
    assert document(facts.after_poll(POLL, rates(), 120.0))["failed"] is None


def test_dropped_readings_are_counted_by_reason_but_not_those_of_a_start() -> None:
    facts = RouterFacts(90.0).after_poll(POLL, rates(NoRate.FIRST, NoRate.NOT_REPORTED), 100.0)
    assert document(facts)["dropped"] == {}
    facts = facts.after_poll(POLL, rates(NoRate.TOO_FAST, NoRate.TOO_FAST, NoRate.RESET), 160.0)
    facts = facts.after_poll(POLL, rates(NoRate.TOO_FAST), 220.0).after_poll(POLL, rates(), 280.0)
    assert document(facts)["dropped"] == {
        "reset": {"readings": 1, "last": "1970-01-01T00:02:40.000Z"},
        "too-fast": {"readings": 3, "last": "1970-01-01T00:03:40.000Z"},
    }


def test_texts_of_a_router_are_truncated() -> None:
    long = "x" * 60_000
    port = InterfaceCounters("ether1", 1, 9, 9, True, alias=long)
    poll = DevicePoll("anjatan", 5.0, 1, (port,), None, long, long)
    shown = document(RouterFacts(0.0).after_poll(poll, rates(), 5.0))
    assert {len(shown["sys_name"]), len(shown["description"]), len(shown["ports"][0]["alias"])} == {
        400
    }
