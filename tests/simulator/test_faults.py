"""Faults as they are written: which are accepted, and which are refused with which error."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.errors import SimulatorError
from monitor.simulator.scenario import REBOOT_S, Fault, FaultKind, duration_s, parse_fault

CUT = {"what": "cut", "where": "anjatan/utama"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (0, 0.0),
        (90, 90.0),
        (1.5, 1.5),
        ("30s", 30.0),
        ("0.5s", 0.5),
        ("1m30s", 90.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1h1m1s", 3661.0),
    ],
)
def test_a_duration_is_seconds_or_a_text_with_units(text: object, expected: float) -> None:
    assert duration_s(text) == expected


@pytest.mark.parametrize("text", ["", "30", "s", "1s30m", "-5s", "soon", -1, True, None, [], 1e12])
def test_an_invalid_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        duration_s(text)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (CUT, Fault(FaultKind.CUT, ("anjatan/utama",))),
        (
            {**CUT, "at": "1m", "for": 5},
            Fault(FaultKind.CUT, ("anjatan/utama",), at_s=60.0, for_s=5.0),
        ),
        ({"what": "cut", "where": ["a/b", "c/d"]}, Fault(FaultKind.CUT, ("a/b", "c/d"))),
        (
            {"what": "loss", "where": "a/b", "loss_pct": 12.5},
            Fault(FaultKind.LOSS, ("a/b",), loss_ratio=0.125),
        ),
        (
            {"what": "delay", "where": "a/b", "delay_ms": 120},
            Fault(FaultKind.DELAY, ("a/b",), delay_ms=120.0),
        ),
        (
            {"what": "duplicate", "where": "a/b", "share_pct": 50},
            Fault(FaultKind.DUPLICATE, ("a/b",), share_ratio=0.5),
        ),
        (
            {"what": "flap", "where": "a/b", "period": "30s"},
            Fault(FaultKind.FLAP, ("a/b",), period_s=30.0, down_s=15.0),
        ),
        (
            {"what": "unreachable", "where": "a/b", "from": "inti", "code": "net"},
            Fault(FaultKind.UNREACHABLE, ("a/b",), sender="inti", code=0),
        ),
        (
            {"what": "reboot", "where": "a", "renumber": True},
            Fault(FaultKind.REBOOT, ("a",), for_s=REBOOT_S, renumber=True),
        ),
        ({"what": "snmp-silent", "where": "a"}, Fault(FaultKind.SNMP_SILENT, ("a",))),
        ({"what": "narrow", "where": "a"}, Fault(FaultKind.NARROW, ("a",))),
        (
            {"what": "too-big", "where": "a", "varbinds": 4},
            Fault(FaultKind.TOO_BIG, ("a",), varbinds=4),
        ),
        (
            {"what": "other-source", "where": "a", "from": "inti", "for": 9},
            Fault(FaultKind.OTHER_SOURCE, ("a",), for_s=9.0, sender="inti"),
        ),
        ({"what": "endless-walk", "where": ["a", "b"]}, Fault(FaultKind.ENDLESS_WALK, ("a", "b"))),
        (
            {"what": "wrap", "where": "a", "at": 5, "after": "1m"},
            Fault(FaultKind.WRAP, ("a",), at_s=5.0, after_s=60.0),
        ),
        (
            {"what": "counter-reset", "where": "a", "discontinuity": True},
            Fault(FaultKind.COUNTER_RESET, ("a",), discontinuity=True),
        ),
        ({"what": "renumber", "where": "a"}, Fault(FaultKind.RENUMBER, ("a",))),
        ({"what": "uplink-cut"}, Fault(FaultKind.UPLINK_CUT, ("uplink",))),
        ({"what": "no-route", "where": "uplink"}, Fault(FaultKind.NO_ROUTE, ("uplink",))),
    ],
)
def test_a_fault_is_parsed(table: dict[str, Any], expected: Fault) -> None:
    assert parse_fault(table) == expected


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"where": "a/b"}, 'needs what: add what = "cut"'),
        ({"what": "cutt", "where": "a/b"}, "'cutt' is not known: did you mean 'cut'?"),
        ({"what": 7, "where": "a/b"}, "what = 7 is not known: use one of cut"),
        ({"what": "cut"}, "cut needs where"),
        ({"what": "cut", "where": []}, "cut needs where"),
        ({"what": "cut", "where": ""}, "cut needs where"),
        ({**CUT, "fro": "1s"}, "'fro': did you mean 'for'?"),
        ({**CUT, "loss_pct": 5}, "cut does not take the key 'loss_pct'"),
        ({**CUT, "for": 0}, "for must be more than 0"),
        ({**CUT, "at": "later"}, "at = 'later': must be seconds"),
        ({"what": "loss", "where": "a/b"}, "loss needs loss_pct: add"),
        ({"what": "loss", "where": "a/b", "loss_pct": 101}, "number from 0 to 100"),
        ({"what": "loss", "where": "a/b", "loss_pct": True}, "number from 0 to 100"),
        ({"what": "delay", "where": "a/b", "delay_ms": "x"}, "must be a number"),
        ({"what": "flap", "where": "a/b", "period": 5, "down": 5}, "less than period"),
        ({"what": "unreachable", "where": "a/b", "code": "x"}, "one of net, host"),
        ({"what": "unreachable", "where": "a/b", "quote_bytes": 8}, "from 28 to 548"),
        ({"what": "reboot", "where": "a", "renumber": 1}, "must be true or false"),
        ({"what": "too-big", "where": "a", "varbinds": 0}, "whole number from 1 to 100"),
        ({"what": "too-big", "where": "a", "varbinds": True}, "whole number from 1 to 100"),
        ({"what": "wrap", "where": "a", "for": 5}, "wrap does not take the key 'for'"),
        ({"what": "narrow", "where": "a", "varbinds": 5}, "narrow does not take the key"),
        ({"what": "uplink-cut", "where": "a/b"}, 'where must be "uplink"'),
    ],
)
def test_an_invalid_fault_is_refused_with_a_hint(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        parse_fault(table)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("since", "is_cut", "changes_in"),
    [(0, True, 12), (11, True, 1), (12, False, 28), (45, True, 7)],
)
def test_a_flapping_link_is_cut_at_first(since: float, is_cut: bool, changes_in: float) -> None:
    event = Fault(FaultKind.FLAP, ("a/b",), period_s=40.0, down_s=12.0)
    assert event.cut_at(since) is is_cut
    assert event.next_flap_s(since) == changes_in
