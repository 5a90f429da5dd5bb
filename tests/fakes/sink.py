"""An InfluxDB in memory, which accepts or refuses batches as a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.core.errors import InfluxError
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import point_of
from tests.fakes.samples import MemorySource

Answer = Callable[[Sequence[Sample]], InfluxError | None]


class MemorySink:
    """`SampleSink` for tests. A sample with the tags and the time of an earlier one replaces it.

    answer: what to raise for a batch, None to accept it. sizes: of every batch that came.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self.sizes: list[int] = []
        self.closed = False
        self._stored: dict[tuple[str, tuple[tuple[str, str], ...], int], Sample] = {}

    @property
    def stored(self) -> list[Sample]:
        """The stored samples, in the order in which they first came."""
        return list(self._stored.values())

    def source(self) -> MemorySource:
        """A source of what is stored now."""
        source = MemorySource()
        source.add(self._stored.values())
        return source

    def write(self, samples: Sequence[Sample]) -> None:
        self.sizes.append(len(samples))
        error = None if self.answer is None else self.answer(samples)
        if error is not None:
            raise error
        for sample in samples:
            point = point_of(sample)
            if point is not None:
                key = (point.measurement, tuple(point.tags.items()), point.at_ms)
                self._stored[key] = sample

    def close(self) -> None:
        self.closed = True
