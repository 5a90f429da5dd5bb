"""A place in the log: how far each day's file has been read.

One place a file, because a late batch goes to the day it belongs to: a clock that was a year
ahead for a minute would else leave the reader a year ahead too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.core.errors import JournalError


@dataclass(frozen=True, slots=True)
class Cursor:
    """places: the number of the last row that was read of each day. Text: `20261124:17 …`."""

    places: Mapping[str, int]

    @staticmethod
    def parse(text: str | None) -> Cursor:
        """Raises JournalError for what no journal wrote."""
        places: dict[str, int] = {}
        for word in (text or "").split():
            day, colon, seq = word.partition(":")
            if not (colon and seq.isdecimal() and day.isdecimal()):
                raise JournalError(
                    f"{text!r} is no place in the journal: everything kept is sent once more"
                )
            places[day] = int(seq)
        return Cursor(places)

    def __str__(self) -> str:
        return " ".join(f"{day}:{seq}" for day, seq in sorted(self.places.items()))

    def at(self, day: str) -> int:
        return self.places.get(day, 0)

    def moved(self, day: str, seq: int) -> Cursor:
        return Cursor({**self.places, day: seq})

    def within(self, lengths: Mapping[str, int]) -> Cursor:
        """Without days that are gone, and never past the end of a file.

        A power cut, or a file put back from a copy, may leave a file shorter than what was
        read of it; what is written there next must not count as read.
        """
        return Cursor(
            {
                day: min(seq, lengths[day])
                for day, seq in self.places.items()
                if day in lengths and seq
            }
        )

    def lag(self, lengths: Mapping[str, int]) -> int:
        """How many rows lie behind this place."""
        return sum(max(0, length - self.at(day)) for day, length in lengths.items())

    @staticmethod
    def head(lengths: Mapping[str, int], back: int) -> Cursor:
        """The end, or up to `back` rows before it in the order of the days."""
        places = dict(lengths)
        for day in sorted(places, reverse=True):
            step = min(back, places[day])
            places[day] -= step
            back -= step
        return Cursor({day: seq for day, seq in places.items() if seq})
