"""Writes queued items to one store, in order, from one worker thread, with one retry timer.

Used twice: for the ledger and for the journal, so that a slow or full disk under the samples
delays no state change. The event loop only appends to the queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from monitor.core.errors import JournalFull, LedgerFull, RecordRefused, StoreError
from monitor.core.progress import WriterState

log = logging.getLogger("monitor.pipeline.store_writer")

Item = TypeVar("Item")

RETRY_S = 2.0
RETRY_AT_MOST_S = 10.0
"""The pause after a failed write doubles from the one to the other: state changes wait no longer
than this after the store works again."""


class StoreWriter(Generic[Item]):
    """Queue, worker thread and retries of one store.

    name: for log lines. state: read by status and metrics. steady_s: the steady clock.
    write: stores items in one transaction; called in the worker thread. Raises RecordRefused when
    these items can never be stored, another StoreError when it is worth trying again.
    size: number of records in an item. batch_size: items are written together until they hold this
    many records. max_items: above this the oldest are dropped (None: nothing is dropped).
    split: the smaller items of an item that was refused; empty when it cannot be split.
    describe: an item that is set aside, for the log. on_written: called on the event loop.
    on_failed: called in the worker thread with all waiting items after a failed write.
    on_error: called on the event loop after a failed write.
    """

    def __init__(
        self,
        name: str,
        state: WriterState,
        steady_s: Callable[[], float],
        write: Callable[[Sequence[Item]], None],
        *,
        size: Callable[[Item], int],
        split: Callable[[Item], Sequence[Item]],
        describe: Callable[[Item], str],
        batch_size: int = 1,
        max_items: int | None = None,
        on_written: Callable[[Sequence[Item]], None] | None = None,
        on_failed: Callable[[Sequence[Item]], None] | None = None,
        on_error: Callable[[], None] | None = None,
        retry_s: float = RETRY_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._state = state
        self._steady_s = steady_s
        self._write = write
        self._size = size
        self._split = split
        self._describe = describe
        self._batch_size = batch_size
        self._max_items = max_items
        self._on_written = on_written
        self._on_failed = on_failed
        self._on_error = on_error
        self._first_retry_s = retry_s
        self._sleep = sleep
        self._queue: deque[Item] = deque()
        self._singly = 0
        self._queued = asyncio.Event()
        self._writing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def put(self, item: Item) -> None:
        """Queue an item; called on the event loop."""
        self._queue.append(item)
        while self._max_items is not None and len(self._queue) > self._max_items:
            self._state.dropped += self._size(self._queue.popleft())
        self._queued.set()

    def is_idle(self) -> bool:
        """Whether everything is written. Event loop only."""
        return not self._queue and not self._writing

    async def run(self) -> None:
        """Write what is queued, for ever. A failed write is retried after a growing pause."""
        loop = asyncio.get_running_loop()
        retry_s = self._first_retry_s
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                self._writing = True
                try:
                    written = await loop.run_in_executor(self._thread, self._write_batch)
                except StoreError as error:
                    self._note_error(error)
                    if self._on_error is not None:
                        self._on_error()
                    await self._sleep(retry_s)
                    retry_s = min(2 * retry_s, RETRY_AT_MOST_S)
                    continue
                finally:
                    self._writing = False
                retry_s = self._first_retry_s
                self._note_written()
                if written and self._on_written is not None:
                    self._on_written(written)

    def close(self) -> None:
        """Write what is left, once, and end the thread; call it when `run` has ended."""
        try:
            while self._thread.submit(self._write_batch).result() or self._queue:
                pass
        except StoreError as error:
            log.error("%s: not everything could be written at the end: %s", self._name, error)
        self._thread.shutdown()

    def _write_batch(self) -> list[Item]:
        """Write the next batch; returns what was stored. In the worker thread.

        Items refused for their content are put back and written singly, then in parts; the part
        that is still refused is set aside, so that it cannot block what comes after it.
        """
        batch = self._next_batch()
        if not batch:
            return []
        try:
            self._write(batch)
        except RecordRefused as error:
            self._isolate(batch, error)
            return []
        except StoreError:
            self._queue.extendleft(reversed(batch))
            if self._on_failed is not None:
                self._on_failed(list(self._queue))
            raise
        except Exception as error:  # a programming error: no retry mends it either
            log.debug("%s: writing %d items failed", self._name, len(batch), exc_info=True)
            self._isolate(batch, error)
            return []
        self._singly = max(0, self._singly - len(batch))
        self._state.written_s = self._steady_s()
        return batch

    def _next_batch(self) -> list[Item]:
        batch: list[Item] = []
        size = 0
        while self._queue and size < self._batch_size and not (batch and self._singly):
            batch.append(self._queue.popleft())
            size += self._size(batch[-1])
        return batch

    def _isolate(self, refused: list[Item], error: Exception) -> None:
        if len(refused) == 1:
            self._singly = max(0, self._singly - 1)
            parts = list(self._split(refused[0]))
            if len(parts) < 2:
                self._state.refused += max(1, self._size(refused[0]))
                log.error(
                    "%s: refused for good and set aside (%s): %s",
                    self._name,
                    error,
                    self._describe(refused[0]),
                    exc_info=None if isinstance(error, RecordRefused) else error,
                )
                return
        else:
            parts = refused
        self._queue.extendleft(reversed(parts))
        self._singly += len(parts)

    def _note_error(self, error: StoreError) -> None:
        if self._state.error is None:
            log.error("%s: %s; nothing is lost, trying again", self._name, error)
            self._state.error_since_s = self._steady_s()
        self._state.error = str(error)
        self._state.is_full |= isinstance(error, (JournalFull, LedgerFull))

    def _note_written(self) -> None:
        if self._state.error is not None:
            log.warning("%s: writing again", self._name)
        self._state.error = self._state.error_since_s = None
        self._state.is_full = False
