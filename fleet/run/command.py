"""Runs a scenario from outside: temporary folders, signals, partial results, exit in order.

`perform` returns a result in any case that got as far as starting: complete, interrupted by
Ctrl-C, or aborted by something that could not be helped. What is wrong before anything starts is
a `UsageError`.
"""

import asyncio
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from firmware_sim.errors import SimulatorError, UsageError
from fleet import doctor
from fleet.cloud.edge.process import ServerConfig
from fleet.run import seeding
from fleet.run.expectations import Outcomes, judge
from fleet.run.phases import PHASES
from fleet.run.population import Population, populate
from fleet.run.progress import Progress, View, make_progress
from fleet.run.result import Generator, RunResult
from fleet.run.runner import Run
from fleet.run.scenario import load_scenario
from fleet.run.supervisor import Options, Supervisor, shard_count

GRACE_S = 1.0  # together with everything else below the 2 s that a stop may take
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
    console: Console,
) -> RunResult:
    """Run a scenario (built-in name or path); None stands for the scenario's or machine's choice.

    Raises UsageError when the run cannot start.
    """
    plan = load_scenario(scenario)
    population = populate(plan, devices or plan.devices, seed)
    count = shard_count(len(population.units), shards or 0)
    doctor.require(len(population.units), shards=count, decoder=decoder, data_dir=data_dir)
    options = Options(decoder=decoder, shards=count)
    with run_folder(data_dir) as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        return loop.run(_perform(population, options, folder, console))


@contextmanager
def run_folder(data_dir: Path | None) -> Iterator[Path]:
    """Give a private folder for the cloud's data and the devices' flash; a temporary one goes away.

    Raises UsageError when the folder cannot be used, or holds another run's data.
    """
    if data_dir is None:
        with tempfile.TemporaryDirectory(prefix="fleet-run-") as name:
            yield Path(name)
        return
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = any(data_dir.iterdir())
    except OSError as error:
        raise UsageError(f"{data_dir}: cannot keep data there: {error.strerror}") from error
    if used:
        raise UsageError(
            f"{data_dir}: not empty; a run starts from its own seed, name a new folder"
        )
    yield data_dir


async def _perform(
    population: Population, options: Options, folder: Path, console: Console
) -> RunResult:
    progress = make_progress(console, population.profiles)
    admin_secret = secrets.token_urlsafe(24)
    cloud = ServerConfig(
        folder=str(folder / "cloud"),
        settings=seeding.settings(population, admin_secret, time.time_ns() // 1_000_000),
        seed=seeding.seed(population, bound=options.bound),
    )
    supervisor = Supervisor(population, options, folder, cloud, progress.say)
    run = Run(population, supervisor, admin_secret, progress.say)
    aborted = ""
    try:
        async with _stop_signal() as stop, _shown(run, supervisor, progress):
            aborted = await _until_end(run, supervisor, stop)
    finally:
        await supervisor.stop(GRACE_S)
    return _result(run, supervisor, options, aborted)


@asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    """Turn Ctrl-C and SIGTERM into an event."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _until_end(run: Run, supervisor: Supervisor, stop: asyncio.Event) -> str:
    """Play until the end; return why it ended early, "" if it did not.

    Raises UsageError when it could not even start.
    """
    play = asyncio.create_task(run.play())
    stopped = asyncio.create_task(stop.wait())
    ends: list[asyncio.Future[Any]] = [play, stopped, supervisor.failure]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    starting = run.phase == "start"
    play.cancel()
    ended = (await asyncio.gather(play, return_exceptions=True))[0]
    if supervisor.failure.done():
        ended = supervisor.failure.exception()
    if isinstance(ended, asyncio.CancelledError):
        return INTERRUPTED
    if ended is None:
        return ""
    error = _root(ended)
    if starting or not isinstance(error, SimulatorError):
        raise error
    return str(error)


def _root(error: BaseException) -> BaseException:
    """Return what a group of tasks really died of; a mistake that can be explained comes first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    roots = [_root(one) for one in error.exceptions]
    return next((root for root in roots if isinstance(root, SimulatorError)), roots[0])


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
    verdict = judge(run.population, outcomes)
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
        unmet=verdict.unmet,
        left_out=verdict.left_out,
        incidents=tuple(supervisor.incidents),
        tickets=run.tally.tickets,
        frames=sum(pulse.frames for pulse in measured.lens.values()),
        decoded=sum(pulse.decoded for pulse in measured.lens.values()),
        aborted=aborted,
    )
