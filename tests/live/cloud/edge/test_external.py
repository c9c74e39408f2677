"""The lines to an external broker: opened, talked over, held back, lost, closed, and encrypted."""

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiomqtt
import httpx
import msgspec
import pytest

from firmware_sim.effects import Effect
from firmware_sim.errors import UsageError
from firmware_sim.events import Event
from firmware_sim.wire import iot_dns
from fleet.cloud.counters import Counters
from fleet.cloud.edge import external as module
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.external import ExternalEdge
from fleet.cloud.edge.process import ServerConfig, serve_cloud
from fleet.cloud.edge.server import Ready
from fleet.cloud.external import parse_address
from fleet.cloud.external.lines import (
    AcknowledgeOnLine,
    BrokerPrepared,
    CloseLine,
    Line,
    LineDown,
    LineHeard,
    LinesWanted,
    LineUp,
    OpenLine,
    SayOnLine,
)
from tests.live.cloud.broker.mosquitto import LOOPBACK, running_mosquitto
from tests.live.cloud.external.dynsec_mosquitto import dynsec_mosquitto

PATIENCE_S = 20.0
OPEN = OpenLine(Line.DEVICES, "us", "cloud", "secret", (("t/+", 1),), clean=False)


class Desk:
    """A driver without a node: it notes events, and hands effects to the edge."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.congested = False
        self.events: list[Event] = []
        self.hands: dict[type[Effect], Callable[[Any], None]] = {}
        self.relief: list[Callable[[], None]] = []

    def carry_out_with(self, kind: type[Effect], hand: Callable[[Any], None]) -> None:
        self.hands[kind] = hand

    def on_relief(self, callback: Callable[[], None]) -> None:
        self.relief.append(callback)

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def do(self, effect: Effect) -> None:
        self.hands[type(effect)](effect)

    def relieve(self) -> None:
        self.congested = False
        relief, self.relief = self.relief, []
        for callback in relief:
            callback()

    async def until(self, count: int) -> list[Event]:
        """Return all events once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.events) < count:
                await asyncio.sleep(0.01)
        return self.events

    def heard(self) -> list[bytes]:
        return [event.payload for event in self.events if isinstance(event, LineHeard)]


@asynccontextmanager
async def edge_at(port: int) -> AsyncIterator[tuple[Desk, ExternalEdge]]:
    desk = Desk()
    address = parse_address(f"mqtt://cloud:secret@{LOOPBACK}:{port}")
    edge = ExternalEdge(cast("Driver", desk), address)
    try:
        yield desk, edge
    finally:
        await edge.close()


def over(story: Callable[[Desk, ExternalEdge, aiomqtt.Client], Awaitable[None]]) -> None:
    """Tell a story with a line that is up, and another client of the same broker."""

    async def run(port: int) -> None:
        other = aiomqtt.Client(LOOPBACK, port)
        async with edge_at(port) as (desk, edge), other:
            desk.do(OPEN)
            assert await desk.until(1) == [LineUp(Line.DEVICES, 1)]
            await story(desk, edge, other)

    with running_mosquitto() as port:
        asyncio.run(run(port))


def test_what_is_heard_is_acknowledged_by_the_node_or_comes_again() -> None:
    async def story(desk: Desk, _: ExternalEdge, other: aiomqtt.Client) -> None:
        await other.publish("t/1", b"a", qos=1)
        await other.publish("t/2", b"b", qos=1)
        await other.publish("t/3", b"c")
        a, b, c = (await desk.until(4))[1:]
        assert isinstance(a, LineHeard)
        assert isinstance(b, LineHeard)
        assert (a.topic, a.payload, a.session) == ("t/1", b"a", 1)
        assert c == LineHeard(Line.DEVICES, 1, "t/3", b"c", 0)
        desk.do(AcknowledgeOnLine(1, a.mid))
        desk.do(AcknowledgeOnLine(7, b.mid))  # of another connection
        desk.do(CloseLine(Line.DEVICES, "over"))
        desk.events.clear()
        desk.do(OPEN)
        again = await desk.until(2)
        assert again[0] == LineUp(Line.DEVICES, 2), "first, though the message came before that"
        assert desk.heard() == [b"b"]
        assert desk.counters.broker_heard == 4

    over(story)


