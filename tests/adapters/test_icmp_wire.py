"""Our requests as bytes, held against icmplib's; and every byte string that may come back."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icmplib.sockets import ICMPv4Socket, ICMPv6Socket

from monitor.adapters.icmp.wire import (
    PAYLOAD_BYTES,
    EchoForm,
    Family,
    Fault,
    Quote,
    checksum_holds,
    filling,
)
from tests.adapters.scripted_side import checksum, with_checksum

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
IDENTIFIER = 0x1234
IP_HEADER = struct.pack("!BBHIBBH", 0x45, 0, 84, 0, 64, 1, 0) + bytes(8)


class Unopened4(ICMPv4Socket):  # type: ignore[misc]
    """icmplib's packet maker without a socket."""

    def __init__(self) -> None:
        self._sock = None


class Unopened6(ICMPv6Socket):  # type: ignore[misc]
    def __init__(self) -> None:
        self._sock = None


def icmplib_packet(family: Family, identifier: int, sequence: int, payload: bytes) -> bytes:
    maker = Unopened4() if family is Family.V4 else Unopened6()
    made: bytes = maker._create_packet(identifier, sequence, payload)
    return made


def form(family: Family = Family.V4, *, whole: bool = False) -> EchoForm:
    template = icmplib_packet(family, IDENTIFIER, 0, filling())
    return EchoForm(family, IDENTIFIER, template, whole_packet=whole)


@given(index=U32, nonce=U32, family=st.sampled_from(Family))
def test_each_request_is_the_packet_that_icmplib_would_make(
    index: int, nonce: int, family: Family
) -> None:
    payload = struct.pack("!II", index, nonce) + filling()[8:]
    wanted = icmplib_packet(family, IDENTIFIER, index & 0xFFFF, payload)
    made = bytes(form(family).request(index, nonce))
    assert made[:2] == wanted[:2]
    assert made[4:] == wanted[4:]
    # 0 and 0xFFFF are the same number in ones' complement.
    assert int.from_bytes(made[2:4], "big") % 0xFFFF == int.from_bytes(wanted[2:4], "big") % 0xFFFF
    assert checksum_holds(made)
    assert len(made) == 8 + PAYLOAD_BYTES


@given(data=st.binary(min_size=4, max_size=120))
def test_the_fast_checksum_agrees_with_the_slow_one(data: bytes) -> None:
    right = with_checksum(data)
    assert checksum_holds(right) or not any(right)
    assert checksum_holds(data) == (any(data) and checksum(data) == 0)


@given(index=U32, nonce=U32, family=st.sampled_from(Family), whole=st.booleans())
def test_the_answer_to_a_request_is_read_back(
    index: int, nonce: int, family: Family, whole: bool
) -> None:
    whole = whole and family is Family.V4
    ours = form(family, whole=whole)
    request = bytes(ours.request(index, nonce))
    reply = with_checksum(bytes([family.reply]) + request[1:])
    assert ours.read(IP_HEADER + reply if whole else reply) == (index, nonce)


@given(packet=st.binary(max_size=100), whole=st.booleans(), family=st.sampled_from(Family))
def test_whatever_comes_in_is_read_or_named(packet: bytes, whole: bool, family: Family) -> None:
    ours = form(family, whole=whole)
    assert isinstance(ours.read(packet), Fault)
    assert isinstance(ours.read_quote(packet), Fault | Quote)


@given(
    flipped=st.integers(0, 64 * 8 - 1),
    index=U32,
    nonce=U32,
)
def test_one_flipped_bit_anywhere_is_noticed(flipped: int, index: int, nonce: int) -> None:
    ours = form(whole=True)
    reply = bytearray(with_checksum(b"\0" + bytes(ours.request(index, nonce))[1:]))
    reply[flipped // 8] ^= 1 << (flipped % 8)
    assert isinstance(ours.read(IP_HEADER + bytes(reply)), Fault)


@pytest.mark.parametrize("family", Family)
def test_our_own_request_coming_back_is_no_answer(family: Family) -> None:
    ours = form(family)
    assert ours.read(bytes(ours.request(7, 8))) is Fault.FOREIGN


@pytest.mark.parametrize("length", range(16))
@pytest.mark.parametrize("family", Family)
def test_an_answer_too_short_for_its_marks_is_malformed(length: int, family: Family) -> None:
    ours = form(family)
    reply = bytes([family.reply]) + bytes(ours.request(7, 8))[1:]
    assert ours.read(reply[:length]) is Fault.MALFORMED


def test_an_ip_header_with_options_is_skipped() -> None:
    ours = form(whole=True)
    reply = with_checksum(b"\0" + bytes(ours.request(7, 8))[1:])
    header = bytes([0x47]) + IP_HEADER[1:] + bytes(8)
    assert ours.read(header + reply) == (7, 8)


@given(index=U32, nonce=U32)
def test_a_quote_of_eight_bytes_is_known_by_its_checksum(index: int, nonce: int) -> None:
    ours = form()
    quote = ours.read_quote(bytes(ours.request(index, nonce))[:8])
    assert isinstance(quote, Quote)
    assert quote == Quote(index & 0xFFFF, quote.checksum, None, None)
    assert ours.is_checksum_of(quote.checksum, index, nonce)
    assert not ours.is_checksum_of(quote.checksum, index, nonce ^ 1)


@given(index=U32, nonce=U32)
def test_a_longer_quote_has_the_marks_themselves(index: int, nonce: int) -> None:
    ours = form()
    quote = ours.read_quote(bytes(ours.request(index, nonce))[:28])
    assert isinstance(quote, Quote)
    assert (quote.index, quote.nonce) == (index, nonce)


def test_a_quote_of_another_programs_request_is_foreign() -> None:
    ours = form()
    theirs = icmplib_packet(Family.V4, IDENTIFIER + 1, 5, bytes(56))
    assert ours.read_quote(theirs) is Fault.FOREIGN
    assert ours.read_quote(theirs[:7]) is Fault.MALFORMED
