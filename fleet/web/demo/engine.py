"""One world of the demo: a paced world in a thread of its own, and what pages are told of it.

The world tells what happens in its thread; it is taken over in the server's event loop, where pages
are told of it a few times a second and everything else here lives.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from enum import StrEnum
from itertools import count
from typing import Any, TypeVar

from firmware_sim.errors import SimulatorError, UsageError
from fleet.light.meaning import lamps, lights
from fleet.run.virtual.desk.goals import ways_of
from fleet.run.virtual.desk.happenings import Happening, Shown
from fleet.run.virtual.desk.laid import Laid, lay
from fleet.run.virtual.desk.scene import PLACES, people_of
from fleet.run.virtual.paced import Over, PacedWorld
from fleet.web.demo import shapes
from fleet.web.feed import Feed, event
from hw_profiles import catalog

KEPT_MAX = 600  # happenings
TELL_EVERY_S = 0.03
STEP_MS_MAX = 600_000  # if nothing at all happens
_CONSUMERS = ("first_owner", "next_owner")
R = TypeVar("R")
_ids = count(1)


class Ending(StrEnum):
    """What becomes of the pages of a world that ends: the name of the last event that they get."""

    ENDED = "ended"  # there is nothing any more, until somebody wants it
    MOVED = "moved"  # there is another one for the same browser
    CLOSING = "closing"  # the server ends, and may come back


class Engine:
    """A world with one device of a model. Make it in the server's event loop, then `start` it."""

    def __init__(self, profile: str, start_ms: int) -> None:
        """Prepare a world whose time begins at `start_ms`. UsageError for an unknown model."""
        if profile not in catalog.names():  # never a path: this comes from a page
            raise UsageError(f"no model {profile!r}; there are {', '.join(catalog.names())}")
        self.id = next(_ids)
        self.feed = Feed()
        self.profile = catalog.load(profile)
        self._server = asyncio.get_running_loop()
        self._kept: deque[Happening] = deque(maxlen=KEPT_MAX)
        self._fresh: list[Happening] = []
        self._telling = False
        self._count = 0  # of happenings; written by the world's thread only
        self._busy = self._trouble = ""
        self._taken = 0
        self._seen = (Shown(start_ms, "OFF", "DOWN", "off", "", ""), start_ms)
        self._tasks: set[asyncio.Task[None]] = set()
        self._laid: Laid | None = None
        self._world: PacedWorld[Laid] = PacedWorld(lay(profile, self._tell), start_ms)

    async def start(self, light: str, speed: float) -> None:
        """Make the world and bring it to a light. UsageError when it cannot be made."""
        self._laid = await asyncio.wrap_future(self._world.start())
        # Asked for here and not in the task: a world that breaks before that runs has to say so, too.
        self._keep(self._until_over(self._world.let(lambda _: asyncio.Event().wait())))
        self.begin("on its way there", lambda laid: laid.bring(light, speed))

    async def _until_over(self, life: Future[Any]) -> None:
        """Tell pages when the world ends by itself, which is a mistake of ours."""
        try:
            await asyncio.wrap_future(life)
        except Over:
            return  # by whoever has told them why
        except Exception as error:  # noqa: BLE001 - whatever it was, its traceback is told by the thread
            reason = f"This world broke ({type(error).__name__}). Start anew."
            self.tell_end(Ending.ENDED, reason)

    @property
    def over(self) -> bool:
        """Say whether the world has ended, or broken."""
        return self._world.over

    def tell_end(self, ending: Ending, reason: str) -> None:
        """Tell pages why there will be nothing more to see of this world, and what there will be."""
        self.feed.publish(ending, shapes.Trouble(reason))
        self.feed.close()

    def end(self) -> None:
        """End the world, and wait for that; may be called in any thread."""
        self._world.end()

    # --- what pages want ------------------------------------------------------------------------

    async def do(self, act: Callable[[Laid], R]) -> R:
        """Have something done between two events."""
        result = await asyncio.wrap_future(self._world.do(act))
        self._tell_soon()
        return result

    def begin(self, what: str, work: Callable[[Laid], Coroutine[Any, Any, object]]) -> None:
        """Let somebody begin something that takes virtual time. UsageError while they are busy."""
        if self._busy:
            raise UsageError(f"wait a little: still {self._busy}")
        self._busy, self._trouble = what, ""
        self._tell_soon()
        self._keep(self._wait_for(what, work))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._server.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait_for(
        self, what: str, work: Callable[[Laid], Coroutine[Any, Any, object]]
    ) -> None:
        try:
            await asyncio.wrap_future(self._world.let(work))
        except Over:
            return
        except SimulatorError as error:
            self._trouble = str(error)
        except Exception as error:  # noqa: BLE001 - nobody waits for this task, so it is told here
            if not self.over:  # else that is told already
                self._trouble = f"{what}: that broke ({type(error).__name__}). Start anew."
                told = {"message": f"indicator demo: {what}: it broke", "exception": error}
                self._server.call_exception_handler(told)
        finally:
            self._busy = ""
            self._tell_soon()

    async def set_time(self, order: shapes.TimeOrder) -> None:
        """Let time go on as it is wanted."""

        def act(laid: Laid) -> None:
            pace = laid.pace
            if order.speed is not None and not math.isinf(pace.rate):
                pace.set_rate(order.speed)
            if order.step:
                pace.pause()
                began, end_ms = self._count, laid.desk.agenda.now_ms + STEP_MS_MAX
                pace.step(
                    lambda: self._count != began or laid.desk.agenda.now_ms >= end_ms,
                )
            elif order.paused is not None and order.paused != pace.paused:
                (pace.pause if order.paused else pace.go_on)()

        await self.do(act)

    # --- what pages are told --------------------------------------------------------------------

    def world(self) -> shapes.World:
        """Return everything, for a page that knows nothing."""
        desk = self.laid.desk
        return shapes.World(
            model=model_of(self.profile.name),
            begin=ways_of(self.profile),
            lamps=lamps(self.profile),
            lights=lights(self.profile),
            places=tuple((name, said, desk.network(name).ssid) for name, said in PLACES.items()),
            people=tuple(
                shapes.Person(role, one.name, "pair" if role in _CONSUMERS else "unbind")
                for role, one in people_of(desk.population).items()
            ),
            now=self._now(tuple(self._kept)),
        )

    def first(self) -> bytes:
        """Return the event with which a stream begins."""
        return event("now", self._now(()))

    @property
    def laid(self) -> Laid:
        """Return what there is in the world; what it says of itself may be read here."""
        assert self._laid is not None, "it is started first"
        return self._laid

    def _now(self, happened: tuple[Happening, ...]) -> shapes.Now:
        laid = self.laid
        shown, light_since_ms = self._seen
        return shapes.Now(
            clock=self._clock(),
            touch=laid.desk.touch,
            shown=shown,
            light_since_ms=light_since_ms,
            codes=tuple(laid.phones.codes.values()),
            found=tuple(found.uuid for found in laid.phones.found),
            busy=self._busy,
            trouble=self._trouble,
            count=self._taken,
            happened=happened,
        )

    def _clock(self) -> shapes.Clock:
        pace = self.laid.pace
        reading, speed = pace.reading(), pace.rate
        return shapes.Clock(
            at_ms=reading.at_ms,
            rate=None if math.isinf(reading.rate) else reading.rate,
            speed=1.0 if math.isinf(speed) else speed,
            paused=pace.paused,
        )

    def _tell(self, happening: Happening) -> None:
        """Take what has happened; called in the world's thread."""
        self._count += 1
        if isinstance(happening, Shown):
            before, since_ms = self._seen
            kept = before.light == happening.light
            self._seen = (happening, since_ms if kept else happening.at_ms)
        if not self._server.is_closed():
            self._server.call_soon_threadsafe(self._take, happening)

    def _take(self, happening: Happening) -> None:
        self._taken += 1
        self._kept.append(happening)
        self._fresh.append(happening)
        self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._telling:
            self._telling = True
            self._server.call_later(TELL_EVERY_S, self._tell_pages)

    def _tell_pages(self) -> None:
        self._telling = False
        fresh, self._fresh = self._fresh[-KEPT_MAX:], []
        if self._laid is not None and not self._world.over:
            self.feed.publish("now", self._now(tuple(fresh)))


def model_of(name: str) -> shapes.Model:
    """Return what is said of a built-in model."""
    profile = catalog.load(name)
    hold_ms = profile.timings.reset_hold_ms
    return shapes.Model(name, profile.title, profile.kind.value, profile.wired, hold_ms)
