"""Plays one case and says what is wrong with it, if anything is.

What always has to hold, whatever strikes: every invariant (`fleet/run/checks`), while the run goes
on and at its end, when every device has come to rest; no exception; an end, in bounded virtual time
and without anybody who cannot go on; and, since faults come no more after a while and people are
patient, as many devices unbound and bound again as the scenario expects. What else it expects, such
as which reasons occur, counts only where there are no random faults.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from firmware_sim.runtime.virtual.loop import Endless, Stalled, VirtualLoop
from fleet.run.checks.findings import Violation
from fleet.run.command import INTERRUPTED
from fleet.run.expectations import shares
from fleet.run.explore.case import Case
from fleet.run.explore.marks import Marker
from fleet.run.explore.outcome import ABORTED, UNMET, Finding, Outcome
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import MODEL, make_sight
from fleet.run.virtual.telling.witness import Witness

DECODER = "pyzbar"
STEPS_MAX = 20_000_000  # of the agenda, in one run
AT_ONCE_MAX = 1_000_000  # in one millisecond
OTHERS_MAX = 20
TRAIL_SIZE_MAX = 6_000
_OURS = ("fleet.", "firmware_sim.", "hw_profiles.", "tests.")
_LIVENESS: dict[type[BaseException], str] = {Stalled: "stalled", Endless: "endless"}
OnViolation = Callable[[Violation], None]


class Trial:
    """One run of one case. With a `witness` somebody looks on; else the rows that fire are marked.

    `on_violation` is called at the very moment in which a watcher finds one.
    """

    def __init__(
        self,
        case: Case,
        witness: Witness | None = None,
        on_violation: OnViolation = lambda _: None,
    ) -> None:
        """Prepare. Raises UsageError for a case that cannot be."""
        self._case = case
        self._on_violation = on_violation
        self._trace = witness or Marker()
        self._population = case.population()
        self._play = Play(
            self._population,
            make_sight(MODEL, DECODER),
            lambda _: None,
            witness=self._trace,
            prepare=self._prepare,
        )

    def run(self) -> Outcome:
        """Play it. Raises KeyboardInterrupt for Ctrl-C, and nothing else."""
        play = self._play
        raised: BaseException | None = None
        with _quiet():
            try:
                play.play()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
                raised = error
        if play.aborted == INTERRUPTED:
            raise KeyboardInterrupt
        trace = self._trace
        return Outcome(
            finding=self._finding(raised),
            digest=trace.digest(),
            events=trace.count,
            virtual_s=self._now_s,
            struck=self._struck(),
            marks=trace.marks.numbers() if isinstance(trace, Marker) else (),
        )

    @property
    def start_ms(self) -> int:
        """Return when the run begins, in virtual time."""
        return self._play.start_ms

    @property
    def _now_s(self) -> float:
        return (self._play.agenda.now_ms - self.start_ms) / 1000

    def _prepare(self, play: Play) -> None:
        assert play.crew is not None and play.watchers is not None  # noqa: PT018
        conditions, crew = self._case.conditions, play.crew
        crew.world.wan.trip_ms = conditions.trip_ms
        crew.world.wan.jitter_ms = conditions.jitter_ms
        crew.cloud.disk.write_ms = conditions.write_ms
        crew.cloud.settings = self._case.settings(crew.cloud.settings)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "a play has such a loop"
        loop.end_ms = play.start_ms + 1000 * self._case.limit_s
        loop.steps_max = STEPS_MAX
        play.agenda.at_once_max = AT_ONCE_MAX
        play.watchers.findings.on_found.append(self._on_violation)

    # --- what is wrong --------------------------------------------------------------------------

    def _finding(self, raised: BaseException | None) -> Finding | None:
        """Return the first thing that must not be: what broke, what was seen, what was found."""
        play = self._play
        lines = play.run.violations if play.run is not None else []
        others = tuple(lines[:OTHERS_MAX])
        if raised is not None:
            return of_error(raised, self._now_s, others)
        seen = play.watchers.findings.violations if play.watchers is not None else []
        if seen:
            first = seen[0]
            at_s = (first.at_ms - play.start_ms) / 1000
            return Finding(first.invariant, f"{first.who}: {first.what}", at_s, others)
        if lines:
            name, _, what = lines[0].partition(": ")
            return Finding(name, what, self._now_s, others[1:])
        if play.aborted:
            return Finding(ABORTED, play.aborted, self._now_s)
        unmet = self._unmet()
        if unmet:
            return Finding(UNMET, unmet[0] + self._left_over(), self._now_s, unmet[1:])
        return None

    def _unmet(self) -> tuple[str, ...]:
        result = self._play.result(DECODER)
        if self._case.fair:
            return result.unmet
        return tuple(shares(self._population, result.outcomes))

    def _left_over(self) -> str:
        """Return the first device that did not get where it should, "" if all did."""
        assert self._play.run is not None, "it has not begun"
        tally = self._play.run.tally
        for unit in self._population.units if self._case.scenario.unbind else ():
            rebound = unit.new_owner is None or unit.index in tally.rebound
            if unit.index not in tally.unbound or not rebound:
                return f"; one is {unit.uuid}"
        return ""

    def _struck(self) -> dict[str, int]:
        if self._play.crew is None:
            return {}
        self._play.crew.take_struck()
        counts: Counter[str] = Counter()
        for number, states in self._play.crew.measured.struck.items():
            counts[self._case.scenario.faults[number].kind] += states.total()
        return dict(sorted(counts.items()))


def play_case(case: Case) -> Outcome:
    """Play a case, with nobody looking on. Raises UsageError for one that cannot be."""
    return Trial(case).run()


# --- exceptions ---------------------------------------------------------------------------------


def of_error(raised: BaseException, at_s: float, others: tuple[str, ...] = ()) -> Finding:
    """Return the finding that an exception is: named by its type and by where it was raised."""
    error = _first(raised)
    trail = "".join(traceback.format_exception(error, chain=False))[-TRAIL_SIZE_MAX:]
    what = " ".join(str(error).split()) or type(error).__name__
    name = _LIVENESS.get(type(error))
    if name is None:
        name = f"{type(error).__name__} in {_where(error)}"
    return Finding(name, what, at_s, others, trail)


def _first(error: BaseException) -> BaseException:
    """Return what was raised first: while a loop is closed, its tasks may raise as well."""
    while error.__context__ is not None and any(_closes(frame) for frame in _frames(error)):
        error = error.__context__
    return error


def _closes(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "asyncio.runners" and frame.f_code.co_name == "close"


def _where(error: BaseException) -> str:
    """Return module and function of the innermost frame that is ours."""
    ours = [frame for frame in _frames(error) if _module(frame).startswith(_OURS)]
    if not ours:
        return "no frame of ours"
    return f"{_module(ours[-1])}.{ours[-1].f_code.co_name}"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _frames(error: BaseException) -> Iterator[FrameType]:
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield frame


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep asyncio from complaining about tasks that end with a run that broke."""
    logger = logging.getLogger("asyncio")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
