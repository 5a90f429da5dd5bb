"""A reload prepares every part, then commits all of them at one moment, or changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from monitor.adapters.influx import InfluxWriter
from monitor.adapters.journal import SqliteJournal
from monitor.adapters.scheduler import Scheduler
from monitor.core.detection.detector import Detector
from monitor.core.errors import ConfigError, ProbeError
from monitor.core.job import Job
from monitor.core.model import Device, State, Target
from monitor.core.ports import Commit, SampleSink
from monitor.daemon.reload import ProbingPart, Reloader, StoragePart
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.path_tracing import PathTracing
from monitor.probing.ping_rounds import PingRounds
from monitor.probing.snmp_polling import SnmpPolling
from monitor.settings import load, require_valid
from monitor.settings.model import InfluxSettings, Settings
from monitor.settings.paths import LOADED_CONFIG_FILE
from monitor.settings.secrets import SecretStore
from monitor.status.status import Status
from monitor.storage.disk_watch import DiskWatch
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.retention import RetentionJob
from monitor.storage.rollup_job import RollupJob
from monitor.storage.shipper_group import ShipperGroup
from monitor.storage.shipping_errors import RefusalCause
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.poller import FakePoller
from tests.fakes.prober import Answers, Behaviour, FakeProber, Silent
from tests.fakes.tracer import FakeTracer
from tests.influx_2_7 import ADMIN, Bucket, InfluxTwo
from tests.job_driver import run_jobs
from tests.settings.config_fixtures import ANJATAN, SUKRA, load_config, write_config
from tests.shipper_fixtures import ShipperOnFakes, rows
from tests.waiting import eventually_async

LINK, OTHER = "anjatan/utama", "sukra/utama"
OLD_ADDRESS, NEW_ADDRESS = "10.77.23.1", "10.77.23.9"
MOVED = ANJATAN.replace(OLD_ADDRESS, NEW_ADDRESS)


class StrictProber(FakeProber):
    """Refuses the address of an interface that does not exist, as the real prober does."""

    def prepare(self, targets: Iterable[Target]) -> Commit:
        targets = list(targets)
        if any("%" in target.address for target in targets):
            raise ProbeError("anjatan/utama: there is no interface eth9")
        return super().prepare(targets)


class SlowPoller(FakePoller):
    """Takes `prepare_s` to get ready, as deriving SNMPv3 keys does."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, {})
        self.prepare_s = 0.0
        self._manual = clock

    async def prepare(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> Commit:
        await self._manual.sleep_until(self._manual.steady_s() + self.prepare_s)
        return await super().prepare(devices, secrets)


@dataclass
class LastPart:
    """The part that is prepared last; `error` refuses the settings."""

    error: Exception | None = None
    committed: list[Settings] = field(default_factory=list)

    async def prepare(self, settings: Settings) -> Commit:
        if self.error is not None:
            raise self.error
        return lambda: self.committed.append(settings)


@dataclass
class StatusRecord:
    refused: str | None = None

    def reloaded(self, *_: str) -> None:
        self.refused = None

    def reload_refused(self, why: str) -> None:
        self.refused = why


class CollectingScheduler(Scheduler):
    """Keeps the jobs instead of starting them."""

    jobs: Sequence[Job] = ()

    def set(self, jobs: Sequence[Job]) -> None:
        self.jobs = list(jobs)


class Rig:
    """Probing and a reloader on a manual clock, configured from files."""

    def __init__(self, directory: Path) -> None:
        self.config = write_config(directory, sites={"anjatan": ANJATAN, "sukra": SUKRA})
        self.settings = require_valid(load_config(self.config), strict=True)
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.prober = StrictProber(self.clock)
        self.poller = SlowPoller(self.clock)
        network = self.settings.network
        self.pipeline = Pipeline(
            network, Detector(network), self.clock, self.ledger, MemoryJournal()
        )
        self.scheduler = CollectingScheduler(self.clock)
        self.status = StatusRecord()
        self.last = LastPart()
        self.tracer = FakeTracer(self.clock, {}, {})
        self.path_tracing = PathTracing(
            self.tracer, self.pipeline, self.clock, self.ledger, asyncio.to_thread
        )
        probing = ProbingPart(
            self.pipeline,
            PingRounds(self.prober, self.pipeline, self.clock),
            SnmpPolling(self.poller, self.pipeline, self.clock),
            self.path_tracing,
            PeriodRecorder(self.pipeline, self.clock),
            self.scheduler,
            [Job("fixed", 3600.0, self.pipeline.run, 1.0)],
            {},
        )
        status = cast(Status, self.status)
        self.reloader = Reloader(self.settings, {}, status, [probing, self.last])

    async def start(self) -> None:
        await self.prober.open(self.pipeline.take)
        await self.reloader.apply(self.settings)
        await self.watch(10)

    async def watch(self, for_s: float) -> None:
        await run_jobs(
            [job for job in self.scheduler.jobs if "round" in job.name], self.clock, for_s
        )

    def write_site(self, text: str, name: str = "anjatan") -> None:
        (self.config / "sites" / f"{name}.toml").write_text(text)

    def loaded_config(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(
            (self.settings.data_dir / LOADED_CONFIG_FILE).read_bytes()
        )
        return found


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    await made.start()
    return made


async def test_a_reload_replaces_targets_jobs_and_the_record_of_what_is_loaded(rig: Rig) -> None:
    (rig.config / "sites" / "sukra.toml").unlink()
    rig.write_site(ANJATAN + "interval_s = 5.0\n")
    await rig.reloader.reload()
    assert rig.status.refused is None
    names = {job.name for job in rig.scheduler.jobs}
    assert names > {"fixed", "round every 5 s", "record every 10 s"}
    assert len(rig.last.committed) == 2
    assert OTHER not in rig.loaded_config()
    rig.pipeline.close()
    assert [t.reason for t in rig.ledger.recorded_transitions() if t.target == OTHER][
        -1
    ] == "removed"


async def test_a_reload_switches_path_tracing_off_and_on(rig: Rig) -> None:
    file = rig.config / "monitor.toml"
    text = file.read_text()
    for enabled in (True, False, True):
        file.write_text(f"{text}[trace]\nenabled = {str(enabled).lower()}\n")
        await rig.reloader.reload()
        assert rig.status.refused is None
        assert ("trace paths" in {job.name for job in rig.scheduler.jobs}) is enabled
        assert rig.loaded_config()["monitor.toml"]["trace.enabled"] is enabled  # type: ignore[index]


@pytest.mark.parametrize(
    ("site", "last", "error"),
    [
        (ANJATAN + "salah = 1\n", None, "anjatan.toml"),
        (ANJATAN.replace(OLD_ADDRESS, "fe80::1%eth9"), None, "no interface eth9"),
        (MOVED, ConfigError("a secret is missing"), "a secret is missing"),
        (MOVED, KeyError("bug"), "an error of this program: KeyError('bug')"),
    ],
    ids=["file", "prober", "last part", "bug"],
)
async def test_a_reload_with_any_error_changes_nothing(
    rig: Rig, site: str, last: Exception | None, error: str
) -> None:
    jobs, loaded = rig.scheduler.jobs, rig.loaded_config()
    rig.last.error = last
    rig.write_site(site)
    (rig.config / "sites" / "sukra.toml").unlink()
    await rig.reloader.reload()
    assert error in str(rig.status.refused)
    [failure] = rig.reloader.failures()
    assert error in str(failure.why)
    assert rig.scheduler.jobs is jobs
    assert rig.loaded_config() == loaded
    assert len(rig.last.committed) == 1
    await rig.watch(5)
    assert {rig.pipeline.state_of(name) for name in (LINK, OTHER)} == {State.UP}
    rig.pipeline.close()
    assert {t.reason for t in rig.ledger.recorded_transitions()} == {"first_reply"}


async def test_the_data_directory_cannot_change_while_the_daemon_runs(rig: Rig) -> None:
    (rig.config / "other").mkdir()
    file = rig.config / "monitor.toml"
    file.write_text(file.read_text().replace('"data"', '"other"'))
    await rig.reloader.reload()
    assert "data_dir cannot change" in str(rig.status.refused)


async def test_replies_from_the_old_address_never_count_for_a_target_that_moved(rig: Rig) -> None:
    moved = False

    def behaviour(name: str, _: float) -> Behaviour:
        return Silent() if name == LINK and moved else Answers(rtt_ms=400.0)

    rig.prober.behave_by(behaviour)
    rig.poller.prepare_s = 3.0
    rig.write_site(MOVED)
    reload = asyncio.ensure_future(rig.reloader.reload())
    await rig.watch(2.5)
    assert not reload.done()
    assert rig.pipeline.state_of(LINK) is State.UP, "the old configuration is still in force"
    await rig.watch(0.6)
    await reload
    moved = True
    await rig.watch(2)
    assert rig.pipeline.state_of(LINK) is State.UNKNOWN
    assert rig.pipeline.target_status(LINK).rtt_ms is None
    assert rig.pipeline.state_of(OTHER) is State.UP


async def test_a_loaded_configuration_that_cannot_be_written_is_a_warning(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    before = rig.loaded_config()
    blocker = rig.settings.data_dir / f"{LOADED_CONFIG_FILE}.new"
    blocker.mkdir()
    rig.write_site(MOVED)
    await rig.reloader.reload()
    assert rig.status.refused is None
    assert rig.loaded_config() == before, "the file is never half written"
    assert f"{LOADED_CONFIG_FILE} cannot be written" in caplog.text
    (warning,) = rig.reloader.warnings()
    assert warning.kind == "loaded_config"
    blocker.rmdir()
    await rig.reloader.reload()
    assert rig.reloader.warnings() == []
    assert rig.loaded_config() != before


async def test_a_reload_reads_the_secret_of_influxdb_again_and_writes_with_it(
    tmp_path: Path,
) -> None:
    """A token was rotated: no restart, and a missing secret changes nothing."""
    with InfluxTwo(Bucket("pantau"), Bucket("pantau_1m"), Bucket("pantau_1h")) as server:
        config = write_config(tmp_path, sites={"anjatan": ANJATAN})
        monitor = config / "monitor.toml"
        monitor.write_text(
            f'{monitor.read_text()}\n[storage.influxdb]\nurl = "{server.url}"\n'
            'org = "diskominfo"\ntoken = "influxdb"\n'
        )
        secret = config / "secrets" / "influxdb"
        secret.parent.mkdir(exist_ok=True)
        secret.touch(0o600)
        secret.write_text("an old token")
        settings = require_valid(load(config, {}), strict=False)

        def sinks(now: Settings, influxdb: InfluxSettings) -> list[SampleSink]:
            token = SecretStore(now.config_dir, {}).get(str(influxdb.token)).reveal()
            return [InfluxWriter(influxdb, token)]

        shipper = ShipperOnFakes()
        group = ShipperGroup([shipper.shipper], shipper.clock)
        ledger, journal = MemoryLedger(), SqliteJournal(tmp_path / "journal")
        part = StoragePart(
            RollupJob(journal, ledger, shipper.clock),
            RetentionJob(journal, shipper.clock, None, settings.journal),
            DiskWatch(settings.data_dir, shipper.clock, settings.disk.limits()),
            ledger,
            group,
            sinks,
        )
        shipper.journal.append(rows(3))
        async with shipper.running():
            (await part.prepare(settings))()
            await eventually_async(lambda: shipper.state.cause is RefusalCause.RIGHTS)
            secret.write_text(ADMIN)
            (await part.prepare(settings))()
            await eventually_async(lambda: server.buckets["pantau"].count("ping") == 3)
            secret.unlink()
            with pytest.raises(ConfigError, match="the secret influxdb is missing"):
                await part.prepare(settings)
        journal.close()


async def test_a_refused_reload_names_its_first_errors_until_one_succeeds(rig: Rig) -> None:
    wrong = "".join(f"salah_{number} = 1\n" for number in range(5))
    rig.write_site(wrong + ANJATAN)
    await rig.reloader.reload()
    [failure] = rig.reloader.failures()
    assert failure.why is not None
    *errors, more = failure.why.splitlines()
    assert len(errors) == 3
    assert all("anjatan.toml" in error for error in errors)
    assert more.startswith("(+")
    rig.write_site(ANJATAN)
    await rig.reloader.reload()
    assert rig.reloader.failures() == []
