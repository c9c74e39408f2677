"""What the tests of official clients share: who is who in the demo data, and a camera to look at."""

import time
from collections.abc import Callable
from typing import Any

from firmware_sim.device.device import Device
from firmware_sim.device.states import Lifecycle
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import DeviceSeed
from fleet.run.shelf import Shelf

PATIENCE_S = 20.0
MODEL = "ipc-blue-red"
FLIP, FLIP_DP = "basic_flip", 103
ANNA = "eu1700000000000anna"
FOREIGN = "bfother00plug000000001"  # a competitor's device, bound to its own consumer
DENIED = 1106


class Camera:
    """A real firmware that is online, and what it itself says."""

    def __init__(self, cloud: LocalCloud, shelf: Shelf) -> None:
        self.seed: DeviceSeed = cloud.seed.devices[0]
        self.dev_id = self.seed.dev_id
        self._cloud = cloud
        shelf.switch_on(self.seed, MODEL)
        self._device: Device = shelf._world.device(0)

    def until_flipped(self) -> None:
        """Wait until the firmware itself has the new value."""
        eventually(lambda: self._ask(lambda: (self._device.flash.values or {}).get(FLIP_DP)))

    def until_waiting(self) -> None:
        """Wait until the firmware is ready to be paired by somebody else, its keys forgotten."""
        eventually(lambda: self._ask(lambda: self._device.lifecycle) is Lifecycle.WAITING)
        assert not self._ask(lambda: self._device.flash.local_key)

    def _ask(self, question: Callable[[], Any]) -> Any:
        async def ask() -> Any:
            return question()

        return self._cloud.run(ask())


def eventually(reached: Callable[[], Any]) -> Any:
    """Return the first true answer of `reached`, which is asked again and again."""
    end_s = time.monotonic() + PATIENCE_S
    while not (answer := reached()):
        assert time.monotonic() < end_s, "nothing came of it"
        time.sleep(0.02)
    return answer
