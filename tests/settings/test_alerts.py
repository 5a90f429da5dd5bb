"""alerts.toml and maintenance.toml: what they say arrives, and what is wrong is explained."""

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
    MONITOR,
    load_config,
    only_problem,
    short_text,
    write_config,
)

HAVE = {"PANTAU_SECRET_TELEGRAM_NOC": "x", "PANTAU_SECRET_HEARTBEAT": "x"}

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

SMALL = """\
[[channels]]
id = "hook"
type = "webhook"
address = "http://127.0.0.1:9000/pantau"
[[people]]
id = "budi"
channels = ["hook"]
[[rota]]
name = "jaga"
people = ["budi"]
start = 2026-11-23T07:30:00
"""


def _alerts(tmp_path: Path, alerts: str | None, maintenance: str | None = None) -> AlertSettings:
    found = load_config(write_config(tmp_path, alerts=alerts, maintenance=maintenance), HAVE)
    assert found.errors == (), [short_text(each) for each in found.errors]
    assert found.settings is not None
    return found.settings.alerts


def _said(tmp_path: Path, alerts: str) -> list[str]:
    found = load_config(write_config(tmp_path, alerts=alerts), HAVE)
    return [short_text(each) for each in found.errors]


def test_the_example_of_the_design_loads_as_it_stands(tmp_path: Path) -> None:
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
def test_nothing_configured_tells_nobody(tmp_path: Path, alerts: str | None) -> None:
    assert _alerts(tmp_path, alerts) == AlertSettings()


def test_what_no_route_matches_goes_to_those_on_call_and_then_to_everybody(tmp_path: Path) -> None:
    """The default route waits for office hours where it may; somebody may write another."""
    assert _alerts(tmp_path / "a", EXAMPLE).routes[1:] == (
        Route(
            {},
            (EscalationStep(0.0, ("rota:jaga",)), EscalationStep(900.0, ("person:petugas-1",))),
            True,
        ),
    )
    silent = "[[routes]]\nsteps = []\n"
    other = '[[routes]]\nmatch = { scope = "node" }\nsteps = [{ to = "person:budi" }]\n'
    assert _alerts(tmp_path / "b", SMALL + silent + other).routes == (
        Route({"scope": ("node",)}, (EscalationStep(0.0, ("person:budi",)),)),
        Route({}, ()),
    )


def test_limits_hours_and_messages_arrive(tmp_path: Path) -> None:
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
    found = _alerts(tmp_path, SMALL + more)
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


def test_overrides_and_what_a_channel_may_have_arrive(tmp_path: Path) -> None:
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
    found = _alerts(tmp_path, SMALL + more)
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


