"""What ends a consumer's connection: the client, the protocol, a bound, the node, or the server."""

from collections.abc import Callable

import pytest
from websockets.frames import Frame, Opcode

from fleet.cloud.edge import websocket
from fleet.cloud.push_events import (
    ConsumerClosed,
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
from tests.live.cloud.edge.stage import Run, until


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

    monkeypatch.setattr(websocket, "CONTROLS_PER_S_MAX", 5)
    run(story())


def test_who_floods_with_pongs_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(*[Frame(Opcode.PONG, b"")] * 5, text("still here"))
            assert b"still here" in await client.reader.readexactly(12)
            client.frames(Frame(Opcode.PONG, b""))
            await client.ended()
            await until(lambda: node.count(ConsumerClosed) == 1)

    monkeypatch.setattr(websocket, "CONTROLS_PER_S_MAX", 5)
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


def test_who_speaks_without_reading_is_cut_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = PushNode()
        async with port(node) as server, raw(server) as client:
            await upgraded(client)
            client.frames(text("big"))
            await until(lambda: node.count(ConsumerStalled) == 1)
            await later(monkeypatch, "STALLED_S_MAX")
            client.frames(text("quiet"))
            await until(lambda: node.texts() == 2)
            assert node.count(ConsumerClosed) == 0
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
