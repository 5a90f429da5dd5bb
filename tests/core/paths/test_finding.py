"""Where a path breaks off: a trace beside the usual path."""

from __future__ import annotations

import pytest

from monitor.core.paths.finding import RECENTLY_S, differs, next_baseline, path_finding
from monitor.core.paths.model import FindingKind, Hop, NamedHop, PathBaseline, PathTrace

TARGET, ADDRESS, DAY_S = "anjatan/utama", "T", 86_400.0
NAMES = {"B": "PoP Jatibarang"}


def hops(path: str) -> tuple[Hop, ...]:
    """`A * B!` is: A answers, nobody answers, B says unreachable."""
    return tuple(
        Hop(ttl)
        if word == "*"
        else Hop(ttl, word.rstrip("!"), 1.0, "host unreachable" if word.endswith("!") else None)
        for ttl, word in enumerate(path.split(), start=1)
    )


def trace(path: str, at_s: float = DAY_S) -> PathTrace:
    return PathTrace(TARGET, ADDRESS, at_s, hops(path), path.endswith(ADDRESS))


def baseline(path: str) -> PathBaseline:
    return next_baseline(None, trace(path, 0.0))


@pytest.mark.parametrize(
    ("usual", "now", "kind", "last", "following"),
    [
        # A cut at each hop.
        ("A B C D T", "", "nowhere", None, (1, "A")),
        ("A B C D T", "A", "stopped", (1, "A"), (2, "B")),
        ("A B C D T", "A B", "stopped", (2, "B"), (3, "C")),
        ("A B C D T", "A B C", "stopped", (3, "C"), (4, "D")),
        ("A B C D T", "A B C D", "before_target", (4, "D"), None),
        # Routers that do not answer: their silence is no place of a break.
        ("A * C T", "A", "stopped", (1, "A"), (3, "C")),
        ("A * * T", "A", "unproven", (1, "A"), None),
        ("A B * T", "A B", "unproven", (2, "B"), None),
        ("* * * T", "", "unproven", None, None),
        ("* B C T", "", "nowhere", None, (2, "B")),
        # Only the break behind the last answer counts: one that is silent now is passed over.
        ("A B C D T", "A * C", "stopped", (3, "C"), (4, "D")),
        ("A B C D T", "* * C D", "before_target", (4, "D"), None),
        # A router says that it cannot go on: its own distance counts.
        ("A B C T", "A B B!", "stopped", (2, "B"), (3, "C")),
        ("A B C T", "A B C C!", "before_target", (3, "C"), None),
        ("A B C T", "A * B!", "stopped", (2, "B"), (3, "C")),
        # Another path than usual, as far as routers that answered both times show.
        ("A B C T", "A X", "other_path", (2, "X"), None),
        ("A * C T", "A X", "stopped", (2, "X"), (3, "C")),
        ("A B T", "A B C D", "other_path", (4, "D"), None),
        ("T", "A", "other_path", (1, "A"), None),
        # Round and round.
        ("A B C T", "A B C B C B C B", "loop", (2, "B"), (3, "C")),
        # NAT: the router at the target's address answers, what is behind it does not.
        ("A B T T", "A B T", "own_address", (3, "T"), None),
        ("T", "", "direct", None, None),
        (None, "A B", "no_baseline", (2, "B"), None),
        (None, "", "no_baseline", None, None),
        ("A B T", "A B T", "reached", (3, "T"), None),
    ],
)
def test_where_a_path_breaks_off(
    usual: str | None,
    now: str,
    kind: str,
    last: tuple[int, str] | None,
    following: tuple[int, str] | None,
) -> None:
    seen = trace(now)
    if kind == "own_address":
        seen = PathTrace(TARGET, ADDRESS, DAY_S, hops(now), reached=False)
    found = path_finding(seen, None if usual is None else baseline(usual), NAMES.get)
    assert found.kind == kind
    assert (found.last and (found.last.ttl, found.last.address)) == last
    assert (found.next and (found.next.ttl, found.next.address)) == following


def test_a_finding_says_what_answered_before_and_now_with_names() -> None:
    found = path_finding(trace("A B B!"), baseline("A B C T"), NAMES.get)
    assert found.last == NamedHop(2, "B", "PoP Jatibarang")
    assert found.usual_last == NamedHop(3, "C", None)
    assert (found.usual_hops, found.usual_at_s, found.at_s) == (4, 0.0, DAY_S)
    assert found.error == "host unreachable"


@pytest.mark.parametrize(
    ("now", "up", "kind", "following"),
    [
        # A router that limits its answers to traces answers its own probes.
        ("A", "B", "stopped", "C"),
        ("A", "BC", "unproven", None),
        ("A B", "C", "unproven", None),
        ("", "A", "nowhere", "B"),
        ("", "ABC", "unproven", None),
        ("A B C", "C", "before_target", None),
    ],
)
def test_a_router_that_answers_its_probes_is_no_place_of_a_break(
    now: str, up: str, kind: str, following: str | None
) -> None:
    found = path_finding(trace(now), baseline("A B C T"), NAMES.get, up.__contains__)
    assert found.kind == kind
    assert (found.next and found.next.address) == following


def test_a_usual_path_of_another_address_is_no_usual_path() -> None:
    moved = PathTrace(TARGET, "10.77.9.9", DAY_S, hops("A"), reached=False)
    assert path_finding(moved, baseline("A B T"), NAMES.get).kind is FindingKind.NO_BASELINE


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("A B T", "A B T", False),
        ("A B T", "A X T", True),
        ("A B T", "A X Y T", True),
        ("A B C T", "A B T", True),
        # Silence is no change: a router that is silent once, a lost reply of the target.
        ("A B T", "A * T", False),
        ("A * T", "A B T", False),
        ("A B T", "A B * T", False),
    ],
)
def test_a_path_changes_where_two_known_routers_differ(
    before: str, after: str, changed: bool
) -> None:
    later = next_baseline(baseline(before), trace(after))
    assert (later.changed_s == DAY_S) is changed
    assert later.previous == (baseline(before).known if changed else ())
    assert later.hops == hops(after)


def test_a_change_behind_a_silent_trace_is_found() -> None:
    silent = next_baseline(baseline("A B T"), trace("A * T"))
    later = next_baseline(silent, trace("A X T", 2 * DAY_S))
    assert later.changed_s == 2 * DAY_S
    assert later.previous == ("A", "B", "T")


def test_the_time_of_a_change_is_kept_and_mentioned_for_a_week() -> None:
    changed = next_baseline(baseline("A B T"), trace("A X T"))
    same = next_baseline(changed, trace("A X T", 2 * DAY_S))
    assert (same.changed_s, same.previous) == (DAY_S, ("A", "B", "T"))
    for at_s, mentioned in ((3 * DAY_S, DAY_S), (DAY_S + RECENTLY_S, None)):
        found = path_finding(trace("A X", at_s), same, NAMES.get)
        assert (found.kind, found.changed_s) == (FindingKind.BEFORE_TARGET, mentioned)


def test_a_moved_target_starts_anew() -> None:
    moved = PathTrace(TARGET, "U", DAY_S, hops("A X U"), reached=True)
    later = next_baseline(baseline("A B T"), moved)
    assert (later.address, later.changed_s, later.previous) == ("U", None, ())


def test_differs_compares_what_is_known() -> None:
    assert not differs((), ("A",))
    assert differs(("A", "B"), (None, "C"))
