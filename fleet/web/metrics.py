"""/metrics: a live fleet for Prometheus, in its text format (prometheus.io, "Exposition formats").

Everything is read when somebody asks; nothing is counted twice. Labels have values from closed sets
only, and of a set that users can enlarge (products, reasons, accounts) the first few, the rest being
`other`: the number of time series does not grow with the fleet. No label names a device.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from firmware_sim.device.indicator import LIGHTS
from firmware_sim.device.states import Lifecycle
from firmware_sim.errors import SimulatorError
from fleet.cloud.api.admin_api import Stats
from fleet.run.attendance import Live
from fleet.run.histogram import GROWTH, Histogram
from fleet.run.phases import PHASES
from fleet.run.runner import Run
from fleet.run.supervisor import Supervisor

PATH = "/metrics"
OTHER: Final = "other"
PRODUCTS_MAX, REASONS_MAX, SERVICES_MAX = 12, 40, 60
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0)
LAG_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_PREFIX = "fleet_"


class FleetMetrics(Collector):
    """A live fleet at the moment at which it is asked; `stats` are the cloud's, None: it is away."""

    def __init__(self, live: Live, stats: Stats | None, sessions: int) -> None:
        """Look at the fleet; `sessions` are those of browsers."""
        self._live = live
        self._stats = stats
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        supervisor, run = self._live.supervisor, self._live.run
        yield from _devices(supervisor)
        yield from _measured(supervisor)
        yield from _processes(supervisor)
        if run is not None:
            yield from _outcomes(run)
        yield gauge("cloud_up", "Whether the cloud answers.", int(self._stats is not None))
        if self._stats is not None:
            yield from _cloud(self._stats)
        yield gauge("web_sessions", "Browsers that are known to the pages.", self._sessions)


def metrics_route(live: Live, sessions: Callable[[], int]) -> BaseRoute:
    """Return the route of /metrics."""

    async def metrics(_: Request) -> Response:
        supervisor = live.supervisor
        stats = None
        if supervisor.shards:
            supervisor.sample()
            try:
                stats = await supervisor.admin.stats()
            except SimulatorError:
                stats = None  # the gauge says that it is away
        registry = CollectorRegistry(auto_describe=False)
        registry.register(FleetMetrics(live, stats, sessions()))
        headers = {"cache-control": "no-store"}
        return Response(generate_latest(registry), 200, headers, CONTENT_TYPE_PLAIN_0_0_4)

    return Route(PATH, metrics)


# --- families -----------------------------------------------------------------------------------


def _devices(supervisor: Supervisor) -> Iterator[Metric]:
    watch, population = supervisor.watch, supervisor.population
    yield by(
        GaugeMetricFamily,
        "devices_by_state",
        "Devices by the state of their firmware.",
        "state",
        {state.name.lower(): watch.lifecycles[state.name] for state in Lifecycle},
    )
    yield by(
        GaugeMetricFamily,
        "devices_by_light",
        "Devices by what their light shows.",
        "light",
        {light: watch.lights[light] for light in LIGHTS},
    )
    counts: dict[str, int] = {}
    online: dict[str, int] = {}
    for unit, seen in zip(population.units, watch.last, strict=False):
        name = unit.product.name
        counts[name] = counts.get(name, 0) + 1
        online[name] = online.get(name, 0) + (seen.light == "online")
    yield by(
        GaugeMetricFamily,
        "devices",
        "Devices by product.",
        "product",
        bounded(counts, PRODUCTS_MAX),
    )
    yield by(
        GaugeMetricFamily,
        "devices_online",
        "Devices that are online, by product.",
        "product",
        bounded(online, PRODUCTS_MAX, counts),
    )
    yield counter("state_changes", "States that devices have entered.", watch.changes)


def _measured(supervisor: Supervisor) -> Iterator[Metric]:
    measured = supervisor.measured
    phases = HistogramMetricFamily(
        _PREFIX + "phase_seconds", "How long devices took for their phases.", labels=["phase"]
    )
    for name in PHASES:
        buckets, sum_s = cumulative(measured.phases[name], BOUNDS_S)
        phases.add_metric([name], buckets, sum_s)
    yield phases
    lag = HistogramMetricFamily(
        _PREFIX + "generator_lag_seconds", "How late the loops of the devices were."
    )
    lag.add_metric([], *cumulative(measured.loop_lag, LAG_BOUNDS_S))
    yield lag
    frames = measured.lens.values()
    yield counter("frames", "Frames that lenses took.", sum(p.frames for p in frames))
    yield counter("frames_decoded", "Frames with a code.", sum(p.decoded for p in frames))
    yield by(
        CounterMetricFamily,
        "attempts_failed",
        "What devices tried in vain, by kind.",
        "kind",
        bounded(supervisor.retries.so_far(), REASONS_MAX),
    )
    struck = sum(sum(states.values()) for states in measured.struck.values())
    yield counter("faults_struck", "How often a fault has befallen a device.", struck)


