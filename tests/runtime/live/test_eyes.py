"""Lenses: a camera reads its own code after a few frames, and nothing when nobody wants it to."""

import asyncio
from functools import partial

import pytest

from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings
from firmware_sim.errors import UsageError
from firmware_sim.runtime.live import eyes as eyes_module
from firmware_sim.runtime.live.eyes import Eyes

FAST = LensSettings(frames_per_second=60)


class FakePool:
    """Answers at once; the text is what the phone showed from frame `readable` on."""

    def __init__(self, readable: int = 0) -> None:
        self.looks: list[Look] = []
        self.readable = readable
        self.full = False

    def submit(self, look: Look) -> asyncio.Future[Sight] | None:
        self.looks.append(look)
        if self.full:
            return None
        future: asyncio.Future[Sight] = asyncio.get_running_loop().create_future()
        read = look.frame >= self.readable
        future.set_result(Sight(look.camera, look.frame, look.payload if read else None))
        return future


def eyes(pool: FakePool) -> Eyes:
    return Eyes(pool, FAST, seed=7)  # type: ignore[arg-type]


def test_each_camera_reads_what_is_in_front_of_it() -> None:
    async def scene() -> None:
        read: dict[int, bytes] = {}
        async with await DecodePool.open("zxing") as pool:
            world = Eyes(pool, FAST, seed=7)
            for index in range(8):
                world.open_lens(index, partial(read.__setitem__, index))
                world.show(index, b"code of camera %d" % index)
            async with asyncio.timeout(20):
                while len(read) < 8:
                    await asyncio.sleep(0.01)
            for index in range(8):
                world.close_lens(index)
        assert read == {index: b"code of camera %d" % index for index in range(8)}

    asyncio.run(scene())


def test_frames_are_counted_from_when_the_phone_came() -> None:
    async def scene() -> None:
        pool, read = FakePool(readable=3), list[bytes]()
        world = eyes(pool)
        world.show(1, b"one")
        await asyncio.sleep(0.05)
        assert pool.looks == [], "nobody wants codes"
        world.open_lens(1, read.append)
        while not read:
            await asyncio.sleep(0.005)
        assert [look.frame for look in pool.looks[:4]] == [0, 1, 2, 3]
        world.show(1, b"two")
        while read[-1] != b"two":
            await asyncio.sleep(0.005)
        first = next(look for look in pool.looks if look.payload == b"two")
        assert first.frame == 0
        world.show(1, None)
        count = len(pool.looks)
        await asyncio.sleep(0.05)
        assert len(pool.looks) == count

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_somebody_is_told_once_of_a_code_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        pool, told = FakePool(readable=1_000), list[int]()
        world = Eyes(pool, FAST, seed=7, unread=told.append)  # type: ignore[arg-type]
        world.open_lens(1, lambda _: None)
        world.show(1, b"too fine")
        while len(pool.looks) < 5:
            assert told == []
            await asyncio.sleep(0.005)
        while len(pool.looks) < 8:
            await asyncio.sleep(0.005)
        assert told == [1]
        pool.readable = 0
        world.show(1, b"another")
        while len(pool.looks) < 16:
            await asyncio.sleep(0.005)
        assert told == [1], "that one is read"

    monkeypatch.setattr(eyes_module, "UNREAD_FRAMES", 5)
    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_full_pool_costs_frames_and_nothing_else() -> None:
    async def scene() -> None:
        pool, read = FakePool(), list[bytes]()
        pool.full = True
        world = eyes(pool)
        world.open_lens(1, read.append)
        world.show(1, b"one")
        while len(pool.looks) < 3:
            await asyncio.sleep(0.005)
        assert read == []
        pool.full = False
        while not read:
            await asyncio.sleep(0.005)
        world.close_lens(1)

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_late_sight_is_not_told_to_a_lens_that_closed() -> None:
    async def scene() -> None:
        pool, read = FakePool(), list[bytes]()
        world = eyes(pool)
        world.open_lens(1, read.append)
        world.show(1, b"one")
        while not pool.looks:
            await asyncio.sleep(0)
        world.close_lens(1)
        await asyncio.sleep(0.05)
        assert read == []

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_decoders_that_do_not_start_are_said_once() -> None:
    class Broken(FakePool):
        def submit(self, look: Look) -> asyncio.Future[Sight] | None:
            self.looks.append(look)
            raise UsageError("decode worker cannot be started")

    async def scene() -> None:
        pool = Broken()
        world = eyes(pool)
        world.close_lens(5)  # never opened
        world.open_lens(1, list[bytes]().append)
        world.show(1, b"one")
        while world.failure is None:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert len(pool.looks) == 1
        assert str(world.failure) == "decode worker cannot be started"

    asyncio.run(asyncio.wait_for(scene(), 20))
