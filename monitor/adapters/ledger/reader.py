"""SqlLedgerReader: queries on the ledger, from any process."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine

from monitor.adapters.ledger import paths, queries
from monitor.adapters.ledger.database_file import location, name_of, reader_engine, sqlite_path
from monitor.adapters.ledger.errors import ledger_errors
from monitor.adapters.ledger.tables import REVISION
from monitor.core.alerting.model import (
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.errors import LedgerError
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.model import Incident, LedgerSnapshot, Transition
from monitor.core.paths.model import IncidentTrace, PathBaseline


class SqlLedgerReader:
    """`AlertReader` that cannot write.

    Every query opens the file anew, sees all that is committed by then, and closes it. May be used
    from any number of threads. Raises LedgerError, and nothing but that.
    """

    def __init__(self, place: Path | URL, engine: Engine) -> None:
        self._name = name_of(place)
        self._path = sqlite_path(place)
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """For a path or a URL. Nothing is opened yet: the daemon may start later than this."""
        place = location(where)
        return cls(place, reader_engine(place))

    def load_snapshot(self) -> LedgerSnapshot:
        with self._transaction() as connection:
            return queries.load_snapshot(connection)

    def identity(self) -> LedgerIdentity:
        with self._transaction() as connection:
            return queries.identity(connection)

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        """By ascending id. since_s: those that were open at or after it. limit: the newest."""
        with self._transaction() as connection:
            return queries.incidents(
                connection, since_s, include_closed=include_closed, limit=limit
            )

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        """By `at`, and for equal times in the order in which they were recorded."""
        with self._transaction() as connection:
            return queries.transitions(connection, start_s, end_s, target)

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        with self._transaction() as connection:
            return queries.actions(connection, incidents, since_s)

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        with self._transaction() as connection:
            return queries.policy_decisions(connection, incidents, since_s)

    def incident(self, number: int) -> Incident | None:
        with self._transaction() as connection:
            return queries.incident(connection, number)

    def outbox_row(self, number: int) -> OutboxRow | None:
        with self._transaction() as connection:
            return queries.outbox_rows(connection, [number]).get(number)

    def undecided_closings(self) -> list[Incident]:
        with self._transaction() as connection:
            return queries.undecided_closings(connection)

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        with self._transaction() as connection:
            return queries.windows(connection, start_s, end_s)

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        with self._transaction() as connection:
            return queries.outbox(connection, status, incident, limit)

    def waiting_openings(self, before_s: float) -> list[OutboxRow]:
        with self._transaction() as connection:
            return queries.waiting_openings(connection, before_s)

    def path_baselines(self) -> list[PathBaseline]:
        with self._transaction() as connection:
            return paths.path_baselines(connection)

    def incident_traces(self, incident: int) -> list[IncidentTrace]:
        with self._transaction() as connection:
            return paths.incident_traces(connection, incident)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction for one call; errors inside become LedgerError."""
        with ledger_errors(self._name, self._path):
            if self._path is not None and not self._path.exists():
                raise LedgerError(
                    f"there is no ledger at {self._name}: the daemon has not run here yet"
                    " (pantau run)"
                )
            with self._engine.begin() as connection:
                self._check_revision(connection)
                yield connection

    def _check_revision(self, connection: Connection) -> None:
        present = queries.revision(connection)
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
