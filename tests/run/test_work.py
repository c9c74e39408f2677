import asyncio

from fleet.run.pace import Pace
from fleet.run.work import Errand, Job, WorkList
from tests.run.fakes import small

UNITS = small().units
CAMERAS = [unit for unit in UNITS if not unit.product.wired]


def work_list(tries_max: int = 3, operators: int = 3) -> WorkList:
    return WorkList(UNITS, operators, tries_max)


async def take(work: WorkList, operator: int, count_max: int = 30) -> list[Job]:
    jobs = await work.take(operator, count_max)
    assert isinstance(jobs, list)
    return jobs


def test_each_operator_takes_its_own_and_never_mixes_methods() -> None:
    async def story() -> None:
        work = work_list()
        work.add(UNITS)
        for operator in range(3):
            jobs = await take(work, operator) + await take(work, operator)
            own = [unit for unit in UNITS if unit.operator == operator]
            assert {job.unit.index for job in jobs} == {unit.index for unit in own}
        work = work_list()
        work.add(UNITS)
        assert len({job.unit.product.wired for job in await take(work, 0)}) == 1
        assert len(await take(work, 1, 1)) == 1

    asyncio.run(story())


def test_waits_for_work_and_goes_home_when_all_is_done() -> None:
    async def story() -> None:
        work = work_list()
        loop = asyncio.get_running_loop()
        unit = next(unit for unit in UNITS if unit.operator == 1)
        loop.call_soon(work.add, [unit])
        assert [job.unit for job in await take(work, 1)] == [unit]
        for one in UNITS[:-1]:
            work.done(one)
        loop.call_soon(work.done, UNITS[-1])
        assert await work.take(1, 30) is Errand.HOME
        assert work.left == 0

    asyncio.run(story())


def test_what_fails_too_often_is_given_up() -> None:
    async def story() -> None:
        work = work_list(tries_max=2)
        work.add(UNITS[:1])
        operator = UNITS[0].operator
        work.again(await take(work, operator))
        [job] = await take(work, operator)
        assert job.tries == 1
        work.again([job])
        assert work.given_up == [UNITS[0]]
        assert work.left == len(UNITS) - 1

    asyncio.run(story())


def test_a_spent_account_hands_over_to_the_others() -> None:
    async def story() -> None:
        work = work_list()
        mine = [unit for unit in CAMERAS if unit.operator == 0]
        work.add(mine)
        jobs = await take(work, 0, 1)
        work.spent(0)
        work.again(jobs)
        taken = await take(work, 1)
        assert {job.unit.index for job in taken} == {unit.index for unit in mine}
        late = asyncio.ensure_future(work.take(0, 30))
        await asyncio.sleep(0)
        assert not late.done()
        late.cancel()

    asyncio.run(story())


def test_when_nobody_has_quota_left_everybody_gets_a_ticket() -> None:
    async def story() -> None:
        work = work_list()
        work.add(UNITS)
        for operator in range(3):
            work.spent(operator)
        for operator in range(3):
            assert await work.take(operator, 30) is Errand.TICKET
            work.refilled(operator)
        assert await take(work, 2)

    asyncio.run(story())


def test_nobody_is_woken_by_what_gives_nothing_to_do() -> None:
    async def story() -> None:
        work = work_list()
        idle = asyncio.ensure_future(work.take(1, 30))
        await asyncio.sleep(0)
        work.done(UNITS[0])
        work.again([])
        work.put_off([])
        assert not work._changed.is_set()
        idle.cancel()

    asyncio.run(story())


def test_what_a_quota_stops_is_not_given_up() -> None:
    async def story() -> None:
        work = work_list(tries_max=1)
        work.add(UNITS[:1])
        operator = UNITS[0].operator
        for _ in range(3):
            work.put_off(await take(work, operator))
        [job] = await take(work, operator)
        assert (job.tries, work.given_up) == (0, [])

    asyncio.run(story())


