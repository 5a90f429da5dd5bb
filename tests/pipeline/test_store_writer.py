"""The writer of one store: order, one retry timer, bounds, and items that the store refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from monitor.core.errors import JournalError, JournalFull, LedgerError, RecordRefused, StoreError
from monitor.core.progress import WriterState
from monitor.pipeline.store_writer import StoreWriter
from tests.waiting import eventually_async


class Store:
    """Keeps words; `error` fails every write, words in `refused` can never be stored."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.writes = 0
        self.error: StoreError | None = None
        self.refused: dict[str, Exception] = {}

    def write(self, items: Sequence[str]) -> None:
        self.writes += 1
        if self.error is not None:
            raise self.error
        for word in " ".join(items).split():
            if word in self.refused:
                raise self.refused[word]
        self.words += items


class Rig:
    """pauses_s: those after failed writes; each ends when `go_on` is set."""

    def __init__(self, *, max_items: int | None = None) -> None:
        self.pauses_s: list[float] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.store = Store()
        self.state = WriterState()
        self.written: list[str] = []
        self.waiting: list[Sequence[str]] = []
        self.writer = StoreWriter[str](
            "store",
            self.state,
            lambda: 7.0,
            self.store.write,
            size=lambda item: len(item.split()),
            split=str.split,
            describe=repr,
            batch_size=4,
            max_items=max_items,
            on_written=self.written.extend,
            on_failed=self.waiting.append,
            retry_s=2.0,
            sleep=self.sleep,
        )

    async def sleep(self, for_s: float) -> None:
        self.pauses_s.append(for_s)
        await self.go_on.wait()
        await asyncio.sleep(0)

    def put(self, *items: str) -> None:
        for item in items:
            self.writer.put(item)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.writer.run())
        yield
        task.cancel()
        await asyncio.wait([task])
        self.writer.close()


async def test_items_are_written_in_order_and_several_in_one_transaction() -> None:
    rig = Rig()
    rig.put("a", "b b", "c c c", "d")
    async with rig.running():
        await eventually_async(lambda: len(rig.written) == 4)
    assert rig.store.words == rig.written == ["a", "b b", "c c c", "d"]
    assert rig.store.writes == 2, "a batch ends with the item that reaches its size"
    assert rig.state == WriterState(written_s=7.0)


async def test_a_failing_store_is_tried_by_one_timer_however_many_items_arrive() -> None:
    rig = Rig()
    rig.go_on.clear()
    rig.store.error = LedgerError("the disk is full")
    async with rig.running():
        for number in range(30):
            rig.put(str(number))
            await eventually_async(lambda: rig.pauses_s)
        assert (rig.store.writes, rig.pauses_s) == (1, [2.0])
        assert rig.state.error == "the disk is full"
        rig.go_on.set()
        await eventually_async(lambda: len(rig.pauses_s) >= 6)
        assert rig.pauses_s[:6] == [2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
        rig.store.error = None
        await eventually_async(lambda: len(rig.written) == 30)
        assert rig.state.error is None
    assert rig.store.words == [str(number) for number in range(30)]


async def test_a_full_disk_is_told_apart_until_a_write_succeeds() -> None:
    rig = Rig()
    rig.store.error = JournalFull("no space")
    rig.put("a", "b")
    async with rig.running():
        await eventually_async(lambda: rig.state.is_full)
        rig.store.error = JournalError("locked")
        await eventually_async(lambda: rig.state.error == "locked")
        assert rig.state.is_full
        rig.store.error = None
        await eventually_async(lambda: rig.written)
        assert (rig.state.error, rig.state.is_full) == (None, False)
    assert rig.waiting[0] == ["a", "b"], "all that waits is handed to on_failed"


async def test_above_its_bound_the_oldest_items_are_dropped_and_their_records_counted() -> None:
    rig = Rig(max_items=2)
    rig.put("a a", "b", "c", "d")
    assert rig.state.dropped == 3
    rig.writer.close()
    assert rig.store.words == ["c", "d"]


@pytest.mark.parametrize("error", [RecordRefused("contradiction"), TypeError("no number")])
async def test_an_item_that_the_store_always_refuses_blocks_nothing_else(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    rig.store.refused = {"bad": error}
    rig.put("a", "good bad better", "c", "bad")
    async with rig.running():
        rig.put("d")
        await eventually_async(lambda: "d" in rig.store.words)
    assert rig.store.words == ["a", "good", "better", "c", "d"]
    assert rig.state.refused == 2
    assert rig.state.error is None
    assert caplog.text.count("refused for good and set aside") == 2


async def test_a_store_that_fails_while_a_refused_item_is_isolated_loses_nothing() -> None:
    rig = Rig()
    rig.store.refused = {"bad": RecordRefused("contradiction")}
    rig.put("a", "bad b", "c")
    write, calls = rig.store.write, 0

    def flaky(items: Sequence[str]) -> None:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise LedgerError("locked")
        write(items)

    rig.writer._write = flaky
    async with rig.running():
        await eventually_async(lambda: "c" in rig.store.words)
    assert rig.store.words == ["a", "b", "c"]


async def test_closing_writes_what_is_left_once_and_says_what_could_not_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    rig.put(*"abcdefgh")
    rig.writer.close()
    assert rig.store.words == list("abcdefgh")
    failing = Rig()
    failing.store.error = LedgerError("no disk")
    failing.put("a")
    failing.writer.close()
    assert failing.store.writes == 1
    assert "not everything could be written at the end: no disk" in caplog.text
