"""The alert policy: who is notified of what and when, as scripts (see scenario.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.core.alerting.model import EventKind
from monitor.core.alerting.outbox import decode_notification
from monitor.core.alerting.policy import decide
from monitor.core.alerting.policy_context import PolicyContext
from monitor.core.alerting.policy_state import (
    PolicyState,
    read_policy_history,
    restore_policy_state,
)
from monitor.core.alerting.settings import AlertRules, AlertSettings, EscalationStep, Rota, Route
from tests.core.alerting.scenario import ALERTS, EVERYTHING, START_S, STEPS, AlertScenario

OPENED, REMINDER, UPDATED = EventKind.OPENED, EventKind.REMINDER, EventKind.UPDATED
MINUTE_S, HOUR_S = 60.0, 3600.0


def routed(
    *steps: EscalationStep,
    match: dict[str, tuple[str, ...]] | None = None,
    office_hours: bool = False,
) -> AlertSettings:
    """One route with these steps."""
    return replace(ALERTS, routes=(Route(match or EVERYTHING, steps, office_hours),))


ONE_STEP = routed(STEPS[0])
NOBODY = EscalationStep(0.0, ("rota:kosong",))
BLIP = """
    open kec-01, wait 10s, close {n}, wait {pause}
"""

SCENARIOS = {
    "an outage is notified after the hold, to all of the first step": """
        open kec-01, wait 14s       => nothing
        reasons 1                   => within_hold
        wait 1s                     => opened 1 to ani, hook
        reasons 1                   => within_hold first_notice
    """,
    "an outage that ends inside the hold is not notified": """
        open kec-01, wait 14s, close 1, wait 1h => nothing
        reasons 1                   => within_hold within_hold
    """,
    "whoever got the opening gets the closing": """
        open kec-01, wait 4m        => opened 1 to ani, hook
        close 1                     => resolved 1 to ani, hook
        wait 5h                     => nothing
        reasons 1                   => ... resolved
    """,
    "without acknowledgement the second step follows after 15 min and the third after 45": """
        open kec-01, wait 15s       => opened 1 to ani, hook
        wait 899s                   => nothing
        wait 1s                     => opened 1 to budi
        wait 15m                    => reminder 1 to ani, budi, hook
        wait 899s                   => nothing
        wait 1s                     => opened 1 to citra
        wait 14m
        reasons 1                   => ... first_notice escalation_step reminder_due escalation_step
        close 1                     => resolved 1 to ani, budi, citra, hook
    """,
    "an acknowledgement stops reminders and steps but not the closing": """
        open kec-01, wait 5m        => opened 1 to ani, hook
        ack 1 8h, wait 7h           => nothing
        reasons 1                   => ... acknowledged
        close 1                     => resolved 1 to ani, hook
    """,
    "when an acknowledgement expires a reminder comes and the step delays begin anew": """
        open kec-01, wait 5m        => opened 1 to ani, hook
        ack 1 1h, wait 3599s        => nothing
        wait 2s                     => reminder 1 to ani, hook
        wait 14m                    => nothing
        wait 2m                     => opened 1 to budi
    """,
    "a release is the same as an expired acknowledgement": """
        open kec-01, wait 5m        => opened 1 to ani, hook
        ack 1 8h, wait 1h           => nothing
        release 1                   => reminder 1 to ani, hook
        wait 15m                    => opened 1 to budi
    """,
    "an acknowledgement holds for at most 8 hours": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        ack 1 100h, wait 28799s     => nothing
        wait 1s                     => reminder 1 to ani, hook
    """,
    "a snooze holds until its end": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        snooze 1 2h, wait 7199s     => nothing
        reasons 1                   => ... snoozed
        wait 1s                     => reminder 1 to ani, hook
    """,
    "an incident that is acknowledged before its opening is not notified": """
        open kec-01, ack 1 1h, wait 10m, close 1 => nothing
        reasons 1                   => ... not_opened_no_closing
    """,
    "five openings at once are one digest, after the hold of the last": """
        open kec-01..kec-04, wait 4s, open kec-05, wait 14s => nothing
        reasons 1                   => ... grouped
        wait 1s                     => digest 1..5 to ani, hook
        reasons 5                   => ... digest
    """,
    "four openings are four messages": """
        open kec-01..kec-04, wait 1m => opened each 1..4 to ani, hook
    """,
    "five openings one by one do not wait for each other": """
        open kec-01, wait 10s, open kec-02, wait 5s => opened 1 to ani, hook
        wait 5s, open kec-03, wait 5s => opened 2 to ani, hook
        wait 5s, open kec-04, wait 5s => opened 3 to ani, hook
        wait 5s, open kec-05, wait 5s => opened 4 to ani, hook
        wait 9s                     => nothing
        wait 1s                     => opened 5 to ani, hook
    """,
    "links of one office that fall within 5 s are one message": """
        open losarang/utama, wait 4s, open losarang/cadangan, wait 14s => nothing
        reasons 1                   => within_hold grouped
        wait 1s                     => digest 1..2 to ani, hook
        reasons 1                   => within_hold grouped same_office
        reasons 2                   => within_hold same_office
        wait 15m                    => digest 1..2 to budi
        wait 15m                    => reminder 1..2 to ani, budi, hook
        close 1                     => resolved 1 to ani, budi, hook
        wait 5m, close 2            => resolved 2 to ani, budi, hook
        wait 5h                     => nothing
    """,
    "a link waits no longer than 5 s for the others of its office": """
        open losarang/utama, wait 6s, open losarang/cadangan, wait 9s => opened 1 to ani, hook
        wait 6s                     => opened 2 to ani, hook
        reasons 2                   => within_hold same_office
    """,
    "the second link of an office joins the messages about the first": """
        open losarang/utama, wait 1m => opened 1 to ani, hook
        open losarang/cadangan, wait 1m => opened 2 to ani, hook
        wait 13m 15s                => opened 1 to budi
        wait 1m                     => opened 2 to budi
        wait 15m                    => reminder 1..2 to ani, budi, hook
        close 2                     => resolved 2 to ani, budi, hook
        close 1                     => resolved 1 to ani, budi, hook
    """,
    "a restart keeps the links of an office together": """
        open losarang/utama, wait 1m => opened 1 to ani, hook
        open losarang/cadangan, wait 1m => opened 2 to ani, hook
        restart, wait 13m 15s       => opened 1 to budi
        wait 1m                     => opened 2 to budi
        wait 15m                    => reminder 1..2 to ani, budi, hook
        close 1, close 2            => resolved 1 to ani, budi, hook; resolved 2 to ani, budi, hook
    """,
    "a degraded link does not wait for the others of its office": """
        open losarang/utama degraded, wait 4s, open losarang/cadangan, wait 10s => nothing
        wait 1s                     => opened 1 to ani, hook
        wait 4s                     => opened 2 to ani, hook
    """,
    "links of one office in a burst are in its digest": """
        open losarang/utama, open losarang/cadangan, open kec-01..kec-03, wait 14s => nothing
        wait 1s                     => digest 1..5 to ani, hook
    """,
    "no opening waits longer than 4 s for the others of its group": """
        open kec-01..kec-04, wait 13s, open kec-05..kec-06, wait 5s => nothing
        wait 1s                     => digest 1..4 to ani, hook
        wait 8s                     => nothing
        wait 1s                     => digest 5..6 to ani, hook
    """,
    "in a busy minute each opening is told within 4 s of its hold": """
        open kec-01, wait 2s, open kec-02, wait 2s, open kec-03, wait 2s, open kec-04, wait 2s
        open kec-05, wait 2s, open kec-06, wait 2s, open kec-07, wait 2s, open kec-08, wait 5s
        wait 0s                     => digest 1..3 to ani, hook
        wait 4s                     => digest 4..5 to ani, hook
        wait 4s                     => digest 6..7 to ani, hook
        wait 4s                     => opened 8 to ani, hook
    """,
    "a digest never mixes outages with degradations": """
        open kec-01..kec-05 degraded, open kec-06..kec-10
        wait 15s                    => digest 1..5 to ani, hook; digest 6..10 to ani, hook
        open kec-11, open kec-12 degraded
        wait 15s                    => opened 11 to ani, hook; opened 12 to ani, hook
        restart, open kec-13, open kec-14 degraded
        wait 15s                    => opened 13 to ani, hook; opened 14 to ani, hook
    """,
    "an outage does not wait for a group of degradations": """
        open kec-01..kec-05 degraded, wait 16s => digest 1..5 to ani, hook
        open kec-06, wait 14s       => nothing
        wait 1s                     => opened 6 to ani, hook
    """,
    "a member that ends before the hold is not in the digest": """
        open kec-01..kec-06, wait 10s, close 3, wait 10s => digest 1..2,4..6 to ani, hook
    """,
    "later openings join the group for five minutes, in one digest every four seconds": """
        open kec-01..kec-05, wait 20s => digest 1..5 to ani, hook
        open kec-06..kec-07, wait 2s, open kec-10, wait 12s => nothing
        wait 1s                     => digest 6..7 to ani, hook
        wait 3s                     => nothing
        reasons 8                   => ... grouped
        wait 1s                     => opened 8 to ani, hook
        wait 230s, open kec-09, wait 15s => opened 9 to ani, hook
        wait 20s, open kec-08, wait 15s => opened 10 to ani, hook
    """,
    "of a group the closings wait 15 s for each other; the rest is reminded of together": """
        open kec-01..kec-06, wait 1m => digest 1..6 to ani, hook
        close 1, wait 10s, close 2, wait 4s => nothing
        wait 1s                     => resolved 1..2 to ani, hook
        wait 14m                    => digest 3..6 to budi
        wait 15m                    => reminder 3..6 to ani, budi, hook
    """,
    "a group escalates and reminds in one message, without what is acknowledged": """
        open kec-01..kec-05, wait 1m => digest 1..5 to ani, hook
        ack 1 8h, wait 15m          => digest 2..5 to budi
        wait 25m                    => reminder 2..5 to ani, budi, hook
    """,
    "a node that goes down is one opening and one closing": """
        open pop-patrol, wait 10m   => opened 1 to ani, hook
        close 1                     => resolved 1 to ani, hook
    """,
    "a link behind a node is notified only if it is still down when the node is back": """
        open kec-01, wait 5s, open pop-patrol, parent 1 2, wait 10m => opened 2 to ani, hook
        reasons 1                   => ... covered_by_parent
        close 2                     => resolved 2 to ani, hook
        wait 1m                     => nothing
        parent 1 -                  => opened 1 to ani, hook
    """,
    "a link that was notified before gets no reminder while its node is down": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        open pop-patrol, parent 1 2, wait 16m => opened 2 to ani, hook; opened 2 to budi
        wait 44m                    => reminder 2 to ani, budi, hook; opened 2 to citra
        close 1                     => resolved 1 to ani, hook
    """,
    "nothing is notified during maintenance": """
        maintenance kec-01 1h, open kec-01, wait 10m, close 1, wait 2h => nothing
        reasons 1                   => maintenance not_opened_no_closing
    """,
    "what is still down at the end of maintenance is notified then": """
        maintenance pop-patrol 1h, open kec-03, wait 3599s => nothing
        wait 2s                     => opened 1 to ani, hook
        reasons 1                   => maintenance maintenance_over
    """,
    "maintenance that is planned at the end of the hold still counts": """
        open kec-01, wait 14.5s, maintenance kec-01 1h, wait 10m => nothing
    """,
    "the end of maintenance sends nothing when the state is as before": """
        open kec-01, wait 10m       => opened 1 to ani, hook
        maintenance kec-01 1h, wait 74m => nothing
        reasons 1                   => ... maintenance
        wait 2m                     => opened 1 to budi
        wait 15m                    => reminder 1 to ani, budi, hook
    """,
    "a closing is notified during maintenance, too": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        maintenance kec-01 1h, wait 1m => nothing
        close 1                     => resolved 1 to ani, hook
    """,
    "a degraded link is notified at night on a route without office hours": """
        open kec-01 degraded, wait 14s => nothing
        wait 1s                     => opened 1 to ani, hook
    """,
    "a degraded link that goes down counts as one change of state, not as two": """
        open kec-01 degraded, wait 20s => opened 1 to ani, hook
        close 1 down                => resolved 1 to ani, hook
        open kec-01, wait 20s       => opened 2 to ani, hook
        close 2                     => resolved 2 to ani, hook
        open kec-01 degraded, wait 20s => opened 3 to ani, hook
        close 3 down                => resolved 3 to ani, hook
        open kec-01, wait 20s       => opened 4 to ani, hook
        close 4                     => resolved 4 to ani, hook
        wait 1h                     => nothing
    """,
    "an isolated monitor notifies of itself alone; what is still down follows 15 s after": """
        open kec-09, open monitor unknown, wait 10m => opened 2 to ani, hook
        reasons 1                   => ... monitor_cut_off
        close 2                     => resolved 2 to ani, hook
        wait 14s                    => nothing
        wait 1s                     => opened 1 to ani, hook
    """,
    "during an isolation there is no reminder; afterwards only of what is still down": """
        open kec-01..kec-02, wait 1m => opened each 1..2 to ani, hook
        open monitor unknown, wait 20m => opened 3 to ani, budi, hook
        wait 40m                    => reminder 3 to ani, budi, hook; opened 3 to citra
        close 3                     => resolved 3 to ani, budi, citra, hook
        wait 5s, close 2            => resolved 2 to ani, hook
        wait 20s                    => opened 1 to budi, citra; reminder 1 to ani, hook
        reasons 1                   => ... monitor_cut_off within_hold escalation_step reminder_due
    """,
    "the monitor itself is never in a digest": """
        open kec-01..kec-05, wait 12s, open monitor unknown, wait 20s => opened 6 to ani, hook
        close 6                     => resolved 6 to ani, hook
        wait 20s                    => digest 1..5 to ani, hook
    """,
    "an incident whose target is removed is closed for those who were notified": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        close 1 removed             => resolved 1 to ani, hook
    """,
    "a cause that is found after the end opens nothing again": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        close 1                     => resolved 1 to ani, hook
        cause 1, wait 5h           => nothing
    """,
    "flapping is notified when it begins and when it is over, and no opening in between": (
        "".join(
            f"open kec-01\nwait 30s => opened {n} to ani, hook\n"
            f"close {n} => resolved {n} to ani, hook\nwait 30s\n"
            for n in (1, 2, 3)
        )
        + """
        open kec-01, wait 30s       => updated 4 to ani, hook
        close 4, wait 30s, open kec-01, wait 30s, close 5
        reasons 5                   => flapping not_opened_no_closing
        wait 1h                     => updated 5 to ani, hook
        reasons 4                   => flapping flapping_began not_opened_no_closing
        reasons 5                   => flapping not_opened_no_closing flapping_over
        """
    ),
    "outages inside the hold are notified as flapping when they go on": (
        "".join(BLIP.format(n=n, pause="20s") for n in (1, 2, 3)) + BLIP.format(n=4, pause="20s")
    )
    + "wait 0s => updated 4 to ani, hook",
    "15 minutes of down are notified although the target flaps": (
        "".join(BLIP.format(n=n, pause="10s") for n in (1, 2, 3, 4))
        + """
        open kec-01                 => updated 4 to ani, hook
        wait 899s                   => nothing
        wait 1s                     => opened 5 to ani, hook
        reasons 5                   => ... still_down_after_15_min
        """
    ),
    "flapping is not notified during maintenance": (
        "maintenance kec-01 1h\n"
        + "".join(BLIP.format(n=n, pause="10s") for n in (1, 2, 3, 4))
        + "wait 0s => nothing"
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    AlertScenario().run(SCENARIOS[name])


def test_a_group_is_one_thread_of_messages_while_it_can_be_joined() -> None:
    name = "later openings join the group for five minutes, in one digest every four seconds"
    rows = AlertScenario().run(SCENARIOS[name]).ledger.outbox()
    assert {row.incident for row in rows} == {1, 10}


WITH_SETTINGS = {
    "nobody is notified without a route, and that is recorded": (
        replace(ALERTS, routes=()),
        """
        open kec-01, wait 1h, close 1 => nothing
        reasons 1                   => nobody_to_tell not_opened_no_closing
        """,
    ),
    "when the first step reaches nobody the next one that does is notified at once": (
        routed(NOBODY, STEPS[1]),
        """
        open kec-01, wait 15s       => opened 1 to budi
        """,
    ),
    "a step that reaches nobody is recorded and passed over": (
        routed(STEPS[0], replace(NOBODY, after_s=900.0), EscalationStep(1799.0, STEPS[2].to)),
        """
        open kec-01, wait 1813s     => opened 1 to ani, hook
        wait 1s                     => opened 1 to citra
        reasons 1                   => ... nobody_to_tell escalation_step
        """,
    ),
    "a delay of the first step delays the opening, and the next steps count from the same start": (
        routed(EscalationStep(300.0, ("person:ani",)), STEPS[1]),
        """
        open kec-01, wait 299s      => nothing
        wait 1s                     => opened 1 to ani
        wait 599s                   => nothing
        wait 1s                     => opened 1 to budi
        """,
    ),
    "a person in two steps gets the second one as a reminder": (
        routed(
            EscalationStep(0.0, ("person:ani",)),
            EscalationStep(900.0, ("person:ani", "person:budi")),
        ),
        """
        open kec-01, wait 20m       => opened 1 to ani, budi; reminder 1 to ani
        """,
    ),
    "the rules of the configuration are followed": (
        replace(
            ONE_STEP,
            rules=AlertRules(hold_s=60.0, reminder_s=120.0, reminders=1, later_reminder_s=600.0),
        ),
        """
        open kec-01, wait 59s       => nothing
        wait 1s                     => opened 1 to ani, hook
        wait 119s                   => nothing
        wait 1s                     => reminder 1 to ani, hook
        wait 599s                   => nothing
        wait 1s                     => reminder 1 to ani, hook
        """,
    ),
    "reminders go to whoever is on call by then, and the closing to all who were notified": (
        replace(
            routed(EscalationStep(0.0, ("rota:jaga",))),
            rotas=(
                Rota(
                    "jaga",
                    ("ani", "budi"),
                    datetime.fromtimestamp(START_S, UTC).replace(tzinfo=None),
                    turn_days=0.02,
                ),
            ),
        ),
        """
        open kec-01, wait 30m       => opened 1 to ani
        wait 5m                     => reminder 1 to budi
        close 1                     => resolved 1 to ani, budi
        """,
    ),
    "an isolation of the monitor never waits for office hours": (
        routed(*STEPS, office_hours=True),
        """
        open monitor unknown, wait 15s => opened 1 to ani, hook
        """,
    ),
    "a down does not wait for office hours": (
        routed(STEPS[0], office_hours=True),
        """
        open kec-01, wait 15s       => opened 1 to ani, hook
        """,
    ),
    "a down waits for office hours on a route that names its site": (
        routed(*STEPS, match={"site": ("kec-01",)}, office_hours=True),
        """
        open kec-01, wait 1h        => nothing
        """,
    ),
}


HELD = replace(
    ONE_STEP,
    channels=(*ALERTS.channels[:2], replace(ALERTS.channels[2], hold_s=0.0)),
    routes=(Route({"state": ("degraded",)}, (STEPS[0],), hold_s=60.0), Route(EVERYTHING, STEPS)),
)

WITH_SETTINGS |= {
    "each channel has its own hold, from the detection": (
        HELD,
        """
        open kec-01                 => opened 1 to hook
        reasons 1                   => within_hold first_notice
        wait 14s                    => nothing
        wait 1s                     => opened 1 to ani
        wait 15m                    => opened 1 to budi
        close 1                     => resolved 1 to ani, budi, hook
        """,
    ),
    "the closing goes where the opening went: not to a channel whose hold it ended in": (
        HELD,
        """
        open kec-01, wait 14s       => opened 1 to hook
        close 1, wait 1h            => resolved 1 to hook
        """,
    ),
    "a hold of a route, and one of a channel, which is more specific": (
        HELD,
        """
        open kec-01 degraded        => opened 1 to hook
        wait 59s                    => nothing
        wait 1s                     => opened 1 to ani
        """,
    ),
    "a longer hold outlives a restart, and what ends within it stays silent": (
        HELD,
        """
        open kec-01, open kec-02    => opened each 1..2 to hook
        wait 4s, restart 2s, wait 3s, close 2 => resolved 2 to hook
        wait 5s                     => nothing
        wait 1s                     => opened 1 to ani
        restart, wait 10s           => nothing
        close 1                     => resolved 1 to ani, hook
        """,
    ),
    "an acknowledgement by one channel spares those who are still held back": (
        HELD,
        """
        open kec-01                 => opened 1 to hook
        ack 1 8h, wait 1h           => nothing
        close 1                     => resolved 1 to hook
        """,
    ),
    "what opened one by one without a hold is one digest after the hold of the others": (
        HELD,
        """
        open kec-01, wait 1s        => opened 1 to hook
        open kec-02, wait 1s        => opened 2 to hook
        open kec-03, wait 1s        => opened 3 to hook
        open kec-04, wait 1s        => opened 4 to hook
        open kec-05, wait 14s       => opened 5 to hook
        wait 1s                     => digest 1..5 to ani
        wait 15m                    => digest 1..5 to budi
        close 1..5                  => resolved 1..5 to ani, budi, hook
        """,
    ),
}


@pytest.mark.parametrize("name", WITH_SETTINGS)
def test_scenario_with_settings(name: str) -> None:
    alerts, script = WITH_SETTINGS[name]
    AlertScenario(alerts).run(script)


def test_reminders_come_every_half_hour_four_times_and_then_every_four_hours() -> None:
    scenario = AlertScenario(ONE_STEP).run("open kec-01\n wait 12h")
    at_s = [m.at_s - 15 for m in scenario.messages("ani") if m.event is REMINDER]
    assert [s / MINUTE_S for s in at_s] == [30, 60, 90, 120, 360, 600]


def test_a_degraded_link_waits_for_office_hours_where_its_route_says_so() -> None:
    office = Route({"state": ("degraded",)}, STEPS, office_hours=True)
    AlertScenario(
        replace(ALERTS, routes=(office, Route(EVERYTHING, STEPS))),
        office_open=lambda at_s: at_s - START_S >= 4 * HOUR_S,
    ).run("""
        open kec-01 degraded, open kec-02, open kec-03 degraded, wait 10m => opened 2 to ani, hook
        close 3                     => nothing
        reasons 1                   => waits_for_office_hours
        reasons 3                   => ... not_opened_no_closing
        ack 2 8h, wait 229m 59s     => nothing
        wait 1s                     => opened 1 to ani, hook
    """)


def test_when_nobody_is_on_call_any_more_earlier_recipients_get_the_reminder() -> None:
    scenario = AlertScenario(ONE_STEP).run("""
        open kec-01, wait 1m        => opened 1 to ani, hook
    """)
    scenario.reload(routed(NOBODY))
    scenario.run("wait 30m      => reminder 1 to ani, hook")


@pytest.mark.parametrize(("channels", "used"), [(("mail",), "mail"), (("mail", "chat"), "chat")])
def test_a_closing_takes_the_channel_of_the_opening_unless_it_is_gone(
    channels: tuple[str, ...], used: str
) -> None:
    scenario = AlertScenario().run("open kec-01\n wait 1m")
    ani = replace(ALERTS.people[0], channels=channels)
    scenario.reload(replace(ALERTS, people=(ani, *ALERTS.people[1:])))
    scenario.close(1)
    rows = scenario.ledger.outbox()[-2:]
    assert [(row.recipient, row.channel) for row in rows] == [
        ("ani", used),
        ("channel:hook", "hook"),
    ]


def test_notes_and_tickets_stop_nothing_and_are_in_the_document_of_the_incident() -> None:
    scenario = AlertScenario().run("""
        open kec-01, wait 1m        => opened 1 to ani, hook
        note 1, ticket 1, wait 15m  => opened 1 to budi
    """)
    document = decode_notification(scenario.ledger.outbox()[-1], scenario.utc_s).incident
    assert document is not None
    handling = document["handling"]
    assert isinstance(handling, dict)
    assert [note["who"] for note in handling["notes"]] == ["dina"]


def test_31_sites_at_once_are_one_digest_and_one_closing() -> None:
    scenario = AlertScenario()
    for number in range(1, 32):
        scenario.open(f"kec-{number:02}/utama")
        scenario.wait(0.1)
    scenario.run("wait 1m       => digest 1..31 to ani, hook")
    for number in range(1, 32):
        scenario.wait(0.1)
        scenario.close(number)
    last_s = scenario.now_s
    scenario.run("wait 1m       => resolved 1..31 to ani, hook")
    assert scenario.messages()[-1].at_s == pytest.approx(last_s), "once the last one is back"


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
def test_a_step_of_the_wall_clock_neither_hurries_nor_delays_anything(step_s: float) -> None:
    scenario = AlertScenario().run("open kec-01\n wait 5s")
    scenario.clock_ahead_s += step_s
    scenario.run("""
        wait 9s                     => nothing
        wait 1s                     => opened 1 to ani, hook
        wait 1799s                  => opened 1 to budi
        wait 1s                     => reminder 1 to ani, budi, hook
    """)


def test_ended_incidents_are_forgotten() -> None:
    scenario = AlertScenario().run("open kec-01..kec-06\n wait 1m\n close 1..6\n wait 2h")
    routing = scenario.alerting_state.routing
    context = PolicyContext(scenario.utc_s, ALERTS.rules, routing, scenario.office_open, {})
    state, _ = decide(PolicyState(sequences={7: 1}), (), scenario.now_s, context)
    assert state == PolicyState()
    history = read_policy_history(scenario.ledger, scenario.utc_s + 49 * HOUR_S)
    assert restore_policy_state(history, scenario.now_s, scenario.utc_s) == PolicyState()


def test_each_message_has_a_decision_for_each_of_its_incidents_and_the_reverse() -> None:
    scenario = AlertScenario().run("open kec-01..kec-07\n wait 50m\n close 1..7\n wait 1m")
    messages = {
        (row.incident, row.sequence, row.channel, row.recipient, row.event, number)
        for row in scenario.ledger.outbox()
        for number in (row.about or (row.incident,))
    }
    decisions = {
        (d.thread, d.sequence, d.channel, d.recipient, d.event, d.incident)
        for d in scenario.ledger.policy_decisions()
        if d.notified
    }
    assert messages == decisions
