"""A site's state from its links: the table of VERDICTS, row by row."""

from __future__ import annotations

import pytest

from monitor.core.detection.site_state import site_since, site_state
from monitor.core.model import State

U, D, X, N, Q = State.UP, State.DEGRADED, State.DOWN, State.UNREACHABLE, State.UNKNOWN


@pytest.mark.parametrize(
    ("links", "site"),
    [
        ([U], U),
        ([U, U], U),
        ([U, X], D),
        ([U, Q], D),
        ([D], D),
        ([D, U], D),
        ([D, N], D),
        ([X], X),
        ([X, N], X),
        ([X, Q], X),
        ([N, N], N),
        ([N, Q], N),
        ([Q, Q], Q),
        ([], Q),
    ],
)
def test_the_first_row_that_fits_is_the_state_of_the_site(links: list[State], site: State) -> None:
    assert site_state(links) is site


def test_a_site_is_down_since_its_last_link_fell_silent() -> None:
    assert site_since([(X, 100.0), (X, 160.0)]) == 160.0


def test_a_site_is_degraded_since_the_first_of_its_links_was_not_up() -> None:
    assert site_since([(U, 500.0), (X, 160.0)]) == 160.0
    assert site_since([(U, 100.0), (X, 160.0), (X, 300.0)]) == 160.0


def test_a_site_without_links_has_no_since() -> None:
    assert site_since([]) is None
