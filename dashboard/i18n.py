"""Words, numbers and dates as people here read them: Bahasa Indonesia first, English beside it.

One catalogue, `data/texts.toml`, is read by Python and handed to JavaScript; the formats here
have twins in `assets/words.js`, and a test in a real browser holds both to the same answers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import floor
from pathlib import Path
from zoneinfo import ZoneInfo

NBSP = "\u00a0"
CATALOGUE = Path(__file__).parent / "data" / "texts.toml"
MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
UNITS = {"id": ("dtk", "mnt", "j", "h"), "en": ("s", "min", "h", "d")}
ZONES = {"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA"} | {
    "Asia/Jayapura": "WIT"
}
_GAP = re.compile(r"\{(\w+)\}")


class Lang(StrEnum):
    """The languages of the page; the first is the default."""

    ID = "id"
    EN = "en"


def read_catalogue(path: Path = CATALOGUE) -> dict[Lang, dict[str, str]]:
    """Each language's texts by `table.key`."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        lang: {
            f"{table}.{key}": entry[lang.value]
            for table, entries in tables.items()
            for key, entry in entries.items()
        }
        for lang in Lang
    }


def half_up(value: float, digits: int = 0) -> float:
    """Rounded as JavaScript's Math.round does, so that both say the same."""
    scale = 10.0**digits
    return floor(value * scale + 0.5) / float(scale)


@dataclass(frozen=True, slots=True)
class Words:
    """Says things in one language and one time zone."""

    lang: Lang
    texts: Mapping[str, str]
    zone: ZoneInfo

    def say(self, key: str, /, **values: object) -> str:
        """The text of a key, its {gaps} filled; a gap without a value stays as it is."""
        return _GAP.sub(
            lambda gap: str(values[gap[1]]) if gap[1] in values else gap[0], self.texts[key]
        )

    def has(self, key: str) -> bool:
        """Is there a text of that key?"""
        return key in self.texts

    def subset(self, tables: Iterable[str]) -> dict[str, str]:
        """The texts of these tables, for JavaScript."""
        wanted = tuple(f"{table}." for table in tables)
        return {key: text for key, text in self.texts.items() if key.startswith(wanted)}

    def number(self, value: float, digits: int = 0) -> str:
        """`1.234,5` in Bahasa Indonesia, `1,234.5` in English."""
        text = f"{half_up(value, digits):,.{digits}f}"
        if self.lang is Lang.ID:
            return text.translate(str.maketrans(",.", ".,"))
        return text

    def percent(self, value: float, digits: int | None = None) -> str:
        """Of a value in percent: `8 %`, `0,4 %`, `99,71 %`; English without the space."""
        if digits is None:
            digits = 0 if value == half_up(value) or value >= 10 else 1
        space = NBSP if self.lang is Lang.ID else ""
        return f"{self.number(value, digits)}{space}%"

    def rtt(self, value_ms: float) -> str:
        """Milliseconds without their unit: `3,4` below ten, `33` above."""
        return self.number(value_ms, 1 if value_ms < 9.95 else 0)

    def duration(self, seconds: float) -> str:
        """`12 dtk`, `26 mnt`, `1 j 11 mnt`, `2 h 3 j`; whole units, rounded down."""
        second, minute, hour, day = UNITS[self.lang.value]
        left = max(0, floor(seconds))
        if left < 60:
            return f"{left}{NBSP}{second}"
        if left < 3600:
            return f"{left // 60}{NBSP}{minute}"
        if left < 86400:
            big, small, names = left // 3600, left % 3600 // 60, (hour, minute)
        else:
            big, small, names = left // 86400, left % 86400 // 3600, (day, hour)
        first = f"{big}{NBSP}{names[0]}"
        return f"{first} {small}{NBSP}{names[1]}" if small else first

    def clock(self, at_s: float) -> str:
        """`14.32` (English `14:32`) in the zone, of a Unix time."""
        colon = "." if self.lang is Lang.ID else ":"
        return self._local(at_s).strftime(f"%H{colon}%M")

    def day(self, at_s: float) -> str:
        """`24 Nov` in the zone."""
        local = self._local(at_s)
        return f"{local.day}{NBSP}{MONTHS[self.lang.value][local.month - 1]}"

    def date(self, day: date) -> str:
        """`24 Nov 2026`."""
        return f"{day.day}{NBSP}{MONTHS[self.lang.value][day.month - 1]}{NBSP}{day.year}"

    def moment(self, at_s: float) -> str:
        """`24 Nov 14.32 WIB`."""
        return f"{self.day(at_s)} {self.clock(at_s)}{NBSP}{self.zone_name(at_s)}"

    def zone_name(self, at_s: float) -> str:
        """`WIB`; outside Indonesia what the zone calls itself."""
        known = ZONES.get(self.zone.key)
        return known if known is not None else self._local(at_s).strftime("%Z")

    def _local(self, at_s: float) -> datetime:
        return datetime.fromtimestamp(at_s, self.zone)
