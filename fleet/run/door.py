"""The way to the cloud that a device has, for whoever is not what is on its chip.

One call over HTTP, and connections to the broker: the bytes are the caller's business. Live it goes
over sockets (`live_door.py`), in virtual time over the virtual network (`virtual/door.py`).
"""

import asyncio
from collections import deque
from typing import Protocol

from firmware_sim.errors import PeerError
from firmware_sim.events import Event, MqttClosed, MqttOpened, MqttReceived
from firmware_sim.wire import mqtt
from fleet.app.errors import CloudUnreachable

ANSWER_S = 10.0
REPLY_SIZE_MAX = 65_536


class Stream(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes) -> None:
        """Send bytes, if the connection stands."""
        ...

    def leave(self) -> None:
        """Close after what was written."""
        ...


class Line:
    """One connection to the broker. Whoever opens it sets `stream` and tells it what happens."""

    def __init__(self) -> None:
        """Wait for the connection."""
        self.stream: Stream | None = None
        self._decoder = mqtt.Decoder()
        self._packets: deque[mqtt.Packet] = deque()
        self._opened = self._closed = False
        self._changed = asyncio.Event()

    def tell(self, event: Event) -> None:
        """Take what happens to the connection; what is no MQTT ends it."""
        if isinstance(event, MqttOpened):
            self._opened = True
        elif isinstance(event, MqttReceived):
            try:
                self._packets += self._decoder.feed(event.data)
            except PeerError:
                self._closed = True
        elif isinstance(event, MqttClosed):
            self._closed = True
        self._changed.set()

    async def opened(self) -> None:
        """Wait until it stands. Raises CloudUnreachable when it does not come about."""
        while not self._opened:
            if self._closed:
                raise CloudUnreachable("no connection to the broker")
            await self._wait()

    def send(self, packet: mqtt.Packet) -> None:
        """Send a packet."""
        assert self.stream is not None, "it is opened first"
        self.stream.write(mqtt.encode(packet))

    async def packet(self) -> mqtt.Packet | None:
        """Return the next packet of the broker, None when it has closed the connection.

        Raises CloudUnreachable when neither comes.
        """
        while not self._packets:
            if self._closed:
                return None
            await self._wait()
        return self._packets.popleft()

    def close(self) -> None:
        """Hang up."""
        if self.stream is not None:
            self.stream.leave()

    async def _wait(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._changed.wait()
        except TimeoutError:
            raise CloudUnreachable(f"the broker said nothing for {ANSWER_S:g} s") from None


class Door(Protocol):
    """A device's way to its cloud."""

    async def call(self, target: str, body: bytes) -> bytes:
        """Make one call and return the body of the reply. Raises CloudUnreachable."""
        ...

    async def dial(self) -> Line:
        """Return a connection to the broker that stands. Raises CloudUnreachable."""
        ...
