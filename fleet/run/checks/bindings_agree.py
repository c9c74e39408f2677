"""Bindings agree between cloud, flash and app: who has keys is bound, and its owner's app shows it."""

from collections.abc import Iterator

from firmware_sim.runtime.virtual.place import Place
from fleet.run.checks.evidence import App, Evidence
from fleet.run.checks.keyring import Standing
from fleet.run.checks.scene import Checker, Scene


def at_end(evidence: Evidence) -> Iterator[str]:
    """Hold chips and apps against the registry."""
    yield from _on_chips(evidence)
    for app in evidence.apps:
        yield from _in_app(evidence, app)


def _on_chips(evidence: Evidence) -> Iterator[str]:
    for unit, device in evidence.registered():
        chip = evidence.chips.get(unit.index)
        if chip is None:
            yield f"{unit.uuid}: no shard knows of it"
        elif device.owner and not chip.activated:
            yield f"{unit.uuid}: bound in the cloud, but {chip.lifecycle} without keys on its chip"
        elif chip.activated and not device.owner and not device.pending_reset:
            yield f"{unit.uuid}: keys on its chip ({chip.lifecycle}), but nobody's in the cloud"


def _in_app(evidence: Evidence, app: App) -> Iterator[str]:
    unit = evidence.population.units[app.index]
    owner = next((device.owner for one, device in evidence.registered() if one is unit), "")
    theirs = owner not in ("", unit.owner.uid) if app.new else owner == unit.owner.uid
    due = [device.uuid for device in evidence.audit.devices if theirs and device.owner == owner]
    if sorted(app.uuids) != sorted(due):
        who = "next" if app.new else "first"
        yield f"{unit.uuid}: the app of its {who} owner shows {_named(app.uuids)}, not {_named(due)}"


def _named(uuids: tuple[str, ...] | list[str]) -> str:
    return ", ".join(sorted(uuids)) or "nothing"


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
