"""Before a run: what is no device of ours is paired with this cloud, by its first owner.

The others are born with keys that the cloud has. One on a bench has keys of another cloud, or none:
its button is held, and it is shown a code, as people would do it.
"""

import asyncio
from collections.abc import Callable

from firmware_sim.errors import UsageError
from fleet.run.owner import pair, sign_in
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_kept, is_off, is_online, is_waiting, reset_all

TRIES = 2
ONLINE_S = 20.0  # from when the app is told that a device was paired to when its light says so


async def introduce(stage: Stage, say: Callable[[str], None]) -> None:
    """Pair all foreign devices at the same time, and leave them without power.

    Raises UsageError for one that cannot be paired.
    """
    async with asyncio.TaskGroup() as group:
        for unit in stage.population.units:
            if unit.foreign:
                group.create_task(_introduce(stage, unit, say))


async def _introduce(stage: Stage, unit: Unit, say: Callable[[str], None]) -> None:
    one = [unit.index]
    say(f"the bench: {unit.uuid} is paired by its first owner, number {unit.index} of this run")
    stage.hands.power(one, on=True)
    await stage.watch.until_all(
        one, lambda seen: is_waiting(seen) or is_kept(seen), stage.patience_s
    )
    client = await sign_in(stage.link, unit.owner)
    for _ in range(TRIES):
        if not is_waiting(stage.watch.last[unit.index]):
            await reset_all(stage.hands, stage.watch, stage.population, one)
        result = await pair(stage, client, unit, unit.home)
        paired = any(device.uuid == unit.uuid for device in result.success)
        if not await stage.watch.until_all(one, is_online, ONLINE_S if paired else 0):
            stage.hands.power(one, on=False)
            await stage.watch.until_all(one, is_off, stage.patience_s)
            return
        say(f"the bench: {unit.uuid} is not paired: {_light(stage, unit)}")
    raise UsageError(
        f"the bench: {unit.uuid} could not be paired, {_light(stage, unit)}; are its model, its "
        f"keys, its cloud and its {'lan' if unit.product.wired else 'Wi-Fi'} those in the file?"
    )


def _light(stage: Stage, unit: Unit) -> str:
    return f"its light is read as {stage.watch.last[unit.index].light!r}"
