"""Hands, eyes and faults of a run in virtual time, and what a device costs there."""

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeVar

import msgspec
import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.lan import Lan
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.wan import Wan
from firmware_sim.runtime.virtual.world import VirtualWorld
from fleet.run.cloud_faults import CloudDown
from fleet.run.fault_kinds import KINDS
from fleet.run.population import populate
from fleet.run.scenario import load_scenario
from fleet.run.stage import HOMES, WAREHOUSE, carry, hold_reset, is_online, is_waiting
from fleet.run.virtual import crew as module
from fleet.run.virtual.cloud import VirtualCloud
from fleet.run.virtual.crew import Crew
from fleet.run.virtual.sights import make_sight

T = TypeVar("T")
START_MS = 1_767_225_600_000
DEVICES = 8
STATE_BYTES_MAX = 2048  # per device


def a_crew(devices: int = DEVICES) -> Crew:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    population = populate(load_scenario(), devices, 1)
    return Crew(population, loop.agenda, make_sight("model", "pyzbar"), Trace())


def play(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        return runner.run(story())


async def at_home(devices: int = DEVICES) -> Crew:
    crew = a_crew(devices)
    await crew.start()
    everybody = range(devices)
    crew.power(everybody, on=True)
    assert await crew.watch.until_all(everybody, is_online, 60) == []
    return crew


@pytest.mark.parametrize("programs", [False, True])
def test_push_messages_are_owed_where_a_program_takes_part(programs: bool) -> None:
    async def story() -> int:
        crew = a_crew()
        crew.programs = programs
        await crew.start()
        crew.power([0], on=True)
        assert await crew.watch.until_all([0], is_online, 60) == []
        assert crew.cloud.node is not None
        return len(crew.cloud.node.state.push_backlog)

    assert (play(story) > 0) is programs


def test_devices_are_bound_and_come_online_in_their_homes() -> None:
    async def story() -> None:
        crew = await at_home()
        audit = await crew.audit()
        online = [device.uuid for device in audit.devices if device.online]
        units = populate(load_scenario(), DEVICES, 1).units
        assert set(online) >= {unit.uuid for unit in units}
        chips = await crew.snapshot()
        assert {chip.light for chip in chips.values()} == {"online"}
        assert all(chip.connects == 1 for chip in chips.values())
        assert crew.measured.phases["boot"].count == DEVICES

    play(story)


def test_hands_carry_and_reset() -> None:
    async def story() -> None:
        crew = await at_home()
        everybody = range(DEVICES)
        population = populate(load_scenario(), DEVICES, 1)
        await carry(crew, crew.watch, everybody, WAREHOUSE, 60)
        hold_reset(crew, population, everybody)
        assert await crew.watch.until_all(everybody, is_waiting, 60) == []
        assert crew.measured.phases["reset"].count == DEVICES
        crew.move([0], HOMES)

    play(story)


def test_phones_hear_wired_devices_that_wait() -> None:
    async def story() -> None:
        crew = await at_home()
        population = populate(load_scenario(), DEVICES, 1)
        wired = [unit for unit in population.units if unit.product.wired]
        hold_reset(crew, population, [unit.index for unit in wired])
        async with crew.phones() as phones:
            found = await phones.wait_for([unit.uuid for unit in wired], 60)
            assert {one.uuid for one in found} == {unit.uuid for unit in wired}
            delivery = await phones.hand_over(found[0], "EU12345678abcd")
            assert delivery.accepted

    play(story)


@pytest.mark.parametrize("politely", [True, False])
def test_an_outage_is_noticed_counted_and_got_over(politely: bool) -> None:
    async def story() -> None:
        crew = await at_home()
        await crew.strike_cloud(3, CloudDown(20, politely=politely))
        assert crew.measured.struck[3] == {"online": DEVICES}
        assert await crew.watch.until_all(range(DEVICES), is_online, 60) == []
        crew.recovery.close()
        [outage] = crew.recovery.outages
        assert (outage.devices, outage.down_s >= 20) == (DEVICES, True)

    play(story)


def test_every_fault_is_played() -> None:
    async def story() -> bool:
        return all(a_crew().plays(kind) for kind in KINDS.values())

    assert play(story)


def test_every_device_has_an_address_of_its_own() -> None:
    some = [0, 1, 253, 254, 255, 65_533, 65_534, 999_999]
    addresses = [module.address(index) for index in some]
    assert len(set(addresses)) == len(some)
    assert addresses[0] == "10.0.0.2"
    for address in addresses:
        assert all(0 <= int(part) <= 255 for part in address.split("."))


def test_a_device_in_virtual_time_takes_at_most_two_kilobytes() -> None:
    """Its firmware, its place in the world, its connections and what is planned for it.

    What is behind a gateway or a recorder counts as a device. Identities are the population's.
    """

    async def story() -> float:
        crew = await at_home(40)
        await asyncio.sleep(10)
        gc.collect()
        world = crew.world
        owners = [_reachable(world.place(index)) for index in range(40)]
        identities = [_reachable(world.device(index).identity) for index in range(40)]
        counts = Counter(i for one in (*owners, *identities) for i in one)
        own = sum(size for owner in owners for i, size in owner.items() if counts[i] == 1)
        plans = (plan for plans in crew.agenda._due.values() for plan in plans)
        planned = sum(sys.getsizeof(plan) + sys.getsizeof(plan[1]) for plan in plans)
        devices = 40 + sum(len(world.device(index).profile.children) for index in range(40))
        return (own + planned) / devices

    bytes_per_device = play(story)
    assert 500 < bytes_per_device <= STATE_BYTES_MAX


def _reachable(start: object) -> dict[int, int]:
    """Return the size of everything that something leads to, by identity, but for classes and code."""
    sizes: dict[int, int] = {}
    left: list[object] = [start]
    while left:
        thing = left.pop()
        if id(thing) in sizes or isinstance(thing, _NO_STATE):
            continue
        sizes[id(thing)] = sys.getsizeof(thing)
        left += gc.get_referents(thing)
        if isinstance(thing, msgspec.Struct):  # which may be hidden from the collector
            left += (getattr(thing, name) for name in thing.__struct_fields__)
    return sizes


_NO_STATE = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    VirtualWorld,
    VirtualCloud,
    Wan,
    Lan,
)
