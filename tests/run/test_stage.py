import asyncio

from fleet.run.messages import Seen
from fleet.run.stage import HOMES, WAREHOUSE, carry, first_site, is_online, is_waiting
from tests.run.fakes import MiniCloud, MiniWorld, small


def test_carrying_switches_off_moves_and_switches_on() -> None:
    population = small(4)
    world = MiniWorld(population, MiniCloud(population))
    asyncio.run(carry(world, world.watch, iter([0, 2]), WAREHOUSE, 1))
    assert world.log == [
        ("power", 0, False),
        ("power", 2, False),
        ("move", 0, WAREHOUSE),
        ("move", 2, WAREHOUSE),
        ("power", 0, True),
        ("power", 2, True),
    ]


def test_readiness_is_read_from_state_and_light() -> None:
    waiting = Seen(0, 0, "WAITING", "DOWN", "unbound", "unbound", "")
    online = Seen(0, 0, "ONLINE", "UP", "online", "", "")
    assert (is_waiting(waiting), is_online(waiting)) == (True, False)
    assert (is_waiting(online), is_online(online)) == (False, True)


def test_devices_begin_in_homes_or_on_the_shelf() -> None:
    assert first_site(small(4).scenario) == HOMES
    assert first_site(small(4, start="shelf").scenario) == WAREHOUSE
