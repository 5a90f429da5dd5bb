"""Removes secrets from texts that are logged, stored or shown."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

MARK = "‹rahasia›"

_SEPARATORS = re.compile(r"[/:@?&=#,;\s]+")
_MIN_PART_LENGTH = 6
_MAX_LENGTH = 300
_SCHEMES_WITH_PUBLIC_HOST = ("http", "https", "mailto", "mailtos", "ntfy", "ntfys")
"""Other Apprise addresses carry a token where the host stands."""


class Redaction:
    """Replaces these secrets, and every part of them of 6 characters or more, by a mark."""

    __slots__ = ("_words",)

    def __init__(self, *secrets: str) -> None:
        words: set[str] = set()
        for secret in secrets:
            scheme, is_url, _ = secret.partition("://")
            public_words = {scheme, _public_host(secret)} if is_url else set()
            for part in (secret, *_SEPARATORS.split(secret)):
                for word in (part, unquote(part), quote(part, safe="")):
                    if len(word) >= _MIN_PART_LENGTH and word not in public_words:
                        words.add(word)
        # The longest first: replacing a part must not leave the rest of the whole behind.
        self._words = sorted(words, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Redaction(…)"

    def __call__(self, text: object) -> str:
        """One printable line of at most 300 characters without any secret."""
        redacted = str(text)
        for word in self._words:
            redacted = redacted.replace(word, MARK)
        printable = "".join(one if one.isprintable() else " " for one in redacted)
        line = " ".join(printable.split())
        return line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 1] + "…"


def _public_host(secret: str) -> str | None:
    try:
        parts = urlsplit(secret)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in _SCHEMES_WITH_PUBLIC_HOST else None
