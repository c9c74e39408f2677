"""The HTTP port: requests become events for the node, its `SendReply` effects become responses."""

import asyncio
from email.utils import formatdate

from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http_connection import (
    Connection,
    HttpConnection,
    HttpLimits,
    Upgraded,
    problem,
)
from fleet.cloud.messages import HttpRequested, SendReply


class HttpEdge:
    """All connections of the port; serve with `protocol` as factory."""

    def __init__(
        self, driver: Driver, limits: HttpLimits, upgraded: Upgraded | None = None
    ) -> None:
        """Register with `driver` for the replies of the node.

        `upgraded` makes the protocol of a connection that is to become a WebSocket; without it
        none does.
        """
        self._loop = asyncio.get_running_loop()
        self._driver = driver
        self._waiting: dict[int, HttpConnection] = {}
        self._last_exchange = 0
        self.limits = limits
        self.connections: set[Connection] = set()
        self.upgraded = upgraded
        self._stamp()
        driver.carry_out_with(SendReply, self._reply)

    def protocol(self, centre: str = "") -> asyncio.Protocol:
        """Return the protocol of one new connection, to the port of a data centre if it has one."""
        return HttpConnection(self, centre)

    def sweep(self) -> None:
        """Look after every connection; to be called once a second."""
        self._stamp()
        now_s = self._loop.time()
        connections = [c for c in self.connections if isinstance(c, HttpConnection)]
        for connection in connections:
            connection.check(now_s)
        self._driver.counters.http_connections = len(connections)

    @property
    def idle(self) -> bool:
        """Return whether no connection and no request is left."""
        return not self.connections and not self._waiting

    @property
    def answered(self) -> bool:
        """Return whether every request that reached the node has its reply."""
        return not self._waiting

    def close_all(self) -> None:
        """Close every connection after its current response; nobody waits for the node any more."""
        for exchange in list(self._waiting):
            self._reply(_stopping(exchange))
        for connection in list(self.connections):
            connection.shutdown()

    def abort_all(self) -> None:
        """Cut off whoever is left."""
        for connection in list(self.connections):
            connection.transport.abort()

    # --- called by connections ------------------------------------------------------------------

    def register(self) -> int:
        """Count a request, and return its number."""
        self._driver.counters.requests += 1
        self._last_exchange += 1
        return self._last_exchange

    def ask(self, connection: HttpConnection, request: HttpRequested) -> None:
        """Let the node answer: `connection.answer` is called once, now or later."""
        self._waiting[request.exchange] = connection
        self._driver.handle(request)
        if self._driver.stopped:
            self._reply(_stopping(request.exchange))

    # --- details --------------------------------------------------------------------------------

    def _reply(self, effect: SendReply) -> None:
        connection = self._waiting.pop(effect.exchange, None)
        if connection is not None:
            connection.answer(effect)

    def _stamp(self) -> None:
        """Keep the Date header of all responses up to date (RFC 9110, section 6.6.1)."""
        self.date = formatdate(self._driver.now_ms() // 1000, usegmt=True).encode()


def _stopping(exchange: int) -> SendReply:
    return problem(exchange, 503, "stopping", "the cloud is stopping")
