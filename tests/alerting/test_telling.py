"""What people hear of an outage: as much as they must, and not one message more."""

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
async def house() -> AsyncIterator[AlertingRig]:
    opened = await AlertingRig(NET).open()
    await opened.run_for(10)
    yield opened
    await opened.close()


def silence(house: AlertingRig, *names: str) -> None:
    house.prober.behave_by(lambda name, _: Silent() if name in names else Answers())


async def test_a_cut_link_is_told_once_and_its_return_once(house: AlertingRig) -> None:
    silence(house, SITES[0])
    await house.run_for(24)
    (opening,) = await house.wait_for_messages(1)
    assert event_and_targets(opening) == (OPENED, [SITES[0]])
    silence(house)
    await house.run_for(120)
    told = await house.wait_for_messages(2)
    assert [event_and_targets(message) for message in told] == [
        (OPENED, [SITES[0]]),
        (RESOLVED, [SITES[0]]),
    ]
    assert house.boxes["hook"].accepted[0].incident == opening.incident


async def test_a_blip_is_told_to_nobody(house: AlertingRig) -> None:
    silence(house, SITES[0])
    await house.run_for(9)
    assert house.pipeline.state_of(SITES[0]) is State.DOWN
    silence(house)
    await house.run_for(60)
    assert await house.wait_for_messages(0) == []


async def test_a_fallen_pop_with_twelve_links_is_one_opening_and_one_closing(
    house: AlertingRig,
) -> None:
    silence(house, "pop", *BEHIND_POP)
    await house.run_for(120)
    assert {house.pipeline.state_of(name) for name in BEHIND_POP} == {State.UNREACHABLE}
    silence(house)
    await house.run_for(120)
    told = await house.wait_for_messages(2)
    assert [event_and_targets(message) for message in told] == [
        (OPENED, ["pop"]),
        (RESOLVED, ["pop"]),
    ]
    document = told[0].incident
    assert document is not None
    assert document["affected"] == BEHIND_POP


async def test_thirty_one_sites_down_at_once_are_one_list(house: AlertingRig) -> None:
    silence(house, *SITES)
    await house.run_for(90)
    assert {house.pipeline.state_of(name) for name in SITES} == {State.DOWN}
    (digest,) = await house.wait_for_messages(1)
    event, targets = event_and_targets(digest)
    assert event is DIGEST
    assert sorted(map(str, targets)) == SITES
    silence(house)
    await house.run_for(90)
    _, closing = await house.wait_for_messages(2)
    event, targets = event_and_targets(closing)
    assert event is RESOLVED
    assert sorted(map(str, targets)) == SITES


async def test_a_monitor_that_is_cut_off_tells_of_itself_when_it_can_and_of_no_outage(
    house: AlertingRig,
) -> None:
    """No way out works meanwhile, as it would be."""
    every = [*SITES, "pop", *ANCHORS]
    for box in house.boxes.values():
        box.answer = lambda _: RetryLater("network is unreachable")
    silence(house, *every)
    await house.run_for(240)
    assert house.pipeline.detector.monitor_incident is not None
    assert all(box.accepted == [] for box in house.boxes.values())
    for box in house.boxes.values():
        box.answer = None
    silence(house)
    await house.run_for(400)
    (told,) = await house.wait_for_messages(1)
    assert event_and_targets(told) == (RESOLVED, ["monitor"])
    assert [i.target for i in house.ledger.incidents()] == ["monitor"]


async def test_a_monitor_that_is_cut_off_but_has_a_way_out_tells_of_both_ends(
    house: AlertingRig,
) -> None:
    silence(house, *SITES, "pop", *ANCHORS)
    await house.run_for(240)
    silence(house)
    await house.run_for(60)
    told = await house.wait_for_messages(2)
    assert [event_and_targets(message) for message in told] == [
        (OPENED, ["monitor"]),
        (RESOLVED, ["monitor"]),
    ]


async def test_an_outage_before_the_monitor_was_cut_off_is_told_afterwards_if_it_lasts(
    house: AlertingRig,
) -> None:
    silence(house, SITES[0])
    await house.run_for(10)
    silence(house, *SITES, "pop", *ANCHORS)
    await house.run_for(60)
    silence(house, SITES[0])
    await house.run_for(60)
    told = await house.wait_for_messages(3)
    assert [event_and_targets(message) for message in told] == [
        (OPENED, ["monitor"]),
        (RESOLVED, ["monitor"]),
        (OPENED, [SITES[0]]),
    ]


async def test_a_link_that_flaps_shows_it_and_is_told_once_to_flap(house: AlertingRig) -> None:
    for _ in range(8):
        silence(house, SITES[20])
        await house.run_for(10)
        silence(house)
        await house.run_for(10)
    assert house.pipeline.target_status(SITES[20]).overlays == ("flapping",)
    told = await house.wait_for_messages(1)
    assert [message.event for message in told] == [EventKind.UPDATED]
