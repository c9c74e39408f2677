import asyncio
from typing import Any, cast

import msgspec
import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from fleet.app.cloud_link import CloudLink
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudRefused, CloudUnreachable
from fleet.run import owner
from fleet.run.owner import Owners, rebind, sign_in
from fleet.run.population import Unit
from fleet.run.stage import HOMES, Stage
from tests.run.fakes import MiniApp, MiniCloud, MiniWorld, small

PATIENT = CloudLink("http://nobody.example", patience_s=30)
POPULATION = small(12)
SOLD = [unit for unit in POPULATION.units if unit.new_owner is not None]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> MiniWorld:
    cloud = MiniCloud(POPULATION)
    cloud.owners = dict.fromkeys(cloud.owners, "")
    world = MiniWorld(POPULATION, cloud)

    async def signed_in(_: Any, person: Any) -> ConsumerClient:
        return cast("ConsumerClient", MiniApp(world, person.uid))

    monkeypatch.setattr(owner, "sign_in", signed_in)
    monkeypatch.setattr(owner, "SEARCH_S", 0.05)
    return world


def test_the_next_owner_gets_the_device(world: MiniWorld) -> None:
    for unit in SOLD:
        assert asyncio.run(rebind(world.stage(), unit))
        assert unit.new_owner is not None
        assert world.cloud.owners[unit.uuid] == unit.new_owner.uid
        assert ("move", unit.index, HOMES) in world.log
    assert {unit.product.wired for unit in SOLD} == {True, False}


def test_owners_come_for_their_own_devices_only(world: MiniWorld) -> None:
    async def story() -> set[int]:
        stage = world.stage()
        async with asyncio.TaskGroup() as group:
            owners = Owners(stage, group)
            for unit in POPULATION.units:
                owners.welcome(unit)
        return stage.tally.rebound

    assert asyncio.run(story()) == {unit.index for unit in SOLD}


def first(*, wired: bool) -> Unit:
    return next(unit for unit in SOLD if unit.product.wired == wired)


@pytest.mark.parametrize("wired", [False, True])
def test_a_device_that_lost_its_power_before_it_kept_its_keys_is_paired_again(
    world: MiniWorld, monkeypatch: pytest.MonkeyPatch, *, wired: bool
) -> None:
    unit = first(wired=wired)
    paired = []

    def pair_once_in_the_dark(index: int, uuid: str, token: str) -> None:
        paired.append(token)
        assert unit.new_owner is not None
        world.cloud.owners[uuid] = unit.new_owner.uid
        if len(paired) > 1:
            world.enter(index, "ONLINE", "online", "")
        else:
            world.enter(index, "OFF", "off", "")
            world.enter(index, "WAITING", "waiting", "waiting")

    monkeypatch.setattr(world, "_pair", pair_once_in_the_dark)
    assert asyncio.run(rebind(world.stage(), unit))
    assert len(set(paired)) == 2


