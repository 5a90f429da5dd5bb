"""SqlLedgerReader: the ledger's questions, from any process."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine

from monitor.adapters.ledger import alert_questions, questions
from monitor.adapters.ledger.files import location, name_of, path_of, reader_engine
from monitor.adapters.ledger.tables import REVISION
from monitor.adapters.ledger.trouble import told
from monitor.core.alerting.model import (
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.errors import LedgerError
from monitor.core.model import Incident, Transition
from monitor.core.ports import LedgerSnapshot


class SqlLedgerReader:
    """An AlertReader that cannot write. Implements the port of that name.

    Every question opens the file anew, sees all that is committed by then, and closes it.
    Any number of threads may ask. Raises LedgerError, and nothing but that.
    """

    def __init__(self, place: Path | URL, engine: Engine) -> None:
        self._name = name_of(place)
        self._path = path_of(place)
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """For a path or a URL. Nothing is opened yet: the daemon may start later than this."""
        place = location(where)
        return cls(place, reader_engine(place))

    def remember(self) -> LedgerSnapshot:
        with self._moment() as connection:
            return questions.remember(connection)

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        """By ascending id. since_s: open then or later, an end at that very moment included.

        limit: the newest so many.
        """
        with self._moment() as connection:
            return questions.incidents(
                connection, since_s, include_closed=include_closed, limit=limit
            )

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        """By `at`, and for equal times in the order in which they were recorded."""
        with self._moment() as connection:
            return questions.transitions(connection, start_s, end_s, target)

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        with self._moment() as connection:
            return alert_questions.actions(connection, incidents, since_s)

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        with self._moment() as connection:
            return alert_questions.notices(connection, incidents, since_s)

    def incident(self, number: int) -> Incident | None:
        with self._moment() as connection:
            return alert_questions.incident(connection, number)

    def outbox_row(self, number: int) -> OutboxRow | None:
        with self._moment() as connection:
            return alert_questions.message(connection, number)

    def undecided_closings(self) -> list[Incident]:
        with self._moment() as connection:
            return alert_questions.owed(connection)

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        with self._moment() as connection:
            return alert_questions.windows(connection, start_s, end_s)

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        with self._moment() as connection:
            return alert_questions.outbox(connection, status, incident, limit)

    @contextmanager
    def _moment(self) -> Iterator[Connection]:
        with told(self._name, self._path):
            if self._path is not None and not self._path.exists():
                raise LedgerError(
                    f"there is no ledger at {self._name}: the daemon has not run here yet"
                    " (pantau run)"
                )
            with self._engine.begin() as connection:
                self._see_that_tables_fit(connection)
                yield connection

    def _see_that_tables_fit(self, connection: Connection) -> None:
        present = questions.revision(connection)
        if present is None:
            raise LedgerError(
                f"the ledger {self._name} has no tables yet: the daemon has not finished its"
                " first start (pantau run)"
            )
        if present != REVISION:
            raise LedgerError(
                f"the tables of the ledger {self._name} are at {present}, and this program reads"
                f" {REVISION}: restart the daemon and the dashboard with the same version"
            )
