"""Runs a scenario from outside: checks, folders, signals, partial results, an end in order.

`perform` returns a result in any case that got as far as starting: complete, interrupted by
Ctrl-C, or aborted by something that could not be helped. What is wrong before anything starts is
a `UsageError`.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from firmware_sim.errors import SimulatorError, UsageError
from fleet.run.attendance import Attendance, Live, Told, nobody
from fleet.run.bridge.member import load_members, place_in
from fleet.run.fault_player import START
from fleet.run.files import run_folder
from fleet.run.hosting import GRACE_S, external_broker, first_of, in_loop, settle, stop_signal
from fleet.run.live_options import Options, cloud_config, shard_count
from fleet.run.measured import Measured
from fleet.run.population import Population, populate
from fleet.run.progress import Progress, View, make_progress
from fleet.run.result import RunResult
from fleet.run.runner import Run
from fleet.run.scenario import load_scenario, with_outages
from fleet.run.seeding import DAY_MIN, NOON_MIN
from fleet.run.stage import first_site
from fleet.run.summary import sum_up
from fleet.run.supervisor import Supervisor
from fleet.run.watch import Watch

WAIT_MAX_MIN = 60  # for the last day of a campaign to begin
LOOK_EVERY_S = 0.25
SAMPLE_EVERY = 4  # looks
INTERRUPTED = "interrupted"
_NOT_AT_BENCHES = (
    "--bench: not with --tls, whose authority the firmware on a bench does not know, nor with --lan, "
    "where no bench is within reach"
)


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
    benches: Sequence[Path] = (),
    attendance: Attendance = nobody,
    console: Console,
) -> RunResult:
    """Run a scenario (built-in name or path); None stands for the scenario's or machine's choice.

    `lan` names one that `fleet lan up` has made; this process moves into it for good. What is said
    on the LAN is written to `pcap`. With `tls` everything between cloud, devices and people is
    encrypted; devices may have a port of their own then. They use the MQTT broker at `broker`, if
    that is not empty. `outage_s` is how long the cloud is away
    where the scenario has it go away. `benches` are the files of benches whose devices take part.
    `attendance` looks on. Raises UsageError when the run cannot start.
    """
    plan = with_outages(load_scenario(scenario), outage_s)
    population = populate(plan, devices or plan.devices, seed)
    members = load_members(benches)
    if members and (tls or lan):
        raise UsageError(_NOT_AT_BENCHES)
    population = place_in(population, members)
    _check_live(population, own_broker=not broker)
    count = shard_count(len(population.units), shards or 0)
    home = settle(lan, len(population.units), shards=count, decoder=decoder, data_dir=data_dir)
    options = Options(
        decoder=decoder,
        shards=count,
        lan=home,
        pcap=pcap,
        tls=tls,
        device_https_port=device_https_port,
        broker=external_broker(broker, tls=tls),
        site=first_site(plan),
        benches=members,
    )
    with run_folder(data_dir) as folder:
        return in_loop(_perform(population, options, folder, attendance, console))


def _check_live(population: Population, *, own_broker: bool) -> None:
    """Raise UsageError for what nobody can wait for, and for what only our own broker refuses."""
    scenario, days = population.scenario, population.campaign.days
    first_min = scenario.quotas.midnight_in_min or NOON_MIN
    if days > 1 and first_min + (days - 2) * DAY_MIN > WAIT_MAX_MIN:
        most = scenario.devices // scenario.campaign.days if scenario.campaign.shrinks else 0
        fewer = f", or at most {most} devices, which is one day's work" if most else ""
        raise UsageError(
            f"{scenario.name}: {len(population.units)} devices take {days} days, and live that long; "
            f"use --virtual{fewer}"
        )
    if scenario.tampered.devices and not own_broker:
        raise UsageError(f"--broker: {scenario.name} needs the cloud's own, for its refusals")


async def _perform(
    population: Population,
    options: Options,
    folder: Path,
    attendance: Attendance,
    console: Console,
) -> RunResult:
    progress = make_progress(console, population.profiles)
    admin_secret = secrets.token_urlsafe(24)
    cloud = cloud_config(population, options, folder, admin_secret)
    say = Told(progress.say)
    supervisor = Supervisor(population, options, folder, cloud, say)
    run = Run(population, supervisor, say)
    aborted = ""
    try:
        async with (
            stop_signal() as stop,
            _shown(run, supervisor, progress),
            attendance(Live(population, supervisor, stop, say, options.decoder, run)),
        ):
            aborted = await _until_end(run, supervisor, stop)
            supervisor.chronicle.rest(supervisor.now_ms())
    finally:
        await supervisor.stop(GRACE_S)
    return sum_up(
        run, supervisor, aborted=aborted, decoder=options.decoder, shards=len(supervisor.shards)
    )


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
            progress.show(
                view(run, supervisor.watch, supervisor.measured, supervisor.meter.elapsed_s)
            )
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


def view(run: Run, watch: Watch, measured: Measured, elapsed_s: float) -> View:
    """Return a run as its progress is shown."""
    return View(
        phase=run.phase,
        elapsed_s=elapsed_s,
        devices=len(run.population.units),
        for_sale=sum(1 for unit in run.population.units if unit.new_owner is not None),
        lifecycles=watch.lifecycles,
        lights=watch.lights,
        unbound=len(run.tally.unbound),
        rebound=len(run.tally.rebound),
        refused=run.tally.refused,
        changes=watch.changes,
        phases=measured.phases,
        failed=run.tally.failed,
    )
