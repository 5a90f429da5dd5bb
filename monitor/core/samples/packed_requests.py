"""Pack every request of one row of `ping` into about 30 bytes; replay reads them.

    first     varint: how long before the row's time (ms, zigzag) the first request was sent
    each      but for the first: varint, how much longer than the last pause this one is
              (ms, zigzag: a steady round says 0), then its outcome, a varint:
              0 lost · 1 not measured, then a byte of length and the errno's name ·
              n ≥ 2 a reply, n - 2: how much longer than the last one (µs, zigzag)

Varints of 7 bits, the lowest first (as Protocol Buffers has them:
https://protobuf.dev/programming-guides/encoding/#varints , zigzag there too).
Times are data to the millisecond, round-trip times to the microsecond.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from monitor.core.model import NotMeasured, Outcome, Reply

LOST = 0
ERROR = 1
FIRST_REPLY = 2

MAX_SPAN_S = 300.0
"""No request was sent longer before the time of its row than this."""


class RecordedRequest(NamedTuple):
    """One stored request. sent_ms: Unix ms; rtt_us None without an error: lost."""

    sent_ms: int
    target: str
    rtt_us: int | None = None
    error: str | None = None


class RecordedRequests:
    """The outcomes of one row, packed on demand: detection does not wait for it.

    at_s: the row's time (UTC). shift_s: what turns the outcomes' steady times into UTC.
    """

    __slots__ = ("_at_ms", "_outcomes", "_packed", "_shift_s")

    def __init__(self, at_s: float, shift_s: float, outcomes: Sequence[Outcome]) -> None:
        self._at_ms = round(at_s * 1000)
        self._shift_s = shift_s
        self._outcomes = outcomes
        self._packed: bytes | None = None

    @property
    def is_packed(self) -> bool:
        return self._packed is not None

    def packed(self) -> bytes:
        """The bytes to store; the outcomes are released."""
        if self._packed is None:
            self._packed = pack(self._outcomes, self._at_ms, self._shift_s)
            self._outcomes = ()
        return self._packed


def pack(outcomes: Iterable[Outcome], at_ms: int, shift_s: float = 0.0) -> bytes:
    """at_ms: the row's time, Unix ms. Outcomes in any order; b"" for none."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.sent_s)
    if not ordered:
        return b""
    sent_ms = round((ordered[0].sent_s + shift_s) * 1000)
    data = bytearray()
    _put_signed(data, at_ms - sent_ms)
    pause_ms = rtt_us = 0
    begun = False
    for outcome in ordered:
        now_ms = round((outcome.sent_s + shift_s) * 1000)
        if begun:
            _put_signed(data, now_ms - sent_ms - pause_ms)
            pause_ms = now_ms - sent_ms
        begun = True
        sent_ms = now_ms
        if isinstance(outcome, Reply):
            now_us = round(outcome.rtt_ms * 1000)
            _put(data, FIRST_REPLY + _zigzag(now_us - rtt_us))
            rtt_us = now_us
        elif isinstance(outcome, NotMeasured):
            reason = outcome.reason.encode()[:255]
            data += bytes((ERROR, len(reason))) + reason
        else:
            data.append(LOST)
    return bytes(data)


def unpack(data: bytes, target: str, at_ms: int) -> Iterator[RecordedRequest]:
    """The requests of one row, in the order of sending. Raises ValueError for other bytes."""
    position, end = 0, len(data)
    sent_ms, pause_ms, rtt_us = at_ms, 0, 0
    begun = False
    try:
        while position < end:
            step, position = _take_signed(data, position)
            if begun:
                pause_ms += step
                sent_ms += pause_ms
            else:
                sent_ms -= step
                begun = True
            value, position = _take(data, position)
            if value >= FIRST_REPLY:
                rtt_us += _unzigzag(value - FIRST_REPLY)
                yield RecordedRequest(sent_ms, target, rtt_us)
            elif value == ERROR:
                length = data[position]
                yield RecordedRequest(
                    sent_ms, target, error=data[position + 1 : position + 1 + length].decode()
                )
                position += 1 + length
            else:
                yield RecordedRequest(sent_ms, target)
    except IndexError:
        raise ValueError(f"the requests of {target} at {at_ms} are cut short") from None


def requests_in_order(
    rows: Iterable[tuple[int, str, bytes]], max_span_s: float = MAX_SPAN_S
) -> Iterator[RecordedRequest]:
    """All requests by the time of sending, then by target.

    rows: (time in Unix ms, target, packed), in order of time. A request that was sent longer than
    `max_span_s` before its row's time comes out of order.
    """
    waiting: list[tuple[int, str, int, RecordedRequest]] = []
    number = count()
    max_span_ms = round(max_span_s * 1000)
    for at_ms, target, data in rows:
        while waiting and waiting[0][0] < at_ms - max_span_ms:
            yield heapq.heappop(waiting)[-1]
        for request in unpack(data, target, at_ms):
            heapq.heappush(waiting, (request.sent_ms, target, next(number), request))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return -((value + 1) >> 1) if value & 1 else value >> 1


def _put(data: bytearray, value: int) -> None:
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)


def _put_signed(data: bytearray, value: int) -> None:
    _put(data, _zigzag(value))


def _take(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _take_signed(data: bytes, position: int) -> tuple[int, int]:
    value, position = _take(data, position)
    return _unzigzag(value), position
