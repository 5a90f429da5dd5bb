"""Incident pages, API and exports over HTTP, on fakes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from dashboard.app.web import Identity, build
from dashboard.components.sheet import harmless
from monitor.core.alerting.model import ActionKind, IncidentAction
from monitor.core.availability_target import AgreedBy, AvailabilityTarget
from monitor.core.errors import (
    ApiError,
    Conflict,
    InvalidRequest,
    LedgerError,
    NotFound,
    NotRecorded,
    PantauError,
)
from monitor.core.model import ChangeKind, IncidentChange, IncidentEvidence, Network, State
from monitor.core.paths.model import (
    FindingKind,
    IncidentTrace,
    NamedHop,
    PathFinding,
    RouteHop,
)
from tests.dashboard.alert_history import write_alert_history
from tests.dashboard.reads_on_fakes import NOW_S, ReadsOnFakes
from tests.dashboard.synthetic_history import (
    HOUR_S,
    PastEvent,
    SyntheticHistory,
    shipped_network,
    trouble,
)
from tests.fakes.action_client import FakeActionClient

ZONE = ZoneInfo("Asia/Jakarta")
HOME = {"Origin": "http://localhost"}
NASTY = "=cmd()|'/C calc'!A0<img src=x>\u202e"


class IncidentPages:
    """An HTTP client of the dashboard on a synthetic history."""

    def __init__(
        self, history: SyntheticHistory, samples_of_s: float = 0.0, prefix: str = "/"
    ) -> None:
        self.fakes = ReadsOnFakes.of(history, samples_of_s)
        self.fakes.ledger.record_alive(history.now_s)
        write_alert_history(self.fakes.ledger, history)
        self.actions = FakeActionClient()
        server = build(
            self.fakes.reads,
            Identity("Diskominfo", ZONE, prefix),
            lambda: self.fakes.clocks["now"],
            self.actions,
        )
        self.client: FlaskClient = server.test_client()

    def number(self, target: str) -> int:
        """The open incident of a target."""
        return next(
            each.id
            for each in self.fakes.history.incidents()
            if each.target == target and each.ended_s is None
        )

    def rows(self, query: str = "") -> dict[str, Any]:
        """The rows of a list, by name."""
        told = self.client.get(f"/api/v1/incidents?{query}").get_json()
        return {row["name"]: row for row in told["rows"]}


@pytest.fixture(scope="module")
def pages() -> IncidentPages:
    return IncidentPages(trouble(shipped_network(), NOW_S), HOUR_S)


@pytest.fixture
def fresh_pages() -> IncidentPages:
    return IncidentPages(trouble(shipped_network(), NOW_S))


@pytest.mark.parametrize("path", ["/tv", "/insiden", "/insiden?view=history", "/serah-terima"])
def test_each_page_is_small_in_both_languages(pages: IncidentPages, path: str) -> None:
    joint = "&" if "?" in path else "?"
    for lang in ("en", "id"):
        response = pages.client.get(f"{path}{joint}lang={lang}", headers={"Accept-Encoding": "br"})
        assert response.status_code == 200
        assert len(response.data) < 20_000
    assert "Insiden" in pages.client.get(path).text


def test_the_wall_has_31_chips_in_the_order_of_the_configuration(pages: IncidentPages) -> None:
    text = pages.client.get("/tv").text
    places = [text.index(f'class="chip unknown" href="/situs/{site.id}"')
              for site in pages.fakes.history.network.sites]  # fmt: skip
    assert places == sorted(places)
    assert len(places) == 31


def test_open_incidents_are_listed_with_owner_and_affected_links(pages: IncidentPages) -> None:
    rows = pages.rows()
    assert len(rows) == 8
    hub = rows["PoP Karangampel"]
    assert hub["by"] == "Budi S."
    assert hub["ticket"] == "INC-2026-118734"
    assert "Kedokan Bunder" in hub["fold"]
    assert rows["Losarang"]["by"] is None
    assert "22 hilang berturut-turut, 5,2 dtk sunyi" in rows["Losarang"]["why"]
    assert "hilang sebelumnya 0,4" in rows["Losarang"]["why"]


def test_acknowledged_incidents_are_not_in_the_list_of_unacknowledged_ones(
    pages: IncidentPages,
) -> None:
    rows = pages.rows("view=untaken")
    assert "PoP Karangampel" not in rows
    assert "Losarang" in rows


def test_a_row_shows_the_reason_of_maintenance(pages: IncidentPages) -> None:
    rows = pages.rows()
    assert rows["Cantigi"]["work"] == "Ganti radio, WO-0412"
    assert rows["Losarang"]["work"] == ""


def test_an_incident_explained_by_another_is_folded_under_it(fresh_pages: IncidentPages) -> None:
    hub = fresh_pages.number("pop-karangampel")
    for each in fresh_pages.fakes.history.decisions():
        if isinstance(each, IncidentChange) and each.incident.target == "losarang/utama":
            explained = replace(each.incident, parent=hub)
            fresh_pages.fakes.ledger.record([replace(each, incident=explained)])
    rows = fresh_pages.rows()
    assert "Losarang" not in rows
    assert "Losarang" in rows["PoP Karangampel"]["fold"]


def test_the_history_is_of_the_requested_days_newest_first(pages: IncidentPages) -> None:
    told = pages.client.get("/api/v1/incidents?view=history").get_json()["rows"]
    assert len(told) > 5
    assert [row["t"] for row in told] == sorted((row["t"] for row in told), reverse=True)
    assert all(row["e"] is not None for row in told)
    before = "/api/v1/incidents?view=history&from=2026-10-01&to=2026-10-02"
    assert pages.client.get(before).get_json() == {"failed": False, "more": False, "rows": []}


def test_an_incident_has_its_facts_and_timeline(pages: IncidentPages) -> None:
    told = pages.client.get(f"/api/v1/incidents/{pages.number('pop-karangampel')}").get_json()
    facts = dict(told["facts"])
    assert facts["Penyebab menurut petugas"] == "listrik padam"
    assert facts["Tiket penyedia"] == "INC-2026-118734"
    assert "6,0 dtk setelah" in facts["Terdeteksi"]
    lines = [each["text"] for each in told["timeline"]]
    assert lines[:3] == ["permintaan pertama hilang", "dinyatakan Putus", "Budi S. menangani"]
    assert told["by"] == "Budi S."
    assert told["title"] == "PoP Karangampel putus"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("power", "Rina membenarkan dugaan penyebab"),
        ("link", "Rina mengoreksi dugaan penyebab"),
    ],
)
def test_confirming_or_correcting_a_cause_is_in_the_timeline(
    fresh_pages: IncidentPages, cause: str, words: str
) -> None:
    number = fresh_pages.number("losarang/utama")
    (found,) = (each for each in fresh_pages.fakes.history.incidents() if each.id == number)
    guess = replace(
        found, suspected_cause="power", evidence=IncidentEvidence(near_sites=("arahan",))
    )
    fresh_pages.fakes.ledger.record([IncidentChange(ChangeKind.UPDATED, guess, NOW_S)])
    before = fresh_pages.client.get(f"/api/v1/incidents/{number}").get_json()
    assert (before["suspect"], before["cause"]) == ("power", "")
    assert "Arahan" in dict(before["facts"])["Dugaan penyebab"]
    fresh_pages.fakes.ledger.add_action(
        IncidentAction(number, ActionKind.CAUSE, "Rina", NOW_S, cause)
    )
    told = fresh_pages.client.get(f"/api/v1/incidents/{number}").get_json()
    assert words in [each["text"] for each in told["timeline"]]
    assert told["cause"] == cause


def test_where_a_path_breaks_off_is_on_both_pages_with_its_hops(
    fresh_pages: IncidentPages,
) -> None:
    number = fresh_pages.number("losarang/utama")
    (found,) = (each for each in fresh_pages.fakes.history.incidents() if each.id == number)
    last, following = NamedHop(3, "10.77.0.11", "PoP <Jatibarang>"), NamedHop(4, "10.77.0.12")
    finding = PathFinding(FindingKind.STOPPED, NOW_S, last, following, following, 5, NOW_S)
    traced = replace(found, evidence=replace(found.evidence, path=finding))
    fresh_pages.fakes.ledger.record([IncidentChange(ChangeKind.UPDATED, traced, NOW_S)])
    hops = (RouteHop(1, "10.77.0.10", "Pusat data", 1.0, None), RouteHop(2, None, None, None, None))
    fresh_pages.fakes.ledger.record_paths(
        (), [IncidentTrace(number, found.target, NOW_S, "stopped", hops)]
    )
    facts = dict(fresh_pages.client.get(f"/api/v1/incidents/{number}").get_json()["facts"])
    assert facts["Jejak jalur"].startswith(
        "terakhir menjawab: 10.77.0.11 PoP <Jatibarang>; biasanya 5 lompatan, kini berhenti di 3"
    )
    assert facts["Lompatan"] == "1 10.77.0.10 Pusat data · 2 *"
    page = fresh_pages.client.get(f"/i/{number}").text
    assert "biasanya 5 lompatan, kini berhenti di 3" in page
    assert "<Jatibarang>" not in page


def test_an_open_incident_says_whether_its_office_is_connected_and_what_to_do(
    fresh_pages: IncidentPages,
) -> None:
    number = fresh_pages.number("losarang/utama")
    answer = fresh_pages.client.get(f"/api/v1/incidents/{number}").get_json()
    identity = fresh_pages.fakes.ledger.identity().value
    assert answer["uid"] == f"{identity}-{number}"
    facts = dict(answer["facts"])
    assert facts["Kantor kini"] == "Kantor GELAP: satu-satunya jalur putus"
    assert facts["Tindakan"].startswith("Hubungi Penyedia")
    assert facts["Tindakan"].endswith(f"tangani: pantau ack {number}")
    page = fresh_pages.client.get(f"/i/{number}").text
    assert "<dt>Kantor kini</dt><dd>Kantor GELAP: satu-satunya jalur putus</dd>" in page
    assert facts["Tindakan"] in page
    (row,) = [each for each in fresh_pages.rows().values() if each["id"] == number]
    assert row["uid"] == answer["uid"]

    fresh_pages.fakes.state.trouble = ApiError("no daemon")
    facts = dict(fresh_pages.client.get(f"/api/v1/incidents/{number}").get_json()["facts"])
    assert "Kantor kini" not in facts


def test_the_reason_of_each_notification_decision_is_shown(pages: IncidentPages) -> None:
    told = pages.client.get(f"/api/v1/incidents/{pages.number('losarang/utama')}").get_json()[
        "told"
    ]
    assert [each["yes"] for each in told] == [False, True, True]
    assert told[0]["text"] == (
        "tidak ada yang diberi tahu: masih dalam masa tunggu, pesan hanya dikirim bila berlanjut"
    )
    assert "pemberitahuan → petugas-1 (telegram-noc)" in told[1]["text"]
    assert "terkirim" in told[1]["text"]
    assert "naik ke tingkat berikut" in told[2]["text"]


@pytest.mark.parametrize(
    ("verb", "sent", "body"),
    [
        ("acknowledge", {"text": "berangkat"}, {"who": "Budi", "why": "berangkat"}),
        ("acknowledge", {"minutes": 60}, {"who": "Budi", "why": "", "for_s": 3600}),
        ("snooze", {"minutes": 30}, {"who": "Budi", "why": "", "for_s": 1800}),
        ("release", {}, {"who": "Budi", "why": ""}),
        ("note", {"text": " PLN \n padam "}, {"who": "Budi", "text": "PLN padam"}),
        ("ticket", {"text": "INC-1"}, {"who": "Budi", "number": "INC-1"}),
        ("cause", {"text": "power"}, {"who": "Budi", "cause": "power"}),
    ],
)
def test_an_action_is_sent_to_the_daemon(
    fresh_pages: IncidentPages, verb: str, sent: dict[str, object], body: dict[str, object]
) -> None:
    response = fresh_pages.client.post(
        f"/api/v1/incidents/7/{verb}", json={"who": " Budi ", **sent}, headers=HOME
    )
    assert response.status_code == 200
    assert response.text == "Tersimpan.\n"
    assert fresh_pages.actions.posted == [(f"/incidents/7/{verb}", body)]


def test_maintenance_is_sent_to_the_daemon(fresh_pages: IncidentPages) -> None:
    sent = {"who": "Budi", "target": "anjatan/utama", "minutes": 120, "text": "Ganti radio"}
    assert (
        fresh_pages.client.post("/api/v1/maintenance", json=sent, headers=HOME).status_code == 200
    )
    body = {"who": "Budi", "targets": ["anjatan/utama"], "why": "Ganti radio", "for_s": 7200}
    assert fresh_pages.actions.posted == [("/maintenance", body)]


def test_maintenance_is_ended_from_the_handover_page(fresh_pages: IncidentPages) -> None:
    page = fresh_pages.client.get("/serah-terima?hours=24").text
    assert 'action="/serah-terima/akhiri?hours=24"' in page
    window = re.search(r'name="name" value="([^"]+)"', page)
    assert window is not None
    form = {"who": "Budi", "name": window[1]}
    response = fresh_pages.client.post("/serah-terima/akhiri?hours=24", data=form, headers=HOME)
    assert "hours=24" in response.headers["Location"]
    assert fresh_pages.actions.posted == [(f"/maintenance/{window[1]}/end", {"who": "Budi"})]
    assert response.status_code == 303
    assert "Pemeliharaan itu diakhiri." in fresh_pages.client.get(response.headers["Location"]).text


@pytest.mark.parametrize(
    ("form", "trouble_of", "words"),
    [
        ({"name": "1"}, None, "nama Anda"),
        ({"who": "Budi"}, None, "nama Anda"),
        ({"who": "Budi", "name": "1"}, InvalidRequest("no"), "TIDAK diakhiri"),
        ({"who": "Budi", "name": "1"}, Conflict("over"), "sudah selesai"),
        ({"who": "Budi", "name": "../x"}, NotFound("none"), "tidak ada, atau belum berlaku"),
        ({"who": "Budi", "name": "1"}, ApiError("silent"), "BELUM tercatat"),
        ({"who": "Budi", "name": "1"}, NotRecorded("full"), "TIDAK tercatat"),
    ],
)
def test_an_error_of_ending_maintenance_is_shown_on_the_page(
    fresh_pages: IncidentPages,
    form: dict[str, str],
    trouble_of: PantauError | None,
    words: str,
) -> None:
    fresh_pages.actions.trouble = trouble_of
    response = fresh_pages.client.post("/serah-terima/akhiri", data=form, headers=HOME)
    assert response.status_code == 303
    assert words in fresh_pages.client.get(response.headers["Location"]).text
    assert all("/x" not in path for path, _ in fresh_pages.actions.posted)


def test_another_origin_cannot_end_maintenance(pages: IncidentPages) -> None:
    form = {"who": "Budi", "name": "1"}
    headers = {"Origin": "http://elsewhere.example"}
    response = pages.client.post("/serah-terima/akhiri", data=form, headers=headers)
    assert response.status_code == 403
    assert pages.actions.posted == []


@pytest.mark.parametrize(
    ("verb", "sent", "code", "words"),
    [
        ("note", {"who": "Budi", "text": "  "}, 400, "Isi dahulu teksnya."),
        ("note", {"who": "Budi"}, 400, "Isi dahulu teksnya."),
        ("note", {"who": "Budi", "text": ["x"]}, 400, "Isi dahulu teksnya."),
        ("note", {"who": "Budi", "text": "x" * 1001}, 400, "terlalu panjang"),
        ("note", {"text": "x"}, 400, "nama Anda"),
        ("note", {"who": 7, "text": "x"}, 400, "nama Anda"),
        ("note", {"who": "x" * 61, "text": "x"}, 400, "nama Anda"),
        ("snooze", {"who": "Budi"}, 400, "Lamanya"),
        ("snooze", {"who": "Budi", "minutes": 481}, 400, "Lamanya"),
        ("snooze", {"who": "Budi", "minutes": True}, 400, "Lamanya"),
        ("acknowledge", {"who": "Budi", "minutes": -1}, 400, "Lamanya"),
        ("cause", {"who": "Budi", "text": "gempa"}, 400, "tidak dikenal"),
        ("explode", {"who": "Budi"}, 404, "Tindakan ini tidak ada."),
    ],
)
def test_an_invalid_action_is_refused_with_a_message(
    pages: IncidentPages, verb: str, sent: dict[str, object], code: int, words: str
) -> None:
    response = pages.client.post(f"/api/v1/incidents/7/{verb}", json=sent, headers=HOME)
    assert (response.status_code, words in response.text) == (code, True), response.text
    assert pages.actions.posted == []


def test_invalid_maintenance_is_refused_with_a_message(pages: IncidentPages) -> None:
    good = {"who": "Budi", "target": "anjatan", "minutes": 60, "text": "x"}
    for change in (
        {"target": None},
        {"text": ""},
        {"minutes": 0},
        {"minutes": 99_999},
        {"who": ""},
    ):
        response = pages.client.post("/api/v1/maintenance", json=good | change, headers=HOME)
        assert response.status_code == 400
        assert response.text.strip().endswith(".")


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:81", "https://"]
)
def test_actions_of_another_origin_are_refused(pages: IncidentPages, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    for path in ("/api/v1/incidents/7/note", "/api/v1/maintenance", "/i/7"):
        response = pages.client.post(path, json={"who": "x", "text": "x"}, headers=headers)
        assert response.status_code == 403
    assert pages.actions.posted == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 3000])
def test_bad_json_is_refused(pages: IncidentPages, body: bytes) -> None:
    response = pages.client.post(
        "/api/v1/incidents/7/note", data=body, headers=HOME, content_type="application/json"
    )
    assert response.status_code == 400
    assert "Traceback" not in response.text


def test_a_form_and_an_oversized_body_are_refused(pages: IncidentPages) -> None:
    form = pages.client.post("/api/v1/incidents/7/note", data={"text": "x"}, headers=HOME)
    assert form.status_code == 415
    big = {"who": "Budi", "text": "x" * 70_000}
    assert pages.client.post("/api/v1/incidents/7/note", json=big, headers=HOME).status_code == 413


@pytest.mark.parametrize(
    ("trouble_of", "code", "words"),
    [
        (ApiError("silent"), 503, "BELUM tercatat"),
        (NotRecorded("full"), 507, "TIDAK tercatat"),
        (Conflict("over"), 409, "sudah selesai"),
        (NotFound("none"), 404, "Tidak ada insiden"),
        (InvalidRequest("no such target"), 400, "no such target"),
    ],
)
def test_a_refusal_of_the_daemon_is_shown(
    fresh_pages: IncidentPages, trouble_of: PantauError, code: int, words: str
) -> None:
    fresh_pages.actions.trouble = trouble_of
    sent = {"who": "Budi", "text": "x"}
    response = fresh_pages.client.post("/api/v1/incidents/7/note", json=sent, headers=HOME)
    assert (response.status_code, words in response.text) == (code, True)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/insiden?view=all", 400), ("/insiden?sort=", 400), ("/insiden/7", 404),
        ("/insiden?view=history&from=2026-13-01", 400), ("/insiden?from=x", 400),
        ("/insiden?view=history&from=2026-11-24&to=2026-11-01", 400),
        ("/insiden?view=history&from=0001-01-01&to=2026-11-01", 400),
        ("/insiden?view=history&from=2020-01-01&to=2026-11-01", 400),
        ("/insiden?view=history&to=9999-12-31", 400),
        ("/insiden.csv?view=x", 400), ("/insiden.csv?view=history&from=-1", 400),
        ("/api/v1/incidents?view=x", 400), ("/api/v1/incidents/0", 404),
        ("/api/v1/incidents/99999999999999999999", 404), ("/api/v1/incidents/x", 404),
        ("/api/v1/incidents/-1", 404), ("/i/999999", 404), ("/i/x", 404), ("/i/", 404),
        ("/laporan/2026-13", 404), ("/laporan/2026-00", 404), ("/laporan/1999-01", 404),
        ("/laporan/2027-01", 404), ("/laporan/9999-12", 404), ("/laporan/x", 404),
        ("/laporan/2026-+1", 404), ("/laporan/2026-11/x", 404), ("/laporan/2026-\u0661\u0661", 404),
        ("/laporan/2026-13.csv", 404), ("/laporan/.csv", 404), ("/serah-terima?hours=9", 400),
        ("/serah-terima?hours=1e9", 400), ("/tv/x", 404),
    ],
)  # fmt: skip
def test_invalid_addresses_are_refused_with_a_message(
    pages: IncidentPages, path: str, code: int
) -> None:
    response = pages.client.get(path)
    assert response.status_code == code, response.text[:300]
    assert "Traceback" not in response.text
    text = unescape(response.text)
    assert "Tidak ada" in text or "tidak" in text


def test_the_report_redirects_to_the_current_month(pages: IncidentPages) -> None:
    for path in ("/laporan", "/laporan/"):
        response = pages.client.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, "/laporan/2026-11")


def test_the_report_has_every_link_the_worst_first(pages: IncidentPages) -> None:
    text = pages.client.get("/laporan/2026-11").text
    assert "November 2026" in text
    links = pages.fakes.history.network.links()
    assert text.count("<tr class=") == len(links)
    missed = [row.startswith("missed") for row in text.split('<tr class="')[1:]]
    assert missed == sorted(missed, reverse=True)
    assert any(missed)
    rows = list(
        csv.reader(io.StringIO(pages.client.get("/laporan/2026-11.csv").text), delimiter=";")
    )
    assert len(rows) == len(links) + 1
    assert rows[1][0] == "Gantar"
    assert rows[1][4].count(",") == 1


def test_the_report_shows_who_agreed_the_target() -> None:
    network = shipped_network()
    first, *others = network.sites
    agreed = tuple(
        replace(link, aim=AvailabilityTarget(0.9975, AgreedBy.PROVIDER)) for link in first.links
    )
    sites = (replace(first, links=agreed), *others)
    pages = IncidentPages(SyntheticHistory(replace(network, sites=sites), NOW_S))
    text = pages.client.get("/laporan/2026-11.csv").text
    rows = list(csv.reader(io.StringIO(text[1:]), delimiter=";"))
    assert rows[0][5:7] == ["Target (%)", "Target menurut"]
    by_site = {(row[0], row[1]): row[5:7] for row in rows[1:]}
    assert by_site[first.name, first.links[0].id] == ["99,7500", "penyedia"]
    assert by_site["Losarang", "utama"] == ["99,0000", "bawaan"]
    page = pages.client.get("/laporan/2026-11").text.replace("\xa0", " ")
    assert "99,75 % <small>penyedia</small>" in page


def test_a_month_without_data_has_no_rating(pages: IncidentPages) -> None:
    text = pages.client.get("/laporan/2026-01").text
    assert 'class="missed"' not in text
    assert "0 / 0" in text
    assert "0,00" in text, "its coverage"


def test_exported_incidents_contain_no_formula() -> None:
    network = shipped_network()
    first = network.sites[0]
    links = tuple(replace(link, id=NASTY) for link in first.links[:1]) + first.links[1:]
    nasty = Network(
        (replace(first, name=NASTY, links=links), *network.sites[1:]),
        network.nodes,
        network.anchors,
        network.devices,
    )
    pages = IncidentPages(
        SyntheticHistory(nasty, NOW_S, (PastEvent(links[0].name, State.DOWN, 600.0),))
    )
    number = pages.number(links[0].name)
    pages.fakes.ledger.add_action(
        IncidentAction(number, ActionKind.NOTE, "@SUM(1)", NOW_S, "+1|x\n=2")
    )
    response = pages.client.get("/insiden.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(response.text[1:]), delimiter=";"))
    assert len(rows) == 2
    assert rows[1][2].startswith("'=cmd()")
    assert all(not cell.startswith(("=", "+", "-", "@")) for cell in rows[1])
    assert "\u202e" not in response.text
    assert "<img" not in pages.client.get(f"/i/{number}").text
    assert "<img" not in pages.client.get("/serah-terima").text
    assert "<img" not in pages.client.get("/laporan/2026-11").text


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("-12,5", "-12,5"), ("+62", "+62"), ("-x", "'-x"), ("@a", "'@a"), ("a\tb\r\n", "a b")],
)
def test_a_number_stays_a_number_and_a_formula_does_not(cell: str, kept: str) -> None:
    assert harmless(cell) == kept


def test_the_page_of_an_alert_needs_no_script_and_is_small(pages: IncidentPages) -> None:
    for target in ("losarang/utama", "pop-karangampel", "sukra/utama"):
        response = pages.client.get(f"/i/{pages.number(target)}")
        assert response.status_code == 200
        assert len(response.data) <= 15_000
        assert "<script" not in response.text
        assert "http:" not in response.text.replace('action="', "")
        assert "script-src" not in response.headers["Content-Security-Policy"]
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    text = unescape(pages.client.get(f"/i/{pages.number('losarang/utama')}").text)
    for part in ("Losarang putus", "Penyedia B", "22 hilang berturut-turut", "Tangani", "<svg"):
        assert part in text


def test_the_form_of_the_alert_page_acknowledges_the_incident(fresh_pages: IncidentPages) -> None:
    number = fresh_pages.number("losarang/utama")
    form = {"who": "Budi", "text": "berangkat", "verb": "acknowledge"}
    response = fresh_pages.client.post(f"/i/{number}", data=form, headers=HOME)
    assert response.status_code == 200
    assert "Tersimpan." in response.text
    form = {"who": "Budi", "text": "", "verb": "snooze"}
    assert fresh_pages.client.post(f"/i/{number}", data=form, headers=HOME).status_code == 200
    assert fresh_pages.actions.posted == [
        (f"/incidents/{number}/acknowledge", {"who": "Budi", "why": "berangkat"}),
        (f"/incidents/{number}/snooze", {"who": "Budi", "why": "", "for_s": 1800}),
    ]
    nameless = fresh_pages.client.post(f"/i/{number}", data={"verb": "snooze"}, headers=HOME)
    assert nameless.status_code == 400
    assert "nama Anda" in nameless.text
    strange = fresh_pages.client.post(f"/i/{number}", data={"verb": "cause"}, headers=HOME)
    assert strange.status_code == 400


def test_an_unreadable_ledger_is_reported_on_every_page(fresh_pages: IncidentPages) -> None:
    fresh_pages.fakes.ledger.trouble = LedgerError("locked")
    for path in ("/laporan/2026-11", "/serah-terima", "/situs/anjatan"):
        response = fresh_pages.client.get(path)
        assert response.status_code == 200
        assert "tidak dapat dibaca" in response.text
    for path in ("/api/v1/incidents/3", "/i/3", "/insiden.csv", "/laporan/2026-11.csv"):
        response = fresh_pages.client.get(path)
        assert response.status_code == 503
        assert "tidak dapat dibaca" in response.text
    assert fresh_pages.client.get("/api/v1/incidents").get_json()["failed"] is True
    snapshot = fresh_pages.client.get("/api/v1/snapshot").get_json()
    assert snapshot["month"] == [None, None, None, 0]


def test_the_handover_lists_open_ended_and_planned(pages: IncidentPages) -> None:
    text = unescape(pages.client.get("/serah-terima").text)
    for part in (
        "Listrik PLN di Karangampel padam.", "INC-2026-118734", "✓ Budi S.", "belum ditangani",
        "Ganti radio, WO-0412", "sedang berjalan", "Belum ada jadwal piket",
    ):  # fmt: skip
        assert part in text


def test_the_snapshot_has_owners_and_maintenance(pages: IncidentPages) -> None:
    told = pages.client.get("/api/v1/snapshot").get_json()
    by = {item.get("site", item.get("name")): item.get("by") for item in told["open"]}
    assert by["PoP Karangampel"] == "Budi S."
    assert by["losarang"] is None
    assert told["sites"]["cantigi"]["e"] == int(NOW_S + 3300)
    served, worst, low, today = told["month"]
    assert 99 < served < 100
    assert worst is not None
    assert low < served
    assert today > 0


def test_search_knows_every_site_and_link(pages: IncidentPages) -> None:
    places = pages.client.get("/api/v1/places").get_json()
    assert len(places) == 31
    assert ["utama", "10.77.23.1", "Penyedia A"] in next(p for p in places if p[0] == "anjatan")[3]


def test_every_page_works_under_a_prefix() -> None:
    pages = IncidentPages(trouble(shipped_network(), NOW_S), prefix="/pantau/")
    number = pages.number("losarang/utama")
    for path in ("tv", "insiden", "serah-terima", "laporan/2026-11", f"i/{number}", "insiden.csv"):
        assert pages.client.get(f"/pantau/{path}").status_code == 200
    assert pages.client.get("/pantau/laporan").headers["Location"] == "/pantau/laporan/2026-11"


@pytest.mark.parametrize("span", ["1h", "6h", "24h", "7d", "30d", "90d"])
def test_the_charts_of_a_site_can_be_exported_for_each_range(
    pages: IncidentPages, span: str
) -> None:
    assert f"?range={span}" in pages.client.get("/situs/terisi").text
    for what, columns in (("latency", 8), ("traffic", 4), ("errors", 6)):
        response = pages.client.get(f"/situs/terisi.csv?range={span}&what={what}")
        rows = list(csv.reader(io.StringIO(response.text[1:]), delimiter=";"))
        assert len(rows) >= 2
        assert {len(row) for row in rows} == {columns}
        assert f"terisi-{what}-{span}.csv" in response.headers["Content-Disposition"]


def test_days_come_as_a_file_of_exactly_those_days(pages: IncidentPages) -> None:
    response = pages.client.get("/situs/terisi.csv?from=2026-11-24&to=2026-11-24&what=errors")
    assert "terisi-errors-2026-11-24_2026-11-24.csv" in response.headers["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(response.text[1:]), delimiter=";")
    assert head[2:] == [
        "Galat masuk (per menit)", "Galat keluar (per menit)", "Dibuang masuk (per menit)",
        "Dibuang keluar (per menit)",
    ]  # fmt: skip
    assert {row[0][:10] for row in rows} == {"2026-11-24"}
    assert max(float(row[2].replace(",", ".")) for row in rows) > 6
    nothing = pages.client.get("/situs/terisi.csv?from=2026-11-01&to=2026-11-02&what=latency")
    assert len(nothing.text.strip().splitlines()) == 1


def test_an_export_of_an_unknown_site_or_range_is_refused(pages: IncidentPages) -> None:
    assert pages.client.get("/situs/bandung.csv").status_code == 404
    assert pages.client.get("/situs/terisi.csv?range=1000y").status_code == 400
    assert pages.client.get("/situs/terisi.csv?what=all").status_code == 400


def test_a_signed_in_user_acts_under_their_name() -> None:
    fakes = ReadsOnFakes.of(trouble(shipped_network(), NOW_S))
    actions = FakeActionClient()
    identity = Identity("Diskominfo", ZONE)
    server = build(fakes.reads, identity, lambda: NOW_S, actions, lambda _: "dewi")
    client = server.test_client()
    sent = {"who": "somebody else", "text": "x"}
    assert client.post("/api/v1/incidents/3/note", json=sent, headers=HOME).status_code == 200
    assert client.post("/i/16", data={"verb": "snooze"}, headers=HOME).status_code == 200
    assert [body["who"] for _, body in actions.posted] == ["dewi", "dewi"]
    assert 'id="who"' not in client.get("/insiden").text
    assert 'name="who"' not in client.get("/i/16").text
