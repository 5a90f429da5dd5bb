"""Any text in a TOML file is a configuration or a list of problems with their lines; no exception.

And any users file is users, or damaged.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.system.users_file import USERS_FILE, UsersFile
from monitor.core.access import Users, users_document, users_from_document
from monitor.core.errors import ConfigError
from monitor.settings import load
from monitor.settings.toml_positions import key_lines
from tests.fuzz.mutations import corpus, fuzzed, mutated

FILES = corpus("toml")
USERS = corpus("users")
PLACES = ("monitor.toml", "network.toml", "alerts.toml", "sites/anjatan.toml")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["users", "wall", "name", "role", "password"]) | st.text(), inner
        )
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of one site."""
    at = tmp_path_factory.mktemp("config")
    (at / "sites").mkdir()
    shipped = Path(__file__).parents[2] / "config"
    for name in PLACES:
        shutil.copy(shipped / name, at / name)
    return at


@fuzzed(60)
@given(mutated(FILES, most=4), st.sampled_from(PLACES))
def test_a_configuration_file(directory: Path, data: bytes, place: str) -> None:
    file = directory / place
    before = file.read_bytes()
    file.write_bytes(data)
    try:
        loaded = load(directory, {})
        for problem in (*loaded.errors, *loaded.warnings):
            assert str(problem)
            assert "Traceback" not in str(problem)
    finally:
        file.write_bytes(before)


@fuzzed(100)
@given(mutated(FILES))
def test_the_lines_of_keys(data: bytes) -> None:
    """Of every text that is TOML."""
    text = data.decode("utf-8", "replace")
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        tomllib.loads(text)
        key_lines(text)


@fuzzed(100)
@given(mutated(USERS))
def test_the_bytes_of_a_users_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    directory = tmp_path_factory.getbasetemp() / "users"
    directory.mkdir(exist_ok=True)
    (directory / USERS_FILE).write_bytes(data)
    with suppress(ConfigError):
        assert isinstance(UsersFile(directory).read(), Users)


@fuzzed(60)
@given(JSON | st.fixed_dictionaries({"users": st.lists(JSON, max_size=4)}))
def test_the_document_of_a_users_file(document: object) -> None:
    with suppress(ConfigError):
        users = users_from_document(document)
        again = users_from_document(json.loads(json.dumps(users_document(users))))
        assert again == users
