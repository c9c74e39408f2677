import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from fleet.app.messages import HistoryRow
from fleet.run.attempt import Batch, Result, Verdict
from fleet.run.bench import workplace
from fleet.run.operator import Office, Operator, note_result
from fleet.run.population import Population, Unit
from fleet.run.scenario import Campaign, QuotaLimits
from fleet.run.stage import Stage
from fleet.run.work import Job, WorkList
from tests.run.fakes import MiniCloud, MiniConsole, MiniWorld, small

TWO_DAYS = Campaign(days=2)


class Shift:
    """All operators of a population at work until the pile is gone, on as many days as it takes."""

    def __init__(
        self,
        population: Population,
        enter_first: tuple[int, str, str, str] | None = None,
        **faults: Any,
    ) -> None:
        self.population = population
        self.cloud = MiniCloud(population)
        self.world = MiniWorld(population, self.cloud)
        for name, value in faults.items():
            setattr(self.cloud if hasattr(self.cloud, name) else self.world, name, value)
        if enter_first is not None:
            self.world.enter(*enter_first)
        self.consoles = [MiniConsole(self.cloud, person.name) for person in population.operators]
        self.maker = MiniConsole(self.cloud, population.maker.name)
        self.freed: list[Unit] = []
        self.stage: Stage = self.world.stage()
        self.used_up: list[Batch] = []
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(0))) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        scenario, calendar = self.population.scenario, self.stage.calendar
        per_day = scenario.quotas.account * len(self.consoles)
        self.work = WorkList(
            self.population.units,
            len(self.consoles),
            scenario.tries_max,
            self.freed.append,
            can_wait=lambda left: calendar.can_wait(left, per_day),
        )
        self.work.add(self.population.units)
        office = Office(self.maker.client, calendar)
        turning = asyncio.create_task(self._turn_days())
        async with asyncio.TaskGroup() as group:
            for number, console in enumerate(self.consoles):
                operator = Operator(
                    self.stage,
                    console.client,
                    number,
                    self.work,
                    office,
                    workplace(self.stage),
                    self.used_up.append,
                )
                group.create_task(operator.run())
        turning.cancel()

    async def _turn_days(self) -> None:
        """Let it be the next day whenever a while nothing has happened."""
        for day in ("2024-01-02", "2024-01-03"):
            rows = -1
            while rows != len(self.cloud.rows):
                rows = len(self.cloud.rows)
                await asyncio.sleep(2 * self.stage.patience_s)
            self.cloud.day = day
            self.cloud.used.clear()
            self.work.new_day()
            for number in range(len(self.consoles)):
                self.work.come(number)

    def reasons(self) -> list[str]:
        return sorted({row.reason for row in self.cloud.rows if row.reason})

    def done(self) -> bool:
        return not any(self.cloud.owners.values()) and not self.work.left


def test_everything_is_unbound_in_batches() -> None:
    shift = Shift(small(40))
    assert shift.done()
    assert shift.reasons() == []
    assert shift.stage.tally.by_method() == {"qr": 27, "wired": 13}
    assert len(shift.freed) == 40
    sizes = [sum(r.batch == t.batch for r in shift.cloud.rows) for t in shift.cloud.tokens.values()]
    assert max(sizes) == 4


def test_codes_that_are_used_up_are_handed_on() -> None:
    shift = Shift(small(40), lose_replies=1)
    assert shift.done()
    assert sum(len(batch.units) for batch in shift.used_up) == 27
    assert all(batch.payload is not None for batch in shift.used_up)
    assert all(batch.token.max_devices == len(batch.units) for batch in shift.used_up)


def test_a_spent_account_leaves_the_rest_to_the_next() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=15, product=100)))
    assert shift.done()
    assert "account_quota" in shift.reasons()
    assert [console.tickets for console in shift.consoles] == [[], [], []]
    assert shift.cloud.used["owner@maker"] == 15


def test_when_all_accounts_are_spent_each_gets_a_ticket() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=3, product=100)))
    assert shift.done()
    assert all(console.tickets for console in shift.consoles)
    assert shift.stage.tally.tickets == sum(len(console.tickets) for console in shift.consoles)


def test_a_spent_product_gets_one_ticket_from_its_owner() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=100, product=20)))
    assert shift.done()
    assert shift.reasons() == ["product_quota"]
    [ticket] = shift.maker.tickets
    assert (ticket.scope, ticket.limit) == ("product", 27)
    assert shift.stage.tally.tickets == 1


def test_a_spent_account_comes_back_on_the_next_day() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=8, product=100), campaign=TWO_DAYS))
    assert shift.done()
    assert shift.stage.tally.tickets == 0
    by_day = Counter(row.day for row in shift.cloud.rows if row.status == "ok")
    assert by_day == {"2024-01-01": 24, "2024-01-02": 16}


