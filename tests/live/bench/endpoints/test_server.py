"""Calls over sockets: heads that are too long, bodies that never come, and a quick end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from firmware_sim.bench.endpoints.calls import Call, Line, make_app
from firmware_sim.bench.endpoints.server import HEAD_MAX, listen, serving
from firmware_sim.errors import UsageError


async def echo(call: Call) -> object:
    return {"text": call.text()}


async def slow(_: Call) -> object:
    await asyncio.sleep(3600)
    return None


LINES = (Line("PUT", "/echo", echo, 100), Line("GET", "/slow", slow))


def run(work: Callable[[int], Awaitable[None]]) -> None:
    async def main() -> None:
        listener = listen(0)
        async with asyncio.timeout(20), serving(make_app(LINES), listener) as url:
            port = int(url.rpartition(":")[2])
            assert url == f"http://127.0.0.1:{port}"
            await work(port)

    asyncio.run(main())


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read(4096)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_a_call_is_answered_and_odd_requests_break_nothing() -> None:
    put = b"PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"

    async def work(port: int) -> None:
        long_head = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (4 * HEAD_MAX)
        assert b" 400 " in await exchange(port, long_head)
        assert b" 400 " in await exchange(port, b"\x00\xff\r\n\r\n")
        large = b"PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
        assert b" 413 " in await exchange(port, large + b"x" * 5000)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(put[:-1])  # and the rest never comes
        assert b'{"text":"hi"}' in await exchange(port, put)
        writer.close()
        assert await reader.read() == b""

    run(work)


def test_who_waits_at_the_end_is_told_that_it_is_over() -> None:
    waiting: list[asyncio.Task[bytes]] = []

    async def main() -> bytes:
        listener = listen(0)
        async with asyncio.timeout(20):
            async with serving(make_app(LINES), listener) as url:
                port = int(url.rpartition(":")[2])
                call = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
                waiting.append(asyncio.create_task(exchange(port, call)))
                await asyncio.sleep(0.2)
                assert not waiting[0].done()
            return await waiting[0]

    answer = asyncio.run(main())
    assert b" 503 " in answer
    assert b'{"problem":"the bench ends"}' in answer


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: .* name another --port"):
            listen(port)
