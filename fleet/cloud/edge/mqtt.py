"""The MQTT port: bytes of many connections in, bytes and closings out; packets are the broker's.

No task and no timer per connection. Three bounds keep one bad client from hurting others: too
many connections are dropped at the door, a client that does not read what it is sent is cut off
when its buffer is full, and one that sends faster than the disk can follow is not read for a while.

Where the node asks for `ReportDrain`, it holds back what it has for a client that reads slowly, so
such a client is waited for. It is cut off only when the node's mere answers have become too many.
"""

import asyncio
from typing import cast

from fleet.cloud.edge.driver import Driver
from fleet.cloud.messages import (
    CloseStream,
    ReportDrain,
    SendStream,
    StreamClosed,
    StreamDrained,
    StreamOpened,
    StreamReceived,
)

WRITE_BUFFER_MAX = 65_536
PATIENT_BUFFER_MAX = 1_048_576  # of a client that is waited for
_DRAINED = 16_384  # bytes unsent that count as none
_FLUSH_S_MAX = 5.0  # for a closed client to take what was written before


class MqttEdge:
    """All MQTT connections; create with `MqttEdge(...)`, serve with `protocol` as factory."""

    def __init__(self, driver: Driver, connections_max: int) -> None:
        """Register with `driver` for what the broker wants."""
        self._loop = asyncio.get_running_loop()
        self.driver = driver
        self._connections_max = connections_max
        self._streams: dict[int, _Stream] = {}
        self._closing: dict[_Stream, float] = {}  # and the loop's time when it began
        self._last_conn = 0
        driver.carry_out_with(SendStream, self._send)
        driver.carry_out_with(CloseStream, self._close)
        driver.carry_out_with(ReportDrain, self._watch)

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return _Stream(self)

    def sweep(self) -> None:
        """Cut off closed clients that do not take their last bytes."""
        since_s = self._loop.time() - _FLUSH_S_MAX
        for stream in [s for s, begun_s in self._closing.items() if begun_s < since_s]:
            stream.transport.abort()

    def close_all(self) -> None:
        """Close every connection after what was written; the node is not told."""
        for conn in list(self._streams):
            self._close(CloseStream(conn))

    def abort_all(self) -> None:
        """Cut off whoever is left."""
        for stream in [*self._streams.values(), *self._closing]:
            stream.transport.abort()

    @property
    def connections(self) -> int:
        """Return how many connections there are, closing ones included."""
        return len(self._streams) + len(self._closing)

    @property
    def idle(self) -> bool:
        """Return whether no connection is left, closing ones included."""
        return not self._streams and not self._closing

    def _send(self, effect: SendStream) -> None:
        stream = self._streams.get(effect.conn)
        if stream is not None:  # else: it was lost before the node heard of it
            stream.transport.write(effect.data)
            if stream.paused and stream.transport.get_write_buffer_size() > PATIENT_BUFFER_MAX:
                stream.transport.abort()

    def _close(self, effect: CloseStream) -> None:
        stream = self._streams.pop(effect.conn, None)
        if stream is not None:
            self._closing[stream] = self._loop.time()
            stream.transport.close()

    def _watch(self, effect: ReportDrain) -> None:
        """Wait for a client from now on; what is written next decides whether there is a need."""
        stream = self._streams.get(effect.conn)
        if stream is not None and not stream.patient:
            stream.patient = True
            stream.transport.set_write_buffer_limits(high=_DRAINED)
            self._loop.call_soon(self._look_at, stream)

    def _look_at(self, stream: "_Stream") -> None:
        if not stream.paused:
            self.drained(stream)

    # --- told by the streams ---------------------------------------------------------------------

    def opened(self, stream: "_Stream") -> None:
        """Take a new connection, or drop it when there are too many."""
        if len(self._streams) >= self._connections_max:
            stream.transport.abort()
            return
        self._last_conn += 1
        stream.conn = self._last_conn
        self._streams[stream.conn] = stream
        self.driver.counters.mqtt_accepted += 1
        self.driver.counters.mqtt_connections = len(self._streams)
        self.driver.handle(StreamOpened(stream.conn))

    def received(self, stream: "_Stream", data: bytes) -> None:
        """Tell the node, and stop reading this client while the disk is far behind."""
        self.driver.handle(StreamReceived(stream.conn, data))
        if self.driver.congested and not stream.transport.is_closing():
            stream.transport.pause_reading()
            self.driver.on_relief(stream.resume)

    def drained(self, stream: "_Stream") -> None:
        """Tell the node that a client which was waited for has taken what it was sent."""
        stream.patient = False
        if not stream.transport.is_closing():
            stream.transport.set_write_buffer_limits(high=WRITE_BUFFER_MAX)
            self.driver.handle(StreamDrained(stream.conn))

    def lost(self, stream: "_Stream") -> None:
        """Forget a connection; the node is told unless it closed it itself."""
        self._closing.pop(stream, None)
        if self._streams.pop(stream.conn, None) is not None:
            self.driver.handle(StreamClosed(stream.conn))
        self.driver.counters.mqtt_connections = len(self._streams)


class _Stream(asyncio.Protocol):
    """One connection: a number and a transport."""

    __slots__ = ("_edge", "conn", "patient", "paused", "transport")

    def __init__(self, edge: MqttEdge) -> None:
        self._edge = edge
        self.conn = 0  # no number: dropped at the door
        self.patient = False  # the node waits for `StreamDrained`
        self.paused = False  # and the client reads slowly indeed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_MAX)
        self._edge.opened(self)

    def data_received(self, data: bytes) -> None:
        self._edge.received(self, data)

    def pause_writing(self) -> None:
        if self.patient:
            self.paused = True
        else:
            self.transport.abort()

    def resume_writing(self) -> None:
        if self.paused:
            self.paused = False
            self._edge.drained(self)

    def resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the node has one word
        self._edge.lost(self)
