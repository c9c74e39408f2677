"""The phones beside the stand in virtual time: those of the people of any simulated bench."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from firmware_sim.bench.capabilities import Code
from firmware_sim.rng import Rng, derive
from fleet.app.cloud_link import CloudLink
from fleet.app.lan_client import LanSearch
from fleet.hil.people import People
from fleet.hil.virtual_stand import VirtualStand
from fleet.run.phones import LanPhones
from fleet.run.virtual.cloud import HOST
from fleet.run.virtual.desk.scene import AFTER_SALE, WAREHOUSE

PATIENCE_S: Final = 30.0
_NONCES = 5  # branch of the seed; the stand uses those before it
R = TypeVar("R")


class Phone:
    """The app of after-sales, and that of the next owner. Their codes carry the stand's Wi-Fi."""

    def __init__(self, stand: VirtualStand) -> None:
        """Log nobody in yet."""
        self._stand = stand
        self._rng = Rng(derive(stand.desk.population.seed, _NONCES))

    def unbinding_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of after-sales. Raises Missing where the device has no lens for it."""
        unit = self._stand.desk.unit
        return Code(self._let(lambda people: people.code(unit, "unbind", wifi_password)))

    def pairing_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of the next owner's. Raises Missing where the device has no lens for it."""
        unit = self._stand.desk.unit
        return Code(self._let(lambda people: people.code(unit, "pair", wifi_password)))

    def unbind_by_wire(self, timeout_s: float = 30.0) -> None:
        """Find the device on the LAN and send it an unbinding token. Raises NotSeen, Missing."""
        unit = self._stand.desk.unit
        self._let(lambda people: people.by_wire(unit, "unbind", timeout_s))

    def pair_by_wire(self, timeout_s: float = 30.0) -> None:
        """Find the device on the LAN and send it the next owner's token. Raises NotSeen, Missing."""
        unit = self._stand.desk.unit
        self._let(lambda people: people.by_wire(unit, "pair", timeout_s))

    def _let(self, work: Callable[[People], Awaitable[R]]) -> R:
        return self._stand.let(lambda: self._with_people(work))

    async def _with_people(self, work: Callable[[People], Awaitable[R]]) -> R:
        """Have people log in, do something, and put their phones away."""
        desk = self._stand.desk
        staff = msgspec.structs.replace(desk.population, operators=(desk.person(AFTER_SALE),))
        link = CloudLink(f"http://{HOST}", patience_s=PATIENCE_S, carrier=desk.cloud)
        async with LanSearch(listen=desk.world.lan.listen) as search:
            phones = LanPhones(search, self._rng.bytes)
            return await work(People(staff, link, phones, desk.network(WAREHOUSE)))
