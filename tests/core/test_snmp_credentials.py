"""SNMP credentials are parsed, and errors never contain them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import ConfigError
from monitor.core.snmp_credentials import SnmpV3Credential, parse_community, parse_v3

FULL = """\
# the user of all routers
user = pantau
auth = SHA-256
auth_password = "kata sandi=#1 "
priv = AES
priv_password = rahasia-dua
"""


def test_a_complete_version_3_text() -> None:
    assert parse_v3(FULL) == SnmpV3Credential(
        user="pantau",
        auth_protocol="sha256",
        auth_password="kata sandi=#1 ",
        priv_protocol="aes128",
        priv_password="rahasia-dua",
    )


def test_a_user_without_passwords_is_neither_authenticated_nor_encrypted() -> None:
    assert parse_v3("user = pantau\ncontext = vrf1\n") == SnmpV3Credential(
        user="pantau", context="vrf1"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a line such as: user"),
        ("user = \n", "needs a line such as: user"),
        ("user = a\nauth = sha\n", "without its line auth_password"),
        ("user = a\nauth_password = hushhush\n", "without its line auth"),
        ("user = a\nauth = crc\nauth_password = hushhush\n", "must be one of: md5, sha"),
        ("user = a\nauth = sha\nauth_password = hush\n", "shorter than 8"),
        ("user = a\npriv = aes\npriv_password = hushhush\n", "priv needs auth"),
        ("user = a\nuser = b\n", "line 2 of the credential gives user a second time"),
        ("user = a\nhushhush\n", "line 2 of the credential is not one of"),
    ],
)
def test_an_error_says_what_is_wrong_without_the_secret(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_v3(text)
    assert message in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_repr_contains_no_password() -> None:
    shown = repr(parse_v3(FULL))
    assert "kata sandi" not in shown
    assert "rahasia" not in shown


def test_a_community_is_one_line_without_its_line_end() -> None:
    assert parse_community("p u b l i c\r\n") == "p u b l i c"


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n"])
def test_an_empty_community_or_several_lines_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_community(text)


@given(st.text())
def test_any_text_is_a_credential_or_a_config_error(text: str) -> None:
    try:
        credential = parse_v3(text)
    except ConfigError as error:
        message = str(error)
    else:
        message = credential.user
    assert message
