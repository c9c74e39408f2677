"""What a device costs in virtual time, and of what that consists: `python tools/bench_virtual.py`.

"full cycle" is the life of a returned device from the shelf on: it is laid on a bench and powered, its
button is held until it has forgotten its owner, it scans the code (or takes the token over the LAN),
is unbound, put away and sold, and bound to its new owner; with an operator for every 100 devices, as a
run does not get longer then when the fleet grows. "from home" begins earlier: it is online with its
first owner, is carried to the warehouse and waits there with all others for an operator. Nothing is
left out of what goes over a wire, nor any encryption. Only what is written down for developers'
programs is not there: where no watcher plays one, the cloud has no project that could hear of anything.

"batch-unbind" is the scenario as it is, with three operators: while they work off the pile, everything
that waits announces itself every five seconds. "quota-campaign" takes thirty days. "nodes alone" is
what is left of the full cycle without world, people and trace: the events of such a run, given once
more to fresh devices and a fresh cloud, and nobody carries out what these ask for. No watchers look
on, but `--watch` turns them on.

The last table is what planning costs: the bare agenda, asyncio on it, and asyncio's own heap with a
clock that jumps, each with a thousand timers that are planned again and again.

Each figure is taken in a process of its own and is the median of several rounds; time is CPU time.
State is what the process has grown by, per device. Nothing is asserted: a figure without its machine
means little.
"""

import argparse
import asyncio
import gc
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from fleet.cloud.cloud import Cloud
from fleet.run.checks.watching import Extent
from fleet.run.population import VIRTUAL_DEVICES_MAX, Population, populate
from fleet.run.scenario import SHELF, Operator, QuotaLimits, Scenario, Start, Trouble, load_scenario
from fleet.run.virtual.command import START_MS, Play
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.sights import MODEL, make_sight
from tools.figures import Run, machine, rss_kib, show

CYCLE, HOME, NODES = "full cycle", "from home", "nodes alone"
BATCH, CAMPAIGN = "batch-unbind", "quota-campaign"
DEVICES_PER_OPERATOR = 100
TIMERS, HOPS = 1_000, 300
DECODER = "pyzbar"

Figures = dict[str, float]


def main() -> None:
    """Measure in processes of their own, and print."""
    arguments = _arguments().parse_args()
    if arguments.case:
        print(msgspec.json.encode(_measure(arguments)).decode())
        return
    sizes = {
        CYCLE: arguments.devices,
        HOME: arguments.home,
        BATCH: arguments.batch,
        CAMPAIGN: arguments.campaign,
    }
    tables = [{name: size for name, size in sizes.items() if size}]
    tables += [{NODES: arguments.nodes}] if arguments.nodes else []
    tables.append(dict.fromkeys(PLANS, 0))
    print(machine("msgspec", "cryptography"))
    print(", ".join(f"{name}: {size:,} devices" for name, size in tables[0].items()))
    rounds = [[_round(table, arguments) for table in tables] for _ in range(arguments.rounds)]
    for runs in zip(*rounds, strict=True):
        show(runs)


def _round(sizes: dict[str, int], arguments: argparse.Namespace) -> Run:
    return {case: _apart(case, size, arguments) for case, size in sizes.items()}


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=10_000, help="also 100,000 or 1,000,000")
    parser.add_argument("--home", type=int, default=2_000, help="that begin at home; 0: none")
    parser.add_argument("--batch", type=int, default=2_000, help="devices of batch-unbind; 0: none")
    parser.add_argument("--campaign", type=int, default=4_000, help="of the campaign; 0: none")
    parser.add_argument("--nodes", type=int, default=2_000, help="whose events are kept; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--watch", type=Extent, choices=list(Extent), default=Extent.NONE)
    parser.add_argument("--case", default="", help=argparse.SUPPRESS)
    return parser


def _apart(case: str, devices: int, arguments: argparse.Namespace) -> Figures:
    options = ["--case", case, "--devices", str(devices), "--watch", arguments.watch]
    command = [sys.executable, "-m", "tools.bench_virtual", *options]
    done = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[1])
    return msgspec.json.decode(done.stdout, type=Figures)


def _measure(arguments: argparse.Namespace) -> Figures:
    if arguments.case in PLANS:
        return _planning(PLANS[arguments.case])
    if arguments.case == NODES:
        return _nodes(arguments.devices)
    return _run(arguments.case, arguments.devices, arguments.watch)


# --- runs -----------------------------------------------------------------------------------------


def _run(case: str, devices: int, extent: Extent) -> Figures:
    before_kib = rss_kib()
    start_s = time.process_time()
    population = _population(case, devices)
    gc.collect()
    gc.freeze()
    play = _play(population, extent)
    cpu_s = time.process_time() - start_s
    virtual_s = (play.agenda.now_ms - START_MS) / 1000
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "CPU s": cpu_s,
        "CPU us/device": 1e6 * cpu_s / devices,
        "peak RSS MiB": peak_kib / 1024,
        "B state/device": 1024 * (peak_kib - before_kib) / devices,
        "virtual s": virtual_s,
        "speedup": virtual_s / cpu_s,
        "events/device": play.agenda.steps / devices,
        "events/CPU s": play.agenda.steps / cpu_s,
    }


def _play(population: Population, extent: Extent, heard: "_Heard | None" = None) -> Play:
    prepare = heard.attend if heard is not None else _nothing
    sight = make_sight(MODEL, DECODER)
    play = Play(population, sight, lambda _: None, extent=extent, prepare=prepare)
    play.trace = heard or play.trace
    play.play()
    assert play.run is not None, "it has been played"
    if play.aborted or play.run.violations:
        raise SystemExit(f"the run failed: {[play.aborted, *play.run.violations[:5]]}")
    return play


