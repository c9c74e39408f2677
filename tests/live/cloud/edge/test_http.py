"""The HTTP port against clients that are too big, too slow, too many or not speaking HTTP at all."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fleet.cloud.counters import Counters
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http import HEAD_SIZE_MAX, SENT_AHEAD_MAX, HttpEdge, HttpLimits
from fleet.cloud.store.memory import MemoryStore
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, until

LIMITS = HttpLimits(connections_max=10, body_size_max=100, request_s_max=0.05)
CHUNKED = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


class Port:
    """An HTTP port with nothing around it."""

    def __init__(self, edge: HttpEdge, driver: Driver, number: int) -> None:
        self.edge = edge
        self.driver = driver
        self.number = number
        self.clients: list[Client] = []

    async def open(self) -> "Client":
        self.clients.append(Client(*await asyncio.open_connection(LOOPBACK, self.number)))
        return self.clients[-1]

    def is_stuck(self) -> bool:
        """Return whether the only client has not read all that the server has to say."""
        (connection,) = self.edge._state.connections
        return bool(connection.transport.get_write_buffer_size())


class Client:
    """A client that writes bytes by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, text: str) -> None:
        self.writer.write(text.encode())

    async def reply(self) -> tuple[int, str]:
        """Return status and body of the next response."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        size = next(line for line in head.lower().splitlines() if "content-length" in line)
        body = await self.reader.readexactly(int(size.split(":")[1]))
        return int(head.split()[1]), body.decode()

    async def cut(self) -> bool:
        """Return whether the server has closed or cut this connection without a word."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def http_port(limits: HttpLimits = LIMITS) -> AsyncIterator[Port]:
    driver = Driver(EchoNode(), MemoryStore(), Counters())
    edge = HttpEdge(driver, limits)
    server = await asyncio.get_running_loop().create_server(edge.protocol, LOOPBACK, 0)
    port = Port(edge, driver, server.sockets[0].getsockname()[1])
    try:
        yield port
    finally:
        server.close()
        for client in port.clients:
            client.writer.close()
        edge.close_all()
        edge.abort_all()
        await until(lambda: edge.idle)
        driver.stop()


def _post(body: str, *headers: str) -> str:
    lines = ["POST /x HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_413_and_the_next_request_is_served(*, chunked: bool) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            if chunked:
                client.say(
                    CHUNKED + "60\r\n" + "x" * 96 + "\r\n60\r\n" + "x" * 96 + "\r\n0\r\n\r\n"
                )
            else:
                client.say(_post("x" * 101))
            status, body = await client.reply()
            assert status == 413
            assert json.loads(body)["code"] == "body_too_large"
            client.say(_post("x" * 100))
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_a_head_beyond_the_limit_is_431() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(_post("", *(f"X-{n}: {'y' * 1000}" for n in range(20))))
            status, body = await client.reply()
            assert status == 431
            assert json.loads(body)["code"] == "head_too_large"

    asyncio.run(story())


def test_a_head_that_does_not_end_is_cut() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say("GET /x HTTP/1.1\r\nX-Long: ")
            for _ in range(3):
                client.say("y" * (HEAD_SIZE_MAX // 2))
                await client.writer.drain()
                await asyncio.sleep(0.02)
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize("line", ["a: b\r\n", "b"], ids=["many", "one"])
def test_what_follows_a_body_is_bounded_too(line: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(CHUNKED + "1\r\nx\r\n0\r\na: ")
            client.say(line * 2 * HEAD_SIZE_MAX)
            assert await client.cut()

    asyncio.run(story())


def test_a_request_behind_a_long_one_may_begin_in_the_same_piece() -> None:
    async def story() -> None:
        async with http_port(HttpLimits(10, HEAD_SIZE_MAX)) as port:
            client = await port.open()
            client.say(_post("1" * HEAD_SIZE_MAX) + _post("2")[:20])
            assert (await client.reply())[0] == 200
            client.say(_post("2")[20:])
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_who_sends_far_ahead_is_cut() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(_post("1") * (SENT_AHEAD_MAX + 2))
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize(
    "request_text",
    [
        "no http at all\r\n\r\n",
        "GET /caf\xe9 HTTP/1.1\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_400_and_closed(request_text: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.writer.write(request_text.encode("latin-1"))
            assert (await client.reply())[0] == 400
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize(
    "begun", ["", "GET /x HT", "POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_who_does_not_finish_a_request_is_cut(begun: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(begun)
            await asyncio.sleep(2 * LIMITS.request_s_max)
            port.edge.sweep()
            assert await client.cut()

    asyncio.run(story())


def test_an_idle_connection_is_kept_but_empty_lines_are_no_request() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(_post("1"))
            await client.reply()
            await asyncio.sleep(2 * LIMITS.request_s_max)
            port.edge.sweep()
            client.say(_post("2"))
            assert (await client.reply())[0] == 200
            client.say("\r\n")
            await asyncio.sleep(2 * LIMITS.request_s_max)
            port.edge.sweep()
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize("headers", [(), ("Connection: close",)], ids=["keeps", "closes"])
def test_who_does_not_take_the_response_is_cut(headers: tuple[str, ...]) -> None:
    async def story() -> None:
        size = 8_000_000
        async with http_port(HttpLimits(10, size, request_s_max=0.05)) as port:
            with socket.socket() as stuck:
                stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await asyncio.to_thread(stuck.connect, (LOOPBACK, port.number))
                await asyncio.to_thread(stuck.sendall, _post("x" * size, *headers).encode())
                await until(port.is_stuck)
                port.edge.sweep()
                await asyncio.sleep(0.1)
                port.edge.sweep()
                await until(lambda: port.edge.idle)

    asyncio.run(story())


def test_who_leaves_before_the_end_of_the_request_is_not_served() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say("POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
            await until(lambda: port.driver.counters.requests == 1)
            client.writer.close()
            await until(lambda: port.edge.idle)
            assert port.edge.answered

    asyncio.run(story())


def test_too_many_connections_are_told_503() -> None:
    async def story() -> None:
        async with http_port(HttpLimits(connections_max=2)) as port:
            first, second = await port.open(), await port.open()
            await asyncio.sleep(0.02)
            second.say(_post(""))
            assert (await second.reply())[0] == 503
            first.writer.close()
            await until(lambda: not port.edge.idle)

    asyncio.run(story())


def test_who_reads_late_but_reads_is_kept() -> None:
    async def story() -> None:
        size = 8_000_000
        async with http_port(HttpLimits(10, size, request_s_max=5)) as port:
            client = await port.open()
            client.say(_post("x" * size))
            await until(port.is_stuck)
            assert (await client.reply())[0] == 200
            port.edge.sweep()
            client.say(_post("2"))
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_who_comes_when_there_are_too_many_connections_is_dropped() -> None:
    async def story() -> None:
        async with http_port(HttpLimits(connections_max=2)) as port:
            first, _second = await port.open(), await port.open()
            assert await (await port.open()).cut()
            first.say(_post(""))
            assert (await first.reply())[0] == 503

    asyncio.run(story())


def test_requests_in_one_piece_are_answered_in_order() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(_post("1") + _post("2") + _post("3"))
            bodies = [json.loads((await client.reply())[1])["body"] for _ in range(3)]
            assert bodies == ["1", "2", "3"]

    asyncio.run(story())
