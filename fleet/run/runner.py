"""A batch unbinding, from the owners' homes to the next owners' homes.

    start    the cloud and all shards are there
    home     all devices are powered in their owners' homes and come online
    return   they are switched off, carried to the warehouse and switched on there
    reset    their reset buttons are held until they wait for a code
    unbind   operators unbind them in batches; some get into trouble on purpose
    rebind   new owners take a share of them home (from the first unbound device on)
    check    devices and cloud are held against each other

A scenario that unbinds nothing goes from home to `stay`, in which devices have only to stay online,
and from there to the check. One that begins on a shelf has neither home nor return nor reset: its
operators take devices from there, on as many days as there are. With each phase its faults begin and
end.

Nothing here touches a socket or a process: that is the crew's, which is the supervisor of live
processes, or everything in virtual time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count

from firmware_sim.errors import UsageError
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.cloud.quotas import Quota
from fleet.run.attempt import Batch
from fleet.run.audit import fetch_apps, fetch_history
from fleet.run.bench import workplace
from fleet.run.bridge.introduction import introduce
from fleet.run.calendar import Calendar, arrivals
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.table import AT_END, violations
from fleet.run.fault_plan import FaultPlan
from fleet.run.fault_player import CHECK, START, FaultPlayer
from fleet.run.messages import Chip, Seen
from fleet.run.operator import Office, Operator
from fleet.run.owner import Owners
from fleet.run.pace import Pace
from fleet.run.population import Person, Population, Unit
from fleet.run.scenario import SHELF
from fleet.run.stage import (
    PATIENCE_PER_DEVICE_S,
    WAREHOUSE,
    Crew,
    Stage,
    carry,
    is_off,
    is_online,
    is_waiting,
    reset_all,
)
from fleet.run.tally import Tally
from fleet.run.tampered import break_out
from fleet.run.trouble import Troublemakers
from fleet.run.work import WorkList

SNAPSHOT_TRIES = 3
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
        self.late: dict[str, int] = {}  # devices that have not come through a phase in time
        self.violations: list[str] = []
        self.refused: dict[str, int] | None = None  # by the history, once it was read
        self.unbound_by_day: dict[str, int] = {}  # by the history as well, and by the quota's day
        self.quotas: tuple[Quota, ...] = ()  # by the cloud's books, at the end
        self.checked: tuple[str, ...] = ()  # names of the invariants that were checked
        self._crew = crew
        crew.chronicle.follow(self.tally)
        self._watch = crew.watch
        self._say = say
        self._all = tuple(unit.index for unit in population.units)
        self._scenario = scenario = population.scenario
        self._shelf = scenario.start == SHELF
        on_benches = len(scenario.operators) * scenario.batch_max
        at_once = min(len(self._all), on_benches) if self._shelf else len(self._all)
        self._patience_s = scenario.patience_s + PATIENCE_PER_DEVICE_S * at_once
        self.pace = Pace(len(scenario.operators))
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
                calendar=Calendar(
                    self._crew.quota_day_offset_min,
                    self.population.campaign.days,
                    self._crew.now_ms,
                ),
                patience_s=self._patience_s,
            )
            maker = await self._log_in(link, self.population.maker)
            await introduce(stage, self._say)
            if not self._shelf:
                await self._home()
            if self._scenario.unbind:
                if not self._shelf:
                    await self._return()
                    await self._reset()
                await self._unbind_and_rebind(stage, maker)
            else:
                await self._stay()
            await self._check(link, maker)
        self.phase = "done"

    def _enter(self, phase: str) -> None:
        self.phase = phase
        if self._faults is not None:
            self._faults.enter(phase)

    def _link_patience_s(self) -> float:
        """Return how long people try: outages take turns, and one that comes again may come again.

        Where it is known when it comes no more, they wait for that: a slow cloud that is there for
        moments only may not get anything done before.
        """
        size = self._plan.size
        away = [t for t in self._plan.tables if t.facts.away]
        turns_s = (t.length_s(size) * (1 + bool(t.every_s)) + t.until_s for t in away)
        return LINK_PATIENCE_S + sum(turns_s)

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
        left = await reset_all(self._crew, self._watch, self.population, self._all)
        if left:
            self._complain(len(left), "reached waiting after a reset")

    async def _wait(self, indices: Iterable[int], test: Callable[[Seen], bool], what: str) -> None:
        late = await self._watch.until_all(indices, test, self._patience_s)
        if late:
            self._complain(len(late), what)

    def _complain(self, count: int, what: str) -> None:
        self.late[self.phase] = count
        self._say(f"{count} of {len(self._all)} devices have not {what} in time; going on")

    # --- in the warehouse -----------------------------------------------------------------------

    async def _unbind_and_rebind(self, stage: Stage, maker: ConsoleClient) -> None:
        self._enter("unbind")
        clients = [await self._log_in(stage.link, person) for person in self.population.operators]
        purchaser = await self._log_in(stage.link, self.population.purchaser)
        async with asyncio.TaskGroup() as owners_group:
            owners = Owners(stage, owners_group, self._crew.owners_at_once)

            def welcome(unit: Unit) -> None:
                if unit.new_owner is not None and self._faults is not None:
                    self._faults.take_home(unit.index)
                owners.welcome(unit)

            days = arrivals(self.population)
            work = self._work_list(stage.calendar, days, welcome)
            turning = owners_group.create_task(self._turn_days(stage.calendar, work, days[1:]))
            office = Office(maker, stage.calendar)
            used_up: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
            async with asyncio.TaskGroup() as group:
                for number, client in enumerate(clients):
                    on_used_up = _first_into(used_up) if number == 0 else _nobody
                    place = workplace(stage)
                    operator = Operator(stage, client, number, work, office, place, on_used_up)
                    group.create_task(operator.run())
                trouble = Troublemakers(stage, clients[0], purchaser, used_up)
                group.create_task(trouble.all(work.add))
                group.create_task(break_out(stage, self._crew, clients[0], work.add))
            turning.cancel()
            if work.given_up:
                self.tally.failed["not_unbound"] += len(work.given_up)
            self._enter("rebind")

    def _work_list(
        self,
        calendar: Calendar,
        days: tuple[tuple[Unit, ...], ...],
        welcome: Callable[[Unit], None],
    ) -> WorkList:
        """Return the pile with what is there on the first day, on itself or in trouble."""
        scenario = self._scenario
        per_day = scenario.quotas.account * len(scenario.operators)
        later = {unit.index for day in days[1:] for unit in day}
        work = WorkList(
            (unit for unit in self.population.units if unit.index not in later),
            len(scenario.operators),
            scenario.tries_max,
            welcome,
            coming=len(later),
            can_wait=lambda backlog: calendar.can_wait(backlog, per_day),
            pace=self.pace,
        )
        work.add(days[0])
        return work

    async def _turn_days(
        self, calendar: Calendar, work: WorkList, coming: tuple[tuple[Unit, ...], ...]
    ) -> None:
        """Begin every new day with the devices that come on it, and let operators come; for ever."""
        come_every_s = self.population.campaign.come_every_s
        for number in count():
            await calendar.next_day()
            work.new_day(coming[number] if number < len(coming) else ())
            for operator in range(len(self._scenario.operators)):
                work.come(operator)
                await asyncio.sleep(come_every_s)

    async def _stay(self) -> None:
        """Keep devices online until the faults that are planned once are over, and a while more."""
        assert self._faults is not None
        self._enter("stay")
        await self._faults.once()
        await self._wait(self._all, is_online, "come back online")
        await asyncio.sleep(self._scenario.stay_s)

    # --- at the end -----------------------------------------------------------------------------

    async def _check(self, link: CloudLink, maker: ConsoleClient) -> None:
        self._enter(CHECK)
        if self._faults is not None:
            await self._faults.over()
        chips, lights = await self._settled()
        self.chips = chips
        self._crew.recovery.close(i for i, chip in chips.items() if chip.severed)
        audit = await self._crew.audit()
        history = await fetch_history(maker)
        self.quotas = tuple(audit.quotas)
        self._crew.chronicle.refusals(
            (row.time_ms, row.reason) for row in history if row.status == "refused"
        )
        self.refused = {}
        for row in history:
            if row.status == "refused":
                self.refused[row.reason] = self.refused.get(row.reason, 0) + 1
            elif row.operation == "unbind":
                self.unbound_by_day[row.day] = self.unbound_by_day.get(row.day, 0) + 1
        self.violations = [f"tampered: {line}" for line in self.tally.break_outs]
        self.checked = AT_END
        self.violations += violations(
            Evidence(
                population=self.population,
                chips=chips,
                lights=lights,
                heard=self._watch.heard,
                audit=audit,
                history=history,
                tally=self.tally,
                apps=await fetch_apps(link, self.population, self.tally.rebound),
            )
        )

    def _is_done(self, seen: Seen) -> bool:
        """Say whether a device that nobody has bound again is where it may stay."""
        return is_waiting(seen) or (self._shelf and is_off(seen))

    async def _settled(self) -> tuple[dict[int, Chip], list[Seen]]:
        """Wait until all devices are where they belong, then look at all of them at once."""
        kept = self.tally.rebound if self._scenario.unbind else set(self._all)
        for _ in range(SNAPSHOT_TRIES):
            await self._wait(kept, is_online, "stayed online with their owners")
            await self._wait(set(self._all) - kept, self._is_done, "ended up waiting")
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
