"""Password hashing with argon2id (RFC 9106, argon2-cffi)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19_456
ROUNDS = 2
"""OWASP's minimum for argon2id: 19 MiB, two passes, one lane."""

MAX_PARALLEL = 2
"""Hashes computed at the same time; more would take memory and CPU from the pages."""


class Argon2Passwords:
    """Hashes and verifies passwords. Thread-safe."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        self._slots = threading.BoundedSemaphore(MAX_PARALLEL)
        self._dummy_hash = self._hasher.hash("nobody")

    def hash(self, password: str) -> str:
        """The hash to store, with its salt and parameters."""
        with self._slots:
            return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password has this hash. None (no such user) is False after the same time."""
        known_hash = self._dummy_hash if password_hash is None else password_hash
        with self._slots:
            try:
                same = self._hasher.verify(known_hash, password)
            except (VerificationError, InvalidHashError):
                return False
        return same and password_hash is not None
