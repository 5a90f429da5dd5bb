"""SqlLedger: the one writer, for the daemon."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine

from monitor.adapters.ledger import alert_questions, alert_recording, questions
from monitor.adapters.ledger.files import (
    check,
    create,
    location,
    name_of,
    path_of,
    writer_engine,
)
from monitor.adapters.ledger.migrate import SHIPPED, upgrade
from monitor.adapters.ledger.recording import record_alive, record_changes, record_transitions
from monitor.adapters.ledger.trouble import how_to_mend, told
from monitor.core.alerting.model import (
    DeliveryBatch,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.errors import LedgerError
from monitor.core.model import Decision, Incident, IncidentChange, Transition
from monitor.core.ports import LedgerSnapshot


class SqlLedger:
    """The AlertLedger of the daemon. Implements the port of that name.

    It holds the one connection that may write. Every method may be called from any thread,
    also from another one than `open`, but the calls run one after another: give it a worker
    thread of its own, and never the event loop, for each write waits for the disk.

    Every call is one transaction. After a LedgerError nothing of that call is stored; once its
    cause is mended (space on the disk, the lock of another program) the next call succeeds,
    without a restart. Raises LedgerError, and nothing but that.
    """

    def __init__(self, place: Path | URL, engine: Engine) -> None:
        self._name = name_of(place)
        self._path = path_of(place)
        self._engine = engine
        self._file = self._which_file()

    @classmethod
    def open(cls, where: str | Path, *, migrations: Path = SHIPPED) -> Self:
        """Open a path or a URL; create what is missing, bring older tables to this version.

        migrations: where Alembic finds its `versions`.
        """
        place = location(where)
        name, path = name_of(place), path_of(place)
        with told(name, path):
            created = path is not None and create(path)
            engine = writer_engine(place, foreign_keys=False)
            try:
                if path is not None and not created:
                    with engine.begin() as connection:
                        fault = check(connection)
                    if fault is not None:
                        raise LedgerError(
                            f"the ledger {name} is damaged ({fault}): {how_to_mend(path)}"
                        )
                upgrade(engine, name, path, migrations)
            finally:
                engine.dispose()
            engine = writer_engine(place)
            with engine.begin():
                pass  # from here on the connection is open, and readers find its log
            return cls(place, engine)

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        """Store all of these or, with a LedgerError, none; synced to the disk on return.

        A decision that is stored already, word for word, is passed over: after an error the
        same ones may be told again. New ones count in the order in which they are told.
        """
        with self._transaction() as connection:
            record_transitions(connection, [d for d in decisions if isinstance(d, Transition)])
            record_changes(connection, [d for d in decisions if isinstance(d, IncidentChange)])
            alert_recording.record_outbox(connection, outbox)
            alert_recording.record_notices(connection, policy_decisions)

    def alive(self, at_s: float) -> None:
        with self._transaction() as connection:
            record_alive(connection, at_s)

    def remember(self) -> LedgerSnapshot:
        with self._transaction() as connection:
            return questions.remember(connection)

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        """By ascending id. since_s: open then or later, an end at that very moment included.

        limit: the newest so many.
        """
        with self._transaction() as connection:
            return questions.incidents(
                connection, since_s, include_closed=include_closed, limit=limit
            )

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        """By `at`, and for equal times in the order in which they were recorded."""
        with self._transaction() as connection:
            return questions.transitions(connection, start_s, end_s, target)

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        with self._transaction() as connection:
            return alert_questions.actions(connection, incidents, since_s)

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        with self._transaction() as connection:
            return alert_questions.notices(connection, incidents, since_s)

    def incident(self, number: int) -> Incident | None:
        with self._transaction() as connection:
            return alert_questions.incident(connection, number)

    def outbox_row(self, number: int) -> OutboxRow | None:
        with self._transaction() as connection:
            return alert_questions.message(connection, number)

    def undecided_closings(self) -> list[Incident]:
        with self._transaction() as connection:
            return alert_questions.owed(connection)

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        with self._transaction() as connection:
            return alert_questions.windows(connection, start_s, end_s)

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        with self._transaction() as connection:
            return alert_questions.outbox(connection, status, incident, limit)

    def add_action(self, action: IncidentAction) -> IncidentAction:
        with self._transaction() as connection:
            return alert_recording.act(connection, action)

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        with self._transaction() as connection:
            return alert_recording.plan(connection, window)

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        with self._transaction() as connection:
            return alert_recording.end_window(connection, window, at_s, who)

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        with self._transaction() as connection:
            return alert_recording.lease(connection, channel, now_s, lease_s, limit)

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        with self._transaction() as connection:
            alert_recording.sent(connection, row, replaced, at_s)

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        with self._transaction() as connection:
            alert_recording.fail(connection, rows, why, next_try_s)

    def release(self, rows: Collection[int]) -> None:
        with self._transaction() as connection:
            alert_recording.give_back(connection, rows)

    def mark_dead(self, rows: Collection[int], why: str, instead: Sequence[OutboxRow] = ()) -> None:
        with self._transaction() as connection:
            alert_recording.dead(connection, rows, why, instead)

    def retry(self, row: int, now_s: float) -> OutboxRow:
        with self._transaction() as connection:
            return alert_recording.retry(connection, row, now_s)

    def close(self) -> None:
        with told(self._name, self._path):
            self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with told(self._name, self._path):
            if self._which_file() != self._file:
                # SQLite would go on writing into a file that has lost its name.
                raise LedgerError(
                    f"the ledger {self._name} was taken away or replaced while the daemon has it"
                    " open: restart the daemon"
                )
            with self._engine.begin() as connection:
                yield connection

    def _which_file(self) -> tuple[int, int] | None:
        if self._path is None or not self._path.exists():
            return None
        facts = self._path.stat()
        return facts.st_dev, facts.st_ino
