"""Settings of every test."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from monitor.settings.model import InfluxSettings
from tests.influx_server import InfluxServer

# No deadline: a slow or busy machine is no reason to fail. `deploy/test --full` uses the thorough
# profile, everything else the quick one; a test that sets max_examples uses that in both.
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("quick")

# A background process of a shell (nohup, a CI job) ignores Ctrl-C, and so would the programs that
# tests start: those that test Ctrl-C would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """One InfluxDB for all tests that neither stop it nor need an empty one."""
    with InfluxServer(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture(scope="session")
def new_bucket(influx_server: InfluxServer) -> Callable[[], InfluxSettings]:
    """Creates a bucket with a name of its own on that server."""
    numbers = itertools.count()
    return lambda: influx_server.bucket(f"bucket_{next(numbers)}")
