"""What people tell the local API: written first, then known to everybody; or refused in words."""

from __future__ import annotations

import asyncio
import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.alerting.model import EventKind, OutboxRow, OutboxStatus
from monitor.core.alerting.settings import RecurringWindow
from monitor.core.errors import ApiError, Conflict, InvalidRequest, LedgerError, NotFound
from tests.api.raw import raw_post
from tests.api_rig import LINK, OTHER, MemoryApiRig, duty_settings, in_thread

WHO = {"who": "petugas-1"}
HOURS_S = 3600.0


async def post(api: LocalApiClient, path: str, **fields: object) -> dict[str, Any]:
    return await in_thread(lambda: api.post(path, WHO | fields))


async def test_an_acknowledgement_is_kept_told_and_shown_until_it_ends(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        stored = await post(api, "/incidents/2/acknowledge", why="menuju lokasi", for_s=7200)
    assert stored["until"] == "2025-11-24T18:00:00.000Z"
    assert [(a.kind, a.who, a.text) for a in office.ledger.actions([2])] == [
        ("acknowledge", "petugas-1", "menuju lokasi")
    ]
    assert [a.id for a in office.listener.actions] == [1]
    assert office.alerting_state.overlays(office.open, office.now_s()) == {LINK: ("acknowledged",)}
    assert office.alerting_state.overlays(office.open, office.now_s() + 2 * HOURS_S) == {}


async def test_without_an_end_it_holds_for_eight_hours_and_no_longer(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        stored = await post(api, "/incidents/2/acknowledge")
        assert stored["until"] == "2025-11-25T00:00:00.000Z"
        with pytest.raises(InvalidRequest, match="8 h at most"):
            await post(api, "/incidents/2/acknowledge", for_s=9 * HOURS_S)
        with pytest.raises(InvalidRequest, match="past"):
            await post(api, "/incidents/2/acknowledge", until="2025-11-24T15:59:00Z")


async def test_release_ends_it_once(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        with pytest.raises(Conflict, match="nobody has incident 2"):
            await post(api, "/incidents/2/release")
        await post(api, "/incidents/2/acknowledge")
        await post(api, "/incidents/2/release", why="salah sasaran")
    assert office.alerting_state.overlays(office.open, office.now_s()) == {}


async def test_snooze_note_ticket_and_cause_are_kept(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        await post(api, "/incidents/2/snooze", until="2025-11-24T17:00:00+00:00")
        await post(api, "/incidents/2/note", text="14.32 penyedia\n\tdihubungi\x1b[31m")
        await post(api, "/incidents/2/ticket", number="INC-7")
        await post(api, "/incidents/2/cause", cause="power")
        case = await in_thread(lambda: api.get("/incidents/2"))
    handling: Any = case["handling"]
    assert handling["snoozed_until"] == "2025-11-24T17:00:00.000Z"
    assert [note["text"] for note in handling["notes"]] == ["14.32 penyedia dihubungi [31m"]
    assert (handling["ticket"], handling["cause"]) == ("INC-7", "power")


async def test_after_the_end_notes_are_taken_but_nobody_takes_it_in_hand(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        await post(api, "/incidents/1/note", text="listrik PLN padam")
        await post(api, "/incidents/1/cause", cause="power")
        for verb in ("acknowledge", "release"):
            with pytest.raises(Conflict, match="over already"):
                await post(api, f"/incidents/1/{verb}")


async def test_maintenance_covers_what_hangs_on_a_node_until_it_is_ended(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        window = await post(api, "/maintenance", targets=["pop-patrol"], for_s=600, why="radio")
        assert office.alerting_state.overlays([], office.now_s()) == {
            "pop-patrol": ("maintenance",),
            LINK: ("maintenance",),
        }
        office.clock.advance(5)
        ended = await post(api, f"/maintenance/{window['id']}/end")
        assert (ended["ended_by"], ended["state"]) == ("petugas-1", "over")
        with pytest.raises(Conflict, match="over already"):
            await post(api, f"/maintenance/{window['id']}/end")
    assert office.alerting_state.overlays([], office.now_s()) == {}
    assert [window.ended_by for window in office.listener.windows] == [None, "petugas-1"]


async def test_a_window_that_has_not_begun_can_be_called_off(tmp_path: Path) -> None:
    office = MemoryApiRig()
    start, end = "2025-11-24T20:00:00Z", "2025-11-24T22:00:00Z"
    async with office.serving(tmp_path) as api:
        window = await post(api, "/maintenance", targets=OTHER, to=end, why="x", **{"from": start})
        await post(api, f"/maintenance/{window['id']}/end")
    office.clock.advance(5 * HOURS_S)
    assert office.alerting_state.overlays([], office.now_s()) == {}


async def test_one_occurrence_of_a_recurring_window_is_ended_and_the_next_one_stays(
    tmp_path: Path,
) -> None:
    # It is 23:00 in Jakarta when the clock of these tests starts.
    line = RecurringWindow("tiap malam", (OTHER,), "rutin", time(22, 30), 2 * HOURS_S)
    office = MemoryApiRig(duty_settings(recurring=(line,)))
    async with office.serving(tmp_path) as api:
        assert office.alerting_state.overlays([], office.now_s()) == {OTHER: ("maintenance",)}
        await post(api, "/maintenance/tiap%20malam/end")
        assert office.alerting_state.overlays([], office.now_s()) == {}
        with pytest.raises(NotFound, match="no line"):
            await post(api, "/maintenance/tiap%20malam/end")
    assert office.alerting_state.overlays([], office.now_s() + 24 * HOURS_S) == {
        OTHER: ("maintenance",)
    }


async def test_what_was_done_before_a_restart_is_known_after_it(tmp_path: Path) -> None:
    office = MemoryApiRig()
    await office.actions.acknowledge(2, "petugas-1")
    await office.actions.plan_maintenance([OTHER], None, office.now_s() + 600, "petugas-1", "x")
    again = MemoryApiRig(ledger=office.ledger)
    await again.actions.restore()
    assert again.alerting_state.overlays(again.open, again.now_s()) == {
        LINK: ("acknowledged",),
        OTHER: ("maintenance",),
    }


async def test_a_dead_message_is_sent_again_and_no_other(tmp_path: Path) -> None:
    office = MemoryApiRig()
    office.ledger.record([], [OutboxRow(2, 1, "hook", "p", EventKind.OPENED, "{}", 0.0)])
    async with office.serving(tmp_path) as api:
        with pytest.raises(Conflict, match="pending"):
            await post(api, "/outbox/1/retry")
        office.ledger.mark_dead([1], "403")
        assert (await post(api, "/outbox/1/retry"))["status"] == "pending"
        with pytest.raises(NotFound, match="no message 9"):
            await post(api, "/outbox/9/retry")
    assert office.listener.queued_times == 1


async def test_a_test_goes_through_one_channel_or_all_of_them(tmp_path: Path) -> None:
    office = MemoryApiRig(duty_settings())
    async with office.serving(tmp_path) as api:
        one = await post(api, "/alert-test", channel="sms")
        assert [row["channel"] for row in one["outbox"]] == ["sms"]
        office.clock.advance(1)
        every = await post(api, "/alert-test")
        assert [row["channel"] for row in every["outbox"]] == ["hook", "sms", "x"]
        with pytest.raises(NotFound, match="it has hook, sms, x"):
            await post(api, "/alert-test", channel="telegram")
    rows = office.ledger.outbox(OutboxStatus.PENDING)
    assert [(row.incident, row.event) for row in rows] == [(0, EventKind.TEST)] * 4
    assert all("UJI" in row.body.upper() for row in rows)


async def test_without_channels_there_is_nothing_to_test(tmp_path: Path) -> None:
    async with MemoryApiRig().serving(tmp_path) as api:
        with pytest.raises(Conflict, match=r"alerts\.toml"):
            await post(api, "/alert-test")


async def test_nothing_is_known_to_anybody_before_the_ledger_has_it(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        office.ledger.trouble = LedgerError("the disk is full")
        with pytest.raises(ApiError, match="the disk is full"):
            await post(api, "/incidents/2/acknowledge")
    assert office.listener.actions == []
    assert office.alerting_state.overlays(office.open, office.now_s()) == {}


@pytest.mark.parametrize(
    ("path", "fields", "refusal", "words"),
    [
        ("/incidents/2/note", {"text": ""}, InvalidRequest, "note is empty"),
        ("/incidents/2/note", {"text": 5}, InvalidRequest, '"text" must be a text'),
        ("/incidents/2/note", {"text": "x" * 2001}, InvalidRequest, "longer than 2000"),
        (
            "/incidents/2/note",
            {"test": "x"},
            InvalidRequest,
            "unknown field 'test'; known: text, who",
        ),
        ("/incidents/2/note", {"who": "", "text": "x"}, InvalidRequest, "who"),
        ("/incidents/2/note", {"who": ["x"], "text": "x"}, InvalidRequest, "who"),
        ("/incidents/2/note", {"who": "x" * 65, "text": "x"}, InvalidRequest, "longer than 64"),
        ("/incidents/77/note", {"text": "x"}, NotFound, "no incident 77"),
        ("/incidents/77/acknowledge", {}, NotFound, "no incident 77"),
        ("/incidents/-2/note", {"text": "x"}, InvalidRequest, "no number"),
        ("/incidents/2/cause", {"cause": "tikus"}, InvalidRequest, "power, link, upstream"),
        ("/incidents/2/snooze", {}, InvalidRequest, "a snooze has an end"),
        ("/incidents/2/snooze", {"for_s": -1}, InvalidRequest, "more than 0"),
        ("/incidents/2/snooze", {"for_s": "1h"}, InvalidRequest, "number of seconds"),
        ("/incidents/2/snooze", {"for_s": True}, InvalidRequest, "number of seconds"),
        ("/incidents/2/snooze", {"for_s": 1e300}, InvalidRequest, "at most"),
        ("/incidents/2/snooze", {"until": "besok"}, InvalidRequest, "no time"),
        ("/incidents/2/snooze", {"until": "2025-11-24T17:00"}, InvalidRequest, "zone"),
        ("/incidents/2/snooze", {"until": 17}, InvalidRequest, "zone"),
        ("/incidents/2/snooze", {"until": "9999-12-31T23:59:59-23:59"}, InvalidRequest, "no time"),
        (
            "/incidents/2/snooze",
            {"until": "2025-11-24T17:00Z", "for_s": 5},
            InvalidRequest,
            "not both",
        ),
        ("/maintenance", {"targets": [LINK], "why": "x"}, InvalidRequest, "has an end"),
        ("/maintenance", {"targets": [LINK], "for_s": 60}, InvalidRequest, '"why"'),
        ("/maintenance", {"targets": [], "for_s": 60, "why": "x"}, InvalidRequest, "no target"),
        (
            "/maintenance",
            {"targets": ["sini"], "for_s": 60, "why": "x"},
            InvalidRequest,
            "sini: no site",
        ),
        (
            "/maintenance",
            {"targets": {"a": 1}, "for_s": 60, "why": "x"},
            InvalidRequest,
            "list of names",
        ),
        (
            "/maintenance",
            {"targets": ["a"] * 201, "for_s": 60, "why": "x"},
            InvalidRequest,
            "200 at most",
        ),
        ("/maintenance", {"targets": [LINK], "for_s": 8e5, "why": "x"}, InvalidRequest, "7 days"),
        (
            "/maintenance",
            {"targets": [LINK], "from": "2025-11-25T00:00Z", "to": "2025-11-24T23:00Z", "why": "x"},
            InvalidRequest,
            "ends before it begins",
        ),
        (
            "/maintenance",
            {"targets": [LINK], "from": "2025-11-24T01:00Z", "to": "2025-11-24T02:00Z", "why": "x"},
            InvalidRequest,
            "over already",
        ),
        (
            "/maintenance",
            {"targets": [LINK], "from": "2035-11-24T01:00Z", "for_s": 60, "why": "x"},
            InvalidRequest,
            "a year ahead",
        ),
        ("/maintenance/9/end", {}, NotFound, "no maintenance window 9"),
        ("/state", {}, ApiError, "GET"),
    ],
)
async def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(
    tmp_path: Path, path: str, fields: dict[str, object], refusal: type[Exception], words: str
) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        with pytest.raises(refusal, match=words):
            await post(api, path, **fields)
    assert office.ledger.actions() == []
    assert office.ledger.windows(0.0, 1e12) == []
    assert office.listener.actions == []


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
async def test_hostile_bytes_get_a_sentence_and_no_traceback(
    tmp_path: Path, body: bytes, status: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path):
        code, answer = await note(tmp_path, body)
        assert (code, list(answer)) == (status, ["error"])
        assert words in answer["error"]
        # It goes on serving.
        assert (await note(tmp_path, b'{"who": "p", "text": "baik"}'))[0] == 200
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


async def test_many_at_once_are_all_kept_each_with_its_own_number(tmp_path: Path) -> None:
    office = MemoryApiRig()
    async with office.serving(tmp_path) as api:
        jobs = [post(api, "/incidents/2/note", text=f"catatan {n}") for n in range(40)]
        stored = await asyncio.gather(*jobs)
    assert sorted(each["id"] for each in stored) == list(range(1, 41))
    assert len(office.alerting_state.handling(2).notes) == 40
