"""What clients may rightly expect of HTTP: half-closed, impatient, cautious, or fond of upgrades."""

import asyncio
import json
import socket

import pytest

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.cloud.edge.http_connection import HEAD_SIZE_MAX, SENT_AHEAD_MAX
from fleet.cloud.messages import HttpRequested
from tests.live.cloud.edge.http_port import LIMITS, Client, Port, http_port, post
from tests.live.cloud.edge.stage import EchoNode, HeldStore, until

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")


class Attentive(EchoNode):
    """Keeps every request."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[HttpRequested] = []

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        if isinstance(event, HttpRequested):
            self.requests.append(event)
        return super().handle(event, now_ms)


async def held(port: Port, store: HeldStore) -> Client:
    """Return a client whose first request waits for the disk."""
    client = await port.open()
    client.say("GET /commit HTTP/1.1\r\nHost: h\r\n\r\n")
    await until(lambda: len(store.waiting) == 1)
    return client


# --- bodies that are too large ------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1.0/x", "/eu/v2.0/x?a=b", "/broker/v1/authorization"])
def test_some_calls_are_answered_in_their_own_way_to_a_body_that_is_too_large(path: str) -> None:
    async def story() -> None:
        node = Attentive()
        async with http_port(node=node) as port:
            client = await port.open()
            client.say(post("x" * 101).replace("/x", path) + post("x" * 100).replace("/x", path))
            assert (await client.reply())[0] == 200
            assert (await client.reply())[0] == 200
        assert [(len(r.body), r.too_large) for r in node.requests] == [(0, True), (100, False)]

    asyncio.run(story())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_far_too_large_and_is_answered_still(*, chunked: bool) -> None:
    async def story() -> None:
        async with http_port() as port:
            client, body = await port.open(), "x" * 4_000_000
            client.say(f"{CHUNKED}{len(body):x}\r\n{body}\r\n0\r\n\r\n" if chunked else post(body))
            assert (await client.reply())[0] == 413
            client.say(post("2"))
            assert (await client.reply())[0] == 200

    asyncio.run(story())


def test_a_body_that_is_too_large_and_broken_is_answered_once() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(f"{CHUNKED}c8\r\n{'x' * 200}\r\nno size\r\n")
            assert (await client.reply())[0] == 400
            assert await client.cut()

    asyncio.run(story())


def test_time_for_a_body_that_is_too_large_is_bounded() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("x" * 300)[:-10])
            await asyncio.sleep(2 * LIMITS.request_s_max)
            port.edge.sweep()
            assert await client.cut()

    asyncio.run(story())


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", post("2")])
def test_who_says_that_it_says_no_more_is_answered(more: str) -> None:
    async def story() -> None:
        store = HeldStore()
        async with http_port(store=store) as port:
            client = await held(port, store)
            if more:  # then nothing is read until the first is answered, its end neither
                client.say(more)
            client.writer.write_eof()
            await asyncio.sleep(0.02)
            store.settle()
            assert (await client.reply())[0] == 200
            if more:
                assert json.loads((await client.reply())[1])["body"] == "2"
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize("said", ["", "GET /x HT", post("1")[:-1]])
def test_who_says_no_more_and_is_owed_nothing_is_closed(said: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(said)
            client.writer.write_eof()
            assert await client.cut()
            await until(lambda: port.edge.idle)

    asyncio.run(story())


# --- the word that a body may come --------------------------------------------------------------


def test_who_asks_behind_another_request_is_told_when_that_is_answered() -> None:
    async def story() -> None:
        store = HeldStore()
        async with http_port(store=store) as port:
            client = await held(port, store)
            client.say(post("x", "Expect: 100-continue")[:-1])
            await asyncio.sleep(0.02)
            store.settle()
            assert (await client.reply())[0] == 200
            assert await client.reader.readexactly(len(CONTINUE)) == CONTINUE
            client.say("x")
            assert json.loads((await client.reply())[1])["body"] == "x"

    asyncio.run(story())


@pytest.mark.parametrize(
    "request_text",
    [
        post("x", "Expect: 100-continue").replace("HTTP/1.1", "HTTP/1.0"),
        post("x", "Expect: 100-continue", "Connection: close"),
        post("", "Expect: 100-continue", "Connection: close"),
    ],
    ids=["old", "sent", "empty"],
)
def test_who_knows_no_such_word_or_does_not_wait_is_not_told(request_text: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(request_text)
            assert (await client.reader.read()).startswith(b"HTTP/1.1 200 ")

    asyncio.run(story())


# --- upgrades -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", [H2C, ("Connection: upgrade", "Upgrade: websocket")])
def test_a_wish_for_another_protocol_changes_nothing(wish: tuple[str, ...]) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(post("the body", *wish) + post("2"))
            echo = json.loads((await client.reply())[1])
            assert (echo["method"], echo["target"], echo["body"]) == ("POST", "/x", "the body")
            assert json.loads((await client.reply())[1])["body"] == "2"
            assert port.driver.counters.requests == 2

    asyncio.run(story())


def test_a_body_behind_such_a_wish_may_come_later() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            head, _, body = post("the body", "Expect: 100-continue", *H2C).partition("the body")
            client.say(head)
            assert await client.reader.readexactly(len(CONTINUE)) == CONTINUE
            client.say(f"the body{body}")
            assert json.loads((await client.reply())[1])["body"] == "the body"

    asyncio.run(story())


def test_many_wishes_in_one_piece_are_bounded_like_other_requests() -> None:
    async def story() -> None:
        async with http_port() as port:
            client, wish = await port.open(), post("", *H2C)
            client.say(wish * SENT_AHEAD_MAX)
            for _ in range(SENT_AHEAD_MAX):
                assert (await client.reply())[0] == 200
            client.say(wish * 20 * SENT_AHEAD_MAX)
            assert await client.cut()

    asyncio.run(story())


@pytest.mark.parametrize(
    "behind", [post("", *H2C), "no http at all\r\n\r\n", "CONNECT a:1 HTTP/1.1"]
)
@pytest.mark.parametrize("last", [post("1", "Connection: close"), "GET /x HTTP/1.1\r\n\r\n"])
def test_what_stands_behind_a_last_request_changes_nothing(last: str, behind: str) -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say(last + behind)
            answer = (await client.reader.read()).decode()
            assert "\r\nconnection: close\r\n" in answer
            assert answer.count("HTTP/1.1") == 1

    asyncio.run(story())


def test_nobody_connects_through_us() -> None:
    async def story() -> None:
        async with http_port() as port:
            client = await port.open()
            client.say("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + "x" * HEAD_SIZE_MAX)
            assert (await client.reply())[0] == 400

    asyncio.run(story())


# --- whom a request is for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "GET /x HTTP/1.1\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET /x HTTP/1.0\r\nHost: a\r\nhost: b\r\n",
    ],
)
def test_a_request_names_one_host(head: str) -> None:
    async def story() -> None:
        node = Attentive()
        async with http_port(node=node) as port:
            client = await port.open()
            client.say(f"{head}\r\n")
            status, body = await client.reply()
            assert (status, json.loads(body)["code"]) == (400, "bad_host")
            assert await client.cut()
        assert node.requests == []

    asyncio.run(story())


def test_a_host_in_the_target_counts_instead() -> None:
    async def story() -> None:
        node = Attentive()
        async with http_port(node=node) as port:
            client = await port.open()
            client.say(post("").replace("/x", "http://other:80/v1.0/x"))
            await client.reply()
        (request,) = node.requests
        assert (request.headers["host"], request.target) == ("other:80", "/v1.0/x")

    asyncio.run(story())


def test_a_target_with_a_host_finds_the_centre_of_its_port() -> None:
    async def story() -> None:
        node = Attentive()
        async with http_port(node=node) as port:
            left, right = socket.socketpair()
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: port.edge.protocol("EU"), left)
            client = Client(*await asyncio.open_connection(sock=right))
            port.clients.append(client)
            for target in ("http://h/v1.0/x", "/v1.0/x", "/us/v1.0/x"):
                client.say(post("").replace("/x", target))
                await client.reply()
        targets = [request.target for request in node.requests]
        assert targets == ["/eu/v1.0/x", "/eu/v1.0/x", "/us/v1.0/x"]

    asyncio.run(story())


# --- where one request ends and the next begins -------------------------------------------------


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: 99999999999999999999\r\n\r\nhello",
        "Content-Length:\r\n 5\r\n\r\nhello",
        "Content-Length : 5\r\n\r\nhello",
        "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1;\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\nhello",
        "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "X: a\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_others_might_read_otherwise_is_refused_and_closed(framing: str) -> None:
    async def story() -> None:
        node = Attentive()
        async with http_port(node=node) as port:
            client = await port.open()
            client.say(f"POST /x HTTP/1.1\r\nHost: h\r\n{framing}{post('smuggled')}")
            assert (await client.reply())[0] == 400
            assert await client.cut()
        assert node.requests == []

    asyncio.run(story())
