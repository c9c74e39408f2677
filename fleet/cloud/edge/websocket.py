"""Push consumers' connections: WebSocket on the HTTP port, by the sans-IO core of `websockets`.

`HttpConnection` finds the upgrade and hands the connection over with its request, so its bounds hold
until then. From there on this module holds them: size of a message, messages that answer nothing and
control frames in a second, how long a client may not read or not be heard. As there, no task, queue
or `await` is between socket and node: a step of the node is one write.

A client that reads slowly is reported as stalled, so that nothing piles up here but what is on its
way. One that is silent is asked by a ping whether it is still there.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from firmware_sim.events import Event
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http_connection import Connection
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerClosed,
    ConsumerOpened,
    ConsumerReceived,
    ConsumerResumed,
    ConsumerStalled,
    RefuseConsumer,
    SendFrames,
)

HEAD_SIZE_MAX = 16_384
MESSAGE_SIZE_MAX = 4_096  # an acknowledgement takes 60
AHEAD_MAX = 1_000  # messages in a second beyond one for each that the client was sent
CONTROLS_PER_S_MAX = 100  # pings, each of which is answered, and pongs
WRITE_BUFFER_MAX = 262_144  # bytes; beyond it the client counts as stalled
UNREAD_S_MAX = 10.0  # for a stalled client that says nothing either
STALLED_S_MAX = 120.0  # for one that does: pongs pile up meanwhile, and others wait for its place
CLOSE_S_MAX = 5.0
PING_AFTER_S = 30.0  # of silence
PING_CHECKS_MAX = 15  # that find no answer, a second apart: time in which we slept does not count

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_GOING_AWAY = 1001  # RFC 6455, section 7.4.1
_HEAD_TOO_LARGE = 431
_SWITCHING = 101

# The library's own logger would write headers, hence passwords, if somebody asked it for details.
_SILENT = logging.Logger("websockets", logging.CRITICAL + 1)


class PushEdge:
    """All consumers' connections; the HTTP port makes them with `protocol`."""

    def __init__(self, driver: Driver) -> None:
        """Register with `driver` for what the node wants of its consumers."""
        self._loop = asyncio.get_running_loop()
        self._driver = driver
        self._connections: dict[int, PushConnection] = {}
        self._last_conn = 0
        driver.carry_out_with(AdmitConsumer, lambda e: self._with(e.conn, PushConnection.admit))
        driver.carry_out_with(
            RefuseConsumer,
            lambda e: self._with(e.conn, lambda consumer: consumer.refuse(e.status, e.text)),
        )
        driver.carry_out_with(
            SendFrames, lambda e: self._with(e.conn, lambda consumer: consumer.send(e.texts))
        )
        driver.carry_out_with(
            CloseConsumer,
            lambda e: self._with(e.conn, lambda consumer: consumer.end(e.code, e.text)),
        )

    def protocol(self, connections: set[Connection]) -> "PushConnection":
        """Return the protocol of one new connection of a port, which has `connections`."""
        self._last_conn += 1
        consumer = PushConnection(self, self._driver, self._last_conn, connections)
        self._connections[self._last_conn] = consumer
        return consumer

    def sweep(self) -> None:
        """Look after every connection; to be called once a second."""
        now_s = self._loop.time()
        for consumer in list(self._connections.values()):
            consumer.check(now_s)
        self._driver.counters.push_consumers = len(self._connections)

    def forget(self, conn: int) -> None:
        """Drop a connection that is no more."""
        self._connections.pop(conn, None)

    def _with(self, conn: int, carry_out: Callable[["PushConnection"], None]) -> None:
        consumer = self._connections.get(conn)
        if consumer is not None and consumer.told:  # else: it is gone, and the node will hear so
            carry_out(consumer)


