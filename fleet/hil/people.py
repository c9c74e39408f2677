"""The people of a bench and their apps: who sells devices again, and who has bought one."""

import asyncio
from typing import TYPE_CHECKING

from firmware_sim.bench.capabilities import Missing, NotSeen
from fleet.app import qr
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.app.handover import Outcome
from fleet.app.messages import Method
from fleet.run.owner import sign_in
from fleet.run.phones import LanPhones
from fleet.run.population import Network, Population, Unit

if TYPE_CHECKING:
    from firmware_sim.bench.endpoints.http import Purpose

AGAIN_S = 1.0  # a device that is found may have lost its power or its cable since
_AWAY = (Outcome.UNREACHABLE, Outcome.NO_ANSWER)


class People:
    """Everybody with a phone, at one cloud and on one LAN."""

    def __init__(
        self, population: Population, link: CloudLink, phones: LanPhones, wifi: Network
    ) -> None:
        """Log nobody in yet. `wifi` is that of the bench, which codes name."""
        self._population = population
        self._link = link
        self._phones = phones
        self._wifi = wifi
        self._gate = asyncio.Lock()
        self._after_sale: ConsoleClient | None = None
        self._owners: dict[int, ConsumerClient] = {}

    async def code(self, unit: Unit, purpose: "Purpose", wifi_password: str | None) -> str:
        """Return the text of a QR code for a device; a password given stands in for the right one.

        Raises Missing for a device without a lens, and PeerError when the cloud refuses.
        """
        if unit.product.wired:
            raise Missing("this device has no lens: it takes its token by wire")
        token = await self._token(unit, purpose)
        password = self._wifi.password if wifi_password is None else wifi_password
        return qr.payload(self._wifi.ssid, password, token).decode()

    async def by_wire(self, unit: Unit, purpose: "Purpose", timeout_s: float) -> None:
        """Find a device on the LAN and send it a token.

        Raises NotSeen when it is not found, or does not take it, within the time; Missing for a
        device without a socket, and PeerError when the cloud refuses.
        """
        if not unit.product.wired:
            raise Missing("this device has no socket for a cable: show it a code")
        missing = "is found on the LAN"
        try:
            async with asyncio.timeout(timeout_s):
                token = await self._token(unit, purpose)
                while True:
                    if found := await self._phones.wait_for([unit.uuid], timeout_s):
                        missing = "is there any more, or answers"
                        delivery = await self._phones.hand_over(found[0], token)
                        if delivery.outcome not in _AWAY:
                            break
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            raise NotSeen(
                f"no device that waits for a token {missing} within {timeout_s:g} s"
            ) from None
        if not delivery.accepted:
            outcome = delivery.outcome.value.replace("_", " ")
            raise NotSeen(f"the token is not taken: {outcome}, {delivery.detail}".rstrip(", "))

    async def _token(self, unit: Unit, purpose: "Purpose") -> str:
        async with self._gate:  # nobody logs in twice
            if purpose == "pair":
                return (await (await self._owner(unit)).pair_token()).token
            if self._after_sale is None:
                person = self._population.operators[0]
                self._after_sale = await ConsoleClient.login(
                    self._link, person.name, person.password
                )
        method: Method = "wired" if unit.product.wired else "qr"
        return (await self._after_sale.unbind_token(method, max_devices=1)).token

    async def _owner(self, unit: Unit) -> ConsumerClient:
        if unit.index not in self._owners:
            assert unit.new_owner is not None, "somebody comes for every device of a bench"
            self._owners[unit.index] = await sign_in(self._link, unit.new_owner)
        return self._owners[unit.index]
