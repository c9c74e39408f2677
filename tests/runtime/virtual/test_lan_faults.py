"""Faults between a device and the phones of its LAN: what phones hear, and when it is over."""

import asyncio

from firmware_sim import events as ev
from firmware_sim.runtime import faults
from firmware_sim.runtime.faults import Fault
from firmware_sim.runtime.virtual.lan import TRIP_MS
from tests.runtime.virtual.support import play
from tests.runtime.virtual.test_lan import IP, PORT, Desk

MANY = 400
UDP = 6667


async def announced(*lying: Fault) -> tuple[list[int], list[int]]:
    """Return what phones hear of numbered announcements while faults lie there, and after them."""
    desk = Desk()
    heard: list[int] = []
    await desk.lan.listen(lambda data, _: heard.append(int(data)), "", UDP)
    desk.place.faults = lying
    for number in range(MANY):
        desk.lan.broadcast(desk.place, UDP, str(number).encode())
        await asyncio.sleep(0.1)
    await asyncio.sleep(60)
    during = heard.copy()
    heard.clear()
    desk.place.faults = ()
    for number in range(MANY):
        desk.lan.broadcast(desk.place, UDP, str(number).encode())
    await asyncio.sleep(TRIP_MS / 1000)
    return during, heard


ALL = list(range(MANY))


def test_lost_datagrams_are_gone() -> None:
    during, after = play(lambda: announced(faults.Loss(9_000, 50)))
    assert MANY / 3 < len(during) < MANY * 2 / 3
    assert during == sorted(set(during))
    assert after == ALL


def test_duplicated_datagrams_come_twice() -> None:
    during, after = play(lambda: announced(faults.Duplicate(9_000, 50)))
    assert sorted(set(during)) == ALL
    assert MANY * 4 / 3 < len(during) < MANY * 5 / 3
    assert after == ALL


def test_datagrams_that_take_their_time_overtake_each_other() -> None:
    during, after = play(lambda: announced(faults.Reorder(9_000, 500)))
    assert sorted(during) == ALL
    assert during != ALL
    assert max(abs(place - number) for place, number in enumerate(during)) <= 5
    assert after == ALL


def test_nothing_is_heard_across_a_partition() -> None:
    during, after = play(lambda: announced(faults.Partition(9_000)))
    assert (during, after) == ([], ALL)


def end(desk: Desk) -> None:
    desk.place.faults = ()
    desk.lan.let_go(desk.place)


def test_a_connection_holds_its_breath_in_a_partition() -> None:
    async def story() -> None:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, writer = await asyncio.open_connection(IP, PORT)
        desk.heard.clear()
        desk.place.faults = (faults.Partition(60_000),)
        writer.write(b"question")
        port.send(1, b"answer")
        await asyncio.sleep(30)
        assert desk.heard == []
        end(desk)
        assert await reader.read(100) == b"answer"
        assert desk.heard == [ev.LanReceived(1, b"question")]
        writer.close()
        await asyncio.sleep(1)
        assert desk.heard[-1] == ev.LanClosed(1)

    play(story)


def test_a_phone_gets_no_connection_until_it_is_over() -> None:
    async def story() -> list[float]:
        desk = Desk()
        desk.lan.open(desk.place, PORT)
        desk.place.faults = (faults.Partition(60_000),)
        loop = asyncio.get_running_loop()
        loop.call_later(20, end, desk)
        times = []
        for _ in range(2):
            began_s = loop.time()
            await desk.lan.connect(asyncio.Protocol, IP, PORT)
            times.append(loop.time() - began_s)
        return times

    during_s, after_s = play(story)
    assert 20 <= during_s < 20.1
    assert after_s < 0.1


def test_a_partition_that_follows_another_lets_nobody_in() -> None:
    async def story() -> None:
        desk = Desk()
        desk.lan.open(desk.place, PORT)
        desk.place.faults = (faults.Partition(60_000),)
        knocking = asyncio.create_task(desk.lan.connect(asyncio.Protocol, IP, PORT))
        await asyncio.sleep(1)
        end(desk)
        desk.place.faults = (faults.Partition(60_000),)
        await asyncio.sleep(1)
        assert not knocking.done()
        end(desk)
        await knocking

    play(story)


def test_what_a_device_could_not_say_any_more_is_never_heard() -> None:
    async def story() -> None:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, _ = await asyncio.open_connection(IP, PORT)
        desk.place.faults = (faults.Partition(60_000),)
        port.send(1, b"last words")
        port.close(hard=True)
        await asyncio.sleep(1)
        end(desk)
        assert await reader.read() == b"", "the phone hears now that it is gone"

    play(story)


def test_lost_segments_are_late_and_in_order() -> None:
    async def story() -> tuple[bytes, list[float]]:
        desk = Desk()
        port = desk.lan.open(desk.place, PORT)
        reader, writer = await asyncio.open_connection(IP, PORT)
        desk.place.faults = (faults.Loss(9_000, 60),)
        loop = asyncio.get_running_loop()
        began_s, sent = loop.time(), bytes(range(20))
        for number in sent:
            port.send(1, bytes([number]))
        heard, times = b"", []
        while len(heard) < len(sent):
            heard += await reader.read(100)
            times.append(loop.time() - began_s)
        assert heard == sent
        began_s = loop.time()
        for _ in range(5):
            await desk.lan.connect(asyncio.Protocol, IP, PORT)
        assert loop.time() - began_s >= 1, "connecting takes longer, too"
        writer.close()
        return heard, times

    _, times = play(story)
    assert times[0] < 32
    assert len(times) > 1
    assert times[-1] >= 1
