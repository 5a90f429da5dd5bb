"""`pantau user`: who may sign in, as an administrator says it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import UsersFile
from monitor.cli.main import pantau
from monitor.core.access import User, UserRole, Users
from monitor.core.errors import ConfigError

MONITOR = '[monitor]\norganisation = "D"\ntimezone = "Asia/Jakarta"\ndata_dir = "data"\n'
GOOD = "kuda hijau melompat"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "monitor.toml").write_text(MONITOR)
    return tmp_path


def run(config: Path, *words: str, typed: str = f"{GOOD}\n") -> Result:
    return CliRunner().invoke(pantau, ["user", "--config", str(config), *words], input=typed)


def kept(config: Path) -> Users:
    return UsersFile(config / "data").read()


def found(config: Path, name: str) -> User:
    user = kept(config).find(name)
    assert user is not None
    return user


def test_a_user_is_added_with_a_hash_and_the_page_is_closed_from_then_on(config: Path) -> None:
    told = run(config, "add", "Siti", "--role", "operate")
    assert told.exit_code == 0, told.output
    assert "hanya terbuka bagi yang masuk" in told.output
    assert GOOD not in told.output
    siti = found(config, "siti")
    assert siti.role is UserRole.OPERATOR
    assert Argon2Passwords().verify(siti.password_hash, GOOD)
    assert "hanya terbuka" not in run(config, "add", "budi").output


def test_a_name_that_is_taken_is_left_alone(config: Path) -> None:
    run(config, "add", "siti", "--role", "operate")
    again = run(config, "add", "SITI")
    assert isinstance(again.exception, ConfigError)
    assert "pantau user password siti" in str(again.exception)
    assert found(config, "siti").role is UserRole.OPERATOR


def test_a_short_password_is_refused(config: Path) -> None:
    assert isinstance(run(config, "add", "siti", typed="kuda\n").exception, ConfigError)
    assert isinstance(run(config, "add", "siti", typed="").exception, ConfigError)
    assert kept(config) == Users()


def test_role_password_and_removal(config: Path) -> None:
    run(config, "add", "siti")
    before = found(config, "siti")
    assert run(config, "role", "siti", "administer").exit_code == 0
    assert found(config, "siti").password_fingerprint == before.password_fingerprint
    assert found(config, "siti").role is UserRole.ADMIN
    assert run(config, "password", "siti", typed="lain sekali sungguh\n").exit_code == 0
    assert found(config, "siti").password_fingerprint != before.password_fingerprint
    assert found(config, "siti").role is UserRole.ADMIN
    gone = run(config, "remove", "siti")
    assert "kini terbuka bagi siapa pun" in gone.output
    assert kept(config) == Users()


@pytest.mark.parametrize("words", [("role", "x", "see"), ("remove", "x"), ("password", "x")])
def test_somebody_unknown_is_one_sentence(config: Path, words: tuple[str, ...]) -> None:
    told = run(config, *words)
    assert "there is no user 'x'" in str(told.exception)


def test_the_list_shows_roles_and_no_hash(config: Path) -> None:
    assert "terbuka bagi siapa pun" in run(config, "list").output
    run(config, "add", "siti", "--role", "operate")
    run(config, "add", "proksi@example.go.id", "--no-password")
    told = run(config, "list").output
    assert re.search(r"siti +operate .*kata sandi", told)
    assert re.search(r"proksi@example.go.id +see .*proksi saja", told)
    assert "argon2" not in told


def test_the_walls_token_is_shown_once_and_another_takes_its_place(config: Path) -> None:
    first = run(config, "wall-token").output.split("token=")[1].strip()
    assert kept(config).is_wall_token(first)
    second = run(config, "wall-token").output.split("token=")[1].strip()
    assert kept(config).is_wall_token(second)
    assert not kept(config).is_wall_token(first)
    assert "punya token" in run(config, "list").output
    run(config, "wall-token", "--off")
    assert kept(config).wall_token_hash is None


def typed_at_a_terminal(config: Path, *answers: str) -> tuple[int, str]:
    """What a person sees who types these answers, one at each question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "user", "--config", str(config), "add", "siti"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, waiting = "", list(answers)
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        shown += piece.decode()
        if waiting and shown.rstrip(" ").endswith(":"):
            os.write(ours, f"{waiting.pop(0)}\n".encode())
            shown += "\n"
    os.close(ours)
    return process.wait(20), shown


def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(config: Path) -> None:
    status, shown = typed_at_a_terminal(config, GOOD, "something else", GOOD, GOOD)
    assert status == 0, shown
    assert GOOD not in shown
    assert shown.count("Sekali lagi") == 2
    assert Argon2Passwords().verify(found(config, "siti").password_hash, GOOD)
