"""A virtual world in a thread of its own, at the pace of the clock on the wall.

For whoever has an event loop of their own and wants to watch and touch a world meanwhile: pages,
terminals, programs that need scaled time. Everything that happens to the world happens in its
thread, between two events; what comes of it is a future of `concurrent.futures`.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from firmware_sim.errors import SimulatorError, UsageError
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import VirtualLoop
from firmware_sim.runtime.virtual.pace import Clock, Pace

W = TypeVar("W")
R = TypeVar("R")
Make = Callable[[Pace], AbstractAsyncContextManager[W]]
END_S = 5.0


class Over(UsageError):
    """The world has ended, and nothing can be done in it any more."""


class PacedWorld(Generic[W]):
    """Makes a world in a thread of its own and lets time pass there.

    `make(pace)` is an asynchronous context manager that gives the world: it is entered in the loop
    of the thread, and left at the end. What belongs to the world may be touched there only.
    """

    def __init__(
        self, make: Make[W], start_ms: int, rate: float = 1.0, clock: Clock | None = None
    ) -> None:
        """Prepare a world whose time begins at `start_ms`, at `rate` virtual seconds per second."""
        self._agenda = Agenda(start_ms)
        self.pace = Pace(self._agenda, rate, clock)
        self._make = make
        self._ready: Future[W] = Future()
        self._end: asyncio.Event | None = None
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._lock = threading.Lock()
        self._open: dict[Future[Any], None] = {}  # asked for, and not answered
        self._over = False
        self._thread = threading.Thread(target=self._live, name="virtual world", daemon=True)

    def start(self) -> Future[W]:
        """Begin; the future is done when the world is made, or cannot be."""
        self._thread.start()
        return self._ready

    @property
    def over(self) -> bool:
        """Say whether it has ended, or failed."""
        return self._over

    def do(self, act: Callable[[W], R]) -> Future[R]:
        """Have something done between two events. The future fails with `Over` when it is too late."""

        def carry_out(answer: Future[R], world: W) -> None:
            try:
                answer.set_result(act(world))
            except SimulatorError as error:
                answer.set_exception(error)

        return self._ask(carry_out)

    def let(self, work: Callable[[W], Coroutine[Any, Any, R]]) -> Future[R]:
        """Let somebody begin something that takes virtual time: none passes while it stands still."""

        def begin(answer: Future[R], world: W) -> None:
            task = asyncio.get_running_loop().create_task(work(world))
            self._tasks[task] = None
            task.add_done_callback(lambda done: self._finish(done, answer))

        return self._ask(begin)

    def end(self, timeout_s: float = END_S) -> None:
        """End it, and wait until it has; nothing that was asked for stays unanswered."""
        with self._lock:
            self._over = True
        self.pace.post(self._say_end)
        self.pace.let_go()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # --- details --------------------------------------------------------------------------------

    def _ask(self, begin: Callable[[Future[R], W], None]) -> Future[R]:
        answer: Future[R] = Future()
        with self._lock:
            if self._over:
                answer.set_exception(Over("this world has ended"))
                return answer
            self._open[answer] = None
        answer.add_done_callback(self._answered)

        def take(world: W) -> None:
            if answer.set_running_or_notify_cancel():  # else nobody wants it any more
                begin(answer, world)

        def ready(made: Future[W]) -> None:
            if made.exception() is None:
                self.pace.post(take, made.result())

        self._ready.add_done_callback(ready)
        return answer

    def _answered(self, answer: Future[Any]) -> None:
        with self._lock:
            self._open.pop(answer, None)

    def _finish(self, task: asyncio.Task[R], answer: Future[R]) -> None:
        self._tasks.pop(task, None)
        if task.cancelled():
            return  # the world ends; why, `_fail` says to all
        if (error := task.exception()) is None:
            answer.set_result(task.result())
        else:
            answer.set_exception(error)

    def _say_end(self) -> None:
        if self._end is not None:
            self._end.set()

    def _loop(self) -> VirtualLoop:
        loop = VirtualLoop(self._agenda)
        loop.pace = self.pace
        return loop

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop) as runner:
                runner.run(self._stay())
        except SimulatorError as error:
            self._fail(error)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._fail(Over("this world has ended"))

    async def _stay(self) -> None:
        self._end = asyncio.Event()
        async with self._make(self.pace) as world:
            self._ready.set_result(world)
            await self._end.wait()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._over = True
            left = list(self._open)
        if not self._ready.done():
            self._ready.set_exception(error)
        for answer in left:
            if not answer.done():
                answer.set_exception(error)
