"""Every fault of the cloud, on a small fleet at home: what it does, and that it is over afterwards."""

import asyncio
from collections.abc import Callable, Coroutine

import msgspec
import pytest

from firmware_sim.wire import atop
from fleet.app.carrier import Interrupted, NotSent, Request
from fleet.run.cloud_faults import (
    BrokerRestart,
    CloudCrash,
    CloudDown,
    CloudFault,
    CloudHung,
    CloudSlow,
    DiskSlow,
)
from fleet.run.stage import is_online
from fleet.run.virtual.crew import Crew
from tests.run.virtual.test_crew import DEVICES, at_home, play

EVERYBODY = range(DEVICES)


class Scene:
    """A fleet that is online, and a person at the console."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.cloud = crew.cloud
        self.loop = asyncio.get_running_loop()
        maker = crew._population.maker
        body = msgspec.json.encode({"name": maker.name, "password": maker.password})
        self.log_in = Request("POST", "/console/v1/login", None, "", body)

    async def ask(self) -> int:
        """Let somebody log in, which is written; return how many milliseconds that took."""
        began_s = self.loop.time()
        reply = msgspec.json.decode(await self.cloud.exchange(self.log_in))
        assert reply["success"] is True
        return round(1000 * (self.loop.time() - began_s))

    def up(self) -> bool:
        return self.cloud.up

    def strike(self, fault: CloudFault, number: int = 0) -> asyncio.Task[None]:
        return asyncio.create_task(self.crew.strike_cloud(number, fault))

    async def all_online(self) -> None:
        assert await self.crew.watch.until_all(EVERYBODY, is_online, 120) == []


Story = Callable[[Scene], Coroutine[None, None, None]]
USUAL_MS = 43


def at_a_home(story: Story) -> None:
    async def run() -> None:
        scene = Scene(await at_home())
        assert await scene.ask() == USUAL_MS
        await story(scene)
        await asyncio.sleep(60)
        assert await scene.ask() == USUAL_MS, "it is over"
        await scene.all_online()

    play(run)


def test_a_slow_cloud_answers_everybody_later_and_the_worst_counts() -> None:
    async def story(scene: Scene) -> None:
        both = [scene.strike(CloudSlow(5, 300)), scene.strike(CloudSlow(9, 100))]
        await asyncio.sleep(0)
        assert await scene.ask() == USUAL_MS + 300
        await both[0]
        assert await scene.ask() == USUAL_MS + 100
        await both[1]
        assert await scene.ask() == USUAL_MS
        assert scene.crew.measured.struck[0]["online"] == 2 * DEVICES

    at_a_home(story)


def test_a_slow_disk_makes_what_is_written_late_and_in_order() -> None:
    async def story(scene: Scene) -> None:
        both = [scene.strike(DiskSlow(5, 700)), scene.strike(DiskSlow(9, 20))]
        await asyncio.sleep(0)
        assert await scene.ask() == USUAL_MS + 700
        await both[0]
        assert await scene.ask() == USUAL_MS + 20
        await both[1]
        assert await scene.ask() == USUAL_MS

    at_a_home(story)


def test_a_cloud_that_hangs_takes_everything_and_answers_afterwards() -> None:
    async def story(scene: Scene) -> None:
        hung = scene.strike(CloudHung(8))
        await asyncio.sleep(0)
        scene.crew.power([0], on=False)
        scene.crew.power([0], on=True)
        await asyncio.sleep(0.1)
        asked = asyncio.create_task(scene.ask())
        await asyncio.sleep(7.5)
        assert scene.up(), "connections are taken"
        assert not asked.done()
        device = scene.crew.world.device(0)
        assert (device.lifecycle.name, device.session.name) != ("ONLINE", "UP")
        await hung
        assert 7_900 < await asked < 8_100
        await scene.all_online()
        scene.crew.recovery.close()
        assert [outage.down_s for outage in scene.crew.recovery.outages] == [8]

    at_a_home(story)


def test_nobody_waits_for_ever_for_a_cloud_that_hangs() -> None:
    async def story(scene: Scene) -> None:
        hung = scene.strike(CloudHung(30))
        await asyncio.sleep(0)
        with pytest.raises(Interrupted):
            await scene.ask()
        await hung

    at_a_home(story)


def test_clients_that_were_heard_late_are_not_taken_for_silent() -> None:
    """The keep-alive of the devices is two minutes; the cloud misses one ping of each."""

    async def story(scene: Scene) -> None:
        connects = [scene.crew.world.traffic(index)[1] for index in EVERYBODY]
        await scene.strike(CloudHung(1))
        await asyncio.sleep(300)
        assert connects == [scene.crew.world.traffic(index)[1] for index in EVERYBODY]

    at_a_home(story)


def test_a_broker_restarts_and_http_goes_on() -> None:
    async def story(scene: Scene) -> None:
        connects = [scene.crew.world.traffic(index)[1] for index in EVERYBODY]
        restart = scene.strike(BrokerRestart(5))
        await asyncio.sleep(1)
        sessions = {scene.crew.world.device(index).session.name for index in EVERYBODY}
        assert "UP" not in sessions
        assert await scene.ask() == USUAL_MS
        audit = await scene.crew.audit()
        assert not [device for device in audit.devices if device.online]
        await restart
        await scene.all_online()
        for index, before in zip(EVERYBODY, connects, strict=True):
            assert scene.crew.world.traffic(index)[1] > before

    at_a_home(story)


# --- crashes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False])
def test_a_crash_in_a_transaction_keeps_it_or_not_and_tells_nobody(kept: bool) -> None:
    async def story(scene: Scene) -> None:
        disk, changes = scene.cloud.disk, list[object]()
        disk.written.append(changes.append)
        crash = scene.strike(CloudCrash(3, 2, written=kept))
        assert await scene.ask() == USUAL_MS, "that was the first"
        with pytest.raises(Interrupted):
            await scene.ask()
        assert not scene.up()
        assert (len(changes), disk.lost) == ((2, 0) if kept else (1, 1))
        with pytest.raises(NotSent):
            await scene.ask()
        await crash
        assert scene.up()
        scene.crew.recovery.close()
        assert [outage.down_s for outage in scene.crew.recovery.outages] == [3]
        assert scene.crew.measured.struck[0].total() == DEVICES

    at_a_home(story)


def test_a_crash_that_is_called_off_does_not_come() -> None:
    async def story(scene: Scene) -> None:
        crashes = [scene.strike(CloudCrash(3, 1, written=True), number) for number in (4, 5)]
        await asyncio.sleep(0)
        scene.crew.call_off([4])
        await crashes[0]
        assert not crashes[1].done()
        scene.crew.call_off(iter([5]))
        await crashes[1]
        assert await scene.ask() == USUAL_MS
        assert scene.crew.measured.struck == {}

    at_a_home(story)


def test_a_cloud_that_crashes_before_it_is_taken_away_comes_back_once() -> None:
    async def story(scene: Scene) -> None:
        crash = scene.strike(CloudCrash(3, 1, written=False), 1)
        slow = scene.strike(DiskSlow(1, 400), 2)
        await asyncio.sleep(0)
        asked = asyncio.create_task(scene.ask())
        await asyncio.sleep(0.1)
        away = scene.strike(CloudDown(10, politely=True), 3)
        with pytest.raises(Interrupted):
            await asked
        await asyncio.sleep(9)
        assert not scene.up()
        await asyncio.gather(crash, away, slow)
        assert scene.up()
        assert scene.cloud.generation == 1

    at_a_home(story)


def test_a_cloud_that_crashes_while_it_hangs_has_nothing_left_to_say() -> None:
    async def story(scene: Scene) -> None:
        slow = scene.strike(DiskSlow(1, 400), 1)
        crash = scene.strike(CloudCrash(2, 1, written=True), 2)
        await asyncio.sleep(0)
        asked = asyncio.create_task(scene.ask())
        await asyncio.sleep(0.1)
        hung = scene.strike(CloudHung(6), 3)
        with pytest.raises(Interrupted):
            await asked
        await asyncio.gather(hung, crash, slow)
        assert scene.up()
        assert scene.cloud.generation == 1

    at_a_home(story)


def test_a_broker_that_restarts_in_a_cloud_that_is_down_changes_nothing() -> None:
    async def story(scene: Scene) -> None:
        crash = scene.strike(CloudCrash(9, 1, written=True), 1)
        await asyncio.sleep(0)
        with pytest.raises(Interrupted):
            await scene.ask()
        restart = scene.strike(BrokerRestart(1), 2)
        hung = scene.strike(CloudHung(1), 3)
        await asyncio.gather(crash, restart, hung)
        assert scene.up()

    at_a_home(story)


# --- signatures ---------------------------------------------------------------------------------


def test_the_cloud_refuses_what_was_signed_at_another_time() -> None:
    """What a device with a wrong clock meets; `clock_skew` in the scenario is played by its world."""

    async def story(scene: Scene) -> None:
        device = scene.crew.world.device(0)
        assert device.flash.sec_key
        now_s = scene.crew.now_ms() // 1000
        codes = []
        for skew_s in (0, -301, 301, 300):
            target, body = atop.encode_request(
                *("tuya.device.info.sync", "1.0", now_s + skew_s, device.flash.sec_key, b"{}"),
                dev_id=device.flash.dev_id,
            )
            reply = await scene.crew.door(0).call(target, body)
            inner = atop.decode_inner(atop.decode_reply(reply, device.flash.sec_key))
            codes.append(inner.error_code)
            assert abs(inner.t - now_s) <= 2, "it says what time it is"
        assert codes == ["", "STALE_TIME", "STALE_TIME", ""]

    at_a_home(story)
