"""A second voice at the address of a live device, over sockets."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from firmware_sim.errors import SimulatorError
from firmware_sim.wire import mqtt
from fleet.app.errors import CloudUnreachable
from fleet.cloud.edge.server import Ready
from fleet.run.live_door import LiveDoors

IP = "127.0.0.1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the path that was asked for."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ")[1]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))
    await writer.drain()
    writer.close()


async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let everybody in and hang up."""
    await reader.read(1)
    writer.write(mqtt.encode(mqtt.Connack(0)))
    await writer.drain()
    writer.close()


async def serving(serve: Serve) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(serve, IP, 0)
    return server, server.sockets[0].getsockname()[1]


def test_it_calls_and_connects() -> None:
    async def story() -> None:
        web, http_port = await serving(http)
        mqtts, mqtt_port = await serving(broker)
        failures: list[SimulatorError] = []
        doors = LiveDoors(failures.append)
        door = doors.of(IP, Ready(IP, http_port, mqtt_port))
        assert await door.call("/d.json?x=1", b"data=") == b"/d.json?x=1"
        line = await door.dial()
        line.send(mqtt.Connect("dev"))
        assert await line.packet() == mqtt.Connack(0)
        assert await line.packet() is None
        line.close()
        await doors.close()
        web.close()
        mqtts.close()
        assert failures == []

    asyncio.run(story())


def test_nobody_is_there() -> None:
    async def story() -> None:
        server, port = await serving(http)
        server.close()
        await server.wait_closed()
        doors = LiveDoors(lambda _: None)
        door = doors.of(IP, Ready(IP, port, port))
        with pytest.raises(CloudUnreachable, match="ConnectionRefusedError"):
            await door.call("/", b"")
        with pytest.raises(CloudUnreachable, match="no connection"):
            await door.dial()
        await doors.close()

    asyncio.run(story())


def test_our_own_mistakes_are_told_in_one_line() -> None:
    async def story() -> list[str]:
        failures: list[SimulatorError] = []
        doors = LiveDoors(failures.append)
        doors._failed(KeyError("x"))
        await doors.close()
        return [str(failure) for failure in failures]

    assert asyncio.run(story()) == ["the way of a device to its cloud: KeyError('x')"]
