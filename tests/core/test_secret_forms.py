"""A secret is hidden in any spelling: as it is, base64 at any offset, hexadecimal, %xx."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.secret_forms import SecretForms

MARK = "‹rahasia›"
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)
AROUND = st.binary(max_size=20)

ENCODINGS: dict[str, Callable[[bytes, bytes, bytes], str]] = {
    # AUTH PLAIN, LOGIN and Basic put a secret between others.
    "base64": lambda before, secret, after: base64.b64encode(before + secret + after).decode(),
    "base64url": lambda before, secret, after: base64.urlsafe_b64encode(
        before + secret + after
    ).decode(),
    "hex": lambda before, secret, after: (before + secret + after).hex(),
    "HEX": lambda before, secret, after: (before + secret + after).hex().upper(),
    "percent": lambda _before, secret, _after: "".join(f"%{byte:02X}" for byte in secret),
    "percent where needed": lambda _before, secret, _after: quote(secret, safe=""),
    "percent twice": lambda _before, secret, _after: quote(quote(secret, safe=""), safe=""),
    "plain": lambda _before, secret, _after: secret.decode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_no_spelling_of_a_secret_is_left(
    encoding: str, secret: str, before: bytes, after: bytes
) -> None:
    encoded = ENCODINGS[encoding](before, secret.encode(), after)
    assert SecretForms([secret]).hidden(f"535 5.7.8 {encoded} denied", MARK) == (
        f"535 5.7.8 {MARK} denied"
    )


@given(st.text(max_size=300))
def test_a_text_without_the_secret_stays(text: str) -> None:
    forms = SecretForms(["rahasia-yang-tidak-ada", "\x00\x01\x02\x03\x04\x05\x06\x07"])
    if "\x00" not in text:
        assert forms.hidden(text, MARK) == text


def test_no_secret_hides_nothing_and_no_repr_shows_one() -> None:
    assert SecretForms([]).hidden("apa saja", MARK) == "apa saja"
    assert "kenari" not in repr(SecretForms(["kenari7"]))
