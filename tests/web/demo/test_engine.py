"""One world and its pages: what they are told, time that stands still, steps, what comes to nothing."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.run.virtual.desk.happenings import Shown
from fleet.run.virtual.desk.laid import Laid
from fleet.run.virtual.desk.phones import Order
from fleet.web.demo import engine as module
from fleet.web.demo.engine import Ending, Engine, model_of
from fleet.web.demo.engines import Engines
from fleet.web.demo.shapes import Now, Start, TimeOrder
from fleet.web.routes import NotFound

pytestmark = pytest.mark.anyio
START_MS = 1_767_225_600_000


@asynccontextmanager
async def an_engine(
    light: str = "joining", profile: str = "ipc-red-green"
) -> AsyncIterator[Engine]:
    """A world in which time stands still, unless the light stays by itself."""
    engine = Engine(profile, START_MS)
    await engine.start(light, 20.0)
    await until(engine, lambda now: not now.busy)
    try:
        yield engine
    finally:
        engine.tell_end(Ending.ENDED, "over")
        await asyncio.to_thread(engine.end)


def is_after(count: int, now: Now) -> bool:
    return now.count > count


async def until(engine: Engine, test: Callable[[Now], bool]) -> Now:
    """Read what pages are told until it is so."""
    async for content in engine.feed.read(engine.first()):
        for line in content.decode().splitlines():
            if line.startswith("data: ") and '"clock"' in line:
                now = msgspec.json.decode(line[6:], type=Now)
                if test(now):
                    return now
    pytest.fail("the feed has ended")


async def test_a_page_is_told_everything() -> None:
    async with an_engine() as engine:
        world = engine.world()
        now = world.now
    assert (world.model.name, world.model.wired) == ("ipc-red-green", False)
    assert now.shown.light == "joining"
    assert (now.clock.paused, now.clock.rate, now.clock.speed) == (True, 0.0, 20.0)
    assert now.clock.at_ms == now.shown.at_ms == now.light_since_ms
    assert now.count == len(now.happened)
    assert [person.purpose for person in world.people].count("pair") == 2
    assert {light.state for light in world.lights} >= set(world.begin)
    assert len({ssid for _, _, ssid in world.places}) == 3


async def test_a_step_is_one_event_and_time_stands_still_again() -> None:
    async with an_engine() as engine:
        before = engine.world().now
        await engine.set_time(TimeOrder(step=True))
        after = await until(engine, lambda now: now.clock.at_ms > before.clock.at_ms)
        assert after.clock.paused
        assert after.shown.lifecycle == "ACTIVATING"


async def test_time_goes_on_at_another_speed() -> None:
    async with an_engine() as engine:
        await engine.set_time(TimeOrder(speed=10.0, paused=False))
        now = await until(engine, lambda now: now.shown.light == "unbound")
        assert (now.clock.rate, now.clock.speed, now.clock.paused) == (10.0, 10.0, False)
        await engine.set_time(TimeOrder(paused=True))
        now = await until(engine, lambda now: now.clock.paused)
        assert now.clock.rate == 0.0


async def test_a_light_that_goes_on_keeps_its_phase() -> None:
    async with an_engine("registering") as engine:
        now = engine.world().now
        since_ms: list[int] = []
        while now.shown.lifecycle in ("ACTIVATING", "ONLINE"):
            await engine.set_time(TimeOrder(step=True))
            now = await until(engine, partial(is_after, now.count))
            if now.shown.light == "reconnecting":
                since_ms.append(now.light_since_ms)
        shown = [one for one in engine.world().now.happened if isinstance(one, Shown)]
        changes = [one.at_ms for one in shown if one.light == "reconnecting"]
        assert len(set(since_ms)) == 1  # though session and state went on
        assert since_ms[0] in changes[:-1]


async def test_one_thing_after_the_other_and_what_comes_to_nothing_is_told() -> None:
    async with an_engine() as engine:
        engine.begin("an app asks", lambda laid: laid.phones.order(Order("owner")))
        with pytest.raises(UsageError, match="still an app asks"):
            engine.begin("another", lambda laid: laid.phones.order(Order("owner")))
        await engine.set_time(TimeOrder(paused=False))
        now = await until(engine, lambda now: not now.busy)
        assert len(now.codes) == 2  # and the one by which it came here
        engine.begin("somebody", lambda laid: laid.phones.order(Order("king")))
        now = await until(engine, lambda now: not now.busy)
        assert "nobody is 'king'" in now.trouble


async def test_a_light_that_is_not_to_be_had_is_told() -> None:
    async with an_engine("joining", "nvr") as engine:
        assert "no way to the light" in engine.world().now.trouble


async def test_what_breaks_is_told_on_the_page_and_reported_once() -> None:
    async def fail(_: Laid) -> None:
        raise ZeroDivisionError

    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    before = loop.get_exception_handler()
    async with an_engine() as engine:
        loop.set_exception_handler(lambda _, context: reported.append(context))
        try:
            engine.begin("an app asks", fail)
            now = await until(engine, lambda now: not now.busy)
            await asyncio.sleep(0)  # for the task to end, and to be forgotten
            gc.collect()
        finally:
            loop.set_exception_handler(before)
        assert now.trouble == "an app asks: that broke (ZeroDivisionError). Start anew."
        assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]
        assert not engine.over
        await engine.set_time(TimeOrder(step=True))  # the world is still there


async def test_a_world_that_breaks_is_told_and_another_one_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: Laid) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    engines = Engines(1, lambda: START_MS)
    engine = await engines.start("anna", Start("nvr"))
    reading = engine.feed.read(b"first")
    await anext(reading)
    with pytest.raises(ZeroDivisionError):
        await engine.do(fail)
    told = b"".join([content async for content in reading])
    assert b"event: ended" in told
    assert b"This world broke (ZeroDivisionError). Start anew." in told
    with pytest.raises(NotFound, match="start one"):
        engines.of("anna")
    assert not (await engines.start("anna", Start("nvr"))).over
    await engines.close()


async def test_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 10)
    async with an_engine() as engine:
        now = engine.world().now
        assert len(now.happened) == 10
        assert now.count > 10


def test_what_is_said_of_a_model() -> None:
    model = model_of("nvr")
    assert (model.kind, model.wired, model.hold_ms) == ("nvr", True, 3000)
