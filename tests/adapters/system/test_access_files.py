"""Users, keys and passwords as they lie on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from monitor.adapters.system.key_file import LINK_KEY_MODE, SESSION_KEY_MODE, load_or_create_key
from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import USERS_FILE, UsersFile
from monitor.core.access import User, UserRole, Users
from monitor.core.errors import ConfigError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_password_matches_itself_and_its_hash_says_nothing() -> None:
    passwords = Argon2Passwords()
    kept = passwords.hash("kuda hijau melompat")
    assert kept.startswith("$argon2id$")
    assert "kuda" not in kept
    assert passwords.verify(kept, "kuda hijau melompat")
    assert not passwords.verify(kept, "kuda hijau melompat ")
    assert passwords.hash("kuda hijau melompat") != kept


@pytest.mark.parametrize("kept", [None, "", "no hash", "$argon2id$v=19$m=1$x"])
def test_what_is_no_hash_matches_no_password(kept: str | None) -> None:
    passwords = Argon2Passwords()
    assert not passwords.verify(kept, "")
    assert not passwords.verify(kept, "nobody")


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    assert UsersFile(tmp_path).read() == Users()


def test_a_change_is_seen_by_another_reader_at_once(tmp_path: Path) -> None:
    reader = UsersFile(tmp_path)
    assert reader.read() == Users()
    UsersFile(tmp_path).change(lambda users: users.with_user(User("siti", UserRole.VIEWER, "a")))
    assert reader.read().users == (User("siti", UserRole.VIEWER, "a"),)
    UsersFile(tmp_path).change(lambda users: users.with_user(User("siti", UserRole.VIEWER, "b")))
    assert reader.read().users == (User("siti", UserRole.VIEWER, "b"),)
    assert mode(tmp_path / USERS_FILE) == 0o640


def test_many_changes_at_once_lose_nobody(tmp_path: Path) -> None:
    def add(number: int) -> None:
        UsersFile(tmp_path).change(
            lambda users: users.with_user(User(f"u{number}", UserRole.VIEWER))
        )

    threads = [threading.Thread(target=add, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(UsersFile(tmp_path).read().users) == 16


def test_a_refused_change_leaves_everything_as_it_was(tmp_path: Path) -> None:
    def refuse(_users: Users) -> Users:
        raise ConfigError("no")

    file = UsersFile(tmp_path)
    file.change(lambda users: users.with_user(User("siti", UserRole.VIEWER)))
    with pytest.raises(ConfigError, match="no"):
        file.change(refuse)
    assert file.read().find("siti") is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"users": 3}', "\x00", "[" * 100_000])
def test_a_damaged_file_is_said_and_never_taken_for_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / USERS_FILE).write_text(text)
    with pytest.raises(ConfigError, match="damaged"):
        UsersFile(tmp_path).read()


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    gone = UsersFile(tmp_path / "gone")
    assert gone.read() == Users()
    with pytest.raises(ConfigError, match="cannot be changed"):
        gone.change(lambda users: users)


def test_a_key_is_made_once_and_found_by_all(tmp_path: Path) -> None:
    path, found = tmp_path / "link.key", list[bytes]()
    threads = [
        threading.Thread(target=lambda: found.append(load_or_create_key(path, LINK_KEY_MODE)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert set(found) == {load_or_create_key(path, LINK_KEY_MODE)}
    assert len(found[0]) == 32
    assert mode(path) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_the_pages_own_key_is_the_pages_alone(tmp_path: Path) -> None:
    one = load_or_create_key(tmp_path / "session.key", SESSION_KEY_MODE)
    assert mode(tmp_path / "session.key") == 0o600
    assert one != load_or_create_key(tmp_path / "other.key", SESSION_KEY_MODE)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_damaged_key_is_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.key").write_text(text)
    with pytest.raises(ConfigError, match="damaged: remove the file"):
        load_or_create_key(tmp_path / "session.key", SESSION_KEY_MODE)


def test_a_key_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        load_or_create_key(tmp_path / "gone" / "session.key", SESSION_KEY_MODE)
