"""The days of the week, as people write them in Indonesian or English."""

from __future__ import annotations

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HARI = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")


def weekday(word: str) -> int | None:
    """0 Monday to 6 Sunday; "senin", "Jum'at", "monday" and "mon" are known."""
    plain = word.strip().casefold().replace("'", "")
    for names in (WEEKDAYS, HARI):
        if plain in names:
            return names.index(plain)
    short = [day[:3] for day in WEEKDAYS]
    return short.index(plain) if plain in short else None
