"""What is said at the doors of a virtual cloud, put together: a call with its answer, a CONNECT.

The cloud's events and effects are bytes of one side each. Watchers want to know which call was
answered how, and who was let in with which key; the effects tell, once they are carried out.
"""

from collections.abc import Callable

from firmware_sim.effects import Effect
from firmware_sim.errors import PeerError
from firmware_sim.events import Event
from firmware_sim.wire import mqtt
from fleet.cloud.messages import (
    CloseStream,
    HttpRequested,
    SendReply,
    SendStream,
    StreamClosed,
    StreamOpened,
    StreamReceived,
)

ACCEPTED = 0  # CONNACK return code, OASIS MQTT Version 3.1.1, section 3.2.2.3


class Doors:
    """Everybody who calls or is connected.

    `answered(request, body)` is called with each answer that leaves, `knocked(conn, packet)` with
    each CONNECT that arrives, `admitted(conn, packet)` when its acceptance leaves, `gone(conn)` when
    a connection ends.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self.answered: list[Callable[[HttpRequested, bytes], None]] = []
        self.knocked: list[Callable[[int, mqtt.Connect], None]] = []
        self.admitted: list[Callable[[int, mqtt.Connect], None]] = []
        self.gone: list[Callable[[int], None]] = []
        self._asked: dict[int, HttpRequested] = {}
        self._readers: dict[int, mqtt.Decoder] = {}
        self._waiting: dict[int, mqtt.Connect] = {}

    def arrived(self, event: Event) -> None:
        """Take what reaches the cloud."""
        if isinstance(event, StreamReceived):
            if event.conn in self._readers:
                self._read(event.conn, event.data)
        elif isinstance(event, HttpRequested):
            self._asked[event.exchange] = event
        elif isinstance(event, StreamOpened):
            self._readers[event.conn] = mqtt.Decoder()
        elif isinstance(event, StreamClosed):
            self._leave(event.conn)

    def told(self, effect: Effect) -> None:
        """Take what leaves the cloud."""
        if isinstance(effect, SendStream):
            if effect.conn in self._waiting:
                self._admit(effect)
        elif isinstance(effect, SendReply):
            request = self._asked.pop(effect.exchange, None)
            if request is not None:
                for look in self.answered:
                    look(request, effect.body)
        elif isinstance(effect, CloseStream):
            self._leave(effect.conn)

    def crashed(self) -> None:
        """Forget everybody."""
        self._asked.clear()
        for conn in (*self._readers, *self._waiting):
            self._leave(conn)

    def _read(self, conn: int, data: bytes) -> None:
        try:
            packets = self._readers[conn].feed(data)
        except PeerError:
            packets = [mqtt.Disconnect()]  # no client at all
        if not packets:
            return
        del self._readers[conn]
        first = packets[0]
        if isinstance(first, mqtt.Connect):
            self._waiting[conn] = first
            for look in self.knocked:
                look(conn, first)

    def _admit(self, effect: SendStream) -> None:
        packet = self._waiting.pop(effect.conn)
        answer = mqtt.Decoder().feed(effect.data)[0]
        if isinstance(answer, mqtt.Connack) and answer.return_code == ACCEPTED:
            for look in self.admitted:
                look(effect.conn, packet)

    def _leave(self, conn: int) -> None:
        self._readers.pop(conn, None)
        self._waiting.pop(conn, None)
        for look in self.gone:
            look(conn)
