"""The contract of SampleSink, held by the fake in memory and by InfluxDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.core.ports import SampleSink, SampleSource
from monitor.core.samples.samples import DeviceSample
from tests.fakes.sink import MemorySink
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping


@dataclass
class Store:
    """A sink, and a source of what was written to it."""

    sink: SampleSink
    source: Callable[[], SampleSource]


@pytest.fixture(params=["memory", "influxdb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemorySink()
        yield Store(memory, memory.source)
        return
    settings = request.getfixturevalue("new_bucket")()
    sink, source = InfluxWriter(settings, None), InfluxReader(settings, None)
    yield Store(sink, lambda: source)
    sink.close()
    source.close()


def test_samples_are_stored_when_write_returns(store: Store) -> None:
    store.sink.write([ping(MIDNIGHT_S), interface(MIDNIGHT_S)])
    source = store.source()
    [bucket] = source.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert (bucket.sent, bucket.rtt_low, bucket.rtt_high) == (10, 10.0, 20.0)
    assert source.latest_interfaces("anjatan") == [interface(MIDNIGHT_S)]


def test_samples_written_twice_are_stored_once(store: Store) -> None:
    rows = [ping(MIDNIGHT_S + 10 * place) for place in range(6)]
    store.sink.write(rows[:4])
    store.sink.write(rows)
    [bucket] = store.source().latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert bucket.sent == 60


def test_every_kind_of_sample_is_accepted(store: Store) -> None:
    store.sink.write(one_of_each())
    assert store.source().newest_s() == MIDNIGHT_S


def test_a_sample_without_a_measured_value_is_skipped(store: Store) -> None:
    store.sink.write([DeviceSample(MIDNIGHT_S, "anjatan", "anjatan")])
    store.sink.write([DeviceSample(MIDNIGHT_S, "anjatan", "anjatan"), ping(MIDNIGHT_S)])
    assert store.source().newest_s() == MIDNIGHT_S


def test_an_empty_batch_stores_nothing(store: Store) -> None:
    store.sink.write([])
    assert store.source().newest_s() is None
