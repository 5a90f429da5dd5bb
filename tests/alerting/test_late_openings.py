"""An outage that does not get through on one channel within a minute also goes by the next one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from monitor.core.alerting.model import EventKind, OutboxStatus, Rejected, RetryLater
from monitor.core.alerting.settings import AlertSettings, EscalationStep, Route
from tests.alerting_rig import AlertingRig
from tests.core.alerting.scenario import ALERTS, NET
from tests.fakes.prober import Answers, Silent
from tests.waiting import eventually_async

LINK = "kec-01/utama"
STEP_S = 3.0
OPENED, RESOLVED = EventKind.OPENED, EventKind.RESOLVED


def only(*to: str, fallback: tuple[str, ...] = ()) -> AlertSettings:
    hook = replace(ALERTS.channels[2], fallback=fallback)
    return replace(
        ALERTS,
        channels=(*ALERTS.channels[:2], hook),
        routes=(Route({}, (EscalationStep(0.0, to),)),),
    )


CASES = {
    "the next channel of a person": (only("person:ani"), "chat", "mail"),
    "the fallback of a channel": (only("channel:hook", fallback=("mail",)), "hook", "mail"),
}


@pytest.fixture(params=CASES)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[tuple[AlertingRig, str, str]]:
    alerts, first, second = CASES[request.param]
    opened = await AlertingRig(NET, alerts).open()
    await opened.run_for(30)
    yield opened, first, second
    await opened.close()


async def stored(rig: AlertingRig) -> None:
    """All rows are in the ledger."""
    await eventually_async(rig.pipeline.is_recorded)


def events(rig: AlertingRig, channel: str) -> list[EventKind]:
    return [message.event for message in rig.boxes[channel].accepted]


async def run_for(rig: AlertingRig, for_s: float) -> None:
    for _ in range(max(1, int(for_s / STEP_S))):
        await rig.run_for(min(for_s, STEP_S))
        await stored(rig)


async def cut(rig: AlertingRig) -> None:
    """A link is silent, and its opening is queued."""
    rig.prober.behave(LINK, Silent())
    while not rig.ledger.outbox():
        await run_for(rig, 1)


@pytest.mark.parametrize("why", ["it fails", "it hangs"])
async def test_a_down_that_waits_a_minute_also_goes_by_the_next_channel(
    rig: tuple[AlertingRig, str, str], why: str
) -> None:
    alerting, first, second = rig
    box = alerting.boxes[first]
    if why == "it hangs":
        box.hold()
    else:
        box.answer = lambda _: RetryLater("HTTP 503")
    await cut(alerting)
    await run_for(alerting, 57)
    assert events(alerting, second) == []
    await run_for(alerting, 6)
    assert events(alerting, second) == [OPENED]
    decision = alerting.ledger.policy_decisions()[-1]
    assert (decision.reason.value, decision.channel) == ("next_channel_after_wait", second)
    rows = alerting.ledger.outbox()
    assert [(row.channel, row.fallback_of) for row in rows] == [(first, None), (second, 1)]
    assert rows[0].status is not OutboxStatus.DEAD
    box.answer = None
    box.release()
    await run_for(alerting, 40)
    assert events(alerting, first) == [OPENED]
    ids = {m.event_id for name in (first, second) for m in alerting.boxes[name].accepted}
    keys = {m.key for name in (first, second) for m in alerting.boxes[name].accepted}
    assert (len(ids), len(keys)) == (1, 2)
    alerting.prober.behave(LINK, Answers())
    await run_for(alerting, 20)
    assert events(alerting, first) == events(alerting, second) == [OPENED, RESOLVED]


async def test_a_refused_opening_is_closed_where_it_went_although_the_channel_works_again(
    rig: tuple[AlertingRig, str, str],
) -> None:
    alerting, first, second = rig
    alerting.boxes[first].answer = lambda _: Rejected("HTTP 401")
    await cut(alerting)
    await run_for(alerting, 2)
    assert events(alerting, second) == [OPENED]
    decision = alerting.ledger.policy_decisions()[-1]
    assert (decision.reason.value, decision.channel) == ("next_channel_after_refusal", second)
    alerting.boxes[first].answer = None
    alerting.prober.behave(LINK, Answers())
    await run_for(alerting, 20)
    assert events(alerting, second) == [OPENED, RESOLVED]
    assert events(alerting, first) == [RESOLVED]
