"""GET requests of the local API, over a real socket."""

from __future__ import annotations

import stat
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.alerting.model import EventKind, OutboxRow, PolicyDecision
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import RecurringWindow
from monitor.core.errors import ApiError, InvalidRequest, LedgerError, NotFound
from tests.api_rig import LINK, MemoryApiRig, duty_settings, in_thread


async def get(api: LocalApiClient, path: str) -> dict[str, Any]:
    return await in_thread(lambda: api.get(path))


async def test_the_socket_is_for_the_daemons_user_and_group_only(tmp_path: Path) -> None:
    async with MemoryApiRig().serving(tmp_path):
        assert stat.S_IMODE((tmp_path / "pantau.sock").stat().st_mode) == 0o660
    assert not (tmp_path / "pantau.sock").exists()


async def test_open_incidents_are_listed_with_their_handling(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    await rig.actions.acknowledge(2, "petugas-1", "menuju lokasi")
    await rig.actions.ticket(2, "petugas-1", "INC-7")
    (incident,) = (await get(api, "/incidents"))["incidents"]
    assert (incident["id"], incident["target"]) == (2, LINK)
    assert incident["handling"]["acknowledged_by"] == "petugas-1"
    assert incident["handling"]["acknowledged_why"] == "menuju lokasi"
    assert incident["handling"]["ticket"] == "INC-7"
    every = (await get(api, "/incidents?all=1"))["incidents"]
    assert [each["id"] for each in every] == [1, 2]
    newest = (await get(api, "/incidents?all=1&limit=1"))["incidents"]
    assert [each["id"] for each in newest] == [2]
    recent = (await get(api, "/incidents?since=2025-11-24T15:59:00Z"))["incidents"]
    assert [each["id"] for each in recent] == [2]


async def test_an_incident_comes_with_actions_alert_decisions_and_messages(
    rig: MemoryApiRig,
    api: LocalApiClient,
) -> None:
    now_s = rig.now_s()
    row = OutboxRow(2, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s)
    rig.ledger.record(
        [],
        [row, OutboxRow(1, 1, "hook", "petugas-1", EventKind.OPENED, "{}", now_s)],
        [
            PolicyDecision(
                2, now_s - 40, EventKind.OPENED, notified=False, reason=Reason.WITHIN_HOLD
            ),
            PolicyDecision(
                *(2, now_s - 39, EventKind.OPENED, True, Reason.FIRST_NOTICE),
                *("petugas-1", "hook", 2, 1, 0),
            ),
        ],
    )
    await rig.actions.note(2, "petugas-1", "penyedia dihubungi")
    details = await get(api, "/incidents/2")
    assert details["incident"]["target"] == LINK
    assert [a["text"] for a in details["actions"]] == ["penyedia dihubungi"]
    notices = [(n["told"], n["reason"]) for n in details["notices"]]
    assert notices == [(False, "within_hold"), (True, "first_notice")]
    (message,) = details["outbox"]
    assert (message["incident"], message["status"], message["recipient"]) == (
        *(2, "pending"),
        "petugas-1",
    )
    assert len(message["code"]) == 8


async def test_a_router_is_found_by_its_name(rig: MemoryApiRig, api: LocalApiClient) -> None:
    rig.routers["anjatan"] = {"device": "anjatan", "sys_name": "r-anjatan"}
    assert (await get(api, "/routers/anjatan"))["sys_name"] == "r-anjatan"
    with pytest.raises(NotFound, match="no router named bandung"):
        await get(api, "/routers/bandung")


async def test_a_message_about_a_group_belongs_to_each_incident_in_it(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    now_s = rig.now_s()
    rig.ledger.record(
        [],
        [OutboxRow(1, 1, "hook", "p", EventKind.DIGEST, "{}", now_s, about=(1, 2))],
        [PolicyDecision(2, now_s, EventKind.DIGEST, True, Reason.DIGEST, "p", "hook", 1, 1, 0)],
    )
    details = await get(api, "/incidents/2")
    assert [row["about"] for row in details["outbox"]] == [[1, 2]]


async def test_oncall_lists_who_is_on_call_now_and_next(tmp_path: Path) -> None:
    async with MemoryApiRig(duty_settings()).serving(tmp_path) as api:
        (rota,) = (await get(api, "/oncall"))["oncall"]
    assert rota["now"]["name"] == "Petugas Satu"
    assert rota["now"]["phone"] == "0811"
    assert rota["now"]["from"] == "2025-11-24T00:30:00.000Z"
    assert rota["next"]["person"] == "petugas-2"
    assert rota["next"]["from"] == rota["now"]["to"] == "2025-12-01T00:30:00.000Z"


async def test_maintenance_lists_single_and_recurring_windows(tmp_path: Path) -> None:
    from_file = RecurringWindow("rutin", ("pop-patrol",), "rutin", time(23, 30), 3600.0)
    rig = MemoryApiRig(duty_settings(recurring=(from_file,)))
    now_s = rig.now_s()
    await rig.actions.plan_maintenance([LINK], None, now_s + 600, "petugas-1", "ganti radio")
    async with rig.serving(tmp_path) as api:
        found = (await get(api, "/maintenance"))["maintenance"]
    first, second, *rest = found
    assert (first["id"], first["state"], first["who"]) == (1, "now", "petugas-1")
    assert (second["id"], second["recurring"], second["state"]) == (None, "rutin", "ahead")
    assert len(rest) == 30


async def test_handover_summarises_the_shift(tmp_path: Path) -> None:
    rig = MemoryApiRig(duty_settings())
    await rig.actions.acknowledge(2, "petugas-1")
    async with rig.serving(tmp_path) as api:
        summary = await get(api, "/handover")
        short = await get(api, "/handover?since=2025-11-24T15:59:00Z")
    assert [each["id"] for each in summary["open"]] == [2]
    assert [each["id"] for each in summary["over"]] == [1]
    assert short["over"] == []
    assert summary["since"] == "2025-11-24T08:00:00.000Z"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/incidents/99", NotFound, "no incident 99"),
        ("/outbox/99", NotFound, "no message 99"),
        ("/nowhere", NotFound, "nothing at this address"),
        ("/incidents/abc", InvalidRequest, "'abc' is no number"),
        ("/incidents/%D9%A1", InvalidRequest, "is no number"),
        ("/incidents/" + "9" * 40, InvalidRequest, "is no number"),
        ("/incidents?since=kemarin", InvalidRequest, "no time"),
        ("/incidents?since=2025-11-24T15:00", InvalidRequest, "zone"),
        ("/incidents?limit=-1", InvalidRequest, "limit"),
        ("/outbox?status=lost", InvalidRequest, "pending, leased, sent, dead"),
        ("/incidents/2/note", ApiError, "POST only"),
    ],
)
async def test_an_invalid_query_is_refused_in_a_sentence(
    tmp_path: Path, path: str, error: type[Exception], words: str
) -> None:
    async with MemoryApiRig().serving(tmp_path) as api:
        with pytest.raises(error, match=words):
            await get(api, path)


async def test_a_ledger_error_is_reported_and_the_next_request_tries_again(
    rig: MemoryApiRig, api: LocalApiClient
) -> None:
    rig.ledger.trouble = LedgerError("the disk is full")
    with pytest.raises(ApiError, match="the disk is full"):
        await get(api, "/incidents/2")
    rig.ledger.trouble = None
    assert await get(api, "/incidents/2")


async def test_without_a_daemon_the_error_names_the_command_that_starts_it(tmp_path: Path) -> None:
    async with MemoryApiRig().serving(tmp_path) as api:
        pass
    with pytest.raises(ApiError, match="pantau run"):
        await in_thread(lambda: api.post("/incidents/2/note", {"who": "p", "text": "x"}))
