"""The present state: from the daemon's local API, else from the ledger, marked stale.

Used by `pantau status` and the dashboard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from monitor.core.alerting.ports import AlertReader
from monitor.core.documents import Document, TargetStatus, status_document
from monitor.core.errors import ApiError
from monitor.core.model import Network


class StateApi(Protocol):
    """Client of the daemon's local API."""

    def get(self, path: str) -> dict[str, object]:
        """Raises ApiError."""
        ...


class CurrentState:
    """Makes the `status --json` document.

    open_ledger: opens the read-only ledger when it is needed (raises LedgerError when there is
    none). utc_now_s: the present time (Unix seconds).
    """

    def __init__(
        self,
        api: StateApi,
        open_ledger: Callable[[], AlertReader],
        network: Callable[[], Network],
        utc_now_s: Callable[[], float],
    ) -> None:
        self._api = api
        self._open_ledger = open_ledger
        self._network = network
        self._utc_now_s = utc_now_s

    def document(self) -> Document:
        """Raises LedgerError when the daemon does not answer and there is no ledger either."""
        try:
            return self._api.get("/state")
        except ApiError as error:
            return self._from_ledger(str(error))

    def _from_ledger(self, why: str) -> Document:
        ledger = self._open_ledger()
        snapshot = ledger.load_snapshot()
        statuses = {
            stored.target: TargetStatus(state=stored.state, since_s=stored.since_s)
            for stored in snapshot.states
        }
        now_s = self._utc_now_s()
        at_s = snapshot.last_alive_s
        return status_document(
            self._network(),
            lambda name: statuses.get(name, TargetStatus()),
            {"state": "unknown", "last_round": None, "warnings": [why]},
            snapshot.open_incidents,
            at_s if at_s is not None else now_s,
            max(0.0, now_s - at_s) if at_s is not None else 0.0,
            stale=True,
            ledger=ledger.identity().value,
        )
