"""The contract of ResendStore, held by the fake in memory and by the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.adapters.system.resend_file import ResendFile
from monitor.core.errors import StoreError
from monitor.core.ports import ResendRequest, ResendStore
from tests.fakes.dead_letters import MemoryResendStore

REQUESTS = (
    ResendRequest("20251125:17", "20251125:90", None, 1764028800.25, 1764028900.0),
    ResendRequest("", None, "ping"),
)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResendStore:
    return MemoryResendStore() if request.param == "memory" else ResendFile(tmp_path / "resend")


def test_requests_are_saved_for_each_shipper(store: ResendStore) -> None:
    assert store.load("influxdb") == ()
    store.save("influxdb", REQUESTS)
    store.save("influxdb_1m", REQUESTS[:1])
    assert store.load("influxdb") == REQUESTS
    assert store.load("influxdb_1m") == REQUESTS[:1]
    store.save("influxdb", ())
    assert store.load("influxdb") == ()


def test_the_file_holds_them_over_a_restart(tmp_path: Path) -> None:
    ResendFile(tmp_path / "resend").save("influxdb", REQUESTS)
    assert ResendFile(tmp_path / "resend").load("influxdb") == REQUESTS


@pytest.mark.parametrize("content", ["", "[]", '{"influxdb": [{"x": 1}]}', "\x00"])
def test_a_damaged_file_counts_as_empty_and_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "resend").write_text(content)
    opened = ResendFile(tmp_path / "resend")
    assert opened.load("influxdb") == ()
    assert "pantau influx resend" in str(opened.problem)


def test_a_file_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    opened = ResendFile(tmp_path / "absent" / "resend")
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        opened.save("influxdb", REQUESTS)
    assert opened.load("influxdb") == ()
