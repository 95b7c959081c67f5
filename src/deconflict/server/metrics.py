"""Metrics in Prometheus' form, in a registry of their own.

No label holds a party, an address or an identifier: a metric is read by whoever watches the
machine, and must not tell who asks what.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_ENTRIES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_BYTES: Final = (1e3, 1e4, 1e5, 1e6, 1e7)


class Metrics:
    """What is counted; also the coordinator's `deconflict.server.observer.Observer`."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = _Requests()
        registry.register(self._requests)
        self._refused = Counter(
            "deconflict_refused",
            "Requests and connections refused by a limit, a token or the state of the service.",
            ["reason"],
            registry=registry,
        )
        self._entries = Histogram(
            "deconflict_commit_entries", "Entries a commit.", buckets=_ENTRIES, registry=registry
        )
        self._commit_seconds = Histogram(
            "deconflict_commit_seconds",
            "Time until a commit is durable.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._commit_bytes = Histogram(
            "deconflict_commit_said_bytes",
            "Bytes of the requests in a commit.",
            buckets=_BYTES,
            registry=registry,
        )
        self._queue = Gauge(
            "deconflict_queued_commands",
            "Commands that waited when the last group was taken.",
            registry=registry,
        )
        self._reads = Counter(
            "deconflict_reads_recorded",
            "Answered reads that are in the journal.",
            registry=registry,
        )
        self._lag = Gauge(
            "deconflict_checkpoint_lag_seconds",
            "How long after its entries the last checkpoint was signed.",
            registry=registry,
        )

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Parameters
        ----------
        operation
            The operation's name, from a table and never from the request.
        status
            The reply's.
        seconds
            How long it took.
        """
        self._requests.answered(operation, status, seconds)

    def gauge(self, name: str, words: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Have figures read whenever the metrics are asked for, one for each `kind`."""
        self._registry.register(_Read(GaugeMetricFamily, f"deconflict_{name}", words, read))

    def counter(self, name: str, words: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Have figures that only grow read likewise."""
        self._registry.register(_Read(CounterMetricFamily, f"deconflict_{name}", words, read))

    def text(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)

    def queued(self, commands: int) -> None:
        """Say how many commands wait."""
        self._queue.set(commands)

    def committed(self, entries: int, said_bytes: int, seconds: float) -> None:
        """Say that a group is durable."""
        self._entries.observe(entries)
        self._commit_bytes.observe(said_bytes)
        self._commit_seconds.observe(seconds)

    def refused(self, reason: str, commands: int = 1) -> None:
        """Count what was refused; `reason` is one of a few words."""
        self._refused.labels(reason).inc(commands)

    def reads_recorded(self, reads: int) -> None:
        """Count answered reads that are in the journal."""
        self._reads.inc(reads)

    def checkpointed(self, seconds: float) -> None:
        """Say how long the signed checkpoint lagged."""
        self._lag.set(seconds)


class _Requests(Collector):
    """Counts and times of requests, kept as plain numbers.

    The event loop alone adds to them, so they need no locks: a fifth of the library's time.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}
        self._times: dict[str, tuple[list[int], list[float]]] = {}

    def answered(self, operation: str, status: int, seconds: float) -> None:
        key = operation, status
        self._counts[key] = self._counts.get(key, 0) + 1
        times = self._times.get(operation)
        if times is None:
            times = self._times[operation] = ([0] * (len(_SECONDS) + 1), [0.0])
        times[0][bisect_left(_SECONDS, seconds)] += 1
        times[1][0] += seconds

    def describe(self) -> Iterator[Metric]:
        yield from (self._count_family(), self._time_family())

    def collect(self) -> Iterator[Metric]:
        counts, times = self._count_family(), self._time_family()
        for (operation, status), number in self._counts.items():
            counts.add_metric([operation, str(status)], number)
        bounds = [*(repr(bound) for bound in _SECONDS), "+Inf"]
        for operation, (numbers, total) in self._times.items():
            buckets = list(zip(bounds, accumulate(numbers), strict=True))
            times.add_metric([operation], buckets, sum_value=total[0])
        yield from (counts, times)

    @staticmethod
    def _count_family() -> CounterMetricFamily:
        return CounterMetricFamily(
            "deconflict_requests", "Requests answered.", labels=["operation", "status"]
        )

    @staticmethod
    def _time_family() -> HistogramMetricFamily:
        return HistogramMetricFamily(
            "deconflict_request_seconds",
            "Time from a request's headers to its reply.",
            labels=["operation"],
        )


class _Read(Collector):
    """A metric whose figures are read when they are asked for."""

    def __init__(
        self,
        family: type[GaugeMetricFamily | CounterMetricFamily],
        name: str,
        words: str,
        read: Callable[[], Mapping[str, float]],
    ) -> None:
        self._family = family
        self._name = name
        self._words = words
        self._read = read

    def describe(self) -> Iterator[Metric]:
        yield self._family(self._name, self._words, labels=["kind"])

    def collect(self) -> Iterator[Metric]:
        family = self._family(self._name, self._words, labels=["kind"])
        for kind, figure in self._read().items():
            family.add_metric([kind], figure)
        yield family
