"""The table beside a chart: the same range in a few rows, for who reads or hears instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from zlib import crc32

from dash import html

from dashboard.i18n import Words
from monitor.core.samples.samples import LatencyBucket, ThroughputBucket

ROWS = 12
NOTHING = "–"
Bucket = TypeVar("Bucket", LatencyBucket, ThroughputBucket)


def numbers(
    buckets: Sequence[Bucket],
    heads: Sequence[str],
    cells: Callable[[Sequence[Bucket]], Sequence[str]],
    label: str,
    words: Words,
) -> Any:
    """heads: behind the time; cells: of the buckets that one row sums up. Closed at first."""
    size = -(-len(buckets) // ROWS)
    rows = [buckets[at : at + size] for at in range(0, len(buckets), size)] if size else []
    aria: Any = {"aria-label": label}
    return html.Details(
        [
            html.Summary(words.say("site.numbers")),
            html.Div(
                html.Table(
                    [
                        html.Thead(
                            html.Tr(
                                [
                                    html.Th(head, scope="col")
                                    for head in (words.say("site.csv_time"), *heads)
                                ]
                            )
                        ),
                        html.Tbody(
                            [
                                html.Tr(
                                    [html.Th(_over(some, words), scope="row")]
                                    + [html.Td(cell) for cell in cells(some)]
                                )
                                for some in rows
                            ]
                        ),
                    ],
                    className="tb num",
                ),
                className="wide",
                tabIndex="0",
                role="region",
                **aria,
            ),
        ],
        className="beside",
        id=f"numbers-{crc32(label.encode()):08x}",
    )


def latency_cells(some: Sequence[LatencyBucket], words: Words) -> list[str]:
    """Lost, lowest, the largest 95th percentile, highest."""
    sent = sum(each.sent for each in some)
    lost = sent - sum(each.received for each in some)
    low = min((each.rtt_low for each in some if each.rtt_low is not None), default=None)
    times = (low, largest(each.rtt_p95 for each in some), largest(each.rtt_high for each in some))
    return [
        words.percent(100 * lost / sent) if sent else NOTHING,
        *(NOTHING if time is None else words.rtt(time) for time in times),
    ]


def largest(values: Iterable[float | None]) -> float | None:
    """The largest of what is known."""
    return max((value for value in values if value is not None), default=None)


def _over(some: Sequence[Bucket], words: Words) -> str:
    """`24 Nov 10.00–12.00`; over midnight with both days."""
    start_s, end_s = some[0].start_s, some[-1].start_s + some[-1].width_s
    begin = f"{words.day(start_s)} {words.clock(start_s)}"
    if words.day(start_s) == words.day(end_s):
        return f"{begin}–{words.clock(end_s)}"
    return f"{begin} – {words.day(end_s)} {words.clock(end_s)}"