def test_what_is_retained_was_heard_before() -> None:
    async def story(desk: Desk, _: ExternalEdge, other: aiomqtt.Client) -> None:
        await other.publish("t/1", b"a", qos=1, retain=True)
        await desk.until(2)
        desk.do(CloseLine(Line.DEVICES, "over"))
        desk.events.clear()
        desk.do(msgspec.structs.replace(OPEN, client_id="another", clean=True))
        await desk.until(1)
        await other.publish("t/1", b"b", qos=1)
        await desk.until(2)
        assert desk.heard() == [b"b"]

    over(story)


def test_what_is_said_reaches_others_or_is_counted() -> None:
    async def story(desk: Desk, _: ExternalEdge, other: aiomqtt.Client) -> None:
        await other.subscribe("x/+", 1)
        desk.do(SayOnLine(Line.CONTROL, "x/0", b"no such line", 1))
        desk.do(SayOnLine(Line.DEVICES, "x/1", b"a", 1))
        desk.do(SayOnLine(Line.DEVICES, "x/2", b"b", 0))
        messages = [await anext(other.messages) for _ in range(2)]
        assert [(str(m.topic), m.payload) for m in messages] == [("x/1", b"a"), ("x/2", b"b")]
        assert desk.counters.broker_dropped == 0

    over(story)


def test_a_broker_that_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNSENT_MAX", 2)
    monkeypatch.setattr(module._Client, "lags", True)

    async def story(desk: Desk, _: ExternalEdge, _other: aiomqtt.Client) -> None:
        for _number in range(5):
            desk.do(SayOnLine(Line.DEVICES, "x", b"a", 0))
        assert desk.counters.broker_dropped == 3

    over(story)


def test_while_the_disk_is_behind_messages_wait_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNHEARD_MAX", {Line.DEVICES: 2})

    async def story(desk: Desk, _: ExternalEdge, other: aiomqtt.Client) -> None:
        desk.congested = True
        for text in (b"a", b"b", b"dropped"):
            await other.publish("t/1", text)
        await other.publish("t/1", b"kept", qos=1)
        async with asyncio.timeout(PATIENCE_S):
            while desk.counters.broker_dropped == 0:
                await asyncio.sleep(0.01)
        assert desk.heard() == []
        desk.relieve()
        await desk.until(4)
        assert desk.heard() == [b"a", b"b", b"kept"]
        await other.publish("t/1", b"c")
        await desk.until(5)

    over(story)


def test_who_is_there_is_found_out_anew_rather_than_half_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNHEARD_MAX", {Line.CONTROL: 2, Line.DEVICES: 9})

    async def story(desk: Desk, edge: ExternalEdge, other: aiomqtt.Client) -> None:
        desk.do(msgspec.structs.replace(OPEN, line=Line.CONTROL, client_id="control"))
        await desk.until(2)
        desk.congested = True
        for text in (b"a", b"b", b"c", b"d"):
            await other.publish("t/1", text)
        down = (await desk.until(3))[2]
        assert isinstance(down, LineDown)
        assert down.line is Line.CONTROL
        assert "disk" in down.why
        desk.do(CloseLine(Line.CONTROL, "over"))
        desk.do(CloseLine(Line.DEVICES, "over"))
        async with asyncio.timeout(PATIENCE_S):
            while edge._closing:
                await asyncio.sleep(0.01)
        desk.relieve()
        assert desk.heard() == []
        assert len(desk.events) == 3, "told once"

    over(story)


def test_relief_may_be_short() -> None:
    async def story(desk: Desk, edge: ExternalEdge, other: aiomqtt.Client) -> None:
        desk.congested = True
        await other.publish("t/1", b"a")
        await other.publish("t/1", b"b")
        line = edge._lines[Line.DEVICES]
        async with asyncio.timeout(PATIENCE_S):
            while len(line._unheard) < 2:
                await asyncio.sleep(0.01)
        relief, desk.relief = desk.relief, []
        relief[0]()
        assert desk.heard() == []
        assert len(desk.relief) == 1, "it asked to be told again"
        desk.relieve()
        assert desk.heard() == [b"a", b"b"]

    over(story)


