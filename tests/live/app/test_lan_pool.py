"""Many devices at once over real loopback sockets: each for itself, so many at a time."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from firmware_sim.wire.lan_body import Status
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.errors import DeviceUnreachable, TurnedAway
from fleet.app.lan_device import LanDevice
from fleet.app.lan_pool import visit
from tests.app.fake_device import DEV_ID, KEY, FakeDevice, listening


async def switch_on(device: LanDevice) -> Status:
    await device.set({1: True})
    return await device.status()


def test_devices_of_all_versions_are_visited_in_order() -> None:
    fakes = [FakeDevice(version) for version in LanVersion for _ in range(4)]

    async def story() -> None:
        async with AsyncExitStack() as stack:
            phones = []
            for number, fake in enumerate(fakes):
                fake.dps[101] = number
                ip = f"127.6.1.{number + 1}"
                port = await stack.enter_async_context(listening(fake, ip))
                phones.append(LanDevice(ip, DEV_ID, KEY, fake.version, port=port))
            seen = await visit(iter(phones), switch_on, parallel=3)
        for number, status in enumerate(seen):
            assert isinstance(status, Status)
            assert (status.dps[1], status.dps[101]) == (True, number)

    asyncio.run(story())


def test_no_more_than_so_many_at_a_time() -> None:
    inside: list[int] = []
    most = 0

    async def work(_: LanDevice) -> None:
        nonlocal most
        inside.append(1)
        most = max(most, len(inside))
        await asyncio.sleep(0.001)
        inside.pop()

    async def story() -> None:
        async with listening(FakeDevice(LanVersion.V33), "127.6.1.1") as port:
            phones = (LanDevice("127.6.1.1", DEV_ID, KEY, "3.3", port=port) for _ in range(12))
            assert await visit(phones, work, parallel=4) == [None] * 12

    asyncio.run(story())
    assert most == 4


def test_what_goes_wrong_with_one_is_its_own_result() -> None:
    async def story() -> None:
        async with listening(FakeDevice(LanVersion.V35), "127.6.1.1") as port:
            phones = [
                LanDevice("127.6.1.2", DEV_ID, KEY, "3.5", port=port),
                LanDevice("127.6.1.1", DEV_ID, "fedcba9876543210", "3.5", port=port),
                LanDevice("127.6.1.1", DEV_ID, KEY, "3.5", port=port),
            ]
            seen = await visit(phones, switch_on)
        assert [type(one) for one in seen] == [DeviceUnreachable, TurnedAway, Status]

    asyncio.run(story())


def test_our_own_mistake_ends_the_visit() -> None:
    async def work(device: LanDevice) -> None:
        raise ZeroDivisionError(device.name)

    async def story() -> None:
        async with listening(FakeDevice(LanVersion.V33), "127.6.1.1") as port:
            phones = [LanDevice("127.6.1.1", DEV_ID, KEY, "3.3", port=port)]
            await visit(phones, work)

    with pytest.raises(ZeroDivisionError, match=r"127\.6\.1\.1"):
        asyncio.run(story())
