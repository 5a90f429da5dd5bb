"""A journal and its shipper in a process that may be killed.

Start: `python -m tests.storage.store_process DIRECTORY URL BUCKET`. A batch every 20 ms; a second
of the shipper's waits takes 10 ms. Prints each batch that is stored. Two batches have a row that
InfluxDB refuses.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from monitor.adapters.influx import InfluxWriter
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.core.samples.samples import Sample
from monitor.settings.model import InfluxSettings
from monitor.storage.influx_shipper import InfluxShipper
from tests.sample_builders import MIDNIGHT_S, interface, ping

TARGETS = [f"site-{place}/utama" for place in range(30)]
REFUSED_IN = (150, 450)
BATCH_S = 0.02


def batch_of(number: int) -> list[Sample]:
    """One row a target; `sent` is the number of the batch."""
    at_s = MIDNIGHT_S - 300 + 10 * number
    rows: list[Sample] = [ping(at_s, target, sent=number + 1, received=0) for target in TARGETS]
    return [*rows, interface(at_s)] if number in REFUSED_IN else rows


async def sleep(length_s: float) -> None:
    """Sleep a hundredth of the length."""
    with suppress(TimeoutError):
        async with asyncio.timeout(length_s * 0.01):
            await asyncio.Event().wait()


async def run(directory: Path, url: str, bucket: str) -> None:
    journal = SqliteJournal(directory / "journal")
    shipper = InfluxShipper(
        journal,
        InfluxWriter(InfluxSettings(url=url, bucket=bucket, timeout_s=5.0), None),
        SystemClock(),
        DeadLetterFiles(directory / "quarantine"),
        sleep=sleep,
    )
    shipping = asyncio.create_task(shipper.run())
    number = len(journal.latency(TARGETS[0], 0.0, 2e9, 10.0))
    while not shipping.done():
        await asyncio.to_thread(journal.append, batch_of(number))
        number += 1
        print(number, flush=True)
        await sleep(BATCH_S * 100)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
