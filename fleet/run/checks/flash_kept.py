"""Whatever a device goes by after a power cut, its firmware has saved: nothing else is in its flash."""

import msgspec

from firmware_sim.device.flash import Flash, read_image
from firmware_sim.runtime.virtual.place import Place
from fleet.run.checks.scene import Checker, Scene


class Watcher(Checker):
    """Remembers what each device has saved, and looks at its flash when its power is gone."""

    def __init__(self, scene: Scene) -> None:
        """Know nothing yet: a device starts with what it was made with."""
        super().__init__(scene)
        self._saved: dict[int, bytes] = {}

    def saved(self, place: Place, image: bytes) -> None:
        """Take what is kept across power cuts from now on."""
        self._saved[place.index] = image

    def stepped(self, place: Place) -> None:
        """Hold the flash of a device that is in the dark against what it has saved."""
        if place.powered and place.index in self._saved:
            return
        image = place.device.flash.image()
        saved = self._saved.setdefault(place.index, image)
        if image != saved:
            names = ", ".join(_differing(read_image(saved), read_image(image)))
            self.violated(place.device.identity.uuid, f"has changed {names} without saving it")


def _differing(one: Flash, other: Flash) -> list[str]:
    """Return the names of the fields that are not the same; what is in them may be a secret."""
    names = (field.name for field in msgspec.structs.fields(Flash))
    return [name for name in names if getattr(one, name) != getattr(other, name)]
