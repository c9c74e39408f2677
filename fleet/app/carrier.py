"""What carries one call of the phone to the cloud and its reply back: HTTP, over httpx.

A carrier makes one attempt. Whether to make another is `CloudLink`'s business, so it is told the
one thing that matters for that: whether the cloud may have heard the call.
"""

import ssl
from collections.abc import Mapping
from typing import Protocol

import httpx
import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError

REPLY_SIZE_MAX = 1 << 20

# In these cases no byte of the request has left: repeating it cannot do anything twice.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NotSent(Exception):
    """The cloud has not heard the call."""


class Interrupted(Exception):
    """The cloud may have heard the call, or is in no state to answer (HTTP 5xx)."""


class Request(msgspec.Struct, frozen=True):
    """One call: `target` is the path, `session` the bearer token or ""."""

    method: str
    target: str
    query: Mapping[str, str | int] | None
    session: str
    body: bytes

    def __repr__(self) -> str:
        """Show what is called, never the session or the body."""
        return f"Request({self.method} {self.target})"


class Carrier(Protocol):
    """One way to the cloud."""

    async def exchange(self, request: Request) -> bytes:
        """Make one attempt and return the reply's body.

        Raises NotSent, Interrupted, a PeerError for what no cloud of ours says, or UsageError if
        its certificate is not trusted.
        """
        ...

    async def close(self) -> None:
        """Close whatever is open."""
        ...


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


class HttpCarrier:
    """A pool of connections to the cloud at a base URL."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        connections_max: int,
        ca_file: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare to talk to `url`; nothing is opened yet. Raises UsageError for the file."""
        self._url = url
        # A proxy from the environment would never find a cloud on this machine's loopback.
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=connections_max),
            trust_env=False,
            verify=trust_in(url, ca_file),
            transport=transport,
        )

    async def close(self) -> None:
        """Close all connections; the carrier cannot be used afterwards."""
        await self._http.aclose()

    async def exchange(self, request: Request) -> bytes:
        """Make one attempt."""
        made = self._http.build_request(
            request.method,
            request.target,
            params=request.query,
            headers={"Authorization": f"Bearer {request.session}"} if request.session else {},
            content=request.body,
        )
        try:
            return await self._attempt(made)
        except httpx.TransportError as error:
            cause = str(error) or type(error).__name__
            if "CERTIFICATE_VERIFY_FAILED" in cause:
                raise UsageError(
                    f"{self._url}: {cause}; to trust a cloud of your own give --ready "
                    "FILE, or set SSL_CERT_FILE to the ca.pem of its data folder"
                ) from None
            kind = NotSent if isinstance(error, _NOT_SENT) else Interrupted
            raise kind(cause) from None

    async def _attempt(self, request: httpx.Request) -> bytes:
        """Return the body of one HTTP exchange, refusing to buffer an endless one."""
        response = await self._http.send(request, stream=True)
        try:
            if response.status_code >= 500:
                raise Interrupted(f"HTTP {response.status_code}")
            if response.status_code != 200:
                raise Malformed(
                    f"{self._url}: HTTP {response.status_code} on {request.url.path}; "
                    "is this the cloud's console address?"
                )
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > REPLY_SIZE_MAX:
                    raise TooLarge(f"{self._url}: reply above {REPLY_SIZE_MAX} B")
            return bytes(body)
        finally:
            await response.aclose()
