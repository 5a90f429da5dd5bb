"""The users file, key files and password hashes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.adapters.system.key_file import LINK_KEY_MODE, SESSION_KEY_MODE, load_or_create_key
from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import MARKER_FILE, USERS_FILE, UsersFile
from monitor.core.access import User, UserRole, Users
from monitor.core.errors import ConfigError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_password_verifies_and_its_hash_is_salted() -> None:
    passwords = Argon2Passwords()
    hashed = passwords.hash("kuda hijau melompat")
    assert hashed.startswith("$argon2id$")
    assert "kuda" not in hashed
    assert passwords.verify(hashed, "kuda hijau melompat")
    assert not passwords.verify(hashed, "kuda hijau melompat ")
    assert passwords.hash("kuda hijau melompat") != hashed


@pytest.mark.parametrize("hashed", [None, "", "no hash", "$argon2id$v=19$m=1$x"])
def test_an_invalid_hash_verifies_no_password(hashed: str | None) -> None:
    passwords = Argon2Passwords()
    assert not passwords.verify(hashed, "")
    assert not passwords.verify(hashed, "nobody")


def test_without_a_file_there_are_no_users(tmp_path: Path) -> None:
    assert UsersFile(tmp_path).read() == Users()


def test_a_change_is_seen_by_another_reader_at_once(tmp_path: Path) -> None:
    reader = UsersFile(tmp_path)
    assert reader.read() == Users()
    UsersFile(tmp_path).change(lambda users: users.with_user(User("siti", UserRole.VIEWER, "a")))
    assert reader.read().users == (User("siti", UserRole.VIEWER, "a"),)
    UsersFile(tmp_path).change(lambda users: users.with_user(User("siti", UserRole.VIEWER, "b")))
    assert reader.read().users == (User("siti", UserRole.VIEWER, "b"),)
    assert mode(tmp_path / USERS_FILE) == 0o640


SITI = User("siti", UserRole.VIEWER, "a")


@pytest.mark.parametrize("how", ["added here", "of an earlier version"])
def test_a_lost_file_of_users_is_an_error_and_never_nobody(tmp_path: Path, how: str) -> None:
    """Without users the page is open to everybody."""
    UsersFile(tmp_path).change(lambda users: users.with_user(SITI))
    if how == "of an earlier version":
        (tmp_path / MARKER_FILE).unlink()
        UsersFile(tmp_path).remember()
    running = UsersFile(tmp_path)
    assert running.read().users == (SITI,)
    text = (tmp_path / USERS_FILE).read_text()
    (tmp_path / USERS_FILE).unlink()
    for reader in (running, UsersFile(tmp_path)):
        with pytest.raises(ConfigError, match="is gone although there were users: nobody is let"):
            reader.read()
        with pytest.raises(ConfigError, match="put back a copy"):
            reader.change(lambda users: users.with_user(SITI))
    (tmp_path / USERS_FILE).write_text(text)
    (tmp_path / USERS_FILE).chmod(0o640)
    assert running.read().users == (SITI,)


def test_the_last_user_may_be_removed_and_a_file_that_never_was_is_no_loss(tmp_path: Path) -> None:
    users = UsersFile(tmp_path)
    users.remember()
    assert users.read() == Users()
    users.change(lambda found: found.with_user(SITI))
    users.change(lambda found: Users())
    assert UsersFile(tmp_path).read() == Users()


def test_concurrent_changes_are_all_stored(tmp_path: Path) -> None:
    def add(number: int) -> None:
        UsersFile(tmp_path).change(
            lambda users: users.with_user(User(f"u{number}", UserRole.VIEWER))
        )

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(16)))
    assert len(UsersFile(tmp_path).read().users) == 16


def test_a_change_that_raises_changes_nothing(tmp_path: Path) -> None:
    def refuse(_users: Users) -> Users:
        raise ConfigError("no")

    file = UsersFile(tmp_path)
    file.change(lambda users: users.with_user(User("siti", UserRole.VIEWER)))
    with pytest.raises(ConfigError, match="no"):
        file.change(refuse)
    assert file.read().find("siti") is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"users": 3}', "\x00", "[" * 100_000])
def test_a_damaged_file_is_an_error_and_not_an_empty_list(tmp_path: Path, text: str) -> None:
    (tmp_path / USERS_FILE).write_text(text)
    with pytest.raises(ConfigError, match="damaged"):
        UsersFile(tmp_path).read()


def test_a_missing_directory_is_an_error_of_a_change(tmp_path: Path) -> None:
    gone = UsersFile(tmp_path / "gone")
    assert gone.read() == Users()
    with pytest.raises(ConfigError, match="cannot be changed"):
        gone.change(lambda users: users)


def test_a_key_is_created_once_for_concurrent_processes(tmp_path: Path) -> None:
    path = tmp_path / "link.key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(path, LINK_KEY_MODE), range(16)))
    assert keys == {load_or_create_key(path, LINK_KEY_MODE)}
    assert [len(key) for key in keys] == [32]
    assert mode(path) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_session_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    one = load_or_create_key(tmp_path / "session.key", SESSION_KEY_MODE)
    assert mode(tmp_path / "session.key") == 0o600
    assert one != load_or_create_key(tmp_path / "other.key", SESSION_KEY_MODE)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_damaged_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.key").write_text(text)
    with pytest.raises(ConfigError, match="damaged: remove the file"):
        load_or_create_key(tmp_path / "session.key", SESSION_KEY_MODE)


def test_a_key_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        load_or_create_key(tmp_path / "gone" / "session.key", SESSION_KEY_MODE)
