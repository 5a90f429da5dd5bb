"""What the shipper may expect of where it ships to: the one in memory, and a real InfluxDB."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.core.ports import SampleSink, SampleSource
from monitor.core.samples.samples import DeviceSample
from tests.fakes.sink import MemorySink
from tests.influx_server import InfluxServer
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping


@dataclass
class Shore:
    """A sink, and what has arrived there."""

    sink: SampleSink
    arrived: Callable[[], SampleSource]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with InfluxServer(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture(scope="module")
def names() -> Iterator[int]:
    return itertools.count()


@pytest.fixture(params=["memory", "influxdb"])
def shore(
    request: pytest.FixtureRequest, server: InfluxServer, names: Iterator[int]
) -> Iterator[Shore]:
    if request.param == "memory":
        memory = MemorySink()
        yield Shore(memory, memory.source)
        return
    settings = server.bucket(f"sink_{next(names)}")
    sink, source = InfluxWriter(settings, None), InfluxReader(settings, None)
    yield Shore(sink, lambda: source)
    sink.close()
    source.close()


def test_what_was_written_is_there_when_write_returns(shore: Shore) -> None:
    shore.sink.write([ping(MIDNIGHT_S), interface(MIDNIGHT_S)])
    arrived = shore.arrived()
    [bucket] = arrived.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert (bucket.sent, bucket.rtt_low, bucket.rtt_high) == (10, 10.0, 20.0)
    assert arrived.latest_interfaces("anjatan") == [interface(MIDNIGHT_S)]


def test_what_is_written_twice_is_there_once(shore: Shore) -> None:
    rows = [ping(MIDNIGHT_S + 10 * place) for place in range(6)]
    shore.sink.write(rows[:4])
    shore.sink.write(rows)
    [bucket] = shore.arrived().latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert bucket.sent == 60


def test_every_kind_of_sample_is_taken(shore: Shore) -> None:
    shore.sink.write(one_of_each())
    assert shore.arrived().newest_s() == MIDNIGHT_S


def test_a_sample_in_which_nothing_was_measured_is_no_reason_to_fail(shore: Shore) -> None:
    shore.sink.write([DeviceSample(MIDNIGHT_S, "anjatan", "anjatan")])
    shore.sink.write([DeviceSample(MIDNIGHT_S, "anjatan", "anjatan"), ping(MIDNIGHT_S)])
    assert shore.arrived().newest_s() == MIDNIGHT_S


def test_writing_nothing_is_nothing(shore: Shore) -> None:
    shore.sink.write([])
    assert shore.arrived().newest_s() is None
