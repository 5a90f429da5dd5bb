"""Well-formed messages pass unchanged; no other bytes reach a decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import ber
from tests.fakes.snmp_agent.scripted_agent import ReceivedRequest, response

REQUEST = ReceivedRequest(number=123_456_789, community=b"uji-kom", oids=(), repetitions=0)
VALUES = [
    v2c.Counter64(2**63 + 5),
    v2c.Counter64(0),
    v2c.Counter32(2**31),
    v2c.Gauge32(2**32 - 1),
    v2c.TimeTicks(99),
    v2c.Integer32(-4),
    v2c.OctetString(b"ether1"),
    v2c.ObjectIdentifier((1, 3, 6, 1, 4, 1, 14988, 1)),
    v2c.IpAddress("10.77.0.1"),
    v2c.Null(""),
]
MESSAGE = response(
    REQUEST, [((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, n), value) for n, value in enumerate(VALUES)]
)


def mutated(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for at, byte in changes:
        out[at % len(out)] = byte
    return bytes(out)


changes = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)
tampered = st.one_of(
    st.binary(max_size=80),
    st.builds(mutated, st.just(MESSAGE), changes),
    st.builds(lambda cut: MESSAGE[:cut], st.integers(0, len(MESSAGE) - 1)),
)


def test_a_correct_message_passes_unchanged_and_without_its_padding() -> None:
    assert ber.checked_message(MESSAGE) == MESSAGE
    assert ber.checked_message(MESSAGE + b"\0" * 7) == MESSAGE
    assert ber.message_id(MESSAGE) == ber.MessageId(1, 123_456_789)
    assert ber.repair_unsigned(MESSAGE) == MESSAGE
    negative = bytes.fromhex("30030201ff")
    assert ber.repair_unsigned(negative) == negative


@given(tampered)
def test_any_bytes_are_a_checked_message_or_an_error(data: bytes) -> None:
    try:
        whole = ber.checked_message(data)
    except ber.BerError:
        return
    assert data.startswith(whole)
    assert ber.checked_message(whole) == whole
    repaired = ber.repair_unsigned(whole)
    assert ber.checked_message(repaired) == repaired
    assert ber.repair_unsigned(repaired) == repaired


@given(tampered)
def test_reading_a_number_from_any_bytes_gives_it_or_an_error(data: bytes) -> None:
    for reads in (ber.message_id, ber.digest_span):
        try:
            reads(data)
        except ber.BerError:
            continue


@given(st.builds(mutated, st.just(MESSAGE), changes))
def test_pyasn1_raises_nothing_but_its_own_errors_for_what_passed(data: bytes) -> None:
    try:
        whole = ber.checked_message(data)
    except ber.BerError:
        return
    try:
        message = decoder.decode(whole, asn1Spec=v2c.Message())[0]
        [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(message))]
    except PyAsn1Error:
        return


@given(st.integers(0, 2**64 - 1))
def test_a_counter_without_its_leading_zero_gets_it_back(value: int) -> None:
    good = encoder.encode(univ.Sequence().setComponents(v2c.Counter64(value)))
    content = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    without_zero = bytes((0x30, len(content) + 2, 0x46, len(content))) + content
    assert ber.repair_unsigned(ber.checked_message(without_zero)) == good


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "cut short"),
        ("30", "cut short"),
        ("3080", "indefinite"),
        ("0401ff", "not a sequence"),
        ("3001", "cut short"),
        ("30850000000000", "indefinite or impossible"),
        ("3003" + "1f0100", "several bytes"),
        ("300c" + "020a00000000000000000001", "impossible length"),
        ("300b" + "4609800000000000000000", "impossible length"),
        ("3002" + "0200", "impossible length"),
        ("3002" + "0600", "impossible length"),
        ("3004" + "24020400", "in pieces"),
    ],
)
def test_the_error_says_what_is_wrong_with_a_message(data: str, words: str) -> None:
    with pytest.raises(ber.BerError, match=words):
        ber.checked_message(bytes.fromhex(data))


def nest(levels: int) -> bytes:
    data = b"\x05\x00"
    for _ in range(levels):
        data = bytes((0x30, len(data))) + data
    return data


def test_messages_have_at_most_eight_levels() -> None:
    """A version 3 message has five; a decoder recurses for each."""
    assert ber.checked_message(nest(8)) == nest(8)
    with pytest.raises(ber.BerError, match="nested too deep"):
        ber.checked_message(nest(9))


@pytest.mark.parametrize(
    "data",
    [
        "3003020102",  # version 2
        "3006020101300100",  # a sequence where the community is due
        "30090201010400a4030201",  # cut inside of the request-id
        "30080201010400040101",  # a string where the PDU is due
        "3006020103040100",  # version 3 without its header
        "30050203010000",  # a version of three bytes
    ],
)
def test_a_message_without_a_number_is_an_error(data: str) -> None:
    with pytest.raises(ber.BerError):
        ber.message_id(bytes.fromhex(data))
