"""POST requests: stored in the ledger first, then in force; or refused in a sentence."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    OutboxRow,
    OutboxStatus,
)
from monitor.core.alerting.settings import RecurringWindow
from monitor.core.errors import (
    ApiError,
    Conflict,
    InvalidRequest,
    LedgerError,
    LedgerFull,
    NotFound,
    NotRecorded,
)
from monitor.core.model import Scope
from tests.api.raw_http import raw_post
from tests.api_rig import LINK, OTHER, WIB, MemoryApiRig, duty_settings, in_thread
from tests.core.detection.scenario import network

WHO = {"who": "petugas-1"}
HOURS_S = 3600.0


async def post(api: LocalApiClient, path: str, **fields: object) -> dict[str, Any]:
    return await in_thread(lambda: api.post(path, WHO | fields))


async def test_an_acknowledgement_is_stored_forwarded_and_shown_until_it_ends(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    stored = await post(api, "/incidents/2/acknowledge", why="menuju lokasi", for_s=7200)
    assert stored["until"] == "2025-11-24T18:00:00.000Z"
    assert [(a.kind, a.who, a.text) for a in rig.ledger.actions([2])] == [
        ("acknowledge", "petugas-1", "menuju lokasi")
    ]
    assert [a.id for a in rig.listener.actions] == [1]
    assert rig.alerting_state.overlays(rig.open, rig.now_s()) == {LINK: ("acknowledged",)}
    assert rig.alerting_state.overlays(rig.open, rig.now_s() + 2 * HOURS_S) == {}


async def test_an_acknowledgement_of_a_dark_office_takes_the_outages_of_all_its_links(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    office = network({LINK: (), "anjatan/cadangan": (), "anjatan/satelit": ("pop",)}, {"pop": ()})
    rig.alerting_state.reconfigure(rig.alerting_state.alerts, office, WIB)
    second = rig.open_another(3, "anjatan/cadangan")
    assert (await post(api, "/incidents/2/acknowledge"))["also"] == []  # the third link answers
    await post(api, "/incidents/2/release")

    behind = replace(second, id=4, scope=Scope.NODE, target="pop", affected=("anjatan/satelit",))
    rig.open.append(behind)
    assert (await post(api, "/incidents/2/acknowledge", why="x"))["also"] == [3]
    assert rig.ledger.actions([3])[0].text == "x"
    assert rig.ledger.actions([4]) == []


async def test_the_same_press_on_several_incidents_is_recorded_once_for_each(
    rig: MemoryApiRig,
) -> None:
    office = network({LINK: (), "anjatan/cadangan": ()})
    rig.alerting_state.reconfigure(rig.alerting_state.alerts, office, WIB)
    rig.open_another(3, "anjatan/cadangan")
    for number in (2, 3, 2):
        until_s = rig.now_s() + HOURS_S
        press = IncidentAction(number, ActionKind.ACKNOWLEDGE, "Budi", rig.now_s(), "", until_s)
        await rig.actions.perform(press)
    assert [action.incident for action in rig.ledger.actions([2, 3])] == [2, 3]


async def test_an_acknowledgement_lasts_eight_hours_at_most(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    stored = await post(api, "/incidents/2/acknowledge")
    assert stored["until"] == "2025-11-25T00:00:00.000Z"
    with pytest.raises(InvalidRequest, match="8 h at most"):
        await post(api, "/incidents/2/acknowledge", for_s=9 * HOURS_S)
    with pytest.raises(InvalidRequest, match="past"):
        await post(api, "/incidents/2/acknowledge", until="2025-11-24T15:59:00Z")


async def test_a_release_ends_the_acknowledgement_once(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    with pytest.raises(Conflict, match="nobody has incident 2"):
        await post(api, "/incidents/2/release")
    await post(api, "/incidents/2/acknowledge")
    await post(api, "/incidents/2/release", why="salah sasaran")
    assert rig.alerting_state.overlays(rig.open, rig.now_s()) == {}


async def test_snooze_note_ticket_and_cause_are_stored(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    await post(api, "/incidents/2/snooze", until="2025-11-24T17:00:00+00:00")
    await post(api, "/incidents/2/note", text="14.32 penyedia\n\tdihubungi\x1b[31m")
    await post(api, "/incidents/2/ticket", number="INC-7")
    await post(api, "/incidents/2/cause", cause="power")
    details = await in_thread(lambda: api.get("/incidents/2"))
    handling: Any = details["handling"]
    assert handling["snoozed_until"] == "2025-11-24T17:00:00.000Z"
    assert [note["text"] for note in handling["notes"]] == ["14.32 penyedia dihubungi [31m"]
    assert (handling["ticket"], handling["cause"]) == ("INC-7", "power")


async def test_a_closed_incident_takes_notes_but_no_acknowledgement(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    await post(api, "/incidents/1/note", text="listrik PLN padam")
    await post(api, "/incidents/1/cause", cause="power")
    for verb in ("acknowledge", "release"):
        with pytest.raises(Conflict, match="over already"):
            await post(api, f"/incidents/1/{verb}")


async def test_maintenance_of_a_node_covers_its_links_until_it_is_ended(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    window = await post(api, "/maintenance", targets=["pop-patrol"], for_s=600, why="radio")
    assert rig.alerting_state.overlays([], rig.now_s()) == {
        "pop-patrol": ("maintenance",),
        LINK: ("maintenance",),
    }
    rig.clock.advance(5)
    ended = await post(api, f"/maintenance/{window['id']}/end")
    assert (ended["ended_by"], ended["state"]) == ("petugas-1", "over")
    with pytest.raises(Conflict, match="over already"):
        await post(api, f"/maintenance/{window['id']}/end")
    assert rig.alerting_state.overlays([], rig.now_s()) == {}
    assert [window.ended_by for window in rig.listener.windows] == [None, "petugas-1"]


async def test_a_window_that_has_not_begun_can_be_ended(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    start, end = "2025-11-24T20:00:00Z", "2025-11-24T22:00:00Z"
    window = await post(api, "/maintenance", targets=OTHER, to=end, why="x", **{"from": start})
    await post(api, f"/maintenance/{window['id']}/end")
    rig.clock.advance(5 * HOURS_S)
    assert rig.alerting_state.overlays([], rig.now_s()) == {}


async def test_ending_an_occurrence_of_a_recurring_window_leaves_the_next(
    tmp_path: Path,
) -> None:
    # It is 23:00 in Jakarta when the clock of these tests starts.
    line = RecurringWindow("tiap malam", (OTHER,), "rutin", time(22, 30), 2 * HOURS_S)
    rig = MemoryApiRig(duty_settings(recurring=(line,)))
    async with rig.serving(tmp_path) as api:
        assert rig.alerting_state.overlays([], rig.now_s()) == {OTHER: ("maintenance",)}
        await post(api, "/maintenance/tiap%20malam/end")
        assert rig.alerting_state.overlays([], rig.now_s()) == {}
        with pytest.raises(NotFound, match="no line"):
            await post(api, "/maintenance/tiap%20malam/end")
    assert rig.alerting_state.overlays([], rig.now_s() + 24 * HOURS_S) == {OTHER: ("maintenance",)}


async def test_actions_and_windows_survive_a_restart(tmp_path: Path) -> None:
    rig = MemoryApiRig()
    await rig.actions.acknowledge(2, "petugas-1")
    await rig.actions.plan_maintenance([OTHER], None, rig.now_s() + 600, "petugas-1", "x")
    again = MemoryApiRig(ledger=rig.ledger)
    await again.actions.restore()
    assert again.alerting_state.overlays(again.open, again.now_s()) == {
        LINK: ("acknowledged",),
        OTHER: ("maintenance",),
    }


async def test_only_a_dead_message_can_be_retried(rig: MemoryApiRig, api: LocalApiClient) -> None:
    rig.ledger.record([], [OutboxRow(2, 1, "hook", "p", EventKind.OPENED, "{}", 0.0)])
    with pytest.raises(Conflict, match="pending"):
        await post(api, "/outbox/1/retry")
    rig.ledger.mark_dead([1], "403")
    assert (await post(api, "/outbox/1/retry"))["status"] == "pending"
    with pytest.raises(NotFound, match="no message 9"):
        await post(api, "/outbox/9/retry")
    assert rig.listener.queued_times == 1


async def test_a_test_message_goes_through_one_channel_or_all(tmp_path: Path) -> None:
    rig = MemoryApiRig(duty_settings())
    async with rig.serving(tmp_path) as api:
        one = await post(api, "/alert-test", channel="sms")
        assert [row["channel"] for row in one["outbox"]] == ["sms"]
        rig.clock.advance(1)
        every = await post(api, "/alert-test")
        assert [row["channel"] for row in every["outbox"]] == ["hook", "sms", "x"]
        with pytest.raises(NotFound, match="it has hook, sms, x"):
            await post(api, "/alert-test", channel="telegram")
    rows = rig.ledger.outbox(OutboxStatus.PENDING)
    assert [(row.incident, row.event) for row in rows] == [(0, EventKind.TEST)] * 4
    assert all("UJI" in row.body.upper() for row in rows)


async def test_without_channels_there_is_nothing_to_test(tmp_path: Path) -> None:
    async with MemoryApiRig().serving(tmp_path) as api:
        with pytest.raises(Conflict, match=r"alerts\.toml"):
            await post(api, "/alert-test")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/incidents/2/acknowledge", {}),
        ("/incidents/2/snooze", {"for_s": 600}),
        ("/incidents/2/note", {"text": "x"}),
        ("/maintenance", {"targets": [LINK], "for_s": 60, "why": "x"}),
    ],
)
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (LedgerFull("the disk is full"), "TIDAK TERCATAT.*disk server pemantau penuh.*ulangi"),
        (LedgerError("the disk reports an error"), "TIDAK TERCATAT.*reports an error.*ulangi"),
    ],
    ids=["full", "fails"],
)
async def test_nothing_is_in_force_before_the_ledger_stored_it(
    rig: MemoryApiRig,
    api: LocalApiClient,
    path: str,
    fields: dict[str, object],
    trouble: LedgerError,
    words: str,
) -> None:
    rig.ledger.trouble = trouble
    with pytest.raises(NotRecorded, match=words):
        await post(api, path, **fields)
    assert rig.listener.actions == []
    assert rig.alerting_state.overlays(rig.open, rig.now_s()) == {}


WINDOW: dict[str, object] = {"targets": [LINK], "for_s": 60, "why": "x"}
INVALID: dict[str, list[tuple[dict[str, object], str]]] = {
    "/incidents/2/note": [
        ({"text": ""}, "note is empty"),
        ({"text": 5}, '"text" must be a text'),
        ({"text": "x" * 2001}, "longer than 2000"),
        ({"test": "x"}, "unknown field 'test'; known: text, who"),
        ({"who": "", "text": "x"}, "who"),
        ({"who": ["x"], "text": "x"}, "who"),
        ({"who": "x" * 65, "text": "x"}, "longer than 64"),
    ],
    "/incidents/-2/note": [({"text": "x"}, "no number")],
    "/incidents/2/cause": [({"cause": "tikus"}, "power, link, upstream")],
    "/incidents/2/snooze": [
        ({}, "a snooze has an end"),
        ({"for_s": -1}, "more than 0"),
        ({"for_s": "1h"}, "number of seconds"),
        ({"for_s": True}, "number of seconds"),
        ({"for_s": 1e300}, "at most"),
        ({"until": "besok"}, "no time"),
        ({"until": "2025-11-24T17:00"}, "zone"),
        ({"until": 17}, "zone"),
        ({"until": "9999-12-31T23:59:59-23:59"}, "no time"),
        ({"until": "2025-11-24T17:00Z", "for_s": 5}, "not both"),
    ],
    "/maintenance": [
        (WINDOW | {"for_s": None}, "has an end"),
        (WINDOW | {"why": None}, '"why"'),
        (WINDOW | {"targets": []}, "no target"),
        (WINDOW | {"targets": ["sini"]}, "sini: no site"),
        (WINDOW | {"targets": {"a": 1}}, "list of names"),
        (WINDOW | {"targets": ["a"] * 201}, "200 at most"),
        (WINDOW | {"for_s": 8e5}, "7 days"),
        (WINDOW | {"from": "2035-11-24T01:00Z"}, "a year ahead"),
        (
            WINDOW | {"for_s": None, "from": "2025-11-25T00:00Z", "to": "2025-11-24T23:00Z"},
            "ends before it begins",
        ),
        (
            WINDOW | {"for_s": None, "from": "2025-11-24T01:00Z", "to": "2025-11-24T02:00Z"},
            "over already",
        ),
    ],
}


@pytest.mark.parametrize(
    ("path", "fields", "error", "words"),
    [
        *(
            (path, fields, InvalidRequest, words)
            for path, cases in INVALID.items()
            for fields, words in cases
        ),
        ("/incidents/77/note", {"text": "x"}, NotFound, "no incident 77"),
        ("/incidents/77/acknowledge", {}, NotFound, "no incident 77"),
        ("/maintenance/9/end", {}, NotFound, "no maintenance window 9"),
        ("/state", {}, ApiError, "GET"),
    ],
)
async def test_an_invalid_request_is_refused_in_a_sentence_and_changes_nothing(
    rig: MemoryApiRig,
    api: LocalApiClient,
    path: str,
    fields: dict[str, object],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        await post(api, path, **fields)
    assert rig.ledger.actions() == []
    assert rig.ledger.windows(0.0, 1e12) == []
    assert rig.listener.actions == []


async def note(directory: Path, body: bytes) -> tuple[int, Any]:
    """POST these very bytes; the status and the JSON of the answer."""
    status, _, rest = await raw_post(directory / "pantau.sock", "/incidents/2/note", body)
    return status, json.loads(rest)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "who"),
        (b"{", 400, "no JSON"),
        (b"\xff\xfe", 400, "no JSON"),
        (b"[1, 2]", 400, "JSON object"),
        (b'"who"', 400, "JSON object"),
        (b"null", 400, "JSON object"),
        (b'{"who": NaN}', 400, "no JSON"),
        (b"[" * 60_000, 400, "no JSON"),
        (b'{"who": "\\ud800", "text": "x"}', 400, "no JSON"),
        (b'{"who": "p", "text": "' + b"x" * 70_000 + b'"}', 413, "65536 bytes"),
    ],
)
async def test_a_malformed_body_gets_a_sentence_and_no_traceback(
    tmp_path: Path, body: bytes, status: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = MemoryApiRig()
    async with rig.serving(tmp_path):
        code, answer = await note(tmp_path, body)
        assert (code, list(answer)) == (status, ["error"])
        assert words in answer["error"]
        # It still serves.
        assert (await note(tmp_path, b'{"who": "p", "text": "baik"}'))[0] == 200
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


async def test_concurrent_notes_are_all_stored_with_their_own_ids(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    jobs = [post(api, "/incidents/2/note", text=f"catatan {n}") for n in range(40)]
    stored = await asyncio.gather(*jobs)
    assert sorted(each["id"] for each in stored) == list(range(1, 41))
    assert len(rig.alerting_state.handling(2).notes) == 40


async def test_a_span_of_samples_is_sent_to_influxdb_again(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    since, until = "2025-11-20T00:00:00Z", "2025-11-21T00:00:00Z"
    assert await post(api, "/influx/resend", since=since, until=until) == {"rows": 17}
    assert await post(api, "/influx/resend", since=since, measurement="ping") == {"rows": 17}
    assert rig.resent == [
        (1763596800.0, 1763683200.0, None),
        (1763596800.0, rig.now_s(), "ping"),
    ]
    with pytest.raises(InvalidRequest, match='"since" is missing'):
        await post(api, "/influx/resend")
    with pytest.raises(InvalidRequest, match='"until" must be later'):
        await post(api, "/influx/resend", since=until, until=since)
