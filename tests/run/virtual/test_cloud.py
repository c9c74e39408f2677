"""The cloud in virtual time: people and devices are answered, and crashes break what they should."""

import asyncio

import msgspec
import pytest

from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.trace import Trace
from fleet.app.carrier import Interrupted, NotSent, Request
from fleet.cloud.settings import Settings
from fleet.run.virtual.cloud import VirtualCloud
from tests.cloud.support import ADMIN, OWNER, PASSWORD, seed

START_MS = 1_700_000_000_000
SETTINGS = Settings(password_iterations=1, admin_secret=ADMIN)
BODY = msgspec.json.encode({"name": OWNER, "password": PASSWORD})
LOG_IN = Request("POST", "/console/v1/login", None, "", BODY)


def cloud() -> VirtualCloud:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return VirtualCloud(loop.agenda, SETTINGS, seed, 1, Trace())


def play(story: object) -> None:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        runner.run(story())  # type: ignore[operator]


def test_a_person_is_answered_after_the_way_the_disk_and_the_way_back() -> None:
    async def story() -> None:
        one = cloud()
        one.start()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        reply = msgspec.json.decode(await one.exchange(LOG_IN))
        assert reply["success"] is True
        assert round(1000 * (loop.time() - began_s)) == 43
        query = Request("GET", "/console/v1/quotas", {"x": 1}, reply["result"]["session"], b"")
        assert msgspec.json.decode(await one.exchange(query))["success"] is True

    play(story)


def test_nobody_is_told_of_what_a_crash_took_back() -> None:
    async def story() -> None:
        one = cloud()
        one.start()
        asyncio.get_running_loop().call_later(0.021, one.crash)  # it is in memory, not on the disk
        with pytest.raises(Interrupted, match="connection lost"):
            await one.exchange(LOG_IN)
        assert (one.up, one.disk.lost) == (False, 0)
        with pytest.raises(NotSent):
            await one.exchange(LOG_IN)
        one.start()
        assert one.generation == 1
        assert msgspec.json.decode(await one.exchange(LOG_IN))["success"] is True
        assert one.disk.lost == 1

    play(story)


def test_it_comes_back_with_what_it_had_and_without_the_seed() -> None:
    async def story() -> None:
        one = cloud()
        one.start()
        session = msgspec.json.decode(await one.exchange(LOG_IN))["result"]["session"]
        await one.be_away(5, politely=True)
        quotas = Request("GET", "/console/v1/quotas", None, session, b"")
        assert msgspec.json.decode(await one.exchange(quotas))["success"] is True
        one.crash()
        one.crash()  # it is down: nothing more happens
        assert one.generation == 2

    play(story)


def test_a_fault_of_the_cloud_s_own_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        one = cloud()
        one.start()
        monkeypatch.setattr(one.node, "handle", lambda *_: 1 // 0)
        await one.exchange(LOG_IN)

    with pytest.raises(ZeroDivisionError):
        play(story)


def test_who_hangs_up_on_the_way_is_not_heard() -> None:
    async def story() -> None:
        one = cloud()
        one.start()
        heard: list[object] = []
        one.arrived.append(heard.append)
        call = asyncio.create_task(one.exchange(LOG_IN))
        await asyncio.sleep(0.010)
        call.cancel()
        await asyncio.sleep(1)
        assert (call.cancelled(), heard) == (True, [])

    play(story)