def test_a_channel_speaks_as_the_first_person_who_has_it(tmp_path: Path) -> None:
    english = SMALL.replace('channels = ["hook"]', 'channels = ["hook"]\nlanguage = "en"')
    more = '[[people]]\nid = "ani"\nchannels = "hook"\n'
    assert _alerts(tmp_path, english + more).channels[0].language == "en"


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (
            SMALL.replace('channels = ["hook"]', 'channels = ["hok"]'),
            'alerts.toml:7: "hok" is no channel of this file — did you mean "hook"?',
        ),
        (
            SMALL.replace('people = ["budi"]', 'people = ["bodi"]'),
            'alerts.toml:10: "bodi" is no person of this file — did you mean "budi"?',
        ),
        (
            SMALL.replace('people = ["budi"]', "people = []"),
            "alerts.toml:10: this rota has no people — name those who take turns, by their ids",
        ),
        (
            SMALL.replace('channels = ["hook"]', "channels = []"),
            "alerts.toml:7: this person has no channel — name at least one",
        ),
        (
            SMALL + '[[routes]]\nmatch = {site = "anyatan"}\nsteps = [{ to = "rota:jaga" }]\n',
            'alerts.toml:13: "anyatan" is no site — did you mean "anjatan"?',
        ),
        (
            SMALL + '[[routes]]\nmatch = {target = "anjatan/uta"}\nsteps = []\n',
            'alerts.toml:13: "anjatan/uta" is no link or node — did you mean "anjatan/utama"?',
        ),
        (
            SMALL + '[[routes]]\nsteps = [{ to = "rota:jagoan" }]\n',
            'alerts.toml:13: "jagoan" is no rota of this file — did you mean "jaga"?',
        ),
        (
            SMALL + '[[routes]]\nsteps = [{ to = "budi" }]\n',
            'alerts.toml:13: "budi" says not what it is — write rota:<name>, person:<id>',
        ),
        (
            SMALL
            + '[[routes]]\nsteps = [\n{ to = "rota:jaga", after_min = 15 },\n'
            + '{ to = "rota:jaga", after_min = 15 }]\n',
            "alerts.toml:15: this step comes after 15 min, not later than the one before it",
        ),
        (
            SMALL + "[[routes]]\nsteps = []\n[[routes]]\nsteps = []\n",
            "alerts.toml:14: a route for everything stands already at",
        ),
        (
            SMALL + '[[people]]\nid = "budi"\nchannels = ["hook"]\n',
            'alerts.toml:13: the id "budi" is used already at alerts.toml:6',
        ),
        (
            SMALL + '[[rota.overrides]]\nperson = "budi"\nstart = 2026-12-24T07:30:00\n'
            "end = 2026-12-23T07:30:00\n",
            "alerts.toml:15: this override ends before it begins",
        ),
        (
            SMALL.replace("2026-11-23T07:30:00", "2026-11-23T07:30:00+07:00"),
            'alerts.toml:11: rota "jaga": start = 2026-11-23 07:30:00+07:00 has a time zone',
        ),
        (
            SMALL.replace("2026-11-23T07:30:00", '"2026-11-23"'),
            'alerts.toml:11: rota "jaga": start = "2026-11-23" is not a date with a time',
        ),
        (
            SMALL.replace('address = "http://127.0.0.1:9000/pantau"\n', ""),
            "alerts.toml:1: this channel of type webhook lacks its address — add address",
        ),
        (
            SMALL + 'fallback = "hook"\n',
            'alerts.toml:12: rota "jaga": the key fallback is not known',
        ),
        (
            SMALL
            + '[[channels]]\nid = "x"\ntype = "apprise"\nurl = "telegram-noc"\nbuttons = true\n',
            "alerts.toml:16: nobody may press these buttons — add the Telegram user ids",
        ),
        (
            SMALL.replace("type =", "fallback = 'hook'\ntype ="),
            'alerts.toml:3: "hook" is no other channel of this file',
        ),
        (
            SMALL + "[hours]\nmonday = [16:00:00, 07:30:00]\n",
            "alerts.toml:13: [hours] monday is not the time of opening and a later time",
        ),
        ("[rules]\nreminder_s = 3\n", "alerts.toml:2: [rules] the key reminder_s is not known"),
    ],
)
def test_a_slip_is_explained_on_its_line(tmp_path: Path, spoilt: str, says: str) -> None:
    said = _said(tmp_path, spoilt)
    assert len(said) == 1, said
    assert said[0].startswith(says)


def test_a_route_that_nothing_reaches_is_a_warning(tmp_path: Path) -> None:
    wide = '[[routes]]\nmatch = { state = ["down", "degraded"] }\nsteps = []\n'
    narrow = '[[routes]]\nmatch = { state = "down", scope = "link" }\nsteps = []\n'
    found = load_config(write_config(tmp_path / "a", alerts=SMALL + wide + narrow))
    assert found.errors == ()
    assert only_problem(found.warnings).startswith(
        "alerts.toml:15: nothing reaches this route: all that it matches is taken at "
        "alerts.toml:12 — the first match wins"
    )
    assert load_config(write_config(tmp_path / "b", alerts=SMALL + narrow + wide)).warnings == ()
    default = "[[routes]]\nsteps = []\n"
    assert load_config(write_config(tmp_path / "c", alerts=SMALL + default + narrow)).warnings == ()