def test_a_device_that_is_paired_and_never_seen_online_is_taken_up_again(
    world: MiniWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = first(wired=False)

    def pair_and_vanish(index: int, uuid: str, _: str) -> None:
        assert unit.new_owner is not None
        world.cloud.owners[uuid] = unit.new_owner.uid
        world.enter(index, "OFF", "off", "")

    monkeypatch.setattr(world, "_pair", pair_and_vanish)
    scenario = msgspec.structs.replace(POPULATION.scenario, tries_max=2)
    population = msgspec.structs.replace(POPULATION, scenario=scenario)
    stage = msgspec.structs.replace(world.stage(), population=population)
    assert not asyncio.run(rebind(stage, unit))
    assert world.log.count(("move", unit.index, HOMES)) == 3


def test_a_device_that_hangs_is_started_anew(world: MiniWorld) -> None:
    camera = first(wired=False)
    world.hang.add(camera.index)
    assert asyncio.run(rebind(world.stage(), camera))


def test_who_never_gets_it_online_is_counted(world: MiniWorld) -> None:
    async def story(unit: Unit) -> dict[str, int]:
        stage = world.stage()
        async with asyncio.TaskGroup() as group:
            Owners(stage, group).welcome(unit)
        return dict(stage.tally.failed)

    for unit in (first(wired=False), first(wired=True)):
        world.deaf.add(unit.index)
        assert asyncio.run(story(unit)) == {"not_rebound": 1}


@pytest.mark.parametrize("light", ["reconnecting", "online"])
def test_a_device_that_never_heard_that_it_was_unbound_is_reset(
    world: MiniWorld, light: str
) -> None:
    unit = first(wired=False)
    world.kept[unit.index] = light
    stage = msgspec.structs.replace(world.stage(), patience_s=0.05)
    assert asyncio.run(rebind(stage, unit))
    assert [entry[1] for entry in world.log if entry[0] == "hold"] == [(unit.index,)]
    assert world.cloud.owners[unit.uuid] != ""


@pytest.mark.parametrize(("light", "works"), [("online", True), ("reconnecting", False)])
def test_a_device_that_is_theirs_already_is_never_reset(
    world: MiniWorld, light: str, *, works: bool
) -> None:
    unit = first(wired=False)
    assert unit.new_owner is not None
    world.cloud.owners[unit.uuid] = unit.new_owner.uid
    world.kept[unit.index] = light
    scenario = msgspec.structs.replace(POPULATION.scenario, tries_max=2)
    population = msgspec.structs.replace(POPULATION, scenario=scenario)
    stage = msgspec.structs.replace(world.stage(), population=population, patience_s=0.05)
    assert asyncio.run(rebind(stage, unit)) == works
    assert not any(entry[0] == "hold" for entry in world.log)


class Desk:
    """The cloud's registration desk, with one answer per call."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.logins = 0

    async def register(self, _link: CloudLink, _name: str, _password: str) -> str:
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer
        return "uid"

    async def login(self, _link: CloudLink, _name: str, _password: str) -> None:
        self.logins += 1


@pytest.mark.parametrize(
    "answers",
    [
        (None,),
        (CloudRefused("name_taken", ""),),
        (CloudUnreachable("lost"), CloudRefused("name_taken", "")),
        (CloudUnreachable("lost"), CloudUnreachable("lost"), None),
    ],
)
def test_signing_in_survives_a_lost_reply(
    answers: tuple[Exception | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(*answers)
    monkeypatch.setattr(owner, "register", desk.register)
    monkeypatch.setattr("fleet.app.consumer.ConsumerClient.login", desk.login)
    asyncio.run(sign_in(PATIENT, SOLD[0].owner))
    assert (desk.logins, desk.answers) == (1, [])


def test_a_cloud_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(*[CloudUnreachable("away")] * 50)
    monkeypatch.setattr(owner, "register", desk.register)
    with (
        pytest.raises(CloudUnreachable, match="away"),
        asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(0))) as runner,
    ):
        runner.run(sign_in(PATIENT, SOLD[0].owner))
    assert 10 < len(desk.answers) < 45, "as long as a call would be repeated, with growing pauses"


def test_another_refusal_is_not_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "register", Desk(CloudRefused("too_many", "")).register)
    with pytest.raises(CloudRefused, match="too_many"):
        asyncio.run(sign_in(PATIENT, SOLD[0].owner))


def test_from_the_shelf_a_device_is_taken_as_it_lies(world: MiniWorld) -> None:
    unit = first(wired=False)
    world.enter(unit.index, "OFF", "off", "")
    population = small(12, start="shelf")
    stage = msgspec.structs.replace(world.stage(), population=population, patience_s=5.0)
    assert asyncio.run(asyncio.wait_for(rebind(stage, unit), 2)), "nobody waits for a light"


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_owners_are_at_it_than_there_is_room_for(
    world: MiniWorld, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, most = 0, 0

    async def counted(_stage: Stage, _unit: Unit) -> bool:
        nonlocal there, most
        there += 1
        most = max(most, there)
        await asyncio.sleep(0)
        there -= 1
        return True

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            owners = Owners(world.stage(), group, at_once)
            for unit in SOLD:
                owners.welcome(unit)

    monkeypatch.setattr(owner, "rebind", counted)
    asyncio.run(story())
    assert most == min(at_once, len(SOLD))
