"""Recorded evidence in the order in which it became known (CONTRACT, "`replay` input").

A line's `t` is when the request was sent. A reply is judged at `t`, a lost one at `t` plus its
target's time-out, an error at `t`. The last line ends the replay: nothing is judged past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

from monitor.core.model import Evidence, Lost, NotMeasured, Reply


class ReplayLine(NamedTuple):
    """One request as recorded. rtt_ms None without an error: it was lost. A tuple: millions."""

    t: float
    target: str
    rtt_ms: float | None = None
    error: str | None = None


def read_evidence(
    lines: Iterable[ReplayLine], timeouts_s: Mapping[str, float]
) -> Iterator[Evidence]:
    """Evidence for the judge, by the time at which it became known.

    Lines must be in order of `t` (equal times in any order: ties are sorted by target).
    Raises ValueError for a line that goes back in time. Unknown targets pass with a time-out
    of 1 s: the judge leaves them out.
    """
    pending: list[tuple[float, str, float]] = []
    now_s = float("-inf")
    instant: list[ReplayLine] = []
    for line in lines:
        t = line.t
        if t != now_s:
            if t < now_s:
                raise ValueError(f"time goes back from {now_s:.3f} to {t:.3f} ({line.target})")
            if len(instant) == 1 and not (pending and pending[0][0] <= now_s):
                # Almost every line: alone in its instant, and no loss becomes known then.
                _, target, rtt_ms, error = instant[0]
                if rtt_ms is not None and error is None:
                    yield Reply(target, now_s, now_s, rtt_ms)
                    instant.clear()
            if instant:
                yield from _said(instant, pending, now_s, timeouts_s)
                instant.clear()
            now_s = t
        instant.append(line)
    yield from _said(instant, pending, now_s, timeouts_s)


def _said(
    instant: list[ReplayLine],
    pending: list[tuple[float, str, float]],
    now_s: float,
    timeouts_s: Mapping[str, float],
) -> Iterator[Evidence]:
    """All that is known by `now_s`, and what was sent then."""
    while pending and pending[0][0] <= now_s:
        known_s, target, sent_s = heappop(pending)
        yield Lost(target, sent_s, known_s)
    if len(instant) > 1:
        instant.sort(key=lambda line: line.target)
    for line in instant:
        if line.error is not None:
            yield NotMeasured(line.target, line.t, line.t, line.error)
        elif line.rtt_ms is not None:
            yield Reply(line.target, line.t, line.t, line.rtt_ms)
        else:
            known_s = line.t + timeouts_s.get(line.target, 1.0)
            heappush(pending, (known_s, line.target, line.t))
