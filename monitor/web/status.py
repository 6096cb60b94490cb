"""What a running daemon tells about itself: for /healthz and /metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from monitor.model import Delivery, Overdue, ResultWord

STALE = timedelta(seconds=10)  # without a tick for this long, the daemon is not well
DELAYS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 600, 3600, 86400)  # seconds
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Status:
    """Counters of one process. Never labelled by address: their number would grow with the web."""

    def __init__(self, started: datetime, *, sources: int = 0) -> None:
        self.started, self.last_tick = started, started
        self.overdue: list[Overdue] = []  # releases that should have come
        self.trouble: dict[str, str] = {}  # job -> what is wrong with it now
        self.registry = CollectorRegistry()
        self._checks = Counter("mubiao_checks_total", "Checks by result", ["result"], registry=self.registry)
        self._alerts = Counter(
            "mubiao_deliveries_total", "Delivery attempts by result", ["result"], registry=self.registry
        )
        self._tick = Gauge("mubiao_last_tick_timestamp_seconds", "When the due tick last ran", registry=self.registry)
        self._sources = Gauge("mubiao_sources", "Sources in the configuration", registry=self.registry)
        self._overdue = Gauge("mubiao_releases_overdue", "Releases that should have come", registry=self.registry)
        self._trouble = Gauge("mubiao_trouble", "Jobs of the process in trouble now", registry=self.registry)
        self._state = Gauge("mubiao_rows", "Rows of the database", ["table"], registry=self.registry)
        self._late = Histogram(
            "mubiao_start_delay_seconds", "From a page's due time to its check", registry=self.registry, buckets=DELAYS
        )
        self._lag = Histogram(
            "mubiao_loop_lag_seconds",
            "How late the event loop runs what is ready",
            registry=self.registry,
            buckets=LAGS,
        )
        ProcessCollector(registry=self.registry)  # memory, descriptors and CPU time, under their usual names
        self.watches(sources)

    def watches(self, sources: int) -> None:
        """So many sources stand in the configuration."""
        self._sources.set(sources)

    def ticked(self, at: datetime) -> None:
        """The due tick ran."""
        self.last_tick = at
        self._tick.set(at.timestamp())

    def checked(self, counts: Mapping[ResultWord, int]) -> None:
        """A pass ended with these results."""
        for word, n in counts.items():
            self._checks.labels(word).inc(n)

    def began(self, late: timedelta) -> None:
        """A check began so long after its page was due."""
        self._late.observe(max(late.total_seconds(), 0.0))

    def lagged(self, seconds: float) -> None:
        """The event loop was so late."""
        self._lag.observe(max(seconds, 0.0))

    def delivered(self, attempts: Iterable[Delivery]) -> None:
        """Messages were tried."""
        for attempt in attempts:
            self._alerts.labels("sent" if attempt.ok else "failed").inc()

    def healthy(self, now: datetime) -> bool:
        """Whether the tick is alive and no job is in trouble."""
        return self.ticking(now) and not self.trouble

    def ticking(self, now: datetime) -> bool:
        """Whether the loop that everything hangs on is alive. A tick of the future tells nothing: a clock set back."""
        return abs(now - self.last_tick) <= STALE

    def metrics(self, rows: Mapping[str, int]) -> bytes:
        """The Prometheus text format."""
        self._overdue.set(len(self.overdue))
        self._trouble.set(len(self.trouble))
        self._state.clear()  # figures of a database that is away are no figures
        for table, n in rows.items():
            self._state.labels(table).set(n)
        return generate_latest(self.registry)
