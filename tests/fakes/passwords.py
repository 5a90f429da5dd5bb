"""Passwords that are compared as they are, and counted."""

from __future__ import annotations


class PlainPasswords:
    """`hash` is `plain:` and the password. asked: what was compared, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str]] = []

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def matches(self, kept: str | None, password: str) -> bool:
        self.asked.append((kept, password))
        return kept is not None and kept == f"plain:{password}"
