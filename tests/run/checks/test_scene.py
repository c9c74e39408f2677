"""What watchers share, and how one names its invariant."""

from fleet.run.checks.scene import Checker, Scene
from tests.run.checks.support import a_scene


class Watcher(Checker):
    """Finds everything wrong."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.violated("sim1", "is wrong")


def test_a_violation_is_named_by_the_module_of_its_watcher() -> None:
    scene = a_scene()
    Watcher(scene)
    assert scene.findings.lines() == ["test_scene: sim1: is wrong, at 0.000 s"]


def test_units_are_known_by_uuid_and_keys_are_shared() -> None:
    scene = a_scene(region="EU")
    assert [scene.units[unit.uuid] for unit in scene.population.units] == list(
        scene.population.units
    )
    assert scene.keys is scene.keys
    assert scene.settings.region == "EU"
    assert scene.now_ms == 0


def test_every_hook_has_its_place() -> None:
    assert {"stepped", "arrived", "decided", "wrote", "told", "started", "crashed"} < set(
        Checker.HOOKS
    )
