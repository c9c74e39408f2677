"""The TCP port of a device: clients come and go, and none of them can disturb the others."""

import asyncio
import errno
import os
import resource
import select
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.events import Event, LanClosed, LanOpened, LanReceived
from firmware_sim.runtime.live import lan_port
from firmware_sim.runtime.live.lan_port import LanPort

IP = "127.77.0.1"


class Log:
    """What a device and its operator would be told."""

    def __init__(self, port: int) -> None:
        self.told: list[Event] = []
        self.reports: list[str] = []
        self.port = LanPort(IP, port, self.told.append, self.reports.append)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.002)

    async def until_told(self, event: Event) -> None:
        await self.until(lambda: event in self.told)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((IP, 0))
        return int(probe.getsockname()[1])


def on_each_loop(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(scene(), 30))


def test_clients_come_speak_and_go() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        reader, writer = await asyncio.open_connection(IP, number)
        writer.write(b"hello")
        await log.until_told(LanReceived(1, b"hello"))
        log.port.send(1, b"answer")
        assert await reader.readexactly(6) == b"answer"
        log.port.send(99, b"to nobody")
        log.port.drop(99)
        second_reader, second = await asyncio.open_connection(IP, number)
        await log.until_told(LanOpened(2))
        log.port.send(2, b"last words")
        log.port.drop(2)
        assert await second_reader.read() == b"last words"
        writer.close()
        await log.until_told(LanClosed(1))
        third_reader, third = await asyncio.open_connection(IP, number)
        await log.until_told(LanOpened(3))
        log.port.close(hard=True)
        log.port.close()
        with pytest.raises(ConnectionResetError):
            await third_reader.read()
        for each in (writer, second, third):
            each.close()
        await asyncio.sleep(0.01)  # for the transports to close
        assert log.told == [
            LanOpened(1),
            LanReceived(1, b"hello"),
            LanOpened(2),
            LanClosed(1),
            LanOpened(3),
        ]

    on_each_loop(scene)


def test_each_frame_leaves_in_a_segment_of_its_own() -> None:
    """Frames that are written in one turn of the loop are not gathered, nor held back."""

    async def scene() -> None:
        number = free_port()
        log = Log(number)
        with socket.create_connection((IP, number)) as client:
            await log.until_told(LanOpened(1))
            before = segments_received(client)
            for _ in range(5):
                log.port.send(1, b"frame")
            assert select.select([client], [], [], 5)[0]
            assert segments_received(client) - before == 5
        log.port.close()

    on_each_loop(scene)


def segments_received(client: socket.socket) -> int:
    """Return tcpi_data_segs_in of struct tcp_info (linux/tcp.h): the segments with data."""
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return int.from_bytes(info[152:156], "little")


def test_a_client_that_goes_with_a_bang_is_gone() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        client = socket.create_connection((IP, number))
        await log.until_told(LanOpened(1))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lan_port._RESET)
        client.close()
        await log.until_told(LanClosed(1))
        log.port._clients[7] = other = socket.socket()
        other.settimeout(0)
        log.port._loop.add_reader(other, lambda: None)
        log.port.send(7, b"to one that was never connected")
        assert log.told[-1] == LanClosed(7)
        log.port.close()

    on_each_loop(scene)


def test_a_client_that_never_reads_is_cut_off_and_the_others_are_served() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        with socket.create_connection((IP, number)) as mute:
            await log.until_told(LanOpened(1))
            other = socket.create_connection((IP, number))
            sent = 0
            while LanClosed(1) not in log.told:
                log.port.send(1, bytes(1000))
                sent += 1000
                assert sent < 1 << 24, "the kernel's buffers are the only ones"
            with pytest.raises(ConnectionResetError):
                read_all(mute)
            await log.until_told(LanOpened(2))
            log.port.send(2, b"still here")
            assert other.recv(100) == b"still here"
            other.close()
        log.port.close()

    on_each_loop(scene)


def read_all(client: socket.socket) -> None:
    while client.recv(1 << 20):
        pass


def test_nothing_to_read_after_all_is_no_end() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        with socket.create_connection((IP, number)):
            await log.until_told(LanOpened(1))
            log.port._read(1)
            log.port._accept()
            assert log.told == [LanOpened(1)]
        log.port.close()

    on_each_loop(scene)


def test_many_quick_connections_leave_nothing_behind() -> None:
    async def scene() -> None:
        number = free_port()
        log = Log(number)
        for _ in range(300):
            socket.create_connection((IP, number)).close()
            await asyncio.sleep(0)
        await log.until(lambda: len(log.told) == 600)
        assert log.port._clients == {}
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
            with socket.create_connection((IP, number)) as client:
                log.port._accept()
                log.port.close(hard=True)
                again = Log(number)
                await asyncio.sleep(0.02)
                with pytest.raises(ConnectionResetError):
                    client.recv(10)
                assert (log.told, again.told) == ([LanOpened(1)], [])
                again.port.close()

    on_each_loop(scene)


# --- shortages of the host ----------------------------------------------------------------------


@contextmanager
def no_files_left() -> Iterator[None]:
    """Let this process open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        try:
            while True:
                stack.callback(os.close, os.dup(0))
        except OSError:
            pass
        yield


def test_without_files_clients_wait_and_the_operator_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lan_port, "PAUSE_S", 0.02)

    async def scene() -> None:
        number = free_port()
        log = Log(number)
        with socket.socket() as client:
            with no_files_left():
                client.connect((IP, number))
                await log.until(lambda: log.reports)
                await asyncio.sleep(0.1)
            await log.until_told(LanOpened(1))
            assert log.reports == [f"{IP} takes no LAN clients: Too many open files"]
        await log.until_told(LanClosed(1))
        with socket.socket() as client, no_files_left():
            client.connect((IP, number))
            await log.until(lambda: len(log.reports) == 2)
            log.port.close()

    on_each_loop(scene)


def test_without_files_a_port_opens_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_port, "PAUSE_S", 0.02)

    async def scene() -> None:
        number = free_port()
        with no_files_left():
            log = Log(number)
            never = Log(number + 1)
            await asyncio.sleep(0.1)
            never.port.close()
        await log.until(lambda: log.port._listener is not None)
        assert log.reports == [f"{IP} takes no LAN clients: Too many open files"]
        with socket.create_connection((IP, number)):
            await log.until_told(LanOpened(1))
        log.port.close()

    on_each_loop(scene)


def test_a_client_that_left_while_it_stood_in_line_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone:
        def accept(self) -> None:
            raise ConnectionAbortedError(errno.ECONNABORTED, "gone")

    async def scene() -> None:
        log = Log(free_port())
        with monkeypatch.context() as patch:
            patch.setattr(log.port, "_listener", Gone())
            log.port._accept()
        assert (log.told, log.reports) == ([], [])
        log.port.close()

    on_each_loop(scene)
