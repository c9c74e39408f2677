"""The LAN side: datagrams come from each device's own address, clients come and go."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.events import Event, LanClosed, LanOpened, LanReceived
from firmware_sim.runtime.live import lan_port
from firmware_sim.runtime.live.lan_port import Broadcaster, LanPort

IP = "127.77.0.1"


def test_each_datagram_comes_from_the_address_it_is_sent_from() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 0))
        listener.settimeout(5)
        port = listener.getsockname()[1]
        broadcaster = Broadcaster("127.255.255.255")
        for last in range(1, 6):
            broadcaster.send(f"127.77.0.{last}", port, b"here %d" % last)
        heard = {listener.recvfrom(100)[1][0] for _ in range(5)}
        broadcaster.send("192.0.2.1", port, b"not our address")
        broadcaster.close()
    assert heard == {f"127.77.0.{last}" for last in range(1, 6)}
    assert broadcaster.dropped == 1


class Log:
    """What a device would be told."""

    def __init__(self, port: int) -> None:
        self.told: list[Event] = []
        self.port = LanPort(IP, port, self.told.append)

    async def until(self, event: Event) -> None:
        async with asyncio.timeout(5):
            while event not in self.told:
                await asyncio.sleep(0.002)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((IP, 0))
        return int(probe.getsockname()[1])


def on_each_loop(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(scene(), 20))


def test_clients_come_speak_and_go() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        reader, writer = await asyncio.open_connection(IP, number)
        writer.write(b"hello")
        await log.until(LanReceived(1, b"hello"))
        log.port.send(1, b"answer")
        assert await reader.readexactly(6) == b"answer"
        log.port.send(99, b"to nobody")
        second_reader, second = await asyncio.open_connection(IP, number)
        await log.until(LanOpened(2))
        log.port.drop(2)
        assert await second_reader.read() == b""
        writer.close()
        await log.until(LanClosed(1))
        _, third = await asyncio.open_connection(IP, number)
        await log.until(LanOpened(3))
        log.port.close(hard=True)
        log.port.close()
        for each in (writer, second, third):
            each.close()
        await asyncio.sleep(0.01)
        assert log.told == [
            LanOpened(1),
            LanReceived(1, b"hello"),
            LanOpened(2),
            LanClosed(1),
            LanOpened(3),
        ]

    on_each_loop(scene)


def test_a_client_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_port, "WRITE_BUFFER_MAX", 1000)

    async def scene() -> None:
        number = free_port()
        log = Log(number)
        with socket.socket() as client:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, (IP, number))
            await log.until(LanOpened(1))
            while LanClosed(1) not in log.told:
                log.port.send(1, bytes(100_000))
                await asyncio.sleep(0)
        log.port.close()

    on_each_loop(scene)


def test_a_taken_port_is_one_clear_line() -> None:
    async def scene() -> None:
        number = free_port()
        first = Log(number)
        with pytest.raises(UsageError, match=rf"cannot listen on {IP}:{number} .*in use"):
            Log(number)
        first.port.close()
        Log(number).port.close()

    on_each_loop(scene)


def test_opened_and_closed_in_the_same_instant() -> None:
    """A cable that wobbles, and a client that was let in just before: it meets nobody."""

    async def scene() -> None:
        number = free_port()
        for _ in range(3):
            log = Log(number)
            with socket.socket() as client:
                client.connect((IP, number))
                log.port._accept()
                log.port.close(hard=True)
                again = Log(number)
                await asyncio.sleep(0.02)
                client.settimeout(5)
                assert client.recv(10) == b""
                assert (log.told, again.told) == ([], [])
                again.port.close()

    on_each_loop(scene)


def test_no_descriptor_left_for_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop would come back to a waiting client for ever: the port gives up and says so."""

    class Full:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        def close(self) -> None:
            pass

    async def scene() -> None:
        log = Log(free_port())
        real = log.port._socket
        assert real is not None
        log.port._accept()  # nobody is there: nothing happens
        asyncio.get_running_loop().remove_reader(real)
        real.close()
        log.port._socket = Full()  # type: ignore[assignment]
        monkeypatch.setattr(log.port._loop, "remove_reader", lambda _: None)
        with pytest.raises(UsageError, match="cannot accept LAN clients: Too many open files"):
            log.port._accept()
        assert log.port._socket is None

    asyncio.run(scene())
