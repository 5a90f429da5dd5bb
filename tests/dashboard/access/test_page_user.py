"""The page runs as another user than the daemon, and cannot write what the daemon keeps."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.system.data_directory import PAGE_DIRECTORY
from monitor.adapters.system.key_file import SESSION_KEY, SHARED_MODE, load_or_create_key
from monitor.adapters.system.local_api_client import SOCKET_NAME
from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import USERS_FILE, UsersFile
from monitor.core.access import User, UserRole
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import DAY_S, shipped_network, trouble
from tests.other_user import OtherUser, open_directory

DATA_GROUP = 41_000
PASSWORD = "kuda hijau melompat"
WIB = ZoneInfo("Asia/Jakarta")
PAGE = OtherUser(41_001, 41_001, (DATA_GROUP,))
PAGES = (
    "", "tv", "situs/losarang", "situs/losarang.csv?range=24h", "insiden", "insiden?view=history",
    "insiden.csv?view=history", "i/1", "laporan", "laporan/{month}.csv", "serah-terima", "masuk",
    "api/v1/snapshot", "api/v1/incidents?view=history", "api/v1/incidents/1",
)  # fmt: skip


def state(directory: Path) -> dict[str, tuple[int, int, int, int, int]]:
    """Of every file: mode, owner, group, size and time of change."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        at = path.lstat()
        found[str(path)] = (at.st_mode, at.st_uid, at.st_gid, at.st_size, at.st_mtime_ns)
    return found


def give_to_group(directory: Path) -> None:
    """What the daemon's primary group does for each new file."""
    for path in [directory, *directory.rglob("*")]:
        if os.geteuid() == 0:
            os.chown(path, 0, DATA_GROUP)
        else:  # the page then runs as this user: nothing may be written by its owner either
            path.chmod(path.stat().st_mode & ~0o222)


def make_page_directory(data: Path) -> None:
    """As deploy/install does."""
    page = data / PAGE_DIRECTORY
    page.mkdir()
    os.chown(page, -1, PAGE.gid if os.geteuid() == 0 else -1)
    page.chmod(0o2750)


@pytest.fixture(scope="module")
def served() -> Iterator[DashboardServer]:
    """A page as another user, beside stores whose writers are open, and finished files."""
    with open_directory() as work:
        work.chmod(0o755)
        running = DashboardServer(work / "work", trouble(shipped_network(), time.time()))
        running.write_states()
        running.write_hour()
        before = running.history.later(-1.5 * DAY_S)
        running.journal.append(list(before.pings(600.0, 10.0)))
        give_to_group(running.data)
        running.data.chmod(0o750)
        running.user = PAGE
        make_page_directory(running.data)
        load_or_create_key(running.data / SESSION_KEY, SHARED_MODE)
        user = User("siti", UserRole.ADMIN, Argon2Passwords().hash(PASSWORD))
        UsersFile(running.data).change(lambda users: users.with_user(user))
        running.start_daemon()
        os.chown(running.data / SOCKET_NAME, -1, DATA_GROUP if os.geteuid() == 0 else -1)
        (running.data / SOCKET_NAME).chmod(0o660)
        running.start_web()
        yield running
        running.close()


def ask(served: DashboardServer, path: str, form: str | None = None, cookie: str = "") -> Answer:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=30)
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{served.port}"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request("GET" if form is None else "POST", f"/{path}", form, headers)
        answer = connection.getresponse()
        cookies = [each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie") or ()]
        return Answer(answer.status, answer.read().decode(), "; ".join(cookies))
    finally:
        connection.close()


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    cookie: str


@pytest.fixture(scope="module")
def cookie(served: DashboardServer) -> str:
    """Of siti, signed in."""
    answer = ask(served, "masuk", urlencode({"nama": "siti", "sandi": PASSWORD, "ke": ""}))
    assert answer.status == 303
    return answer.cookie


def test_every_page_works_for_a_user_who_may_write_nothing(
    served: DashboardServer, cookie: str
) -> None:
    before = state(served.data)
    assert any(name.endswith("-wal") for name in before), "the daemon has its stores open"
    month = time.strftime("%Y-%m", time.gmtime())
    for page in PAGES:
        answer = ask(served, page.format(month=month), cookie=cookie)
        assert answer.status in (200, 302), (page, answer.text[:300])
        assert answer.text or answer.status == 302, page
    finished = datetime.fromtimestamp(served.history.now_s - 1.5 * DAY_S, WIB)
    assert f"{finished:%Y-%m-%d}" in ask(served, "situs/losarang.csv?range=7d", cookie=cookie).text
    assert state(served.data) == before
    assert served.log.read_text() == ""


def test_nothing_in_the_data_directory_is_writable_for_the_page(served: DashboardServer) -> None:
    code = (
        "import os, sys\n"
        "for folder, _, files in os.walk(sys.argv[1]):\n"
        "    for path in [folder, *(os.path.join(folder, each) for each in files)]:\n"
        "        if os.access(path, os.W_OK): print(path)\n"
    )
    status, output = PAGE.run(["-c", code, str(served.data)])
    writable = [line for line in output.splitlines() if not re.search(r"pantau\.sock$", line)]
    assert (status, writable) == (0, [])


def test_what_the_page_changes_goes_through_the_daemon(
    served: DashboardServer, cookie: str
) -> None:
    before = state(served.data)
    assert served.daemon is not None
    assert ask(served, "keluar", "", cookie).status == 303
    path, body = served.daemon.told[-1]
    assert (path, body["name"]) == ("/sessions/end", "siti")
    assert ask(served, "", cookie=cookie).status == 401
    assert state(served.data) == before


def test_another_member_of_the_data_group_reads_neither_keys_nor_password_hashes(
    served: DashboardServer,
) -> None:
    member = OtherUser(41_009, 41_009, (DATA_GROUP,))
    code = "import sys; open(sys.argv[1]).read()"
    for name in (SESSION_KEY, USERS_FILE):
        status, output = member.run(["-c", code, str(served.data / name)])
        assert (status, "PermissionError" in output) == (1, True) or os.geteuid() != 0, name