def test_overrides_that_overlap_are_a_warning(tmp_path: Path) -> None:
    override = (
        '[[rota.overrides]]\nperson = "budi"\nstart = 2026-12-{}T07:30:00\n'
        "end = 2026-12-{}T07:30:00\n"
    )
    text = SMALL + override.format("24", "26") + override.format("25", "27")
    assert only_problem(load_config(write_config(tmp_path, alerts=text)).warnings).startswith(
        "alerts.toml:16: this override overlaps another one"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://127.0.0.1:9000/pantau", "https://budi:hunter2-rahasia@hook.example/x"),
        ("http://127.0.0.1:9000/pantau", "https://hook.example/s/xoxb1Ab2c3D4e5F6g7H8hunter2"),
        ('address = "http://127.0.0.1:9000/pantau"', 'url = "https://hook.example/hunter2"'),
        (
            'type = "webhook"\naddress = "http://127.0.0.1:9000/pantau"',
            'type = "apprise"\nurl = "tgram://123456:hunter2/1"',
        ),
        (
            'type = "webhook"\naddress = "http://127.0.0.1:9000/pantau"',
            'type = "command"\ncommand = ["/bin/sms", "http://budi:hunter2@gw/"]',
        ),
    ],
)
def test_a_real_secret_in_the_file_is_an_error_that_does_not_repeat_it(
    tmp_path: Path, old: str, new: str
) -> None:
    found = load_config(write_config(tmp_path, alerts=SMALL.replace(old, new)), HAVE)
    assert found.settings is None
    assert "secret" in str(found.errors[0])
    assert "hunter2" not in repr(found)


def test_secrets_are_looked_for_and_their_absence_stops_the_daemon_only(tmp_path: Path) -> None:
    found = load_config(write_config(tmp_path, alerts=EXAMPLE))
    assert found.errors == ()
    assert [short_text(each).split(",")[0] for each in found.warnings] == [
        'alerts.toml:4: the secret "telegram-noc" is missing',
        'alerts.toml:21: the secret "heartbeat" is missing',
    ]
    assert all(each.blocks_run for each in found.warnings)


def test_recurring_maintenance_arrives(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('targets = "anyatan"\n', 'maintenance.toml:5: "anyatan" is no site, node or link'),
        ("targets = []\n", "maintenance.toml:5: this window has no target"),
        (
            'targets = "anjatan"\nweekdays = "sabtuu"\n',
            'maintenance.toml:6: "sabtuu" is no day of the week — did you mean "sabtu"?',
        ),
        (
            'targets = "anjatan"\nfirst = 2026-12-02\nlast = 2026-12-01\n',
            "maintenance.toml:7: this window's last day is before its first",
        ),
        (
            'targets = "anjatan"\ndays = [32]\n',
            'maintenance.toml:6: window "x": days = 32 is too large: the most is 31',
        ),
    ],
)
def test_a_slip_in_maintenance_is_explained(tmp_path: Path, more: str, says: str) -> None:
    head = '[[windows]]\nname = "x"\nwhy = "y"\nstart = 22:00:00\n'
    found = load_config(write_config(tmp_path, maintenance=head + more + "minutes = 5\n"))
    assert only_problem(found.errors).startswith(says)


def test_the_fingerprint_tells_what_a_reload_changes_and_holds_no_secret(tmp_path: Path) -> None:
    def print_of(folder: str, text: str) -> SettingsSnapshot:
        config = write_config(tmp_path / folder, alerts=text)
        (config / "monitor.toml").write_text(MONITOR.replace('"data"', f'"{tmp_path}"'))
        environ = {**HAVE, "PANTAU_SECRET_TELEGRAM_NOC": "hunter2"}
        return settings_snapshot(require_valid(load_config(config, environ), strict=True))

    before = print_of("a", EXAMPLE)
    after = print_of("b", EXAMPLE.replace("after_min = 15", "after_min = 20"))
    assert diff_snapshots(before, after).changed == {
        "route:1": {
            "steps": (
                ["0 rota:jaga channel:hook", "900 person:petugas-1"],
                ["0 rota:jaga channel:hook", "1200 person:petugas-1"],
            )
        }
    }
    assert "hunter2" not in str(after)
