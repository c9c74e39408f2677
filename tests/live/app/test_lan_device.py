"""The phone controls a device over real loopback sockets, in all LAN versions."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.wire import lan_body
from firmware_sim.wire.lan_body import ChildStatus
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.errors import (
    DeviceClosed,
    DeviceFailed,
    DeviceGarbled,
    DeviceRefused,
    DeviceSilent,
    DeviceUnreachable,
    TurnedAway,
    WrongKey,
)
from fleet.app.lan_device import LanDevice
from fleet.app.lan_happenings import Push, Pushed
from fleet.app.lan_line import PUSHES_MAX
from tests.app.fake_device import CHILD, DEV_ID, KEY, FakeDevice, listening

IP = "127.6.0.9"
VERSIONS = list(LanVersion)
NEGOTIATING = [version for version in LanVersion if version.negotiates]
OTHER_KEY = "fedcba9876543210"
Work = Callable[[LanDevice], Awaitable[Any]]


async def meet(fake: FakeDevice, work: Work, key: str = KEY, **options: Any) -> Any:
    """Connect to the device, do the work, and leave; return what the work returned."""
    async with listening(fake, IP) as port:
        phone = LanDevice(IP, DEV_ID, key, fake.version, port=port, **options)
        async with phone as device:
            return await work(device)


def failing(fake: FakeDevice, work: Work, **options: Any) -> DeviceFailed:
    """Return how meeting the device fails."""
    with pytest.raises(DeviceFailed) as caught:
        asyncio.run(meet(fake, work, **options))
    return caught.value


async def nothing(_: LanDevice) -> None:
    return


async def ask(device: LanDevice) -> Any:
    return await device.status()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_device_is_asked_and_set(
    version: LanVersion, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    async def work(device: LanDevice) -> None:
        assert (await device.status()).dps == {1: False, 101: 7, 102: "Café"}
        await device.set({1: True})
        assert (await device.status()).dps[1] is True
        await device.set({1: False}, CHILD)
        assert (await device.status(CHILD)).dps == {1: False}
        await device.refresh([101])
        assert await device.children([CHILD, "x"]) == ChildStatus((CHILD,), ("x",))

    run(meet(FakeDevice(version), work))


def test_many_questions_can_be_on_the_way() -> None:
    async def work(device: LanDevice) -> None:
        own, child, _ = await asyncio.gather(
            device.status(), device.status(CHILD), device.set({101: 8})
        )
        assert (own.dps[101], child.cid) == (7, CHILD)

    asyncio.run(meet(FakeDevice(LanVersion.V35), work))


# --- pushes -------------------------------------------------------------------------------------


def test_pushes_come_one_after_the_other_until_we_leave() -> None:
    async def work(device: LanDevice) -> None:
        values = []
        for value in (1, 2, 3):
            await device.set({101: value})
        async for push in device.pushes():
            assert isinstance(push, Pushed)
            values.append(push.status.dps)
            if len(values) == 3:
                await device.close()
        assert values == [{101: 1}, {101: 2}, {101: 3}]
        with pytest.raises(DeviceClosed, match="the connection is closed"):
            await device.status()

    asyncio.run(meet(FakeDevice(LanVersion.V34), work))


def test_pushes_that_nobody_takes_are_counted() -> None:
    async def work(device: LanDevice) -> None:
        assert device.pushes_dropped == 0
        for value in range(PUSHES_MAX + 2):
            await device.set({101: value})
        await device.status()
        assert device.pushes_dropped == 2

    asyncio.run(meet(FakeDevice(LanVersion.V33), work))


def test_pushes_can_be_waited_for() -> None:
    async def work(device: LanDevice) -> Push:
        waiting = asyncio.ensure_future(anext(device.pushes()))
        await asyncio.sleep(0)
        await device.set({101: 9})
        return await waiting

    push = asyncio.run(meet(FakeDevice(LanVersion.V31), work))
    assert push.status.dps == {101: 9}


def test_pushes_end_with_the_devices_reason() -> None:
    fake = FakeDevice(LanVersion.V33)
    fake.fatal = {Command.DP_QUERY}

    async def work(device: LanDevice) -> None:
        pushes = device.pushes()
        for end in (device.status(), anext(pushes), anext(device.pushes())):
            with pytest.raises(DeviceClosed):
                await end

    asyncio.run(meet(fake, work))


def test_pushes_can_be_called_for() -> None:
    heard: list[Push] = []

    async def work(device: LanDevice) -> None:
        await device.set({101: 9})
        await device.status()

    asyncio.run(meet(FakeDevice(LanVersion.V35), work, on_push=heard.append))
    [push] = heard
    assert isinstance(push, Pushed)
    assert push.status.dps == {101: 9}


# --- what can go wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refusal_leaves_the_connection_open(version: LanVersion) -> None:
    fake = FakeDevice(version)

    async def work(device: LanDevice) -> None:
        fake.refusal = lan_body.NOTHING_TO_REPORT
        with pytest.raises(DeviceRefused) as caught:
            await device.status()
        assert (caught.value.reason, caught.value.text) == (
            "nothing_to_report",
            "json obj data unvalid",
        )
        fake.refusal = b""
        await device.status()

    asyncio.run(meet(fake, work))


@pytest.mark.parametrize("version", NEGOTIATING)
def test_a_wrong_key_turns_us_away(version: LanVersion) -> None:
    failure = failing(FakeDevice(version), nothing, key=OTHER_KEY)
    assert type(failure) is TurnedAway
    assert str(failure).startswith(f"device {DEV_ID} at {IP}: it closed the connection")
    assert OTHER_KEY not in str(failure)


def test_a_wrong_key_of_3_3_shows_in_the_answer() -> None:
    assert type(failing(FakeDevice(LanVersion.V33), ask, key=OTHER_KEY)) is WrongKey


@pytest.mark.parametrize("version", VERSIONS)
def test_a_silent_device_is_given_up(version: LanVersion) -> None:
    fake = FakeDevice(version)
    fake.mute = set(Command)
    assert type(failing(fake, ask, timeout_s=0.05)) is DeviceSilent


def test_a_device_that_hangs_up_is_closed() -> None:
    fake = FakeDevice(LanVersion.V32)
    fake.fatal = {Command.CONTROL}
    assert type(failing(fake, lambda device: device.set({1: True}))) is DeviceClosed


def test_whoever_speaks_something_else_is_left_alone() -> None:
    async def story() -> None:
        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer):
                writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
                await writer.drain()

        server = await asyncio.start_server(connected, IP, 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            async with LanDevice(IP, DEV_ID, KEY, "3.5", port=port):
                raise AssertionError("nobody is there")

    with pytest.raises(DeviceGarbled, match="it sent what no device sends"):
        asyncio.run(story())


def test_nobody_at_the_address_is_unreachable() -> None:
    async def story() -> None:
        with closing(socket.socket()) as probe:
            probe.bind((IP, 0))
            port = probe.getsockname()[1]
        async with LanDevice(IP, DEV_ID, KEY, "3.3", port=port):
            raise AssertionError("nobody is there")

    with pytest.raises(DeviceUnreachable, match=r"cannot connect \(Connection refused\)"):
        asyncio.run(story())


def test_a_port_whose_queue_is_full_is_unreachable() -> None:
    async def story() -> None:
        with closing(socket.socket()) as deaf:
            deaf.bind((IP, 0))
            deaf.listen(0)
            port = deaf.getsockname()[1]
            with closing(socket.create_connection((IP, port))):
                async with LanDevice(IP, DEV_ID, KEY, "3.3", port=port, timeout_s=0.05):
                    raise AssertionError("nobody accepts")

    with pytest.raises(DeviceUnreachable, match=r"cannot connect \(not in 0.05 s\)"):
        asyncio.run(story())


def test_a_caller_that_gives_up_leaves_nothing_behind() -> None:
    fake = FakeDevice(LanVersion.V34)
    fake.mute = {Command.SESSION_START}

    async def story() -> None:
        async with asyncio.timeout(0.05):
            await meet(fake, nothing)

    with pytest.raises(TimeoutError):
        asyncio.run(story())
    assert fake.asked == [Command.SESSION_START]


def test_a_device_is_connected_once() -> None:
    fake = FakeDevice(LanVersion.V35)

    async def story() -> None:
        async with listening(fake, IP) as port:
            phone = LanDevice(IP, DEV_ID, KEY, "3.5", port=port)
            async with phone:
                pass
            with pytest.raises(DeviceClosed, match="the connection is closed"):
                await phone.__aenter__()

    asyncio.run(story())
    assert len(fake.links) == 1


def test_nothing_can_be_asked_outside_the_block() -> None:
    with pytest.raises(UsageError, match="the connection is not open"):
        asyncio.run(LanDevice(IP, DEV_ID, KEY, "3.3").status())


@pytest.mark.parametrize(
    ("ip", "key", "version"),
    [(IP, "short", "3.3"), (IP, KEY, "3.9"), ("a..b", KEY, "3.3"), ("localhost", KEY, "3.3")],
)
def test_what_is_no_address_key_or_version_is_said_at_once(ip: str, key: str, version: str) -> None:
    with pytest.raises(UsageError, match=r"local key has 16|'3\.9' is none of|no IPv4 address"):
        LanDevice(ip, DEV_ID, key, version)
