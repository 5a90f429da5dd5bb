"""Passwords that are compared as they are, and counted."""

from __future__ import annotations


class PlainPasswords:
    """`hash` is `plain:` and the password. asked: what was compared, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str]] = []

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.asked.append((password_hash, password))
        return password_hash is not None and password_hash == f"plain:{password}"
