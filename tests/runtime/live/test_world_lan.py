"""The LAN of a live world: who hears a question, from where answers leave, and a host without files."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from firmware_sim.device.device import Device
from firmware_sim.effects import CloseLan, Effect, Noted, OpenLan, SendDatagram, StateShown
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    DatagramReceived,
    Event,
    LanOpened,
    PowerApplied,
)
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live import lan_port
from firmware_sim.runtime.live.world import HOST_SHORT, LiveWorld
from firmware_sim.wire.discovery import Solicitation, encode_solicitation

EVERYBODY = "127.78.1.255"
IPS = ("127.78.1.1", "127.78.1.2", "127.78.1.3")
OURS = [encode_solicitation(Solicitation("127.0.0.1", f"ours {n}"), bytes(12)) for n in (1, 2)]


class Answerer:
    """A node that answers our questions; its button opens the LAN and closes it when let go."""

    profile = SimpleNamespace(wired=True)

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: list[Event] = []

    def handle(self, event: Event, _: int) -> list[Effect]:
        if isinstance(event, DatagramReceived) and event.data not in OURS:
            return []  # what other fleets on this machine are asked
        self.told.append(event)
        if isinstance(event, DatagramReceived):
            return [SendDatagram("127.0.0.1", self.port, b"answer")]
        if isinstance(event, ButtonPressed):
            return [OpenLan(6668)]
        return [CloseLan()] if isinstance(event, ButtonReleased) else []

    def next_deadline_ms(self) -> int | None:
        return None


class Bench:
    """A world of answerers, and a client that asks them."""

    def __init__(self) -> None:
        self.notes: list[Noted] = []
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.bind(("127.0.0.1", 0))
        self.client.settimeout(5)
        self.nodes = [Answerer(self.client.getsockname()[1]) for _ in IPS]
        self.world = LiveWorld(
            sites={"hall": AccessPoint({})}, observer=self.observe, broadcast_ip=EVERYBODY
        )
        for ip, node in zip(IPS, self.nodes, strict=True):
            self.world.add(cast("Device", node), ip=ip, site="hall")

    def observe(self, _: int, what: StateShown | Noted, __: int) -> None:
        assert isinstance(what, Noted)
        self.notes.append(what)

    def open_lan(self, *indices: int) -> None:
        for index in indices:
            self.world.tell(index, ButtonPressed())

    async def ask(self, question: bytes, *, answers: int) -> list[str]:
        """Return the addresses that have answered as soon as there are so many."""
        self.client.sendto(question, (EVERYBODY, 7000))
        received = [asyncio.to_thread(self.client.recvfrom, 100) for _ in range(answers)]
        return sorted(source_ip for _, (source_ip, _) in await asyncio.gather(*received))

    async def close(self) -> None:
        await self.world.close()
        self.client.close()


def play(scene: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        bench = Bench()
        try:
            await asyncio.wait_for(scene(bench), 20)
        finally:
            await bench.close()

    asyncio.run(whole())


def test_all_whose_lan_is_open_hear_the_same_and_answer_from_their_own_address() -> None:
    async def scene(bench: Bench) -> None:
        bench.open_lan(0, 2)
        assert await bench.ask(OURS[0], answers=2) == [IPS[0], IPS[2]]
        heard = [node.told[-1] for node in bench.nodes if node.told]
        assert heard == [DatagramReceived(7000, OURS[0])] * 2
        assert heard[0] is heard[1], "one event serves them all"
        bench.world.tell(2, ButtonReleased())
        assert await bench.ask(OURS[1], answers=1) == [IPS[0]]
        assert not bench.nodes[1].told
        assert bench.nodes[2].told[-1] == ButtonReleased()

    play(scene)


def test_without_files_the_world_goes_on_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan_port, "PAUSE_S", 0.02)
    short = [OSError(errno.EMFILE, os.strerror(errno.EMFILE))]
    listen = lan_port._listen

    def short_of_files(address: tuple[str, int]) -> socket.socket:
        if short:
            raise short.pop()
        return listen(address)

    monkeypatch.setattr(lan_port, "_listen", short_of_files)

    async def scene(bench: Bench) -> None:
        bench.world.tell(0, PowerApplied())
        bench.open_lan(0, 1)
        assert bench.notes == [
            Noted(HOST_SHORT, f"{IPS[0]} takes no LAN clients: Too many open files")
        ]
        for index in (0, 1):
            async with asyncio.timeout(5):
                while LanOpened(1) not in bench.nodes[index].told:
                    with suppress(ConnectionRefusedError):
                        socket.create_connection((IPS[index], 6668)).close()
                    await asyncio.sleep(0.01)
        assert bench.world.failure is None

    play(scene)
