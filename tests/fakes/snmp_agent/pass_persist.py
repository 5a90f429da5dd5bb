"""The pass_persist program of snmpd: serves objects that a test wrote to a JSON file.

Protocol: snmpd.conf(5), "MIB-specific extension commands". Standard library only: snmpd starts it
outside of the virtual environment.
"""

from __future__ import annotations

import bisect
import json
import sys
from pathlib import Path

Row = tuple[str, str]


class Objects:
    """The file's objects, sorted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = (0, 0)
        self._rows: dict[tuple[int, ...], Row] = {}
        self._order: list[tuple[int, ...]] = []

    def refresh(self) -> None:
        """Read the file if it has changed."""
        state = self._path.stat()
        version = (state.st_mtime_ns, state.st_ino)
        if version == self._version:
            return
        written = json.loads(self._path.read_text())
        self._version = version
        self._rows = {
            tuple(map(int, oid.split("."))): (kind, str(value))
            for oid, (kind, value) in written.items()
        }
        self._order = sorted(self._rows)

    def get(self, oid: tuple[int, ...]) -> tuple[tuple[int, ...], Row] | None:
        row = self._rows.get(oid)
        return None if row is None else (oid, row)

    def next_after(self, oid: tuple[int, ...]) -> tuple[tuple[int, ...], Row] | None:
        place = bisect.bisect_right(self._order, oid)
        if place == len(self._order):
            return None
        found = self._order[place]
        return found, self._rows[found]


def main(path: Path) -> None:
    """Serve until snmpd closes the pipe."""
    objects = Objects(path)
    while command := sys.stdin.readline().strip():
        if command == "PING":
            _write("PONG")
            continue
        requested = tuple(int(part) for part in sys.stdin.readline().strip().strip(".").split("."))
        objects.refresh()
        found = objects.get(requested) if command == "get" else objects.next_after(requested)
        if found is None:
            _write("NONE")
        else:
            oid, (kind, value) = found
            _write("." + ".".join(map(str, oid)), kind, value)


def _write(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
