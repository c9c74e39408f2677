"""HTTP from the phone to the cloud: one pool of connections, patience, and no double work.

The cloud may be killed and started again at any moment. A call that certainly did not arrive is
therefore made again, whatever it is; a call that may have arrived is made again only if doing it
twice is the same as doing it once. Both within a bounded time, with growing pauses.
"""

import asyncio
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from firmware_sim.errors import UsageError
from fleet.app.carrier import Carrier, HttpCarrier, Interrupted, NotSent, Request
from fleet.app.errors import CloudUnreachable
from fleet.app.messages import read_reply

T = TypeVar("T")


def pauses_s() -> Iterator[float]:
    """Return the pauses between attempts: 0.1 s, doubled each time, never above 2 s."""
    pause_s = 0.1
    while True:
        yield pause_s
        pause_s = min(2.0, pause_s * 2)


class CloudLink:
    """A cloud at a base URL. Share one among all accounts of a process."""

    def __init__(
        self,
        url: str,
        *,
        patience_s: float = 30.0,
        timeout_s: float = 10.0,
        connections_max: int = 16,
        ca_file: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        """Prepare to talk to `url`; nothing is opened yet.

        `patience_s` bounds how long one call is repeated, `timeout_s` how long one attempt waits.
        `ca_file` (PEM) vouches for a cloud at https:// instead of what the machine trusts (or
        SSL_CERT_FILE names). `transport` replaces the network (tests, Unix sockets), a `carrier` HTTP
        as well (virtual time).
        Raises `UsageError` if `url` is not `http(s)://HOST[:PORT]` or `ca_file` cannot be read.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise UsageError(f"{url!r} is not the URL of a cloud: {error}") from None
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise UsageError(f"{url!r} is not the URL of a cloud: expected http://HOST:PORT")
        self.url = url.rstrip("/")
        self.patience_s = patience_s
        # Whoever has to wait waits here: the pool itself looks at all who wait, for each call.
        self._gate = asyncio.Semaphore(connections_max)
        self._carrier = carrier or HttpCarrier(
            self.url,
            timeout_s=timeout_s,
            connections_max=connections_max,
            ca_file=ca_file,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Return the link itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections; the link cannot be used afterwards."""
        await self._carrier.close()

    async def call(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        session: str = "",
        query: Mapping[str, str | int] | None = None,
        body: msgspec.Struct | None = None,
        repeatable: bool = True,
    ) -> T:
        """Make one API call and return its result as `kind`.

        `repeatable` says that doing it twice is the same as doing it once. Raises `CloudRefused`,
        `CloudUnreachable`, a `PeerError` if what answers is not our cloud, or `UsageError` if its
        certificate is not trusted.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        request = Request(method, path, query, session, content)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self.patience_s
        pauses = pauses_s()
        while True:
            try:
                async with self._gate:
                    reply = await self._carrier.exchange(request)
                return read_reply(reply, kind)
            except (NotSent, Interrupted) as error:
                if not (repeatable or isinstance(error, NotSent)):
                    raise CloudUnreachable(
                        f"{self.url}: connection lost ({error}) during {method} {path}; "
                        "whether it was carried out is unknown"
                    ) from None
                pause_s = next(pauses)
                if loop.time() + pause_s > give_up_at:
                    raise CloudUnreachable(
                        f"{self.url}: no answer within {self.patience_s:g} s ({error}); "
                        "is the cloud running?"
                    ) from None
            await asyncio.sleep(pause_s)
