"""Consumers' connections, good and bad: upgrade, frames, commits, refusals."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from fleet.cloud.edge.encryption import Encryption
from fleet.cloud.push_events import (
    ConsumerClosed,
    ConsumerOpened,
    ConsumerReceived,
)
from tests.live.cloud.edge.consumers import (
    PushNode,
    port,
    raw,
    text,
    upgraded,
)
from tests.live.cloud.edge.stage import LOOPBACK, HeldStore, Run, until

# --- what goes well -----------------------------------------------------------------------------


def test_a_consumer_is_admitted_and_speaks_both_ways(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            async with server.connect() as client:
                (opened,) = node.events
                assert isinstance(opened, ConsumerOpened)
                assert (opened.target, opened.username) == ("/topic", "me")
                assert opened.host == f"{LOOPBACK}:{server.number}"
                await client.send("grüß")
                assert await client.recv() == "grüß"
                await (await client.ping())
                server.push.sweep()
                assert server.driver.counters.push_consumers == 1
            await until(lambda: node.count(ConsumerClosed) == 1)
            assert server.driver.counters.push_frames == 1
            await until(lambda: server.http.idle)
            server.push.sweep()
            assert server.driver.counters.push_consumers == 0

    run(story())


def test_what_is_said_in_one_piece_is_one_event_and_a_closing_comes_after_it(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(
                text("a"),
                text("b", fin=False),
                Frame(Opcode.CONT, b"", fin=False),
                Frame(Opcode.CONT, b"c"),
                Frame(Opcode.PONG, b""),
                Frame(Opcode.BINARY, b"d"),
                Frame(Opcode.CLOSE, b"\x03\xe8"),
            )
            await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)
            _, received, _ = node.events
            assert isinstance(received, ConsumerReceived)
            assert received.texts == (b"a", b"bc", b"d")

    run(story())


def test_requests_of_other_kinds_go_on_as_before(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            reader, writer = await asyncio.open_connection(LOOPBACK, server.number)
            for _ in range(2):
                writer.write(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    run(story())


def test_what_the_node_says_after_a_commit_waits_for_it(run: Run) -> None:
    async def story() -> None:
        node, store = PushNode(), HeldStore()
        async with port(node, store) as server:
            server.url += "?commit"
            opening = asyncio.ensure_future(server.connect().__aenter__())
            await until(lambda: bool(store.waiting))
            assert not opening.done()
            store.settle()
            client = await opening
            await client.send("commit")
            await until(lambda: bool(store.waiting))
            store.settle()
            assert await client.recv() == "commit"
            await client.close()

    run(story())


def test_who_is_gone_before_the_commit_is_not_sent_anything(run: Run) -> None:
    async def story() -> None:
        node, store = PushNode(), HeldStore()
        async with port(node, store) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("commit"), Frame(Opcode.CLOSE, b"\x03\xe8"))
            await until(lambda: bool(store.waiting))
            store.settle()
            assert b"commit" not in await client.ended()
            assert not server.driver.stopped

    run(story())


def test_who_leaves_while_the_admission_waits_for_the_disk(run: Run) -> None:
    async def story() -> None:
        node, store = PushNode(), HeldStore()
        async with port(node, store) as server:
            server.url += "?commit"
            async with raw(server):
                await until(lambda: bool(store.waiting))
                server.http.close_all()
            store.settle()
            await until(lambda: server.http.idle)
            assert not server.driver.stopped

    run(story())


# --- refusals -----------------------------------------------------------------------------------


def test_who_is_refused_is_told_the_status(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            with pytest.raises(InvalidStatus) as caught:
                await server.connect(additional_headers={"password": "no"})
            response = caught.value.response
            assert (response.status_code, response.body) == (401, b"wr\\xf6ng\n")
            await until(lambda: server.http.idle)
            assert node.count(ConsumerClosed) == 0

    run(story())


def test_who_is_refused_over_tls_is_told_too(run: Run, tmp_path: Path) -> None:
    encryption = Encryption.of(str(tmp_path), ())
    faults: list[dict[str, Any]] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        async with port(PushNode(), **encryption.options) as server:
            trust = ssl.create_default_context(cafile=encryption.ca_file)
            url, headers = server.url.replace("ws:", "wss:"), {"password": "no"}
            with pytest.raises(InvalidStatus):
                await connect(url, ssl=trust, additional_headers=headers, proxy=None)
            await until(lambda: server.http.idle)

    run(story())
    assert faults == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /t HTTP/1.1\r\nSec-WebSocket-Version: 13", b"400"),
        ("GET /t HTTP/1.1\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13", b"400"),
        ("POST /t HTTP/1.1", b"405"),
    ],
)
def test_what_is_no_proper_upgrade(head: str, status: bytes, run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            reader, writer = await asyncio.open_connection(LOOPBACK, server.number)
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket"
            writer.write(f"{head}\r\nHost: h\r\n{upgrade}\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 " + status)
            assert node.events == []
            writer.close()

    run(story())


def test_a_request_beyond_the_limit_is_431(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            lines = "".join(f"x-{n}: {'y' * 1000}\r\n" for n in range(20))
            async with raw(server, extra=lines) as client:
                assert (await client.ended()).startswith(b"HTTP/1.1 431 ")
            assert node.events == []

    run(story())


def test_a_request_of_too_many_lines_is_431(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server:
            lines = "".join(f"x-{n}: y\r\n" for n in range(200))
            async with raw(server, extra=lines) as client:
                assert (await client.ended()).startswith(b"HTTP/1.1 431 ")
            assert node.events == []

    run(story())
