"""Overview, site pages and assets over HTTP, on fakes."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape
from typing import Any
from zoneinfo import ZoneInfo

import brotli
import orjson
import pytest
from flask.testing import FlaskClient

from dashboard.app.web import Identity, build
from dashboard.reads.questions import Reads
from monitor.core.errors import JournalError, LedgerError
from monitor.core.model import Interface, Network
from tests.dashboard.reads_on_fakes import ReadsOnFakes, trouble_reads
from tests.dashboard.synthetic_history import HOUR_S, SyntheticHistory, shipped_network

ZONE = ZoneInfo("Asia/Jakarta")
ORGANISATION = "Diskominfo Kabupaten Indramayu"
NASTY = "<img src=x onerror=alert(1)>$\\x$\"'\u202e=cmd()"


def client_of(made: ReadsOnFakes, prefix: str = "/") -> FlaskClient:
    server = build(made.reads, Identity(ORGANISATION, ZONE, prefix), lambda: made.clocks["now"])
    return server.test_client()


@pytest.fixture(scope="module")
def made() -> ReadsOnFakes:
    return trouble_reads(HOUR_S)


@pytest.fixture(scope="module")
def client(made: ReadsOnFakes) -> FlaskClient:
    return client_of(made)


@pytest.fixture(autouse=True)
def _no_cookies(client: FlaskClient) -> None:
    for name in ("lang", "theme"):
        client.delete_cookie(name)


def config_of(text: str) -> dict[str, Any]:
    """What the page tells its scripts."""
    found = re.search(r'id="config">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    config: dict[str, Any] = orjson.loads(found[1])
    return config


def ask(client: FlaskClient, value: object, **changes: object) -> Any:
    """The callback as Dash's renderer sends it."""
    body: dict[str, object] = {
        "output": "charts.children",
        "outputs": {"id": "charts", "property": "children"},
        "inputs": [{"id": "ask", "property": "data", "value": value}],
        "changedPropIds": ["ask.data"],
        "parsedChangedPropsIds": ["ask.data"],
    }
    return client.post("/_dash-update-component", json=body | changes)


GOOD = {"site": "terisi", "range": "1h", "theme": "light", "lang": "id", "phone": False, "px": 14}


def test_the_overview_has_31_tiles_that_are_links_and_a_map(client: FlaskClient) -> None:
    text = client.get("/").text
    assert len(re.findall(r'<a class="tile [^>]*href="/situs/', text)) == 31
    assert len(re.findall(r'<path class="m unknown"', text)) == 31
    assert "CC BY 3.0 IGO" in text
    assert "COD-AB Indonesia" in text
    assert ORGANISATION in text


def test_the_page_comes_with_its_first_snapshot(client: FlaskClient) -> None:
    config = config_of(client.get("/").text)
    assert config["snapshot"]["sites"]["cikedung"]["s"] == "down"
    assert len(config["sites"]) == 31
    assert config["zoneName"] == "WIB"


def test_bahasa_indonesia_is_first_and_a_choice_is_remembered(client: FlaskClient) -> None:
    assert '<html lang="id">' in client.get("/").text
    english = client.get("/?lang=en")
    assert '<html lang="en">' in english.text
    assert "SameSite=Lax" in english.headers["Set-Cookie"]
    assert "Needs attention" in client.get("/").text


def test_a_theme_is_chosen_likewise(client: FlaskClient) -> None:
    assert "data-theme" not in client.get("/").text.split("<head>")[0]
    assert '<html lang="id" data-theme="dark">' in client.get("/?theme=dark").text
    assert '<html lang="id" data-theme="dark">' in client.get("/situs/anjatan").text


def test_a_page_loads_nothing_from_another_host(client: FlaskClient) -> None:
    for path in ("/", "/situs/anjatan", "/situs/bandung"):
        response = client.get(path)
        addresses = re.findall(r'(?:src|href)="([^"]*)"', response.text)
        outside = [each for each in addresses if "//" in each]
        assert set(outside) <= {
            "https://data.humdata.org/dataset/cod-ab-idn",
            "https://creativecommons.org/licenses/by/3.0/igo/",
        }
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'sha256-" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]


