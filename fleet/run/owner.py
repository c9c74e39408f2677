"""New owners: they take an unbound device home and pair it with their own app.

By QR for cameras, over the LAN for wired devices, as their app does it; the app asks the cloud
what became of the token. An owner whose device does not come online starts over.
"""

import asyncio

from fleet.app import qr
from fleet.app.cloud_link import CloudLink, pauses_s
from fleet.app.consumer import ConsumerClient, register
from fleet.app.errors import CloudRefused, CloudUnreachable
from fleet.app.messages import PairResult
from fleet.run.attempt import SEARCH_S
from fleet.run.phases import REBIND
from fleet.run.population import Network, Person, Unit
from fleet.run.scenario import SHELF
from fleet.run.stage import (
    HOMES,
    Stage,
    carry,
    hold_reset,
    is_busy,
    is_kept,
    is_online,
    is_waiting,
)
from fleet.run.watch import Gaze

OWNERS_AT_ONCE = 100  # where their connections are real ones


class Owners:
    """All new owners of a run; `welcome` is called as devices become free."""

    def __init__(
        self, stage: Stage, group: asyncio.TaskGroup, at_once: int = OWNERS_AT_ONCE
    ) -> None:
        """Let the owners act as tasks of `group`, so many `at_once`."""
        self._stage = stage
        self._group = group
        self._gate = asyncio.Semaphore(at_once)

    def welcome(self, unit: Unit) -> None:
        """A device was unbound: whoever was to have it takes it home."""
        if unit.new_owner is not None:
            self._group.create_task(self._take_home(unit))

    async def _take_home(self, unit: Unit) -> None:
        async with self._gate:
            if await rebind(self._stage, unit):
                self._stage.tally.rebound.add(unit.index)
            else:
                self._stage.tally.failed["not_rebound"] += 1


async def rebind(stage: Stage, unit: Unit) -> bool:
    """Let the new owner of `unit` bind it; return whether that has worked in the end."""
    assert unit.new_owner is not None
    assert unit.new_home is not None
    patience_s = stage.patience_s
    if stage.population.scenario.start != SHELF:
        # The release ends with a restart; whoever comes for the device waits for the light.
        await stage.watch.until_all([unit.index], is_waiting, patience_s)
    await carry(stage.hands, stage.watch, [unit.index], HOMES, patience_s)
    client = await sign_in(stage.link, unit.new_owner)
    for _ in range(stage.population.scenario.tries_max):
        if not await stage.watch.until_all([unit.index], is_waiting, patience_s):
            result = await pair(stage, client, unit, unit.new_home)
            paired = any(device.uuid == unit.uuid for device in result.success)
            if paired and await _came_online(stage, unit):
                return True
        elif is_kept(stage.watch.last[unit.index]):
            if not await _is_theirs(client, unit):
                hold_reset(stage.hands, stage.population, [unit.index])
                continue
            if is_online(stage.watch.last[unit.index]):
                return True
        await carry(stage.hands, stage.watch, [unit.index], HOMES, patience_s)
    return False


async def _is_theirs(client: ConsumerClient, unit: Unit) -> bool:
    """Say whether a device that shows an owner's light is its new owner's, by their app.

    Otherwise it has not heard that it was unbound: where it is now it never will.
    """
    return any(device.uuid == unit.uuid for device in await client.devices())


async def _came_online(stage: Stage, unit: Unit) -> bool:
    """Wait for the light of a device that the app calls paired.

    It may wait for a code all the same: its power failed before it had kept what the cloud told it.
    """
    with stage.watch.look_at([unit.index]) as gaze:
        seen = stage.watch.last[unit.index]
        try:
            async with asyncio.timeout(stage.patience_s):
                while not (is_online(seen) or is_waiting(seen)):
                    seen = await gaze.next()
        except TimeoutError:
            return False
    return is_online(seen)


async def sign_in(link: CloudLink, person: Person) -> ConsumerClient:
    """Register and log in."""
    await _register(link, person)
    return await ConsumerClient.login(link, person.name, person.password)


async def _register(link: CloudLink, person: Person) -> None:
    """Register, also when the replies to the first tries get lost, for as long as a call is repeated."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + link.patience_s
    for pause_s in pauses_s():
        try:
            await register(link, person.name, person.password)
        except CloudRefused as refusal:
            if refusal.code != "name_taken":
                raise
        except CloudUnreachable:
            # Whether it was carried out is unknown; whoever asks again is told that it was.
            if loop.time() + pause_s > give_up_at:
                raise
            await asyncio.sleep(pause_s)
            continue
        return


async def pair(stage: Stage, client: ConsumerClient, unit: Unit, network: Network) -> PairResult:
    """Bring a pairing token to the device; return what the app is told became of it."""
    token = (await client.pair_token()).token
    stage.hands.intend([unit.index], REBIND)
    with stage.watch.look_at([unit.index]) as gaze:
        try:
            async with asyncio.timeout(stage.patience_s):
                await _hand_over(stage, unit, network, token)
                await _until_ended(gaze)
        except TimeoutError:
            pass  # the app is asked all the same
        finally:
            stage.hands.show([unit.index], None)
    return await client.pair_result(token)


async def _hand_over(stage: Stage, unit: Unit, network: Network, token: str) -> None:
    if unit.product.wired:
        for found in await stage.phones.wait_for([unit.uuid], SEARCH_S):
            await stage.phones.hand_over(found, token)
    else:
        stage.hands.show([unit.index], qr.payload(network.ssid, network.password, token))


async def _until_ended(gaze: Gaze) -> None:
    """Return when a device that had begun to pair does so no longer, or has lost its power."""
    taken = False
    while True:
        seen = await gaze.next()
        if is_busy(seen):  # that is how the light reads, whatever the token is for
            taken = True
        elif taken or seen.lifecycle == "OFF":
            return
