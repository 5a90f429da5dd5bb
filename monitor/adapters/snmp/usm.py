"""SNMP version 3 on the wire: the user-based security model (RFC 3414), the side that asks.

Messages and key procedures are pysnmp's; the state machine is ours, one a router, because
pysnmp's own sees a replaced router only after five minutes, copies its user table for each
new router (quadratic), and keeps the routers' clocks by ours, which may step.

What a router tells without proof, its engine id above all, is believed only for what is asked
next; that answer bears the digest. Every message has a number nobody can guess, so an old
message played again is never taken for an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pysnmp.proto import rfc1905
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from monitor.adapters.snmp import ber
from monitor.adapters.snmp.codec import (
    Oid,
    SnmpAnswer,
    SnmpRequest,
    answer,
    decode,
    encode,
    get_request,
    numbered,
)
from monitor.adapters.snmp.keys import EngineKeys, MasterKeys
from monitor.adapters.snmp.trouble import Odd, Oddity
from monitor.adapters.snmp.wire import Again, Message, Outgoing, fitting

_VERSION = 3
_USM = 3
_LARGEST = 65507  # a UDP datagram
_REPORTABLE, _PRIVATE, _AUTHENTIC = 0x04, 0x02, 0x01
_WINDOW_S = 150  # RFC 3414, 2.2.3
_ENGINE_SIZES = range(5, 33)  # RFC 3411, SnmpEngineID

_NOT_IN_TIME: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0)
_UNKNOWN_ENGINE: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)
_REPORTS: dict[Oid, str] = {
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0): "the router does not allow this security level",
    _NOT_IN_TIME: "the router's clock does not fit, and it does not prove it",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0): "the router does not know this user",
    _UNKNOWN_ENGINE: "the router does not know its own engine id",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0): "the router finds the authentication password wrong",
    (1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0): "the router cannot decrypt: wrong privacy password",
}


@dataclass(frozen=True, slots=True)
class _Engine:
    """The router as it last showed itself; clock_s was its engine time when ours was at_s."""

    id: bytes
    boots: int
    clock_s: int
    at_s: float
    keys: EngineKeys

    def clock_at(self, now_s: float) -> int:
        return max(0, self.clock_s + int(now_s - self.at_s))


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who a message says it is from; true only when `authentic` and proved."""

    engine_id: bytes
    boots: int
    clock_s: int
    user: bytes
    authentic: bool


