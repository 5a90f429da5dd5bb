"""Questions to one router that take more than one message: many objects, and walks.

Bounded in every direction: at most 20 objects a message, fewer for a router that once said
tooBig, walks by rows, messages and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp.codec import (
    Absent,
    Oid,
    SnmpRequest,
    Value,
    VarBind,
    bulk_request,
    get_request,
)
from monitor.adapters.snmp.exchange import Peer, SnmpExchange
from monitor.adapters.snmp.trouble import REFUSED, RouterTrouble

_FIRST_LIMIT = 20
_TOO_BIG = 1
_SMALLEST_LIMIT = 3
_WALK_MESSAGES = 250
_WALK_ROWS = 4000
_READY = 64

_ERRORS = {
    2: "noSuchName",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
"""RFC 3416, 3: the error-status values that a GET may bring."""


@dataclass(frozen=True, slots=True)
class Group:
    """Objects that are read together. key is asked beside them in every message that holds any."""

    key: tuple[Oid, ...]
    members: tuple[Oid, ...]


Reading = Mapping[Oid, Value]
"""The objects of one answer: what the router told at one moment."""


def pack(head: Sequence[Oid], groups: Sequence[Group], limit: int) -> list[tuple[Oid, ...]]:
    """The objects of each message: `head` in all of them, at most `limit` in any.

    A group is split only when it does not fit into a message of its own. `limit` leaves room
    for at least one member beside the head and the key.
    """
    messages: list[tuple[Oid, ...]] = []
    current: list[Oid] = list(head)
    for group in groups:
        if len(current) + len(group.key) + len(group.members) <= limit:
            current += [*group.key, *group.members]
            continue
        if len(current) > len(head):
            messages.append(tuple(current))
            current = list(head)
        room = max(1, limit - len(head) - len(group.key))
        for start in range(0, len(group.members), room):
            if len(current) > len(head):
                messages.append(tuple(current))
            current = [*head, *group.key, *group.members[start : start + room]]
    if len(current) > len(head) or not messages:
        messages.append(tuple(current))
    return messages


class Session:
    """One router's conversation: remembers how much fits into one of its answers."""

    def __init__(self, exchange: SnmpExchange, peer: Peer, walk_s: float = 10.0) -> None:
        self._exchange = exchange
        self._peer = peer
        self._walk_s = walk_s
        self._limit = _FIRST_LIMIT
        self._repetitions = _FIRST_LIMIT
        self._ready: dict[tuple[Oid, ...], SnmpRequest] = {}

    async def get(
        self, head: Sequence[Oid], groups: Sequence[Group], deadline_s: float
    ) -> list[Reading]:
        """All objects of the groups, in as many messages as it takes. Raises RouterTrouble."""
        while True:
            readings: list[Reading] = []
            for oids in pack(head, groups, self._limit):
                reading = await self._get(oids, deadline_s)
                if reading is None:
                    break
                readings.append(reading)
            else:
                return readings

    async def walk(
        self,
        column: Oid,
        deadline_s: float,
        enough: Callable[[VarBind], bool] | None = None,
    ) -> list[VarBind]:
        """Every instance under `column`, in order; ends early when `enough` says so.

        Raises RouterTrouble, also when the column is longer than any real one, or is not at
        its end in time.
        """
        loop = asyncio.get_running_loop()
        until_s = min(deadline_s, loop.time() + self._walk_s)
        rows: list[VarBind] = []
        last = column
        for _ in range(_WALK_MESSAGES):
            try:
                answer = await self._exchange.ask(
                    self._peer, bulk_request(last, self._repetitions), until_s
                )
            except RouterTrouble:
                # The last wait was cut short by our own limit, not by the router's silence.
                if rows and loop.time() >= until_s:
                    break
                raise
            if answer.error == _TOO_BIG:
                self._repetitions = _halved(self._repetitions, 1)
                continue
            if answer.error:
                raise _refused(answer.error)
            for row in answer.varbinds:
                if row.value is Absent.END_OF_VIEW or row.oid[: len(column)] != column:
                    return rows
                rows.append(row)
                if enough is not None and enough(row):
                    return rows
            last = rows[-1].oid
            if len(rows) > _WALK_ROWS:
                break
        raise RouterTrouble("walk-too-long", f"{len(rows)} rows and no end")

    async def _get(self, oids: tuple[Oid, ...], deadline_s: float) -> Reading | None:
        """One GET; None after tooBig, when the limit is lower than before."""
        request = self._ready.get(oids)
        if request is None:
            if len(self._ready) >= _READY:
                self._ready.clear()
            request = self._ready[oids] = get_request(oids)
        answer = await self._exchange.ask(self._peer, request, deadline_s)
        if answer.error == _TOO_BIG:
            self._limit = _halved(min(self._limit, len(oids)), _SMALLEST_LIMIT)
            self._ready.clear()
            return None
        if answer.error:
            raise _refused(answer.error)
        return {varbind.oid: varbind.value for varbind in answer.varbinds}


def _halved(size: int, smallest: int) -> int:
    if size <= smallest:
        raise RouterTrouble("too-big", "the router cannot answer even the smallest question")
    return max(smallest, size // 2)


def _refused(error: int) -> RouterTrouble:
    return RouterTrouble(REFUSED, _ERRORS.get(error, f"error-status {error}"))
