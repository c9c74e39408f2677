"""Datagrams: each leaves from its device's address, what all should hear is heard once, within bounds."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live import datagrams
from firmware_sim.runtime.live.datagrams import SIZE_MAX, Datagrams, Gate, source
from firmware_sim.wire.discovery import PORT_SOLICITED, Solicitation, encode_solicitation

# Stands in for the broadcast address, so that other fleets on this machine do not hear the tests.
EVERYBODY = "127.78.0.255"


def question(text: str, ip: str = "127.0.0.1") -> bytes:
    return encode_solicitation(Solicitation(ip, text), bytes(12))


def on_each_loop(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(scene(), 20))


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 0))
        listener.settimeout(5)
        yield listener


class Ears:
    """Counts as two devices, and notes what they were told."""

    def __init__(self, ip: str = EVERYBODY) -> None:
        self.told: list[bytes] = []
        self.here = Datagrams(ip, self.hear)

    def hear(self, data: bytes) -> int:
        self.told.append(data)
        return 2

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.002)

    async def until_told(self, data: bytes) -> None:
        await self.until(lambda: data in self.told)


def test_each_datagram_leaves_from_its_device_and_from_port_7000(client: socket.socket) -> None:
    port = client.getsockname()[1]

    async def scene() -> None:
        ears = Ears("127.255.255.255")
        for last in range(1, 6):
            ears.here.broadcast(source(f"127.78.0.{last}"), port, b"here %d" % last)
        heard = {client.recvfrom(100)[1] for _ in range(5)}
        assert heard == {(f"127.78.0.{last}", PORT_SOLICITED) for last in range(1, 6)}
        ears.here.send(source("127.78.0.9"), "127.0.0.1", port, b"to one")
        assert client.recvfrom(100) == (b"to one", ("127.78.0.9", PORT_SOLICITED))
        ears.here.close()

    on_each_loop(scene)


def test_what_cannot_be_sent_is_counted() -> None:
    async def scene() -> None:
        ears = Ears()
        ears.here.broadcast(source("198.51.100.1"), 9, b"not our address")
        ears.here.send(source("127.78.0.1"), "127.0.0.1", 9, bytes(70_000))
        ears.here.close()
        assert ears.here.dropped == 2

    on_each_loop(scene)


def test_a_question_is_heard_once_and_only_if_it_can_be_one(client: socket.socket) -> None:
    async def scene() -> None:
        ears = Ears()
        one, other = question("who is here?"), question("who else?")
        for data in (bytes(65_507), bytes(SIZE_MAX), b"who is here?", one, one, other):
            client.sendto(data, (EVERYBODY, PORT_SOLICITED))
        await ears.until_told(other)
        assert ears.told == [one, other]
        assert (ears.here.heard, ears.here.dropped) == (2, 4)
        ears.here.close()

    on_each_loop(scene)


@pytest.fixture
def five_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let devices answer no more than five questions, for ever."""
    monkeypatch.setattr(datagrams, "WINDOW_S", 1e9)
    monkeypatch.setattr(datagrams, "TOLD_PER_WINDOW_MAX", 500)


@pytest.mark.usefixtures("five_questions")
def test_a_flood_is_cut_and_does_not_hold_the_loop(client: socket.socket) -> None:
    async def scene() -> None:
        ears = Ears()
        sent = 3 * datagrams.READS_AT_ONCE_MAX
        for number in range(sent):
            client.sendto(question(str(number)), (EVERYBODY, PORT_SOLICITED))
        ears.here._read(ears.here._sender)
        assert ears.here.heard + ears.here.dropped == datagrams.READS_AT_ONCE_MAX
        await ears.until(lambda: ears.here.heard + ears.here.dropped == sent)
        assert len(ears.told) == 5, "each costs at least as much as a hundred devices"
        ears.here.close()

    on_each_loop(scene)


@pytest.mark.usefixtures("five_questions")
def test_a_flood_of_what_asks_nothing_makes_nobody_deaf(client: socket.socket) -> None:
    async def scene() -> None:
        ears = Ears()
        for number in range(100):
            client.sendto(b"no question %d" % number, (EVERYBODY, PORT_SOLICITED))
            client.sendto(question(str(number), "nobody.example"), (EVERYBODY, PORT_SOLICITED))
        client.sendto(question("who is here?"), (EVERYBODY, PORT_SOLICITED))
        await ears.until_told(question("who is here?"))
        assert len(ears.told) == 1
        ears.here.close()

    on_each_loop(scene)


@pytest.mark.parametrize("taken", [EVERYBODY, "127.78.0.254"])
def test_a_port_that_somebody_keeps_is_one_clear_line(
    taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "LIMITED_BROADCAST", "127.78.0.254")

    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((taken, PORT_SOLICITED))
            with pytest.raises(UsageError, match=f"cannot listen on UDP {taken}:7000 .*in use"):
                Ears()
        Ears().here.close()

    on_each_loop(scene)


def test_several_worlds_hear_the_same(client: socket.socket) -> None:
    async def scene() -> None:
        both = Ears("127.255.255.255"), Ears("127.255.255.255")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.sendto(question("all of you"), ("127.255.255.255", PORT_SOLICITED))
        for ears in both:
            await ears.until_told(question("all of you"))
            ears.here.close()

    on_each_loop(scene)


# --- the gate -----------------------------------------------------------------------------------


def test_copies_are_stopped_for_a_while_and_a_late_repetition_is_not() -> None:
    gate = Gate()
    assert gate.admits(b"a", 10.9)
    gate.spent(b"a", 1)
    assert not gate.admits(b"a", 10.95)
    assert not gate.admits(b"a", 11.1), "in the next window, though a moment later"
    assert gate.admits(b"b", 11.2)
    gate.spent(b"b", 1)
    assert gate.admits(b"a", 13.5)
    assert gate.admits(b"b", 13.6)


def test_the_more_devices_answer_the_fewer_questions_are_let_through() -> None:
    for devices, expected in ((10_000, 2), (1000, 20), (1, 200)):
        gate = Gate()
        admitted = 0
        for number in range(1000):
            if gate.admits(b"%d" % number, 5.0):
                admitted += 1
                gate.spent(b"%d" % number, devices)
        assert admitted == expected
        assert gate.admits(b"in the next second", 6.0)
