"""The HTTP port as a whole: what is owed at its end, and to whom it does not answer any more."""

import asyncio
import socket
import struct

from tests.live.cloud.edge.http_port import http_port, post
from tests.live.cloud.edge.stage import HeldStore, until

COMMIT = "GET /commit HTTP/1.1\r\nHost: h\r\n\r\n"


def test_who_waits_at_the_end_is_told_503_and_others_are_closed() -> None:
    async def story() -> None:
        store = HeldStore()
        async with http_port(store=store) as port:
            waiting, idle = await port.open(), await port.open()
            idle.say(post(""))
            await idle.reply()
            waiting.say(COMMIT)
            await until(lambda: len(store.waiting) == 1)
            assert not port.edge.answered
            port.edge.close_all()
            assert (await waiting.reply())[0] == 503
            assert await waiting.cut()
            assert await idle.cut()
            await until(lambda: port.edge.idle)

    asyncio.run(story())


def test_a_reply_to_who_has_left_is_dropped() -> None:
    async def story() -> None:
        store = HeldStore()
        async with http_port(store=store) as port:
            client = await port.open()
            client.say(COMMIT)
            await until(lambda: len(store.waiting) == 1)
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.writer.transport.abort()  # by a reset: else it might only have said its last word
            await until(lambda: not port.edge.connections)
            assert not port.edge.idle
            store.settle()
            await until(lambda: port.edge.idle)
            assert not port.driver.stopped

    asyncio.run(story())
