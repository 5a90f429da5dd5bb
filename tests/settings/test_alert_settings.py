"""alerts.toml and maintenance.toml become AlertSettings. Mistakes in them: problems.txt."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from monitor.core.alerting.settings import (
    AlertSettings,
    ChannelSettings,
    EscalationStep,
    Person,
    RecurringWindow,
    Rota,
    RotaOverride,
    Route,
)
from monitor.settings import require_valid, settings_snapshot
from monitor.settings.diff import SettingsSnapshot, diff_snapshots
from tests.settings.config_fixtures import (
    ALERTS,
    MONITOR,
    load_config,
    load_valid,
    write_config,
)

SECRETS = {"PANTAU_SECRET_TELEGRAM_NOC": "x", "PANTAU_SECRET_HEARTBEAT": "x"}

EXAMPLE = """\
[[channels]]
id = "telegram-noc"
type = "apprise"          # apprise | webhook | command
url = "telegram-noc"      # the name of a secret
[[channels]]
id = "hook"
type = "webhook"
address = "http://127.0.0.1:9000/pantau"
[[people]]
id = "petugas-1"
channels = ["telegram-noc"]
[[rota]]                  # who is on call: weekly turns, with overrides by date
name = "jaga"
people = ["petugas-1"]
start = 2026-11-23T07:30:00
turn_days = 7
[[routes]]                # first match wins; none: the default route
match = { scope = ["node", "link"], state = ["down"] }
steps = [ { after_min = 0, to = ["rota:jaga", "channel:hook"] }, \
{ after_min = 15, to = ["person:petugas-1"] } ]
[heartbeat]               # dead-man's switch
url = "heartbeat"
"""


def _alerts(tmp_path: Path, alerts: str | None, maintenance: str | None = None) -> AlertSettings:
    found = load_valid(write_config(tmp_path, alerts=alerts, maintenance=maintenance), SECRETS)
    return found.alerts


def test_the_documented_example_loads(tmp_path: Path) -> None:
    found = _alerts(tmp_path, EXAMPLE)
    assert found.channels == (
        ChannelSettings("telegram-noc", "apprise", secret="telegram-noc", per_minute=20),
        ChannelSettings(
            "hook", "webhook", address="http://127.0.0.1:9000/pantau", most_characters=16_000
        ),
    )
    assert found.people == (Person("petugas-1", "petugas-1", ("telegram-noc",)),)
    assert found.rotas == (Rota("jaga", ("petugas-1",), datetime(2026, 11, 23, 7, 30)),)  # noqa: DTZ001
    assert found.routes[0] == Route(
        {"scope": ("node", "link"), "state": ("down",)},
        (
            EscalationStep(0.0, ("rota:jaga", "channel:hook")),
            EscalationStep(900.0, ("person:petugas-1",)),
        ),
    )
    assert found.heartbeat == "heartbeat"


@pytest.mark.parametrize("alerts", [None, "", "# nothing yet\n"])
def test_absent_or_empty_alerts_notify_nobody(tmp_path: Path, alerts: str | None) -> None:
    assert _alerts(tmp_path, alerts) == AlertSettings()


def test_the_default_route_notifies_who_is_on_call_and_then_everybody(tmp_path: Path) -> None:
    """The default route waits for office hours. It may be replaced by a route without match."""
    assert _alerts(tmp_path / "a", EXAMPLE).routes[1:] == (
        Route(
            {},
            (EscalationStep(0.0, ("rota:jaga",)), EscalationStep(900.0, ("person:petugas-1",))),
            True,
        ),
    )
    no_steps = "[[routes]]\nsteps = []\n"
    other = '[[routes]]\nmatch = { scope = "node" }\nsteps = [{ to = "person:budi" }]\n'
    assert _alerts(tmp_path / "b", ALERTS + no_steps + other).routes == (
        Route({"scope": ("node",)}, (EscalationStep(0.0, ("person:budi",)),)),
        Route({}, ()),
    )


def test_rules_hours_and_messages_are_read(tmp_path: Path) -> None:
    more = """
