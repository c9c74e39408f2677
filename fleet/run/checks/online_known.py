"""Every device that has a session is online by the cloud's books.

The other way round takes time: a device that vanished without a word is missed by its keep-alive.
"""

from collections.abc import Iterator

from firmware_sim.device.states import Session
from fleet.run.checks.evidence import Evidence


def at_end(evidence: Evidence) -> Iterator[str]:
    """Ask the books for each device that believes to be connected."""
    for unit, device in evidence.registered():
        chip = evidence.chips.get(unit.index)
        if chip is None or chip.severed:
            continue
        if Session[chip.session] is Session.UP and not device.online:
            yield f"{unit.uuid}: has a session, and is offline by the cloud"
