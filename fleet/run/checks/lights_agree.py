"""The light of a device equals its state at every instant, and is what is seen of it."""

from collections.abc import Iterator

from firmware_sim.device.indicator import shown
from firmware_sim.device.states import Lifecycle, Outcome, Session
from firmware_sim.runtime.virtual.place import Place
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.scene import Checker, Scene


def at_end(evidence: Evidence) -> Iterator[str]:
    """Look at every device once more."""
    for unit in evidence.population.units:
        chip = evidence.chips.get(unit.index)
        if chip is None:
            continue
        due = shown(Lifecycle[chip.lifecycle], Session[chip.session], Outcome[chip.outcome])
        if chip.light != due.light:
            yield f"{unit.uuid}: shows {chip.light!r}, but {chip.lifecycle} is {due.light!r}"
        seen = evidence.lights[unit.index]
        if seen.light != chip.light:
            yield f"{unit.uuid}: was last seen with {seen.light!r} and shows {chip.light!r}"
        if chip.light not in evidence.population.profile(unit).indicator:
            yield f"{unit.uuid}: its model has no light {chip.light!r}"


class Watcher(Checker):
    """Looks at each device after each of its steps."""

    def __init__(self, scene: Scene) -> None:
        """See what people see."""
        super().__init__(scene)
        self._last = scene.crew.watch.last

    def stepped(self, place: Place) -> None:
        """Compare state, light, and what was last told to whoever looks."""
        device = place.device
        light, seen = device.light, self._last[place.index]
        due = shown(device.lifecycle, device.session, device.outcome).light
        if light != due:
            self.violated(
                device.identity.uuid, f"shows {light!r}, but {device.lifecycle.name} is {due!r}"
            )
        state = (device.lifecycle.name, device.session.name, light)
        if (seen.lifecycle, seen.session, seen.light) != state:
            told = f"{seen.lifecycle}/{seen.session} with {seen.light!r}"
            now = f"{state[0]}/{state[1]} with {light!r}"
            self.violated(device.identity.uuid, f"was last seen as {told}, and is {now}")
