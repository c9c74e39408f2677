"""Faults between a live device and its LAN clients: partitions and lost segments."""

import asyncio
import socket

import pytest

from firmware_sim.events import LanClosed, LanOpened, LanReceived
from firmware_sim.rng import Rng
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import Loss, Partition
from firmware_sim.runtime.live import lan_way
from firmware_sim.runtime.live.lan_way import LanWay, impairs_lan
from tests.runtime.live.test_lan_port import IP, Log, free_port, on_each_loop

PARTED = (Partition(60_000),)
LOSSY = (Loss(60_000, 90),)


class Scene(Log):
    """A port with faults before it, and a way to end them."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.way = self.port.way = LanWay(Rng(1))


def test_only_some_faults_lie_there() -> None:
    assert impairs_lan(PARTED)
    assert impairs_lan((faults.Slow(1, 1), *LOSSY))
    assert not impairs_lan((faults.BlackHole(1), faults.Reorder(1, 1)))


def test_a_partition_holds_what_both_say_and_lets_it_go_in_order() -> None:
    async def scene() -> None:
        number = free_port()
        one = Scene(number)
        first_reader, first = await asyncio.open_connection(IP, number)
        await one.until_told(LanOpened(1))
        way = one.way
        way.treat(PARTED)
        assert not way.idle
        first.write(b"question")
        one.port.send(1, b"answer ")
        one.port.send(1, b"in two")
        second_reader, second = await asyncio.open_connection(IP, number)  # by the kernel
        second.write(b"hello?")
        await asyncio.sleep(0.05)
        assert one.told == [LanOpened(1)]
        way.treat(())
        assert await first_reader.readexactly(13) == b"answer in two"
        await one.until_told(LanReceived(2, b"hello?"))
        assert one.told[1:] == [
            LanReceived(1, b"question"),
            LanOpened(2),
            LanReceived(2, b"hello?"),
        ]
        await one.until(lambda: way.idle)
        one.port.drop(2)
        assert await second_reader.read() == b""
        first.close()
        await one.until_told(LanClosed(1))
        one.port.send(1, b"nobody there")
        second.close()
        one.port.close()
        await asyncio.sleep(0.01)

    on_each_loop(scene)


def test_a_client_does_not_hear_of_a_power_cut_before_it_can() -> None:
    async def scene() -> None:
        number = free_port()
        one = Scene(number)
        reader, writer = await asyncio.open_connection(IP, number)
        await one.until_told(LanOpened(1))
        one.way.treat(PARTED)
        writer.write(b"never heard")
        await asyncio.sleep(0.01)
        one.port.close(hard=True)
        ended = asyncio.create_task(reader.read())
        await asyncio.sleep(0.05)
        assert not ended.done()
        one.way.treat(())
        with pytest.raises(ConnectionResetError):
            await ended
        assert one.told == [LanOpened(1)]
        writer.close()
        await asyncio.sleep(0.01)

    on_each_loop(scene)


def test_lost_segments_are_late_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "RESEND_MS", 3)

    async def scene() -> None:
        number = free_port()
        one = Scene(number)
        reader, writer = await asyncio.open_connection(IP, number)
        await one.until_told(LanOpened(1))
        one.way.treat(LOSSY)
        sent = bytes(range(50))
        for each in sent:
            one.port.send(1, bytes([each]))
        one.port.drop(1)
        assert not one.way.idle, "not all can get through at once"
        assert await reader.read() == sent
        writer.close()
        one.port.close()
        await asyncio.sleep(0.01)

    on_each_loop(scene)


def test_whoever_says_too_much_meanwhile_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_way, "HELD_MAX", 1000)

    async def scene() -> None:
        number = free_port()
        one = Scene(number)
        clients = [socket.create_connection((IP, number)) for _ in range(2)]
        await one.until_told(LanOpened(2))
        one.way.treat(PARTED)
        clients[0].sendall(bytes(5000))
        one.port.send(2, bytes(600))
        one.port.send(2, bytes(600))
        one.port.send(2, b"it is gone")
        await asyncio.sleep(0.05)
        one.way.treat(())
        await one.until_told(LanClosed(1))
        await one.until_told(LanClosed(2))
        for client in clients:
            client.close()
        one.port.close()

    on_each_loop(scene)
