"""Messages of a version 3 agent as bytes: correct, unprotected or forged; without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from monitor.adapters.snmp.usm import MasterKeys

Pair = tuple[tuple[int, ...], Any]

NOT_IN_TIME = (1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0)
UNKNOWN_ENGINE = (1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)


def response(number: int, pairs: Sequence[Pair]) -> Any:
    """A response PDU."""
    return _pdu(v2c.ResponsePDU(), number, pairs)


def report(number: int, oid: tuple[int, ...]) -> Any:
    """A report PDU (RFC 3414, 3.2) with this counter."""
    return _pdu(v2c.ReportPDU(), number, [(oid, v2c.Counter32(1))])


@dataclass
class V3Agent:
    """An agent with these keys."""

    keys: MasterKeys
    engine: bytes = bytes.fromhex("80001f8804") + b"router-uji"
    boots: int = 3
    clock_s: int = 4_000
    context: bytes = b""

    def scoped(self, pdu: Any) -> bytes:
        """The scoped PDU before it is encrypted."""
        return bytes(encoder.encode(self._scoped(pdu)))

    def signed(self, number: int, pdu: Any) -> bytes:
        """authPriv, correct."""
        return self.encrypted(number, self.scoped(pdu))

    def encrypted(self, number: int, scoped: bytes) -> bytes:
        """Signed and encrypted; whatever `scoped` is."""
        encrypted, salt = self.keys.at(self.engine).encrypt(scoped, self.boots, self.clock_s)
        return self._message(number, 0x03, 1, encrypted, salt)

    def readable(self, number: int, pdu: Any) -> bytes:
        """Signed, not encrypted."""
        return self._message(number, 0x01, 0, self._scoped(pdu), b"")

    def unsigned(self, number: int, pdu: Any) -> bytes:
        """Neither signed nor encrypted, as a report before discovery."""
        return self._message(number, 0x00, 0, self._scoped(pdu), b"")

    def _scoped(self, pdu: Any) -> Any:
        made = ScopedPDU()
        made.setComponentByPosition(0, self.engine)
        made.setComponentByPosition(1, self.context)
        made.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(
            pdu.tagSet, pdu, verifyConstraints=False, matchTags=False, matchConstraints=False
        )
        return made

    def _message(self, number: int, flags: int, position: int, body: Any, salt: bytes) -> bytes:
        made = SNMPv3Message()
        made.setComponentByPosition(0, 3)
        header = made.setComponentByPosition(1).getComponentByPosition(1)
        for place, value in enumerate((number, 65507, bytes((flags,)), 3)):
            header.setComponentByPosition(place, value)
        made.setComponentByPosition(3).getComponentByPosition(3).setComponentByPosition(
            position, body
        )
        security = UsmSecurityParameters()
        user, digest = (self.keys.user, bytes(self.keys.digest_size)) if flags else (b"", b"")
        parameters = (self.engine, self.boots, self.clock_s, user, digest, salt)
        for place, value in enumerate(parameters):
            security.setComponentByPosition(place, value)
        made.setComponentByPosition(2, encoder.encode(security))
        whole = bytes(encoder.encode(made))
        return self.keys.at(self.engine).signed(whole) if flags else whole


def _pdu(pdu: Any, number: int, pairs: Sequence[Pair]) -> Any:
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, number)
    v2c.apiPDU.set_varbinds(pdu, list(pairs))
    return pdu
