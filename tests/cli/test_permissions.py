"""The error message for a user who may not read the data directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.core.errors import PantauError
from tests.cli.cli_fixtures import CliConfig, make_config
from tests.sample_builders import MIDNIGHT_S, ping

NOBODY = 65_534


@pytest.fixture
def config() -> Iterator[CliConfig]:
    """In a directory that everybody may enter; the data directory is for its group only."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        at = make_config(Path(name))
        journal = SqliteJournal(at.data / "journal")
        journal.append([ping(MIDNIGHT_S)])
        journal.close()
        at.data.chmod(0o770)
        yield at


@contextmanager
def as_another_user(at: CliConfig) -> Iterator[None]:
    """Run as a user outside the daemon's group."""
    if os.geteuid() != 0:
        at.data.chmod(0)
        yield
        at.data.chmod(0o770)
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["incidents"],
        ["journal"],
        ["export", "ping", "--since", "1h"],
        ["ack", "1"],
        ["maintenance", "list"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_without_permission_the_error_says_how_to_get_it(
    config: CliConfig, arguments: list[str]
) -> None:
    config.run(*arguments)  # imports its modules, which the other user may not be able to read
    with as_another_user(config):
        refused = config.run(*arguments)
    assert isinstance(refused.exception, PantauError), refused.exception
    assert str(config.data) in str(refused.exception)
    assert str(refused.exception).endswith(
        "is not for this user: run this with sudo, or as a member of the group that owns the data"
        " directory"
    )
