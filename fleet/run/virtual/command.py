"""Runs a scenario in virtual time: one process, one agenda, and a result like that of a live run."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console

from firmware_sim.errors import SimulatorError
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.eyes import Sight
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from fleet.run import seeding
from fleet.run.checks.watching import Extent, Watchers, usual
from fleet.run.command import INTERRUPTED, view
from fleet.run.fault_player import START
from fleet.run.hosting import root_of
from fleet.run.population import VIRTUAL_DEVICES_MAX, Population, populate
from fleet.run.progress import make_progress
from fleet.run.result import RunResult, Virtual
from fleet.run.runner import Run
from fleet.run.scenario import load_scenario, with_outages
from fleet.run.summary import sum_up
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.sights import MODEL, RealSight, make_sight
from fleet.run.virtual.telling.witness import Witness

START_MS = 1_767_225_600_000  # 2026-01-01, for every run that does not want another hour
LOOK_EVERY_S = 0.25
COLLECT_AFTER = (100_000, 20, 20)  # objects; most of what a run makes is there to stay


class Play:
    """One run in virtual time. Make it, let it `play`, then look at what it has left."""

    def __init__(
        self,
        population: Population,
        sight: Sight,
        say: Callable[[str], None],
        on_look: Callable[["Play"], None] = lambda _: None,
        witness: Witness | None = None,
        extent: Extent | None = None,
        prepare: Callable[["Play"], None] = lambda _: None,
    ) -> None:
        """Prepare; `on_look` is called now and then in real time, `witness` sees everything.

        `extent` says how much is watched besides the end; by default all of a small fleet.
        `prepare` is called when crew and watchers are made and nothing has happened yet.
        """
        self.start_ms = seeding.start_ms(population.scenario.quotas, START_MS)
        self.agenda = Agenda(self.start_ms)
        self.trace = witness or Trace()
        self._witness = witness
        self.aborted = ""
        self._population = population
        self._sight = sight
        self._say = say
        self._on_look = on_look
        self._prepare = prepare
        self._looked_s = time.monotonic()
        self._extent = usual(len(population.units)) if extent is None else extent
        self.crew: Crew | None = None
        self.run: Run | None = None
        self.watchers: Watchers | None = None

    def play(self) -> None:
        """Play to the end, to Ctrl-C, or to what cannot be helped (`aborted`).

        Raises UsageError when it could not even start.
        """
        with _rarely_collected(), asyncio.Runner(loop_factory=self._loop) as runner:
            try:
                runner.run(self._play())
            except KeyboardInterrupt:
                self.aborted = INTERRUPTED

    def _loop(self) -> VirtualLoop:
        loop = VirtualLoop(self.agenda)
        loop.on_moment = self._look
        return loop

    async def _play(self) -> None:
        self.crew = Crew(self._population, self.agenda, self._sight, self.trace, self._witness)
        self.watchers = Watchers(self._population, self.crew, self._extent)
        self.run = Run(self._population, self.crew, self._say)
        self._prepare(self)
        try:
            await self.run.play()
            await self.watchers.end()
        except (SimulatorError, BaseExceptionGroup) as error:
            root = root_of(error)
            if not isinstance(root, SimulatorError) or self.run.phase == START:
                raise root from error
            self.aborted = str(root)
        finally:
            self.run.violations += self.watchers.findings.lines()
            self.run.checked = tuple(dict.fromkeys((*self.run.checked, *self.watchers.names)))

    def _look(self) -> None:
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_EVERY_S:
            self._looked_s = now_s
            self._on_look(self)

    def result(self, decoder: str) -> RunResult:
        """Return what it has come to."""
        assert self.crew is not None and self.run is not None, "it has not been played"  # noqa: PT018
        self.crew.take_struck()
        self.crew.meter.sample({})
        result = sum_up(
            self.run,
            self.crew,
            aborted=self.aborted,
            decoder=decoder,
            virtual=Virtual((self.agenda.now_ms - self.start_ms) / 1000, self.trace.digest()),
        )
        if not isinstance(self._sight, RealSight):
            return result  # a model has read the codes, and made no frame
        return msgspec.structs.replace(
            result, frames=self._sight.frames, decoded=self._sight.decoded
        )


@contextmanager
def _rarely_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def perform_virtual(
    scenario: str,
    *,
    devices: int | None = None,
    seed: int = 1,
    lens: str = MODEL,
    decoder: str = "pyzbar",
    outage_s: float | None = None,
    console: Console,
) -> RunResult:
    """Run a scenario (built-in name or path) in virtual time.

    With `lens` "model" cameras read codes as a model of `decoder` says, with "real" frames are made
    and decoded.

    Raises UsageError for a scenario, a size or a lens that cannot be.
    """
    plan = with_outages(load_scenario(scenario), outage_s)
    population = populate(plan, devices or plan.devices, seed, VIRTUAL_DEVICES_MAX)
    gc.collect()
    gc.freeze()  # a population is there to stay
    progress = make_progress(console, population.profiles)

    def show(play: Play) -> None:
        assert play.crew is not None and play.run is not None  # noqa: PT018
        play.crew.meter.sample({})
        progress.show(
            view(play.run, play.crew.watch, play.crew.measured, play.crew.meter.elapsed_s)
        )

    play = Play(population, make_sight(lens, decoder), progress.say, show)
    try:
        play.play()
    finally:
        progress.close()
        gc.unfreeze()
    return play.result(f"{lens} {decoder}")
