"""Accumulators: recent loss (confirm rule), loss and RTT of a window (DEGRADED), a running mean.

They are mutable and keep counts instead of requests: a million replies an hour go through them.
"""

from __future__ import annotations

from collections import deque
from math import inf, sqrt

BUCKET_S = 10
BUCKETS = 60
SHORT_BUCKETS = 6
LOSS_FLOOR = 0.005
LOSS_CEILING = 0.6
Z_95 = 1.6449
CLEAR_SHARE = 0.8


def wilson_upper(lost: int, sent: int) -> float:
    """Upper 95 % bound (one-sided) of a loss ratio seen as `lost` of `sent`; 1.0 when sent is 0.

    Wilson's score interval: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212.
    """
    if sent == 0:
        return 1.0
    ratio = lost / sent
    z2 = Z_95 * Z_95
    centre = ratio + z2 / (2 * sent)
    spread = Z_95 * sqrt(ratio * (1 - ratio) / sent + z2 / (4 * sent * sent))
    return (centre + spread) / (1 + z2 / sent)


class LossHistory:
    """Requests and losses of the last 60 s and 10 min, in buckets of 10 s.

    Requests of the present run of losses and of a DOWN, UNREACHABLE or UNKNOWN interval are not
    added.
    """

    __slots__ = ("_lost", "_newest", "_sent")

    def __init__(self) -> None:
        self._sent = [0] * BUCKETS
        self._lost = [0] * BUCKETS
        self._newest = 0

    def add(self, sent_s: float, lost: int) -> None:
        """One request sent at `sent_s`; lost is 0 or 1. Older than 10 min: ignored."""
        bucket = int(sent_s // BUCKET_S)
        if bucket > self._newest:
            self._move_to(bucket)
        elif bucket <= self._newest - BUCKETS:
            return
        place = bucket % BUCKETS
        self._sent[place] += 1
        self._lost[place] += lost

    def _move_to(self, bucket: int) -> None:
        for old in range(max(self._newest + 1, bucket - BUCKETS + 1), bucket + 1):
            self._sent[old % BUCKETS] = 0
            self._lost[old % BUCKETS] = 0
        self._newest = bucket

    def _counts(self, now_bucket: int, buckets: int) -> tuple[int, int]:
        first = max(now_bucket - buckets + 1, self._newest - BUCKETS + 1)
        places = [b % BUCKETS for b in range(first, self._newest + 1)]
        return sum(self._lost[p] for p in places), sum(self._sent[p] for p in places)

    def upper_loss(self, now_s: float) -> float:
        """The larger of the upper bounds of the last 60 s and the last 10 min, clamped.

        A span without a request is left out; without any request it is `LOSS_CEILING`.
        """
        now_bucket = int(now_s // BUCKET_S)
        bounds = [
            wilson_upper(lost, sent)
            for lost, sent in (
                self._counts(now_bucket, SHORT_BUCKETS),
                self._counts(now_bucket, BUCKETS),
            )
            if sent
        ]
        return min(max(*bounds, LOSS_FLOOR), LOSS_CEILING) if bounds else LOSS_CEILING

    def ratio(self, now_s: float) -> float | None:
        """The plain loss ratio of the last 10 min; None without a request."""
        lost, sent = self._counts(int(now_s // BUCKET_S), BUCKETS)
        return lost / sent if sent else None


class LossWindow:
    """Regular requests of the last `span_s`: their loss and their median RTT against a limit."""

    __slots__ = ("_clear_ms", "_entries", "_limit_ms", "_lost", "_over", "_over_clear", "_span_s")

    def __init__(self, span_s: float, rtt_limit_ms: float) -> None:
        self._span_s = span_s
        self._limit_ms = rtt_limit_ms
        self._clear_ms = rtt_limit_ms * CLEAR_SHARE
        self._entries: deque[tuple[float, float | None]] = deque()
        self.clear()

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
        self._lost = 0
        self._over = 0
        self._over_clear = 0

    def add(self, sent_s: float, rtt_ms: float | None) -> None:
        """A regular request; rtt_ms None: it was lost."""
        self._entries.append((sent_s, rtt_ms))
        if rtt_ms is None:
            self._lost += 1
        elif rtt_ms >= self._clear_ms:
            self._over_clear += 1
            if rtt_ms > self._limit_ms:
                self._over += 1
        oldest_s = sent_s - self._span_s
        while self._entries[0][0] <= oldest_s:
            gone_ms = self._entries.popleft()[1]
            if gone_ms is None:
                self._lost -= 1
            elif gone_ms >= self._clear_ms:
                self._over_clear -= 1
                if gone_ms > self._limit_ms:
                    self._over -= 1

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def quiet(self) -> bool:
        """Nothing is lost and no RTT is near the limit: no limit can be exceeded."""
        return not (self._lost or self._over_clear)

    def loss_ratio(self) -> float:
        """Lost / all; 0.0 when empty."""
        return self._lost / len(self._entries) if self._entries else 0.0

    def median_ms(self) -> float | None:
        """Median RTT of the replies (mean of the middle two); None without a reply."""
        rtts = sorted(rtt for _, rtt in self._entries if rtt is not None)
        if not rtts:
            return None
        half = len(rtts) // 2
        return rtts[half] if len(rtts) % 2 else (rtts[half - 1] + rtts[half]) / 2

    def median_over(self) -> bool:
        """Is the median RTT above the limit? By counts; sorted only on a tie."""
        replies = len(self._entries) - self._lost
        if self._over * 2 == replies and replies:
            median = self.median_ms()
            return median is not None and median > self._limit_ms
        return self._over * 2 > replies

    def median_cleared(self) -> bool:
        """Is the median RTT under 80 % of the limit? False without a reply."""
        replies = len(self._entries) - self._lost
        if self._over_clear * 2 == replies and replies:
            median = self.median_ms()
            return median is not None and median < self._clear_ms
        return replies > 0 and self._over_clear * 2 < replies


class RunningMean:
    """The mean over time of a share that holds until it is set again; it is 0 at first.

    Values older than the span of a call of `over` are forgotten.
    """

    __slots__ = ("_area", "_before", "_share", "_since_s")

    def __init__(self) -> None:
        self._before: deque[tuple[float, float, float]] = deque()
        self._area = 0.0
        self._share = 0.0
        self._since_s = -inf

    def set(self, at_s: float, share: float) -> None:
        """The share from `at_s` on; `at_s` never falls."""
        if share == self._share:
            return
        if self._share:
            self._before.append((self._since_s, at_s, self._share))
            self._area += self._share * (at_s - self._since_s)
        self._share = share
        self._since_s = at_s

    def over(self, span_s: float, now_s: float) -> float:
        """The mean of the last `span_s` seconds."""
        start_s = now_s - span_s
        before = self._before
        while before and before[0][1] <= start_s:
            from_s, to_s, share = before.popleft()
            self._area -= share * (to_s - from_s)
        if not before:
            self._area = 0.0
        area = self._area + self._share * (now_s - max(self._since_s, start_s))
        if before and before[0][0] < start_s:
            area -= before[0][2] * (start_s - before[0][0])
        return area / span_s
