"""`fleet explore`: seeds are searched for what breaks, and what broke is shown.

The exit code is 1 if anything was found, 0 if not, 130 after Ctrl-C.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from fleet.run.explore import record, words
from fleet.run.explore.case import Case
from fleet.run.explore.draw import draw
from fleet.run.explore.hunt import Caught, Score, hunt
from fleet.run.explore.outcome import DIED, HUNG, Outcome
from fleet.run.explore.progress import Progress
from fleet.run.explore.record import Record
from fleet.run.explore.retell import the_last
from fleet.run.explore.shrink import RUNS_MAX, shrink
from fleet.run.explore.workers import Players, Workers
from fleet.run.scenario import Scenario, load_scenario

CLEAN, FOUND, BY_SIGNAL = 0, 1, 130
DEVICES_USUAL = 12
SHOWN_MAX = 10  # findings in full
CASE_OUT = Path("case.json")


class Search(msgspec.Struct, frozen=True):
    """What is to be explored: `seeds` of them from `first_seed` on.

    None stands for the usual number of devices, for one worker per core, and for no file unless
    a case is shrunk.
    """

    scenario: str
    seeds: int = 1000
    first_seed: int = 1
    devices: int | None = None
    workers: int | None = None
    keep_going: bool = False
    shrinks: bool = False
    runs_max: int = RUNS_MAX
    case_out: Path | None = None

    @property
    def file(self) -> Path | None:
        """Return where the first case that fails is written to, None if nowhere."""
        return self.case_out or (CASE_OUT if self.shrinks else None)


def explore(search: Search, console: Console, players: Players | None = None) -> int:
    """Search seeds for a failure, show it, and return the exit code.

    `players` play instead of processes of our own. Raises UsageError for a scenario or a size that
    cannot be, and for a file that cannot be written.
    """
    scenario = load_scenario(search.scenario)
    devices = search.devices or usual_devices(scenario)
    Case(scenario, devices, search.first_seed).population()  # now, or it is complained about late
    if (path := search.file) is not None:
        record.check_place(path)
    exploration = _Exploration(search, scenario, devices, console)
    own = Workers(search.workers)
    crowd: AbstractContextManager[Players] = own if players is None else nullcontext(players)
    with crowd as playing:
        return exploration.run(playing)


def usual_devices(scenario: Scenario) -> int:
    """Return how many devices take part if nobody says: few, because many hide what happens."""
    return max(len(scenario.products), min(scenario.devices, DEVICES_USUAL))


class _Exploration:
    def __init__(self, search: Search, scenario: Scenario, devices: int, console: Console) -> None:
        self._search = search
        self._scenario = scenario
        self._devices = devices
        self._console = console
        self._score = Score()
        self._program = record.program()

    def run(self, players: Players) -> int:
        progress = Progress(self._console)
        interrupted = False
        try:
            self._hunt(players, progress)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            progress.close()
        for caught in self._score.caught[:SHOWN_MAX]:
            self._show(caught)
        if self._score.caught and not interrupted:
            self._keep(players, self._score.caught[0])
        for line in words.summary(self._score, progress.elapsed_s):
            self._say(line)
        if interrupted:
            return BY_SIGNAL
        return FOUND if self._score.failed else CLEAN

    def _hunt(self, players: Players, progress: Progress) -> None:
        search, score = self._search, self._score

        def show(case: Case, outcome: Outcome) -> None:
            if outcome.finding is not None and search.keep_going:
                progress.say(f"seed {case.seed}: {outcome.finding.name}: {outcome.finding.what}")
            if progress.is_due or score.seeds == search.seeds:
                progress.show(words.progress(score, search.seeds, progress.elapsed_s))

        hunt(players, self._cases(), score, show, keep_going=search.keep_going)

    def _cases(self) -> Iterator[Case]:
        first = self._search.first_seed
        for seed in range(first, first + self._search.seeds):
            yield draw(self._scenario, self._devices, seed)

    # --- what was found -------------------------------------------------------------------------

    def _show(self, caught: Caught) -> None:
        """Show a finding: what it is, what played it, the last that happened, how to see it again."""
        case, finding = caught.case, caught.outcome.finding
        assert finding is not None, "only what failed is kept"
        self._say("")
        self._say(f"seed {case.seed} of {case.scenario.name}, program {self._program}", "bold red")
        for line in words.indented(words.failure(finding)):
            self._say(line, "red")
        for line in words.indented(words.contents(case)):
            self._say(line)
        if finding.name not in (DIED, HUNG):
            told, again = the_last(case, finding)
            for line in told:
                self._say(line, "dim")
            if again.digest != caught.outcome.digest:
                self._say("the second run was another one: chance comes from outside", "bold red")
        self._say(f"see it all: {words.replay_seed(self._search.scenario, case)}", "bold")

    def _keep(self, players: Players, caught: Caught) -> None:
        """Shrink the first case, if that is wanted, and write it to a file."""
        case, outcome, search = caught.case, caught.outcome, self._search
        if search.shrinks:
            progress = Progress(self._console)
            self._say(f"before: {words.size(case)}", "bold")
            case, outcome, runs = shrink(
                players,
                case,
                outcome,
                runs_max=search.runs_max,
                on_step=lambda runs, smaller: progress.show(f"{runs} runs: {words.size(smaller)}"),
            )
            progress.close()
            self._say(f"after {words.counted(runs, 'run')}: {words.size(case)}", "bold")
            for line in words.indented(words.contents(case)):
                self._say(line)
        if (path := search.file) is not None:
            record.write(Record(case, self._program, outcome.finding, outcome.digest), path)
            self._say(f"case: {path}; see it all: {words.replay_file(path)}", "bold")

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style=style), soft_wrap=True)
