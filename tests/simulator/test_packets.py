"""Packets: checksums, replies, ICMP errors and datagrams."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from monitor.simulator.packets import (
    Datagram,
    checksum,
    echo_reply_v4,
    echo_reply_v6,
    read_datagram,
    unreachable,
    write_datagram,
)
from tests.simulator.echoes import THEM, THEM6, US, US6, echo_v4, echo_v6

ROUTER = bytes([10, 77, 0, 14])
WORDS = st.integers(0, 0xFFFF)


@given(identity=WORDS, sequence=WORDS, payload=st.binary(max_size=120))
def test_an_incremental_checksum_equals_a_computed_one(
    identity: int, sequence: int, payload: bytes
) -> None:
    reply = echo_reply_v4(echo_v4(identity, sequence, payload))
    expected = echo_v4(identity, sequence, payload, kind=0)
    assert checksum(reply[:20]) == 0
    assert checksum(reply[20:]) == 0
    # 0 and 0xffff are the same number in one's complement: all but the sum itself is compared.
    assert reply[:22] + reply[24:] == expected[:22] + expected[24:]


@given(payload=st.binary(max_size=120))
def test_a_reply_by_ipv6_has_the_right_checksum_over_its_pseudo_header(payload: bytes) -> None:
    reply = echo_reply_v6(echo_v6(payload))
    pseudo = THEM6 + US6 + struct.pack("!II", len(reply) - 40, 58)
    assert checksum(pseudo + reply[40:]) == 0
    expected = echo_v6(payload, kind=129)
    assert reply[:42] + reply[44:] == expected[:42] + expected[44:]


@given(payload=st.binary(max_size=300), source_port=WORDS, port=WORDS)
def test_a_datagram_is_decoded_as_it_was_encoded(
    payload: bytes, source_port: int, port: int
) -> None:
    for source, destination in ((THEM, US), (THEM6, US6)):
        datagram = Datagram(source, destination, port, source_port, payload)
        packet = write_datagram(datagram)
        assert read_datagram(packet) == datagram
        start = 20 if len(source) == 4 else 40
        kind = b"\0\x11" if len(source) == 4 else b"\0\0\0\x11"
        length = struct.pack("!H" if len(source) == 4 else "!I", len(packet) - start)
        pseudo = source + destination + (kind + length if len(source) == 4 else length + kind)
        assert checksum(pseudo + packet[start:]) == 0


@given(packet=st.binary(min_size=1, max_size=80))
def test_any_bytes_are_decoded_without_an_exception(packet: bytes) -> None:
    padded = packet + b"\0" * 20
    for start in (b"\x45", b"\x46", b"\x60", b""):
        read_datagram(start + padded)


def test_a_fragment_is_no_datagram() -> None:
    packet = write_datagram(Datagram(US, THEM, 1, 161, b"abc"))
    assert read_datagram(packet) is not None
    assert read_datagram(packet[:6] + b"\x20\x00" + packet[8:]) is None
    assert read_datagram(packet[:6] + b"\x00\x07" + packet[8:]) is None


def test_an_icmp_error_names_the_router_and_quotes_the_request() -> None:
    request = echo_v4(5, 6, b"nonce-and-more")
    error = unreachable(request, ROUTER, 1, None)
    assert (error[12:16], error[16:20]) == (ROUTER, US)
    assert (error[20], error[21]) == (3, 1)
    assert error[28:] == request
    assert checksum(error[:20]) == 0
    assert checksum(error[20:]) == 0


def test_the_quoted_bytes_can_be_limited() -> None:
    request = echo_v4(5, 6, b"nonce-and-more")
    assert unreachable(request, ROUTER, 1, 28)[28:] == request[:28]


def test_an_icmp_error_is_at_most_576_bytes() -> None:
    assert len(unreachable(echo_v4(5, 6, b"x" * 1400), ROUTER, 1, None)) == 576


def test_an_icmpv6_error_has_the_code_of_its_own_protocol() -> None:
    router = ipaddress.ip_address("fd77::14").packed
    error = unreachable(echo_v6(b"abc"), router, 1, None)
    assert (error[40], error[41]) == (1, 3)
    pseudo = router + US6 + struct.pack("!II", len(error) - 40, 58)
    assert checksum(pseudo + error[40:]) == 0
