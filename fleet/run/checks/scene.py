"""What all watchers of one run share: whom they watch, what is known in common, what they found."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from fleet.run.checks.books import Books
from fleet.run.checks.doors import Doors
from fleet.run.checks.findings import Findings
from fleet.run.checks.keyring import Keyring
from fleet.run.population import Population, Unit

if TYPE_CHECKING:
    from fleet.cloud.settings import Settings
    from fleet.run.virtual.crew import Crew


class Scene:
    """One run in virtual time."""

    def __init__(self, population: Population, crew: "Crew") -> None:
        """Look at a crew that has not started."""
        self.population = population
        self.crew = crew
        self.findings = Findings(lambda: crew.agenda.now_ms)
        self.books = Books()
        self.doors = Doors()

    @property
    def now_ms(self) -> int:
        """Return the time."""
        return self.crew.agenda.now_ms

    @property
    def settings(self) -> "Settings":
        """Return the cloud's settings."""
        return self.crew.cloud.settings

    @cached_property
    def keys(self) -> Keyring:
        """Return the keys of all devices."""
        return Keyring(self.books)

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """Return the units by uuid."""
        return {unit.uuid: unit for unit in self.population.units}


class Checker:
    """Base of what watches a run. A hook is a method that has one of the names in `HOOKS`.

    The invariant is named by the module that its watcher is in.
    """

    def __init__(self, scene: Scene) -> None:
        """Prepare to watch; nothing has happened yet."""
        self.scene = scene
        self._name = type(self).__module__.rpartition(".")[2]

    def violated(self, who: str, what: str) -> None:
        """Note that the invariant does not hold."""
        self.scene.findings.add(self._name, who, what)

    HOOKS: ClassVar[Mapping[str, Callable[[Scene], list[Any]]]] = {
        "stepped": lambda scene: scene.crew.world.stepped,
        "saved": lambda scene: scene.crew.world.saved,
        "arrived": lambda scene: scene.crew.cloud.arrived,
        "decided": lambda scene: scene.crew.cloud.decided,
        "wrote": lambda scene: scene.crew.cloud.disk.written,
        "told": lambda scene: scene.crew.cloud.told,
        "started": lambda scene: scene.crew.cloud.started,
        "crashed": lambda scene: scene.crew.cloud.crashed,
        "written": lambda scene: scene.books.closed,
        "answered": lambda scene: scene.doors.answered,
        "knocked": lambda scene: scene.doors.knocked,
        "admitted": lambda scene: scene.doors.admitted,
        "gone": lambda scene: scene.doors.gone,
    }
    """Where each hook is called, and with what.

    `stepped(place)`: after each step of a device; `saved(place, image)`: when it writes its flash.
    `arrived(event)`, `decided(effects)`,
    `told(effect)`, `started()`, `crashed()`: see `VirtualCloud`. `wrote(changes)`: with each
    transaction that is durable; `written()`: when the books have taken it. `answered`, `knocked`,
    `admitted`, `gone`: see `Doors`. Besides, `settle()` is awaited when the run is over, and then
    `ended()` is called.
    """
