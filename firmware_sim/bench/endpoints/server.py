"""Serves the calls of a bench to programs of this machine, in the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn

from firmware_sim.bench.endpoints.calls import Gate
from firmware_sim.bench.endpoints.tcp import HOST
from firmware_sim.errors import UsageError

HEAD_MAX = 16 * 1024  # bytes
CONNECTIONS_MAX = 5000
IDLE_S = 3600  # in the loop's time, which may pass fast; clients are surprised by a close
_START_POLL_S = 0.005
_BACKLOG = 256


class _Server(uvicorn.Server):
    """uvicorn without hands on the signals: whoever serves a bench has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int) -> socket.socket:
    """Return a socket that listens on `port` of loopback (0: any free one). UsageError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"the bench cannot be served at {HOST}:{port}: {error.strerror}; name another --port, "
            "where 0 is any free one"
        ) from None
    listener.setblocking(False)  # noqa: FBT003 - its name says it
    return listener


@asynccontextmanager
async def serving(app: Gate, listener: socket.socket) -> AsyncIterator[str]:
    """Serve `app` as long as the block lasts; gives its URL. Who waits at the end is told so."""
    config = uvicorn.Config(
        app,
        http="h11",  # which bounds the head of a request
        h11_max_incomplete_event_size=HEAD_MAX,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what clients send that is no HTTP is their affair
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(_START_POLL_S)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        app.end()
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()
