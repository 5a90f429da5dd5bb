"""Links that somebody else put where the daemon or a command of root writes or reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.adapters.journal.cursors import CursorStore
from monitor.adapters.journal.disk_reserve import DiskReserve
from monitor.adapters.ledger.start_reserve import StartReserve
from monitor.adapters.system.atomic_file import replace_file
from monitor.adapters.system.data_directory import open_trusted
from monitor.adapters.system.directory_lock import LOCK_NAME, DirectoryLock
from monitor.adapters.system.given_out_file import GivenOutFile
from monitor.adapters.system.key_file import load_or_create_key
from monitor.adapters.system.users_file import USERS_FILE, UsersFile
from monitor.core.access import Users
from monitor.core.alerting.given_out import GivenOut
from monitor.core.errors import PantauError
from tests.sample_builders import MIDNIGHT_S, ping

ROOTS = "milik root\n"


def _lock(data: Path) -> None:
    with DirectoryLock(data):
        pass


def _users(data: Path) -> None:
    UsersFile(data).change(lambda _: Users())


def _journal(data: Path) -> None:
    journal = SqliteJournal(data)
    try:
        journal.append([ping(MIDNIGHT_S)])
    finally:
        journal.close()


def _cursors(data: Path) -> None:
    CursorStore(data, {}).save("influxdb", "7")


def _reserve(data: Path) -> None:
    DiskReserve(data, 4096)


WRITERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "lock": (LOCK_NAME, _lock),
    "lock of the users file": (f"{USERS_FILE}.lock", _users),
    "users file, half written": (f"{USERS_FILE}.new", _users),
    "day file": ("samples-20251125.db", _journal),
    "cursors, half written": ("cursors.new", _cursors),
    "ballast, half written": ("ballast.new", _reserve),
    "reserve of the ledger": (
        "ledger.reserve",
        lambda data: StartReserve(data / "ledger.db").keep(),
    ),
    "numbers given out": (
        "given-out",
        lambda data: GivenOutFile(data / "given-out").save(GivenOut()),
    ),
    "small file, half written": ("x.new", lambda data: replace_file(data / "x", b"x")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_no_link_is_followed_to_a_file_of_root(tmp_path: Path, name: str) -> None:
    """Refused with an error, or the link is replaced; what it leads to stays as it is."""
    place, write = WRITERS[name]
    precious = tmp_path / "precious"
    precious.write_text(ROOTS)
    precious.chmod(0o600)
    data = tmp_path / "data"
    data.mkdir()
    (data / place).symlink_to(precious)
    with suppress(OSError, PantauError):
        write(data)
    assert precious.read_text() == ROOTS
    assert precious.stat().st_mode & 0o777 == 0o600


def test_a_key_or_list_of_users_of_another_user_counts_for_nothing(tmp_path: Path) -> None:
    """Only root can make such a file here; a pipe stands for what is no plain file."""
    key = tmp_path / "session.key"
    load_or_create_key(key, 0o600)
    os.close(open_trusted(key))
    if os.geteuid() == 0:
        os.chown(key, 12345, -1)
        with pytest.raises(PermissionError, match="uid 12345"):
            open_trusted(key)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(PermissionError, match="no plain file"):
        open_trusted(fifo)
