"""Runs a scenario from outside: checks, folders, signals, partial results, an end in order.

`perform` returns a result in any case that got as far as starting: complete, interrupted by
Ctrl-C, or aborted by something that could not be helped. What is wrong before anything starts is
a `UsageError`.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from firmware_sim.errors import SimulatorError
from fleet.cloud.external import parse_address
from fleet.run.expectations import Outcomes, judge
from fleet.run.fault_player import START
from fleet.run.files import run_folder
from fleet.run.hosting import GRACE_S, first_of, in_loop, settle, stop_signal
from fleet.run.phases import PHASES
from fleet.run.population import Population, populate
from fleet.run.progress import Progress, View, make_progress
from fleet.run.result import FaultPlayed, Generator, RunResult, Traffic
from fleet.run.runner import Run
from fleet.run.scenario import load_scenario, with_outages
from fleet.run.supervisor import Options, Supervisor, cloud_config, shard_count

LOOK_EVERY_S = 0.25
SAMPLE_EVERY = 4  # looks
INTERRUPTED = "interrupted"


def perform(
    scenario: str,
    *,
    devices: int | None = None,
    seed: int = 1,
    decoder: str = "pyzbar",
    shards: int | None = None,
    data_dir: Path | None = None,
    lan: str = "",
    pcap: Path | None = None,
    tls: bool = False,
    device_https_port: int | None = None,
    broker: str = "",
    outage_s: float | None = None,
    console: Console,
) -> RunResult:
    """Run a scenario (built-in name or path); None stands for the scenario's or machine's choice.

    `lan` names one that `fleet lan up` has made; this process moves into it for good. What is said
    on the LAN is written to `pcap`. With `tls` everything between cloud, devices and people is
    encrypted; devices may have a port of their own then. They use the MQTT broker at `broker`, if
    that is not empty. `outage_s` is how long the cloud is away
    where the scenario has it go away. Raises UsageError when the run cannot start.
    """
    plan = with_outages(load_scenario(scenario), outage_s)
    population = populate(plan, devices or plan.devices, seed)
    count = shard_count(len(population.units), shards or 0)
    home = settle(lan, len(population.units), shards=count, decoder=decoder, data_dir=data_dir)
    options = Options(
        decoder=decoder,
        shards=count,
        lan=home,
        pcap=pcap,
        tls=tls,
        device_https_port=device_https_port,
        broker=parse_address(broker) if broker else None,
    )
    with run_folder(data_dir) as folder:
        return in_loop(_perform(population, options, folder, console))


async def _perform(
    population: Population, options: Options, folder: Path, console: Console
) -> RunResult:
    progress = make_progress(console, population.profiles)
    admin_secret = secrets.token_urlsafe(24)
    cloud = cloud_config(population, options, folder, admin_secret)
    supervisor = Supervisor(population, options, folder, cloud, progress.say)
    run = Run(population, supervisor, admin_secret, progress.say)
    aborted = ""
    try:
        async with stop_signal() as stop, _shown(run, supervisor, progress):
            aborted = await _until_end(run, supervisor, stop)
    finally:
        await supervisor.stop(GRACE_S)
    return _result(run, supervisor, options, aborted)


async def _until_end(run: Run, supervisor: Supervisor, stop: asyncio.Event) -> str:
    """Play until the end; return why it ended early, "" if it did not.

    Raises UsageError when it could not even start.
    """
    try:
        if await first_of(run.play(), stop, supervisor.failure):
            return ""
    except SimulatorError as error:
        if run.phase == START:
            raise
        return str(error)
    return INTERRUPTED


@asynccontextmanager
async def _shown(run: Run, supervisor: Supervisor, progress: Progress) -> AsyncIterator[None]:
    """Show progress and sample what it costs, as long as the block lasts."""

    async def look() -> None:
        looks = 0
        while True:
            progress.show(_view(run, supervisor))
            if looks % SAMPLE_EVERY == 0:
                supervisor.sample()
            looks += 1
            await asyncio.sleep(LOOK_EVERY_S)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        progress.close()


def _view(run: Run, supervisor: Supervisor) -> View:
    return View(
        phase=run.phase,
        elapsed_s=supervisor.meter.elapsed_s,
        devices=len(run.population.units),
        for_sale=sum(1 for unit in run.population.units if unit.new_owner is not None),
        lifecycles=supervisor.watch.lifecycles,
        lights=supervisor.watch.lights,
        unbound=len(run.tally.unbound),
        rebound=len(run.tally.rebound),
        refused=run.tally.refused,
        changes=supervisor.watch.changes,
    )


def _result(run: Run, supervisor: Supervisor, options: Options, aborted: str) -> RunResult:
    outcomes = Outcomes(
        unbound=len(run.tally.unbound),
        rebound=len(run.tally.rebound),
        refused=run.refused if run.refused is not None else dict(run.tally.refused),
        failed=run.failed(),
    )
    supervisor.recovery.close()
    outages = supervisor.recovery.outages
    verdict = judge(run.population, outcomes, outages)
    traffic = Traffic.of(run.chips.values())
    meter, measured = supervisor.meter, supervisor.measured
    wall_s = meter.elapsed_s
    shards = max(1, len(supervisor.shards))
    return RunResult(
        scenario=run.population.scenario.name,
        seed=run.population.seed,
        devices=len(run.population.units),
        decoder=options.decoder,
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
        left_out=verdict.left_out,
        incidents=tuple(supervisor.incidents),
        tickets=run.tally.tickets,
        frames=sum(pulse.frames for pulse in measured.lens.values()),
        decoded=sum(pulse.decoded for pulse in measured.lens.values()),
        aborted=aborted,
        outages=outages,
        traffic=traffic,
        retries=supervisor.retries.result(traffic.calls + traffic.connects),
        faults=tuple(_played(run.population, measured.struck)),
    )


def _played(population: Population, struck: Mapping[int, Counter[str]]) -> Iterator[FaultPlayed]:
    for number, table in enumerate(population.scenario.faults):
        yield FaultPlayed(table.kind, table.during, dict(struck.get(number, {})))
