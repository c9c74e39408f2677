"""All worlds of a server: one for each browser that wants one, and a bound on their number."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from firmware_sim.errors import UsageError
from fleet.web.demo.engine import Ending, Engine
from fleet.web.demo.shapes import Start
from fleet.web.routes import NotFound

ENGINES_MAX = 16
_CROWDED = (
    "Too many demos run on this server, and nobody has touched this one for longest. Start anew."
)
_ANEW = "A new device was put on the desk."
_OVER = "The server has ended."


class Engines:
    """Worlds by the browser sessions that they are for, the one used longest ago first."""

    def __init__(
        self,
        engines_max: int = ENGINES_MAX,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Begin with none; `now_ms` is when a world's time begins."""
        self._max = engines_max
        self._now_ms = now_ms
        self._by_session: OrderedDict[str, Engine] = OrderedDict()
        self._lock = asyncio.Lock()
        self._closed = False

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_session)

    def of(self, session: str) -> Engine:
        """Return the world of a browser. Raises NotFound when there is none."""
        engine = self._by_session.get(session)
        if engine is None or engine.over:
            raise NotFound(
                "there is no device on this desk (any more): start one; programs send the cookie of "
                "/api/session with each call"
            )
        self._by_session.move_to_end(session)
        return engine

    async def start(self, session: str, order: Start) -> Engine:
        """Return a new world for a browser; the one that it had ends. UsageError when it cannot be."""
        if self._closed:
            raise UsageError(_OVER)
        async with self._lock:  # the bound holds while some are being made
            engine = Engine(order.profile, self._now_ms())
            while session not in self._by_session and len(self._by_session) >= self._max:
                idlest = self._by_session.pop(self._idlest())
                await self._end(idlest, Ending.ENDED, _CROWDED)
            await engine.start(order.light, order.speed)
            before = self._by_session.pop(session, None)
            self._by_session[session] = engine
            if before is not None:
                await self._end(before, Ending.MOVED, _ANEW)
            return engine

    def _idlest(self) -> str:
        """Return who has not been used for longest; first of those at whom nobody looks."""
        unseen = (session for session, engine in self._by_session.items() if not len(engine.feed))
        return next(unseen, next(iter(self._by_session)))

    async def close(self) -> None:
        """End all of them, and make no more."""
        self._closed = True
        engines = list(self._by_session.values())
        self._by_session.clear()
        await asyncio.gather(*(self._end(engine, Ending.CLOSING, _OVER) for engine in engines))

    @staticmethod
    async def _end(engine: Engine, ending: Ending, reason: str) -> None:
        engine.tell_end(ending, reason)
        await asyncio.to_thread(engine.end)
