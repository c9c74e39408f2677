"""What is known at the end of a run, of fleet, cloud and people: what invariants are held against."""

from collections.abc import Iterator, Mapping

import msgspec

from fleet.app.messages import HistoryRow
from fleet.cloud.api.admin_api import Audit, AuditedDevice
from fleet.run.messages import Chip, Heard, Seen
from fleet.run.population import Population, Unit
from fleet.run.tally import Tally


class App(msgspec.Struct, frozen=True):
    """What the app of one owner of a unit shows: the uuids of all devices; `new`: the next owner."""

    index: int
    new: bool
    uuids: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True):
    """Everything that is known at the end; all indexed like the units of the population.

    `chips`: what each device is and holds. `lights`: the last state that each was seen in.
    `heard`: notes of each device. `history`: all rows that the products' owner sees, by id.
    `apps`: what some owners are shown.
    """

    population: Population
    chips: Mapping[int, Chip]
    lights: list[Seen]
    heard: list[list[Heard]]
    audit: Audit
    history: list[HistoryRow]
    tally: Tally
    apps: tuple[App, ...] = ()

    def registered(self) -> Iterator[tuple[Unit, AuditedDevice]]:
        """Yield each unit with what the cloud's registry says of it."""
        by_uuid = {device.uuid: device for device in self.audit.devices}
        for unit in self.population.units:
            if unit.uuid in by_uuid:
                yield unit, by_uuid[unit.uuid]
