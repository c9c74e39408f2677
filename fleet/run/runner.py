"""A batch unbinding, from the owners' homes to the next owners' homes.

    start    the cloud and all shards are there
    home     all devices are powered in their owners' homes and come online
    return   they are switched off, carried to the warehouse and switched on there
    reset    their reset buttons are held until they wait for a code
    unbind   operators unbind them in batches; some get into trouble on purpose
    rebind   new owners take a share of them home (from the first unbound device on)
    check    devices and cloud are held against each other

A scenario that unbinds nothing goes from home to `stay`, in which devices have only to stay online,
and from there to the check. With each phase its faults begin and end.

Nothing here touches a socket or a process: that is the crew's, which is the supervisor of live
processes, or everything in virtual time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from firmware_sim.errors import UsageError
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.run.attempt import Batch
from fleet.run.audit import fetch_history
from fleet.run.fault_plan import FaultPlan
from fleet.run.fault_player import CHECK, START, FaultPlayer
from fleet.run.faults import CLOUD_DOWN
from fleet.run.invariants import Evidence, violations
from fleet.run.messages import Chip, Seen
from fleet.run.operator import Office, Operator
from fleet.run.owner import Owners
from fleet.run.population import Person, Population, Unit
from fleet.run.stage import WAREHOUSE, Crew, Stage, carry, hold_reset, is_online, is_waiting
from fleet.run.tally import Tally
from fleet.run.trouble import Troublemakers
from fleet.run.work import WorkList

RESET_TRIES = 5
RESET_SLACK_S = 5.0
SNAPSHOT_TRIES = 3
PATIENCE_PER_DEVICE_S = 0.02  # a larger fleet takes longer to get through one door
LINK_PATIENCE_S = 30.0  # of people for a cloud that does not answer, planned outages apart


class Run:
    """One run of one population. `play` does everything; the attributes are what it has found."""

    def __init__(
        self,
        population: Population,
        crew: Crew,
        say: Callable[[str], None],
    ) -> None:
        """Prepare; `say` gets a line for whatever an operator should know."""
        self.population = population
        self.tally = Tally()
        self.phase = START
        self.chips: dict[int, Chip] = {}  # as they were at the end
        self.violations: list[str] = []
        self.refused: dict[str, int] | None = None  # by the history, once it was read
        self._crew = crew
        self._watch = crew.watch
        self._say = say
        self._all = tuple(unit.index for unit in population.units)
        self._scenario = scenario = population.scenario
        self._patience_s = scenario.patience_s + PATIENCE_PER_DEVICE_S * len(self._all)
        self._plan = FaultPlan(population)
        self._faults: FaultPlayer | None = None

    def failed(self) -> dict[str, int]:
        """Return how often devices failed before the cloud was asked, and who was left behind."""
        joins = Counter(
            note.detail
            for notes in self._watch.heard
            for note in notes
            if note.kind == "join_refused"
        )
        return dict(joins + self.tally.failed)

    async def play(self) -> None:
        """Play the whole scenario. Raises UsageError when it cannot go on."""
        await self._crew.start()
        async with (
            self._crew.open_link(self._link_patience_s()) as link,
            self._crew.phones() as phones,
            asyncio.TaskGroup() as group,
        ):
            self._faults = FaultPlayer(self._plan, self._crew, group)
            self._enter(START)
            stage = Stage(
                population=self.population,
                hands=self._crew,
                watch=self._watch,
                phones=phones,
                link=link,
                tally=self.tally,
                patience_s=self._patience_s,
            )
            maker = await self._log_in(link, self.population.maker)
            await self._home()
            if self._scenario.unbind:
                await self._return()
                await self._reset()
                await self._unbind_and_rebind(stage, maker)
            else:
                await self._stay()
            await self._check(maker)
        self.phase = "done"

    def _enter(self, phase: str) -> None:
        self.phase = phase
        if self._faults is not None:
            self._faults.enter(phase)

    def _link_patience_s(self) -> float:
        away = [t.length_s(self._plan.size) for t in self._plan.tables if t.kind == CLOUD_DOWN]
        return LINK_PATIENCE_S + max(away, default=0.0)

    async def _log_in(self, link: CloudLink, person: Person) -> ConsoleClient:
        return await ConsoleClient.login(link, person.name, person.password)

    # --- the way to the warehouse ---------------------------------------------------------------

    async def _home(self) -> None:
        self._enter("home")
        self._crew.power(self._all, on=True)
        await self._wait(self._all, is_online, "come online at home")

    async def _return(self) -> None:
        self._enter("return")
        self._crew.recovery.let_go()
        await carry(self._crew, self._watch, self._all, WAREHOUSE, self._patience_s)
        await self._wait(self._all, _runs, "started in the warehouse")

    async def _reset(self) -> None:
        self._enter("reset")
        left = self._all
        times = [profile.timings for profile in self.population.profiles.values()]
        longest_ms = max(t.reset_hold_ms + t.erase_ms + t.boot_ms for t in times)
        patience_s = longest_ms / 1000 + RESET_SLACK_S + PATIENCE_PER_DEVICE_S * len(left)
        for _ in range(RESET_TRIES):
            hold_reset(self._crew, self.population, left)
            left = tuple(await self._watch.until_all(left, is_waiting, patience_s))
            if not left:
                return
        self._complain(len(left), "reached waiting after a reset")

    async def _wait(self, indices: Iterable[int], test: Callable[[Seen], bool], what: str) -> None:
        late = await self._watch.until_all(indices, test, self._patience_s)
        if late:
            self._complain(len(late), what)

    def _complain(self, count: int, what: str) -> None:
        self._say(f"{count} of {len(self._all)} devices have not {what} in time; going on")

    # --- in the warehouse -----------------------------------------------------------------------

    async def _unbind_and_rebind(self, stage: Stage, maker: ConsoleClient) -> None:
        self._enter("unbind")
        scenario = self._scenario
        clients = [await self._log_in(stage.link, person) for person in self.population.operators]
        purchaser = await self._log_in(stage.link, self.population.purchaser)
        async with asyncio.TaskGroup() as owners_group:
            owners = Owners(stage, owners_group)

            def welcome(unit: Unit) -> None:
                if unit.new_owner is not None and self._faults is not None:
                    self._faults.take_home(unit.index)
                owners.welcome(unit)

            work = WorkList(
                self.population.units, len(clients), scenario.tries_max, on_done=welcome
            )
            work.add(unit for unit in self.population.units if not unit.trouble)
            office = Office(maker)
            used_up: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
            async with asyncio.TaskGroup() as group:
                for number, client in enumerate(clients):
                    on_used_up = _first_into(used_up) if number == 0 else _nobody
                    operator = Operator(stage, client, number, work, office, on_used_up)
                    group.create_task(operator.run())
                trouble = Troublemakers(stage, clients[0], purchaser, used_up)
                group.create_task(trouble.all(work.add))
            if work.given_up:
                self.tally.failed["not_unbound"] += len(work.given_up)
            self._enter("rebind")

    async def _stay(self) -> None:
        """Keep devices online until the faults that are planned once are over, and a while more."""
        assert self._faults is not None
        self._enter("stay")
        await self._faults.once()
        await self._wait(self._all, is_online, "come back online")
        await asyncio.sleep(self._scenario.stay_s)

    # --- at the end -----------------------------------------------------------------------------

    async def _check(self, maker: ConsoleClient) -> None:
        self._enter(CHECK)
        if self._faults is not None:
            await self._faults.over()
        chips, lights = await self._settled()
        self.chips = chips
        self._crew.recovery.close(i for i, chip in chips.items() if chip.severed)
        audit = await self._crew.audit()
        history = await fetch_history(maker)
        self.refused = {}
        for row in history:
            if row.status == "refused":
                self.refused[row.reason] = self.refused.get(row.reason, 0) + 1
        self.violations = violations(
            Evidence(
                population=self.population,
                chips=chips,
                lights=lights,
                heard=self._watch.heard,
                audit=audit,
                history=history,
                tally=self.tally,
            )
        )

    async def _settled(self) -> tuple[dict[int, Chip], list[Seen]]:
        """Wait until all devices are where they belong, then look at all of them at once."""
        kept = self.tally.rebound if self._scenario.unbind else set(self._all)
        for _ in range(SNAPSHOT_TRIES):
            await self._wait(kept, is_online, "stayed online with their owners")
            await self._wait(set(self._all) - kept, is_waiting, "ended up waiting")
            try:
                return await self._crew.snapshot(), list(self._watch.last)
            except UsageError as error:
                self._say(f"{error}; looking again")  # it is being replaced
        raise UsageError(f"no snapshot of all devices in {SNAPSHOT_TRIES} tries")


def _nobody(_: Batch) -> None:
    """Let a used-up code be forgotten."""


def _first_into(future: asyncio.Future[Batch]) -> Callable[[Batch], None]:
    """Return what keeps the first used-up code and forgets the others."""

    def keep(batch: Batch) -> None:
        if not future.done():
            future.set_result(batch)

    return keep


def _runs(seen: Seen) -> bool:
    """Say whether the firmware runs, whatever it has found where it is."""
    return seen.lifecycle not in ("OFF", "BOOTING")
