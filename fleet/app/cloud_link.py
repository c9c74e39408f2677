"""HTTP from the phone to the cloud: one pool of connections, patience, and no double work.

The cloud may be killed and started again at any moment. A call that certainly did not arrive is
therefore made again, whatever it is; a call that may have arrived is made again only if doing it
twice is the same as doing it once. Both within a bounded time, with growing pauses.
"""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError
from fleet.app.errors import CloudUnreachable
from fleet.app.messages import read_reply

REPLY_SIZE_MAX = 1 << 20
T = TypeVar("T")

# In these cases no byte of the request has left: repeating it cannot do anything twice.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _ServerError(Exception):
    """HTTP 5xx: the cloud is there but in no state to answer (starting, stopping, disk full)."""


def pauses_s() -> Iterator[float]:
    """Return the pauses between attempts: 0.1 s, doubled each time, never above 2 s."""
    pause_s = 0.1
    while True:
        yield pause_s
        pause_s = min(2.0, pause_s * 2)


def trust_in(url: str, ca_file: str) -> ssl.SSLContext | bool:
    """Return how httpx is to check the server at `url`.

    At https:// against `ca_file`, or as the machine does when that is empty. Raises UsageError
    when the file cannot be read.
    """
    if not url.startswith("https:"):
        return True  # nothing to check, and no reason to read the machine's certificates
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise UsageError(f"{ca_file}: no certificates of a cloud: {error}") from None


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
    ) -> None:
        """Prepare to talk to `url`; nothing is opened yet.

        `patience_s` bounds how long one call is repeated, `timeout_s` how long one attempt waits.
        `ca_file` (PEM) vouches for a cloud at https:// instead of what the machine trusts (or
        SSL_CERT_FILE names). `transport` replaces the network (tests, Unix sockets).
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
        # A proxy from the environment would never find a cloud on this machine's loopback.
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=connections_max),
            trust_env=False,
            verify=trust_in(self.url, ca_file),
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
        await self._http.aclose()

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
        request = self._http.build_request(
            method,
            path,
            params=query,
            headers={"Authorization": f"Bearer {session}"} if session else {},
            content=b"" if body is None else msgspec.json.encode(body),
        )
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self.patience_s
        pauses = pauses_s()
        while True:
            try:
                async with self._gate:
                    reply = await self._attempt(request)
                return read_reply(reply, kind)
            except (httpx.TransportError, _ServerError) as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise UsageError(
                        f"{self.url}: {_cause(error)}; to trust a cloud of your own give --ready "
                        "FILE, or set SSL_CERT_FILE to the ca.pem of its data folder"
                    ) from None
                if not (repeatable or isinstance(error, _NOT_SENT)):
                    raise CloudUnreachable(
                        f"{self.url}: connection lost ({_cause(error)}) during {method} {path}; "
                        "whether it was carried out is unknown"
                    ) from None
                pause_s = next(pauses)
                if loop.time() + pause_s > give_up_at:
                    raise CloudUnreachable(
                        f"{self.url}: no answer within {self.patience_s:g} s ({_cause(error)}); "
                        "is the cloud running?"
                    ) from None
            await asyncio.sleep(pause_s)

    async def _attempt(self, request: httpx.Request) -> bytes:
        """Return the body of one HTTP exchange, refusing to buffer an endless one."""
        response = await self._http.send(request, stream=True)
        try:
            if response.status_code >= 500:
                raise _ServerError(f"HTTP {response.status_code}")
            if response.status_code != 200:
                raise Malformed(
                    f"{self.url}: HTTP {response.status_code} on {request.url.path}; "
                    "is this the cloud's console address?"
                )
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > REPLY_SIZE_MAX:
                    raise TooLarge(f"{self.url}: reply above {REPLY_SIZE_MAX} B")
            return bytes(body)
        finally:
            await response.aclose()


def _cause(error: Exception) -> str:
    """Return a short text even for exceptions that carry none."""
    return str(error) or type(error).__name__
