"""Before a run: what is no device of ours is paired with this cloud, by its first owner.

The others are born with keys that the cloud has. One on a bench has keys of another cloud, or none:
its button is held, and it is shown a code, as people would do it.
"""

from firmware_sim.errors import UsageError
from fleet.run.owner import pair, sign_in
from fleet.run.population import Unit
from fleet.run.stage import Stage, is_kept, is_off, is_online, is_waiting, reset_all

TRIES = 3


async def introduce(stage: Stage) -> None:
    """Pair each foreign device, and leave it without power. UsageError for one that cannot be."""
    for unit in stage.population.units:
        if unit.foreign:
            await _introduce(stage, unit)
            stage.hands.power([unit.index], on=False)
            await stage.watch.until_all([unit.index], is_off, stage.patience_s)


async def _introduce(stage: Stage, unit: Unit) -> None:
    one = [unit.index]
    stage.hands.power(one, on=True)
    await stage.watch.until_all(
        one, lambda seen: is_waiting(seen) or is_kept(seen), stage.patience_s
    )
    client = await sign_in(stage.link, unit.owner)
    for _ in range(TRIES):
        if not is_waiting(stage.watch.last[unit.index]):
            await reset_all(stage.hands, stage.watch, stage.population, one)
        await pair(stage, client, unit, unit.home)
        if not await stage.watch.until_all(one, is_online, stage.patience_s):
            return
    seen = stage.watch.last[unit.index]
    raise UsageError(
        f"the bench: {unit.uuid} could not be paired, its light is read as {seen.light!r}; are its "
        "model, its keys, its Wi-Fi and its cloud those in the file?"
    )
