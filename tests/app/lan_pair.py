"""A phone and a device without anything between them."""

from typing import Any

from firmware_sim.wire.lan_version import LanVersion
from fleet.app.lan_control import CHANCE_SIZE, LanControl, Peer, Request
from fleet.app.lan_happenings import Happening, Ready, Send
from tests.app.fake_device import DEV_ID, KEY, FakeDevice, FakeLink

CHANCE = bytes(range(CHANCE_SIZE))
NOW_MS = 1_700_000_000_000


class Pair:
    """Passes on what both say, and tells what else happens to the phone."""

    def __init__(self, version: LanVersion, **changes: Any) -> None:
        self.device = FakeDevice(version)
        for name, value in changes.items():
            setattr(self.device, name, value)
        self.phone = LanControl(Peer(DEV_ID, KEY, version), CHANCE)
        self.link = FakeLink(self.device)
        self.now_ms = NOW_MS

    def deliver(self, happenings: list[Happening]) -> list[Happening]:
        """Carry out what is to be sent, to and fro; return everything else."""
        seen: list[Happening] = []
        for happening in happenings:
            if isinstance(happening, Send):
                seen += self.say(self.link.receive(happening.data))
            else:
                seen.append(happening)
        return seen

    def say(self, data: bytes) -> list[Happening]:
        return self.deliver(self.phone.received(data, self.now_ms))

    def open(self) -> "Pair":
        assert self.deliver(self.phone.opened(self.now_ms)) == [Ready()]
        self.device.asked.clear()
        return self

    def ask(self, request: Request) -> list[Happening]:
        return self.say(self.link.receive(request.data))

    def wake(self, after_ms: int) -> list[Happening]:
        self.now_ms += after_ms
        return self.deliver(self.phone.woken(self.now_ms))
