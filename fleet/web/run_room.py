"""The live run view: how far a run is, as a page that is told twice a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from firmware_sim.errors import SimulatorError
from fleet.run.attendance import Live
from fleet.web import run_words as words
from fleet.web.feed import Feed, event
from fleet.web.fleet_room import FleetRoom
from fleet.web.premises import Premises
from fleet.web.routes import Call, Room, Route
from fleet.web.run_view import RunView, lines_after

TICK_S = 0.5
QUOTAS_EVERY = 10  # ticks: the cloud is asked, which has other things to do
COSTS_EVERY = 2
QUEUE_MAX = 16


class RunRoom:
    """The calls of the room, and its feed."""

    def __init__(self, premises: Premises, live: Live, control: FleetRoom) -> None:
        """Show the fleet of these premises; `control` knows what was done by hand."""
        self._supervisor = premises.supervisor
        self._live = live
        self._view = RunView(live, control.injecting.injected)
        self._feed = Feed(QUEUE_MAX)
        self._told = 0

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Tell pages as long as the block lasts, the last moment too; then end their streams."""
        tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self._ask_quotas())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._tell()
            self._feed.publish("ended", {})
            self._feed.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def now(self, _: Call) -> words.Moment:
        """Return how it is now."""
        return self._view.moment()

    async def past(self, _: Call) -> words.Past:
        """Return how it was until now."""
        return self._view.past()

    async def feed(self, _: Call) -> object:
        """Return the stream of moments, and of lines that are told."""
        return self._feed.response(event("moment", self._view.moment()))

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            if len(self._feed) and ticks % COSTS_EVERY == 0 and self._live.run is None:
                self._supervisor.sample()  # while a scenario is played its progress does that
            self._tell()

    def _tell(self) -> None:
        """Tell those who look how it is now, and what was said since."""
        if not len(self._feed):
            return
        self._feed.publish("moment", self._view.moment())
        for line in lines_after(self._live.told, self._told):
            self._told = line.number
            self._feed.publish("line", line)

    async def _ask_quotas(self) -> None:
        while True:
            await asyncio.sleep(TICK_S * QUOTAS_EVERY)
            if not len(self._feed) or not self._supervisor.shards:
                continue
            try:
                self._view.quotas = await self._supervisor.admin.quotas()
            except SimulatorError:
                self._view.quotas = None  # it is away, which the page says


def make_room(premises: Premises, live: Live, control: FleetRoom) -> Room:
    """Return the page /run and its calls."""
    room = RunRoom(premises, live, control)
    return Room(
        "run",
        "Run",
        "run.html",
        (
            Route("GET", "/now", "How it is now", room.now, reply=words.Moment),
            Route("GET", "/past", "How it was until now", room.past, reply=words.Past),
            Route("GET", "/feed", "Moments and lines as they come (server-sent events)", room.feed),
        ),
        room.life,
    )
