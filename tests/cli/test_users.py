"""`pantau user`: accounts, roles, passwords and the wall token."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
from click.testing import Result

from monitor.adapters.system.passwords import Argon2Passwords
from monitor.adapters.system.users_file import UsersFile
from monitor.core.access import User, UserRole, Users
from monitor.core.errors import ConfigError
from tests.cli.cli_fixtures import CliConfig

PASSWORD = "kuda hijau melompat"


def run(config: CliConfig, *arguments: str, typed: str = f"{PASSWORD}\n") -> Result:
    return config.run("user", *arguments, typed=typed)


def stored(config: CliConfig) -> Users:
    return UsersFile(config.data).read()


def siti(config: CliConfig) -> User:
    user = stored(config).find("siti")
    assert user is not None
    return user


def test_a_user_is_added_with_a_password_hash_and_the_first_one_closes_the_page(
    config: CliConfig,
) -> None:
    added = run(config, "add", "Siti", "--role", "operate")
    assert added.exit_code == 0, added.output
    assert "hanya terbuka bagi yang masuk" in added.output
    assert PASSWORD not in added.output
    assert siti(config).role is UserRole.OPERATOR
    assert Argon2Passwords().verify(siti(config).password_hash, PASSWORD)
    assert "hanya terbuka" not in run(config, "add", "budi").output


def test_adding_an_existing_user_is_refused(config: CliConfig) -> None:
    run(config, "add", "siti", "--role", "operate")
    again = run(config, "add", "SITI")
    assert isinstance(again.exception, ConfigError)
    assert "pantau user password siti" in str(again.exception)
    assert siti(config).role is UserRole.OPERATOR


@pytest.mark.parametrize("typed", ["kuda\n", ""])
def test_a_short_password_is_refused(config: CliConfig, typed: str) -> None:
    assert isinstance(run(config, "add", "siti", typed=typed).exception, ConfigError)
    assert stored(config) == Users()


def test_role_and_password_are_changed_and_the_user_removed(config: CliConfig) -> None:
    run(config, "add", "siti")
    before = siti(config)
    assert run(config, "role", "siti", "administer").exit_code == 0
    assert siti(config) == User("siti", UserRole.ADMIN, before.password_hash)
    assert run(config, "password", "siti", typed="lain sekali sungguh\n").exit_code == 0
    assert siti(config).password_fingerprint != before.password_fingerprint
    assert siti(config).role is UserRole.ADMIN
    assert "kini terbuka bagi siapa pun" in run(config, "remove", "siti").output
    assert stored(config) == Users()


@pytest.mark.parametrize("command", ["role x see", "remove x", "password x"])
def test_an_unknown_user_is_one_error_message(config: CliConfig, command: str) -> None:
    assert "there is no user 'x'" in str(run(config, *command.split()).exception)


def test_the_list_shows_roles_and_no_hash(config: CliConfig) -> None:
    assert "terbuka bagi siapa pun" in run(config, "list").output
    run(config, "add", "siti", "--role", "operate")
    run(config, "add", "proksi@example.go.id", "--no-password")
    output = run(config, "list").output
    assert re.search(r"siti +operate .*kata sandi", output)
    assert re.search(r"proksi@example.go.id +see .*proksi saja", output)
    assert "argon2" not in output


def test_the_wall_token_is_shown_once_and_replaced_by_the_next(config: CliConfig) -> None:
    first = run(config, "wall-token").output.split("token=")[1].strip()
    assert stored(config).is_wall_token(first)
    second = run(config, "wall-token").output.split("token=")[1].strip()
    assert stored(config).is_wall_token(second)
    assert not stored(config).is_wall_token(first)
    assert "punya token" in run(config, "list").output
    run(config, "wall-token", "--off")
    assert stored(config).wall_token_hash is None


def typed_at_a_terminal(config: CliConfig, *answers: str) -> tuple[int, str]:
    """Run `pantau user add siti` at a pseudo-terminal, with one answer to each prompt.

    Exit code, and everything that was shown.
    """
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "monitor", "user", "--config", str(config.config), "add"]
    process = subprocess.Popen(
        [*command, "siti"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, waiting = "", list(answers)
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # on Linux: the other side was closed
            break
        shown += piece.decode()
        if waiting and shown.rstrip(" ").endswith(":"):
            os.write(ours, f"{waiting.pop(0)}\n".encode())
            shown += "\n"
    os.close(ours)
    return process.wait(20), shown


def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(config: CliConfig) -> None:
    status, shown = typed_at_a_terminal(config, PASSWORD, "something else", PASSWORD, PASSWORD)
    assert status == 0, shown
    assert PASSWORD not in shown
    assert shown.count("Sekali lagi") == 2
    assert Argon2Passwords().verify(siti(config).password_hash, PASSWORD)
