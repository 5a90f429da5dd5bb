"""The status document: computed once for concurrent requests, in chunks, and consistent."""

from __future__ import annotations

import asyncio

from monitor.core.model import NotMeasured, Reply
from monitor.status.status import Status
from tests.core.detection.scenario import network
from tests.daemon_on_fakes import LINK, DaemonOnFakes

BIG = network({f"s{n:03}/utama": () for n in range(900)}, {"pop": ()}, anchors=1)


class Turns:
    """Counts how often other tasks of the event loop run."""

    def __init__(self) -> None:
        self.count = 0
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)

    def stop(self) -> int:
        self._task.cancel()
        return self.count


def targets_in(document: dict[str, object]) -> set[str]:
    sites = document["sites"]
    assert isinstance(sites, list)
    return {link["target"] for site in sites for link in site["links"]}


async def test_many_targets_are_read_in_chunks_and_all_are_in_the_document() -> None:
    daemon = DaemonOnFakes(BIG)
    turns = Turns()
    document = await daemon.status.document()
    assert turns.stop() >= 3
    assert targets_in(document) == {link.name for link in BIG.links()}


async def test_concurrent_requests_share_one_document() -> None:
    daemon = DaemonOnFakes(BIG)
    documents = await asyncio.gather(*(daemon.status.document() for _ in range(5)))
    assert all(document is documents[0] for document in documents)
    daemon.clock.advance(0.2)
    assert await daemon.status.document() is documents[0]
    daemon.clock.advance(0.1)
    assert await daemon.status.document() is not documents[0]


async def test_a_reload_during_the_computation_gives_the_new_targets_only() -> None:
    daemon = DaemonOnFakes(BIG)
    making = asyncio.ensure_future(daemon.status.document())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    fewer = network({f"s{n:03}/utama": () for n in range(300)}, {"pop": ()}, anchors=1)
    daemon.pipeline.reconfigure(fewer)
    assert targets_in(await making) == {link.name for link in fewer.links()}


async def test_a_cancelled_request_does_not_cancel_the_others() -> None:
    daemon = DaemonOnFakes(BIG)
    patient = asyncio.ensure_future(daemon.status.document())
    hasty = asyncio.ensure_future(daemon.status.document())
    await asyncio.sleep(0)
    hasty.cancel()
    assert targets_in(await patient)


async def test_after_30_s_without_a_round_the_document_is_stale() -> None:
    daemon = DaemonOnFakes()
    assert not daemon.status.healthy(), "no round has ended yet"
    daemon.pipeline.progress.last_round_s = daemon.clock.steady_s()
    daemon.clock.advance(29.0)
    document = await daemon.status.document()
    assert daemon.status.healthy()
    assert (document["stale"], document["age_s"]) == (False, 29.0)
    daemon.clock.advance(1.0)
    document = await daemon.status.document()
    assert not daemon.status.healthy()
    assert (document["stale"], document["age_s"]) == (True, 30.0)


async def test_organisation_and_timezone_are_in_the_document() -> None:
    daemon = DaemonOnFakes()
    daemon.status.reloaded("Asia/Jakarta", "Diskominfo")
    document = await daemon.status.document()
    assert (document["timezone"], document["organisation"]) == ("Asia/Jakarta", "Diskominfo")


async def test_a_refused_reload_is_in_the_next_document() -> None:
    daemon = DaemonOnFakes()
    first = await daemon.status.document()
    daemon.status.reload_refused("sites/lelea.toml:3: no")
    refused = await daemon.status.document()
    assert refused is not first
    assert "sites/lelea.toml:3" in str(refused["monitor"])
    daemon.status.reloaded("Asia/Jakarta", "Diskominfo")
    assert "sites/lelea.toml:3" not in str((await daemon.status.document())["monitor"])


async def test_an_isolated_monitor_has_the_state_unknown() -> None:
    daemon = DaemonOnFakes(network({f"s{n}/utama": () for n in range(9)}, anchors=1))
    for _ in range(30):
        daemon.clock.advance(1.0)
        now_s = daemon.clock.steady_s()
        daemon.pipeline.take(
            [
                NotMeasured(name, now_s, now_s, "ENETUNREACH")
                for name in daemon.pipeline.detector.healths
            ]
        )
    monitor = (await daemon.status.document())["monitor"]
    assert isinstance(monitor, dict)
    assert monitor["state"] == "unknown"
    for _ in range(30):
        daemon.clock.advance(1.0)
        now_s = daemon.clock.steady_s()
        daemon.pipeline.take(
            [Reply(name, now_s - 0.01, now_s, 10.0) for name in daemon.pipeline.detector.healths]
        )
    monitor = (await daemon.status.document())["monitor"]
    assert isinstance(monitor, dict)
    assert monitor["state"] == "up"


async def test_overlays_of_actions_stand_beside_the_measured_ones() -> None:
    daemon = DaemonOnFakes()
    status = Status(
        *(
            daemon.pipeline,
            daemon.schedule,
            daemon.self_metrics,
            None,
            daemon.polling,
            daemon.clock,
        ),
        overlays=lambda: {LINK: ("acknowledged",)},
    )
    sites = (await status.document())["sites"]
    assert isinstance(sites, list)
    shown = {link["target"]: link["overlays"] for site in sites for link in site["links"]}
    assert shown.pop(LINK) == ["acknowledged"]
    assert not any(shown.values())