[rules]
hold_s = 20
reminder_min = 60
long_down_min = 10
[hours]
friday = [08:00:00, 11:00:00]
thursday = []
saturday = [08:00:00, 12:00:00]
calendar = false
holidays = [2026-12-31]
workdays = [2026-12-24]
[messages]
base_url = "https://pantau.example/x/"
test_at = 08:15:00
"""
    found = _alerts(tmp_path, ALERTS + more)
    assert (found.rules.hold_s, found.rules.reminder_s, found.rules.long_down_s) == (20, 3600, 600)
    assert found.week.hours[0] == (time(7, 30), time(16, 0))
    assert found.week.hours[3:6] == (
        None,
        (time(8), time(11)),
        (time(8), time(12)),
    )
    assert (found.week.calendar, found.week.holidays) == (False, (date(2026, 12, 31),))
    assert found.week.workdays == (date(2026, 12, 24),)
    assert (found.base_url, found.test_at) == ("https://pantau.example/x", time(8, 15))


def test_overrides_and_every_option_of_a_channel_are_read(tmp_path: Path) -> None:
    more = """[[rota.overrides]]
person = "budi"
start = 2026-12-24T07:30:00
end = 2026-12-26T07:30:00
[[channels]]
id = "chat"
type = "telegram"
url = "telegram-noc"
fallback = "hook"
daily_test = true
buttons = true
allowed_users = [12345]
"""
    signed = ALERTS.replace('type = "webhook"', 'type = "webhook"\nsigning_key = "hook-kunci"')
    found = _alerts(tmp_path, signed + more)
    assert found.channels[0].signing_key == "hook-kunci"
    assert found.rotas[0].overrides == (
        RotaOverride("budi", datetime(2026, 12, 24, 7, 30), datetime(2026, 12, 26, 7, 30)),  # noqa: DTZ001
    )
    assert found.channels[1] == ChannelSettings(
        "chat",
        "telegram",
        secret="telegram-noc",
        per_minute=20,
        most_characters=4096,
        fallback=("hook",),
        daily_test=True,
        buttons=True,
        allowed_users=(12345,),
    )


def test_a_channel_has_the_language_of_the_first_person_who_uses_it(tmp_path: Path) -> None:
    english = ALERTS.replace('channels = ["hook"]', 'channels = ["hook"]\nlanguage = "en"')
    more = '[[people]]\nid = "ani"\nchannels = "hook"\n'
    assert _alerts(tmp_path, english + more).channels[0].language == "en"


def test_recurring_maintenance_windows_are_read(tmp_path: Path) -> None:
    text = """[[windows]]
name = "malam"
targets = ["anjatan", "pop-patrol", "anjatan/utama"]
why = "Perawatan"
start = 22:00:00
minutes = 90
weekdays = ["Jum'at", "saturday"]
days = [7, 1]
first = 2026-12-01
last = 2026-12-31
who = "Budi"
"""
    expected = RecurringWindow(
        key="malam",
        targets=("anjatan", "pop-patrol", "anjatan/utama"),
        why="Perawatan",
        start=time(22),
        duration_s=5400.0,
        weekdays=(4, 5),
        days=(1, 7),
        first=date(2026, 12, 1),
        last=date(2026, 12, 31),
        who="Budi",
    )
    assert _alerts(tmp_path, None, text).maintenance == (expected,)


def test_a_snapshot_shows_changed_routes_and_no_secrets(tmp_path: Path) -> None:
    def snapshot(folder: str, text: str) -> SettingsSnapshot:
        config = write_config(tmp_path / folder, alerts=text)
        (config / "monitor.toml").write_text(MONITOR.replace('"data"', f'"{tmp_path}"'))
        environ = {**SECRETS, "PANTAU_SECRET_TELEGRAM_NOC": "hunter2"}
        return settings_snapshot(require_valid(load_config(config, environ), strict=True))

    before = snapshot("a", EXAMPLE)
    after = snapshot("b", EXAMPLE.replace("after_min = 15", "after_min = 20"))
    assert diff_snapshots(before, after).changed == {
        "route:1": {
            "steps": (
                ["0 rota:jaga channel:hook", "900 person:petugas-1"],
                ["0 rota:jaga channel:hook", "1200 person:petugas-1"],
            )
        }
    }
    assert "hunter2" not in str(after)
