"""Notifier: a text that cannot be made costs no notification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.notifier import Notifier, PolicyResult
from monitor.core.alerting.outbox import decode_notification
from monitor.core.alerting.policy_state import PolicyState
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from tests.core.alerting.scenario import ALERTS, NET

T0 = datetime(2026, 11, 24, 7, 5, tzinfo=UTC).timestamp()


class BrokenZone(tzinfo):
    """Fails whenever a local time is needed, as a fault in a message text would."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        raise ZeroDivisionError("no such zone")

    dst = utcoffset

    def tzname(self, _: datetime | None) -> str:
        return "X"


def up(_: str) -> State:
    return State.UP


def decided(zone: tzinfo) -> PolicyResult:
    """The notification of an outage that is past its hold."""
    notifier = Notifier(PolicyState(), AlertingState(ALERTS, NET, zone), lambda _: True)
    opened = Incident(7, Scope.LINK, "kec-01/utama", State.DOWN, T0, T0 + 5, "silence")
    notifier.decide([IncidentChange(ChangeKind.OPENED, opened, T0)], 0.0, T0, up)
    return notifier.decide([], 60.0, T0 + 60, up)


def test_a_text_that_cannot_be_made_is_replaced_by_state_target_and_times() -> None:
    result = decided(BrokenZone())
    assert [(row.recipient, row.channel) for row in result.rows] == [
        ("ani", "chat"),
        ("channel:hook", "hook"),
    ]
    message = decode_notification(result.rows[0], T0 + 60)
    assert message.text == "opened: down kec-01/utama since 2026-11-24 07:05:00 UTC"
    assert message.title == message.text
    assert message.incident is not None
    assert message.incident["target"] == "kec-01/utama"


def test_the_error_is_returned_for_the_log_and_the_decisions_are_recorded_all_the_same() -> None:
    broken, proper = decided(BrokenZone()), decided(UTC)
    assert broken.text_errors == tuple(
        f"text of a message about incident 7 for {channel}: ZeroDivisionError: no such zone"
        for channel in ("chat", "hook")
    )
    assert proper.text_errors == ()
    assert broken.policy_decisions == proper.policy_decisions