def test_a_product_rests_until_the_next_day() -> None:
    async def story() -> None:
        work = work_list()
        work.add(unit for unit in UNITS if unit.operator == 0)
        closed = CAMERAS[0].product.product_id
        work.close(closed)
        assert {job.unit.product.wired for job in await take(work, 0)} == {True}
        late = asyncio.ensure_future(work.take(0, 30))
        await asyncio.sleep(0)
        assert not late.done()
        work.new_day()
        work.come(0)
        resting = await late
        assert isinstance(resting, list)
        assert {job.unit.product.product_id for job in resting} == {closed}

    asyncio.run(story())


def test_those_whose_work_can_wait_go_home_until_the_next_day() -> None:
    async def story() -> None:
        asked: list[int] = []

        def can_wait(left: int) -> bool:
            asked.append(left)
            return True

        work = WorkList(UNITS, 3, 3, can_wait=can_wait)
        work.add(UNITS)
        for operator in range(3):
            work.spent(operator)
        assert asked == [len(UNITS)], "asked when nobody has any quota left"
        waiting = [asyncio.ensure_future(work.take(operator, 30)) for operator in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        work.new_day()
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting), "nobody has come yet"
        work.come(1)
        assert isinstance(await waiting[1], list)
        assert not waiting[0].done()
        work.come(0)
        assert isinstance(await waiting[0], list)
        waiting[2].cancel()

    asyncio.run(story())


def test_what_comes_later_is_waited_for() -> None:
    async def story() -> None:
        first, later = UNITS[:4], UNITS[4:]
        work = WorkList(first, 3, 3, coming=len(later))
        assert work.left == 4
        for unit in first:
            work.done(unit)
        idle = asyncio.ensure_future(work.take(0, 30))
        await asyncio.sleep(0)
        assert not idle.done(), "there is nothing to do, but not for ever"
        work.new_day(later)
        assert work.left == len(later)
        assert work.left_of(later[0].product.product_id) > 0
        for unit in later:
            work.done(unit)
        assert await idle is Errand.HOME

    asyncio.run(story())


def test_unfinished_devices_are_counted_by_product() -> None:
    work = work_list()
    product_id = CAMERAS[0].product.product_id
    before = work.left_of(product_id)
    done: list[str] = []
    work = WorkList(UNITS, 3, 3, on_done=lambda unit: done.append(unit.uuid))
    work.done(CAMERAS[0])
    assert work.left_of(product_id) == before - 1
    assert done == [CAMERAS[0].uuid]


def test_nobody_takes_a_batch_while_all_are_paused() -> None:
    async def story() -> None:
        pace = Pace(3)
        work = WorkList(UNITS, 3, 3, pace=pace)
        pace.pause(paused=True)
        work.add(UNITS)
        taking = asyncio.create_task(take(work, 0))
        await asyncio.sleep(0.01)
        assert not taking.done()
        pace.pause(paused=False)
        assert await taking

    asyncio.run(story())


def test_fewer_operators_take_what_is_everybodys_in_batches_of_another_size() -> None:
    async def story() -> None:
        pace = Pace(3)
        work = WorkList(UNITS, 3, 3, pace=pace)
        work.add(UNITS)
        pace.ramp(1, 2)
        resting = asyncio.create_task(take(work, 2))
        taken: list[int] = []
        while len(taken) < len(UNITS):
            jobs = await take(work, 0)
            assert len(jobs) <= 2
            taken += [job.unit.index for job in jobs]
        assert sorted(taken) == [unit.index for unit in UNITS]
        assert not resting.done()
        resting.cancel()

    asyncio.run(story())


def test_a_ticket_is_due_when_all_who_work_have_none_left() -> None:
    async def story() -> None:
        pace = Pace(3)
        work = WorkList(UNITS, 3, 3, pace=pace)
        work.add(UNITS)
        pace.ramp(1, None)
        work.spent(0)
        assert await work.take(0, 30) is Errand.TICKET

    asyncio.run(story())
