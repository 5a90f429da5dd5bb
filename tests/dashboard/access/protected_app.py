"""The complete application with sign-in, on fakes and a real user list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.app.gate.attempts import Attempts
from dashboard.app.gate.gate import Gate, attach
from dashboard.app.gate.peers import Proxy, read_networks
from dashboard.app.gate.sessions import Sessions
from dashboard.app.gate.trust import Front, Trust
from dashboard.app.gate.visitor import named
from dashboard.app.web import Identity, build
from dashboard.wsgi import words_of
from monitor.adapters.system.sign_outs_file import SignOutsFile
from monitor.adapters.system.users_file import MARKER_FILE, UsersFile
from monitor.core.access import User, UserRole, Users
from monitor.core.errors import ApiError
from monitor.core.ledger_identity import LedgerIdentity
from tests.dashboard.reads_on_fakes import ReadsOnFakes, quiet_reads
from tests.fakes.passwords import PlainPasswords

ZONE = ZoneInfo("Asia/Jakarta")
KEY, LINK_KEY = b"s" * 32, b"l" * 32
LEDGER = LedgerIdentity("k3v7q2ma")
SECRET = "a secret that nobody guesses"
ORIGIN = "http://localhost"
PASSWORD = "kuda hijau melompat"


class RecordingApiClient:
    """The daemon; what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.refuses = False

    def post(self, path: str, body: Any, /) -> dict[str, object]:
        self.told.append((path, dict(body)))
        return {}


@dataclass
class ProtectedApp:
    """An application with its fakes; the clock is `made.clocks`."""

    made: ReadsOnFakes
    users: UsersFile
    passwords: PlainPasswords
    actions: RecordingApiClient
    server: Any
    prefix: str

    def fresh(self) -> ProtectedApp:
        """Reset it: attempts and sessions have expired, and the users are the initial ones."""
        self.made.wait(100 * 86_400.0)
        self.passwords.asked.clear()
        self.actions.told.clear()
        add_users(self)
        return self

    def client(self) -> FlaskClient:
        """A new browser."""
        found: FlaskClient = self.server.test_client()
        return found

    def sign_in(
        self, client: FlaskClient, name: str = "siti", password: str = PASSWORD, **more: Any
    ) -> TestResponse:
        """Send the sign-in form."""
        fields = {"nama": name, "sandi": password, "ke": more.pop("ke", "")}
        headers = {"Origin": ORIGIN} | more.pop("headers", {})
        return client.post(f"{self.prefix}masuk", data=fields, headers=headers, **more)

    def signed_in(self, name: str = "siti") -> FlaskClient:
        """A new browser in which a user is signed in."""
        client = self.client()
        assert self.sign_in(client, name).status_code == 303
        return client


def app_without_users(data: Path, prefix: str = "/", proxy: Proxy | None = None) -> ProtectedApp:
    """Without users."""
    made = quiet_reads()
    passwords, actions, users = PlainPasswords(), RecordingApiClient(), UsersFile(data)

    sign_outs = SignOutsFile(data)

    def now() -> float:
        return made.clocks["now"]

    def end_session(session: str, name: str, until_s: float) -> None:
        if actions.refuses:
            raise ApiError("the daemon does not answer")
        sign_outs.end(session, name, until_s, now())

    trust = Trust(
        users=users,
        passwords=passwords,
        sessions=Sessions(lambda: KEY, now, sign_outs, end_session),
        attempts=Attempts(now),
        link_key=lambda: LINK_KEY,
        ledger=lambda: LEDGER,
        now=now,
        proxy=proxy,
        trusted_proxies=read_networks(["127.0.0.1", "::1"]),
    )
    server = build(made.reads, Identity("Diskominfo", ZONE, prefix), now, actions, named)
    attach(Gate(trust, Front("Diskominfo", prefix, words_of(ZONE))), server, prefix)
    return ProtectedApp(made, users, passwords, actions, server, prefix)


def app_with_users(data: Path, prefix: str = "/", proxy: Proxy | None = None) -> ProtectedApp:
    """siti is operator, adi viewer, rina admin; all have the same password."""
    app = app_without_users(data, prefix, proxy)
    add_users(app)
    return app


def add_users(app: ProtectedApp) -> None:
    """Write these three users; the wall has no token."""
    people = Users()
    for name, role in (
        ("siti", UserRole.OPERATOR),
        ("adi", UserRole.VIEWER),
        ("rina", UserRole.ADMIN),
    ):
        people = people.with_user(User(name, role, app.passwords.hash(PASSWORD)))
    app.users.path.unlink(missing_ok=True)
    app.users.path.with_name(MARKER_FILE).unlink(missing_ok=True)
    app.users.change(lambda _: people)


def proxy(role: UserRole | None = UserRole.VIEWER) -> Proxy:
    """One at 10.9.0.1."""
    return Proxy(read_networks(["10.9.0.1/32"]), "X-Remote-User", SECRET, role)
