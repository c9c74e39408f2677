"""The search of the Developer app page: it goes on as long as somebody looks at its list.

Listening costs two sockets and the work of reading what thousands of devices announce, so it ends
by itself when nobody has asked for the list for a while, and what was found then is forgotten.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address

from fleet.app.finder import Found
from fleet.app.lan_client import LanSearch

IDLE_S = 30.0


class Search:
    """One ear for all browsers; `open_search` makes a search of the premises' network."""

    def __init__(self, open_search: Callable[[], LanSearch], idle_s: float = IDLE_S) -> None:
        """Hear nothing yet."""
        self._open_search = open_search
        self._idle_s = idle_s
        self._search: LanSearch | None = None
        self._asked_s = 0.0
        self._listening: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """End the search with the pages."""
        try:
            yield
        finally:
            if self._listening is not None:
                self._listening.cancel()
                with suppress(asyncio.CancelledError):
                    await self._listening
            self._end()  # a task that has not begun does not clean up

    async def found(self) -> list[Found]:
        """Return what waits for a token, by address; begins to listen if nobody has asked for long.

        Raises UsageError when another program holds a port for itself.
        """
        self._asked_s = asyncio.get_running_loop().time()
        if self._search is None:
            search = self._open_search()
            self._search = search  # before the first await: two browsers open one search
            try:
                await search.__aenter__()
            except BaseException:
                self._search = None
                raise
            self._listening = asyncio.create_task(self._listen())
        return sorted(self._search.finder.found, key=lambda one: (IPv4Address(one.ip), one.uuid))

    def select(self, uuids: Iterable[str]) -> tuple[Found, ...]:
        """Return those of `uuids` that wait for a token now, as far as is known."""
        return self._search.finder.select(uuids) if self._search is not None else ()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (left_s := self._asked_s + self._idle_s - loop.time()) > 0:
                await asyncio.sleep(left_s)
        finally:
            self._end()

    def _end(self) -> None:
        search, self._search = self._search, None
        if search is not None:
            search.close()