def test_a_line_is_lost_with_its_broker_and_closed_without_a_word() -> None:
    async def run() -> None:
        with running_mosquitto() as port:
            async with edge_at(port) as (desk, _):
                desk.do(OPEN)
                await desk.until(1)
                desk.do(CloseLine(Line.DEVICES, "over"))
                desk.do(CloseLine(Line.DEVICES, "over"))
                await asyncio.sleep(0.1)
                assert len(desk.events) == 1
        with running_mosquitto() as port:
            edge_of = edge_at(port)
            desk, edge = await edge_of.__aenter__()
            desk.do(OPEN)
            await desk.until(1)
        _, down = await desk.until(2)
        assert isinstance(down, LineDown)
        assert down.line is Line.DEVICES
        with contextlib.suppress(UsageError):
            await edge.close()

    asyncio.run(run())


def test_filters_that_are_refused_are_named() -> None:
    async def run(port: int) -> None:
        async with edge_at(port) as (desk, _):
            desk.do(OpenLine(Line.CONTROL, "us", "u", "p", (("a", 0), ("b", 0)), clean=True))
            assert await desk.until(1) == [LineUp(Line.CONTROL, 1, ("a", "b"))]

    with dynsec_mosquitto() as broker:
        broker.control("createClient", "u", "-p", "p")
        asyncio.run(run(broker.port))


def test_the_start_ends_well_or_says_why() -> None:
    async def run() -> None:
        with socket.socket() as unused:
            unused.bind((LOOPBACK, 0))
            port: int = unused.getsockname()[1]
        async with edge_at(port) as (desk, edge):
            prepared = edge.start()
            assert desk.events == [LinesWanted()]
            desk.do(OPEN)
            with pytest.raises(UsageError, match=f"the broker at {LOOPBACK}:{port}: .*refused"):
                await prepared
        async with edge_at(port) as (desk, edge):
            prepared = edge.start()
            desk.do(BrokerPrepared())
            await prepared
            desk.do(OPEN)
            await desk.until(2)
            desk.do(BrokerPrepared())

    asyncio.run(run())


def test_certificates_that_cannot_be_read() -> None:
    async def run() -> None:
        for url, own in (
            ("mqtts://a:b@h?ca=/no/such/file", ""),
            ("mqtts://a:b@h", "/no/such/file"),
        ):
            with pytest.raises(UsageError, match=r"^/no/such/file: cannot be read as certificates"):
                ExternalEdge(cast("Driver", Desk()), parse_address(url), own)

    asyncio.run(run())


# --- over TLS -----------------------------------------------------------------------------------


async def served(config: ServerConfig, story: Callable[[Ready], Awaitable[None]]) -> None:
    """Serve a cloud for as long as the story takes."""
    stop = asyncio.Event()
    ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_cloud(config, stop, lambda told, _: ready.set_result(told)))
    await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    await story(ready.result())
    stop.set()
    await serving


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_by_the_clouds_own_authority(tmp_path: Path) -> None:
    async def story(ready: Ready) -> None:
        assert ready.mqtt_url == f"mqtts://{LOOPBACK}:{port}"
        body = b'{"config":[{"key":"mqttsSelfUrl","need_ca":true}],"env":"pro"}'
        trusted = ssl.create_default_context(cafile=ready.ca_file)
        async with httpx.AsyncClient(verify=trusted) as web:
            reply = await web.post(ready.url + iot_dns.PATH, content=body)
        told = reply.json()
        assert told["mqttsSelfUrl"]["addr"] == f"{LOOPBACK}:{port}"
        anchor = base64.b64decode(told["caArr"][0])
        context = ssl.create_default_context(cadata=anchor)
        _, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
        writer.close()
        await writer.wait_closed()

    with dynsec_mosquitto() as broker:
        port = broker.port
        broker.stop()
        address = broker.encrypted(tmp_path)
        config = ServerConfig(broker=address, tls=True, tls_folder=str(tmp_path))
        with pytest.raises(UsageError, match="refused"):  # but now it has a certificate
            asyncio.run(served(config, story))
        broker.start()
        asyncio.run(served(config, story))
        with pytest.raises(UsageError, match="add --tls"):
            asyncio.run(served(ServerConfig(broker=address), story))
        elsewhere = msgspec.structs.replace(address, told=f"{LOOPBACK}:1")
        with pytest.raises(UsageError, match="certificate verify failed"):
            asyncio.run(served(ServerConfig(broker=elsewhere), story))
