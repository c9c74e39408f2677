"""A desk for tests: the world under it opens no socket and only notes what hands do."""

from typing import Any

from firmware_sim.device.device import Device, Identity
from firmware_sim.events import Event
from fleet.commands.hands import Desk, Setup
from hw_profiles import catalog


class Notebook:
    """Stands in for a live world."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.shown: list[bytes | None] = []
        self.plugged: list[bool] = []
        self.failure: BaseException | None = None

    def add(self, device: Device, *, ip: str, site: str) -> int:
        assert (device.identity.uuid, ip, site) == ("u1", "127.9.9.9", "desk")
        return 0

    def tell(self, index: int, event: Event) -> None:
        assert index == 0
        self.told.append(event)

    def show(self, index: int, payload: bytes | None) -> None:
        assert index == 0
        self.shown.append(payload)

    def plug(self, index: int, *, connected: bool) -> None:
        assert index == 0
        self.plugged.append(connected)


def make_desk(profile: str) -> tuple[Desk, Notebook]:
    """Return a desk with one device of this model, and what its hands do."""
    setup = Setup(
        profile=catalog.load(profile),
        identity=Identity("u1", "k" * 32, "p1"),
        seed=1,
        iot_dns=("127.0.0.1", 1),
        networks={},
        decoder="zxing",
    )
    world = Notebook()
    desk: Any = Desk(setup, world, "127.9.9.9")  # type: ignore[arg-type]
    return desk, world
