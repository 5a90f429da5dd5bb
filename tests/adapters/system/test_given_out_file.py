"""Numbers in the times of an empty file, which a full disk lets be set."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from monitor.adapters.system.given_out_file import GivenOutFile
from monitor.adapters.system.worker_thread import WorkerThread
from monitor.alerting.given_out_keeper import GivenOutKeeper, restore_given_out
from monitor.core.alerting.given_out import SKIPPED, GivenOut
from monitor.core.alerting.model import EventKind, OutboxRow
from monitor.core.alerting.ports import GivenOutStore
from monitor.core.model import LedgerSnapshot
from tests.fakes.given_out import MemoryGivenOut


def row(incident: int, sequence: int = 1) -> OutboxRow:
    return OutboxRow(incident, sequence, "chat", "ani", EventKind.OPENED, "{}", 0.0)


@pytest.mark.parametrize("kind", ["file", "fake"])
def test_a_new_store_holds_zeros_and_gives_back_what_was_saved(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "given-out"
    store: GivenOutStore = GivenOutFile(path) if kind == "file" else MemoryGivenOut()
    assert store.load() == GivenOut()
    store.save(GivenOut(incident=41, sequence=3))
    assert store.load() == GivenOut(41, 3)
    if kind == "file":
        assert GivenOutFile(path).load() == GivenOut(41, 3)
        assert path.stat().st_size == 0


def test_the_next_id_follows_the_kept_one_and_stays_consecutive_otherwise(tmp_path: Path) -> None:
    file = GivenOutFile(tmp_path / "given-out")
    assert restore_given_out(file, LedgerSnapshot(next_incident_id=7))[0].next_incident_id == 7
    file.save(GivenOut(9, 2))
    for _ in range(2):
        snapshot, numbers = restore_given_out(file, LedgerSnapshot(next_incident_id=7))
        assert (snapshot.next_incident_id, numbers) == (10, GivenOut(9, 2))
    assert restore_given_out(file, LedgerSnapshot(next_incident_id=30))[0].next_incident_id == 30


def test_a_copied_file_leaves_out_a_hundred_ids_once(tmp_path: Path) -> None:
    path = tmp_path / "given-out"
    path.touch()
    for _ in range(2):
        snapshot, _ = restore_given_out(GivenOutFile(path), LedgerSnapshot(next_incident_id=7))
        assert snapshot.next_incident_id == 7 + SKIPPED


async def test_the_keeper_keeps_the_highest_of_several_workers(tmp_path: Path) -> None:
    file = GivenOutFile(tmp_path / "given-out")
    thread = WorkerThread("test")
    keeper = GivenOutKeeper(file, file.load(), thread)
    await asyncio.gather(*(keeper.keep([row(number, 5 - number)]) for number in (1, 4, 2, 3)))
    thread.close()
    assert file.load() == GivenOut(4, 4)


async def test_a_file_that_cannot_be_written_stops_no_message_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "gone"
    file = GivenOutFile(directory / "given-out")
    thread = WorkerThread("test")
    keeper = GivenOutKeeper(file, GivenOut(), thread)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await asyncio.wait_for(keeper.keep([row(3)]), 5)
    assert len(caplog.records) == 1, "said once"
    directory.mkdir()
    await keeper.keep([row(2)])
    thread.close()
    assert file.load() == GivenOut(3, 1)
