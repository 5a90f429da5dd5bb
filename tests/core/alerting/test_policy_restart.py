"""The book is made again from the ledger: nothing is told twice, nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.alerting.model import ActionKind, EventKind, PolicyDecision
from monitor.core.alerting.reasons import Reason
from monitor.core.model import State
from tests.core.alerting.scenario import Night, Told
from tests.core.alerting.test_policy import sites

OPENED, RESOLVED, REMINDER = EventKind.OPENED, EventKind.RESOLVED, EventKind.REMINDER
DIGEST, UPDATED = EventKind.DIGEST, EventKind.UPDATED
MINUTE_S, HOUR_S = 60.0, 3600.0


@pytest.mark.parametrize("restarts", [10, pytest.param(100, marks=pytest.mark.full)])
@pytest.mark.parametrize("count", [4, 5])
def test_restarts_with_open_incidents_repeat_no_message(restarts: int, count: int) -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(count)]
    night.passes(MINUTE_S)
    night.news()
    for _ in range(restarts):
        night.restarts(after_s=5)
        night.passes(3)
    assert [t for t in night.news() if t.event is not REMINDER] == []
    for number in numbers:
        night.closes(number)
    night.passes(MINUTE_S)
    closed = Counter(n for t in night.news() if t.recipient == "ani" for n in t.incidents)
    assert closed == dict.fromkeys(numbers, 1)


def test_an_outage_that_was_not_told_before_a_kill_is_told_after_a_new_hold() -> None:
    night = Night()
    number = night.opens()
    night.passes(14)
    night.restarts(after_s=HOUR_S)
    night.passes(14)
    assert night.told() == []
    night.passes(1)
    assert night.heard("ani") == [(14 + HOUR_S + 15, OPENED, (number,))]


def test_one_that_was_not_told_and_is_over_after_the_restart_is_one_message() -> None:
    night = Night()
    number = night.opens()
    night.passes(5)
    night.restarts(after_s=4 * MINUTE_S)
    night.passes(3)
    night.closes(number)
    assert night.heard("ani") == [(248, RESOLVED, (number,))]
    assert night.reasons(number)[-1] is Reason.WAS_DOWN
    night.restarts()
    night.passes(HOUR_S)
    assert len(night.told()) == 2


def test_a_closing_that_was_judged_but_not_yet_told_is_told_after_the_restart() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(5)]
    night.passes(MINUTE_S)
    night.closes(numbers[0])
    night.news()
    night.restarts()
    night.passes(20)
    assert [(t.event, t.incidents) for t in night.news() if t.recipient == "ani"] == [
        (RESOLVED, (1,))
    ]


def test_steps_and_reminders_go_on_where_they_were() -> None:
    night = Night()
    night.opens()
    night.passes(20 * MINUTE_S)
    night.news()
    night.restarts(after_s=5)
    night.passes(9 * MINUTE_S)
    assert night.news() == []
    night.passes(2 * MINUTE_S)
    assert {(t.event, t.recipient) for t in night.news()} == {
        (REMINDER, "ani"),
        (REMINDER, "budi"),
        (REMINDER, "channel:hook"),
    }
    night.restarts(after_s=5)
    night.passes(15 * MINUTE_S)
    assert [(t.event, t.recipient) for t in night.news()] == [(OPENED, "citra")]


def test_after_ten_hours_of_standing_still_there_is_one_reminder_and_not_five() -> None:
    night = Night()
    night.opens()
    night.passes(MINUTE_S)
    night.news()
    night.restarts(after_s=10 * HOUR_S)
    assert night.news() == [], "it may be over: it is judged anew first"
    night.passes(20)
    assert Counter(t.recipient for t in night.news() if t.event is REMINDER) == {
        "ani": 1,
        "channel:hook": 1,
    }


def test_an_acknowledgement_outlives_a_restart_and_runs_out_at_its_time() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.acts(number, ActionKind.ACKNOWLEDGE, for_s=2 * HOUR_S)
    night.news()
    night.restarts(after_s=HOUR_S)
    night.passes(HOUR_S - 1)
    assert night.news() == []
    night.passes(2)
    assert {t.event for t in night.news()} == {REMINDER}
    night.restarts(after_s=1)
    night.passes(13 * MINUTE_S)
    assert night.heard("budi") == []
    night.passes(3 * MINUTE_S)
    assert len(night.heard("budi")) == 1


def test_maintenance_that_ended_while_nobody_ran_tells_what_is_still_down() -> None:
    night = Night()
    night.plans("kec-01", for_s=HOUR_S)
    number = night.opens()
    night.passes(MINUTE_S)
    night.restarts(after_s=2 * HOUR_S)
    night.passes(20)
    assert [(t.event, t.incidents) for t in night.told()] == [(OPENED, (number,))] * 2
    assert night.reasons(number)[-1] is Reason.MAINTENANCE_OVER


def test_later_ones_join_a_group_after_a_restart_too() -> None:
    night = Night()
    for target in sites(5):
        night.opens(target)
    night.passes(20)
    night.restarts(after_s=5)
    night.opens("kec-06/utama")
    night.passes(MINUTE_S)
    assert {row.incident for row in night.ledger.outbox()} == {1}
    assert [row.sequence for row in night.ledger.outbox() if row.recipient == "ani"] == [1, 2]


def test_an_outage_that_was_told_alone_is_no_group_after_a_restart() -> None:
    night = Night()
    first = night.opens()
    night.passes(20)
    night.restarts(after_s=5)
    second = night.opens("kec-02/utama")
    night.passes(20)
    assert {row.incident for row in night.ledger.outbox()} == {first, second}


def test_flapping_that_was_told_is_not_told_again_and_its_end_is() -> None:
    night = Night()
    for _ in range(5):
        number = night.opens()
        night.passes(30)
        night.closes(number)
        night.passes(30)
    night.news()
    for _ in range(10):
        night.restarts(after_s=5)
    assert night.news() == []
    night.passes(HOUR_S)
    assert [(t.event, t.recipient) for t in night.news()] == [
        (UPDATED, "ani"),
        (UPDATED, "channel:hook"),
    ]


def test_flapping_that_ended_while_nobody_ran_is_told_once() -> None:
    night = Night()
    for _ in range(5):
        number = night.opens()
        night.passes(30)
        night.closes(number)
        night.passes(30)
    night.news()
    for _ in range(3):
        night.restarts(after_s=5 * HOUR_S)
    assert {t.event for t in night.news()} == {UPDATED}
    assert len(night.ledger.policy_decisions(since_s=night.utc_s - 11 * HOUR_S)) == 2


def test_restarts_alone_make_no_target_flap() -> None:
    night = Night()
    night.opens()
    night.passes(MINUTE_S)
    for _ in range(30):
        night.restarts(after_s=5)
    assert UPDATED not in {t.event for t in night.told()}


def test_numbers_of_messages_go_on_although_the_first_of_a_group_is_long_over() -> None:
    night = Night()
    numbers = [night.opens(target) for target in sites(5)]
    night.passes(MINUTE_S)
    night.closes(numbers[0])
    night.passes(20)
    night.restarts(after_s=5)
    night.passes(40 * MINUTE_S)
    sequences = [row.sequence for row in night.ledger.outbox() if row.recipient == "ani"]
    assert sequences == sorted(set(sequences))
    assert [t.event for t in night.told() if t.recipient == "ani"] == [DIGEST, RESOLVED, REMINDER]


def test_a_clock_that_was_set_back_a_day_while_nobody_ran_delays_no_reminder() -> None:
    night = Night()
    night.opens()
    night.passes(MINUTE_S)
    night.news()
    night.wall_ahead_s -= 86_400
    night.restarts(after_s=5)
    night.passes(31 * MINUTE_S)
    reminded = [t.recipient for t in night.news() if t.event is REMINDER]
    assert sorted(reminded) == ["ani", "budi", "channel:hook"]


def test_a_release_before_the_restart_still_begins_the_steps_anew() -> None:
    night = Night()
    number = night.opens()
    night.passes(MINUTE_S)
    night.acts(number, ActionKind.ACKNOWLEDGE, for_s=8 * HOUR_S)
    night.passes(HOUR_S)
    night.acts(number, ActionKind.RELEASE)
    released_s = night.now_s
    night.passes(10 * MINUTE_S)
    night.restarts(after_s=5)
    night.passes(10 * MINUTE_S)
    ((at_s, event, _),) = night.heard("budi")
    assert event is OPENED
    assert released_s + 900 <= at_s <= released_s + 900 + 1


OPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "close", "act", "plan", "restart", "cut", "wait", "wait"]),
        st.integers(0, 11),
        st.sampled_from([1.0, 4.0, 16.0, 31.0, 130.0, 1000.0]),
    ),
    min_size=3,
    max_size=40,
)
WAYS = (ActionKind.ACKNOWLEDGE, ActionKind.RELEASE, ActionKind.SNOOZE, ActionKind.NOTE)


class Story:
    """Follows random steps and knows what is open."""

    def __init__(self) -> None:
        self.night = Night()
        self.open: dict[str, int] = {}

    def follow(self, steps: list[tuple[str, int, float]]) -> None:
        for what, number, seconds in steps:
            target = "monitor" if what == "cut" else f"kec-{number + 1:02}/utama"
            if what in ("open", "cut") and "monitor" not in self.open and target not in self.open:
                state = State.UNKNOWN if what == "cut" else State.DOWN
                self.open[target] = self.night.opens(target, state)
            elif what == "close" and self.open:
                self.end(sorted(self.open)[number % len(self.open)])
            elif what == "act" and self.open:
                incident = sorted(self.open.values())[number % len(self.open)]
                self.night.acts(incident, WAYS[number % len(WAYS)], for_s=seconds * 10)
            elif what == "plan":
                self.night.plans(target.partition("/")[0], for_s=seconds)
            elif what == "restart":
                self.night.restarts(after_s=seconds)
            self.night.passes(seconds / 4)

    def end(self, target: str) -> None:
        if "monitor" not in self.open or target == "monitor":
            self.night.closes(self.open.pop(target))

    def end_all(self) -> None:
        for target in sorted(self.open, key=lambda target: target != "monitor"):
            self.end(target)
        self.night.passes(MINUTE_S)


def opening(told: Told | PolicyDecision) -> bool:
    return told.event in (OPENED, DIGEST)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=OPS)
def test_whatever_happens_nobody_hears_of_a_beginning_or_an_end_twice_and_of_both_or_none(
    steps: list[tuple[str, int, float]],
) -> None:
    story = Story()
    story.follow(steps)
    story.end_all()
    heard: Counter[tuple[str, int, bool]] = Counter(
        (t.recipient, number, opening(t))
        for t in story.night.told()
        if opening(t) or t.event is RESOLVED
        for number in t.incidents
    )
    assert set(heard.values()) <= {1}
    was_down = {
        n.incident for n in story.night.ledger.policy_decisions() if n.reason is Reason.WAS_DOWN
    }
    for recipient, number, is_opening in heard:
        both = (recipient, number, not is_opening) in heard
        assert both is not (number in was_down), (recipient, number)
    assert story.night.ledger.undecided_closings() == []


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=OPS)
def test_whatever_happens_what_is_still_open_an_hour_later_was_told(
    steps: list[tuple[str, int, float]],
) -> None:
    story = Story()
    story.follow([step for step in steps if step[0] != "act"])
    if "monitor" in story.open:
        story.end("monitor")
    story.night.passes(HOUR_S)
    told = {n for t in story.night.told() if opening(t) for n in t.incidents}
    assert set(story.open.values()) <= told


def test_what_the_ledger_cannot_take_is_said_by_its_row_alone() -> None:
    """A row that was written but whose notice was lost could not exist: they are one transaction.

    Held here: the same rows told again, as after a LedgerError, are stored once.
    """
    night = Night()
    night.opens()
    night.passes(15)
    rows = [replace(row, id=0) for row in night.ledger.outbox()]
    night.ledger.record([], rows, night.ledger.policy_decisions())
    assert len(night.ledger.outbox()) == len(rows)
