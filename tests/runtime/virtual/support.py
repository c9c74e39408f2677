"""A small virtual world: devices of the catalogue, a server that only listens, one clock."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from firmware_sim.device.device import Device, Identity
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import Event
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.place import Place
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.wan import Call, Stream
from firmware_sim.runtime.virtual.world import VirtualWorld
from hw_profiles import catalog

T = TypeVar("T")
START_MS = 1_700_000_000_000
HOST, PORT = "cloud", 80
NETWORKS = {"home": "password1"}


class Server:
    """Takes everything and answers what it is told to."""

    def __init__(self) -> None:
        self.up = True
        self.calls: list[Call] = []
        self.streams: list[Stream] = []
        self.said: list[bytes] = []
        self.gone: list[int] = []

    def post(self, call: Call) -> None:
        self.calls.append(call)

    def opened(self, stream: Stream) -> None:
        self.streams.append(stream)
        stream.conn = len(self.streams)

    def heard(self, stream: Stream, data: bytes) -> None:
        assert stream in self.streams
        self.said.append(data)

    def lost(self, stream: Stream) -> None:
        self.gone.append(stream.conn)


class Sight:
    """Reads every code in the third frame, and no code that says so."""

    frame_ms = 200.0

    def first_read(self, _: int, payload: bytes) -> int | None:
        return None if payload == b"illegible" else 2


class Scene:
    """A world with devices of some models at one site, made in the running loop."""

    def __init__(self, *profiles: str, seed: int = 1) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.agenda = loop.agenda
        self.trace = Trace()
        self.server = Server()
        self.told: list[tuple[int, StateShown | Noted]] = []
        self.world = VirtualWorld(
            self.agenda,
            sites={"site": AccessPoint(NETWORKS), "other": AccessPoint({})},
            hosts={(HOST, PORT): self.server},
            observer=lambda index, what, _: self.told.append((index, what)),
            sight=Sight(),
            seed=seed,
            trace=self.trace,
        )
        for number, name in enumerate(profiles or ("ipc-red-green",)):
            identity = Identity(f"uuid{number}", f"{number:032}", "product")
            device = Device(catalog.load(name), identity, number, (HOST, PORT))
            self.world.add(device, ip=f"10.0.0.{number + 2}", site="site")

    async def wait(self, duration_ms: int) -> None:
        """Let time pass."""
        await asyncio.sleep(duration_ms / 1000)

    def state(self, index: int = 0) -> str:
        return self.world.device(index).lifecycle.name

    def shown(self) -> list[str]:
        """Return the lifecycles that were shown, in order."""
        return [what.lifecycle for _, what in self.told if isinstance(what, StateShown)]


def play(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Agenda(START_MS))) as runner:
        return runner.run(story())


class Told:
    """A world that passes on what happens to a device."""

    def __init__(self, take: Callable[[Event], None]) -> None:
        self._take = take

    def work_off(self, _: Place, event: Event) -> None:
        self._take(event)
