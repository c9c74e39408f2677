"""A run that goes on, as one struct for each moment; what needs two moments is remembered here."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from firmware_sim.device.indicator import LIGHTS
from fleet.cloud.quotas import Quota
from fleet.run.attendance import Live, Told
from fleet.run.faults import ALWAYS
from fleet.run.histogram import Histogram
from fleet.run.measured import LOOP_LAG_P99_MAX_MS, SHARD_CPU_MAX_PCT
from fleet.run.progress import Rate
from fleet.run.retries import Retries
from fleet.run.runner import Run
from fleet.run.supervisor import Supervisor
from fleet.web import run_words as words

LAG_OVER = 20  # moments
LINES_MAX = 200
_LAST = "done"
_KEPT = ("unbind", "rebind")  # phases whose count stands for good, and goes on in the next one
TITLES = {
    "start": "Starting",
    "home": "Online at home",
    "return": "Carried to the warehouse",
    "reset": "Reset, waiting for a token",
    "unbind": "Unbound",
    "rebind": "Bound by new owners",
    "stay": "Online",
    "check": "Checked",
}


def stage_names(run: Run) -> tuple[str, ...]:
    """Return the phases that a run has, in order."""
    scenario = run.population.scenario
    if not scenario.unbind:
        return ("start", "home", "stay", "check")
    way = () if scenario.start == "shelf" else ("home", "return", "reset")
    return ("start", *way, "unbind", "rebind", "check")


class RunView:
    """Looks at one live fleet, about twice a second. `injected` tells what was done by hand."""

    def __init__(self, live: Live, injected: Callable[[], list[words.Injected]]) -> None:
        """Begin to look."""
        self._live = live
        self._injected = injected
        self._rates = {name: Rate() for name in ("states", "unbound", "rebound")}
        self._lags: deque[Histogram] = deque(maxlen=LAG_OVER)
        self._costs: deque[tuple[float, dict[str, float]]] = deque(maxlen=LAG_OVER)
        self.quotas: list[Quota] | None = None

    def moment(self) -> words.Moment:
        """Return how it is now."""
        live = self._live
        supervisor, run = live.supervisor, live.run
        watch, now_s = supervisor.watch, time.monotonic()
        unbound, rebound = (len(run.tally.unbound), len(run.tally.rebound)) if run else (0, 0)
        return words.Moment(
            at_ms=supervisor.now_ms(),
            elapsed_s=supervisor.meter.elapsed_s,
            scenario=live.population.scenario.name if run is not None else "",
            phase=run.phase if run is not None else "",
            devices=len(watch.last),
            stages=self._stages(run) if run is not None else [],
            states={state.lower(): n for state, n in sorted(watch.lifecycles.items()) if n},
            lights={light: n for light in LIGHTS if (n := watch.lights[light])},
            unbound=unbound,
            rebound=rebound,
            states_per_s=self._rates["states"].add(now_s, watch.changes),
            unbound_per_s=self._rates["unbound"].add(now_s, unbound),
            rebound_per_s=self._rates["rebound"].add(now_s, rebound),
            refused=dict(run.tally.refused) if run is not None else {},
            failed=run.failed() if run is not None else {},
            attempts=attempts(supervisor.retries),
            phases=phase_times(supervisor.measured.phases),
            quotas=self._quotas(run),
            faults=_faults(live),
            injected=self._injected(),
            generator=self._generator(supervisor, now_s),
            people=people(run),
            last_line=live.told.count,
        )

    def past(self) -> words.Past:
        """Return what a page shows first: everything until now."""
        supervisor = self._live.supervisor
        over_time = supervisor.chronicle.over_time(supervisor.now_ms())
        slot_s = over_time.slot_ms / 1000
        return words.Past(
            now=self.moment(),
            slot_s=slot_s,
            slots=[
                words.Slot(
                    slot_s * (number + 1), dict(one.lights), one.changes, one.unbound, one.rebound
                )
                for number, one in enumerate(over_time.slots[:-1])
            ],
            lines=lines_after(self._live.told, 0),
            lights=LIGHTS,
        )

    def _stages(self, run: Run) -> list[words.Stage]:
        """Return the phases; of one that is over counts who came through it in time."""
        watch, count = self._live.supervisor.watch, len(run.population.units)
        for_sale = sum(1 for unit in run.population.units if unit.new_owner is not None)
        so_far = {
            "home": watch.lights["online"],
            "return": count - watch.lifecycles["OFF"] - watch.lifecycles["BOOTING"],
            "reset": watch.lifecycles["WAITING"],
            "unbind": len(run.tally.unbound),
            "rebind": len(run.tally.rebound),
            "stay": watch.lights["online"],
        }
        names = stage_names(run)
        now = len(names) if run.phase == _LAST else names.index(run.phase)
        stages = []
        for number, name in enumerate(names):
            state = "done" if number < now else "now" if number == now else "later"
            of = for_sale if name == "rebind" else count if name in so_far else 0
            done = so_far.get(name, 0) if state == "now" or name in _KEPT else 0
            if state == "done" and name not in _KEPT:
                done = of - run.late.get(name, 0) if of else 0
            stages.append(words.Stage(name, TITLES[name], min(done, of), of, state))
        return stages

    def _quotas(self, run: Run | None) -> list[words.QuotaUse] | None:
        if self.quotas is None:
            return None
        population = self._live.supervisor.population
        names = {one.product_id: one.name for one in population.products}
        used = [
            words.QuotaUse(one.scope, names.get(one.name, one.name), one.used, one.limit)
            for one in self.quotas
        ]
        if run is None:
            return used
        known = {one.name for one in self.quotas}
        limit = run.population.scenario.quotas.account
        return used + [
            words.QuotaUse("account", person.name, 0, limit)
            for person in run.population.operators
            if person.name not in known
        ]

    def _generator(self, supervisor: Supervisor, now_s: float) -> words.Generator:
        lag = supervisor.measured.loop_lag
        before = self._lags[0] if self._lags else Histogram()
        self._lags.append(Histogram(dict(lag.buckets), lag.count, lag.max_ms))
        recent = since(before, lag)
        loads = self._loads(supervisor.meter.by_group(), now_s)
        lenses = supervisor.measured.lens.values()
        lag_p99_ms = recent.percentile(99)
        shards = [load.cpu_pct for load in loads if load.name.startswith("shards")]
        return words.Generator(
            lag_p99_ms=round(lag_p99_ms, 1),
            lag_max_ms=round(lag.max_ms, 1),
            frames=sum(pulse.frames for pulse in lenses),
            decoded=sum(pulse.decoded for pulse in lenses),
            loads=loads,
            rss_bytes=supervisor.meter.rss_bytes,
            held_back=lag_p99_ms > LOOP_LAG_P99_MAX_MS
            or max(shards, default=0) > SHARD_CPU_MAX_PCT,
        )

    def _loads(self, costs: dict[str, float], now_s: float) -> list[words.Load]:
        then_s, then = self._costs[0] if self._costs else (now_s, costs)
        self._costs.append((now_s, costs))
        span_s = now_s - then_s
        return [
            words.Load(name, round(100 * (cost - then.get(name, 0.0)) / span_s, 1) if span_s else 0)
            for name, cost in sorted(costs.items())
        ]


def phase_times(phases: Mapping[str, Histogram]) -> list[words.PhaseTimes]:
    """Return the figures of all phases that anybody has completed."""
    return [
        words.PhaseTimes(
            name=name,
            count=one.count,
            p50_ms=round(one.percentile(50), 1),
            p90_ms=round(one.percentile(90), 1),
            p95_ms=round(one.percentile(95), 1),
            p99_ms=round(one.percentile(99), 1),
            max_ms=round(one.max_ms, 1),
        )
        for name, one in phases.items()
        if one.count
    ]


def since(before: Histogram, after: Histogram) -> Histogram:
    """Return what was counted between two looks at the same histogram."""
    left = {
        bucket: count - before.buckets.get(bucket, 0)
        for bucket, count in after.buckets.items()
        if count != before.buckets.get(bucket, 0)
    }
    return Histogram(left, sum(left.values()), after.max_ms if left else 0.0)


def attempts(retries: Retries) -> dict[str, int]:
    """Return what devices have tried in vain, by kind."""
    return dict(sorted(retries.so_far().items()))


def lines_after(told: Told, number: int) -> list[words.Told]:
    """Return the lines after that number, the last ones if there are too many."""
    first = told.count - len(told.lines) + 1
    numbered = enumerate(told.lines, first)
    new = [words.Told(n, line.at_ms, line.text) for n, line in numbered if n > number]
    return new[-LINES_MAX:]


def people_of(run: Run) -> words.People:
    """Return the operators of a run."""
    pace = run.pace
    most = pace.batch_max or run.population.scenario.batch_max
    return words.People(pace.operators, pace.all_operators, most, pace.paused)


def people(run: Run | None) -> words.People | None:
    """Return the operators of what is played; None where there are none."""
    return people_of(run) if run is not None and run.pace.all_operators else None


def _faults(live: Live) -> list[words.FaultPlanned]:
    if live.run is None:
        return []
    struck, phase = live.supervisor.measured.struck, live.run.phase
    return [
        words.FaultPlanned(
            kind=table.kind,
            during=table.during,
            struck=sum(struck.get(number, {}).values()),
            now=table.during in (phase, ALWAYS) and phase not in (_LAST, "check"),
            played=table.facts.live,
        )
        for number, table in enumerate(live.population.scenario.faults)
    ]
