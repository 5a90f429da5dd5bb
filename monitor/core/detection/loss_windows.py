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
BLIP_RUN = 2
MAX_BLIPS = 2
"""So many blips (at least `BLIP_RUN` lost in a row) in a window are no reason for DEGRADED."""


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
    """Requests of the last `span_s`: loss and median RTT of the regular ones against a limit.

    Requests at the confirm rate are kept only to see which losses follow one another.
    """

    __slots__ = (
        "_clear_ms",
        "_entries",
        "_limit_ms",
        "_lost",
        "_over",
        "_over_clear",
        "_regular",
        "_span_s",
    )

    def __init__(self, span_s: float, rtt_limit_ms: float) -> None:
        self._span_s = span_s
        self._limit_ms = rtt_limit_ms
        self._clear_ms = rtt_limit_ms * CLEAR_SHARE
        self._entries: deque[tuple[float, float | None, bool]] = deque()
        self.clear()

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
        self._regular = 0
        self._lost = 0
        self._over = 0
        self._over_clear = 0

    def add(self, sent_s: float, rtt_ms: float | None, is_regular: bool = True) -> None:
        """A request; rtt_ms None: it was lost. is_regular: it was sent at the steady rate."""
        self._entries.append((sent_s, rtt_ms, is_regular))
        if is_regular:
            self._count(rtt_ms, 1)
        oldest_s = sent_s - self._span_s
        while self._entries[0][0] <= oldest_s:
            _, gone_ms, was_regular = self._entries.popleft()
            if was_regular:
                self._count(gone_ms, -1)

    def _count(self, rtt_ms: float | None, step: int) -> None:
        self._regular += step
        if rtt_ms is None:
            self._lost += step
        elif rtt_ms >= self._clear_ms:
            self._over_clear += step
            if rtt_ms > self._limit_ms:
                self._over += step

    def __len__(self) -> int:
        return self._regular

    @property
    def quiet(self) -> bool:
        """Nothing is lost and no RTT is near the limit: no limit can be exceeded."""
        return not (self._lost or self._over_clear)

    def loss_ratio(self) -> float:
        """Lost / all; 0.0 when empty."""
        return self._lost / self._regular if self._regular else 0.0

    def loss_ratio_without_blips(self) -> float:
        """The same without the requests of blips, if there are at most `MAX_BLIPS` of them.

        A blip is `BLIP_RUN` or more lost in a row, in the order of sending.
        """
        blips: list[int] = []
        in_row = regular = 0
        for _, rtt_ms, is_regular in [*sorted(self._entries, key=_sent_s), (0.0, 0.0, False)]:
            if rtt_ms is None:
                in_row += 1
                regular += is_regular
                continue
            if in_row >= BLIP_RUN:
                blips.append(regular)
            in_row = regular = 0
        exempt = sum(blips) if len(blips) <= MAX_BLIPS else 0
        left = self._regular - exempt
        return (self._lost - exempt) / left if left else 0.0

    def median_ms(self) -> float | None:
        """Median RTT of the replies (mean of the middle two); None without a reply."""
        rtts = sorted(rtt for _, rtt, regular in self._entries if regular and rtt is not None)
        if not rtts:
            return None
        half = len(rtts) // 2
        return rtts[half] if len(rtts) % 2 else (rtts[half - 1] + rtts[half]) / 2

    def median_over(self) -> bool:
        """Is the median RTT above the limit? By counts; sorted only on a tie."""
        replies = self._regular - self._lost
        if self._over * 2 == replies and replies:
            median = self.median_ms()
            return median is not None and median > self._limit_ms
        return self._over * 2 > replies

    def median_cleared(self) -> bool:
        """Is the median RTT under 80 % of the limit? False without a reply."""
        replies = self._regular - self._lost
        if self._over_clear * 2 == replies and replies:
            median = self.median_ms()
            return median is not None and median < self._clear_ms
        return replies > 0 and self._over_clear * 2 < replies


def _sent_s(entry: tuple[float, float | None, bool]) -> float:
    return entry[0]


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
