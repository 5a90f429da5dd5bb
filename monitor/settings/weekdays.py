"""Names of the days of the week in English and Indonesian."""

from __future__ import annotations

ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDONESIAN_DAYS = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")


def weekday_number(word: str) -> int | None:
    """0 Monday to 6 Sunday. "senin", "Jum'at", "monday" and "mon" are known; None: none of them."""
    plain = word.strip().casefold().replace("'", "")
    for names in (ENGLISH_DAYS, INDONESIAN_DAYS):
        if plain in names:
            return names.index(plain)
    short = [day[:3] for day in ENGLISH_DAYS]
    return short.index(plain) if plain in short else None
