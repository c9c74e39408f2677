"""Consumers' connections, good and bad: upgrade, frames, pings, and what ends a connection."""

import asyncio
from collections.abc import Callable

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from fleet.cloud.edge import websocket
from fleet.cloud.push_events import (
    ConsumerClosed,
    ConsumerOpened,
    ConsumerReceived,
    ConsumerResumed,
    ConsumerStalled,
)
from tests.live.cloud.edge.consumers import (
    BIG,
    PushNode,
    RawClient,
    closed_with,
    later,
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


# --- what ends a connection ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        lambda client: client.writer.transport.abort(),
        lambda client: client.writer.write_eof(),
        lambda client: client.frames(Frame(Opcode.CLOSE, b"")),
    ],
    ids=["reset", "eof", "closing"],
)
def test_a_lost_consumer_is_told_at_once_and_once(
    end: Callable[[RawClient], None], run: Run
) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            end(client)
            await until(lambda: node.count(ConsumerClosed) == 1)
            await until(lambda: server.http.idle)
            assert node.count(ConsumerClosed) == 1

    run(story())


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(Opcode.TEXT, b"x" * (websocket.MESSAGE_SIZE_MAX + 1)), 1009),
        (Frame(Opcode.CONT, b"x"), 1002),
    ],
    ids=["too large", "out of place"],
)
def test_who_breaks_the_protocol_is_closed(frame: Frame, code: int, run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("said before"), frame)
            assert code.to_bytes(2, "big") in await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)
            assert node.count(ConsumerReceived) == 1
            assert not server.driver.stopped

    run(story())


def test_who_floods_with_pings_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            for _ in range(2):
                client.frames(*[Frame(Opcode.PING, b"")] * 5)
                assert await client.reader.readexactly(10) == b"\x8a\x00" * 5
                server.push.sweep()
            client.frames(*[Frame(Opcode.PING, b"")] * 6)
            await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)

    monkeypatch.setattr(websocket, "PINGS_PER_S_MAX", 5)
    run(story())


def test_who_says_much_more_than_it_was_sent_is_cut(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            for number in range(1, 4):
                client.frames(*[text("answered")] * 20, *[text("quiet")] * 5)
                await until(lambda number=number: node.texts() == 25 * number)  # type: ignore[misc]
                server.push.sweep()
            assert node.count(ConsumerClosed) == 0
            client.frames(*[text("quiet")] * 6)
            await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)

    monkeypatch.setattr(websocket, "AHEAD_MAX", 5)
    run(story())


def test_the_node_closes_with_a_code(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, server.connect() as client:
            await client.send("close")
            assert await closed_with(client) == 1008
            assert client.close_reason == "enough"
            assert node.count(ConsumerClosed) == 0

    run(story())


def test_the_stop_of_the_server_closes_too(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, server.connect() as client:
            server.http.close_all()
            assert await closed_with(client) == 1001

    run(story())


def test_who_does_not_read_is_reported_and_may_read_later(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(*[text("big")] * 3)
            await until(lambda: node.count(ConsumerStalled) == 1)
            server.push.sweep()
            assert node.count(ConsumerResumed) == 0
            await client.reader.readexactly(50 * len(BIG))
            await until(lambda: node.count(ConsumerResumed) >= 1)

    run(story())


def test_who_neither_reads_nor_speaks_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("big"))
            await until(lambda: node.count(ConsumerStalled) == 1)
            server.push.sweep()
            assert node.count(ConsumerClosed) == 0
            await later(monkeypatch, "UNREAD_S_MAX")
            server.push.sweep()
            await until(lambda: node.count(ConsumerClosed) == 1)

    run(story())


def test_the_node_closes_who_has_not_read_without_waiting(run: Run) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("big"))
            await until(lambda: node.count(ConsumerStalled) == 1)
            client.frames(text("close"))
            await until(lambda: server.http.idle)

    run(story())


def test_who_does_not_take_its_closing_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("big"))
            await until(lambda: node.count(ConsumerStalled) == 1)
            client.frames(Frame(Opcode.CLOSE, b""))
            await until(lambda: node.count(ConsumerClosed) == 1)
            server.push.sweep()
            assert not server.http.idle
            await later(monkeypatch, "CLOSE_S_MAX")
            server.push.sweep()
            await until(lambda: server.http.idle)

    run(story())


def test_who_is_silent_is_asked_once_and_cut_in_the_end(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            await later(monkeypatch, "PING_AFTER_S")
            server.push.sweep()
            server.push.sweep()
            assert await client.reader.readexactly(2) == b"\x89\x00"
            client.frames(Frame(Opcode.PONG, b""), text("still here"))
            assert b"still here" in await client.reader.readexactly(12)
            await later(monkeypatch, "PING_AFTER_S")
            server.push.sweep()
            assert await client.reader.readexactly(2) == b"\x89\x00"
            monkeypatch.setattr(websocket, "PING_CHECKS_MAX", 2)
            for _ in range(3):
                assert node.count(ConsumerClosed) == 0
                server.push.sweep()
            await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)

    run(story())
