"""The door of an encrypted port: who begins a handshake counts, and who fails at it leaves nothing."""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from fleet.cloud.edge.authority import Authority
from fleet.cloud.edge.door import Door
from fleet.cloud.edge.listen import bind
from tests.live.cloud.edge.stage import LOOPBACK, Run

ROOM = 3
HANDSHAKE_S = 0.4
HALF = bytes.fromhex("16030102000100")  # the beginning of a greeting (RFC 5246, section 7.4.1.2)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


class Guest(asyncio.Protocol):
    """Says hello to whoever comes in."""

    def __init__(self, inside: set["Guest"]) -> None:
        self.inside = inside

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.inside.add(self)
        cast("asyncio.Transport", transport).write(b"hello")

    def connection_lost(self, exc: Exception | None) -> None:
        self.inside.discard(self)


@asynccontextmanager
async def open_door(authority: Authority) -> AsyncIterator[tuple[int, Door]]:
    inside: set[Guest] = set()
    options = {
        "ssl": authority.server_context([LOOPBACK]),
        "ssl_handshake_timeout": HANDSHAKE_S,
        "ssl_shutdown_timeout": HANDSHAKE_S,
    }
    with bind(LOOPBACK, 0) as listener:
        ports = [(lambda: Guest(inside), listener)]
        door = Door(ports, options, lambda: ROOM - len(inside))
        try:
            yield listener.getsockname()[1], door
        finally:
            door.close()
            await asyncio.sleep(0.1)


async def enter(authority: Authority, port: int) -> tuple[bytes, asyncio.StreamWriter]:
    trust = ssl.create_default_context(cadata=authority.der)
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=trust)
    return await reader.readexactly(5), writer


async def begin(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(HALF)
    await asyncio.sleep(0.02)
    return reader, writer


async def is_cut_off(reader: asyncio.StreamReader, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return not await reader.read()
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_who_does_not_finish_takes_room_and_then_goes(run: Run, authority: Authority) -> None:
    async def story() -> None:
        async with open_door(authority) as (port, _):
            crowd = [await begin(port) for _ in range(ROOM)]
            one_more, writer = await begin(port)
            assert await is_cut_off(one_more, HANDSHAKE_S / 2), "there is no room"
            writer.close()
            for reader, _ in crowd:
                assert await is_cut_off(reader, 5), "nobody waits for them for ever"
            for _, writer in crowd:
                writer.close()
            said, guest = await enter(authority, port)
            assert said == b"hello", "the room is free again"
            guest.close()

    run(story())


def test_who_is_in_takes_room_as_well(run: Run, authority: Authority) -> None:
    async def story() -> None:
        async with open_door(authority) as (port, _):
            guests = [await enter(authority, port) for _ in range(ROOM)]
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await enter(authority, port)
            for _, guest in guests:
                guest.close()
            await asyncio.sleep(0.1)
            said, guest = await enter(authority, port)
            assert said == b"hello"
            guest.close()

    run(story())


def test_nothing_is_left_of_those_who_fail(run: Run, authority: Authority) -> None:
    async def fail(port: int, greeting: bytes) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(greeting)
        if not greeting:
            writer.write_eof()
        assert await is_cut_off(reader, 5)
        writer.close()

    async def story() -> None:
        async with open_door(authority) as (port, _):
            open_files = []
            for _ in range(2):
                for greeting in (b"", b"GET / HTTP/1.1\r\n\r\n", HALF + bytes(300)):
                    await fail(port, greeting)
                await asyncio.sleep(0.1)
                gc.collect()
                open_files.append(len(list(Path("/proc/self/fd").iterdir())))
            assert open_files[0] == open_files[1]

    run(story())


def test_a_closed_door_lets_nobody_in(run: Run, authority: Authority) -> None:
    async def story() -> None:
        async with open_door(authority) as (port, door):
            late, writer = await begin(port)
            door.close()
            assert await is_cut_off(late, 5), "who had not finished goes"
            writer.close()
            with socket.create_connection((LOOPBACK, port), timeout=HANDSHAKE_S) as client:
                client.sendall(HALF)
                with pytest.raises(TimeoutError):
                    await asyncio.to_thread(client.recv, 1)

    run(story())


def test_a_door_without_files_waits_and_opens_again(
    run: Run, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.cloud.edge.door._PAUSE_S", 0.1)
    accept, failures = socket.socket.accept, [OSError(24, "too many open files")]

    def failing(listener: socket.socket) -> object:
        if failures:
            raise failures.pop()
        return accept(listener)

    async def story() -> None:
        async with open_door(authority) as (port, _):
            monkeypatch.setattr(socket.socket, "accept", failing)
            said, guest = await enter(authority, port)
            assert (said, failures) == (b"hello", [])
            guest.close()

    run(story())
