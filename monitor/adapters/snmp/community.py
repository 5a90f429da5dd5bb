"""SNMP version 2c on the wire (RFC 1901): a community and a PDU."""

from __future__ import annotations

from pysnmp.proto.api import v2c

from monitor.adapters.snmp.ber import Label
from monitor.adapters.snmp.codec import SnmpAnswer, SnmpRequest, answer, decode, encode, numbered
from monitor.adapters.snmp.trouble import Odd, Oddity
from monitor.adapters.snmp.wire import Again, Outgoing, fitting

_VERSION = 1  # on the wire, 2c is 1


class CommunityWire:
    """One router that is asked by community; holds nothing but the secret."""

    def __init__(self, community: str) -> None:
        self._community = community.encode()

    def __repr__(self) -> str:
        return "CommunityWire(…)"

    def message(self, request: SnmpRequest, number: int) -> Outgoing:
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._community)
        v2c.apiMessage.set_pdu(message, numbered(request, number))
        return Outgoing(Label(_VERSION, number), encode(message))

    def read(self, data: bytes, request: SnmpRequest, number: int) -> SnmpAnswer | Again:
        message = decode(data, v2c.Message())
        if bytes(message[1].asOctets()) != self._community:
            raise Odd(Oddity.WRONG_ANSWER, "another community")
        return fitting(request, number, answer(v2c.apiMessage.get_pdu(message)))

    def forget(self) -> None:
        """Nothing is learnt of a router of version 2c."""
