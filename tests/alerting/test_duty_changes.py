"""Whoever goes on duty is told once what is open, and nothing when nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.alerting.duty_changes import DutyChanges
from monitor.core.alerting.model import ActionKind, EventKind, OutboxRow
from monitor.core.alerting.outbox import decode_notification
from monitor.core.alerting.settings import (
    AlertSettings,
    EscalationStep,
    Rota,
    RotaOverride,
    Route,
)
from tests.core.alerting.scenario import ALERTS, START_S, AlertScenario

BEGAN = datetime.fromtimestamp(START_S, UTC).replace(tzinfo=None)
HOUR = timedelta(hours=1)


def rota(*overrides: RotaOverride) -> AlertSettings:
    """Ani for an hour, then budi."""
    turns = Rota("jaga", ("ani", "budi"), BEGAN, turn_days=1 / 24, overrides=overrides)
    step = EscalationStep(0.0, ("rota:jaga",))
    return replace(ALERTS, rotas=(turns,), routes=(Route({}, (step,)),))


class DutyRig:
    """A scenario whose changes of duty are looked at; `Pipeline.hand_over` writes at once."""

    def __init__(self, alerts: AlertSettings) -> None:
        self.scenario = AlertScenario(alerts)
        self.start(None)

    def start(self, last_alive_s: float | None) -> None:
        self.changes = DutyChanges(self, self, self.scenario.alerting_state, last_alive_s)  # type: ignore[arg-type]

    def steady_s(self) -> float:
        return self.scenario.utc_s

    def utc_s(self, steady_s: float) -> float:
        return steady_s

    def hand_over(self, name: str, person: str, sequence: int) -> None:
        scenario = self.scenario
        result = scenario.notifier.hand_over(
            name, person, sequence, scenario.utc_s, scenario.state_of
        )
        self.scenario.ledger.record([], result.rows, result.policy_decisions)

    async def wait(self, for_s: float) -> None:
        for _ in range(int(for_s / 60)):
            self.scenario.wait(60)
            await self.changes.look()

    def hand_overs(self) -> list[OutboxRow]:
        return [row for row in self.scenario.ledger.outbox() if row.incident < 0]


async def test_the_next_person_is_told_what_is_open_and_who_has_it() -> None:
    rig = DutyRig(rota())
    rig.scenario.run("open kec-01, open kec-02, wait 1m, ack 2 8h, open kec-03, close 3")
    await rig.wait(3540 - 60)
    assert rig.hand_overs() == []
    await rig.wait(120)
    (row,) = rig.hand_overs()
    assert (row.recipient, row.event, row.about) == ("budi", EventKind.DIGEST, (1, 2))
    text = decode_notification(row, rig.scenario.utc_s).text
    first, second = text.splitlines()[2:4]
    assert text.startswith("YOU ARE ON CALL: 2 open incidents, 1 that nobody has, ")
    assert first.startswith("Incident 1: DOWN")
    assert first.endswith("nobody has it")
    assert "Incident 2: DOWN" in second
    assert "taken by dina until" in second
    reasons = {d.reason.value for d in rig.scenario.ledger.policy_decisions([1])}
    assert "hand_over" in reasons
    rig.scenario.new_messages()
    rig.scenario.run("close 1 => resolved 1 to ani, budi")


async def test_nothing_is_said_when_nothing_is_open_or_nobody_changes() -> None:
    rig = DutyRig(rota())
    await rig.wait(2 * 3600)
    assert rig.hand_overs() == []
    rig.scenario.run("open kec-01, wait 1m")
    rig.scenario.reload(rota())
    await rig.wait(600)
    assert rig.hand_overs() == []


async def test_an_override_by_a_reload_is_told_at_once() -> None:
    rig = DutyRig(rota())
    rig.scenario.run("open kec-01, wait 30m")
    await rig.changes.look()
    rig.scenario.reload(rota(RotaOverride("citra", BEGAN, BEGAN + HOUR)))
    await rig.changes.look()
    assert [row.recipient for row in rig.hand_overs()] == ["citra"]
    await rig.wait(600)
    assert len(rig.hand_overs()) == 1


async def test_a_change_while_the_daemon_did_not_run_is_told_once_at_its_start() -> None:
    rig = DutyRig(rota())
    rig.scenario.run("open kec-01, wait 59m")
    last_alive_s = rig.scenario.utc_s
    for _ in range(3):
        rig.scenario.restart(after_s=90.0)
        rig.start(last_alive_s)
        await rig.changes.look()
    assert [row.recipient for row in rig.hand_overs()] == ["budi"]
    rig.scenario.act(1, ActionKind.NOTE)
    rig.scenario.run("close 1")
    assert {m.recipient for m in rig.scenario.messages() if m.event is EventKind.RESOLVED} == {
        "ani",
        "budi",
    }
