"""In which spellings a secret may stand in a text: encoded, too.

A mail server may echo what it was sent, in base64 (AUTH PLAIN, LOGIN, CRAM-MD5); a proxy may write
an address with every character as %41; a debugger prints bytes as hexadecimal.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

_MIN_ENCODED = 6
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{6,}")
"""Base64 of both alphabets; hexadecimal digits are a part of it."""


class SecretForms:
    """Hides words in any of their spellings."""

    __slots__ = ("_encoded", "_hex", "_pattern")

    def __init__(self, words: Iterable[str]) -> None:
        # The longest first: hiding a part must not leave the rest of the whole behind.
        found = sorted({word for word in words if word}, key=len, reverse=True)
        self._encoded = _base64_parts(found)
        self._hex = [word.encode().hex() for word in found]
        self._pattern = re.compile("|".join(map(_spellings, found))) if found else None

    def __repr__(self) -> str:
        return "SecretForms(…)"

    def hidden(self, text: str, mark: str) -> str:
        """`text` with `mark` for each word.

        Of base64 and hexadecimal the whole run around the word goes: it may hold another half of
        the secret.
        """
        if self._pattern is None:
            return text
        runs = _RUN.sub(lambda run: mark if self._is_encoded(run[0]) else run[0], text)
        return self._pattern.sub(mark, runs)

    def _is_encoded(self, run: str) -> bool:
        lower = run.lower()
        return any(part in run for part in self._encoded) or any(
            digits in lower for digits in self._hex
        )


def _base64_parts(words: Iterable[str]) -> list[str]:
    """The characters that do not depend on what stands before and after, at each of 3 offsets."""
    parts: set[str] = set()
    for word in words:
        data = word.encode()
        for before in range(3):
            encoded = base64.b64encode(bytes(before) + data).decode()
            part = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
            if len(part) >= _MIN_ENCODED:
                parts |= {part, part.replace("+", "-").replace("/", "_")}
    return sorted(parts)


def _spellings(word: str) -> str:
    """Each character as it is, or as %xx; also encoded more than once (%2540)."""
    return "".join(map(_spellings_of_character, word))


def _spellings_of_character(character: str) -> str:
    codes = "".join(f"%(?:25)*{_any_case(byte)}" for byte in character.encode())
    return f"(?:{re.escape(character)}|{codes})"


def _any_case(byte: int) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in f"{byte:02x}")
