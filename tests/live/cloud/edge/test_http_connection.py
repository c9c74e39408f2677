"""A connection against clients that are too big, too slow, too many or not speaking HTTP at all."""

import asyncio
import json
import socket

import pytest

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.edge import http_connection
from fleet.cloud.edge.http_connection import HEAD_SIZE_MAX, SENT_AHEAD_MAX, HttpLimits
from fleet.cloud.messages import HttpRequested, SendReply
from tests.live.cloud.edge.http_port import LIMITS, http_port, post
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, HeldStore, until

CHUNKED = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


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
                client.say(post("x" * 101))
            status, body = await client.reply()
            assert status == 413
            assert json.loads(body)["code"] == "body_too_large"
            client.say(post("x" * 100))
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_a_head_beyond_the_limit_is_431() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("", *(f"X-{n}: {'y' * 1000}" for n in range(20))))
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
            client.say(post("1" * HEAD_SIZE_MAX) + post("2")[:20])
            assert (await client.reply())[0] == 200
            client.say(post("2")[20:])
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_who_sends_far_ahead_is_cut() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("1") * (SENT_AHEAD_MAX + 2))
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
            client.say(post("1"))
            await client.reply()
            await asyncio.sleep(2 * LIMITS.request_s_max)
            port.edge.sweep()
            client.say(post("2"))
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
                await asyncio.to_thread(stuck.sendall, post("x" * size, *headers).encode())
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
            second.say(post(""))
            assert (await second.reply())[0] == 503
            first.writer.close()
            await until(lambda: not port.edge.idle)

    asyncio.run(story())


def test_who_reads_late_but_reads_is_kept() -> None:
    async def story() -> None:
        size = 8_000_000
        async with http_port(HttpLimits(10, size, request_s_max=5)) as port:
            client = await port.open()
            client.say(post("x" * size))
            await until(port.is_stuck)
            assert (await client.reply())[0] == 200
            port.edge.sweep()
            client.say(post("2"))
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_who_comes_when_there_are_too_many_connections_is_dropped() -> None:
    async def story() -> None:
        async with http_port(HttpLimits(connections_max=2)) as port:
            first, _second = await port.open(), await port.open()
            assert await (await port.open()).cut()
            first.say(post(""))
            assert (await first.reply())[0] == 503

    asyncio.run(story())


def test_requests_in_one_piece_are_answered_in_order() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("1") + post("2") + post("3"))
            bodies = [json.loads((await client.reply())[1])["body"] for _ in range(3)]
            assert bodies == ["1", "2", "3"]

    asyncio.run(story())


# --- requests and responses ---------------------------------------------------------------------


def test_the_next_request_is_begun_when_the_one_before_is_answered() -> None:
    async def story() -> None:
        store, node = HeldStore(), EchoNode()
        async with http_port(store=store, node=node) as port:
            client = await port.open()
            client.say("GET /commit HTTP/1.1\r\nHost: h\r\n\r\n" * 2)
            await until(lambda: len(store.waiting) == 1)
            assert node.rows == 1
            client.say(post("3"))
            store.settle()
            await client.reply()
            await until(lambda: len(store.waiting) == 1)
            store.settle()
            await client.reply()
            assert json.loads((await client.reply())[1])["body"] == "3"

    asyncio.run(story())


def test_who_has_not_read_is_answered_later() -> None:
    async def story() -> None:
        size = 8_000_000
        async with http_port(HttpLimits(10, size)) as port:
            client = await port.open()
            client.say(post("x" * size) + post("2"))
            await until(port.is_stuck)
            assert len((await client.reply())[1]) > size
            assert json.loads((await client.reply())[1])["body"] == "2"

    asyncio.run(story())


@pytest.mark.parametrize(
    "request_text",
    [
        post("1", "Connection: close"),
        post("1", "Connection: close") + post("2"),
        post("1").replace("HTTP/1.1", "HTTP/1.0"),
    ],
    ids=["close", "close and go on", "old"],
)
def test_a_last_response_says_that_it_is(request_text: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(request_text)
            answer = (await client.reader.read()).decode()
            head, _, body = answer.partition("\r\n\r\n")
            assert head.startswith("HTTP/1.1 200 OK\r\n")
            assert "connection: close" in head.splitlines()
            assert json.loads(body)["target"] == "/x"

    asyncio.run(story())


@pytest.mark.parametrize(("path", "status"), [("/x", 200), (f"/{'x' * HEAD_SIZE_MAX}", 431)])
def test_the_answer_to_head_has_no_body(path: str, status: int) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(f"HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n{post('2')}")
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"content-length: 0" not in head
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_who_asks_whether_to_send_the_body_is_told_to() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            head, _, body = post("the body", "Expect: 100-Continue").partition("the body")
            client.say(head)
            answer = await client.reader.readuntil(b"\r\n\r\n")
            assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.say(f"the body{body}")
            assert json.loads((await client.reply())[1])["body"] == "the body"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://h/x?a=b", "/x?a=b"),
        ("http://h?a=b", "/?a=b"),
        ("/x?a=b#c", "/x?a=b"),
        ("/x?", "/x"),
        ("/%2F?%3F", "/%2F?%3F"),
    ],
)
def test_a_target_is_path_and_query(target: str, told: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
            assert json.loads((await client.reply())[1])["target"] == told

    asyncio.run(story())


class Redirecting(EchoNode):
    """Sends everybody to where the header says, whatever that is."""

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        if isinstance(event, HttpRequested):
            where = (("location", "/é\r\nset-cookie: a\x00b"), ("x", "y"))
            return [SendReply(event.exchange, 303, b"", where)]
        return super().handle(event, now_ms)


def test_a_header_of_a_reply_does_not_hold_another_one() -> None:
    async def story() -> None:
        async with http_port(node=Redirecting()) as port:
            client = await port.open()
            client.say(post(""))
            lines = (await client.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            assert lines[0] == b"HTTP/1.1 303 See Other"
            assert lines[2:4] == [b"location: /?  set-cookie: a b", b"x: y"]

    asyncio.run(story())


def test_a_connection_that_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("1"))
            await client.reply()
            port.edge.sweep()
            client.say(post("2"))
            await client.reply()
            monkeypatch.setattr(http_connection, "KEEP_ALIVE_S", -1.0)
            port.edge.sweep()
            assert await client.cut()

    asyncio.run(story())
