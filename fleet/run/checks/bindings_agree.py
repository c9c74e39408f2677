"""Bindings agree between cloud, flash and app: who has keys is bound, and its owner's app shows it."""

from collections.abc import Iterator

from firmware_sim.runtime.virtual.place import Place
from fleet.cloud.api.admin_api import AuditedDevice
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.keyring import Standing
from fleet.run.checks.scene import Checker, Scene
from fleet.run.population import Unit


def at_end(evidence: Evidence) -> Iterator[str]:
    """Hold chips and apps against the registry."""
    yield from _on_chips(evidence)
    owners = {unit.index: device.owner for unit, device in evidence.registered()}
    uuids = {unit.uuid for unit in evidence.population.units}
    for app in evidence.apps:
        unit = evidence.population.units[app.index]
        owner = owners.get(app.index, "")
        theirs = owner not in ("", unit.owner.uid) if app.new else owner == unit.owner.uid
        # Whatever is behind a gateway comes and goes meanwhile.
        shown = [uuid for uuid in app.uuids if uuid in uuids]
        if shown != ([unit.uuid] if theirs else []):
            who = "next" if app.new else "first"
            it = f"belongs to {owner or 'nobody'}"
            yield f"{unit.uuid}: {it}; its {who} owner's app shows {', '.join(shown) or 'nothing'}"


def _on_chips(evidence: Evidence) -> Iterator[str]:
    for unit, device in evidence.registered():
        chip = evidence.chips.get(unit.index)
        if chip is None:
            yield f"{unit.uuid}: no shard knows of it"
        elif device.owner and not chip.activated and not _left_reset(evidence, unit, device):
            yield f"{unit.uuid}: bound in the cloud, but {chip.lifecycle} without keys on its chip"
        elif chip.activated and not (device.owner or device.pending_reset or chip.erasing):
            yield f"{unit.uuid}: keys on its chip ({chip.lifecycle}), but nobody's in the cloud"


def _left_reset(evidence: Evidence, unit: Unit, device: AuditedDevice) -> bool:
    """Say whether its button was held and nobody has unbound it since, for which it waits."""
    still = unit.index not in evidence.tally.unbound and device.owner == unit.owner.uid
    chip = evidence.chips[unit.index]
    return still and evidence.population.scenario.unbind and chip.lifecycle in ("WAITING", "OFF")


class Watcher(Checker):
    """Looks at the keys of each device whenever they change."""

    def __init__(self, scene: Scene) -> None:
        """Know the keys that were given."""
        super().__init__(scene)
        self._keys = scene.keys
        self._held: dict[int, str] = {}

    def stepped(self, place: Place) -> None:
        """Look for keys that the cloud could not have given, or has not kept."""
        flash = place.device.flash
        if self._held.get(place.index, "") == flash.sec_key:
            return
        self._held[place.index] = flash.sec_key
        if not flash.sec_key:
            return
        uuid = place.device.identity.uuid
        device = self._keys.devices.get(uuid)
        if device is None or self._keys.standing(device, flash.sec_key) is Standing.UNKNOWN:
            self.violated(uuid, "holds a key that the cloud has not written")

    def ended(self) -> None:
        """Hold the keys of every chip against the cloud's."""
        for unit in self.scene.population.units:
            flash = self.scene.crew.world.device(unit.index).flash
            device = self._keys.devices.get(unit.uuid)
            if device is None or not device.owner or not flash.activated:
                continue  # which is looked at in the evidence
            if flash.sec_key != device.sec_key or flash.local_key != device.local_key:
                self.violated(unit.uuid, "is bound, but its keys are not those in the cloud")
