"""How requests go on the wire and answers come off it: what both versions have in common."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from monitor.adapters.snmp.ber import Label
from monitor.adapters.snmp.codec import Absent, SnmpAnswer, SnmpRequest
from monitor.adapters.snmp.trouble import Odd, Oddity

Message = Any
"""A pyasn1 object; untyped, and never seen outside the wires."""

NUMBERS = 2**31
"""msgID and request-id are 31 bits (RFC 3412, 6.1; RFC 3416, 3); zero is left out."""


class Outgoing(NamedTuple):
    """A message ready to be sent, as often as needed: a repeat is the same bytes."""

    label: Label
    data: bytes


class Again(NamedTuple):
    """The router told what the next message needs (its engine, its clock): ask once more."""

    why: str


class MessageCodec(Protocol):
    """One router's protocol version and secret."""

    def message(self, request: SnmpRequest, number: int) -> Outgoing:
        """The bytes that ask `request` under this number, as of now."""
        ...

    def read(self, data: bytes, request: SnmpRequest, number: int) -> SnmpAnswer | Again:
        """The answer in a datagram that bears the number. Raises Odd when it is not one."""
        ...

    def forget(self) -> None:
        """The router was silent: it may be another one. Forget what was learnt of it."""
        ...


def fitting(request: SnmpRequest, number: int, answer: SnmpAnswer) -> SnmpAnswer:
    """`answer`, if it answers `request`. Raises Odd."""
    if answer.number != number:
        raise Odd(Oddity.WRONG_ANSWER, "another request-id")
    if answer.error:
        return answer
    if request.repetitions:
        _check_walk(request, answer)
    elif tuple(varbind.oid for varbind in answer.varbinds) != request.oids:
        raise Odd(Oddity.WRONG_ANSWER, "other objects than were asked for")
    return answer


def _check_walk(request: SnmpRequest, answer: SnmpAnswer) -> None:
    """A walk goes forward, or it never ends (RFC 3416, 4.2.3: lexicographic order)."""
    if not 1 <= len(answer.varbinds) <= request.repetitions:
        raise Odd(Oddity.WRONG_ANSWER, f"{len(answer.varbinds)} objects in an answer to a walk")
    last = request.oids[0]
    for varbind in answer.varbinds:
        if varbind.value is Absent.END_OF_VIEW:
            return
        if varbind.oid <= last:
            raise Odd(Oddity.WRONG_ANSWER, "a walk that does not go forward")
        last = varbind.oid
