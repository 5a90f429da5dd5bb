"""SqlLedger: the one writer of the ledger, for the daemon."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self, cast

from sqlalchemy import URL, Connection, Engine

from monitor.adapters.ledger import paths, writes
from monitor.adapters.ledger.database_file import (
    check_integrity,
    copy_database,
    create_file,
    inode_of,
    location,
    name_of,
    remove_log,
    set_aside,
    sqlite_path,
    writer_engine,
)
from monitor.adapters.ledger.errors import how_to_mend, ledger_errors
from monitor.adapters.ledger.migrate import MIGRATIONS, upgrade
from monitor.adapters.ledger.reader import SqlLedgerReader
from monitor.adapters.ledger.start_reserve import StartReserve
from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    PolicyDecision,
)
from monitor.core.errors import LedgerError, LedgerFull
from monitor.core.model import Decision, IncidentChange, Transition
from monitor.core.paths.model import IncidentTrace, PathBaseline


class SqlLedger(SqlLedgerReader):
    """`AlertLedger` of the daemon; its queries are those of the reader.

    It holds the one connection that may write. Every method may be called from any thread, but
    the calls run one after another: give it a worker thread of its own, and never the event loop,
    for each write waits for the disk.

    Every call is one transaction. After a LedgerError nothing of that call is stored; once its
    cause is removed (space on the disk, the lock of another program) the next call succeeds,
    without a restart. Raises LedgerError, and nothing but that.

    A file that was taken away, moved or replaced while it is open is put back by the next call,
    whole: the open connection still reads all of it.
    """

    def __init__(self, place: Path | URL, engine: Engine) -> None:
        super().__init__(place, engine)
        self._place = place
        self._lock = threading.RLock()
        self._remarks: list[str] = []
        self._inodes = self._find_inodes()
        self._device = None if self._path is None else self._path.parent.stat().st_dev
        self._reserve = None if self._path is None else StartReserve(self._path)

    @classmethod
    def open(cls, where: str | Path, *, migrations: Path = MIGRATIONS) -> Self:
        """Open a path or a URL; create what is missing, migrate older tables to this version.

        migrations: where Alembic finds its `versions`.
        """
        place = location(where)
        path = sqlite_path(place)
        reserve = None if path is None else StartReserve(path)
        while True:
            try:
                engine = cls._open_engine(place, migrations)
            except LedgerFull:
                if reserve is None or not reserve.give_back():
                    raise
            else:
                break
        if reserve is not None:
            reserve.keep()
        return cls(place, engine)

    @staticmethod
    def _open_engine(place: Path | URL, migrations: Path) -> Engine:
        name, path = name_of(place), sqlite_path(place)
        with ledger_errors(name, path):
            created = path is not None and create_file(path)
            engine = writer_engine(place, foreign_keys=False)
            try:
                if path is not None and not created:
                    with engine.begin() as connection:
                        fault = check_integrity(connection)
                    if fault is not None:
                        raise LedgerError(
                            f"the ledger {name} is damaged ({fault}): {how_to_mend(path)}"
                        )
                upgrade(engine, name, path, migrations)
                # Before the other one is closed: the last to close removes the log, and on a full
                # disk there may be no room for another.
                writer = writer_engine(place)
                try:
                    with writer.begin():
                        pass  # from here on the connection is open, and readers find its log
                except BaseException:
                    writer.dispose()
                    raise
            finally:
                engine.dispose()
            return writer

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        """Store all of these or, with a LedgerError, none; synced to the disk on return.

        A decision that is stored already, word for word, is skipped: after an error the same ones
        may be recorded again. New ones count in the order of the call.
        """
        with self._transaction() as connection:
            transitions = [each for each in decisions if isinstance(each, Transition)]
            changes = [each for each in decisions if isinstance(each, IncidentChange)]
            writes.record_transitions(connection, transitions)
            writes.record_changes(connection, changes)
            writes.record_outbox(connection, outbox)
            writes.record_policy_decisions(connection, policy_decisions)

    def record_alive(self, at_s: float) -> None:
        with self._transaction() as connection:
            writes.record_alive(connection, at_s)
        if self._reserve is not None:
            self._reserve.keep()

    def add_action(self, action: IncidentAction) -> IncidentAction:
        with self._transaction() as connection:
            return writes.add_action(connection, action)

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        with self._transaction() as connection:
            return writes.add_window(connection, window)

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        with self._transaction() as connection:
            return writes.end_window(connection, window, at_s, who)

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        with self._transaction() as connection:
            return writes.lease(connection, channel, now_s, lease_s, limit)

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        with self._transaction() as connection:
            writes.mark_sent(connection, row, replaced, at_s)

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        with self._transaction() as connection:
            writes.reschedule(connection, rows, why, next_try_s)

    def release(self, rows: Collection[int]) -> None:
        with self._transaction() as connection:
            writes.release(connection, rows)

    def release_all(self) -> int:
        with self._transaction() as connection:
            return writes.release_all(connection)

    def release_waiting(self, channel: str, but: Collection[int], now_s: float) -> int:
        with self._transaction() as connection:
            return writes.release_waiting(connection, channel, but, now_s)

    def mark_dead(
        self,
        rows: Collection[int],
        why: str,
        instead: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        with self._transaction() as connection:
            writes.mark_dead(connection, rows, why, instead)
            writes.record_policy_decisions(connection, policy_decisions)

    def retry(self, row: int, now_s: float) -> OutboxRow:
        with self._transaction() as connection:
            return writes.retry(connection, row, now_s)

    def record_paths(
        self, baselines: Collection[PathBaseline], traces: Sequence[IncidentTrace]
    ) -> None:
        with self._transaction() as connection:
            paths.record_paths(connection, baselines, traces)

    def check(self) -> None:
        """See that the file is in its place, and put it back where it is not."""
        with self._lock, ledger_errors(self._name, self._path):
            self._see_to_file()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What happened to the file since it was opened, a sentence each."""
        return tuple(self._remarks)

    def close(self) -> None:
        with self._lock, ledger_errors(self._name, self._path):
            try:
                self._see_to_file()
            finally:
                self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, ledger_errors(self._name, self._path):
            self._see_to_file()
            with self._engine.begin() as connection:
                yield connection

    def _see_to_file(self) -> None:
        """SQLite would go on writing into files that have no name any more."""
        if self._path is not None and self._find_inodes() != self._inodes:
            self._put_back(self._path)

    def _put_back(self, path: Path) -> None:
        """Write the ledger that is open to its place again; a strange file there is kept."""
        self._check_directory(path)
        restored = path.with_name(f"{path.name}.restored")
        with closing(self._engine.raw_connection()) as connection:
            copy_database(cast(sqlite3.Connection, connection.driver_connection), path, restored)
        there, log = self._find_inodes()
        aside = None
        if log == self._inodes[1]:
            remove_log(path)  # it must not come beside another file
        if there is not None and there != self._inodes[0]:
            aside = set_aside(path, "replaced")
        self._engine.dispose()  # removes the log by its name, so before the new one is opened
        remove_log(path)
        restored.replace(path)
        self._engine = writer_engine(self._place)
        with self._engine.begin():
            pass
        self._inodes = self._find_inodes()
        if aside is not None:
            what = (
                f"the ledger {self._name} was replaced while the daemon has it open: the daemon's"
                f" own is in its place again, the other file is {aside.name} (to use that one,"
                " stop the daemon first)"
            )
        elif there is None:
            what = (
                f"the ledger {self._name} was taken away while the daemon has it open: it was"
                " written anew, with all that it held"
            )
        else:
            what = (
                f"the log {path.name}-wal was taken away while the daemon has the ledger open: the"
                " ledger was written anew, with all that it held"
            )
        self._remarks.append(what)

    def _check_directory(self, path: Path) -> None:
        """Nothing is put into another disk's directory: the right one may only be unmounted."""
        try:
            device = path.parent.stat().st_dev
        except FileNotFoundError:
            raise LedgerError(
                f"the ledger {self._name} is gone with its directory: put the directory back, the"
                " daemon goes on by itself"
            ) from None
        if device != self._device:
            raise LedgerError(
                f"the ledger {self._name} is gone, {path.parent} is another disk now: mount the"
                " right one again, the daemon goes on by itself"
            )

    def _find_inodes(self) -> tuple[tuple[int, int] | None, ...]:
        """Of the file and of its log."""
        if self._path is None:
            return ()
        return inode_of(self._path), inode_of(self._path.with_name(f"{self._path.name}-wal"))
