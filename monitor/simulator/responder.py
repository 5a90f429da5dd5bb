"""Reply to packets read from the TUN device, each after its simulated delay.

One event loop handles 10,000 echo requests a second on one core: packets are read in batches, a
reply is made by patching its request, and is kept in a heap until it is due.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import itertools
import math
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from monitor.simulator.behaviour import MAX_JITTER_FACTOR, Behaviour, ReplyMode
from monitor.simulator.packets import (
    ICMP,
    ICMPV6,
    Datagram,
    echo_reply_v4,
    echo_reply_v6,
    read_datagram,
    time_exceeded,
    unreachable,
    write_datagram,
)


@dataclass(frozen=True, slots=True)
class HostCounters:
    """Packets of one address since the start. answered: replies sent, without duplicates.

    lost: requests dropped by simulated loss; unreachable: ICMP errors sent; expired: "time
    exceeded" sent as a router on the way, about requests to others; traced: requests of a small TTL
    that arrived, which are in none of the others. Requests in none of these were not answered
    (silent), or the reply is not due yet.
    """

    requests: int
    answered: int
    lost: int
    unreachable: int
    expired: int = 0
    traced: int = 0


class SimulatedHost:
    """One simulated address: its behaviour and packet counters.

    epoch is incremented whenever the address becomes silent: replies that are not sent yet are
    dropped, as when a cable is cut.
    """

    __slots__ = (
        "address",
        "answered",
        "answers",
        "behaviour",
        "delay_s",
        "duplicate_ratio",
        "epoch",
        "expired",
        "jitter_s",
        "loss_ratio",
        "lost",
        "path",
        "requests",
        "rng",
        "router",
        "traced",
        "ttl_allowed",
        "ttl_counted_s",
        "unreachable",
    )

    def __init__(self, name: str, behaviour: Behaviour, seed: int, address: bytes = b"") -> None:
        self.address = address
        self.path: tuple[SimulatedHost, ...] = ()
        self.expired = 0
        self.traced = 0
        self.ttl_allowed = 1.0
        self.ttl_counted_s = 0.0
        self.rng = random.Random(f"{seed}:line:{name}").random  # noqa: S311 - simulated loss
        self.epoch = 0
        self.requests = 0
        self.answered = 0
        self.lost = 0
        self.unreachable = 0
        self.set_behaviour(behaviour)

    def set_behaviour(self, behaviour: Behaviour) -> None:
        """Set the behaviour."""
        self.behaviour = behaviour
        self.answers = behaviour.mode is ReplyMode.ANSWERED
        self.delay_s = behaviour.delay_ms / 1000.0
        self.jitter_s = behaviour.jitter_ms / 1000.0
        self.loss_ratio = behaviour.loss_ratio
        self.duplicate_ratio = behaviour.duplicate_ratio
        sender = behaviour.unreachable_from
        self.router = ipaddress.ip_address(sender).packed if sender else None
        self.epoch += not self.answers

    def loses(self) -> bool:
        """Whether the next request is lost."""
        return self.loss_ratio > 0.0 and self.rng() < self.loss_ratio

    def duplicates(self) -> bool:
        """Whether the next reply is sent twice."""
        return self.duplicate_ratio > 0.0 and self.rng() < self.duplicate_ratio

    def draw_delay_s(self) -> float:
        """Delay of the next reply."""
        jitter = -math.log(1.0 - self.rng())
        return self.delay_s + self.jitter_s * min(jitter, MAX_JITTER_FACTOR)

    def may_report_expired(self, now_s: float) -> bool:
        """Whether it sends "time exceeded" now: it works, does so, and is within its limit."""
        how = self.behaviour
        if not self.answers or how.ttl_silent:
            return False
        if how.ttl_per_s is None:
            return True
        # A bucket of one token, as in Linux's limit of ICMP errors.
        self.ttl_allowed += (now_s - self.ttl_counted_s) * how.ttl_per_s
        self.ttl_allowed = min(1.0, self.ttl_allowed)
        self.ttl_counted_s = now_s
        if self.ttl_allowed < 1.0:
            return False
        self.ttl_allowed -= 1.0
        return True

    def counts(self) -> HostCounters:
        """Counters since the start."""
        return HostCounters(
            self.requests, self.answered, self.lost, self.unreachable, self.expired, self.traced
        )


class AgentReply(NamedTuple):
    """Response of an SNMP agent. source: its source address; None: the address that was queried."""

    message: bytes
    source: str | None = None


AgentHandler = Callable[[bytes], AgentReply | None]
"""Handles an SNMP message; None: no response."""

_READ_BYTES = 2048
_BATCH = 32  # packets read before replies that are due get their turn
_BATCHES = 8  # before the event loop gets its turn
_EARLY_S = 0.00008  # replies due within this are sent together
_SNMP_PORT = 161
_TRACE_TTL = 32
"""Requests of traces have at most this TTL when they arrive, others begin with 64."""
_CLOSED_PORT = 3  # the code of ICMP: port unreachable
_AGENT_DURATION_S = 0.003  # no echo reply should become due while an agent computes
_AGENT_MAX_WAIT_S = 0.020


class _Sent(IntEnum):
    """The counter that is incremented when a packet is sent."""

    ECHO = 0
    UNREACHABLE = 1
    OTHER = 2
    EXPIRED = 3


class PacketResponder:
    """Reads requests from a TUN device and writes replies when they are due."""

    def __init__(
        self,
        fd: int,
        behaviours: Mapping[str, tuple[str, Behaviour]],
        agents: Mapping[str, AgentHandler],
        seed: int,
        on_gone: Callable[[], None],
    ) -> None:
        """fd: the device, non-blocking. behaviours: by name, each with its address.

        agents: by address. on_gone: called when the device was removed.
        """
        self.stray_packets = 0
        self.write_errors = 0
        self._fd = fd
        self._on_gone = on_gone
        self._hosts_by_name = {
            name: SimulatedHost(name, how, seed, _packed(address))
            for name, (address, how) in behaviours.items()
        }
        self._hosts_by_address = {
            _packed(behaviours[name][0]): host for name, host in self._hosts_by_name.items()
        }
        self._agents = {_packed(address): agent for address, agent in agents.items()}
        self._due: list[tuple[float, int, SimulatedHost, int, bytes, int]] = []
        self._numbers = itertools.count()
        self._queries: deque[tuple[float, SimulatedHost, Datagram]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start replying. The loop's selector needs microsecond resolution (SelectSelector)."""
        self._loop = loop
        loop.add_reader(self._fd, self._on_packets, loop)

    def stop(self) -> None:
        """Stop replying."""
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
        if self._timer is not None:
            self._timer.cancel()
        self._due.clear()
        self._queries.clear()

    def set_behaviour(self, name: str, behaviour: Behaviour) -> None:
        """Set how an address replies; pending replies are dropped if it becomes silent."""
        self._hosts_by_name[name].set_behaviour(behaviour)

    def set_path(self, name: str, path: Sequence[str]) -> None:
        """Set the nodes on the way to an address; one of the other family is left out."""
        host = self._hosts_by_name[name]
        routers = (self._hosts_by_name[router] for router in path)
        host.path = tuple(one for one in routers if len(one.address) == len(host.address))

    def counts(self) -> dict[str, HostCounters]:
        """Counters of every address, by name."""
        return {name: host.counts() for name, host in self._hosts_by_name.items()}

    def _on_packets(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(_BATCHES):
            more = self._read_batch(loop)
            self._send_due()
            if not more:
                break
        self._arm(loop)

    def _read_batch(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Read a batch of packets; False: none are left."""
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
                self._on_echo(packet[16:20], packet[8], packet, echo_reply_v4)
            elif _is_echo_v6(packet):
                self._on_echo(packet[24:40], packet[7], packet, echo_reply_v6)
            else:
                self._on_other(packet, loop)
        return True

    def _on_echo(
        self, destination: bytes, ttl: int, packet: bytes, reply_to: Callable[[bytes], bytes]
    ) -> None:
        host = self._hosts_by_address.get(destination)
        if host is None:
            self.stray_packets += 1
            return
        if ttl <= len(host.path):
            self._on_expired(host.path[ttl - 1], packet)
            return
        if ttl <= _TRACE_TTL:
            self._on_traced(host, packet, reply_to)
            return
        host.requests += 1
        if self._passes(host, packet):
            reply = reply_to(packet)
            self._push(host, reply, _Sent.ECHO)
            if host.duplicates():
                self._push(host, reply, _Sent.OTHER)

    def _on_expired(self, router: SimulatedHost, packet: bytes) -> None:
        """The packet's TTL ends at a router on the way, which is silent behind a cut."""
        if router.may_report_expired(time.monotonic()) and not router.loses():
            self._push(router, time_exceeded(packet, router.address), _Sent.EXPIRED)

    def _on_traced(
        self, host: SimulatedHost, packet: bytes, reply_to: Callable[[bytes], bytes]
    ) -> None:
        """A request of a trace reached its target."""
        host.traced += 1
        if host.answers:
            if not host.loses():
                self._push(host, reply_to(packet), _Sent.OTHER)
        elif host.router is not None:
            how = host.behaviour
            error = unreachable(packet, host.router, how.unreachable_code, how.quote_bytes)
            self._push(host, error, _Sent.OTHER)

    def _passes(self, host: SimulatedHost, packet: bytes) -> bool:
        """Whether a packet reaches the address; otherwise an ICMP error is sent if configured."""
        if host.answers:
            if host.loses():
                host.lost += 1
                return False
            return True
        if host.router is not None:
            how = host.behaviour
            error = unreachable(packet, host.router, how.unreachable_code, how.quote_bytes)
            self._push(host, error, _Sent.UNREACHABLE)
        return False

    def _on_other(self, packet: bytes, loop: asyncio.AbstractEventLoop) -> None:
        datagram = read_datagram(packet)
        host = self._hosts_by_address.get(datagram.destination) if datagram is not None else None
        if datagram is None or host is None:
            self.stray_packets += 1
        elif self._passes(host, packet):
            if datagram.destination in self._agents and datagram.destination_port == _SNMP_PORT:
                self._queries.append((time.monotonic(), host, datagram))
                if len(self._queries) == 1:
                    loop.call_soon(self._serve_agent, loop)
            else:
                error = unreachable(packet, datagram.destination, _CLOSED_PORT, None)
                self._push(host, error, _Sent.OTHER)

    def _serve_agent(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run one agent's handler when no echo reply is about to be due."""
        if not self._queries:
            return
        now = time.monotonic()
        arrived, host, datagram = self._queries[0]
        next_due = self._due[0][0] if self._due else math.inf
        if next_due - now < _AGENT_DURATION_S and now - arrived < _AGENT_MAX_WAIT_S:
            loop.call_later(_AGENT_DURATION_S / 2, self._serve_agent, loop)
            return
        self._queries.popleft()
        response = self._agents[datagram.destination](datagram.payload)
        if response is not None and host.answers:
            reply = Datagram(
                datagram.destination if response.source is None else _packed(response.source),
                datagram.source,
                datagram.destination_port,
                datagram.source_port,
                response.message,
            )
            self._push(host, write_datagram(reply), _Sent.OTHER)
            self._arm(loop)
        if self._queries:
            loop.call_soon(self._serve_agent, loop)

    def _push(self, host: SimulatedHost, packet: bytes, sent: int) -> None:
        """Queue a packet for after the host's delay."""
        due = time.monotonic() + host.draw_delay_s()
        entry = (due, next(self._numbers), host, host.epoch, packet, sent)
        heapq.heappush(self._due, entry)

    def _send_due(self) -> None:
        due, write, fd = self._due, os.write, self._fd
        now = time.monotonic() + _EARLY_S
        while due and due[0][0] <= now:
            _, _, host, epoch, packet, sent = heapq.heappop(due)
            if epoch != host.epoch:
                continue
            try:
                write(fd, packet)
            except OSError:
                self.write_errors += 1
                continue
            if sent == _Sent.ECHO:
                host.answered += 1
            elif sent == _Sent.UNREACHABLE:
                host.unreachable += 1
            elif sent == _Sent.EXPIRED:
                host.expired += 1

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer for the next due packet."""
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
    """Whether it is an unfragmented echo request without IP options."""
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
