"""Long ranges come from the archive; recent ones, and what it cannot answer, from the journal."""

from __future__ import annotations

import logging

import pytest

from monitor.core.errors import InfluxError
from monitor.core.samples.samples import LatencyBucket
from monitor.storage.archive_source import ArchiveSource
from tests.fakes.samples import MemorySource
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

HOUR_S = 3600.0


class FailingSource(MemorySource):
    """A source that is away while `is_away`."""

    is_away = False

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        if self.is_away:
            raise InfluxError("InfluxDB at http://x: no answer within 5 s")
        return super().latency(target, start_s, end_s, width_s)


def sources() -> tuple[ArchiveSource, FailingSource, MemorySource]:
    """The archive has ten days, one ping an hour with 7 requests; the journal two, with 5."""
    archive, journal = FailingSource(), MemorySource()
    archive.add([ping(MIDNIGHT_S + HOUR_S * hour, sent=7) for hour in range(240)])
    begin = 192
    journal.add([ping(MIDNIGHT_S + HOUR_S * hour, sent=5) for hour in range(begin, 240)])
    return (
        ArchiveSource(archive, journal, lambda: MIDNIGHT_S + HOUR_S * begin),
        archive,
        journal,
    )


def sent(source: ArchiveSource, first_hour: int, last_hour: int) -> int:
    buckets = source.latency(
        LINK, MIDNIGHT_S + HOUR_S * first_hour, MIDNIGHT_S + HOUR_S * last_hour, HOUR_S
    )
    return sum(bucket.sent for bucket in buckets)


@pytest.mark.parametrize(
    ("first_hour", "last_hour", "expected"),
    [
        (0, 240, 240 * 7),
        (0, 2, 2 * 7),
        (234, 240, 6 * 5),
        (233, 240, 7 * 7),
        (191, 193, 2 * 7),
    ],
    ids=["all", "short, older than the journal", "six hours", "seven hours", "begins before it"],
)
def test_the_source_of_a_range(first_hour: int, last_hour: int, expected: int) -> None:
    source, _, _ = sources()
    assert sent(source, first_hour, last_hour) == expected


def test_while_the_archive_is_away_the_journal_answers_and_it_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, archive, _ = sources()
    with caplog.at_level(logging.INFO, "monitor.storage.archive_source"):
        archive.is_away = True
        assert sent(source, 0, 240) == sent(source, 0, 240) == 48 * 5
        archive.is_away = False
        assert sent(source, 0, 240) == 240 * 7
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_the_newest_sample_and_the_ports_come_from_the_journal_if_it_has_them() -> None:
    archive, journal = MemorySource(), MemorySource()
    archive.add([interface(MIDNIGHT_S)])
    source = ArchiveSource(archive, journal, lambda: None)
    assert source.newest_s() == MIDNIGHT_S
    assert source.latest_interfaces("anjatan") == [interface(MIDNIGHT_S)]
    journal.add([interface(MIDNIGHT_S + 60)])
    assert source.newest_s() == MIDNIGHT_S + 60
    assert source.latest_interfaces("anjatan") == [interface(MIDNIGHT_S + 60)]
