"""Roles, user names, passwords and the wall display's token."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

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


def test_each_role_includes_the_ones_before_it() -> None:
    order = list(UserRole)
    assert order == [UserRole.VIEWER, UserRole.OPERATOR, UserRole.ADMIN]
    for one, other in itertools.product(order, repeat=2):
        assert one.includes(other) == (order.index(one) >= order.index(other))


def test_users_survive_the_document() -> None:
    users = Users().with_user(SITI).with_user(User("adi", UserRole.VIEWER)).with_wall_token("token")
    again = users_from_document(json.loads(json.dumps(users_document(users))))
    assert again == users
    assert [user.name for user in again.users] == ["adi", "siti"]
    assert again.is_wall_token("token")
    assert not again.is_wall_token("tokem")
    assert not again.is_wall_token("\ud800")
    assert not again.with_wall_token(None).is_wall_token("token")


def test_tokens_and_hashes_are_not_shown() -> None:
    users = Users().with_user(SITI).with_wall_token("token")
    assert "token" not in json.dumps(users_document(users)).replace('"wall"', "")
    assert "argon2" not in repr(users)


def test_a_user_is_found_in_any_case_and_replaced_by_name() -> None:
    users = Users().with_user(SITI).with_user(User("siti", UserRole.VIEWER))
    assert users.find("SITI") == User("siti", UserRole.VIEWER)
    assert users.find("budi") is None
    assert users.without_user("siti") == Users()


def test_the_fingerprint_changes_with_the_password_alone() -> None:
    fingerprint = SITI.password_fingerprint
    assert replace(SITI, password_hash="other").password_fingerprint != fingerprint
    assert replace(SITI, role=UserRole.VIEWER).password_fingerprint == fingerprint


@pytest.mark.parametrize("name", ["", " ", "a b", "é", "-a", "a|b", "x" * 61, "<b>", "٣"])
def test_an_invalid_user_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a user"):
        parse_user_name(name)


def test_a_user_name_may_be_a_mail_address_and_is_lower_case() -> None:
    assert parse_user_name(" Siti.Aminah@example.go.id ") == "siti.aminah@example.go.id"


@pytest.mark.parametrize("text", ["", "short", "x" * 9, "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="10 to 200"):
        check_password(text)


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"users": {}}, {"users": [1]}, {"users": [{"name": "a"}]},
        {"users": [{"name": "a", "role": "root"}]}, {"users": [{"name": "a b", "role": "see"}]},
        {"users": [{"name": "a", "role": "see", "password": 3}]}, {"users": [], "wall": 3},
        {"users": [{"name": "a", "role": ["see"]}]},
    ],
)  # fmt: skip
def test_a_damaged_document_is_refused(document: object) -> None:
    with pytest.raises(ConfigError):
        users_from_document(document)
