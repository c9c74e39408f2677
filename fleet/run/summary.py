"""What a run has come to: from everything that was seen and measured to one result."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol

from fleet.run.chronicle import Chronicle
from fleet.run.expectations import Outcomes, expected, judge
from fleet.run.faults import only_virtual
from fleet.run.measured import Measured
from fleet.run.metrics import METRICS
from fleet.run.phases import PHASES
from fleet.run.population import Population
from fleet.run.recovery import Recovery
from fleet.run.result import (
    Details,
    FaultPlayed,
    Generator,
    Lights,
    RunResult,
    Traffic,
    Virtual,
)
from fleet.run.retries import Retries
from fleet.run.runner import Run
from fleet.run.scenario_text import in_toml
from fleet.run.thresholds import read
from fleet.run.usage import Meter
from fleet.run.watch import Watch


class Played(Protocol):
    """The crew of a run that is over, with what it has measured."""

    recovery: Recovery
    watch: Watch
    retries: Retries
    measured: Measured
    meter: Meter
    chronicle: Chronicle
    incidents: list[str]

    def now_ms(self) -> int:
        """Return the time at which it ended."""
        ...


def sum_up(
    run: Run,
    crew: Played,
    *,
    aborted: str,
    decoder: str,
    shards: int = 1,
    virtual: Virtual | None = None,
) -> RunResult:
    """Return what a run has come to. `aborted` says why it ended early, "" if it did not."""
    outcomes = Outcomes(
        unbound=len(run.tally.unbound),
        rebound=len(run.tally.rebound),
        refused=run.refused if run.refused is not None else dict(run.tally.refused),
        failed=run.failed(),
        days=len(run.unbound_by_day),
        tickets=run.tally.tickets,
        attacks=dict(run.tally.attacks),
    )
    crew.recovery.close()
    outages = crew.recovery.outages
    verdict = judge(run.population, outcomes, outages)
    traffic = Traffic.of(run.chips.values())
    meter, measured = crew.meter, crew.measured
    wall_s = meter.elapsed_s
    shards = max(1, shards)
    not_played = only_virtual(run.population.scenario.faults) if virtual is None else ()
    return RunResult(
        scenario=run.population.scenario.name,
        seed=run.population.seed,
        devices=len(run.population.units),
        decoder=decoder,
        shards=shards,
        wall_s=wall_s,
        cpu_s={name: meter.cpu_s(name) for name in ("runner", "cloud", "shards")},
        peak_rss_bytes=meter.peak_rss_bytes,
        outcomes=outcomes,
        phases={name: measured.phases[name] for name in PHASES},
        by_method=run.tally.by_method(),
        generator=Generator(
            loop_lag_p99_ms=measured.loop_lag.percentile(99),
            cpu_pct=100 * meter.cpu_s("shards") / wall_s / shards,
        ),
        violations=tuple(run.violations),
        unmet=() if aborted else verdict.unmet,  # a part of a run can meet no expectation
        left_out=verdict.left_out + not_played,
        incidents=tuple(crew.incidents),
        tickets=run.tally.tickets,
        frames=sum(pulse.frames for pulse in measured.lens.values()),
        decoded=sum(pulse.decoded for pulse in measured.lens.values()),
        aborted=aborted,
        outages=outages,
        traffic=traffic,
        retries=crew.retries.result(traffic.calls + traffic.connects),
        faults=tuple(_played(run.population, measured.struck, everything=virtual is not None)),
        virtual=virtual,
        unbound_by_day=dict(sorted(run.unbound_by_day.items())),
        details=_details(run, crew),
    )


def _details(run: Run, crew: Played) -> Details:
    population, chronicle = run.population, crew.chronicle
    done = run.tally.unbound if population.scenario.unbind else _online(crew)
    log = chronicle.light_log
    return Details(
        population=population,
        scenario_text=in_toml(population.scenario),
        over_time=chronicle.over_time(crew.now_ms()),
        lights=Lights(log.tracked, log.every, log.chosen(population, done)),
        quotas=run.quotas,
        expected=expected(population),
        thresholds=read(population.scenario.thresholds, METRICS),
        checked=run.checked,
        cpu_s_by_group=crew.meter.by_group(),
        for_sale=sum(1 for unit in population.units if unit.new_owner is not None),
    )


def _online(crew: Played) -> list[int]:
    return [seen.index for seen in crew.watch.last if seen.light == "online"]


def _played(
    population: Population, struck: Mapping[int, Counter[str]], *, everything: bool
) -> Iterator[FaultPlayed]:
    for number, table in enumerate(population.scenario.faults):
        if everything or table.facts.live:
            yield FaultPlayed(table.kind, table.during, dict(struck.get(number, {})))
