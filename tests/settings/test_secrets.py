"""Secrets are looked up by name in three places and never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.errors import ConfigError
from monitor.settings.secrets import Secret, SecretStore, SecretUnavailable, secret_variable


def _file(directory: Path, text: str, mode: int = 0o600) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "router-ro").touch()
    (directory / "router-ro").chmod(mode)
    (directory / "router-ro").write_text(text)


def test_systemd_precedes_the_folder_which_precedes_the_environment(tmp_path: Path) -> None:
    environ = {
        "CREDENTIALS_DIRECTORY": str(tmp_path / "given"),
        "PANTAU_SECRET_ROUTER_RO": "from the environment",
    }
    store = SecretStore(tmp_path, environ)
    assert store.get("router-ro").reveal() == "from the environment"
    _file(tmp_path / "secrets", "from the folder\n")
    assert store.get("router-ro").reveal() == "from the folder"
    _file(tmp_path / "given", "from systemd\n")
    assert store.get("router-ro").reveal() == "from systemd"


def test_the_error_for_a_missing_secret_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        SecretStore(tmp_path, {}).get("router-ro")
    assert f"{tmp_path}/secrets/router-ro (mode 0600)" in str(caught.value)
    assert "PANTAU_SECRET_ROUTER_RO" in str(caught.value)


def test_under_systemd_the_error_for_a_missing_secret_asks_for_a_restart(
    tmp_path: Path,
) -> None:
    environ = {"CREDENTIALS_DIRECTORY": "/run/credentials/pantau.service"}
    with pytest.raises(SecretUnavailable) as caught:
        SecretStore(tmp_path, environ).get("telegram-noc")
    assert f"{tmp_path}/secrets/telegram-noc (mode 0600)" in str(caught.value)
    assert "systemctl restart pantau" in str(caught.value)
    assert "PANTAU_SECRET" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o602, 0o777])
def test_a_file_readable_by_others_is_refused(tmp_path: Path, mode: int) -> None:
    _file(tmp_path / "secrets", "hunter2", mode)
    with pytest.raises(ConfigError, match=f"mode 0{mode:o}.*chmod 600"):
        SecretStore(tmp_path, {}).get("router-ro")


def test_the_mode_of_a_file_of_systemd_is_not_checked(tmp_path: Path) -> None:
    """0440 with an ACL is what LoadCredential= makes for a user that is not root."""
    _file(tmp_path / "given", "x", 0o440)
    store = SecretStore(tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")})
    assert store.get("router-ro").reveal() == "x"


@pytest.mark.parametrize("text", ["", "\n", "  \r\n"])
def test_an_empty_secret_is_an_error(tmp_path: Path, text: str) -> None:
    _file(tmp_path / "secrets", text)
    with pytest.raises(ConfigError, match="router-ro is empty"):
        SecretStore(tmp_path, {}).get("router-ro")


def test_only_the_line_end_is_removed(tmp_path: Path) -> None:
    _file(tmp_path / "secrets", " two words \r\n")
    assert SecretStore(tmp_path, {}).get("router-ro").reveal() == " two words "


def test_the_error_for_a_secret_that_is_no_text_does_not_hold_it(tmp_path: Path) -> None:
    _file(tmp_path / "secrets", "")
    (tmp_path / "secrets" / "router-ro").write_bytes(b"hunter\xff")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        SecretStore(tmp_path, {}).get("router-ro")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["../monitor.toml", "/etc/passwd", "", "a/b", "-", "a b", "a\n"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not the name of a secret"):
        SecretStore(tmp_path, {}).get(name)


def test_a_secret_is_not_in_its_repr() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert secret != Secret("hunter3")


def test_reveal_all_returns_every_named_secret(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {"PANTAU_SECRET_A": "1", "PANTAU_SECRET_B_C": "2"})
    assert store.reveal_all(["a", "b-c"]) == {"a": "1", "b-c": "2"}
    with pytest.raises(SecretUnavailable):
        store.reveal_all(["a", "d"])


def test_the_name_of_a_secrets_environment_variable() -> None:
    assert secret_variable("router-ro_2") == "PANTAU_SECRET_ROUTER_RO_2"
