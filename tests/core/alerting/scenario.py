"""A night on duty: incidents come and go, people act, and everything that is told is written down.

The real core (notifier, alerting state, rota, messages) on a ledger in memory; seconds pass
as fast as they can be computed. A restart makes everything anew from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from monitor.core.alerting.alerting_state import (
    MAX_WINDOW_AHEAD_S,
    WINDOW_RETENTION_S,
    AlertingState,
)
from monitor.core.alerting.model import ActionKind, EventKind, IncidentAction, MaintenanceWindow
from monitor.core.alerting.notifier import Notifier, PolicyResult
from monitor.core.alerting.outbox import incident_ids
from monitor.core.alerting.policy import PolicyEvent
from monitor.core.alerting.policy_state import read_policy_history, restore_policy_state
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    EscalationStep,
    Person,
    Route,
)
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from tests.core.detection.scenario import network
from tests.fakes.ledger import MemoryLedger

START_S = datetime.fromisoformat("2026-11-24T21:00:00+07:00").timestamp()
"""A Tuesday night: no office hours."""

NET = network(
    {f"kec-{n:02}/utama": ("pop-patrol" if n <= 12 else "pop-jauh",) for n in range(1, 32)},
    {"pop-patrol": (), "pop-jauh": ()},
    anchors=1,
)
EVERYTHING: Mapping[str, tuple[str, ...]] = {}
STEPS = (
    EscalationStep(0.0, ("person:ani", "channel:hook")),
    EscalationStep(900.0, ("person:budi",)),
    EscalationStep(2700.0, ("person:citra",)),
)
ALERTS = AlertSettings(
    channels=(
        ChannelSettings("chat", "apprise", secret="chat"),
        ChannelSettings("mail", "apprise", secret="mail", language="en"),
        ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/"),
    ),
    people=(
        Person("ani", "Ani", ("chat", "mail")),
        Person("budi", "Budi", ("mail",), language="en"),
        Person("citra", "Citra", ("chat",)),
    ),
    routes=(Route(EVERYTHING, STEPS),),
)


class Told(NamedTuple):
    """One message: when (seconds of the night), what, to whom, about which incidents."""

    at_s: float
    event: EventKind
    recipient: str
    incidents: tuple[int, ...]


@dataclass
class Night:
    """now_s and every `at` count from the beginning of the night."""

    alerts: AlertSettings = ALERTS
    office_open: Callable[[float], bool] = lambda _: False
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    now_s: float = 0.0
    wall_ahead_s: float = 0.0
    _incidents: dict[int, Incident] = field(default_factory=dict)
    _read: int = 0

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        utc_s = self.utc_s
        self._boot_s, self._boot_ahead_s = utc_s, self.now_s
        self.alerting_state = AlertingState(self.alerts, NET)
        self.alerting_state.restore(
            self.ledger.actions(),
            self.ledger.windows(utc_s - WINDOW_RETENTION_S, utc_s + MAX_WINDOW_AHEAD_S),
        )
        book = restore_policy_state(read_policy_history(self.ledger, utc_s), self.steady_s, utc_s)
        self.notifier = Notifier(book, self.alerting_state, self._is_office_open)

    def _is_office_open(self, at_s: float) -> bool:
        return self.office_open(at_s)

    @property
    def utc_s(self) -> float:
        return START_S + self.now_s + self.wall_ahead_s

    @property
    def steady_s(self) -> float:
        """A new daemon's steady time is the UTC at its start."""
        return self._boot_s + self.now_s - self._boot_ahead_s

    def _decide(self, *events: PolicyEvent) -> PolicyResult:
        letters = self.notifier.decide(events, self.steady_s, self.utc_s)
        decisions = [event for event in events if isinstance(event, IncidentChange)]
        self.ledger.record(decisions, letters.rows, letters.policy_decisions)
        return letters

    def opens(
        self,
        target: str = "kec-01/utama",
        state: State = State.DOWN,
        *,
        parent: int | None = None,
        affected: tuple[str, ...] = (),
    ) -> int:
        """Something goes wrong, judged now; the incident's number."""
        scope = Scope.LINK if "/" in target else Scope.NODE
        number = len(self._incidents) + 1
        incident = Incident(
            id=number,
            scope=Scope.MONITOR if target == "monitor" else scope,
            target=target,
            state=state,
            started_s=self.utc_s - 6,
            detected_s=self.utc_s,
            reason="silence",
            parent=parent,
            affected=affected,
        )
        self._incidents[number] = incident
        self._decide(IncidentChange(ChangeKind.OPENED, incident, self.utc_s))
        return number

    def closes(self, number: int, reason: str = "reply") -> None:
        """It is over, judged now."""
        ended = replace(self._incidents[number], ended_s=self.utc_s - 1, end_reason=reason)
        self._incidents[number] = ended
        self._decide(IncidentChange(ChangeKind.CLOSED, ended, self.utc_s))

    def covers(self, number: int, parent: int | None) -> None:
        """A node above it fell (None: is back)."""
        self._incidents[number] = replace(self._incidents[number], parent=parent)
        self._decide(IncidentChange(ChangeKind.UPDATED, self._incidents[number], self.utc_s))

    def finds_cause(self, number: int) -> None:
        """The suspected cause is known, perhaps long after the end."""
        self._incidents[number] = replace(self._incidents[number], suspected_cause="power")
        self._decide(IncidentChange(ChangeKind.UPDATED, self._incidents[number], self.utc_s))

    def acts(self, number: int, kind: ActionKind, for_s: float | None = None) -> None:
        """Dina does something about it."""
        until_s = None if for_s is None else self.utc_s + for_s
        stored = self.ledger.add_action(
            IncidentAction(number, kind, "dina", self.utc_s, "", until_s)
        )
        self.alerting_state.add_action(stored)
        self._decide(stored)

    def plans(self, *targets: str, for_s: float) -> MaintenanceWindow:
        """Maintenance, from now on."""
        window = self.ledger.add_window(
            MaintenanceWindow(targets, self.utc_s, self.utc_s + for_s, "dina", "x")
        )
        self.alerting_state.add_window(window, self.utc_s)
        self.notifier.maintenance_changed()
        self._decide()
        return window

    def reconfigures(self, alerts: AlertSettings) -> None:
        self.alerts = alerts
        self.alerting_state.reconfigure(alerts, NET, self.alerting_state.zone)
        self.notifier.reconfigure(self._is_office_open)

    def passes(self, for_s: float) -> None:
        """Time passes; everything due is looked at every second."""
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            self.now_s = min(self.now_s + 1.0, end_s)
            self._decide()

    def restarts(self, after_s: float = 0.0) -> None:
        """The daemon is gone, and is there again `after_s` later."""
        self.now_s += after_s
        self._begin()
        self._decide()

    def told(self) -> list[Told]:
        """Everything told so far."""
        return [
            Told(
                round(row.next_try_s - START_S - self.wall_ahead_s, 3),
                row.event,
                row.recipient,
                tuple(sorted(incident_ids(row))),
            )
            for row in self.ledger.outbox()
        ]

    def news(self) -> list[Told]:
        """What was told since the last call."""
        every = self.told()
        new, self._read = every[self._read :], len(every)
        return new

    def heard(self, recipient: str) -> list[tuple[float, EventKind, tuple[int, ...]]]:
        """What one receiver was told so far."""
        return [(t.at_s, t.event, t.incidents) for t in self.told() if t.recipient == recipient]

    def reasons(self, number: int) -> list[Reason]:
        """Every yes and no on one incident, each once for all receivers."""
        found: list[tuple[float, Reason]] = []
        for notice in self.ledger.policy_decisions([number]):
            if (notice.at_s, notice.reason) not in found:
                found.append((notice.at_s, notice.reason))
        return [reason for _, reason in found]
