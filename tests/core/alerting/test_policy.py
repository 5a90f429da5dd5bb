"""To notify or not, and why: each rule of the table in ALERTS, one night a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.core.alerting.model import ActionKind, EventKind
from monitor.core.alerting.outbox import decode_notification
from monitor.core.alerting.policy import decide
from monitor.core.alerting.policy_context import PolicyContext
from monitor.core.alerting.policy_state import (
    PolicyState,
    read_policy_history,
    restore_policy_state,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import AlertRules, EscalationStep, Rota, Route
from monitor.core.model import State
from tests.core.alerting.scenario import ALERTS, EVERYTHING, START_S, STEPS, Night, Told

OPENED, RESOLVED, REMINDER = EventKind.OPENED, EventKind.RESOLVED, EventKind.REMINDER
DIGEST, UPDATED = EventKind.DIGEST, EventKind.UPDATED
HOOK = "channel:hook"
MINUTE_S, HOUR_S = 60.0, 3600.0
TAKEN = ActionKind.ACKNOWLEDGE


def sites(count: int, start: int = 1) -> list[str]:
    return [f"kec-{n:02}/utama" for n in range(start, start + count)]


def test_an_outage_is_told_after_the_hold_to_everybody_of_the_first_step_at_once() -> None:
    night = Night()
    number = night.opens()
    night.passes(14)
    assert night.told() == []
    assert night.reasons(number) == [Reason.WITHIN_HOLD]
    night.passes(1)
    assert night.news() == [
        Told(15, OPENED, "ani", (number,)),
        Told(15, OPENED, HOOK, (number,)),
    ]
    assert night.reasons(number) == [Reason.WITHIN_HOLD, Reason.FIRST_NOTICE]


def test_one_that_ends_inside_the_hold_is_told_to_nobody() -> None:
    night = Night()
    number = night.opens()
    night.passes(14)
    night.closes(number)
    night.passes(HOUR_S)
    assert night.told() == []
    assert [(n.event, n.reason) for n in night.ledger.policy_decisions([number])] == [
        (OPENED, Reason.WITHIN_HOLD),
        (RESOLVED, Reason.WITHIN_HOLD),
    ]


def test_whoever_got_the_opening_gets_the_closing() -> None:
    night = Night()
    number = night.opens()
    night.passes(4 * MINUTE_S)
    night.news()
    night.closes(number)
    assert night.news() == [
        Told(240, RESOLVED, "ani", (number,)),
        Told(240, RESOLVED, HOOK, (number,)),
    ]
    night.passes(24 * HOUR_S)
    assert night.news() == []
    assert night.reasons(number)[-1] is Reason.RESOLVED


def test_reminders_come_every_half_hour_four_times_and_then_every_four_hours() -> None:
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, STEPS[:1]),)))
    night.opens()
    night.passes(12 * HOUR_S)
    at_s = [at_s for at_s, event, _ in night.heard("ani") if event is REMINDER]
    assert [(s - 15) / MINUTE_S for s in at_s] == [30, 60, 90, 120, 360, 600]


def test_without_acknowledgement_the_next_step_is_told_after_15_and_the_third_after_45_min() -> (
    None
):
    night = Night()
    number = night.opens()
    night.passes(29 * MINUTE_S)
    assert night.heard("budi") == [(15 + 900, OPENED, (number,))]
    assert night.heard("citra") == []
    night.passes(30 * MINUTE_S)
    assert night.heard("citra") == [(15 + 2700, OPENED, (number,))]
    assert night.reasons(number).count(Reason.ESCALATION_STEP) == 2
    assert Reason.NOBODY_TO_TELL not in night.reasons(number)
    night.closes(number)
    for name in ("ani", "budi", "citra", HOOK):
        assert [event for _, event, _ in night.heard(name)][-1] is RESOLVED, name


def test_reminders_go_to_every_step_that_was_told() -> None:
    night = Night()
    night.opens()
    night.passes(31 * MINUTE_S)
    told = {t.recipient for t in night.told() if t.event is REMINDER}
    assert told == {"ani", "budi", HOOK}


def test_whoever_stands_in_two_steps_hears_the_second_as_a_reminder() -> None:
    steps = (
        EscalationStep(0.0, ("person:ani",)),
        EscalationStep(900.0, ("person:ani", "person:budi")),
    )
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, steps),)))
    night.opens()
    night.passes(20 * MINUTE_S)
    assert [event for _, event, _ in night.heard("ani")] == [OPENED, REMINDER]
    assert [event for _, event, _ in night.heard("budi")] == [OPENED]


def test_an_acknowledgement_stops_reminders_and_steps_but_not_the_closing() -> None:
    night = Night()
    number = night.opens()
    night.passes(5 * MINUTE_S)
    night.acts(number, TAKEN, for_s=8 * HOUR_S)
    night.news()
    night.passes(7 * HOUR_S)
    assert night.news() == []
    assert night.reasons(number)[-1] is Reason.ACKNOWLEDGED
    night.closes(number)
    assert [(t.event, t.recipient) for t in night.news()] == [(RESOLVED, "ani"), (RESOLVED, HOOK)]


def test_when_an_acknowledgement_runs_out_there_is_a_reminder_and_the_steps_begin_anew() -> None:
    night = Night()
    number = night.opens()
    night.passes(5 * MINUTE_S)
    night.acts(number, TAKEN, for_s=HOUR_S)
    night.passes(HOUR_S - 1)
    night.news()
    night.passes(2)
    assert [(t.event, t.recipient) for t in night.news()] == [(REMINDER, "ani"), (REMINDER, HOOK)]
    night.passes(14 * MINUTE_S)
    assert night.heard("budi") == []
    night.passes(2 * MINUTE_S)
    assert [event for _, event, _ in night.heard("budi")] == [OPENED]


def test_a_release_is_the_same_as_running_out() -> None:
    night = Night()
    number = night.opens()
    night.passes(5 * MINUTE_S)
    night.acts(number, TAKEN, for_s=8 * HOUR_S)
    night.passes(HOUR_S)
    night.news()
    night.acts(number, ActionKind.RELEASE)
    assert {t.event for t in night.news()} == {REMINDER}
    night.passes(15 * MINUTE_S)
    assert [event for _, event, _ in night.heard("budi")] == [OPENED]


def test_nobody_can_take_an_incident_for_longer_than_the_rules_allow() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.acts(number, TAKEN, for_s=100 * HOUR_S)
    night.news()
    night.passes(8 * HOUR_S - 1)
    assert night.news() == []
    night.passes(1)
    assert {t.event for t in night.news()} == {REMINDER}


def test_a_snooze_keeps_quiet_until_it_ends() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.acts(number, ActionKind.SNOOZE, for_s=2 * HOUR_S)
    night.news()
    night.passes(2 * HOUR_S - 1)
    assert night.news() == []
    assert night.reasons(number)[-1] is Reason.SNOOZED
    night.passes(1)
    assert {t.event for t in night.news()} == {REMINDER}


def test_reminders_go_to_whoever_is_on_call_by_then_and_the_closing_to_all_who_heard_of_it() -> (
    None
):
    began = datetime.fromtimestamp(START_S, UTC).replace(tzinfo=None)
    rota = Rota("jaga", ("ani", "budi"), began, turn_days=0.02)
    routes = (Route(EVERYTHING, (EscalationStep(0.0, ("rota:jaga",)),)),)
    night = Night(replace(ALERTS, rotas=(rota,), routes=routes))
    number = night.opens()
    night.passes(35 * MINUTE_S)
    assert [(t.event, t.recipient) for t in night.told()] == [(OPENED, "ani"), (REMINDER, "budi")]
    night.news()
    night.closes(number)
    assert {t.recipient for t in night.news()} == {"ani", "budi"}


def test_when_nobody_is_on_call_any_more_those_who_heard_of_it_are_reminded() -> None:
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, STEPS[:1]),)))
    night.opens()
    night.passes(MINUTE_S)
    nobody = (Route(EVERYTHING, (EscalationStep(0.0, ("rota:kosong",)),)),)
    night.reconfigures(replace(ALERTS, routes=nobody))
    night.passes(30 * MINUTE_S)
    assert [event for _, event, _ in night.heard("ani")] == [OPENED, REMINDER]


def test_a_note_or_a_ticket_stops_nothing_and_stands_beside_the_incident() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.acts(number, ActionKind.NOTE)
    night.acts(number, ActionKind.TICKET)
    night.passes(15 * MINUTE_S)
    assert [event for _, event, _ in night.heard("budi")] == [OPENED]
    document = decode_notification(night.ledger.outbox()[-1], night.utc_s).incident
    assert document is not None
    handling = document["handling"]
    assert isinstance(handling, dict)
    assert [note["who"] for note in handling["notes"]] == ["dina"]


def test_one_that_is_taken_before_it_was_told_wakes_nobody() -> None:
    night = Night()
    number = night.opens()
    night.acts(number, TAKEN, for_s=HOUR_S)
    night.passes(10 * MINUTE_S)
    night.closes(number)
    assert night.told() == []
    assert night.reasons(number)[-1] is Reason.NOT_OPENED_NO_CLOSING


def test_five_openings_at_once_are_one_message_that_lists_them() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(4)]
    night.passes(10)
    numbers.append(night.opens("kec-05/utama"))
    night.passes(14)
    assert night.told() == [], "the last of them is not past its hold"
    assert night.reasons(numbers[0])[-1] is Reason.GROUPED
    night.passes(1)
    assert night.news() == [
        Told(25, DIGEST, "ani", tuple(numbers)),
        Told(25, DIGEST, HOOK, tuple(numbers)),
    ]
    assert night.reasons(numbers[4])[-1] is Reason.DIGEST


def test_four_openings_are_four_messages() -> None:
    night = Night()
    for target in sites(4):
        night.opens(target)
    night.passes(MINUTE_S)
    assert [event for _, event, _ in night.heard("ani")] == [OPENED] * 4


def test_five_openings_that_come_one_by_one_are_not_held_back_for_each_other() -> None:
    night = Night()
    for target in sites(5):
        night.opens(target)
        night.passes(10)
    night.passes(MINUTE_S)
    assert [at_s for at_s, _, _ in night.heard("ani")] == [15, 25, 35, 45, 55]


def test_one_of_a_group_that_ends_before_the_hold_is_left_out() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(6)]
    night.passes(10)
    night.closes(numbers[2])
    night.passes(10)
    assert [t.incidents for t in night.told() if t.recipient == "ani"] == [
        tuple(n for n in numbers if n != numbers[2])
    ]


def test_later_ones_join_the_list_for_five_minutes_in_one_message_each_half_minute() -> None:
    night = Night()
    for target in sites(5):
        night.opens(target)
    night.passes(20)
    night.news()
    late = [night.opens(target) for target in sites(2, 6)]
    night.passes(24)
    assert night.news() == []
    assert night.reasons(late[0])[-1] is Reason.GROUPED
    night.passes(1)
    assert [(t.at_s, t.event, t.incidents) for t in night.news() if t.recipient == "ani"] == [
        (45, DIGEST, tuple(late))
    ]
    third = night.opens("kec-10/utama")
    night.passes(29)
    assert night.news() == [], "half a minute after the last list, not after the first"
    night.passes(1)
    assert [t.incidents for t in night.news() if t.recipient == "ani"] == [(third,)]
    night.passes(3 * MINUTE_S + 20)
    later = night.opens("kec-09/utama")
    night.passes(15)
    assert [t.incidents for t in night.news() if t.recipient == "ani"] == [(later,)]
    night.passes(20)
    after = night.opens("kec-08/utama")
    night.passes(15)
    assert [(t.event, t.incidents) for t in night.news() if t.recipient == "ani"] == [
        (OPENED, (after,))
    ]
    rows = night.ledger.outbox()
    assert {row.incident for row in rows} == {1, after}, "later on it is a message of its own"


def test_thirty_one_sites_at_once_are_one_message_and_their_return_is_one_too() -> None:
    night = Night()
    numbers = []
    for target in sites(31):
        numbers.append(night.opens(target))
        night.passes(0.1)
    night.passes(MINUTE_S)
    assert [(event, found) for _, event, found in night.heard("ani")] == [(DIGEST, tuple(numbers))]
    for number in numbers:
        night.passes(0.1)
        night.closes(number)
    last_s = night.now_s
    night.passes(MINUTE_S)
    ((at_s, event, found),) = night.heard("ani")[1:]
    assert (event, found) == (RESOLVED, tuple(numbers))
    assert at_s == pytest.approx(last_s), "once the last one is back"
    assert len(night.told()) == 4


def test_of_a_group_those_that_are_back_are_told_after_a_while_and_the_rest_later() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(6)]
    night.passes(MINUTE_S)
    night.news()
    night.closes(numbers[0])
    night.passes(10)
    night.closes(numbers[1])
    night.passes(4)
    assert night.news() == []
    night.passes(1)
    assert [(t.event, t.incidents) for t in night.news() if t.recipient == "ani"] == [
        (RESOLVED, (1, 2))
    ]
    night.passes(29 * MINUTE_S)
    assert [(t.event, t.incidents) for t in night.news() if t.recipient == "ani"] == [
        (REMINDER, (3, 4, 5, 6))
    ]


def test_a_group_escalates_and_reminds_in_one_message_of_those_that_nobody_took() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(5)]
    night.passes(MINUTE_S)
    night.acts(numbers[0], TAKEN, for_s=8 * HOUR_S)
    night.passes(40 * MINUTE_S)
    assert [(event, found) for _, event, found in night.heard("budi")] == [
        (DIGEST, (2, 3, 4, 5)),
        (REMINDER, (2, 3, 4, 5)),
    ]


def test_a_fallen_node_is_one_opening_and_one_closing() -> None:
    night = Night()
    number = night.opens("pop-patrol", affected=tuple(sites(12)))
    night.passes(10 * MINUTE_S)
    night.closes(number)
    assert [(event, found) for _, event, found in night.heard("ani")] == [
        (OPENED, (number,)),
        (RESOLVED, (number,)),
    ]


def test_an_outage_that_a_node_explains_is_told_only_if_it_outlives_the_node() -> None:
    night = Night()
    link = night.opens()
    night.passes(5)
    node = night.opens("pop-patrol")
    night.covers(link, node)
    night.passes(HOUR_S)
    assert {t.incidents for t in night.told()} == {(node,)}
    assert night.reasons(link)[-1] is Reason.COVERED_BY_PARENT
    night.closes(node)
    night.passes(MINUTE_S)
    night.news()
    night.covers(link, None)
    assert {(t.event, t.incidents) for t in night.news()} == {(OPENED, (link,))}


def test_while_a_node_explains_it_nobody_is_reminded_of_an_outage_told_before() -> None:
    night = Night()
    link = night.opens()
    night.passes(MINUTE_S)
    node = night.opens("pop-patrol")
    night.covers(link, node)
    night.passes(HOUR_S)
    assert [event for _, event, found in night.heard("ani") if found == (link,)] == [OPENED]
    night.closes(link)
    assert [event for _, event, found in night.heard("ani") if found == (link,)][-1] is RESOLVED


def test_maintenance_is_measured_and_not_told() -> None:
    night = Night()
    night.plans("kec-01", for_s=HOUR_S)
    number = night.opens()
    night.passes(10 * MINUTE_S)
    night.closes(number)
    night.passes(2 * HOUR_S)
    assert night.told() == []
    assert night.reasons(number) == [Reason.MAINTENANCE, Reason.NOT_OPENED_NO_CLOSING]


def test_what_is_still_down_when_maintenance_ends_is_told_then() -> None:
    night = Night()
    night.plans("pop-patrol", for_s=HOUR_S)
    number = night.opens("kec-03/utama")
    night.passes(HOUR_S - 1)
    assert night.told() == []
    night.passes(2)
    assert {(t.event, t.incidents) for t in night.news()} == {(OPENED, (number,))}
    assert night.reasons(number) == [Reason.MAINTENANCE, Reason.MAINTENANCE_OVER]


def test_maintenance_that_is_planned_in_the_last_moment_of_the_hold_still_counts() -> None:
    night = Night()
    night.opens()
    night.passes(14.5)
    night.plans("kec-01", for_s=HOUR_S)
    night.passes(10 * MINUTE_S)
    assert night.told() == []


def test_the_end_of_maintenance_is_no_message_when_the_state_is_what_it_was() -> None:
    night = Night()
    number = night.opens()
    night.passes(10 * MINUTE_S)
    night.plans("kec-01", for_s=HOUR_S)
    night.news()
    night.passes(HOUR_S + 14 * MINUTE_S)
    assert night.news() == []
    assert night.reasons(number)[-1] is Reason.MAINTENANCE
    night.passes(2 * MINUTE_S)
    assert [t.recipient for t in night.news()] == ["budi"]
    night.passes(15 * MINUTE_S)
    assert {t.event for t in night.news()} == {REMINDER}


def test_a_closing_comes_in_maintenance_too() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.plans("kec-01", for_s=HOUR_S)
    night.news()
    night.passes(MINUTE_S)
    night.closes(number)
    assert {t.event for t in night.news()} == {RESOLVED}


def test_a_degraded_link_waits_for_office_hours_where_its_route_says_so() -> None:
    office = Route({"state": ("degraded",)}, STEPS, office_hours=True)
    opens_at_s = 10 * HOUR_S
    night = Night(replace(ALERTS, routes=(office, Route(EVERYTHING, STEPS))))
    began_s = night.utc_s
    night.office_open = lambda at_s: at_s - began_s >= opens_at_s
    slow = night.opens("kec-01/utama", State.DEGRADED)
    down = night.opens("kec-02/utama")
    over = night.opens("kec-03/utama", State.DEGRADED)
    night.passes(HOUR_S)
    night.closes(over)
    assert {t.incidents for t in night.told()} == {(down,)}
    assert night.reasons(slow) == [Reason.WAITS_FOR_OFFICE_HOURS]
    assert night.reasons(over)[-1] is Reason.NOT_OPENED_NO_CLOSING
    night.acts(down, TAKEN, for_s=8 * HOUR_S)
    night.passes(opens_at_s - night.now_s)
    assert [at_s for at_s, _, found in night.heard("ani") if found == (slow,)] == [opens_at_s]


def test_without_office_hours_in_its_route_a_degraded_link_is_told_at_night_too() -> None:
    night = Night()
    number = night.opens("kec-01/utama", State.DEGRADED)
    night.passes(15)
    assert night.news()[0] == Told(15, OPENED, "ani", (number,))


def test_the_monitors_own_trouble_never_waits_for_office_hours() -> None:
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, STEPS, office_hours=True),)))
    night.opens("monitor", State.UNKNOWN)
    night.passes(15)
    assert len(night.told()) == 2


@pytest.mark.parametrize(("match", "waits"), [(EVERYTHING, False), ({"site": ("kec-01",)}, True)])
def test_a_down_waits_for_office_hours_only_where_a_site_says_so(
    match: dict[str, tuple[str, ...]], waits: bool
) -> None:
    night = Night(replace(ALERTS, routes=(Route(match, STEPS, office_hours=True),)))
    night.opens()
    night.passes(HOUR_S)
    assert (night.told() == []) is waits


def test_flapping_is_told_when_it_begins_and_when_it_is_over_and_no_opening_in_between() -> None:
    night = Night()
    for _ in range(5):
        number = night.opens()
        night.passes(30)
        night.closes(number)
        night.passes(30)
    events = [event for _, event, _ in night.heard("ani")]
    assert events == [OPENED, RESOLVED, OPENED, RESOLVED, OPENED, RESOLVED, UPDATED]
    assert night.reasons(number)[-1] is Reason.NOT_OPENED_NO_CLOSING
    assert Reason.FLAPPING in night.reasons(number)
    night.news()
    night.passes(HOUR_S)
    assert [(t.event, t.recipient) for t in night.news()] == [(UPDATED, "ani"), (UPDATED, HOOK)]
    said = [n.reason for n in night.ledger.policy_decisions() if n.event is UPDATED]
    assert said == [Reason.FLAPPING_BEGAN] * 2 + [Reason.FLAPPING_OVER] * 2


def test_blips_inside_the_hold_are_told_as_flapping_when_they_go_on() -> None:
    night = Night()
    for _ in range(4):
        number = night.opens()
        night.passes(10)
        night.closes(number)
        night.passes(20)
    assert [event for _, event, _ in night.heard("ani")] == [UPDATED]


def test_fifteen_minutes_of_down_page_although_it_flapped() -> None:
    night = Night()
    for _ in range(4):
        number = night.opens()
        night.passes(10)
        night.closes(number)
        night.passes(10)
    number = night.opens()
    night.news()
    night.passes(15 * MINUTE_S - 1)
    assert night.news() == []
    night.passes(1)
    assert {(t.event, t.incidents) for t in night.news()} == {(OPENED, (number,))}
    assert night.reasons(number)[-1] is Reason.STILL_DOWN_AFTER_15_MIN


def test_a_degraded_link_that_goes_down_changes_its_state_once_not_twice() -> None:
    night = Night()
    for _ in range(2):
        slow = night.opens("kec-01/utama", State.DEGRADED)
        night.passes(20)
        night.closes(slow, "down")
        down = night.opens()
        night.passes(20)
        night.closes(down)
    assert UPDATED not in [event for _, event, _ in night.heard("ani")]


def test_a_monitor_that_is_cut_off_tells_of_itself_and_of_nothing_else() -> None:
    night = Night()
    before = night.opens("kec-09/utama")
    own = night.opens("monitor", State.UNKNOWN)
    night.passes(2 * HOUR_S)
    assert {t.incidents for t in night.told()} == {(own,)}
    assert night.reasons(before)[-1] is Reason.MONITOR_CUT_OFF
    night.closes(own)
    night.news()
    night.passes(14)
    assert night.news() == [], "what was open before is judged anew first"
    night.passes(1)
    assert {(t.event, t.incidents) for t in night.news()} == {(OPENED, (before,))}


def test_while_cut_off_nobody_is_reminded_and_afterwards_only_of_what_is_still_open() -> None:
    night = Night()
    stays, goes = night.opens("kec-01/utama"), night.opens("kec-02/utama")
    night.passes(MINUTE_S)
    own = night.opens("monitor", State.UNKNOWN)
    night.passes(HOUR_S)
    assert REMINDER not in {t.event for t in night.told() if t.incidents != (own,)}
    night.closes(own)
    night.passes(5)
    night.closes(goes)
    night.passes(20)
    assert Reason.MONITOR_CUT_OFF in night.reasons(stays)
    reminded = {t.incidents for t in night.told() if t.event is REMINDER}
    assert reminded == {(own,), (stays,)}


def test_the_monitor_itself_is_never_in_a_list_of_outages() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(5)]
    night.passes(12)
    own = night.opens("monitor", State.UNKNOWN)
    night.passes(20)
    night.closes(own)
    night.passes(20)
    assert [t.incidents for t in night.told() if t.recipient == "ani"] == [
        (own,),
        (own,),
        tuple(numbers),
    ]


def test_where_no_route_leads_nobody_is_told_and_that_is_written_down() -> None:
    night = Night(replace(ALERTS, routes=()))
    number = night.opens()
    night.passes(HOUR_S)
    night.closes(number)
    assert night.told() == []
    assert night.reasons(number) == [Reason.NOBODY_TO_TELL, Reason.NOT_OPENED_NO_CLOSING]


def test_when_the_first_step_reaches_nobody_the_next_that_does_is_told_at_once() -> None:
    steps = (EscalationStep(0.0, ("rota:kosong",)), EscalationStep(900.0, ("person:budi",)))
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, steps),)))
    number = night.opens()
    night.passes(15)
    assert night.news() == [Told(15, OPENED, "budi", (number,))]


def test_a_step_that_reaches_nobody_is_said_and_passed_over() -> None:
    steps = (
        STEPS[0],
        EscalationStep(900.0, ("rota:kosong",)),
        EscalationStep(1800.0, ("person:citra",)),
    )
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, steps),)))
    number = night.opens()
    night.passes(HOUR_S)
    assert Reason.NOBODY_TO_TELL in night.reasons(number)
    assert night.heard("citra")[0] == (1815, OPENED, (number,))


def test_a_first_step_that_waits_delays_the_opening_and_the_next_counts_from_the_same_start() -> (
    None
):
    late = (EscalationStep(300.0, ("person:ani",)), EscalationStep(900.0, ("person:budi",)))
    night = Night(replace(ALERTS, routes=(Route(EVERYTHING, late),)))
    night.opens()
    night.passes(HOUR_S)
    assert night.heard("ani")[0][0] == 300
    assert night.heard("budi")[0] == (300 + 600, OPENED, (1,))


def test_people_who_were_taken_out_of_the_configuration_are_told_by_the_way_they_were() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    only_mail = replace(ALERTS.people[0], channels=("mail",))
    night.reconfigures(replace(ALERTS, people=(only_mail, *ALERTS.people[1:])))
    night.news()
    night.closes(number)
    assert [(row.recipient, row.channel) for row in night.ledger.outbox()[-2:]] == [
        ("ani", "mail"),
        (HOOK, "hook"),
    ]


def test_a_receiver_whose_channel_is_still_there_is_told_of_the_end_by_the_same_one() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    turned = replace(ALERTS.people[0], channels=("mail", "chat"))
    night.reconfigures(replace(ALERTS, people=(turned, *ALERTS.people[1:])))
    night.closes(number)
    assert {row.channel for row in night.ledger.outbox() if row.recipient == "ani"} == {"chat"}


def test_what_is_over_is_forgotten() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(6)]
    night.passes(MINUTE_S)
    for number in numbers:
        night.closes(number)
    night.passes(2 * HOUR_S)
    context = PolicyContext(
        night.utc_s, ALERTS.rules, night.alerting_state.routing, night.office_open, {}
    )
    state, _ = decide(PolicyState(sequences={7: 1}), (), night.now_s, context)
    assert state == PolicyState()
    kept = read_policy_history(night.ledger, night.utc_s + 49 * HOUR_S)
    assert restore_policy_state(kept, night.now_s, night.utc_s) == PolicyState()


def test_an_outage_that_leaves_the_configuration_is_closed_for_those_who_heard_of_it() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.closes(number, "removed")
    assert [event for _, event, _ in night.heard("ani")] == [OPENED, RESOLVED]


def test_a_cause_that_is_found_after_the_end_opens_nothing_again() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.closes(number)
    night.news()
    night.finds_cause(number)
    night.passes(24 * HOUR_S)
    assert night.news() == []


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_a_day_on_or_back_hurries_nothing_and_delays_nothing(
    step_s: float,
) -> None:
    night = Night()
    night.opens()
    night.passes(5)
    night.wall_ahead_s += step_s
    night.passes(14)
    assert [t.at_s for t in night.told()] == [15, 15]
    night.passes(31 * MINUTE_S)
    assert [t.at_s for t in night.told() if t.event is REMINDER] == [1815, 1815, 1815]


def test_rules_of_the_configuration_are_followed() -> None:
    rules = AlertRules(hold_s=60.0, reminder_s=120.0, reminders=1, later_reminder_s=600.0)
    night = Night(replace(ALERTS, rules=rules, routes=(Route(EVERYTHING, STEPS[:1]),)))
    night.opens()
    night.passes(800)
    assert [at_s for at_s, _, _ in night.heard("ani")] == [60, 180, 780]


def test_every_message_has_a_yes_for_each_of_its_incidents_and_each_yes_has_a_message() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(7)]
    night.passes(50 * MINUTE_S)
    for number in numbers:
        night.closes(number)
    night.passes(MINUTE_S)
    messages = {
        (row.incident, row.sequence, row.channel, row.recipient, row.event, number)
        for row in night.ledger.outbox()
        for number in (row.about or (row.incident,))
    }
    yes = {
        (n.thread, n.sequence, n.channel, n.recipient, n.event, n.incident)
        for n in night.ledger.policy_decisions()
        if n.notified
    }
    assert messages == yes
