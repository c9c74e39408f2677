"""One connection: who says nothing, says it slowly or says too much is hung up on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from fleet.web.line import BODY_S, HEAD_S, HEAD_SIZE_MAX, PER_ADDRESS_MAX, Line

pytestmark = pytest.mark.anyio

NEIGHBOUR = "192.0.2.7"


class Timer:
    """What was planned, and whether it still is."""

    def __init__(self, patience_s: float, act: Callable[[], None]) -> None:
        self.patience_s = patience_s
        self.act = act
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop whose timers only go off by hand."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []
        self.create_task = asyncio.get_running_loop().create_task

    def call_later(self, patience_s: float, act: Callable[[], None]) -> Timer:
        self.timers.append(Timer(patience_s, act))
        return self.timers[-1]

    @property
    def waiting(self) -> list[float]:
        return [timer.patience_s for timer in self.timers if not timer.cancelled]


class Transport(asyncio.Transport):
    """Writes down what is sent."""

    def __init__(self, host: str = NEIGHBOUR) -> None:
        super().__init__({"peername": (host, 50_000), "sockname": ("192.0.2.1", 8420)})
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def app(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Call:
    """One connection, and everything around it."""

    def __init__(self, state: ServerState | None = None, host: str = NEIGHBOUR) -> None:
        self.loop = Loop()
        self.transport = Transport(host)
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
        self.line = Line(config, state or ServerState(), {}, self.loop)  # type: ignore[arg-type]
        self.line.connection_made(self.transport)


async def test_who_says_nothing_is_hung_up_on() -> None:
    call = Call()
    assert call.loop.waiting == [HEAD_S]
    call.loop.timers[-1].act()
    assert call.transport.closed


async def test_a_head_that_does_not_end_does_not_get_more_time() -> None:
    call = Call()
    call.line.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n")
    for _ in range(10):
        call.line.data_received(b"X: y\r\n")
    assert call.loop.waiting == [HEAD_S]
    assert len(call.loop.timers) == 2  # the one since the connection, the one since the request


async def test_a_body_has_its_time_and_an_answer_all_it_needs() -> None:
    call = Call()
    call.line.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
    assert call.loop.waiting == [BODY_S]
    call.line.data_received(b"ab")
    assert call.loop.waiting == []


async def test_empty_lines_between_requests_buy_no_time() -> None:
    call = Call()
    call.line.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.gather(*call.line.tasks)
    call.line.data_received(b"\r\n")
    assert call.loop.waiting == [HEAD_S]


async def test_a_head_has_a_bound() -> None:
    call = Call()
    call.line.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    sent = 0
    while not call.transport.closed:
        call.line.data_received(b"y" * 8192)
        sent += 8192
    assert HEAD_SIZE_MAX < sent <= HEAD_SIZE_MAX + 8192
    assert call.transport.sent.startswith(b"HTTP/1.1 431 ")


async def test_a_large_body_is_no_large_head() -> None:
    call = Call()
    size = 2 * HEAD_SIZE_MAX
    call.line.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
    call.line.data_received(b"y" * size)
    assert not call.transport.closed


async def test_one_address_does_not_take_all_connections() -> None:
    state = ServerState()
    calls = [Call(state) for _ in range(PER_ADDRESS_MAX + 1)]
    assert [call.transport.closed for call in calls] == [False] * PER_ADDRESS_MAX + [True]
    assert not Call(state, "192.0.2.8").transport.closed
    assert not any(Call(state, "127.0.0.1").transport.closed for _ in range(PER_ADDRESS_MAX + 1))


async def test_nothing_is_waited_for_after_the_end() -> None:
    call = Call()
    call.line.connection_lost(None)
    assert call.loop.waiting == []
