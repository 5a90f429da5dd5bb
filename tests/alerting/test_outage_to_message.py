"""From a silent target to the messages that arrive: each once, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

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
LINK = SITES[:1]
ALL = [*SITES, "pop", *ANCHORS]

Step = tuple[float, Sequence[str]]
"""For so many seconds these targets are silent."""


@pytest.fixture
async def rig() -> AsyncIterator[AlertingRig]:
    opened = await AlertingRig(NET).open()
    await opened.run_for(10)
    yield opened
    await opened.close()


async def play(rig: AlertingRig, *steps: Step) -> None:
    for for_s, silent in steps:
        silence(rig, silent)
        await rig.run_for(for_s)


def silence(rig: AlertingRig, names: Sequence[str]) -> None:
    rig.prober.behave_by(lambda name, _: Silent() if name in names else Answers())


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(24, LINK), (120, [])], [(OPENED, LINK), (RESOLVED, LINK)], id="one-link"),
        pytest.param([(9, LINK), (60, [])], [], id="over-within-the-hold"),
        pytest.param(
            [(120, ["pop", *BEHIND_POP]), (120, [])],
            [(OPENED, ["pop"]), (RESOLVED, ["pop"])],
            id="node-with-twelve-links",
        ),
        pytest.param(
            [(90, SITES), (90, [])], [(DIGEST, SITES), (RESOLVED, SITES)], id="31-sites-at-once"
        ),
        pytest.param(
            [(240, ALL), (60, [])],
            [(OPENED, ["monitor"]), (RESOLVED, ["monitor"])],
            id="isolated-with-working-channels",
        ),
        pytest.param(
            [(10, LINK), (60, ALL), (60, LINK)],
            [(OPENED, ["monitor"]), (RESOLVED, ["monitor"]), (OPENED, LINK)],
            id="down-before-and-after-isolation",
        ),
        pytest.param([(10, LINK), (10, [])] * 8, [(EventKind.UPDATED, LINK)], id="flapping-link"),
    ],
)
async def test_an_outage_gives_exactly_these_messages(
    rig: AlertingRig, steps: list[Step], expected: list[tuple[EventKind, list[str]]]
) -> None:
    await play(rig, *steps)
    messages = await rig.wait_for_messages(len(expected))
    found = [event_and_targets(message) for message in messages]
    assert [(event, sorted(map(str, targets))) for event, targets in found] == expected
    others = rig.boxes["hook"].accepted
    assert [message.incident for message in others] == [message.incident for message in messages]


async def test_states_while_messages_are_held_covered_or_grouped(rig: AlertingRig) -> None:
    await play(rig, (9, LINK))
    assert rig.pipeline.state_of(SITES[0]) is State.DOWN
    await play(rig, (60, []), (120, ["pop", *BEHIND_POP]))
    assert {rig.pipeline.state_of(name) for name in BEHIND_POP} == {State.UNREACHABLE}
    (opening,) = await rig.wait_for_messages(1)
    assert opening.incident is not None
    assert opening.incident["affected"] == BEHIND_POP


OFFICE = ["losarang/utama", "losarang/cadangan"]


@pytest.fixture
async def office() -> AsyncIterator[AlertingRig]:
    links: dict[str, tuple[str, ...]] = dict.fromkeys([*OFFICE, *SITES], ())
    opened = await AlertingRig(network(links, anchors=2)).open()
    await opened.run_for(10)
    yield opened
    await opened.close()


async def test_two_dark_links_of_an_office_are_one_message_that_says_so(
    office: AlertingRig,
) -> None:
    await play(office, (60, OFFICE))
    (message,) = await office.wait_for_messages(1)
    assert event_and_targets(message)[1] == OFFICE
    assert message.title.startswith("KANTOR GELAP: Losarang, kedua jalur putus, sejak")
    links = dict.fromkeys(OFFICE, "down")
    for document in message.incidents:
        assert document["office"] == {"state": "dark", "links": links}


async def test_the_state_of_an_office_is_that_of_the_moment_of_writing(
    office: AlertingRig,
) -> None:
    """The second link falls after the first was told; then the first one returns."""
    await play(office, (60, OFFICE[:1]), (60, OFFICE), (60, OFFICE[1:]))
    first, second, third = await office.wait_for_messages(3)
    assert "Losarang · utama, kantor lewat cadangan, sejak" in first.title
    assert second.title.startswith("KANTOR GELAP: Losarang, kini cadangan juga putus, sejak")
    assert third.title.startswith("PULIH: Losarang · utama")
    assert "cadangan masih putus" in third.title


async def test_a_flapping_link_is_shown_as_such(rig: AlertingRig) -> None:
    await play(rig, *[(10, LINK), (10, [])] * 8)
    assert rig.pipeline.target_status(SITES[0]).overlays == ("flapping",)


async def test_an_isolated_monitor_whose_channels_fail_sends_one_message_afterwards(
    rig: AlertingRig,
) -> None:
    for box in rig.boxes.values():
        box.answer = lambda _: RetryLater("network is unreachable")
    await play(rig, (240, ALL))
    assert rig.pipeline.detector.monitor_incident is not None
    assert all(box.accepted == [] for box in rig.boxes.values())
    for box in rig.boxes.values():
        box.answer = None
    await play(rig, (400, []))
    (message,) = await rig.wait_for_messages(1)
    assert event_and_targets(message) == (RESOLVED, ["monitor"])
    assert [incident.target for incident in rig.ledger.incidents()] == ["monitor"]
