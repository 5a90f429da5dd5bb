"""While the ledger cannot be written, messages are sent from memory, once, and recorded later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection

import pytest

from monitor.core.alerting.model import (
    DeliveryBatch,
    EventKind,
    Notification,
    OutboxRow,
    OutboxStatus,
    Rejected,
    RetryLater,
)
from monitor.core.alerting.outbox import row_key
from monitor.core.alerting.unrecorded import (
    MARK_CHARACTERS,
    MARKS,
    UnrecordedMessages,
    mark_unrecorded,
)
from monitor.core.errors import LedgerError
from monitor.core.progress import WriterState
from tests.alerting_rig import AlertingRig, event_and_targets
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import Answers, Silent
from tests.waiting import eventually_async

LINK, OTHER = "anjatan/utama", "bongas/utama"
NET = network({LINK: (), OTHER: ()}, anchors=1)
FULL = LedgerError("the disk is full")
OPENED, RESOLVED = EventKind.OPENED, EventKind.RESOLVED
MARK = MARKS["id"]


class FullDiskLedger(MemoryLedger):
    """As a ledger on a full disk: `full` refuses what writes, and can still be read.

    A lease that finds nothing to lease writes nothing, and succeeds.
    """

    full = False

    def record(self, *args: object, **kwargs: object) -> None:
        self._refuse()
        super().record(*args, **kwargs)  # type: ignore[arg-type]

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        waiting = [
            row
            for status in (OutboxStatus.PENDING, OutboxStatus.LEASED)
            for row in self.outbox(status)
        ]
        if any(row.channel == channel for row in waiting):
            self._refuse()
        return super().lease(channel, now_s, lease_s, limit)

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        self._refuse()
        super().mark_sent(row, replaced, at_s)

    def record_alive(self, at_s: float) -> None:
        self._refuse()
        super().record_alive(at_s)

    def _refuse(self) -> None:
        if self.full:
            raise FULL


@pytest.fixture
async def rig() -> AsyncIterator[AlertingRig]:
    opened = await AlertingRig(NET, ledger=FullDiskLedger()).open()
    await opened.run_for(10)
    yield opened
    await opened.close()


def fill(rig: AlertingRig) -> None:
    assert isinstance(rig.ledger, FullDiskLedger)
    rig.ledger.full = True


def free(rig: AlertingRig) -> None:
    assert isinstance(rig.ledger, FullDiskLedger)
    rig.ledger.full = False


def lose(rig: AlertingRig) -> None:
    """The ledger can be neither written nor read."""
    assert isinstance(rig.ledger, FullDiskLedger)
    rig.ledger.trouble = FULL


def find(rig: AlertingRig) -> None:
    assert isinstance(rig.ledger, FullDiskLedger)
    rig.ledger.trouble = None


def cut(rig: AlertingRig, *names: str) -> None:
    rig.prober.behave_by(lambda name, _: Silent() if name in names else Answers())


async def run(rig: AlertingRig, for_s: float) -> None:
    """Let time pass second by second; the writer's thread has a turn in between."""
    for _ in range(round(for_s)):
        await rig.run_for(1.0)
        await asyncio.to_thread(lambda: None)


async def recorded(rig: AlertingRig) -> None:
    await eventually_async(lambda: rig.progress.ledger.error is None)
    await rig.run_for(70.0)
    await eventually_async(rig.is_idle)


def heard(rig: AlertingRig, channel: str = "chat") -> list[tuple[EventKind, list[object]]]:
    return [event_and_targets(message) for message in rig.boxes[channel].accepted]


def keys_match_the_rows(rig: AlertingRig) -> bool:
    """Whether every message that was accepted is exactly one row that is sent, and none else."""
    rows = [row for row in rig.ledger.outbox() if row.last_error is None]
    kept = sorted(row_key(row) for row in rows)
    sent = all(row.status is OutboxStatus.SENT and row.sent_s is not None for row in rows)
    told = sorted(message.key for box in rig.boxes.values() for message in box.accepted)
    return sent and kept == told


@pytest.mark.parametrize(("break_", "mend"), [(fill, free), (lose, find)], ids=["full", "lost"])
async def test_opening_and_closing_are_sent_from_memory_once_and_recorded_in_order(
    rig: AlertingRig,
    break_: Callable[[AlertingRig], None],
    mend: Callable[[AlertingRig], None],
) -> None:
    break_(rig)
    cut(rig, LINK)
    await run(rig, 30)
    assert heard(rig) == heard(rig, "hook") == [(OPENED, [LINK])]
    cut(rig)
    await run(rig, 20)
    assert heard(rig) == heard(rig, "hook") == [(OPENED, [LINK]), (RESOLVED, [LINK])]
    assert all(MARK in message.text for message in rig.boxes["chat"].accepted)
    assert not any(message.is_recorded for message in rig.boxes["chat"].accepted)
    mend(rig)
    await recorded(rig)
    assert len(heard(rig)) == len(heard(rig, "hook")) == 2, "nothing is told again"
    assert keys_match_the_rows(rig)
    (incident,) = rig.ledger.incidents()
    assert (incident.target, incident.ended_s is not None) == (LINK, True)
    assert [row.event for row in rig.ledger.outbox() if row.channel == "chat"] == [OPENED, RESOLVED]


