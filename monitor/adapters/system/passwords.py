"""Passwords, kept as argon2id hashes (RFC 9106); the only room that knows the library."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19_456
ROUNDS = 2
"""OWASP's lowest advice for argon2id: 19 MiB, two passes, one lane."""

AT_ONCE = 2
"""So many are worked on together: more would take memory and CPU from the page."""


class Argon2Passwords:
    """Hashes passwords, and compares them. Any number of threads may ask."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = self._hasher.hash("nobody")

    def hash(self, password: str) -> str:
        """The text to keep."""
        with self._turn:
            return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Is this the password? kept None: never, and it takes as long to say so."""
        with self._turn:
            try:
                same = self._hasher.verify(self._nobody if kept is None else kept, password)
            except (VerificationError, InvalidHashError):
                return False
        return same and kept is not None
