"""The way of a virtual device to its cloud, over the virtual network, for whoever is not on its chip."""

import asyncio
from collections.abc import Callable

from firmware_sim.effects import OpenMqtt, SendHttp
from firmware_sim.events import Event, HttpFailed, HttpReplied
from firmware_sim.runtime.virtual.place import Place
from firmware_sim.runtime.virtual.wan import Call, Stream
from firmware_sim.runtime.virtual.world import VirtualWorld
from fleet.app.errors import CloudUnreachable
from fleet.run.door import REPLY_SIZE_MAX, Line
from fleet.run.virtual.cloud import HOST, HTTP_PORT, MQTT_PORT


class _Ear:
    """Hears what happens to one connection, in the place of a device."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell

    def work_off(self, _: Place, event: Event) -> None:
        self._tell(event)


class VirtualDoor:
    """A `Door` beside that of a device of `world`: whatever lies on its link does not lie on ours."""

    def __init__(self, world: VirtualWorld, index: int) -> None:
        """Speak from the address of device `index`."""
        self._world = world
        self._of = world.place(index)

    async def call(self, target: str, body: bytes) -> bytes:
        """Make one call and return the body of the reply. Raises CloudUnreachable."""
        replied: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def tell(event: Event) -> None:
            if isinstance(event, HttpReplied):
                replied.set_result(event.body)
            elif isinstance(event, HttpFailed):
                replied.set_exception(CloudUnreachable(f"a call of a device: {event.reason}"))

        place = self._place(tell)
        wish = SendHttp(0, HOST, HTTP_PORT, target, body, REPLY_SIZE_MAX)
        place.call = Call(self._world.wan, place, wish)
        return await replied

    async def dial(self) -> Line:
        """Return a connection to the broker that stands. Raises CloudUnreachable."""
        line = Line()
        line.stream = Stream(self._world.wan, self._place(line.tell), OpenMqtt(HOST, MQTT_PORT))
        await line.opened()
        return line

    def _place(self, tell: Callable[[Event], None]) -> Place:
        of = self._of
        return Place(_Ear(tell), of.index, of.device, of.ip, of.site)
