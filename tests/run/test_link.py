import asyncio
import socket
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from fleet.run import link as module
from fleet.run.link import Link
from fleet.run.messages import Order, ShowCode, Stop, TakeSnapshot


class End:
    """One end of a link, and what has happened at it."""

    def __init__(self) -> None:
        self.heard: list[Order] = []
        self.lost = asyncio.Event()
        self.link: Link[Order] = Link(Order, self.heard.append, self.lost.set)

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0.001)


def play(story: Callable[[End, socket.socket], Awaitable[None]]) -> None:
    """Run a story with one attached end and the raw socket of the other."""

    async def scene() -> None:
        ours, theirs = socket.socketpair()
        end = End()
        await end.link.attach(ours)
        try:
            await story(end, theirs)
        finally:
            end.link.close()
            theirs.close()
            async with asyncio.timeout(5):
                await end.lost.wait()

    asyncio.run(scene())


def framed(message: msgspec.Struct) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + body


def test_messages_cut_anywhere_arrive_in_order() -> None:
    wanted: list[Order] = [TakeSnapshot(), ShowCode((1, 2), b"x" * 300), Stop()]
    data = b"".join(map(framed, wanted))

    async def story(end: End, raw: socket.socket) -> None:
        for byte in data:
            raw.send(bytes([byte]))
            await asyncio.sleep(0)
        await end.hears(3)
        assert end.heard == wanted

    play(story)


def test_both_ends_talk() -> None:
    async def story(end: End, raw: socket.socket) -> None:
        other = End()
        await other.link.attach(raw.dup())
        other.link.send(Stop())
        end.link.send(TakeSnapshot())
        await end.hears(1)
        await other.hears(1)
        assert (end.heard, other.heard) == ([Stop()], [TakeSnapshot()])
        other.link.close()
        raw.close()
        await end.lost.wait()
        end.link.send(Stop())

    play(story)


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc1"], ids=["size", "content"])
def test_nonsense_ends_the_link(data: bytes) -> None:
    async def story(end: End, raw: socket.socket) -> None:
        raw.send(framed(Stop()) + data)
        async with asyncio.timeout(5):
            await end.lost.wait()
        assert end.heard == [Stop()]

    play(story)


def test_the_size_limit_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGE_SIZE_MAX", 100)
    test_nonsense_ends_the_link((101).to_bytes(4, "big"))


def test_a_reader_that_does_not_keep_up_is_noticed() -> None:
    async def story(end: End, raw: socket.socket) -> None:
        raw.setblocking(False)
        for _ in range(100):
            end.link.send(ShowCode((), b"x" * 100_000))
        clogged = [end.link.clogged]
        received = 0
        async with asyncio.timeout(20):
            while clogged[-1] or received < 10_000_000:
                try:
                    received += len(raw.recv(1 << 20))
                except BlockingIOError:
                    await asyncio.sleep(0)
                clogged.append(end.link.clogged)
        assert (clogged[0], clogged[-1]) == (True, False)

    play(story)


def test_nobody_hears_what_is_said_before_the_line_stands() -> None:
    link: Link[Order] = Link(Order, lambda _: None, lambda: None)
    link.send(Stop())
    link.close()
    assert not link.clogged
