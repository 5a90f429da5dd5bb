"""The handling of an incident follows from the actions on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.handling import Handling, group_by_incident, handling_of
from monitor.core.alerting.model import ActionKind, IncidentAction

T0 = 1_764_000_000.0


def done(
    kind: ActionKind, at_s: float = 0.0, text: str = "", until: float | None = None
) -> IncidentAction:
    return IncidentAction(7, kind, "p", T0 + at_s, text, None if until is None else T0 + until)


def test_an_acknowledgement_holds_until_just_before_its_end_and_the_later_one_counts() -> None:
    assert handling_of([]) == Handling()
    assert Handling().active_acknowledgement(T0) is None
    minute = done(ActionKind.ACKNOWLEDGE, until=60)
    assert handling_of([minute]).active_acknowledgement(T0 + 59.999) == minute
    assert handling_of([minute]).active_acknowledgement(T0 + 60) is None
    longer = done(ActionKind.ACKNOWLEDGE, until=600)
    assert handling_of([longer, minute]).active_acknowledgement(T0 + 61) is None


def test_a_release_ends_acknowledgement_and_snooze_and_keeps_what_was_written() -> None:
    handling = handling_of(
        [
            done(ActionKind.ACKNOWLEDGE, until=600),
            done(ActionKind.SNOOZE, until=600),
            done(ActionKind.NOTE, text="satu"),
            done(ActionKind.TICKET, text="INC-1"),
            done(ActionKind.RELEASE, 10),
            done(ActionKind.TICKET, text="INC-2"),
            done(ActionKind.CAUSE, text="power"),
        ]
    )
    assert handling.active_acknowledgement(T0 + 20) is None
    assert handling.active_snooze(T0 + 20) is None
    assert (handling.ticket, handling.cause) == ("INC-2", "power")
    assert [note.text for note in handling.notes] == ["satu"]


ACTIONS = st.lists(
    st.builds(
        IncidentAction,
        incident=st.integers(1, 3),
        kind=st.sampled_from(ActionKind),
        who=st.just("p"),
        at_s=st.floats(T0, T0 + 100),
        text=st.sampled_from(["", "x"]),
        until_s=st.floats(T0, T0 + 200),
    )
)


@given(ACTIONS, st.floats(T0, T0 + 300))
def test_each_incident_is_handled_by_its_own_actions_alone(
    actions: list[IncidentAction], at_s: float
) -> None:
    for number, mine in group_by_incident(actions).items():
        assert mine == [action for action in actions if action.incident == number]
        active = handling_of(mine).active_acknowledgement(at_s)
        if active is not None:
            assert active.incident == number
            assert active.until_s is not None
            assert active.until_s > at_s
            # Of equal ones the last: the same may be done twice.
            after = mine[len(mine) - mine[::-1].index(active) :]
            assert not any(a.kind in (ActionKind.RELEASE, ActionKind.ACKNOWLEDGE) for a in after)
