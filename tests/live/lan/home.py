"""A home full of bound devices in a process of its own, with a small cloud beside them."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import msgspec
import uvloop

from firmware_sim.device import cloud_calls
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.lan_children import cid
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.addresses import AddressBlock
from hw_profiles import catalog
from tests.live.lan.small_cloud import SmallCloud

WIFI = {"home": "no-secret-at-all"}
NOTES_MAX = 10_000
PATIENCE_S = 60.0


class Unit(msgspec.Struct, frozen=True):
    """One device, and how it differs from its model: fields of its firmware and of its timings.

    Its names follow from its address, so that they are its own on this machine.
    """

    number: int
    profile: str
    version: LanVersion
    ip: str
    habits: dict[str, bool | int] = {}
    timings: dict[str, int] = {}

    @property
    def _name(self) -> str:
        return "".join(f"{int(part):03}" for part in self.ip.split("."))

    @property
    def uuid(self) -> str:
        return f"lan{self._name}"

    @property
    def dev_id(self) -> str:
        return f"bf{self._name:0>20}"  # 22 characters, as most have today

    @property
    def local_key(self) -> str:
        return f"key-{self._name}"

    def child(self, number: int) -> str:
        """Return the node id of one of its sub-devices."""
        return cid(self.uuid, number)

    @property
    def model(self) -> Profile:
        profile = catalog.load(self.profile)
        timings = {"boot_ms": 10, "erase_ms": 10, "reset_hold_ms": 200} | self.timings
        return msgspec.structs.replace(
            profile,
            timings=msgspec.structs.replace(profile.timings, **timings),
            firmware=msgspec.structs.replace(profile.firmware, **self.habits),
        )

    def device(self, iot_dns: tuple[str, int]) -> Device:
        """Return the device, bound long ago."""
        [(ssid, password)] = WIFI.items()
        flash = Flash(
            dev_id=self.dev_id,
            sec_key=f"s{self.number:015d}",
            local_key=self.local_key,
            region="EU",
            env="pr_0",
            ssid=ssid,
            password=password,
        )
        identity = Identity(self.uuid, f"{self.number:032d}", self.profile[:16])
        device = Device(
            self.model, identity, self.number, iot_dns, flash.image(), lan_version=self.version
        )
        device.flash.versions = cloud_calls.versions(device)
        return device


class Home:
    """The process, as a context. What a test wants done in it, it asks for."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = tuple(units)
        context = multiprocessing.get_context("spawn")
        self._end, theirs = context.Pipe()
        self._process = context.Process(
            target=_live, args=(self.units, theirs), name="home", daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        """Wait until all devices are online."""
        try:
            self._receive()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._end.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def __getitem__(self, number: int) -> Unit:
        return self.units[number]

    def order(self, unit: Unit, dps: dict[int, Value]) -> None:
        """Have the cloud set data points of a device."""
        self._ask("order", unit.number, dps)

    def unbind(self, unit: Unit) -> None:
        """Have the cloud unbind a device."""
        self._ask("unbind", unit.number)

    def hold_button(self, unit: Unit, *, down: bool) -> None:
        self._ask("hold_button", unit.number, down)

    def reported(self, unit: Unit) -> dict[int, Value]:
        """Return what the cloud knows of a device."""
        reported: dict[int, Value] = self._ask("reported", unit.number)
        return reported

    def clients(self, unit: Unit) -> int:
        """Return how many LAN clients a device has."""
        clients: int = self._ask("clients", unit.number)
        return clients

    def notes(self, unit: Unit) -> list[tuple[str, str]]:
        """Return what was noted of a device and not yet asked for: kind and detail."""
        notes: list[tuple[str, str]] = self._ask("notes", unit.number)
        return notes

    def _ask(self, name: str, *arguments: object) -> Any:
        self._end.send((name, arguments))
        return self._receive()

    def _receive(self) -> Any:
        assert self._end.poll(PATIENCE_S), "the home does not answer"
        return self._end.recv()


Plan = tuple[str, LanVersion] | tuple[str, LanVersion, dict[str, bool | int]]
"""Profile, version, and habits of the firmware that differ from the profile's."""


def home_of(block: AddressBlock, plan: Sequence[Plan], **timings: int) -> Home:
    """Return a home with a device for each line of the plan; all have these `timings`."""
    return Home(
        [
            Unit(
                number=number,
                profile=line[0],
                version=line[1],
                ip=block.address(number),
                habits=line[2] if len(line) > 2 else {},
                timings=timings,
            )
            for number, line in enumerate(plan)
        ]
    )


def until(happens: Callable[[], bool]) -> None:
    """Wait until something happens; fail if it never does."""
    end_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < end_s
        time.sleep(0.005)


# --- in the process -----------------------------------------------------------------------------


def _live(units: tuple[Unit, ...], end: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_keep_house(units, end))


async def _keep_house(units: tuple[Unit, ...], end: Connection) -> None:
    await _Household(units, end).run()


class _Household:
    def __init__(self, units: tuple[Unit, ...], end: Connection) -> None:
        self._units = units
        self._end = end
        self._done = asyncio.Event()
        self._cloud = SmallCloud({unit.dev_id: unit.local_key for unit in units})
        self._world = LiveWorld(
            sites={"home": AccessPoint(WIFI, join_ms=10)}, observer=self._observe
        )
        self._notes: dict[int, list[tuple[str, str]]] = {unit.number: [] for unit in units}

    async def run(self) -> None:
        await self._cloud.start()
        for unit in self._units:
            self._world.add(unit.device(self._cloud.iot_dns), ip=unit.ip, site="home")
        for unit in self._units:
            self._world.tell(unit.number, PowerApplied())
        async with asyncio.timeout(PATIENCE_S):
            while any(self._world.device(unit.number).light != "online" for unit in self._units):
                if self._world.failure is not None:
                    raise self._world.failure
                await asyncio.sleep(0.01)
        self._end.send(None)
        asyncio.get_running_loop().add_reader(self._end.fileno(), self._answer)
        await self._done.wait()
        await self._world.close()
        self._cloud.close()

    def _observe(self, index: int, effect: StateShown | Noted, _: int) -> None:
        if isinstance(effect, Noted) and len(self._notes[index]) < NOTES_MAX:
            self._notes[index].append((effect.kind, effect.detail))

    def _answer(self) -> None:
        try:
            name, arguments = self._end.recv()
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._end.fileno())
            self._done.set()
        else:
            with suppress(BrokenPipeError):
                self._end.send(getattr(self, name)(*arguments))

    def order(self, number: int, dps: dict[int, Value]) -> None:
        self._cloud.order(self._units[number].dev_id, dps)

    def unbind(self, number: int) -> None:
        self._cloud.unbind(self._units[number].dev_id)

    def hold_button(self, number: int, down: bool) -> None:
        self._world.tell(number, ButtonPressed() if down else ButtonReleased())

    def reported(self, number: int) -> dict[int, Value]:
        return self._cloud.reported.get(self._units[number].dev_id, {})

    def clients(self, number: int) -> int:
        return len(self._world.device(number).clients or ())

    def notes(self, number: int) -> list[tuple[str, str]]:
        notes, self._notes[number] = self._notes[number], []
        return notes