def test_every_inline_script_matches_its_csp_hash(client: FlaskClient) -> None:
    response = client.get("/")
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", response.text)
    inline = [body for head, body in scripts if body and "application/json" not in head]
    assert len(inline) == 1
    assert "DashRenderer" in inline[0]


def test_assets_are_cached_for_a_year_and_compressed(client: FlaskClient) -> None:
    text = client.get("/").text
    for address in re.findall(r'<script src="([^"]*)"', text):
        response = client.get(unescape(address), headers={"Accept-Encoding": "br"})
        assert response.status_code == 200, address
        assert "max-age=31536000" in response.headers["Cache-Control"]
        if len(response.data) > 1000:
            assert response.headers["Content-Encoding"] == "br"
            assert brotli.decompress(response.data)


def test_a_client_without_compression_gets_an_uncompressed_response(client: FlaskClient) -> None:
    response = client.get("/api/v1/snapshot", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in response.headers
    assert len(response.get_json()["sites"]) == 31


def test_an_unchanged_snapshot_is_a_304_with_the_servers_clock(client: FlaskClient) -> None:
    first = client.get("/api/v1/snapshot")
    again = client.get("/api/v1/snapshot", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert int(again.headers["X-Now"]) > 1_700_000_000_000
    other = client.get("/api/v1/snapshot", headers={"If-None-Match": 'W/"else"'})
    assert other.status_code == 200


def test_dash_loads_the_small_plotly_bundle(client: FlaskClient) -> None:
    response = client.get(
        "/_dash-component-suites/plotly/package_data/plotly.min.js",
        headers={"Accept-Encoding": "br"},
    )
    assert b"plotly.js (cartesian" in brotli.decompress(response.data)[:200]
    assert len(response.data) < 500_000


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/situs/bandung", 404, "Tidak ada situs dengan nama «bandung»."),
        ("/situs/", 404, "Tidak ada situs"),
        ("/situs/anjatan/x", 404, "Tidak ada situs"),
        ("/situs/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404, "Tidak ada situs"),
        ("/situs/..%2f..%2fetc%2fpasswd", 404, ""),
        ("/insiden2", 404, "Halaman ini tidak ada."),
        ("/assets/../wsgi.py", 404, "Halaman ini tidak ada."),
        ("/assets/%2e%2e/wsgi.py", 404, "Halaman ini tidak ada."),
        ("/_dash-component-suites/os/path.py", 404, "Halaman ini tidak ada."),
        ("/_dash-component-suites/dash/../../secret", 404, "Halaman ini tidak ada."),
        ("/?lang=xx", 400, "Permintaan ini tidak dimengerti: lang."),
        ("/?lang=", 400, "tidak dimengerti"),
        ("/?lang=id&lang=%00", 200, ""),
        ("/?theme=<script>", 400, "tidak dimengerti"),
        ("/situs/anjatan?range=1000y", 400, "rentang waktu itu tidak ada"),
        ("/situs/anjatan?from=2026-11-24&to=2026-11-01", 400, "sesudah tanggal akhir"),
        ("/situs/anjatan?from=2026-11-20&to=2025-11-01", 400, "sesudah tanggal akhir"),
        ("/situs/anjatan?from=1026-11-24&to=2026-11-24", 400, "itu bukan tanggal"),
        ("/situs/anjatan?from=2021-01-01&to=2026-11-24", 400, "lebih dari 400 hari"),
        ("/situs/anjatan?from=2027-11-24&to=2027-11-24", 400, "belum terjadi"),
        ("/situs/anjatan?from=kemarin", 400, "itu bukan tanggal"),
        ("/situs/anjatan?from=2026-02-30", 400, "itu bukan tanggal"),
        ("/situs/anjatan?from=&to=", 200, ""),
        ("/situs/anjatan.csv?from=2026-11-24&to=2026-11-01", 400, "sesudah tanggal akhir"),
        ("/situs/anjatan?range=24h'--", 400, "tidak dimengerti"),
        ("/situs/anjatan?range[]=1h", 200, ""),
        ("/?" + "a=b&" * 2000, 200, ""),
        ("/?%ff%fe=%c0%80", 200, ""),
    ],
)
def test_invalid_addresses_are_refused_with_a_message(
    client: FlaskClient, path: str, code: int, words: str
) -> None:
    response = client.get(path)
    assert response.status_code == code, response.text[:300]
    assert words in unescape(response.text)
    assert "Traceback" not in response.text
    assert "<script>alert" not in response.text


def test_another_method_is_refused(client: FlaskClient) -> None:
    for path in ("/", "/situs/anjatan", "/api/v1/snapshot"):
        response = client.delete(path)
        assert response.status_code == 405
        assert "tidak diizinkan" in response.text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"output": "charts.children"}', b"\xff\xfe",
        b'{"output":"x.y","outputs":[],"inputs":[],"changedPropIds":[]}', b"[" * 3000,
    ],
)  # fmt: skip
def test_a_malformed_callback_is_a_client_error(client: FlaskClient, body: bytes) -> None:
    response = client.post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code == 400
    assert "Traceback" not in response.text


