"""The shipper on a journal in files, against InfluxDB 2.7 as documented: faults that are mended.

Each fault concerns the server or the configuration: nothing is set aside, and after what the
message says was done every sample is there once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxWriter
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.system.clock import SystemClock
from monitor.adapters.system.dead_letters import DeadLetterFiles
from monitor.adapters.system.resend_file import ResendFile
from monitor.core.samples.samples import Sample
from monitor.settings.model import InfluxSettings
from monitor.storage.influx_shipper import InfluxShipper, ShipperLimits
from monitor.storage.shipping_errors import RefusalCause
from tests.influx_2_7 import ADMIN, Bucket, InfluxTwo, Token
from tests.sample_builders import MIDNIGHT_S, interface, ping
from tests.waiting import eventually_async

LINES = 7
NEW = "token-after-the-rotation"


@dataclass
class Shipping:
    """A shipper, the server, and the settings that it was made from."""

    server: InfluxTwo
    journal: SqliteJournal
    shipper: InfluxShipper
    settings: InfluxSettings
    written: int = 0

    def write(self, count: int = 20) -> None:
        """Append that many moments, a ping and a port each."""
        samples: list[Sample] = []
        for place in range(self.written, self.written + count):
            at_s = MIDNIGHT_S + 10.0 * place
            samples += [ping(at_s), interface(at_s)]
        self.journal.append(samples)
        self.written += count

    @property
    def bucket(self) -> Bucket:
        return self.server.buckets["pantau"]

    def all_shipped(self) -> bool:
        state = self.shipper.state
        return (
            self.journal.lag(self.journal.load_cursor("influxdb")) == 0
            and not state.blocked
            and state.resend_lines == 0
        )

    def reload(self, settings: InfluxSettings | None = None, token: str = ADMIN) -> None:
        """What a reload does with another address, organisation or secret."""
        self.shipper.use_sink(InfluxWriter(settings or self.settings, token))


@pytest.fixture
def shipping(tmp_path: Path) -> Iterator[Shipping]:
    with InfluxTwo(Bucket("pantau")) as server:
        journal = SqliteJournal(tmp_path / "journal")
        settings = server.settings()
        yield Shipping(
            server, journal, _shipper(journal, InfluxWriter(settings, ADMIN), tmp_path), settings
        )
        journal.close()


def _shipper(journal: SqliteJournal, sink: InfluxWriter, directory: Path) -> InfluxShipper:
    return InfluxShipper(
        journal,
        sink,
        SystemClock(),
        DeadLetterFiles(directory / "quarantine"),
        ResendFile(directory / "resend.json"),
        limits=ShipperLimits(lines=LINES, idle_s=0.01, first_wait_s=0.01, longest_wait_s=0.02),
    )


async def shipped(shipping: Shipping) -> None:
    await eventually_async(shipping.all_shipped, 20)


Step = Callable[[Shipping], None]


def without_org(shipping: Shipping) -> None:
    shipping.reload(replace(shipping.settings, org=""))


def tls(on: bool) -> Step:
    def switch(shipping: Shipping) -> None:
        shipping.server.speaks_tls = on

    return switch


def rotate(shipping: Shipping) -> None:
    shipping.server.tokens = {NEW: Token()}


def read_only(shipping: Shipping) -> None:
    shipping.server.tokens[ADMIN] = Token(write=frozenset())


def allowed(shipping: Shipping) -> None:
    shipping.server.tokens[ADMIN] = Token()


def lose_bucket(shipping: Shipping) -> None:
    del shipping.server.buckets["pantau"]


def make_bucket(shipping: Shipping) -> None:
    shipping.server.buckets["pantau"] = Bucket("pantau")


def rename_org(shipping: Shipping) -> None:
    shipping.server.orgs = dict.fromkeys(shipping.server.orgs, "kominfo")


@pytest.mark.parametrize(
    ("fault", "cause", "message", "mend"),
    [
        (without_org, RefusalCause.CONFIGURATION, "org is missing", Shipping.reload),
        (tls(True), RefusalCause.CONFIGURATION, "url must begin with https://", tls(False)),
        (
            rotate,
            RefusalCause.RIGHTS,
            "correct the secret that token names, then reload",
            lambda shipping: shipping.reload(token=NEW),
        ),
        (read_only, RefusalCause.RIGHTS, "does not allow us the bucket 'pantau'", allowed),
        (lose_bucket, RefusalCause.BUCKET, "create it", make_bucket),
        (
            rename_org,
            RefusalCause.BUCKET,
            "correct url, org or bucket",
            lambda shipping: shipping.reload(replace(shipping.settings, org="kominfo")),
        ),
    ],
    ids=["no org", "TLS", "token rotated", "no right", "bucket deleted", "organisation renamed"],
)
async def test_a_fault_of_the_server_or_the_configuration_loses_and_sets_aside_nothing(
    shipping: Shipping, fault: Step, cause: RefusalCause, message: str, mend: Step
) -> None:
    task = asyncio.create_task(shipping.shipper.run())
    shipping.write()
    await shipped(shipping)
    before = shipping.bucket.stored
    fault(shipping)
    shipping.write()
    await eventually_async(lambda: shipping.shipper.state.cause is cause)
    assert message in str(shipping.shipper.state.last_error)
    mend(shipping)
    shipping.write()
    await shipped(shipping)
    found = before | shipping.bucket.stored
    assert sum(key.startswith("ping,") for key, _ in found) == 60
    assert len(found) == 120
    state = shipping.shipper.state
    assert (state.quarantined, state.last_error) == (0, None)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_bucket_made_anew_is_filled_by_resend(shipping: Shipping) -> None:
    task = asyncio.create_task(shipping.shipper.run())
    shipping.write(50)
    await shipped(shipping)
    shipping.server.buckets["pantau"] = Bucket("pantau")
    await shipping.shipper.resend(MIDNIGHT_S + 100, MIDNIGHT_S + 1e6, None)
    await shipped(shipping)
    assert shipping.bucket.count("ping") == 40
    await shipping.shipper.resend(0.0, MIDNIGHT_S + 1e6, "ping")
    await shipped(shipping)
    assert (shipping.bucket.count("ping"), shipping.bucket.count("interface")) == (50, 40)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_type_conflict_blocks_its_measurement_and_what_it_missed_comes_when_mended(
    shipping: Shipping,
) -> None:
    """Somebody wrote a float to a count of ours."""
    shipping.bucket.types["ping", "sent"] = "float"
    task = asyncio.create_task(shipping.shipper.run())
    shipping.write(100)
    await eventually_async(
        lambda: shipping.journal.lag(shipping.journal.load_cursor("influxdb")) == 0, 20
    )
    [blocked] = shipping.shipper.state.blocked
    assert blocked.name == "ping"
    assert 'input field "sent" on measurement "ping" is type integer' in blocked.why
    assert shipping.bucket.count("interface") == 100
    assert shipping.shipper.state.quarantined == 0
    del shipping.bucket.types["ping", "sent"]
    shipping.shipper.retry_blocked()
    shipping.write(1)
    await shipped(shipping)
    assert shipping.bucket.count("ping") == shipping.bucket.count("interface") == 101
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_the_bucket_does_not_keep_is_skipped_and_nothing_inside_is_lost(
    shipping: Shipping,
) -> None:
    shipping.write(150)
    shipping.server.now_s = lambda: MIDNIGHT_S + 1500.0
    shipping.bucket.every_s = 300
    task = asyncio.create_task(shipping.shipper.run())
    await shipped(shipping)
    assert shipping.bucket.count("ping") == shipping.bucket.count("interface") == 30
    state = shipping.shipper.state
    assert (state.outside_retention, state.quarantined, state.last_error) == (240, 0, None)
    writes = [each for each in shipping.server.requests if each.path == "/api/v2/write"]
    sent = sum(each.body.count("\n") + 1 for each in writes)
    assert sent < 240 / LINES + 2 * LINES + 60 + 60 / LINES, "one line a batch that is too old"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
