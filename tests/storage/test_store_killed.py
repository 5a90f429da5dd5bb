"""An outage, two kill -9 of the writer, one of the server, and two refused lines, all at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader
from tests.influx_server import InfluxServer
from tests.sample_builders import MIDNIGHT_S
from tests.storage.store_process import TARGETS
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


class Writer:
    """The process, and the number of the last batch that it reported as stored."""

    def __init__(self, directory: Path, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.store_process", str(directory), url, "pantau"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stored = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.stored = int(line)

    def until(self, number: int) -> None:
        eventually(lambda: self.stored >= number, 60)

    def kill(self) -> int:
        self._process.kill()
        self._process.wait()
        return self.stored


@contextmanager
def writing(directory: Path, url: str) -> Iterator[Writer]:
    writer = Writer(directory, url)
    try:
        yield writer
    finally:
        writer.kill()


@pytest.mark.full
def test_every_sample_is_stored_once_and_exactly_two_lines_are_set_aside(tmp_path: Path) -> None:
    with InfluxServer(tmp_path / "influx") as server:
        server.bucket("pantau")
        # Another program wrote texts to our numeric field: two rows cannot be stored beside them.
        for at_s in (MIDNIGHT_S - 300 + 1500, MIDNIGHT_S - 300 + 4500):
            server.write(f'interface,ifname=x in_bps="text" {at_s:.0f}000', "pantau")
        with writing(tmp_path, server.url) as writer:
            writer.until(60)
            server.stop()
            writer.until(200)
            stored = writer.kill()
        with writing(tmp_path, server.url) as writer:
            writer.until(stored + 150)
            server.start()
            writer.until(stored + 250)
            server.kill()
            writer.until(stored + 280)
            stored = writer.kill()
        with writing(tmp_path, server.url) as writer:
            server.start()
            writer.until(max(stored + 50, 520))
            eventually(lambda: _shipped(server) >= stored * len(TARGETS), 60)
            last = writer.kill()
        with writing(tmp_path, server.url) as writer:
            writer.until(last + 1)
            eventually(lambda: _shipped(server) >= last * len(TARGETS), 60)
        rows = len(JournalReader(tmp_path / "journal").latency(TARGETS[0], 0.0, 2e9, 10.0))
        with_numbers = server.query(
            'SELECT count("sent"), sum("sent") FROM "ping" GROUP BY *', "pantau"
        )
        assert len(with_numbers) == len(TARGETS)
        for series in with_numbers:
            [[_, count, total]] = series["values"]
            assert last <= count <= rows
            assert total == count * (count + 1) // 2
    lines = [
        json.loads(line)["line"]
        for path in (tmp_path / "quarantine").iterdir()
        for line in path.read_text().splitlines()
    ]
    assert sorted(lines) == sorted(set(lines))
    assert [line.partition(",")[0] for line in lines] == ["interface", "interface"]


def _shipped(server: InfluxServer) -> int:
    found = server.query('SELECT count("sent") FROM "ping"', "pantau")
    return int(found[0]["values"][0][1]) if found else 0