def test_an_unknown_callback_is_refused(client: FlaskClient) -> None:
    assert ask(client, GOOD, inputs=[]).status_code == 400
    assert ask(client, GOOD, inputs=[{"id": {}, "property": []}]).status_code == 400
    assert ask(client, GOOD, output="tick.n_intervals").status_code == 400
    wrong: tuple[object, ...] = (None, 7, "x", [], {**GOOD, "site": ["a"]}, {**GOOD, "lang": {}})
    for value in wrong:
        assert ask(client, value).status_code == 400
    assert ask(client, GOOD, more="x" * 5000).status_code == 413


@pytest.mark.parametrize(
    "value",
    [
        {}, {**GOOD, "site": "bandung"}, {**GOOD, "site": 7}, {**GOOD, "range": "1000y"},
        {**GOOD, "range": "", "from": "2026-11-24", "to": "2026-11-01"}, {**GOOD, "range": None},
        {**GOOD, "from": "1026-11-24"}, {**GOOD, "to": 7}, {**GOOD, "theme": True},
        {**GOOD, "lang": None}, {**GOOD, "site": "../x"},
    ],
)  # fmt: skip
def test_an_unknown_range_draws_nothing(client: FlaskClient, value: object) -> None:
    assert ask(client, value).status_code == 204


def test_the_charts_of_a_site_come_as_cards(client: FlaskClient) -> None:
    response = ask(client, GOOD)
    assert response.status_code == 200, response.text[:500]
    cards = response.get_json()["response"]["charts"]["children"]
    titles = [card["props"]["children"][0]["props"]["children"][0] for card in cards]
    assert titles == [
        "Latensi 1 jam · utama",
        "Latensi 1 jam · cadangan",
        "Lalu lintas 1 jam · ether1 (utama)",
        "Lalu lintas 1 jam · ether2 (cadangan)",
        "Galat dan paket dibuang 1 jam · ether1 (utama)",
        "Router (SNMP)",
        "Gangguan 1 jam",
    ]
    text = orjson.dumps(cards).decode()
    assert text.count("Tidak ada galat dan tidak ada paket dibuang") == 1, "of the other port"
    assert "Hilang paket 8,3\u00a0% (ambang 5\u00a0%)" in orjson.dumps(cards).decode()


def test_days_are_drawn_in_the_local_time_zone_until_now(
    client: FlaskClient,
) -> None:
    text = client.get("/situs/terisi?from=2026-11-23&to=2026-11-24").text
    config = config_of(text)
    assert (config["from"], config["to"], "range" in config) == ("2026-11-23", "2026-11-24", False)
    assert 'name="from" value="2026-11-23" min="2020-01-01" max="2026-11-24"' in text
    assert "terisi.csv?from=2026-11-23&amp;to=2026-11-24&amp;what=errors" in text
    asked = {**GOOD, "range": None, "from": "2026-11-23", "to": "2026-11-24"}
    drawn = ask(client, asked).get_data(as_text=True)
    assert "Latensi 23 Nov 2026 – 24 Nov 2026 · utama" in drawn
    assert '"range":["2026-11-23 00:00:00","2026-11-24 14:27:47"]' in drawn


