"""Requests are the packets that icmplib would build; every byte string that arrives is handled."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icmplib.sockets import ICMPv4Socket, ICMPv6Socket

from monitor.adapters.icmp.packets import (
    PAYLOAD_BYTES,
    EchoCodec,
    Family,
    QuotedRequest,
    Rejection,
    checksum_is_valid,
    errno_name,
    icmp_error_name,
    template_payload,
)
from tests.adapters.icmp.scripted_host import checksum, with_checksum

U32 = st.integers(0, 0xFFFFFFFF)
FAMILIES = st.sampled_from(Family)
IDENTIFIER = 0x1234
IP_HEADER = struct.pack("!BBHIBBH", 0x45, 0, 84, 0, 64, 1, 0) + bytes(8)


class UnopenedV4(ICMPv4Socket):  # type: ignore[misc]
    """icmplib's packet builder without a socket."""

    def __init__(self) -> None:
        self._sock = None


class UnopenedV6(ICMPv6Socket):  # type: ignore[misc]
    def __init__(self) -> None:
        self._sock = None


def icmplib_packet(family: Family, identifier: int, sequence: int, payload: bytes) -> bytes:
    builder = UnopenedV4() if family is Family.V4 else UnopenedV6()
    packet: bytes = builder._create_packet(identifier, sequence, payload)
    return packet


def codec(family: Family = Family.V4, *, raw: bool = False) -> EchoCodec:
    template = icmplib_packet(family, IDENTIFIER, 0, template_payload())
    return EchoCodec(family, IDENTIFIER, template, has_ip_header=raw)


@given(index=U32, nonce=U32, family=FAMILIES)
def test_each_request_is_the_packet_that_icmplib_would_build(
    index: int, nonce: int, family: Family
) -> None:
    payload = struct.pack("!II", index, nonce) + template_payload()[8:]
    expected = icmplib_packet(family, IDENTIFIER, index & 0xFFFF, payload)
    packet = bytes(codec(family).request(index, nonce))
    assert packet[:2] + packet[4:] == expected[:2] + expected[4:]
    # 0 and 0xFFFF are the same number in ones' complement.
    assert (int.from_bytes(packet[2:4], "big") - int.from_bytes(expected[2:4], "big")) % 0xFFFF == 0
    assert checksum_is_valid(packet)
    assert len(packet) == 8 + PAYLOAD_BYTES


@given(data=st.binary(min_size=4, max_size=120))
def test_the_fast_checksum_agrees_with_the_slow_one(data: bytes) -> None:
    right = with_checksum(data)
    assert checksum_is_valid(right) or not any(right)
    assert checksum_is_valid(data) == (any(data) and checksum(data) == 0)


@given(index=U32, nonce=U32, family=FAMILIES, raw=st.booleans(), options=st.booleans())
def test_a_reply_is_parsed_back_also_behind_an_ip_header_with_options(
    index: int, nonce: int, family: Family, raw: bool, options: bool
) -> None:
    raw = raw and family is Family.V4
    ours = codec(family, raw=raw)
    reply = with_checksum(bytes([family.reply]) + bytes(ours.request(index, nonce))[1:])
    header = b"\x47" + IP_HEADER[1:] + bytes(8) if options else IP_HEADER
    assert ours.parse_reply(header + reply if raw else reply) == (index, nonce)


@given(packet=st.binary(max_size=100), raw=st.booleans(), family=FAMILIES)
def test_arbitrary_bytes_are_rejected(packet: bytes, raw: bool, family: Family) -> None:
    ours = codec(family, raw=raw)
    assert isinstance(ours.parse_reply(packet), Rejection)
    assert isinstance(ours.parse_quote(packet), Rejection | QuotedRequest)


@given(flipped=st.integers(0, 64 * 8 - 1), index=U32, nonce=U32)
def test_one_flipped_bit_anywhere_is_noticed(flipped: int, index: int, nonce: int) -> None:
    ours = codec(raw=True)
    reply = bytearray(with_checksum(b"\0" + bytes(ours.request(index, nonce))[1:]))
    reply[flipped // 8] ^= 1 << (flipped % 8)
    assert isinstance(ours.parse_reply(IP_HEADER + bytes(reply)), Rejection)


@pytest.mark.parametrize("family", Family)
def test_our_own_request_and_short_replies_are_rejected(family: Family) -> None:
    ours = codec(family)
    request = bytes(ours.request(7, 8))
    assert ours.parse_reply(request) is Rejection.FOREIGN
    reply = bytes([family.reply]) + request[1:]
    for length in range(16):
        assert ours.parse_reply(reply[:length]) is Rejection.MALFORMED, length


@given(index=U32, nonce=U32)
def test_a_quote_is_recognised_by_its_marks_or_if_short_by_its_checksum(
    index: int, nonce: int
) -> None:
    ours = codec()
    request = bytes(ours.request(index, nonce))
    short, long = ours.parse_quote(request[:8]), ours.parse_quote(request[:28])
    assert isinstance(short, QuotedRequest)
    assert isinstance(long, QuotedRequest)
    assert short == QuotedRequest(index & 0xFFFF, short.checksum, None, None)
    assert ours.has_checksum(index, nonce, short.checksum)
    assert not ours.has_checksum(index, nonce ^ 1, short.checksum)
    assert (long.index, long.nonce) == (index, nonce)


def test_a_quote_of_another_programs_request_is_foreign() -> None:
    theirs = icmplib_packet(Family.V4, IDENTIFIER + 1, 5, bytes(56))
    assert codec().parse_quote(theirs) is Rejection.FOREIGN
    assert codec().parse_quote(theirs[:7]) is Rejection.MALFORMED


@pytest.mark.parametrize(
    ("family", "kind", "code", "name"),
    [
        (Family.V4, 3, 0, "network unreachable"),
        (Family.V4, 3, 1, "host unreachable"),
        (Family.V4, 3, 9, "network prohibited"),
        (Family.V4, 3, 13, "packet filtered"),
        (Family.V4, 3, 77, "unreachable, bad code: 77"),
        (Family.V4, 11, 0, "time to live exceeded"),
        (Family.V4, 12, 0, "error type: 12, code: 0"),
        (Family.V6, 1, 0, "no route to destination"),
        (Family.V6, 1, 3, "address unreachable"),
        (Family.V6, 3, 0, "hop limit exceeded"),
    ],
)
def test_icmp_errors_have_names(family: Family, kind: int, code: int, name: str) -> None:
    assert icmp_error_name(family, kind, code) == name


def test_an_errno_has_its_name() -> None:
    assert errno_name(OSError(errno.ENETUNREACH, "")) == "ENETUNREACH"
    assert errno_name(OSError(9_999, "")) == "errno 9999"
