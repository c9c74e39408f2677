"""The HTTP port with push consumers, a node that does what they say, and clients of all manners."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.counters import Counters
from fleet.cloud.edge import websocket
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http import HttpEdge
from fleet.cloud.edge.http_connection import HttpLimits
from fleet.cloud.edge.websocket import PushEdge
from fleet.cloud.messages import Commit, HttpRequested, SendReply
from fleet.cloud.push_events import (
    AdmitConsumer,
    CloseConsumer,
    ConsumerOpened,
    ConsumerReceived,
    RefuseConsumer,
    SendFrames,
)
from fleet.cloud.store import Put, Store
from fleet.cloud.store.memory import MemoryStore
from tests.live.cloud.edge.stage import LOOPBACK, Row, until

BIG = b"x" * 100_000


class PushNode:
    """Admits who has the password "ok", echoes texts, and does what some texts say.

    `close` closes, `big` sends fifty large messages, `commit` echoes after a commit, `quiet` is not
    echoed.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def handle(self, event: Event, _now_ms: int) -> list[Effect]:
        self.events.append(event)
        if isinstance(event, HttpRequested):
            return [SendReply(event.exchange, 200, b"{}")]
        if isinstance(event, ConsumerOpened):
            if event.password != "ok":
                return [RefuseConsumer(event.conn, 401, "wröng")]
            commit: list[Effect] = [Commit((Put(Row(1)),))] if "commit" in event.target else []
            return [*commit, AdmitConsumer(event.conn)]
        return self._answer(event) if isinstance(event, ConsumerReceived) else []

    def _answer(self, event: ConsumerReceived) -> list[Effect]:
        if b"close" in event.texts:
            return [CloseConsumer(event.conn, 1008, "enough")]
        if b"big" in event.texts:
            return [SendFrames(event.conn, (BIG,) * 50)]
        echo = SendFrames(event.conn, tuple(one for one in event.texts if one != b"quiet"))
        return [Commit((Put(Row(2)),)), echo] if b"commit" in event.texts else [echo]

    def next_deadline_ms(self) -> int | None:
        return None

    def texts(self) -> int:
        """Return how many texts have arrived."""
        return sum(len(event.texts) for event in self.events if isinstance(event, ConsumerReceived))

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


class Port:
    """The HTTP port with consumers, and nothing around it."""

    def __init__(self, push: PushEdge, http: HttpEdge, driver: Driver, number: int) -> None:
        self.push = push
        self.http = http
        self.driver = driver
        self.url = f"ws://{LOOPBACK}:{number}/topic"
        self.number = number

    def connect(self, **changes: Any) -> connect:
        headers = {"username": "me", "password": "ok"}
        options = {"additional_headers": headers, "proxy": None, **changes}
        return connect(self.url, **options)


@asynccontextmanager
async def port(node: PushNode, store: Store | None = None, **options: Any) -> AsyncIterator[Port]:
    driver = Driver(node, store or MemoryStore(), Counters())
    push = PushEdge(driver)
    http = HttpEdge(driver, HttpLimits(connections_max=10), push.protocol)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(http.protocol, LOOPBACK, 0, **options)
    try:
        yield Port(push, http, driver, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        http.close_all()
        http.abort_all()
        await until(lambda: http.idle)
        driver.stop()


class RawClient:
    """A client that decides byte by byte what it says and when it reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def frames(self, *frames: Frame) -> None:
        """Write frames in one piece."""
        self.writer.write(b"".join(frame.serialize(mask=True) for frame in frames))

    async def ended(self) -> bytes:
        """Return what still comes until the server closes or cuts the connection."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def raw(server: Port, *, extra: str = "") -> AsyncIterator[RawClient]:
    """Connect and upgrade by hand; `extra` are further header lines."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.number)
    try:
        protocol = ClientProtocol(parse_uri(server.url))
        request = protocol.connect()
        request.headers["username"] = "me"
        request.headers["password"] = "ok"
        writer.write(request.serialize()[:-2] + extra.encode() + b"\r\n")
        client = RawClient(reader, writer)
        yield client
    finally:
        writer.close()


async def upgraded(client: RawClient) -> None:
    head = await client.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")


def text(data: str, *, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, data.encode(), fin)


async def later(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Let a time limit be over."""
    await asyncio.sleep(0.02)
    monkeypatch.setattr(websocket, limit, 0.01)


async def closed_with(client: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        await client.recv()
    return client.close_code