class PushConnection(asyncio.Protocol):
    """One connection, from its request to upgrade on."""

    transport: asyncio.Transport

    def __init__(
        self, edge: PushEdge, driver: Driver, conn: int, connections: set[Connection]
    ) -> None:
        """Wait for the request."""
        self._loop = asyncio.get_running_loop()
        self._edge = edge
        self._driver = driver
        self._conn = conn
        # Of the HTTP port, of any protocol: counted, and closed at the end, together.
        self._all = connections
        self._ws = ServerProtocol(max_size=MESSAGE_SIZE_MAX, logger=_SILENT)
        self._response: Response | None = None  # to be sent once the node admits the client
        self.told = False  # whether the node takes this for a consumer, or one to be
        self._parts: list[bytes] = []
        # Since the last check: messages that answer nothing, control frames.
        self._ahead = self._controls = 0
        self._heard_s = self._loop.time()
        self._pinged = 0  # checks since we asked whether the client is there
        self._stalled_since_s: float | None = None
        self._closing_since_s: float | None = None

    # --- called by the transport ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from HTTP."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_protocol(self)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_MAX)
        self._all.add(self)

    def data_received(self, data: bytes) -> None:
        """Read frames; the first piece is the request."""
        self._heard_s = self._loop.time()
        self._pinged = 0
        if self._response is None and len(data) > HEAD_SIZE_MAX:
            self.refuse(_HEAD_TOO_LARGE, "the request is too large")
            return
        self._ws.receive_data(data)
        texts: list[bytes] = []
        for event in self._ws.events_received():
            if isinstance(event, Request):
                self._ask(event)
            else:
                self._read(cast("Frame", event), texts)
        if texts:
            self._tell(ConsumerReceived(self._conn, tuple(texts)))
        if self._ahead > AHEAD_MAX or self._controls > CONTROLS_PER_S_MAX:
            self._cut()
        elif self._ws.close_expected() or self._ws.handshake_exc is not None:
            self._flush()
            self._finish()
        else:
            self._flush()

    def eof_received(self) -> None:
        """Tell the node at once; the transport closes itself."""
        self._gone()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        """Forget the connection."""
        self._gone()
        self._all.discard(self)
        self._edge.forget(self._conn)

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        self._stalled_since_s = self._loop.time()
        self._tell(ConsumerStalled(self._conn))

    def resume_writing(self) -> None:
        """It has read."""
        self._stalled_since_s = None
        self._tell(ConsumerResumed(self._conn))

    def shutdown(self) -> None:
        """Close politely, because the server stops."""
        self.end(_GOING_AWAY, "the cloud is stopping")

    # --- wanted by the node ---------------------------------------------------------------------

    def admit(self) -> None:
        """Accept the upgrade."""
        assert self._response is not None, "who is admitted has asked"
        self._ws.send_response(self._response)
        self._flush()
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def refuse(self, status: int, text: str) -> None:
        """Answer the request with a status and a line of text, and close."""
        self.told = False
        self._ws.send_response(self._ws.reject(status, f"{ascii(text)[1:-1]}\n"))
        self._flush()
        self._finish()

    def send(self, texts: tuple[bytes, ...]) -> None:
        """Send text messages in one write."""
        if self._ws.state is not State.OPEN:
            return  # it has broken the protocol in the piece that is being read
        for text in texts:
            self._ws.send_text(text)
        self._ahead -= len(texts)
        self._driver.counters.push_frames += len(texts)
        self._flush()

    def end(self, code: int, text: str) -> None:
        """Close, dropping what the client has not taken yet."""
        self.told = False
        if self.transport.get_write_buffer_size() or self._closing_since_s is not None:
            self.transport.abort()
            return
        self._ws.fail(code, text)
        self._flush()
        self._finish()

    def check(self, now_s: float) -> None:
        """Cut a client that is too slow, ask one that is silent, and begin a new second."""
        self._ahead, self._controls = min(self._ahead, 0), 0
        silence_s = now_s - self._heard_s
        stalled_s = now_s - (self._stalled_since_s or now_s)
        closing_s = now_s - (self._closing_since_s or now_s)
        unread = stalled_s > STALLED_S_MAX or min(silence_s, stalled_s) > UNREAD_S_MAX
        if unread or closing_s > CLOSE_S_MAX or self._pinged > PING_CHECKS_MAX:
            self._cut()
        elif silence_s > PING_AFTER_S and self._ws.state is State.OPEN:
            if not self._pinged:
                self._ws.send_ping(b"")
                self._flush()
            self._pinged += 1

    # --- details --------------------------------------------------------------------------------

    def _ask(self, request: Request) -> None:
        """Let the node decide, unless the request is no proper one."""
        self._response = self._ws.accept(request)
        if self._response.status_code != _SWITCHING:
            self._ws.send_response(self._response)
            return
        self.transport.pause_reading()  # until it is decided: the node may have to wait for the disk
        host, username, password = (
            "".join(request.headers.get_all(name)[-1:]) for name in ("host", "username", "password")
        )
        self.told = True
        self._driver.handle(ConsumerOpened(self._conn, request.path, host, username, password))

    def _read(self, frame: Frame, texts: list[bytes]) -> None:
        if frame.opcode not in _DATA:
            self._controls += 1  # the library has answered what is to be answered
            return
        self._ahead += 1
        if frame.data:
            self._parts.append(bytes(frame.data))
        if frame.fin:
            texts.append(b"".join(self._parts))
            self._parts.clear()

    def _flush(self) -> None:
        data = b"".join(self._ws.data_to_send())
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def _finish(self) -> None:
        """Close after what was written."""
        self._gone()
        if self._closing_since_s is None:  # asyncio's TLS drops everything when closed twice
            self._closing_since_s = self._loop.time()
            self.transport.close()

    def _cut(self) -> None:
        self._gone()
        self.transport.abort()

    def _gone(self) -> None:
        """Tell the node that the consumer is gone, if it does not know."""
        told, self.told = self.told, False
        if told:
            self._driver.handle(ConsumerClosed(self._conn))

    def _tell(self, event: Event) -> None:
        if self.told:
            self._driver.handle(event)
