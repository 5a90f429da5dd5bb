"""SNMP requests and responses, encoded and decoded by pysnmp."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pysnmp.proto.api import v1, v2c

from monitor.simulator.snmp_messages import (
    Mib,
    ObjectKind,
    Oid,
    Value,
    answer_request,
    constant,
    text_value,
)
from tests.simulator.messages import asked, asked_bulk, oids_of, told
from tests.simulator.networks import COMMUNITY

BASE: Oid = (1, 3, 6, 1, 2, 1)
NAME: Oid = (*BASE, 1, 1, 0)
SAYS: dict[Oid, Value] = {
    NAME: text_value("RouterOS"),
    (*BASE, 1, 2, 0): Value(ObjectKind.OID, (1, 3, 6, 1, 4, 1, 14988, 1)),
    (*BASE, 1, 3, 0): Value(ObjectKind.TICKS, 4_294_967_295),
    (*BASE, 2, 1, 1): Value(ObjectKind.INTEGER, -5),
    (*BASE, 2, 1, 2): Value(ObjectKind.COUNTER32, 4_294_967_295),
    (*BASE, 2, 1, 3): Value(ObjectKind.GAUGE32, 7),
    (*BASE, 2, 1, 4): Value(ObjectKind.COUNTER64, 18_446_744_073_709_551_615),
}
MIB = Mib({oid: constant(value) for oid, value in SAYS.items()})
LONG = Mib({(*BASE, 9, n): constant(text_value("x" * 100)) for n in range(1, 200)})
SECRET = COMMUNITY.encode()


def test_get_returns_every_type_with_its_maximum() -> None:
    objects = told(answer_request(asked(v2c.GetRequestPDU(), list(SAYS)), SECRET, MIB, 0.0)).objects
    assert [oid for oid, _, _ in objects] == list(SAYS)
    assert [kind for _, kind, _ in objects] == [
        *("OctetString", "ObjectIdentifier", "TimeTicks"),
        *("Integer", "Counter32", "Gauge32", "Counter64"),
    ]
    assert bytes(objects[0][2]) == b"RouterOS"
    assert tuple(objects[1][2]) == (1, 3, 6, 1, 4, 1, 14988, 1)
    assert [int(value) for _, _, value in objects[2:]] == [
        value.data for value in list(SAYS.values())[2:]
    ]


def test_get_returns_an_exception_for_each_missing_object() -> None:
    missing = (*BASE, 2, 1, 99), (*BASE, 7, 1), NAME
    objects = told(
        answer_request(asked(v2c.GetRequestPDU(), list(missing)), SECRET, MIB, 0.0)
    ).objects
    kinds = [kind for _, kind, _ in objects]
    assert kinds == ["NoSuchInstance", "NoSuchObject", "OctetString"]


def test_a_getnext_walk_returns_each_object_once() -> None:
    seen: list[Oid] = []
    oid: Oid = (1, 3)
    while True:
        ((oid, kind, _),) = told(
            answer_request(asked(v2c.GetNextRequestPDU(), [oid]), SECRET, MIB, 0.0)
        ).objects
        if kind == "EndOfMibView":
            break
        seen.append(oid)
    assert seen == sorted(SAYS)


def test_getbulk_separates_non_repeaters_and_repetitions() -> None:
    response = answer_request(asked_bulk([NAME, (*BASE, 2)], 1, 3), SECRET, MIB, 0.0)
    assert oids_of(response) == [
        *((*BASE, 1, 2, 0), (*BASE, 2, 1, 1)),
        *((*BASE, 2, 1, 2), (*BASE, 2, 1, 3)),
    ]


def test_getbulk_ends_at_the_end_of_the_mib() -> None:
    objects = told(answer_request(asked_bulk([(*BASE, 2, 1, 2)], 0, 50), SECRET, MIB, 0.0)).objects
    assert [kind for _, kind, _ in objects] == ["Gauge32", "Counter64", "EndOfMibView"]


def test_getbulk_returns_what_fits_into_a_packet() -> None:
    seen = oids_of(answer_request(asked_bulk([(*BASE, 9)], 0, 100), SECRET, LONG, 0.0))
    assert seen == [(*BASE, 9, n) for n in range(1, len(seen) + 1)]
    assert 10 <= len(seen) <= 13


def test_a_get_that_does_not_fit_is_too_big() -> None:
    oids = [(*BASE, 9, n) for n in range(1, 20)]
    assert told(answer_request(asked(v2c.GetRequestPDU(), oids), SECRET, LONG, 0.0)) == (1, 0, [])


def test_a_set_is_refused() -> None:
    request = asked(v2c.SetRequestPDU(), [NAME], v2c.OctetString("mine"))
    response = told(answer_request(request, SECRET, MIB, 0.0))
    assert (response.status, response.place) == (17, 1)
    assert bytes(response.objects[0][2]) == b"mine"


def test_values_are_read_at_the_time_of_the_request() -> None:
    mib = Mib({NAME: lambda now_s: Value(ObjectKind.GAUGE32, int(now_s))})
    request = asked(v2c.GetRequestPDU(), [NAME])
    values = [
        int(told(answer_request(request, SECRET, mib, t)).objects[0][2]) for t in (10.0, 20.0)
    ]
    assert values == [10, 20]


def test_another_community_gets_no_response() -> None:
    assert answer_request(asked(v2c.GetRequestPDU(), [NAME]), b"public", MIB, 0.0) is None


def test_version_1_gets_no_response() -> None:
    assert answer_request(asked(v1.GetRequestPDU(), [NAME], proto=v1), SECRET, MIB, 0.0) is None


def test_a_message_that_is_no_request_gets_no_response() -> None:
    response = answer_request(asked(v2c.GetRequestPDU(), [NAME]), SECRET, MIB, 0.0)
    assert response is not None
    assert answer_request(response, SECRET, MIB, 0.0) is None


@given(noise=st.binary(max_size=200))
def test_random_bytes_get_no_response(noise: bytes) -> None:
    assert answer_request(noise, SECRET, MIB, 0.0) is None


@given(place=st.integers(0, 200), byte=st.integers(0, 255))
def test_no_damaged_request_breaks_the_agent(place: int, byte: int) -> None:
    request = bytearray(asked_bulk([NAME, (*BASE, 2)], 1, 3))
    request[place % len(request)] = byte
    answer_request(bytes(request), SECRET, MIB, 0.0)


@given(place=st.integers(0, 200))
def test_no_shortened_request_breaks_the_agent(place: int) -> None:
    request = asked(v2c.GetRequestPDU(), [NAME])
    answer_request(request[: place % len(request)], SECRET, MIB, 0.0)


def test_too_many_objects_are_too_big_and_a_bulk_is_truncated() -> None:
    oids = list(SAYS)[:4]
    fitting = told(
        answer_request(asked(v2c.GetRequestPDU(), oids[:3]), SECRET, MIB, 0.0, max_varbinds=3)
    )
    assert (fitting.status, len(fitting.objects)) == (0, 3)
    for pdu in (v2c.GetRequestPDU(), v2c.GetNextRequestPDU()):
        refused = told(answer_request(asked(pdu, oids), SECRET, MIB, 0.0, max_varbinds=3))
        assert (refused.status, refused.objects) == (1, [])
    cut = told(answer_request(asked_bulk([BASE], 0, 10), SECRET, MIB, 0.0, max_varbinds=3))
    assert (cut.status, [oid for oid, _, _ in cut.objects]) == (0, oids[:3])


def test_an_endless_agent_never_leaves_a_column() -> None:
    mib = Mib({oid: constant(value) for oid, value in SAYS.items()}, endless=True)
    rows = [(*BASE, 2, 1, n) for n in (1, 2, 3, 4)]
    seen: list[Oid] = [(*BASE, 2, 1)]
    for _ in range(9):
        seen.append(mib.next(seen[-1], 0.0)[0])
    assert seen[1:] == [*rows, *rows, rows[0]]
    assert mib.next((*BASE, 1), 0.0)[0] == NAME
    assert mib.next(NAME, 0.0)[0] == NAME
