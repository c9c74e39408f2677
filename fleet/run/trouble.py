"""Trouble on purpose: every refusal that a batch unbinding can meet is met at least once.

Each of these people does something wrong, reads the failing light, looks up the reason, and then
hands the device to the operators, who do it right. The two quotas are not in here: operators run
into those by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from fleet.app import qr
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import UnbindToken
from fleet.run.attempt import Batch, Result, attempt
from fleet.run.operator import note_result
from fleet.run.owner import pair, sign_in
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_waiting
from fleet.run.tally import QR

TOKEN_FULL = "token_full"  # noqa: S105 - the name of a reason, not a secret
TOKEN_DEAD = "token_dead"  # noqa: S105
NO_PERMISSION = "no_permission"
WIFI_PASSWORD = "wifi_password"  # noqa: S105
ALREADY_BOUND = "already_bound"
DEAD_LIFE_S = 1
TRIES = 3  # a power cut or a dead cloud may come between a person and the trouble

Units = tuple[Unit, ...]


class Troublemakers(msgspec.Struct, frozen=True):
    """Who gets devices into trouble: an operator, and a partner who may only buy.

    `used_up` will be a code of that operator's which has released all the devices it may.
    """

    stage: Stage
    operator: ConsoleClient
    purchaser: ConsoleClient
    used_up: asyncio.Future[Batch]

    async def all(self, done: Callable[[Units], None]) -> None:
        """Let every trouble happen at the same time; `done` gets the devices of each as it ends."""
        async with asyncio.TaskGroup() as group:
            for kind, happen in (
                (TOKEN_FULL, self.token_full),
                (TOKEN_DEAD, self.token_dead),
                (NO_PERMISSION, self.no_permission),
                (WIFI_PASSWORD, self.wifi_password),
                (ALREADY_BOUND, self.already_bound),
            ):
                units = tuple(u for u in self.stage.population.units if u.trouble == kind)
                if units:
                    group.create_task(self._one(happen, units, done))

    async def _one(
        self,
        happen: Callable[[Units], Awaitable[Units]],
        units: Units,
        done: Callable[[Units], None],
    ) -> None:
        left = units
        for _ in range(TRIES):
            left = await happen(left)
            indices = [unit.index for unit in units]
            await self.stage.watch.until_all(indices, is_waiting, self.stage.patience_s)
            if not left:
                break
        done(units)

    # Each of these returns the devices that did not get into the trouble it is named after.

    async def token_full(self, units: Units) -> Units:
        """Show the code of an earlier batch to one device too many."""
        await asyncio.wait([self.used_up], timeout=self.stage.patience_s)
        if not self.used_up.done():
            return units  # no batch has gone through so far
        batch = msgspec.structs.replace(self.used_up.result(), units=units)
        return _others(await self._bring(self.operator, batch), TOKEN_FULL)

    async def token_dead(self, units: Units) -> Units:
        """Show a code that has run out in the meantime."""
        token = await self.operator.unbind_token(QR, life_s=DEAD_LIFE_S)
        await asyncio.sleep(DEAD_LIFE_S + 0.1)
        results = await self._show(self.operator, units, token)
        return _others(results, TOKEN_DEAD)

    async def no_permission(self, units: Units) -> Units:
        """Show the code of somebody who may not unbind these products."""
        token = await self.purchaser.unbind_token(QR)
        return _others(await self._show(self.purchaser, units, token), NO_PERMISSION)

    async def wifi_password(self, units: Units) -> Units:
        """Mistype the Wi-Fi password: no device reaches the cloud, and the token stays unused."""
        token = await self.operator.unbind_token(QR)
        results = await self._show(self.operator, units, token, mistyped=True)
        await self.operator.cancel(token.batch)
        return tuple(result.unit for result in results if result.light != "join_failed")

    async def already_bound(self, units: Units) -> Units:
        """Let the new owner of each device try before anybody has unbound it."""
        refused = await asyncio.gather(*(self._too_early(unit) for unit in units))
        return tuple(
            unit for unit, was_refused in zip(units, refused, strict=True) if not was_refused
        )

    async def _too_early(self, unit: Unit) -> bool:
        assert unit.new_owner is not None
        client = await sign_in(self.stage.link, unit.new_owner)
        result = await pair(self.stage, client, unit, self.stage.population.warehouse)
        for failure in result.failed:
            self.stage.tally.refused[failure.code] += 1
        return any(failure.code == ALREADY_BOUND for failure in result.failed)

    async def _show(
        self, console: ConsoleClient, units: Units, token: UnbindToken, *, mistyped: bool = False
    ) -> list[Result]:
        network = self.stage.population.warehouse
        password = network.password[:-1] if mistyped else network.password
        payload = qr.payload(network.ssid, password, token.token)
        return await self._bring(console, Batch(units, token, payload))

    async def _bring(self, console: ConsoleClient, batch: Batch) -> list[Result]:
        results = await attempt(self.stage, console, batch)
        for result in results:
            note_result(self.stage, result)
        return results


def _others(results: list[Result], reason: str) -> Units:
    return tuple(result.unit for result in results if result.reason != reason)
