"""The highest numbers in messages that were sent without the ledger."""

from __future__ import annotations

import pytest

from monitor.core.alerting.given_out import SKIPPED, GivenOut
from monitor.core.alerting.model import EventKind, OutboxRow
from monitor.core.alerting.policy_state import PolicyState

KEPT = GivenOut(incident=12, sequence=4)


@pytest.mark.parametrize(
    ("incident", "sequence", "about", "after"),
    [
        (13, 1, (), GivenOut(13, 4)),
        (9, 7, (), GivenOut(12, 7)),
        (9, 1, (9, 15), GivenOut(15, 4)),
        (9, 2, (), KEPT),
        (-3, 1_800_000_000_000, (), KEPT),
    ],
    ids=["opened", "next of a thread", "digest", "lower", "about the monitor"],
)
def test_the_highest_numbers_of_sent_rows_are_kept(
    incident: int, sequence: int, about: tuple[int, ...], after: GivenOut
) -> None:
    row = OutboxRow(incident, sequence, "chat", "ani", EventKind.OPENED, "{}", 0.0, about=about)
    assert KEPT.with_rows([row]) == after


@pytest.mark.parametrize(
    ("found", "checked"),
    [
        (KEPT, KEPT),
        (GivenOut(3, 2), GivenOut(3, 2)),
        (GivenOut(1_764_000_000, 4), GivenOut(9 + SKIPPED, 4)),
        (GivenOut(12, 1_764_000_000), GivenOut(12, SKIPPED)),
    ],
    ids=["ahead of the ledger", "behind it", "a copied file", "a file that was read"],
)
def test_times_that_are_no_numbers_leave_out_a_hundred(found: GivenOut, checked: GivenOut) -> None:
    assert found.checked(next_incident_id=10) == checked


def test_a_thread_goes_on_after_what_was_given_out_and_a_new_one_begins_at_one() -> None:
    state = PolicyState(sequences={11: 1, 12: 9}, given_out=KEPT)
    assert [state.next_sequence(thread) for thread in (11, 11, 12, 10, 13, 13)] == [
        *(5, 6, 10, 5, 1, 2)
    ]
