"""Which devices of a fleet a call is about: by index, by uuid, or by what they have in common."""

from collections.abc import Iterable, Iterator

from firmware_sim.errors import UsageError
from fleet.run.population import Unit
from fleet.run.stage import HOMES
from fleet.run.watch import REMOVED
from fleet.web.fleet_words import Chosen, Device, Filter
from fleet.web.premises import Premises
from fleet.web.routes import NotFound

INDEX_DIGITS_MAX = 7


class Choosing:
    """Finds devices of a fleet that may grow."""

    def __init__(self, premises: Premises) -> None:
        """Look for them there."""
        self._premises = premises
        self._by_uuid: dict[str, int] = {}

    def one(self, name: int | str) -> Unit:
        """Return the device with that index or uuid. Raises NotFound."""
        units = self._premises.population.units
        number = name if isinstance(name, int) else self._number(name)
        if not 0 <= number < len(units) or self.removed(number):
            raise NotFound(f"there is no device {str(name)[:40]!r}")
        return units[number]

    def these(self, chosen: Chosen, *, wired: bool | None = None) -> tuple[int, ...]:
        """Return the indices of all that are meant, each once; of one sort only, if that is said.

        Raises NotFound for a name that nobody has, UsageError when nothing is left.
        """
        if bool(chosen.devices) == (chosen.filter is not None):
            raise UsageError('name devices: either {"devices": [...]} or {"filter": {...}}')
        if chosen.filter is None:
            units: Iterable[Unit] = (self.one(name) for name in chosen.devices)
        else:
            units = self.fitting(chosen.filter)
        sort = tuple(
            dict.fromkeys(one.index for one in units if wired in (None, one.product.wired))
        )
        if not sort:
            kinds = {None: "device", True: "wired device", False: "camera"}
            raise UsageError(f"there is no {kinds[wired]} among these")
        return sort

    def fitting(self, wanted: Filter) -> Iterator[Unit]:
        """Yield what a filter fits, in order."""
        watch = self._premises.supervisor.watch
        state, text = wanted.state.upper(), wanted.text.lower()
        for one in self._premises.population.units:
            if self.removed(one.index):
                continue
            seen = watch.last[one.index]
            if (
                wanted.product in ("", one.product.name, one.product.product_id)
                and wanted.batch in ("", watch.batches.get(one.index, ""))
                and state in ("", seen.lifecycle)
                and wanted.light in ("", seen.light)
                and (not text or text in one.uuid or text in one.dev_id)
            ):
                yield one

    def removed(self, index: int) -> bool:
        """Say whether a device was taken away for good."""
        return self._premises.supervisor.watch.last[index].cause == REMOVED

    def show(self, one: Unit) -> Device:
        """Return a device as the API shows it."""
        supervisor = self._premises.supervisor
        seen = supervisor.watch.last[one.index]
        hand = supervisor.host(one.index).hand(one.index) if supervisor.shards else None
        return Device(
            index=one.index,
            uuid=one.uuid,
            dev_id=one.dev_id,
            product=one.product.name,
            profile=one.product.profile,
            wired=one.product.wired,
            place=hand.site if hand is not None else HOMES,
            powered=hand is not None and hand.powered,
            linked=hand is None or hand.plugged,
            state=seen.lifecycle.lower(),
            session=seen.session.lower(),
            light=seen.light,
            operator=seen.operator,
            batch=supervisor.watch.batches.get(one.index, ""),
            since_ms=seen.at_ms,
        )

    def _number(self, name: str) -> int:
        if name.isdecimal() and len(name) <= INDEX_DIGITS_MAX:
            return int(name)
        units = self._premises.population.units
        for one in units[len(self._by_uuid) :]:
            self._by_uuid[one.uuid] = one.index
        return self._by_uuid.get(name, -1)
