"""Bytes of all kinds: what is well-formed passes as it is, nothing else gets to a decoder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto.api import v2c

from monitor.adapters.snmp import ber
from tests.fakes.agent.liar import Asked, answer

ASKED = Asked(number=123_456_789, community=b"uji-kom", oids=(), repetitions=0)
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
WHOLE = answer(
    ASKED, [((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, n), value) for n, value in enumerate(VALUES)]
)


def mutated(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for at, byte in changes:
        out[at % len(out)] = byte
    return bytes(out)


changes = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)
tampered = st.one_of(
    st.binary(max_size=80),
    st.builds(mutated, st.just(WHOLE), changes),
    st.builds(lambda cut: WHOLE[:cut], st.integers(0, len(WHOLE) - 1)),
)


def test_a_true_message_is_whole_and_bears_its_number() -> None:
    assert ber.whole(WHOLE) == WHOLE
    assert ber.label(WHOLE) == ber.Label(1, 123_456_789)


def test_padding_behind_a_message_is_cut_off() -> None:
    assert ber.whole(WHOLE + b"\0" * 7) == WHOLE


@settings(deadline=None)
@given(tampered)
def test_any_bytes_are_one_whole_message_or_no_message(data: bytes) -> None:
    try:
        whole = ber.whole(data)
    except ber.ShapeError:
        return
    assert data.startswith(whole)
    assert ber.whole(whole) == whole
    mended = ber.mend_unsigned(whole)
    assert ber.whole(mended) == mended
    assert ber.mend_unsigned(mended) == mended


@settings(deadline=None)
@given(tampered)
def test_a_number_is_read_from_any_bytes_or_none_is(data: bytes) -> None:
    for reads in (ber.label, ber.digest_span):
        try:
            reads(data)
        except ber.ShapeError:
            continue


@settings(deadline=None)
@given(st.builds(mutated, st.just(WHOLE), changes))
def test_pyasn1_takes_or_refuses_what_passed_and_does_nothing_else(data: bytes) -> None:
    """The only errors of a decoder that the codec knows of are its own."""
    try:
        whole = ber.whole(data)
    except ber.ShapeError:
        return
    try:
        message = decoder.decode(whole, asn1Spec=v2c.Message())[0]
        [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(message))]
    except PyAsn1Error:
        return


def test_well_formed_numbers_are_not_mended() -> None:
    assert ber.mend_unsigned(WHOLE) == WHOLE


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_a_counter_without_its_leading_zero_gets_it_back(value: int) -> None:
    good = encoder.encode(univ.Sequence().setComponents(v2c.Counter64(value)))
    content = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    sloppy = bytes((0x30, len(content) + 2, 0x46, len(content))) + content
    assert ber.mend_unsigned(ber.whole(sloppy)) == good


def test_a_negative_integer_stays_negative() -> None:
    data = bytes.fromhex("30030201ff")
    assert ber.mend_unsigned(data) == data


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
        ("3002" + "0200", "impossible length"),
        ("3002" + "0600", "impossible length"),
        ("3004" + "24020400", "in pieces"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(data: str, words: str) -> None:
    with pytest.raises(ber.ShapeError, match=words):
        ber.whole(bytes.fromhex(data))


def nest(levels: int) -> bytes:
    data = b"\x05\x00"
    for _ in range(levels):
        data = bytes((0x30, len(data))) + data
    return data


def test_messages_are_as_deep_as_snmp_is_and_no_deeper() -> None:
    """A version 3 message with its varbinds has five levels; a decoder recurses by level."""
    assert ber.whole(nest(8)) == nest(8)
    with pytest.raises(ber.ShapeError, match="nested too deep"):
        ber.whole(nest(9))


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
def test_a_message_without_a_number_has_none(data: str) -> None:
    with pytest.raises(ber.ShapeError):
        ber.label(bytes.fromhex(data))
