"""The whole server in this process, on both event loops: two ports, one node, one store."""

import asyncio
import socket
from typing import Any

import aiomqtt
import httpx
import msgspec
import pytest

from fleet.cloud.broker import ClientGone, Delivered, Gone, MessageReceived
from fleet.cloud.edge.server import Ready
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, HeldStore, Run, Served, served, until


def _client(server: Served, client_id: str, password: str = "ok") -> aiomqtt.Client:
    return aiomqtt.Client(
        LOOPBACK,
        server.ready.mqtt_port,
        identifier=client_id,
        username=client_id,
        password=password,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


def test_a_request_reaches_the_node_and_its_reply_comes_back(run: Run) -> None:
    async def story() -> None:
        async with served() as server, httpx.AsyncClient(base_url=server.url) as http:
            for number in range(3):
                reply = await http.post(
                    f"/d.json?a=x%20y&n={number}",
                    content="héllo",
                    headers={"Authorization": "Bearer abc"},
                )
                assert reply.status_code == 200
                assert reply.headers["content-type"] == "application/json"
                assert reply.headers["date"].endswith("GMT")
                assert reply.json() == {
                    "method": "POST",
                    "target": f"/d.json?a=x%20y&n={number}",
                    "authorization": "Bearer abc",
                    "body": "héllo",
                }
            assert server.counters.requests == 3

    run(story())


def test_a_reply_leaves_only_after_its_commit_and_later_ones_wait_behind_it(run: Run) -> None:
    async def story() -> None:
        store = HeldStore()
        async with served(store) as server, httpx.AsyncClient(base_url=server.url) as http:
            first = asyncio.create_task(http.get("/commit"))
            await until(lambda: len(store.waiting) == 1)
            second = asyncio.create_task(http.get("/other"))
            await until(lambda: server.counters.requests == 2)
            await asyncio.sleep(0.05)
            assert not first.done()
            assert not second.done()
            await asyncio.to_thread(store.settle)
            assert (await first).json()["target"] == "/commit"
            assert (await second).json()["target"] == "/other"
            assert server.counters.commits == server.counters.changes == 1

    run(story())


def test_an_independent_client_plays_a_device(run: Run) -> None:
    async def story() -> None:
        async with served() as server, _client(server, "cam") as client:
            await client.subscribe("cam/in", qos=1)
            for qos in (0, 1, 2):
                await client.publish("cam/out", f"hello {qos}", qos=qos)
            echoes = [message.payload async for message in _take(client, 3)]
            assert echoes == [b"hello 0", b"hello 1", b"hello 2"]
            happened = server.node.happened
            await until(lambda: sum(isinstance(h, Delivered) for h in happened) == 3)
            assert MessageReceived("cam", "cam/out", b"hello 2") in happened
            assert server.counters.mqtt_connections == 1
        assert server.node.happened[-1] == ClientGone("cam", Gone.DISCONNECTED)

    run(story())


async def _take(client: aiomqtt.Client, count: int) -> Any:
    async for message in client.messages:
        yield message
        count -= 1
        if not count:
            return


def test_an_independent_client_is_refused_as_the_directory_says() -> None:
    async def story() -> None:
        async with served() as server:
            with pytest.raises(aiomqtt.MqttCodeError) as refusal:
                async with _client(server, "cam", password="wrong"):
                    pass
            assert "Not authorized" in str(refusal.value)
            async with _client(server, "cam") as client:
                granted = await client.subscribe([("cam/in", 1), ("nvr/in", 1), ("cam/+", 1)])
                codes = [code if isinstance(code, int) else code.value for code in granted]
                assert codes == [1, 128, 1]

    asyncio.run(story())


def test_the_node_is_woken_when_it_asked_to_be(run: Run) -> None:
    async def story() -> None:
        node = EchoNode()
        node.due_ms = 1  # long past
        async with served(node=node):
            await until(lambda: len(node.deadlines) == 3)

    run(story())


def test_a_push_message_is_counted_and_the_server_looks_after_itself() -> None:
    async def story() -> None:
        async with served() as server, httpx.AsyncClient(base_url=server.url) as http:
            await http.get("/push")
            assert server.counters.pushes == 1
            started_ms = server.counters.started_ms
            assert server.counters.now_ms >= started_ms > 0
            await until(lambda: server.counters.now_ms > started_ms)
            assert server.counters.http_connections == 1
            assert server.counters.peak_rss_kib > 1_000
            assert msgspec.json.encode(server.counters)

    asyncio.run(story())


# --- ends -----------------------------------------------------------------------------------------


def test_a_failed_commit_ends_the_server_and_nothing_is_said_any_more(run: Run) -> None:
    async def story() -> None:
        store = HeldStore()
        async with (
            served(store, fault=OSError) as server,
            httpx.AsyncClient(base_url=server.url) as http,
        ):
            waiting = asyncio.create_task(http.get("/commit"))
            await until(lambda: len(store.waiting) == 1)
            store.settle(OSError("disk full"))
            reply = await waiting
            assert reply.status_code == 503
            assert reply.json()["code"] == "stopping"
            await until(server.task.done)
            with pytest.raises(httpx.ConnectError):
                await http.get("/")

    run(story())


def test_a_mistake_of_the_node_ends_the_server(run: Run) -> None:
    async def story() -> None:
        async with (
            served(fault=ZeroDivisionError) as server,
            httpx.AsyncClient(base_url=server.url) as http,
        ):
            reply = await http.get("/break")
            assert reply.status_code == 503
            await until(server.task.done)

    run(story())


def test_a_stop_waits_for_what_is_owed_and_closes_all_connections(run: Run) -> None:
    async def story() -> None:
        store = HeldStore()
        async with served(store) as server:
            reader, writer = await asyncio.open_connection(LOOPBACK, server.ready.mqtt_port)
            client = httpx.AsyncClient(base_url=server.url)
            owed = asyncio.create_task(client.get("/commit"))
            await until(lambda: len(store.waiting) == 1)
            asyncio.get_running_loop().call_later(0.1, store.settle)
        assert (await owed).status_code == 200
        assert await reader.read() == b""
        writer.close()
        await client.aclose()

    run(story())


def test_a_stop_does_not_wait_for_a_disk_that_hangs(run: Run) -> None:
    async def story() -> None:
        store = HeldStore()
        async with served(store) as server:
            client = httpx.AsyncClient(base_url=server.url)
            owed = asyncio.create_task(client.get("/commit"))
            await until(lambda: len(store.waiting) == 1)
        assert (await owed).status_code == 503
        store.settle()  # a late word from the disk finds nobody
        await client.aclose()

    run(story())


def test_a_cancelled_server_closes_its_ports() -> None:
    async def story() -> None:
        async with served(fault=asyncio.CancelledError) as server:
            server.task.cancel()
            await until(server.task.done)
            with socket.socket() as probe:
                assert probe.connect_ex((LOOPBACK, server.ready.http_port)) != 0

    asyncio.run(story())


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_addresses_are_urls(host: str, shown: str) -> None:
    ready = Ready(host, 8080, 1883)
    assert ready.push_url == f"ws://{shown}:8080/"
