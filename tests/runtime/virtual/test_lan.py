"""The virtual LAN: announcements are heard, and clients talk to devices as over TCP."""

import asyncio

import pytest

from firmware_sim import events as ev
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.lan import TRIP_MS, Lan
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.place import Place
from tests.runtime.virtual.support import Told, play

IP, PORT = "10.0.0.2", 6668


class Desk:
    """A LAN with one device that only listens."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.agenda: Agenda = loop.agenda
        self.lan = Lan(self.agenda, Rng(1))
        loop.connect = self.lan.connect
        self.heard: list[Event] = []
        self.place = Place.__new__(Place)
        self.place.ip = IP
        self.place.faults = ()
        self.place._world = Told(lambda event: self.heard.append(event))


def test_everybody_hears_what_is_said_on_their_port_until_they_stop() -> None:
    async def story() -> tuple[list[tuple[bytes, str]], list[tuple[bytes, str]]]:
        desk = Desk()
        one: list[tuple[bytes, str]] = []
        two: list[tuple[bytes, str]] = []
        ear = await desk.lan.listen(lambda *heard: one.append(heard), "", 6667)
        await desk.lan.listen(lambda *heard: two.append(heard), "", 6667)
        await desk.lan.listen(lambda *_: pytest.fail("wrong port"), "", 6666)
        desk.lan.broadcast(desk.place, 6667, b"here")
        assert one == []
        await asyncio.sleep(TRIP_MS / 1000)
        ear.close()
        desk.lan.broadcast(desk.place, 6667, b"again")
        await asyncio.sleep(TRIP_MS / 1000)
        return one, two

    assert play(story) == ([(b"here", IP)], [(b"here", IP), (b"again", IP)])


def test_a_client_talks_to_a_device() -> None:
    async def story() -> list[Event]:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, writer = await asyncio.open_connection(IP, PORT)
        writer.write(b"question")
        await writer.drain()
        await asyncio.sleep(TRIP_MS / 1000)
        port.send(1, b"answer")
        assert await reader.read(100) == b"answer"
        writer.close()
        await writer.wait_closed()
        port.send(1, b"nobody there")
        await asyncio.sleep(1)
        return desk.heard

    assert play(story) == [ev.LanOpened(1), ev.LanReceived(1, b"question"), ev.LanClosed(1)]


def test_a_device_hangs_up_after_what_it_said() -> None:
    async def story() -> list[Event]:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, writer = await asyncio.open_connection(IP, PORT)
        port.send(1, b"last")
        port.drop(1)
        assert await reader.read() == b"last"
        assert await reader.read() == b""
        writer.write(b"too late")
        writer.close()
        await asyncio.sleep(1)
        return desk.heard

    assert play(story) == [ev.LanOpened(1)]


def test_a_port_that_closes_loses_its_clients_and_takes_no_more() -> None:
    async def story() -> None:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, _ = await asyncio.open_connection(IP, PORT)
        port.close()
        assert await reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(IP, PORT)

    play(story)


def test_what_was_on_its_way_to_a_client_that_went_is_lost() -> None:
    async def story() -> None:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        transport, protocol = await desk.lan.connect(_Silent, IP, PORT)
        assert transport.get_protocol() is protocol
        assert transport.get_write_buffer_size() == 0
        port.send(1, b"x")
        transport.abort()
        assert transport.is_closing()
        await asyncio.sleep(1)
        assert desk.heard == [ev.LanOpened(1), ev.LanClosed(1)]

    play(story)


class _Silent(asyncio.Protocol):
    def data_received(self, _: bytes) -> None:
        pytest.fail("it went")
