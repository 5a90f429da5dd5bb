"""Actions of people on incidents, maintenance windows and messages: check, store, inform listeners.

Every action is a row in the ledger (who, what, when, until when) before a listener is informed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeGuard, TypeVar

from monitor.core.alerting.alerting_state import (
    MAX_WINDOW_AHEAD_S,
    WINDOW_RETENTION_S,
    AlertingState,
)
from monitor.core.alerting.handling import REPORTED_CAUSES
from monitor.core.alerting.model import (
    ActionKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
)
from monitor.core.alerting.ports import AlertLedger
from monitor.core.errors import (
    Conflict,
    InvalidRequest,
    LedgerError,
    LedgerFull,
    NotFound,
    NotRecorded,
)
from monitor.core.executor import Executor
from monitor.core.model import Incident
from monitor.core.ports import Clock

log = logging.getLogger("monitor.alerting.incident_actions")

MAX_WINDOW_LENGTH_S = 604_800.0
"""Seven days: a forgotten window must not mute for ever."""


class ActionListener(Protocol):
    """Is informed at once of every action; called on the event loop."""

    def on_action(self, action: IncidentAction) -> None:
        """A person acted on an incident."""
        ...

    def on_maintenance(self, window: MaintenanceWindow) -> None:
        """A maintenance window was added or ended early."""
        ...

    def on_queued(self) -> None:
        """The outbox has new rows."""
        ...


T = TypeVar("T")

SAME_PRESS_S = 60.0
"""Two acknowledgements of one person that end within so long are the same press."""


class IncidentActions:
    """Methods raise InvalidRequest, NotFound or Conflict for what is refused, LedgerError where the
    ledger cannot be read, and NotRecorded where it did not store.

    open_incidents: the open ones, in UTC. executor: runs ledger calls. Times are Unix seconds.
    """

    def __init__(
        self,
        ledger: AlertLedger,
        clock: Clock,
        alerting_state: AlertingState,
        open_incidents: Callable[[], Sequence[Incident]],
        executor: Executor,
        listeners: Sequence[ActionListener] = (),
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._alerting_state = alerting_state
        self._open_incidents = open_incidents
        self._executor = executor
        self._listeners = tuple(listeners)

    async def restore(self) -> None:
        """Load actions and windows of before the start from the ledger."""
        now_s = self.now_s()
        numbers = [incident.id for incident in self._open_incidents()]
        actions = await self._executor(partial(self._ledger.actions, numbers))
        windows = await self._executor(
            partial(self._ledger.windows, now_s - WINDOW_RETENTION_S, now_s + MAX_WINDOW_AHEAD_S)
        )
        self._alerting_state.restore(actions, windows)

    def now_s(self) -> float:
        """The present time (Unix seconds), to the millisecond."""
        return round(self._clock.utc_s(self._clock.steady_s()), 3)

    async def acknowledge(
        self, incident: int, who: str, why: str = "", until_s: float | None = None
    ) -> IncidentAction:
        """Acknowledge an open incident; until_s None: for as long as the rules allow.

        In a dark office the outages of its other links are acknowledged too, where nobody has.
        """
        await self._must_be_open(incident)
        until_s = self._until_s(until_s, "acknowledged")
        found = self._open_incidents()
        asked = next(each for each in found if each.id == incident)
        kind = ActionKind.ACKNOWLEDGE
        action = await self._act(incident, kind, who, why, until_s)
        for other in self._alerting_state.offices.outages_of_dark(asked, found):
            if self._acknowledgement(other.id) is None:
                await self._act(other.id, kind, who, why, until_s)
        return action

    def acknowledged_with(self, action: IncidentAction) -> list[int]:
        """The other incidents that were taken with this acknowledgement, by id."""
        found = (self._acknowledgement(each.id) for each in self._open_incidents())
        return sorted(
            other.incident
            for other in found
            if other is not None
            and other.id > action.id
            and (other.who, other.until_s) == (action.who, action.until_s)
        )

    def _acknowledgement(self, incident: int) -> IncidentAction | None:
        """The one in force."""
        return self._alerting_state.handling(incident).active_acknowledgement(self.now_s())

    async def snooze(
        self, incident: int, who: str, until_s: float | None = None, why: str = ""
    ) -> IncidentAction:
        """Suppress reminders until then; this is no acknowledgement."""
        await self._must_be_open(incident)
        return await self._act(
            incident, ActionKind.SNOOZE, who, why, self._until_s(until_s, "snoozed")
        )

    async def release(self, incident: int, who: str, why: str = "") -> IncidentAction:
        """End the acknowledgement and the snooze."""
        await self._must_be_open(incident)
        handling, now_s = self._alerting_state.handling(incident), self.now_s()
        if handling.active_acknowledgement(now_s) is None and handling.active_snooze(now_s) is None:
            raise Conflict(f"nobody has incident {incident} in hand: there is nothing to release")
        return await self._act(incident, ActionKind.RELEASE, who, why)

    async def note(self, incident: int, who: str, text: str) -> IncidentAction:
        """Add a note; also to a closed incident."""
        await self._must_exist(incident)
        if not text:
            raise InvalidRequest("the note is empty: write what was done or heard")
        return await self._act(incident, ActionKind.NOTE, who, text)

    async def ticket(self, incident: int, who: str, number: str) -> IncidentAction:
        """Set the provider's ticket number; also of a closed incident."""
        await self._must_exist(incident)
        if not number:
            raise InvalidRequest("the ticket number is empty: write what the provider gave")
        return await self._act(incident, ActionKind.TICKET, who, number)

    async def cause(self, incident: int, who: str, cause: str) -> IncidentAction:
        """Set the cause that a person found; also of a closed incident."""
        await self._must_exist(incident)
        if cause not in REPORTED_CAUSES:
            raise InvalidRequest(f"{cause!r} is no cause: one of {', '.join(REPORTED_CAUSES)}")
        return await self._act(incident, ActionKind.CAUSE, who, cause)

    async def perform(self, action: IncidentAction) -> IncidentAction:
        """Perform an action that came from elsewhere (a chat button), with the same checks.

        An acknowledgement that this person has already is not recorded a second time.
        """
        number, who = action.incident, action.who
        present = self._acknowledgement(number)
        if action.kind is ActionKind.ACKNOWLEDGE and _is_same(present, action):
            return present
        match action.kind:
            case ActionKind.ACKNOWLEDGE:
                return await self.acknowledge(number, who, action.text, action.until_s)
            case ActionKind.SNOOZE:
                return await self.snooze(number, who, action.until_s, action.text)
            case ActionKind.RELEASE:
                return await self.release(number, who, action.text)
            case ActionKind.NOTE:
                return await self.note(number, who, action.text)
            case ActionKind.TICKET:
                return await self.ticket(number, who, action.text)
            case ActionKind.CAUSE:
                return await self.cause(number, who, action.text)

    async def plan_maintenance(
        self, targets: Sequence[str], start_s: float | None, end_s: float, who: str, why: str
    ) -> MaintenanceWindow:
        """Add a maintenance window; start_s None: from now on."""
        now_s = self.now_s()
        begin_s = now_s if start_s is None else start_s
        known = self._alerting_state.maintenance.targets_by_name
        unknown = [name for name in targets if name not in known]
        if not targets:
            raise InvalidRequest(
                "no target is given: a site, a node or a link such as anjatan/utama"
            )
        if unknown:
            raise InvalidRequest(
                f"{', '.join(unknown[:5])}: no site, node or link of that name; "
                "`pantau status` lists them"
            )
        if end_s <= begin_s:
            raise InvalidRequest("the window ends before it begins")
        if end_s <= now_s:
            raise InvalidRequest("the window is over already: give an end that lies ahead")
        if end_s - begin_s > MAX_WINDOW_LENGTH_S:
            raise InvalidRequest("the window is longer than 7 days: plan it in pieces")
        if begin_s > now_s + MAX_WINDOW_AHEAD_S:
            raise InvalidRequest("the window begins more than a year ahead")
        window = MaintenanceWindow(tuple(dict.fromkeys(targets)), begin_s, end_s, who, why)
        stored = await self._store(partial(self._ledger.add_window, window))
        self._inform_window(stored)
        return stored

    async def end_maintenance(self, name: str, who: str) -> MaintenanceWindow:
        """End a window early: by its number, or the active one of a line of maintenance.toml."""
        now_s = self.now_s()
        every = self._alerting_state.maintenance.windows_between(
            now_s - WINDOW_RETENTION_S, now_s + MAX_WINDOW_AHEAD_S
        )
        made = [w for w in every if w.id and str(w.id) == name]
        of_line = [w for w in every if w.recurring == name and w.is_active(now_s)]
        if not made and not of_line:
            raise NotFound(
                f"there is no maintenance window {name}, and no line of maintenance.toml of that "
                "name is in force: `pantau maintenance list` shows them"
            )
        window = (made or of_line)[0]
        if window.effective_end_s <= now_s:
            raise Conflict(f"maintenance window {name} is over already")
        if not window.id:
            # An occurrence of a recurring window has no row yet: store one.
            window = await self._store(partial(self._ledger.add_window, window))
        ended = await self._store(partial(self._ledger.end_window, window.id, now_s, who))
        self._inform_window(ended)
        return ended

    async def retry_message(self, row: int, who: str) -> OutboxRow:
        """Queue a dead message again."""
        stored = await self._executor(partial(self._ledger.outbox_row, row))
        if stored is None:
            raise NotFound(f"there is no message {row}: `pantau outbox` lists them")
        if stored.status is not OutboxStatus.DEAD:
            raise Conflict(
                f"message {row} is {stored.status.value}: only a dead one can be tried again"
            )
        again = await self._store(partial(self._ledger.retry, row, self.now_s()))
        log.info("%s sends message %d again", who, row)
        for listener in self._listeners:
            listener.on_queued()
        return again

    async def _act(
        self, incident: int, kind: ActionKind, who: str, text: str, until_s: float | None = None
    ) -> IncidentAction:
        action = IncidentAction(incident, kind, who, self.now_s(), text, until_s)
        stored = await self._store(partial(self._ledger.add_action, action))
        log.info("incident %d: %s by %s", incident, kind.value, who)
        self._alerting_state.add_action(stored)
        for listener in self._listeners:
            listener.on_action(stored)
        return stored

    async def _store(self, write: Callable[[], T]) -> T:
        """What was stored. Raises NotRecorded in the words of the person who did it."""
        try:
            return await self._executor(write)
        except LedgerFull as error:
            raise NotRecorded(
                "TIDAK TERCATAT dan tidak berlaku: disk server pemantau penuh. Kosongkan ruang"
                " disk itu, lalu ulangi; sementara itu kabari rekan piket secara langsung"
            ) from error
        except LedgerError as error:
            raise NotRecorded(
                f"TIDAK TERCATAT dan tidak berlaku ({error}). Perbaiki penyebabnya, lalu ulangi"
            ) from error

    def _inform_window(self, window: MaintenanceWindow) -> None:
        log.info("maintenance %d: %s, by %s", window.id, ", ".join(window.targets), window.who)
        self._alerting_state.add_window(window, self.now_s())
        for listener in self._listeners:
            listener.on_maintenance(window)

    def _until_s(self, until_s: float | None, done: str) -> float:
        """The end of an acknowledgement or snooze. Raises InvalidRequest beyond the limit."""
        now_s, longest_s = self.now_s(), self._alerting_state.alerts.rules.longest_ack_s
        if until_s is None:
            return now_s + longest_s
        if until_s <= now_s:
            raise InvalidRequest(f"an incident cannot be {done} until a time that is past")
        # 60 s more: "8h" counts from when it was typed.
        if until_s > now_s + longest_s + 60.0:
            raise InvalidRequest(
                f"an incident can be {done} for {longest_s / 3600:g} h at most: do it again then"
            )
        return until_s

    async def _must_be_open(self, incident: int) -> None:
        if all(each.id != incident for each in self._open_incidents()):
            await self._must_exist(incident)
            raise Conflict(f"incident {incident} is over already")

    async def _must_exist(self, incident: int) -> None:
        if any(each.id == incident for each in self._open_incidents()):
            return
        if await self._executor(partial(self._ledger.incident, incident)) is None:
            raise NotFound(f"there is no incident {incident}: `pantau incidents --all` lists them")


def _is_same(present: IncidentAction | None, action: IncidentAction) -> TypeGuard[IncidentAction]:
    """Whether the acknowledgement in force is the one that is asked for."""
    if present is None or present.until_s is None or action.until_s is None:
        return False
    return present.who == action.who and abs(present.until_s - action.until_s) <= SAME_PRESS_S
