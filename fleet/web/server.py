"""Serves the pages in the running event loop, and ends with what it belongs to."""

import asyncio
import contextlib
import errno
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn

from firmware_sim.errors import UsageError
from fleet.web.guard import Guard, is_loopback
from fleet.web.line import Line

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8420
CONNECTIONS_MAX = 400
_START_POLL_S = 0.005
_PASSWORD_BYTES = 9
_PORT_DIGITS_MAX = 5


class Address(msgspec.Struct, frozen=True):
    """Where to listen; port 0 takes any free one."""

    host: str = DEFAULT_HOST
    port: int = 0

    @property
    def loopback(self) -> bool:
        """Say whether only this machine can come here."""
        return is_loopback(self.host)


def parse_address(text: str) -> Address:
    """Return `[HOST:]PORT` as an address. Raises UsageError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or DEFAULT_HOST
    fits = port.isdecimal() and len(port) <= _PORT_DIGITS_MAX and int(port) <= 65535
    if not fits or not host.isascii():
        raise UsageError(f"{text!r} is no place for pages: expected PORT or ADDRESS:PORT")
    return Address(host, int(port))


def password_for(address: Address, given: str) -> str:
    """Return the password for pages at `address`: the given one, a new one, or "" on loopback."""
    if given or address.loopback:
        return given
    return secrets.token_urlsafe(_PASSWORD_BYTES)


class _Server(uvicorn.Server):
    """uvicorn without hands on the signals: the command that serves has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    app: Guard, place: Address | socket.socket, closing: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Serve `app` as long as the block lasts; gives its URL. Raises UsageError for a taken port.

    `place` is an address, or what `listen` has returned for one. `closing` is called first at the
    end: it ends what would otherwise go on, such as feeds.
    """
    listener = listen(place) if isinstance(place, Address) else place
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        app,
        http=Line,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(_START_POLL_S)
        yield url_of(host, port)
    finally:
        closing()
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


def url_of(host: str, port: int) -> str:
    """Return the URL of pages; where they are served at all addresses, one that others can open."""
    if host in _ALL:
        host = _own_address(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _own_address(listening: str) -> str:
    """Return the address that packets to strangers would come from; none is sent."""
    family, stranger, loopback = _ALL[listening]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((stranger, 9))
        except OSError:
            return loopback  # this machine is alone
        return str(probe.getsockname()[0])


# Addresses for documentation, so nobody's (RFC 5737, RFC 3849).
_ALL = {
    "0.0.0.0": (socket.AF_INET, "192.0.2.1", "127.0.0.1"),  # noqa: S104 - looked up, not bound
    "::": (socket.AF_INET6, "2001:db8::1", "::1"),
}


_REMEDIES = {
    errno.EADDRINUSE: "the port is in use; take another one with --web, where 0 is any free one",
    errno.EACCES: "this user may not have that port; take one above 1023 with --web",
    errno.EADDRNOTAVAIL: "this machine does not have that address; with --web, 127.0.0.1 is for this "
    "machine alone and 0.0.0.0 stands for all its addresses",
}


def listen(address: Address) -> socket.socket:
    """Return a socket that listens at `address`. Raises UsageError when that cannot be.

    Who calls before anything is served there, waits. A socket that is only bound would leave the
    port to the next command: two may be bound to one, as long as neither listens.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            listener.listen()
            stack.pop_all()
    except OSError as error:
        where = f"[{address.host}]" if family == socket.AF_INET6 else address.host
        remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror}; name another place with --web")
        raise UsageError(f"pages cannot be served at {where}:{address.port}: {remedy}") from None
    listener.setblocking(False)  # noqa: FBT003 - its name says it
    return listener


def read_password(file: Path) -> str:
    """Return the first line of a file. Raises UsageError when it cannot be read or is empty."""
    try:
        password = file.read_text("utf-8").partition("\n")[0].strip()
    except OSError as error:
        raise UsageError(
            f"{file}: the password of the pages cannot be read: {error.strerror}; name another file "
            "with --web-password-file"
        ) from None
    except UnicodeDecodeError:  # it quotes the bytes, which may be those of a password
        raise UsageError(
            f"{file}: the password of the pages cannot be read: this is no text in UTF-8; write it "
            "into the first line of a text file"
        ) from None
    if not password:
        raise UsageError(f"{file}: its first line is to be the password, and it is empty")
    return password


def usual_place(address: Address) -> socket.socket:
    """Listen at the usual port, or at any free one."""
    try:
        return listen(address)
    except UsageError:
        return listen(Address(address.host))
