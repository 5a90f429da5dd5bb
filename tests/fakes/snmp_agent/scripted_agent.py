"""An SNMP 2c agent on a loopback socket that responds correctly, or as its script says.

For what no real agent can be made to do: responses from another address, with another number, for
other objects, truncated, endless. Correct messages are read and written with pysnmp; the wrong
ones are made of their bytes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from tests.fakes.snmp_agent.fake_router import FakeRouter

Oid = tuple[int, ...]
Pair = tuple[Oid, Any]

TYPES: dict[str, Callable[[Any], Any]] = {
    "integer": v2c.Integer32,
    "gauge": v2c.Gauge32,
    "counter": v2c.Counter32,
    "counter64": v2c.Counter64,
    "timeticks": v2c.TimeTicks,
    "string": v2c.OctetString,
    "objectid": lambda value: v2c.ObjectIdentifier(str(value).strip(".")),
}


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it arrived. repetitions: 0 for a GET."""

    number: int
    community: bytes
    oids: tuple[Oid, ...]
    repetitions: int


@dataclass(frozen=True)
class FromElsewhere:
    """A datagram that leaves from another port (`address` None) or another address."""

    data: bytes
    address: str | None = None


@dataclass(frozen=True)
class Delayed:
    """A datagram that leaves only after a while."""

    data: bytes
    after_s: float


Replies = Iterable[bytes | FromElsewhere | Delayed]
Script = Callable[["ScriptedAgent", ReceivedRequest], Replies]


class ScriptedAgent:
    """requests: all that arrived, in order. script: the replies; None: the true response."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.router = FakeRouter()
        self.script: Script | None = None
        self.requests: list[ReceivedRequest] = []
        self.address = address
        self._sock = _bound(address)
        self._due: list[asyncio.TimerHandle] = []

    @property
    def port(self) -> int:
        port: int = self._sock.getsockname()[1]
        return port

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._sock, self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        for due in self._due:
            due.cancel()
        self._sock.close()

    def true_response(self, request: ReceivedRequest) -> bytes:
        """The correct response."""
        return response(request, self.pairs(request))

    def pairs(self, request: ReceivedRequest) -> list[Pair]:
        """The objects of the correct response."""
        objects = {
            tuple(map(int, oid.split("."))): TYPES[kind](value)
            for oid, (kind, value) in self.router.objects().items()
        }
        if not request.repetitions:
            return [(oid, objects.get(oid, rfc1905.noSuchInstance)) for oid in request.oids]
        later = sorted(oid for oid in objects if oid > request.oids[0])[: request.repetitions]
        found = [(oid, objects[oid]) for oid in later]
        if len(found) < request.repetitions:
            found.append((later[-1] if later else request.oids[0], rfc1905.endOfMibView))
        return found

    def _readable(self) -> None:
        data, sender = self._sock.recvfrom(65535)
        message = decoder.decode(data, asn1Spec=v2c.Message())[0]
        pdu = v2c.apiMessage.get_pdu(message)
        bulk = isinstance(pdu, rfc1905.GetBulkRequestPDU)
        request = ReceivedRequest(
            number=int(pdu[0]),
            community=bytes(message[1].asOctets()),
            oids=tuple(tuple(varbind[0]) for varbind in pdu[3]),
            repetitions=int(pdu[2]) if bulk else 0,
        )
        self.requests.append(request)
        replies = (
            [self.true_response(request)] if self.script is None else self.script(self, request)
        )
        for reply in replies:
            self._reply(reply, sender)

    def _reply(self, reply: bytes | FromElsewhere | Delayed, sender: tuple[str, int]) -> None:
        if isinstance(reply, bytes):
            self._sock.sendto(reply, sender)
            return
        if isinstance(reply, Delayed):
            loop = asyncio.get_running_loop()
            self._due.append(loop.call_later(reply.after_s, self._reply, reply.data, sender))
            return
        with _bound(reply.address or self.address) as other:
            other.sendto(reply.data, sender)


def response(
    request: ReceivedRequest,
    pairs: Sequence[Pair],
    *,
    number: int | None = None,
    community: bytes | None = None,
    error: int = 0,
    pdu: Any = None,
) -> bytes:
    """A response to `request`; the keywords make it differ from the correct one."""
    sent = v2c.ResponsePDU() if pdu is None else pdu
    v2c.apiPDU.set_defaults(sent)
    v2c.apiPDU.set_request_id(sent, request.number if number is None else number)
    v2c.apiPDU.set_error_status(sent, error)
    v2c.apiPDU.set_varbinds(sent, [(univ.ObjectIdentifier(oid), value) for oid, value in pairs])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, request.community if community is None else community)
    v2c.apiMessage.set_pdu(message, sent)
    return bytes(encoder.encode(message))


def _bound(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind((address, 0))
    return sock
