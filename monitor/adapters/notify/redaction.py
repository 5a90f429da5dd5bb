"""Secrets taken out of every text that leaves this room."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

MARK = "‹rahasia›"

_PARTS = re.compile(r"[/:@?&=#,;\s]+")
_SHORTEST_PART = 6
_LONGEST = 300
_OPEN_HOSTS = ("http", "https", "mailto", "mailtos", "ntfy", "ntfys")
"""Where the host is a host: other Apprise addresses put a token there."""


class Redaction:
    """Takes these secrets, and every telling part of them, out of a text; shows none itself."""

    __slots__ = ("_words",)

    def __init__(self, *secrets: str) -> None:
        words: set[str] = set()
        for secret in secrets:
            scheme, is_url, _ = secret.partition("://")
            open_words = {scheme, _host(secret)} if is_url else set()
            for part in (secret, *_PARTS.split(secret)):
                for word in (part, unquote(part), quote(part, safe="")):
                    if len(word) >= _SHORTEST_PART and word not in open_words:
                        words.add(word)
        # The longest first: a part must not leave the rest of the whole behind.
        self._words = sorted(words, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Redaction(…)"

    def __call__(self, text: object) -> str:
        """One line of at most 300 characters without any of them."""
        said = str(text)
        for word in self._words:
            said = said.replace(word, MARK)
        line = " ".join("".join(one if one.isprintable() else " " for one in said).split())
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _host(secret: str) -> str | None:
    try:
        parts = urlsplit(secret)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in _OPEN_HOSTS else None
