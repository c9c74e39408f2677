"""Trouble on purpose: every refusal that a batch unbinding can meet is met at least once.

Each of these people does something wrong, reads the failing light, looks up the reason, and then
hands the device to the operators, who do it right. The two quotas and the full code are not in
here: operators run into those by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import UnbindToken
from fleet.run.attempt import Batch, attempt
from fleet.run.operator import note_result
from fleet.run.owner import pair, sign_in
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_waiting
from fleet.run.tally import QR

DEAD_LIFE_S = 1
ALREADY_BOUND = "already_bound"


class Troublemakers(msgspec.Struct, frozen=True):
    """Who gets devices into trouble: an operator, and a partner who may only buy."""

    stage: Stage
    operator: ConsoleClient
    purchaser: ConsoleClient

    async def all(self, done: Callable[[tuple[Unit, ...]], None]) -> None:
        """Let every trouble happen at the same time; `done` gets the devices of each as it ends."""
        kinds: dict[str, Callable[[tuple[Unit, ...]], Awaitable[None]]] = {
            "token_dead": self.token_dead,
            "no_permission": self.no_permission,
            "wifi_password": self.wifi_password,
            ALREADY_BOUND: self.already_bound,
        }
        async with asyncio.TaskGroup() as group:
            for kind, happen in kinds.items():
                units = tuple(u for u in self.stage.population.units if u.trouble == kind)
                if units:
                    group.create_task(self._one(happen, units, done))

    async def _one(
        self,
        happen: Callable[[tuple[Unit, ...]], Awaitable[None]],
        units: tuple[Unit, ...],
        done: Callable[[tuple[Unit, ...]], None],
    ) -> None:
        await happen(units)
        await self.stage.watch.until_all(
            [u.index for u in units], is_waiting, self.stage.patience_s
        )
        done(units)

    async def token_dead(self, units: tuple[Unit, ...]) -> None:
        """Show a code that has run out in the meantime."""
        token = await self.operator.unbind_token(QR, life_s=DEAD_LIFE_S)
        await asyncio.sleep(DEAD_LIFE_S + 0.1)
        await self._show(self.operator, units, token)

    async def no_permission(self, units: tuple[Unit, ...]) -> None:
        """Show the code of somebody who may not unbind these products."""
        await self._show(self.purchaser, units, await self.purchaser.unbind_token(QR))

    async def wifi_password(self, units: tuple[Unit, ...]) -> None:
        """Mistype the Wi-Fi password: no device reaches the cloud, and the token stays unused."""
        token = await self.operator.unbind_token(QR)
        await self._show(self.operator, units, token, mistyped=True)
        await self.operator.cancel(token.batch)

    async def already_bound(self, units: tuple[Unit, ...]) -> None:
        """Let the new owner of each device try before anybody has unbound it."""
        await asyncio.gather(*(self._too_early(unit) for unit in units))

    async def _too_early(self, unit: Unit) -> None:
        assert unit.new_owner is not None
        client = await sign_in(self.stage.link, unit.new_owner)
        result = await pair(self.stage, client, unit, self.stage.population.warehouse)
        for failure in result.failed:
            self.stage.tally.refused[failure.code] += 1

    async def _show(
        self,
        console: ConsoleClient,
        units: tuple[Unit, ...],
        token: UnbindToken,
        *,
        mistyped: bool = False,
    ) -> None:
        network = self.stage.population.warehouse
        password = network.password[:-1] if mistyped else network.password
        payload = qr.payload(network.ssid, password, token.token)
        for result in await attempt(self.stage, console, Batch(units, token, payload)):
            note_result(self.stage, result)
