"""What the node counts, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 900, 3600)


class Metrics:
    """The node's counters, in a registry of their own.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.refused("age")
    >>> metrics.registry.get_sample_value("spinexplain_refused_total", {"reason": "age"})
    1.0
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._series = Gauge(
            "spinexplain_series", "Series by state", ["state"], registry=self.registry
        )
        self._seconds = Histogram(
            "spinexplain_stage_seconds",
            "Seconds of each stage",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refused = Counter(
            "spinexplain_refused", "Series not graded", ["reason"], registry=self.registry
        )
        self._failed = Counter(
            "spinexplain_failed_attempts", "Attempts that failed", ["why"], registry=self.registry
        )
        self._graded = Counter(
            "spinexplain_graded", "Series graded and delivered", registry=self.registry
        )
        self._free = Gauge("spinexplain_free_bytes", "Free disk space", registry=self.registry)

    def refused(self, reason: str) -> None:
        """Count a series that is not graded."""
        self._refused.labels(reason).inc()

    def failed(self, why: str) -> None:
        """Count an attempt that failed."""
        self._failed.labels(why).inc()

    def graded(self) -> None:
        """Count a series that was graded and delivered."""
        self._graded.inc()

    def observe(self, counts: Mapping[str, int], free_bytes: int) -> None:
        """Take the state of the ledger and of the disk."""
        for state, count in counts.items():
            self._series.labels(state).set(count)
        self._free.set(free_bytes)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage that ends well."""
        started = time.perf_counter()
        yield
        self._seconds.labels(name).observe(time.perf_counter() - started)