def test_facts_and_problems_of_a_router_are_shown(
    client: FlaskClient,
) -> None:
    text = orjson.dumps(ask(client, GOOD).get_json()).decode()
    for words in (
        "r-terisi", "RouterOS RB", "ke terisi/utama", "30 Mbit/s", " °C",
        "Tidak ada di router: ether2.",
        "Pencacah melompat terlalu cepat: 2 pembacaan dibuang.",
    ):  # fmt: skip
        assert words in text, words
    silent = ask(client, {**GOOD, "site": "losarang"}).get_data(as_text=True)
    assert "Pembacaan terakhir gagal (router tidak menjawab SNMP)" in silent


def test_without_the_daemon_the_router_is_not_shown(made: ReadsOnFakes) -> None:
    nobody = Reads(
        *(made.history.network, made.state, made.ledger, made.samples),
        now=lambda: made.now_s,
        steady=lambda: made.now_s,
    )
    server = build(nobody, Identity(ORGANISATION, ZONE), lambda: made.now_s)
    text = ask(server.test_client(), GOOD).get_data(as_text=True)
    assert "keadaan router tidak diketahui" in text
    assert "Latensi 1 jam · utama" in text


def test_a_port_may_be_called_anything() -> None:
    network = shipped_network()
    first = network.sites[0]
    assert first.device is not None
    ports = tuple(Interface(name) for name in ("eth0.100", '{"type":"x"}', NASTY))
    odd = replace(first, device=replace(first.device, interfaces=ports))
    made = ReadsOnFakes.of(
        SyntheticHistory(replace(network, sites=(odd, *network.sites[1:])), trouble_reads().now_s)
    )
    made.samples.add(made.history.ports(HOUR_S, 60.0))
    answer = ask(client_of(made), {**GOOD, "site": odd.id})
    names = re.findall(r'"id":"(chart-[^"]*)"', answer.text)
    assert answer.status_code == 200
    assert all(re.fullmatch(r"chart-[0-9a-f]{8}", name) for name in names)


def test_the_size_of_letters_is_held_within_bounds(client: FlaskClient) -> None:
    for px in (10**9, -5, "x", None, 1.5):
        assert ask(client, {**GOOD, "px": px}).status_code == 200


def test_a_failing_store_is_reported_on_its_card() -> None:
    made = trouble_reads()
    made.samples.trouble = JournalError("gone")
    client = client_of(made)
    text = ask(client, GOOD).get_data(as_text=True)
    assert "Basis data sampel tidak dapat dibaca" in text
    assert "Gangguan 1 jam" in text
    made.ledger.trouble = LedgerError("locked")
    assert "Basis data status tidak dapat dibaca" in ask(client, GOOD).get_data(as_text=True)


def test_names_of_files_and_devices_are_escaped() -> None:
    network = shipped_network()
    first = network.sites[0]
    links = (replace(first.links[0], id=NASTY, provider=NASTY, kind=NASTY), *first.links[1:])
    named = replace(first, name=NASTY, links=links)
    nodes = tuple(replace(node, name=NASTY) for node in network.nodes)
    nasty = Network((named, *network.sites[1:]), nodes, network.anchors, network.devices)
    made = ReadsOnFakes.of(SyntheticHistory(nasty, trouble_reads().now_s))
    client = client_of(made)
    for path in ("/", "/situs/anjatan"):
        text = client.get(path).text
        assert "<img" not in text
        assert escape(NASTY, quote=False).split("&gt;")[0] in text.replace("&#34;", '"')
    answer = ask(client, {**GOOD, "site": "anjatan"})
    assert answer.status_code == 200
    assert "\\u003cimg" in answer.text or "<img" in answer.text, "React escapes it there"


def test_everything_works_under_a_prefix(made: ReadsOnFakes) -> None:
    client = client_of(made, "/pantau/")
    text = client.get("/pantau/").text
    addresses = re.findall(r'(?:src|href)="(/[^"]*)"', text)
    assert addresses
    assert [each for each in addresses if not each.startswith("/pantau/")] == []
    assert client.get("/pantau/situs/anjatan").status_code == 200
    assert client.get("/pantau/api/v1/snapshot").status_code == 200
    assert client.get("/").status_code == 404
    assert client.get("/pantau/situs/bandung").status_code == 404


def test_a_page_is_small(client: FlaskClient) -> None:
    """LOOK: at most 40 kB when everything else is at hand."""
    for path in ("/", "/situs/anjatan"):
        assert len(client.get(path, headers={"Accept-Encoding": "br"}).data) < 20_000
