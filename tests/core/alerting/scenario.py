"""Alert scenarios: incidents, actions and time in; the messages that were queued out.

The real core (policy, alerting state, rota, texts) on a ledger in memory, without waiting. A
scenario is a script; `=>` says which messages are new since the last `=>`:

    open kec-01                 => nothing
    wait 15s                    => opened 1 to ani, hook
    ack 1 2h, restart 1h        => nothing
    close 1                     => resolved 1 to ani, hook
    reasons 1                   => ... acknowledged resolved

    open TARGET [STATE]         TARGET: `kec-01`, `kec-01..kec-05`, a node, `monitor`
    close N.. [REASON]          parent N M|-      cause N      maintenance TARGET FOR
    ack N FOR    snooze N FOR   release N         note N       ticket N
    wait FOR     restart [FOR]  the daemon is killed, and starts again after so long
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from monitor.core.alerting.alerting_state import (
    MAX_WINDOW_AHEAD_S,
    WINDOW_RETENTION_S,
    AlertingState,
)
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
)
from monitor.core.alerting.notifier import Notifier
from monitor.core.alerting.outbox import incident_ids
from monitor.core.alerting.policy import PolicyEvent
from monitor.core.alerting.policy_state import read_policy_history, restore_policy_state
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
    {f"kec-{n:02}/utama": ("pop-patrol" if n <= 12 else "pop-jauh",) for n in range(1, 32)}
    | {f"losarang/{link}": ("pop-patrol",) for link in ("utama", "cadangan", "satelit")},
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
HOOK = "channel:hook"
ACTIONS = {
    "ack": ActionKind.ACKNOWLEDGE,
    "snooze": ActionKind.SNOOZE,
    "release": ActionKind.RELEASE,
    "note": ActionKind.NOTE,
    "ticket": ActionKind.TICKET,
}
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Message(NamedTuple):
    """One queued message. at_s: since the start of the scenario."""

    at_s: float
    event: EventKind
    recipient: str
    incidents: tuple[int, ...]


@dataclass
class AlertScenario:
    """now_s: since the start. clock_ahead_s: of the wall clock (somebody set it)."""

    alerts: AlertSettings = ALERTS
    office_open: Callable[[float], bool] = lambda _: False
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    now_s: float = 0.0
    clock_ahead_s: float = 0.0
    _incidents: dict[int, Incident] = field(default_factory=dict)
    _seen: int = 0

    def __post_init__(self) -> None:
        self._start_daemon()

    def _start_daemon(self) -> None:
        utc_s = self.utc_s
        self._boot_utc_s, self._boot_s = utc_s, self.now_s
        self.alerting_state = AlertingState(self.alerts, NET)
        windows = self.ledger.windows(utc_s - WINDOW_RETENTION_S, utc_s + MAX_WINDOW_AHEAD_S)
        self.alerting_state.restore(self.ledger.actions(), windows)
        history = read_policy_history(self.ledger, utc_s)
        state = restore_policy_state(history, self.steady_s, utc_s)
        self.notifier = Notifier(state, self.alerting_state, self.office_open)

    @property
    def utc_s(self) -> float:
        return START_S + self.now_s + self.clock_ahead_s

    @property
    def steady_s(self) -> float:
        """Steady time begins with the UTC at the start of the daemon."""
        return self._boot_utc_s + self.now_s - self._boot_s

    def _decide(self, *events: PolicyEvent) -> None:
        result = self.notifier.decide(events, self.steady_s, self.utc_s, self.state_of)
        changes = [event for event in events if isinstance(event, IncidentChange)]
        self.ledger.record(changes, result.rows, result.policy_decisions)

    def state_of(self, target: str) -> State:
        """As its open incident tells; up without one."""
        found = (each for each in self._incidents.values() if each.ended_s is None)
        return next((each.state for each in found if each.target == target), State.UP)

    def open(self, target: str = "kec-01/utama", state: State = State.DOWN) -> int:
        """An incident is detected now; its number (1, 2, 3 …)."""
        scope = Scope.MONITOR if target == "monitor" else Scope.LINK
        scope = scope if "/" in target or target == "monitor" else Scope.NODE
        number = len(self._incidents) + 1
        began_s, now_s = self.utc_s - 6, self.utc_s
        incident = Incident(number, scope, target, state, began_s, now_s, "silence")
        self._change(ChangeKind.OPENED, incident)
        return number

    def close(self, number: int, reason: str = "reply") -> None:
        ended = replace(self._incidents[number], ended_s=self.utc_s - 1, end_reason=reason)
        self._change(ChangeKind.CLOSED, ended)

    def _change(self, kind: ChangeKind, incident: Incident) -> None:
        self._incidents[incident.id] = incident
        self._decide(IncidentChange(kind, incident, self.utc_s))

    def act(self, number: int, kind: ActionKind, for_s: float | None = None) -> None:
        until_s = None if for_s is None else self.utc_s + for_s
        stored = self.ledger.add_action(
            IncidentAction(number, kind, "dina", self.utc_s, "", until_s)
        )
        self.alerting_state.add_action(stored)
        self._decide(stored)

    def maintain(self, target: str, for_s: float) -> None:
        """Maintenance of a target from now on."""
        window = self.ledger.add_window(
            MaintenanceWindow((target,), self.utc_s, self.utc_s + for_s, "dina", "x")
        )
        self.alerting_state.add_window(window, self.utc_s)
        self.notifier.maintenance_changed()
        self._decide()

    def reload(self, alerts: AlertSettings) -> None:
        self.alerts = alerts
        self.alerting_state.reconfigure(alerts, NET, self.alerting_state.zone)
        self.notifier.reconfigure(self.office_open)

    def wait(self, for_s: float) -> None:
        """Let time pass; the policy looks every second."""
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            self.now_s = min(self.now_s + 1.0, end_s)
            self._decide()

    def restart(self, after_s: float = 0.0) -> None:
        """The daemon is killed, and starts again `after_s` later."""
        self.now_s += after_s
        self._start_daemon()
        self._decide()

    def messages(self, recipient: str | None = None) -> list[Message]:
        """All messages so far, to one recipient (None: to all)."""
        return [
            Message(
                round(row.next_try_s - START_S - self.clock_ahead_s, 3),
                row.event,
                row.recipient,
                tuple(sorted(incident_ids(row))),
            )
            for row in self.ledger.outbox()
            if recipient in (None, row.recipient)
        ]

    def new_messages(self) -> list[Message]:
        """The messages since the last call."""
        messages = self.messages()
        new, self._seen = messages[self._seen :], len(messages)
        return new

    def reasons(self, number: int) -> list[str]:
        """The reason of every yes and no on one incident, each once for all recipients."""
        decisions = self.ledger.policy_decisions([number])
        return [reason.value for _, reason in dict.fromkeys((d.at_s, d.reason) for d in decisions)]

    def run(self, script: str) -> AlertScenario:
        """Follow a script (see the head of this module); a wrong expectation fails."""
        for line in filter(str.strip, script.splitlines()):
            commands, arrow, expected = (part.strip() for part in line.partition("=>"))
            if commands.startswith("reasons "):
                wanted = expected.split()
                found = self.reasons(int(commands.split()[1]))
                if wanted[0] == "...":
                    wanted, found = wanted[1:], found[1 - len(wanted) :]
                assert found == wanted, f"{line.strip()}: {found}"
                continue
            for command in commands.split(", "):
                self._command(*command.split())
            if arrow:
                new = sorted((m.event.value, m.incidents, m.recipient) for m in self.new_messages())
                assert new == _expected(expected), f"{line.strip()} (at {self.now_s} s): {new}"
        return self

    def _command(self, name: str, *args: str) -> None:
        match name:
            case "open":
                for target in _targets(args[0]):
                    self.open(target, State(args[1]) if args[1:] else State.DOWN)
            case "close":
                for number in _numbers(args[0]):
                    self.close(number, *args[1:])
            case "parent":
                parent = None if args[1] == "-" else int(args[1])
                incident = replace(self._incidents[int(args[0])], parent=parent)
                self._change(ChangeKind.UPDATED, incident)
            case "cause":
                incident = replace(self._incidents[int(args[0])], suspected_cause="power")
                self._change(ChangeKind.UPDATED, incident)
            case "maintenance":
                self.maintain(args[0], _seconds(args[1:]))
            case "wait":
                self.wait(_seconds(args))
            case "restart":
                self.restart(_seconds(args))
            case _:
                self.act(int(args[0]), ACTIONS[name], _seconds(args[1:]) if args[1:] else None)


def _seconds(words: Sequence[str]) -> float:
    return sum(float(word[:-1]) * UNITS_S[word[-1]] for word in words)


def _targets(word: str) -> list[str]:
    """`kec-01..kec-05` → five links; `kec-01` → its link; a node or `monitor` as it is."""
    first, _, last = word.partition("..")
    if not first.startswith("kec-"):
        return [first]
    low, high = int(first[4:]), int((last or first)[4:])
    return [f"kec-{number:02}/utama" for number in range(low, high + 1)]


def _numbers(word: str) -> tuple[int, ...]:
    """`1,3..5` → 1, 3, 4, 5."""
    parts = [part.partition("..") for part in word.split(",")]
    return tuple(n for low, _, high in parts for n in range(int(low), int(high or low) + 1))


def _expected(text: str) -> list[tuple[str, tuple[int, ...], str]]:
    """`digest 1..5 to ani, hook; opened each 6..7 to ani` → (event, incidents, recipient)."""
    found: list[tuple[str, tuple[int, ...], str]] = []
    for part in [] if text == "nothing" else text.split(";"):
        message, _, names = part.partition(" to ")
        event, *each, words = message.split()
        numbers = _numbers(words)
        for incidents in [(number,) for number in numbers] if each else [numbers]:
            for name in names.split(","):
                recipient = HOOK if name.strip() == "hook" else name.strip()
                found.append((event, incidents, recipient))
    return sorted(found)
