"""Who is on call by local time, and routing: routes, recipients, channels, languages."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.model import Recipient
from monitor.core.alerting.rota import gaps, next_on_call, on_call
from monitor.core.alerting.routing import AlertRouting
from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    EscalationStep,
    Person,
    Rota,
    RotaOverride,
    Route,
)
from monitor.core.model import Incident, Link, Network, ProbeRules, Scope, Site, State

WIB = ZoneInfo("Asia/Jakarta")
START = datetime.fromisoformat("2026-11-23T07:30:00")


def at(text: str, zone: ZoneInfo = WIB) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def rota(*people: str, overrides: tuple[RotaOverride, ...] = (), turn_days: float = 7.0) -> Rota:
    return Rota("jaga", people, START, turn_days, overrides)


def override(person: str, start: str, end: str) -> RotaOverride:
    return RotaOverride(person, datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.mark.parametrize(
    ("moment", "person"),
    [
        ("2026-11-23T07:29:59", None),
        ("2026-11-23T07:30:00", "ani"),
        ("2026-11-30T07:29:59", "ani"),
        ("2026-11-30T07:30:00", "budi"),
        ("2026-12-07T07:30:00", "ani"),
    ],
)
def test_turns_change_at_the_configured_minute(moment: str, person: str | None) -> None:
    assert on_call(rota("ani", "budi"), at(moment), WIB).person == person


def test_a_turn_has_its_start_its_end_and_a_next_one() -> None:
    jaga = rota("ani", "budi")
    now = on_call(jaga, at("2026-11-25T12:00:00"), WIB)
    assert (now.start_s, now.end_s) == (at("2026-11-23T07:30:00"), at("2026-11-30T07:30:00"))
    after = next_on_call(jaga, at("2026-11-25T12:00:00"), WIB)
    assert after is not None
    assert (after.person, after.start_s) == ("budi", now.end_s)


def test_one_person_alone_is_on_call_without_end() -> None:
    assert on_call(rota("ani"), at("2026-11-25T12:00:00"), WIB).end_s is None
    assert next_on_call(rota("ani"), at("2026-11-25T12:00:00"), WIB) is None


def test_an_override_wins_and_the_later_one_in_the_file_wins_over_it() -> None:
    jaga = rota(
        "ani",
        "budi",
        overrides=(
            override("citra", "2026-11-24T07:30:00", "2026-11-26T07:30:00"),
            override("dedi", "2026-11-25T07:30:00", "2026-11-25T19:30:00"),
        ),
    )
    found = [
        on_call(jaga, at(f"2026-11-{moment}"), WIB).person
        for moment in ("24T07:29:59", "24T07:30:00", "25T07:30:00", "25T19:30:00", "26T07:30:00")
    ]
    assert found == ["ani", "citra", "dedi", "citra", "ani"]
    turn = on_call(jaga, at("2026-11-24T12:00:00"), WIB)
    assert (turn.override, turn.end_s) == (True, at("2026-11-25T07:30:00"))


def test_turns_follow_local_time_when_summer_time_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    jaga = Rota("jaga", ("ani", "budi"), datetime.fromisoformat("2026-03-23T07:30:00"))
    assert on_call(jaga, at("2026-03-30T07:29:00", berlin), berlin).person == "ani"
    assert on_call(jaga, at("2026-03-30T07:30:00", berlin), berlin).person == "budi"


def test_nobody_is_on_call_before_the_rota_begins() -> None:
    until_s = at("2026-11-23T07:30:00")
    assert gaps(rota("ani", "budi"), until_s - 3600, until_s + 86_400 * 30, WIB) == [
        (until_s - 3600, until_s)
    ]
    assert gaps(rota("ani"), until_s, until_s + 1, WIB) == []


_moments = st.integers(0, 24 * 60).map(lambda hours: START + timedelta(hours=hours - 100))


@given(
    people=st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
    spans=st.lists(st.tuples(st.sampled_from("abcd"), _moments, _moments), max_size=3),
    turn_days=st.sampled_from([0.5, 1.0, 7.0]),
    moment=_moments,
)
def test_a_turn_holds_until_its_end_and_no_longer(
    people: list[str],
    spans: list[tuple[str, datetime, datetime]],
    turn_days: float,
    moment: datetime,
) -> None:
    overrides = tuple(RotaOverride(who, min(one, two), max(one, two)) for who, one, two in spans)
    jaga = rota(*people, overrides=overrides, turn_days=turn_days)
    at_s = moment.replace(tzinfo=WIB).timestamp()
    turn = on_call(jaga, at_s, WIB)
    assert (turn.start_s is None) == (turn.person is None)
    assert turn.start_s is None or turn.start_s <= at_s
    if turn.end_s is None:
        later = [at_s + 3600.0 * hours for hours in range(0, 24 * 90, 5)]
        assert {on_call(jaga, each, WIB).person for each in later} == {turn.person}
        return
    hours = int((turn.end_s - at_s) // 3600)
    within = [at_s + 3600.0 * number for number in range(hours)] + [turn.end_s - 1]
    assert {on_call(jaga, each, WIB).person for each in within} <= {turn.person}
    assert on_call(jaga, turn.end_s, WIB).person != turn.person


LINK = Link(
    "utama", "anjatan/utama", "anjatan", "10.77.23.1", "fibre", ProbeRules(), provider="Penyedia A"
)
NETWORK = Network(sites=(Site("anjatan", "Anjatan", "32.12.23", (LINK,)),))
ALERTS = AlertSettings(
    channels=(
        ChannelSettings("chat", "telegram", fallback=("surel",)),
        ChannelSettings("surel", "apprise", fallback=("chat", "hook")),
        ChannelSettings("hook", "webhook", language="en"),
    ),
    people=(
        Person("ani", "Ani", ("chat", "hook"), language="en"),
        Person("budi", "Budi", ("surel",)),
    ),
    rotas=(rota("ani", "budi"), Rota("cadangan", ("budi",), START)),
    routes=(
        Route(
            {"state": ("down",), "provider": ("Penyedia A",)},
            (EscalationStep(0.0, ("rota:jaga",)),),
        ),
        Route({"scope": ("node", "monitor")}, (EscalationStep(0.0, ("channel:hook",)),)),
        Route({"site": ("sukra",)}, ()),
    ),
)


def incident(target: str, scope: Scope = Scope.LINK, state: State = State.DOWN) -> Incident:
    return Incident(1, scope, target, state, 0.0, 0.0, "silence")


def routing() -> AlertRouting:
    return AlertRouting(ALERTS, NETWORK, WIB)


@pytest.mark.parametrize(
    ("what", "number"),
    [
        (incident("anjatan/utama"), 0),
        (incident("anjatan/utama", state=State.DEGRADED), None),
        (incident("pop-patrol", Scope.NODE), 1),
        (incident("monitor", Scope.MONITOR, State.UNKNOWN), 1),
    ],
)
def test_the_first_route_that_matches_wins(what: Incident, number: int | None) -> None:
    assert routing().route(what) == (None if number is None else ALERTS.routes[number])


def test_recipients_are_each_found_once_on_their_first_channel() -> None:
    at_s = at("2026-11-25T12:00:00")
    to = ["rota:jaga", "person:ani", "rota:cadangan", "channel:hook", "person:nobody", "rota:x"]
    assert routing().recipients(to, at_s) == (
        Recipient("ani", "chat"),
        Recipient("budi", "surel"),
        Recipient("channel:hook", "hook"),
    )
    assert routing().recipients(["rota:jaga"], at("2026-11-01T00:00:00")) == ()
    assert routing().recipients(["rota:jaga"], at("2026-12-01T00:00:00")) == (
        Recipient("budi", "surel"),
    )


def test_fallbacks_come_after_the_own_channels_and_only_once() -> None:
    assert routing().channels("ani") == ("chat", "hook", "surel")
    assert routing().channels("channel:hook") == ("hook",)
    assert routing().channels("nobody") == ()


def test_the_language_is_that_of_the_person_or_else_of_the_channel() -> None:
    found = [
        routing().language(Recipient(*each))
        for each in (("ani", "chat"), ("budi", "surel"), ("channel:hook", "hook"), ("x", "y"))
    ]
    assert found == ["en", "id", "en", "id"]