async def test_messages_of_a_working_ledger_bear_no_mark(rig: AlertingRig) -> None:
    cut(rig, LINK)
    await run(rig, 30)
    (message,) = rig.boxes["chat"].accepted
    assert MARK not in message.text
    assert message.is_recorded


async def test_an_opening_that_was_stored_before_the_disk_filled_goes_out_and_is_marked_later(
    rig: AlertingRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = lambda _: RetryLater("HTTP 503")
    cut(rig, LINK)
    await run(rig, 30)
    fill(rig)
    await run(rig, 10)
    box.answer = None
    await run(rig, 60)
    assert heard(rig) == [(OPENED, [LINK])]
    assert MARK not in box.accepted[0].text, "the ledger has it"
    free(rig)
    await recorded(rig)
    assert heard(rig) == [(OPENED, [LINK])]
    assert {row.status for row in rig.ledger.outbox()} == {OutboxStatus.SENT}


async def test_a_closing_replaces_an_opening_that_could_not_be_sent_from_memory(
    rig: AlertingRig,
) -> None:
    for box in rig.boxes.values():
        box.answer = lambda _: RetryLater("HTTP 503")
    fill(rig)
    cut(rig, LINK)
    await run(rig, 40)
    cut(rig)
    await run(rig, 20)
    for box in rig.boxes.values():
        box.answer = None
    await run(rig, 60)
    assert heard(rig) == [(RESOLVED, [LINK])]
    free(rig)
    await recorded(rig)
    assert heard(rig) == [(RESOLVED, [LINK])]
    assert {row.status for row in rig.ledger.outbox()} == {OutboxStatus.SENT}


async def test_the_first_success_releases_what_waits_for_the_channel_in_memory(
    rig: AlertingRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = lambda _: RetryLater("HTTP 503")
    fill(rig)
    cut(rig, LINK)
    await run(rig, 100)
    cut(rig, LINK, OTHER)
    await run(rig, 60)
    box.answer = None
    await run(rig, 20)
    # The newer one is retried sooner; the older one must not wait for its own longer pause.
    assert sorted(event_and_targets(message)[1] for message in box.accepted) == [[LINK], [OTHER]]


async def test_a_refused_message_goes_on_by_the_next_channel_from_memory(rig: AlertingRig) -> None:
    rig.boxes["chat"].answer = lambda _: Rejected("HTTP 403")
    fill(rig)
    cut(rig, LINK)
    await run(rig, 40)
    assert heard(rig, "mail") == [(OPENED, [LINK])]
    assert MARKS["id"] in rig.boxes["mail"].accepted[0].text
    free(rig)
    await recorded(rig)
    assert heard(rig, "mail") == [(OPENED, [LINK])]
    found = {(row.channel, row.status) for row in rig.ledger.outbox() if row.recipient == "ani"}
    assert found == {("chat", OutboxStatus.DEAD), ("mail", OutboxStatus.SENT)}
    assert len(rig.boxes["chat"].tried) == 1


async def test_holds_and_escalation_apply_as_ever(rig: AlertingRig) -> None:
    fill(rig)
    cut(rig, LINK)
    await run(rig, 12)
    cut(rig)
    await run(rig, 30)
    assert heard(rig) == [], "over within the hold"
    cut(rig, OTHER)
    await run(rig, 30)
    await rig.run_for(900)
    await run(rig, 5)
    assert heard(rig) == [(OPENED, [OTHER])]
    assert [message.recipient for message in rig.boxes["mail"].accepted] == ["budi"]


async def test_a_message_that_is_accepted_while_its_row_is_written_is_not_sent_again(
    rig: AlertingRig,
) -> None:
    """The disk is freed during the send: the row is stored as pending by the time it ends."""

    fill(rig)
    cut(rig, LINK)
    await run(rig, 17)
    rig.boxes["chat"].hold()
    await run(rig, 15)
    assert len(rig.boxes["chat"].tried) == 1
    free(rig)
    await eventually_async(lambda: rig.progress.ledger.error is None)
    rig.boxes["chat"].release()
    await recorded(rig)
    assert len(rig.boxes["chat"].tried) == 1
    assert keys_match_the_rows(rig)


def test_a_row_that_hangs_on_its_way_to_the_disk_is_sent_after_three_seconds() -> None:
    clock = ManualClock()
    unrecorded = UnrecordedMessages(clock.steady_s, WriterState())
    row = OutboxRow(7, 1, "chat", "ani", OPENED, "{}", 0.0)
    unrecorded.add([row])
    assert not unrecorded.is_needed("chat")
    clock.advance(3.1)
    assert unrecorded.is_needed("chat")
    assert not unrecorded.is_needed("mail")
    unrecorded.recorded([row])
    assert not unrecorded.is_needed("chat")


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_mark_fits_into_the_shortest_texts(language: str) -> None:
    assert len(MARKS[language]) + 1 <= MARK_CHARACTERS
    message = Notification("k", OPENED, "title", "x" * 400, "ani", 0.0)
    marked = mark_unrecorded(message, language, 160)
    assert len(marked.text) == 160
    assert marked.text.endswith(f"…\n{MARKS[language]}")
    short = mark_unrecorded(Notification("k", OPENED, "t", "PUTUS", "ani", 0.0), language, 160)
    assert short.text == f"PUTUS\n{MARKS[language]}"