def _nothing(_: Play) -> None:
    """Prepare nothing."""


def _population(case: str, devices: int) -> Population:
    if case in (CYCLE, HOME, NODES):
        scenario = _full_cycle(load_scenario(BATCH), devices, "homes" if case == HOME else SHELF)
    else:
        scenario = load_scenario(case)
    return populate(scenario, devices, 1, VIRTUAL_DEVICES_MAX)


def _full_cycle(scenario: Scenario, devices: int, start: Start) -> Scenario:
    """Return a scenario in which every device finds a new owner, and nobody waits for anything."""
    partners = max(1, devices // DEVICES_PER_OPERATOR)
    owner = Operator(name="owner@maker", role="owner", share=1)
    others = (
        Operator(name=f"repair-{number:05}@partner", role="partner", share=1)
        for number in range(1, partners)
    )
    return msgspec.structs.replace(
        scenario,
        start=start,
        rebind_every=1,
        operators=(owner, *others),
        quotas=QuotaLimits(account=VIRTUAL_DEVICES_MAX, product=VIRTUAL_DEVICES_MAX),
        trouble=Trouble(),
    )


# --- the nodes of a run, without it ---------------------------------------------------------------


class _Heard(Trace):
    """The trace of a run that keeps what was told to which node, and when."""

    __slots__ = ("of_cloud", "of_devices")

    def __init__(self) -> None:
        super().__init__(kept_max=0)
        self.of_devices: list[tuple[int, Event, int]] = []
        self.of_cloud: list[tuple[Event, int]] = []

    def event(self, now_ms: int, index: int, event: Event) -> None:
        self.of_devices.append((index, event, now_ms))

    def attend(self, play: Play) -> None:
        """Hear what the cloud of a run is told."""
        assert play.crew is not None, "it has just been made"
        cloud = play.crew.cloud
        cloud.started.append(lambda: self._overhear(cloud.node))

    def _overhear(self, node: Cloud | None) -> None:
        assert node is not None, "it has just been made"
        handle = node.handle

        def hear(event: Event, now_ms: int) -> list[Effect]:
            self.of_cloud.append((event, now_ms))
            return handle(event, now_ms)

        node.handle = hear  # type: ignore[method-assign]


def _nodes(devices: int) -> Figures:
    """Return what devices and cloud cost by themselves, per device and per event."""
    population = _population(NODES, devices)
    heard = _Heard()
    _play(population, Extent.NONE, heard)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        crew = runner.run(_fresh(population))
    gc.collect()
    gc.freeze()
    world, cloud = crew.world, crew.cloud.node
    assert cloud is not None, "it has been started"
    chips = [world.device(index) for index in range(devices)]
    start_s = time.process_time()
    for index, event, now_ms in heard.of_devices:
        chips[index].handle(event, now_ms)
        chips[index].next_deadline_ms()
    devices_s = time.process_time() - start_s
    for event, now_ms in heard.of_cloud:
        cloud.handle(event, now_ms)
        cloud.next_deadline_ms()
    cloud_s = time.process_time() - start_s - devices_s
    return {
        "devices us/device": 1e6 * devices_s / devices,
        "devices us/event": 1e6 * devices_s / len(heard.of_devices),
        "cloud us/device": 1e6 * cloud_s / devices,
        "cloud us/event": 1e6 * cloud_s / len(heard.of_cloud),
    }


async def _fresh(population: Population) -> Crew:
    """Return devices and a cloud to which nothing has happened."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "a crew lives in virtual time"
    crew = Crew(population, loop.agenda, make_sight(MODEL, DECODER), Trace())
    await crew.start()
    return crew


# --- planning -------------------------------------------------------------------------------------


def _agenda() -> int:
    agenda, left = Agenda(0), [HOPS] * TIMERS

    def hop(number: int) -> None:
        left[number] -= 1
        if left[number]:
            agenda.after(1 + number * left[number] % 9973, hop, number)

    for number in range(TIMERS):
        agenda.at(number, hop, number)
    while agenda.next_ms is not None:
        agenda.run_next()
    return agenda.steps


def _in_loop(make: Callable[[], asyncio.AbstractEventLoop]) -> int:
    """Let the same timers run in an event loop of asyncio."""

    async def hops() -> None:
        loop = asyncio.get_running_loop()
        left, over = [HOPS] * TIMERS, loop.create_future()
        running = TIMERS

        def hop(number: int) -> None:
            nonlocal running
            left[number] -= 1
            if left[number]:
                loop.call_later((1 + number * left[number] % 9973) / 1000, hop, number)
                return
            running -= 1
            if not running:
                over.set_result(None)

        for number in range(TIMERS):
            loop.call_later(number / 1000, hop, number)
        await over

    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(hops())
    return TIMERS * HOPS


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: the time that asyncio would wait is over at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now_s += timeout or 0.0
        return []


class _PatchedLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop and heap, with the usual trick to make its clock jump."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


PLANS: dict[str, Callable[[], int]] = {
    "agenda": _agenda,
    "asyncio on it": lambda: _in_loop(lambda: VirtualLoop(Agenda(0))),
    "asyncio, patched": lambda: _in_loop(_PatchedLoop),
}


def _planning(plan: Callable[[], int]) -> Figures:
    start_s = time.process_time()
    events = plan()
    return {"events/CPU s": events / (time.process_time() - start_s)}


if __name__ == "__main__":
    main()
