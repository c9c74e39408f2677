"""A desk that is laid: the device, the phones beside it, and the pace at which time passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.pace import FLAT_OUT, Pace
from fleet.run.virtual.desk.goals import PASSING, bring
from fleet.run.virtual.desk.happenings import Tell
from fleet.run.virtual.desk.phones import Phones
from fleet.run.virtual.desk.scene import Desk
from fleet.run.virtual.paced import Make


class Laid(NamedTuple):
    """What there is in one world."""

    desk: Desk
    phones: Phones
    pace: Pace

    async def bring(self, light: str, rate: float) -> None:
        """Bring a new desk to a light, as fast as it goes; from there time passes at `rate`.

        It stands still where the light would soon end by itself. Raises UsageError for a light that
        this device does not come to show; time passes at `rate` then as well.
        """
        pace = self.pace

        def arrive() -> None:
            if light in PASSING:
                pace.pause()
            pace.set_rate(rate)

        pace.set_rate(FLAT_OUT)
        try:
            await bring(self.desk, self.phones, light, arrive)
        finally:
            pace.set_rate(rate)


def lay(profile: str, tell: Tell) -> Make[Laid]:
    """Return what lays a desk with one device of a model, for a `PacedWorld`."""

    @asynccontextmanager
    async def make(pace: Pace) -> AsyncIterator[Laid]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "a desk stands in a virtual loop"
        desk = Desk(profile, loop.agenda, tell)
        desk.start()
        yield Laid(desk, Phones(desk), pace)

    def enter(pace: Pace) -> AbstractAsyncContextManager[Laid]:
        return make(pace)

    return enter