def _processes(supervisor: Supervisor) -> Iterator[Metric]:
    costs: dict[str, float] = {}
    for name, cpu_s in supervisor.meter.by_group().items():
        group = name.partition("/")[0]
        costs[group] = costs.get(group, 0.0) + cpu_s
    yield by(
        CounterMetricFamily, "cpu_seconds", "Processor time of all processes.", "process", costs
    )
    yield gauge("resident_bytes", "Memory of all processes.", supervisor.meter.rss_bytes)
    serving = sum(1 for shard in supervisor.shards if shard.serving)
    yield gauge("shards", "Processes that simulate devices.", serving)
    yield counter("incidents", "What an operator should know of.", len(supervisor.incidents))


def _outcomes(run: Run) -> Iterator[Metric]:
    yield counter("unbound", "Devices that operators have unbound.", len(run.tally.unbound))
    yield counter("rebound", "Devices that new owners have bound.", len(run.tally.rebound))
    yield counter("tickets", "Tickets that operators have filed.", run.tally.tickets)
    yield by(
        CounterMetricFamily,
        "refused",
        "Refusals that operators have read.",
        "reason",
        bounded(run.tally.refused, REASONS_MAX),
    )
    yield by(
        CounterMetricFamily,
        "failed",
        "Failures before the cloud was asked.",
        "reason",
        bounded(run.failed(), REASONS_MAX),
    )
    yield gauge(
        "operators",
        "Operators who may take a batch now.",
        0 if run.pace.paused else run.pace.operators,
    )
    yield by(
        GaugeMetricFamily,
        "phase",
        "Which phase of the scenario it is.",
        "phase",
        {name: int(name == run.phase) for name in RUN_PHASES},
    )


RUN_PHASES = ("start", "home", "return", "reset", "unbind", "rebind", "stay", "check", "done")


def _cloud(stats: Stats) -> Iterator[Metric]:
    server = stats.server
    totals: dict[str, tuple[str, float]] = {
        "cloud_requests": ("Requests over HTTP.", server.requests),
        "cloud_commits": ("Transactions.", server.commits),
        "cloud_changes": ("Records that they changed.", server.changes),
        "cloud_mqtt_accepted": ("Connections to the broker.", server.mqtt_accepted),
        "cloud_pushes": ("Messages for developers.", server.pushes),
        "cloud_push_frames": ("Such messages that were sent.", server.push_frames),
    }
    for name, (words, value) in totals.items():
        yield counter(name, words, value)
    yield counter("cloud_cpu_seconds", "Processor time of the cloud.", server.cpu_ms / 1000)
    now: dict[str, tuple[str, float]] = {
        "cloud_http_connections": ("Connections over HTTP now.", server.http_connections),
        "cloud_mqtt_clients": ("Clients of the broker now.", stats.mqtt_clients),
        "cloud_push_consumers": ("Consumers of messages now.", server.push_consumers),
        "cloud_held": ("Effects that wait for the disk now.", server.held),
        "cloud_loop_lag_p99_seconds": (
            "How late its loop was in the last minute.",
            server.loop_lag_p99_ms / 1000,
        ),
        "cloud_peak_resident_bytes": ("Memory of the cloud at most.", server.peak_rss_kib * 1024),
    }
    for name, (words, value) in now.items():
        yield gauge(name, words, value)
    yield by(
        CounterMetricFamily,
        "cloud_services",
        "What services have counted.",
        "service",
        bounded(stats.services, SERVICES_MAX),
    )


# --- how ----------------------------------------------------------------------------------------


def gauge(name: str, words: str, value: float) -> Metric:
    """Return a family of one gauge."""
    return GaugeMetricFamily(_PREFIX + name, words, value=value)


def counter(name: str, words: str, value: float) -> Metric:
    """Return a family of one counter; its sample is called `NAME_total`."""
    return CounterMetricFamily(_PREFIX + name, words, value=value)


def by(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    words: str,
    label: str,
    values: Mapping[str, float],
) -> Metric:
    """Return a family with one sample for each value of a label."""
    family = kind(_PREFIX + name, words, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def bounded(
    counts: Mapping[str, float], most: int, order: Iterable[str] | None = None
) -> dict[str, float]:
    """Return the first `most` of `counts`, by their names, and the sum of all others.

    Where names come and go, `order` has all of them, so that the same ones are always kept.
    """
    kept: dict[str, float] = {}
    for name in sorted(counts if order is None else order):
        value = counts.get(name, 0)
        if len(kept) < most:
            kept[_label(name)] = kept.get(_label(name), 0) + value
        else:
            kept[OTHER] = kept.get(OTHER, 0) + value
    return kept


def cumulative(
    histogram: Histogram, bounds_s: Iterable[float]
) -> tuple[list[tuple[str, float]], float]:
    """Return how many durations did not exceed each bound, as Prometheus wants it, and their sum.

    Both are at most 2 % off, as a bucket of ours is wide; the count of all is exact.
    """
    tops = sorted((GROWTH**bucket, count) for bucket, count in histogram.buckets.items())
    buckets = [
        (f"{bound_s:g}", float(sum(count for top_ms, count in tops if top_ms <= 1000 * bound_s)))
        for bound_s in bounds_s
    ]
    buckets.append(("+Inf", float(histogram.count)))
    return buckets, sum(top_ms * count for top_ms, count in tops) / 1000


_STRANGE = re.compile(r"[^\w.@:/ -]")


def _label(name: str) -> str:
    """Return a name as a label: short, and without what would have to be escaped."""
    return _STRANGE.sub("_", name)[:60]
