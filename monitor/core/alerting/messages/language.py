"""Translations, times, durations and numbers in Bahasa Indonesia (`id`) or English (`en`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0

_MONTHS = {
    "id": ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}


@dataclass(frozen=True, slots=True)
class Language:
    """language: `id` or `en`. zone: of the readers."""

    language: str
    zone: tzinfo

    def text(self, translations: Mapping[str, str], **values: object) -> str:
        """The translation with its `{names}` filled in."""
        return translations.get(self.language, translations["en"]).format(**values)

    def clock(self, at_s: float, now_s: float, *, seconds: bool = False) -> str:
        """`14.05`, with the date when it is not today: `23 Nov 14.05`. seconds: `14.05.10`."""
        moment = self._local(at_s)
        point = "." if self.language == "id" else ":"
        text = f"{moment.hour:02d}{point}{moment.minute:02d}"
        if seconds:
            text += f"{point}{moment.second:02d}"
        if moment.date() == self._local(now_s).date():
            return text
        months = _MONTHS.get(self.language, _MONTHS["en"])
        return f"{moment.day} {months[moment.month - 1]} {text}"

    def clock_with_zone(self, at_s: float, now_s: float, *, seconds: bool = False) -> str:
        """`14.05 WIB`."""
        return f"{self.clock(at_s, now_s, seconds=seconds)} {self._local(at_s).tzname()}"

    def period(self, start_s: float, end_s: float, now_s: float) -> str:
        """`14.05–14.09 WIB`; with seconds where it is shorter than two minutes."""
        seconds = end_s - start_s < 2 * MINUTE_S
        start = self.clock(start_s, now_s, seconds=seconds)
        return f"{start}–{self.clock_with_zone(end_s, now_s, seconds=seconds)}"

    def duration(self, duration_s: float) -> str:
        """`45 dtk`, `4 mnt`, `2 jam 5 mnt`, `3 hari 4 jam`."""
        whole_s = int(max(0.0, duration_s) + 0.5)
        minutes = int(max(0.0, duration_s) / MINUTE_S + 0.5)
        hours = int(max(0.0, duration_s) / HOUR_S + 0.5)
        second, minute, hour, day = (
            ("dtk", "mnt", "jam", "hari") if self.language == "id" else ("s", "min", "h", "d")
        )
        if whole_s < MINUTE_S:
            return f"{whole_s} {second}"
        if minutes < HOUR_S / MINUTE_S:
            return f"{minutes} {minute}"
        if minutes < DAY_S / MINUTE_S:
            return _both(divmod(minutes, 60), hour, minute)
        return _both(divmod(hours, 24), day, hour)

    def number(self, value: float, decimals: int = 0) -> str:
        """With the decimal sign of the language."""
        text = f"{value:.{decimals}f}"
        return text.replace(".", ",") if self.language == "id" else text

    def percent(self, ratio: float) -> str:
        """A ratio (0 to 1) in percent; one decimal below 10 %."""
        decimals = 1 if 0.0 < ratio < 0.1 else 0
        sign = " %" if self.language == "id" else "%"
        return self.number(ratio * 100.0, decimals) + sign

    def _local(self, at_s: float) -> datetime:
        return datetime.fromtimestamp(at_s, UTC).astimezone(self.zone)


def _both(parts: tuple[int, int], large: str, small: str) -> str:
    more, rest = parts
    return f"{more} {large} {rest} {small}" if rest else f"{more} {large}"
