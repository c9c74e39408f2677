"""A small cloud of its own kind behind the real edges: it echoes, commits when asked, can break."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import msgspec
import pytest

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.wire import mqtt
from fleet.cloud.broker import (
    Broker,
    BrokerEvent,
    BrokerSettings,
    ClientSubscribed,
    Directories,
    GuestLimits,
    Happening,
    MessageReceived,
)
from fleet.cloud.counters import Counters
from fleet.cloud.edge.listen import Listeners
from fleet.cloud.edge.server import Ready, serve
from fleet.cloud.messages import (
    Commit,
    HttpRequested,
    PushRaised,
    SendReply,
    StreamDrained,
)
from fleet.cloud.store import Put, Record, Store
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Change, R

LOOPBACK = "127.0.0.1"

Run = Callable[[Coroutine[Any, Any, None]], None]


class Row(Record):
    """Something to commit."""

    TABLE: ClassVar[str] = "rows"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int


class Echo(msgspec.Struct):
    """What the node saw of a request."""

    method: str
    target: str
    authorization: str
    body: str


class EchoNode:
    """Everybody with password "ok" may use the topics that begin with the own client id.

    HTTP paths: `/commit` replies after a commit, `/push` raises a push message, `/break` is a
    mistake of the node's own, all others echo the request. A message to `<id>/out` comes back on
    `<id>/in` at QoS 1.
    """

    guests: GuestLimits | None = None

    def __init__(self) -> None:
        self.broker = Broker(Directories(self), BrokerSettings(connect_timeout_ms=60_000))
        self.happened: list[Happening] = []
        self.deadlines: list[int] = []
        self.drained: list[int] = []
        self.due_ms: int | None = None
        self.rows = 0

    def admit(self, _client_id: str, _username: str, password: bytes, _now_ms: int) -> int:
        return mqtt.ACCEPTED if password == b"ok" else mqtt.NOT_AUTHORIZED

    def claims(self, _client_id: str, _username: str) -> bool:
        return True

    def may_subscribe(self, client_id: str, _username: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")

    def may_publish(self, client_id: str, _username: str, topic: str) -> bool:
        return topic.startswith(f"{client_id}/")

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        out: list[Effect] = []
        if isinstance(event, HttpRequested):
            return self._answer(event)
        assert isinstance(event, BrokerEvent)
        if isinstance(event, StreamDrained):
            self.drained.append(event.conn)
        if isinstance(event, DeadlineReached) and self.due_ms is not None:
            assert now_ms >= self.due_ms
            self.deadlines.append(self.due_ms)
            self.due_ms = None if len(self.deadlines) == 3 else now_ms + 20
        for happening in self.broker.handle(event, now_ms, out):
            self.happened.append(happening)
            if isinstance(happening, MessageReceived):
                topic = f"{happening.client_id}/in"
                self.broker.publish(topic, happening.payload, 1, "echo", now_ms, out)
        return out

    def next_deadline_ms(self) -> int | None:
        dues = [self.due_ms, self.broker.next_deadline_ms()]
        return min((due for due in dues if due is not None), default=None)

    def _answer(self, request: HttpRequested) -> list[Effect]:
        path = request.target.partition("?")[0]
        if path == "/break":
            raise ZeroDivisionError("a mistake of the node")
        shown = Echo(request.method, request.target, request.authorization, request.body.decode())
        reply = SendReply(request.exchange, 200, msgspec.json.encode(shown))
        if path == "/commit":
            self.rows += 1
            return [Commit((Put(Row(self.rows)),)), reply]
        if path == "/push":
            return [PushRaised("delete", "dev", "pid", b"{}"), reply]
        return [reply]

    def commit_request(self) -> HttpRequested:
        """Return a request that commits and has no client."""
        return HttpRequested(0, "GET", "/commit", {}, b"")

    def subscribed(self) -> int:
        """Return how many subscriptions there have been."""
        return sum(isinstance(h, ClientSubscribed) for h in self.happened)


class HeldStore:
    """A store whose disk settles when the test says so, with the outcome that it says."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[BaseException | None], None]] = []

    def load(self, _kind: type[R]) -> list[R]:
        return []

    def submit(
        self, _changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
    ) -> None:
        self.waiting.append(done)

    def settle(self, error: BaseException | None = None) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done(error)

    def close(self) -> None:
        assert not self.waiting


class Served:
    """A running server: its node, where it is, and the task that serves it."""

    def __init__(
        self, node: EchoNode, counters: Counters, ready: Ready, task: asyncio.Task[None]
    ) -> None:
        self.node = node
        self.counters = counters
        self.ready = ready
        self.task = task
        self.url = f"http://{ready.host}:{ready.http_port}"


@asynccontextmanager
async def served(
    store: Store | None = None,
    node: EchoNode | None = None,
    *,
    body_size_max: int = 1_000,
    fault: type[BaseException] | None = None,
) -> AsyncIterator[Served]:
    """Serve a node on free ports until the end of the block, where the server's `fault` is due."""
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    node, counters = node or EchoNode(), Counters()
    task = asyncio.create_task(
        serve(
            node,
            store or MemoryStore(),
            Listeners(LOOPBACK, 0, 0),
            ready.set_result,
            stop,
            counters=counters,
            body_size_max=body_size_max,
        )
    )
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Served(node, counters, ready.result(), task)
    finally:
        stop.set()
        if fault is None:
            await task
        else:
            with pytest.raises(fault):
                await task


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that the server does by itself; the test's own timeout bounds it."""
    while not reached():
        await asyncio.sleep(0.005)
