"""The page runs as another user than the daemon, and cannot write what the daemon keeps."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import DAY_S, shipped_network, trouble
from tests.other_user import OtherUser, open_directory

DATA_GROUP = 41_000
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
        running.start_daemon()
        give_to_group(running.data)
        running.start_web()
        yield running
        running.close()


def get(served: DashboardServer, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_every_page_works_for_a_user_who_may_write_nothing(served: DashboardServer) -> None:
    before = state(served.data)
    assert any(name.endswith("-wal") for name in before), "the daemon has its stores open"
    month = time.strftime("%Y-%m", time.gmtime())
    for page in PAGES:
        status, text = get(served, page.format(month=month))
        assert status in (200, 302), (page, text[:300])
        assert text or status == 302, page
    finished = datetime.fromtimestamp(served.history.now_s - 1.5 * DAY_S, WIB)
    assert f"{finished:%Y-%m-%d}" in get(served, "situs/losarang.csv?range=7d")[1]
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
