import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import cast

from msgspec import structs

from firmware_sim.runtime.faults import PowerCut, WifiGone
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from fleet.run.cloud_faults import CloudCrash, CloudFault
from fleet.run.fault_kinds import FaultKind
from fleet.run.fault_plan import FaultPlan, Strike
from fleet.run.fault_player import CHECK, START, FaultPlayer
from fleet.run.faults import FaultTable
from tests.run.fakes import small


class Hands:
    """Stands in for the supervisor: remembers."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []
        self.virtual = True
        self.fuses: dict[int, asyncio.Future[bool]] = {}  # crashes that wait for their moment
        self.start_s = 0.0  # of a cloud
        self.times_s: list[float] = []  # when it went and came

    def strike(self, strike: Strike) -> None:
        self.log.append((strike.number, strike.state, strike.indices))

    def call_off(self, numbers: Iterable[int]) -> None:
        over = tuple(numbers)
        self.log.append(("off", *over))
        for number in over:
            if number in self.fuses:
                self.fuses[number].set_result(False)

    def plays(self, kind: FaultKind) -> bool:
        return kind.live or self.virtual

    async def strike_cloud(self, number: int, fault: CloudFault) -> None:
        clock_s = asyncio.get_running_loop().time
        if isinstance(fault, CloudCrash):
            self.log.append(("fuse", number, fault.commits))
            self.fuses[number] = asyncio.get_running_loop().create_future()
            came = await self.fuses[number]
            del self.fuses[number]
            if not came:
                return
        self.times_s.append(clock_s())
        self.log.append(("away", number, fault.for_s, getattr(fault, "politely", None)))
        await asyncio.sleep(fault.for_s + self.start_s)
        self.times_s.append(clock_s())
        self.log.append(("back",))

    async def until(self, count: int) -> None:
        while len(self.log) < count:
            await asyncio.sleep(0.002)

    def numbers(self) -> list[object]:
        return [entry[0] for entry in self.log]


Scene = Callable[[FaultPlayer, Hands], Coroutine[None, None, None]]


def play(scene: Scene, *tables: FaultTable) -> None:
    async def run() -> None:
        hands = Hands()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            await scene(FaultPlayer(FaultPlan(small(12, faults=tables)), hands, group), hands)

    asyncio.run(run())


def test_faults_begin_with_their_phase_and_end_with_it() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter(START)
        await hands.until(2)
        assert set(hands.numbers()) == {2, 3}
        player.enter("home")
        await hands.until(5)
        assert hands.numbers()[2:5] == ["off", 0, 0]
        hands.log.clear()
        player.enter("return")
        assert hands.log == [("off", 0, 1)], "the second had not come yet"
        await asyncio.sleep(0.15)
        assert hands.numbers() == ["off"], "nothing of another phase"
        player.enter(CHECK)
        assert hands.log[1:] == [("off", 3)]
        await player.over()

    play(
        scene,
        FaultTable("wifi_gone", during="home", for_s=0.01, every_s=0.1),
        FaultTable("wifi_gone", during="home", for_s=0.01, at_s=60),
        FaultTable("power_cut", during="start", for_s=0.01),
        FaultTable("power_cut", during="always", for_s=0.01, state="booting"),
    )


def test_what_has_begun_is_waited_for() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        player.enter("home")
        await player.once()
        assert loop.time() - start_s >= 0.2
        assert hands.numbers() == [0]
        player.enter("return")
        player.enter(CHECK)
        await player.over()
        assert loop.time() - start_s >= 0.3, "one may have entered the state just now"

    play(
        scene,
        FaultTable("wifi_gone", during="home", for_s=0.1, at_s=0.1),
        FaultTable("wifi_gone", during="return", for_s=0.1, state="online"),
    )


def test_the_cloud_goes_and_comes_back() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("home")
        await player.once()
        assert hands.log == [("away", 0, 0.05, True), ("back",)]
        player.enter("return")
        await hands.until(6)
        player.enter(CHECK)
        await player.over()
        assert hands.log.count(("away", 1, 0.01, False)) == hands.numbers().count("back") - 1 >= 2
        assert hands.log[-1] in (("back",), ("off", 1))

    play(
        scene,
        FaultTable("cloud_down", during="home", for_s=0.05, by="stop"),
        FaultTable("cloud_down", during="return", for_s=0.01, every_s=0.1),
    )


def test_a_cloud_that_starts_slowly_is_not_taken_away_before_it_is_back() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        hands.start_s = 0.25
        player.enter("home")
        await hands.until(4)
        assert hands.times_s[2] - hands.times_s[1] > 0.08, "it is there as long as planned"
        player.enter(CHECK)
        await player.over()
        assert hands.numbers()[:4] == ["away", "back", "away", "back"]

    play(scene, FaultTable("cloud_down", during="home", for_s=0.01, every_s=0.1))


def test_an_outage_under_way_is_waited_for() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("home")
        await asyncio.sleep(0.01)
        player.enter(CHECK)
        await player.over()
        assert hands.numbers() == ["away", "off", "back"]

    play(scene, FaultTable("cloud_down", during="home", for_s=0.05))


def test_a_crash_is_waited_for_once_it_has_come_and_not_before() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("home")
        await player.once()
        await hands.until(2)
        assert {entry[0] for entry in hands.log} == {"fuse"}, "nobody waits for it"
        hands.fuses[0].set_result(True)
        await asyncio.sleep(0)
        player.enter(CHECK)
        await player.over()
        assert hands.numbers()[2:] == ["away", "off", "back"]
        assert hands.fuses == {}

    play(
        scene,
        FaultTable("crash_after_write", during="home", for_s=0.05, after_commits=3),
        FaultTable("crash_before_write", during="home", for_s=0.05),
    )


def test_a_crash_comes_again_when_the_cloud_is_back() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("home")
        for turn in range(3):
            await hands.until(3 * turn + 1)
            hands.fuses[0].set_result(True)
        await hands.until(9)
        assert hands.numbers()[:9] == ["fuse", "away", "back"] * 3
        commits = [cast("int", entry[2]) for entry in hands.log if entry[0] == "fuse"]
        assert all(5 <= count <= 105 for count in commits)
        assert len(set(commits)) > 1, "each time at another transaction"
        player.enter(CHECK)
        await player.over()

    table = FaultTable("crash_after_write", "home", 0.01, every_s=0.1)
    play(scene, structs.replace(table, after_commits=5, within_commits=100))


def test_what_cannot_be_played_here_is_left_out() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        hands.virtual = False
        player.enter("home")
        await player.once()
        assert hands.numbers() == ["away", "back"]
        player.enter(CHECK)
        await player.over()

    play(
        scene,
        FaultTable("broker_restart", during="home", for_s=0.01),
        FaultTable("cloud_hung", during="home", for_s=0.01),
        FaultTable("disk_slow", during="always", for_s=0.01, latency_ms=5),
    )


def test_new_owners_have_faults_of_their_own() -> None:
    cut = FaultTable("power_cut", during="rebind", for_s=0.01, state="activating")
    gone = FaultTable("wifi_gone", during="rebind", for_s=0.01, every_s=0.1, at_s=0.05)
    plan = FaultPlan(small(12, faults=(cut, gone)))
    cameras = next(plan.strikes(1)).indices
    assert len(cameras) >= 2

    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("unbind")
        await asyncio.sleep(0.01)
        assert hands.log == []
        player.take_home(cameras[0])
        player.take_home(cameras[1])
        expected = [(0, "activating", (cameras[0],)), (0, "activating", (cameras[1],))]
        assert hands.log == expected
        player.enter("rebind")
        await hands.until(3)
        assert hands.log[2:3] == [(1, "any", cameras[:2])]
        player.enter(CHECK)
        assert hands.log[-1] == ("off", 0, 1)

    play(scene, cut, gone)


def test_what_new_owners_meet_once_they_all_meet() -> None:
    slow = FaultTable("slow", during="rebind", for_s=1, at_s=2, within_s=1, latency_ms=5)
    plan = FaultPlan(small(12, faults=(slow,)))
    [strike] = plan.strikes(0)
    assert set(strike.indices) == {u.index for u in small(12).units if u.new_owner is not None}
    laid: list[Strike] = []

    async def scene(player: FaultPlayer, hands: Hands) -> None:
        hands.strike = laid.append  # type: ignore[method-assign, assignment]
        player.enter("unbind")
        for index in strike.indices:
            player.take_home(index)
            await asyncio.sleep(0.01)
        assert [one.indices for one in laid] == [(index,) for index in strike.indices]
        delays_ms = [delay_ms for one in laid for delay_ms in one.delays_ms]
        assert delays_ms == [2000 + delay_ms for delay_ms in strike.delays_ms]
        player._over_s = 0.0
        player.enter(CHECK)

    play(scene, slow)


def test_nobody_takes_a_device_home() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        for phase in ("unbind", "rebind", CHECK):
            player.enter(phase)
        await player.over()
        assert hands.log == []

    play(scene, FaultTable("wifi_gone", during="rebind", for_s=0.01))


def test_faults_are_what_the_plan_says() -> None:
    tables = (FaultTable("power_cut", during="home", for_s=3), FaultTable("wifi_gone", "home", 1))
    plan = FaultPlan(small(12, faults=tables))
    assert [next(plan.strikes(n)).fault for n in (0, 1)] == [PowerCut(3000), WifiGone(1000)]


def in_virtual_time(scene: Scene, *tables: FaultTable) -> None:
    async def run() -> None:
        hands = Hands()
        async with asyncio.timeout(3600), asyncio.TaskGroup() as group:
            await scene(FaultPlayer(FaultPlan(small(12, faults=tables)), hands, group), hands)

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(0))) as runner:
        runner.run(run())


def test_nobody_waits_for_the_end_of_what_comes_again_and_again() -> None:
    """Each time lasts until after the next has begun: waiting for all of them would never end."""

    async def scene(player: FaultPlayer, hands: Hands) -> None:
        loop = asyncio.get_running_loop()
        player.enter("home")
        await player.once()
        assert loop.time() == 21, "when what comes once is over"
        player.enter(CHECK)
        await player.over()
        assert 76 <= loop.time() <= 21 + 76, "in the end, all of it"

    in_virtual_time(
        scene,
        FaultTable("cable_pulled", during="home", for_s=76, every_s=1),
        FaultTable("wifi_gone", during="home", for_s=20, at_s=1),
    )


def test_what_comes_again_does_so_for_as_long_as_it_is_told_to() -> None:
    async def scene(player: FaultPlayer, hands: Hands) -> None:
        player.enter("home")
        await asyncio.sleep(600)
        assert hands.numbers().count(0) == 4, "at 2, 12, 22 and 32 s"
        assert hands.times_s == [10, 11, 25, 26, 40, 41]
        player.enter(CHECK)
        await player.over()

    in_virtual_time(
        scene,
        FaultTable("power_cut", during="home", for_s=1, at_s=2, every_s=10, until_s=35),
        FaultTable("cloud_down", during="home", for_s=1, at_s=10, every_s=15, until_s=50),
    )
