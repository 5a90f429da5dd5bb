"""Small readings of a JSON document: moments, and numbers short enough to send."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Json = dict[str, Any]


def seconds(text: str | None) -> float | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp(), 3)


def whole(text: str | None) -> int | None:
    at_s = seconds(text)
    return None if at_s is None else int(at_s)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