def test_on_the_last_day_there_is_no_waiting() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=6, product=100), campaign=TWO_DAYS))
    assert shift.done()
    by_day = Counter(row.day for row in shift.cloud.rows if row.status == "ok")
    assert by_day == {"2024-01-01": 40}, "18 a day are not enough for two, so nobody waits"
    assert [len(console.tickets) for console in shift.consoles] == [1, 1, 1]
    assert max(ticket.limit for console in shift.consoles for ticket in console.tickets) == 14


def test_a_spent_product_rests_until_the_next_day() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=100, product=15), campaign=TWO_DAYS))
    assert shift.done()
    assert shift.maker.tickets == []
    camera = shift.population.products[0].product_id
    released = [row for row in shift.cloud.rows if row.status == "ok"]
    by_day = Counter(row.day for row in released if row.product_id == camera)
    assert by_day == {"2024-01-01": 15, "2024-01-02": 12}


def test_a_product_that_cannot_wait_gets_as_much_per_day_as_is_needed() -> None:
    shift = Shift(small(40, quotas=QuotaLimits(account=100, product=12), campaign=TWO_DAYS))
    assert shift.done()
    [ticket] = [one for one in shift.maker.tickets if one.limit < 15]
    assert ticket.limit == 14, "27 in two days"
    assert shift.stage.tally.tickets == len(shift.maker.tickets)


def test_yesterday_s_refusal_says_nothing_about_today() -> None:
    population = small(12, quotas=QuotaLimits(account=100, product=100), campaign=TWO_DAYS)
    world = MiniWorld(population, MiniCloud(population))
    stage = world.stage()
    work = WorkList(population.units, 3, 3)
    console = MiniConsole(world.cloud, "owner@maker").client
    office = Office(console, stage.calendar)
    operator = Operator(stage, console, 0, work, office, workplace(stage))
    job = Job(population.units[0])
    row = HistoryRow(1, 0, "unbind", "refused", reason="account_quota", day="2023-12-31")
    for day, spent in (("2023-12-31", set()), ("2024-01-01", {0})):
        result = Result(job.unit, Verdict.FAILED, "", msgspec.structs.replace(row, day=day))
        asyncio.run(operator._settle([job], [result], "batch", 0, []))
        assert work._spent == spent


def test_a_batch_from_a_shelf_is_lit_and_put_back() -> None:
    population = small(12, start="shelf")
    shift = Shift(population)
    assert shift.done()
    assert {seen.lifecycle for seen in shift.world.watch.last} == {"OFF"}
    lit = [entry[1] for entry in shift.world.log if entry[0] == "power" and entry[2]]
    assert sorted(lit) == list(range(12)), "each of them once"


def test_a_device_that_has_not_noticed_its_release_is_taken_up_again() -> None:
    population = small(4, start="shelf")
    power_cut = small(4, start="shelf").units[0].index
    shift = Shift(population, unfinished={power_cut})
    assert shift.done()
    assert [row.status for row in shift.cloud.rows].count("ok") == 4
    lit = [entry[1] for entry in shift.world.log if entry[0] == "power" and entry[2]]
    assert sorted(lit) == [0, 0, 1, 2, 3]
    assert shift.work.given_up == []


def test_what_cannot_be_unbound_is_given_up() -> None:
    population = small(4, tries_max=2)
    shift = Shift(population, deaf={0})
    assert shift.work.given_up == [population.units[0]]
    assert sorted(shift.stage.tally.unbound) == [1, 2, 3]


@pytest.mark.parametrize("fault", ["lose_replies", "power_cuts"])
def test_released_without_a_word_is_not_unbound_twice(fault: str) -> None:
    shift = Shift(small(12), None, **{fault: 2 if fault == "lose_replies" else {1, 2}})
    assert shift.done()
    assert shift.reasons() == []


@pytest.mark.parametrize(("light", "reasons"), [("unbound", []), ("waiting", ["not_bound"])])
def test_released_by_an_earlier_batch_is_found_out(light: str, reasons: list[str]) -> None:
    population = small(12)
    late = dict.fromkeys((0, 1, 2), light)
    shift = Shift(population, late=late)
    assert shift.done()
    assert shift.work.given_up == []
    assert shift.reasons() == reasons
    assert shift.stage.tally.contradictions == []
    assert len(shift.stage.tally.unbound) == len(shift.freed) == 12
    assert sum(row.status == "ok" for row in shift.cloud.rows) == 12


def test_a_device_that_was_never_reset_has_its_button_held() -> None:
    shift = Shift(small(12), unreset={1}, enter_first=(1, "ONLINE", "reconnecting", ""))
    assert shift.done()
    hold_ms = 200 + shift.population.profile(shift.population.units[1]).timings.reset_hold_ms
    assert [entry for entry in shift.world.log if entry[0] == "hold"] == [("hold", (1,), hold_ms)]


def test_a_light_that_contradicts_the_history_is_noted() -> None:
    population = small(4)
    stage = MiniWorld(population, MiniCloud(population)).stage()
    result = Result(population.units[0], Verdict.UNBOUND, "unbound")
    assert not note_result(stage, result)
    [line] = stage.tally.contradictions
    assert population.units[0].uuid in line
