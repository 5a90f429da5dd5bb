"""Read the journal's new rows after each episode, and find periods without a row."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.simulated_daemon import SETTLED_S
from tests.waiting import eventually

RECORD_S = 2.0
"""Period of a row in simulated daemons."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two rows of a target that follow one another, and do not lie one period apart. Seconds."""

    target: str
    before_s: float
    after_s: float

    @property
    def length_s(self) -> float:
        return self.after_s - self.before_s


@dataclass(slots=True)
class NewRows:
    """What was written since the last reading.

    lost: requests without an answer, by target.
    """

    rows: int
    gaps: list[Gap]
    lost: dict[str, int]


class JournalWatch:
    """Follows the rows of `ping` in the order in which they were written.

    A row's time may jump with the clock, so files are read by row number, not by time.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read: dict[tuple[str, int], int] = {}
        self._last_s: dict[str, float] = {}

    def read(self) -> NewRows:
        """Every new row; waits while a file cannot be read, since faults may have taken it."""
        found = eventually(self._try_to_read, SETTLED_S)
        assert found is not None
        return found

    def forget_after(self, now_s: float) -> None:
        """The clock was set back to this: the next row follows the last one before it."""
        self._last_s = {name: min(at_s, now_s) for name, at_s in self._last_s.items()}

    def _try_to_read(self) -> NewRows | None:
        found = NewRows(0, [], {})
        read, last_s = dict(self._read), dict(self._last_s)
        try:
            for file in sorted(self._journal.glob("samples-*.db")):
                key = (file.name, file.stat().st_ino)
                for seq, target, at_s, lost in _rows(file, read.get(key, 0)):
                    read[key] = seq
                    found.rows += 1
                    found.lost[target] = found.lost.get(target, 0) + lost
                    before_s = last_s.get(target)
                    if before_s is not None and abs(at_s - before_s - RECORD_S) > RECORD_S / 2:
                        found.gaps.append(Gap(target, before_s, at_s))
                    last_s[target] = at_s
        except (OSError, sqlite3.Error):
            return None
        self._read, self._last_s = read, last_s
        return found


def _rows(file: Path, after: int) -> list[tuple[int, str, float, int]]:
    """Row number, target, time and lost requests of each row after a number."""
    begins_s = datetime.strptime(file.stem[-8:], "%Y%m%d").replace(tzinfo=UTC).timestamp()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return [
            (seq, json.loads(identity)["target"], begins_s + at_ms / 1000, sent - received)
            for seq, identity, at_ms, sent, received in connection.execute(
                "SELECT seq, identity, t, sent, received FROM ping JOIN series ON series = id "
                "WHERE seq > ? ORDER BY seq",
                (after,),
            )
        ]
