"""The HTTP port with a node that echoes and nothing else around it, and clients that write by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fleet.cloud.counters import Counters
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http import HttpEdge
from fleet.cloud.edge.http_connection import HttpLimits
from fleet.cloud.store import Store
from fleet.cloud.store.memory import MemoryStore
from tests.live.cloud.edge.stage import LOOPBACK, EchoNode, until

LIMITS = HttpLimits(connections_max=10, body_size_max=100, request_s_max=0.05)


class Port:
    """Where it is, and who is there."""

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
        (connection,) = self.edge.connections
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
async def http_port(
    limits: HttpLimits = LIMITS, store: Store | None = None, node: EchoNode | None = None
) -> AsyncIterator[Port]:
    driver = Driver(node or EchoNode(), store or MemoryStore(), Counters())
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


def post(body: str, *headers: str) -> str:
    """Return a request with `body` and further header lines."""
    lines = ["POST /x HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines)
