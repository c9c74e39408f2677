"""Every unit is in the registry, under the device id that its chip was given."""

from collections.abc import Iterator

from fleet.run.checks.evidence import Evidence


def at_end(evidence: Evidence) -> Iterator[str]:
    """Look each unit up."""
    known = {unit.uuid: device for unit, device in evidence.registered()}
    for unit in evidence.population.units:
        if unit.uuid not in known:
            yield f"{unit.uuid}: the registry has lost it"
            continue
        chip = evidence.chips.get(unit.index)
        if chip is not None and chip.dev_id and chip.dev_id != known[unit.uuid].dev_id:
            yield f"{unit.uuid}: is {chip.dev_id} by its chip, {known[unit.uuid].dev_id} by the cloud"
