"""Calls to the cloud: in line, given up after a while, and our own mistakes are not swallowed."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from firmware_sim.events import Event, MqttClosed, MqttOpened
from firmware_sim.runtime.faults import Slow
from firmware_sim.runtime.live import dialer
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.mqtt_stream import MqttStream
from tests.runtime.live.support import Desk

IP = "127.88.10.1"
DESK = Desk(IP)


class Caller:
    """One device that wants to speak to its broker."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.changed = asyncio.Event()
        self.end = MqttStream(self.tell)

    def tell(self, event: Event) -> None:
        self.told.append(event)
        self.changed.set()

    async def answer(self) -> Event:
        async with asyncio.timeout(10):
            await self.changed.wait()
        return self.told[0]


def _unexpected(error: BaseException) -> None:
    raise error


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes no connection: its queue of one is full."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_call_leaves_from_the_devices_own_address() -> None:
    async def scene() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            calls, caller = Dialer(_unexpected), Caller()
            calls.dial(DESK, caller.end, *server.getsockname())
            assert await caller.answer() == MqttOpened()
            peer, (source_ip, _) = server.accept()
            peer.close()
            assert source_ip == IP
            caller.end.abandon()
            await calls.close()

    asyncio.run(scene())


def test_nobody_waits_for_ever_and_nobody_overtakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "CONNECTS_AT_ONCE_MAX", 1)
    monkeypatch.setattr(dialer, "CONNECT_S", 0.05)

    async def scene() -> None:
        with deaf() as port:
            calls = Dialer(_unexpected)
            first, changed_its_mind, last = Caller(), Caller(), Caller()
            for caller in (first, changed_its_mind, last):
                calls.dial(DESK, caller.end, "127.0.0.1", port)
            changed_its_mind.end.abandon()
            assert await first.answer() == MqttClosed("TimeoutError")
            assert not last.told
            assert await last.answer() == MqttClosed("TimeoutError")
            assert not changed_its_mind.told
            await calls.close()

    asyncio.run(scene())


def test_a_line_too_slow_for_any_device_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "CONNECT_S", 0.05)

    async def scene() -> None:
        calls, caller = Dialer(_unexpected), Caller()
        calls.dial(Desk(IP, Slow(60_000, 60_000)), caller.end, "127.0.0.1", 1)
        assert await caller.answer() == MqttClosed("TimeoutError")
        await calls.close()

    asyncio.run(scene())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS])
def test_a_host_without_files_is_told_of_once(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        desk, calls = Desk(IP), Dialer(_unexpected)

        async def short(*_: object, **__: object) -> None:
            raise OSError(number, "whatever the loop says")

        with monkeypatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "create_connection", short)
            for _ in range(2):
                caller = Caller()
                calls.dial(desk, caller.end, "127.0.0.1", 1)
                assert await caller.answer() == MqttClosed(errno.errorcode[number])
        assert desk.reports == [f"{IP} cannot call its cloud: {os.strerror(number)}"]
        await calls.close()

    asyncio.run(scene())


def test_closing_hangs_up_on_all_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "CONNECTS_AT_ONCE_MAX", 1)

    async def scene() -> None:
        with deaf() as port:
            calls, callers = Dialer(_unexpected), (Caller(), Caller())
            for caller in callers:
                calls.dial(DESK, caller.end, "127.0.0.1", port)
            await asyncio.sleep(0)
            await calls.close()
            await asyncio.sleep(0)
            assert calls._tasks == set()
            assert not [caller for caller in callers if caller.told]

    asyncio.run(scene())


def test_a_mistake_of_our_own_is_told() -> None:
    async def scene() -> None:
        mistakes: list[BaseException] = []
        calls, caller = Dialer(mistakes.append), Caller()

        def trip(_: Event) -> None:
            raise AssertionError("our own mistake")

        caller.end = MqttStream(trip)
        calls.dial(DESK, caller.end, "127.0.0.1", 1)  # where nobody listens
        async with asyncio.timeout(10):
            while not mistakes:
                await asyncio.sleep(0.01)
        assert str(mistakes[0]) == "our own mistake"
        await calls.close()

    asyncio.run(scene())
