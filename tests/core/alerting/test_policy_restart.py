"""The policy state is restored from the ledger: nothing is notified twice, nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.alerting.model import ActionKind, EventKind, PolicyDecision
from monitor.core.model import State
from tests.core.alerting.scenario import AlertScenario, Message

OPENED, RESOLVED, REMINDER = EventKind.OPENED, EventKind.RESOLVED, EventKind.REMINDER
DIGEST, UPDATED = EventKind.DIGEST, EventKind.UPDATED

FLAPPING = (
    "\n".join(f"open kec-01\n wait 30s\n close {n}\n wait 30s" for n in range(1, 6))
    + "\n wait 0s => "
    + "; ".join(
        [
            *(f"opened {n} to ani, hook; resolved {n} to ani, hook" for n in (1, 2, 3)),
            "updated 4 to ani, hook",
        ]
    )
)

SCENARIOS = {
    "what was not notified before a kill is notified once the state is confirmed": """
        open kec-01, wait 14s, restart 1h, wait 3s => nothing
        wait 1s                     => opened 1 to ani, hook
    """,
    "the hold counts from the detection, across a restart": """
        open kec-01, wait 4s, restart 2s, wait 8s => nothing
        wait 1s                     => opened 1 to ani, hook
    """,
    "what was not notified and ends after the restart is one message": """
        open kec-01, wait 5s, restart 4m, wait 3s, close 1 => resolved 1 to ani, hook
        reasons 1                   => ... was_down
        restart, wait 1h            => nothing
    """,
    "a closing that waited for its group is notified after the restart": """
        open kec-01..kec-05, wait 1m => digest 1..5 to ani, hook
        close 1, restart, wait 20s  => resolved 1 to ani, hook
    """,
    "steps and reminders go on where they were": """
        open kec-01, wait 20m       => opened 1 to ani, budi, hook
        restart 5s, wait 9m         => nothing
        wait 2m                     => reminder 1 to ani, budi, hook
        restart 5s, wait 15m        => opened 1 to citra
    """,
    "after ten hours without a daemon there is one reminder, once the state is confirmed": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        restart 10h                 => nothing
        wait 20s                    => reminder 1 to ani, hook; opened 1 to budi, citra
    """,
    "an acknowledgement outlives a restart and expires at its time": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        ack 1 2h, restart 1h, wait 3599s => nothing
        wait 2s                     => reminder 1 to ani, hook
        restart 1s, wait 13m        => nothing
        wait 3m                     => opened 1 to budi
    """,
    "maintenance that ended without a daemon: what is still down is notified": """
        maintenance kec-01 1h, open kec-01, wait 1m, restart 2h, wait 20s => opened 1 to ani, hook
        reasons 1                   => ... maintenance_over
    """,
    "restarts alone make no target flap": """
        open kec-01, wait 1m        => opened 1 to ani, hook
        """
    + 30 * "restart 5s          => nothing\n",
    "flapping that was notified is not notified again, but its end is": (
        f"{FLAPPING}\n" + 10 * "restart 5s => nothing\n" + "wait 1h => updated 5 to ani, hook"
    ),
    "flapping that ended without a daemon is notified once": (
        f"{FLAPPING}\n restart 5h => updated 5 to ani, hook\n" + 2 * "restart 5h => nothing\n"
    ),
    "notified flapping is no opening: after 15 minutes of down it follows": (
        "\n".join(f"open kec-01\n wait 10s\n close {n}\n wait 10s" for n in (1, 2, 3))
        + """
        open kec-01, wait 10s      => updated 4 to ani, hook
        restart 5s, wait 870s      => nothing
        wait 30s                   => opened 4 to ani, hook
        """
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    AlertScenario().run(SCENARIOS[name])


@pytest.mark.parametrize("restarts", [10, pytest.param(100, marks=pytest.mark.full)])
@pytest.mark.parametrize("count", [4, 5])
def test_restarts_with_open_incidents_repeat_no_message(restarts: int, count: int) -> None:
    scenario = AlertScenario().run(f"open kec-01..kec-0{count}\n wait 1m")
    scenario.new_messages()
    scenario.run(restarts * "restart 5s\n wait 3s\n")
    assert [m for m in scenario.new_messages() if m.event is not REMINDER] == []
    scenario.run(f"close 1..{count}\n wait 1m")
    closed = Counter(
        n for m in scenario.new_messages() if m.recipient == "ani" for n in m.incidents
    )
    assert closed == dict.fromkeys(range(1, count + 1), 1)


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("open kec-01..kec-05\n wait 20s\n restart 5s\n open kec-06\n wait 1m", [(1, 1), (1, 2)]),
        ("open kec-01\n wait 20s\n restart 5s\n open kec-02\n wait 20s", [(1, 1), (2, 1)]),
        (
            "open kec-01..kec-05\n wait 1m\n close 1\n wait 20s\n restart 5s\n wait 40m",
            [(1, 1), (1, 2), (1, 4)],
        ),
    ],
    ids=["a group is joined", "a single incident is no group", "the first of a group has ended"],
)
def test_threads_and_sequences_go_on_after_a_restart(
    script: str, rows: list[tuple[int, int]]
) -> None:
    outbox = AlertScenario().run(script).ledger.outbox()
    assert [(row.incident, row.sequence) for row in outbox if row.recipient == "ani"] == rows


def test_a_wall_clock_set_back_a_day_without_a_daemon_delays_no_reminder() -> None:
    scenario = AlertScenario().run("open kec-01\n wait 1m => opened 1 to ani, hook")
    scenario.clock_ahead_s -= 86_400
    scenario.run("""
        restart 5s, wait 31m        => opened 1 to budi; reminder 1 to ani, budi, hook
    """)


def test_a_release_before_the_restart_still_begins_the_step_delays_anew() -> None:
    scenario = AlertScenario().run("open kec-01\n wait 1m\n ack 1 8h\n wait 1h\n release 1")
    released_s = scenario.now_s
    scenario.run("wait 10m\n restart 5s\n wait 10m")
    ((at_s, event, _, _),) = scenario.messages("budi")
    assert event is OPENED
    assert released_s + 900 <= at_s <= released_s + 900 + 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "close", "act", "plan", "restart", "cut", "wait", "wait"]),
        st.integers(0, 11),
        st.sampled_from([1.0, 4.0, 16.0, 31.0, 130.0, 1000.0]),
    ),
    min_size=3,
    max_size=40,
)
KINDS = (ActionKind.ACKNOWLEDGE, ActionKind.RELEASE, ActionKind.SNOOZE, ActionKind.NOTE)


class RandomScenario:
    """Follows random steps and knows which incidents are open, by target."""

    def __init__(self) -> None:
        self.scenario = AlertScenario()
        self.open: dict[str, int] = {}

    def follow(self, steps: list[tuple[str, int, float]]) -> None:
        for what, number, seconds in steps:
            target = "monitor" if what == "cut" else f"kec-{number + 1:02}/utama"
            if what in ("open", "cut") and "monitor" not in self.open and target not in self.open:
                state = State.UNKNOWN if what == "cut" else State.DOWN
                self.open[target] = self.scenario.open(target, state)
            elif what == "close" and self.open:
                self.close(sorted(self.open)[number % len(self.open)])
            elif what == "act" and self.open:
                incident = sorted(self.open.values())[number % len(self.open)]
                self.scenario.act(incident, KINDS[number % len(KINDS)], for_s=seconds * 10)
            elif what == "plan":
                self.scenario.maintain(target.partition("/")[0], for_s=seconds)
            elif what == "restart":
                self.scenario.restart(after_s=seconds)
            self.scenario.wait(seconds / 4)

    def close(self, target: str) -> None:
        if "monitor" not in self.open or target == "monitor":
            self.scenario.close(self.open.pop(target))

    def close_all(self) -> None:
        for target in sorted(self.open, key=lambda target: target != "monitor"):
            self.close(target)
        self.scenario.wait(60.0)


def is_opening(message: Message | PolicyDecision) -> bool:
    return message.event in (OPENED, DIGEST)


RANDOM = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@RANDOM
@given(steps=STEPS)
def test_openings_and_closings_are_notified_once_and_both_or_neither(
    steps: list[tuple[str, int, float]],
) -> None:
    random = RandomScenario()
    random.follow(steps)
    random.close_all()
    sent: Counter[tuple[str, int, bool]] = Counter(
        (message.recipient, number, is_opening(message))
        for message in random.scenario.messages()
        if is_opening(message) or message.event is RESOLVED
        for number in message.incidents
    )
    assert set(sent.values()) <= {1}
    decisions = random.scenario.ledger.policy_decisions()
    was_down = {d.incident for d in decisions if d.reason.value == "was_down"}
    for recipient, number, opening in sent:
        both = (recipient, number, not opening) in sent
        assert both is not (number in was_down), (recipient, number)
    assert random.scenario.ledger.undecided_closings() == []


@RANDOM
@given(steps=STEPS)
def test_what_is_still_open_an_hour_later_was_notified(
    steps: list[tuple[str, int, float]],
) -> None:
    random = RandomScenario()
    random.follow([step for step in steps if step[0] != "act"])
    if "monitor" in random.open:
        random.close("monitor")
    random.scenario.wait(3600.0)
    openings = [message for message in random.scenario.messages() if is_opening(message)]
    assert set(random.open.values()) <= {n for message in openings for n in message.incidents}


def test_rows_that_are_recorded_again_are_stored_once() -> None:
    """As after a LedgerError: rows and decisions are one transaction."""
    ledger = AlertScenario().run("open kec-01\n wait 15s").ledger
    rows = [replace(row, id=0) for row in ledger.outbox()]
    ledger.record([], rows, ledger.policy_decisions())
    assert len(ledger.outbox()) == len(rows)
