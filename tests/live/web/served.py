"""An application of ours, served by a thread, for tests that look at it with a browser."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleet.web.guard import Guard
from fleet.web.server import Address, serving

START_S = 20.0


@contextmanager
def served(app: Guard, port: int = 0, closing: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Serve `app` on loopback as long as the block lasts; gives its URL. `closing` as in `serving`."""
    loop = asyncio.new_event_loop()
    ready, over, urls = threading.Event(), asyncio.Event(), list[str]()

    async def serve() -> None:
        async with serving(app, Address(port=port), closing) as url:
            urls.append(url)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(START_S), "the server did not start"
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(START_S)
        loop.close()
