"""Reads of one router that take several messages: GETs of many objects, and walks.

Bounded: at most 20 objects a message, fewer for a router that has returned tooBig; walks by rows,
messages and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.adapters.snmp.errors import REFUSED, PollError
from monitor.adapters.snmp.messages import (
    TOO_BIG,
    Absent,
    Oid,
    SnmpRequest,
    Value,
    VarBind,
    bulk_request,
    get_request,
)
from monitor.adapters.snmp.transport import Peer, SnmpTransport

_MAX_OBJECTS = 20
_MIN_OBJECTS = 3
_MAX_WALK_MESSAGES = 250
_MAX_WALK_ROWS = 4000
_CACHED_REQUESTS = 64

_ERROR_STATUS = {
    2: "noSuchName",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
"""RFC 3416, 3: the values that a GET may return."""


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """Objects that are read together. key: added to every message that holds any of them."""

    key: tuple[Oid, ...]
    members: tuple[Oid, ...]


Reading = Mapping[Oid, Value]
"""The objects of one response: all of one moment."""


def pack_objects(
    head: Sequence[Oid], groups: Sequence[ObjectGroup], limit: int
) -> list[tuple[Oid, ...]]:
    """Distribute objects to messages: `head` in each, at most `limit` objects in any.

    A group is split only if it does not fit into a message of its own.
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


class SnmpSession:
    """GETs and walks of one router; remembers how many objects fit into its responses."""

    def __init__(self, transport: SnmpTransport, peer: Peer, walk_s: float = 10.0) -> None:
        self._transport = transport
        self._peer = peer
        self._walk_s = walk_s
        self._limit = _MAX_OBJECTS
        self._repetitions = _MAX_OBJECTS
        self._requests: dict[tuple[Oid, ...], SnmpRequest] = {}

    async def get(
        self, head: Sequence[Oid], groups: Sequence[ObjectGroup], deadline_s: float
    ) -> list[Reading]:
        """All objects of the groups, in as many messages as it takes. Raises PollError."""
        while True:
            readings: list[Reading] = []
            for oids in pack_objects(head, groups, self._limit):
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
        """Every instance under `column`, in order; ends early after a row for which `enough` holds.

        Raises PollError, also when the column has no end within the limits.
        """
        loop = asyncio.get_running_loop()
        until_s = min(deadline_s, loop.time() + self._walk_s)
        rows: list[VarBind] = []
        last = column
        for _ in range(_MAX_WALK_MESSAGES):
            request = bulk_request(last, self._repetitions)
            try:
                response = await self._transport.request(self._peer, request, until_s)
            except PollError:
                # Our own limit cut the last wait short: the router was not silent.
                if rows and loop.time() >= until_s:
                    break
                raise
            if response.error == TOO_BIG:
                self._repetitions = _halved(self._repetitions, 1)
                continue
            if response.error:
                raise _refused(response.error)
            for row in response.varbinds:
                if row.value is Absent.END_OF_VIEW or row.oid[: len(column)] != column:
                    return rows
                rows.append(row)
                if enough is not None and enough(row):
                    return rows
            last = rows[-1].oid
            if len(rows) > _MAX_WALK_ROWS:
                break
        raise self._transport.distrust(self._peer, f"{len(rows)} rows and no end")

    async def _get(self, oids: tuple[Oid, ...], deadline_s: float) -> Reading | None:
        """One GET; None after tooBig: the limit is now lower."""
        request = self._requests.get(oids)
        if request is None:
            if len(self._requests) >= _CACHED_REQUESTS:
                self._requests.clear()
            request = self._requests[oids] = get_request(oids)
        response = await self._transport.request(self._peer, request, deadline_s)
        if response.error == TOO_BIG:
            self._limit = _halved(min(self._limit, len(oids)), _MIN_OBJECTS)
            self._requests.clear()
            return None
        if response.error:
            raise _refused(response.error)
        return {varbind.oid: varbind.value for varbind in response.varbinds}


def _halved(size: int, smallest: int) -> int:
    if size <= smallest:
        raise PollError("too-big", "the router cannot answer even the smallest request")
    return max(smallest, size // 2)


def _refused(error: int) -> PollError:
    return PollError(REFUSED, _ERROR_STATUS.get(error, f"error-status {error}"))
