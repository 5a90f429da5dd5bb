"""Roles, names, passwords and the wall's token."""

from __future__ import annotations

import json

import pytest

from monitor.core.access import (
    User,
    UserRole,
    Users,
    check_password,
    parse_user_name,
    users_document,
    users_from_document,
)
from monitor.core.errors import ConfigError

SITI = User("siti", UserRole.OPERATOR, "$argon2id$…")


def test_each_role_may_what_the_one_before_it_may() -> None:
    assert UserRole.ADMIN.includes(UserRole.OPERATOR)
    assert UserRole.OPERATOR.includes(UserRole.VIEWER)
    assert UserRole.VIEWER.includes(UserRole.VIEWER)
    assert not UserRole.VIEWER.includes(UserRole.OPERATOR)
    assert not UserRole.OPERATOR.includes(UserRole.ADMIN)


def test_what_is_kept_is_read_again() -> None:
    users = Users().with_user(SITI).with_user(User("adi", UserRole.VIEWER)).with_wall_token("token")
    again = users_from_document(json.loads(json.dumps(users_document(users))))
    assert again == users
    assert [user.name for user in again.users] == ["adi", "siti"]
    assert again.is_wall_token("token")
    assert not again.is_wall_token("tokem")
    assert not again.is_wall_token("\ud800")
    assert not again.with_wall_token(None).is_wall_token("token")


def test_the_token_itself_and_hashes_are_not_shown() -> None:
    users = Users().with_user(SITI).with_wall_token("token")
    assert "token" not in json.dumps(users_document(users)).replace('"wall"', "")
    assert "argon2" not in repr(users)


def test_a_user_is_found_whatever_the_capitals_and_replaced_by_name() -> None:
    users = Users().with_user(SITI).with_user(User("siti", UserRole.VIEWER))
    assert users.find("SITI") == User("siti", UserRole.VIEWER)
    assert users.find("budi") is None
    assert users.without_user("siti") == Users()


def test_another_password_is_another_stamp() -> None:
    assert (
        SITI.password_fingerprint != User("siti", UserRole.OPERATOR, "other").password_fingerprint
    )
    assert (
        SITI.password_fingerprint
        == User("siti", UserRole.VIEWER, SITI.password_hash).password_fingerprint
    )


@pytest.mark.parametrize("name", ["", " ", "a b", "é", "-a", "a|b", "x" * 61, "<b>", "٣"])
def test_what_is_no_name_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a user"):
        parse_user_name(name)


def test_a_name_may_be_an_address_and_has_small_letters() -> None:
    assert parse_user_name(" Siti.Aminah@example.go.id ") == "siti.aminah@example.go.id"


@pytest.mark.parametrize("text", ["", "short", "x" * 9, "x" * 201])
def test_a_password_is_neither_short_nor_endless(text: str) -> None:
    with pytest.raises(ConfigError, match="10 to 200"):
        check_password(text)


@pytest.mark.parametrize(
    "told",
    [
        None, [], {}, {"users": {}}, {"users": [1]}, {"users": [{"name": "a"}]},
        {"users": [{"name": "a", "role": "root"}]}, {"users": [{"name": "a b", "role": "see"}]},
        {"users": [{"name": "a", "role": "see", "password": 3}]}, {"users": [], "wall": 3},
        {"users": [{"name": "a", "role": ["see"]}]},
    ],
)  # fmt: skip
def test_a_damaged_list_is_refused(told: object) -> None:
    with pytest.raises(ConfigError):
        users_from_document(told)
