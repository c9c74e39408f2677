"""The MQTT port against clients that do not read, do not stop, are too many, or just leave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from firmware_sim.wire import mqtt
from fleet.cloud.broker import ClientConnected, ClientGone, Gone, MessageReceived
from fleet.cloud.counters import Counters
from fleet.cloud.edge import driver as driver_module
from fleet.cloud.edge import mqtt as mqtt_module
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.mqtt import PATIENT_BUFFER_MAX, WRITE_BUFFER_MAX, MqttEdge
from fleet.cloud.messages import CloseStream, ReportDrain, SendReply, SendStream
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, HeldStore, Run, until


class Port:
    """An MQTT port with nothing around it."""

    def __init__(self, node: EchoNode, store: HeldStore, driver: Driver, edge: MqttEdge) -> None:
        self.node = node
        self.store = store
        self.driver = driver
        self.edge = edge
        self.number = 0

    async def connect(self, client_id: str = "cam") -> socket.socket:
        """Return a non-blocking client that said CONNECT and SUBSCRIBE and read the answers."""
        loop, client = asyncio.get_running_loop(), socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await loop.sock_connect(client, (LOOPBACK, self.number))
        hello = mqtt.encode(mqtt.Connect(client_id, client_id, "ok"))
        await loop.sock_sendall(
            client, hello + mqtt.encode(mqtt.Subscribe(1, ((f"{client_id}/in", 0),)))
        )
        assert len(await loop.sock_recv(client, 100)) in (4, 9)
        return client


@asynccontextmanager
async def mqtt_port(connections_max: int = 10) -> AsyncIterator[Port]:
    node, store = EchoNode(), HeldStore()
    driver = Driver(node, store, Counters())
    port = Port(node, store, driver, MqttEdge(driver, connections_max))
    driver.carry_out_with(SendReply, lambda _: None)
    server = await asyncio.get_running_loop().create_server(port.edge.protocol, LOOPBACK, 0)
    port.number = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        server.close()
        port.edge.abort_all()
        await until(lambda: port.edge.idle)
        driver.stop()


async def _is_cut(client: socket.socket) -> bool:
    loop = asyncio.get_running_loop()
    try:
        while await loop.sock_recv(client, 65_536):
            pass
    except ConnectionError:
        pass
    client.close()
    return True


def test_a_client_that_leaves_is_told_to_the_node(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client = await port.connect()
            client.close()
            await until(lambda: port.edge.idle)
            assert port.node.happened[-1] == ClientGone("cam", Gone.LOST)
            assert port.driver.counters.mqtt_connections == 0
            assert port.driver.counters.mqtt_accepted == 1

    run(story())


def test_a_client_that_does_not_read_is_cut(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client = await port.connect()
            message = mqtt.encode(mqtt.Publish("cam/in", bytes(60_000)))
            writes = 0
            while not port.edge.idle:
                port.driver._carry_out(SendStream(1, message))
                writes += 1
                await asyncio.sleep(0)
            assert writes < 200  # the kernel's buffers and ours
            assert port.node.happened[-1] == ClientGone("cam", Gone.LOST)
            assert await _is_cut(client)

    run(story())


def test_a_closed_client_that_does_not_take_its_last_bytes_is_cut(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client = await port.connect()
            monkeypatch.setattr(mqtt_module, "WRITE_BUFFER_MAX", 1 << 30)
            stream = port.edge._streams[1]
            stream.transport.set_write_buffer_limits(high=1 << 30)
            while stream.transport.get_write_buffer_size() == 0:
                port.driver._carry_out(SendStream(1, bytes(1_000_000)))
            port.driver._carry_out(CloseStream(1))
            port.edge.sweep()
            await asyncio.sleep(0.02)
            assert not port.edge.idle
            monkeypatch.setattr(mqtt_module, "_FLUSH_S_MAX", 0.0)
            port.edge.sweep()
            await until(lambda: port.edge.idle)
            assert ClientGone("cam", Gone.LOST) not in port.node.happened
            assert await _is_cut(client)

    run(story())


def test_a_client_that_is_waited_for_may_read_slowly(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client, loop = await port.connect(), asyncio.get_running_loop()
            await until(lambda: port.node.subscribed() == 1)
            sent = 0
            port.driver._carry_out(ReportDrain(1))
            while port.edge._streams[1].transport.get_write_buffer_size() < WRITE_BUFFER_MAX:
                port.driver._carry_out(SendStream(1, bytes(10_000)))
                sent += 10_000
            await asyncio.sleep(0.02)
            assert port.node.drained == []
            read = 0
            while read < sent:
                read += len(await loop.sock_recv(client, 1_000_000))
            await until(lambda: port.node.drained == [1])
            # From now on it is a client like any other.
            while 1 in port.edge._streams:
                port.driver._carry_out(SendStream(1, bytes(100_000)))
                await asyncio.sleep(0)
            assert await _is_cut(client)

    run(story())


def test_a_client_that_takes_all_it_is_sent_is_waited_for_no_longer_than_that(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client = await port.connect()
            await until(lambda: port.node.subscribed() == 1)
            for count in range(1, 4):
                port.driver._carry_out(ReportDrain(1))
                port.driver._carry_out(ReportDrain(1))
                port.driver._carry_out(SendStream(1, b"x"))
                await until(lambda count=count: port.node.drained == [1] * count)  # type: ignore[misc]
            port.driver._carry_out(ReportDrain(77))
            port.driver._carry_out(ReportDrain(1))
            client.close()
            await until(lambda: port.edge.idle)

    run(story())


def test_nobody_is_waited_for_whatever_it_is_answered(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port() as port:
            client = await port.connect()
            await until(lambda: port.node.subscribed() == 1)
            port.driver._carry_out(ReportDrain(1))
            transport = port.edge._streams[1].transport
            while transport.get_write_buffer_size() < WRITE_BUFFER_MAX:
                port.driver._carry_out(SendStream(1, bytes(100_000)))
            while 1 in port.edge._streams:
                assert transport.get_write_buffer_size() < PATIENT_BUFFER_MAX + 200_000
                port.driver._carry_out(SendStream(1, bytes(100_000)))
                await asyncio.sleep(0)
            assert port.node.happened[-1] == ClientGone("cam", Gone.LOST)
            assert port.node.drained == []
            assert await _is_cut(client)

    run(story())


def test_connections_beyond_the_limit_are_dropped_at_the_door(run: Run) -> None:
    async def story() -> None:
        async with mqtt_port(connections_max=1) as port:
            inside = await port.connect()
            outside = socket.socket()
            outside.setblocking(False)
            await asyncio.get_running_loop().sock_connect(outside, (LOOPBACK, port.number))
            assert await _is_cut(outside)
            assert port.driver.counters.mqtt_accepted == 1
            assert port.node.happened[0] == ClientConnected("cam")
            inside.close()

    run(story())


def test_while_the_disk_is_far_behind_a_busy_client_is_not_read(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        monkeypatch.setattr(driver_module, "HELD_MAX", 5)
        async with mqtt_port() as port:
            client, loop = await port.connect(), asyncio.get_running_loop()
            await until(lambda: port.node.subscribed() == 1)
            port.driver.handle(port.node.commit_request())
            message = mqtt.encode(mqtt.Publish("cam/out", b"x", qos=1, packet_id=1))
            for sent in range(1, 3):
                await loop.sock_sendall(client, message)
                await until(lambda sent=sent: _messages(port) == sent)  # type: ignore[misc]
            await loop.sock_sendall(client, message)
            await asyncio.sleep(0.05)
            assert _messages(port) == 2
            port.store.settle()
            await until(lambda: _messages(port) == 3)
            client.close()

    run(story())


def test_a_client_that_was_not_read_may_be_gone_when_the_disk_has_caught_up(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        monkeypatch.setattr(driver_module, "HELD_MAX", 1)
        async with mqtt_port() as port:
            client, loop = await port.connect(), asyncio.get_running_loop()
            await until(lambda: port.node.subscribed() == 1)
            port.driver.handle(port.node.commit_request())
            await loop.sock_sendall(client, mqtt.encode(mqtt.Pingreq()))
            await until(lambda: port.driver.congested)
            port.edge.abort_all()
            port.store.settle()
            await until(lambda: port.edge.idle)
            assert await _is_cut(client)

    run(story())


def _messages(port: Port) -> int:
    return sum(isinstance(happening, MessageReceived) for happening in port.node.happened)
