"""Every request of one row of `ping`, packed into about 30 bytes: what a replay needs.

    first     varint: how long before the row's time (ms, zigzag) the first request was sent
    each      but for the first: varint, how much longer than the last pause this one is
              (ms, zigzag: a steady round says 0), then what became of it, a varint:
              0 lost · 1 not measured, then a byte of length and the errno's name ·
              n ≥ 2 a reply, n - 2: how much longer than the last one (µs, zigzag)

Varints of 7 bits, the lowest first (as Protocol Buffers has them:
https://protobuf.dev/programming-guides/encoding/#varints , zigzag there too).
Times are kept to the millisecond, round-trip times to the microsecond.
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

REACH_S = 300.0
"""No row holds a request that was sent longer before the row's time than this."""


class RecordedRequest(NamedTuple):
    """One request as it is kept. sent_ms: Unix ms; rtt_us None without an error: lost."""

    sent_ms: int
    target: str
    rtt_us: int | None = None
    error: str | None = None


class RecordedRequests:
    """The outcomes of one row, packed when somebody asks: not on the path of the verdicts.

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
        """The bytes to keep; the outcomes are let go."""
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
    kept = bytearray()
    _put_signed(kept, at_ms - sent_ms)
    pause_ms = rtt_us = 0
    begun = False
    for outcome in ordered:
        now_ms = round((outcome.sent_s + shift_s) * 1000)
        if begun:
            _put_signed(kept, now_ms - sent_ms - pause_ms)
            pause_ms = now_ms - sent_ms
        begun = True
        sent_ms = now_ms
        if isinstance(outcome, Reply):
            now_us = round(outcome.rtt_ms * 1000)
            _put(kept, FIRST_REPLY + _zigzag(now_us - rtt_us))
            rtt_us = now_us
        elif isinstance(outcome, NotMeasured):
            reason = outcome.reason.encode()[:255]
            kept += bytes((ERROR, len(reason))) + reason
        else:
            kept.append(LOST)
    return bytes(kept)


def unpack(kept: bytes, target: str, at_ms: int) -> Iterator[RecordedRequest]:
    """The requests of one row, in the order of sending. Raises ValueError for other bytes."""
    place, end = 0, len(kept)
    sent_ms, pause_ms, rtt_us = at_ms, 0, 0
    begun = False
    try:
        while place < end:
            step, place = _take_signed(kept, place)
            if begun:
                pause_ms += step
                sent_ms += pause_ms
            else:
                sent_ms -= step
                begun = True
            value, place = _take(kept, place)
            if value >= FIRST_REPLY:
                rtt_us += _unzigzag(value - FIRST_REPLY)
                yield RecordedRequest(sent_ms, target, rtt_us)
            elif value == ERROR:
                length = kept[place]
                yield RecordedRequest(
                    sent_ms, target, error=kept[place + 1 : place + 1 + length].decode()
                )
                place += 1 + length
            else:
                yield RecordedRequest(sent_ms, target)
    except IndexError:
        raise ValueError(f"the requests of {target} at {at_ms} are cut short") from None


def in_order(
    rows: Iterable[tuple[int, str, bytes]], reach_s: float = REACH_S
) -> Iterator[RecordedRequest]:
    """All requests by the time of sending, then by target.

    rows: (time in Unix ms, target, packed), in order of time. What was sent longer than `reach_s`
    before its row's time comes first of what is left.
    """
    waiting: list[tuple[int, str, int, RecordedRequest]] = []
    number = count()
    reach_ms = round(reach_s * 1000)
    for at_ms, target, kept in rows:
        while waiting and waiting[0][0] < at_ms - reach_ms:
            yield heapq.heappop(waiting)[-1]
        for request in unpack(kept, target, at_ms):
            heapq.heappush(waiting, (request.sent_ms, target, next(number), request))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return -((value + 1) >> 1) if value & 1 else value >> 1


def _put(kept: bytearray, value: int) -> None:
    while value > 0x7F:
        kept.append(value & 0x7F | 0x80)
        value >>= 7
    kept.append(value)


def _put_signed(kept: bytearray, value: int) -> None:
    _put(kept, _zigzag(value))


def _take(kept: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = kept[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _take_signed(kept: bytes, place: int) -> tuple[int, int]:
    value, place = _take(kept, place)
    return _unzigzag(value), place
