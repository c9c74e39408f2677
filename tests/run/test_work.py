import asyncio

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


def test_unfinished_devices_are_counted_by_product() -> None:
    work = work_list()
    product_id = CAMERAS[0].product.product_id
    before = work.left_of(product_id)
    done: list[str] = []
    work = WorkList(UNITS, 3, 3, on_done=lambda unit: done.append(unit.uuid))
    work.done(CAMERAS[0])
    assert work.left_of(product_id) == before - 1
    assert done == [CAMERAS[0].uuid]
