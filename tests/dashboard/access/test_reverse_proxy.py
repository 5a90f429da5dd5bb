"""Authentication by a reverse proxy: only from the configured peer with its secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.access import UserRole
from tests.dashboard.access.protected_app import (
    ORIGIN,
    SECRET,
    ProtectedApp,
    app_with_users,
    app_without_users,
    proxy,
)

PEER = {"REMOTE_ADDR": "10.9.0.1"}
GOOD = {"X-Remote-User": "Siti", "X-Pantau-Secret": SECRET}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProtectedApp:
    return app_with_users(tmp_path_factory.mktemp("app"), proxy=proxy())


@pytest.fixture
def app(built: ProtectedApp) -> ProtectedApp:
    return built.fresh()


def test_the_proxy_authenticates_and_the_role_is_that_of_the_user(app: ProtectedApp) -> None:
    client = app.client()
    assert client.get("/", headers=GOOD, environ_base=PEER).status_code == 200
    answer = client.post(
        "/api/v1/incidents/1/note",
        json={"text": "x"},
        headers={**GOOD, "Origin": ORIGIN},
        environ_base=PEER,
    )
    assert answer.status_code == 200
    assert app.actions.told[0][1]["who"] == "siti"
    text = client.get("/masuk", headers=GOOD, environ_base=PEER).text
    assert "<h1>siti</h1>" in text
    assert "/keluar" not in text, "who signs in at the proxy signs out there"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        (GOOD, "10.9.0.2"),
        (GOOD, "127.0.0.1"),
        ({"X-Remote-User": "siti"}, "10.9.0.1"),
        ({**GOOD, "X-Pantau-Secret": SECRET[:-1]}, "10.9.0.1"),
        ({**GOOD, "X-Pantau-Secret": ""}, "10.9.0.1"),
        ({**GOOD, "X-Remote-User": ""}, "10.9.0.1"),
        ({**GOOD, "X-Remote-User": "<script>"}, "10.9.0.1"),
        ({**GOOD, "X-Forwarded-For": "10.9.0.1"}, "10.9.0.2"),
        ({"X-Pantau-Secret": SECRET}, "10.9.0.1"),
    ],
)
def test_proxy_headers_of_other_peers_are_ignored(
    app: ProtectedApp, headers: dict[str, str], address: str
) -> None:
    answer = app.client().get("/", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 401


@pytest.mark.parametrize(("role", "code"), [(UserRole.VIEWER, 200), (None, 403)])
def test_an_unknown_user_of_the_proxy_gets_the_configured_role(
    tmp_path: Path, role: UserRole | None, code: int
) -> None:
    app = app_without_users(tmp_path, proxy=proxy(role))
    headers = {**GOOD, "X-Remote-User": "budi@example.go.id"}
    client = app.client()
    assert client.get("/", headers=headers, environ_base=PEER).status_code == code
    assert client.get("/masuk", headers=headers, environ_base=PEER).status_code == 200


def test_with_a_proxy_sign_in_is_required_even_without_users(tmp_path: Path) -> None:
    app = app_without_users(tmp_path, proxy=proxy())
    assert app.client().get("/").status_code == 401
    assert app.client().get("/assets/pantau.css").status_code == 401


def test_the_cookie_is_secure_behind_a_trusted_https_proxy(app: ProtectedApp) -> None:
    https = {"X-Forwarded-Proto": "https"}
    for address, secure in (("10.9.0.1", True), ("127.0.0.1", True), ("10.1.2.3", False)):
        answer = app.sign_in(app.client(), headers=https, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 303
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure, address


def test_attempts_through_a_proxy_are_counted_by_client_address(app: ProtectedApp) -> None:
    def guess(said: str, address: str) -> int:
        headers = {"X-Forwarded-For": said}
        base = {"REMOTE_ADDR": address}
        return app.sign_in(
            app.client(), "adi", "wrong", headers=headers, environ_base=base
        ).status_code

    for _ in range(5):
        assert guess("6.6.6.6, 10.1.2.3", "10.9.0.1") == 401
    assert guess("7.7.7.7, 10.1.2.3", "10.9.0.1") == 429, "what the proxy itself saw counts"
    assert guess("10.1.2.4", "10.9.0.1") == 401
    for number in range(5):
        assert guess(f"10.3.3.{number}", "10.8.0.1") == 401
    assert guess("10.3.3.99", "10.8.0.1") == 429, "of a stranger nothing is believed"


def test_forwarding_headers_of_this_machine_are_believed_only_of_the_proxy(
    app: ProtectedApp,
) -> None:
    """Only 127.0.0.1 and ::1 are named in trusted_proxies here."""

    def guess(said: str, address: str) -> int:
        return app.sign_in(
            app.client(), "adi", "wrong",
            headers={"X-Forwarded-For": said}, environ_base={"REMOTE_ADDR": address},
        ).status_code  # fmt: skip

    for number in range(5):
        assert guess(f"10.5.5.{number}", "127.0.0.7") == 401
    assert guess("10.5.5.99", "127.0.0.7") == 429
    for number in range(8):
        assert guess(f"10.6.6.{number}", "127.0.0.1") == 401


def test_an_ipv6_network_counts_as_one_address(app: ProtectedApp) -> None:
    for number in range(5):
        base = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        assert app.sign_in(app.client(), "adi", "x", environ_base=base).status_code == 401
    base = {"REMOTE_ADDR": "2001:db8:1:2:ffff::1"}
    assert app.sign_in(app.client(), "adi", "x", environ_base=base).status_code == 429
