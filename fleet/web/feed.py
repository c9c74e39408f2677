"""Server-sent events: what runs tells the pages, and a slow page costs nobody anything.

The form is WHATWG's "Server-sent events" (html.spec.whatwg.org): an EventSource connects again by
itself, after a restart of the server as well.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from starlette.responses import StreamingResponse

RETRY_MS = 1000
QUIET_S = 15.0  # after which a comment is sent, so that nobody between takes the stream for dead
QUEUE_MAX = 256  # events that wait for one page
READERS_MAX = 200
LOST = b"event: lost\ndata: {}\n\n"


def event(name: str, data: object) -> bytes:
    """Return one event with `data` as JSON, which has no line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


class Feed:
    """Tells all readers the same. A reader that does not keep up is told `lost`: read anew."""

    def __init__(self, queue_max: int = QUEUE_MAX) -> None:
        """Begin without readers; up to `queue_max` events wait for each of them."""
        self._queue_max = queue_max
        self._readers: list[Reader] = []
        self._closed = False

    def __len__(self) -> int:
        """Return how many read."""
        return len(self._readers)

    def publish(self, name: str, data: object) -> None:
        """Tell all readers; nothing is encoded when nobody reads."""
        if self._readers:
            content = event(name, data)
            for reader in self._readers:
                reader.put(content)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for reader in self._readers:
            reader.end()

    def response(self, first: bytes = b"") -> StreamingResponse:
        """Return the stream for one page; it begins with the event `first`."""
        return stream(self.read(first))

    async def read(self, first: bytes = b"") -> AsyncGenerator[bytes, None]:
        """Yield what is published from now on."""
        if self._closed or len(self._readers) >= READERS_MAX:
            return
        reader = Reader(self._queue_max)
        if first:
            reader.put(first)
        self._readers.append(reader)
        try:
            async for content in reader.contents():
                yield content
        finally:
            self._readers.remove(reader)


class Reader:
    """The queue of one page."""

    def __init__(self, queue_max: int = QUEUE_MAX) -> None:
        """Begin empty."""
        self._queue_max = queue_max
        self._queue: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._ended = False

    def put(self, content: bytes) -> None:
        """Queue an event; if there are too many, they all go and `lost` is what remains."""
        if len(self._queue) >= self._queue_max:
            self._queue.clear()
            self._queue.append(LOST)
        self._queue.append(content)
        self._filled.set()

    def end(self) -> None:
        """Let `contents` end."""
        self._ended = True
        self._filled.set()

    async def contents(self) -> AsyncIterator[bytes]:
        """Yield events as they come; a comment when none came for long."""
        while self._queue or not self._ended:
            self._filled.clear()
            if self._queue:
                waiting = b"".join(self._queue)
                self._queue.clear()
                yield waiting
                continue
            try:
                await asyncio.wait_for(self._filled.wait(), QUIET_S)
            except TimeoutError:
                yield b": quiet\n\n"


def stream(contents: AsyncIterator[bytes]) -> StreamingResponse:
    """Return a response that sends events as `contents` yields them."""

    async def all_of_it() -> AsyncIterator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        async for content in contents:
            yield content

    return StreamingResponse(
        all_of_it(), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )
