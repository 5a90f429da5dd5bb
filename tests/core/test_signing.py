"""Signed texts and links are valid for their purpose and time; nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.signing import (
    LINK_LIFETIME_S,
    LinkState,
    check_link_code,
    incident_link,
    link_code,
    sign_text,
    verify_text,
)

KEY, OTHER = bytes(range(32)), bytes(32)
OURS = LedgerIdentity("k3v7q2ma")
NOW_S = 1_795_505_267.0


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_signed_text_is_verified_and_fits_into_a_cookie(text: str) -> None:
    signed = sign_text(KEY, "session", text)
    assert verify_text(KEY, "session", signed) == text
    assert set(signed) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert verify_text(OTHER, "session", signed) is None
    assert verify_text(KEY, "link", signed) is None


@given(st.text(max_size=300))
def test_any_other_text_is_rejected_without_an_exception(text: str) -> None:
    assert verify_text(KEY, "session", text) is None
    assert check_link_code(KEY, OURS, 17, text, NOW_S) is LinkState.FORGED


def test_one_changed_character_invalidates_a_signed_text() -> None:
    signed = sign_text(KEY, "session", "siti|operate")
    for at in range(len(signed)):
        changed = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]
        assert verify_text(KEY, "session", changed) is None, at
    body, _, mac = signed.partition(".")
    other = sign_text(KEY, "session", "x").partition(".")[0]
    assert verify_text(KEY, "session", f"{other}.{mac}") is None
    assert verify_text(KEY, "session", body) is None


def test_a_link_is_valid_for_its_incident_until_it_expires() -> None:
    code = link_code(KEY, OURS.value, 17, NOW_S + 60)
    assert check_link_code(KEY, OURS, 17, code, NOW_S) is LinkState.VALID
    assert check_link_code(KEY, OURS, 17, code, NOW_S + 61) is LinkState.EXPIRED
    assert check_link_code(KEY, OURS, 18, code, NOW_S) is LinkState.FORGED
    assert check_link_code(OTHER, OURS, 17, code, NOW_S) is LinkState.FORGED


def test_the_expiry_of_a_link_cannot_be_changed() -> None:
    ledger, until, mac = link_code(KEY, OURS.value, 17, NOW_S).split(".")
    for changed in (f"{int(until, 16) + 9999:x}", f"0{until}"):
        code = f"{ledger}.{changed}.{mac}"
        assert check_link_code(KEY, OURS, 17, code, NOW_S - 5) is LinkState.FORGED


def test_a_link_of_another_ledger_is_told_from_a_forged_one() -> None:
    code = link_code(KEY, "zzzzzzzz", 17, NOW_S + 60)
    assert check_link_code(KEY, OURS, 17, code, NOW_S) is LinkState.OTHER_LEDGER
    assert check_link_code(OTHER, OURS, 17, code, NOW_S) is LinkState.FORGED
    relabelled = code.replace("zzzzzzzz", OURS.value)
    assert check_link_code(KEY, OURS, 17, relabelled, NOW_S) is LinkState.FORGED


def test_a_link_without_an_identity_is_valid_for_the_incidents_from_before_the_migration() -> None:
    of_version_0_1 = "6923c1a0.u_U0QbkSFiWPnmyw3JVjeg"
    migrated = LedgerIdentity(OURS.value, last_old_incident=17)
    at_s = float(0x6923C1A0 - 60)
    for ledger, incident, state in (
        (migrated, 17, LinkState.VALID),
        (replace(migrated, last_old_incident=16), 17, LinkState.OTHER_LEDGER),
        (OURS, 17, LinkState.OTHER_LEDGER),
        (migrated, 16, LinkState.FORGED),
    ):
        assert check_link_code(KEY, ledger, incident, of_version_0_1, at_s) is state


@pytest.mark.parametrize(
    "code", ["", ".", "zz.", "6923c1a0", "\ud800.\udfff", "9" * 9999, "1.2.3", "a.b.c.d"]
)
def test_an_invalid_code_is_rejected(code: str) -> None:
    assert check_link_code(KEY, OURS, 17, code, NOW_S) is LinkState.FORGED


def test_the_link_of_an_alert_is_short_and_valid_for_a_week() -> None:
    address = incident_link(KEY, "https://pantau.example", OURS.value, 17, NOW_S)
    start, code = address.split("?k=")
    assert start == "https://pantau.example/i/17"
    assert len(code) == 40
    assert check_link_code(KEY, OURS, 17, code, NOW_S + LINK_LIFETIME_S - 2) is LinkState.VALID
    assert check_link_code(KEY, OURS, 17, code, NOW_S + LINK_LIFETIME_S + 2) is LinkState.EXPIRED
