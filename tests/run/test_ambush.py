import asyncio
from collections.abc import Callable, Coroutine

from firmware_sim.runtime.faults import AnyFault, HalfOpen, PowerCut
from fleet.run.ambush import Ambush

CUT = PowerCut(1000)
Struck = list[tuple[int, AnyFault]]


def play(scene: Callable[[Ambush, Struck], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        struck: Struck = []

        def strike(index: int, fault: AnyFault) -> str:
            struck.append((index, fault))
            return "WAITING" if index % 2 else "ONLINE"

        await scene(Ambush(strike), struck)

    asyncio.run(run())


async def until(struck: Struck, count: int) -> None:
    async with asyncio.timeout(10):
        while len(struck) < count:
            await asyncio.sleep(0.001)


def test_each_device_is_struck_after_its_own_delay() -> None:
    async def scene(ambush: Ambush, struck: Struck) -> None:
        ambush.lay(0, CUT, (1, 2, 3), (20, 0, 10))
        assert struck == [(2, CUT)], "now means now, whatever is ordered next"
        ambush.calm([7])
        await until(struck, 3)
        assert struck == [(2, CUT), (3, CUT), (1, CUT)]
        assert ambush.take_struck() == {0: {"waiting": 2, "online": 1}}
        assert ambush.take_struck() == {}

    play(scene)


def test_a_state_is_waited_for_once() -> None:
    async def scene(ambush: Ambush, struck: Struck) -> None:
        ambush.saw(1, "ACTIVATING")
        ambush.lay(0, CUT, (1, 2), (0, 0), "activating")
        ambush.lay(1, HalfOpen(), (1,), (0,), "activating")
        for state in ("BOOTING", "ACTIVATING", "ONLINE", "ACTIVATING"):
            ambush.saw(1, state)
        await until(struck, 2)
        await asyncio.sleep(0.005)
        assert struck == [(1, CUT), (1, HalfOpen())]

    play(scene)


def test_what_has_not_begun_can_be_called_off() -> None:
    async def scene(ambush: Ambush, struck: Struck) -> None:
        ambush.lay(0, CUT, (1,), (5,))
        ambush.lay(1, CUT, (2,), (5,))
        for number in (0, 1):
            ambush.lay(number, HalfOpen(), (3,), (0,), "online")
            ambush.lay(number, HalfOpen(), (3 + number,), (0,), "waiting")
        ambush.calm([0, 7])
        for state in ("ONLINE", "WAITING"):
            ambush.saw(3, state)
        await until(struck, 2)
        await asyncio.sleep(0.01)
        assert struck == [(3, HalfOpen()), (2, CUT)]
        ambush.saw(4, "WAITING")
        await until(struck, 3)
        assert ambush.take_struck() == {1: {"waiting": 1, "online": 2}}

    play(scene)
