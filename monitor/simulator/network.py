"""The wire: the user-space end of the TUN device. Requests come in, answers go out on time.

One loop on one core keeps up with 10,000 echo requests a second: packets are read in batches, a
reply is made by patching its request, and waits in a heap until it is due.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import itertools
import math
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple

from monitor.simulator.behaviour import Behaviour
from monitor.simulator.line import LineCounts, SimulatedHost
from monitor.simulator.packets import (
    ICMP,
    ICMPV6,
    Datagram,
    echo_reply_v4,
    echo_reply_v6,
    read_datagram,
    unreachable,
    write_datagram,
)


class AgentReply(NamedTuple):
    """What an SNMP agent answers. source: the address that it comes from; None: the one asked."""

    message: bytes
    source: str | None = None


Answerer = Callable[[bytes], AgentReply | None]
"""An SNMP agent: a message in bytes → its answer, None for silence."""

_READ_BYTES = 2048
_BATCH = 32  # packets read before replies that are due get their turn
_BATCHES = 8  # before the event loop gets its turn
_EARLY_S = 0.00008  # about the way to the asker; so that several may leave at one waking
_SNMP_PORT = 161
_CLOSED_PORT = 3  # the code of ICMP: port unreachable
_AGENT_NEEDS_S = 0.003  # no echo should fall due while an agent thinks
_AGENT_WAITS_S = 0.020


class _Sent(IntEnum):
    """What a packet counts as when it leaves."""

    ECHO = 0
    UNREACHABLE = 1
    OTHER = 2


class VirtualWire:
    """Reads requests from a TUN device and writes the answers when they are due."""

    def __init__(
        self,
        fd: int,
        behaviours: Mapping[str, tuple[str, Behaviour]],
        agents: Mapping[str, Answerer],
        seed: int,
        on_gone: Callable[[], None],
    ) -> None:
        """fd: the device, non-blocking. behaviours: by name, each with its address.

        agents: by address. on_gone: called when somebody has taken the device away.
        """
        self.stray_packets = 0
        self.write_errors = 0
        self._fd = fd
        self._on_gone = on_gone
        self._names = {
            name: SimulatedHost(name, how, seed) for name, (_, how) in behaviours.items()
        }
        self._lines = {_packed(behaviours[name][0]): line for name, line in self._names.items()}
        self._agents = {_packed(address): agent for address, agent in agents.items()}
        self._due: list[tuple[float, int, SimulatedHost, int, bytes, int]] = []
        self._numbers = itertools.count()
        self._asked: deque[tuple[float, SimulatedHost, Datagram]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to answer. The loop's selector must wait to the microsecond (SelectSelector)."""
        self._loop = loop
        loop.add_reader(self._fd, self._on_packets, loop)

    def stop(self) -> None:
        """Answer no more."""
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
        if self._timer is not None:
            self._timer.cancel()
        self._due.clear()
        self._asked.clear()

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """From now on this address answers so; what is on its way is lost if it falls silent."""
        self._names[name].behave(behaviour)

    def counts(self) -> dict[str, LineCounts]:
        """Every address so far, by name."""
        return {name: line.counts() for name, line in self._names.items()}

    def _on_packets(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(_BATCHES):
            more = self._read_batch(loop)
            self._send_due()
            if not more:
                break
        self._arm(loop)

    def _read_batch(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Take in some packets; False: there are no more."""
        read, fd = os.read, self._fd
        for _ in range(_BATCH):
            try:
                packet = read(fd, _READ_BYTES)
            except BlockingIOError:
                return False
            except OSError:
                self.stop()
                self._on_gone()
                return False
            if _is_echo_v4(packet):
                self._on_echo(packet[16:20], packet, echo_reply_v4)
            elif _is_echo_v6(packet):
                self._on_echo(packet[24:40], packet, echo_reply_v6)
            else:
                self._on_other(packet, loop)
        return True

    def _on_echo(
        self, destination: bytes, packet: bytes, reply_to: Callable[[bytes], bytes]
    ) -> None:
        line = self._lines.get(destination)
        if line is None:
            self.stray_packets += 1
            return
        line.requests += 1
        if self._passes(line, packet):
            reply = reply_to(packet)
            self._push(line, reply, _Sent.ECHO)
            if line.doubles():
                self._push(line, reply, _Sent.OTHER)

    def _passes(self, line: SimulatedHost, packet: bytes) -> bool:
        """Whether a packet reaches the address; an ICMP error is sent where one is scripted."""
        if line.answers:
            if line.loses():
                line.lost += 1
                return False
            return True
        if line.router is not None:
            how = line.behaviour
            error = unreachable(packet, line.router, how.unreachable_code, how.quote_bytes)
            self._push(line, error, _Sent.UNREACHABLE)
        return False

    def _on_other(self, packet: bytes, loop: asyncio.AbstractEventLoop) -> None:
        datagram = read_datagram(packet)
        line = self._lines.get(datagram.destination) if datagram is not None else None
        if datagram is None or line is None:
            self.stray_packets += 1
        elif self._passes(line, packet):
            if datagram.destination in self._agents and datagram.destination_port == _SNMP_PORT:
                self._asked.append((time.monotonic(), line, datagram))
                if len(self._asked) == 1:
                    loop.call_soon(self._serve_agent, loop)
            else:
                error = unreachable(packet, datagram.destination, _CLOSED_PORT, None)
                self._push(line, error, _Sent.OTHER)

    def _serve_agent(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let one agent answer, at a moment when no echo is about to be due."""
        if not self._asked:
            return
        now = time.monotonic()
        arrived, line, datagram = self._asked[0]
        next_due = self._due[0][0] if self._due else math.inf
        if next_due - now < _AGENT_NEEDS_S and now - arrived < _AGENT_WAITS_S:
            loop.call_later(_AGENT_NEEDS_S / 2, self._serve_agent, loop)
            return
        self._asked.popleft()
        told = self._agents[datagram.destination](datagram.payload)
        if told is not None and line.answers:
            reply = Datagram(
                datagram.destination if told.source is None else _packed(told.source),
                datagram.source,
                datagram.destination_port,
                datagram.source_port,
                told.message,
            )
            self._push(line, write_datagram(reply), _Sent.OTHER)
            self._arm(loop)
        if self._asked:
            loop.call_soon(self._serve_agent, loop)

    def _push(self, line: SimulatedHost, packet: bytes, sent: int) -> None:
        """Let a packet leave after the line's delay."""
        due = time.monotonic() + line.draw_delay_s()
        entry = (due, next(self._numbers), line, line.epoch, packet, sent)
        heapq.heappush(self._due, entry)

    def _send_due(self) -> None:
        due, write, fd = self._due, os.write, self._fd
        now = time.monotonic() + _EARLY_S
        while due and due[0][0] <= now:
            _, _, line, epoch, packet, sent = heapq.heappop(due)
            if epoch != line.epoch:
                continue
            try:
                write(fd, packet)
            except OSError:
                self.write_errors += 1
                continue
            if sent == _Sent.ECHO:
                line.answered += 1
            elif sent == _Sent.UNREACHABLE:
                line.unreachable += 1

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake up when the next packet is due."""
        if not self._due:
            return
        due = self._due[0][0]
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._on_time, loop)

    def _on_time(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._send_due()
        self._arm(loop)


def _is_echo_v4(packet: bytes) -> bool:
    """An echo request, whole and without IP options."""
    return (
        len(packet) >= 28
        and packet[0] == 0x45
        and packet[9] == ICMP
        and packet[20] == 8
        and not packet[6] & 0x3F
        and not packet[7]
    )


def _is_echo_v6(packet: bytes) -> bool:
    return len(packet) >= 48 and packet[0] >> 4 == 6 and packet[6] == ICMPV6 and packet[40] == 128


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed
