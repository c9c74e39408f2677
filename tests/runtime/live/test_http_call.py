"""One POST: whole replies, broken ones, too large ones, silence, and a caller who left."""

import asyncio
from contextlib import suppress

import pytest

from firmware_sim.effects import SendHttp
from firmware_sim.runtime.live import http_call
from firmware_sim.runtime.live.http_call import HttpCall

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

Result = tuple[int, bytes, str]
UNTOLD = (-1, b"", "")


async def call(*answer: bytes, size_max: int = 1000, abandon: bool = False) -> tuple[Result, bytes]:
    """Make one call to a server that answers in these pieces; return what `done` was told."""
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            heard.extend(await reader.readuntil(b"body!"))
            for piece in answer:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            if answer and answer[-1] == b"":
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told: asyncio.Future[Result] = loop.create_future()
    wish = SendHttp(1, "127.0.0.1", port, "/d.json?a=b", b"body!", size_max)
    client = HttpCall(wish, lambda *result: told.set_result(result), loop)
    if abandon:
        client.abandon()
    await loop.create_connection(lambda: client, "127.0.0.1", port)
    result = (await asyncio.wait_for(told, 10)) if not abandon else UNTOLD
    await asyncio.wait_for(served.wait(), 10)
    server.close()
    await asyncio.sleep(0)
    return result, bytes(heard)


@pytest.mark.parametrize("pieces", [(OK,), tuple(OK[i : i + 1] for i in range(len(OK)))])
def test_a_whole_reply(pieces: tuple[bytes, ...]) -> None:
    result, heard = asyncio.run(call(*pieces))
    assert result == (200, b"hello", "")
    assert heard.startswith(b"POST /d.json?a=b HTTP/1.1\r\n")
    assert b"User-Agent: TUYA_IOT_SDK\r\n" in heard
    assert b"Content-Length: 5\r\n" in heard


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((b"220 smtp ready\r\n",), "not_http"),
        ((OK[:-2],), "connection_lost"),
        ((), "connection_lost"),
    ],
)
def test_a_broken_reply(pieces: tuple[bytes, ...], reason: str) -> None:
    result, _ = asyncio.run(call(*pieces))
    assert result[2] == reason


def test_too_much() -> None:
    result, _ = asyncio.run(call(OK, size_max=20))
    assert result == (0, b"", "reply_too_large")


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_call, "TIMEOUT_S", 0.05)
    result, _ = asyncio.run(call(b""))
    assert result == (0, b"", "timeout")


def test_a_caller_who_left_is_told_nothing() -> None:
    result, heard = asyncio.run(call(OK, abandon=True))
    assert result == UNTOLD
    assert heard == b""


def test_what_goes_wrong_in_the_caller_is_not_blamed_on_the_reply() -> None:
    async def scene() -> None:
        def done(*_: object) -> None:
            raise AssertionError("our own mistake")

        loop = asyncio.get_running_loop()
        client = HttpCall(SendHttp(1, "127.0.0.1", 1, "/", b"", 1000), done, loop)
        with pytest.raises(AssertionError, match="our own mistake"):
            client.data_received(OK)
        assert not client.wanted

    asyncio.run(scene())
