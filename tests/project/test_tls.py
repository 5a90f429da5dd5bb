"""The shipped nginx site with TLS: certificate, redirect, headers, limits, and what is logged."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.dashboard.access.nginx_proxy import Nginx, fingerprint_in, make_certificate, nginx
from tests.dashboard.access.slow_clients import HALF_HEAD, connections, is_closed
from tests.waiting import eventually

TOKEN = "t0ken-of-the-wall"


class EchoHandler(BaseHTTPRequestHandler):
    """Responds with the path and some headers of the request."""

    def do_GET(self) -> None:
        names = ("Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Remote-User")
        line = " ".join([self.path, *(self.headers[name] or "-" for name in names)])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(line.encode())

    def log_message(self, format: str, *args: object) -> None:
        """No log."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, upstream: ThreadingHTTPServer
) -> Iterator[Nginx]:
    work = tmp_path_factory.mktemp("tls") / "nginx"
    quicker = ("client_header_timeout 10s;", "client_header_timeout 1s;")
    with nginx(work, upstream.server_port, "/", quicker) as running:
        yield running


def get(proxy: Nginx, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = proxy.connect()
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read().decode()
    finally:
        connection.close()


def test_requests_are_forwarded_over_tls(proxy: Nginx) -> None:
    status, headers, text = get(
        proxy, "/situs/anjatan?r=24j", Host="pantau.example",
        **{"X-Forwarded-For": "6.6.6.6", "X-Remote-User": "rina"},
    )  # fmt: skip
    assert (status, text) == (200, "/situs/anjatan?r=24j pantau.example https 127.0.0.1 -")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_plain_http_leads_to_https_and_offers_the_ca(proxy: Nginx) -> None:
    connection = proxy.connect_plainly()
    connection.request("GET", "/tv?lang=en", headers={"Host": "127.0.0.1"})
    answer = connection.getresponse()
    assert answer.read()
    assert (answer.status, answer.headers["Location"]) == (
        308,
        f"https://127.0.0.1:{proxy.port}/tv?lang=en",
    )
    connection.request("GET", "/pantau-ca.crt")
    answer = connection.getresponse()
    offered = answer.read()
    connection.close()
    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    assert offered == (proxy.work / "tls" / "ca.crt").read_bytes()


def test_no_token_and_no_code_of_a_link_is_logged(proxy: Nginx, upstream: object) -> None:
    get(proxy, f"/tv?token={TOKEN}")
    get(proxy, f"/i/17?k={TOKEN}")
    plain = proxy.connect_plainly()
    plain.request("GET", f"/tv?token={TOKEN}")
    plain.getresponse().read()
    plain.close()
    eventually(lambda: proxy.logs().count("/tv") >= 2)
    assert "/i/17" in proxy.logs()
    assert TOKEN not in proxy.logs()


def test_no_token_is_logged_when_the_page_is_away(tmp_path: Path) -> None:
    """nginx's own messages about it hold the whole request."""
    with nginx(tmp_path / "nginx", 9, "/") as proxy:
        status, _, _ = get(proxy, f"/tv?token={TOKEN}")
        assert status == 502
        eventually(lambda: "/tv" in proxy.logs())
        assert TOKEN not in proxy.logs()


def test_half_sent_requests_are_given_up_and_others_are_answered(proxy: Nginx) -> None:
    with (
        connections(proxy.plain_port, "127.0.0.2", 200, HALF_HEAD) as plain,
        connections(proxy.port, "127.0.0.3", 100, b"\x16\x03\x01") as half_handshakes,
    ):
        assert get(proxy, "/")[0] == 200
        eventually(lambda: all(is_closed(each) for each in (*plain, *half_handshakes)))


def text_of(certificate: Path) -> str:
    return subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_the_certificate_names_hosts_and_addresses_and_renewal_keeps_the_ca(
    tmp_path: Path,
) -> None:
    tls = tmp_path / "tls"
    made = make_certificate(tls, "pantau.example", "10.10.0.5", "fd00::5")
    assert made.returncode == 0, made.stderr
    text = text_of(tls / "server.crt")
    assert "DNS:pantau.example, IP Address:10.10.0.5, IP Address:FD00:0:0:0:0:0:0:5" in text
    assert "CA:FALSE" in text
    assert "CA:TRUE, pathlen:0" in text_of(tls / "ca.crt")
    der = ssl.PEM_cert_to_DER_cert((tls / "ca.crt").read_text())
    assert fingerprint_in(made.stderr).replace(":", "") == hashlib.sha256(der).hexdigest().upper()
    modes = {path.name: path.stat().st_mode & 0o777 for path in tls.iterdir()}
    assert modes["ca.key"] == modes["server.key"] == 0o600
    ca, server = (tls / "ca.crt").read_bytes(), (tls / "server.crt").read_bytes()
    assert make_certificate(tls, "--if-due").returncode == 0
    assert (tls / "server.crt").read_bytes() == server, "it is good for more than a month"
    assert make_certificate(tls).returncode == 0
    assert (tls / "ca.crt").read_bytes() == ca
    assert (tls / "server.crt").read_bytes() != server
    assert "DNS:pantau.example, IP Address:10.10.0.5" in text_of(tls / "server.crt")


@pytest.mark.parametrize("name", ["a b", "$(id)", "-x", "x;y", "ä"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    refused = make_certificate(tmp_path / "tls", name)
    assert refused.returncode == 1
    assert "is no name and no address" in refused.stderr
    assert list((tmp_path / "tls").iterdir()) == []


def test_without_names_it_says_what_to_give(tmp_path: Path) -> None:
    refused = make_certificate(tmp_path / "tls")
    assert refused.returncode == 1
    assert "for example: deploy/tls pantau." in refused.stderr