class UsmWire:
    """One router that is asked as a user of version 3. now_s: a clock that never steps."""

    def __init__(self, keys: MasterKeys, now_s: Callable[[], float]) -> None:
        self._keys = keys
        self._now_s = now_s
        self._engine: _Engine | None = None
        self._discovery = get_request(())
        self._flags = _AUTHENTIC * keys.authenticates | _PRIVATE * keys.encrypts

    def __repr__(self) -> str:
        return f"UsmWire(user={self._keys.user!r})"

    def message(self, request: SnmpRequest, number: int) -> Outgoing:
        engine = self._engine
        if engine is None:
            return self._discovering(number)
        clock_s = engine.clock_at(self._now_s())
        scoped = _scoped(engine.id, self._keys.context, numbered(request, number))
        message = _envelope(number, self._flags | _REPORTABLE)
        salt = b""
        if self._keys.encrypts:
            encrypted, salt = engine.keys.encrypt(encode(scoped), engine.boots, clock_s)
            _put(message[3], 1, encrypted)
        else:
            _put(message[3], 0, scoped)
        digest = bytes(self._keys.digest_size)
        _put(
            message,
            2,
            _security(engine.id, engine.boots, clock_s, self._keys.user, digest, salt),
        )
        data = encode(message)
        if self._keys.authenticates:
            data = engine.keys.signed(data)
        return Outgoing(ber.Label(_VERSION, number), data)

    def read(self, data: bytes, request: SnmpRequest, number: int) -> SnmpAnswer | Again:
        message = decode(data, SNMPv3Message())
        header = message[1]
        security = decode(bytes(message[2].asOctets()), UsmSecurityParameters())
        if int(header[0]) != number or int(header[3]) != _USM:
            raise Odd(Oddity.WRONG_ANSWER, "another message number or security model")
        flags = header[2].asOctets()[0] & (_AUTHENTIC | _PRIVATE)
        sender = _Sender(
            engine_id=bytes(security[0].asOctets()),
            boots=int(security[1]),
            clock_s=int(security[2]),
            user=bytes(security[3].asOctets()),
            authentic=bool(flags & _AUTHENTIC),
        )
        if sender.authentic:
            self._prove(data, sender)
        pdu, context = self._opened(message, sender, bytes(security[5].asOctets()), flags)
        if isinstance(pdu, rfc1905.ReportPDU):
            return self._reported(answer(pdu), sender)
        engine = self._engine
        if engine is None or sender.engine_id != engine.id or flags != self._flags:
            raise Odd(Oddity.WRONG_ANSWER, "less protected than was asked for")
        if context != (engine.id, self._keys.context):
            raise Odd(Oddity.WRONG_ANSWER, "another context")
        self._keep_time(engine, sender)
        return fitting(request, number, answer(pdu))

    def forget(self) -> None:
        self._engine = None

    def _discovering(self, number: int) -> Outgoing:
        """RFC 3414, 4: an empty request without engine or user, to be told the engine id."""
        message = _envelope(number, _REPORTABLE)
        _put(message, 2, _security(b"", 0, 0, b"", b"", b""))
        _put(message[3], 0, _scoped(b"", b"", numbered(self._discovery, number)))
        return Outgoing(ber.Label(_VERSION, number), encode(message))

    def _prove(self, data: bytes, sender: _Sender) -> None:
        """Raises Odd unless the message was signed with our user's key at the known engine."""
        engine = self._engine
        if engine is None or not self._keys.authenticates:
            raise Odd(Oddity.AUTH, "signed, but no key is known for it")
        if sender.engine_id != engine.id or sender.user != self._keys.user:
            raise Odd(Oddity.AUTH, "signed by another engine or user")
        if not engine.keys.proves(data):
            raise Odd(Oddity.AUTH, "the digest does not fit")

    def _opened(
        self, message: Message, sender: _Sender, salt: bytes, flags: int
    ) -> tuple[Message, tuple[bytes, bytes]]:
        """The PDU, decrypted where it is encrypted, and its context (engine id, name)."""
        body = message[3]
        encrypted = body.getName() == "encryptedPDU"
        if encrypted != bool(flags & _PRIVATE):
            raise Odd(Oddity.WRONG_ANSWER, "flags that do not fit the message")
        scoped = body.getComponent()
        if encrypted:
            engine = self._engine
            if engine is None or not sender.authentic or not self._keys.encrypts:
                raise Odd(Oddity.AUTH, "encrypted, but no key is known for it")
            plain = engine.keys.decrypt(
                bytes(scoped.asOctets()), sender.boots, sender.clock_s, salt
            )
            scoped = decode(plain, ScopedPDU())
        context = (bytes(scoped[0].asOctets()), bytes(scoped[1].asOctets()))
        return scoped[2].getComponent(), context

    def _reported(self, report: SnmpAnswer, sender: _Sender) -> Again:
        """RFC 3414, 3.2 and 4: what a report teaches. Raises Odd when it teaches nothing."""
        oid = report.varbinds[0].oid if report.varbinds else ()
        known = self._engine
        new = known is None or sender.engine_id != known.id
        if new and (known is None or oid == _UNKNOWN_ENGINE):
            if len(sender.engine_id) not in _ENGINE_SIZES:
                raise Odd(Oddity.WRONG_ANSWER, "a report without an engine id")
            self._engine = _Engine(
                id=sender.engine_id,
                boots=sender.boots,
                clock_s=sender.clock_s,
                at_s=self._now_s(),
                keys=self._keys.at(sender.engine_id),
            )
            return Again("engine")
        if oid == _NOT_IN_TIME and sender.authentic and known is not None:
            # Proved, and bearing our fresh number: believed even when the clock went back,
            # as it does in a router that lost its memory but kept its engine id.
            self._engine = replace(
                known, boots=sender.boots, clock_s=sender.clock_s, at_s=self._now_s()
            )
            return Again("time")
        raise Odd(Oddity.AUTH, _REPORTS.get(oid, "a report that says nothing to us"))

    def _keep_time(self, engine: _Engine, sender: _Sender) -> None:
        """RFC 3414, 3.2 (7b), for a proved answer: follow the router's clock, refuse an old one."""
        if not sender.authentic:
            return
        now_s = self._now_s()
        behind_s = engine.clock_at(now_s) - sender.clock_s
        if sender.boots < engine.boots or (sender.boots == engine.boots and behind_s > _WINDOW_S):
            raise Odd(Oddity.AUTH, "an answer from outside the time window")
        self._engine = replace(engine, boots=sender.boots, clock_s=sender.clock_s, at_s=now_s)


def _envelope(number: int, flags: int) -> Message:
    message = SNMPv3Message()
    _put(message, 0, _VERSION)
    header = message.setComponentByPosition(1).getComponentByPosition(1)
    for position, value in enumerate((number, _LARGEST, bytes((flags,)), _USM)):
        _put(header, position, value)
    message.setComponentByPosition(3)
    return message


def _security(
    engine_id: bytes, boots: int, clock_s: int, user: bytes, digest: bytes, salt: bytes
) -> bytes:
    parameters = UsmSecurityParameters()
    for position, value in enumerate((engine_id, boots, clock_s, user, digest, salt)):
        _put(parameters, position, value)
    return encode(parameters)


def _scoped(engine_id: bytes, context: bytes, pdu: Message) -> Message:
    scoped = ScopedPDU()
    _put(scoped, 0, engine_id)
    _put(scoped, 1, context)
    scoped.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(
        pdu.tagSet, pdu, verifyConstraints=False, matchTags=False, matchConstraints=False
    )
    return scoped


def _put(message: Message, position: int, value: Any) -> None:
    message.setComponentByPosition(position, value)
