"""From a silent target to the messages that arrive: each once, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.core.alerting.model import EventKind, RetryLater
from monitor.core.model import State
from tests.alerting_rig import AlertingRig, event_and_targets
from tests.core.detection.scenario import network
from tests.fakes.prober import Answers, Silent

OPENED, RESOLVED, DIGEST = EventKind.OPENED, EventKind.RESOLVED, EventKind.DIGEST
SITES = [f"kec-{n:02}/utama" for n in range(1, 32)]
BEHIND_POP = SITES[:12]
NET = network(
    {name: ("pop",) if name in BEHIND_POP else () for name in SITES}, {"pop": ()}, anchors=2
)
ANCHORS = [anchor.name for anchor in NET.anchors]


@pytest.fixture
async def rig() -> AsyncIterator[AlertingRig]:
    opened = await AlertingRig(NET).open()
    await opened.run_for(10)
    yield opened
    await opened.close()


def silence(rig: AlertingRig, *names: str) -> None:
    rig.prober.behave_by(lambda name, _: Silent() if name in names else Answers())


async def test_a_link_that_goes_down_and_comes_back_is_one_opening_and_one_closing(
    rig: AlertingRig,
) -> None:
    silence(rig, SITES[0])
    await rig.run_for(24)
    (opening,) = await rig.wait_for_messages(1)
    assert event_and_targets(opening) == (OPENED, [SITES[0]])
    silence(rig)
    await rig.run_for(120)
    messages = await rig.wait_for_messages(2)
    assert [event_and_targets(message) for message in messages] == [
        (OPENED, [SITES[0]]),
        (RESOLVED, [SITES[0]]),
    ]
    assert rig.boxes["hook"].accepted[0].incident == opening.incident


async def test_an_outage_inside_the_hold_is_not_notified(rig: AlertingRig) -> None:
    silence(rig, SITES[0])
    await rig.run_for(9)
    assert rig.pipeline.state_of(SITES[0]) is State.DOWN
    silence(rig)
    await rig.run_for(60)
    assert await rig.wait_for_messages(0) == []


async def test_a_node_with_twelve_links_is_one_opening_and_one_closing(
    rig: AlertingRig,
) -> None:
    silence(rig, "pop", *BEHIND_POP)
    await rig.run_for(120)
    assert {rig.pipeline.state_of(name) for name in BEHIND_POP} == {State.UNREACHABLE}
    silence(rig)
    await rig.run_for(120)
    messages = await rig.wait_for_messages(2)
    assert [event_and_targets(message) for message in messages] == [
        (OPENED, ["pop"]),
        (RESOLVED, ["pop"]),
    ]
    document = messages[0].incident
    assert document is not None
    assert document["affected"] == BEHIND_POP


async def test_31_sites_down_at_once_are_one_digest_and_one_closing(rig: AlertingRig) -> None:
    silence(rig, *SITES)
    await rig.run_for(90)
    assert {rig.pipeline.state_of(name) for name in SITES} == {State.DOWN}
    (digest,) = await rig.wait_for_messages(1)
    event, targets = event_and_targets(digest)
    assert event is DIGEST
    assert sorted(map(str, targets)) == SITES
    silence(rig)
    await rig.run_for(90)
    _, closing = await rig.wait_for_messages(2)
    event, targets = event_and_targets(closing)
    assert event is RESOLVED
    assert sorted(map(str, targets)) == SITES


async def test_an_isolated_monitor_without_channels_notifies_of_itself_later_and_of_no_outage(
    rig: AlertingRig,
) -> None:
    """No channel works meanwhile."""
    every = [*SITES, "pop", *ANCHORS]
    for box in rig.boxes.values():
        box.answer = lambda _: RetryLater("network is unreachable")
    silence(rig, *every)
    await rig.run_for(240)
    assert rig.pipeline.detector.monitor_incident is not None
    assert all(box.accepted == [] for box in rig.boxes.values())
    for box in rig.boxes.values():
        box.answer = None
    silence(rig)
    await rig.run_for(400)
    (message,) = await rig.wait_for_messages(1)
    assert event_and_targets(message) == (RESOLVED, ["monitor"])
    assert [i.target for i in rig.ledger.incidents()] == ["monitor"]


async def test_an_isolated_monitor_with_channels_notifies_of_its_isolation_and_its_end(
    rig: AlertingRig,
) -> None:
    silence(rig, *SITES, "pop", *ANCHORS)
    await rig.run_for(240)
    silence(rig)
    await rig.run_for(60)
    messages = await rig.wait_for_messages(2)
    assert [event_and_targets(message) for message in messages] == [
        (OPENED, ["monitor"]),
        (RESOLVED, ["monitor"]),
    ]


async def test_an_outage_that_outlasts_an_isolation_is_notified_after_it(
    rig: AlertingRig,
) -> None:
    silence(rig, SITES[0])
    await rig.run_for(10)
    silence(rig, *SITES, "pop", *ANCHORS)
    await rig.run_for(60)
    silence(rig, SITES[0])
    await rig.run_for(60)
    messages = await rig.wait_for_messages(3)
    assert [event_and_targets(message) for message in messages] == [
        (OPENED, ["monitor"]),
        (RESOLVED, ["monitor"]),
        (OPENED, [SITES[0]]),
    ]


async def test_a_flapping_link_has_the_overlay_and_one_message(rig: AlertingRig) -> None:
    for _ in range(8):
        silence(rig, SITES[20])
        await rig.run_for(10)
        silence(rig)
        await rig.run_for(10)
    assert rig.pipeline.target_status(SITES[20]).overlays == ("flapping",)
    messages = await rig.wait_for_messages(1)
    assert [message.event for message in messages] == [EventKind.UPDATED]
