"""Removes secrets from texts that are logged, stored or shown."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from monitor.core.secret_forms import SecretForms

MARK = "‹rahasia›"

_SEPARATORS = re.compile(r"[/:@?&=#,;\s]+")
_MIN_PART_LENGTH = 6
_MAX_LENGTH = 300
_SCHEMES_WITH_PUBLIC_HOST = ("http", "https", "mailto", "mailtos", "ntfy", "ntfys")
"""Other Apprise addresses carry a token where the host stands."""


class Redaction:
    """Replaces these secrets, and every part of them of 6 characters or more, by a mark.

    Also where they are encoded: in base64, hexadecimal, as %xx.
    """

    __slots__ = ("_forms",)

    def __init__(self, *secrets: str) -> None:
        words: set[str] = set()
        for secret in secrets:
            scheme, is_url, _ = secret.partition("://")
            public_words = {scheme, _public_host(secret)} if is_url else set()
            for part in (secret, *_SEPARATORS.split(secret)):
                for word in (part, unquote(part)):
                    if len(word) >= _MIN_PART_LENGTH and word not in public_words:
                        words.add(word)
        self._forms = SecretForms(words)

    def __repr__(self) -> str:
        return "Redaction(…)"

    def __call__(self, text: object) -> str:
        """One printable line of at most 300 characters without any secret."""
        redacted = self._forms.hidden(str(text), MARK)
        printable = "".join(one if one.isprintable() else " " for one in redacted)
        line = " ".join(printable.split())
        return line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 1] + "…"


def _public_host(secret: str) -> str | None:
    try:
        parts = urlsplit(secret)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in _SCHEMES_WITH_PUBLIC_HOST else None
